import type { Column } from '../records/column.ts'
import { paddingBytes } from '../records/dictionary.ts'
import type { RecordBuffer } from '../records/record-buffer.ts'
import { sensorFields } from '../records/sensor.ts'
import { diagnose } from './diagnose.ts'
import { FastLines } from './fast-lines.ts'
import { faultOfHeader, headerOf } from './header.ts'
import type { Layout } from './layout.ts'
import { readAddress, readCounter, readOther, readText, readTime, readU8, readU16, timeAt } from './values.ts'

/** A line that is in no record, or a range in which there are some. */
export interface LineProblem {
  line: number
  line_to?: number
  problem: string
}

/** A NODATA or SKIPDATA line: what a sensor says about its own silence. Times are microseconds since the epoch. */
export interface Silence {
  line: number
  status: 'NODATA' | 'SKIPDATA'
  sensor: string | null
  start: number
  end: number
}

/** The accounts of one file; see the contract for their meaning. */
export interface LineCounts {
  lines: number
  header_lines: number
  records: number
  no_data: number
  skip_data: number
  malformed: number
}

export interface TextReaderOptions {
  file: number
  /** The layout of a file without a header line. */
  layout: Layout | null
  /** Whether each line begins with a time stamp, as in exports from CloudWatch Logs. */
  stamped: boolean
  /** False where no line is a header: `layout` names the fields of all. */
  headers?: boolean
  /** Reads every line the careful way; only tests ask for it. */
  careful?: boolean
}

/** A longer line is no flow record, and is skipped without being kept. */
export const lineBytesMax = 1 << 20
/** Malformed lines of one file that are named one by one. */
const problemsMax = 10_000
/** Different layouts of one file that are kept. */
const layoutsMax = 100
/** A longer line is no header: four times as long as all fields of AWS together. */
const headerBytesMax = 16384
/** In a file of more headers, this many lines after each are read carefully: to get ready to be fast costs more than they do. */
const headersMany = 100
const linesBeforeFast = 16

const LF = 10
const CR = 13
const SPACE = 32
const DASH = 45

/**
 * Reads flow-log text, as bytes, into the columns of a record buffer.
 *
 * Feed it with `read` until it has taken all of a piece; it stops early only when the buffer is full. Every line is counted
 * once: as a header, a record, NODATA, SKIPDATA or malformed. Nothing is thrown for bad data.
 */
export class TextReader {
  readonly counts: LineCounts = { lines: 0, header_lines: 0, records: 0, no_data: 0, skip_data: 0, malformed: 0 }
  readonly problems: LineProblem[] = []
  readonly silences: Silence[] = []
  readonly sensors = new Set<string>()
  /** The first ones that differ. */
  readonly layouts: Layout[] = []
  hasMoreLayouts = false
  /** Over the file's records, microseconds since the epoch. */
  firstStart = Number.POSITIVE_INFINITY
  lastEnd = Number.NEGATIVE_INFINITY

  private readonly options: TextReaderOptions
  private buffer: RecordBuffer
  private layout: Layout | null = null
  private columns: Column[] = []
  private readonly knownLayouts = new Set<string>()
  /** The line of a header that could not be read: what follows it is in no known order. */
  private lostAt: number | null = null
  /** Records that were read since the last header. */
  private sinceHeader = 0
  /** Where fields that have no column of their own are kept together. */
  private others: Column | null = null
  private sensorsOfLayout: Column[] = []
  private status: Column | null = null
  private statusCodes = { ok: 0, noData: 0, skipData: 0 }
  private action: Column | null = null
  private actionCodes = { accept: 0, reject: 0 }
  private startColumn: Column | null = null
  private endColumn: Column | null = null
  private boundAt = 0
  private line = 0
  private carry: Uint8Array = new Uint8Array(0)
  private skippingLongLine = false
  /** Where the line that was just read ends. */
  private cursor = 0
  /** The bytes that `lines` works on, for reading four at a time. */
  private view: DataView = new DataView(new ArrayBuffer(0))
  /** Reads the plain lines, which are nearly all. */
  private readonly fast: FastLines | null

  constructor(buffer: RecordBuffer, options: TextReaderOptions) {
    this.buffer = buffer
    this.options = options
    this.fast = options.careful ? null : FastLines.get()
    if (options.layout) this.bind(options.layout)
  }

  /** Settles what this file leaves in a buffer that is full. The buffer may be written from now on. */
  leave(): void {
    this.leaveBuffer()
  }

