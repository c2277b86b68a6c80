/** Sets of values, from files or from long lists: kept in typed arrays, and in SQL a table that is joined, never a list in the text. */
import { createHash } from 'node:crypto'
import { parseAddress } from '../net/address.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { type ChunkColumn, codeArray } from '../store/chunk-table.ts'
import { type Database, keepColumns } from '../store/duckdb.ts'
import { FilterError, type Place, type Source, shortened } from './error.ts'

/** Of one file. */
const valuesMax = 5_000_000

export type SetType = 'addresses' | 'numbers' | 'texts'

export interface ValueSet {
  type: SetType
  /** The file, as the filter names it; null for a list within the filter. */
  path: string | null
  /** Of the file's bytes, or of the list's values. */
  sha256: string
  /** Name of its table in the database: the same values, the same table. */
  table: string
  /** Addresses: `hi`, `lo`, `bits` (length of the prefix, of 128); numbers and texts: `value`. */
  columns: readonly ChunkColumn[]
  rows: number
  /** Of addresses the lengths of prefix that occur, longest first; 128 is a single address. */
  lengths: readonly number[]
}

/**
 * Reads a set: one value a line, blank lines and `#` comments apart. Addresses may be prefixes.
 *
 * @param largest the largest number that is one.
 * @throws FilterError that names file and line of what is no value.
 */
export function readSet(type: SetType, path: string, bytes: Uint8Array, place: Place, largest: bigint): ValueSet {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const text = new TextDecoder('utf-8').decode(bytes)
  const fail: Fail = (what, offset, length) => {
    const source: Source = { file: path, text, folder: place.source.folder }
    throw new FilterError(what, { source, offset, length }, { hint: 'one value a line; # begins a comment' })
  }
  if (type === 'addresses') {
    const { columns, rows, lengths } = readAddresses(text, fail)
    return { type, path, sha256, table: tableName(type, sha256), columns, rows, lengths }
  }
  const read = type === 'numbers' ? readNumbers(text, largest, fail) : readTexts(text, fail)
  return { type, path, sha256, table: tableName(type, sha256), ...read, lengths: [] }
}

type Fail = (what: string, offset: number, length: number) => never

/** Calls back for each line that holds a value, without blanks and comment. */
function eachValue(text: string, fail: Fail, use: (value: string, offset: number) => void): void {
  let offset = 0
  let values = 0
  while (offset < text.length) {
    const newline = text.indexOf('\n', offset)
    const end = newline < 0 ? text.length : newline
    const line = text.slice(offset, end)
    const comment = line.indexOf('#')
    const value = (comment < 0 ? line : line.slice(0, comment)).trim()
    if (value !== '') {
      if (++values > valuesMax) fail(`more than ${valuesMax.toLocaleString('en-US')} values`, offset, line.length)
      use(value, offset + line.indexOf(value))
    }
    offset = end + 1
  }
}

function readAddresses(text: string, fail: Fail): { columns: ChunkColumn[]; rows: number; lengths: number[] } {
  const building = new AddressColumns(1024)
  eachValue(text, fail, (value, offset) => {
    const address = value.includes('/') ? null : parseAddress(value)
    if (address !== null) return building.add(address.hi, address.lo, 128)
    const prefix = parsePrefix(value)
    if (prefix === null) fail(`invalid address: ${shortened(value)}`, offset, value.length)
    else building.add(prefix.first.hi, prefix.first.lo, lengthOf(prefix))
  })
  return building.finish()
}

function readNumbers(text: string, largest: bigint, fail: Fail): { columns: ChunkColumn[]; rows: number } {
  const numbers: bigint[] = []
  eachValue(text, fail, (value, offset) => {
    if (!/^\d{1,20}$/.test(value) || BigInt(value) > largest) {
      fail(`invalid number: ${shortened(value)} (0 to ${largest})`, offset, value.length)
    }
    numbers.push(BigInt(value))
  })
  return numberColumn(numbers)
}

function readTexts(text: string, fail: Fail): { columns: ChunkColumn[]; rows: number } {
  const texts: string[] = []
  eachValue(text, fail, value => texts.push(value))
  return textColumn(texts)
}

