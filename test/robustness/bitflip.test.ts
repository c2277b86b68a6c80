import assert from 'node:assert/strict'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { saveQuery } from '../../src/flows/saved.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'
import { changeCaseNotes } from '../../src/store/notes.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { ethernet, ipv4, pcap, udp } from '../packet/build.ts'
import { chanceFrom, defaultHeader, folderFor, logOf, recordLine, setting } from './support.ts'

const flips = setting('BITFLIPS', 100)
const seed = setting('BITFLIP_SEED', 4711)

/** A case of three batches with segments of every kind. */
async function makeCase(t: TestContext): Promise<{ dir: string; files: string[] }> {
  const root = folderFor(t)
  const dir = join(root, 'case')
  for (let i = 0; i < 3; i++) {
    const silence = `2 123456789012 eni-0 - - - - - - - 170000000${i} 170000006${i} - NODATA`
    const text = `${logOf(300, i * 1000)}${silence}\nnot a record\n${defaultHeader}\n${recordLine(i)}\n`
    writeFileSync(join(root, `${i}.log`), text)
    await addEvidence({ case: dir, paths: [join(root, `${i}.log`)], workers: 1 })
  }
  const report = await verifyCase(dir)
  assert.deepEqual([report.intact, report.findings], [true, []])
  const segments = readdirSync(join(dir, 'segments')).map(name => `segments/${name}`)
  for (const kind of ['flows', 'silence', 'problems']) {
    assert.equal(segments.filter(name => name.includes(`/${kind}-`)).length, 3)
  }
  return { dir, files: ['ledger.jsonl', 'ledger.head', 'README.txt', ...segments] }
}

test(`verify finds each of ${flips} random flipped bits and names the file`, async t => {
  const { dir, files } = await makeCase(t)
  const chance = chanceFrom(seed)
  const hits = new Map<string, number>()
  for (let i = 0; i < flips; i++) {
    // The small files are hit as often as the large ones: a quarter ledger, some head and README, the rest segments.
    const draw = chance.int(1, 20)
    const name = draw <= 5 ? files[0]! : draw <= 7 ? files[1]! : draw <= 9 ? files[2]! : chance.pick(files.slice(3))
    const path = join(dir, name)
    const whole = readFileSync(path)
    const flipped = Buffer.from(whole)
    const at = chance.int(0, whole.length - 1)
    const bit = chance.int(0, 7)
    flipped[at]! ^= 1 << bit
    writeFileSync(path, flipped)
    const { intact, findings } = await verifyCase(dir)
    const where = `seed ${seed}, flip ${i}: ${name}, byte ${at}, bit ${bit}`
    assert.equal(intact, false, where)
    assert.ok(
      findings.some(finding => finding.what === 'altered' && finding.path === name),
      `${where}: ${JSON.stringify(findings)}`,
    )
    writeFileSync(path, whole)
    const kind = name.replace(/-.*/, '')
    hits.set(kind, (hits.get(kind) ?? 0) + 1)
  }
  assert.equal((await verifyCase(dir)).intact, true)
  t.diagnostic(`seed ${seed}: ${JSON.stringify(Object.fromEntries(hits))}`)
})

/** Every file of a case, by the path within it. */
function filesOf(dir: string): string[] {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()
  return names.filter(name => statSync(join(dir, name)).isFile())
}

/** A case of logs and a capture, which was asked what its cache keeps, with a saved query and notes. */
async function makeAskedCase(t: TestContext): Promise<string> {
  const { dir } = await makeCase(t)
  const packet = ethernet(0x0800, ipv4({ protocol: 17 }, udp(1024, 53)))
  writeFileSync(join(dir, '..', 'x.pcap'), pcap([{ bytes: packet }, { bytes: packet }]))
  await addEvidence({ case: dir, paths: [join(dir, '..', 'x.pcap')], workers: 1 })
  await saveQuery({ dir }, 'ssh', { filter: 'port 22' })
  await changeCaseNotes(dir, notes => ({
    ...notes,
    revision: 1,
    words: { ...notes.words, revision: 1, summary: 'Of the examiner.' },
    bookmarks: [{ id: 'a', revision: 1, name: 'the theft', url: '/flows?q=port+22', made: '2026-11-27T00:00:00Z' }],
  }))
  const c = await openCase(dir)
  for await (const _ of (await queryFlows(c, { filter: 'role client', stat: { element: 'dstip' } })).rows()) break
  await c.close()
  assert.equal(readdirSync(join(dir, 'cache')).length, 3)
  return dir
}

const anywhere = setting('FLIPS', 100)

test(`verify finds each of ${anywhere} bits flipped anywhere in a case, in its cache, its saved queries, its notes and its names too`, async t => {
  const dir = await makeAskedCase(t)
  const chance = chanceFrom(seed)
  const files = filesOf(dir)
  const hits = new Map<string, number>()
  const isFound = async (): Promise<boolean> =>
    verifyCase(dir).then(
      report => !report.intact,
      error => error instanceof UserError,
    )
  for (let i = 0; i < anywhere; i++) {
    const name = chance.pick(files)
    const path = join(dir, name)
    const inName = chance.maybe(0.2)
    const bytes = inName ? Buffer.from(path) : readFileSync(path)
    const flipped = Buffer.from(bytes)
    const at = chance.int(inName ? bytes.length - Buffer.byteLength(basename(path)) : 0, bytes.length - 1)
    flipped[at]! ^= 1 << chance.int(0, 7)
    if (inName && (flipped[at] === 0 || flipped[at] === 0x2f)) continue
    if (inName) renameSync(path, flipped)
    else writeFileSync(path, flipped)
    assert.ok(await isFound(), `seed ${seed}, flip ${i}: ${name}, ${inName ? 'name' : 'content'}, byte ${at}`)
    if (inName) renameSync(flipped, path)
    else writeFileSync(path, bytes)
    const kind = `${name.replace(/-.*/, '')}${inName ? ' (name)' : ''}`
    hits.set(kind, (hits.get(kind) ?? 0) + 1)
  }
  assert.deepEqual((await verifyCase(dir)).findings, [])
  t.diagnostic(`seed ${seed}: ${JSON.stringify(Object.fromEntries(hits))}`)
})

