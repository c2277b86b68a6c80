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

function page(dossier: Dossier, width: number): string {
  return terminalText(dossierPage(dossier, { showWork: false }), { width, color: false })
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
    for (const width of name === 'hostile' ? [80] : [80, 140]) {
      const text = page(dossier, width)
      assertSound(text, width)
      golden(`dossier-${name}-${width}.golden.txt`, text)
    }
  })

  test(`the page of the ${name} dossier fits every width`, () => {
    for (let width = 60; width <= 160; width += 7) assertSound(page(dossier, width), width)
  })

  test(`colours say nothing on the page of the ${name} dossier`, () => {
    const coloured = terminalText(dossierPage(dossier, { showWork: false }), { width: 80, color: true })
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
  const text = terminalText(dossierPage(dossier, { showWork: true }), { width: 60, color: false })
  for (const { sql, shell } of dossier.work) {
    for (const line of [...sql.split('\n'), ...(shell === null ? [] : [shell])])
      assert.ok(text.includes(`\n    ${line}\n`))
  }
  const hostile = terminalText(dossierPage(withText(dossier, hostileText), { showWork: true }), {
    width: 80,
    color: false,
  })
  assert.equal(hostile.replaceAll('\n', '').search(hidden), -1)
})

test('the headline says how sure, since when and how much', () => {
  const [headline = ''] = page(labDossier(), 400).split('── Window')
  assert.match(
    headline,
    /33,232 of 172,600 flow records \(19 %\) between 2023-09-28 17:22:35Z and 23:59:59Z \(6 h 37 min\)/,
  )
  assert.match(
    headline,
    /With high confidence: log-in brute force .* \(F1\) and data pushed out .* \(F3\)\. With medium/,
  )
  assert.match(
    headline,
    /10\.130\.8\.94 connected to 20\.106\.124\.93:8889 \(TCP\) and sent 265,183,813 B \(252\.9 MiB\) to it/,
  )
})

test('findings stand in order of time whatever their numbers', () => {
  const text = page(labDossier(), 80)
  assert.deepEqual(
    [...text.matchAll(/^ {2}(F\d) /gm)].map(match => match[1]),
    ['F1', 'F2', 'F3'],
  )
})

test('a lower bound is called one, and what is not covered stands before the figures', () => {
  const text = page(sweepDossier(), 200)
  assert.match(text, /received at least 9,007,199,254,740,993 B/)
  assert.ok(text.indexOf('This answer has holes.') < text.indexOf('── Window'))
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