  /** Goes on in an empty buffer, after `leave`. */
  continueIn(buffer: RecordBuffer): void {
    this.buffer = buffer
    const { layout } = this
    this.layout = null
    if (layout) this.bind(layout)
  }

  /** Takes bytes [from, …) of `piece` and returns how far it came; less than the length only when the buffer is full. */
  read(source: Uint8Array, from = 0): number {
    // A plain Uint8Array even where Node gives a Buffer: one kind of array keeps the loops over bytes monomorphic.
    const piece = new Uint8Array(source.buffer, source.byteOffset, source.length)
    let at = from
    if (this.skippingLongLine || this.carry.length > 0) {
      if (this.buffer.full) return at
      const newline = piece.indexOf(LF, at)
      if (newline < 0) {
        this.keep(piece.subarray(at))
        return piece.length
      }
      if (this.skippingLongLine) this.skippingLongLine = false
      else this.padded(joined(this.carry, piece.subarray(at, newline + 1)))
      this.carry = new Uint8Array(0)
      at = newline + 1
    }
    const end = piece.lastIndexOf(LF) + 1
    if (end > at) {
      // The last lines are read from a padded copy: words are read four bytes at a time, beyond their end.
      let tail = end - 1
      while (tail > at && (piece[tail - 1] !== LF || end - tail < paddingBytes)) tail--
      at = this.lines(piece, at, tail)
      if (at < tail || this.buffer.full) return at
      at += this.padded(piece.subarray(tail, end))
      if (at < end) return at
    }
    if (piece.length > at) this.keep(piece.subarray(at))
    return piece.length
  }

  /**
   * Says that the bytes are over. A last line without newline counts as a line; where the source was cut it is malformed, for
   * it may be half a record.
   *
   * @returns false when the buffer has no room for the last line: give another and call again.
   */
  end(cut: boolean): boolean {
    if (this.carry.length > 0 && !this.skippingLongLine) {
      if (this.buffer.full) return false
      const rest = this.carry
      this.carry = new Uint8Array(0)
      if (cut && (rest.length > 1 || rest[0] !== CR)) {
        this.line++
        this.counts.lines++
        this.malformed('the file is cut in this line')
      } else this.padded(joined(rest, Uint8Array.of(LF)))
    }
    this.leaveBuffer()
    return true
  }

  /** Settles what this file leaves in the buffer: fields that its layout lacks are null. */
  private leaveBuffer(): void {
    this.buffer.nullOthers(new Set(this.columns), this.boundAt)
    for (const column of this.sensorsOfLayout) this.addSensors(column)
    this.boundAt = this.buffer.rows
  }

  /** Those of this file's rows: other files of the buffer have words in the column too. */
  private addSensors(column: Column): void {
    const { codes, words, hasNull } = column
    const seen = new Uint8Array(words.size)
    for (let row = this.boundAt; row < this.buffer.rows; row++) {
      const code = codes[row]!
      if (seen[code] === 1 || (hasNull && column.isNull(row))) continue
      seen[code] = 1
      this.sensors.add(words.word(code))
    }
  }

  private bind(layout: Layout): void {
    if (this.layout) this.leaveBuffer()
    this.layout = layout
    this.columns = layout.columns.map(name => this.buffer.columnOfField(name))
    this.others = this.columns.find(column => column.type === 'id') ?? null
    const named = (name: string): Column | null => this.columns[layout.columns.indexOf(name)] ?? null
    this.sensorsOfLayout = sensorFields.map(named).filter(column => column !== null)
    this.status = named('log_status')
    this.action = named('action')
    if (this.status) {
      const { words } = this.status
      this.statusCodes = { ok: words.codeOf('OK'), noData: words.codeOf('NODATA'), skipData: words.codeOf('SKIPDATA') }
    }
    if (this.action)
      this.actionCodes = { accept: this.action.words.codeOf('ACCEPT'), reject: this.action.words.codeOf('REJECT') }
    this.startColumn = named('start')
    this.endColumn = named('end')
    this.boundAt = this.buffer.rows
    const key = layout.fields.join(' ')
    if (this.knownLayouts.has(key)) return
    if (this.layouts.length >= layoutsMax) {
      this.hasMoreLayouts = true
      return
    }
    this.knownLayouts.add(key)
    this.layouts.push(layout)
  }

  /** Nothing is read from here on until a header says again in which order. */
  private lose(): void {
    this.lostAt = this.line
    this.leaveBuffer()
    this.layout = null
    this.columns = []
    this.others = null
    this.sensorsOfLayout = []
  }

