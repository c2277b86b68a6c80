/** Writes YAML with nothing in it that a reader of any version could take for something else: every text that is not a plain word is quoted. */

import { decimal } from './names.ts'

export type YamlValue = string | number | boolean | YamlValue[] | { [key: string]: YamlValue }

/** A plain word, and none that some reader takes for a boolean, a number or null. */
const word = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z][A-Za-z0-9_/-]*(?:::[A-Za-z0-9]+)*$/i

/** A double-quoted scalar (YAML 1.1 and 1.2, "Double-Quoted Style"): JSON's escapes are a part of its own. */
export function yamlString(text: string): string {
  if (word.test(text)) return text
  // CloudFormation reads `{{resolve:ssm:…}}` anywhere as a parameter or secret of the account.
  // Its linter takes `${VpcId}` for a reference that was forgotten to be one.
  const plain = text.replaceAll('{{resolve:', '{ {resolve:').replace(/\$\{(?=[A-Z])/g, '$ {')
  return JSON.stringify(plain).replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, character => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** Lines of a mapping, in the order of its keys. */
export function yamlLines(value: { [key: string]: YamlValue }, indent: string): string[] {
  return Object.entries(value).flatMap(([key, item]) => entryLines(`${indent}${yamlString(key)}:`, item, indent))
}

function entryLines(head: string, value: YamlValue, indent: string): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${head} []`]
    return [head, ...value.flatMap(item => itemLines(item, `${indent}  `))]
  }
  if (isInline(value)) return [`${head} ${inline(value)}`]
  return [head, ...yamlLines(value as { [key: string]: YamlValue }, `${indent}  `)]
}

function itemLines(value: YamlValue, indent: string): string[] {
  if (isInline(value)) return [`${indent}- ${inline(value)}`]
  const [first, ...rest] = Array.isArray(value)
    ? value.flatMap(item => itemLines(item, `${indent}  `))
    : yamlLines(value as { [key: string]: YamlValue }, `${indent}  `)
  return [`${indent}- ${first!.trimStart()}`, ...rest]
}

/** Scalars, and a reference such as `{ Ref: VpcId }`. */
function isInline(value: YamlValue): boolean {
  if (typeof value !== 'object') return true
  if (Array.isArray(value)) return value.length === 0
  const entries = Object.values(value)
  return entries.length === 0 || (entries.length === 1 && isReference(entries[0]!))
}

function isReference(value: YamlValue): boolean {
  return (
    typeof value === 'string' ||
    (Array.isArray(value) && value.every(item => typeof item !== 'object' || isInline(item)))
  )
}

function inline(value: YamlValue): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value === 'object') {
    const entries = Object.entries(value).map(([key, item]) => `${yamlString(key)}: ${inline(item)}`)
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
  }
  if (typeof value === 'number') return decimal(value)
  return typeof value === 'string' ? yamlString(value) : String(value)
}
