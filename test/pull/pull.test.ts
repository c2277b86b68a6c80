import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { detect } from '../../src/detect/detect.ts'
import { folderBeside } from '../../src/disk/temporary.ts'
import { UserError } from '../../src/errors.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { partHeader, partIn } from '../../src/ingest/part-mark.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { sweep } from '../../src/investigate/sweep.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { nextSteps } from '../../src/overview/next.ts'
import { overviewOf } from '../../src/overview/overview.ts'
import { type PullOptions, pullOf } from '../../src/pull/pull.ts'
import { overviewPage } from '../../src/report/overview.ts'
import { terminalText } from '../../src/report/terminal.ts'
import type { CaseAnswer } from '../../src/server/contract/case.ts'
import { caseWork } from '../../src/server/work/case.ts'
import { openCase } from '../../src/store/case.ts'
import { removeEvidence } from '../../src/store/remove.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { zip } from '../archives.ts'
import { answerOf, type Work, workFolder } from '../flows/support.ts'
import { asked } from '../server/asking.ts'
import { syntaxFaults } from '../sql-grammar.ts'
import { StandIn } from './stand-in.ts'

let work: Work
let engine: StandIn

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const begin = 1_700_000_000
const line = (sensor: string, src: string, dst: string, at: number, action = 'ACCEPT'): string =>
  `2 1 ${sensor} ${src} ${dst} 40000 443 6 3 300 ${begin + at} ${begin + at + 50} ${action} OK`
const subject = [parsePrefix('203.0.113.7')!]

before(async () => {
  work = workFolder()
  mkdirSync(join(work.root, 'logs'))
  const files = {
    'a_fl-0a_1.log': [line('eni-1', '203.0.113.7', '10.0.0.5', 0), line('eni-1', '198.51.100.1', '10.0.0.5', 60)],
    // The same lines as another flow log wrote them: a part of it is like a part of the first.
    'b_fl-0b_1.log': [line('eni-1', '203.0.113.7', '10.0.0.5', 0), line('eni-1', '198.51.100.2', '10.0.0.5', 60)],
    'c_fl-0a_2.log': [line('eni-2', '10.0.0.8', '10.0.0.9', 7200, 'REJECT')],
    'd_fl-0a_3.log': [`2 1 eni-1 - - - - - - - ${begin + 3600} ${begin + 3660} - SKIPDATA`],
  }
  for (const [name, lines] of Object.entries(files))
    writeFileSync(join(work.root, 'logs', name), `${[header, ...lines].join('\n')}\n`)
  engine = await StandIn.of(join(work.root, 'logs'))
})
after(async () => {
  await engine.close()
  work.close()
})

async function pulled(name: string, options: Partial<PullOptions> = {}) {
  const dir = join(work.root, name)
  const report = await (await pullOf(engine, { case: dir, subject, ...options })).run()
  return { dir, report }
}

function isRefused(pattern: RegExp): (error: unknown) => boolean {
  return error => error instanceof UserError && pattern.test(`${error.message} ${error.hint}`)
}

test('every object has a file, sums of it, and the ledger says where it came from', async () => {
  const before = engine.ran.length
  const { dir, report } = await pulled('whole')
  assert.deepEqual(
    { ...report, statements: report.statements.length },
    { case: dir, objects: 4, whole: 0, records: 4, records_of_table: 5, silences: 1, endpoints: 2, statements: 3 },
  )
  for (const { statement } of report.statements) assert.deepEqual(await syntaxFaults('trino', statement), [])
  const c = await openCase(dir)
  const { note, parts } = c.pulled!
  assert.equal(note.table, engine.place)
  assert.deepEqual(note.subject, ['203.0.113.7'])
  assert.deepEqual(
    note.statements.map(one => one.query),
    [1, 2, 3].map(n => `q${before + n}`),
  )
  assert.match(note.statements[1]!.statement, /IPADDRESS '203\.0\.113\.7'/)
  const byObject = [...parts.values()].map(({ object, file, records, rejected }) => ({
    object,
    file,
    records,
    rejected,
  }))
  assert.deepEqual(byObject.slice(0, 1), [
    { object: 's3://bucket/a_fl-0a_1.log', file: 'pulled/001/bucket/a_fl-0a_1.log.gz', records: 2, rejected: 0 },
  ])
  assert.ok([...parts.values()].every(({ file }) => existsSync(join(dir, file))))
  await c.close()
  assert.deepEqual((await verifyCase(dir)).findings, [])
})

