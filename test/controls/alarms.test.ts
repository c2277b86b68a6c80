// Alarms, and when they would have gone off: the lab by plain code over its lines, and handmade logs.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Alarm } from '../../src/controls/alarms.ts'
import { patternLengthMax } from '../../src/controls/filter-pattern.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { alarmsOf, artefactOf, caseOf, changes, named, rawLines, replay } from './alarm-replay.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-alarms-'))
after(() => rmSync(root, { recursive: true, force: true }))

const attacker = '20.106.124.93'
const victim = '10.130.8.94'
const first = 1_695_921_755
let lab: Alarm[]
let labLines: string[]

before(async () => {
  await copyLab(join(root, 'demo'))
  const folder = join(root, 'demo', '20230928')
  await addEvidence({ case: join(root, 'lab'), paths: [folder] })
  labLines = rawLines(folder)
  lab = await alarmsOf(join(root, 'lab'), {
    ...{ hosts: [victim], subject: [attacker], from: first, to: 1_695_945_587 },
    services: [
      { id: 'S1', server: victim, port: 80, protocol: 6, findings: [{ id: 'F1', rule: 'D02-brute-force' }] },
      { id: 'S2', server: victim, port: 22, protocol: 6, findings: [{ id: 'F2', rule: 'D08-long-session' }] },
      {
        ...{ id: 'S3', server: attacker, port: 8889, protocol: 6 },
        findings: ['D04-outbound-volume', 'D09-non-standard-port'].map((rule, i) => ({ id: `F${3 + i}`, rule })),
      },
    ],
  })
})

test('on the lab the alarm on outbound bytes goes off within a minute of 19:32, once, and never before the incident', () => {
  const { recommended, trial } = named(lab, 'outbound')
  const alarm = artefactOf({ recommended, trial })
  // By hand: what the victim sent, neither to approved ports nor inside, nor as an answer of its services.
  const events = labLines.flatMap(line => {
    const field = line.split(' ')
    const [from, to, sport, dport] = field.slice(6, 10)
    const isAnswer = ['80', '22', '9100'].includes(sport!)
    const isApproved = ['22', '53', '80', '123', '443'].includes(dport!)
    if (from !== victim || to!.startsWith('10.') || isAnswer || isApproved || field[16] !== 'ACCEPT') return []
    return [{ at: Number(field[14]), value: Number(field[11]) }]
  })
  assert.equal(
    events.reduce((sum, { value }) => sum + value, 0),
    265_183_813,
  )
  assert.deepEqual(trial!.fired, changes(alarm, events))
  assert.deepEqual(trial!.fired, [{ at: '2023-09-28T19:33:00Z', value: 395_275 }])
  assert.equal(trial!.fired_total, 1)
  assert.deepEqual(trial!.baseline, {
    ...{ from: '2023-09-28T17:00:00Z', to: '2023-09-28T17:22:00Z', periods: 22, fired: 0, before_incident: true },
  })
  assert.deepEqual(recommended.answers, ['S3', 'F3', 'F4'])
  assert.equal(alarm.threshold, 100_000)
  assert.match(recommended.why, /22 periods of 60 s from 2023-09-28T17:00:00Z .* the most in one is 0 bytes/)
  const [line] = trial!.basis
  assert.match(line!.path, /T1930Z/)
})

test('every pattern of the lab, evaluated over its raw lines, goes off when the trial says', () => {
  let fired = 0
  for (const one of lab) {
    const alarm = artefactOf(one)
    if (alarm.pattern === null) continue
    assert(alarm.pattern.length <= patternLengthMax)
    assert.deepEqual(one.trial!.fired, replay(alarm, labLines, 14), alarm.name)
    fired += one.trial!.fired.length
  }
  assert(fired >= 6)
})