  private keep(bytes: Uint8Array): void {
    if (this.skippingLongLine) return
    if (this.carry.length + bytes.length > lineBytesMax) {
      this.skippingLongLine = true
      this.carry = new Uint8Array(0)
      this.line++
      this.counts.lines++
      this.malformed(`longer than ${lineBytesMax} bytes: no flow record is`)
      return
    }
    this.carry = joined(this.carry, bytes)
  }

  /** Whole lines, in a copy with room after it. */
  private padded(bytes: Uint8Array): number {
    const copy = new Uint8Array(bytes.length + paddingBytes)
    copy.set(bytes)
    return this.lines(copy, 0, bytes.length)
  }

  /** Whole lines of `bytes[from, end)`; at least eight bytes must follow. Returns where it stopped. */
  private lines(bytes: Uint8Array, from: number, end: number): number {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = from
    /** Where plain lines are looked for again. */
    let resumesAt = from
    while (at < end && !this.buffer.full) {
      const fast = at >= resumesAt ? this.fastLines() : null
      if (fast !== null) {
        at = this.plainLines(fast, bytes, at, end)
        resumesAt = fast.resumesAt
        if (at === end || this.buffer.full) break
      }
      this.line++
      const first = bytes[at]!
      if (first === LF || (first === CR && bytes[at + 1] === LF)) {
        at += first === LF ? 1 : 2
        continue
      }
      this.counts.lines++
      const { rows } = this.buffer
      if (this.layout !== null && this.record(bytes, at)) {
        if (fast !== null && this.buffer.rows > rows) fast.learn(bytes, at, this.cursor - 1, rows)
        at = this.cursor
      } else at = this.otherLine(bytes, at)
    }
    return at
  }

  /** Who reads plain lines of the layout, if anybody can. */
  private fastLines(): FastLines | null {
    if (this.fast === null || this.layout === null) return null
    if (this.counts.header_lines > headersMany && this.sinceHeader < linesBeforeFast) return null
    return this.fast.bind(this.columns, this.options.stamped) ? this.fast : null
  }

  /** Reads lines up to the first that is not plain; returns where that is. */
  private plainLines(fast: FastLines, bytes: Uint8Array, at: number, end: number): number {
    const { buffer } = this
    const row = buffer.rows
    const read = fast.read(bytes, at, end, row, buffer.capacity)
    if (read.rows === 0) return at
    buffer.file.fill(this.options.file, row, row + read.rows)
    for (let i = 0; i < read.rows; i++) buffer.line[row + i] = this.line + 1 + i
    buffer.rows += read.rows
    this.line += read.rows
    this.counts.lines += read.rows
    this.counts.records += read.rows
    this.firstStart = Math.min(this.firstStart, read.firstStart)
    this.lastEnd = Math.max(this.lastEnd, read.lastEnd)
    return read.at
  }

  /** A line that is no record of the layout: a header, or malformed. */
  private otherLine(bytes: Uint8Array, at: number): number {
    const newline = bytes.indexOf(LF, at)
    const end = Math.min(newline, at + headerBytesMax)
    const text = decoder.decode(bytes.subarray(at, end)).replace(/\r$/, '')
    const header = this.options.headers === false ? null : headerOf(text)
    if (header === 'damaged' || (header !== null && end < newline)) {
      this.malformed(`a header that cannot be read: ${faultOfHeader(text, end < newline)}`)
      // Where the first line is one, and the user has named the fields, that is the answer.
      if (this.counts.lines > 1 || this.options.layout === null) this.lose()
    } else if (header !== null) {
      this.counts.header_lines++
      this.sinceHeader = 0
      this.lostAt = null
      this.bind(header)
    } else if (this.layout !== null) {
      const hasHeader = this.layout !== this.options.layout
      this.malformed(diagnose(text, this.layout, this.options.stamped, hasHeader))
    } else this.malformed(this.whyUnordered())
    return newline + 1
  }

  private whyUnordered(): string {
    if (this.lostAt === null) return 'no header line before it names the fields'
    return `follows a header that cannot be read (line ${this.lostAt})`
  }

  private malformed(problem: string): void {
    this.counts.malformed++
    if (this.problems.length < problemsMax) {
      this.problems.push({ line: this.line, problem })
      return
    }
    // Named as a range, so that a file of nothing but rubbish does not fill the memory.
    const unnamed = this.counts.malformed - problemsMax + 1
    const last = this.problems[problemsMax - 1]!
    last.line_to = this.line
    last.problem = `${unnamed} malformed lines from here on, too many to name each`
  }

