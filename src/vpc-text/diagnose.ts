import { parseAddress } from '../net/address.ts'
import { type FieldType, fieldNamed } from '../records/fields.ts'
import type { Layout } from './layout.ts'

/** What each type of value looks like, for messages. */
const expected: Record<Exclude<FieldType, 'text'>, string> = {
  u8: 'a whole number from 0 to 255',
  u16: 'a whole number from 0 to 65535',
  u64: 'a whole number below 2^64',
  time: 'seconds or milliseconds since 1970',
  address: 'an IPv4 or IPv6 address',
}

const shownMax = 60

/** Says why a line is no record of its layout. The slow twin of the reader: asked only about lines that it refused. */
export function diagnose(line: string, layout: Layout, stamped: boolean, hasHeader: boolean): string {
  let text = line
  if (stamped) {
    const space = text.indexOf(' ')
    if (space < 1) return 'no time stamp before the record, as the other lines have'
    text = text.slice(space + 1)
  }
  const values = text.split(' ')
  if (values.length !== layout.fields.length) {
    return `${values.length} fields where ${hasHeader ? 'the header' : 'the format'} names ${layout.fields.length}`
  }
  for (const [i, column] of layout.columns.entries()) {
    const value = values[i]!
    const wrong = wrongValue(column, value)
    if (wrong) return `field ${layout.fields[i]}: expected ${wrong}, found ${value === '' ? 'nothing' : shown(value)}`
  }
  const at = (column: string): string | undefined => values[layout.columns.indexOf(column)]
  if (Number(at('end')) < Number(at('start')))
    return `ends (${shown(at('end')!)}) before it starts (${shown(at('start')!)})`
  return 'not a flow record'
}

function wrongValue(column: string, value: string): string | null {
  if (value === '-') return ['start', 'end', 'log_status'].includes(column) ? 'a value, not "-"' : null
  if (value === '') return 'a value'
  if (column === 'action' && value !== 'ACCEPT' && value !== 'REJECT') return 'ACCEPT or REJECT'
  if (column === 'log_status' && !['OK', 'NODATA', 'SKIPDATA'].includes(value)) return 'OK, NODATA or SKIPDATA'
  const type = fieldNamed(column)?.type ?? 'text'
  if (type === 'text') return [...value].some(letter => letter < ' ') ? 'a word without control characters' : null
  return fits(type, value) ? null : expected[type]
}

function fits(type: Exclude<FieldType, 'text'>, value: string): boolean {
  if (type === 'address') return parseAddress(value) !== null
  if (!/^\d{1,1024}$/.test(value)) return false
  const number = BigInt(value)
  if (type === 'u8') return number <= 255n
  if (type === 'u16') return number <= 65535n
  if (type === 'u64') return number < 1n << 64n
  return number <= BigInt(Math.floor(Number.MAX_SAFE_INTEGER / 1000))
}

function shown(value: string): string {
  return value.length > shownMax ? `"${value.slice(0, shownMax)}…"` : `"${value}"`
}
