/** A set of every kind, as it could be recommended for the reconstructed lab: for goldens. */

import type { Artefact } from '../../src/as-code/artefact.ts'
import type { CodeContext, CodeItem } from '../../src/as-code/code.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import type { AclEntry, GroupRule, Remote } from '../../src/network-rules/network.ts'

export const labContext: CodeContext = {
  region: 'us-east-1',
  account: '123456789010',
  vpc: 'vpc-0a1b2c3d4e5f60718',
}

function to(text: string): Remote {
  return { kind: 'prefix', prefix: parsePrefix(text)! }
}

function rule(remote: Remote, protocol: number | null, port: number | null, description: string): GroupRule {
  return { id: null, protocol, ports: port === null ? null : { from: port, to: port }, icmp: null, remote, description }
}

function entry(number: number, action: 'allow' | 'deny', text: string, from?: number, upTo = from): AclEntry {
  const prefix = parsePrefix(text)!
  const ports = from === undefined ? null : { from, to: upTo! }
  return { number, action, protocol: ports === null ? null : 6, ports, icmp: null, prefix }
}

const interfaces = ['eni-0123456789abcdef0']
const addresses = ['10.0.1.20']

function group(direction: 'ingress' | 'egress', name: string, rules: GroupRule[]): Artefact {
  const empty = { id: name, name, vpc: null, ingress: [], egress: [] }
  return { what: 'security-group', direction, group: { ...empty, [direction]: rules }, addresses, interfaces }
}

const untold = { cost: '', confirm: [], tried: [] }

export const labSet: CodeItem[] = [
  {
    id: 'C1',
    title: 'SSH only from the addresses that held answered sessions before the incident',
    why: 'F2: 198.51.100.7 guessed passwords on port 22 of 10.0.1.20 and was let in at 19:25. Before that, two addresses held sessions there; confirm that they are yours.',
    cost: 'Who administers these hosts from another address is refused.',
    confirm: ['203.0.113.10: 14 sessions: is it one of yours?', '2001:db8::10: 3 sessions: is it one of yours?'],
    tried: [
      'It stops 4 of 2,173 connections of the attack, 1,720,984 bytes, the first at 2023-09-28T19:25:40Z.',
      'It breaks none of 812 other connections.',
    ],
    artefact: group('ingress', 'ssh-known', [
      rule(to('203.0.113.10'), 6, 22, 'SSH: 14 sessions since 2023-09-21'),
      rule(to('2001:db8::10'), 6, 22, 'SSH: 3 sessions since 2023-09-24'),
      rule({ kind: 'group', group: 'sg-0fedcba9876543210' }, 6, 443, 'HTTPS from the load balancer'),
      rule(to('0.0.0.0/0'), 1, null, 'ICMP'),
    ]),
  },
  {
    id: 'C2',
    title: 'Egress to what the server needs',
    why: 'F5: 265 MB went to 198.51.100.7 port 8889 from 19:32 on. These rules let through 99 % of the other connections.',
    ...untold,
    artefact: group('egress', 'egress-needed', [
      rule(to('0.0.0.0/0'), 6, 443, 'HTTPS: 812 connections'),
      rule(to('10.0.0.2'), 17, 53, 'DNS of the VPC'),
      rule({ kind: 'prefix-list', list: 'pl-63a5400a' }, 6, 443, 'S3, by its prefix list'),
      rule({ kind: 'group', group: 'ssh-known' }, null, null, 'Servers of C1'),
    ]),
  },
  {
    id: 'C3',
    title: 'Network ACL: the attacker both ways',
    why: 'F1: 198.51.100.7 swept the subnet before it guessed. An ACL is stateless: the answers have entries of their own.',
    ...untold,
    artefact: {
      what: 'network-acl',
      ingress: [
        entry(10, 'deny', '198.51.100.7'),
        entry(100, 'allow', '0.0.0.0/0', 22),
        entry(110, 'allow', '0.0.0.0/0', 1024, 65_535),
        { ...entry(120, 'allow', '::/0'), protocol: 58, icmp: { type: 128, code: null } },
      ],
      egress: [entry(10, 'deny', '198.51.100.7'), entry(100, 'allow', '0.0.0.0/0')],
      subnets: ['subnet-0aaaabbbbccccdddd'],
      addresses,
    },
  },
  {
    id: 'C4',
    title: 'Alarm: bytes out to ports that are not approved',
    why: 'F5: it would have fired at 19:33, and never in the seven days before.',
    ...untold,
    artefact: {
      what: 'metric-alarm',
      name: 'Bytes out to ports that are not approved',
      pattern:
        '[version, account, eni, source="10.0.1.20", destination, srcport, destport!="443", protocol="6", packets, bytes, windowstart, windowend, action="ACCEPT", flowlogstatus]',
      value: '$bytes',
      statistic: 'Sum',
      comparison: 'GreaterThanThreshold',
      threshold: 10_000_000,
      period: 300,
      periods: 1,
      missing: 'notBreaching',
      unit: 'Bytes',
    },
  },
  {
    id: 'C5',
    title: 'Alarm: the flow log fell silent',
    why: 'Nothing else tells that nothing is recorded.',
    ...untold,
    artefact: {
      what: 'metric-alarm',
      name: 'Flow log silent',
      pattern: null,
      value: '1',
      statistic: 'Sum',
      comparison: 'LessThanThreshold',
      threshold: 1,
      period: 900,
      periods: 4,
      datapoints: 2,
      missing: 'breaching',
      unit: 'Count',
    },
  },
  {
    id: 'C6',
    title: 'Rate rule before the web server',
    why: 'F4: 198.51.100.7 opened 1,904 connections to port 80 in five minutes; no other address more than 31.',
    ...untold,
    artefact: { what: 'rate-rule', name: 'web-guessing', limit: 310, window: 300, servers: addresses },
  },
  {
    id: 'C7',
    title: 'Flow log with the fields that were missing',
    why: 'Who began a connection, and whether a NAT gateway stood between, could not be told.',
    ...untold,
    artefact: {
      what: 'flow-log',
      fields: [
        'version',
        'account-id',
        'interface-id',
        'srcaddr',
        'dstaddr',
        'pkt-srcaddr',
        'pkt-dstaddr',
        'tcp-flags',
      ],
      interval: 60,
      traffic: 'ALL',
      resource: 'vpc-0a1b2c3d4e5f60718',
      resourceType: 'VPC',
    },
  },
  {
    id: 'C8',
    title: 'GuardDuty in every region',
    why: 'It would have told of UnauthorizedAccess:EC2/SSHBruteForce.',
    ...untold,
    artefact: { what: 'advice' },
  },
]
