import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { openCase } from '../../src/store/case.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { isUnread } from '../../src/store/reports.ts'
import { tar, zip } from '../archives.ts'
import { Bench, fault } from '../robustness/reading.ts'
import { assertSound, defaultHeader, folderFor, logOf, recordLine } from '../robustness/support.ts'

const record = recordLine(1)
const noData = '2 123456789012 eni-01 - - - - - - - 1700000000 1700000059 - NODATA'
const xz = Buffer.from('\xfd7zXZ\0\0\x04 whatever this is', 'latin1')

function filesIn(t: TestContext, contents: Record<string, string | Uint8Array>): string {
  const logs = join(folderFor(t), 'logs')
  mkdirSync(logs)
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(logs, name), content)
  return logs
}

/** Adds what is named, and says of each file whether it counts as not read, and why. */
async function added(logs: string, names: string[] = [''], format?: string): Promise<[string, boolean, string][]> {
  const dir = join(logs, '..', 'case')
  const report = await addEvidence({
    case: dir,
    paths: names.map(name => join(logs, name)),
    workers: 1,
    ...(format !== undefined && { format }),
  })
  await assertSound(dir)
  return report.files.map(file => [file.path.slice(logs.length + 1), isUnread(file), file.problem ?? ''])
}

const prefixed: [what: string, content: string][] = [
  ['aws logs tail', `2023-11-14T22:14:20.123000+00:00 eni-01-all ${record}\n`],
  ['syslog', `<134>Nov 14 22:14:20 collector flow: ${record}\n`],
]

for (const format of [undefined, 'default']) {
  test(`flow records with something before them are told${format ? ', also with --format' : ''}`, async t => {
    const files = prefixed.map(([, content], i) => [`${String(i).padStart(2, '0')}.log`, content])
    const told = await added(filesIn(t, { ...Object.fromEntries(files), 'good.log': logOf(3) }), [''], format)
    for (const [i, [what]] of prefixed.entries()) {
      assert.equal(told[i]?.[1], true, what)
      assert.match(told[i]?.[2] ?? '', /^lines with something before each flow record.*grep -oE/, what)
    }
    assert.deepEqual(told.at(-1), ['good.log', false, ''])
  })
}

test('what an analyst has beside the logs is not evidence; what was named is told whatever it is', async t => {
  const beside = {
    '.DS_Store': Buffer.from([0, 0, 0, 1, 0x42, 0x75, 0x64, 0x31]),
    SHA256SUMS: `${'ab'.repeat(32)}  a.log\n`,
    'a.pyc': Buffer.from([0xcb, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0]),
    'access.log': '198.51.100.7 - - [14/Nov/2023:22:14:20 +0000] "GET / HTTP/1.1" 200 512 "-" "curl"\n'.repeat(3),
    'app.json': JSON.stringify({ message: 'request 1 of 3 was 200 OK after 12 ms in 4 parts' }),
    'book.xlsx': zip({ '[Content_Types].xml': 'x', 'xl/workbook.xml': 'y' }),
    'describe.json': JSON.stringify({
      FlowLogs: [{ FlowLogId: 'fl-0123', LogFormat: defaultHeader, FlowLogStatus: 'ACTIVE' }],
    }),
    'empty.log': '',
    'lib.jar': zip({ 'META-INF/MANIFEST.MF': 'x', 'a/B.class': 'y' }),
    'notes.md':
      'At 22:14 the host, 198.51.100.7, was REJECTed;\nlater all was OK, I think, as far as 1, 2, 3 logs say.\n',
    'report.pdf': '%PDF-1.7\n%\xe2\xe3\xcf\xd3\n',
    'screen.png': Buffer.from('\x89PNG\r\n\x1a\n\0\0', 'latin1'),
    'src.tar.gz': gzipSync(tar({ 'src/main.c': 'x', 'src/README': 'y' })),
  }
  const logs = filesIn(t, { ...beside, 'z.log': logOf(3) })
  const files = await added(logs)
  assert.deepEqual(
    files.filter(([, isUnread]) => isUnread),
    [],
  )
  assert.equal((await readEvidence(join(logs, '..', 'case'))).problems.length, 0)
  const named = await added(logs, Object.keys(beside))
  assert.deepEqual(
    named.filter(([, isUnread]) => !isUnread),
    [],
  )
  assert.ok(named.every(([, , problem]) => problem !== ''))
  // It was named once: a later look at the folder does not change that.
  await added(logs)
  assert.equal((await readEvidence(join(logs, '..', 'case'))).problems.length, Object.keys(beside).length)
})

