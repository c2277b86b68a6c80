import { hidden } from './text.ts'

/**
 * JSON text, indented by two, that `JSON.parse` reads back. A bigint is written as its digits, keys that are
 * undefined are left out, and what a terminal would obey or hide is written as `\uXXXX`. Values that JSON has
 * no form for (Map, Date, class instances, NaN) are refused: they would be written as something else.
 */
export function toJson(value: unknown): string {
  const parts: string[] = []
  write(value, '\n', parts)
  return parts.join('')
}

/** A document with one list of which the items are written as they come. It is no JSON before `end`. */
export class JsonStream {
  private before: string
  private isEmpty = true

  /** @param head the members before the list; at least one. */
  constructor(head: object, name: string) {
    this.before = `${toJson(head).slice(0, -2)},\n  ${quote(name)}: [`
  }

  item(value: unknown): string {
    const parts = [this.before, '\n    ']
    write(value, '\n    ', parts)
    this.before = ','
    this.isEmpty = false
    return parts.join('')
  }

  /** @param tail the members after the list; at least one. */
  end(tail: object): string {
    return `${this.isEmpty ? this.before : '\n  '}],${toJson(tail).slice(1)}`
  }
}

/** Parts that stand apart before they are one text: each is an object of its own. */
const partsMax = 100_000

function write(value: unknown, newline: string, parts: string[]): void {
  if (value === null || value === undefined) parts.push('null')
  else if (typeof value === 'string') parts.push(quote(value))
  else if (typeof value === 'boolean' || typeof value === 'bigint') parts.push(String(value))
  else if (typeof value === 'number') parts.push(digits(value))
  else if (Array.isArray(value)) writeArray(value, newline, parts)
  else if (isPlainObject(value)) writeObject(value, newline, parts)
  else throw new TypeError(`no JSON form: ${nameOf(value)}`)
}

function writeArray(array: readonly unknown[], newline: string, parts: string[]): void {
  if (array.length === 0) {
    parts.push('[]')
    return
  }
  const inner = `${newline}  `
  let before = '['
  for (const item of array) {
    parts.push(before, inner)
    write(item, inner, parts)
    before = ','
    if (parts.length > partsMax) parts.splice(0, parts.length, parts.join(''))
  }
  parts.push(newline, ']')
}

function writeObject(object: object, newline: string, parts: string[]): void {
  const inner = `${newline}  `
  let before = '{'
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue
    parts.push(before, inner, quote(key), ': ')
    write(value, inner, parts)
    before = ','
  }
  parts.push(before === '{' ? '{}' : `${newline}}`)
}

function quote(text: string): string {
  return escapeHidden(JSON.stringify(text))
}

/** JSON text with what a terminal would obey or hide written as `\uXXXX`; such characters stand in its strings alone. */
export function escapeHidden(json: string): string {
  return json.replace(hidden, escapeUnits)
}

/** By UTF-16 code unit, as JSON wants it: two escapes for a character beyond U+FFFF. */
function escapeUnits(character: string): string {
  let escaped = ''
  for (let i = 0; i < character.length; i++) {
    escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
  }
  return escaped
}

function digits(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`no JSON form: ${value}`)
  return JSON.stringify(value)
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function nameOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? value.constructor.name : typeof value
}
