/** Files of rules as the values that they hold: JSON, several documents one after the other, or YAML. */
import { createRequire } from 'node:module'
import type { Node, YAMLMap } from 'yaml'
import { utf8 } from '../disk/named-file.ts'
import { errorText, UserError } from '../errors.ts'

/** A value, and how messages call where it stands: `groups.json`, `all.json, document 2`. */
export interface RuleDocument {
  where: string
  value: unknown
}

/** A template of CloudFormation has no more (AWS CloudFormation User Guide, "Quotas"). */
const yamlMegabytes = 1
const documentsMost = 10_000

/** Read at the first YAML, which most commands never see. */
const yaml = (): typeof import('yaml') => createRequire(import.meta.url)('yaml') as typeof import('yaml')

const known =
  'known are what aws ec2 describe-security-groups, -network-acls, -network-interfaces, -subnets and the like print, and what tidemark controls writes'

/** @throws UserError where it is neither. */
export function documentsIn(where: string, bytes: Uint8Array): RuleDocument[] {
  if (/\.tf(\.json)?$/.test(where)) {
    throw new UserError(`${where}: Terraform is not read`, {
      hint: 'give the CloudFormation or the JSON of the same controls, or what aws ec2 describe-… prints once it is applied',
    })
  }
  const text = utf8(where, bytes, known).replace(/^\uFEFF/, '')
  if (text.trim() === '') throw new UserError(`${where}: empty`, { hint: known })
  const values = /^\s*[{[]/.test(text) ? jsonIn(where, text) : yamlIn(where, text)
  return values.map((value, i) => ({ where: values.length === 1 ? where : `${where}, document ${i + 1}`, value }))
}

function jsonIn(where: string, text: string): unknown[] {
  const whole = parsed(text)
  if (whole.fault === null) {
    requireKeysOnce(where, text)
    return [whole.value]
  }
  const pieces = piecesOf(text)
  if (pieces === null || pieces.length < 2) throw notJson(where, text, 0, whole.fault)
  if (pieces.length > documentsMost) {
    throw new UserError(`${where}: more than ${documentsMost} documents`, { hint: 'split it into several files' })
  }
  return pieces.map(({ from, to }) => {
    const piece = parsed(text.slice(from, to))
    if (piece.fault !== null) throw notJson(where, text, from, piece.fault)
    requireKeysOnce(where, text, from, to)
    return piece.value
  })
}

type Parsed = { value: unknown; fault: null } | { value: null; fault: string }

function parsed(text: string): Parsed {
  try {
    return { value: JSON.parse(text), fault: null }
  } catch (error) {
    // V8 says by the second that a document is nested too deeply.
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error
    return { value: null, fault: error.message }
  }
}

function notJson(where: string, text: string, from: number, fault: string): UserError {
  const at = /position (\d+)/.exec(fault)
  const line = text.slice(0, from + Number(at?.[1] ?? 0)).split('\n').length
  return new UserError(`${where}: not JSON`, { hint: `line ${line}: ${fault}` })
}

/** Where objects and lists that stand one after the other begin and end; null where one does not end. */
function piecesOf(text: string): { from: number; to: number }[] | null {
  const pieces: { from: number; to: number }[] = []
  let depth = 0
  let from = 0
  let isText = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (isText) {
      if (c === '\\') i++
      else if (c === '"') isText = false
    } else if (c === '"') isText = true
    else if (c === '{' || c === '[') {
      if (depth++ === 0) from = i
    } else if ((c === '}' || c === ']') && --depth <= 0) {
      if (depth < 0) return null
      pieces.push({ from, to: i + 1 })
    } else if (depth === 0 && !/\s/.test(c)) return null
  }
  return depth === 0 && !isText ? pieces : null
}

function yamlIn(where: string, text: string): unknown[] {
  if (text.length > yamlMegabytes * 2 ** 20) {
    throw new UserError(`${where}: YAML of more than ${yamlMegabytes} MB`, { hint: `give it as JSON; ${known}` })
  }
  const unfit = (line: number | null, fault: string): UserError => {
    const why = /call stack/.test(fault) ? 'nested too deeply' : fault.split('\n')[0]
    return new UserError(`${where}: neither JSON nor YAML`, {
      hint: `${line === null ? '' : `line ${line}: `}${why}; ${known}`,
    })
  }
  try {
    const documents = yaml().parseAllDocuments(text, { uniqueKeys: false, logLevel: 'silent' })
    if (!Array.isArray(documents)) throw unfit(null, 'no document')
    return documents.map(document => {
      const error = document.errors[0]
      if (error !== undefined) throw unfit(error.linePos?.[0].line ?? null, error.message)
      yaml().visit(document, { Node: spelledOut, Map: (_, map) => requireOnce(map, where) })
      const value: unknown = document.toJS()
      if (typeof value !== 'object')
        throw unfit(null, 'what AWS prints as text or table is not read: add --output json')
      return value
    })
  } catch (error) {
    // Too deep, or too many aliases.
    if (error instanceof RangeError || error instanceof ReferenceError) throw unfit(null, errorText(error))
    throw error
  }
}

/** CloudFormation's short forms as the long ones: `!Ref a` is `{ Ref: a }`, `!GetAtt a.b` is `{ 'Fn::GetAtt': 'a.b' }`. */
function spelledOut(_: unknown, node: Node): YAMLMap | undefined {
  const { tag } = node as { tag?: string }
  if (tag === undefined || !/^![A-Za-z0-9]+$/.test(tag)) return undefined
  ;(node as { tag?: string | undefined }).tag = undefined
  const name = tag.slice(1)
  const { Pair, Scalar, YAMLMap } = yaml()
  const map = new YAMLMap()
  map.items.push(new Pair(new Scalar(name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`), node))
  return map
}

/** @throws UserError for a key that stands twice in a mapping: which one counts would be a guess. */
function requireOnce({ items }: YAMLMap, where: string): void {
  const keys = new Set<unknown>()
  for (const { key } of items) {
    const name = yaml().isScalar(key) ? key.value : key
    if (keys.has(name)) throw keyTwice(where, String(name))
    keys.add(name)
  }
}

function keyTwice(where: string, what: string): UserError {
  return new UserError(`${where}: a key stands twice in a mapping`, { hint: `remove one: ${what}` })
}

/** The like for JSON, whose parser takes the last one. @param text sound JSON from `from` to `to`. */
function requireKeysOnce(where: string, text: string, from = 0, to = text.length): void {
  // Of the objects around; null for a list.
  const around: (Set<string> | null)[] = []
  let isKey = false
  for (let i = from; i < to; i++) {
    const c = text[i]!
    if (c === '{' || c === '[') around.push(c === '{' ? new Set() : null)
    else if (c === '}' || c === ']') around.pop()
    if (c === '{' || c === ',') isKey = around.at(-1) instanceof Set
    if (c !== '"') continue
    const begin = i++
    while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1
    if (!isKey) continue
    isKey = false
    const keys = around.at(-1)!
    const name = JSON.parse(text.slice(begin, i + 1)) as string
    if (keys.has(name)) throw keyTwice(where, `line ${text.slice(0, begin).split('\n').length}: ${name}`)
    keys.add(name)
  }
}
