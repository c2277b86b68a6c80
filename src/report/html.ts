/** The printer for a browser: blocks to elements. `html-page.ts` makes a document of them, `html-text.ts` characters. */
import type { Bars, Block, Column, Figure, Inline, Part, Row, Sheet, Table, Text } from './block.ts'
import { inlines, plainText } from './block.ts'
import { type Element, element, type Markup } from './html-text.ts'
import { integerText, sizeText } from './numbers.ts'

/** A part of a page under a heading of its own. */
export interface Section {
  id: string
  /** Null: what stands before the first heading. */
  title: Inline | null
  blocks: Block[]
}

/** The blocks by their headings. */
export function sectionsOf(blocks: readonly Block[]): Section[] {
  const sections: Section[] = [{ id: 'top', title: null, blocks: [] }]
  for (const block of blocks) {
    if (block.block === 'heading' && block.depth === undefined)
      sections.push({ id: `section-${sections.length}`, title: block.text, blocks: [] })
    else sections.at(-1)!.blocks.push(block)
  }
  return sections
}

export function sectionElement({ id, title, blocks }: Section): Element {
  const body = markupOf(blocks)
  if (title === null) return element('header', { id }, ...body)
  const heading = element('h2', { id: `${id}-title` }, ...textMarkup(title))
  return element('section', { id }, heading, ...body)
}

export function markupOf(blocks: readonly Block[], level = 3): Markup[] {
  return blocks.flatMap(block => blockMarkup(block, level))
}

/** @param level of a heading within the section. */
function blockMarkup(block: Block, level: number): Markup[] {
  switch (block.block) {
    case 'title':
      return [element('h1', {}, ...textMarkup(block.text))]
    case 'heading':
      return [element(`h${level}`, {}, ...textMarkup(block.text))]
    case 'paragraph':
      return [element('p', {}, ...textMarkup(block.text))]
    case 'note':
      return [element('p', { class: 'note' }, element('strong', {}, 'Note:'), ' ', ...textMarkup(block.text), '.')]
    case 'warning':
      return [element('p', { class: 'warning' }, element('strong', {}, ...textMarkup(block.text)))]
    case 'list':
      return block.items.length === 0
        ? []
        : [element('ul', {}, ...block.items.map(item => element('li', {}, ...textMarkup(item))))]
    case 'facts':
      return [element('dl', { class: 'facts' }, ...block.facts.map(factElement))]
    case 'table':
      return [tableElement(block)]
    case 'sheet':
      return sheetMarkup(block)
    case 'bars':
      return [tableElement(barsTable(block))]
    case 'figure':
      return [figureElement(block)]
    case 'quotes':
      return [element('ol', { class: 'quotes' }, ...block.lines.map(quoteElement))]
    case 'code':
      return [codeElement(block.text, block.of)]
    case 'entry':
      return [entryElement(block, level)]
    case 'inset':
      return [element('div', { class: 'inset' }, ...markupOf(block.body, level))]
    case 'fold':
      return foldMarkup(block.title, markupOf(block.body, level), block.paper)
    case 'gap':
      return []
    case 'either':
      return markupOf(block.wide, level)
    case 'shared-paths':
      return markupOf(block.body, level)
  }
}

type Of<Kind extends Block['block']> = Extract<Block, { block: Kind }>

/** The parts of a text; what is of the JSON document says where in it. */
export function textMarkup(text: Text): Markup[] {
  return inlines(text).map(inline => (typeof inline === 'string' ? inline : partMarkup(inline)))
}

const partElements: Readonly<Record<Part['kind'], string>> = {
  ...{ strong: 'strong', alarm: 'strong', good: 'strong', command: 'code', struck: 's' },
  ...{ absent: 'span', address: 'span', time: 'span', bytes: 'span', count: 'span', path: 'span', value: 'span' },
}
/** Kinds that the style sheet knows. */
const classes = new Set<Part['kind']>(['alarm', 'good', 'absent', 'address', 'time', 'path'])

function partMarkup({ kind, text, of }: Part): Markup {
  const attributes = { class: classes.has(kind) ? kind : undefined, 'data-figure': of }
  return element(partElements[kind], attributes, text)
}

function factElement({ name, values }: Of<'facts'>['facts'][number]): Element {
  return element('div', {}, element('dt', {}, name), ...values.map(value => element('dd', {}, ...textMarkup(value))))
}

function tableElement({ columns, rows, caption, isCompact = false }: Table): Element {
  const hasLabels = rows.some(row => row.label !== undefined)
  // Rows that stand together are not put into another order.
  const isSortable = rows.length > 1 && rows.every(row => row.above === undefined)
  const head: Column[] = [...(hasLabels ? [{ title: 'id' }] : []), ...columns]
  const table = element(
    'table',
    { class: [...(isSortable ? ['sortable'] : []), ...(isCompact ? ['compact'] : [])].join(' ') || undefined },
    ...(caption === undefined ? [] : [element('caption', {}, caption)]),
    element('thead', {}, element('tr', {}, ...head.map(headElement))),
    element('tbody', {}, ...rows.flatMap(row => rowElements(row, columns, hasLabels))),
  )
  return scrolling(table, caption ?? `Table: ${head.map(({ title }) => title).join(', ')}`)
}

