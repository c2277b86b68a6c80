/** Rows of a query: as a table, as CSV, as JSON. */
import { type Cell, cellBegin, compactJson, type ResultColumn } from '../user-sql/cells.ts'
import { escapeHidden } from './json.ts'
import { type Column, fields, heading, newPage, type Page, type PageOptions, paragraph, table } from './layout.ts'
import { countText, integerText } from './numbers.ts'
import { displayWidth, visible } from './text.ts'

/** How much of a result is there. */
export interface Extent {
  /** Rows of the whole result; null when they were not all counted. */
  total: number | null
  /** Rows that were counted. */
  counted: number
  cut_by: 'rows' | 'bytes' | null
}

/** A row as a page shows it: texts that a terminal can show, null for null. */
export interface PageRow {
  texts: (string | null)[]
  /** Cells that are longer than a page shows. */
  cut: number
}

const indent = 2
const gap = 2
/** Most characters of a cell on a page. */
const cellMax = 2000
/** Most rows of a page: its columns are as wide as all of them need. */
export const pageRowsMax = 100_000

export function pageRow(cells: readonly Cell[]): PageRow {
  let cut = 0
  const texts = cells.map(cell => {
    if (cell === null) return null
    const { text, isCut } = cellBegin(cell, cellMax)
    if (isCut) cut++
    return isCut ? `${visible(text)}…` : visible(text)
  })
  return { texts, cut }
}

/** A table, or below one another what is too wide for one; then how many rows there are, and of how many. */
export function renderResult(
  columns: readonly ResultColumn[],
  rows: readonly PageRow[],
  extent: Extent,
  options: PageOptions,
): string {
  const page = newPage(options)
  const texts = rows.map(row => row.texts)
  const heads = columns.map(({ name, type }) => ({ title: visible(name), type }))
  const kept = heads.map((_, i) => i).filter(i => texts.length === 0 || texts.some(row => row[i] !== null))
  const all = heads.map((_, i) => i)
  const chosen = [all, kept].find(some => width(heads, texts, some) <= page.width)
  const left = chosen === kept ? heads.length - kept.length : 0
  const body =
    chosen === undefined || chosen.length === 0 ? blocks(page, heads, texts) : grid(page, heads, texts, chosen)
  const unseen =
    chosen === undefined && texts.some(row => row.includes(null))
      ? 'Null is not shown.'
      : left > 0
        ? `${countText(left, 'column')} without a value not shown.`
        : ''
  const cut = rows.reduce((sum, row) => sum + row.cut, 0)
  const shortened =
    cut === 0
      ? ''
      : `${countText(cut, 'cell')} cut after ${integerText(cellMax)} characters: --csv, --ndjson and --json have all.`
  const footer = [extentText(rows.length, extent), unseen, shortened].filter(text => text !== '')
  return `${[...body, '', ...paragraph(page, sentences(footer))].join('\n')}\n`
}

function sentences([extent = '', ...rest]: readonly string[]): string {
  return rest.length === 0 ? extent : [`${extent}.`, ...rest].join(' ')
}

type Head = { title: string; type: string }
type Texts = readonly (readonly (string | null)[])[]

function width(heads: readonly Head[], texts: Texts, chosen: readonly number[]): number {
  const widths = chosen.map(i =>
    texts.reduce((most, row) => Math.max(most, displayWidth(row[i] ?? 'null')), displayWidth(heads[i]!.title)),
  )
  return widths.reduce((sum, one) => sum + one, indent + gap * (chosen.length - 1))
}

const numeric = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|UINTEGER|DOUBLE|FLOAT|DECIMAL)/

function grid(page: Page, heads: readonly Head[], texts: Texts, chosen: readonly number[]): string[] {
  const columns = chosen.map(
    (i): Column => ({ title: heads[i]!.title, align: numeric.test(heads[i]!.type) ? 'right' : 'left' }),
  )
  const cell = (text: string | null | undefined): string => text ?? page.colors.dim('null')
  return table(
    page,
    columns,
    texts.map(row => ({ cells: chosen.map(i => cell(row[i])) })),
  )
}

function blocks(page: Page, heads: readonly Head[], texts: Texts): string[] {
  return texts.flatMap((row, n) => {
    const present = heads.flatMap(({ title }, i): [string, string][] =>
      row[i] === null ? [] : [[title, row[i] ?? '']],
    )
    return [...heading(page, `Row ${integerText(n + 1)}`), ...fields(page, present)]
  })
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

export function rowObject(columns: readonly ResultColumn[], cells: readonly Cell[]): { [name: string]: Cell } {
  return Object.fromEntries(columns.map(({ name }, i) => [name, cells[i] ?? null]))
}
