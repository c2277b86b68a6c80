import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ask, captureOf } from '../handmade.ts'
import { logOf } from '../robustness/support.ts'
import { temporaryFolder, tidemark } from './run.ts'

const lz4 = Buffer.from('\x04\x22\x4d\x18\0 whatever', 'latin1')
const capture = captureOf(ask(1_700_000_000, '198.51.100.1', '10.0.0.1'))
const subject = '198.51.100.1'

/** A folder with a log, a capture, and what is not read. */
function evidence(t: TestContext, others: Record<string, string | Uint8Array>): string {
  const folder = join(temporaryFolder(t), 'evidence')
  mkdirSync(folder)
  const files = { 'a.log': logOf(5), 'b.pcap': capture, ...others }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}

/** Each command that takes PATHs. */
const withPaths: [command: string, args: (paths: string[], out: string) => string[]][] = [
  ['add', (paths, out) => ['add', ...paths, '--case', join(out, 'case')]],
  ['add --json', (paths, out) => ['add', '--json', ...paths, '--case', join(out, 'case-json')]],
  ['flows', paths => ['flows', 'any', ...paths]],
  ['flows --json', paths => ['flows', '--json', 'any', ...paths]],
  ['investigate', paths => ['investigate', subject, '--', ...paths]],
  ['investigate --json', paths => ['investigate', '--json', subject, '--', ...paths]],
  ['carve', (paths, out) => ['carve', 'any', ...paths, '-o', join(out, 'carved.pcap')]],
  ['convert', (paths, out) => ['convert', ...paths, '-o', join(out, 'flows.csv')]],
]

for (const [command, args] of withPaths) {
  test(`${command} names what was named and not read, or found and hides evidence`, t => {
    const folder = evidence(t, { 'x.pcap.lz4': lz4, 'notes.txt': 'nothing' })
    for (const [names, says] of [
      [['x.pcap.lz4'], /x\.pcap\.lz4[\s\S]*packed with lz4: unpack it \(lz4 -d\) and add the\s+result/],
      [['b.pcap', 'notes.txt'], /notes\.txt/],
    ] as const) {
      const paths = names.map(name => join(folder, name))
      const { status, stdout, stderr } = tidemark(args(paths, temporaryFolder(t)))
      assert.equal(status, 3, stderr)
      assert.match(command === 'add' ? stdout : stderr, says)
    }
  })
}

test('every command says of a folder what hides evidence in it, and what does not is no failure', t => {
  const hiding = evidence(t, { 'x.pcap.lz4': lz4 })
  const harmless = evidence(t, { 'notes.txt': 'nothing', 'screen.png': Buffer.from('\x89PNG\r\n\x1a\n\0', 'latin1') })
  for (const [command, args] of withPaths.filter(([name]) => !name.includes('json'))) {
    const [bad, fine] = [hiding, harmless].map(path => tidemark(args([path], temporaryFolder(t))))
    assert.equal(bad?.status, 3, `${command}: ${bad?.stderr}`)
    assert.match(command === 'add' ? bad.stdout : bad.stderr, /x\.pcap\.lz4/)
    assert.equal(fine?.status, 0, `${command}: ${fine?.stderr}`)
  }
})

test('a case keeps what was named and not read, for every later command', t => {
  const folder = evidence(t, { 'notes.txt': 'nothing' })
  const dir = join(temporaryFolder(t), 'case')
  const paths = ['a.log', 'b.pcap', 'notes.txt'].map(name => join(folder, name))
  assert.equal(tidemark(['add', ...paths, '--case', dir]).status, 3)
  for (const args of [
    ['evidence'],
    ['evidence', '--json'],
    ['flows', '-s', 'srcip'],
    ['investigate', subject],
    ['sql', 'SELECT count(*) FROM flows'],
    ['carve', 'any', '-o', join(dir, '..', 'carved.pcap')],
  ]) {
    const { status, stdout, stderr } = tidemark([...args, '--case', dir])
    assert.equal(status, 3, `${args.join(' ')}: ${stderr}`)
    assert.match(args.join() === 'evidence' ? stdout : stderr, /notes\.txt[\s\S]*text, but no flow log/, args.join(' '))
  }
  // How a query is run is no figure.
  assert.equal(tidemark(['sql', '--explain', 'SELECT count(*) FROM flows', '--case', dir]).status, 0)
})

test('the page says what was not read once, and leaves out what is no evidence', t => {
  const folder = evidence(t, { 'x.pcap.lz4': lz4, 'notes.txt': 'nothing' })
  const dir = join(temporaryFolder(t), 'case')
  const { stdout } = tidemark(['add', folder, '--case', dir])
  const [, notRead = '', leftOut = ''] = stdout.split(/── (?:Not read|Left out) ─+\n/)
  assert.equal(notRead.match(/packed with lz4/g)?.length, 1, notRead)
  assert.match(leftOut, /notes\.txt: not evidence: text, but no flow log/)
})

test('a capture that was packed twice is converted and carved like a plain one', t => {
  const folder = evidence(t, {})
  const out = temporaryFolder(t)
  const twice = join(out, 'twice.pcap.gz')
  writeFileSync(twice, gzipSync(gzipSync(capture)))
  const csv = (path: string): string => tidemark(['convert', path, '-o', '-', '--to', 'csv']).stdout
  assert.equal(csv(twice), csv(join(folder, 'b.pcap')))
  const carved = tidemark(['carve', 'any', twice, '-o', join(out, 'all.pcap'), '--json'])
  assert.equal(carved.status, 0, carved.stderr)
  const { carved: count, packets } = JSON.parse(carved.stdout) as { carved: number; packets: number }
  assert.ok(count === packets && count > 0)
})
