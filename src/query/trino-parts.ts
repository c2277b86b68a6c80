/** Parts of Trino's SQL that are more than a word: masks, sets, percentiles, and which expressions are bigints. */
import { assert, exitStatus, UserError } from '../errors.ts'
import type { Address } from '../net/address.ts'
import type { Value } from '../store/duckdb.ts'
import { leadingBits } from './build.ts'
import type { Expression, NamedSet } from './nodes.ts'
import { addressLiteral } from './trino-literal.ts'

/** Values stand in the statement, which engines limit. */
const setMost = 5000

/** An address with the bits outside a mask cleared. */
export function maskedAddress(address: string, { hi, lo }: Address): string {
  const half = (from: 1 | 9, mask: bigint): string => {
    const signed = BigInt.asIntN(64, mask)
    const bits = `from_big_endian_64(substr(CAST(${address} AS VARBINARY), ${from}, 8))`
    return `to_big_endian_64(${signed === -1n ? bits : `bitwise_and(${bits}, ${signed})`})`
  }
  return `CAST(concat(${half(1, hi)}, ${half(9, lo)}) AS IPADDRESS)`
}

/** Whether an address is under one of the prefixes: cut to each length that occurs, it is looked up among those. */
export function addressInSet(address: string, set: NamedSet): string {
  const [hi, lo, bits] = columnsOf(set, ['hi', 'lo', 'bits'])
  const tests = set.lengths.flatMap(length => {
    const literals: string[] = []
    for (let i = 0; i < bits!.length; i++) {
      if (Number(bits![i]) === length) literals.push(addressLiteral({ hi: BigInt(hi![i]!), lo: BigInt(lo![i]!) }))
    }
    const cut = length === 128 ? address : maskedAddress(address, leadingBits(length))
    return literals.length === 0 ? [] : [`${cut} IN (${literals.join(', ')})`]
  })
  return tests.length === 0 ? 'false' : tests.length === 1 ? tests[0]! : `(${tests.join(' OR ')})`
}

/** The values of a set, between commas. */
export function inSet(set: NamedSet, written: (value: Value) => string): string {
  const [values] = columnsOf(set, ['value'])
  const type = set.columns!.find(({ name }) => name === 'value')!.type
  return Array.from(values!, value => written(typeof type === 'string' ? value : type[Number(value)]!)).join(', ')
}

function columnsOf({ columns = [] }: NamedSet, names: readonly string[]): ArrayLike<number | bigint | string>[] {
  return names.map(name => {
    const found = columns.find(one => one.name === name)
    assert(found !== undefined, 'the values of a set are at hand')
    if (found.data.length > setMost && name !== 'hi' && name !== 'lo')
      throw new UserError(`exceeds ${setMost.toLocaleString('en-US')} values of a list for an engine`, {
        status: exitStatus.usage,
        hint: 'ask in parts, or bring the records into a case and ask there',
      })
    return found.data
  })
}

/**
 * The smallest value that a share of them does not exceed, exactly: values are counted, and passed over from the smallest on until the share
 * is reached.
 *
 * @param rest what stands after an aggregate's opening bracket: the value, the closing bracket, and which rows take part.
 */
export function percentileOf(rest: () => string, share: number): string {
  const state = 'ROW("left" BIGINT, "value" DECIMAL(38, 0))'
  const entries = `array_sort(map_entries(histogram(${rest()}))`
  const begin = `CAST(ROW(CAST(greatest(1, ceiling(${share} * count(${rest()})) AS BIGINT), NULL) AS ${state})`
  return `reduce(${entries}, ${begin}, (s, e) -> IF(s[1] > 0, CAST(ROW(s[1] - e[2], e[1]) AS ${state}), s), s -> s[2])`
}

/** Whether an expression is known to be a bigint, by its form alone. */
export function isWhole64(node: Expression): boolean {
  switch (node.kind) {
    case 'constant':
      return node.type !== 'whole' && (typeof node.value === 'bigint' || typeof node.value === 'number')
    case 'cast':
      return node.type !== 'whole' && node.type !== 'boolean' && node.type !== 'text' && node.type !== 'address'
    case 'call':
      if (node.name === 'microseconds') return true
      return ['plus', 'minus', 'times', 'quotient', 'remainder'].includes(node.name) && node.args.every(isWhole64)
    case 'case':
      return (
        node.branches.every(({ then }) => isWhole64(then)) && (node.otherwise === null || isWhole64(node.otherwise))
      )
    default:
      return false
  }
}
