/** Address lists in JSON: STIX 2 bundles, MISP events, and arrays of addresses. */
import { utf8 } from '../disk/named-file.ts'
import { UserError } from '../errors.ts'
import { indicatorRange } from './indicator-range.ts'
import type { ListEntries } from './list-entries.ts'
import { isMisp, readMisp } from './misp.ts'
import { type Problems, shortened } from './source-file.ts'
import { isStix, readStix } from './stix.ts'

/** JSON is held whole, in several times its size. */
const jsonBytes = 100 * 2 ** 20

/** Whether a file may be JSON: lists of lines begin with no bracket, but `[` may begin a defanged or an IPv6 address. */
export function isJson(bytes: Buffer): boolean {
  return /^(?:\uFEFF)?\s*(?:\{|\[\s*(?:[{"\]]|$))/.test(bytes.toString('utf8', 0, 256))
}

/** @throws UserError where it is no JSON, or none of a known kind. */
export function readJsonList(path: string, bytes: Buffer, entries: ListEntries, problems: Problems): void {
  const json = parsed(`--list ${path}`, bytes)
  if (isStix(json)) {
    readStix(json, entries, problems)
    return
  }
  if (isMisp(json)) {
    readMisp(json, entries, problems)
    return
  }
  if (Array.isArray(json) && json.every(one => typeof one === 'string')) {
    readArray(json, entries, problems)
    return
  }
  const isAws = typeof json === 'object' && json !== null && 'syncToken' in json
  throw new UserError(`--list ${path}: JSON of an unknown kind`, {
    hint: isAws
      ? 'this is AWS’s ip-ranges.json: give it with --aws-ranges'
      : 'known are STIX 2 bundles, MISP events and arrays of addresses',
  })
}

/** @throws UserError that says where it is no JSON. */
export function parsed(what: string, bytes: Buffer): unknown {
  if (bytes.length > jsonBytes) {
    throw new UserError(`${what}: JSON of more than ${jsonBytes / 2 ** 20} MB`, { hint: 'split it into several files' })
  }
  const text = utf8(what, bytes, 'JSON is written in UTF-8')
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error
    throw new UserError(`${what}: not JSON`, { hint: error.message })
  }
}

function readArray(texts: readonly string[], entries: ListEntries, problems: Problems): void {
  for (const [i, text] of texts.entries()) {
    const range = indicatorRange(text)
    if (range === null) problems.add(`element ${i + 1}: not an address, a network or a range: ${shortened(text)}`)
    else entries.add(range, { object: `element ${i + 1}` })
  }
}
