import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { splitArguments } from '../../src/cli/arguments.ts'
import { countAfterDashes } from '../../src/cli/investigate.ts'
import { collectPrefix, parseCount, parsePorts, parseRatio, parseSize } from '../../src/cli/options.ts'
import { quoted } from '../../src/cli/shell-words.ts'
import { temporaryFolder } from './run.ts'

test('addresses end at the first argument that is none', async t => {
  const folder = temporaryFolder(t)
  const log = join(folder, 'a.log')
  writeFileSync(log, '')
  const split = await splitArguments(['192.0.2.1', '2001:DB8::5/48', log, folder], 0)
  assert.deepEqual(split, { subjects: ['192.0.2.1', '2001:db8::/48'], lists: [], paths: [log, folder] })
})

test('what follows -- is a path even if it looks like an address', async t => {
  const folder = temporaryFolder(t)
  const before = process.cwd()
  t.after(() => process.chdir(before))
  process.chdir(folder)
  writeFileSync('192.0.2.9', '')
  const split = await splitArguments(['192.0.2.1', '192.0.2.9'], countAfterDashes(['192.0.2.1', '--', '192.0.2.9']))
  assert.deepEqual(split, { subjects: ['192.0.2.1'], lists: [], paths: ['192.0.2.9'] })
})

test('a subject given twice counts once', async () => {
  const { subjects } = await splitArguments(['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1/32'], 0)
  assert.deepEqual(subjects, ['192.0.2.1'])
})

test('reads sizes, counts, ratios, ports and networks', () => {
  assert.equal(parseSize('512'), 512)
  assert.equal(parseSize('10G'), 10 * 2 ** 30)
  assert.equal(parseSize('1kib'), 1024)
  assert.equal(parseCount('1_000'), 1000)
  assert.equal(parseCount('500k'), 500_000)
  assert.equal(parseCount('10M'), 10_000_000)
  assert.equal(parseRatio('2.5'), 2.5)
  assert.deepEqual(parsePorts('443, 22,8000-8002,22'), [22, 443, 8000, 8001, 8002])
  assert.deepEqual(parsePorts(''), [])
  assert.deepEqual(collectPrefix('2001:db8::1/32', ['10.0.0.0/8']), ['10.0.0.0/8', '2001:db8::/32'])
})

for (const [text, parse] of [
  ['9G9', parseSize],
  ['-1', parseSize],
  ['9999999T', parseSize],
  ['1k5', parseCount],
  ['', parseCount],
  ['1e3', parseRatio],
  ['80-22', parsePorts],
] as const) {
  test(`refuses ${JSON.stringify(text)} as a value of ${parse.name}`, () =>
    assert.throws(() => parse(text), /Expected/))
}

test('a word for a shell keeps its meaning', () => {
  assert.equal(quoted('a/b-c.log'), 'a/b-c.log')
  assert.equal(quoted("it's $(x)"), `'it'\\''s $(x)'`)
  assert.equal(quoted(''), "''")
})
