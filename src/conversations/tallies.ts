/**
 * What connections say of endpoints, across all parts of a case: each part tells it of its own, in entries of eight bytes by the endpoint's
 * hash, and one stretch of the hashes after the other is summed up. Sums do not depend on which part told what.
 */
import { hasPorts } from '../net/protocols.ts'
import { at4, bit, chunkMask, chunkShift, words } from './connection-table.ts'
import type { Judged } from './conversations.ts'
import { type KnownEndpoints, sign, signsOf } from './endpoints.ts'
import { filled } from './filled.ts'
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

  /** Notes what connections say, whose roles are determined by flags alone. @param onlyAsk for legs: their endpoints are asked for, no more. */
  note({ table, roles }: Judged, onlyAsk: boolean): void {
    for (let connection = 0; connection < table.count; connection++) {
      const integers = table.integers[connection >>> chunkShift]!
      const base = (connection & chunkMask) * 2 * words
      const bits = integers[base + at4.bits]!
      if ((bits & bit.protocolKnown) === 0 || !hasPorts(bits & 0xff)) continue
      const [hasA, hasB] = [(bits & bit.aPortKnown) !== 0, (bits & bit.bPortKnown) !== 0]
      const ports = integers[base + at4.ports]!
      const protocol = (bits & 0xff) << 16
      const [a, b] = [(ports & 0xffff) | protocol, (ports >>> 16) | protocol]
      const rule = roles.rule[connection]!
      let ofA = rule === 0 ? asked : 0
      let ofB = ofA
      if (!onlyAsk) {
        if (rule === 1 && roles.client[connection] === 0) ofB |= listener
        else if (rule === 1) ofA |= listener
        const isOne = hasA && hasB && a === b && integers[base + at4.aHost] === integers[base + at4.bHost]
        const signs = signsOf(table, connection, isOne)
        ofA |= signs & 7
        ofB |= signs >>> 3
      }
      if (hasA && ofA !== 0) this.add(integers[base + at4.aHost]!, a, ofA)
      if (hasB && ofB !== 0) this.add(integers[base + at4.bHost]!, b, ofB)
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

/**
 * Sums up a stretch of all parts. Given are the endpoints that are asked for and of which the ladder can tell something: one that nobody
 * calls, that is no listener and calls less than three peers is for it as one of which nothing is known.
 */
export function summedUp(tallies: readonly Tallies[], stretch: number, spill: Spill): KnownEndpoints {
  const pieces = tallies.map(({ place, ends }) => {
    const from = stretch === 0 ? 0 : ends[stretch - 1]!
    return spill.readArray(place + 4 * entryWords * from, new Uint32Array(entryWords * (ends[stretch]! - from)))
  })
  const sums = new TallySums()
  for (const entries of pieces) sums.ask(entries)
  sums.makeRoom()
  for (const entries of pieces) sums.add(entries)
  return sums.telling()
}

/** Sums of the endpoints that are asked for: of most others nobody wants to know. */
class TallySums {
  private readonly keys = new KeyTable()
  private readonly batch = new Uint32Array(4 * batchKeys)
  private readonly numbers = new Int32Array(batchKeys)
  private isListener = new Uint8Array(0)
  private calls = new Uint32Array(0)
  private listens = new Uint32Array(0)
  private weak = new Uint32Array(0)

  /** Notes which endpoints are asked for. */
  ask(entries: Uint32Array): void {
    for (let i = 0; i < entries.length; i += entryWords) {
      const rest = entries[i + 1]!
      if (((rest >>> 24) & asked) !== 0) this.keys.add(entries[i]!, rest & 0xff_ffff, 0, 0)
    }
  }

  makeRoom(): void {
    const { count } = this.keys
    this.isListener = new Uint8Array(count)
    this.calls = new Uint32Array(count)
    this.listens = new Uint32Array(count)
    this.weak = new Uint32Array(count)
  }

  /** Adds what is said of them. */
  add(entries: Uint32Array): void {
    const { batch, keys, numbers } = this
    const total = entries.length / entryWords
    for (let from = 0; from < total; from += batchKeys) {
      const count = Math.min(batchKeys, total - from)
      for (let i = 0; i < count; i++) {
        batch[4 * i] = entries[2 * (from + i)]!
        batch[4 * i + 1] = entries[2 * (from + i) + 1]! & 0xff_ffff
      }
      keys.findAll(batch, count, numbers)
      for (let i = 0; i < count; i++) {
        if (numbers[i]! >= 0) this.count(numbers[i]!, entries[2 * (from + i) + 1]! >>> 24)
      }
    }
  }

  private count(endpoint: number, bits: number): void {
    if ((bits & listener) !== 0) this.isListener[endpoint] = 1
    if ((bits & sign.calls) !== 0) this.calls[endpoint]!++
    else if ((bits & sign.listens) !== 0) this.listens[endpoint]!++
    else if ((bits & sign.weak) !== 0) this.weak[endpoint]!++
  }

  telling(): KnownEndpoints {
    const { keys, isListener, calls, listens, weak } = this
    const chosen: number[] = []
    for (let endpoint = 0; endpoint < keys.count; endpoint++) {
      if (isListener[endpoint]! + listens[endpoint]! + weak[endpoint]! > 0 || calls[endpoint]! >= 3)
        chosen.push(endpoint)
    }
    const picked = (of: Uint8Array | Uint32Array): Uint32Array =>
      filled(new Uint32Array(chosen.length), i => of[chosen[i]!]!)
    return {
      count: chosen.length,
      keys: filled(new Uint32Array(2 * chosen.length), i => keys.part(chosen[i >>> 1]!, (i & 1) as 0 | 1)),
      isListener: picked(isListener),
      calls: picked(calls),
      listens: picked(listens),
      weak: picked(weak),
    }
  }
}
