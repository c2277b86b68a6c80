import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Engine, EngineTable, TextRow } from '../../src/engines/engine.ts'
import { coverageQuestion, type EngineCoverage } from '../../src/flows/engine-coverage.ts'
import { gatherCoverage, gatherSpans } from '../../src/investigate/coverage.ts'
import type { Sql } from '../../src/query/sql.ts'
import { athena } from '../../src/query/trino-printer.ts'
import type { Case } from '../../src/store/case.ts'
import { Database } from '../../src/store/duckdb.ts'
import { Listening, tableOfNames } from '../engines/tables.ts'
import { randomFrom } from '../filter/flows.ts'
import { trinoFault } from '../sql-grammar.ts'
import { writeLog } from './random-case.ts'
import { caseOf, type Work, workFolder } from './support.ts'

const names =
  'version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status tcp_flags'.split(
    ' ',
  )

/** Lines of days with holes: of three sensors and one without a name, of which one writes long records, and lines without data. */
function lines(seed: number, count = 300): string[] {
  const random = randomFrom(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const begins = Array.from({ length: 6 }, () => 1_700_000_000 + below(4 * 86_400))
  return Array.from({ length: count }, () => {
    const sensor = ['eni-a', 'eni-b', 'eni-c', '-'][below(4)]!
    const start = begins[below(6)]! + below(3000)
    const end = start + below(sensor === 'eni-b' ? 600 : 61)
    const silent = random() < 0.2
    const status = !silent ? 'ACCEPT OK' : random() < 0.5 ? '- NODATA' : '- SKIPDATA'
    const fields = silent ? '- - - - - - -' : '10.0.0.1 10.0.0.2 1024 443 6 1 40'
    return `2 1 ${sensor} ${fields} ${start} ${end} ${status} -`
  })
}

/** Athena's dialect, whose statement about times DuckDB understands as well. */
class OnDuckdb extends Listening {
  private readonly db: Database

  constructor(table: EngineTable, db: Database) {
    super(table, athena)
    this.db = db
  }

  override async *ask({ text, values }: Sql): AsyncGenerator<TextRow[]> {
    assert.deepEqual(values, [])
    yield (await this.db.rows(text)).map(row => Object.values(row) as TextRow)
  }
}

let work: Work
let db: Database
before(async () => {
  work = workFolder()
  db = await Database.open({ threads: 1, memoryLimit: '256MB', tempDirectory: null })
})
after(() => {
  db.close()
  work.close()
})

/** The same lines as a case, and as a table of texts. */
async function both(name: string, text: readonly string[]): Promise<{ local: Case; engine: Engine }> {
  const path = `${work.root}/${name}.log`
  writeLog(path, text)
  await db.run(`CREATE SCHEMA ${name}`)
  const given = names.map((one, i) => `column${String(i).padStart(2, '0')} AS "${one}"`)
  await db.run(
    `CREATE TABLE ${name}.flows AS SELECT ${given.join(', ')} FROM read_csv('${path}', header = false, skip = 1, delim = ' ', all_varchar = true)`,
  )
  const table = { ...tableOfNames(names, { allText: true }), sql: `"${name}"."flows"` }
  return { local: await caseOf(work.root, [path], name), engine: new OnDuckdb(table, db) }
}

function ask(engine: Engine, from_us: bigint | null = null, to_us: bigint | null = null): Promise<EngineCoverage> {
  return coverageQuestion(engine, { from_us, to_us }).then(question => question.ask())
}

test('sensors, their times and gaps are those of a case with the same lines', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const { local, engine } = await both(`case_${seed}`, lines(seed))
    const found = await ask(engine)
    await gatherSpans(local)
    const wanted = await gatherCoverage(local, null, [])
    await local.close()
    assert.deepEqual(
      found.sensors.map(({ skip_first, skip_last, ...sensor }) => sensor),
      wanted.sensors.map(({ recorded_subject: _, ...sensor }) => sensor),
    )
    const dropped = wanted.gaps.filter(({ reason }) => reason === 'skipdata')
    assert.ok(dropped.length > 5)
    for (const [of, { skip_first, skip_last }] of [
      ...found.sensors.map(one => [dropped.filter(({ sensor }) => sensor === one.sensor), one] as const),
      [dropped, found.totals] as const,
    ])
      assert.deepEqual(
        [skip_first, skip_last],
        [
          of.map(({ from }) => from).sort()[0] ?? null,
          of
            .map(({ to }) => to)
            .sort()
            .at(-1) ?? null,
        ],
      )
    const holes = wanted.gaps.filter(({ reason }) => reason === 'time-gap')
    assert.ok(holes.length > 5)
    assert.deepEqual(
      new Set(found.gaps.map(gap => JSON.stringify(gap))),
      new Set(holes.map(({ sensor, from, to, reason }) => JSON.stringify({ sensor, from, to, reason }))),
    )
    assert.equal(found.gaps.length, holes.length)
    for (const name of ['records', 'no_data', 'skip_data'] as const) {
      const sum = wanted.sensors.reduce((n, sensor) => n + sensor[name], 0)
      assert.equal(found.totals[name], sum)
      assert.equal(
        found.days.reduce((n, day) => n + day[name], 0),
        sum,
      )
    }
    assert.deepEqual([found.totals.files, found.totals.malformed], [null, null])
  }
})

