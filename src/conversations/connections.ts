/**
 * Connections as arrays, one a column: what rules over a whole case read, and what the case keeps of them (`kept-connections.ts`).
 *
 * They stand in the order of client, protocol, server, port and time, so that those of a client, and those of a service of it, are one run.
 */

import { hasPorts } from '../net/protocols.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import { gathered } from '../record-index/columns.ts'
import { sortedRows, sortPairs } from '../record-index/order.ts'
import { at, at4, bit } from './connection-table.ts'
import type { Judged } from './conversations.ts'
import { ruleOf } from './ladder.ts'
import { noPort, noProtocol, outcomeOf, outcomes } from './services.ts'

/** Outcomes by their numbers, as `CaseConnections.outcome` has them. */
export const outcome = { rejected: 0, refused: 1, unanswered: 2, answered: 3 } as const

/** Bits of `CaseConnections.marks`. */
export const mark = {
  /** The client sent a SYN without ACK; the server a SYN with ACK. */
  opened: 1,
  accepted: 2,
  /** The server, or the client, is an AWS service by the log's own word. */
  toService: 4,
  fromService: 8,
  /** Nobody knows who began it: client and server are names only. */
  unknownRole: 16,
  /** It is an ICMP error: an answer to something else. */
  isError: 32,
  /** It was closed, or broken off, by a side that sent. */
  closed: 64,
  /** Some of its records do not say their packets or bytes: sums are lower bounds. */
  atLeast: 128,
} as const

/** What each column is made of, in the order in which columns are kept. */
const kinds = {
  /** Numbers of hosts, in the order of their addresses. */
  client: Uint32Array,
  server: Uint32Array,
  /** Of the server: `noPort` where the protocol has none, or it is not known. */
  port: Uint32Array,
  clientPort: Uint32Array,
  /** `noProtocol` where it is not known. */
  protocol: Uint16Array,
  /** Infinite where no record tells it: of such connections there are all, or none. */
  start_us: Float64Array,
  end_us: Float64Array,
  /** Accepted packets and bytes from the client, and from the server; beyond 2^53 they are rounded. */
  packetsUp: Float64Array,
  packetsDown: Float64Array,
  bytesUp: Float64Array,
  bytesDown: Float64Array,
  records: Uint32Array,
  rejected: Uint32Array,
  outcome: Uint8Array,
  /** Confidence of the role, in hundredths. */
  confidence: Uint8Array,
  marks: Uint8Array,
  /** Place of its first record in the record index. */
  place: Uint32Array,
} as const

export type ConnectionColumn = keyof typeof kinds
export type ConnectionColumns = { [Name in ConnectionColumn]: InstanceType<(typeof kinds)[Name]> }

export interface CaseConnections extends ConnectionColumns {
  count: number
}

export const connectionColumns = Object.keys(kinds) as ConnectionColumn[]

/** Bytes of a connection in all columns. */
export const bytesOfColumns = connectionColumns.reduce((sum, name) => sum + kinds[name].BYTES_PER_ELEMENT, 0)

/** Columns for a number of connections, all zero; those that are not named have no rows. */
export function makeConnections(
  count: number,
  names: readonly ConnectionColumn[] = connectionColumns,
): CaseConnections {
  const columns = connectionColumns.map(name => [name, new kinds[name](names.includes(name) ? count : 0)])
  return { count, ...Object.fromEntries(columns) } as CaseConnections
}

/** Some connections of others, in the order of their numbers there. */
export function taken(all: CaseConnections, some: Uint32Array): CaseConnections {
  const into = makeConnections(
    some.length,
    connectionColumns.filter(name => all[name].length > 0),
  )
  for (const name of connectionColumns) if (into[name].length > 0) gathered(all[name], some, into[name])
  return into
}

/** Those that begin in a time, microseconds; all of them where that is all. */
export function beginningIn(
  all: CaseConnections,
  { from_us = Number.NEGATIVE_INFINITY, to_us = Number.POSITIVE_INFINITY }: { from_us?: number; to_us?: number },
): CaseConnections {
  const { count, start_us } = all
  const some = new Uint32Array(count)
  let length = 0
  for (let i = 0; i < count; i++) if (start_us[i]! >= from_us && start_us[i]! < to_us) some[length++] = i
  return length === count ? all : taken(all, some.subarray(0, length))
}

/** Connections one after the other. */
export function joined(pieces: readonly CaseConnections[]): CaseConnections {
  const all = makeConnections(pieces.reduce((sum, { count }) => sum + count, 0))
  let at = 0
  for (const piece of pieces) {
    for (const name of connectionColumns) all[name].set(piece[name], at)
    at += piece.count
  }
  return all
}

/** What columns depend on beside the connections. */
export interface ColumnSettings {
  /** Whether the records have TCP flags: without, a refusal is told by its size. */
  hasFlags: boolean
  hosts: Pick<RecordDictionaries['hosts'], 'hi'>
  /** Those that no record tells the time of, and no others; else they are left out. */
  withoutTime?: boolean
}

