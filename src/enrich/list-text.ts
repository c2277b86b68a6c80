/** Address lists of lines: an address, a prefix or a range on each, or a table of cells (`list-table.ts`). */
import { UserError } from '../errors.ts'
import { indicatorRange } from './indicator-range.ts'
import type { ListEntries } from './list-entries.ts'
import { readTable, tableOf } from './list-table.ts'
import { type Problems, shortened } from './source-file.ts'
import { timeOf } from './times.ts'

const newline = 10
const lineMost = 64 * 1024
/** No plain prefix is longer. */
const plainMost = 64

/** Reads each line into an entry, or names it among the problems. @throws UserError where the file is no text of lines. */
export function readTextList(path: string, bytes: Buffer, entries: ListEntries, problems: Problems): void {
  refuseOther(path, bytes)
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const table = tableOf(path, firstLines(bytes, start))
  if (table !== null) {
    readTable(table, linesOf(bytes, start), entries, problems)
    return
  }
  for (let at = start, line = 1; at < bytes.length; line++) {
    const found = bytes.indexOf(newline, at)
    const end = found < 0 ? bytes.length : found
    if (!readQuad(bytes, at, end, line, entries)) readLine(bytes.subarray(at, end), line, entries, problems)
    at = end + 1
  }
}

function refuseOther(path: string, bytes: Buffer): void {
  const wide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (wide) throw new UserError(`--list ${path}: UTF-16`, { hint: 'save it as UTF-8' })
  const packed = (bytes[0] === 0x1f && bytes[1] === 0x8b) || (bytes[0] === 0x50 && bytes[1] === 0x4b)
  if (packed) throw new UserError(`--list ${path}: compressed`, { hint: 'unpack it first' })
}

/** A plain IPv4 address or prefix on a line, read from its bytes; false for anything else. */
function readQuad(bytes: Buffer, from: number, end: number, line: number, entries: ListEntries): boolean {
  const last = end > from && bytes[end - 1] === 13 ? end - 1 : end
  let address = 0
  let part = -1
  let dots = 0
  let at = from
  for (; at < last; at++) {
    const digit = bytes[at]! - 48
    if (digit >= 0 && digit <= 9) {
      // A zero before other digits is octal to some programs: the slow way refuses it.
      if (part === 0) return false
      part = (part < 0 ? 0 : part * 10) + digit
      if (part > 255) return false
    } else if (bytes[at] === 46 && part >= 0 && dots < 3) {
      address = address * 256 + part
      part = -1
      dots++
    } else break
  }
  if (dots !== 3 || part < 0) return false
  address = address * 256 + part
  const bits = at === last ? 32 : lengthAt(bytes, at, last)
  if (bits < 0) return false
  entries.addFour(address, bits, line)
  return true
}

/** The length of a prefix after its `/`; -1 for what is no length. */
function lengthAt(bytes: Buffer, slash: number, end: number): number {
  const digits = end - slash - 1
  const [first, second] = [bytes[slash + 1]! - 48, (bytes[slash + 2] ?? 0) - 48]
  if (bytes[slash] !== 47 || digits < 1 || digits > 2 || first < 0 || first > 9) return -1
  if (digits === 1) return first
  const bits = first * 10 + second
  return first > 0 && second >= 0 && second <= 9 && bits <= 32 ? bits : -1
}

function readLine(bytes: Buffer, line: number, entries: ListEntries, problems: Problems): void {
  if (bytes.length > lineMost) {
    problems.add(`line of more than ${lineMost / 1024} KiB`, line)
    return
  }
  if (bytes.length < plainMost && entries.addPlain(bytes.toString('latin1').trimEnd(), { line })) return
  const { value, comment } = splitComment(bytes.toString('utf8'))
  if (value === '') {
    entries.dated_us ??= datedBy(comment)
    return
  }
  const range = indicatorRange(value)
  if (range !== null) {
    entries.add(range, { line, note: comment })
    return
  }
  const [, first, rest] = /^(\S+?),?\s+(.+)$/.exec(value) ?? []
  // A range that ends before it begins is empty, and not its first address.
  const isRange = /^[-–]\s*[0-9a-f]*[.:]/i.test(rest ?? '')
  const alone = first === undefined || isRange ? null : indicatorRange(first)
  if (alone === null) problems.add(`not an address, a network or a range: ${shortened(value)}`, line)
  else entries.add(alone, { line, note: rest! })
}

/** A line without its comment: `#`, `;` or `//`, and what follows. */
function splitComment(text: string): { value: string; comment: string } {
  const at = /^\s*(?:#|;|\/\/)|\s(?:#|;|\/\/)/.exec(text)
  if (at === null) return { value: text.trim(), comment: '' }
  const comment = text.slice(at.index).replace(/^\s*(?:[#;]+|\/\/)\s*/, '')
  return { value: text.slice(0, at.index).trim(), comment: comment.trim() }
}

/** When a list was made, where a comment says so: `Last updated: 2023-09-28 05:30:00 UTC`, `Last-Modified: Thu, 28 Sep 2023 05:30:00 GMT`. */
function datedBy(comment: string): number | null {
  const [, text] =
    /\b(?:updated|modified|generated|created|published|date)\b[^:=]*[:=]\s*(.{8,60})$/i.exec(comment) ?? []
  if (text === undefined) return null
  const own = timeOf(text)
  if (own !== null) return own
  const ms = /^(?:\w{3}, )?\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4})/.test(text)
    ? Date.parse(text)
    : Number.NaN
  return Number.isNaN(ms) ? null : ms * 1000
}

const sampleLines = 200
const sampleBytes = 1 << 18

/** The first lines, to tell what the file is. */
function firstLines(bytes: Buffer, start: number): string[] {
  const text = bytes.toString('utf8', start, start + sampleBytes)
  const lines = text.split(/\r?\n/).slice(0, sampleLines)
  return bytes.length > start + sampleBytes && lines.length < sampleLines ? lines.slice(0, -1) : lines
}

/** Every line as text, with its number. */
function* linesOf(bytes: Buffer, start: number): Generator<{ text: string; line: number }> {
  for (let at = start, line = 1; at < bytes.length; line++) {
    const found = bytes.indexOf(newline, at)
    const end = found < 0 ? bytes.length : found
    yield { text: bytes.toString('utf8', at, end).replace(/\r$/, ''), line }
    at = end + 1
  }
}
