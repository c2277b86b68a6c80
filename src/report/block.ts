/**
 * What a page says, as a tree of plain frozen data. `terminal.ts` gives it a form; a printer for another medium
 * takes the same tree. Every text of it may come from evidence, so that printers escape all of them.
 */
import type { Element } from './html-text.ts'

/** How much a reader must not miss it, or what value it is. A printer may show either, or neither. */
export type PartKind =
  | 'strong'
  | 'alarm'
  | 'good'
  | 'struck'
  | 'absent'
  | 'address'
  | 'time'
  | 'bytes'
  | 'count'
  | 'path'
  | 'command'
  | 'value'

/** A part of a text. */
export interface Part {
  readonly kind: PartKind
  readonly text: string
  /** Where its value stands in the JSON document that the page is made of: see `figures.ts`. */
  readonly of?: string
  /** Cells that a printer may give it; its end is kept. */
  readonly endAtMost?: number
}

export type Inline = string | Part
export type Text = Inline | readonly Inline[]

export interface Column {
  readonly title: string
  /** Where the title stands in the JSON document, if it is a value of it. */
  readonly of?: string
  readonly align?: 'left' | 'right'
  /** Goes below its row when the page is too narrow for all columns. */
  readonly hangs?: boolean
  /** Is left out, and named below the table, when the page is too narrow for all columns: those with the highest number first. */
  readonly drops?: number
  /** Of a sheet: its texts may be cut where the page is too narrow. */
  readonly cuts?: boolean
}

export interface Row {
  /** Stands before the first cell, in a column without a title. */
  readonly label?: Inline
  readonly cells: readonly Text[]
  /** A line of its own before the row: what holds for it and the rows after it. */
  readonly above?: Text
  /** Text below the row, over the whole width. */
  readonly detail?: Text
}

export interface Fact {
  readonly name: string
  /** Each begins a line. */
  readonly values: readonly Text[]
}

/** A table of values, with what it shows in a few words. */
export interface Table {
  readonly block: 'table'
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  readonly caption?: string
  /** Small on paper: there are many rows, and few are read. */
  readonly isCompact?: boolean
}

/** One row of bars. */
export interface BarLine {
  readonly label: string
  readonly unit: 'bytes' | 'count'
  /** What each bin of the chart holds, in their order. */
  readonly values: readonly number[]
}

/** Bars over time, as many columns as there is room for, each row to its own peak. */
export interface Bars {
  readonly block: 'bars'
  /** Of what the bars are: `bytes both ways`. */
  readonly what: string
  /** Seconds since the epoch, and how long each is. */
  readonly bins: readonly { readonly start: number; readonly seconds: number }[]
  /** The rows with the highest peaks are shown, at most that number; `whole` always is. */
  readonly lines: readonly BarLine[]
  readonly linesAtMost: number
  readonly whole: BarLine
  /** Seconds since the epoch between which something is missing; NaN where that is not known. */
  readonly gaps: readonly { readonly from: number; readonly to: number }[]
  readonly gapsLabel: string
}

/** A picture: what it shows in words, and as a table, for a printer that cannot draw and a reader who cannot see it. */
export interface Figure {
  readonly block: 'figure'
  readonly title: string
  readonly description: Text
  readonly drawing: Element
  /** The same for a phone. */
  readonly narrow: Element
  /** The values that are drawn. */
  readonly data: Table
}

/** A line of the evidence as it stands there. */
export interface QuotedLine {
  readonly where: Text
  readonly text: Part
}

/** A table of any width. What a narrow page cuts or leaves out is said in the sentences below it. */
export interface Sheet {
  readonly block: 'sheet'
  readonly columns: readonly Column[]
  /** Null where there is no value. Columns without any go first when the page is too narrow. */
  readonly rows: readonly (readonly (string | null)[])[]
  readonly below: readonly string[]
}

/** `look`: how it is coloured; its meaning is in the word. */
export interface Badge {
  readonly look: 'yes' | 'no' | 'open'
  readonly text: Text
}

export type Block =
  | { readonly block: 'title'; readonly text: Text }
  /** `depth` 2: within a section. */
  | { readonly block: 'heading'; readonly text: Inline; readonly depth?: 2 }
  /** Beyond `linesAtMost` the text is cut, and `more` stands in place of the rest. */
  | { readonly block: 'paragraph'; readonly text: Text; readonly linesAtMost?: number; readonly more?: string }
  | { readonly block: 'note'; readonly text: Text }
  | { readonly block: 'warning'; readonly text: Text }
  | { readonly block: 'list'; readonly items: readonly Text[] }
  | { readonly block: 'facts'; readonly facts: readonly Fact[] }
  | Table
  | Sheet
  | Figure
  | { readonly block: 'quotes'; readonly lines: readonly QuotedLine[] }
  | Bars
  /** As it is, for copying: lines are not broken. */
  | { readonly block: 'code'; readonly text: string; readonly of?: string }
  /** What few readers want: a page of paper or of a terminal has it as it is; paper only `paper` in its place, where that is given. */
  | { readonly block: 'fold'; readonly title: string; readonly body: readonly Block[]; readonly paper?: Text }
  /** Something with a short name of its own, `F1`, and all that is said of it. */
  | {
      readonly block: 'entry'
      readonly label: Inline
      readonly title: Text
      readonly body: readonly Block[]
      /** What was decided of it, in a word: a terminal leaves it out. */
      readonly badge?: Badge
    }
  /** Belongs to what stands above it. */
  | { readonly block: 'inset'; readonly depth: 1 | 2; readonly body: readonly Block[] }
  | { readonly block: 'gap' }
  /** Two forms of the same: one for pages at least that wide, in cells. */
  | {
      readonly block: 'either'
      readonly from: number
      readonly wide: readonly Block[]
      readonly narrow: readonly Block[]
    }
  /** Where its paths are too long for the page, what all of them begin with is written once, at the end. */
  | { readonly block: 'shared-paths'; readonly where: string; readonly body: readonly Block[] }

