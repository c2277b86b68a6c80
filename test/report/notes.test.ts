import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { dossierKey } from '../../src/report/case-report/keys.ts'
import { matchNotes, type Notes, noNotes, readNotes, skeleton } from '../../src/report/case-report/notes.ts'
import { type Run, temporaryFolder, tidemark } from '../cli/run.ts'
import { finding, service } from './fixtures.ts'
import { attacker, type Lab, openLab } from './lab-report.ts'

let lab: Lab
before(async () => {
  lab = await openLab()
})
after(() => lab.remove())

const report = (...args: string[]): Run =>
  tidemark(['--case', lab.caseDir, 'report', '--no-controls', ...args], {
    cwd: lab.folder,
    env: { SOURCE_DATE_EPOCH: '1700000000' },
  })

const note = (given: Partial<Notes['findings'][number]>): Notes['findings'][number] => ({
  ...{ key: 'k', first_start: null, id: null, title: null, status: 'open', note: 'n' },
  ...given,
})

test('a key names rule, subject and the few services that a finding speaks of, and not its number', () => {
  const services = [service({ port: 22, findings: ['F7'] }), service({ port: 80, findings: ['F8'] })]
  const { key, first_start } = dossierKey({ subject: ['192.0.2.1'], services }, finding({ id: 'F7', rule: 'r' }))
  assert.equal(key, 'r | 192.0.2.1 | 20.106.124.93 to 10.130.8.94:22 TCP')
  assert.equal(first_start, '2023-09-28T17:22:35Z')
  const many = [1, 2, 3, 4].map(port => service({ port, findings: ['F1'] }))
  assert.equal(dossierKey({ subject: ['192.0.2.1'], services: many }, finding({ rule: 'r' })).key, 'r | 192.0.2.1')
})

test('a note goes to the finding of its key, by its time where several have it, and is kept where none has', () => {
  const findings = [
    { key: 'a', first_start: '1' },
    { key: 'b', first_start: '1' },
    { key: 'b', first_start: '2' },
  ]
  const notes = ['a', 'b', 'b', 'c'].map((key, i) =>
    note({ key, first_start: ['9', '2', '7', '1'][i]!, note: `n${i}` }),
  )
  const { of, not_found } = matchNotes({ ...noNotes, findings: notes }, findings)
  assert.deepEqual(
    of.map(some => some.map(one => one.note)),
    [['n0'], [], ['n1']],
  )
  assert.deepEqual(
    not_found.map(one => one.note),
    ['n2', 'n3'],
  )
})

test('a file of notes made of another has all that was written, and a place for what is new', () => {
  const old = {
    ...noNotes,
    title: 'T',
    sections: [{ title: 's', text: 't' }],
    findings: [note({ key: 'gone' }), note({ key: 'a', note: 'kept' })],
  }
  const made = skeleton(old, [
    { key: 'a', first_start: '1', id: 'F9', title: 'now F9' },
    { key: 'new', first_start: '1', id: 'F1', title: 'new' },
  ])
  assert.equal(made.title, 'T')
  assert.deepEqual(
    made.findings.map(one => [one.key, one.id, one.note]),
    [
      ['a', 'F9', 'kept'],
      ['new', 'F1', ''],
      ['gone', null, 'n'],
    ],
  )
})

test('a file of notes that is not one is refused, with the place and what is wrong', t => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'notes.json')
  const wrong: [string | Uint8Array, RegExp][] = [
    ['{', /not a file of notes: .*notes\.json: .*JSON/],
    ['[]', /json: not an object/],
    ['{"titel": "x"}', /unknown name "titel"; the names are title, case_number/],
    ['{"title": 5}', /title: not a text/],
    ['{"sections": [{"titel": ""}]}', /sections\.0: unknown name "titel"/],
    ['{"findings": [{"note": "x"}]}', /findings\.0\.key: no key/],
    ['{"findings": [{"key": "x", "status": "maybe"}]}', /findings\.0\.status: not confirmed or refuted or open/],
    [new Uint8Array([0xff, 0xfe, 0x7b]), /not UTF-8/],
    ['x'.repeat((8 << 20) + 1), /exceeds 8 MB/],
  ]
  for (const [text, message] of wrong) {
    writeFileSync(path, text)
    assert.throws(
      () => readNotes(path),
      (error: unknown) => error instanceof UserError && error.status === 2 && message.test(error.message),
      String(message),
    )
  }
  assert.throws(() => readNotes(join(folder, 'none.json')), /--notes .*none\.json: no such file/)
  const pipe = join(folder, 'pipe')
  assert.equal(spawnSync('sh', ['-c', 'mkfifo "$1"', 'sh', pipe]).status, 0)
  assert.throws(() => readNotes(pipe), /--notes .*pipe: /)
})

