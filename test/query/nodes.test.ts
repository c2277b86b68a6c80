import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { parsePrefix } from '../../src/net/prefix.ts'
import {
  aggregate,
  all,
  among,
  any,
  call,
  cast,
  choose,
  column,
  common,
  compare,
  constant,
  count,
  each,
  equal,
  every,
  firstKnown,
  inPrefixes,
  inSet,
  isKnown,
  join,
  masked,
  minus,
  named,
  not,
  onlyValue,
  order,
  own,
  page,
  parameter,
  percentile,
  plus,
  quotient,
  remainder,
  renamed,
  rowNumber,
  select,
  star,
  table,
  times,
  trusted,
  tuple,
  unionAll,
  unknown,
  yes,
} from '../../src/query/build.ts'
import { duckdb } from '../../src/query/duckdb-printer.ts'
import type { Expression, QueryNode } from '../../src/query/nodes.ts'
import { hasUnknownPart, isAlways, partsOf } from '../../src/query/walk.ts'
import { Database, type Value } from '../../src/store/duckdb.ts'

let db: Database

before(async () => {
  db = await Database.open({ threads: 1, memoryLimit: '1GB', tempDirectory: null })
})
after(() => db.close())

const prefix = parsePrefix('10.0.0.0/8')!
const one = constant(1)
const some: QueryNode[] = [
  column('a', 't'),
  constant({ hi: 0n, lo: 1n }),
  parameter('x', 'text'),
  compare('same', column('a'), parameter(1)),
  all([column('a'), column('b')]),
  any([column('a'), column('b')]),
  not(column('a')),
  isKnown(column('a')),
  among(column('a'), [one, constant(2)]),
  inSet(column('a'), { table: 'set', lengths: [] }),
  inPrefixes(column('a'), [prefix]),
  masked(column('a'), { hi: 0n, lo: 255n }),
  call('greatest', column('a'), column('b')),
  cast(column('a'), 'u64'),
  choose([[column('a'), one]], column('b')),
  aggregate('sum', column('a'), column('b')),
  percentile(column('a'), 0.95),
  rowNumber([column('a')], [order(column('b'))]),
  tuple(column('a'), one),
  onlyValue(select([named(count(), 'n')], { from: table('t') })),
  star('t'),
  trusted('epoch_us(a)', ['a']),
  table('t'),
  renamed(table('t'), 'u'),
  join('left', table('t'), table('u'), equal(column('a', 't'), column('b', 'u'))),
  each(table('t'), 'i', { first: one, last: column('a'), absent: column('b') }),
  select([own('a')], { named: [common('t', select([named(one, 'a')]))], from: table('t'), groupBy: [column('a')] }),
  unionAll([select([named(one, 'a')]), select([named(one, 'a')])]),
  page({
    ...{ groups: select([own('a')], { from: table('t') }), measured: [named(one, 'm')], keep: null },
    ...{ orderBy: [order(column('a'))], limit: 5, totals: [named(count(), '_rows')], names: ['a', 'm'] },
    rest: { part: 'part', items: [named(unknown(), 'a')] },
  }),
]

test('nodes and their lists are frozen, all the way down', () => {
  for (const node of some) {
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return
      // Prefixes, sets and orders from elsewhere are passed on as they are.
      if (/prefixes\.\d|\.set|\.mask/.test(path)) return
      assert.ok(Object.isFrozen(value), `${node.kind}${path}`)
      for (const [key, part] of Object.entries(value)) visit(part, `${path}.${key}`)
    }
    visit(node, '')
  }
})

test('a node needs the columns of its parts, each once, and the values of its parts in their order', () => {
  const sum = plus(times(column('a'), parameter(2n)), firstKnown(column('b'), column('a'), parameter(3n)))
  assert.deepEqual(sum.columns, ['a', 'b'])
  assert.deepEqual(sum.parameters, [2n, 3n])
  const test = inPrefixes(column('ip'), [prefix, parsePrefix('192.0.2.1')!, parsePrefix('2000::/3')!])
  assert.deepEqual(test.columns, ['ip'])
  assert.deepEqual(duckdb.print(test).values, test.parameters)
  assert.deepEqual(star().columns, ['*'])
})

