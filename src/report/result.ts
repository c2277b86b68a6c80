/** Rows of a query: as a page, and as JSON. */
import { type Cell, cellBegin, compactJson, type ResultColumn, rowObject } from '../user-sql/cells.ts'
import { type Block, sheet } from './block.ts'
import { escapeHidden } from './json.ts'
import { countText, integerText } from './numbers.ts'

/** How much of a result is there. */
export interface Extent {
  /** Rows of the whole result; null when they were not all counted. */
  total: number | null
  /** Rows that were counted. */
  counted: number
  cut_by: 'rows' | 'bytes' | null
}

/** A row as a page shows it: null for null. */
export interface PageRow {
  texts: (string | null)[]
  /** Cells that are longer than a page shows. */
  cut: number
}

/** Most characters of a cell on a page. */
const cellMax = 2000
/** Most rows of a page: its columns are as wide as all of them need. */
export const pageRowsMax = 100_000

const numeric = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|UINTEGER|DOUBLE|FLOAT|DECIMAL)/

/** Texts and what is nested; no number, time or address. */
const mayBeCut = /VARCHAR|JSON|BLOB|STRUCT|MAP|UNION|\[/

export function pageRow(cells: readonly Cell[]): PageRow {
  let cut = 0
  const texts = cells.map(cell => {
    if (cell === null) return null
    const { text, isCut } = cellBegin(cell, cellMax)
    if (isCut) cut++
    return isCut ? `${text}…` : text
  })
  return { texts, cut }
}

/** The rows, then how many there are, and of how many. */
export function resultPage(columns: readonly ResultColumn[], rows: readonly PageRow[], extent: Extent): Block[] {
  const cut = rows.reduce((sum, row) => sum + row.cut, 0)
  const shortened = `${countText(cut, 'cell')} cut after ${integerText(cellMax)} characters: --csv, --ndjson and --json have all.`
  return [
    sheet({
      columns: columns.map(({ name, type }) => ({
        title: name,
        align: numeric.test(type) ? 'right' : 'left',
        cuts: mayBeCut.test(type),
      })),
      rows: rows.map(row => row.texts),
      below: [extentText(rows.length, extent), ...(cut > 0 ? [shortened] : [])],
    }),
  ]
}

/** `3 rows`, or what part was given out: `first 1,000 of 48,213 rows`. */
export function extentText(shown: number, { total, counted, cut_by }: Extent): string {
  if (cut_by === null) return countText(shown, 'row')
  const of = total === null ? `more than ${countText(counted, 'row')}` : countText(total, 'row')
  const why =
    cut_by === 'bytes'
      ? '--max-output'
      : shown === pageRowsMax
        ? 'a page has no more: --csv, --ndjson or --json'
        : '--limit'
  return `first ${integerText(shown)} of ${of} (${why})`
}

/** One JSON object on a line. */
export function ndjsonLine(columns: readonly ResultColumn[], cells: readonly Cell[]): string {
  return `${escapeHidden(compactJson(rowObject(columns, cells)))}\n`
}
