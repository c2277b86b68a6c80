import type { Column } from '../../src/records/column.ts'
import { RecordBuffer } from '../../src/records/record-buffer.ts'
import type { Layout } from '../../src/vpc-text/layout.ts'
import { TextReader } from '../../src/vpc-text/text-reader.ts'

/** A flow log, and how it comes. */
export interface Log {
  bytes: Uint8Array
  layout: Layout | null
  stamped: boolean
  /** Whether its source was cut. */
  cut: boolean
  /** Lengths of the pieces, over and over. */
  pieces: readonly number[]
}

export interface Outcome {
  /** What each buffer held when it was full, and at the end: a heading and each row as text. */
  buffers: string[][]
  /** What each reader says of its file. */
  files: object[]
}

/** Emptied ones, as the batches use them: whatever they held before must not be seen again. */
const emptied = new Map<number, RecordBuffer[]>()

function take(capacity: number): RecordBuffer {
  return emptied.get(capacity)?.pop() ?? new RecordBuffer(capacity)
}

function give(buffer: RecordBuffer): void {
  buffer.reset()
  const others = emptied.get(buffer.capacity)
  if (others) others.push(buffer)
  else emptied.set(buffer.capacity, [buffer])
}

/** Reads files one after the other into buffers of that capacity, and pauses after every piece. */
export function* reading(
  logs: readonly Log[],
  capacity: number,
  careful: boolean,
): Generator<undefined, Outcome, undefined> {
  const buffers: string[][] = []
  const files: object[] = []
  let buffer = take(capacity)
  const next = (reader: TextReader): void => {
    reader.leave()
    buffers.push(rowsOf(buffer))
    give(buffer)
    buffer = take(capacity)
    reader.continueIn(buffer)
  }
  for (const [i, log] of logs.entries()) {
    const reader = new TextReader(buffer, { file: i + 1, layout: log.layout, stamped: log.stamped, careful })
    let from = 0
    for (let turn = 0; from < log.bytes.length; turn++) {
      const piece = log.bytes.subarray(from, from + log.pieces[turn % log.pieces.length]!)
      for (let at = reader.read(piece); at < piece.length; at = reader.read(piece, at)) next(reader)
      from += piece.length
      yield
    }
    while (!reader.end(log.cut)) next(reader)
    files.push(accountOf(reader))
  }
  buffers.push(rowsOf(buffer))
  give(buffer)
  return { buffers, files }
}

/** Runs it to its end. */
export function finished(work: Generator<undefined, Outcome, undefined>): Outcome {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

function accountOf(reader: TextReader): object {
  const { counts, problems, silences, firstStart, lastEnd } = reader
  const layouts = reader.layouts.map(layout => layout.fields.join(' '))
  return { counts, problems, silences, sensors: [...reader.sensors].sort(), layouts, firstStart, lastEnd }
}

/** The buffer's rows as lines of text: words have no spaces and are never empty, a null is. */
export function rowsOf(buffer: RecordBuffer): string[] {
  const columns = buffer.columns()
  const texts = columns.map(column => textsOf(column, buffer.rows))
  const rows = Array.from({ length: buffer.rows }, (_, row) =>
    [`${buffer.file[row]}:${buffer.line[row]}`, ...texts.map(text => text[row])].join(' '),
  )
  return [['row', ...columns.map(column => column.name)].join(' '), ...rows]
}

function textsOf(column: Column, rows: number): string[] {
  const words = column.type === 'text' ? column.words.words() : []
  return Array.from({ length: rows }, (_, row) => {
    // A null that the column does not own up to is one that the writer would miss.
    if (column.isNull(row)) return column.hasNull ? '' : '(unannounced null)'
    return column.type === 'text' ? (words[column.codes[row]!] ?? '(no such word)') : String(fieldOf(column, row))
  })
}

export function fieldOf(column: Column, row: number): number | bigint | string | null {
  if (column.isNull(row)) return null
  switch (column.type) {
    case 'text':
      return column.words.word(column.codes[row]!)
    case 'u8':
      return column.u8[row]!
    case 'u16':
      return column.u16[row]!
    case 'address':
      return ((column.high?.[row] ?? 0n) << 64n) | column.wide[row]!
    default:
      return column.wide[row]!
  }
}