test('a time bounds the records, and the sums; the dossier says so, and what reaches beyond it', async () => {
  const { dir, report } = await pulled('early', { to_us: (begin + 30) * 1_000_000 })
  assert.equal(report.records, 2)
  assert.equal(report.records_of_table, 2)
  assert.equal(report.objects, 2)
  const c = await openCase(dir)
  const { selection, cannot_tell } = await investigate(c, ['203.0.113.7'])
  const { coverage } = await detect(c)
  const swept = await sweep(c, ['203.0.113.7'])
  await c.close()
  const [note, ...others] = selection.notes
  assert.match(
    note!,
    /^Only records before 2023-11-14T22:13:50Z were pulled from http.*: a connection .* than it looks\. 2 records of the subject reach beyond/,
  )
  assert.deepEqual([others, selection.from, selection.to], [[], null, null])
  assert.match(cannot_tell[0]!, /^what happened from 2023-11-14T22:13:50Z on: records of that time were not pulled/)
  assert.match(
    coverage.cannot_tell[0]!,
    /^other records .*: the case holds the records of 203\.0\.113\.7, and no others$/,
  )
  assert.equal(coverage.cannot_tell[1], cannot_tell[0])
  assert.match(swept.selection.notes[0]!, /^Only records before 2023-11-14T22:13:50Z/)
  const later = await openCase((await pulled('late', { from_us: (begin + 10) * 1_000_000 })).dir)
  const late = await investigate(later, ['203.0.113.7'])
  await later.close()
  assert.match(
    late.selection.notes[0]!,
    /^Only records from 2023-11-14T22:13:30Z on .* 2 records of the subject reach beyond/,
  )
  assert.match(late.cannot_tell[0]!, /^what happened before 2023-11-14T22:13:30Z: /)
})

test('indicators that were not pulled are not said to be unseen', async () => {
  const { dir } = await pulled('swept')
  const c = await openCase(dir)
  await assert.rejects(sweep(c, ['203.0.113.7', '192.0.2.1']), isRefused(/not all records of 192\.0\.2\.1/))
  await c.close()
})

test('records that match a filter are brought, and no dossier is made of them', async () => {
  const { dir, report } = await pulled('filter', { subject: [], filter: 'action reject' })
  assert.equal(report.records, 1)
  assert.equal(report.statements.length, 2)
  const c = await openCase(dir)
  assert.equal(Number((await answerOf(c, {})).result.total_rows), 1)
  await assert.rejects(
    investigate(c, ['10.0.0.8']),
    isRefused(/records that match action reject.*tidemark pull 10\.0\.0\.8/),
  )
  await c.close()
})

test('a dossier of other addresses is refused, for their records are not all there', async () => {
  const { dir } = await pulled('other')
  const c = await openCase(dir)
  await assert.rejects(
    investigate(c, ['10.0.0.5']),
    isRefused(/records of 203\.0\.113\.7.*not all records of 10\.0\.0\.5/),
  )
  await c.close()
})

test('the overview and the workbench say what is of the part, and what of all that the table has', async () => {
  const { dir } = await pulled('overview', { to_us: (begin + 8000) * 1_000_000 })
  const c = await openCase(dir)
  const overview = await overviewOf(c)
  const facts = {
    ...{ engine: 'trino', table: engine.place, subject: ['203.0.113.7'], filter: null, from: null },
    ...{ to: '2023-11-15T00:26:40Z', objects: 4, records: 4, records_of_table: 5 },
  }
  assert.deepEqual(overview.pulled, facts)
  assert.deepEqual([overview.records.total, overview.sensors.reduce((sum, one) => sum + one.records, 0)], [4, 5])
  const text = terminalText(overviewPage(overview, []), { width: 400, color: false })
  assert.match(text, /A part of http.*: the records of 203\.0\.113\.7, before 2023-11-15T00:26:40Z; 4 of 5 records/)
  assert.equal(text.split('Of all records that the table has in that time').length, 3)
  const steps = nextSteps(overview).map(({ args }) => args.join(' '))
  assert.equal(steps[0], 'investigate 203.0.113.7')
  assert.ok(!steps.some(one => one === 'detect' || (one.startsWith('investigate') && one !== steps[0])), steps.join())
  const { pulled: told } = await asked<CaseAnswer>(caseWork, c, 'case', { demo: false, internal: [] })
  assert.deepEqual(told, {
    ...{ table: engine.place, what: 'the records of 203.0.113.7', hasDossier: true },
    ...{ time: 'before 2023-11-15T00:26:40Z', records: 4, records_of_table: 5 },
  })
  await c.close()
})

test('where something is already nothing is asked', async () => {
  const { dir } = await pulled('twice')
  const before = engine.ran.length
  await assert.rejects(pullOf(engine, { case: dir, subject }), isRefused(/something is there already/))
  assert.equal(engine.ran.length, before)
})

