import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Dossier } from '../../src/investigate/dossier.ts'
import { dossierPage } from '../../src/report/dossier.ts'
import { terminalText } from '../../src/report/terminal.ts'
import { displayWidth, hidden, plain } from '../../src/report/text.ts'
import { golden } from '../golden.ts'
import { finding, hostileText, labDossier, service, sweepDossier, unseenDossier, withText } from './fixtures.ts'

const dossiers: [name: string, dossier: Dossier][] = [
  ['lab', labDossier()],
  ['sweep', sweepDossier()],
  ['unseen', unseenDossier()],
  ['hostile', hostileDossier()],
]

/** Names that someone else chose: of sensors, files and fields. */
function hostileDossier(): Dossier {
  const { coverage, vantages, cannot_tell, ...lab } = labDossier()
  const { problems } = sweepDossier()
  const names = withText({ coverage, vantages, cannot_tell, problems: problems.slice(0, 2) }, hostileText)
  return { ...lab, ...names, findings: [finding({ basis: [{ path: hostileText, line: 1 }] })] }
}

function page(dossier: Dossier, width: number, full = true): string {
  return terminalText(dossierPage(dossier, { showWork: false, full }), { width, color: false })
}

/** No line is wider than the page, and nothing stands in it that a terminal would obey. */
function assertSound(text: string, width: number): void {
  for (const line of text.split('\n')) {
    assert.ok(displayWidth(line) <= width, `${displayWidth(line)} of ${width}: ${line}`)
    assert.equal(line.search(hidden), -1, line)
    assert.equal(line, line.trimEnd())
  }
}

for (const [name, dossier] of dossiers) {
  test(`the page of the ${name} dossier`, () => {
    for (const width of name === 'hostile' ? [80] : [80, 100, 140]) {
      const text = page(dossier, width, false)
      assertSound(text, width)
      golden(`dossier-${name}-${width}.golden.txt`, text)
    }
    const text = page(dossier, 100)
    assertSound(text, 100)
    golden(`dossier-${name}-full-100.golden.txt`, text)
  })

  test(`the page of the ${name} dossier fits every width`, () => {
    for (let width = 60; width <= 160; width += 7)
      for (const full of [true, false]) assertSound(page(dossier, width, full), width)
  })

  test(`colours say nothing on the page of the ${name} dossier`, () => {
    const coloured = terminalText(dossierPage(dossier, { showWork: false, full: true }), { width: 80, color: true })
    assert.notEqual(coloured, page(dossier, 80))
    assert.equal(plain(coloured), page(dossier, 80))
  })
}

test('hostile text in every field stays on the page', () => {
  for (const width of [60, 80, 140]) assertSound(page(withText(labDossier(), hostileText), width), width)
})

test('any text in any field stays on the page', () => {
  const text = fc.array(fc.integer({ min: 0, max: 0xffff })).map(units => String.fromCharCode(...units))
  fc.assert(
    fc.property(text, fc.integer({ min: 60, max: 150 }), (words, width) => {
      for (const dossier of [labDossier(), { ...sweepDossier(), services: sweepDossier().services.slice(-9) }]) {
        assertSound(page(withText(dossier, words), width), width)
      }
    }),
    { numRuns: 40 },
  )
})

test('the work is whole lines, for copying, and nothing in it is obeyed', () => {
  const dossier = labDossier()
  const text = terminalText(dossierPage(dossier, { showWork: true, full: false }), { width: 60, color: false })
  for (const { sql, shell } of dossier.work) {
    for (const line of [...sql.split('\n'), ...(shell === null ? [] : [shell])])
      assert.ok(text.includes(`\n    ${line}\n`))
  }
  const hostile = terminalText(dossierPage(withText(dossier, hostileText), { showWork: true, full: false }), {
    width: 80,
    color: false,
  })
  assert.equal(hostile.replaceAll('\n', '').search(hidden), -1)
})

test('the page begins with who, since when, how much, and what happened in order of time', () => {
  const [headline = ''] = page(labDossier(), 400, false).split('── How sure')
  assert.match(
    headline,
    /33,232 of 172,600 flow records \(19 %\), 12 of them rejected, between 2023-09-28 17:22:35Z and 23:59:59Z \(6 h 37 min\)/,
  )
  assert.match(headline, /received 457,092,338 B \(435\.9 MiB\)/)
  const lines = headline.split('\n').filter(line => /^ {2}\d\d:\d\d:\d\dZ – /.test(line))
  assert.deepEqual(
    lines.map(line => line.slice(2, 10)),
    ['17:22:35', '17:22:35', '18:10:02', '18:31:40'],
  )
  assert.match(lines[0]!, /log-in brute force .* \(F1, high confidence\)/i)
  assert.match(lines[3]!, /Data pushed out .*: 252\.9 MiB, by 10\.130\.8\.94 \(F3, high confidence\)/)
})

test('findings stand by severity, then in order of time, whatever their numbers; information is last', () => {
  const dossier = labDossier()
  const first = finding({ id: 'F0', rule: 'first-contact', severity: 'info' })
  const text = page({ ...dossier, findings: [first, ...dossier.findings] }, 80)
  assert.deepEqual(
    [...text.matchAll(/^ {2}(F\d) /gm)].map(match => match[1]),
    ['F3', 'F1', 'F2', 'F0'],
  )
})

