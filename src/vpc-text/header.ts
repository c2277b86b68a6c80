import { columnName, fieldNamed, flowFields } from '../records/fields.ts'
import { type Layout, layoutOf } from './layout.ts'

/** What a line says of the fields: their order, that it said it before it was damaged, or nothing. */
export type Header = Layout | 'damaged' | null

/** More fields than AWS has ever had; a longer header is not one. */
const fieldsMax = 256
const nameShape = /^[a-z][a-z0-9-]*$/
const stampShape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

/** AWS's spelling of every field. */
const names: readonly string[] = flowFields.map(field => field.name.replaceAll('_', '-'))
const isName = new Set(names)
/** Names that are no word of anything else. */
const telling = new Set(names.filter(name => /-|^(src|dst)(addr|port)$/.test(name)))

/** Whether a line begins with a time stamp, as in exports from CloudWatch Logs. */
export function isStamped(line: string): boolean {
  return stampShape.test(line.slice(0, Math.max(0, line.indexOf(' '))))
}

/**
 * Reads a line as a header.
 *
 * @returns 'damaged' for a line that was one, or has one in it, and cannot be read: the order of what follows is not known.
 */
export function headerOf(line: string): Header {
  const text = isStamped(line) ? line.slice(line.indexOf(' ') + 1) : line
  return layoutOfHeader(text) ?? (isRemains(text) ? 'damaged' : null)
}

/** The layout that a header line names, or null if the line is no sound header. Capitals, tabs and further blanks change nothing. */
export function layoutOfHeader(line: string): Layout | null {
  // Most lines that are none are records.
  if (!/^[ \t]*[a-z]/i.test(line)) return null
  const fields = line
    .replace(/^[ \t]+|[ \t\r]+$/g, '')
    .toLowerCase()
    .split(/[ \t]+/)
  if (fields.length < 4 || fields.length > fieldsMax || !fields.every(field => nameShape.test(field))) return null
  const own = new Set(fields)
  if (own.size !== fields.length) return null
  const unknown = fields.filter(field => fieldNamed(columnName(field)) === undefined)
  if (fields.length - unknown.length < 4) return null
  return unknown.some(field => isDamagedName(field, own)) ? null : layoutOf(fields)
}

/** Says what is wrong with a damaged header. */
export function faultOfHeader(line: string, isTooLong: boolean): string {
  const words = (isStamped(line) ? line.slice(line.indexOf(' ') + 1) : line)
    .trim()
    .toLowerCase()
    .split(/[ \t]+/)
  if (isTooLong) return 'it is too long'
  if (words.length > fieldsMax) return `it names more than ${fieldsMax} fields`
  const twice = words.find((word, i) => words.indexOf(word) !== i)
  if (twice !== undefined) return `it names ${shown(twice)} twice`
  const odd = words.find(word => !nameShape.test(word)) ?? damagedNameIn(words)
  return odd === undefined ? 'it names fewer than 4 known fields' : `no field is called ${shown(odd)}`
}

/** The first of a file's field names that is a known one, damaged, and that the file lacks; undefined without one. */
export function damagedNameIn(names: readonly string[]): string | undefined {
  const own = new Set(names)
  return names.find(name => !isName.has(name) && isDamagedName(name, own))
}

function shown(word: string): string {
  return word.length > 60 ? `"${word.slice(0, 60)}…"` : `"${word}"`
}

/** Whether a name that nobody knows is a known one, damaged, that the header lacks; or two that have run together. */
function isDamagedName(word: string, own: ReadonlySet<string>): boolean {
  return damagedFrom(word).some(name => !own.has(name))
}

/** What was found of a name before: headers come again. */
const found = new Map<string, readonly string[]>()
const foundMax = 10_000

function damagedFrom(word: string): readonly string[] {
  let from = found.get(word)
  if (from === undefined) {
    from = names.filter(name => isDamaged(word, name))
    if (found.size >= foundMax) found.clear()
    found.set(word, from)
  }
  return from
}

/** Whether one change makes `word` of `name`: a letter, a stretch cut out or doubled, or another name that has run into it. */
function isDamaged(word: string, name: string): boolean {
  const shorter = Math.min(word.length, name.length)
  const longer = Math.max(word.length, name.length)
  let start = 0
  while (start < shorter && word[start] === name[start]) start++
  // A blank with one bit changed is a zero.
  if (start === name.length && isName.has(word.slice(start).replace(/^0/, ''))) return true
  let end = 0
  while (end < shorter - start && word.at(-1 - end) === name.at(-1 - end)) end++
  const same = start + end
  if (longer - same <= 1) return true
  if (same < shorter) return false
  if (word.length < name.length) return word.length * 2 > name.length
  const more = word.length - name.length
  return word.slice(start - more, start) === word.slice(start, start + more)
}

/** Fewer letters may be of anything. */
const remainsMin = 3

/**
 * Whether a line that is neither record nor header holds what is left of a header. Records have no words that are names of fields: two
 * of them will do, or one that is a word of nothing else; and a line of nothing but names and their pieces.
 */
function isRemains(line: string): boolean {
  const words = line.split(/[^\x21-\uffff]+/).filter(word => word !== '')
  const known = new Set<string>()
  for (const word of words) {
    if (!/^[a-z]/i.test(word)) continue
    const name = word.toLowerCase().replaceAll('_', '-')
    if (isName.has(name)) known.add(name)
  }
  if (known.size >= 2 || [...known].some(name => telling.has(name))) return true
  if (line.length < remainsMin || words.length === 0) return false
  const isPlain = words.every(word => nameShape.test(word.replace(/^-+/, '')))
  return isPlain && (known.size > 0 || words.every(isPieces))
}

/** Whether a word is the beginning of one name and the end of another, or one of both. */
function isPieces(word: string): boolean {
  let start = 0
  let end = 0
  for (const name of names) {
    let at = 0
    while (at < name.length && word[at] === name[at]) at++
    start = Math.max(start, at)
    at = 0
    while (at < name.length && at < word.length && word.at(-1 - at) === name.at(-1 - at)) at++
    end = Math.max(end, at)
  }
  return start + end >= word.length
}
