/** The observation points that recorded the subject (docs/reference/dossier.md, section 2). */

import { interval_us } from '../conversations/intervals.ts'
import type { SubjectRecords } from '../conversations/subject.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Vantage, VantageCounts } from './dossier.ts'

/** Points that are listed: of more, those with the most records. */
export const vantagesMax = 10_000

/** What becomes of records, by the number of their fate. */
const countNames = ['counted', 'without_endpoints', 'copies', 'translated', 'twins'] as const

export interface SeenAt {
  /** Every point that recorded the subject, in the order of their names. */
  vantages: Vantage[]
  /** The longest aggregation interval of those whose records count, seconds. */
  interval_seconds: number
}

export function vantagesOf({ block, dictionaries, fates }: SubjectRecords, evidence: EvidenceKind): SeenAt {
  const counts = dictionaries.vantages.map(
    (): VantageCounts => ({
      ...{ records: 0, counted: 0, copies: 0, twins: 0, translated: 0, without_endpoints: 0 },
    }),
  )
  for (let row = 0; row < block.rows; row++) {
    const one = counts[block.vantage[row]!]!
    one.records++
    one[countNames[fates[row]!]!]++
  }
  const isPackets = evidence === 'packets'
  const vantages = dictionaries.vantages.map(({ sensor, subscription, longest_us }, i) => ({
    sensor,
    subscription,
    ...counts[i]!,
    interval_seconds: isPackets ? 0 : interval_us(longest_us) / 1e6,
  }))
  const counting = vantages.filter(one => one.counted > 0).map(one => one.interval_seconds)
  return {
    vantages: vantages.filter(one => one.records > 0),
    interval_seconds: counting.length > 0 ? Math.max(...counting) : isPackets ? 0 : 60,
  }
}

/** The points that are listed, and what those come to that are not. */
export function listedVantages(all: readonly Vantage[]): {
  listed: Vantage[]
  other: VantageCounts & { count: number }
} {
  const most = all.map((_, i) => i).sort((a, b) => all[b]!.records - all[a]!.records || a - b)
  const isListed = new Set(most.slice(0, vantagesMax))
  const others = all.filter((_, i) => !isListed.has(i))
  const sum = (name: keyof VantageCounts): number => others.reduce((total, one) => total + one[name], 0)
  return {
    listed: all.filter((_, i) => isListed.has(i)),
    other: {
      count: others.length,
      records: sum('records'),
      counted: sum('counted'),
      copies: sum('copies'),
      twins: sum('twins'),
      translated: sum('translated'),
      without_endpoints: sum('without_endpoints'),
    },
  }
}