test('lines of a window are those that begin in it; what is no line of a flow log is counted apart', async () => {
  const more = ['2 1 eni-a 10.0.0.1', '2 1 eni-a - - - - - - - - - - OK -', '2 1 eni-a - - - - - - - 5 6 - WHAT -']
  const at = 1_700_000_000
  const line = (start: number): string => `2 1 eni-a 10.0.0.1 10.0.0.2 1 2 6 1 40 ${start} ${start + 10} ACCEPT OK -`
  const { local, engine } = await both('windowed', [line(at), line(at + 60), line(at + 86_400)])
  await local.close()
  for (const text of more) {
    const values = names.map((_, i) => (text.split(' ')[i] === undefined ? 'NULL' : `'${text.split(' ')[i]}'`))
    await db.run(`INSERT INTO windowed.flows VALUES (${values.join(', ')})`)
  }
  const all = await ask(engine)
  assert.deepEqual([all.totals.records, all.totals.without_status, all.totals.without_time], [4, 2, 1])
  assert.deepEqual(
    all.days.map(({ day, records, sensors }) => [day, records, sensors]),
    [
      ['2023-11-14', 2, 1],
      ['2023-11-15', 1, 1],
    ],
  )
  assert.deepEqual(
    all.gaps.map(({ from, to }) => [from, to]),
    [['2023-11-14T22:14:30Z', '2023-11-15T22:13:20Z']],
  )
  const some = await ask(engine, BigInt(at + 60) * 1_000_000n, BigInt(at + 86_400) * 1_000_000n)
  assert.deepEqual([some.totals.records, some.first, some.last], [1, '2023-11-14T22:14:20Z', '2023-11-14T22:14:30Z'])
  // Lines without a time or a status are in no window: how many there are is not known there, not none.
  assert.deepEqual([some.totals.without_status, some.totals.without_time], [null, null])
  const until = await ask(engine, null, BigInt(at + 86_400) * 1_000_000n)
  assert.deepEqual([until.totals.without_status, until.totals.without_time], [null, null])
  assert.deepEqual(some.window, { from: '2023-11-14T22:14:20Z', to: '2023-11-15T22:13:20Z' })
})

test('of a table without a status it is not known which lines are no records', async () => {
  const own = names.filter(name => name !== 'log_status')
  await db.run('CREATE SCHEMA bare')
  await db.run(`CREATE TABLE bare.flows (${own.map(name => `"${name}" VARCHAR`).join(', ')})`)
  const found = await ask(new OnDuckdb({ ...tableOfNames(own, { allText: true }), sql: '"bare"."flows"' }, db))
  assert.deepEqual([found.totals.without_status, found.totals.without_time], [null, 0])
})

test('the statement is of the engine’s grammar, reads its table once, and of partitions those of the window', async () => {
  const grammar = await trinoFault()
  const partitions = [{ name: 'day', type: 'varchar', values: ['2023-09-28'] }]
  for (const own of [
    names,
    names.filter(name => name !== 'interface_id'),
    [...names, 'instance_id', 'subnet_id'],
    names.filter(name => name !== 'log_status'),
  ]) {
    const engine = new Listening(tableOfNames(own, { partitions }), athena)
    const question = await coverageQuestion(engine, { from_us: 1_700_000_000_000_000n, to_us: null })
    const [statement] = question.statements
    // Of a count alone Trino would say that nothing is read.
    await question.estimate()
    assert.match(engine.asked.at(-1)!.text, /^SELECT "start", "end"/)
    assert.equal(grammar(statement), null, statement)
    assert.equal(statement.split('"hive"."logs"."flows"').length, 2)
    assert.match(statement, /"day" >= '2023-11-14'/)
  }
})
