/**
 * Numbers, texts, truth values and times of DuckDB, without the API over its bindings: that takes as long to load as a question to a small case
 * takes to answer. All other types are left to the API.
 */
import bindings, { timeClass } from './bindings.ts'

type Vector = Parameters<typeof bindings.vector_get_data>[0]
type Parameter = ReturnType<typeof bindings.create_varchar>
type Plain = number | bigint | string | boolean | InstanceType<ReturnType<typeof timeClass>>

/** How a value of a type is read: its width in bytes, and the value at a place. */
interface PlainType {
  width: number
  at(data: DataView, place: number): Plain
}

const { Type } = bindings
const decoder = new TextDecoder()
let Time: ReturnType<typeof timeClass> | undefined

const plainTypes: Readonly<Record<number, PlainType>> = {
  [Type.BOOLEAN]: { width: 1, at: (data, place) => data.getUint8(place) !== 0 },
  [Type.TINYINT]: { width: 1, at: (data, place) => data.getInt8(place) },
  [Type.SMALLINT]: { width: 2, at: (data, place) => data.getInt16(place, true) },
  [Type.INTEGER]: { width: 4, at: (data, place) => data.getInt32(place, true) },
  [Type.BIGINT]: { width: 8, at: (data, place) => data.getBigInt64(place, true) },
  [Type.UTINYINT]: { width: 1, at: (data, place) => data.getUint8(place) },
  [Type.USMALLINT]: { width: 2, at: (data, place) => data.getUint16(place, true) },
  [Type.UINTEGER]: { width: 4, at: (data, place) => data.getUint32(place, true) },
  [Type.UBIGINT]: { width: 8, at: (data, place) => data.getBigUint64(place, true) },
  [Type.HUGEINT]: {
    width: 16,
    at: (data, place) => (data.getBigInt64(place + 8, true) << 64n) + data.getBigUint64(place, true),
  },
  [Type.DOUBLE]: { width: 8, at: (data, place) => data.getFloat64(place, true) },
  [Type.TIMESTAMP]: { width: 8, at: (data, place) => new (Time ??= timeClass())(data.getBigInt64(place, true)) },
  [Type.VARCHAR]: { width: 16, at: textAt },
}

/** A text of up to 12 bytes stands where its pointer would. */
function textAt(data: DataView, place: number): string {
  const bytes = data.getUint32(place, true)
  const at = data.byteOffset + place
  return decoder.decode(
    bytes <= 12
      ? new Uint8Array(data.buffer, at + 4, bytes)
      : bindings.get_data_from_pointer(data.buffer as ArrayBuffer, at + 8, bytes),
  )
}

export function isPlainType(type: number): boolean {
  return plainTypes[type] !== undefined
}

/** Hands on the value of each row of a vector of a plain type. */
export function eachPlain(
  vector: Vector,
  type: number,
  rows: number,
  take: (row: number, value: Plain | null) => void,
): void {
  const { width, at } = plainTypes[type]!
  const bytes = bindings.vector_get_data(vector, rows * width)
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const valid: Uint8Array | null = bindings.vector_get_validity(vector, Math.ceil(rows / 64) * 8)
  for (let row = 0; row < rows; row++) {
    const isThere = valid === null || (valid[row >>> 3]! & (1 << (row & 7))) !== 0
    take(row, isThere ? at(data, row * width) : null)
  }
}

/** A value for a parameter, of the type that the API gives it; null for one that is not plain. */
export function plainParameter(value: unknown): Parameter | null {
  if (value === null) return bindings.create_null_value()
  if (typeof value === 'string') return bindings.create_varchar(value)
  if (typeof value === 'boolean') return bindings.create_bool(value)
  if (typeof value === 'bigint') return bindings.create_hugeint(value)
  if (typeof value !== 'number') return null
  if (!Number.isInteger(value)) return bindings.create_double(value)
  const isShort = value >= -2_147_483_648 && value <= 2_147_483_647
  return isShort ? bindings.create_int32(value) : bindings.create_int64(BigInt(value))
}
