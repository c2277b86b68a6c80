/** The one place where values become text of Trino's SQL. Text from people or evidence is bound, and becomes text only as a bound value. */
import { exitStatus, UserError } from '../errors.ts'
import { type Address, formatAddress } from '../net/address.ts'
import type { Value } from '../store/duckdb.ts'
import { hidden } from '../visible.ts'

const fits64Bits = (value: bigint): boolean => value > -(1n << 63n) && value < 1n << 63n

/** A parsed value as a literal: a number, a truth, an address, or nothing. Null for what is text, which is never one. */
export function literalOf(value: Value | Address): string | null {
  if (value === null) return 'NULL'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'bigint') return fits64Bits(value) ? String(value) : `DECIMAL '${value}'`
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'object' && 'hi' in value && 'lo' in value && typeof value.hi === 'bigint')
    return addressLiteral(value as Address)
  return null
}

/** Plain digits: what has an exponent would be a number of another type. */
function numberText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value)
  const text = value.toFixed(20).replace(/0+$/, '')
  return Number(text) === value ? text : `${value.toExponential()}`
}

export function addressLiteral({ hi, lo }: Address): string {
  return `IPADDRESS '${formatAddress(hi, lo)}'`
}

/**
 * Text as a bound value: in quotes that nothing in it can end.
 *
 * @throws UserError for text with controls or other characters that are not shown, which no field of a flow log has.
 */
export function textValue(text: string): string {
  if (text.search(hidden) >= 0)
    throw new UserError('text with characters that are not shown cannot be sent to an engine', {
      status: exitStatus.usage,
      hint: 'leave them out, or ask a local case',
    })
  return quotedText(text)
}

/** Text as an expression without quotes around it: the digits of its bytes. For engines that bind values in few places only. */
export function textInDigits(text: string): string {
  return `from_utf8(X'${Buffer.from(text, 'utf8').toString('hex')}')`
}

/** SQL of our own making as a text of the engine. */
export function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
