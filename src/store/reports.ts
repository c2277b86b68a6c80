/** What `add`, `evidence` and `verify` tell about a case. Names are fixed by the contract. */

/** What a file is. */
export type FileKind =
  | 'vpc-flow-log'
  | 'vpc-flow-log-parquet'
  | 'tgw-flow-log'
  | 'pcap'
  | 'pcapng'
  | 'nfcapd'
  | 'conn-log'
  | 'flow-table'
  | 'archive'

export type EvidenceStatus = 'read' | 'partly-read' | 'unreadable' | 'duplicate' | 'not-evidence'

/** Why a file is a duplicate that is in the case itself, under that path. */
export const alreadyThere = 'already in the case'

/** An exact integer: a bigint beyond 2^53. */
type Count = number | bigint

/** One file that was looked at. Counts are exact; unknown is null. */
export interface EvidenceFile {
  /** Number within the case, which flow records refer to; null when no record can refer to it. */
  id: number | null
  path: string
  /** Whether the user named the file itself, and not only a folder that holds it. */
  named: boolean
  /** Of a file in an archive, whose path is `ARCHIVE:NAME`: the archive, and which file in it, from 0. Null for others. */
  archive: { path: string; members: number[] } | null
  /** Of a file that was fetched, as from S3: where from, and what the server said of its content. Null for others. */
  origin: { uri: string; etag: string | null; size: number; version_id: string | null } | null
  kind: FileKind | null
  /** Bytes of the file as it lies on disk. */
  size: number
  /** Of exactly the bytes that were read, lower-case hex; null when the file could not be read to its end. */
  sha256: string | null
  lines: number
  header_lines: number
  records: number
  no_data: number
  skip_data: number
  malformed: number
  /** UTC, ISO 8601, over the file's records. */
  first_start: string | null
  last_end: string | null
  status: EvidenceStatus
  /** What was wrong, in words; for a duplicate, which file has the same content. */
  problem: string | null
  /** Field names of the file's header(s) or of `--format`, space-separated. */
  layout: string | null
  /** What the lines were taken out of, or their encoding, like `CSV, column 2`; null: they are there as they are. */
  form: string | null
  /** Sensors (interfaces, gateways, attachments) that wrote the file, at most 20 of them. */
  sensors: string[]
  sensor_count: number
  /** Bytes after decompression. */
  expanded_bytes: number
  /** What a capture held; null for other kinds. */
  capture: CaptureAccount | null
  /** What an nfcapd file held; null for other kinds. */
  nfcapd: NfcapdFileAccount | null
  /**
   * What another program's table of flows held (Zeek's conn.log, those of nfdump, SiLK, yafscii): lines = headers + rows + malformed;
   * null for other kinds. `note`: columns that are not kept, times without a zone; null if there is nothing to say.
   */
  flow_table: { rows: number; flow_records: number; connections: number; note: string | null } | null
}

/** Whether a file's records are metered from packets, by Tidemark or another program, and not those of a flow log. */
export function isMetered(file: Pick<EvidenceFile, 'capture' | 'nfcapd' | 'flow_table'>): boolean {
  return file.capture !== null || file.nfcapd !== null || file.flow_table !== null
}

/** The flow records of the files that count, and how many of them are metered. */
export function heldRecords(
  files: readonly Pick<EvidenceFile, 'records' | 'capture' | 'nfcapd' | 'flow_table'>[],
): Pick<EvidenceReport, 'case_records' | 'case_metered_records'> {
  const sum = (some: typeof files): number => some.reduce((records, file) => records + file.records, 0)
  return { case_records: sum(files), case_metered_records: sum(files.filter(isMetered)) }
}

/** Whether nothing was read of a file that is evidence, or was named as such: every figure lacks what may be in it. */
export function isUnread(file: Pick<EvidenceFile, 'status' | 'named'>): boolean {
  return file.status === 'unreadable' || (file.status === 'not-evidence' && file.named)
}

