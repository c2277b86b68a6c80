// What was missing: handmade logs that lack something, and twins that lack nothing of it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { flowLog, lackingFields, recommendedFields } from '../../src/controls/flow-log.ts'
import { raisedTypes } from '../../src/controls/guard-duty.ts'
import { logFormats } from '../../src/controls/log-formats.ts'
import { type WhatWasMissing, whatWasMissing } from '../../src/controls/missing.ts'
import { unseenHosts } from '../../src/controls/unseen.ts'
import { usesOf } from '../../src/controls/uses.ts'
import { internalMarks } from '../../src/conversations/hosts.ts'
import { askKept } from '../../src/detect/ask-kept.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { withRecordIndex } from '../../src/record-index/kept.ts'
import { caseRules, subjectRules } from '../../src/rules/all.ts'
import { openCase } from '../../src/store/case.ts'
import type { EvidenceEntry } from '../../src/store/ledger.ts'
import { caseOf, trafficOf } from './alarm-replay.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-missing-'))
after(() => rmSync(root, { recursive: true, force: true }))

const [victim, evil, outside] = ['10.0.0.5', '203.0.113.9', '198.51.100.7']
const begin = 1_700_000_040
const full = recommendedFields.join(' ')
const bare =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'

interface Line {
  from?: string
  to?: string
  ports?: string
  eni?: string
  at?: number
  seconds?: number
  action?: string
}

/** A record in a format; what it has beyond the default fields is not told. */
function record(
  header: string,
  { from = evil, to = victim, ports = '40000 22', eni = 'eni-1', ...rest }: Line = {},
): string {
  const { at = 0, seconds = 20, action = 'ACCEPT' } = rest
  const values: Record<string, string> = {
    ...{ version: '5', 'account-id': '123456789012', 'interface-id': eni, srcaddr: from, dstaddr: to },
    ...{ srcport: ports.split(' ')[0]!, dstport: ports.split(' ')[1]!, protocol: '6', packets: '30', bytes: '3000' },
    ...{ start: `${begin + at}`, end: `${begin + at + seconds}`, action, 'log-status': 'OK', 'vpc-id': 'vpc-1' },
  }
  return header
    .split(' ')
    .map(field => values[field] ?? '-')
    .join(' ')
}

/** Both directions of a connection each minute. */
const usual = (header: string, more: Line = {}): string[] =>
  Array.from({ length: 30 }, (_, i) => [
    record(header, { at: 60 * i, ...more }),
    record(header, { from: victim, to: evil, ports: '22 40000', at: 60 * i, ...more }),
  ]).flat()

const fileOf = (log: string, region = 'us-east-1', account = '123456789012'): string =>
  `${account}_vpcflowlogs_${region}_${log}_20231114T0000Z_0a1b2c3d.log`

async function missingIn(name: string, logs: Record<string, string[]>): Promise<WhatWasMissing> {
  const c = await openCase(await caseOf(root, name, logs))
  try {
    const dossier = await investigate(c, [evil])
    return await askKept(c, {}, async ({ c: own, index, kept }) => {
      const traffic = trafficOf({ index, kept }, { hosts: [victim], subject: [evil], from: begin, to: begin + 1800 })
      const request = { traffic, uses: usesOf(traffic), approvedPorts: [22, 443], own: [], at_us: null }
      return whatWasMissing(own, index, request, dossier)
    })
  } finally {
    await c.close()
  }
}

const whats = ({ missing }: WhatWasMissing): string[] => missing.map(({ what }) => what)
const why = ({ missing }: WhatWasMissing, start: string): string =>
  missing.find(({ what }) => what.startsWith(start))!.why
const kinds = ({ recommended }: WhatWasMissing): string[] =>
  recommended.map(({ title }) => title.split(' ').slice(0, 3).join(' '))

test('logs with every field, of a minute, of one account lack packets and names alone', async () => {
  const found = await missingIn('full', {
    [fileOf('fl-1')]: [full, ...usual(full), record(full, { ports: '40001 23', action: 'REJECT' })],
  })
  assert.deepEqual(whats(found), [
    'Packets',
    'The names that were asked of the Amazon resolver, and what the metadata service answered',
  ])
  assert.deepEqual(kinds(found), ['Amazon GuardDuty in', 'Query logs of'])
})

test('fields that the format lacks are named with what they tell, and the new log has them after the old ones', async () => {
  const found = await missingIn('bare', { [fileOf('fl-1')]: [bare, ...usual(bare)] })
  assert(whats(found).includes('The field tcp-flags'))
  assert.equal(
    why(found, 'The field tcp-flags'),
    'Would have told who opened a connection, and whether it was refused.',
  )
  const [log] = found.recommended
  assert(log!.artefact.what === 'flow-log')
  const { fields, interval, traffic, resource } = log!.artefact
  assert.deepEqual(fields.slice(0, 14), bare.split(' '))
  assert.deepEqual([...fields].sort(), [...recommendedFields].sort())
  assert.deepEqual({ interval, traffic, resource }, { interval: 60, traffic: 'ALL', resource: null })
})

