/**
 * Endpoints (address, port, protocol) whose role is asked, with what connections say of them: whether one was found to be a server by its
 * flags, and who began with whom among its peers (docs/reference/dossier.md, section 4, rules 2 and 5).
 */
import { at, at4, bit, type ConnectionTable, noConnection } from './connection-table.ts'
import { grown, KeyTable } from './key-table.ts'

/** Starts that lie no further apart do not tell who began: logs cut them to seconds, and hosts' clocks differ. */
export const apart_us = 2_000_000
/** At most so many packets in one direction are a probe. */
export const probePackets = 3

/** TCP, UDP and SCTP. */
export function hasPorts(protocol: number | null): boolean {
  return protocol === 6 || protocol === 17 || protocol === 132
}

export class EndpointTable {
  /** By number of the endpoint. */
  isListener = new Uint8Array(1 << 8)
  /** Peers that it called, that called it, and of which only the ports say that they did. */
  calls = new Uint32Array(1 << 8)
  listens = new Uint32Array(1 << 8)
  weak = new Uint32Array(1 << 8)
  private readonly keys = new KeyTable()

  get count(): number {
    return this.keys.count
  }

  /** The number of an endpoint; -1 where it is not asked for. */
  find(host: number, port: number, protocol: number): number {
    return this.keys.find(host, port, protocol, 0)
  }

  /** The endpoint of a side of a connection; -1 where it is not asked for. */
  endOf(
    table: ConnectionTable,
    connection: number,
    side: 0 | 1,
    protocol: number,
    hostOf: Uint32Array | null = null,
  ): number {
    const port = table.port(connection, side)
    if (port === null) return -1
    const host = table.integer(connection, at4.aHost + side)
    return this.find(hostOf === null ? host : hostOf[host]!, port, protocol)
  }

  add(host: number, port: number, protocol: number): void {
    const { length } = this.isListener
    if (this.keys.add(host, port, protocol, 0) < length) return
    this.isListener = grown(this.isListener, new Uint8Array(2 * length))
    this.calls = grown(this.calls, new Uint32Array(2 * length))
    this.listens = grown(this.listens, new Uint32Array(2 * length))
    this.weak = grown(this.weak, new Uint32Array(2 * length))
  }

  /** Host, port and protocol of an endpoint. */
  at(endpoint: number): { host: number; port: number; protocol: number } {
    const { keys } = this
    return { host: keys.part(endpoint, 0), port: keys.part(endpoint, 1), protocol: keys.part(endpoint, 2) }
  }
}

/**
 * Counts the peers of the endpoints that are asked for, over all connections of each pair of ends.
 *
 * @param hostOf number of each host where the endpoints are from; null where it is the same.
 */
export function countPeers(asked: EndpointTable, table: ConnectionTable, hostOf: Uint32Array | null): void {
  for (let connection = 0; connection < table.count; connection++) {
    if ((table.bits(connection) & bit.isFollowed) !== 0) continue
    const protocol = table.protocol(connection)
    if (protocol === null || !hasPorts(protocol)) continue
    const a = asked.endOf(table, connection, 0, protocol, hostOf)
    const b = asked.endOf(table, connection, 1, protocol, hostOf)
    if (a < 0 && b < 0) continue
    const pair = pairOf(table, connection)
    if (a >= 0 && a === b) {
      // What sends to itself begins at both ends.
      asked.weak[a]!++
      continue
    }
    const [aPort, bPort] = [table.port(connection, 0), table.port(connection, 1)]
    if (a >= 0) countPeer(asked, a, aPort!, bPort, pair.a_us, pair.b_us, pair.packets)
    if (b >= 0) countPeer(asked, b, bPort!, aPort, pair.b_us, pair.a_us, pair.packets)
  }
}

interface PairStarts {
  /** When either side was first seen to send; infinite for one that was not. */
  a_us: number
  b_us: number
  /** Packets, exact up to the limit of a probe; null where they are not known. */
  packets: number | null
}

function pairOf(table: ConnectionTable, latest: number): PairStarts {
  const pair: PairStarts = { a_us: Number.POSITIVE_INFINITY, b_us: Number.POSITIVE_INFINITY, packets: null }
  for (let one = latest; one !== noConnection; one = table.integer(one, at4.previous)) {
    pair.a_us = Math.min(pair.a_us, table.number(one, at.aFirst))
    pair.b_us = Math.min(pair.b_us, table.number(one, at.bFirst))
    const packets = table.fewPackets(one)
    if (packets !== null) pair.packets = (pair.packets ?? 0) + packets
  }
  return pair
}

/** A listener is sent to before it sends. So of a peer it is counted who began. */
function countPeer(
  asked: EndpointTable,
  endpoint: number,
  port: number,
  peerPort: number | null,
  out_us: number,
  in_us: number,
  packets: number | null,
): void {
  if (in_us === Number.POSITIVE_INFINITY) {
    if (port >= 1024 && packets !== null && packets <= probePackets) asked.calls[endpoint]!++
    return
  }
  if (out_us === Number.POSITIVE_INFINITY || out_us - in_us > apart_us) asked.listens[endpoint]!++
  else if (in_us - out_us > apart_us) asked.calls[endpoint]!++
  else if (peerPort === null) return
  // Both start together: a system port at one end tells, else that its own is of no higher tier.
  else if (peerPort < 1024 && port >= 1024) asked.calls[endpoint]!++
  else if (port < 1024 && peerPort >= 1024) asked.listens[endpoint]!++
  else if (tierOf(port) <= tierOf(peerPort)) asked.weak[endpoint]!++
}

function tierOf(port: number): number {
  return Number(port >= 1024) + Number(port >= 32768) + Number(port >= 49152)
}
