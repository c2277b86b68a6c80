/** A second implementation of "Rejected records" in docs/reference/dossier.md, over raw lines: one loop over all records for each one. */
import {
  effectiveDestination,
  effectiveSource,
  hasPorts,
  isSubjects,
  type OracleEvidence,
  type OracleRecord,
  parsePrefix,
} from './oracle.ts'

/** The row of the table, counted from 1, that applies to each rejected record of the subjects. */
export function rejectsSlow(evidence: OracleEvidence, subjects: string[]): { record: OracleRecord; row: number }[] {
  const prefixes = subjects.map(parsePrefix)
  const own = evidence.records.filter(record => isSubjects(record, prefixes))
  return own.filter(({ accepted }) => !accepted).map(record => ({ record, row: rowOf(record, own, evidence) }))
}

const logOf = ({ subscription, file }: OracleRecord): string => subscription ?? `file ${file}`
const isSynAlone = (flags: number | null): boolean => flags !== null && (flags & 2) !== 0 && (flags & 16) === 0

function rowOf(r: OracleRecord, records: OracleRecord[], evidence: OracleEvidence): number {
  if (r.reject_reason === 'BPA') return 1
  if (r.reject_reason === 'EC') return 2
  if (r.reject_reason !== null) return 3
  const [source, destination] = [effectiveSource(r), effectiveDestination(r)]
  if (source === null || destination === null || r.protocol === null) return 4
  if (hasPorts(r.protocol) && (r.srcport === null || r.dstport === null)) return 4
  const isTcp = r.protocol === 6
  const flags = isTcp ? r.tcp_flags : null
  if (isSynAlone(flags)) return 5

  const let_through = records.filter(one => one.accepted && one.sensor === r.sensor && one.protocol === r.protocol)
  const own = let_through.filter(
    one =>
      effectiveSource(one) === source &&
      effectiveDestination(one) === destination &&
      one.srcport === r.srcport &&
      one.dstport === r.dstport,
  )
  const opposite = let_through.filter(
    one =>
      effectiveSource(one) === destination &&
      effectiveDestination(one) === source &&
      one.srcport === r.dstport &&
      one.dstport === r.srcport,
  )
  if (own.some(one => one.start <= r.start)) {
    const begun = own.filter(one => one.start <= r.end)
    if (begun.some(one => one.end > r.end)) return 6
    if (flags === null && r.start - Math.max(...begun.map(one => one.end)) > 240_000) return 7
    const tuple = [...own, ...opposite].filter(one => one.start <= r.end && isTcp && one.tcp_flags !== null)
    const lastSyn = Math.max(...tuple.filter(one => isSynAlone(one.tcp_flags)).map(one => one.start))
    if (tuple.some(one => (one.tcp_flags! & 5) !== 0 && one.start >= lastSyn)) return 8
    return own.some(one => one.start > r.end) ? 9 : 10
  }
  if (own.some(one => one.start <= r.end)) return 11
  if (opposite.some(one => one.start <= r.end)) return own.length === 0 ? 12 : 13
  if (evidence.records.filter(one => logOf(one) === logOf(r)).every(one => one.action === 'REJECT')) return 14
  return flags !== null ? 15 : 16
}
