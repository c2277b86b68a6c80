import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { LedgerWriter, lineBytesMax, readLedger } from '../../src/store/ledger.ts'
import type { VerifyFinding } from '../../src/store/reports.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { tidemark } from '../cli/run.ts'
import { Section } from '../packet/blocks.ts'
import { type Bytes, ethernet, ipv4, udp } from '../packet/build.ts'
import { defaultHeader, folderFor, logOf } from '../robustness/support.ts'
import { type Entry, forge } from './forged.ts'

/** A case of a log with silence and a problem. */
async function caseOfLog(t: TestContext): Promise<string> {
  const root = folderFor(t)
  const silence = '2 123456789012 eni-0 - - - - - - - 1700000000 1700000060 - NODATA'
  writeFileSync(join(root, 'a.log'), `${logOf(50)}${silence}\nnot a record\n`)
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'a.log')], workers: 1 })
  return join(root, 'case')
}

test('a capture that claims 2^64 - 1 drops at each of two interfaces leaves a case whose figures are exact', async t => {
  const root = folderFor(t)
  const section = new Section()
  const most = 2n ** 64n - 1n
  const packet = ethernet(0x0800, ipv4({ protocol: 17 }, udp(1024, 53)))
  const statistics = (id: number): Bytes =>
    section.statistics(id, [
      [5, section.u64(most)],
      [7, section.u64(most)],
    ])
  const blocks = [
    section.header(),
    section.interface(1),
    section.interface(1),
    section.enhanced(0, 1_700_000_000_000_000n, packet),
  ]
  writeFileSync(join(root, 'x.pcapng'), Uint8Array.from([...blocks, statistics(0), statistics(1)].flat()))
  const dir = join(root, 'case')
  await addEvidence({ case: dir, paths: [join(root, 'x.pcapng')], workers: 1 })
  assert.equal((await readEvidence(dir)).files[0]!.capture!.dropped, 4n * most)
  assert.deepEqual((await verifyCase(dir)).findings, [])
  const c = await openCase(dir)
  await c.close()
  const listed = tidemark(['evidence', '--json', '--case', dir])
  assert.match(listed.stdout, /"dropped": 73786976294838206460,/)
  const asked = tidemark(['sql', `SELECT capture->>'dropped' AS n FROM evidence`, '--csv', '--case', dir])
  assert.equal(asked.stdout, 'n\r\n73786976294838206460\r\n')
})

test('what the evidence calls its sensors does not decide the size of the ledger', async t => {
  const root = folderFor(t)
  const paths: string[] = []
  for (let file = 0; file < 20; file++) {
    const lines = Array.from({ length: 30 }, (_, i) => {
      const sensor = `${'s'.repeat(4000)}${file}-${i}`
      return `2 1 ${sensor} 198.51.100.1 203.0.113.9 ${1000 + file} 22 6 1 40 1695921755 1695921760 ACCEPT OK`
    })
    paths.push(join(root, `${file}.log`))
    writeFileSync(paths[file]!, `${defaultHeader}\n${lines.join('\n')}\n`)
  }
  const dir = join(root, 'case')
  await addEvidence({ case: dir, paths, workers: 1 })
  assert.ok(statSync(join(dir, 'ledger.jsonl')).size < 200_000, 'ledger')
  const { files } = await readEvidence(dir)
  for (const file of files) assert.deepEqual([file.sensor_count, file.sensors.length], [30, 20])
  const names = new Set(files.flatMap(file => file.sensors))
  assert.equal(names.size, 400, 'names that differ at their ends stay different')
  for (const name of names) assert.ok(name.length < 130, name)
})

test('an entry that its own reader refuses is not written', async t => {
  const dir = await caseOfLog(t)
  const before = readFileSync(join(dir, 'ledger.jsonl'))
  const reading = await readLedger(dir)
  const writer = await LedgerWriter.open(dir, reading)
  const last = reading.entries.at(-1)!
  assert(last.type === 'added')
  const { evidence, segments } = last
  const added = { type: 'added' as const, tidemark: '', command: '' }
  const file = { ...evidence[0]!, id: 2 }
  const cases: [Parameters<LedgerWriter['prepare']>[0], RegExp][] = [
    [{ ...added, evidence: [], segments }, /have 50 rows, its files 0/],
    [{ ...added, evidence, segments: [] }, /have 0 rows, its files 50/],
    [{ ...added, evidence: [{ ...file, records: 2 ** 60 }], segments: [] }, /evidence\.0\.records/],
    [{ ...added, evidence: [{ ...file, lines: 1 }], segments: [] }, /1 lines, but 53 are accounted for/],
    [{ ...added, evidence, segments }, /1 is there twice/],
    [{ ...added, evidence: [file], segments }, /flows-.* is there twice/],
    [{ ...added, command: 'x'.repeat(lineBytesMax), evidence: [], segments: [] }, /has at most 67108864 bytes/],
  ]
  for (const [entry, message] of cases) assert.throws(() => writer.prepare(entry), message)
  assert.deepEqual(readFileSync(join(dir, 'ledger.jsonl')), before)
})

test('many files go into several entries, by what there is to tell of them', async t => {
  const root = folderFor(t)
  const unknown = Array.from({ length: 60 }, (_, i) => `unknown-${i}-${'x'.repeat(110)}`)
  const header = `srcaddr dstaddr protocol bytes start end ${unknown.join(' ')}`
  const values = unknown.map(() => '-').join(' ')
  mkdirSync(join(root, 'logs'))
  for (let file = 0; file < 2400; file++)
    writeFileSync(join(root, 'logs', `${file}.log`), `${header}\n192.0.2.1 192.0.2.2 6 ${file} 1 2 ${values}\n`)
  const dir = join(root, 'case')
  const report = await addEvidence({ case: dir, paths: [join(root, 'logs')], workers: 1 })
  assert.deepEqual([report.case_records, report.totals.files], [2400, 2400])
  assert.equal((await readLedger(dir)).entries.length, 3)
})

