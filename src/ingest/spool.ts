import type { Column } from '../records/column.ts'
import type { PacketField } from '../records/packet-fields.ts'
import { RecordBuffer } from '../records/record-buffer.ts'
import type { Batch } from './batch.ts'

/** Half of one of DuckDB's row groups: a capture has two kinds of rows, and of each two buffers. */
const spoolRows = 61_440
/** Buffers that wait to be written before whoever fills them has to. */
const waitingMax = 4

/**
 * Rows of one file on their way to segments of their own.
 *
 * Whoever makes rows cannot wait in the middle of a piece of the file: what is full is put aside, and written when `settle` is called.
 */
export class Spool {
  rows = 0
  private readonly batch: Batch
  private readonly kind: 'packet-flows' | 'connections'
  private readonly file: number
  private readonly fields: readonly PacketField[]
  private readonly waiting: RecordBuffer[] = []
  private readonly spare: RecordBuffer[] = []
  private buffer: RecordBuffer
  private columns: Column[]

  constructor(batch: Batch, kind: 'packet-flows' | 'connections', file: number, fields: readonly PacketField[]) {
    this.batch = batch
    this.kind = kind
    this.file = file
    this.fields = fields
    this.buffer = new RecordBuffer(spoolRows)
    this.columns = this.bound()
  }

  /** The column of that place in the table of fields, in the buffer of the row that comes next. */
  column(place: number): Column {
    return this.columns[place]!
  }

  get row(): number {
    return this.buffer.rows
  }

  /** The row is complete. `line`: what it can be found by in its file, the number of a packet or record. */
  commit(line: number): void {
    const { buffer } = this
    buffer.file[buffer.rows] = this.file
    buffer.line[buffer.rows] = line
    buffer.rows++
    this.rows++
    if (!buffer.full) return
    this.waiting.push(buffer)
    this.buffer = this.spare.pop() ?? new RecordBuffer(spoolRows)
    this.columns = this.bound()
  }

  get isBehind(): boolean {
    return this.waiting.length >= waitingMax
  }

  /** Writes what is full; with `all`, what is not full too. */
  async settle(all = false): Promise<void> {
    if (all && this.buffer.rows > 0) this.waiting.push(this.buffer)
    for (let full = this.waiting.shift(); full !== undefined; full = this.waiting.shift()) {
      await this.batch.writeRows(this.kind, this.file, full)
      full.reset()
      if (!all) this.spare.push(full)
    }
  }

  private bound(): Column[] {
    return this.fields.map(field => this.buffer.column(field.name, field.type))
  }
}

export function setHalves(column: Column, row: number, low: number, high: number): void {
  column.halves[2 * row] = low
  column.halves[2 * row + 1] = high
}

/** An address in four 32-bit words, most significant first. */
export function setAddress(column: Column, row: number, w0: number, w1: number, w2: number, w3: number): void {
  column.halves[2 * row] = w3
  column.halves[2 * row + 1] = w2
  if (w0 !== 0 || w1 !== 0) column.setHigh(row, (BigInt(w0 >>> 0) << 32n) | BigInt(w1 >>> 0))
  else if (column.high !== null) column.high[row] = 0n
}

/** Text that Tidemark itself writes, of which there is little: never a word of the evidence. */
export function setWord(column: Column, row: number, word: string): void {
  column.codes[row] = column.words.codeOf(word)
}
