import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { investigate } from '../../src/investigate/investigate.ts'
import { openCase } from '../../src/store/case.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { QuerySession } from '../../src/user-sql/session.ts'
import { ask, caseFolder, value } from './support.ts'

const { caseDir } = await caseFolder()
const session = new QuerySession(caseDir)
after(() => session.close())

const values: [sql: string, expected: unknown][] = [
  ['18446744073709551615::UBIGINT', 18446744073709551615n],
  ['9007199254740993', 9007199254740993n],
  ['9007199254740991', 9007199254740991],
  ['-170141183460469231731687303715884105727::HUGEINT', -170141183460469231731687303715884105727n],
  ['(2::DOUBLE ** 53) + 1', 9007199254740992],
  ['1.50', 1.5],
  ['12345678901234567.89', '12345678901234567.89'],
  ['0.1::DOUBLE', 0.1],
  ["'nan'::DOUBLE", 'NaN'],
  ["'inf'::DOUBLE", 'Infinity'],
  ['true', true],
  ['NULL', null],
  ["''", ''],
  ["'NUL' || chr(0) || '\u202e'", 'NUL\0\u202e'],
  ["TIMESTAMP '2023-11-14 22:13:20'", '2023-11-14T22:13:20Z'],
  ["TIMESTAMP '2023-11-14 22:13:20.000001'", '2023-11-14T22:13:20.000001Z'],
  ["TIMESTAMP '1969-12-31 23:59:59.5'", '1969-12-31T23:59:59.500Z'],
  ["TIMESTAMPTZ '2023-11-14 22:13:20+02'", '2023-11-14T20:13:20Z'],
  ["TIMESTAMP_S '2023-11-14 22:13:20'", '2023-11-14T22:13:20Z'],
  ["TIMESTAMP_MS '2023-11-14 22:13:20.25'", '2023-11-14T22:13:20.250Z'],
  ["TIMESTAMP_NS '2023-11-14 22:13:20.123456789'", '2023-11-14T22:13:20.123456789Z'],
  ["TIMESTAMP 'infinity'", 'infinity'],
  ["DATE '2023-11-14'", '2023-11-14'],
  ["TIME '01:02:03'", '01:02:03'],
  ["INTERVAL '61 seconds'", '00:01:01'],
  ["'\\x00\\xAA'::BLOB", '00aa'],
  ['[1, NULL, 18446744073709551615]', [1, null, 18446744073709551615n]],
  ["{'a': 1, 'b': [addr('10.0.0.1')]}", { a: 1, b: ['10.0.0.1'] }],
  ["MAP {'k': 1}", { k: 1 }],
  ["MAP {'__proto__': 1}", JSON.parse('{"__proto__": 1}')],
  ['\'{"x": 1}\'::JSON', '{"x": 1}'],
  ['{hi: -1, lo: 5}', { hi: -1, lo: 5 }],
  ["'a'::ENUM('a', 'b')", 'a'],
]

test('values arrive exactly', async () => {
  for (const [sql, expected] of values) assert.deepEqual(await value(session, `SELECT ${sql}`), expected, sql)
})

test('columns of one name are told apart', async () => {
  const { columns } = await ask(session, 'SELECT 1 AS n, 2 AS n, 3 AS n_2, 4 AS n')
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['n', 'n_2', 'n_2_2', 'n_3'],
  )
})

test('the views hold what the case holds', async () => {
  const report = await readEvidence(caseDir)
  const evidence = await ask(
    session,
    'SELECT path, kind, size, sha256, lines, records, no_data, skip_data, malformed, first_start, last_end, status, layout, sensors, capture, subscription FROM evidence',
  )
  const [file] = report.files
  assert.ok(file)
  const {
    path,
    kind,
    size,
    sha256,
    lines,
    records,
    no_data,
    skip_data,
    malformed,
    first_start,
    last_end,
    status,
    layout,
    sensors,
  } = file
  assert.deepEqual(evidence.rows, [
    [
      ...[
        path,
        kind,
        size,
        sha256,
        lines,
        records,
        no_data,
        skip_data,
        malformed,
        first_start,
        last_end,
        status,
        layout,
      ],
      sensors,
      null,
      'fl-0123abcd',
    ],
  ])
  const problems = await ask(session, 'SELECT path, line, "offset", problem FROM problems')
  assert.deepEqual(
    problems.rows,
    report.problems.map(one => [one.path, one.line ?? null, one.offset ?? null, one.problem]),
  )
  assert.equal(await value(session, 'SELECT count(*) FROM flows'), report.totals.records)
  assert.equal(await value(session, 'SELECT max(bytes) FROM flows'), 18446744073709551615n)
  assert.deepEqual((await ask(session, 'SELECT sensor, status FROM silence ORDER BY start')).rows, [
    ['eni-0a1b2c3d', 'NODATA'],
    ['eni-0a1b2c3d', 'SKIPDATA'],
  ])
  assert.deepEqual((await ask(session, 'SELECT strange_field FROM flows ORDER BY _line')).rows.length, 5)
})

test('coverage is that of the dossier', async () => {
  const opened = await openCase(caseDir)
  try {
    const { coverage: sensors } = await investigate(opened, ['203.0.113.7'])
    const { rows } = await ask(
      session,
      'SELECT sensor, first, last, records, no_data, skip_data, holes FROM coverage ORDER BY sensor',
    )
    assert.ok(sensors.some(sensor => sensor.holes > 0))
    assert.deepEqual(
      rows,
      sensors.map(one => [one.sensor, one.first, one.last, one.records, one.no_data, one.skip_data, one.holes]),
    )
  } finally {
    await opened.close()
  }
})
