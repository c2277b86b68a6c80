/** Sums of counters that pass 53 bits. */

/** Sums that are exact, by number. */
export class Sums {
  private readonly small: Float64Array
  private readonly large = new Map<number, bigint>()

  constructor(count: number) {
    this.small = new Float64Array(count)
  }

  add(place: number, value: number | bigint): void {
    const sum = this.small[place]!
    if (typeof value === 'number' && sum + value <= Number.MAX_SAFE_INTEGER) {
      this.small[place] = sum + value
      return
    }
    this.large.set(place, BigInt(this.of(place)) + BigInt(value))
    this.small[place] = Number.NaN
  }

  of(place: number): number | bigint {
    const sum = this.small[place]!
    return Number.isNaN(sum) ? this.large.get(place)! : sum
  }

  clear(place: number): void {
    if (Number.isNaN(this.small[place]!)) this.large.delete(place)
    this.small[place] = 0
  }
}

/** A sum of counters, exact. */
export function exactSum(one: number | bigint, other: number | bigint): number | bigint {
  if (typeof one === 'number' && typeof other === 'number' && one + other <= Number.MAX_SAFE_INTEGER) return one + other
  return BigInt(one) + BigInt(other)
}
