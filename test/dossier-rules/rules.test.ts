import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Draft, Evidence, Rule } from '../../src/dossier-rules/rule.ts'
import { allRules } from '../../src/dossier-rules/rules.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import type { Thresholds } from '../../src/rules/rule.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { ends, headers, linesOf, type Scenario, scenarios } from './scenarios.ts'

let root = ''
let opened: Case

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'tidemark-detect-'))
  for (const kind of ['sure', 'unsure'] as const) {
    const lines = scenarios.flatMap((scenario, i) =>
      (scenario.unsure === true) === (kind === 'unsure') ? linesOf(scenario, i) : [],
    )
    writeFileSync(join(root, `${kind}.log`), `${[headers[kind], ...lines].join('\n')}\n`)
  }
  await addEvidence({ case: join(root, 'case'), paths: [root], workers: 1 })
  opened = await openCase(join(root, 'case'))
})
after(async () => {
  await opened.close()
  rmSync(root, { recursive: true, force: true })
})

/** A rule that returns nothing, or decides by another number. */
interface Mutant {
  name: string
  find(evidence: Evidence): Promise<Draft[]>
}

function mutantsOf(rule: Rule): Mutant[] {
  const changed = (name: string, value: Thresholds[string]): Mutant => ({
    name: `${rule.name} with ${name} ${JSON.stringify(value)}`,
    find: async evidence => (await rule.find(evidence, { ...rule.thresholds, [name]: value })).drafts,
  })
  const ofThresholds = Object.entries(rule.thresholds).flatMap(([name, value]) =>
    typeof value === 'number' ? [changed(name, value * 10), changed(name, value / 10)] : [changed(name, [])],
  )
  return [{ name: `${rule.name} returning nothing`, find: async () => [] }, ...ofThresholds]
}

type Said = Pick<Draft, 'severity' | 'confidence' | 'summary'>

/** Why what a rule says of a scenario is wrong; null where it is right. */
function wrong({ found }: Scenario, said: readonly Said[]): string | null {
  if (found === null) return said.length === 0 ? null : `found: ${said[0]!.summary}`
  const [finding] = said
  if (finding === undefined || said.length > 1) return `${said.length} findings`
  const levels = `${finding.severity} ${finding.confidence}`
  if (levels !== found.levels) return `${levels}: ${finding.summary}`
  return found.says === undefined || found.says.test(finding.summary) ? null : finding.summary
}

/** What a rule and its mutants say of some scenarios, which are investigated together. */
interface Answers {
  rule: readonly Said[]
  mutants: ReadonlyMap<string, readonly Said[]>
}

async function answersOf(rule: Rule, some: readonly number[]): Promise<Answers> {
  const mutants = new Map<string, readonly Said[]>()
  const asked: Rule = {
    ...rule,
    find: async evidence => {
      for (const mutant of mutantsOf(rule)) mutants.set(mutant.name, await mutant.find(evidence))
      return { drafts: [], left: 0 }
    },
  }
  const subjects = some.map(i => ends(scenarios[i]!, i)[scenarios[i]!.outward ? 'server' : 'client'])
  const { findings } = await investigate(opened, subjects, { rules: [...allRules, asked] })
  return { rule: findings.filter(finding => finding.rule === rule.name), mutants }
}

/** What is said of one scenario: its client has no part in any other. */
function ofScenario(i: number, said: readonly Said[]): Said[] {
  const client = ends(scenarios[i]!, i).client.replaceAll('.', '\\.')
  return said.filter(({ summary }) => new RegExp(`(?<![\\d.])${client}(?!\\d)`).test(summary))
}

for (const rule of allRules) {
  const own = scenarios.flatMap((scenario, i) => (scenario.rule === rule.name ? [i] : []))
  // Of all that are asked for together there is one first contact.
  const groups = rule.name === 'first-contact' ? own.map(i => [i]) : [own]
  const asked = new Map<readonly number[], Promise<Answers>>()
  const answers = (group: readonly number[]): Promise<Answers> => {
    if (!asked.has(group)) asked.set(group, answersOf(rule, group))
    return asked.get(group)!
  }

  for (const group of groups) {
    for (const i of group) {
      const scenario = scenarios[i]!
      test(`${rule.name} ${scenario.found === null ? 'passes over' : 'finds'} ${scenario.name}`, async () => {
        assert.equal(wrong(scenario, ofScenario(i, (await answers(group)).rule)), null)
      })
    }
  }

  test(`no mutant of ${rule.name} survives: not one that returns nothing, not one ten times off`, async () => {
    const alive = new Set(mutantsOf(rule).map(({ name }) => name))
    for (const group of groups) {
      for (const [name, said] of (await answers(group)).mutants)
        if (group.some(i => wrong(scenarios[i]!, ofScenario(i, said)) !== null)) alive.delete(name)
    }
    assert.deepEqual([...alive], [])
  })
}

test('each rule has traffic that it finds, and a benign twin', () => {
  for (const { name } of allRules) {
    const own = scenarios.filter(({ rule }) => rule === name)
    assert.ok(own.some(({ found }) => found === null) && own.some(({ found }) => found !== null), name)
  }
})
