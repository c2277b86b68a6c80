/** A page of the documentation as blocks. It comes with the program, and holds the parts of Markdown that our pages use. */
import { type MarkedToken, marked, type Token, type Tokens } from 'marked'
import {
  type Block,
  type Column,
  code,
  fact,
  facts,
  gap,
  heading,
  type Inline,
  list,
  note,
  paragraph,
  type Row,
  strong,
  table,
  title,
} from './block.ts'

/** The blocks of a page. */
export function markdownPage(markdown: string): Block[] {
  return blocksOf(marked.lexer(markdown))
}

function blocksOf(tokens: readonly Token[]): Block[] {
  const blocks = tokens.flatMap(token => blockOf(token as MarkedToken))
  return blocks.flatMap((block, i) => (i > 0 && isApart(blocks[i - 1]!, block) ? [gap, block] : [block]))
}

/** Headings bring a blank line of their own. */
function isApart(above: Block, below: Block): boolean {
  return above.block !== 'title' && above.block !== 'heading' && below.block !== 'heading'
}

function blockOf(token: MarkedToken): Block[] {
  switch (token.type) {
    case 'heading':
      return [token.depth === 1 ? title(plain(token.tokens)) : heading(plain(token.tokens))]
    case 'paragraph':
      return [paragraph(inlinesOf(token.tokens))]
    case 'code':
      return [code(token.text)]
    case 'blockquote':
      return [note(inlinesOf(token.tokens))]
    case 'list':
      return [list(itemsOf(token))]
    case 'table':
      return [tableOf(token)]
    default:
      return []
  }
}

/** A list in an item follows it, item by item. */
function itemsOf({ items }: Tokens.List): Inline[][] {
  return items.flatMap(({ tokens }) => {
    const inner = tokens.filter((token): token is Tokens.List => token.type === 'list')
    return [inlinesOf(tokens.filter(token => token.type !== 'list')), ...inner.flatMap(itemsOf)]
  })
}

/** Of two columns, the first is a name, and the second what it means. */
function tableOf({ header, rows }: Tokens.Table): Block {
  if (header.length === 2)
    return facts([header, ...rows].map(([name, value]) => fact(plain(name!.tokens), inlinesOf(value!.tokens))))
  const columns: Column[] = header.map(({ tokens, align }, i) => ({
    title: plain(tokens),
    ...(align === 'right' && { align }),
    ...(i === header.length - 1 && { hangs: true }),
  }))
  const ready: Row[] = rows.map(cells => ({ cells: cells.map(({ tokens }) => inlinesOf(tokens)) }))
  return table(columns, ready)
}

function inlinesOf(tokens: readonly Token[]): Inline[] {
  return tokens.flatMap(token => inlineOf(token as MarkedToken))
}

function inlineOf(token: MarkedToken): Inline[] {
  if (token.type === 'strong') return [strong(plain(token.tokens))]
  // As manual pages have it: what is typed as it stands is bold.
  if (token.type === 'codespan') return [strong(token.text)]
  if (token.type === 'link') return linkOf(token)
  if ('tokens' in token && token.tokens !== undefined) return inlinesOf(token.tokens)
  return 'text' in token ? [entities(oneLine(token.text))] : []
}

/** Where a link leads stands behind its words: an address, or the topic that has the page. */
function linkOf({ tokens, href }: Tokens.Link): Inline[] {
  const page = /([^/]+)\.md(?:#.*)?$/.exec(href)?.[1]
  const words = inlinesOf(tokens)
  if (/^https?:/.test(href)) return plain(tokens) === href ? words : [...words, ` (${href})`]
  return page === undefined ? words : [...words, ` (tidemark help ${topicOfPage(page)})`]
}

function plain(tokens: readonly Token[]): string {
  return inlinesOf(tokens)
    .map(inline => (typeof inline === 'string' ? inline : inline.text))
    .join('')
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ')
}

const named: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }

function entities(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, entity => named[entity]!)
}

/** Pages that are called like a command, whose own help has that name, or longer than one types. */
const renamed: Record<string, string> = {
  case: 'case-folder',
  flows: 'flows-guide',
  report: 'report-guide',
  sql: 'sql-guide',
  'lab-1.3': 'lab',
  controls: 'trials',
}

/** The topic of `tidemark help` that a page of the documentation has, by the name of its file. */
export function topicOfPage(page: string): string {
  return renamed[page] ?? page
}
