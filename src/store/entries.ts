/** What the entries of a ledger say of the case. */
import { fieldNamed } from '../records/fields.ts'
import { otherFields } from '../records/unknown-columns.ts'
import type { EvidenceEntry, LedgerEntry, SegmentEntry } from './ledger.ts'
import { isReading } from './ledger-entry.ts'

/** All segments that the ledger names, also those of files that no longer count. */
export function segmentsOf(entries: readonly LedgerEntry[]): SegmentEntry[] {
  return entries.flatMap(entry => (isReading(entry) ? entry.segments : []))
}

/** All files that the ledger names, also those that no longer count. */
export function filesOf(entries: readonly LedgerEntry[]): EvidenceEntry[] {
  return entries.flatMap(entry => (isReading(entry) ? entry.evidence : []))
}

export function ofKind<S extends SegmentEntry>(segments: readonly S[], kind: SegmentEntry['kind']): S[] {
  return segments.filter(segment => segment.kind === kind)
}

/** Whether the flow records of a case are those made of packets: it has none of logs. */
export function isOfPackets(segments: readonly SegmentEntry[]): boolean {
  return ofKind(segments, 'flows').length === 0 && ofKind(segments, 'packet-flows').length > 0
}

/** The unknown fields of logs that have columns of their own. */
export function unknownColumnsOf(segments: readonly SegmentEntry[]): string[] {
  const names = new Set(ofKind(segments, 'flows').flatMap(segment => segment.columns))
  return [...names].filter(name => fieldNamed(name) === undefined && !name.startsWith('_') && name !== otherFields)
}

/** Flow records of nfcapd files that count the way back too, in columns of their own. */
export function bothWaysOf(c: { evidence: readonly EvidenceEntry[] }): number {
  return c.evidence.reduce((sum, file) => sum + (file.nfcapd?.both_ways ?? 0), 0)
}

/** The id of the flow log that wrote a file, from the name that AWS gave it. */
export function subscriptionOf(path: string): string | null {
  return (
    /(?:^|_)(fl-[0-9a-f]+)(?:_|\.|$)/.exec(
      path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1),
    )?.[1] ?? null
  )
}
