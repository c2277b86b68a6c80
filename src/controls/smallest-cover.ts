/** The fewest sets that together hold a share of weighted things: which rules a list needs. */

import { Heap } from './heap.ts'

/** What a thing weighs, by two measures. */
export interface Weight {
  connections: number
  bytes: number
}

export interface SmallestCover {
  /** Numbers of the sets, in order. */
  chosen: number[]
  /** No fewer sets can hold the share: where that is their number, they are the smallest choice. */
  atLeast: number
  /** Shares that they hold; of nothing it is 1. */
  held: Weight
  isEnough: boolean
}

/** Steps of the search for a smaller choice, so that it ends: thousands of sets are not tried in all combinations. */
const stepsMax = 50_000
/** Sets that are searched at all. */
const searchedMax = 300

/**
 * Chooses sets until they hold a share of all connections and of all bytes: the one that brings most each time (Wolsey 1982: at most 1 + ln d times the
 * smallest choice, d the smallest gain beside the whole), without those that are not needed in the end; and then looks for a smaller choice. The order of
 * sets decides between equals, so that it is the same each time.
 *
 * @param sets numbers of weights. @param most how many may be chosen.
 */
export function smallestCover(
  weights: readonly Weight[],
  sets: readonly (readonly number[])[],
  share: number,
  most = sets.length,
): SmallestCover {
  const cover = new Cover(weights, sets, share)
  const chosen = pruned(cover, greedy(cover, most))
  const atLeast = cover.fewest()
  const better = cover.isEnough() && chosen.length > atLeast ? searched(cover, chosen.length, atLeast) : null
  const best = better?.chosen ?? chosen
  cover.only(best)
  return {
    chosen: [...best].sort((a, b) => a - b),
    atLeast: better?.isWhole === true ? best.length : Math.min(atLeast, best.length),
    held: cover.held(),
    isEnough: cover.isEnough(),
  }
}

/** What is held by the sets that are in it. */
class Cover {
  readonly sets: readonly (readonly number[])[]
  readonly total: Weight
  readonly need: Weight
  /** What each set weighs alone. */
  readonly alone: readonly Weight[]
  private readonly weights: readonly Weight[]
  private readonly times: Uint32Array
  private now: Weight = { connections: 0, bytes: 0 }

  constructor(weights: readonly Weight[], sets: readonly (readonly number[])[], share: number) {
    this.weights = weights
    this.sets = sets
    this.times = new Uint32Array(weights.length)
    this.total = sumOf(weights)
    this.need = { connections: this.total.connections * share, bytes: this.total.bytes * share }
    this.alone = sets.map(set => sumOf(set.map(i => weights[i]!)))
  }

  add(set: number): void {
    for (const i of this.sets[set]!) if (this.times[i]!++ === 0) this.count(i, 1)
  }

  remove(set: number): void {
    for (const i of this.sets[set]!) if (--this.times[i]! === 0) this.count(i, -1)
  }

  only(sets: readonly number[]): void {
    this.times.fill(0)
    this.now = { connections: 0, bytes: 0 }
    for (const set of sets) this.add(set)
  }

  /** What a set brings of what is missing, by what is needed in all. */
  gain(set: number): number {
    let [connections, bytes] = [0, 0]
    for (const i of this.sets[set]!) {
      if (this.times[i] !== 0) continue
      connections += this.weights[i]!.connections
      bytes += this.weights[i]!.bytes
    }
    const missing = this.missing()
    const part = (brings: number, of: number, need: number): number => (need === 0 ? 0 : Math.min(brings, of) / need)
    return part(connections, missing.connections, this.need.connections) + part(bytes, missing.bytes, this.need.bytes)
  }

  missing(): Weight {
    return {
      connections: missingOf(this.need.connections, this.now.connections),
      bytes: missingOf(this.need.bytes, this.now.bytes),
    }
  }

  isEnough(): boolean {
    const { connections, bytes } = this.missing()
    return connections === 0 && bytes === 0
  }

  held(): Weight {
    const part = (now: number, total: number): number => (total === 0 ? 1 : now / total)
    return {
      connections: part(this.now.connections, this.total.connections),
      bytes: part(this.now.bytes, this.total.bytes),
    }
  }

  /** How many sets it takes at least, if they had nothing in common. */
  fewest(): number {
    const by = (name: keyof Weight): number =>
      countUntil(
        this.alone.map(one => one[name]).sort((a, b) => b - a),
        this.need[name],
      )
    return Math.max(by('connections'), by('bytes'))
  }