test('information alone is not called nothing, and has no technique', () => {
  const first = finding({ rule: 'first-contact', severity: 'info', technique: 'T1595' })
  for (const full of [true, false]) {
    const text = page({ ...labDossier(), findings: [first] }, 200, full)
    assert.match(text, /The rules found nothing that is more than information \(F1\)\. That is not proof/)
    assert.doesNotMatch(text, /No rule found anything|T1595/)
  }
})

test('findings of one rule by one client are one line, those by another client are another', () => {
  const ssh = (n: number, client: string) => ({
    found: finding({ id: `F${n}`, rule: 'interactive-session', title: `Interactive SSH session on 10.0.0.${n}:22` }),
    row: service({ server: `10.0.0.${n}`, port: 22, client, findings: [`F${n}`] }),
  })
  const all = [ssh(1, '20.106.124.93'), ssh(2, '20.106.124.93'), ssh(3, '10.9.9.9')]
  const given = { ...labDossier(), findings: all.map(one => one.found), services: all.map(one => one.row) }
  const [headline = ''] = page(given, 300, false).split('── How sure')
  assert.match(headline, /SSH session on 10\.0\.0\.1:22, and 1 more like it \(F1 and F2, high confidence\)/)
  assert.match(headline, /SSH session on 10\.0\.0\.3:22, by 10\.9\.9\.9 \(F3, high confidence\)/)
})

test('one service is one line of the story, whichever way its data went', () => {
  const both = service({ bytes_to_server: 5_000_000, bytes_to_client: 6_000_000 })
  const [headline = ''] = page({ ...labDossier(), services: [both], findings: [] }, 300, false).split('── How sure')
  assert.equal(headline.match(/connected to/g)?.length, 1)
  assert.match(headline, /sent 5,000,000 B \(4\.8 MiB\) and received 6,000,000 B/)
})

test('pairs of client and service are not called services', () => {
  for (const full of [true, false]) {
    const text = page(sweepDossier(), 120, full)
    assert.match(text, /more pairs of client and service/)
    assert.doesNotMatch(text, /Services \(|\d more services/)
  }
})

test('what is in doubt is on the short page too', () => {
  const sweep = sweepDossier()
  const guessed = service({ role_basis: 'port-number', role_confidence: 0.6 })
  const nobody = sweep.vantages.map(row => ({ ...row, sensor: null }))
  const cannot_tell = ['every record is ACCEPT: a flow log of traffic type ACCEPT shows nothing of what was rejected']
  const text = page({ ...sweep, services: [guessed], vantages: nobody, cannot_tell }, 400, false)
  for (const doubt of [
    /This answer has holes\./,
    /Not complete: 3 gaps/,
    /Time gap: eni-/,
    /lower bounds/,
    /received at least 9,007,199,254,740,993 B/,
    /a guess, or not known, for 1 of 1 listed pair/,
    /guessed from the port numbers \(60 %\)/,
    /true start may lie up to 11 min earlier/,
    /may be counted twice/,
    /every record is ACCEPT/,
    /31 places of the evidence that could not be read/,
  ])
    assert.match(text, doubt)
})

test('the short page of the lab fits 60 lines of 100 columns', () => {
  assert.ok(page(labDossier(), 100, false).split('\n').length <= 61)
})

test('a lower bound is called one, and what is not covered stands before the figures', () => {
  const text = page(sweepDossier(), 200)
  assert.match(text, /received at least 9,007,199,254,740,993 B/)
  assert.ok(text.indexOf('This answer has holes.') < text.indexOf('── Services'))
  assert.match(text, /1 time gap, 1 interval of lost records \(SKIPDATA\) and 1 run of malformed lines/)
  assert.match(text, /Not complete: 3 gaps/)
  assert.doesNotMatch(page(labDossier(), 200), /at least|holes\./)
})

test('a subject without records is never called clean', () => {
  const text = page(unseenDossier(), 200)
  assert.match(text, /No record of 198\.51\.100\.7 in 172,600 flow records from 2023-09-28 00:00:03Z to 23:59:59Z\./)
  assert.match(text, /not proof of absence/)
  assert.doesNotMatch(text, /clean|safe|Complete/)
  const empty = page(
    { ...unseenDossier(), records: { total: 0, subject: 0, accepted: 0, rejected: 0 }, coverage: [] },
    200,
  )
  assert.match(empty, /holds no flow records at all/)
})

test('a gap makes even an empty answer incomplete', () => {
  const { gaps } = sweepDossier().attack_surface
  const unseen = unseenDossier()
  const text = page({ ...unseen, attack_surface: { ...unseen.attack_surface, complete: false, gaps } }, 200)
  assert.match(text, /Inside the logs there are 1 time gap/)
})

test('a record on the way and a connection within the subject say so', () => {
  const services = [
    service({ subject_role: 'transit', role_basis: 'unknown', role_confidence: 0.5 }),
    service({ subject_role: 'both', outcome: 'rejected', rejected: 2 }),
  ]
  const text = page({ ...labDossier(), services, findings: [finding({ basis: [], basis_total: 0 })] }, 90)
  assert.match(text, /the subject is a hop on the way, not known \(50 %\)/)
  assert.match(text, /both ends are the subject/)
  assert.match(text, /no single line shows it/)
})
