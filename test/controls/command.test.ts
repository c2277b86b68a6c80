// `tidemark controls` as a command: whom it asks about, rules of the user's own, code, what it says of evidence that could not be read.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { ControlsAnswer } from '../../src/controls/control.ts'
import { tidemark } from '../cli/run.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-controls-'))
after(() => rmSync(root, { recursive: true, force: true }))

const [attacker, victim, friend] = ['203.0.113.7', '10.0.0.5', '198.51.100.9']
const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'

let minute = 0

/** A connection of some minutes, as its two records of each; or one that was rejected. */
function flow(
  client: string,
  clientPort: number,
  server: string,
  port: number,
  bytes: number,
  action = 'ACCEPT',
): string[] {
  const start = 1_700_000_000 + 60 * minute++
  const record = (from: string, fromPort: number, to: string, toPort: number, size: number, flags: number): string =>
    `2 123456789012 eni-0a1b2c3d ${from} ${to} ${fromPort} ${toPort} 6 40 ${size} ${start} ${start + 59} ${action} OK ${flags}`
  const request = record(client, clientPort, server, port, bytes, 2)
  return action === 'REJECT' ? [request] : [request, record(server, port, client, clientPort, 4000, 18)]
}

const lines = [
  ...flow(friend, 40_000, victim, 443, 5000),
  ...flow(victim, 41_000, friend, 443, 6000),
  ...flow(attacker, 50_000, victim, 22, 70_000),
  ...flow(attacker, 50_001, victim, 23, 40, 'REJECT'),
  ...flow(victim, 42_000, attacker, 4444, 9_000_000),
  ...flow(friend, 40_001, victim, 443, 5000),
]
const log = join(root, 'a.log')
writeFileSync(log, `${[header, ...lines].join('\n')}\n`)
const caseDir = join(root, 'case')
assert.equal(tidemark(['add', log, '--case', caseDir]).status, 0)
const inCase = (...args: string[]) => tidemark(['controls', ...args, '--case', caseDir])
const answer = (...args: string[]): ControlsAnswer => {
  const { status, stdout, stderr } = inCase(...args, '--json')
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout) as ControlsAnswer
}

const rulesFile = (name: string, value: object): string => {
  const path = join(root, name)
  writeFileSync(path, JSON.stringify(value))
  return path
}

const anyone = { IpRanges: [{ CidrIp: '0.0.0.0/0' }] }
const network = rulesFile('network.json', {
  NetworkInterfaces: [
    {
      NetworkInterfaceId: 'eni-0a1b2c3d',
      PrivateIpAddress: victim,
      PrivateIpAddresses: [{ PrivateIpAddress: victim }],
      Groups: [{ GroupId: 'sg-0a', GroupName: 'web' }],
    },
  ],
})
const groups = rulesFile('groups.json', {
  SecurityGroups: [
    {
      ...{ GroupId: 'sg-0a', GroupName: 'web' },
      IpPermissions: [
        { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, ...anyone },
        { IpProtocol: 'tcp', FromPort: 23, ToPort: 23, ...anyone },
      ],
      IpPermissionsEgress: [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, ...anyone }],
    },
  ],
})

test('what was rejected already is in no figure, and no control is credited with it', () => {
  const found = answer(attacker)
  assert.equal(found.rejected_connections, 1)
  assert.match(
    inCase(attacker).stdout.replace(/\s+/g, ' '),
    / 1 connection of the subject was rejected already: it moved /,
  )
  assert.deepEqual(
    found.protected.map(one => [one.address, one.attack.connections, one.innocent.connections]),
    [[victim, 2, 3]],
  )
  assert.equal(found.set.trial!.attack.connections, 2)
  assert.equal(found.set.trial!.attack.bytes, 70_000 + 9_000_000 + 2 * 4000)
  assert.equal(found.set.trial!.attack.bytes_out, 9_000_000 + 4000)
})

test('rules of the user’s own are tried with a subject: what they stop, and what they break', () => {
  const { tried, controls } = answer(attacker, '--try', groups, '--try', network)
  assert.deepEqual(controls, [])
  const { attack, innocent } = tried!.trial!
  assert.deepEqual([attack.stopped_connections, attack.stopped_bytes_out], [2, 9_004_000])
  assert.deepEqual([innocent.connections, innocent.broken_connections], [3, 0])
})