function headElement({ title, align, of }: Column): Element {
  const text = of === undefined ? title : element('span', { 'data-figure': of }, title)
  return element('th', { scope: 'col', class: align === 'right' ? 'right' : undefined }, text)
}

/** Wide things scroll by themselves, with the keyboard too. */
function scrolling(content: Element, label: string): Element {
  return element('div', { class: 'scroll', role: 'group', 'aria-label': label, tabindex: 0 }, content)
}

function rowElements({ label, cells, above, detail }: Row, columns: readonly Column[], hasLabels: boolean): Element[] {
  const first = hasLabels ? [element('th', { scope: 'row' }, ...(label === undefined ? [] : textMarkup(label)))] : []
  const rest = cells.map((cell, at) => {
    const attributes = { class: columns[at]?.align === 'right' ? 'right' : undefined, 'data-title': columns[at]?.title }
    return at === 0 && !hasLabels
      ? element('th', { ...attributes, scope: 'row' }, ...textMarkup(cell))
      : element('td', attributes, ...textMarkup(cell))
  })
  const span = columns.length + Number(hasLabels)
  const over = above === undefined ? [] : [element('th', { scope: 'rowgroup', colspan: span }, ...textMarkup(above))]
  const more = detail === undefined ? [] : [element('td', { colspan: span }, ...textMarkup(detail))]
  return [
    ...over.map(cell => element('tr', {}, cell)),
    element('tr', { class: more.length > 0 ? 'has-more' : undefined }, ...first, ...rest),
    ...more.map(cell => element('tr', { class: 'more' }, cell)),
  ]
}

function sheetMarkup({ columns, rows, below }: Sheet): Markup[] {
  const cells = rows.map(row => ({ cells: row.map((cell): Text => cell ?? { kind: 'absent', text: 'null' }) }))
  return [tableElement({ block: 'table', columns, rows: cells }), ...below.map(sentence => element('p', {}, sentence))]
}

/** What bars show, for a page that does not draw them: of each row the sum and the peak. */
export function barsTable({ what, lines, whole }: Bars): Table {
  const rows = [...lines, whole].map(({ label, unit, values }): Row => {
    const word = (value: number): string => (unit === 'bytes' ? sizeText(Math.round(value)) : integerText(value))
    const sum = values.reduce((total, value) => total + value, 0)
    const peak = values.reduce((most, value) => Math.max(most, value), 0)
    return { cells: [label, word(sum), word(peak)] }
  })
  const right = { align: 'right' } as const
  return {
    block: 'table',
    columns: [{ title: 'row' }, { title: 'in all', ...right }, { title: 'most in a bin', ...right }],
    rows,
    caption: what,
  }
}

/** On paper `paper` stands in the place of what is folded, where it is given. */
function foldMarkup(title: string, body: readonly Markup[], paper: Text | undefined): Element[] {
  const details = element(
    'details',
    { class: paper === undefined ? undefined : 'screen' },
    element('summary', {}, title),
    ...body,
  )
  return paper === undefined ? [details] : [details, element('p', { class: 'paper' }, ...textMarkup(paper))]
}

function figureElement({ title, description, drawing, narrow, data }: Figure): Element {
  return element(
    'figure',
    {},
    element('figcaption', {}, element('strong', {}, title), element('p', {}, ...textMarkup(description))),
    element('div', { class: 'wide' }, drawing),
    element('div', { class: 'narrow' }, narrow),
    ...foldMarkup(
      `${title}: the values`,
      [tableElement(data)],
      'The values are in the HTML, on a screen, and in the JSON.',
    ),
  )
}

function quoteElement({ where, text }: Of<'quotes'>['lines'][number]): Element {
  return element(
    'li',
    {},
    element('div', { class: 'where' }, ...textMarkup(where)),
    element('pre', {}, element('code', { 'data-figure': text.of }, text.text)),
  )
}

function codeElement(text: string, of: string | undefined): Element {
  return element(
    'div',
    { class: 'command' },
    element('pre', { tabindex: 0 }, element('code', { 'data-figure': of }, text)),
  )
}

function entryElement({ label, title, body, badge }: Of<'entry'>, level: number): Element {
  return element(
    'article',
    { class: 'entry' },
    element(
      `h${level}`,
      {},
      element('span', { class: 'label' }, ...textMarkup(label)),
      ' ',
      ...textMarkup(title),
      ...(badge === undefined
        ? []
        : [' ', element('span', { class: `badge ${badge.look}` }, ...textMarkup(badge.text))]),
    ),
    ...markupOf(body, level + 1),
  )
}

/** The characters of a heading, as a link to it has them. */
export function titleMarkup(title: Inline): Markup[] {
  return plainText(title) === '' ? ['(without a title)'] : textMarkup(title)
}
