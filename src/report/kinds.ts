import type { EvidenceKind } from '../store/reports.ts'

const words: ReadonlyMap<string, string> = new Map<EvidenceKind, string>([
  ['vpc-flow-log', 'VPC flow logs'],
  ['vpc-flow-log-parquet', 'VPC flow logs (Parquet)'],
  ['tgw-flow-log', 'Transit Gateway flow logs'],
  ['pcap', 'pcap captures'],
  ['pcapng', 'pcapng captures'],
  ['nfcapd', 'nfcapd files'],
  ['conn-log', 'conn.log files of Zeek'],
  ['flow-table', 'tables of flows'],
  ['archive', 'archives'],
])

/** Files of a kind, in words. */
export function kindText(kind: string): string {
  return words.get(kind) ?? kind
}
