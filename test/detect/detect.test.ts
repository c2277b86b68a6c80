// The whole question: results that do not depend on how the evidence came, on the lab, on what is not decidable.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { writeLab } from '../../src/demo/lab.ts'
import { type Detections, type DetectOptions, detect } from '../../src/detect/detect.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { toJson } from '../../src/report/json.ts'
import { caseRules } from '../../src/rules/all.ts'
import { openCase } from '../../src/store/case.ts'
import { header, linesOf } from '../rules/flows.ts'
import { scenarios } from '../rules/scenarios.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-detect-'))
after(() => rmSync(root, { recursive: true, force: true }))

let cases = 0

/** A case of files, given as their lines without the header, added in that order. */
async function caseOf(files: readonly (readonly string[])[], first = header, apart = false): Promise<string> {
  const folder = join(root, `${cases++}`)
  mkdirSync(folder)
  const paths = files.map((lines, i) => {
    const path = join(folder, `${i}.log`)
    writeFileSync(path, `${[first, ...lines].join('\n')}\n`)
    return path
  })
  const into = join(folder, 'case')
  if (apart) for (const path of paths) await addEvidence({ case: into, paths: [path], workers: 1 })
  else await addEvidence({ case: into, paths, workers: 1 })
  return into
}

async function ask(folder: string, options: DetectOptions = {}): Promise<Detections> {
  const opened = await openCase(folder)
  try {
    return await detect(opened, options)
  } finally {
    await opened.close()
  }
}

/** What is found, without the places of the evidence. */
function foundIn({ findings, hosts, not_decidable, window, connections }: Detections): string {
  const told = findings.map(({ basis: _, sql: __, ...finding }) => finding)
  return toJson({ findings: told, hosts, not_decidable, window, connections })
}

const all = scenarios.flatMap(linesOf)
const onePart = { parts: 1, threads: 1 }

test('the same is found by one thread and by two, in one part and in many', async () => {
  const folder = await caseOf([all])
  const once = await ask(folder, { limits: onePart })
  assert.ok(once.findings.length > 50)
  for (const limits of [onePart, { parts: 5, threads: 1 }, { parts: 7, threads: 2 }])
    assert.equal(foundIn(await ask(folder, { limits })), foundIn(once), JSON.stringify(limits))
})

test('the same is found whatever the order of files, and however records are split into them', async () => {
  const whole = foundIn(await ask(await caseOf([all])))
  const backwards = [...all].reverse()
  const tenth = Math.ceil(all.length / 10)
  const pieces = Array.from({ length: 10 }, (_, i) => all.slice(i * tenth, (i + 1) * tenth))
  assert.equal(foundIn(await ask(await caseOf([backwards]))), whole, 'lines backwards')
  assert.equal(foundIn(await ask(await caseOf(pieces))), whole, 'ten files')
  assert.equal(foundIn(await ask(await caseOf([...pieces].reverse()))), whole, 'ten files backwards')
  assert.equal(foundIn(await ask(await caseOf(pieces, header, true))), whole, 'a case extended in ten steps')
})

test('a log without packets and bytes: rules that need them say so, and no figure is made up', async () => {
  const left = (line: string): string =>
    line
      .split(' ')
      .filter((_, i) => i !== 8 && i !== 9)
      .join(' ')
  const { findings, not_decidable, coverage } = await ask(await caseOf([all.map(left)], left(header)))
  assert.equal(coverage.has.sizes, false)
  const lacking = not_decidable.filter(({ reason }) => reason.startsWith('the records lack packets or bytes'))
  for (const { name, needs } of caseRules) {
    if (needs.sizes === undefined) continue
    const must = Object.entries(needs).find(([need, level]) => level === 'must' && need !== 'sizes')
    assert.ok(must?.[0] === 'lists' || lacking.some(({ rule }) => rule === name), name)
    if (needs.sizes === 'must') assert.ok(!findings.some(({ rule }) => rule === name), name)
  }
  assert.ok(findings.some(({ rule }) => rule === 'D03-beacon'))
  for (const { id, summary, scores } of findings)
    assert.ok(!/NaN|Infinity/.test(summary) && scores.every(({ value }) => Number.isFinite(value)), `${id} ${summary}`)
})

test('every finding names lines that it rests on, with its figures beside their thresholds', async () => {
  const { findings } = await ask(await caseOf([all]))
  for (const { id, basis, basis_total, scores, sql, next, first_start, last_end } of findings) {
    assert.ok(basis.length > 0 && basis.every(({ path, line }) => path.endsWith('.log') && line! > 1), id)
    assert.ok(basis_total >= basis.length && scores.length > 0 && next.length > 0 && sql.startsWith('SELECT'), id)
    assert.ok(first_start !== null && last_end !== null && first_start <= last_end, id)
  }
})