/** The columns of judged connections, in the order of their numbers. */
export function columnsOf(judged: Judged, { hasFlags, hosts, withoutTime = false }: ColumnSettings): CaseConnections {
  const { table } = judged
  const some = new Uint32Array(table.count)
  let count = 0
  for (let i = 0; i < table.count; i++) if (table.hasTime(i) !== withoutTime) some[count++] = i
  const all = makeConnections(count)
  for (let to = 0; to < count; to++) {
    putEnds(all, to, judged, some[to]!)
    putSums(all, to, judged, some[to]!)
    if (withoutTime) all.start_us[to] = all.end_us[to] = Number.POSITIVE_INFINITY
    if (!hasFlags && isRefusedBySize(all, to, hosts.hi)) all.outcome[to] = outcome.refused
  }
  return all
}

function putEnds(all: CaseConnections, to: number, { table, roles }: Judged, i: number): void {
  const client = roles.client[i] as 0 | 1
  const server = (1 - client) as 0 | 1
  const protocol = table.protocol(i)
  const [clientPort, port] = hasPorts(protocol) ? [table.port(i, client), table.port(i, server)] : [null, null]
  all.client[to] = table.integer(i, at4.aHost + client)
  all.server[to] = table.integer(i, at4.aHost + server)
  all.port[to] = port ?? noPort
  all.clientPort[to] = clientPort ?? noPort
  all.protocol[to] = protocol ?? noProtocol
  all.confidence[to] = roles.confidence[i]!
  all.place[to] = table.integer(i, at4.firstRow)
}

const [unknownRole, icmpError] = [ruleOf('unknown'), ruleOf('icmp-error')]

function putSums(all: CaseConnections, to: number, { table, roles }: Judged, i: number): void {
  const client = roles.client[i] as 0 | 1
  const server = (1 - client) as 0 | 1
  const bits = table.bits(i)
  const rule = roles.rule[i]!
  all.start_us[to] = table.start(i)
  all.end_us[to] = table.number(i, at.end)
  all.packetsUp[to] = Number(table.packets(i, client))
  all.packetsDown[to] = Number(table.packets(i, server))
  all.bytesUp[to] = Number(table.bytes(i, client))
  all.bytesDown[to] = Number(table.bytes(i, server))
  all.records[to] = table.records(i)
  all.rejected[to] = table.rejected(i)
  const [there, back] = [table.integer(i, at4.aAccepted + client), table.integer(i, at4.aAccepted + server)]
  all.outcome[to] = outcomes.indexOf(outcomeOf(there, back, (bits & (bit.aNotRst << server)) !== 0, rule))
  all.marks[to] =
    ((bits & (bit.aSyn << client)) !== 0 ? mark.opened : 0) |
    ((bits & (bit.aSynAck << server)) !== 0 ? mark.accepted : 0) |
    ((bits & (bit.aService << server)) !== 0 ? mark.toService : 0) |
    ((bits & (bit.aService << client)) !== 0 ? mark.fromService : 0) |
    (rule === unknownRole ? mark.unknownRole : 0) |
    (rule === icmpError ? mark.isError : 0) |
    ((bits & bit.closed) !== 0 ? mark.closed : 0) |
    (table.isPartlyUnsaid(i) ? mark.atLeast : 0)
}

/** Without flags: a RST has no more than its headers, and few packets come to it. */
function isRefusedBySize(all: CaseConnections, i: number, hi: BigUint64Array): boolean {
  if (all.protocol[i] !== 6 || all.outcome[i] !== outcome.answered) return false
  const [up, down] = [all.packetsUp[i]!, all.packetsDown[i]!]
  return up <= 3 && down <= 3 && all.bytesDown[i] === (hi[all.server[i]!] === 0n ? 40 : 60) * down
}

/** Connections by their clients; those of one in the order given. */
export function byClient(all: CaseConnections): CaseConnections {
  const { count, client } = all
  const pairs = new Uint32Array(2 * count)
  for (let i = 0; i < count; i++) {
    pairs[2 * i] = client[i]!
    pairs[2 * i + 1] = i
  }
  const sorted = sortPairs(pairs, new Uint32Array(2 * count))
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = sorted[2 * i + 1]!
  return taken(all, order)
}

/** Words of a connection that its order depends on beside its client. */
const orderWords = 13

/** Connections in their order; what is the same in all else comes in that of the place in the evidence. */
export function inOrder(all: CaseConnections): CaseConnections {
  const { count, protocol, server, port, clientPort, place } = all
  const words = new Uint32Array(orderWords * count)
  const put = (column: Uint16Array | Uint32Array, word: number): void => {
    for (let i = 0, to = word; i < count; i++, to += orderWords) words[to] = column[i]!
  }
  put(protocol, 0)
  put(server, 1)
  put(port, 2)
  for (const [at, column] of [all.start_us, all.end_us, all.bytesUp, all.bytesDown].entries())
    putKeys(column, words, 3 + 2 * at)
  put(clientPort, 11)
  put(place, 12)
  return taken(all, sortedRows({ words, stride: orderWords, first: 0 }, count, [all.client]))
}

/** Numbers as two words each that come in their order. */
function putKeys(column: Float64Array, words: Uint32Array, word: number): void {
  const one = new Float64Array(1)
  const [low, high] = [0, 1]
  const halves = new Uint32Array(one.buffer)
  for (let i = 0, to = word; i < column.length; i++, to += orderWords) {
    one[0] = column[i]!
    const isNegative = halves[high]! >>> 31 === 1
    words[to] = isNegative ? ~halves[high]! : halves[high]! ^ 0x8000_0000
    words[to + 1] = isNegative ? ~halves[low]! : halves[low]!
  }
}