test('values come in the order of the text, as often as the text has them', () => {
  const address = call('address', parameter(1n), parameter(2n))
  const nodes: QueryNode[] = [
    masked(address, { hi: 0n, lo: 255n }),
    masked(address, { hi: 255n, lo: 0n }),
    inSet(address, { table: 'set', lengths: [128, 24, 8] }),
    inPrefixes(address, [prefix, parsePrefix('2000::/3')!]),
  ]
  for (const node of nodes) {
    const { text, values } = duckdb.print(node as Expression)
    assert.equal(text.split('?').length - 1, values.length, text)
  }
  const numbered = each(table('t'), 'i', { first: parameter(4), last: parameter(5), absent: parameter(true) })
  assert.deepEqual(duckdb.print(select([own('i')], { from: numbered })).values, [true, 4, 5])
})

test('a query needs of its tables what its parts read, and nothing that an inner query reads', () => {
  const inner = select([named(plus(column('a'), column('b')), 'c')], { from: table('t'), where: isKnown(column('d')) })
  assert.deepEqual([...inner.columns].sort(), ['a', 'b', 'd'])
  const outer = select([named(aggregate('sum', column('c')), 's')], { from: inner, orderBy: [order(column('s'))] })
  assert.deepEqual(outer.columns, ['c'])
  const joined = select([own('x')], {
    from: join('semi', table('t'), table('u'), compare('same', column('y'), column('z'))),
  })
  assert.deepEqual([...joined.columns].sort(), ['x', 'y', 'z'])
})

test('what text told is told by the tree: whether a condition leaves out nothing, or has a part that nobody knows', () => {
  assert.ok(isAlways(all([])))
  assert.ok(!isAlways(any([])))
  assert.ok(hasUnknownPart(any([equal(column('a'), parameter('NULL::BOOLEAN')), not(unknown('boolean'))])))
  assert.ok(!hasUnknownPart(equal(column('NULL::BOOLEAN'), parameter('NULL::BOOLEAN'))))
})

test('the parts of a node are what it needs', () => {
  for (const node of some) {
    const isRelation = ['select', 'union', 'page', 'only-value'].includes(node.kind)
    const parts = partsOf(node)
    const parameters = parts.flatMap(part => part.parameters)
    if (node.kind !== 'parameter' && node.kind !== 'in-prefixes')
      assert.deepEqual(node.parameters, parameters, node.kind)
    if (isRelation || parts.length === 0) continue
    const columns = [...new Set(parts.flatMap(part => part.columns))]
    assert.deepEqual(node.columns, columns, node.kind)
  }
})

test('a tree is printed in one way, whoever prints it and how often', () => {
  for (const node of some) {
    if (['table', 'renamed', 'join', 'each'].includes(node.kind)) continue
    const printed = duckdb.print(node as Expression)
    assert.deepEqual(duckdb.print(node as Expression), printed)
    assert.equal(duckdb.shown(node as Expression), duckdb.shown(node as Expression))
    assert.equal(printed.text.split('?').length - 1, printed.values.length)
    assert.ok(!duckdb.shown(node as Expression).includes('?'), 'what is shown has its values')
  }
})

async function answerTo(node: Expression, shown: boolean): Promise<Value> {
  const { text, values } = shown ? { text: duckdb.shown(node), values: [] } : duckdb.print(node)
  const [row] = await db.rows(`SELECT ${text} AS v`, values)
  return row!['v']!
}

/** The bytes of a shown text, as the engine has them. */
async function bytesOf(node: Expression): Promise<Value> {
  const [row] = await db.rows(`SELECT hex(encode(${duckdb.shown(node)})) AS v`)
  return row!['v']!
}

const hex = (text: string): string => Buffer.from(text).toString('hex').toUpperCase()

const hostile = [
  "'",
  "''; DROP TABLE flows; --",
  '"',
  '\\',
  "\\'",
  '--',
  '/*',
  '*/',
  '\0',
  "a\0' OR true --",
  '\n',
  '\r',
  '?',
  '$1',
  '%',
  '\u202e',
  '\u2028',
  '\ufeff',
  '$$',
  "E'",
  '😀',
  '',
]