  /**
   * The line at `at` as a record of the layout, straight into the next row; false if it is not one. One pass over the bytes. The caller guarantees a newline at the end, so no loop tests the length.
   */
  private record(bytes: Uint8Array, at: number): boolean {
    const { columns, buffer, view } = this
    const row = buffer.rows
    const last = columns.length - 1
    if (this.others !== null) this.others.ids[row] = ''
    let p = at
    if (this.options.stamped) {
      while (bytes[p]! > SPACE) p++
      if (bytes[p] !== SPACE || p === at) return this.undo(row)
      p++
    }
    for (let i = 0; i <= last; i++) {
      const column = columns[i]!
      if (bytes[p] === DASH && bytes[p + 1]! <= SPACE) {
        if (column.type !== 'id') column.setNull(row)
        p++
      } else {
        switch (column.type) {
          case 'text':
            p = readText(view, p, column, row)
            break
          case 'address':
            p = readAddress(bytes, p, column, row)
            break
          case 'u8':
            p = readU8(bytes, p, column, row)
            break
          case 'u16':
            p = readU16(bytes, p, column, row)
            break
          case 'u64':
            p = readCounter(bytes, p, column, row)
            break
          case 'id':
            p = readOther(bytes, p, column, row, this.layout!.columns[i]!)
            break
          default:
            p = readTime(bytes, p, column, row)
        }
        if (p < 0) return this.undo(row)
      }
      const terminator = bytes[p]!
      if (i < last) {
        if (terminator !== SPACE) return this.undo(row)
      } else if (terminator === CR && bytes[p + 1] === LF) p++
      else if (terminator !== LF) return this.undo(row)
      p++
    }
    this.cursor = p
    if (this.others?.ids[row] === '') this.others.setNull(row)
    if (this.layout!.textOnly && this.isHeader(bytes, at, p - 1)) return this.undo(row)
    return this.judge(row)
  }

  /** Where all fields are text, a header would pass for a record. */
  private isHeader(bytes: Uint8Array, at: number, end: number): boolean {
    return this.options.headers !== false && headerOf(decoder.decode(bytes.subarray(at, end))) !== null
  }

  /** A row whose every field could be read: a record, a sensor's silence, or still malformed? */
  private judge(row: number): boolean {
    const { startColumn, endColumn, status, action } = this
    if ((startColumn?.hasNull && startColumn.isNull(row)) || (endColumn?.hasNull && endColumn.isNull(row)))
      return this.undo(row)
    const start = startColumn === null ? Number.NaN : timeAt(startColumn, row)
    const end = endColumn === null ? Number.NaN : timeAt(endColumn, row)
    if (end < start) return this.undo(row)
    if (action !== null && !(action.hasNull && action.isNull(row))) {
      const code = action.codes[row]!
      if (code !== this.actionCodes.accept && code !== this.actionCodes.reject) return this.undo(row)
    }
    if (status !== null) {
      if (status.hasNull && status.isNull(row)) return this.undo(row)
      const code = status.codes[row]!
      if (code !== this.statusCodes.ok) return this.silence(row, code, start, end)
    }
    if (start < this.firstStart) this.firstStart = start
    if (end > this.lastEnd) this.lastEnd = end
    this.buffer.file[row] = this.options.file
    this.buffer.line[row] = this.line
    this.buffer.rows = row + 1
    this.counts.records++
    this.sinceHeader++
    return true
  }

  private silence(row: number, code: number, start: number, end: number): boolean {
    const { noData, skipData } = this.statusCodes
    if (code !== noData && code !== skipData) return this.undo(row)
    const column = this.sensorsOfLayout.find(sensors => !sensors.isNull(row))
    const sensor = column ? column.words.word(column.codes[row]!) : null
    if (sensor !== null) this.sensors.add(sensor)
    this.silences.push({ line: this.line, status: code === noData ? 'NODATA' : 'SKIPDATA', sensor, start, end })
    if (code === noData) this.counts.no_data++
    else this.counts.skip_data++
    this.undo(row)
    return true
  }

  /** Gives the row up: the nulls that it left must not meet the next record. */
  private undo(row: number): false {
    for (const column of this.columns) if (column.hasNull) column.clearNull(row)
    return false
  }
}

const decoder = new TextDecoder()

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b.slice()
  const all = new Uint8Array(a.length + b.length)
  all.set(a)
  all.set(b, a.length)
  return all
}