test('on the lab an accepted session of administration goes off, a probe does not, and the own bastion is told', () => {
  const one = named(lab, 'administration')
  const alarm = artefactOf(one)
  assert.match(alarm.pattern!, /dstport = 22, .*packets > 2/)
  assert.deepEqual(one.recommended.answers, ['S2', 'F2'])
  const at = one.trial!.fired.map(({ at: time }) => time)
  assert(at.includes('2023-09-28T19:24:00Z'))
  assert.equal(one.trial!.baseline!.fired, 0)
  const others = one.recommended.confirm.filter(text => text.startsWith('Others than the subject'))
  assert.match(others[0]!, /3 times, first at 2023-09-28T17:35:00Z/)
})

// ---- Handmade logs: 1.700.000.040 is the begin of a minute.

const begin = 1_700_000_040
const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const name = (log: string, at = '0000'): string =>
  `123456789012_vpcflowlogs_us-east-1_${log}_20231114T${at}Z_0a1b2c3d.log`
const [web, outside, evil] = ['10.0.0.5', '198.51.100.7', '203.0.113.9']

interface Sent {
  minute: number
  from: string
  to: string
  ports: readonly [number, number]
  packets?: number
  bytes?: number
  action?: string
  eni?: string
  /** Seconds after the begin of the minute. */
  at?: number
  seconds?: number
}

function record({ minute, from, to, ports, packets = 10, bytes = 1000, action = 'ACCEPT', ...rest }: Sent): string {
  const { eni = 'eni-1', at = 1, seconds = 20 } = rest
  const start = begin + 60 * minute + at
  return `2 123456789012 ${eni} ${from} ${to} ${ports[0]} ${ports[1]} 6 ${packets} ${bytes} ${start} ${start + seconds} ${action} OK`
}

/** A visitor of the web server each minute, both directions. */
function usual(minutes: number, more: Partial<Sent> = {}): string[] {
  return Array.from({ length: minutes }, (_, minute) => [
    record({ minute, from: outside, to: web, ports: [40_000 + minute, 80], ...more }),
    record({ minute, from: web, to: outside, ports: [80, 40_000 + minute], bytes: 5000, ...more }),
  ]).flat()
}

const at = (minute: number): string => new Date((begin + 60 * minute) * 1000).toISOString().replace('.000Z', 'Z')
const asked = (minute: number) => ({ hosts: [web], subject: [evil], from: begin + 60 * minute, to: begin + 3600 })

test('the threshold is three times the most of a minute of the baseline, and what the attack sends goes beyond it', async () => {
  const lines = [
    ...usual(40),
    record({ minute: 5, from: web, to: outside, ports: [50_000, 8443], bytes: 60_000 }),
    record({ minute: 5, from: web, to: outside, ports: [50_001, 8443], bytes: 41_000 }),
    record({ minute: 32, from: web, to: evil, ports: [50_002, 4444], bytes: 310_000 }),
    record({ minute: 33, from: web, to: evil, ports: [50_002, 4444], bytes: 310_001 }),
    record({ minute: 35, from: web, to: evil, ports: [50_002, 4444], bytes: 900_000 }),
    record({ minute: 36, from: web, to: '10.0.0.9', ports: [50_003, 5432], bytes: 9_000_000 }),
    record({ minute: 37, from: web, to: evil, ports: [50_004, 443], bytes: 9_000_000 }),
    record({ minute: 38, from: web, to: evil, ports: [80, 50_005], bytes: 9_000_000 }),
    record({ minute: 39, from: web, to: evil, ports: [50_006, 4444], bytes: 9_000_000, action: 'REJECT' }),
  ]
  const one = named(
    await alarmsOf(await caseOf(root, 'beyond', { [name('fl-1')]: [header, ...lines] }), asked(30)),
    'outbound',
  )
  assert.equal(artefactOf(one).threshold, 310_000)
  assert.deepEqual(one.trial!.fired, [{ at: at(34), value: 310_001 }])
  assert.deepEqual(one.trial!.baseline, { from: at(1), to: at(30), periods: 29, fired: 0, before_incident: true })
})

