/** Plain data as YAML 1.2: texts in double quotes, so that none of them is anything else. */
import { hidden } from '../report/text.ts'

/** A document, its begin marked. */
export function yamlDocument(value: object): string {
  return `---\n${blockOf(value, '')}`
}

function blockOf(value: object, indent: string): string {
  let text = ''
  for (const [name, one] of Object.entries(value)) {
    if (one === undefined || one === null) continue
    if (Array.isArray(one)) text += `${indent}${name}:${listOf(one, indent)}\n`
    else if (typeof one === 'object') text += `${indent}${name}:\n${blockOf(one as object, `${indent}  `)}`
    else text += `${indent}${name}: ${scalar(one)}\n`
  }
  return text
}

function listOf(list: readonly unknown[], indent: string): string {
  if (list.length === 0) return ' []'
  return list.map(one => `\n${indent}  - ${scalar(one)}`).join('')
}

function scalar(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  const text = String(value)
  return JSON.stringify(text.replace(/\p{Cs}/gu, '\ufffd')).replace(hidden, escaped)
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}
