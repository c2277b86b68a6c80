import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineTable } from '../../src/engines/engine.ts'
import { parse } from '../../src/filter/filter.ts'
import { mayHoldOf, partitionsOf } from '../../src/flows/engine-partitions.ts'
import { timesOf } from '../../src/flows/engine-times.ts'
import { trino } from '../../src/query/trino-printer.ts'

type Partition = EngineTable['partitions'][number]

function conditionOf(partitions: Partition[], filter: string): string | null {
  const table = { sql: '"t"', columns: [], partitions, listsPartitions: true, hasPath: true }
  const condition = partitionsOf(table, timesOf(parse(filter, { files: false }).ast))
  return condition === null ? null : trino.shown(condition)
}

const text = (name: string, ...values: string[]): Partition => ({ name, type: 'varchar', values })
const hour = 'between 2023-09-28T17:00 and 2023-09-28T17:40'

test('a window is asked of days, from five minutes before it to fifteen after, however days are written', () => {
  for (const [sign, first, last] of [
    ['-', '2023-09-28', '2023-09-29'],
    ['/', '2023/09/28', '2023/09/29'],
    ['', '20230928', '20230929'],
  ] as const) {
    const day = ['2023', '09', '01'].join(sign)
    assert.equal(conditionOf([text('d', day)], hour), `("d" >= '${first}' AND "d" <= '${first}')`)
    const late = 'between 2023-09-28T23:00 and 2023-09-28T23:50'
    assert.equal(conditionOf([text('d', day)], late), `("d" >= '${first}' AND "d" <= '${last}')`)
  }
  assert.equal(
    conditionOf([{ name: 'd', type: 'date', values: [] }], hour),
    `(("d" >= (DATE '2023-09-28')) AND ("d" <= (DATE '2023-09-28')))`.replace(/\(("d" .= \(.*?\))\)/g, '$1'),
  )
})

test('hours beside days, and years, months and days apart, are bounded part by part', () => {
  assert.equal(
    conditionOf([text('day', '2023-09-28'), text('hour', '05')], hour),
    `(("day" >= '2023-09-28' AND ("day" > '2023-09-28' OR ("day" = '2023-09-28' AND "hour" >= '16'))) AND ("day" <= '2023-09-28' AND ("day" < '2023-09-28' OR ("day" = '2023-09-28' AND "hour" <= '17'))))`,
  )
  const apart = [text('year', '2023'), text('month', '09'), { name: 'day', type: 'integer', values: ['28'] }]
  assert.match(conditionOf(apart, 'end >= 2023-09-28')!, /"year" = '2023' AND \("month" > '09' OR .* "day" >= 27\)/)
})

test('what does not tell the time, or is written in no order, prunes nothing', () => {
  assert.equal(conditionOf([text('region', 'eu-west-1')], hour), null)
  assert.equal(conditionOf([text('hour', '05')], hour), null)
  assert.equal(conditionOf([text('d', '2023-09-28', 'unknown')], hour), null)
  // Without zeros before them, 9 comes after 10.
  assert.match(
    conditionOf([text('year', '2023'), text('month', '9')], hour)!,
    /^\("year" >= '2023' AND "year" <= '2023'\)$/,
  )
  // Of many partitions some are seen: two digits may be those of a column that has one digit elsewhere.
  const some = (name: string, ...values: string[]): Partition => ({ ...text(name, ...values), isSample: true })
  for (const month of [some('month', '10', '11'), some('month', '10', '2')])
    assert.match(conditionOf([text('year', '2023'), month], hour)!, /^\("year" >= '2023' AND "year" <= '2023'\)$/)
  for (const month of [some('month', '10', '09'), text('month', '10', '11')])
    assert.match(conditionOf([text('year', '2023'), month], hour)!, /"month" <= '09'/)
  assert.equal(conditionOf([some('d', '2023-10-12', '2023-10-13')], hour), null)
  for (const day of ['2023-10-02', '2023-02-10', '20231002', '20230210', '2023/10/12/05'])
    assert.notEqual(conditionOf([some('d', day)], hour), null, day)
  assert.equal(conditionOf([text('ingest_date', '2023-09-28')], hour), null)
  assert.equal(conditionOf([{ name: 'load_date', type: 'date', values: [] }], hour), null)
  assert.equal(conditionOf([text('d', '2023-09-28')], 'port 443'), null)
  assert.equal(conditionOf([text('d', '2023-09-28')], `port 443 or ${hour}`), null)
  assert.equal(conditionOf([text('d', '2023-09-28')], `not (${hour})`), null)
})