function part(kind: PartKind, text: string): Part {
  return Object.freeze({ kind, text })
}

/** The part as the value that stands at a place of the JSON document. */
export const marked = (part: Part, of: string): Part => Object.freeze({ ...part, of })
/** A text of that document. */
export const value = (text: string, of: string): Part => Object.freeze({ kind: 'value', text, of })

/** The word that a reader must not miss; its meaning is in the word, never in the style alone. */
export const strong = (text: string): Part => part('strong', text)
export const alarm = (text: string): Part => part('alarm', text)
export const good = (text: string): Part => part('good', text)
/** What does not hold any more. */
export const struck = (text: string): Part => part('struck', text)
export const address = (text: string): Part => part('address', text)
export const command = (text: string): Part => part('command', text)
export const path = (text: string, endAtMost?: number): Part =>
  Object.freeze({ kind: 'path', text, ...(endAtMost !== undefined && { endAtMost }) })
/** Values that `numbers.ts` has put in words. */
export const time = (text: string): Part => part('time', text)
export const bytes = (text: string): Part => part('bytes', text)
export const count = (text: string): Part => part('count', text)

/** A text with parts in it: line`${strong('Complete:')} no gap`. */
export function line(words: TemplateStringsArray, ...texts: readonly Text[]): readonly Inline[] {
  const parts = words.flatMap((word, i): Inline[] => [word, ...inlines(texts[i] ?? '')])
  return Object.freeze(parts.filter(one => one !== ''))
}

/** The characters of a text. */
export function plainText(text: Text): string {
  return inlines(text)
    .map(one => (typeof one === 'string' ? one : one.text))
    .join('')
}

export function inlines(text: Text): readonly Inline[] {
  return typeof text === 'string' || 'kind' in text ? [text] : text
}

export const title = (text: Text): Block => node({ block: 'title', text })
export const heading = (text: Inline): Block => node({ block: 'heading', text })
export const subheading = (text: Inline): Block => node({ block: 'heading', text, depth: 2 })
export const paragraph = (text: Text): Block => node({ block: 'paragraph', text })
export const shortened = (text: Text, linesAtMost: number, more: string): Block =>
  node({ block: 'paragraph', text, linesAtMost, more })
export const note = (text: Text): Block => node({ block: 'note', text })
export const warning = (text: Text): Block => node({ block: 'warning', text })
export const list = (items: readonly Text[]): Block => node({ block: 'list', items })
export const fact = (name: string, ...values: Text[]): Fact => node({ name, values })
export const facts = (rows: readonly Fact[]): Block => node({ block: 'facts', facts: rows })
export const table = (columns: readonly Column[], rows: readonly Row[], caption?: string): Table =>
  node({ block: 'table', columns, rows, ...(caption !== undefined && { caption }) })
export const figure = (given: Omit<Figure, 'block'>): Block => node({ block: 'figure', ...given })
export const quotes = (lines: readonly QuotedLine[]): Block => node({ block: 'quotes', lines })
export const sheet = (sheet: Omit<Sheet, 'block'>): Block => node({ block: 'sheet', ...sheet })
export const bars = (bars: Omit<Bars, 'block'>): Block => node({ block: 'bars', ...bars })
export const code = (text: string, of?: string): Block => node({ block: 'code', text, ...(of !== undefined && { of }) })
export const fold = (title: string, body: readonly Block[], paper?: Text): Block =>
  node({ block: 'fold', title, body, ...(paper !== undefined && { paper }) })
export const entry = (label: Inline, title: Text, body: readonly Block[], badge?: Badge): Block =>
  node({ block: 'entry', label, title, body, ...(badge !== undefined && { badge }) })
export const inset = (depth: 1 | 2, body: readonly Block[]): Block => node({ block: 'inset', depth, body })
export const gap: Block = node({ block: 'gap' })
export const either = (from: number, wide: readonly Block[], narrow: readonly Block[]): Block =>
  node({ block: 'either', from, wide, narrow })
export const sharedPaths = (where: string, body: readonly Block[]): Block =>
  node({ block: 'shared-paths', where, body })

/** Frozen, with copies of its lists, so that the caller's stay as they are. */
function node<T extends Block | Fact>(given: T): T {
  const entries = Object.entries(given).map(([name, value]) => [
    name,
    Array.isArray(value) ? Object.freeze([...value]) : value,
  ])
  return Object.freeze(Object.fromEntries(entries)) as T
}

/** The blocks of each item, with a gap between one item and the next. */
export function apart(items: readonly (readonly Block[])[]): Block[] {
  return items.flatMap((blocks, i) => [...(i > 0 ? [gap] : []), ...blocks])
}

/** At most `limit` items, then what `more` says about the number left out. */
export function limited<T>(items: readonly T[], limit: number, more: (left: number) => T): T[] {
  return items.length <= limit ? [...items] : [...items.slice(0, limit), more(items.length - limit)]
}
