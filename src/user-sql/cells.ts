/** Values of results on their way from the query's process to whoever shows them: exact, and of plain JSON. */
import { formatAddress } from '../net/address.ts'
import { utcSeconds } from '../net/time.ts'
import type { ValueType } from '../store/answer.ts'
import { type Value, valueClasses } from '../store/duckdb.ts'

/** A value that is shown: integers are exact (bigint beyond 2^53), times and addresses are text. */
export type Cell = null | boolean | number | bigint | string | Cell[] | { [name: string]: Cell }

export interface ResultColumn {
  /** Each name once: a second `n` is `n_2`. */
  name: string
  /** DuckDB's type, `address` for an address. */
  type: string
}

/** A cell as it is sent: `i` integer, `l` list, `s` struct or map. */
export type Sent = null | boolean | number | string | { i: string } | { l: Sent[] } | { s: [string, Sent][] }

const half = 2n ** 64n

export function encode(value: Value, type: ValueType): Sent {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return integer(value)
  return encodeTime(value) ?? encodeNested(value, type) ?? encodeOther(value)
}

const digitsMax = 80

/** Longer ones, which only BIGNUM has, are text. */
function integer(value: bigint): Sent {
  const small = Number(value)
  if (Number.isSafeInteger(small)) return small
  const text = String(value)
  return text.length <= digitsMax ? { i: text } : text
}

/** Times are UTC; those that `Date` has no room for, and infinity, stay as DuckDB writes them. */
function encodeTime(value: object): string | null {
  const types = valueClasses()
  let micros: bigint
  if (value instanceof types.DuckDBTimestampValue || value instanceof types.DuckDBTimestampTZValue)
    micros = value.micros
  else if (value instanceof types.DuckDBTimestampSecondsValue) micros = value.seconds * 1_000_000n
  else if (value instanceof types.DuckDBTimestampMillisecondsValue) micros = value.millis * 1000n
  else if (value instanceof types.DuckDBTimestampNanosecondsValue) return nanoseconds(value.nanos, String(value))
  else return null
  return withinDate(micros) ? utcSeconds(micros) : String(value)
}

