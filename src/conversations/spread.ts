/**
 * What a record moved, spread over the bins of time that it touches, in proportion to time (SiLK's rwcount, load scheme 4), to the unit:
 * shares are cut to whole ones, and what is left goes to the bins with the largest remainders, the earlier first.
 *
 * `flows/bins.ts` says the same in SQL, of sums of records.
 */

/**
 * Calls `take` with each bin that a record touches and its share, also where that is zero.
 *
 * @param size_us width of a bin; bin n begins at n times that.
 */
export function spread(
  value: number | bigint,
  start_us: number,
  end_us: number,
  size_us: number,
  take: (bin: number, share: number | bigint) => void,
): void {
  const first = Math.floor(start_us / size_us)
  const last = end_us > start_us ? Math.floor((end_us - 1) / size_us) : first
  if (first === last) {
    take(first, value)
    return
  }
  const whole = BigInt(value)
  const length = BigInt(end_us - start_us)
  const cut: { bin: number; share: bigint; rest: bigint }[] = []
  let left = whole
  for (let bin = first; bin <= last; bin++) {
    const overlap = Math.min(end_us, (bin + 1) * size_us) - Math.max(start_us, bin * size_us)
    const product = whole * BigInt(overlap)
    cut.push({ bin, share: product / length, rest: product % length })
    left -= product / length
  }
  const byRest = [...cut].sort((a, b) => (a.rest === b.rest ? a.bin - b.bin : a.rest > b.rest ? -1 : 1))
  for (const one of byRest.slice(0, Number(left))) one.share++
  for (const { bin, share } of cut) take(bin, share <= Number.MAX_SAFE_INTEGER ? Number(share) : share)
}
