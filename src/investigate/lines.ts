/** The lines that services rest on. */
import { noConnection } from '../conversations/connection-table.ts'
import type { Chained } from '../conversations/conversations.ts'
import type { Services } from '../conversations/services.ts'
import { counterOf } from '../conversations/signs.ts'
import type { LineReader } from '../dossier-rules/evidence.ts'
import type { FoundSpan } from '../dossier-rules/rule.ts'
import { known, type RecordBlock } from '../record-index/block.ts'
import { hasTime } from './records.ts'

const ofEachKind = 4

/** @param placeOf the file of that number, and what a record's number counts in it. */
export function serviceLines(
  block: RecordBlock,
  chained: Pick<Chained, 'connectionOf'>,
  services: Services,
  placeOf: (file: number) => { path: string; unit: 'line' | 'packet' | 'record' },
): LineReader {
  let grouped: RowsByService | null = null
  const rowsOf = (service: number): Uint32Array => {
    grouped ??= rowsByService(block, chained, services)
    return grouped.rows.subarray(grouped.from[service]!, grouped.from[service + 1]!)
  }
  const basis = (row: number): ReturnType<LineReader['first']> => {
    const { path, unit } = placeOf(block.file[row]!)
    return { path, [unit]: block.line[row]! }
  }
  // Without a time a record comes last.
  const startOf = (row: number): number => (hasTime(block, row) ? block.start_us[row]! : Number.POSITIVE_INFINITY)
  const inTime = (a: number, b: number): number =>
    startOf(a) - startOf(b) || block.file[a]! - block.file[b]! || block.line[a]! - block.line[b]!
  const isWithin = (row: number, span: FoundSpan | null): boolean =>
    span === null || (startOf(row) >= span.from_us && startOf(row) <= span.to_us)
  return {
    first: service => basis(rowsOf(service).reduce((first, row) => (inTime(row, first) < 0 ? row : first))),
    some: (service, span) => {
      const rows = rowsOf(service).filter(row => isWithin(row, span))
      const found = new Set([
        ...foremost(rows, inTime),
        // From the end, for there they are: of rows in order each would be before all so far.
        ...foremost(rows.slice().reverse(), (a, b) => inTime(b, a)),
        ...foremost(rows, (a, b) => bySize(block, a, b)),
      ])
      return { lines: [...found].sort(inTime).map(basis), total: rows.length }
    },
    all: (services, span, most) =>
      services
        .flatMap(service => [...rowsOf(service)])
        .filter(row => isWithin(row, span))
        .sort((a, b) => block.file[a]! - block.file[b]! || block.line[a]! - block.line[b]!)
        .slice(0, most)
        .map(basis),
  }
}

/** The most bytes first, those without any last, then by place. */
function bySize(block: RecordBlock, a: number, b: number): number {
  const [one, other] = [bytesOf(block, a), bytesOf(block, b)]
  if (one !== other) return one > other ? -1 : 1
  return block.file[a]! - block.file[b]! || block.line[a]! - block.line[b]!
}

function bytesOf(block: RecordBlock, row: number): number | bigint {
  return (block.known[row]! & known.bytes) === 0 ? -1 : counterOf(block, row, 'bytes')
}

/** The first few rows in an order. */
function foremost(rows: Uint32Array, compare: (a: number, b: number) => number): number[] {
  const found: number[] = []
  for (const row of rows) {
    if (found.length === ofEachKind && compare(row, found[ofEachKind - 1]!) >= 0) continue
    if (found.length === ofEachKind) found.pop()
    const place = found.findIndex(other => compare(row, other) < 0)
    found.splice(place < 0 ? found.length : place, 0, row)
  }
  return found
}

/** Rows that count, service by service, in their order; `from`: where those of each begin. */
interface RowsByService {
  rows: Uint32Array
  from: Uint32Array
}

function rowsByService(
  block: RecordBlock,
  { connectionOf }: Pick<Chained, 'connectionOf'>,
  { count, serviceOf }: Services,
): RowsByService {
  const from = new Uint32Array(count + 1)
  for (let row = 0; row < block.rows; row++)
    if (connectionOf[row] !== noConnection) from[serviceOf[connectionOf[row]!]! + 1]!++
  for (let service = 0; service < count; service++) from[service + 1]! += from[service]!
  const next = from.slice()
  const rows = new Uint32Array(from[count]!)
  for (let row = 0; row < block.rows; row++)
    if (connectionOf[row] !== noConnection) rows[next[serviceOf[connectionOf[row]!]!]!++] = row
  return { rows, from }
}
