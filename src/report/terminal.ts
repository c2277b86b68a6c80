/** The printer for a terminal: no line longer than the width but for code, and no character that the terminal would obey. */
import { type Block, inlines, line, type Part, paragraph, plainText, type Text } from './block.ts'
import { barLines } from './terminal-bars.ts'
import {
  factLines,
  hangingLines,
  headingLines,
  indent,
  newPage,
  type Page,
  type PageOptions,
  shown,
} from './terminal-page.ts'
import { sheetLines } from './terminal-sheet.ts'
import { tableLines } from './terminal-table.ts'
import { displayWidth, pad, truncate, visible, wrap } from './text.ts'

/** Text of an entry stands below its title. */
const entryMargin = 6
const labelAtMost = 8
/** Cells before a place in the evidence lines, and after it for the line's number. */
const placeMargin = 26

export function terminalText(blocks: readonly Block[], options: PageOptions): string {
  return `${linesOf(newPage(options), blocks).join('\n')}\n`
}

function linesOf(page: Page, blocks: readonly Block[]): string[] {
  return blocks.flatMap(block => blockLines(page, block))
}

function blockLines(page: Page, block: Block): string[] {
  switch (block.block) {
    case 'title':
      return hangingLines(page, shown(page, block.text), '')
    case 'heading':
      return headingLines(page, plainText(block.text))
    case 'paragraph':
      return paragraphLines(page, block)
    case 'note':
      return hangingLines(page, shown(page, line`Note: ${block.text}.`))
    case 'warning':
      return hangingLines(page, shown(page, all('alarm', block.text)))
    case 'list':
      return block.items.flatMap(item => hangingLines(page, shown(page, item), `${' '.repeat(page.margin)}• `))
    case 'facts':
      return factLines(page, block.facts)
    case 'table':
      return tableLines(page, block)
    case 'sheet':
      return sheetLines(page, block)
    case 'figure':
      return linesOf(page, [paragraph(all('strong', block.title)), paragraph(block.description), block.data])
    case 'quotes':
      return block.lines.flatMap(({ where, text }) => [
        ...hangingLines(page, shown(page, where)),
        ...hangingLines({ ...page, margin: page.margin + indent }, shown(page, text)),
      ])
    case 'fold':
      return linesOf(page, [paragraph(all('strong', block.title)), ...block.body])
    case 'bars':
      return barLines(page, block)
    case 'code':
      return codeLines(page, block.text)
    case 'entry':
      return entryLines(page, block)
    case 'inset':
      return linesOf({ ...page, margin: page.margin + indent * block.depth }, block.body)
    case 'gap':
      return ['']
    case 'either':
      return linesOf(page, page.width >= block.from ? block.wide : block.narrow)
    case 'shared-paths':
      return sharedPathLines(page, block)
  }
}

type Of<Kind extends Block['block']> = Extract<Block, { block: Kind }>

/** The whole text in one style. */
function all(kind: 'strong' | 'alarm', text: Text): Part[] {
  return inlines(text).map(inline => (typeof inline === 'string' ? { kind, text: inline } : { ...inline, kind }))
}

function paragraphLines(page: Page, { text, linesAtMost, more }: Of<'paragraph'>): string[] {
  const ready = shown(page, text)
  if (linesAtMost === undefined) return hangingLines(page, ready)
  const margin = ' '.repeat(page.margin)
  const wrapped = wrap(ready, page.width - margin.length)
  const kept =
    wrapped.length <= linesAtMost
      ? wrapped
      : [...wrapped.slice(0, linesAtMost), truncate(visible(more ?? '…'), page.width - margin.length)]
  return kept.map(one => margin + one)
}

/** At the margin of the page nothing stands before it, so that what is copied is the code alone. */
function codeLines(page: Page, text: string): string[] {
  const margin = page.margin === indent ? '' : ' '.repeat(page.margin)
  return text.split('\n').map(one => `${margin}${visible(one)}`.trimEnd())
}

function entryLines(page: Page, { label, title, body }: Of<'entry'>): string[] {
  const lead = `${' '.repeat(page.margin)}${pad(truncate(visible(plainText(label)), labelAtMost), 2)}  `
  return [
    ...hangingLines(page, shown(page, all('strong', title)), lead),
    ...linesOf({ ...page, margin: entryMargin }, body),
  ]
}

function sharedPathLines(page: Page, { body, where }: Of<'shared-paths'>): string[] {
  const prefix = sharedPrefix(pathsOf(body).map(visible), page.width)
  if (prefix === '') return linesOf(page, body)
  return [...linesOf({ ...page, prefix }, body), '', ...hangingLines(page, `${visible(where)} … stands for ${prefix}`)]
}

/** Every path that stands in the blocks. */
function pathsOf(value: Block | Text | readonly Block[] | unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(pathsOf)
  if (typeof value !== 'object' || value === null) return []
  if ('kind' in value) return value.kind === 'path' && 'text' in value ? [String(value.text)] : []
  return Object.values(value).flatMap(pathsOf)
}

/**
 * The beginning that all paths share, up to a separator, when a page of that width is too narrow for the paths in
 * full: AWS names files so that only their ends differ.
 */
function sharedPrefix(paths: readonly string[], width: number): string {
  const longest = paths.reduce((most, path) => Math.max(most, displayWidth(path)), 0)
  const [first] = paths
  if (first === undefined || longest <= width - placeMargin) return ''
  let length = first.length
  for (const path of paths) while (!path.startsWith(first.slice(0, length))) length--
  const shared = first.slice(0, Math.min(length, first.length - 1))
  const cut = Math.max(shared.lastIndexOf('/'), shared.lastIndexOf('_')) + 1
  return cut < 12 ? '' : shared.slice(0, cut)
}