test('an engine that is gone, at any statement, leaves nothing; and so does a stop', async () => {
  for (const statement of [1, 2, 3]) {
    engine.breaks = { statement: engine.ran.length + statement, rows: 0 }
    await assert.rejects(pulled('gone'), isRefused(/cannot be reached/))
    engine.breaks = null
    assert.ok(!readdirSync(work.root).some(name => name.startsWith('gone')))
  }
  await assert.rejects(pulled('gone', { signal: AbortSignal.abort(new Error('stopped')) }), /stopped/)
  const controller = new AbortController()
  const onWork = (what: string): void => {
    if (what === 'reading what it gave') controller.abort(new Error('stopped'))
  }
  await assert.rejects(pulled('gone', { signal: controller.signal, onWork }), /stopped/)
  assert.ok(!readdirSync(work.root).some(name => name.startsWith('gone')))
})

test('an earlier answer about records needs sums that are as early', async () => {
  const next = engine.ran.length + 1
  engine.reuses.add(next + 1)
  await assert.rejects(pulled('mixed'), isRefused(/earlier answer about the records .*--reuse/))
  assert.ok(!readdirSync(work.root).some(name => name.startsWith('mixed')))
  for (const statement of [0, 1, 2]) engine.reuses.add(engine.ran.length + 1 + statement)
  const { report } = await pulled('as-early')
  assert.deepEqual(
    report.statements.map(({ reused }) => reused),
    [true, true, true],
  )
})

test('what a killed pull left is removed by the next', async () => {
  const made = folderBeside(join(work.root, 'killed'), 'pulling')
  const left = made.replace(/\d+(-\w{6})$/, '999999999$1')
  renameSync(made, left)
  mkdirSync(join(left, 'case'), { recursive: true })
  await pulled('killed')
  assert.ok(!existsSync(left))
})

test('a file of a pull that was altered, is missing, or does not belong is found', async () => {
  const { dir } = await pulled('altered')
  const folder = join(dir, 'pulled/001/bucket')
  appendFileSync(join(folder, 'a_fl-0a_1.log.gz'), 'x')
  rmSync(join(folder, 'b_fl-0b_1.log.gz'))
  writeFileSync(join(folder, 'mine.txt'), '')
  const { findings, intact } = await verifyCase(dir)
  assert.equal(intact, false)
  assert.deepEqual(findings.map(({ what, path }) => `${what} ${path}`).sort(), [
    'altered pulled/001/bucket/a_fl-0a_1.log.gz',
    'missing pulled/001/bucket/b_fl-0b_1.log.gz',
    'unlisted pulled/001/bucket/mine.txt',
  ])
})

test('logs that are added to a pulled case open questions that the engine was not asked: these are refused', async () => {
  const { dir } = await pulled('more')
  const extra = join(work.root, 'extra.log')
  writeFileSync(extra, `${header}\n${line('eni-9', '203.0.113.7', '10.0.0.77', 120)}\n`)
  await addEvidence({ case: dir, paths: [extra] })
  const c = await openCase(dir)
  // Who listens at the new host is told by the logs that were added, and by an engine that was not asked.
  await assert.rejects(investigate(c, ['203.0.113.7']), isRefused(/who listens at/))
  await c.close()
})

test('files that were pulled stay parts: they are not read again as whole logs, also where they were removed', async () => {
  const { dir } = await pulled('parts')
  const folder = join(dir, 'pulled/001/bucket')
  const one = join(folder, 'a_fl-0a_1.log.gz')
  const extra = join(work.root, 'besides.log')
  writeFileSync(extra, `${header}\n${line('eni-9', '10.0.0.70', '10.0.0.77', 120)}\n`)
  const figures = async () => {
    const c = await openCase(dir)
    const { records } = await investigate(c, ['203.0.113.7'])
    const parts = c.pulled!.parts.size
    await c.close()
    return { ...records, parts }
  }
  const before = await figures()
  assert.deepEqual([before.total, before.parts], [5, 4])
  const { files } = await addEvidence({ case: dir, paths: [folder] })
  assert.ok(files.every(file => file.status === 'duplicate' && !/--again/.test(file.problem!)))
  const again = addEvidence({ case: dir, paths: [folder, extra], again: true })
  await assert.rejects(again, isRefused(/as a part of s3:\/\/bucket\/.*counts in the case as that part/))
  // The other file was added: it is a log of its own.
  assert.deepEqual(await figures(), { ...before, total: 6 })
  await removeEvidence({ case: dir, files: [one] })
  const removed = await figures()
  assert.deepEqual([removed.total, removed.parts], [4, 3])
  await assert.rejects(addEvidence({ case: dir, paths: [one] }), isRefused(/a_fl-0a_1.*remove --undo/))
  assert.deepEqual(await figures(), removed)
  await removeEvidence({ case: dir, files: [one], undo: true })
  assert.deepEqual(await figures(), { ...before, total: 6 })
})