test('without a baseline the traffic of others than the subject is the measure, and the trial says so', async () => {
  const lines = [
    ...usual(40),
    record({ minute: 20, from: web, to: outside, ports: [50_000, 8443], bytes: 200_000 }),
    record({ minute: 4, from: web, to: evil, ports: [50_002, 4444], bytes: 700_000 }),
  ]
  const alarms = await alarmsOf(await caseOf(root, 'early', { [name('fl-1')]: [header, ...lines] }), asked(3))
  const one = named(alarms, 'outbound')
  assert.equal(artefactOf(one).threshold, 600_000)
  assert.deepEqual(one.trial!.fired, [{ at: at(5), value: 700_000 }])
  assert.equal(one.trial!.baseline!.fired, 0)
  assert.equal(one.trial!.baseline!.before_incident, false)
  assert.match(one.recommended.why, /without the records of the subject: fewer than 10 periods/)
  assert.match(one.trial!.not_decidable[0]!.reason, /too little is recorded of the time before the incident/)
})

test('what a host that was taken over does besides the attack is the measure, and not the attack', async () => {
  const lines = [
    ...usual(40),
    record({ minute: 20, from: web, to: outside, ports: [50_000, 8443], bytes: 200_000 }),
    record({ minute: 4, from: web, to: evil, ports: [50_002, 4444], bytes: 700_000 }),
  ]
  const own = { ...asked(3), subject: [web], attackers: [evil] }
  const one = named(
    await alarmsOf(await caseOf(root, 'taken', { [name('fl-1')]: [header, ...lines] }), own),
    'outbound',
  )
  assert.equal(artefactOf(one).threshold, 600_000)
  assert.deepEqual(one.trial!.fired, [{ at: at(5), value: 700_000 }])
})

test('who held a session before the incident is known; a probe, and the attack, make nobody known', async () => {
  const admin = '198.51.100.20'
  const session = (minute: number, client: string, port: number, packets = 300): string[] => [
    record({ minute, from: client, to: web, ports: [port, 22], packets, bytes: packets * 100 }),
    record({ minute, from: web, to: client, ports: [22, port], packets, bytes: packets * 100 }),
  ]
  const lines = [
    ...usual(40),
    ...session(3, admin, 50_000),
    ...session(4, '198.51.100.66', 50_001, 5).map(line => line.replace(' 5 500 ', ' 5 300 ')),
    ...session(20, evil, 50_002),
    ...session(22, admin, 50_003),
    ...session(25, '198.51.100.21', 50_004),
    ...session(35, '198.51.100.66', 50_005, 5),
  ]
  const one = named(
    await alarmsOf(await caseOf(root, 'admin-whole', { [name('fl-1')]: [header, ...lines] }), asked(20)),
    'administration',
  )
  assert.match(artefactOf(one).pattern!, /srcaddr != "198\.51\.100\.20", .*packets > 5/)
  assert.deepEqual(one.trial!.fired.slice(0, 1), [{ at: at(21), value: 1 }])
  assert.equal(one.trial!.baseline!.fired, 0)
  assert.match(one.recommended.confirm[0]!, /198\.51\.100\.20\. That they did so does not make them yours/)
  assert.deepEqual(one.trial!.fired, replay(artefactOf(one), lines, 10))
})

test('a storm of rejected traffic goes off, the usual one does not', async () => {
  const rejected = (minute: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) =>
      record({ minute, from: evil, to: web, ports: [40_000, 1 + i], action: 'REJECT', packets: 1, bytes: 40 }),
    )
  const lines = [...usual(40), ...rejected(4, 20), ...rejected(25, 60), ...rejected(31, 61)]
  const one = named(
    await alarmsOf(await caseOf(root, 'storm', { [name('fl-1')]: [header, ...lines] }), asked(24)),
    'reject',
  )
  assert.equal(artefactOf(one).threshold, 60)
  assert.deepEqual(one.trial!.fired, [{ at: at(32), value: 61 }])
  // The first of them: after the header, 80 lines of visitors and the storms before.
  assert.equal(one.trial!.basis[0]!.line, 1 + 80 + 20 + 60 + 1)
})

