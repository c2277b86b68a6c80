/** Values of DuckDB to those of an answer. */
import { formatAddress } from '../net/address.ts'
import { utcSeconds } from '../net/time.ts'
import type { Value } from '../store/duckdb.ts'
import type { PlannedColumn } from './plan.ts'
import type { Cell } from './request.ts'

/** Turns a value into text, a number, or a bigint where a number would not be exact. */
export function cellReader(column: PlannedColumn): (value: Value | undefined) => Cell {
  switch (column.type) {
    case 'address':
      return value => addressText(value)
    case 'prefix': {
      const length = column.length ?? 128
      return value => prefixText(value, length)
    }
    case 'time':
      return value => (isTime(value) ? utcSeconds(value.micros) : null)
    case 'integer':
      return integer
    default:
      return value => (value === null || value === undefined ? null : String(value))
  }
}

export function integer(value: Value | undefined): Cell {
  if (typeof value === 'number') return value
  if (typeof value !== 'bigint') return null
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

/** The texts of addresses that come again and again. */
const texts = new Map<bigint, string>()
const textsMost = 1 << 16

function halves(value: Value | undefined): { hi: bigint; lo: bigint } | null {
  if (typeof value !== 'object' || value === null || !('entries' in value)) return null
  const { hi, lo } = value.entries as Record<string, Value>
  return typeof hi === 'bigint' && typeof lo === 'bigint' ? { hi, lo } : null
}

function addressText(value: Value | undefined): string | null {
  const address = halves(value)
  if (address === null) return null
  const { hi, lo } = address
  if (hi !== 0n) return formatAddress(hi, lo)
  let text = texts.get(lo)
  if (text === undefined) {
    if (texts.size >= textsMost) texts.clear()
    text = formatAddress(hi, lo)
    texts.set(lo, text)
  }
  return text
}

function prefixText(value: Value | undefined, length: number): string | null {
  const address = halves(value)
  if (address === null) return null
  const text = formatAddress(address.hi, address.lo)
  return `${text}/${text.includes('.') && length >= 96 ? length - 96 : length}`
}

function isTime(value: Value | undefined): value is Value & { micros: bigint } {
  return typeof value === 'object' && value !== null && 'micros' in value
}
