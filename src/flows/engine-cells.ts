/** Texts of an engine as cells of an answer. */
import type { TextRow } from '../engines/engine.ts'
import { assert } from '../errors.ts'
import { formatAddress, parseAddress } from '../net/address.ts'
import { utcSeconds } from '../net/time.ts'
import { cast, named, select } from '../query/build.ts'
import type { Query, Select } from '../query/nodes.ts'
import { asWindows } from '../query/page-windows.ts'
import { type Plan, type PlannedColumn, totalNames } from './plan.ts'
import type { Cell, FlowsRow } from './request.ts'
import { integer } from './values.ts'

/** The same statement with every column as text. */
export function asTexts(statement: Query): Select {
  const rows = statement.kind === 'page' ? asWindows(statement) : statement
  assert(rows.kind === 'select', 'an engine is asked one selection')
  // Under names that no order means: it is that of the values, not of their texts.
  const items = rows.items.map(({ value }, i) => named(cast(value, 'text'), `c${i}`))
  const { named: before, from, where, groupBy, orderBy, limit } = rows
  return select(items, { named: before, from, where, groupBy, orderBy, limit })
}

/** What stands before a row's own columns; unknown where a total is not known, and `isRow` false where there are totals alone. */
export function totalsOf(row: TextRow | undefined): { cells: Cell[]; isRow: boolean } {
  return {
    cells: totalNames.slice(0, -1).map((_, i) => number(row?.[i] ?? null)),
    isRow: row?.[totalNames.length - 1] === 'true',
  }
}

export function rowReader({ columns, totals }: Plan): (row: TextRow) => FlowsRow {
  const skip = totals ? totalNames.length : 0
  const readers = columns.map(column => ({ name: column.name, read: reader(column) }))
  return row => {
    const out: FlowsRow = {}
    for (const [i, { name, read }] of readers.entries()) out[name] = read(row[skip + i] ?? null)
    return out
  }
}

export function number(text: string | null): Cell {
  return text === null ? null : integer(BigInt(text))
}

function reader({ type, length = 128 }: PlannedColumn): (text: string | null) => Cell {
  switch (type) {
    case 'address':
      return text => addressText(text)
    case 'prefix':
      return text => {
        const address = addressText(text)
        return address === null ? null : `${address}/${address.includes('.') && length >= 96 ? length - 96 : length}`
      }
    case 'time':
      return text => (text === null ? null : utcSeconds(BigInt(text)))
    case 'integer':
      return number
    default:
      return text => text
  }
}

/** In the one spelling that answers have. */
function addressText(text: string | null): string | null {
  if (text === null) return null
  const address = parseAddress(text)
  assert(address !== null, 'an engine gives addresses')
  return formatAddress(address.hi, address.lo)
}
