import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { tidemark } from '../cli/run.ts'
import { type Work, workFolder } from '../flows/support.ts'
import { cliEntry } from '../repo.ts'
import { logText, writeLog } from './case.ts'

let work: Work
let log: string
let dir: string
before(() => {
  work = workFolder()
  log = writeLog(work.root)
  dir = join(work.root, 'case')
  assert.equal(tidemark(['add', log, '--case', dir]).status, 0)
})
after(() => work.close())

const run = (...args: string[]) => tidemark(['export', '--case', dir, ...args])

test('counts go to standard error, and say how traffic counts', () => {
  const { status, stdout, stderr } = run('--to', 'ocsf')
  assert.equal(status, 0, stderr)
  const [counts, note, ...rest] = stderr.split('\n')
  assert.equal(counts, 'tidemark: 46 connections (traffic counted once) as ocsf')
  assert.match(note!, /^ {2}1 connection with records that do not say their packets or bytes/)
  assert.deepEqual(rest, [''])
  assert.equal(stdout.trimEnd().split('\n').length, 46)
  assert.match(run('--to', 'ecs', '--what', 'records').stderr, /90 flow records \(as the sensors wrote them\) as ecs/)
})

test('a sum that records do not say is told of', () => {
  const text = logText().replaceAll('12 2400', '- -')
  const other = join(work.root, 'unsaid.log')
  writeFileSync(other, text)
  const { stdout, stderr, status } = tidemark(['export', '--to', 'ndjson', other])
  assert.equal(status, 0)
  assert.match(stderr, /41 connections with records that do not say their packets or bytes: the sums are lower bounds/)
  assert.match(stdout, /"bytes_to_server":null,"bytes_to_client":3300,"at_least":true/)
})

test('evidence that could not be read is named, with status 3', () => {
  const bad = join(work.root, 'bad.log')
  writeFileSync(bad, `${logText()}this is no record\n`)
  const { status, stderr } = tidemark(['export', '--to', 'conn-log', bad, '-o', join(work.root, 'bad-conn.log')])
  assert.equal(status, 3)
  assert.match(stderr, /some evidence could not be read\n.*bad\.log:/)
})

const refused: [string[], RegExp][] = [
  [['--to', 'stix', '--what', 'records'], /stix does not hold records\n.*findings, connections, all/],
  [['--to', 'csv', '--what', 'all'], /csv does not hold all/],
  [['--to', 'sigma', '--raw-csv'], /--raw-csv does nothing for sigma/],
  [['--to', 'ocsf', '--of', '10.0.0.5', '--what', 'connections'], /--of is of findings, not of connections/],
  [['--to', 'ocsf', '--of', '10.0.0.5', 'port 22'], /a filter does not go with --of/],
  [['--to', 'ocsf', '--from', '2024-01-01', '--until', '2023-01-01'], /the window ends before it begins/],
  [['--to', 'xml'], /xml/],
  [[], /--to/],
]
for (const [args, message] of refused)
  test(`export ${args.join(' ')} is refused`, () => {
    const { status, stdout, stderr } = run(...args)
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, message)
  })

test('neither evidence nor a file that is there is written over', () => {
  const out = join(work.root, 'out.csv')
  assert.equal(run('--to', 'csv', '-o', out).status, 0)
  const first = readFileSync(out, 'utf8')
  assert.equal(run('--to', 'csv', '--what', 'findings', '-o', out).status, 2)
  assert.equal(readFileSync(out, 'utf8'), first)
  assert.equal(run('--to', 'csv', '--what', 'findings', '-o', out, '--force').status, 0)
  assert.notEqual(readFileSync(out, 'utf8'), first)
  const { status, stderr } = run('--to', 'csv', '-o', log, '--force')
  assert.equal(status, 2)
  assert.match(stderr, /the output is evidence/)
  assert.equal(readFileSync(log, 'utf8'), logText())
  assert.equal(run('--to', 'csv', '-o', join(dir, 'segments', 'x.csv')).status, 2)
})

test('an export that fails leaves nothing', () => {
  const out = join(work.root, 'none.ndjson')
  assert.equal(run('--to', 'ndjson', 'port 99999', '-o', out).status, 2)
  assert(!existsSync(out))
})

test('raw CSV says that it is, and a reader that goes away ends the export in peace', () => {
  assert.match(
    run('--to', 'csv', '--raw-csv').stderr,
    /texts are as they are: a spreadsheet may take some for formulas/,
  )
  const command = `${process.execPath} ${cliEntry} export --case ${dir} --to ocsf --what records | head -n 1`
  const { status, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command], { encoding: 'utf8' })
  assert.deepEqual([status, stderr.includes('at ')], [0, false])
})