/** Changes of a sound ledger that keep its chain, and what is told of them. */
const forgeries: [string, (added: Entry, evidence: Entry, segment: Entry) => void, RegExp][] = [
  ['a count of another kind', (_, file) => Object.assign(file, { records: 'many' }), /line 2.*evidence\.0\.records/],
  ['a count that is not whole', (_, file) => Object.assign(file, { size: 1.5 }), /line 2.*evidence\.0\.size/],
  ['fewer records than lines', (_, file) => Object.assign(file, { records: 49 }), /line 2.*53 lines, but 52/],
  ['a file that is there twice', added => (added['evidence'] = [...list(added), ...list(added)]), /line 2/],
  ['an entry of another kind', added => Object.assign(added, { type: 'erased' }), /line 2.*not accepted: type/],
  ['no evidence at all', added => delete added['evidence'], /line 2.*evidence/],
  ['a time that is none', (_, file) => Object.assign(file, { first_start: '2023-99-99T00:00:00Z' }), /not a time/],
  [
    'a name that leads out of the case',
    (_, _f, one) => Object.assign(one, { name: '../../x.parquet' }),
    /segments\.0\.name/,
  ],
  ['a segment of another kind', (_, _f, one) => Object.assign(one, { kind: 'silence' }), /is not of the kind silence/],
  ['other rows', (_, _f, one) => Object.assign(one, { rows: 49 }), /flows have 49 rows, its files 50/],
  [
    'other columns',
    (_, _f, one) => Object.assign(one, { columns: ['_file', '_line', 'srcaddr', 'nothing'] }),
    /columns/,
  ],
  ['no columns', (_, _f, one) => Object.assign(one, { columns: [] }), /columns/],
  [
    'another name of a segment',
    (_, _f, one) => Object.assign(one, { name: 'flows-000009-00000000.parquet' }),
    /missing/,
  ],
  ['another size', (_, _f, one) => Object.assign(one, { bytes: 1 }), /the ledger says 1/],
  [
    'another digest of the problems',
    added => Object.assign(segmentOf(added, 'problems'), { sha256: '0'.repeat(64) }),
    /digest/,
  ],
  [
    'rows and records that the segment does not have',
    (_, file, one) => {
      Object.assign(one, { rows: 60 })
      Object.assign(file, { records: 60, lines: 63 })
    },
    /it has 50 rows, the ledger says 60/,
  ],
]

function list(added: Entry): Entry[] {
  return added['evidence'] as Entry[]
}

function segmentOf(added: Entry, kind: string): Entry {
  return (added['segments'] as Entry[]).find(segment => segment['kind'] === kind)!
}

test('a forged ledger is told as altered or damaged, by verify and by who opens the case', async t => {
  const original = await caseOfLog(t)
  const root = folderFor(t)
  for (const [name, change, message] of forgeries) {
    const dir = join(root, name.replaceAll(' ', '-'))
    cpSync(original, dir, { recursive: true })
    forge(dir, entries => change(entries[1]!, list(entries[1]!)[0]!, segmentOf(entries[1]!, 'flows')))
    const { intact, findings } = await verifyCase(dir)
    assert.equal(intact, false, name)
    const told = (finding: VerifyFinding): boolean => /^(altered|missing)$/.test(finding.what)
    assert.ok(findings.some(told), `${name}: ${JSON.stringify(findings)}`)
    await assert.rejects(openCase(dir), error => {
      assert(error instanceof UserError, `${name}: ${error}`)
      assert.match(error.message, message, name)
      assert.match(error.hint ?? '', /tidemark verify/)
      return true
    })
  }
})

test('an entry that is not accepted is named, and those after it are read', async t => {
  const dir = await caseOfLog(t)
  writeFileSync(join(dir, '..', 'b.log'), logOf(5, 1000))
  await addEvidence({ case: dir, paths: [join(dir, '..', 'b.log')], workers: 1 })
  forge(dir, entries => Object.assign(list(entries[1]!)[0]!, { lines: -1 }))
  const { entries, hashes, faults } = await readLedger(dir)
  assert.deepEqual([entries.length, hashes.length, faults.length], [2, 3, 1])
  const report = await verifyCase(dir)
  assert.equal(report.ledger_entries, 3)
  assert.match(report.findings[0]!.detail, /^line 2 \(byte \d+\): not accepted: evidence\.0\.lines/)
  for (const command of [['flows'], ['investigate', '203.0.113.1'], ['evidence'], ['sql', 'SELECT 1']]) {
    const run = tidemark([...command, '--case', dir])
    assert.equal(run.status, 1, command[0])
    assert.match(run.stderr, /line 2 .*not accepted[\s\S]*tidemark verify/, command[0])
  }
})

test('a line that is longer than any reader takes, and one that nobody ended, are told', async t => {
  const dir = await caseOfLog(t)
  const { faults, entries } = await readLedger(dir, 600)
  assert.deepEqual([entries.length, faults.length], [1, 1])
  assert.match(faults[0]!, /^line 2 \(byte \d+\): longer than 600 bytes$/)
  writeFileSync(join(dir, 'ledger.jsonl'), '{"hash":"', { flag: 'a' })
  const torn = await readLedger(dir)
  assert.deepEqual([torn.torn, torn.faults, torn.entries.length], [true, [], 2])
})
