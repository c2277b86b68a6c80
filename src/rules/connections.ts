/**
 * All connections of a case as arrays, one a column: what the rules over a whole case read. They come from the whole conversations
 * (`conversations/whole.ts`), a part at a time; nothing of the evidence is read for them.
 *
 * They stand in the order of client, protocol, server, port and time, so that those of a client, and those of a service of it, are one run.
 * What differs in nothing but its place in the evidence may stand in any order: no rule asks for it.
 */
import { at, at4, bit } from '../conversations/connection-table.ts'
import type { Judged } from '../conversations/conversations.ts'
import { ruleOf } from '../conversations/ladder.ts'
import { requireMemory } from '../conversations/memory.ts'
import { noPort, noProtocol, outcomeOf, outcomes } from '../conversations/services.ts'
import type { WholeConversations } from '../conversations/whole.ts'
import { ICMP, ICMPV6 } from '../net/icmp.ts'
import { hasPorts, TCP } from '../net/protocols.ts'

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
} as const

export interface CaseConnections {
  count: number
  /** Numbers of hosts, in the order of their addresses. */
  client: Uint32Array
  server: Uint32Array
  /** Of the server: `noPort` where the protocol has none, or it is not known. */
  port: Uint32Array
  clientPort: Uint32Array
  /** `noProtocol` where it is not known. */
  protocol: Uint16Array
  start_us: Float64Array
  end_us: Float64Array
  /** Accepted packets and bytes from the client, and from the server; beyond 2^53 they are rounded. */
  packetsUp: Float64Array
  packetsDown: Float64Array
  bytesUp: Float64Array
  bytesDown: Float64Array
  records: Uint32Array
  rejected: Uint32Array
  outcome: Uint8Array
  /** Confidence of the role, in hundredths. */
  confidence: Uint8Array
  marks: Uint8Array
  /** Place of its first record in the record index. */
  place: Uint32Array
}

/** Bytes of a connection here, with those that it takes to put them in order. */
const bytesOfConnection = 90

export interface Chosen {
  /** Only connections that begin in that time, microseconds. */
  from_us?: number
  to_us?: number
}

/** @param hasFlags whether the records have TCP flags. */
export function caseConnections(
  { parts, dictionaries }: Pick<WholeConversations, 'parts' | 'dictionaries'>,
  hasFlags: boolean,
  { from_us = Number.NEGATIVE_INFINITY, to_us = Number.POSITIVE_INFINITY }: Chosen,
): CaseConnections {
  const most = parts.reduce((sum, part) => sum + part.table.count, 0)
  requireMemory(most, most * bytesOfConnection)
  const all = emptyConnections(most)
  const isFour = (host: number): boolean => dictionaries.hosts.hi[host] === 0n
  for (const part of parts) {
    const judged = part.read()
    for (let i = 0; i < judged.table.count; i++) {
      const start = judged.table.start(i)
      if (start < from_us || start >= to_us) continue
      add(all, judged, i)
      if (!hasFlags && isRefusedBySize(all, isFour)) all.outcome[all.count - 1] = outcome.refused
    }
  }
  return inOrder(all, dictionaries.hosts.count)
}

function emptyConnections(count: number): CaseConnections {
  const u32 = (): Uint32Array => new Uint32Array(count)
  const f64 = (): Float64Array => new Float64Array(count)
  return {
    ...{ count: 0, client: u32(), server: u32(), port: u32(), clientPort: u32(), protocol: new Uint16Array(count) },
    ...{ start_us: f64(), end_us: f64(), packetsUp: f64(), packetsDown: f64(), bytesUp: f64(), bytesDown: f64() },
    ...{ records: u32(), rejected: u32(), outcome: new Uint8Array(count), confidence: new Uint8Array(count) },
    ...{ marks: new Uint8Array(count), place: u32() },
  }
}

function add(all: CaseConnections, { table, roles }: Judged, i: number): void {
  const to = all.count++
  const client = roles.client[i] as 0 | 1
  const server = (1 - client) as 0 | 1
  const bits = table.bits(i)
  const protocol = table.protocol(i)
  all.client[to] = table.integer(i, at4.aHost + client)
  all.server[to] = table.integer(i, at4.aHost + server)
  all.port[to] = hasPorts(protocol) ? (table.port(i, server) ?? noPort) : noPort
  all.clientPort[to] = hasPorts(protocol) ? (table.port(i, client) ?? noPort) : noPort
  all.protocol[to] = protocol ?? noProtocol
  all.start_us[to] = table.start(i)
  all.end_us[to] = table.number(i, at.end)
  all.packetsUp[to] = Number(table.packets(i, client))
  all.packetsDown[to] = Number(table.packets(i, server))
  all.bytesUp[to] = Number(table.bytes(i, client))
  all.bytesDown[to] = Number(table.bytes(i, server))
  all.records[to] = table.records(i)
  all.rejected[to] = table.rejected(i)
  const [there, back] = [table.integer(i, at4.aAccepted + client), table.integer(i, at4.aAccepted + server)]
  const rule = roles.rule[i]!
  all.outcome[to] = outcomes.indexOf(outcomeOf(there, back, (bits & (bit.aNotRst << server)) !== 0, rule))
  all.confidence[to] = roles.confidence[i]!
  all.marks[to] =
    ((bits & (bit.aSyn << client)) !== 0 ? mark.opened : 0) |
    ((bits & (bit.aSynAck << server)) !== 0 ? mark.accepted : 0) |
    ((bits & (bit.aService << server)) !== 0 ? mark.toService : 0) |
    ((bits & (bit.aService << client)) !== 0 ? mark.fromService : 0) |
    (rule === ruleOf('unknown') ? mark.unknownRole : 0) |
    (rule === ruleOf('icmp-error') ? mark.isError : 0) |
    ((bits & bit.closed) !== 0 ? mark.closed : 0)
  all.place[to] = table.integer(i, at4.firstRow)
}

