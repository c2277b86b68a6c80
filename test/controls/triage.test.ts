import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { triageUnderRules } from '../../src/controls/triage.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import type { RejectTriage } from '../../src/investigate/dossier.ts'
import { parseAddress } from '../../src/net/address.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import type { AclEntry, GroupRule, Network } from '../../src/network-rules/network.ts'
import { withRecordIndex } from '../../src/record-index/kept.ts'
import { openCase } from '../../src/store/case.ts'
import { question } from '../../src/store/question.ts'
import { temporaryFolder } from '../cli/run.ts'

const fields =
  'interface-id srcaddr dstaddr srcport dstport protocol tcp-flags packets bytes start end action reject-reason log-status'

const any = parsePrefix('0.0.0.0/0')!

const allows = (ports: number | null): GroupRule => ({
  ...{ id: null, description: '', remote: { kind: 'prefix', prefix: any } },
  ...{ protocol: ports === null ? null : 6, ports: ports === null ? null : { from: ports, to: ports }, icmp: null },
})

const entry = (number: number, action: AclEntry['action'], from: number, to: number): AclEntry => ({
  ...{ number, action, prefix: any, protocol: 6, ports: { from, to }, icmp: null },
})

/** A web server in a subnet whose network ACL lets all in, and out to high ports alone. */
function network(others: Network['others']): Network {
  return {
    groups: [{ id: 'sg-1', name: 'web', vpc: null, ingress: [allows(80)], egress: [allows(null)] }],
    acls: [
      {
        ...{ id: 'acl-1', vpc: null, isDefault: false },
        ingress: [entry(100, 'allow', 0, 65535)],
        egress: [entry(110, 'allow', 32768, 65535)],
      },
    ],
    interfaces: [
      {
        ...{ id: 'eni-a', vpc: null, subnet: 'subnet-1', addresses: [parseAddress('10.0.0.5')!], prefixes: [] },
        ...{ publicAddresses: [], groups: ['sg-1'] },
      },
    ],
    subnets: [{ id: 'subnet-1', vpc: null, prefixes: [parsePrefix('10.0.0.0/24')!], acl: 'acl-1' }],
    prefixLists: [],
    others,
  }
}

interface Row {
  at: number
  flags?: number | '-'
  reason?: string
  sensor?: string
  action?: 'ACCEPT' | 'REJECT'
}

function row(ends: string, { at, flags = 2, reason = '-', sensor = 'eni-a', action = 'REJECT' }: Row): string {
  const start = 1_700_000_000 + at
  return `${sensor} ${ends} 6 ${flags} 1 60 ${start} ${start} ${action} ${reason} OK`
}

const [outside, web] = ['203.0.113.9', '10.0.0.5']

async function triage(t: TestContext, lines: string[], rules: Network): Promise<RejectTriage> {
  const root = temporaryFolder(t)
  mkdirSync(join(root, 'logs'))
  writeFileSync(join(root, 'logs', 'a.log'), `${[fields, ...lines].join('\n')}\n`)
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'logs')], workers: 1 })
  const c = await openCase(join(root, 'case'))
  try {
    return await question(c, undefined, asked =>
      withRecordIndex(asked, 'logs', index => triageUnderRules(asked, index, rules)),
    )
  } finally {
    await c.close()
  }
}

const short = ({ explained }: RejectTriage): string[] =>
  explained.map(({ by, reason, records }) => `${records} ${by}: ${reason}`).sort()