test('of several formats it is told how many records lack a field', async () => {
  const logs = {
    [fileOf('fl-1')]: [full, ...usual(full)],
    [fileOf('fl-2')]: [bare, ...usual(bare, { eni: 'eni-2' }).slice(0, 7)],
  }
  assert.match(why(await missingIn('two', logs), 'The field tcp-flags'), / In 7 records\.$/)
})

test('records of ten minutes, logs of one action, dropped records and gaps are told with figures', async () => {
  const lines = [
    ...usual(full, { action: 'REJECT', seconds: 590 }).slice(0, 20),
    record(full, { at: 1799, action: 'REJECT' }),
    full
      .split(' ')
      .map(
        field =>
          ({ 'interface-id': 'eni-1', start: `${begin + 60}`, end: `${begin + 119}`, 'log-status': 'SKIPDATA' })[
            field
          ] ?? '-',
      )
      .join(' '),
  ]
  const found = await missingIn('ten', { [fileOf('fl-1')]: [full, ...lines] })
  assert.match(why(found, 'Records of one minute'), /^Logs of interfaces with records of up to 9 min 50 s: 1 of 1\./)
  assert.match(why(found, 'What was let through'), /^1 flow log with 21 records has REJECT alone \(fl-1\)/)
  assert.match(
    why(found, 'Records that AWS dropped'),
    /^1 gap in the time of the incident, the first at 2023-11-14T22:15:00Z \(eni-1\)/,
  )
  const log = found.recommended.find(({ kind }) => kind === 'flow-log')!
  assert.match(
    log.why,
    /Records of up to 600 s tell a time to 10 minutes only\. 1 flow log recorded one action alone\./,
  )
})

test('internal hosts that sent something, and no interface of which wrote a log, are counted and listed', async () => {
  const pair = (peer: string, eni: string, own = victim, more: Line = {}): string[] => [
    record(full, { from: peer, to: own, ports: '50000 80', eni, ...more }),
    record(full, { from: own, to: peer, ports: '80 50000', eni, ...more }),
  ]
  const lines = [
    ...usual(full),
    // Has a log of its own.
    ...pair('10.0.0.6', 'eni-1'),
    ...pair(outside, 'eni-2', '10.0.0.6'),
    ...pair(victim, 'eni-2', '10.0.0.6'),
    ...pair('10.0.0.77', 'eni-1'),
    ...pair('10.0.9.1', 'eni-1'),
    // Only knocked at, never heard of; and refused.
    record(full, { from: victim, to: '10.0.9.2', ports: '50001 80' }),
    record(full, { from: '10.0.9.3', to: victim, ports: '50001 81', action: 'REJECT' }),
    ...pair('169.254.169.254', 'eni-1'),
  ]
  const found = await missingIn('unseen', { [fileOf('fl-1')]: [full, ...lines] })
  const text = why(found, 'Flow logs of internal hosts')
  assert.match(text, /^2 internal addresses sent traffic .* 10\.0\.0\.77, 10\.0\.9\.1\. /)
  assert.match(text, /1 network of 256 addresses \(of IPv6 \/64\) has no log at all: 10\.0\.9\.0\/24\./)
})

test('an interface with several addresses has a log of each', async () => {
  const lines = [
    ...usual(full),
    ...['10.0.0.50', '10.0.0.51'].flatMap(own => [
      record(full, { from: own, to: outside, ports: '50000 443', eni: 'eni-3' }),
      record(full, { from: outside, to: own, ports: '443 50000', eni: 'eni-3' }),
      record(full, { from: own, to: victim, ports: '50000 443', eni: 'eni-3' }),
      record(full, { from: own, to: victim, ports: '50000 443' }),
    ]),
  ]
  const c = await openCase(await caseOf(root, 'secondary', { [fileOf('fl-1')]: [full, ...lines] }))
  const unseen = await withRecordIndex(c, 'logs', index => {
    const internal = internalMarks(index.dictionaries.hosts, [])
    return unseenHosts(index, host => internal[host] === 1)
  })
  await c.close()
  assert.deepEqual(unseen, { addresses: [], networks: [] })
})

