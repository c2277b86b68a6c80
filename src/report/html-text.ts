/**
 * HTML and SVG as trees of elements, and the one function that makes characters of them. Texts and values are escaped here and nowhere
 * else; names of elements and attributes come from the program alone.
 */
import { visible } from './text.ts'

export interface Element {
  readonly name: string
  readonly attributes: Attributes
  readonly children: readonly Markup[]
}

/** Left out where undefined or false; a name alone where true. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>
export type Markup = string | Element

export function element(name: string, attributes: Attributes = {}, ...children: readonly Markup[]): Element {
  return Object.freeze({ name, attributes, children: Object.freeze([...children]) })
}

/** Elements that have no end. */
const empty = new Set(['meta', 'link', 'br'])
/** Elements whose text HTML does not read as markup: only the program's own constants go in. */
const raw = new Set(['style', 'script'])
const nameForm = /^[a-zA-Z][a-zA-Z0-9-]*$/

/** After these a line ends: the file can be read, and compared line by line. */
const ofLines = new Set(
  'html head meta link title style script body header nav main footer section article h1 h2 h3 h4 p ol ul li dl dt dd table caption thead tbody tr pre figure figcaption details summary svg g'.split(
    ' ',
  ),
)

export function markupText(markup: Markup): string {
  const parts: string[] = []
  write(markup, parts, false)
  return parts.join('')
}

/** @param isVerbatim within `pre`, where line breaks of a text are kept. */
function write(markup: Markup, parts: string[], isVerbatim: boolean): void {
  if (typeof markup === 'string') {
    parts.push(isVerbatim ? markup.split('\n').map(escaped).join('\n') : escaped(markup))
    return
  }
  const { name, attributes, children } = markup
  parts.push('<', checked(name))
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    parts.push(' ', checked(attribute), value === true ? '' : `="${escaped(String(value))}"`)
  }
  parts.push('>')
  if (raw.has(name)) parts.push(rawText(children))
  else for (const child of children) write(child, parts, isVerbatim || name === 'pre')
  if (!empty.has(name)) parts.push('</', name, '>')
  if (ofLines.has(name) && !isVerbatim) parts.push('\n')
}

/** No text of a name. @throws Error for any other text. */
function checked(name: string): string {
  if (!nameForm.test(name)) throw new Error(`not a name of HTML: ${JSON.stringify(name)}`)
  return name
}

function rawText(children: readonly Markup[]): string {
  const text = children.map(child => (typeof child === 'string' ? child : '')).join('')
  if (/<[/!]/.test(text)) throw new Error('what ends an element in a style or a script')
  return text
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** A text within an element or a quoted attribute: no markup, and nothing hidden. */
function escaped(text: string): string {
  return visible(text).replace(/[&<>"']/g, character => entities[character]!)
}