/** Without flags: a RST has no more than its headers, and few packets come to it. Of the connection that was added last. */
function isRefusedBySize(all: CaseConnections, isFour: (host: number) => boolean): boolean {
  const i = all.count - 1
  if (all.protocol[i] !== 6 || all.outcome[i] !== outcome.answered) return false
  const [up, down] = [all.packetsUp[i]!, all.packetsDown[i]!]
  return up <= 3 && down <= 3 && all.bytesDown[i] === (isFour(all.server[i]!) ? 40 : 60) * down
}

/** By client, in a time that grows with their number; within a client by the rest. */
function inOrder(all: CaseConnections, hosts: number): CaseConnections {
  const { count, client, protocol, server, port, start_us, end_us, bytesUp, bytesDown, clientPort } = all
  const ends = new Uint32Array(hosts + 1)
  for (let i = 0; i < count; i++) ends[client[i]! + 1]!++
  for (let host = 0; host < hosts; host++) ends[host + 1]! += ends[host]!
  const order = new Uint32Array(count)
  const next = ends.slice(0, hosts)
  for (let i = 0; i < count; i++) order[next[client[i]!]!++] = i
  const compare = (a: number, b: number): number =>
    protocol[a]! - protocol[b]! ||
    server[a]! - server[b]! ||
    port[a]! - port[b]! ||
    start_us[a]! - start_us[b]! ||
    end_us[a]! - end_us[b]! ||
    bytesUp[a]! - bytesUp[b]! ||
    bytesDown[a]! - bytesDown[b]! ||
    clientPort[a]! - clientPort[b]!
  for (let host = 0; host < hosts; host++) {
    if (ends[host + 1]! - ends[host]! > 1) order.subarray(ends[host], ends[host + 1]).sort(compare)
  }
  // One column after the other is copied and put back: all of them twice would be a gigabyte of ten million connections.
  const ordered = <T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(column: T): T => {
    const copy = column.slice(0, count) as T
    for (let i = 0; i < count; i++) column[i] = copy[order[i]!]!
    return column.subarray(0, count) as T
  }
  return {
    count,
    ...{ client: ordered(client), server: ordered(server), port: ordered(port), clientPort: ordered(clientPort) },
    ...{ protocol: ordered(protocol), start_us: ordered(start_us), end_us: ordered(end_us) },
    ...{ packetsUp: ordered(all.packetsUp), packetsDown: ordered(all.packetsDown) },
    ...{ bytesUp: ordered(bytesUp), bytesDown: ordered(bytesDown) },
    ...{ records: ordered(all.records), rejected: ordered(all.rejected), outcome: ordered(all.outcome) },
    ...{ confidence: ordered(all.confidence), marks: ordered(all.marks), place: ordered(all.place) },
  }
}

/** A packet of TCP that carries nothing: 40 bytes of IPv6, and 40 with the options of a SYN. */
const emptyBytesMax = 80

/**
 * Whether both sides spoke: of TCP more than a SYN, its repetitions and their answers. Never of ICMP, which asks and answers without an
 * agreement.
 */
export function isHeld(connections: CaseConnections, i: number): boolean {
  const { protocol, packetsUp, packetsDown, bytesUp, bytesDown } = connections
  if (connections.outcome[i] !== outcome.answered || protocol[i] === ICMP || protocol[i] === ICMPV6) return false
  const isEmpty = bytesUp[i]! <= emptyBytesMax * packetsUp[i]! && bytesDown[i]! <= emptyBytesMax * packetsDown[i]!
  return protocol[i] !== TCP || (packetsUp[i]! >= 3 && !isEmpty)
}

/** Connections from one number up to another one. */
export interface Run {
  from: number
  to: number
}

/** The runs of each client. */
export function* clientsOf({ count, client }: CaseConnections): Generator<Run> {
  for (let from = 0; from < count; ) {
    let to = from + 1
    while (to < count && client[to] === client[from]) to++
    yield { from, to }
    from = to
  }
}

/** The runs of each service of a run of clients: same client, protocol, server and port. */
export function* servicesIn(all: CaseConnections, { from: first, to: last }: Run): Generator<Run> {
  const { client, server, port, protocol } = all
  for (let from = first; from < last; ) {
    let to = from + 1
    while (
      to < last &&
      client[to] === client[from] &&
      server[to] === server[from] &&
      port[to] === port[from] &&
      protocol[to] === protocol[from]
    )
      to++
    yield { from, to }
    from = to
  }
}
