import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Attached, networkFor } from '../../src/network-rules/attached.ts'
import { decider } from '../../src/network-rules/evaluate.ts'
import { acl, address, connection, group, prefix, told } from './support.ts'

const victim = address('10.0.1.5')
const second = address('10.0.1.9')
const ssh = group('sg-ssh', ['tcp 22 192.0.2.0/24'], [])
const web = group('sg-web', [], ['tcp 443 0.0.0.0/0'])

function expect(attached: Attached, cases: Record<string, string>): void {
  const decide = decider(networkFor(attached))
  for (const [text, wanted] of Object.entries(cases)) assert.equal(told(decide(connection(text))), wanted, text)
}

test('judges the direction of a group that counts, and leaves the other as it is', () => {
  const ingress = { group: ssh, direction: 'ingress' as const, addresses: [victim] }
  const egress = { group: web, direction: 'egress' as const, addresses: [victim] }
  const out = '10.0.1.5:40000 > 203.0.113.1:8889 tcp'
  const into = '203.0.113.1:40000 > 10.0.1.5:22 tcp'
  expect(
    { groups: [ingress], acls: [] },
    {
      [into]: 'denied server group ingress * request',
      '192.0.2.1:40000 > 10.0.1.5:22 tcp': 'allowed',
      [out]: 'allowed',
    },
  )
  expect({ groups: [egress], acls: [] }, { [into]: 'allowed', [out]: 'denied client group egress * request' })
  expect(
    { groups: [ingress, egress], acls: [] },
    {
      [into]: 'denied server group ingress * request',
      [out]: 'denied client group egress * request',
    },
  )
})

test('judges nothing at the side of other addresses, whatever they are', () => {
  expect(
    { groups: [{ group: ssh, direction: 'ingress', addresses: [victim] }], acls: [] },
    {
      '10.0.1.5:40000 > 10.9.9.9:22 tcp': 'allowed',
      '10.8.8.8:40000 > 10.9.9.9:22 tcp': 'allowed no-border',
      '2001:db8::1 > 2001:db8::2 icmpv6': 'allowed no-border',
      '10.9.9.9:40000 > 10.0.1.5:22 tcp': 'denied server group ingress * request',
    },
  )
})

test('keeps groups of one id apart, which are for different addresses', () => {
  const other = group('sg-ssh', ['tcp 80 0.0.0.0/0'], [])
  const groups = [
    { group: ssh, direction: 'ingress' as const, addresses: [victim] },
    { group: other, direction: 'ingress' as const, addresses: [second] },
  ]
  expect(
    { groups, acls: [] },
    {
      '203.0.113.1:40000 > 10.0.1.5:80 tcp': 'denied server group ingress * request',
      '203.0.113.1:40000 > 10.0.1.9:80 tcp': 'allowed',
    },
  )
})

const strict = acl('acl-strict', ['100 allow tcp 1024-65535 0.0.0.0/0'], ['100 allow tcp 443 0.0.0.0/0'])

test('puts a network ACL before the subnets of the addresses, and leaves open what may lie in the same', () => {
  const inner = '10.0.1.5:40000 > 10.0.1.9:8080 tcp'
  const neighbour = '10.0.1.5:40000 > 10.0.1.77:8080 tcp'
  const outside = '10.0.1.5:40000 > 203.0.113.1:8889 tcp'
  const denied = 'denied client acl egress * request'
  const acls = [{ acl: strict, addresses: [victim, second], subnets: [] }]
  expect(
    { groups: [], acls },
    { [inner]: 'undecided same-subnet', [neighbour]: 'undecided same-subnet', [outside]: denied },
  )
  const one = [{ acl: strict, addresses: [victim, second], subnets: ['subnet-1'] }]
  expect(
    { groups: [], acls: one },
    {
      [inner]: 'allowed no-border',
      [neighbour]: 'undecided same-subnet',
      [outside]: denied,
    },
  )
  const homes = [
    { id: 'subnet-1', addresses: [victim], prefixes: [] },
    { id: 'subnet-2', addresses: [second], prefixes: [] },
  ]
  expect(
    { groups: [], acls, subnets: homes },
    { [inner]: denied, [neighbour]: 'undecided same-subnet', [outside]: denied },
  )
  const told = [{ id: 'subnet-1', addresses: [victim], prefixes: [prefix('10.0.1.0/26')] }]
  expect(
    { groups: [], acls: [{ acl: strict, addresses: [victim, second], subnets: [] }], subnets: told },
    {
      [inner]: 'allowed no-border',
      [neighbour]: denied,
    },
  )
})

test('makes one network ACL of several for a subnet', () => {
  const deny = acl('acl-deny', ['10 deny all 203.0.113.0/24'], ['10 deny all 203.0.113.0/24'])
  const acls = [
    { acl: strict, addresses: [victim], subnets: [] },
    { acl: deny, addresses: [victim], subnets: [] },
  ]
  expect(
    { groups: [], acls },
    {
      '10.0.1.5:40000 > 203.0.113.1:443 tcp': 'denied client acl egress 10 request',
      '10.0.1.5:40000 > 198.51.100.1:443 tcp': 'allowed',
      '10.0.1.5:40000 > 198.51.100.1:80 tcp': 'denied client acl egress * request',
    },
  )
})

test('keeps network ACLs of one id apart, which are different', () => {
  const open = acl('acl-strict', ['100 allow all 0.0.0.0/0'], ['100 allow all 0.0.0.0/0'])
  const acls = [
    { acl: strict, addresses: [victim], subnets: ['subnet-1'] },
    { acl: open, addresses: [second], subnets: ['subnet-2'] },
  ]
  expect(
    { groups: [], acls },
    {
      '10.0.1.5:40000 > 203.0.113.1:80 tcp': 'denied client acl egress * request',
      '10.0.1.9:40000 > 203.0.113.1:80 tcp': 'allowed',
    },
  )
})

test('takes nothing from the direction of a group that does not count', () => {
  const both = group('sg-both', ['tcp 22 192.0.2.0/24'], ['tcp 443 0.0.0.0/0'])
  const groups = [
    { group: both, direction: 'ingress' as const, addresses: [victim] },
    { group: group('sg-out', [], ['tcp 80 0.0.0.0/0']), direction: 'egress' as const, addresses: [victim] },
  ]
  const decide = decider(networkFor({ groups, acls: [] }))
  assert.equal(told(decide(connection('10.0.1.5:40000 > 203.0.113.1:443 tcp'))), 'denied client group egress * request')
})

test('does not guess which of several subnets an address is in', () => {
  const acls = [{ acl: strict, addresses: [victim, second], subnets: ['subnet-1', 'subnet-2'] }]
  const decide = decider(networkFor({ groups: [], acls }))
  assert.equal(told(decide(connection('10.0.1.5:40000 > 10.0.1.9:8080 tcp'))), 'undecided same-subnet')
})
