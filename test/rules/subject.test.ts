// The rules with a subject: what a dossier tells beyond a hunt, and that it tells all that a hunt finds.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { detect } from '../../src/detect/detect.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { type Found, investigate } from '../../src/investigate/investigate.ts'
import { subjectRules } from '../../src/rules/all.ts'
import { type Finding, severities } from '../../src/rules/finding.ts'
import type { CaseRule, Thresholds } from '../../src/rules/rule.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { header as huntHeader, linesOf as huntLines } from './flows.ts'
import { scenarios as hunted } from './scenarios.ts'
import { ends, headers, linesOf, type Scenario, scenarios } from './subject-scenarios.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-subject-'))
let opened: Case

async function caseOf(name: string, files: Record<string, readonly string[]>): Promise<Case> {
  const folder = join(root, name)
  mkdirSync(folder)
  for (const [file, lines] of Object.entries(files)) writeFileSync(join(folder, file), `${lines.join('\n')}\n`)
  await addEvidence({ case: join(root, `${name}.case`), paths: [folder], workers: 1 })
  return openCase(join(root, `${name}.case`))
}

before(async () => {
  const of = (kind: keyof typeof headers): string[] => [
    headers[kind],
    ...scenarios.flatMap((scenario, i) =>
      (scenario.unsure === true) === (kind === 'unsure') ? linesOf(scenario, i) : [],
    ),
  ]
  opened = await caseOf('scenarios', { 'sure.log': of('sure'), 'unsure.log': of('unsure') })
})
after(async () => {
  await opened.close()
  rmSync(root, { recursive: true, force: true })
})

/** Thresholds that a mutant may have, for nothing can be found by it that is not found without: the first says why. */
const equivalent = new Set([
  // Of fewer packets there is no guess.
  'D02-brute-force medianPacketsMin 0.4',
  // So many guesses there are in any case.
  'D02-brute-force leadMin 3',
  // A port is tried on a host, or not at all.
  'D01-scan hostsOfPortMin 0.1',
])

/** A rule that returns nothing, or decides by another number than a subject asks for: ten times off, or that of a hunt. */
function mutantsOf(rule: CaseRule): CaseRule[] {
  const own = rule.scope === 'subject' ? rule.thresholds : rule.ofSubject!.thresholds
  const changed = (thresholds: Partial<Thresholds>): Partial<CaseRule> =>
    rule.scope === 'subject'
      ? { thresholds: { ...rule.thresholds, ...thresholds } as Thresholds }
      : { ofSubject: { ...rule.ofSubject!, thresholds: { ...own, ...thresholds } } }
  const ofThresholds = Object.entries(own as Thresholds).flatMap(([name, value]) =>
    [Number(value) * 10, Number(value) / 10, Number(rule.thresholds[name])]
      .filter(other => other !== value && !equivalent.has(`${rule.name} ${name} ${other}`))
      .map(other => named(rule, `${name} ${other}`, changed({ [name]: other }))),
  )
  return [named(rule, 'nothing', { find: () => [] }), ...ofThresholds]
}

function named(rule: CaseRule, how: string, change: Partial<CaseRule>): CaseRule {
  const mutant = { ...rule, ...change }
  const name = `${rule.name} with ${how}`
  return { ...mutant, name, ofSubject: { ...mutant.ofSubject!, name } }
}

type Said = Pick<Finding, 'severity' | 'confidence' | 'summary'>

/** Why what a rule says of a scenario is wrong; null where it is right. */
function wrong({ found }: Scenario, said: readonly Said[]): string | null {
  if (found === null) return said.length === 0 ? null : `found: ${said[0]!.summary}`
  const [finding] = said
  if (finding === undefined || said.length > 1) return `${said.length} findings`
  const levels = `${finding.severity} ${finding.confidence}`
  if (levels !== found.levels) return `${levels}: ${finding.summary}`
  return found.says === undefined || found.says.test(finding.summary) ? null : finding.summary
}