test('rules of the user’s own are tried without a subject: accepted that they deny, rejected that they allow', () => {
  const { tried, triage, subject } = answer('--try', groups, '--try', network)
  assert.deepEqual(subject, [])
  assert.equal(tried!.trial, null)
  assert.deepEqual(tried!.judged, { connections: 6, allowed: 4, denied: 2, undecided: 0 })
  assert.deepEqual(
    tried!.accepted_denied.map(({ client, server, port }) => [client, server, port]),
    [
      [victim, attacker, 4444],
      [attacker, victim, 22],
    ],
  )
  assert.deepEqual(
    tried!.rejected_allowed.map(({ client, server, port, basis }) => [client, server, port, basis[0]!.line]),
    [[attacker, victim, 23, 8]],
  )
  assert.deepEqual(
    triage!.explained.map(({ by, records }) => [by, records]),
    [['none', 1]],
  )
})

test('files without rules are refused, with the groups that nobody describes', () => {
  const { status, stderr } = inCase(attacker, '--try', network)
  assert.equal(status, 2)
  assert.match(stderr, /no rules in the files: .*network\.json names sg-0a, which no file describes/)
  assert.match(stderr, /describe-security-groups/)
})

test('where no interface has the address, the page says that nothing was decided, and what to add', () => {
  const { status, stdout } = inCase(attacker, '--try', groups)
  assert.equal(status, 0)
  const text = stdout.replaceAll(/\s+/g, ' ')
  assert.match(text, /Nothing could be decided: no network interface is known that has 10\.0\.0\.5\. Add: aws ec2/)
  assert.match(text, /--filters Name=addresses\.private-ip-address,Values=10\.0\.0\.5 > interfaces\.json/)
  assert.doesNotMatch(text, /stop nothing|Nothing else is broken|these are not the rules/)
  assert.deepEqual(answer(attacker, '--try', groups).tried!.no_interface, [victim])
})

test('the page draws a conclusion from what the rules contradict and explain', () => {
  const text = inCase('--try', groups, '--try', network).stdout.replaceAll(/\s+/g, ' ')
  assert.match(
    text,
    /So these are not the rules of that time: 2 accepted connections would have been denied, and 1 rejected connection would have been allowed\. They explain 0 of 1 rejected record/,
  )
})