test('dropped records go off in the minute of their line, silence after two periods without any line', async () => {
  const line = (status: string, minute: number): string =>
    `2 123456789012 eni-1 - - - - - - - ${begin + 60 * minute} ${begin + 60 * minute + 59} - ${status}`
  const lines = [
    ...usual(20),
    line('SKIPDATA', 12),
    line('SKIPDATA', 12),
    // No traffic, but no silence.
    ...Array.from({ length: 20 }, (_, i) => line('NODATA', 20 + i)),
    // Silence from 40 to 60.
    record({ minute: 61, from: outside, to: web, ports: [40_000, 80] }),
  ]
  const alarms = await alarmsOf(await caseOf(root, 'silent', { [name('fl-1')]: [header, ...lines] }), asked(30))
  const skipped = named(alarms, 'skipdata')
  assert.deepEqual(skipped.trial!.fired, [{ at: at(13), value: 2 }])
  assert.equal(skipped.trial!.baseline!.fired, 1)
  assert.deepEqual(replay(artefactOf(skipped), lines, 10), skipped.trial!.fired)
  const silent = named(alarms, 'silent')
  assert.equal(artefactOf(silent).pattern, null)
  assert.equal(artefactOf(silent).missing, 'breaching')
  // Periods of five minutes: 1,700,000,040 lies 2 minutes... into one.
  const period = 300
  const last = Math.floor((begin + 60 * 39) / period)
  assert.deepEqual(silent.trial!.fired, [
    { at: new Date((last + 3) * period * 1000).toISOString().replace('.000Z', 'Z'), value: 0 },
  ])
})

test('a log of the same interface beside another counts nothing twice, and is named', async () => {
  const lines = [...usual(40), record({ minute: 32, from: web, to: evil, ports: [50_002, 4444], bytes: 60_000 })]
  const logs = { [name('fl-1')]: [header, ...lines], [name('fl-2')]: [header, ...lines.slice(20)] }
  const one = named(await alarmsOf(await caseOf(root, 'doubled', logs), asked(30)), 'outbound')
  assert.deepEqual(one.trial!.fired, [])
  assert(one.recommended.confirm.some(text => text.startsWith('fl-2: recorded the same interfaces too')))
})

test('the pattern is for the format of the log that recorded the hosts, whichever has more records', async () => {
  const other =
    'account-id version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status action'
  const turned = (line: string): string => {
    const field = line.split(' ')
    return [field[1], field[0], ...field.slice(2, 12), field[13], field[12]].join(' ')
  }
  const busy = usual(90, { eni: 'eni-2' }).map(line => line.replaceAll(web, '10.0.7.7'))
  const lines = [...usual(40), record({ minute: 32, from: web, to: evil, ports: [50_002, 4444], bytes: 600_000 })]
  const logs = { [name('fl-1')]: [header, ...busy], [name('fl-2')]: [other, ...lines.map(turned)] }
  const one = named(await alarmsOf(await caseOf(root, 'formats', logs), asked(30)), 'outbound')
  assert.match(artefactOf(one).pattern!, /^\[account_id, version, .*log_status, action = "ACCEPT"\]$/)
  assert.deepEqual(one.trial!.fired, [{ at: at(33), value: 600_000 }])
})

test('with records of ten minutes periods are of five, and an alarm looks back as far as they are late', async () => {
  const lines = [
    ...usual(160, { seconds: 590 }),
    record({ minute: 120, from: web, to: evil, ports: [50_002, 4444], bytes: 600_000, seconds: 590 }),
  ]
  const alarms = await alarmsOf(await caseOf(root, 'ten', { [name('fl-1')]: [header, ...lines] }), asked(110))
  const { period, periods, datapoints } = artefactOf(named(alarms, 'outbound'))
  assert.deepEqual({ period, periods, datapoints }, { period: 300, periods: 4, datapoints: 1 })
  // Not before its record can be there.
  const end = new Date((begin + 120 * 60 + 1 + 590 + 1) * 1000).toISOString().replace('.000Z', 'Z')
  assert.equal(named(alarms, 'outbound').trial!.fired[0]!.at, end)
  assert.equal(artefactOf(named(alarms, 'silent')).period, 1200)
})

