/** What each rule's sieve lets pass: every true finding, and at a threshold no more than must be. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type CaseFinding, detect } from '../../src/detect/detect.ts'
import { isOfWhole, type WholeHosts } from '../../src/detect/part.ts'
import { engineRecords } from '../../src/flows/engine-records.ts'
import { formatAddress, parseAddress } from '../../src/net/address.ts'
import { isInternal } from '../../src/net/internal.ts'
import { table } from '../../src/query/build.ts'
import { duckdb } from '../../src/query/duckdb-printer.ts'
import { athena, trino } from '../../src/query/trino-printer.ts'
import { caseRules } from '../../src/rules/all.ts'
import type { CaseRule } from '../../src/rules/rule.ts'
import { sieves, withoutSieve } from '../../src/sieve/sieves.ts'
import { sieveFields, sieveOf, sieveStatement } from '../../src/sieve/statement.ts'
import type { Case } from '../../src/store/case.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'
import { StandIn } from '../pull/stand-in.ts'
import { header, hostOf, linesOf, type Scenario } from '../rules/flows.ts'
import { syntaxFaults } from '../sql-grammar.ts'
import { around, atThresholds } from './at-threshold.ts'

const scenarios: readonly Scenario[] = [around, ...atThresholds]
let work: Work
let engine: StandIn
let local: Case
let findings: CaseFinding[]

before(async () => {
  work = workFolder()
  const folder = join(work.root, 'logs')
  mkdirSync(folder)
  writeFileSync(join(folder, 'x.log'), `${[header, ...scenarios.flatMap(linesOf)].join('\n')}\n`)
  engine = await StandIn.of(folder)
  local = await caseOf(work.root, [folder])
  findings = (await detect(local)).findings
})
after(async () => {
  await local.close()
  await engine.close()
  work.close()
})

function ruleOf(name: string): CaseRule {
  return caseRules.find(one => one.name === name)!
}

/** Hosts that pass the sieves of some rules, as the engine gives them. */
async function passing(rules: readonly CaseRule[]): Promise<Set<string>> {
  const own = engineRecords(await engine.table())
  const from = own.relation(
    sieveFields.filter(name => own.columns.has(name)),
    { partitions: null, records: null },
  )
  const statement = sieveStatement(from, own.columns, { rules, internal: [], within: null, limit: 100_000 })
  const hosts = new Set<string>()
  for await (const rows of engine.ask(trino.print(statement))) for (const [host] of rows) hosts.add(host!)
  return hosts
}

/** Findings of a rule in a scenario. */
function foundIn(rule: string, scenario: number): CaseFinding[] {
  const own = new Set(Array.from({ length: 200 }, (_, i) => hostOf(scenario, i - 100)))
  return findings.filter(one => one.rule === rule && one.subject.some(host => own.has(host)))
}

/** Whether the records of the hosts that a finding rests on are brought. */
function isBrought({ rule, subject, peers }: CaseFinding, hosts: ReadonlySet<string>, whole: WholeHosts): boolean {
  const names = [...new Set([...subject, ...peers])]
  const part = {
    whole: Uint8Array.from(names, name => Number(hosts.has(name))),
    rests: { [rule]: whole },
    seen: { count: 0, span: { from_us: 0, to_us: 0 }, rejected: false, accepted: false, answers: false },
  }
  const numbers = (some: readonly string[]): number[] => some.map(name => names.indexOf(name))
  const draft = { subject: numbers(subject), peers: numbers(peers) }
  return isOfWhole(part, { rule, draft }, host => isInternal(parseAddress(names[host]!)!))
}

test('every rule has a sieve, or a reason why it has none', () => {
  const told = [...Object.keys(sieves), ...Object.keys(withoutSieve)].sort()
  assert.deepEqual(told, caseRules.map(({ name }) => name).sort())
  for (const { with: others = [] } of Object.values(sieves)) for (const name of others) assert.ok(name in sieves)
})

test('every rule with a sieve has traffic that sits on a threshold', () => {
  const tried = new Set(atThresholds.map(({ rule }) => rule))
  assert.deepEqual(
    Object.keys(sieves).filter(name => !tried.has(name)),
    [],
  )
})

for (const [i, { rule: name, name: title, threshold, strict }] of atThresholds.entries()) {
  test(`at the threshold the sieve lets pass what is found, and one that is stricter by one does not: ${title} (${i})`, async () => {
    const found = foundIn(name, i + 1)
    assert.ok(found.length > 0, 'the rule finds it')
    const { whole } = sieves[name]!
    const hosts = await passing([ruleOf(name)])
    assert.ok(found.every(one => isBrought(one, hosts, whole)))
    const rule = ruleOf(name)
    assert.ok(threshold in rule.thresholds)
    const fewer = await passing([{ ...rule, thresholds: strict(rule.thresholds) }])
    assert.ok(!found.some(one => isBrought(one, fewer, whole)))
  })
}

test('the statement is one of Trino and of Athena, and reads the table once', async () => {
  const own = engineRecords(await engine.table())
  const rules = caseRules.filter(({ name }) => name in sieves)
  const where = { partitions: null, records: null }
  const statement = sieveStatement(
    own.relation(
      sieveFields.filter(name => own.columns.has(name)),
      where,
    ),
    own.columns,
    { rules, internal: [], within: null, limit: 10 },
  )
  for (const dialect of [trino, athena]) {
    const { text, values } = dialect.print(statement)
    assert.deepEqual(values, [])
    assert.deepEqual(await syntaxFaults('trino', text), [])
    assert.equal(text.split('FROM "t"').length, 2)
  }
})

test('DuckDB lets the same hosts pass in the records of a case', async () => {
  const rules = caseRules.filter(({ name }) => name in sieves)
  const from = table('flows')
  const select = sieveOf(from, local.columns, { rules, internal: [], within: null, limit: 100_000 })
  const { text, values } = duckdb.print(select)
  const rows = await local.db.rows(`SELECT me.hi AS hi, me.lo AS lo FROM (${text})`, values)
  const hosts = rows.map(({ hi, lo }) => formatAddress(BigInt(String(hi)), BigInt(String(lo))))
  assert.deepEqual(new Set(hosts), await passing(rules))
  assert.ok(hosts.length > 30)
})