test('verify finds what was removed, added, swapped or cut, and names the file', async t => {
  const { dir: original, files } = await makeCase(t)
  const root = folderFor(t)
  const segments = files.slice(3)
  const flows = segments.filter(name => name.includes('/flows-'))
  const ledger = readFileSync(join(original, 'ledger.jsonl'), 'utf8')
  const lines = ledger.trimEnd().split('\n')
  const joined = (list: readonly string[]): string => list.map(line => `${line}\n`).join('')
  const edit = (text: string) => (dir: string) => writeFileSync(join(dir, 'ledger.jsonl'), text)
  const [one, two] = flows as [string, string]
  const edits: [string, (dir: string) => void, named: string, what: string][] = [
    ['the first line of the ledger removed', edit(joined(lines.slice(1))), 'ledger.jsonl', 'altered'],
    ['a line in the middle removed', edit(joined(lines.toSpliced(2, 1))), 'ledger.jsonl', 'altered'],
    ['the last line removed', edit(joined(lines.slice(0, -1))), 'ledger.head', 'altered'],
    ['two last lines removed', edit(joined(lines.slice(0, -2))), 'ledger.head', 'altered'],
    ['two lines swapped', edit(joined([lines[0]!, lines[2]!, lines[1]!, lines[3]!])), 'ledger.jsonl', 'altered'],
    ['a line repeated', edit(joined([...lines, lines.at(-1)!])), 'ledger.jsonl', 'altered'],
    ['a line appended', edit(`${ledger}{"type":"added"}\n`), 'ledger.jsonl', 'altered'],
    ['an empty line inserted', edit(`${lines[0]}\n\n${joined(lines.slice(1))}`), 'ledger.jsonl', 'altered'],
    ['the last line cut', edit(ledger.slice(0, -40)), 'ledger.jsonl', 'altered'],
    ['the last newline cut', edit(ledger.slice(0, -1)), 'ledger.jsonl', 'altered'],
    ['the ledger emptied', edit(''), 'ledger.head', 'altered'],
    ['CRLF in the ledger', edit(ledger.replaceAll('\n', '\r\n')), 'ledger.jsonl', 'altered'],
    ['the head removed', dir => rmSync(join(dir, 'ledger.head')), 'ledger.head', 'missing'],
    ['the README removed', dir => rmSync(join(dir, 'README.txt')), 'README.txt', 'missing'],
    ...segments.map(
      name => [`${name} removed`, (dir: string) => rmSync(join(dir, name)), name, 'missing'] as (typeof edits)[number],
    ),
    ['a segment emptied', dir => writeFileSync(join(dir, one), ''), one, 'altered'],
    [
      'a segment cut',
      dir => writeFileSync(join(dir, one), readFileSync(join(dir, one)).subarray(0, -1)),
      one,
      'altered',
    ],
    ['a segment with a byte more', dir => writeFileSync(join(dir, one), '\0', { flag: 'a' }), one, 'altered'],
    ['a segment that is a folder', dir => [rmSync(join(dir, one)), mkdirSync(join(dir, one))], one, 'altered'],
    ['a segment renamed', dir => renameSync(join(dir, one), join(dir, `${one}.bak`)), `${one}.bak`, 'unlisted'],
    ['one segment in the place of another', dir => copyFileSync(join(dir, two), join(dir, one)), one, 'altered'],
    [
      'segments swapped',
      dir => {
        renameSync(join(dir, one), join(dir, 'x'))
        renameSync(join(dir, two), join(dir, one))
        renameSync(join(dir, 'x'), join(dir, two))
      },
      two,
      'altered',
    ],
    [
      'a file beside the segments',
      dir => writeFileSync(join(dir, 'segments', 'x.parquet'), ''),
      'segments/x.parquet',
      'unlisted',
    ],
    ['a folder beside the segments', dir => mkdirSync(join(dir, 'segments', 'more')), 'segments/more', 'altered'],
    ['a file in the case', dir => writeFileSync(join(dir, 'notes.txt'), 'x'), 'notes.txt', 'unlisted'],
    ['a hidden file in the case', dir => writeFileSync(join(dir, '.x'), 'x'), '.x', 'unlisted'],
    ['a file that ends in .new', dir => writeFileSync(join(dir, 'flows.new'), 'x'), 'flows.new', 'unlisted'],
    ['all segments gone', dir => rmSync(join(dir, 'segments'), { recursive: true }), one, 'missing'],
  ]
  for (const [name, change, path, what] of edits) {
    const dir = join(root, 'case')
    cpSync(original, dir, { recursive: true })
    change(dir)
    const { intact, findings } = await verifyCase(dir)
    assert.equal(intact, false, name)
    assert.ok(
      findings.some(finding => finding.path === path && finding.what === what),
      `${name}: ${JSON.stringify(findings)}`,
    )
    rmSync(dir, { recursive: true })
  }
  assert.ok(statSync(original).isDirectory())
  t.diagnostic(`${edits.length} edits`)
})
