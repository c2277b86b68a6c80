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

/** `POST /api/sql/file`: all rows of a query. */
export interface SqlFileAsk {
  sql: string
  seconds: number
  format: 'csv' | 'ndjson'
}
