/** Lines of a page for a terminal: its texts, paragraphs, facts and tables, and what becomes of tables where it is too narrow. */
import { createRequire } from 'node:module'
import type pc from 'picocolors'
import { type Block, type Column, type Fact, inlines, type Part, type Row, type Sheet, type Text } from './block.ts'
import { countText, integerText } from './numbers.ts'
import { displayWidth, pad, truncate, truncateStart, visible, wrap } from './text.ts'

type Colors = ReturnType<typeof pc.createColors>

// To `import` such a module starts a parser in Node that takes longer than all of this: see cli/commander.ts.
const { createColors } = createRequire(import.meta.url)('picocolors') as typeof pc

/** What every part of a page is drawn with. */
export interface Page {
  readonly width: number
  readonly colors: Colors
  /** Cells before a text. */
  readonly margin: number
  /** What paths begin with that the page has no room for; written as an ellipsis. */
  readonly prefix: string
}

export interface PageOptions {
  /** Cells of a line. Below 40 the page is laid out for 40, above 500 for 500. */
  width: number
  color: boolean
}

const widthMin = 40
/** Of the widest screen: more would only make rules longer, without end where COLUMNS says so. */
const widthMax = 500
export const indent = 2
/** Cells between columns, and what stands before the text below a row. */
const gap = 2
const below = '      '

export function newPage(options: PageOptions): Page {
  const width = Math.min(widthMax, Math.max(widthMin, Math.floor(options.width) || widthMin))
  return { width, colors: createColors(options.color), margin: indent, prefix: '' }
}

/** The text as the terminal gets it: visible, with our colours. Nothing else makes a text of a block ready for it. */
export function shown(page: Page, text: Text): string {
  return inlines(text)
    .map(inline => (typeof inline === 'string' ? visible(inline) : shownPart(page, inline)))
    .join('')
}

function shownPart(page: Page, { kind, text, endAtMost }: Part): string {
  const { bold, red, green, dim } = page.colors
  const words = visible(text)
  if (kind === 'strong') return styled(words, bold)
  if (kind === 'alarm') return styled(words, word => red(bold(word)))
  if (kind === 'good') return styled(words, word => green(bold(word)))
  if (kind === 'absent') return dim(words)
  if (kind !== 'path') return words
  const left = page.prefix !== '' && words.startsWith(page.prefix) ? `…${words.slice(page.prefix.length)}` : words
  return endAtMost === undefined ? left : truncateStart(left, endAtMost)
}

/** Styles word by word, so that a wrapped text keeps its style and its margins stay plain. */
function styled(text: string, style: (word: string) => string): string {
  return text
    .split(' ')
    .map(word => (word === '' ? '' : style(word)))
    .join(' ')
}

/** A blank line and the section's title on a rule. */
export function headingLines(page: Page, title: string): string[] {
  const words = truncate(visible(title), page.width - 6)
  const rule = '─'.repeat(Math.max(2, page.width - displayWidth(words) - 4))
  return ['', `── ${page.colors.bold(words)} ${rule}`]
}

/** Wrapped lines; `first` stands before the first of them, the others hang below the text. */
export function hangingLines(page: Page, ready: string, first = ' '.repeat(page.margin)): string[] {
  const hang = ' '.repeat(displayWidth(first))
  return wrap(ready, page.width - hang.length).map((line, i) => ((i === 0 ? first : hang) + line).trimEnd())
}

/** Names in one column, their values in the other; below one another where a name takes more than half of the page. */
export function factLines(page: Page, facts: readonly Fact[]): string[] {
  const names = facts.map(({ name }) => visible(name))
  const width = names.reduce((most, name) => Math.max(most, displayWidth(name)), 0)
  const margin = ' '.repeat(page.margin)
  const isBeside = width <= page.width / 2
  return facts.flatMap(({ values }, i) => {
    const name = names[i]!
    const lead = (n: number) => (isBeside ? `${margin}${pad(n === 0 ? name : '', width)}  ` : `${margin}  `)
    const lines = values.flatMap((value, n) => hangingLines(page, shown(page, value), lead(n)))
    return isBeside ? lines : [...hangingLines(page, name), ...lines]
  })
}

/** A row whose texts are ready for the terminal. */
interface Ready {
  cells: string[]
  detail: string
}

/**
 * Columns as wide as what stands in them. On a page too narrow for that, the columns that may hang stand below
 * their row; if that is still too wide, each row becomes a small block.
 */
export function tableLines(page: Page, { columns, rows }: Extract<Block, { block: 'table' }>): string[] {
  const heads = columns.map(column => ({ ...column, title: visible(column.title) }))
  const ready = readyRows(page, rows)
  const all = grid(page, heads, ready)
  if (all) return all
  const kept = (i: number) => !heads[i]?.hangs
  const hung = ready.map(row => ({
    cells: row.cells.filter((_, i) => kept(i)),
    detail: sentence([named(heads, row.cells, i => !kept(i)), row.detail]),
  }))
  const fewer = grid(
    page,
    heads.filter((_, i) => kept(i)),
    hung,
  )
  return fewer ?? ready.flatMap(row => rowBlock(page, heads, row))
}

