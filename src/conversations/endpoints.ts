/**
 * Endpoints (address, port, protocol) whose role is asked, with what connections say of them: whether one was found to be a server by its
 * flags, and who began with whom among its peers (docs/reference/dossier.md, section 4, rules 2 and 5).
 */
import { hasPorts } from '../net/protocols.ts'
import { at, at4, bit, type ConnectionTable, chunkMask, chunkShift, noConnection, words } from './connection-table.ts'
import { batchKeys, grown, KeyTable } from './key-table.ts'

/** Starts that lie no further apart do not tell who began: logs cut them to seconds, and hosts' clocks differ. */
export const apart_us = 2_000_000
/** At most that number of packets in one direction are a probe. */
export const probePackets = 3

/** Connections that are looked up at once: faster than one by one. */
export const batchConnections = batchKeys / 2

export class EndpointTable {
  /** By number of the endpoint. */
  isListener = new Uint8Array(1 << 8)
  /** Peers that it called, that called it, and of which only the ports say that they did. */
  calls = new Uint32Array(1 << 8)
  listens = new Uint32Array(1 << 8)
  weak = new Uint32Array(1 << 8)
  private readonly keys = new KeyTable()
  private readonly batch = new Uint32Array(4 * batchKeys)
  private readonly numbers = new Uint32Array(batchKeys)
  private readonly found = new Int32Array(batchKeys)

  get count(): number {
    return this.keys.count
  }

  /** Adds the endpoints of some connections, as far as they have ports. */
  add(table: ConnectionTable, connections: readonly number[]): void {
    for (let from = 0; from < connections.length; from += batchConnections) {
      const some = connections.slice(from, from + batchConnections)
      let count = 0
      for (const connection of some) {
        if (this.take(count, table, connection, 0, null)) count++
        if (this.take(count, table, connection, 1, null)) count++
      }
      this.keys.addAll(this.batch, count, this.numbers)
    }
    const { length } = this.isListener
    if (this.count <= length) return
    const room = Math.max(this.count, 2 * length)
    this.isListener = grown(this.isListener, new Uint8Array(room))
    this.calls = grown(this.calls, new Uint32Array(room))
    this.listens = grown(this.listens, new Uint32Array(room))
    this.weak = grown(this.weak, new Uint32Array(room))
  }

  /**
   * The endpoints of both sides of some connections, one after the other; -1 for one that is not asked for. Overwritten by the next call.
   *
   * @param connections at most `batchConnections`.
   * @param hostOf number of each of their hosts where the endpoints are from; null where it is the same.
   */
  ends(table: ConnectionTable, connections: readonly number[], hostOf: Uint32Array | null): Int32Array {
    for (let i = 0; i < connections.length; i++) {
      this.take(2 * i, table, connections[i]!, 0, hostOf)
      this.take(2 * i + 1, table, connections[i]!, 1, hostOf)
    }
    this.keys.findAll(this.batch, 2 * connections.length, this.found)
    return this.found
  }

  /** Puts the key of a side of a connection among those of a batch; for one without ports, what is not there. @returns whether it has one. */
  private take(
    i: number,
    table: ConnectionTable,
    connection: number,
    side: 0 | 1,
    hostOf: Uint32Array | null,
  ): boolean {
    const { batch } = this
    const integers = table.integers[connection >>> chunkShift]!
    const base = (connection & chunkMask) * 2 * words
    const bits = integers[base + at4.bits]!
    const protocol = (bits & bit.protocolKnown) === 0 ? null : bits & 0xff
    const isThere = hasPorts(protocol) && (bits & (bit.aPortKnown << side)) !== 0
    const host = integers[base + at4.aHost + side]!
    const ports = integers[base + at4.ports]!
    batch[4 * i] = hostOf === null ? host : hostOf[host]!
    batch[4 * i + 1] = side === 0 ? ports & 0xffff : ports >>> 16
    batch[4 * i + 2] = protocol ?? 0
    batch[4 * i + 3] = isThere ? 0 : 1
    return isThere
  }

  /** Host, port and protocol of an endpoint. */
  at(endpoint: number): { host: number; port: number; protocol: number } {
    const { keys } = this
    return { host: keys.part(endpoint, 0), port: keys.part(endpoint, 1), protocol: keys.part(endpoint, 2) }
  }
}

/**
 * Counts the peers that a connection's endpoints have in it and in those of the same ends before it.
 *
 * @param a number of an endpoint that is asked for, of side a; -1 where there is no such one.
 */
export function countPeers(
  asked: EndpointTable,
  table: ConnectionTable,
  connection: number,
  a: number,
  b: number,
): void {
  if ((a < 0 && b < 0) || (table.bits(connection) & bit.isFollowed) !== 0) return
  const pair = pairOf(table, connection)
  if (a >= 0 && a === b) {
    // What sends to itself begins at both ends.
    asked.weak[a]!++
    return
  }
  const [aPort, bPort] = [table.port(connection, 0), table.port(connection, 1)]
  if (a >= 0) countPeer(asked, a, aPort!, bPort, pair.a_us, pair.b_us, pair.packets)
  if (b >= 0) countPeer(asked, b, bPort!, aPort, pair.b_us, pair.a_us, pair.packets)
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
