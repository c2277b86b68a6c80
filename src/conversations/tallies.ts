/**
 * What connections say of endpoints, across all parts of a case: each part tells it of its own, in entries of eight bytes by the endpoint's
 * hash, and one stretch of the hashes after the other is summed up. Sums do not depend on which part told what.
 */
import { hasPorts } from '../net/protocols.ts'
import { at4, bit, type ConnectionTable } from './connection-table.ts'
import type { Judged } from './conversations.ts'
import { type KnownEndpoints, sign, signsOf } from './endpoints.ts'
import { batchKeys, grown, KeyTable, mixed } from './key-table.ts'
import type { Spill } from './spill.ts'

/** Beside the signs of a peer: its role is asked for; the flags of a connection say that it listens. */
const asked = 8
const listener = 16

/** Entries of a part: those of stretch i are from `ends[i - 1]` to `ends[i]`. */
export interface Tallies {
  place: number
  ends: number[]
}

/** Words of an endpoint: host, then port, protocol and what is said of it. */
const entryWords = 2

export class TallyWriter {
  private entries = new Uint32Array(entryWords << 12)
  private count = 0

  /** Notes what connections say, whose roles are told by flags alone. @param onlyAsk for legs: their endpoints are asked for, no more. */
  note({ table, roles }: Judged, onlyAsk: boolean): void {
    for (let connection = 0; connection < table.count; connection++) {
      const a = portOf(table, connection, 0)
      const b = portOf(table, connection, 1)
      if (a === null && b === null) continue
      const isOne =
        a !== null && a === b && table.integer(connection, at4.aHost) === table.integer(connection, at4.bHost)
      const rule = roles.rule[connection]!
      let [ofA, ofB] = rule === 0 ? [asked, asked] : [0, 0]
      if (!onlyAsk) {
        if (rule === 1 && roles.client[connection] === 0) ofB |= listener
        else if (rule === 1) ofA |= listener
        const signs = signsOf(table, connection, isOne)
        ofA |= signs & 7
        ofB |= signs >>> 3
      }
      if (a !== null && ofA !== 0) this.add(table.integer(connection, at4.aHost), a, ofA)
      if (b !== null && ofB !== 0) this.add(table.integer(connection, at4.bHost), b, ofB)
    }
  }

  private add(host: number, portAndProtocol: number, bits: number): void {
    const at = entryWords * this.count++
    if (at === this.entries.length) this.entries = grown(this.entries, new Uint32Array(2 * at))
    this.entries[at] = host
    this.entries[at + 1] = (portAndProtocol | (bits << 24)) >>> 0
  }

  /** Writes the entries by their stretch. */
  write(stretches: number, seed: number, spill: Spill): Tallies {
    const { entries, count } = this
    const ends = new Uint32Array(stretches + 1)
    const stretchOf = new Uint16Array(count)
    for (let i = 0; i < count; i++) {
      const hash = mixed(entries[2 * i]! ^ seed, entries[2 * i + 1]! & 0xff_ffff, 0, 0)
      const stretch = Math.floor((hash / 2 ** 32) * stretches)
      stretchOf[i] = stretch
      ends[stretch + 1]!++
    }
    for (let i = 0; i < stretches; i++) ends[i + 1]! += ends[i]!
    const sorted = new Uint32Array(entryWords * count)
    for (let i = 0; i < count; i++) {
      const at = entryWords * ends[stretchOf[i]!]!++
      sorted[at] = entries[2 * i]!
      sorted[at + 1] = entries[2 * i + 1]!
    }
    return { place: spill.writeArray(sorted), ends: [...ends.subarray(0, stretches)] }
  }
}

/** Port and protocol of an end that has a port. */
function portOf(table: ConnectionTable, connection: number, side: 0 | 1): number | null {
  const bits = table.bits(connection)
  if ((bits & bit.protocolKnown) === 0 || (bits & (bit.aPortKnown << side)) === 0 || !hasPorts(bits & 0xff)) return null
  const ports = table.integer(connection, at4.ports)
  return (side === 0 ? ports & 0xffff : ports >>> 16) | ((bits & 0xff) << 16)
}

/**
 * Sums up a stretch of all parts. Given are the endpoints that are asked for and of which the ladder can tell something: one that nobody
 * calls, that is no listener and calls less than three peers is for it as one of which nothing is known.
 */
export function summedUp(tallies: readonly Tallies[], stretch: number, spill: Spill): KnownEndpoints {
  const sums = new TallySums()
  for (const { place, ends } of tallies) {
    const from = stretch === 0 ? 0 : ends[stretch - 1]!
    const entries = new Uint32Array(entryWords * (ends[stretch]! - from))
    sums.add(spill.readArray(place + 4 * entryWords * from, entries))
  }
  return sums.telling()
}

class TallySums {
  private readonly keys = new KeyTable()
  private readonly batch = new Uint32Array(4 * batchKeys)
  private readonly numbers = new Uint32Array(batchKeys)
  private bits = new Uint8Array(1 << 10)
  private calls = new Uint32Array(1 << 10)
  private listens = new Uint32Array(1 << 10)
  private weak = new Uint32Array(1 << 10)

  add(entries: Uint32Array): void {
    const { batch, keys, numbers } = this
    const total = entries.length / entryWords
    for (let from = 0; from < total; from += batchKeys) {
      const count = Math.min(batchKeys, total - from)
      for (let i = 0; i < count; i++) {
        batch[4 * i] = entries[2 * (from + i)]!
        batch[4 * i + 1] = entries[2 * (from + i) + 1]! & 0xff_ffff
      }
      keys.addAll(batch, count, numbers)
      this.makeRoom()
      for (let i = 0; i < count; i++) this.count(numbers[i]!, entries[2 * (from + i) + 1]! >>> 24)
    }
  }

  private count(endpoint: number, bits: number): void {
    this.bits[endpoint]! |= bits & (asked | listener)
    if ((bits & sign.calls) !== 0) this.calls[endpoint]!++
    else if ((bits & sign.listens) !== 0) this.listens[endpoint]!++
    else if ((bits & sign.weak) !== 0) this.weak[endpoint]!++
  }

  private makeRoom(): void {
    const { length } = this.bits
    if (this.keys.count <= length) return
    const room = Math.max(this.keys.count, 2 * length)
    this.bits = grown(this.bits, new Uint8Array(room))
    this.calls = grown(this.calls, new Uint32Array(room))
    this.listens = grown(this.listens, new Uint32Array(room))
    this.weak = grown(this.weak, new Uint32Array(room))
  }

  telling(): KnownEndpoints {
    const { keys, bits, calls, listens, weak } = this
    const chosen: number[] = []
    for (let endpoint = 0; endpoint < keys.count; endpoint++) {
      const tells =
        (bits[endpoint]! & listener) !== 0 || listens[endpoint]! + weak[endpoint]! > 0 || calls[endpoint]! >= 3
      if (tells && (bits[endpoint]! & asked) !== 0) chosen.push(endpoint)
    }
    const picked = (counts: Uint32Array): Uint32Array => Uint32Array.from(chosen, endpoint => counts[endpoint]!)
    const pairs = new Uint32Array(2 * chosen.length)
    for (const [i, endpoint] of chosen.entries()) {
      pairs[2 * i] = keys.part(endpoint, 0)
      pairs[2 * i + 1] = keys.part(endpoint, 1)
    }
    const isListener = Uint32Array.from(chosen, endpoint => Number((bits[endpoint]! & listener) !== 0))
    return {
      count: chosen.length,
      keys: pairs,
      isListener,
      calls: picked(calls),
      listens: picked(listens),
      weak: picked(weak),
    }
  }
}
