// Controls on the reconstruction of the lab: the figures, and the same figures from the raw lines by other code.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Control, ControlsAnswer, Trial } from '../../src/controls/control.ts'
import { type ControlsOptions, controls } from '../../src/controls/controls.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { controlsPage } from '../../src/report/controls.ts'
import { toJson } from '../../src/report/json.ts'
import { terminalText } from '../../src/report/terminal.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { golden } from '../golden.ts'
import { conversations, passesAcl, passesGroup, type Replayed, rawLines, type TextRule } from './replay.ts'

const [attacker, victim, sensor] = ['20.106.124.93', '10.130.8.94', 'eni-0f3b9a6c21d7e4850']
const root = mkdtempSync(join(tmpdir(), 'tidemark-controls-'))
let c: Case
let found: ControlsAnswer
let raw: Replayed[]

before(async () => {
  await copyLab(join(root, 'demo'))
  const logs = join(root, 'demo', '20230928')
  await addEvidence({ case: join(root, 'case'), paths: [logs] })
  c = await openCase(join(root, 'case'))
  found = await ask()
  raw = conversations(rawLines(logs).filter(line => line.sensor === sensor))
})
after(async () => {
  await c.close()
  rmSync(root, { recursive: true })
})

const ask = (options: ControlsOptions = {}): Promise<ControlsAnswer> => controls(c, [attacker], options)
const ofKind = (kind: Control['kind']): Control => found.controls.find(one => one.kind === kind)!
const isAttack = ({ client, server }: Replayed): boolean => client === attacker || server === attacker

test('the outbound list stops exactly the 265,183,813 bytes from 19:32 on, and names what else it breaks', () => {
  const { trial, answers } = ofKind('security-group-egress')
  const { attack, innocent } = trial!
  assert.deepEqual(
    [attack.stopped_bytes_out, attack.stopped_connections, attack.first_stopped],
    [265_183_813, 5, '2023-09-28T19:32:36Z'],
  )
  assert.deepEqual(
    attack.stopped.map(({ client, server, port }) => [client, server, port]),
    [[victim, attacker, 8889]],
  )
  assert.ok(answers.includes('S3') && answers.includes('F5'))
  assert.equal(
    innocent.broken.reduce((sum, one) => sum + one.connections, 0),
    innocent.broken_connections,
  )
  assert.ok(innocent.broken_connections / innocent.connections < 0.01)
  assert.ok(innocent.broken.every(({ basis }) => basis.length > 0 && basis.every(({ line }) => line! > 1)))
})

test('administration from known addresses alone stops the session', () => {
  const { trial, answers } = ofKind('security-group-ingress')
  assert.ok(answers.includes('S2'))
  assert.deepEqual(
    trial!.attack.stopped.map(({ client, server, port, connections, bytes }) => [
      client,
      server,
      port,
      connections,
      bytes,
    ]),
    [[attacker, victim, 22, 4, 597_432 + 1_123_552]],
  )
})

test('the alarm on ports that are not approved goes off within an interval of 19:32', () => {
  const alarm = found.controls.find(({ alarm, answers }) => alarm !== null && answers.includes('S3'))!
  const [first] = alarm.trial!.fired
  assert.ok(first!.at >= '2023-09-28T19:32:36Z' && first!.at <= '2023-09-28T19:33:36Z', first!.at)
  assert.equal(alarm.trial!.baseline!.fired, 0)
})

test('no control is credited with more than there is, and the parts of a trial add up', () => {
  for (const { id, trial } of [...found.controls, { id: 'set', trial: found.set.trial }]) {
    if (trial === null) continue
    const { attack, innocent } = trial
    assert.equal(attack.connections, 15_685, id)
    assert.equal(attack.bytes, 25_973_824 + 457_010_892, id)
    assert.equal(Number(attack.bytes_out) + Number(attack.bytes_in), attack.bytes, id)
    const passed = attack.let_through.reduce((sum, one) => sum + one.connections, 0)
    if (attack.let_through.length === attack.let_through_total)
      assert.equal(passed + attack.stopped_connections + attack.undecided_connections, attack.connections, id)
    assert.equal(innocent.connections, raw.filter(one => !isAttack(one)).length, id)
    const undecided = trial.not_decidable.reduce((sum, one) => sum + one.connections, 0)
    assert.equal(undecided, attack.undecided_connections + innocent.undecided_connections, id)
  }
})