/** What a rule and its mutants say of some scenarios, which are investigated together; by their names. */
async function answersOf(rules: readonly CaseRule[], some: readonly number[]): Promise<Map<string, Finding[]>> {
  const subjects = some.map(i => ends(scenarios[i]!, i)[scenarios[i]!.outward ? 'server' : 'client'])
  const { findings } = await investigate(opened, subjects, { rules })
  const of = (rule: CaseRule): Finding[] => findings.filter(one => one.rule === rule.ofSubject!.name)
  return new Map(rules.map(rule => [rule.name, of(rule)]))
}

/** What is said of one scenario: its client has no part in any other. */
function ofScenario(i: number, said: readonly Said[]): Said[] {
  const client = ends(scenarios[i]!, i).client.replaceAll('.', '\\.')
  return said.filter(({ summary }) => new RegExp(`(?<![\\d.])${client}(?!\\d)`).test(summary))
}

const tried = subjectRules.filter(({ name }) => scenarios.some(({ rule }) => rule === name))

for (const rule of tried) {
  const own = scenarios.flatMap((scenario, i) => (scenario.rule === rule.name ? [i] : []))
  // Of all that are asked for together there is one first contact.
  const groups = rule.name === 'D10-first-contact' ? own.map(i => [i]) : [own]
  const mutants = mutantsOf(rule)
  const asked = new Map<readonly number[], Promise<Map<string, Finding[]>>>()
  const answers = (group: readonly number[]): Promise<Map<string, Finding[]>> => {
    if (!asked.has(group)) asked.set(group, answersOf([rule, ...mutants], group))
    return asked.get(group)!
  }

  for (const group of groups) {
    for (const i of group) {
      const scenario = scenarios[i]!
      test(`of a subject ${rule.name} ${scenario.found === null ? 'passes over' : 'finds'} ${scenario.name}`, async () => {
        assert.equal(wrong(scenario, ofScenario(i, (await answers(group)).get(rule.name)!)), null)
      })
    }
  }

  test(`of a subject no mutant of ${rule.name} survives`, async () => {
    assert.ok(own.some(i => scenarios[i]!.found === null) && own.some(i => scenarios[i]!.found !== null))
    const alive = new Set(mutants.map(({ name }) => name))
    for (const group of groups) {
      const said = await answers(group)
      for (const name of alive)
        if (group.some(i => wrong(scenarios[i]!, ofScenario(i, said.get(name)!)) !== null)) alive.delete(name)
    }
    assert.deepEqual([...alive], [])
  })
}

test('every rule that asks less of a subject has traffic that shows it', () => {
  const without = subjectRules.filter(
    rule => Object.keys(rule.ofSubject?.thresholds ?? {}).length > 0 && !tried.includes(rule),
  )
  assert.deepEqual(without, [])
})

/** What rests on other hosts too: how rare a peer is, and whether answers are recorded at all. */
const ofWholeCase = ['D10-first-seen-peer', 'D13-failed-callbacks']

test('what a hunt finds of a host, its dossier tells: the same rule, connections and records, no less severe', async () => {
  const c = await caseOf('hunted', { 'flows.log': [huntHeader, ...hunted.flatMap(huntLines)] })
  try {
    const { findings } = await detect(c)
    assert.ok(findings.length > 50)
    const missing: string[] = []
    for (const one of findings.filter(({ rule }) => !ofWholeCase.includes(rule))) {
      const { rule, severity, subject, basis_total, connections, first_start, last_end } = one
      const name = subjectRules.find(known => known.name === rule)?.ofSubject?.name ?? rule
      let inspected: Found | null = null
      const inspect = (found: Found): void => {
        inspected = found
      }
      await investigate(c, subject, { inspect })
      const told = (inspected as Found | null)!.findings.filter(
        ({ finding, connections: on }) =>
          finding.rule === name &&
          on.length === connections &&
          finding.basis_total === basis_total &&
          finding.first_start === first_start &&
          finding.last_end === last_end,
      )
      const isTold = told.length === 1 && severities.indexOf(told[0]!.finding.severity) >= severities.indexOf(severity)
      if (!isTold) missing.push(`${rule} of ${subject[0]}: ${one.title}`)
    }
    assert.deepEqual(missing, [])
  } finally {
    await c.close()
  }
})
