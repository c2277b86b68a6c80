import { createRequire } from 'node:module'
import type pc from 'picocolors'
import { displayWidth, pad, wrap } from './text.ts'

type Colors = ReturnType<typeof pc.createColors>

// To `import` such a module starts a parser in Node that takes longer than all of this: see cli/commander.ts.
const { createColors } = createRequire(import.meta.url)('picocolors') as typeof pc

/** What every part of a page is drawn with. */
export interface Page {
  width: number
  colors: Colors
}

export interface PageOptions {
  /** Cells of a line. Below 40 the page is laid out for 40, above 500 for 500. */
  width: number
  color: boolean
}

export interface Column {
  title: string
  align?: 'left' | 'right'
  /** Goes below its row when the page is too narrow for all columns. */
  hangs?: boolean
}

export interface Row {
  cells: string[]
  /** Text below the row, over the whole width. */
  detail?: string
}

const widthMin = 40
/** Of the widest screen: more would only make rules longer, without end where COLUMNS says so. */
const widthMax = 500
const indent = 2
const gap = 2
const below = '      '

export function newPage(options: PageOptions): Page {
  const width = Math.min(widthMax, Math.max(widthMin, Math.floor(options.width) || widthMin))
  return { width, colors: createColors(options.color) }
}

/** A blank line and the section's title on a rule. */
export function heading(page: Page, title: string): string[] {
  const rule = '─'.repeat(Math.max(2, page.width - displayWidth(title) - 4))
  return ['', `── ${page.colors.bold(title)} ${rule}`]
}

/** Wrapped text; `first` stands before the first line, the other lines hang below the text. */
export function paragraph(page: Page, text: string, first = ' '.repeat(indent)): string[] {
  const hang = ' '.repeat(displayWidth(first))
  return wrap(text, page.width - hang.length).map((line, i) => ((i === 0 ? first : hang) + line).trimEnd())
}

export function bullets(page: Page, items: string[]): string[] {
  return items.flatMap(item => paragraph(page, item, '  • '))
}

/** Names in one column, their values in the other. */
export function fields(page: Page, rows: [name: string, value: string][], left = indent): string[] {
  const width = rows.reduce((most, [name]) => Math.max(most, displayWidth(name)), 0)
  return rows.flatMap(([name, value]) => paragraph(page, value, `${' '.repeat(left)}${pad(name, width)}  `))
}

/** Styles word by word, so that a wrapped text keeps its style and its margins stay plain. */
function styled(text: string, style: (word: string) => string): string {
  return text
    .split(' ')
    .map(word => (word === '' ? '' : style(word)))
    .join(' ')
}

/** The word that a reader must not miss; its meaning is in the word, never in the colour alone. */
export function strong(page: Page, text: string): string {
  return styled(text, page.colors.bold)
}

export function alarm(page: Page, text: string): string {
  return styled(text, word => page.colors.red(page.colors.bold(word)))
}

export function good(page: Page, text: string): string {
  return styled(text, word => page.colors.green(page.colors.bold(word)))
}

/**
 * Columns as wide as what stands in them. On a page too narrow for that, the columns that may hang stand below
 * their row; if that is still too wide, each row becomes a small block.
 */
export function table(page: Page, columns: Column[], rows: Row[]): string[] {
  const all = grid(page, columns, rows)
  if (all) return all
  const kept = (i: number) => !columns[i]?.hangs
  const hung = rows.map(row => ({
    cells: row.cells.filter((_, i) => kept(i)),
    detail: sentence([named(columns, row.cells, i => !kept(i)), row.detail ?? '']),
  }))
  const fewer = grid(
    page,
    columns.filter((_, i) => kept(i)),
    hung,
  )
  return fewer ?? rows.flatMap(row => block(page, columns, row))
}

/** The table, or undefined when the page is too narrow for it. */
function grid(page: Page, columns: Column[], rows: Row[]): string[] | undefined {
  const widths = columns.map((column, i) =>
    rows.reduce((most, row) => Math.max(most, displayWidth(row.cells[i] ?? '')), displayWidth(column.title)),
  )
  const total = widths.reduce((sum, width) => sum + width, indent + gap * (columns.length - 1))
  if (total > page.width) return undefined
  const line = (cells: string[]) => `${' '.repeat(indent)}${cells.join(' '.repeat(gap)).trimEnd()}`
  const head = columns.map(({ title, align }, i) => {
    const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - displayWidth(title)))
    const text = styled(title, page.colors.underline)
    return align === 'right' ? space + text : text + space
  })
  const body = rows.flatMap(row => [
    line(widths.map((width, i) => pad(row.cells[i] ?? '', width, columns[i]?.align))),
    ...(row.detail ? paragraph(page, row.detail, below) : []),
  ])
  return [line(head), ...body]
}

function block(page: Page, columns: Column[], row: Row): string[] {
  const rest = sentence([named(columns, row.cells, i => i > 0), row.detail ?? ''])
  return [...paragraph(page, row.cells[0] ?? ''), ...(rest === '' ? [] : paragraph(page, rest, below))]
}

/** Cells in a row of words, each after its column's title. */
function named(columns: Column[], cells: string[], chosen: (i: number) => boolean): string {
  return columns
    .map(({ title }, i) => (chosen(i) && cells[i] ? `${title} ${cells[i]}` : ''))
    .filter(text => text !== '')
    .join(', ')
}

function sentence(parts: string[]): string {
  return parts.filter(part => part !== '').join('; ')
}

/** At most `limit` items, then what `more` says about the number left out. */
export function limited<T>(items: T[], limit: number, more: (left: number) => T): T[] {
  return items.length <= limit ? items : [...items.slice(0, limit), more(items.length - limit)]
}
