// Fields of logs are called whatever their writer likes: each is found under its own name, and stands in the place of no other.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fieldName, thingNamed, things, unsupported } from '../../src/filter/things.ts'
import { reservedWords } from '../../src/filter/tokens.ts'
import { elementNames, elementPairs, orderNames, recordMeasures } from '../../src/flows/names.ts'
import type { FlowsRequest } from '../../src/flows/request.ts'
import { fieldNamed } from '../../src/records/fields.ts'
import { columnOfField } from '../../src/records/unknown-columns.ts'
import { views } from '../../src/user-sql/schema.ts'
import { defaultHeader, recordLine } from '../robustness/support.ts'
import { answerOf, caseOf, rowsOf, workFolder } from './support.ts'

const own = [
  'path',
  'line',
  'packet',
  'sensor',
  'role',
  'service',
  'bin',
  'part',
  'other-fields',
  'field-path',
  'tos',
  'records',
]
const inherited = ['constructor', 'prototype', 'tostring', 'valueof', 'hasownproperty']
const words = ['s', 'n', 'page', 'select', 'from', 'timestamp', 'file', 'between']
const names = [...own, ...inherited, ...words]

test('a name that means something in a filter, a ranking or a view is no name of an unknown field', () => {
  const meanings = [
    ...things.flatMap(thing => thing.names),
    ...unsupported,
    ...reservedWords,
    ...elementNames.keys(),
    ...elementPairs.keys(),
    ...orderNames.keys(),
    ...recordMeasures,
    ...['path', 'line', 'packet', 'record', 'sensor', 'part', 'bin'],
    ...views
      .filter(view => /^(packet_)?flows$|^connections$/.test(view.name))
      .flatMap(view => view.columns.map(one => one.name)),
  ]
  for (const name of meanings) {
    if (!/^[a-z][a-z0-9-]*$/.test(name.replaceAll('_', '-')) || fieldNamed(name.replaceAll('-', '_')) !== undefined)
      continue
    const column = columnOfField(name.replaceAll('_', '-'))
    assert.equal(column, `field_${name.replaceAll('-', '_')}`)
    assert.equal(thingNamed(column), undefined)
    assert.equal(fieldName(column, new Set([column])), column)
  }
  const columns = names.map(columnOfField)
  assert.equal(new Set(columns).size, names.length)
})

test('records with fields of any name are listed, filtered, grouped, ranked and counted by them', async t => {
  const work = workFolder()
  t.after(() => work.close())
  const line = (i: number): string => `${recordLine(i)} ${names.map(name => `${name}.${i % 2}`).join(' ')}`
  const paths = ['a.log', 'b.log'].map(name => join(work.root, name))
  for (const [file, path] of paths.entries())
    writeFileSync(
      path,
      `${[`${defaultHeader} ${names.join(' ')}`, ...Array.from({ length: 6 }, (_, i) => line(10 * file + i))].join('\n')}\n`,
    )
  const c = await caseOf(work.root, paths)
  t.after(() => c.close())
  const listed = await rowsOf(c, {})
  assert.deepEqual(
    listed.map(row => [row['path'], row['line']]),
    paths.flatMap(path => [2, 3, 4, 5, 6, 7].map(at => [path, at])),
  )
  for (const name of names) {
    const column = columnOfField(name)
    assert.deepEqual(new Set(listed.map(row => row[column])), new Set([`${name}.0`, `${name}.1`]))
    const requests: FlowsRequest[] = [
      { stat: { element: column }, order: 'bytes' },
      { by: [column, 'srcip4/24'] },
      { by: [column], bin_ms: 60_000, other: true, limit: 1 },
      { by: ['dstip'], distinct: [column], having: 'records > 1' },
      { by: [column], filter: 'between 1700000010 and 1700000020', compare: 'between 1700000000 and 1700000009' },
    ]
    for (const request of requests)
      assert.ok((await rowsOf(c, request)).length > 0, `${name}: ${JSON.stringify(request)}`)
    for (const filter of [`${column} = ${name}.1`, `${column} contains ".1"`])
      assert.equal((await answerOf(c, { filter })).result.total_rows, 6, filter)
  }
})
