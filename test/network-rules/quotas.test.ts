import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PrefixList } from '../../src/network-rules/network.ts'
import { aclQuotas, groupQuotas, networkQuotas } from '../../src/network-rules/quotas.ts'
import { acl, group, network, networkInterface, prefix } from './support.ts'

const list = (id: string, rest: Partial<PrefixList>): PrefixList => ({
  ...{ id, name: id, prefixes: null, maxEntries: null },
  ...rest,
})

/** Used of IPv4 and IPv6; `+`: at least; `!`: too many. */
const told = (uses: ReturnType<typeof groupQuotas>) =>
  uses.map(({ used, at_least, fits }) => `${used}${at_least ? '+' : ''}${fits ? '' : '!'}`).join(' ')

test('counts rules of IPv4 and IPv6 apart, and a group as one of either', () => {
  const some = group('sg-1', ['tcp 80 0.0.0.0/0', 'tcp 80 ::/0', 'tcp 443 ::/0', 'all sg-2'], [])
  assert.equal(told(groupQuotas(some, 'ingress', [])), '2 3')
  assert.equal(told(groupQuotas(some, 'egress', [])), '0 0')
})

test('says at the 61st rule of a family and direction that it does not fit', () => {
  const rules = Array.from({ length: 60 }, (_, i) => `tcp ${i + 1} 0.0.0.0/0`)
  assert.equal(told(groupQuotas(group('sg-1', rules, [...rules, 'udp 1 0.0.0.0/0']), 'ingress', [])), '60 0')
  assert.equal(told(groupQuotas(group('sg-1', rules, [...rules, 'udp 1 0.0.0.0/0']), 'egress', [])), '61! 0')
})

test('counts a prefix list as the most entries that it can have, and one of AWS by its weight', () => {
  const lists = [
    list('pl-own', { maxEntries: 20, prefixes: [prefix('10.0.0.0/8')] }),
    list('pl-s3', { name: 'com.amazonaws.us-east-2.s3', maxEntries: null }),
    list('pl-cf', { name: 'com.amazonaws.global.cloudfront.origin-facing' }),
    list('pl-old', { prefixes: [prefix('10.0.0.0/8'), prefix('10.0.0.0/9')] }),
  ]
  const used = (id: string) => told(groupQuotas(group('sg-1', [`tcp 443 ${id}`]), 'ingress', lists))
  assert.equal(used('pl-own'), '20 0')
  assert.equal(used('pl-s3'), '1 1')
  assert.equal(used('pl-cf'), '55 55')
  assert.equal(used('pl-old'), '2+ 0')
  assert.equal(used('pl-none'), '1+ 1+')
})

test('counts entries of a network ACL by family and direction, with the last one', () => {
  const entries = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, i) => `${i + 1} allow tcp ${i + 1} ${prefix}`)
  assert.equal(told(aclQuotas(acl('acl-1', entries(19, '0.0.0.0/0'), []), 'ingress')), '20 0')
  assert.equal(told(aclQuotas(acl('acl-1', entries(20, '0.0.0.0/0'), []), 'ingress')), '21! 0')
  assert.equal(told(aclQuotas(acl('acl-1', [], entries(19, '::/0')), 'egress')), '1 20')
  assert.equal(aclQuotas(acl('acl-1', [], []), 'ingress')[0]!.most, 40)
})

test('counts groups of an interface, and of a Region, and ACLs of a VPC', () => {
  const groups = ['1', '2', '3', '4', '5', '6'].map(id => group(`sg-${id}`, []))
  const rules = network({
    groups,
    acls: [acl('acl-1', [], []), acl('acl-2', [], [])],
    interfaces: [
      networkInterface(
        '10.0.0.5',
        groups.map(({ id }) => id),
      ),
      networkInterface('10.0.0.6', ['sg-1']),
    ],
  })
  const uses = networkQuotas(rules).slice(-4)
  assert.deepEqual(
    uses.map(({ quota, used, limit, fits }) => [quota, used, limit, fits]),
    [
      ['groups of an interface', 6, 5, false],
      ['quota of rules, multiplied by that of groups', 360, 1000, true],
      ['security groups', 6, 2500, true],
      ['network ACLs of a VPC', 2, 200, true],
    ],
  )
})

test('a network without groups uses nothing of the quotas of groups', () => {
  const uses = networkQuotas(network({ acls: [acl('acl-1', [], [])] })).filter(({ used }) => used > 0)
  assert.deepEqual(
    uses.map(({ quota }) => quota),
    ['ingress entries of IPv4 of acl-1', 'egress entries of IPv4 of acl-1', 'network ACLs of a VPC'],
  )
})
