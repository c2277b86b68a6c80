/** The values of every field. */
import type { Asked, Count, ViewAsk, Window } from './common.ts'
import type { FieldCell, FieldColumn } from './flows.ts'

/** `GET /api/fields`: which fields the records have. */
export interface FieldsAnswer {
  evidence: 'logs' | 'packets'
  present: FieldColumn[]
  /** Fields that flow logs may have, and that no file of the case has: they are absent, not unknown. */
  absent: { name: string; title: string; version: number; doc: string }[]
}

/** Values of one answer. */
export const valuesMax = 200

/** `POST /api/field`: the values of one field in a view within its window. */
export interface FieldAsk extends ViewAsk, Window {
  field: string
  /** Up to `valuesMax`. */
  top: number
}

export interface FieldAnswer {
  column: FieldColumn
  /** Different values, without the unknown one. */
  distinct: Count
  /** Records that are counted, and those of them without a value. */
  records: Count
  absent: Count
  /** The most frequent first; null: the records without a value. */
  values: { value: FieldCell; records: Count }[]
  /** Of counters and times. */
  least: FieldCell
  median: FieldCell
  most: FieldCell
  /** Records of which it cannot be told whether they match. */
  unknown: Count
  /** Null where `tidemark flows` does not group by it. */
  asked: Asked | null
}

/** What is asked of all fields that have few values; and what each of them is answered. */
export type FewAsk = Omit<FieldAsk, 'field'>
export type FewAnswer = Record<string, FieldAnswer>
