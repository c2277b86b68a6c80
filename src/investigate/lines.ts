/** The lines that findings and services rest on. */
import { noConnection } from '../conversations/connection-table.ts'
import type { Chained } from '../conversations/conversations.ts'
import type { Services } from '../conversations/services.ts'
import { counterOf } from '../conversations/signs.ts'
import { known, type RecordBlock } from '../record-index/block.ts'
import type { Basis } from '../rules/finding.ts'
import { hasTime } from './records.ts'

/** The lines of a subject's connections, by their numbers. */
export interface LineReader {
  /** Some of the lines: the first, the largest and the last ones, in order of time. */
  some(connections: Uint32Array): Basis[]
  /** All of them in the order of the evidence, a million at most. */
  all(connections: Uint32Array): Basis[]
  /** The same of a service. */
  ofService(service: number): Basis[]
}

const ofEachKind = 4
/** Places that are named at most; `basis_total` says how many there are. */
const linesMax = 1_000_000

/** The file of a number, and what a record's number counts in it. */
export type FileOf = (file: number) => { path: string; unit: 'line' | 'packet' | 'record'; numbered: boolean }

/** Where a record stands. */
export function basisAt(fileOf: FileOf, file: number, line: number): Basis {
  const { path, unit, numbered } = fileOf(file)
  return { path, [unit]: line, ...(numbered && { file }) }
}

export function linesOf(
  block: RecordBlock,
  { table, connectionOf }: Pick<Chained, 'table' | 'connectionOf'>,
  { serviceOf }: Pick<Services, 'serviceOf'>,
  fileOf: FileOf,
): LineReader {
  let kept: RowsByConnection | null = null
  const rowsOf = (connections: Uint32Array): Uint32Array => {
    kept ??= rowsByConnection(block.rows, connectionOf, table.count)
    return rowsIn(kept, connections)
  }
  const basis = (row: number): Basis => basisAt(fileOf, block.file[row]!, block.line[row]!)
  // Without a time a record comes last.
  const startOf = (row: number): number => (hasTime(block, row) ? block.start_us[row]! : Number.POSITIVE_INFINITY)
  const byPlace = (a: number, b: number): number => block.file[a]! - block.file[b]! || block.line[a]! - block.line[b]!
  const inTime = (a: number, b: number): number => startOf(a) - startOf(b) || byPlace(a, b)
  const all = (connections: Uint32Array): Basis[] =>
    Array.from(rowsOf(connections).sort(byPlace).subarray(0, linesMax), basis)
  return {
    some: connections => {
      const rows = rowsOf(connections)
      const found = new Set([
        ...foremost(rows, inTime),
        // From the end, for there they are: of rows in order each would be before all so far.
        ...foremost(rows.slice().reverse(), (a, b) => inTime(b, a)),
        ...foremost(rows, (a, b) => bySize(block, a, b)),
      ])
      return [...found].sort(inTime).map(basis)
    },
    all,
    ofService: service => {
      const some: number[] = []
      for (let connection = 0; connection < table.count; connection++)
        if (serviceOf[connection] === service) some.push(connection)
      return all(Uint32Array.from(some))
    },
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

/** Rows that count, connection by connection, in their order; `from`: where those of each begin. */
interface RowsByConnection {
  rows: Uint32Array
  from: Uint32Array
}

function rowsByConnection(count: number, connectionOf: Uint32Array, connections: number): RowsByConnection {
  const from = new Uint32Array(connections + 1)
  for (let row = 0; row < count; row++) if (connectionOf[row] !== noConnection) from[connectionOf[row]! + 1]!++
  for (let i = 0; i < connections; i++) from[i + 1]! += from[i]!
  const next = from.slice()
  const rows = new Uint32Array(from[connections]!)
  for (let row = 0; row < count; row++) if (connectionOf[row] !== noConnection) rows[next[connectionOf[row]!]!++] = row
  return { rows, from }
}

/** The rows of some connections, in their order. */
function rowsIn({ rows, from }: RowsByConnection, connections: Uint32Array): Uint32Array {
  const found = new Uint32Array(connections.reduce((sum, one) => sum + from[one + 1]! - from[one]!, 0))
  let at = 0
  for (const one of connections) {
    found.set(rows.subarray(from[one], from[one + 1]), at)
    at += from[one + 1]! - from[one]!
  }
  return found.sort()
}