test('a host that no record is of has no alarms', async () => {
  const dir = await caseOf(root, 'none', { [name('fl-1')]: [header, ...usual(40)] })
  assert.deepEqual(await alarmsOf(dir, { ...asked(30), hosts: ['10.9.9.9'] }), [])
})

test('a format without ports, actions or states has the alarms that it can have', async () => {
  const bare = 'interface-id srcaddr dstaddr bytes start end'
  const cut = (line: string): string => {
    const field = line.split(' ')
    return [field[2], field[3], field[4], field[9], field[10], field[11]].join(' ')
  }
  const dir = await caseOf(root, 'bare', { [name('fl-1')]: [bare, ...usual(40).map(cut)] })
  const alarms = await alarmsOf(dir, asked(30))
  assert.deepEqual(
    alarms.map(one => artefactOf(one).name),
    ['tidemark-flow-log-silent-10-0-0-5'],
  )
})

test('in a case without flow logs patterns are for the recommended format, and packets are tried without an action', async () => {
  const head =
    '#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes'
  const line = (minute: number, from: string, to: string, ports: string, bytes: number): string =>
    [
      begin + 60 * minute + 1,
      `C${minute}`,
      from,
      ports.split(' ')[0],
      to,
      ports.split(' ')[1],
      'tcp',
      20,
      10,
      bytes,
      10,
      5000,
    ].join('\t')
  const lines = [
    '#separator \\x09',
    head,
    ...Array.from({ length: 40 }, (_, minute) => line(minute, outside, web, `${40_000 + minute} 80`, 1000)),
    line(32, web, evil, '50002 4444', 600_000),
  ]
  const alarms = await alarmsOf(await caseOf(root, 'packets', { 'conn.log': lines }), asked(30))
  const one = named(alarms, 'outbound')
  assert.match(artefactOf(one).pattern!, /^\[version, account_id, .*action = "ACCEPT".*reject_reason\]$/)
  assert.deepEqual(one.trial!.fired, [{ at: at(33), value: 600_000 }])
  assert(one.recommended.confirm.some(text => text.startsWith('The evidence has no VPC flow log')))
  for (const part of ['reject', 'skipdata', 'silent']) assert.equal(named(alarms, part).trial, null)
})

test('an alarm that is put in place later does not go off for what was before', async () => {
  const lines = [
    ...usual(40),
    ...[32, 33, 34].map(minute => record({ minute, from: web, to: evil, ports: [50_002, 4444], bytes: 900_000 })),
  ]
  const made = await caseOf(root, 'later', { [name('fl-1')]: [header, ...lines] })
  const fired = async (at_us: number) =>
    named(await alarmsOf(made, { ...asked(30), at_us }), 'outbound').trial!.fired.map(one => one.at)
  assert.deepEqual(await fired((begin + 60 * 32) * 1e6), [at(33)])
  assert.deepEqual(await fired((begin + 60 * 32 + 1) * 1e6), [at(34)])
  assert.deepEqual(await fired((begin + 60 * 35) * 1e6), [])
})

test('records of another format than that of the pattern are not in its trial', async () => {
  const more = record({ minute: 31, from: web, to: evil, ports: [50_002, 4444], bytes: 900_000 })
  const late = record({ minute: 33, from: web, to: evil, ports: [50_003, 4444], bytes: 700_000 })
  const other = (one: string): string => [...one.split(' ').slice(1), one.split(' ')[0]].join(' ')
  const logs = { 'a.log': [header, ...usual(40), late], 'b.log': [other(header), other(more)] }
  const { recommended, trial } = named(await alarmsOf(await caseOf(root, 'formats-tried', logs), asked(30)), 'outbound')
  assert.deepEqual(trial!.fired, [{ at: at(34), value: 700_000 }])
  assert.match(recommended.confirm.join(' '), /1 record was written in another format: .* the trial leaves them out/)
})
