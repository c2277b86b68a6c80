import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { repoRoot, skipWithout } from '../repo.ts'
import { temporaryFolder, tidemark } from './run.ts'

const needs = ['src/ingest/add.ts', 'src/store/case.ts', 'src/store/verify.ts', 'src/investigate/investigate.ts']
const whole = skipWithout(...needs.map(path => join(repoRoot, path)))

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const eni = '2 123456789012 eni-0a1b2c3d'
const sound = [
  header,
  `${eni} 203.0.113.7 10.0.0.5 50000 22 6 10 1000 1700000000 1700000059 ACCEPT OK`,
  `${eni} 10.0.0.5 203.0.113.7 22 50000 6 20 3000 1700000000 1700000059 ACCEPT OK`,
  `${eni} 203.0.113.7 10.0.0.5 50001 23 6 1 40 1700000060 1700000119 REJECT OK`,
  `${eni} 198.51.100.9 10.0.0.5 40000 80 6 5 500 1700000060 1700000119 ACCEPT OK`,
  `${eni} - - - - - - - 1700000120 1700000179 - NODATA`,
]
const broken = [...sound, `${eni} 203.0.113.7 10.0.0.5 50002`]

function logs(t: TestContext, lines: string[]): string {
  const cwd = temporaryFolder(t)
  mkdirSync(join(cwd, 'logs'))
  writeFileSync(join(cwd, 'logs', 'a.log'), `${lines.join('\n')}\n`)
  return cwd
}

test('adds, lists, verifies and investigates', whole, t => {
  const cwd = logs(t, sound)
  const added = tidemark(['add', 'logs', '--json'], { cwd })
  assert.equal(added.status, 0, added.stderr)
  const { totals } = JSON.parse(added.stdout)
  const expected = { files: 1, lines: 6, header_lines: 1, records: 4, no_data: 1, skip_data: 0, malformed: 0 }
  assert.deepEqual(totals, expected)

  const listed = tidemark(['evidence', '--json'], { cwd })
  assert.equal(listed.status, 0, listed.stderr)
  assert.deepEqual(JSON.parse(listed.stdout).totals, expected)

  const verified = tidemark(['verify', '--json'], { cwd })
  assert.equal(verified.status, 0, verified.stderr)
  assert.equal(JSON.parse(verified.stdout).intact, true)

  const { status, stdout, stderr } = tidemark(['investigate', '203.0.113.7', '--json'], { cwd })
  assert.equal(status, 0, stderr)
  const dossier = JSON.parse(stdout)
  assert.deepEqual(dossier.records, { total: 4, subject: 3, accepted: 2, rejected: 1 })
  assert.equal(dossier.bytes.from_subject, 1000)
  assert.equal(dossier.bytes.to_subject, 3000)
  assert.equal(dossier.window.first_start, '2023-11-14T22:13:20Z')
  assert.equal(dossier.window.last_end, '2023-11-14T22:15:19Z')
})

test('investigates files in a case that is gone afterwards', whole, t => {
  const cwd = logs(t, sound)
  const temporary = temporaryFolder(t)
  const env = { TMPDIR: temporary, TIDEMARK_CASE: join(cwd, 'environment.tidemark') }
  const { status, stdout, stderr } = tidemark(['investigate', '203.0.113.7', 'logs', '--json'], { cwd, env })
  assert.equal(status, 0, stderr)
  assert.equal(JSON.parse(stdout).records.subject, 3)
  assert.deepEqual(readdirSync(temporary), [])
  assert.deepEqual(readdirSync(cwd), ['logs'])
})

test('files given with --case are added to it first', whole, t => {
  const cwd = logs(t, sound)
  const args = ['investigate', '203.0.113.7', '--case', 'kept.tidemark', '--json']
  assert.equal(tidemark([...args, '--', 'logs'], { cwd }).status, 0)
  assert.ok(existsSync(join(cwd, 'kept.tidemark')))
  const again = tidemark(args, { cwd })
  assert.equal(JSON.parse(again.stdout).records.subject, 3)
})

test('what could not be read is named, and tells in the exit status', whole, t => {
  const cwd = logs(t, broken)
  const added = tidemark(['add', 'logs', '--json'], { cwd })
  assert.equal(added.status, 3)
  assert.match(added.stderr, /a\.log:7: /)
  const page = tidemark(['add', 'logs', '--case', 'other.tidemark'], { cwd })
  assert.equal(page.status, 3)
  assert.match(page.stdout, /a\.log/)
  const { status, stderr } = tidemark(['investigate', '203.0.113.7'], { cwd })
  assert.equal(status, 3)
  assert.match(stderr, /a\.log:7: /)
})

test('a case that is not there is told in words', whole, t => {
  for (const command of [['evidence'], ['verify'], ['investigate', '203.0.113.7']]) {
    const { status, stdout, stderr } = tidemark(command, { cwd: temporaryFolder(t) })
    assert.ok(status === 1 || status === 2, stderr)
    assert.match(stderr, /^tidemark: .*case\.tidemark.*\n {2}hint: /)
    assert.equal(stdout, '')
  }
})

test('an altered case is told in the exit status', whole, t => {
  const cwd = logs(t, sound)
  assert.equal(tidemark(['add', 'logs'], { cwd }).status, 0)
  const largest = readdirSync(join(cwd, 'case.tidemark'), { recursive: true, encoding: 'utf8' }).find(name =>
    name.endsWith('.parquet'),
  )
  assert.ok(largest, 'no Parquet file in the case')
  writeFileSync(join(cwd, 'case.tidemark', largest), 'X', { flag: 'a' })
  const { status, stdout } = tidemark(['verify', '--json'], { cwd })
  assert.equal(status, 1)
  assert.equal(JSON.parse(stdout).intact, false)
})

test('the demo builds its data once and says that it is reconstructed', whole, t => {
  const cwd = temporaryFolder(t)
  const demo = () =>
    tidemark(['demo', '--records', '2000'], { cwd, env: { TIDEMARK_CASE: join(cwd, 'real.tidemark') } })
  const first = demo()
  assert.equal(first.status, 0, first.stderr)
  assert.match(first.stdout, /reconstructed/)
  assert.match(first.stdout, /20\.106\.124\.93/)
  const second = demo()
  assert.equal(second.status, 0, second.stderr)
  assert.equal(second.stdout, first.stdout)
  assert.deepEqual(readdirSync(cwd), ['tidemark-demo'])
})