test('notes stay with their findings when evidence is added and the numbers of findings change', async () => {
  assert.equal(report(attacker, '--new-notes', 'notes.json').status, 0)
  const path = join(lab.folder, 'notes.json')
  const notes: Notes = JSON.parse(readFileSync(path, 'utf8'))
  for (const one of notes.findings) one.note = `about ${one.title}`
  writeFileSync(path, JSON.stringify(notes))
  const again = report(attacker, '--new-notes', 'notes.json', '--force')
  assert.equal(again.status, 2)
  assert.match(again.stderr, /the file exists: notes\.json/)
  assert.match(again.stderr, /--notes notes\.json --new-notes new\.json/)
  assert.doesNotMatch(again.stderr, /replace it/)
  // An hour before the first of the logs: one more service, and one more finding before the others.
  const log = join(lab.folder, 'earlier.log')
  const line = (from: string, to: string, ports: string): string =>
    `2 222677128680 eni-0f3b9a6c21d7e4850 ${from} ${to} ${ports} 6 60 90000 1695916800 1695916859 ACCEPT OK`
  writeFileSync(
    log,
    [
      'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status',
      ...Array.from({ length: 90 }, (_, i) => line(attacker, '10.130.8.94', `40000 ${1000 + i}`)),
      '',
    ].join('\n'),
  )
  await addEvidence({ case: lab.caseDir, paths: [log] })
  assert.equal(report(attacker, '--notes', 'notes.json', '-o', 'after.json').status, 0)
  const document = JSON.parse(readFileSync(join(lab.folder, 'after.json'), 'utf8'))
  const told: string[] = [
    ...document.findings.flatMap((one: { notes: string[] }) => one.notes),
    ...document.notes.not_found.map((one: { note: string }) => one.note),
  ]
  assert.deepEqual(told.sort(), notes.findings.map(one => one.note).sort())
  const session = document.dossier.findings.findIndex((one: { rule: string }) => one.rule === 'interactive-session')
  assert.deepEqual(document.findings[session].notes, [`about ${document.dossier.findings[session].title}`])
})

test('an output is written under the rules of all outputs, in the format of its name', () => {
  for (const [name, begins] of [
    ['a.html', '<!doctype html>'],
    ['a.md', '# Report on'],
    ['a.json', '{\n  "report"'],
  ] as const) {
    const run = report(attacker, '-o', name)
    assert.deepEqual([run.status, run.stdout], [0, ''])
    assert.match(run.stderr, new RegExp(`^${name}: [\\d.]+ [KM]iB\n$`))
    assert.ok(readFileSync(join(lab.folder, name), 'utf8').startsWith(begins))
  }
  const refused: [string[], RegExp][] = [
    [[attacker], /no output/],
    [[attacker, '-o', 'a.txt'], /what to write is not known from the name: a\.txt/],
    [[attacker, '-o', 'a.html'], /the file exists: a\.html/],
    [[attacker, '-o', 'investigate.pcap', '--as', 'md', '--force'], /evidence/],
    [[attacker, '--notes', 'a.json', '-o', 'b.html'], /not a file of notes: a\.json/],
    [['@list', '-o', 'b.html'], /a list of addresses/],
    [['--sensor', 'eni-1', '-o', 'b.html'], /are of a report on addresses/],
    [['not-an-address', '-o', 'b.html'], /not an address and no such file/],
  ]
  for (const [args, message] of refused) {
    const run = report(...args)
    assert.equal(run.status, 2, args.join(' '))
    assert.match(run.stderr, message)
  }
  const streamed = report(attacker, '-o', '-', '--as', 'md')
  assert.equal(streamed.status, 0)
  assert.match(streamed.stdout, /^# Report on 20\.106\.124\.93\n/)
})

test('the same report twice is the same, byte for byte', () => {
  report(attacker, '-o', 'one.html')
  report(attacker, '-o', 'one.html', '--force')
  const [first, second] = ['one.html', 'two.html'].map(name => {
    report(attacker, '-o', name, '--force')
    return readFileSync(join(lab.folder, name), 'utf8').replaceAll('two.html', 'one.html')
  })
  assert.equal(first, second)
})

test('evidence that has changed or is gone gives no line, and the report says so', () => {
  report(attacker, '-o', 'before.json')
  const { findings } = JSON.parse(readFileSync(join(lab.folder, 'before.json'), 'utf8'))
  const [first] = findings.flatMap((one: { lines: { path: string }[] }) => one.lines) as { path: string }[]
  writeFileSync(first!.path, 'x')
  assert.equal(report(attacker, '-o', 'changed.md').status, 0)
  assert.match(
    readFileSync(join(lab.folder, 'changed.md'), 'utf8'),
    /Not shown: 1 of .*it has changed since it was added/,
  )
})
