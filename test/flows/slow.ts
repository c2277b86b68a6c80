/** The same questions answered once more: record by record, with bigints, sharing no code with the flows layer. */

export interface SlowRecord {
  srcaddr: string
  dstaddr: string
  srcport: number | null
  dstport: number | null
  protocol: number
  packets: bigint
  bytes: bigint
  /** Seconds. */
  start: number
  end: number
  action: 'ACCEPT' | 'REJECT'
}

export interface SlowGroup {
  records: number
  rejected: number
  packets: bigint
  bytes: bigint
  start: number
  end: number
}

export function slowGroups(
  records: readonly SlowRecord[],
  keysOf: (r: SlowRecord) => string[],
  raw: boolean,
): Map<string, SlowGroup> {
  const groups = new Map<string, SlowGroup>()
  for (const r of records) {
    for (const key of keysOf(r)) {
      const group = groups.get(key) ?? { records: 0, rejected: 0, packets: 0n, bytes: 0n, start: r.start, end: r.end }
      groups.set(key, group)
      group.records++
      if (r.action === 'REJECT') group.rejected++
      if (raw || r.action === 'ACCEPT') {
        group.packets += r.packets
        group.bytes += r.bytes
      }
      group.start = Math.min(group.start, r.start)
      group.end = Math.max(group.end, r.end)
    }
  }
  return groups
}

/** What a count spread over [start, end] leaves in each bin: shares by time, cut, and the rest to the largest remainders. */
export function slowSpread(count: bigint, start: number, end: number, width: number): Map<number, bigint> {
  const first = Math.floor(start / width)
  if (end <= start) return new Map([[first, count]])
  const parts: { bin: number; share: bigint; rest: bigint }[] = []
  const whole = BigInt(end - start)
  for (let bin = first; bin * width < end; bin++) {
    const overlap = BigInt(Math.min(end, (bin + 1) * width) - Math.max(start, bin * width))
    parts.push({ bin, share: (count * overlap) / whole, rest: (count * overlap) % whole })
  }
  let left = count - parts.reduce((sum, part) => sum + part.share, 0n)
  for (const part of [...parts].sort((a, b) => (a.rest === b.rest ? a.bin - b.bin : a.rest < b.rest ? 1 : -1))) {
    if (left === 0n) break
    part.share++
    left--
  }
  return new Map(parts.map(part => [part.bin, part.share]))
}

export const median = (values: bigint[], p: number): bigint => {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return sorted[Math.max(0, Math.ceil((sorted.length * p) / 100) - 1)]!
}