test('names the part of the rules that explains each recorded REJECT, and what none does', async t => {
  const lines = [
    // Port 22 is in no rule of the group.
    row(`${outside} ${web} 40001 22`, { at: 0 }),
    row(`${outside} ${web} 40002 22`, { at: 1 }),
    // Port 80 passes today.
    row(`${outside} ${web} 40003 80`, { at: 2 }),
    // Its answers would be stopped, and not itself.
    row(`203.0.113.10 ${web} 1026 80`, { at: 2 }),
    // No opening, and these rules let it through: it may be late.
    row(`${outside} ${web} 40009 80`, { at: 2, flags: 0 }),
    // An answer to a port below 32768.
    row(`${outside} ${web} 1025 80`, { at: 3, action: 'ACCEPT' }),
    row(`${web} ${outside} 80 1025`, { at: 3, flags: 18 }),
    // An answer that these rules let out.
    row(`${outside} ${web} 40004 80`, { at: 4, action: 'ACCEPT' }),
    row(`${web} ${outside} 80 40004`, { at: 4, flags: 18 }),
    // To a port that the ACL does not let out to.
    row(`${web} 198.51.100.3 40005 25`, { at: 5 }),
    // After FIN.
    row(`${outside} ${web} 40006 80`, { at: 6, flags: 3, action: 'ACCEPT' }),
    row(`${outside} ${web} 40006 80`, { at: 9, flags: 4 }),
    row(`${outside} ${web} 40007 22`, { at: 10, reason: 'BPA' }),
    // What it answers would not have been let in.
    row(`${outside} ${web} 40008 22`, { at: 11, action: 'ACCEPT' }),
    row(`${web} ${outside} 22 40008`, { at: 11, flags: 18 }),
  ]
  const found = await triage(t, lines, network('not-judged'))
  assert.deepEqual(short(found), [
    '1 acl: network ACL acl-1: no egress entry allows it',
    '1 block-public-access: reject-reason is BPA: VPC Block Public Access',
    '1 late: after FIN or RST of its connection',
    '1 none: these rules stop what it answers, which was let through: they are not those of the time',
    '1 not-decidable: TCP without SYN, and nothing of its ends was let through before: the log began later, or a scan without SYN',
    '1 return-path: network ACL acl-1: no egress entry allows it',
    '2 group: no ingress rule of security group sg-1 allows it',
    '3 none: these rules let it through: they are not those of the time',
  ])
  assert.equal(found.total, 11)
  assert.equal(found.explained.find(({ by }) => by === 'late')?.basis[0]?.line, 13)
})

test('an entry of the network ACL that denies is named by its number', async t => {
  const rules = network('not-judged')
  rules.acls[0]!.ingress = [entry(90, 'deny', 80, 80), entry(100, 'allow', 0, 65535)]
  const found = await triage(t, [row(`${outside} ${web} 40001 80`, { at: 0 })], rules)
  assert.deepEqual(short(found), ['1 acl: network ACL acl-1: ingress entry 90 denies it'])
})

test('groups do not stop what they track: of a tuple that was let through, ACLs alone may', async t => {
  const again = (port: number): string[] =>
    [0, 100, 200].map(at =>
      row(`${outside} ${web} 40001 ${port}`, { at, flags: '-', action: at === 100 ? 'REJECT' : 'ACCEPT' }),
    )
  const group = await triage(t, again(22), network('not-judged'))
  assert.deepEqual(
    group.explained.map(({ by }) => by),
    ['not-decidable'],
  )
  const rules = network('not-judged')
  rules.acls[0]!.ingress = [entry(90, 'deny', 22, 22), entry(100, 'allow', 0, 65535)]
  assert.deepEqual(short(await triage(t, again(22), rules)), ['1 acl: network ACL acl-1: ingress entry 90 denies it'])
})

test('a record of the other end is not explained by what stops it here', async t => {
  const rules = network('not-judged')
  rules.interfaces.push({
    ...{ id: 'eni-b', vpc: null, subnet: 'subnet-2', addresses: [parseAddress('10.0.1.6')!], prefixes: [] },
    ...{ publicAddresses: [], groups: [] },
  })
  rules.subnets.push({ id: 'subnet-2', vpc: null, prefixes: [parsePrefix('10.0.1.0/24')!], acl: null })
  const ends = `10.0.1.6 ${web} 40001 22`
  const found = await triage(t, [row(ends, { at: 0 }), row(ends, { at: 0, sensor: 'eni-b' })], rules)
  assert.deepEqual(short(found), [
    '1 group: no ingress rule of security group sg-1 allows it',
    '1 none: these rules stop it at the other end, not at the interface that recorded it',
  ])
})

test('what the rules do not tell is not decidable', async t => {
  const rules = network('undecided')
  const found = await triage(t, [row(`${outside} 10.0.0.77 40001 22`, { at: 0 })], rules)
  assert.deepEqual(
    found.explained.map(({ by, reason }) => [by, reason]),
    [['not-decidable', 'no network interface is known that has the address']],
  )
})

test('only the records of wanted hosts are explained', async t => {
  const root = temporaryFolder(t)
  const path = join(root, 'a.log')
  const lines = [row(`${outside} ${web} 40001 22`, { at: 0 }), row(`${outside} 10.0.0.6 40001 22`, { at: 0 })]
  writeFileSync(path, `${[fields, ...lines].join('\n')}\n`)
  await addEvidence({ case: join(root, 'case'), paths: [path], workers: 1 })
  const c = await openCase(join(root, 'case'))
  try {
    const found = await question(c, undefined, asked =>
      withRecordIndex(asked, 'logs', index => {
        const { lo } = index.dictionaries.hosts
        return triageUnderRules(asked, index, network('not-judged'), host => lo[host] === parseAddress(web)!.lo)
      }),
    )
    assert.equal(found.total, 1)
  } finally {
    await c.close()
  }
})
