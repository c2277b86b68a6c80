/** Reads a report's HTML with a parser of its own and compares every marked value with the JSON document; knows nothing of the printer. */
import { type DefaultTreeAdapterTypes, parse } from 'parse5'

type Node = DefaultTreeAdapterTypes.Node
type ElementNode = DefaultTreeAdapterTypes.Element

export interface Marks {
  /** Marked values that were compared. */
  compared: number
  /** What is wrong, in words. */
  faults: string[]
}

/** Words of the page itself that have a digit in them. */
const ownWords = /SHA-256/g
const withoutText = new Set(['style', 'script', 'desc', 'title'])

export function compareMarks(html: string, document: unknown): Marks {
  const marks: Marks = { compared: 0, faults: [] }
  walk(parse(html), false, marks, document)
  return marks
}

function walk(node: Node, isMarked: boolean, marks: Marks, document: unknown): void {
  if (node.nodeName === '#text') {
    const text = (node as DefaultTreeAdapterTypes.TextNode).value
    if (!isMarked && /\d/.test(text.replace(ownWords, ''))) marks.faults.push(`without a mark: ${text.trim()}`)
    return
  }
  if (withoutText.has(node.nodeName) || attribute(node, 'data-scale') !== null) return
  const mark = attribute(node, 'data-figure')
  if (mark !== null) {
    marks.compared++
    const text = textOf(node)
    const value = evaluate(mark, document)
    if (!isSame(text, value, mark)) marks.faults.push(`${mark}: the page says ${text}, the document ${String(value)}`)
  }
  for (const child of childrenOf(node)) walk(child, isMarked || mark !== null, marks, document)
}

export function childrenOf(node: Node): Node[] {
  return 'childNodes' in node ? node.childNodes : []
}

export function attribute(node: Node, name: string): string | null {
  return 'attrs' in node ? ((node as ElementNode).attrs.find(one => one.name === name)?.value ?? null) : null
}

export function textOf(node: Node): string {
  if (node.nodeName === '#text') return (node as DefaultTreeAdapterTypes.TextNode).value
  return childrenOf(node).map(textOf).join('')
}

/** The value that a mark names: docs/reference/report.md. */
function evaluate(mark: string, document: unknown): unknown {
  const [part, whole] = mark.split(' / ')
  if (whole !== undefined) return { share: Number(evaluate(part!, document)) / Number(evaluate(whole, document)) }
  const terms = mark.split(/ (?=[+-] )/)
  if (terms.length > 1) {
    return terms
      .map(term =>
        term.startsWith('- ')
          ? -Number(valueAt(term.slice(2), document))
          : Number(valueAt(term.replace('+ ', ''), document)),
      )
      .reduce((sum, one) => sum + one, 0)
  }
  return valueAt(mark, document)
}

function valueAt(term: string, document: unknown): unknown {
  if (/^\d+$/.test(term)) return Number(term)
  if (term.startsWith('#')) return Number(term.slice(term.lastIndexOf('.') + 1)) + 1
  const count = /^\|(.*)\|$/.exec(term)
  if (count !== null) return (at(count[1]!.split('.'), document) as unknown[]).length
  const line = /^(.*):(\d+)$/.exec(term)
  if (line !== null) return String(at(line[1]!.split('.'), document)).split(/\r\n|\n|\r/)[Number(line[2]) - 1]
  return at(term.split('.'), document)
}

function at(path: readonly string[], document: unknown): unknown {
  const [name, ...rest] = path
  if (name === undefined) return document
  if (name === '*')
    return Object.values(document as object).reduce<number>((sum, item) => sum + Number(at(rest, item)), 0)
  if (typeof document !== 'object' || document === null || !(name in document)) return undefined
  return at(rest, (document as Record<string, unknown>)[name])
}

const units: Readonly<Record<string, number>> = {
  ...{ B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 },
  ...{ s: 1, min: 60, h: 3600, d: 86_400 },
}

function isSame(text: string, value: unknown, mark: string): boolean {
  if (value === undefined) return false
  if (value === null) return text === 'unknown' || text === 'none'
  if (typeof value === 'string') return isSameText(text, value)
  if (typeof value === 'object') return isShare(text, (value as { share: number }).share)
  if (typeof value !== 'number') return text === String(value)
  if (mark.startsWith('#')) return text === `S${value}`
  const [, exact, , , size] = /^(?:≥ )?([\d,]+(?:\.\d+)?)( B( \((.*)\))?)?$/.exec(text) ?? []
  if (exact !== undefined)
    return Number(exact.replaceAll(',', '')) === value && (size === undefined || isSize(size, value))
  return isSize(text, value) || isLength(text, value)
}

function isSameText(text: string, value: string): boolean {
  if (text === value || text === value.replace(/^(\d{4}-\d\d-\d\d)T/, '$1 ')) return true
  if (text.startsWith('…') && text.length > 12) return value.endsWith(text.slice(1))
  // A threshold in words.
  const amount = text.replace(/ B( \(.*\))?$/, '').replaceAll(',', '')
  if (amount.replace('at least', '>=').replace('at most', '<=') === value) return true
  if (text.endsWith('…') && text.length > 12) return value.startsWith(text.slice(0, -1))
  // Marks that nothing hides: what would, stands as its number.
  return (
    text.replace(/\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\u\{[0-9a-f]+\}/g, '') ===
    value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '')
  )
}

function isShare(text: string, share: number): boolean {
  if (text === '0 %') return share === 0
  if (text === '100 %') return share === 1
  if (text === '<0.1 %') return share > 0 && share < 0.0005
  if (text === '>99 %') return share >= 0.995 && share < 1
  const [, number] = /^([\d.]+) %$/.exec(text) ?? []
  return number !== undefined && Math.abs(Number(number) - share * 100) <= (number.includes('.') ? 0.05 : 0.5) + 1e-9
}

function isSize(text: string, value: number): boolean {
  const [, number, unit] = /^([\d,.]+) ([KMGT]?i?B)$/.exec(text) ?? []
  if (number === undefined) return false
  return Math.abs(Number(number.replaceAll(',', '')) - value / units[unit!]!) <= (unit === 'B' ? 0 : 0.05 + 1e-9)
}

function isLength(text: string, value: number): boolean {
  const parts = [...text.matchAll(/([\d.]+) (d|h|min|s)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join(' ') !== text) return false
  const seconds = parts.reduce((sum, [, number, unit]) => sum + Number(number) * units[unit!]!, 0)
  return seconds <= value && value - seconds < units[parts.at(-1)![2]!]!
}
