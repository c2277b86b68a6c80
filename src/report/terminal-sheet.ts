/** Results of any width for a terminal: one line a row, cut where it must be, and what was cut is said. */
import type { Column, Sheet } from './block.ts'
import { listText } from './names.ts'
import { countText, integerText } from './numbers.ts'
import { factLines, hangingLines, headingLines, type Page, shown } from './terminal-page.ts'
import { gridLine, tableWidthMin, titleLine, totalWidth } from './terminal-table.ts'
import { displayWidth, pad, truncate, visible } from './text.ts'

/** Texts are not cut shorter than that: then columns are left out. */
const cellMin = 12
/** So few rows stand as facts where columns would be left out. */
const factRows = 3

type Texts = readonly (readonly (string | null)[])[]

interface Layout {
  chosen: readonly number[]
  widths: readonly number[]
}

/** A table if it fits, also without the columns that have no value; else with texts cut and columns left out. */
export function sheetLines(page: Page, { columns, rows, below: said }: Sheet): string[] {
  const heads = columns.map(column => ({ ...column, title: visible(column.title) }))
  const texts = rows.map(row => row.map(text => (text === null ? null : visible(text))))
  const layout = layoutOf(page, heads, texts)
  const body = layout === null ? blocks(page, heads, texts) : grid(page, heads, texts, layout)
  const [first = '', ...others] = said
  const rest = [...unseen(heads, texts, layout), ...others]
  const last = rest.length === 0 ? first : [`${first}.`, ...rest].join(' ')
  return [...body, '', ...hangingLines(page, shown(page, last))]
}

/** Null: the rows stand below one another. */
function layoutOf(page: Page, heads: readonly Column[], texts: Texts): Layout | null {
  const all = heads.map((_, i) => i)
  if (all.length === 0) return null
  const kept = all.filter(i => texts.length === 0 || texts.some(row => row[i] !== null))
  for (const chosen of [all, kept]) {
    const widths = widthsOf(heads, texts, chosen)
    if (chosen.length > 0 && totalWidth(widths) <= page.width) return { chosen, widths }
  }
  if (page.width < tableWidthMin) return null
  // Few rows lose less as facts than with columns that are not there.
  for (let count = kept.length; count > (texts.length <= factRows ? kept.length - 1 : 0); count--) {
    const chosen = kept.slice(0, count)
    const widths = cutWidths(page, heads, chosen, widthsOf(heads, texts, chosen))
    if (widths !== null) return { chosen, widths }
  }
  return null
}

function widthsOf(heads: readonly Column[], texts: Texts, chosen: readonly number[]): number[] {
  return chosen.map(i =>
    texts.reduce((most, row) => Math.max(most, displayWidth(row[i] ?? 'null')), displayWidth(heads[i]!.title)),
  )
}

/** The widest texts are cut until all columns fit. */
function cutWidths(
  page: Page,
  heads: readonly Column[],
  chosen: readonly number[],
  widths: readonly number[],
): number[] | null {
  const isText = chosen.map(i => heads[i]!.cuts === true)
  const within = (most: number): number[] => widths.map((width, n) => (isText[n] ? Math.min(width, most) : width))
  for (let most = Math.max(...widths); most >= cellMin; most--) {
    const cut = within(most)
    if (totalWidth(cut) <= page.width) return cut
  }
  return null
}

function grid(page: Page, heads: readonly Column[], texts: Texts, { chosen, widths }: Layout): string[] {
  const columns = chosen.map((i, n) => ({ ...heads[i]!, title: truncate(heads[i]!.title, widths[n]!) }))
  const lines = texts.map(row =>
    gridLine(
      chosen.map((i, n) => pad(truncate(row[i] ?? page.colors.dim('null'), widths[n]!), widths[n]!, heads[i]!.align)),
    ),
  )
  return [titleLine(page, columns, widths), ...lines]
}

function blocks(page: Page, heads: readonly Column[], texts: Texts): string[] {
  return texts.flatMap((row, n) => {
    const present = heads.flatMap(({ title }, i) => {
      const text = row[i]
      return text === null || text === undefined ? [] : [{ name: title, values: [text] }]
    })
    return [...headingLines(page, `Row ${integerText(n + 1)}`), ...factLines(page, present)]
  })
}

/** What of the rows is not on the page. */
function unseen(heads: readonly Column[], texts: Texts, layout: Layout | null): string[] {
  if (layout === null) return texts.some(row => row.includes(null)) ? ['Null is not shown.'] : []
  const { chosen, widths } = layout
  const left = heads.flatMap((_, i) => (chosen.includes(i) ? [] : [i]))
  const [empty, others] = [true, false].map(isEmpty =>
    left.filter(i => texts.every(row => row[i] === null) === isEmpty),
  ) as [number[], number[]]
  const cut = texts.reduce(
    (sum, row) => sum + chosen.filter((i, n) => displayWidth(row[i] ?? '') > widths[n]!).length,
    0,
  )
  const names = listText(
    others.map(i => heads[i]!.title),
    12,
  )
  return [
    ...(cut > 0 ? [`${countText(cut, 'cell')} cut to fit: --csv has all.`] : []),
    ...(others.length > 0 ? [`Not shown at this width: ${names}.`] : []),
    ...(empty.length > 0 ? [`${countText(empty.length, 'column')} without a value not shown.`] : []),
  ]
}