type Passes = (one: Replayed) => boolean

const rulesOf = ({ rules }: Control): TextRule[] => rules
const groupPasses =
  (control: Control): Passes =>
  one =>
    passesGroup(rulesOf(control), victim, one)

/** A trial, from the raw lines. */
function replayed(passes: Passes) {
  const stopped = raw.filter(one => isAttack(one) && !passes(one))
  const broken = raw.filter(one => !isAttack(one) && !passes(one))
  const bytes = (some: readonly Replayed[]): number => Number(some.reduce((sum, { up, down }) => sum + up + down, 0n))
  const out = stopped.reduce((sum, { client, up, down }) => sum + (client === victim ? up : down), 0n)
  return {
    ...{ stopped_connections: stopped.length, stopped_bytes: bytes(stopped), stopped_bytes_out: Number(out) },
    ...{ broken_connections: broken.length, broken_bytes: bytes(broken), broken: servicesOf(broken) },
    first: stopped.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY),
    last: stopped.reduce((most, { end }) => Math.max(most, end), 0),
  }
}

const servicesOf = (
  some: readonly { client: string; server: string; port: number | null; protocol: number | null }[],
) => [...new Set(some.map(({ client, server, port, protocol }) => `${client} ${server} ${port} ${protocol}`))].sort()

function told({ attack, innocent }: Trial): ReturnType<typeof replayed> {
  return {
    ...{ stopped_connections: attack.stopped_connections, stopped_bytes: Number(attack.stopped_bytes) },
    stopped_bytes_out: Number(attack.stopped_bytes_out),
    ...{ broken_connections: innocent.broken_connections, broken_bytes: Number(innocent.broken_bytes) },
    broken: servicesOf(innocent.broken),
    first: Date.parse(attack.first_stopped!) / 1000,
    last: Date.parse(attack.last_stopped!) / 1000,
  }
}

test('a replay over the raw lines, which knows nothing of the compiler, gives the same figures for each rule set', async () => {
  const [inwards, outwards] = [ofKind('security-group-ingress'), ofKind('security-group-egress')]
  const acl = ofKind('network-acl')
  const aclPasses: Passes = one => passesAcl(rulesOf(acl), victim, one)
  assert.deepEqual(told(inwards.trial!), replayed(groupPasses(inwards)))
  assert.deepEqual(told(outwards.trial!), replayed(groupPasses(outwards)))
  assert.deepEqual(told(acl.trial!), replayed(aclPasses))
  const set = await ask({ only: [inwards.id, outwards.id, acl.id.toLowerCase()] })
  const all: Passes = one => groupPasses(inwards)(one) && groupPasses(outwards)(one) && aclPasses(one)
  assert.deepEqual(told(set.set.trial!), replayed(all))
  assert.deepEqual(set.set.controls, [inwards.id, outwards.id, acl.id])
})

test('on the benign twin, the lab without the attack, the set breaks nothing that it does not name', () => {
  const named = new Set(servicesOf(found.set.trial!.innocent.broken))
  const [inwards, outwards] = [ofKind('security-group-ingress'), ofKind('security-group-egress')]
  const acl = ofKind('network-acl')
  const twin = raw.filter(one => !isAttack(one))
  const broken = twin.filter(
    one => !groupPasses(inwards)(one) || !groupPasses(outwards)(one) || !passesAcl(rulesOf(acl), victim, one),
  )
  assert.equal(found.set.trial!.innocent.broken.length, found.set.trial!.innocent.broken_total)
  assert.ok(broken.length > 0)
  assert.deepEqual(
    servicesOf(broken).filter(service => !named.has(service)),
    [],
  )
})