test('findings of a dossier are those of investigate, in every format that holds findings', () => {
  const dossier = JSON.parse(tidemark(['investigate', '203.0.113.9', '--json', '--case', dir]).stdout) as {
    findings: { id: string; title: string }[]
  }
  assert(dossier.findings.length > 0)
  const text = run('--to', 'ndjson', '--of', '203.0.113.9').stdout
  const findings = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { id: string; title: string })
  assert.deepEqual(
    findings.map(({ id, title }) => [id, title]),
    dossier.findings.map(({ id, title }) => [id, title]),
  )
  for (const to of ['ocsf', 'ecs', 'stix', 'sigma', 'guardduty', 'csv']) {
    const { status, stdout } = run('--to', to, '--what', 'findings', '--of', '203.0.113.9')
    assert.equal(status, 0)
    for (const { title } of findings) assert(stdout.includes(title), `${to}: ${title}`)
  }
})

test('findings of a dossier have what was measured, as those of the whole case have it', () => {
  interface Told {
    rule: string
    scores: unknown[]
    would_change: string | null
    tactic: string | null
    connections: number | null
    peers_total: number
    port: number | null
  }
  const told = (...args: string[]): Told[] =>
    run('--to', 'ndjson', '--what', 'findings', ...args)
      .stdout.trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Told)
  const guessing = ({ rule }: Told): boolean => rule === 'D02-brute-force' || rule === 'password-guessing'
  const all = told().find(guessing)!
  const own = told('--of', '203.0.113.9')
  const same = own.find(({ scores }) => JSON.stringify(scores) === JSON.stringify(all.scores))!
  assert.deepEqual(
    [same.would_change, same.tactic, same.connections, same.peers_total, same.port],
    [all.would_change, all.tactic, 40, 1, 22],
  )
  for (const one of own) assert(one.would_change !== null && one.tactic !== null && one.connections! > 0)
  const bundle = JSON.parse(run('--to', 'stix', '--of', '203.0.113.9').stdout) as { objects: { type: string }[] }
  const counts = bundle.objects.flatMap(one => ('number_observed' in one ? [one.number_observed] : []))
  assert.deepEqual(
    counts,
    own.map(({ connections }) => connections),
  )
})

test('what the notes refute is left out, or suppressed in OCSF; what they confirm is marked, with the words of the analyst', () => {
  const of = ['--of', '203.0.113.9']
  const notes = join(work.root, 'notes.json')
  assert.equal(tidemark(['report', '203.0.113.9', '--case', dir, '--new-notes', notes]).status, 0)
  const empty = JSON.parse(readFileSync(notes, 'utf8')) as { findings: { id: string; status: string; note: string }[] }
  const [refuted, confirmed] = empty.findings as [(typeof empty.findings)[0], (typeof empty.findings)[0]]
  Object.assign(refuted, { status: 'refuted', note: 'our own test' })
  Object.assign(confirmed, { status: 'confirmed', note: 'seen from 203.0.113.9' })
  writeFileSync(notes, JSON.stringify(empty))
  const count = empty.findings.length
  const asked = (to: string) => run('--to', to, '--what', 'findings', ...of, '--notes', notes)
  const ocsf = asked('ocsf')
  assert.match(ocsf.stderr, /1 finding with status Suppressed: the notes refute/)
  const events = ocsf.stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { status: string; comment?: string; finding_info: { uid: string } })
  assert.equal(events.length, count)
  const byId = (id: string) => events.find(one => one.finding_info.uid === id)!
  assert.deepEqual([byId(refuted.id).status, byId(refuted.id).comment], ['Suppressed', 'our own test'])
  assert.deepEqual([byId(confirmed.id).status, byId(confirmed.id).comment], ['In Progress', 'seen from 203.0.113.9'])
  for (const to of ['ecs', 'stix', 'sigma', 'guardduty', 'csv', 'ndjson']) {
    const { stdout, stderr, status } = asked(to)
    assert.equal(status, 0, stderr)
    assert.match(stderr, /not in it: 1 finding that the notes refute/)
    assert(stdout.includes('seen from 203.0.113.9') && !stdout.includes('our own test'), to)
  }
  assert.match(asked('sigma').stdout, /status: "test"/)
  assert.match(asked('stix').stdout, /"labels":\["confirmed"\]/)
  const wrong = run('--to', 'ocsf', '--notes', notes)
  assert.deepEqual([wrong.status, wrong.stdout], [2, ''])
})

test('an address that no record has is said to have none', () => {
  const { status, stderr } = run('--to', 'ocsf', '--of', '192.0.2.200')
  assert.equal(status, 0)
  assert.equal(stderr, 'tidemark: no findings as ocsf\n  no record of 192.0.2.200 in 90 flow records\n')
  assert.doesNotMatch(run('--to', 'ocsf', '--of', '203.0.113.9').stderr, /no record of/)
})

test('a case without anything gives sound outputs without items', () => {
  const empty = join(work.root, 'empty.log')
  writeFileSync(empty, `${logText().split('\n')[0]}\n`)
  for (const to of ['ocsf', 'ecs', 'ndjson', 'conn-log', 'csv', 'stix', 'guardduty', 'sigma']) {
    const { status, stdout, stderr } = tidemark(['export', '--to', to, empty])
    assert.equal(status, 0, stderr)
    if (to === 'stix' || to === 'guardduty') assert.doesNotThrow(() => JSON.parse(stdout))
    assert.match(stderr, /no (connections|findings) as/)
  }
})
