/** Files that the page has made for its user to keep: each of these questions starts a job, whose value is an `OfferedFile`. */
import type { ViewAsk, Window } from './common.ts'
import type { RowOrder } from './flows.ts'

/** `GET /api/download/:id` gives it, once. */
export interface OfferedFile {
  id: string
  name: string
  bytes: number
}

export const rowFileFormats = ['csv', 'ndjson', 'parquet', 'pcapng'] as const
export type RowFileFormat = (typeof rowFileFormats)[number]

/** `POST /api/rows/file`: all rows of a view within its window; as `pcapng` the packets of the case's captures that they match. */
export interface RowsFileAsk extends ViewAsk, Window {
  order: RowOrder
  format: RowFileFormat
}

/** A service by its client: what a finding or a connection is of. */
export interface ServiceOfPackets {
  client: string
  server: string
  /** Null for protocols without ports. */
  port: number | null
  protocol: number | null
}

/** `POST /api/packets/file`: the packets of the case's captures that a filter matches, or those of a finding's connections. */
export interface PacketsFileAsk {
  /** What the file is called after, as `F169`: letters, digits, `.`, `_` and `-`. */
  name: string
  own: string[]
  of: { filter: string } | FindingPackets
}

export interface FindingPackets {
  services: ServiceOfPackets[]
  first_start: string
  last_end: string
}

/** What its job gives. */
export interface PacketsFile extends OfferedFile {
  packets: number
  /** Packets of which the capture holds only the beginning. */
  cut: number
  sha256: string
  /** The command that takes the same. */
  command: string
  /** The connections of these services in that time by the logs, those that a capture has packets of, and why not the others; null: not counted. */
  connections: { total: number; captured: number; without: { why: string; connections: number }[] } | null
}

/** `POST /api/sql/file`: all rows of a query. */
export interface SqlFileAsk {
  sql: string
  seconds: number
  format: 'csv' | 'ndjson'
}
