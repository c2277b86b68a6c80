/** JSON on one line, for programs: exact, and nothing in it that a terminal would obey. */
import { escapeHidden } from '../report/json.ts'

/** Nothing in it to escape. */
const plain = /^[ !#-[\]-~]*$/

/** Keys that are undefined are left out; a bigint is its digits. */
export function jsonText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return plain.test(value) ? `"${value}"` : escapeHidden(JSON.stringify(value))
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`no JSON form: ${value}`)
      return String(value)
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? `[${value.map(jsonText).join(',')}]` : objectText(value)
    default:
      throw new TypeError(`no JSON form: ${typeof value}`)
  }
}

function objectText(object: object): string {
  let text = ''
  for (const name in object) {
    const value = (object as Record<string, unknown>)[name]
    if (value === undefined) continue
    text += `${text === '' ? '' : ','}${jsonText(name)}:${jsonText(value)}`
  }
  return `{${text}}`
}

/** What is known of some values: null, and a list or object without anything, say nothing. */
export function known<T extends object>(values: T): Partial<T> {
  const out: Record<string, unknown> = {}
  for (const name in values) {
    const value = values[name]
    if (value === null || value === undefined || isEmpty(value)) continue
    out[name] = value
  }
  return out as Partial<T>
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  for (const _ in value) return false
  return true
}
