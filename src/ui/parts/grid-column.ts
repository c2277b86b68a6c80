/** A column of a grid. */

import type { ComponentChildren } from 'preact'
import type { Term } from './term.ts'

export interface GridColumn<Row> {
  name: string
  title: string
  hint?: string
  number?: boolean
  /** In pixels, until the user chooses another. */
  width: number
  sortable?: boolean
  /** What the cell's value is asked by: its menu, and what it shows where there is no `cell`. */
  term?: (row: Row) => Term | null
  cell?: (row: Row) => ComponentChildren
}