test('evidence of several accounts or regions, or of unknown ones, asks for one place', async () => {
  const of = async (name: string, logs: Record<string, string[]>): Promise<string | undefined> =>
    (await missingIn(name, logs)).recommended.find(({ title }) => title.startsWith('All flow logs'))?.why
  const lines = [full, ...usual(full)]
  const others = [full, ...usual(full, { eni: 'eni-2' })]
  const regions = await of('regions', { [fileOf('fl-1')]: lines, [fileOf('fl-2', 'eu-west-1')]: others })
  assert.match(regions!, /1 account and 2 regions \(123456789012, eu-west-1, us-east-1\)/)
  assert.match((await of('nameless', { 'flows.log': lines }))!, /cannot be known/)
  assert.equal(await of('one', { [fileOf('fl-1')]: lines }), undefined)
})

test('a flow log is not asked for where none is better', () => {
  const format = { fields: recommendedFields, records: 1, files: 1, from: 'text' } as const
  assert.equal(flowLog({ format, interval: 60, oneSided: 0, unseen: 0, vpc: null }), null)
  const worse = [
    { format: { ...format, fields: recommendedFields.slice(1) } },
    { interval: 600 },
    { oneSided: 1 },
    { unseen: 1 },
    { format: null },
  ]
  for (const one of worse)
    assert.notEqual(flowLog({ format, interval: 60, oneSided: 0, unseen: 0, vpc: 'vpc-1', ...one }), null)
  assert.deepEqual(lackingFields(recommendedFields), [])
})

// ---- GuardDuty

const hosts = new Set([victim])
const service = (id: string, server: string, port: number, ...findings: [string, string][]) => ({
  ...{ id, server, port, protocol: 6 },
  findings: findings.map(([finding, rule]) => ({ id: finding, rule })),
})
const types = (...services: ReturnType<typeof service>[]): string[] =>
  raisedTypes({ services, hosts, approvedPorts: [22, 443] }, [...caseRules, ...subjectRules]).map(
    ({ type, findings }) => `${type} ${findings.join('+')}`,
  )

test('guesses are told by GuardDuty on the ports that it looks at', () => {
  const guess = (port: number) => types(service('S1', victim, port, ['F1', 'D02-brute-force']))
  assert.deepEqual(guess(22), ['UnauthorizedAccess:EC2/SSHBruteForce F1'])
  assert.deepEqual(guess(3389), ['UnauthorizedAccess:EC2/RDPBruteForce F1'])
  assert.deepEqual(guess(80), [])
  // The session after a guess at the web makes it no guess at SSH.
  assert.deepEqual(
    types(service('S1', victim, 80, ['F1', 'brute-force']), service('S2', victim, 22, ['F1', 'brute-force'])),
    [],
  )
})

test('what an instance does, and what is done to it, are different types', () => {
  const scan = (server: string) => types(service('S1', server, 443, ['F1', 'D01-scan']))
  assert.deepEqual(scan(victim), ['Recon:EC2/PortProbeUnprotectedPort F1'])
  assert.deepEqual(scan(evil), ['Recon:EC2/Portscan F1', 'Impact:EC2/PortSweep F1'])
})

test('a call to a port that is not approved is unusual, whichever rule found it; volume is volume', () => {
  const out = (port: number) => types(service('S1', evil, port, ['F1', 'D04-outbound-volume']))
  assert.deepEqual(out(8889), ['Behavior:EC2/TrafficVolumeUnusual F1', 'Behavior:EC2/NetworkPortUnusual F1'])
  assert.deepEqual(out(443), ['Behavior:EC2/TrafficVolumeUnusual F1'])
})

test('every type that a rule names has its condition', () => {
  const named = new Set(caseRules.flatMap(rule => rule.guardDuty))
  for (const type of named) {
    const rule = caseRules.find(one => one.guardDuty.includes(type))!.name
    const some = [22, 25, 53, 3389, 5985].flatMap(port => [
      ...types(service('S1', victim, port, ['F1', rule])),
      ...types(service('S1', evil, port, ['F1', rule])),
    ])
    assert(
      some.some(one => one.startsWith(`${type} `)),
      type,
    )
  }
})

test('a format is one whose names a pattern can have; of other files only the records are counted', () => {
  const file = { path: 'a.parquet', kind: 'vpc-flow-log-parquet', records: 3, no_data: 0, skip_data: 0 }
  const of = (layout: string) => {
    const { formats, untold } = logFormats({ evidence: [{ ...file, layout } as EvidenceEntry] })
    return { fields: formats.map(({ fields }) => fields.join(' ')), untold }
  }
  assert.deepEqual(of('account_id srcaddr'), { fields: ['account-id srcaddr'], untold: 0 })
  for (const layout of ['account_id account-id', 'srcaddr 1x', 'srcaddr a"b', 'srcaddr …', 'and more'])
    assert.deepEqual(of(layout), { fields: [], untold: 3 }, layout)
  assert.deepEqual(of('srcaddr dstaddr; dstaddr srcaddr'), { fields: ['srcaddr dstaddr'], untold: 3 })
})
