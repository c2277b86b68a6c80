/** A test of what the user's own files say of an address, as a condition. */
import { exitStatus, UserError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import {
  addressAmong,
  all,
  any,
  call,
  choose,
  column,
  constant,
  equal,
  firstKnown,
  isKnown,
  isUnknown,
  no,
  not,
  parameter,
  saidOfAddress,
  unknown,
  yes,
} from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'
import type { Test } from './ast.ts'
import type { Compiling } from './compiling.ts'
import { columnOf, type EnrichedTable, type EnrichedTables, type EnrichedWord, tableOf } from './enriched-tables.ts'
import { numberTest, testOfText } from './value-tests.ts'

/** @throws UserError where no file tells it, and for a list that was not given. */
export function enrichedIs(word: EnrichedWord, address: Expression, test: Test, c: Compiling): Expression {
  const table = tableOf(c.enriched, word)
  const value = column(columnOf[word])
  if (test.op === 'known') {
    const isSaid = word === 'list' ? listed(table, address, yes) : addressAmong(address, table, isKnown(value))
    const known = firstKnown(isSaid, no)
    return test.known ? known : not(known)
  }
  const fits = word === 'asn' ? numberTest(value, 'u32', test, c) : testOfText(value, test, c)
  if (word === 'list') {
    checkNames(table, test)
    return listed(table, address, fits)
  }
  const isSo = addressAmong(address, table, fits)
  if (!table.unknown.has(word)) return isSo
  return any([isSo, all([addressAmong(address, table, isUnknown(value)), unknown('boolean')])])
}

/** Whether the address was on a list while the record was under way. */
function listed(table: EnrichedTable, address: Expression, fits: Expression): Expression {
  const always = addressAmong(address, table, all([fits, column('always')]))
  if (!table.timed) return always
  const during = { start: column('start'), end: column('end') }
  return any([always, addressAmong(address, table, all([fits, not(column('always'))]), during)])
}

function checkNames({ lists }: EnrichedTable, test: Test): void {
  const values = test.op === 'in' ? test.values : test.op === 'compare' ? [test.value] : []
  for (const value of values) {
    if (value.type !== 'text' || lists.includes(value.text)) continue
    const near = nearest(value.text, lists)
    throw new UserError(`no such list: ${value.text}`, {
      hint: near === null ? `there are: ${lists.join(', ')}` : `did you mean ${near}?`,
      status: exitStatus.usage,
    })
  }
}

/**
 * What is said of an address: of a list, a network or a service `none` where it is of none, for those files are whole; of lists the names of all
 * that it was on while the record was under way.
 */
export function saidOf(word: EnrichedWord, address: Expression, tables: EnrichedTables): Expression {
  const table = tableOf(tables, word)
  const said = word === 'list' ? namesOf(table, address) : saidOfAddress(address, table, columnOf[word])
  if (word === 'country' || word === 'asn' || word === 'as_org') return said
  return choose([[isKnown(address), firstKnown(said, constant('none'))]])
}

function namesOf(table: EnrichedTable, address: Expression): Expression {
  const names = table.lists.map(name => {
    const value = parameter(name)
    return choose([[listed(table, address, equal(column('list'), value)), value]])
  })
  return names.length === 0 ? unknown('text') : call('joined', ...names)
}
