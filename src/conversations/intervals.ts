/** How long a record may be, how late, and what that says of records of one conversation. One place for all who ask. */
import type { EvidenceKind } from '../records/evidence-kind.ts'

/** AWS: `start` and `end` may be up to 60 s after the packet was sent or received. */
export const lateness_us = 60_000_000
/** Records of packets are joined to connections over this gap: the meter's inactive timeout, and a second. */
export const packetGap_us = 61_000_000

export const minute_us = 60_000_000

/** The aggregation interval of a flow log, microseconds, by the longest of its records: AWS offers one minute and ten. */
export function interval_us(longest_us: number): number {
  return longest_us <= minute_us ? minute_us : 10 * minute_us
}

/** The same of the sensors of a case; packets have none. */
export function intervalOf(evidence: EvidenceKind, sensors: readonly { longest_us: number }[]): number {
  return evidence === 'packets' ? 0 : interval_us(sensors.reduce((most, one) => Math.max(most, one.longest_us), 0))
}

/** The shortest of them: what is taken off a duration by it stays as it is when a log with longer records comes. */
export function shortestInterval(evidence: EvidenceKind, sensors: readonly { longest_us: number }[]): number {
  if (evidence === 'packets') return 0
  return sensors.reduce((least, one) => Math.min(least, interval_us(one.longest_us)), 10 * minute_us)
}

/** G: records of one conversation at one vantage are at most so far apart, microseconds. */
export function gap_us(evidence: EvidenceKind, longest_us: number): number {
  return evidence === 'packets' ? packetGap_us : interval_us(longest_us) + lateness_us
}
