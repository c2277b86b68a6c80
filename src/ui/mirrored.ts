/** What a host sent and received over time, in bins. No DOM here. */
import type { Count } from '../server/contract/common.ts'
import type { TimelineAnswer } from '../server/contract/view.ts'

export interface MirroredBin {
  /** Seconds since 1970. */
  start: number
  sent: Count
  received: Count
}

export interface Mirrored {
  bins: MirroredBin[]
  width: number
  most: number
}

type Series = TimelineAnswer['series']

/** Bins of both ways; null where no record has a time. Both series have the same bins: they are of one zoom. */
export function mirrored(sent: Series, received: Series): Mirrored | null {
  const of = sent ?? received
  if (of === null) return null
  const [up, down] = [sumsOf(sent), sumsOf(received)]
  const count = Math.max(up.length, down.length)
  const bins = Array.from({ length: count }, (_, i) => ({
    start: of.from + i * of.width,
    sent: up[i] ?? 0,
    received: down[i] ?? 0,
  }))
  const most = bins.reduce((max, one) => Math.max(max, Number(one.sent ?? 0), Number(one.received ?? 0)), 0)
  return { bins, width: of.width, most }
}

/** The layers of each bin together, exact; null where nobody says. */
function sumsOf(series: Series): Count[] {
  if (series === null) return []
  const [first] = series.layers
  return (first?.values ?? []).map((_, i) => sumOf(series.layers.map(({ values }) => values[i] ?? 0)))
}

function sumOf(counts: readonly Count[]): Count {
  const known = counts.filter(count => count !== null)
  if (known.length === 0 && counts.length > 0) return null
  const sum = known.reduce<bigint>((total, count) => total + BigInt(count), 0n)
  return sum <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(sum) : String(sum)
}
