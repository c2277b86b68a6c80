/** A question about flow records, and its answer, as data. docs/reference/flows.md tells what each part means. */

import type { EnrichmentFile, EnrichmentProblem } from '../enrich/enrichment-file.ts'
import type { Filter } from '../filter/ast.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { OrderName } from './names.ts'

export interface FlowsRequest {
  /** In the filter language; absent: every record. */
  filter?: string | Filter
  /** Only records under way since then: `2h`, which counts back from the end of the evidence, or a time of the filter language. */
  since?: string
  /** The filter is that of a saved query, which may have come with the case: it can name no file. */
  saved?: boolean
  /** Values of `$name` in the filter. */
  params?: Readonly<Record<string, string>>
  /** The filter, and what is grouped by, mean exactly what nfdump 1.7.1 means; every record counts, as with `raw`. */
  nfdump?: boolean
  /** Prefixes that count as internal beside those that the internet does not route. */
  internal?: readonly string[]
  /** Which flow records: those of logs or of packets. By default the case's own. The two are never added. */
  evidence?: EvidenceKind
  /** Volumes count every record as the sensors wrote it: conversations seen twice, and what was rejected. */
  raw?: boolean

  /** Elements to group by (`srcip4/24`, `dstport`, any field); `[]` is one group of all. Absent: records are listed. */
  by?: readonly string[]
  /** A ranking of one element, as nfdump's `-s`: `srcip`, `ip`, `record`; `perProtocol` splits it by protocol. */
  stat?: { element: string; perProtocol?: boolean }
  /** Both directions of a conversation make one row. */
  bidirectional?: boolean
  /** Width of time bins, milliseconds. */
  bin_ms?: number
  /** Counts of different values, a column each. */
  distinct?: readonly string[]
  /** `bytes/95`: the value that 95 % of the records do not exceed. */
  percentiles?: readonly string[]
  /** Which groups stay, e.g. `bytes > 1m and records >= 10`. */
  having?: string
  /** A second window, for comparison: `previous`, or one of the filter language. */
  compare?: string

  /** What rows are ranked by, from the largest; times from the first. By default bytes, of a `stat` records; of a list the order of the evidence. */
  order?: OrderName
  /** Most rows; of time bins most groups; null: all. */
  limit?: number | null
  /** Adds a row for all groups that are not listed. */
  other?: boolean
  /** Takes only the first records that match. */
  first?: number
}

export type ColumnType = 'address' | 'prefix' | 'integer' | 'time' | 'text'
export type Unit = 'B' | 'packets' | 'records' | 'ms' | 'bit/s' | 'packets/s' | 'B/packet'

export interface FlowsColumn {
  name: string
  type: ColumnType
  unit: Unit | null
}

/** Counts that pass 2^53 are bigints; addresses are text; times ISO 8601 in UTC. */
export type Cell = string | number | bigint | null
export type FlowsRow = Record<string, Cell>

/** How the records were counted. */
export interface Counting {
  /** Records that match, without those that were counted elsewhere already. */
  records: Cell
  /** Of them those that were rejected. */
  rejected: Cell
  /** Sums over the records that count; null where none is listed by sums. */
  packets: Cell
  bytes: Cell
  /** Matching records that another sensor's, or another file's, stand for. */
  collapsed: Cell
  /** Records for which it cannot be told whether they match; null: not asked. */
  unknown: Cell
  /** Of the records that are summed up those that do not say how many packets or bytes: not 0, the sums are at least what they say; null: not asked. */
  unsummed: Cell
  evidence: EvidenceKind
  count_once: boolean
  /** Why conversations that were seen twice count twice, where nobody asked for that. */
  count_once_reason?: string
  /** Whether bytes and packets are those of accepted records alone. */
  accepted_only: boolean
}

/** An engine that was asked, and what it did. */
export interface FlowsEngine {
  name: 'trino' | 'athena'
  /** Where it is, and which table. */
  table: string
  /** The engine's ids of the statements that it ran, and how many bytes each read; null: not told. */
  queries: { id: string; bytes: number | null; reused?: true }[]
  /** Lines of the evidence that are no record for want of a status: an engine cannot tell what is wrong with them. Null: not asked. */
  without_status: Cell
}

/** @typeParam Row what `rows` gives: of a request that is written out, its own columns (`RowOf`). */
export interface FlowsResult<Row = FlowsRow> {
  columns: FlowsColumn[]
  /** Rows that there are, of which a limit may leave some out. */
  total_rows: Cell
  truncated: boolean
  /** The statement with its values, for any DuckDB. */
  sql: string
  /** What the request means, one English sentence. */
  sentence: string
  counting: Counting
  notes: string[]
  /** Where the question was asked, if not of a case. */
  engine?: FlowsEngine
  /** The user's own files that were read for it, and what in them could not be. */
  enrichment: { files: readonly EnrichmentFile[]; problems: readonly EnrichmentProblem[] }
  /** The rows, as often as they are asked for. Throws what keeps the rest of them from being read. */
  rows(): AsyncIterableIterator<Row>
  /** Writes the rows as a Parquet file instead: addresses as text, times as timestamps. */
  parquet(path: string, options?: { force?: boolean }): Promise<void>
}
