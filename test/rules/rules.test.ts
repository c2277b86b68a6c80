import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { withConnections } from '../../src/conversations/kept-connections.ts'
import { CaseWork } from '../../src/detect/case-work.ts'
import { settingsOf } from '../../src/detect/detect.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { formatAddress } from '../../src/net/address.ts'
import { withRecordIndex } from '../../src/record-index/kept.ts'
import { caseRules } from '../../src/rules/all.ts'
import { type CaseEvidence, markNamed } from '../../src/rules/evidence.ts'
import { type CaseDraft, type CaseRule, type Thresholds, tactics } from '../../src/rules/rule.ts'
import { draftsOf } from '../../src/rules/run.ts'
import { openCase } from '../../src/store/case.ts'
import { header, hostOf, linesOf, listsIn, type Scenario } from './flows.ts'
import { scenarios } from './scenarios.ts'

let root = ''
let evidence: CaseEvidence
/** By address: the scenario that it is in. */
const scenarioOf = new Map<string, number>()

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'tidemark-hunt-'))
  writeFileSync(join(root, 'flows.log'), `${[header, ...scenarios.flatMap(linesOf)].join('\n')}\n`)
  for (const [i, { flows }] of scenarios.entries())
    for (const { from, to } of flows) for (const host of [from, to]) scenarioOf.set(hostOf(i, host), i)
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'flows.log')], workers: 1 })
  const opened = await openCase(join(root, 'case'))
  try {
    evidence = await withRecordIndex(opened, 'logs', index =>
      withConnections(opened, index, { evidence: 'logs', own: [] }, async kept => {
        assert.equal(kept.blocks, 1)
        const settings = settingsOf(opened, index, kept, [], [], { hosts: [] })
        settings.named = new Uint8Array(settings.hosts.count)
        const named = listsIn(scenarios)
        const addressOf = (host: number): string => formatAddress(settings.hosts.hi[host]!, settings.hosts.lo[host]!)
        const work = new CaseWork(settings, kept, caseRules, (host, ...when) => named(addressOf(host), ...when))
        const found = work.evidenceOf(kept.read(0), kept.seen)
        markNamed(settings.named!, found.isInternal, kept.seen.span, found.lists!.of)
        return found
      }),
    )
  } finally {
    await opened.close()
  }
})
after(() => rmSync(root, { recursive: true, force: true }))

/** What a rule says of each scenario of its own: severity and confidence, those of several findings one after the other. */
function saidBy(rule: CaseRule, thresholds: Thresholds, of: CaseEvidence = evidence): Map<number, string> {
  const said = new Map<number, string>()
  const drafts: CaseDraft[] = draftsOf(of, rule, thresholds)
  for (const { subject, severity, confidence } of drafts) {
    const scenario = scenarioOf.get(evidence.address(subject[0]!))!
    said.set(scenario, said.get(scenario) ?? `${severity} ${confidence}`)
  }
  return said
}

const ownOf = (rule: CaseRule): [number, Scenario][] =>
  [...scenarios.entries()].filter(([, scenario]) => scenario.rule === rule.name)

/** Thresholds ten times off, and sets without anything in them. */
function mutantsOf({ thresholds }: CaseRule): [string, Thresholds][] {
  return Object.entries(thresholds).flatMap(([name, value]): [string, Thresholds][] =>
    typeof value === 'number'
      ? [10, 0.1].map(times => [`${name} ${value * times}`, { ...thresholds, [name]: value * times }])
      : [[`${name} []`, { ...thresholds, [name]: [] }]],
  )
}

/** As if the evidence ended after two hours: of so little the first quarter shows what is new. */
function short(): CaseEvidence {
  return { ...evidence, span: { ...evidence.span, to_us: evidence.span.from_us + 7_200_000_000 } }
}

for (const rule of caseRules) {
  for (const [i, { name, found }] of ownOf(rule)) {
    test(`${rule.name} ${found === null ? 'passes over' : 'finds'} ${name}`, () => {
      assert.equal(saidBy(rule, rule.thresholds).get(i) ?? null, found)
    })
  }

  test(`what ${rule.name} finds is of its techniques and of a known tactic, and rests on connections and a host`, () => {
    const named = new Map(rule.attack.map(({ id, name }): [string | null, string] => [id, name]))
    for (const { technique, technique_name, tactic, subject, connections } of draftsOf(evidence, rule)) {
      assert.equal(named.get(technique), technique_name, technique ?? 'none')
      assert.ok(tactics.includes(tactic))
      assert.ok(subject.length > 0 && connections.length > 0)
    }
  })

  test(`${rule.name} takes any threshold, zero and lists without anything in them too`, () => {
    for (const [name, value] of Object.entries(rule.thresholds)) {
      for (const other of typeof value === 'number' ? [0, 1, 1e9] : [[], [443]]) {
        for (const { subject, connections, summary, scores } of draftsOf(evidence, rule, {
          ...rule.thresholds,
          [name]: other,
        })) {
          assert.ok(subject.length > 0 && connections.length > 0, `${name} ${other}`)
          assert.doesNotMatch(
            `${summary} ${scores.map(one => one.value).join(' ')}`,
            /undefined|NaN/,
            `${name} ${other}`,
          )
        }
      }
    }
  })

  test(`no mutant of ${rule.name} survives: not one that returns nothing, not one ten times off`, () => {
    const own = ownOf(rule)
    assert.ok(own.some(([, { found }]) => found === null) && own.some(([, { found }]) => found !== null))
    const alive = mutantsOf(rule).filter(([, thresholds]) => {
      const said = saidBy(rule, thresholds)
      const isRight = own.every(([i, { found }]) => (said.get(i) ?? null) === found)
      return isRight && isDeepStrictEqual(saidBy(rule, thresholds, short()), saidBy(rule, rule.thresholds, short()))
    })
    assert.deepEqual(
      alive.map(([name]) => name),
      [],
    )
  })
}