test('files that were pulled are not read as whole logs into another case either, nor out of an archive', async () => {
  const { dir } = await pulled('mine')
  const names = readdirSync(join(dir, 'pulled/001/bucket'))
  const [first, ...others] = names.map(name => join(dir, 'pulled/001/bucket', name))
  const archive = join(work.root, 'parts.zip')
  writeFileSync(archive, zip({ 'a.log.gz': readFileSync(first!) }))
  // One that is packed with its name is a log like any other.
  const ordinary = join(work.root, 'ordinary.log.gz')
  const { flags, name } = partHeader('s3://bucket/x')
  const whole = gzipSync(`${header}\n${line('eni-9', '10.0.0.70', '10.0.0.77', 120)}\n`)
  const named = Buffer.concat([whole.subarray(0, 10), name.subarray('tidemark '.length), whole.subarray(10)])
  named[3] = flags
  writeFileSync(ordinary, named)
  const other = join(work.root, 'other-case')
  const { files, case_records } = await addEvidence({ case: other, paths: [...others, archive, ordinary] })
  assert.equal(case_records, 1)
  const told = files.filter(({ status }) => status === 'unreadable')
  assert.equal(told.length, names.length)
  for (const { problem } of told)
    assert.match(problem!, /^a pull wrote this file as a part of s3:\/\/bucket\/._fl-0\w_\d\.log, and it is not read/)
})

test('the mark of a part is Latin-1 without an end in it, and each object has its own', () => {
  const objects = ['s3://b/é', 's3://b/%C3%A9', 's3://b/\0x', 's3://b/x', 's3://b/日\n', `s3://b/${'a'.repeat(5000)}`]
  const read = objects.map(object => {
    const { flags, name } = partHeader(object)
    assert.equal(name.indexOf(0), name.length - 1)
    return partIn(Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255]), name]).subarray(0, 4096))
  })
  assert.equal(new Set(read).size, objects.length)
  assert.deepEqual(read.slice(0, 5), [
    's3://b/%C3%A9',
    's3://b/%25C3%25A9',
    's3://b/%00x',
    's3://b/x',
    's3://b/%E6%97%A5%0A',
  ])
  assert.match(read[5]!, /^s3:\/\/b\/a{4000}/)
  assert.equal(partIn(gzipSync('tidemark part of s3://b/x')), null)
  assert.equal(partIn(Buffer.from('tidemark part of s3://b/x')), null)
})

test('an address of IPv4 that is written as one of IPv6 is found, by itself and by its network', async () => {
  const folder = join(work.root, 'spelled')
  mkdirSync(folder)
  const spellings = ['10.0.0.9', '::ffff:10.0.0.9', '::ffff:a00:9', '::FFFF:A00:9', '10.0.1.9', '::ffff:10.0.1.9']
  const lines = spellings.map((one, i) => line('eni-1', one, `198.51.100.${i}`, i))
  writeFileSync(join(folder, 'x.log'), `${[header, ...lines].join('\n')}\n`)
  const spelled = await StandIn.of(folder)
  const many = Array.from({ length: 200 }, (_, i) => `203.0.113.${i}`)
  for (const [texts, count] of [
    [['10.0.0.9'], 4],
    [['10.0.0.0/24'], 4],
    [['10.0.0.0/23'], 6],
    [['10.0.0.9', ...many], 4],
  ] as [string[], number][]) {
    const dir = join(work.root, `spelled-${texts.length}-${texts[0]!.replace('/', '-')}`)
    const report = await (await pullOf(spelled, { case: dir, subject: texts.map(text => parsePrefix(text)!) })).run()
    assert.equal(report.records, count, texts[0])
  }
  await spelled.close()
})

test('a value that no flow log has is refused, by the name of its field', async () => {
  const folder = join(work.root, 'odd')
  mkdirSync(folder)
  writeFileSync(join(folder, 'x.log'), `${header}\n${line('eni\t1', '203.0.113.7', '10.0.0.5', 0)}\n`)
  const odd = await StandIn.of(folder)
  const dir = join(work.root, 'odd-case')
  const run = async () => (await pullOf(odd, { case: dir, subject })).run()
  await assert.rejects(run, isRefused(/interface_id of the table has a value that no flow log has/))
  assert.ok(!existsSync(dir))
  await odd.close()
})

test('the parts are text with a header, and no two of them have the same bytes', async () => {
  const { dir } = await pulled('bytes')
  const folder = join(dir, 'pulled/001/bucket')
  const contents = readdirSync(folder).map(name => readFileSync(join(folder, name)).toString('hex'))
  assert.equal(new Set(contents).size, 4)
})