test('what times a filter asks for is told from all of it', () => {
  const us = (time: string): bigint => BigInt(Date.parse(`${time}Z`)) * 1000n
  const of = (filter: string): unknown => timesOf(parse(filter, { files: false }).ast)
  const [from_us, to_us] = [us('2023-09-28T17:00'), us('2023-09-28T17:40')]
  assert.deepEqual(of(`port 443 and ${hour} and not proto udp`), [{ from_us, to_us }])
  assert.deepEqual(of('first seen > 2023-09-28T17:00 and last seen < 2023-09-28T17:40'), [{ from_us, to_us }])
  assert.deepEqual(of(`(${hour}) or start = 2023-09-28T17:00`), [
    { from_us, to_us },
    { from_us, to_us: from_us },
  ])
  assert.deepEqual(of('start != 2023-09-28T17:00'), [{ from_us: null, to_us: null }])
  const many = Array.from({ length: 12 }, (_, i) => `end = 2023-09-${i + 10}T00:00`).join(' or ')
  assert.deepEqual(of(many), [{ from_us: us('2023-09-10T00:00'), to_us: us('2023-09-21T00:00') }])
})

test('folders may hold what the condition on partitions finds, and what their names leave open', () => {
  const may = (partitions: Partition[], filter: string, values: Record<string, string>): boolean => {
    const table = { sql: '"t"', columns: [], partitions, listsPartitions: true, hasPath: true }
    return mayHoldOf(table, timesOf(parse(filter, { files: false }).ast))!(name => values[name] ?? null)
  }
  const days = [text('day', '2023/09/01'), text('hour', '07')]
  const window = 'between 2023-09-28T22:58 and 2023-09-28T23:50'
  for (const [values, isHeld] of [
    [{ day: '2023/09/28', hour: '21' }, false],
    [{ day: '2023/09/28', hour: '22' }, true],
    [{ day: '2023/09/29', hour: '00' }, true],
    [{ day: '2023/09/29', hour: '01' }, false],
    [{ day: '2023/09/28' }, true],
    [{ day: '2023/09/30' }, false],
    [{ day: '2023/09' }, true],
    [{ day: '2023/10' }, false],
    [{ day: '2022' }, false],
    [{}, true],
  ] as const)
    assert.equal(may(days, window, values), isHeld, JSON.stringify(values))
  const numbers = [
    { name: 'year', type: 'integer', values: [] },
    { name: 'month', type: 'integer', values: [] },
  ]
  const months = 'between 2023-09-28 and 2023-11-02'
  for (const [year, month, isHeld] of [
    ...[['2023', '9', true] as const, ['2023', '09', true] as const, ['2023', '8', false] as const],
    ...[['2023', '10', true] as const, ['2023', '12', false] as const, ['2022', '10', false] as const],
    ['2023', '__HIVE_DEFAULT_PARTITION__', true] as const,
  ])
    assert.equal(may(numbers, months, { year, month }), isHeld, `${year}-${month}`)
  const dates = [{ name: 'd', type: 'date', values: [] }]
  assert.deepEqual(
    ['2023-09-26', '2023-09-27', '2023-11-04'].map(d => may(dates, months, { d })),
    [false, true, false],
  )
  assert.equal(may(dates, 'start > 2023-09-28T00:00', { d: '2024-01-01' }), true)
  // As a projected column of that type writes them.
  for (const [sample, before, within, month, after] of [
    ['2023/09/28', '2023/09/26', '2023/10/11', '2023/10', '2023/11/04'],
    ['20230928', '20230926', '20231011', '202310', '20231104'],
  ] as const) {
    const own = [{ name: 'd', type: 'date', values: [sample] }]
    assert.equal(conditionOf(own, 'end >= 2023-09-28'), `"d" >= (DATE '2023-09-27')`)
    const held = [before, within, month, after].map(d => may(own, months, { d }))
    assert.deepEqual(held, [false, true, true, false], sample)
    // Of a form that is not known nothing is left out.
    for (const unknown of [dates, [{ name: 'd', type: 'date', values: ['28-09-2023'] }]])
      for (const d of [before, within, after]) assert.equal(may(unknown, months, { d }), true, d)
  }
  // The 5th of January, and of October: a day before its month is in no order.
  const swapped = [{ name: 'd', type: 'date', values: ['2023-28-09'] }]
  for (const d of ['2023-05-01', '2023-05-10']) assert.equal(may(swapped, months, { d }), true, d)
  assert.equal(conditionOf([text('d', '2023/28/09')], hour), null)
  const table = { sql: '"t"', columns: [], partitions: dates, listsPartitions: true, hasPath: true }
  assert.equal(mayHoldOf(table, [{ from_us: null, to_us: null }]), null)
})
