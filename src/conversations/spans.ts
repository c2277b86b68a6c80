/** Spans of time of records that come in the order of their starts: those that lie close enough to each other are made one. */
export class Spans {
  private readonly from_us: number[] = []
  private readonly to_us: number[] = []

  /** @param apart_us spans that lie no further apart are one. */
  add(from_us: number, to_us: number, apart_us: number): void {
    const last = this.to_us.length - 1
    if (last >= 0 && from_us <= this.to_us[last]! + apart_us) this.to_us[last] = Math.max(this.to_us[last]!, to_us)
    else {
      this.from_us.push(from_us)
      this.to_us.push(to_us)
    }
  }

  /** Whether one lies within that many microseconds of a time. */
  touch(from_us: number, to_us: number, within_us: number): boolean {
    let low = 0
    let high = this.to_us.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.to_us[middle]! + within_us < from_us) low = middle + 1
      else high = middle
    }
    return low < this.to_us.length && this.from_us[low]! - within_us <= to_us
  }
}
