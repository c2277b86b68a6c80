/** Pulls of which the engine only says which objects hold the records: these are read from where they lie. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { UserError } from '../../src/errors.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { overviewOf } from '../../src/overview/overview.ts'
import { type PullOptions, pullOf } from '../../src/pull/pull.ts'
import { openCase } from '../../src/store/case.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { removeEvidence } from '../../src/store/remove.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'
import { syntaxFaults } from '../sql-grammar.ts'
import { objectsOf } from './objects-of.ts'
import { shown } from './shown.ts'
import { StandIn } from './stand-in.ts'

let work: Work
let logs: string
let engine: StandIn

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const begin = 1_700_000_000
const line = (sensor: string, src: string, dst: string, at: number): string =>
  `2 1 ${sensor} ${src} ${dst} 40000 443 6 3 300 ${begin + at} ${begin + at + 50} ACCEPT OK`
const silent = (at: number): string => `2 1 eni-1 - - - - - - - ${begin + at} ${begin + at + 60} - NODATA`

before(async () => {
  work = workFolder()
  logs = join(work.root, 'logs')
  mkdirSync(logs)
  const files = {
    'a_fl-0a_1.log': [line('eni-1', '203.0.113.7', '10.0.0.5', 0), line('eni-1', '198.51.100.9', '10.0.0.6', 60)],
    // Who listens at 10.0.0.5 is told here.
    'b_fl-0a_2.log': [line('eni-1', '198.51.100.1', '10.0.0.5', 600), silent(700), silent(700)],
    'c_fl-0a_3.log': [line('eni-2', '10.0.0.8', '10.0.0.9', 7200), silent(7300), silent(7300)],
    'd_fl-0a_4.log': [silent(3600)],
  }
  for (const [name, lines] of Object.entries(files))
    writeFileSync(join(logs, name), `${[header, ...lines].join('\n')}\n`)
  engine = await StandIn.of(logs)
})
after(async () => {
  await engine.close()
  work.close()
})

async function pulled(name: string, options: Partial<PullOptions> = {}) {
  const dir = join(work.root, name)
  const subject = [parsePrefix('203.0.113.7')!]
  const report = await (await pullOf(engine, { case: dir, subject, objects: objectsOf(logs), ...options })).run()
  return { dir, report }
}

function isRefused(pattern: RegExp): (error: unknown) => boolean {
  return error => error instanceof UserError && pattern.test(`${error.message} ${error.hint}`)
}

test('objects that hold records of the subject or of its endpoints are evidence as they are, the others parts', async () => {
  const { dir, report } = await pulled('whole')
  assert.deepEqual(
    { ...report, statements: report.statements.length },
    {
      ...{ case: dir, objects: 4, whole: 2, records: 3, records_of_table: 4, silences: 5, endpoints: 2, statements: 3 },
    },
  )
  for (const { statement } of report.statements) assert.deepEqual(await syntaxFaults('trino', statement), [])
  const { files } = await readEvidence(dir)
  const ofName = (name: string) => files.find(({ path }) => path.includes(name))!
  assert.deepEqual(
    ['a_fl', 'b_fl', 'c_fl', 'd_fl'].map(name => [
      ofName(name).records,
      ofName(name).no_data,
      ofName(name).origin?.uri,
    ]),
    [
      [2, 0, 's3://bucket/a_fl-0a_1.log'],
      [1, 2, 's3://bucket/b_fl-0a_2.log'],
      [0, 2, undefined],
      [0, 1, undefined],
    ],
  )
  assert.deepEqual((await verifyCase(dir)).findings, [])
  assert.deepEqual(readdirSync(join(dir, 'pulled/001/bucket')).sort(), ['c_fl-0a_3.log.gz', 'd_fl-0a_4.log.gz'])
  const [local, c] = [await caseOf(work.root, [logs], 'whole-local'), await openCase(dir)]
  assert.deepEqual(shown(await investigate(c, ['203.0.113.7'])), shown(await investigate(local, ['203.0.113.7'])))
  await assert.rejects(investigate(c, ['10.0.0.5']), isRefused(/not all records of 10\.0\.0\.5/))
  const { pulled: told, records } = await overviewOf(c)
  assert.deepEqual([told!.records, told!.records_of_table, records.total], [3, 4, 3])
  await Promise.all([local.close(), c.close()])
})

test('a case of whole objects alone is a part all the same, and says of which time', async () => {
  const folder = join(work.root, 'one')
  mkdirSync(folder)
  const lines = [line('eni-1', '203.0.113.7', '10.0.0.5', 0), line('eni-1', '203.0.113.7', '10.0.0.5', 600)]
  writeFileSync(join(folder, 'a.log'), `${[header, ...lines].join('\n')}\n`)
  const one = await StandIn.of(folder)
  const dir = join(work.root, 'one-case')
  const subject = [parsePrefix('203.0.113.7')!]
  const asked = { case: dir, subject, objects: objectsOf(folder), to_us: (begin + 300) * 1_000_000 }
  const report = await (await pullOf(one, asked)).run()
  assert.deepEqual([report.objects, report.whole, report.records, report.records_of_table], [1, 1, 2, 1])
  await one.close()
  const c = await openCase(dir)
  assert.deepEqual([c.pulled!.parts.size, c.pulled!.whole.size], [0, 1])
  const { selection, records } = await investigate(c, ['203.0.113.7'])
  assert.match(selection.notes[0]!, /^Only records before .*, and what else their objects hold, were pulled/)
  assert.equal(records.total, 2)
  await assert.rejects(investigate(c, ['10.0.0.5']), isRefused(/not all records/))
  await c.close()
  assert.deepEqual((await verifyCase(dir)).findings, [])
})

test('records that match a filter are brought with their objects', async () => {
  const { dir, report } = await pulled('filter', { subject: [], filter: 'src ip 10.0.0.8' })
  assert.deepEqual([report.objects, report.whole, report.records, report.statements.length], [4, 1, 1, 2])
  assert.deepEqual((await verifyCase(dir)).findings, [])
})

test('an object that a pull brought a part of is not added besides, however the engine names it', async () => {
  const own = await StandIn.of(logs)
  const ask = own.ask.bind(own)
  own.ask = async function* (...asked) {
    for await (const rows of ask(...asked))
      yield rows.map(row => row.map(cell => cell?.replace(/^s3:/, 's3a:') ?? null))
  }
  const dir = join(work.root, 'besides')
  const subject = [parsePrefix('203.0.113.7')!]
  await (await pullOf(own, { case: dir, subject, objects: objectsOf(logs) })).run()
  await own.close()
  writeFileSync(join(logs, 'z_fl-0a_9.log'), `${[header, line('eni-9', '10.0.0.70', '10.0.0.77', 120)].join('\n')}\n`)
  const figures = async () => {
    const c = await openCase(dir)
    const { records } = await investigate(c, ['203.0.113.7'])
    const parts = c.pulled!.parts.size
    await c.close()
    return { total: records.total, parts }
  }
  const before = await figures()
  assert.deepEqual(before, { total: 4, parts: 2 })
  const uris = ['c_fl-0a_3.log', 'z_fl-0a_9.log'].map(name => `s3://bucket/${name}`)
  const remote = (await objectsOf(logs)(uris)).map(file => ({ ...file, named: false }))
  for (const again of [false, true])
    await assert.rejects(
      addEvidence({ case: dir, paths: [], remote, again }),
      isRefused(/brought a part of this object.*: s3:\/\/bucket\/c_fl-0a_3\.log it counts in the case as that part/),
    )
  // The other one was added, and what was read whole is known.
  assert.deepEqual(await figures(), { ...before, total: 5 })
  const whole = await objectsOf(logs)(['s3://bucket/a_fl-0a_1.log'])
  const { files } = await addEvidence({ case: dir, paths: [], remote: whole })
  assert.deepEqual(
    files.map(({ status }) => status),
    ['duplicate'],
  )
  await removeEvidence({ case: dir, files: [join(dir, 'pulled/001/bucket/c_fl-0a_3.log.gz')] })
  await assert.rejects(
    addEvidence({ case: dir, paths: [], remote }),
    isRefused(/c_fl-0a_3\.log tidemark remove --undo/),
  )
  rmSync(join(logs, 'z_fl-0a_9.log'))
})

test('lines that are no records are held of one object at a time', async () => {
  const folder = join(work.root, 'silent')
  mkdirSync(folder)
  const names = ['a.log', 'b.log', 'c.log', 'd.log']
  const alike = Array.from({ length: 1000 }, () => silent(100))
  for (const [i, name] of names.entries()) {
    const from = i === 1 ? '203.0.113.7' : '10.0.0.8'
    const own = [line('eni-1', from, `10.0.0.${i}`, 1000 * i), silent(200), silent(300)]
    writeFileSync(join(folder, name), `${[header, ...alike, ...own].join('\n')}\n`)
  }
  const own = await StandIn.of(folder)
  const dir = join(work.root, 'silent-case')
  const staged = (): string[] =>
    readdirSync(work.root, { recursive: true, encoding: 'utf8' })
      .filter(name => name.startsWith('silent-case.pulling-') && name.endsWith('.gz'))
      .map(name => basename(name))
      .sort()
  const seen: string[][] = []
  const ask = own.ask.bind(own)
  own.ask = async function* (...asked) {
    for await (const rows of ask(...asked))
      for (const row of rows) {
        yield [row]
        if (row[1]?.startsWith('s3://')) seen.push(staged())
      }
  }
  const report = await (
    await pullOf(own, { case: dir, subject: [parsePrefix('203.0.113.7')!], objects: objectsOf(folder) })
  ).run()
  await own.close()
  assert.deepEqual([report.objects, report.whole, report.records, report.silences], [4, 1, 1, 4008])
  // Before the last row of them is there, the first object is written.
  assert.ok(
    seen.some(files => files.join() === 'a.log.gz'),
    JSON.stringify(seen),
  )
  assert.deepEqual(readdirSync(join(dir, 'pulled/001/bucket')).sort(), ['a.log.gz', 'c.log.gz', 'd.log.gz'])
})

test('beside an object that is read whole there may be none with a record', async () => {
  const folder = join(work.root, 'quiet')
  mkdirSync(folder)
  writeFileSync(join(folder, 'a.log'), `${[header, line('eni-1', '203.0.113.7', '10.0.0.1', 100)].join('\n')}\n`)
  writeFileSync(join(folder, 'b.log'), `${[header, silent(200), silent(300)].join('\n')}\n`)
  const own = await StandIn.of(folder)
  const dir = join(work.root, 'quiet-case')
  const report = await (
    await pullOf(own, { case: dir, subject: [parsePrefix('203.0.113.7')!], objects: objectsOf(folder) })
  ).run()
  await own.close()
  assert.deepEqual([report.objects, report.whole, report.records, report.silences], [2, 1, 1, 2])
})

test('an object that cannot be read, has changed, or lies elsewhere ends the pull, and nothing is left', async () => {
  const changed = join(work.root, 'changed')
  mkdirSync(changed)
  writeFileSync(join(changed, 'a_fl-0a_1.log'), `${header}\n`)
  const garbled: NonNullable<PullOptions['objects']> = async uris =>
    (await objectsOf(logs)(uris)).map(file => ({
      ...file,
      fetch: async to => {
        writeFileSync(to, '\0\0nothing')
        return { uri: file.path, etag: file.etag, size: file.size, version_id: null }
      },
    }))
  // All records are there: what else the object held is not known.
  const cut: NonNullable<PullOptions['objects']> = async uris =>
    (await objectsOf(logs)(uris)).map(file => ({
      ...file,
      fetch: async (to, signal) => {
        const origin = await file.fetch(to, signal)
        writeFileSync(to, gzipSync(readFileSync(to)).subarray(0, -4))
        return origin
      },
    }))
  for (const [objects, pattern] of [
    [objectsOf(changed), /a_fl-0a_1\.log has fewer records/],
    [cut, /an object of the table cannot be read to its end: s3:\/\/bucket\/a_fl.*cut short/],
    [garbled, /an object of the table cannot be read: s3:\/\/bucket\/a_fl.*without --objects/],
  ] as [NonNullable<PullOptions['objects']>, RegExp][]) {
    await assert.rejects(pulled('gone', { objects }), isRefused(pattern))
    assert.ok(!existsSync(join(work.root, 'gone')))
  }
  const elsewhere = await StandIn.of(logs, 'pushed')
  const subject = [parsePrefix('203.0.113.7')!]
  const run = async () =>
    (await pullOf(elsewhere, { case: join(work.root, 'gone'), subject, objects: objectsOf(logs) })).run()
  await assert.rejects(run, isRefused(/--objects reads from S3, .* lies elsewhere: \/.*leave --objects out/))
  await elsewhere.close()
  assert.ok(!readdirSync(work.root).some(name => name.startsWith('gone')))
})