function nanoseconds(nanos: bigint, text: string): string {
  const rest = ((nanos % 1000n) + 1000n) % 1000n
  const micros = (nanos - rest) / 1000n
  if (!withinDate(micros)) return text
  if (rest === 0n) return utcSeconds(micros)
  const fraction = (((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n).toString().padStart(9, '0')
  return `${utcSeconds(micros).slice(0, 19)}.${fraction}Z`
}

function withinDate(micros: bigint): boolean {
  return micros > -62_135_596_800_000_000n && micros < 253_402_300_800_000_000n // Years 1 to 9999.
}

function encodeNested(value: object, type: ValueType): Sent {
  const types = valueClasses()
  if (value instanceof types.DuckDBListValue || value instanceof types.DuckDBArrayValue) {
    const inner = type instanceof types.DuckDBListType || type instanceof types.DuckDBArrayType ? type.valueType : type
    return { l: value.items.map(item => encode(item, inner)) }
  }
  if (value instanceof types.DuckDBStructValue) return encodeStruct(Object.entries(value.entries), type)
  if (value instanceof types.DuckDBMapValue) {
    const [keyType, valueType] =
      type instanceof types.DuckDBMapType ? [type.keyType, type.valueType] : ([type, type] as const)
    const pairs = value.entries.map(
      ({ key, value: inner }) => [encode(key, keyType), encode(inner, valueType)] as const,
    )
    const names = pairs.map(([key]) => cellText(decode(key)))
    // Keys that are different may read the same, as 1 and '1' of a union: then none is a name.
    if (new Set(names).size < names.length) return { l: pairs.map(([key, inner]) => ({ l: [key, inner] })) }
    return { s: pairs.map(([, inner], i) => [names[i]!, inner]) }
  }
  if (value instanceof types.DuckDBUnionValue) {
    const at = type instanceof types.DuckDBUnionType ? type.memberTags.indexOf(value.tag) : -1
    return encode(value.value, type instanceof types.DuckDBUnionType ? (type.memberTypes[at] ?? type) : type)
  }
  return null
}

/** The names of a struct's fields are those of its type; the object of its values may have others. A struct without names is a list. */
function encodeStruct(entries: readonly [string, Value][], type: ValueType): Sent {
  const struct = type instanceof valueClasses().DuckDBStructType ? type : null
  const names = struct?.entryNames ?? entries.map(([name]) => name)
  const [hi, lo] = entries.map(([, value]) => value)
  if (names.join() === 'hi,lo' && isHalf(hi) && isHalf(lo)) return formatAddress(hi as bigint, lo as bigint)
  const values = entries.map(([, value], i) => encode(value, struct?.entryTypes[i] ?? type))
  if (names.includes('') || new Set(names).size < names.length) return { l: values }
  return { s: values.map((value, i) => [names[i]!, value]) }
}

function isHalf(value: Value | undefined): boolean {
  return typeof value === 'bigint' && value >= 0n && value < half
}

function encodeOther(value: object): Sent {
  const types = valueClasses()
  if (value instanceof types.DuckDBDecimalValue) {
    const text = String(value)
    const number = Number(text)
    return Number(number.toPrecision(15)) === number && text.replace(/\D/g, '').length <= 15 ? number : text
  }
  if (value instanceof types.DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex')
  return String(value)
}

/** What `encode` made, back. @throws for anything else: the other process is not trusted. */
export function decode(sent: unknown): Cell {
  if (sent === null || typeof sent === 'boolean' || typeof sent === 'string' || typeof sent === 'number') return sent
  const { i, l, s } = sent as { i?: unknown; l?: unknown; s?: unknown }
  if (typeof i === 'string' && /^-?\d{1,80}$/.test(i)) return BigInt(i)
  if (Array.isArray(l)) return l.map(decode)
  if (Array.isArray(s)) {
    return Object.fromEntries(
      s.map((pair: unknown) => [String((pair as unknown[])[0]), decode((pair as unknown[])[1])]),
    )
  }
  throw new Error('a value of no known form')
}

/** A cell as plain text; null is empty, what is nested is JSON. */
export function cellText(cell: Cell): string {
  if (cell === null) return ''
  return typeof cell === 'object' ? compactJson(cell) : String(cell)
}

/**
 * The first characters of a cell as plain text, and whether there are more. What is not shown is not written either: a cell may be as long
 * as an answer.
 */
export function cellBegin(cell: Cell, most: number): { text: string; isCut: boolean } {
  if (typeof cell !== 'object' || cell === null) return begin(cellText(cell), most)
  let text = ''
  for (const piece of jsonPieces(cell)) {
    text += piece
    if (text.length > most) break
  }
  return begin(text, most)
}

function begin(text: string, most: number): { text: string; isCut: boolean } {
  if (text.length <= most) return { text, isCut: false }
  const isHalf = /[\ud800-\udbff]/.test(text[most - 1]!)
  return { text: text.slice(0, isHalf ? most - 1 : most), isCut: true }
}

function* jsonPieces(cell: Cell): Generator<string> {
  if (typeof cell !== 'object' || cell === null) {
    yield compactJson(cell)
    return
  }
  const isList = Array.isArray(cell)
  let before = isList ? '[' : '{'
  for (const [name, inner] of isList ? cell.entries() : entriesOf(cell)) {
    yield isList ? before : `${before}${JSON.stringify(name)}:`
    yield* jsonPieces(inner)
    before = ','
  }
  yield before === ',' ? '' : before
  yield isList ? ']' : '}'
}

function* entriesOf(cell: { [name: string]: Cell }): Generator<[string, Cell]> {
  for (const name in cell) yield [name, cell[name]!]
}

/** JSON on one line, with every digit of an integer. */
export function compactJson(cell: Cell): string {
  if (typeof cell === 'bigint') return String(cell)
  if (typeof cell !== 'object' || cell === null) return JSON.stringify(cell)
  if (Array.isArray(cell)) return `[${cell.map(compactJson).join(',')}]`
  return `{${Object.entries(cell)
    .map(([name, inner]) => `${JSON.stringify(name)}:${compactJson(inner)}`)
    .join(',')}}`
}

/** Names and types of a result's columns. */
export function columnsOf(names: readonly string[], types: readonly string[]): ResultColumn[] {
  const seen = new Set<string>()
  return names.map((name, i) => {
    let own = name
    for (let n = 2; seen.has(own); n++) own = `${name}_${n}`
    seen.add(own)
    return { name: own, type: (types[i] ?? '').replaceAll('STRUCT("hi" UBIGINT, "lo" UBIGINT)', 'address') }
  })
}

/** A row by the names of its columns. */
export function rowObject(columns: readonly ResultColumn[], cells: readonly Cell[]): { [name: string]: Cell } {
  return Object.fromEntries(columns.map(({ name }, i) => [name, cells[i] ?? null]))
}
