/** Prefixes that hold some addresses, and none of others. */
import { type Address, isIPv4 } from '../net/address.ts'
import { type Prefix, parsePrefix, prefixOf } from '../net/prefix.ts'

export const anyIPv4 = parsePrefix('0.0.0.0/0')!
/** Of IPv6 alone, as rules of AWS have it. */
export const anyIPv6 = parsePrefix('::/0')!

export function isIPv6Prefix({ first }: Prefix): boolean {
  return !isIPv4(first)
}

/** Lengths of 128 bits: of IPv4 it counts 96 more. */
export interface CoverLimits {
  /** Leading bits that addresses of one network have in common: a prefix may hold them all. */
  near: number
  /** No prefix is wider. */
  widest: number
  /** How many prefixes there are at most. */
  most: number
}

/**
 * The narrowest prefixes that hold the addresses, of one family, and overlap none of those to avoid; in the order of addresses. Neighbours share one.
 *
 * @returns null where that takes more of them, or wider ones. Addresses that are to be avoided themselves must not be among them.
 */
export function coverOf(addresses: readonly Address[], avoid: readonly Prefix[], limits: CoverLimits): Prefix[] | null {
  const sorted = sortedValues(addresses)
  const without = rangesOf(avoid)
  const near = parted(sorted, without, limits.near, limits.most)
  if (near !== null) return near.map(prefixOfRun)
  const wide = parted(sorted, without, limits.widest, limits.most)
  if (wide === null) return null
  return narrowed(wide, limits).map(prefixOfRun)
}

/** The fewest prefixes that hold the addresses, however wide, and overlap none of those to avoid. */
export function widestCover(addresses: readonly Address[], avoid: readonly Prefix[]): Prefix[] {
  return parted(sortedValues(addresses), rangesOf(avoid), 0, Number.POSITIVE_INFINITY)!.map(prefixOfRun)
}

/** Neighbouring addresses, and how many leading bits they share. */
interface AddressRun {
  values: readonly bigint[]
  from: number
  to: number
  length: number
}

function sortedValues(addresses: readonly Address[]): bigint[] {
  const values = [...new Set(addresses.map(numberOf))]
  return values.sort((a, b) => (a < b ? -1 : Number(a > b)))
}

function numberOf({ hi, lo }: Address): bigint {
  return (hi << 64n) | lo
}

function prefixOfRun({ values, from, length }: AddressRun): Prefix {
  const value = values[from]!
  return prefixOf({ hi: value >> 64n, lo: value & 0xffff_ffff_ffff_ffffn }, length)
}

function runOf(values: readonly bigint[], from: number, to: number): AddressRun {
  const differs = values[from]! ^ values[to - 1]!
  return { values, from, to, length: differs === 0n ? 128 : 128 - differs.toString(2).length }
}

/** The two halves of a run, at its first bit that differs. */
function halves({ values, from, to, length }: AddressRun): [AddressRun, AddressRun] {
  const bit = 127n - BigInt(length)
  let [low, high] = [from, to - 1]
  while (low + 1 < high) {
    const middle = (low + high) >>> 1
    if (((values[middle]! >> bit) & 1n) === 1n) high = middle
    else low = middle
  }
  return [runOf(values, from, high), runOf(values, high, to)]
}

/** Runs that are at least so long, and hold nothing to avoid; null where they are more than may be. */
function parted(values: readonly bigint[], avoid: Ranges, least: number, most: number): AddressRun[] | null {
  const done: AddressRun[] = []
  const todo = values.length === 0 ? [] : [runOf(values, 0, values.length)]
  for (let run = todo.pop(); run !== undefined; run = todo.pop()) {
    const isFine = run.length >= least && !holdsAny(run, avoid)
    if (isFine || run.length === 128) done.push(run)
    else todo.push(...halves(run).reverse())
    if (done.length + todo.length > most) return null
  }
  return done
}

/** Ranges of addresses in order, none within another: those of prefixes that may not be held. */
type Ranges = readonly (readonly [first: bigint, last: bigint])[]

function rangesOf(prefixes: readonly Prefix[]): Ranges {
  const sorted = prefixes
    .map(({ first, last }) => [numberOf(first), numberOf(last)] as const)
    .sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
  const ranges: [bigint, bigint][] = []
  for (const [first, last] of sorted) {
    const before = ranges.at(-1)
    if (before === undefined || first > before[1]) ranges.push([first, last])
    else if (last > before[1]) before[1] = last
  }
  return ranges
}

function holdsAny(run: AddressRun, avoid: Ranges): boolean {
  if (avoid.length === 0) return false
  const prefix = prefixOfRun(run)
  const [from, to] = [numberOf(prefix.first), numberOf(prefix.last)]
  // The first one that does not end before it.
  let [low, high] = [0, avoid.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (avoid[middle]![1] < from) low = middle + 1
    else high = middle
  }
  return low < avoid.length && avoid[low]![0] <= to
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return numberOf(a.first) <= numberOf(b.last) && numberOf(b.first) <= numberOf(a.last)
}

/** The widest ones parted, as long as there may be more of them. */
function narrowed(runs: AddressRun[], { near, most }: CoverLimits): AddressRun[] {
  while (runs.length < most) {
    const widest = runs.reduce((best, run, at) => (run.length < runs[best]!.length ? at : best), 0)
    if (runs[widest]!.length >= near) break
    runs.splice(widest, 1, ...halves(runs[widest]!))
  }
  return runs
}