test('the lab, without naming the address: who came in ranks first, and what was done stands in order of time', async () => {
  await writeLab(join(root, 'lab'), {})
  const folder = join(root, 'lab-case')
  await addEvidence({ case: folder, paths: [join(root, 'lab', '20230928')] })
  const { hosts, findings } = await ask(folder)
  const [attacker, victim] = hosts
  assert.deepEqual([attacker!.address, attacker!.role], ['20.106.124.93', 'actor'])
  assert.deepEqual([victim!.address, victim!.role], ['10.130.8.94', 'both'])
  const rules = findings
    .filter(({ subject, peers }) => [...subject, ...peers].includes('20.106.124.93') && subject.length === 1)
    .map(({ rule, title }) => `${rule}: ${title}`)
  assert.deepEqual(rules, [
    'D02-brute-force: Web log-in brute force against 10.130.8.94:80, with probable success',
    'D08-long-session: Interactive SSH session with 10.130.8.94:22',
    'D18-exposed-service: 10.130.8.94:22 (ssh) is reached from outside',
    'D04-outbound-volume: Data sent out to 20.106.124.93:8889: 265 MB',
  ])
  assert.deepEqual(attacker!.tactics, ['credential-access', 'initial-access', 'exfiltration'])
  // Clients outside, of whom nothing is known but that they were there.
  const others = findings.filter(
    ({ subject }) => !['20.106.124.93', '10.130.8.94', '10.130.8.30'].includes(subject[0]!),
  )
  assert.deepEqual(
    others.filter(({ severity }) => severity !== 'info').map(({ title }) => title),
    [],
  )
  // Whom something grave was done to stands above the scanners of the internet; who only used what is open, among them.
  const severityOf = (address: string): string | undefined => hosts.find(one => one.address === address)?.severity
  assert.deepEqual([hosts[2]!.address, hosts[3]!.severity], ['10.130.8.30', 'info'])
  assert.equal(severityOf('45.211.206.108'), 'info')
  const narrow = await ask(folder, { rules: ['D02'], minSeverity: 'high', hosts: ['10.130.8.94'] })
  assert.deepEqual([narrow.findings.length, narrow.hosts.length], [1, 2])
  const before = await ask(folder, { to_us: Date.parse('2023-09-28T19:00:00Z') * 1000 })
  assert.ok(before.findings.every(({ rule }) => rule !== 'D04-outbound-volume'))
})

const plain = header.replace(' tcp-flags', '')
const withoutFlags = all.map(line => line.slice(0, line.lastIndexOf(' ')))

test('a log without flags: found, or said to be not decidable', async () => {
  const found = await ask(await caseOf([withoutFlags], plain))
  assert.ok(found.not_decidable.some(({ rule, reason }) => rule === 'D01-scan' && reason.includes('tcp-flags')))
  for (const name of ['D01-scan', 'D02-brute-force', 'D04-outbound-volume', 'D07-rejected-then-accepted'])
    assert.ok(
      found.findings.some(({ rule, confidence }) => rule === name && confidence !== 'high'),
      name,
    )
})

/** Rules that a log of rejected traffic is enough for. */
const ofRejected = ['D01-scan', 'D13-failed-callbacks', 'D15-flood']

test('rejected or accepted traffic alone: what cannot be told is said', async () => {
  const only = (action: string): string[] => all.filter(line => line.includes(` ${action} `))
  const rejects = await ask(await caseOf([only('REJECT')]))
  const undecided = new Set(rejects.not_decidable.map(({ rule }) => rule))
  for (const rule of ['D02', 'D03', 'D04', 'D07', 'D08', 'D09', 'D18'])
    assert.ok(
      [...undecided].some(name => name.startsWith(rule)),
      rule,
    )
  assert.ok(rejects.findings.length > 0 && rejects.findings.every(({ rule }) => ofRejected.includes(rule)))
  const accepts = await ask(await caseOf([only('ACCEPT')]))
  const reasons = accepts.not_decidable.filter(({ rule }) => ['D01-scan', 'D07-rejected-then-accepted'].includes(rule))
  assert.equal(reasons.length, 2)
})

test('a case without connections has no hosts, and every rule says why', async () => {
  const found = await ask(await caseOf([all.slice(0, 2)]), { from_us: 0, to_us: 1 })
  assert.deepEqual([found.connections, found.hosts, found.findings, found.window], [0, [], [], null])
  assert.ok(found.not_decidable.length >= 8)
})

test('a scanner of one’s own is named, and not accused', async () => {
  const folder = await caseOf([linesOf(scenarios[0]!, 0)])
  const [accused] = (await ask(folder)).findings
  assert.equal(accused!.severity, 'high')
  assert.match(accused!.counter_hypotheses[0]!, /--scanner/)
  const [named] = (await ask(folder, { scanners: accused!.subject })).findings
  assert.equal(named!.severity, 'info')
})

test('what is no rule, no address and no network is named', async () => {
  const folder = await caseOf([all.slice(0, 2)])
  await assert.rejects(ask(folder, { rules: ['D99'] }), { message: 'no such rule: D99' })
  await assert.rejects(ask(folder, { hosts: ['nobody'] }), { message: 'not an address or prefix in --host: nobody' })
  assert.ok(readdirSync(root).length > 0)
})
