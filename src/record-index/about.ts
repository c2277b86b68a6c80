/** What a file of the record index says of itself, beside its sections. */
import type { ColumnName } from './columns.ts'

/** Rows of a group: each column of it is a section. */
export const groupRows = 65_536

/** After the groups' sections come those of the hosts' upper and lower halves, the vantages as JSON, and the groups' starts. */
export interface IndexAbout {
  rows: number
  /** Columns of each group, in their order; the others are zero throughout. */
  columns: readonly ColumnName[]
  /** Whether there are columns of the ends as the sensors saw them. */
  seen: boolean
  hosts: number
  /** Actions that are neither ACCEPT nor REJECT, from number 3 on. */
  actions: string[]
}

/** Start of the first and of the last row of a group. */
export function startsOf(start_us: Float64Array, rows: number): [number, number] {
  return [start_us[0]!, start_us[rows - 1]!]
}
