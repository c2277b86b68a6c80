/** What a cell of a list names: an address, a prefix or a range, plain or defanged. */
import { parseAddress } from '../net/address.ts'
import { parseIndicator } from '../net/indicator.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { rangeOf } from '../net/prefix-table.ts'

export type AddressRange = Pick<Prefix, 'first' | 'last'>

/** Null for what is no address: a host's name too. */
export function indicatorRange(text: string): AddressRange | null {
  const plain = text.trim()
  const ends = /^([0-9a-f.:]+)\s*(?:-|–)\s*([0-9a-f.:]+)$/i.exec(plain)
  if (ends !== null) {
    const [first, last] = [parseAddress(ends[1]!), parseAddress(ends[2]!)]
    return first === null || last === null ? null : rangeOf(first, last)
  }
  return parsePrefix(plain) ?? parseIndicator(plain)
}
