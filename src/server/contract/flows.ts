/** Records one by one: the grid, and where its rows are. */
import type { Asked, Count, ViewAsk, Window } from './common.ts'

/** What rows can be ranked by: times from the first, all others from the largest, as `tidemark flows -O` does. */
export const rowOrders = ['start', 'end', 'duration', 'bytes', 'packets', 'bps', 'pps', 'bpp'] as const
export type RowOrder = (typeof rowOrders)[number]

/** Rows of one answer. */
export const rowsMax = 500

/** `POST /api/rows`: some rows of a view within its window. */
export interface RowsAsk extends ViewAsk, Window {
  order: RowOrder
  /** The first row, from 0. */
  offset: number
  /** Up to `rowsMax`. */
  limit: number
}

/** A value of a record; integers beyond 2^53 are text. */
export type FieldCell = string | number | null

export interface FieldColumn {
  name: string
  title: string
  type: 'address' | 'integer' | 'time' | 'text'
  unit: string | null
  /** What the field means. */
  doc: string
}

export interface RecordRow {
  /** Number of its file in the ledger. */
  file: number
  /** Its line, packet, or record in that file. */
  line: number
  cells: FieldCell[]
}

export interface RowsAnswer {
  evidence: 'logs' | 'packets'
  columns: FieldColumn[]
  rows: RecordRow[]
  /** Paths of the files of these rows, by their numbers. */
  files: Record<number, string>
  /** Records that match, and of them those that were rejected; null: not counted, as beside rows that are not the first. */
  total: Count
  rejected: Count
  /** Records of which it cannot be told whether they match; null: not counted. */
  unknown: Count
  /** Rows that can be asked for in this order, from the first. */
  reach: number
  asked: Asked
  notes: string[]
}
