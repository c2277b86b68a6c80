/** Lines of a page for a terminal: its texts, paragraphs and facts. */
import { createRequire } from 'node:module'
import type pc from 'picocolors'
import { type Fact, inlines, type Part, type Text } from './block.ts'
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
export function styled(text: string, style: (word: string) => string): string {
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
