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

/** Endpoints with what connections say of them. */
export interface KnownEndpoints {
  count: number
  /** Two numbers each: the host; the port, and above it the protocol. */
  keys: Uint32Array
  isListener: Uint32Array
  calls: Uint32Array
  listens: Uint32Array
  weak: Uint32Array
}

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
    this.makeRoom()
  }

  /** Adds endpoints of which is known already what connections say. */
  addKnown({ count, keys, isListener, calls, listens, weak }: KnownEndpoints): void {
    for (let i = 0; i < count; i++) {
      const endpoint = this.keys.add(keys[2 * i]!, keys[2 * i + 1]! & 0xffff, keys[2 * i + 1]! >>> 16, 0)
      this.makeRoom()
      this.isListener[endpoint] = isListener[i]!
      this.calls[endpoint] = calls[i]!
      this.listens[endpoint] = listens[i]!
      this.weak[endpoint] = weak[i]!
    }
  }

  /** Counts a peer of which there is a sign. */
  note(endpoint: number, of: number): void {
    if (of === sign.calls) this.calls[endpoint]!++
    else if (of === sign.listens) this.listens[endpoint]!++
    else if (of === sign.weak) this.weak[endpoint]!++
  }

  private makeRoom(): void {
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

/** What an end and one of its peers say of the end: that it called, that it was called, or by its port alone that it was. */
export const sign = { none: 0, calls: 1, listens: 2, weak: 4 } as const

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
  if (a < 0 && b < 0) return
  const signs = signsOf(table, connection, a >= 0 && a === b)
  if (a >= 0) asked.note(a, signs & 7)
  if (b >= 0) asked.note(b, signs >>> 3)
}

/**
 * The signs of both ends in a connection and those of the same ends before it, b's three bits higher; none unless it is the latest one.
 *
 * @param isOne whether both ends are the same endpoint: what sends to itself begins at both, and is told of a.
 */
export function signsOf(table: ConnectionTable, connection: number, isOne: boolean): number {
  if ((table.bits(connection) & bit.isFollowed) !== 0) return 0
  if (isOne) return sign.weak
  const { a_us, b_us, packets } = pairOf(table, connection)
  const [aPort, bPort] = [table.port(connection, 0), table.port(connection, 1)]
  return signOf(aPort, bPort, a_us, b_us, packets) | (signOf(bPort, aPort, b_us, a_us, packets) << 3)
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

/** A listener is sent to before it sends. So of a peer it is told who began. */
function signOf(
  port: number | null,
  peerPort: number | null,
  out_us: number,
  in_us: number,
  packets: number | null,
): number {
  if (port === null) return sign.none
  if (in_us === Number.POSITIVE_INFINITY)
    return port >= 1024 && packets !== null && packets <= probePackets ? sign.calls : sign.none
  if (out_us === Number.POSITIVE_INFINITY || out_us - in_us > apart_us) return sign.listens
  if (in_us - out_us > apart_us) return sign.calls
  if (peerPort === null) return sign.none
  // Both start together: a system port at one end tells, else that its own is of no higher tier.
  if (peerPort < 1024 && port >= 1024) return sign.calls
  if (port < 1024 && peerPort >= 1024) return sign.listens
  return tierOf(port) <= tierOf(peerPort) ? sign.weak : sign.none
}

function tierOf(port: number): number {
  return Number(port >= 1024) + Number(port >= 32768) + Number(port >= 49152)
}