/** A set of values that stand in the filter itself. */
export function setOf(type: 'addresses', values: readonly Prefix[]): ValueSet
export function setOf(type: 'numbers', values: readonly bigint[]): ValueSet
export function setOf(type: 'texts', values: readonly string[]): ValueSet
export function setOf(type: SetType, values: readonly (Prefix | bigint | string)[]): ValueSet {
  const words = values.map(value => (typeof value === 'object' ? value.text : String(value)))
  const sha256 = createHash('sha256').update(JSON.stringify(words)).digest('hex')
  const named = { type, path: null, sha256, table: tableName(type, sha256) }
  if (type === 'numbers') return { ...named, ...numberColumn(values as bigint[]), lengths: [] }
  if (type === 'texts') return { ...named, ...textColumn(words), lengths: [] }
  const building = new AddressColumns(values.length)
  for (const prefix of values as Prefix[]) building.add(prefix.first.hi, prefix.first.lo, lengthOf(prefix))
  return { ...named, ...building.finish() }
}

function tableName(type: SetType, sha256: string): string {
  return `filter_${type}_${sha256.slice(0, 16)}`
}

function numberColumn(numbers: readonly bigint[]): { columns: ChunkColumn[]; rows: number } {
  const data = BigUint64Array.from(numbers)
  return { columns: [{ name: 'value', type: 'UBIGINT', data, valid: null }], rows: data.length }
}

function textColumn(texts: readonly string[]): { columns: ChunkColumn[]; rows: number } {
  const words = [...new Set(texts)]
  const data = codeArray(
    Uint32Array.from(words, (_, code) => code),
    words.length,
  )
  return { columns: [{ name: 'value', type: words, data, valid: null }], rows: words.length }
}

/** Of 128 bits: the length of a prefix. */
export function lengthOf(prefix: Prefix): number {
  const hosts = ((prefix.last.hi ^ prefix.first.hi) << 64n) | (prefix.last.lo ^ prefix.first.lo)
  return hosts === 0n ? 128 : 128 - hosts.toString(2).length
}

class AddressColumns {
  private hi: BigUint64Array<ArrayBuffer>
  private lo: BigUint64Array<ArrayBuffer>
  private bits: Uint8Array<ArrayBuffer>
  private rows = 0
  private readonly seen = new Set<number>()

  constructor(room: number) {
    this.hi = new BigUint64Array(room)
    this.lo = new BigUint64Array(room)
    this.bits = new Uint8Array(room)
  }

  add(hi: bigint, lo: bigint, bits: number): void {
    if (this.rows === this.hi.length) this.grow()
    this.hi[this.rows] = hi
    this.lo[this.rows] = lo
    this.bits[this.rows++] = bits
    this.seen.add(bits)
  }

  finish(): { columns: ChunkColumn[]; rows: number; lengths: number[] } {
    const columns: ChunkColumn[] = [
      { name: 'hi', type: 'UBIGINT', data: this.hi, valid: null },
      { name: 'lo', type: 'UBIGINT', data: this.lo, valid: null },
      { name: 'bits', type: 'UTINYINT', data: this.bits, valid: null },
    ]
    return { columns, rows: this.rows, lengths: [...this.seen].sort((a, b) => b - a) }
  }

  private grow(): void {
    const { hi, lo, bits } = this
    this.hi = new BigUint64Array(hi.length * 2)
    this.lo = new BigUint64Array(hi.length * 2)
    this.bits = new Uint8Array(hi.length * 2)
    this.hi.set(hi)
    this.lo.set(lo)
    this.bits.set(bits)
  }
}

/** Puts the sets of a compiled filter into tables of the database that is to be asked. A set that is there already stays. */
export async function loadSets(database: Database, sets: readonly ValueSet[]): Promise<void> {
  for (const set of sets) await keepColumns(database, set.table, set.columns, set.rows)
}

/** A set in words: `12 addresses of list.txt`. */
export function setWords(set: ValueSet): string {
  const count = set.rows.toLocaleString('en-US')
  const noun = set.rows === 1 ? { addresses: 'address', numbers: 'number', texts: 'text' }[set.type] : set.type
  return set.path === null ? `${count} ${noun}` : `the ${count} ${noun} of ${set.path}`
}