test('an address in no record is said first, and has no controls', () => {
  const { stdout } = inCase('192.0.2.1')
  assert.match(stdout, /No record of 192\.0\.2\.1 in 11 flow records/)
  assert.doesNotMatch(stdout, /Controls \(/)
  assert.deepEqual(answer('192.0.2.1').controls, [])
})

test('of a host of one’s own the page names those outside to ask about', () => {
  const text = inCase(victim).stdout.replaceAll(/\s+/g, ' ')
  assert.match(text, /10\.0\.0\.5 is a host of your own/)
})

test('a control that stops nothing says what it does', () => {
  const advice = answer(attacker).controls.find(({ kind }) => kind === 'advice')!
  assert.match(inCase(attacker, '--only', advice.id).stdout, new RegExp(`${advice.id} stops nothing`))
  assert.deepEqual(advice.quotas, [])
})

test('code and JSON are asked for apart, and files of rules are not evidence', () => {
  assert.equal(inCase(attacker, '--code', 'terraform', '--json').status, 2)
  const { status, stderr } = tidemark(['controls', attacker, groups])
  assert.equal(status, 2)
  assert.match(stderr, /groups\.json looks like security groups[\s\S]*--try/)
})

test('a group that an interface names and no file describes is neither open nor closed', () => {
  const acls = rulesFile('acls.json', {
    NetworkAcls: [{ NetworkAclId: 'acl-1', IsDefault: false, Associations: [], Entries: [] }],
  })
  const { attack, innocent } = answer(attacker, '--try', acls, '--try', network).tried!.trial!
  assert.deepEqual([attack.stopped_connections, attack.undecided_connections], [0, 2])
  assert.deepEqual([innocent.broken_connections, innocent.undecided_connections], [0, 3])
})

test('an answer of its own is read again, and gives the same trial', () => {
  const found = answer(attacker)
  const path = join(root, 'own.json')
  writeFileSync(path, inCase(attacker, '--json').stdout)
  const rules = found.controls.filter(one => one.rules.length > 0).map(({ id }) => id)
  const set = answer(attacker, ...rules.flatMap(id => ['--only', id])).set.trial!
  const { trial } = answer(attacker, '--try', path).tried!
  assert.deepEqual(trial!.attack, set.attack)
  assert.deepEqual(trial!.innocent, set.innocent)
})

test('with --code the code of the chosen controls stands alone', () => {
  const { status, stdout } = inCase(attacker, '--only', 'C1', '--code', 'terraform')
  assert.equal(status, 0)
  assert.equal(`${answer(attacker, '--only', 'C1').set.code.terraform!.trimEnd()}\n`, stdout)
  assert.match(stdout, /^resource "aws_security_group"/m)
})

test('says against whom, where nobody says it', () => {
  const { status, stderr } = inCase()
  assert.equal(status, 2)
  assert.match(stderr, /no address to stop/)
  assert.equal(inCase('--findings', attacker).status, 2)
  assert.equal(inCase(attacker, '--only', 'C99').status, 2)
  assert.equal(inCase(attacker, '--share', '0').status, 2)
  assert.equal(inCase(attacker, '--try', join(root, 'none.json')).status, 1)
})

test('an address that reached nobody of the own, and one that is not there, have nothing to be stopped', () => {
  for (const one of ['192.0.2.1', attacker]) {
    const own = one === attacker ? ['--internal', '198.51.100.0/24'] : []
    const { status, stdout } = inCase(one, ...own)
    assert.equal(status, 0)
    if (one !== attacker) assert.match(stdout, /No record of 192\.0\.2\.1/)
  }
})

test('evidence that could not be read is named, and the exit status is 3', () => {
  const folder = join(root, 'logs')
  mkdirSync(folder)
  writeFileSync(join(folder, 'a.log'), `${readFileSync(log, 'utf8')}2 123456789012 eni-0a1b2c3d broken\n`)
  const { status, stdout, stderr } = tidemark(['controls', attacker, folder])
  assert.equal(status, 3)
  assert.match(stdout, /^What would have stopped 203\.0\.113\.7$/m)
  assert.match(stderr, /a\.log:\d+/)
})

test('text of the evidence and of files is shown, and never obeyed', () => {
  const hostile = rulesFile('hostile.json', {
    SecurityGroups: [
      {
        GroupId: 'sg-0a',
        GroupName: '\u001b[31mred',
        Description: '\u202e',
        IpPermissions: [],
        IpPermissionsEgress: [],
      },
    ],
  })
  const { stdout, status } = inCase('--try', hostile, '--try', network)
  assert.equal(status, 0)
  assert.ok(!['\u001b', '\u202e'].some(one => stdout.includes(one)))
})

test('logs that name the VPC and no subnet, or the other way round, have controls too', () => {
  for (const [field, value] of [
    ['vpc-id', 'vpc-0a1b2c3d'],
    ['subnet-id', 'subnet-0a1b2c3d'],
  ] as const) {
    const named = join(root, `${field}.log`)
    writeFileSync(named, `${[`${header} ${field}`, ...lines.map(line => `${line} ${value}`)].join('\n')}\n`)
    const { status, stdout, stderr } = tidemark(['controls', attacker, named, '--json'])
    assert.equal(status, 0, stderr)
    const { controls } = JSON.parse(stdout) as ControlsAnswer
    assert.ok(controls.some(({ trial }) => trial !== null && trial.attack.stopped_connections > 0))
    if (field === 'subnet-id')
      assert.ok(controls.some(one => one.kind === 'network-acl' && one.applies_to.subnets.includes(value)))
  }
})

test('what is about recommended controls is refused where rules of the user’s own are tried', () => {
  for (const option of [
    ['--only', 'C1'],
    ['--share', '0.5'],
    ['--code', 'terraform'],
  ]) {
    const { status, stderr } = inCase(attacker, '--try', groups, '--try', network, ...option)
    assert.equal(status, 2)
    assert.match(stderr, new RegExp(`^tidemark: ${option[0]} does not go with --try`))
  }
  assert.equal(inCase('--findings', '--try', groups, '--try', network).status, 2)
})

test('where the records say no packets and bytes, that is said: neither are they zero, nor did nobody work there', () => {
  const names = header.split(' ')
  const left = names.flatMap((name, i) => (name === 'packets' || name === 'bytes' ? [] : [i]))
  const path = join(root, 'sizes.log')
  const rows = [header, ...lines].map(line => left.map(i => line.split(' ')[i]).join(' '))
  writeFileSync(path, `${rows.join('\n')}\n`)
  const { status, stdout, stderr } = tidemark(['controls', attacker, path, '--json'])
  assert.equal(status, 0, stderr)
  const { controls } = JSON.parse(stdout) as ControlsAnswer
  const whyOf = (kind: string): string => controls.find(one => one.kind === kind)!.why
  assert.match(whyOf('security-group-egress'), /asked for: 99 %; bytes are not recorded/)
  assert.doesNotMatch(whyOf('security-group-egress'), /0 bytes/)
  assert.match(whyOf('security-group-ingress'), /The records do not say packets, so nobody can be told/)
})
