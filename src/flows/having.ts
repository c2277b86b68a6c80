/** `--having`: which groups stay, by what was counted of them. */
import { UserError } from '../errors.ts'
import { parseDuration, parseNumber } from '../filter/values.ts'
import { nearest } from '../nearest.ts'
import { parseTime } from '../net/time.ts'
import { all, any, call, column as columnNode, compare, not, parameter } from '../query/build.ts'
import type { Comparator, Expression } from '../query/nodes.ts'
import type { FlowsColumn } from './request.ts'

const signs = new Map(
  Object.entries<Comparator>({
    '=': '=',
    '==': '=',
    '!=': '<>',
    '<>': '<>',
    '<': '<',
    '<=': '<=',
    '>': '>',
    '>=': '>=',
  }),
)

interface Reading {
  tokens: string[]
  at: number
  columns: readonly FlowsColumn[]
  text: string
}

const deepest = 100

/** Reads `bytes > 1m and (records >= 10 or not packets < 5)` to a condition over the columns of the groups. */
export function havingOf(text: string, columns: readonly FlowsColumn[]): Expression {
  const tokens = text.match(/[a-z_][\w]*|\d[\w.:-]*|<=|>=|<>|!=|==|[<>=()]|\S/gi) ?? []
  const reading: Reading = { tokens, at: 0, columns, text }
  const condition = either(reading, 0)
  if (reading.at < tokens.length) throw fault(reading, 'unexpected')
  return condition
}

function either(r: Reading, depth: number): Expression {
  let left = both(r, depth)
  while (taken(r, 'or')) left = any([left, both(r, depth)])
  return left
}

function both(r: Reading, depth: number): Expression {
  let left = single(r, depth)
  while (taken(r, 'and')) left = all([left, single(r, depth)])
  return left
}

function single(r: Reading, depth: number): Expression {
  if (depth > deepest) throw new UserError(`exceeds ${deepest} brackets within one another`, { status: 2 })
  if (taken(r, 'not')) return not(single(r, depth + 1))
  if (!taken(r, '(')) return comparison(r)
  const inner = either(r, depth + 1)
  if (!taken(r, ')')) throw fault(r, 'missing ) before')
  return inner
}

function comparison(r: Reading): Expression {
  const word = r.tokens[r.at]?.toLowerCase() ?? ''
  // nfdump's word for the records of a group.
  const name = word === 'flows' ? 'records' : word
  const column = r.columns.find(one => one.name.toLowerCase() === name)
  if (column === undefined || column.type === 'address' || column.type === 'prefix' || column.type === 'text') {
    const known = r.columns.filter(one => one.type === 'integer' || one.type === 'time').map(one => one.name)
    const near = nearest(name, known)
    const hint = near === null ? `what is compared: ${known.join(', ')}` : `did you mean ${near}?`
    throw new UserError(`unknown measure: ${r.tokens[r.at] ?? 'nothing'}`, { status: 2, hint })
  }
  r.at++
  const sign = signs.get(r.tokens[r.at] ?? '')
  if (sign === undefined) throw fault(r, `missing comparator after ${column.name}, before`)
  r.at++
  const value = boundValue(r, column)
  r.at++
  return compare(sign, columnNode(column.name), value)
}

function boundValue(r: Reading, column: FlowsColumn): Expression {
  const text = r.tokens[r.at] ?? ''
  if (column.type === 'time') {
    const us = parseTime(text, false)
    if (us === null) throw fault(r, 'invalid time:')
    return call('time-at', parameter(us, 'i64'))
  }
  const number = column.unit === 'ms' ? parseDuration(text) : parseNumber(text)
  if (number === null || number >= 1n << 64n) throw fault(r, 'invalid number:')
  return parameter(number, 'whole')
}

function taken(r: Reading, word: string): boolean {
  if (r.tokens[r.at]?.toLowerCase() !== word) return false
  r.at++
  return true
}

function fault(r: Reading, what: string): UserError {
  const rest = r.tokens[r.at]
  return new UserError(`${what} ${rest ?? 'the end'} in --having`, {
    status: 2,
    hint: 'such as: bytes > 1m and (records >= 10 or packets < 5)',
  })
}