test('a file that was not read no longer counts as such when it was read since', async t => {
  const logs = filesIn(t, { 'headless.log': `${record}\n` })
  assert.equal((await added(logs))[0]?.[1], true)
  assert.equal((await added(logs, ['headless.log'], 'default'))[0]?.[1], false)
  const report = await readEvidence(join(logs, '..', 'case'))
  assert.deepEqual([report.files.length, report.files[0]?.status, report.problems.length], [1, 'read', 0])
  // Other content under the same name is another file.
  rmSync(join(logs, 'headless.log'))
  writeFileSync(join(logs, 'headless.log'), `${recordLine(2)}\n`)
  await addEvidence({ case: join(logs, '..', 'case'), paths: [logs], workers: 1 })
  assert.equal((await readEvidence(join(logs, '..', 'case'))).problems.length, 1)
})

test('the dossier has holes when something was not read, named or found', async t => {
  for (const [contents, names] of [
    [{ 'x.pcap.xz': xz }, ['']],
    [{ 'notes.txt': 'nothing' }, ['a.log', 'notes.txt']],
  ] as [Record<string, string | Uint8Array>, string[]][]) {
    const logs = filesIn(t, { 'a.log': logOf(3), ...contents })
    await added(logs, names)
    const c = await openCase(join(logs, '..', 'case'))
    t.after(() => c.close())
    const dossier = await investigate(c, ['198.51.100.0'])
    assert.deepEqual(
      [dossier.attack_surface.complete, dossier.bytes.at_least, dossier.evidence.unreadable, dossier.problems.length],
      [false, true, 1, 1],
    )
    const [gap] = dossier.attack_surface.gaps
    assert.deepEqual([gap?.reason, gap?.path], ['unreadable-file', join(logs, Object.keys(contents)[0]!)])
  }
})

test('content that is packed twice or three times is read, and every line is accounted for', async t => {
  const bench = new Bench(folderFor(t))
  const text = Buffer.from(`${logOf(50)}not a record at all\n${noData}\n`)
  const plain = await bench.read(text)
  let packed: Buffer = text
  for (let layers = 1; layers <= 3; layers++) {
    packed = gzipSync(packed)
    const reading = await bench.read(packed)
    assert.equal(fault(reading), null)
    const { lines, records, no_data, malformed, expanded_bytes, status } = reading.entry
    assert.deepEqual([lines, records, no_data, malformed], [53, 50, 1, 1])
    assert.deepEqual([status, expanded_bytes, reading.records], ['read', text.length, plain.records])
  }
  const four = await bench.read(gzipSync(packed))
  assert.equal(four.entry.status, 'unreadable')
  assert.match(four.entry.problem ?? '', /packed with gzip more than three times over/)
})

test('damage in either packing is told, and what came before it is kept', async t => {
  const bench = new Bench(folderFor(t))
  const once = gzipSync(logOf(2000))
  const cutWithin = await bench.read(gzipSync(once.subarray(0, once.length / 2)))
  const cutOutside = await bench.read(gzipSync(once).subarray(0, once.length / 2))
  for (const reading of [cutWithin, cutOutside]) {
    assert.equal(fault(reading), null)
    assert.equal(reading.entry.status, 'partly-read')
    assert.ok(reading.entry.records > 100 && reading.entry.records < 2000)
  }
  assert.match(cutWithin.entry.problem ?? '', /^byte \d+: \(unpacked\) gzip: the file is cut short/)
  assert.match(cutOutside.entry.problem ?? '', /^byte \d+: gzip: the file is cut short/)
})

test('a bomb in two packings stops at the limit of both together', async t => {
  const bench = new Bench(folderFor(t))
  const bomb = gzipSync(gzipSync(Buffer.concat([Buffer.from(`${defaultHeader}\n`), Buffer.alloc(96 << 20)])))
  const reading = await bench.read(bomb)
  assert.match(reading.entry.problem ?? '', /expands more than 200:1/)
})
