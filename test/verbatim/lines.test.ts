import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { tar, zip } from '../archives.ts'
import { temporaryFolder, tidemark } from '../cli/run.ts'
import { logOf, recordLine } from '../robustness/support.ts'

const text = logOf(40)
const lines = text.split('\n')
const json = JSON.stringify

const wrapped = (some: readonly string[]): string => some.map(line => `${json({ message: line })}\n`).join('')

const kinds: [name: string, path: string, content: string | Uint8Array, from?: string][] = [
  ['plain.log', 'plain.log', text],
  ['crlf.log', 'crlf.log', text.replaceAll('\n', '\r\n')],
  ['with blank lines', 'blank.log', text.replace('\n', '\n\n\n')],
  ['gzip', 'packed.log.gz', gzipSync(text)],
  ['gzip in gzip', 'twice.log.gz', gzipSync(gzipSync(text))],
  ['zip', 'logs.zip', zip({ 'notes.md': 'no', 'a/b.log': text }), 'logs.zip:a/b.log'],
  ['tar with gzip in it', 'logs.tar', tar({ 'x.log.gz': gzipSync(text) }), 'logs.tar:x.log.gz'],
  ['tar.gz', 'logs.tar.gz', gzipSync(tar({ 'x.log': text })), 'logs.tar.gz:x.log'],
  ['zip in zip', 'outer.zip', zip({ 'inner.zip': zip({ 'x.log': text }) }), 'outer.zip:inner.zip:x.log'],
  ['UTF-16', 'wide.log', Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['JSON lines', 'events.json', wrapped(lines.slice(0, -1))],
  ['JSON lines that --format names', 'bare.json', wrapped(lines.slice(1, -1))],
  [
    'one JSON array',
    'array.json',
    json(
      lines.slice(1, -1).map(message => ({ id: 1, message })),
      null,
      2,
    ),
  ],
  [
    'CSV of a console',
    'console.csv',
    lines.slice(1, -1).reduce((all, line, i) => `${all}${1_700_000_000_000 + i},"${line}"\n`, 'timestamp,message\n'),
  ],
]

for (const [name, path, content, from = path] of kinds) {
  test(`the lines of ${name} are those that were added`, t => {
    const cwd = temporaryFolder(t)
    writeFileSync(join(cwd, path), content)
    const format = /bare|array|console/.test(path) ? ['--format', 'default'] : []
    const added = tidemark(['add', path, ...format], { cwd })
    assert.equal(added.status, 0, added.stderr)
    const shown = tidemark(['flows', 'bytes > 130', '-o', 'lines'], { cwd })
    assert.equal(shown.status, 0, shown.stderr)
    const found = shown.stdout.trimEnd().split('\n')
    assert.deepEqual(
      found.map(line => line.replace(/^\S+?:\d+: /, '')),
      lines.filter(line => Number(line.split(' ')[9]) > 130),
    )
    assert.ok(found.every(line => line.includes(`${from}:`)))
    if (content === text) assert.match(found[0]!, new RegExp(`:${lines.indexOf(recordLine(31)) + 1}: `))
  })
}

test('a file that moved or changed is named, and none of its lines is shown', t => {
  const cwd = temporaryFolder(t)
  for (const name of ['a.log', 'b.log', 'c.log']) writeFileSync(join(cwd, name), logOf(3, name.charCodeAt(0) * 10))
  assert.equal(tidemark(['add', 'a.log', 'b.log', 'c.log'], { cwd }).status, 0)
  renameSync(join(cwd, 'a.log'), join(cwd, 'moved.log'))
  writeFileSync(join(cwd, 'b.log'), logOf(3, 5000))
  const { status, stdout, stderr } = tidemark(['flows', '-o', 'lines'], { cwd })
  assert.equal(status, 3)
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map(line => /(\w\.log):/.exec(line)![1]),
    ['c.log', 'c.log', 'c.log'],
  )
  assert.match(stderr, /6 lines are not shown/)
  assert.match(stderr, /a\.log: 3 lines: it cannot be read again: .*put it back where it was/)
  assert.match(stderr, /b\.log: 3 lines: it has changed since it was added/)
  const document = JSON.parse(tidemark(['flows', '-o', 'lines', '--json'], { cwd }).stdout)
  assert.deepEqual([document.total, document.shown, document.lines.length], [9, 3, 3])
  assert.deepEqual(
    document.unread.map((one: { lines: number }) => one.lines),
    [3, 3],
  )
})

test('lines are of single records, and of logs', t => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, 'a.log'), logOf(3))
  const grouped = tidemark(['flows', '-s', 'srcip', '-o', 'lines', 'a.log'], { cwd })
  assert.deepEqual([grouped.status, grouped.stdout], [2, ''])
  assert.match(grouped.stderr, /-o lines is of single records, not of groups/)
})

test('what a terminal would obey in a line is escaped', t => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, 'a.log'), logOf(2).replace('eni-', 'eni-\u001b[31m'))
  tidemark(['add', 'a.log'], { cwd })
  const { stdout } = tidemark(['flows', '-o', 'lines'], { cwd })
  assert.ok(!stdout.includes('\u001b'))
})
