/** Answers of queries as they are shown. No DOM here. */
import type { SqlAnswer, SqlCell } from '../server/contract/sql.ts'
import { hostTerm, type Term } from './parts/term.ts'
import { cellTerm } from './record-cells.ts'
import { countText, visible } from './text.ts'

const numeric = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL)/

export function isNumeric(type: string): boolean {
  return numeric.test(type)
}

/** Every digit of a number; what is nested as JSON. */
export function sqlText(cell: SqlCell): string {
  if (cell === null) return 'NULL'
  return visible(typeof cell === 'object' ? JSON.stringify(cell) : String(cell))
}

/** Fields of records that a column of an answer may be. */
const addresses = /^(srcaddr|dstaddr|pkt_srcaddr|pkt_dstaddr)$/
const numbers = /^(srcport|dstport|protocol)$/

/** A value that the filter language can ask for: an address, or what has the name of a field. */
export function sqlTerm(column: { name: string; type: string }, cell: SqlCell): Term | null {
  if (cell === null || typeof cell === 'object') return null
  const isAddress = addresses.test(column.name)
  if (isAddress || column.type === 'address') {
    if (!/^[\da-f.:]+$/i.test(String(cell))) return null
    return isAddress
      ? cellTerm({ name: column.name, type: 'address', unit: null }, String(cell))
      : hostTerm(String(cell))
  }
  if (numbers.test(column.name) && typeof cell === 'number')
    return cellTerm({ name: column.name, type: 'integer', unit: null }, cell)
  return null
}

/** `3 rows in 0.12 s`, or what part is there: `first 1,000 of 48,213 rows`. */
export function sqlExtent({ rows, total, counted, cutBy, milliseconds }: SqlAnswer): string {
  const time = `in ${(milliseconds / 1000).toFixed(2)} s`
  const given = rows.length
  if (cutBy === null) return `${countText(given)} ${given === 1 ? 'row' : 'rows'} ${time}`
  const of = total === null ? `more than ${countText(counted)}` : countText(total)
  const why = cutBy === 'rows' ? 'the limit of rows' : 'the limit of bytes of an answer'
  return `First ${countText(given)} of ${of} rows (${why}) ${time}`
}