test('a literal is the value that it was, whatever it holds', async () => {
  for (const text of [...hostile, ...hostile.flatMap(a => hostile.map(b => `${a}${b}`))]) {
    assert.equal(await bytesOf(parameter(text)), hex(text), JSON.stringify(text))
  }
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async text => {
      assert.equal(await bytesOf(parameter(text)), hex(text))
      assert.equal(await bytesOf(constant(text)), hex(text))
    }),
    { numRuns: 300 },
  )
  for (const number of [0n, -1n, 1n << 63n, (1n << 64n) - 1n, -(1n << 63n), (1n << 127n) - 1n]) {
    assert.equal(BigInt((await answerTo(parameter(number, 'whole'), true)) as bigint), number)
    assert.equal(BigInt((await answerTo(constant(number, 'whole'), true)) as bigint), number)
  }
})

test('values from people are never part of SQL that is run', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), text => {
      const tree = all([equal(column('a'), parameter(text)), call('contains', column('b'), parameter(text))])
      const { text: sql, values } = duckdb.print(tree)
      assert.equal(sql, '("a" = ? AND contains("b", ?))')
      assert.deepEqual(values, [text, text])
    }),
  )
})

test('a name is the name that it was, whatever it holds', async () => {
  for (const name of [...hostile, ...hostile.map(a => `${a}"`)]) {
    if (name === '') continue
    const query = select([every()], {
      from: select([named(constant(5), name)]),
      where: equal(column(name), constant(5)),
    })
    if (name.includes('\0')) {
      assert.throws(() => duckdb.print(query), /NUL/)
      continue
    }
    const [row] = await db.rows(duckdb.print(query).text)
    assert.deepEqual(row, { [name]: 5 })
  }
})

test('functions mean what their names say', async () => {
  const is = async (node: Expression, wanted: Value): Promise<void> => {
    const got = await answerTo(node, true)
    assert.equal(String(got), String(wanted), duckdb.shown(node))
    assert.equal(String(await answerTo(node, false)), String(wanted))
  }
  const none = unknown('i64')
  await is(quotient(constant(-7), constant(2)), -3)
  await is(remainder(constant(-7), constant(2)), -1)
  await is(call('greatest', none, constant(3), constant(2)), 3)
  await is(call('least', none, constant(3), constant(2)), 2)
  await is(call('greatest', none, none), null)
  await is(minus(constant(5), minus(constant(3), constant(1))), 3)
  await is(times(constant(2), plus(constant(3), constant(4))), 14)
  await is(not(any([all([yes, unknown('boolean')]), yes])), false)
  await is(compare('same', unknown('boolean'), unknown('boolean')), true)
  await is(equal(not(compare('<', constant(1), constant(2))), constant(false)), true)
  await is(cast(choose([[yes, constant(-5)]]), 'text'), '-5')
  await is(cast(constant(-5, 'i64'), 'text'), '-5')
  await is(call('microseconds', call('time-at', constant(1_700_000_000_123_456n, 'i64'))), 1_700_000_000_123_456n)
  const four = constant(parsePrefix('192.0.2.77')!.first)
  const six = constant(parsePrefix('2001:db8:1:2::5')!.first)
  await is(call('is-ipv4', four), true)
  await is(call('is-ipv4', six), false)
  await is(call('lower-half', masked(four, { hi: 0n, lo: 0xffff_ffff_ff00n })), 0xffff_c000_0200n)
  await is(call('upper-half', masked(six, { hi: 0xffff_ffff_0000_0000n, lo: 0n })), 0x2001_0db8_0000_0000n)
  await is(inPrefixes(four, [prefix, parsePrefix('192.0.2.64/26')!]), true)
  await is(inPrefixes(six, [prefix, parsePrefix('2001:db8::/32')!]), true)
  await is(inPrefixes(six, [prefix, parsePrefix('2001:db8::/64')!]), false)
  await is(inPrefixes(firstKnown(unknown('address'), four), [parsePrefix('192.0.2.77')!]), true)
})

test('a limit is a whole number, or a bug', () => {
  for (const limit of [-1, 1.5, Number.NaN]) {
    assert.throws(() => duckdb.print(select([every()], { from: table('t'), limit })), /limit/)
  }
})