  private count(i: number, sign: 1 | -1): void {
    this.now.connections += sign * this.weights[i]!.connections
    this.now.bytes += sign * this.weights[i]!.bytes
  }
}

function sumOf(weights: readonly Weight[]): Weight {
  const sum = { connections: 0, bytes: 0 }
  for (const one of weights) {
    sum.connections += one.connections
    sum.bytes += one.bytes
  }
  return sum
}

/** A share of a count is no whole number: what differs by less than the arithmetic can tell is nothing. */
function missingOf(need: number, now: number): number {
  const missing = need - now
  return missing <= need * 1e-12 ? 0 : missing
}

/** How many of some numbers, the largest first, make up a sum; all of them where they do not. */
function countUntil(sorted: readonly number[], need: number): number {
  let [count, sum] = [0, 0]
  while (count < sorted.length && missingOf(need, sum) > 0) sum += sorted[count++]!
  return count
}

/** A set, and what it brought when that was last worked out: it can only bring less since then. */
interface Gain {
  set: number
  gain: number
}

function isBefore(a: Gain, b: Gain): boolean {
  return a.gain > b.gain || (a.gain === b.gain && a.set < b.set)
}

function greedy(cover: Cover, most: number): number[] {
  const chosen: number[] = []
  const heap = new Heap(
    isBefore,
    [...cover.sets.keys()].map(set => ({ set, gain: cover.gain(set) })),
  )
  while (chosen.length < most && !cover.isEnough()) {
    const best = heap.pop()
    if (best === undefined || best.gain === 0) break
    const now = { set: best.set, gain: cover.gain(best.set) }
    const next = heap.peek()
    if (next !== undefined && isBefore(next, now)) {
      heap.push(now)
      continue
    }
    cover.add(best.set)
    chosen.push(best.set)
  }
  return chosen
}

/** Without the sets that are not needed, from the one that was chosen last. */
function pruned(cover: Cover, chosen: readonly number[]): number[] {
  const kept = [...chosen]
  if (!cover.isEnough()) return kept
  for (const set of chosen.toReversed()) {
    cover.remove(set)
    if (cover.isEnough()) kept.splice(kept.indexOf(set), 1)
    else cover.add(set)
  }
  return kept
}

/** Looks for a choice of fewer sets: each is in it or not, as long as the heaviest ones left could still make it. */
function searched(
  cover: Cover,
  than: number,
  atLeast: number,
): { chosen: number[] | undefined; isWhole: boolean } | null {
  const { alone, sets } = cover
  if (sets.length > searchedMax) return null
  const order = [...sets.keys()].sort(
    (a, b) => alone[b]!.connections - alone[a]!.connections || alone[b]!.bytes - alone[a]!.bytes || a - b,
  )
  const heaviest = (name: keyof Weight): number[][] =>
    order.map((_, at) =>
      order.slice(at, at + than).length === 0
        ? []
        : tops(
            order.slice(at).map(set => alone[set]![name]),
            than,
          ),
    )
  const tables = { connections: heaviest('connections'), bytes: heaviest('bytes') }
  const path: number[] = []
  let [limit, steps] = [than, 0]
  let chosen: number[] | undefined
  const needs = (at: number): number => {
    const missing = cover.missing()
    const by = (name: keyof Weight): number => {
      if (missing[name] === 0) return 0
      const sums = tables[name][at] ?? []
      const place = sums.findIndex(sum => missingOf(missing[name], sum) === 0)
      return place < 0 ? Number.POSITIVE_INFINITY : place + 1
    }
    return Math.max(by('connections'), by('bytes'))
  }
  const visit = (at: number): void => {
    if (++steps > stepsMax || limit <= atLeast) return
    const more = needs(at)
    if (path.length + more >= limit) return
    if (more === 0) {
      chosen = [...path]
      limit = path.length
      return
    }
    const set = order[at]!
    cover.add(set)
    path.push(set)
    visit(at + 1)
    path.pop()
    cover.remove(set)
    visit(at + 1)
  }
  cover.only([])
  visit(0)
  return { chosen, isWhole: steps <= stepsMax }
}

/** Sums of the one, two, … largest numbers. */
function tops(numbers: number[], most: number): number[] {
  let sum = 0
  return numbers
    .sort((a, b) => b - a)
    .slice(0, most)
    .map(one => (sum += one))
}
