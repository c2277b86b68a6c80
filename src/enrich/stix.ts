/** STIX 2 indicators: those whose pattern names addresses and nothing else. */
import * as shape from '../shape.ts'
import { indicatorRange } from './indicator-range.ts'
import type { ListEntries } from './list-entries.ts'
import { type Problems, shortened } from './source-file.ts'
import { always, timeOf, type Validity } from './times.ts'

const indicator = shape.objectOf(
  { type: shape.text, id: shape.text },
  {
    ...{ pattern: shape.text, pattern_type: shape.text, revoked: shape.yesOrNo, name: shape.text },
    ...{ valid_from: shape.text, valid_until: shape.text, modified: shape.text },
  },
)
type Indicator = shape.Fitting<typeof indicator>

/** Whether JSON is a bundle, or one object of STIX. */
export function isStix(json: unknown): json is { objects?: unknown } {
  if (typeof json !== 'object' || json === null || !('type' in json) || typeof json.type !== 'string') return false
  return json.type === 'bundle' || ('id' in json && String(json.id).startsWith(`${json.type}--`))
}

export function readStix(json: { objects?: unknown }, entries: ListEntries, problems: Problems): void {
  const objects = 'objects' in json ? json.objects : [json]
  if (!Array.isArray(objects)) {
    problems.add('objects of the bundle: not a list')
    return
  }
  for (const [i, object] of objects.entries()) {
    const isIndicator = typeof object === 'object' && object !== null && object.type === 'indicator'
    if (!isIndicator) {
      entries.leaveOut('no indicator')
      continue
    }
    const found = shape.fit(indicator, object)
    if (found.fault === null) readIndicator(found.value, entries, problems)
    else problems.add(`object ${i + 1} of the bundle: ${found.fault}`)
  }
}

function readIndicator(object: Indicator, entries: ListEntries, problems: Problems): void {
  const { id, pattern = '', pattern_type = 'stix', name, modified } = object
  const dated = modified === undefined ? null : timeOf(modified)
  if (dated !== null) entries.dated_us = Math.max(entries.dated_us ?? dated, dated)
  if (object.revoked === true) {
    entries.leaveOut('revoked')
    return
  }
  if (pattern_type !== 'stix') {
    entries.leaveOut('no address')
    return
  }
  const addresses = addressesOf(pattern)
  if (addresses === 'none') {
    entries.leaveOut('no address')
    return
  }
  if (typeof addresses === 'string') {
    problems.add(`${shortened(id)}: ${addresses}: ${shortened(pattern)}`)
    return
  }
  const validity = validityOf(object)
  if (typeof validity === 'string') {
    problems.add(`${shortened(id)}: ${validity}`)
    return
  }
  for (const text of addresses) {
    const range = indicatorRange(text)
    if (range === null) problems.add(`${shortened(id)}: not an address: ${shortened(text)}`)
    else entries.add(range, { object: id, validity, ...(name !== undefined && { note: name }) })
  }
}

/** `valid_until` is the first moment at which it is no longer valid (STIX 2.1, 4.7.1). */
function validityOf({ valid_from, valid_until }: Indicator): Validity | string {
  const from_us = valid_from === undefined ? always.from_us : timeOf(valid_from)
  const until_us = valid_until === undefined ? always.until_us : timeOf(valid_until)
  if (from_us === null) return `valid_from is no time: ${shortened(valid_from!)}`
  if (until_us === null) return `valid_until is no time: ${shortened(valid_until!)}`
  return from_us < until_us ? { from_us, until_us } : `it ends before it begins: ${valid_from} to ${valid_until}`
}

const token =
  /\s*(?:(\[|\]|\(|\)|,)|(AND|OR|NOT|FOLLOWEDBY|IN|ISSUBSET|ISSUPERSET|LIKE|MATCHES|START|STOP|WITHIN|REPEATS|EXISTS)\b|([a-z0-9-]+:[A-Za-z0-9_.'\-[\]*]*[A-Za-z0-9_'\]])|(=|!=|<=?|>=?)|'((?:[^'\\]|\\.)*)'|([^\s[\](),]+))/y

interface Token {
  sign?: string | undefined
  word?: string | undefined
  path?: string | undefined
  comparator?: string | undefined
  text?: string | undefined
}

const addressPath = /^(?:ipv4-addr:value|ipv6-addr:value|network-traffic:(?:dst|src)_ref\.value)$/
const typePath = /^network-traffic:(?:dst|src)_ref\.type$/

/**
 * The addresses of a pattern any of which fulfils it. `none` where it names no address at all; else why it cannot be used: an address that
 * a pattern narrows by other tests is no evidence by itself.
 */
function addressesOf(pattern: string): string[] | 'none' | string {
  const tokens = tokensOf(pattern)
  if (!tokens.some(({ path }) => path !== undefined && addressPath.test(path))) return 'none'
  const addresses: string[] = []
  for (let i = 0; i < tokens.length; i++) {
    const { path, word, sign } = tokens[i]!
    if (sign !== undefined && sign !== ',') continue
    if (word === 'OR') continue
    if (word === 'AND') {
      // The type of an address that is named beside it narrows nothing.
      const beside = [tokens[i - 3], tokens[i + 1]].some(one => one?.path !== undefined && typePath.test(one.path))
      if (!beside) return 'more than addresses'
      continue
    }
    if (path === undefined) return 'more than addresses'
    const [operator, value] = [tokens[i + 1], tokens[i + 2]]
    if (typePath.test(path) && operator?.comparator === '=' && value?.text !== undefined) {
      i += 2
      continue
    }
    if (!addressPath.test(path)) return 'more than addresses'
    const isOne = (operator?.comparator === '=' || operator?.word === 'ISSUBSET') && value?.text !== undefined
    if (isOne) {
      addresses.push(value.text!)
      i += 2
    } else if (operator?.word === 'IN' && value?.sign === '(') {
      for (i += 3; i < tokens.length && tokens[i]!.sign !== ')'; i++)
        if (tokens[i]!.text !== undefined) addresses.push(tokens[i]!.text!)
    } else return 'more than addresses'
  }
  return addresses
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = []
  token.lastIndex = 0
  for (let match = token.exec(pattern); match !== null && match[0] !== ''; match = token.exec(pattern)) {
    const [, sign, word, path, comparator, text, other] = match
    tokens.push(other !== undefined ? { word: other } : { sign, word, path, comparator, text })
  }
  return tokens
}