test('rules that are put in force later leave what had begun to groups, and cut it under network ACLs', async () => {
  const at_us = Date.parse('2023-09-28T20:00:00Z') * 1000
  const later = await ask({ at_us })
  const trialOf = (kind: Control['kind']): Trial => later.controls.find(one => one.kind === kind)!.trial!
  const isLater = (one: Replayed): boolean => one.start * 1e6 >= at_us
  const outwards = trialOf('security-group-egress').attack
  const ofPort = raw.filter(one => isAttack(one) && one.port === 8889)
  assert.equal(outwards.stopped_connections, ofPort.filter(isLater).length)
  assert.equal(outwards.undecided_connections, 0)
  const acl = trialOf('network-acl')
  const across = raw.filter(one => isAttack(one) && !isLater(one) && one.end * 1e6 > at_us)
  assert.ok(across.length > 0)
  assert.equal(acl.attack.undecided_connections, across.length)
  assert.match(acl.not_decidable.map(({ reason }) => reason).join(), /2023-09-28T20:00:00Z/)
  assert.equal(acl.attack.stopped_connections, raw.filter(one => isAttack(one) && isLater(one)).length)
})

test('detect finds the subject where none is named, and its findings are named beside those of the dossier', async () => {
  const same = await controls(c, [])
  assert.deepEqual(same.subject, [attacker])
  assert.equal(same.selection.from_findings, true)
  assert.deepEqual(same.set.trial!.attack.stopped_bytes, found.set.trial!.attack.stopped_bytes)
  const sent = same.findings.find(({ title }) => title.includes('8889'))!
  assert.match(sent.detect_id!, /^F\d+$/)
})

test('of a host that was taken over, the attack is what findings rest on, and all else is innocent', async () => {
  const own = await controls(c, [victim])
  assert.deepEqual(own.internal_subject, [victim])
  const all = own.set.trial!
  assert.ok(Number(all.attack.connections) < Number(all.attack.connections) + Number(all.innocent.connections))
  const [host] = own.protected.filter(({ address }) => address === victim)
  assert.equal(host!.is_subject, true)
  assert.equal(host!.attack.connections + host!.innocent.connections, raw.length)
})

test('threads and parts do not change the answer', async () => {
  const bare = ({ enrichment: _, ...rest }: ControlsAnswer): string => toJson(rest)
  for (const limits of [
    { parts: 1, threads: 1 },
    { parts: 3, threads: 2, blockRows: 5000 },
  ])
    assert.equal(bare(await ask({ limits })), bare(found))
})

test('a control that there is not is named', async () => {
  await assert.rejects(ask({ only: ['C99'] }), /no such control: C99/)
})

const withoutRoot = (text: string): string => text.replaceAll(root, '/lab')

test('the page of the lab', () => {
  for (const width of [80, 140]) {
    const page = controlsPage(
      JSON.parse(withoutRoot(toJson(found))) as ControlsAnswer,
      'tidemark controls 20.106.124.93',
      false,
    )
    golden(`controls-${width}.golden.txt`, terminalText(page, { width, color: false }))
  }
})

/** Lists of a golden: the first of each tell the form. */
function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 2).map(shortened)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      name === 'controls' && Array.isArray(one)
        ? one.map(shortened)
        : name === 'code'
          ? codeKinds(one as Control['code'])
          : shortened(one),
    ]),
  )
}

const codeKinds = (code: Control['code']) =>
  Object.fromEntries(
    Object.entries(code).map(([format, text]) => [format, text === null ? null : `${text.split('\n')[0]}…`]),
  )

test('the JSON of the lab', () => {
  golden('controls.golden.json', `${withoutRoot(toJson(shortened(found)))}\n`)
})

test('a control names those quotas alone that it uses', () => {
  for (const { kind, quotas } of found.controls) {
    const isOfNetwork = /^(security-group|network-acl)/.test(kind)
    assert.equal(quotas.length > 0, isOfNetwork, kind)
    for (const { quota } of quotas) assert.doesNotMatch(quota, kind === 'network-acl' ? /group/ : /ACL|unchanged/)
  }
})