/** Numbers of packets, if it does not say otherwise: packets = decoded + all of `undecoded`. */
export interface CaptureAccount {
  packets: number
  decoded: number
  undecoded: { name: string; packets: number }[]
  /** Of `undecoded` those that may be of IP: their flows are missing. Null: none. */
  lost: { packets: number; first: string; last: string; reasons: { name: string; packets: number }[] } | null
  /** Cut by the snapshot length; their flows count whole by the lengths in the headers. */
  cut: number
  without_transport: number
  fragments: number
  tunnels: { name: string; packets: number }[]
  out_of_order: number
  untimed: number
  /** Decoded, and left out: copies of packets at another interface. Kept: packets like another one at the same interface moments before. */
  copies: number
  copies_suspected: number
  wire_bytes: Count
  ip_bytes: number
  interfaces: number
  /** Packets that the capturing system says it dropped; null: it does not say. */
  dropped: Count | null
  flow_records: number
  connections: number
  /** Connections that were ended early because there were too many at once. */
  evicted: number
  /** The same of flow records, if there are any. */
  flows_evicted?: number | undefined
}

export interface NfcapdFileAccount {
  /** 1: nfdump 1.6; 2: nfdump 1.7. */
  layout: number
  compression: string
  ident: string
  blocks: number
  blocks_read: number
  records: number
  flow_records: number
  skipped: { name: string; records: number }[]
  sampled: number
  /** Flow records that count the way back too. */
  both_ways: number
  anonymised: number
}

/** A place in the evidence that is in no record. */
export interface EvidenceProblem {
  path: string
  line?: number
  /** Last line of a run of lines with the same problem. */
  line_to?: number
  offset?: number
  problem: string
}

export interface EvidenceTotals {
  files: number
  lines: number
  header_lines: number
  records: number
  no_data: number
  skip_data: number
  malformed: number
}

/** Something that became of a file, by an entry of the ledger. */
export interface FileEvent {
  /** `superseded`: the same content was read again, and counts in the place of this reading. */
  what: 'added' | 'superseded' | 'removed' | 'restored'
  /** Number of the entry in the ledger, when it was written, and by which command. */
  entry: number
  time: string
  command: string
  /** Why it was removed or put back, if that was said. */
  reason: string | null
  /** The reading that counts in its place. */
  by: { id: number | null; path: string } | null
}

/** A file of which the ledger says more than that it was added: what it is, whether it counts now, and its events in order. */
export interface FileHistory {
  id: number | null
  path: string
  sha256: string | null
  status: EvidenceStatus
  records: number
  counts: boolean
  events: FileEvent[]
}

export interface EvidenceReport {
  case: string
  files: EvidenceFile[]
  totals: EvidenceTotals
  problems: EvidenceProblem[]
  /** Files that were removed, put back or read again. Those that do not count are in nothing else of the report. */
  history: FileHistory[]
  /** Folders that were named, of whose files none is evidence. */
  folders_without_evidence: { path: string; problem: string }[]
  /** Flow records that are in the case now. */
  case_records: number
  /** Of those: made of packets, or from tables of flows and nfcapd files. They count the same traffic as records of logs may. */
  case_metered_records: number
  /** True when the work was stopped before every file was read. */
  interrupted: boolean
}

export interface RemoveReport {
  case: string
  /** True when the files were put back. */
  restored: boolean
  files: Pick<EvidenceFile, 'id' | 'path' | 'sha256' | 'status' | 'records'>[]
  /** Numbers of the ledger's entries that say so. */
  entries: number[]
  /** Flow records that are in the case now. */
  case_records: number
  /** Of those: made of packets, or from tables of flows and nfcapd files. They count the same traffic as records of logs may. */
  case_metered_records: number
}

export interface VerifyFinding {
  /** `altered`, `missing`, `unlisted`, or `incomplete` (left over by an interrupted write, harmless). */
  what: 'altered' | 'missing' | 'unlisted' | 'incomplete'
  path: string
  detail: string
}

export interface VerifyReport {
  case: string
  /** True when every byte of the case is as its ledger says. */
  intact: boolean
  files_checked: number
  bytes_checked: number
  ledger_entries: number
  /** Digest of the last ledger entry: note it down outside the case to notice a cut ledger. */
  head: string | null
  findings: VerifyFinding[]
}