function readyRows(page: Page, rows: readonly Row[]): Ready[] {
  const labels = rows.map(row => visible(row.label ?? ''))
  const width = labels.reduce((most, label) => Math.max(most, displayWidth(label)), 0)
  return rows.map((row, n) => {
    const lead = width === 0 ? '' : `${pad(labels[n]!, width)}  `
    return {
      cells: row.cells.map((cell, i) => (i === 0 ? lead : '') + shown(page, cell)),
      detail: shown(page, row.detail ?? ''),
    }
  })
}

/** The table, or undefined when the page is too narrow for it. */
function grid(page: Page, heads: readonly Column[], rows: readonly Ready[]): string[] | undefined {
  const widths = heads.map((head, i) =>
    rows.reduce((most, row) => Math.max(most, displayWidth(row.cells[i] ?? '')), displayWidth(head.title)),
  )
  if (totalWidth(widths) > page.width) return undefined
  const line = (cells: string[]) => `${' '.repeat(indent)}${cells.join(' '.repeat(gap)).trimEnd()}`
  const titles = heads.map(({ title, align }, i) => {
    const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - displayWidth(title)))
    const text = styled(title, page.colors.underline)
    return align === 'right' ? space + text : text + space
  })
  const body = rows.flatMap(row => [
    line(widths.map((width, i) => pad(row.cells[i] ?? '', width, heads[i]?.align))),
    ...(row.detail === '' ? [] : hangingLines(page, row.detail, below)),
  ])
  return [line(titles), ...body]
}

function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, indent + gap * (widths.length - 1))
}

function rowBlock(page: Page, heads: readonly Column[], row: Ready): string[] {
  const rest = sentence([named(heads, row.cells, i => i > 0), row.detail])
  return [...hangingLines(page, row.cells[0] ?? ''), ...(rest === '' ? [] : hangingLines(page, rest, below))]
}

/** Cells in a row of words, each after its column's title. */
function named(heads: readonly Column[], cells: readonly string[], chosen: (i: number) => boolean): string {
  return heads
    .map(({ title }, i) => (chosen(i) && cells[i] ? `${title} ${cells[i]}` : ''))
    .filter(text => text !== '')
    .join(', ')
}

function sentence(parts: string[]): string {
  return parts.filter(part => part !== '').join('; ')
}

/** A table if it fits, also without the columns that have no value; else the rows below one another. */
export function sheetLines(page: Page, { columns, rows, below: said }: Sheet): string[] {
  const heads = columns.map(column => ({ ...column, title: visible(column.title) }))
  const texts = rows.map(row => row.map(text => (text === null ? null : visible(text))))
  const all = heads.map((_, i) => i)
  const kept = all.filter(i => texts.length === 0 || texts.some(row => row[i] !== null))
  const fits = (some: number[]) => totalWidth(sheetWidths(heads, texts, some)) <= page.width
  const chosen = [all, kept].find(fits)
  const left = chosen === kept ? heads.length - kept.length : 0
  const isTable = chosen !== undefined && chosen.length > 0
  const body = isTable ? sheetGrid(page, heads, texts, chosen) : sheetBlocks(page, heads, texts)
  const unseen =
    chosen === undefined && texts.some(row => row.includes(null))
      ? 'Null is not shown.'
      : left > 0
        ? `${countText(left, 'column')} without a value not shown.`
        : ''
  const [first = '', ...others] = said
  const rest = [unseen, ...others].filter(text => text !== '')
  const last = rest.length === 0 ? first : [`${first}.`, ...rest].join(' ')
  return [...body, '', ...hangingLines(page, shown(page, last))]
}

type Texts = readonly (readonly (string | null)[])[]

function sheetWidths(heads: readonly Column[], texts: Texts, chosen: readonly number[]): number[] {
  return chosen.map(i =>
    texts.reduce((most, row) => Math.max(most, displayWidth(row[i] ?? 'null')), displayWidth(heads[i]!.title)),
  )
}

function sheetGrid(page: Page, heads: readonly Column[], texts: Texts, chosen: readonly number[]): string[] {
  const rows = texts.map(row => ({ cells: chosen.map(i => row[i] ?? page.colors.dim('null')), detail: '' }))
  const columns = chosen.map(i => heads[i]!)
  return grid(page, columns, rows)!
}

function sheetBlocks(page: Page, heads: readonly Column[], texts: Texts): string[] {
  return texts.flatMap((row, n) => {
    const present = heads.flatMap(({ title }, i) => {
      const text = row[i]
      return text === null || text === undefined ? [] : [{ name: title, values: [text] }]
    })
    return [...headingLines(page, `Row ${integerText(n + 1)}`), ...factLines(page, present)]
  })
}
