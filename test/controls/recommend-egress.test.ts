import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Recommended } from '../../src/controls/control.ts'
import { type EgressOptions, recommendEgress } from '../../src/controls/recommend-egress.ts'
import { mark } from '../../src/conversations/connections.ts'
import type { GroupRule } from '../../src/network-rules/network.ts'
import { lets, type Made, made, type Row, ruleText } from './made-traffic.ts'

const victim = '10.130.8.94'
const subject = '20.106.124.93'
const attack: Row = { client: victim, server: subject, port: 8889, at: 1000, up: [1000, 1e6], isAttack: true }

function listOf(given: Partial<Made> & Pick<Made, 'rows'>, options: EgressOptions = {}): Recommended[] {
  return recommendEgress(made({ protect: [victim], subjects: [subject], incident: 1000, ...given }), undefined, options)
}

function only(found: readonly Recommended[]): Recommended & { rules: GroupRule[] } {
  assert.equal(found.length, 1)
  const [one] = found as [Recommended]
  assert.equal(one.artefact.what, 'security-group')
  return { ...one, rules: one.artefact.what === 'security-group' ? one.artefact.group.egress : [] }
}

const manyPeers = (port: number, count: number, row: Partial<Row> = {}): Row[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ client: victim, server: `${11 + (i % 80)}.${i % 200}.${(i * 7) % 256}.${1 + (i % 250)}`, port, ...row },
  }))

test('a few peers of a port get prefixes, many any address, and the port of the attack none', () => {
  const rows: Row[] = [
    ...[attack, { client: victim, server: '8.8.8.8', port: 53, protocol: 17, times: 100 }],
    { client: victim, server: '1.1.1.1', port: 53, protocol: 17, times: 50 },
    ...manyPeers(443, 60),
  ]
  const { rules, why, cost, kind } = only(listOf({ rows }))
  assert.equal(kind, 'security-group-egress')
  assert.deepEqual(rules.map(ruleText), ['6 443 0.0.0.0/0', '17 53 1.1.1.1', '17 53 8.8.8.8'])
  assert.match(why, /8889\/tcp/)
  assert.match(why, /100 % of 210 connections/)
  assert.match(why, /No smaller choice/)
  assert.match(cost, /443\/tcp to any address/)
})

test('neighbours share a prefix, which never holds the subject', () => {
  const peers = ['198.51.100.8', '198.51.100.9', '198.51.100.11']
  const rows = peers.map((server): Row => ({ client: victim, server, port: 5000, times: 10 }))
  const lone = only(listOf({ rows: [...rows, attack] }))
  assert.deepEqual(lone.rules.map(ruleText), ['6 5000 198.51.100.8/30'])
  const within = only(listOf({ rows: [...rows, { ...attack, server: '198.51.100.10' }], subjects: ['198.51.100.10'] }))
  assert.deepEqual(within.rules.map(ruleText), ['6 5000 198.51.100.11', '6 5000 198.51.100.8/31'])
})

test('a port that the attack used is never open to any address, however many peers it has', () => {
  const rows = [{ ...attack, port: 443 }, ...manyPeers(443, 200)]
  const { rules } = only(listOf({ rows }))
  assert.ok(rules.length > 1)
  assert.ok(rules.every(rule => !lets(rule, 6, 443, subject)))
  assert.ok(rules.every(rule => !ruleText(rule).includes('/0')))
})

test('an attack on a port that is not known closes all ports of its protocol to any address', () => {
  const rows = [{ ...attack, port: null }, ...manyPeers(443, 200)]
  assert.ok(only(listOf({ rows })).rules.every(rule => !ruleText(rule).includes('/0')))
})

test('S3 and DynamoDB are let through by their lists, where the region is known', () => {
  const s3 = { service: 'S3', region: 'us-east-2' }
  const rows: Row[] = [
    attack,
    { client: victim, server: '52.219.80.1', port: 443, times: 10 },
    { client: victim, server: '3.5.128.9', port: 443, times: 10 },
  ]
  const aws = { '52.219.80.1': s3, '3.5.128.9': s3 }
  const { rules, confirm } = only(listOf({ rows, aws }))
  assert.deepEqual(rules.map(ruleText), ['6 443 com.amazonaws.us-east-2.s3'])
  assert.match(confirm.join(), /list of AWS holds the addresses seen/)
  const other = only(listOf({ rows, aws: { '52.219.80.1': { ...s3, service: 'EC2' } } }))
  assert.deepEqual(other.rules.map(ruleText), ['6 443 3.5.128.9', '6 443 52.219.80.1'])
  const noRegion = only(listOf({ rows, aws: { '52.219.80.1': { ...s3, region: null } } }))
  assert.deepEqual(noRegion.rules.map(ruleText), ['6 443 3.5.128.9', '6 443 52.219.80.1'])
  const hostile = only(listOf({ rows, aws: { '52.219.80.1': { ...s3, region: 'x"}\n' } } }))
  assert.deepEqual(hostile.rules.map(ruleText), ['6 443 3.5.128.9', '6 443 52.219.80.1'])
})

test('IPv6 and IPv4 have rules of their own', () => {
  const six = '2600:1f18::5'
  const rows: Row[] = [
    attack,
    { client: victim, server: '192.0.2.7', port: 443 },
    { client: '2600:1f18::94', server: six, port: 443 },
  ]
  const places = { [victim]: { interface: 'eni-1' }, '2600:1f18::94': { interface: 'eni-1' } }
  const { rules, artefact } = only(listOf({ rows, places, protect: [victim, '2600:1f18::94'] }))
  assert.deepEqual(rules.map(ruleText), ['6 443 192.0.2.7', `6 443 ${six}`])
  assert.deepEqual(artefact.what === 'security-group' && [artefact.addresses, artefact.interfaces], [
    [victim, '2600:1f18::94'],
    ['eni-1'],
  ])
})

test('many peers of IPv6 open IPv6 alone', () => {
  const rows: Row[] = [
    attack,
    ...Array.from(
      { length: 30 },
      (_, i): Row => ({ client: '2600:1f18::94', server: `2a0${i % 10}:${i + 1}::1`, port: 443 }),
    ),
  ]
  const places = { [victim]: { interface: 'eni-1' }, '2600:1f18::94': { interface: 'eni-1' } }
  const { rules } = only(listOf({ rows, places, protect: [victim, '2600:1f18::94'] }))
  assert.deepEqual(rules.map(ruleText), ['6 443 ::/0'])
})

test('of a host that was taken over, no rule holds what it attacked, nor a service that it used in the attack as well', () => {
  const to = (last: number, row: Partial<Row> = {}): Row => ({
    client: victim,
    server: `10.130.8.${last}`,
    port: 22,
    times: 20,
    ...row,
  })
  const rows = [to(8), to(11), to(10, { isAttack: true }), to(9), to(9, { isAttack: true }), to(10, { port: 5000 })]
  const { rules, cost } = only(listOf({ rows, subjects: [victim] }))
  assert.deepEqual(rules.map(ruleText), ['6 22 10.130.8.8', '6 22 10.130.8.11', '6 5000 10.130.8.10'].sort())
  assert.match(cost, /20 connections with an address of the attack, or with a service that it used as well/)
})

test('a range of high ports of a peer does not open what the attack used there', () => {
  const to = (port: number, row: Partial<Row> = {}): Row => ({ client: victim, server: '10.130.8.9', port, ...row })
  const rows = [...[5000, 5001, 5002, 5004, 5005, 5006].map(port => to(port)), to(5003, { isAttack: true })]
  const { rules } = only(listOf({ rows, subjects: [victim] }))
  assert.ok(!rules.some(rule => lets(rule, 6, 5003, '10.130.8.9')))
})

test('protocols without ports are let through by their protocol', () => {
  const rows: Row[] = [
    attack,
    { client: victim, server: '192.0.2.7', protocol: 1, times: 20 },
    { client: victim, server: '192.0.2.8', protocol: 47, times: 20 },
  ]
  assert.deepEqual(only(listOf({ rows })).rules.map(ruleText), ['1 192.0.2.7', '47 192.0.2.8'])
})

test('rare traffic falls outside the share, and the cost says so', () => {
  const rows: Row[] = [
    attack,
    { client: victim, server: '192.0.2.7', port: 443, times: 1000 },
    { client: victim, server: '192.0.2.8', port: 81, times: 1 },
  ]
  const { rules, cost, why } = only(listOf({ rows }))
  assert.deepEqual(rules.map(ruleText), ['6 443 192.0.2.7'])
  assert.match(cost, /refuses what falls outside the share, 1 recorded connection with 1 peer,/)
  assert.match(why, /99\.9 % of 1,001 connections/)
  assert.equal(only(listOf({ rows }, { share: 1 })).rules.length, 2)
})

test('bytes count as much as connections', () => {
  const rows: Row[] = [
    attack,
    { client: victim, server: '192.0.2.7', port: 443, times: 1000 },
    { client: victim, server: '192.0.2.8', port: 81, up: [1e6, 1e9] },
  ]
  assert.equal(only(listOf({ rows })).rules.length, 2)
})

test('what was rejected, not answered, or has no clear beginning makes no rule, and is counted', () => {
  const rows: Row[] = [
    attack,
    { client: victim, server: '192.0.2.1', port: 443 },
    { client: victim, server: '192.0.2.2', port: 81, outcome: 'rejected', times: 3 },
    { client: victim, server: '192.0.2.3', port: 82, outcome: 'unanswered', times: 4 },
    { client: victim, server: '192.0.2.4', port: 83, marks: mark.unknownRole, times: 5 },
    { client: victim, server: '192.0.2.5', port: 84, marks: mark.isError, times: 5 },
    { client: victim, server: '192.0.2.6', port: 40_000, clientPort: 443, times: 3 },
  ]
  const { rules, cost } = only(listOf({ rows }))
  assert.deepEqual(rules.map(ruleText), ['6 443 192.0.2.1'])
  assert.match(cost, /8 connections whose beginning or service is not clear/)
  assert.match(cost, /7 connections rejected or not answered/)
})

test('without recorded answers, what was let through counts', () => {
  const rows: Row[] = [
    { ...attack, outcome: 'unanswered' },
    { client: victim, server: '192.0.2.3', port: 82, outcome: 'unanswered' },
  ]
  assert.deepEqual(only(listOf({ rows })).rules.map(ruleText), ['6 82 192.0.2.3'])
})

test('UDP that nobody answers is used all the same', () => {
  const rows: Row[] = [attack, { client: victim, server: '192.0.2.3', port: 514, protocol: 17, outcome: 'unanswered' }]
  assert.deepEqual(only(listOf({ rows })).rules.map(ruleText), ['17 514 192.0.2.3'])
})

test('a list without other traffic is empty, and says so', () => {
  const { rules, why } = only(listOf({ rows: [attack] }))
  assert.deepEqual(rules, [])
  assert.match(why, /the list is empty/)
})

test('where the hosts did not reach the attack, there is no list', () => {
  assert.deepEqual(
    listOf({ rows: [{ client: subject, server: victim, port: 22, isAttack: true }, ...manyPeers(443, 9)] }),
    [],
  )
})

test('what was first seen after the attack began, or on a port that is not approved, is to be confirmed', () => {
  const rows: Row[] = [
    attack,
    { client: victim, server: '192.0.2.1', port: 443, at: 10 },
    { client: victim, server: '192.0.2.2', port: 4444, at: 2000 },
  ]
  const { confirm } = only(listOf({ rows, approved: [443] }))
  assert.equal(confirm.length, 1)
  assert.match(
    confirm[0]!,
    /^4444\/tcp to 192\.0\.2\.2: not seen before the attack began, first at 2023-09-28T00:33:20Z/,
  )
  assert.match(confirm[0]!, /not among the approved ports: 4444\/tcp/)
  assert.doesNotMatch(only(listOf({ rows })).confirm.join(), /approved/)
})

test('many high ports of a peer share a range', () => {
  const rows: Row[] = [
    attack,
    ...Array.from({ length: 20 }, (_, i): Row => ({ client: victim, server: '10.0.0.9', port: 50_000 + i * 10 })),
  ]
  assert.deepEqual(only(listOf({ rows })).rules.map(ruleText), ['6 50000-50190 10.0.0.9'])
})

test('rules beyond the quota become fewer and wider ones, never with the port of the attack', () => {
  const rows = [
    attack,
    ...Array.from({ length: 400 }, (_, i): Row => ({ client: victim, server: `11.${i % 250}.0.1`, port: 8700 + i })),
  ]
  const { rules, why } = only(listOf({ rows }))
  assert.deepEqual(rules.map(ruleText), ['6 8700-8888 0.0.0.0/0', '6 8890-9099 0.0.0.0/0'])
  assert.match(why, /Narrower rules would be more than the quota of 60/)
  const byPort = [
    attack,
    ...Array.from({ length: 20 }, (_, i) => i).flatMap(port =>
      Array.from(
        { length: 4 },
        (_, i): Row => ({ client: victim, server: `${11 + i * 20}.${port}.0.1`, port: 700 + port }),
      ),
    ),
  ]
  const wide = only(listOf({ rows: byPort }))
  assert.equal(wide.rules.length, 20)
  assert.match(wide.why, /by port to any address/)
})

test('what the quota has no room for is said', () => {
  const rows = [
    attack,
    ...Array.from({ length: 100 }, (_, i): Row => ({ client: victim, server: '192.0.2.1', port: 100 + i })),
  ]
  const { rules, why } = only(listOf({ rows }))
  assert.equal(rules.length, 60)
  assert.match(why, /That is less than was asked for/)
  assert.match(why, /60 % of 100 connections/)
})

test('names and descriptions have only characters that AWS takes', () => {
  const rows: Row[] = [attack, ...manyPeers(443, 60), { client: victim, server: '2001:db8::1', port: 53, protocol: 17 }]
  const { rules, artefact } = only(listOf({ rows }))
  for (const { description } of rules) assert.match(description, /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{1,255}$/)
  assert.match(artefact.what === 'security-group' ? artefact.group.name : '', /^tidemark-egress-10-130-8-94$/)
})

test('each names the services and findings of the dossier that it answers', () => {
  const finding = { id: 'F5', rule: 'outbound-volume' }
  const services = [
    { id: 'S3', server: subject, port: 8889, protocol: 6, findings: [finding] },
    { id: 'S1', server: victim, port: 80, protocol: 6, findings: [{ id: 'F1', rule: 'brute-force' }] },
  ]
  assert.deepEqual(only(listOf({ rows: [attack], services })).answers, ['S3', 'F5'])
})

const host = fc.record({ a: fc.constantFrom(10, 20, 52, 198), b: fc.constantFrom(0, 106), c: fc.nat(3), d: fc.nat(7) })
const row = fc.record({
  peer: host,
  port: fc.constantFrom(22, 53, 80, 443, 8889, 9000, 9001),
  protocol: fc.constantFrom(6, 17, 1),
  times: fc.integer({ min: 1, max: 20 }),
  bytes: fc.nat(10_000),
  isSix: fc.boolean(),
})
const peerText = ({ a, b, c, d }: { a: number; b: number; c: number; d: number }, isSix: boolean): string =>
  isSix ? `2001:db8:${a}:${c}::${d + 1}` : `${a}.${b}.${c}.${d}`

test('lists let no connection of the attack through, hold the share, and fit', () => {
  const subjects = fc.uniqueArray(fc.record({ peer: host, isSix: fc.boolean() }), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 40 }),
      subjects,
      fc.array(row, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(0.5, 0.9, 0.99, 1),
      fc.integer({ min: 3, max: 60 }),
      (some, by, attacks, share, quota) => {
        const bad = by.map(({ peer, isSix }) => peerText(peer, isSix))
        const innocent = some
          .map(
            ({ peer, isSix, protocol, port, times, bytes }): Row => ({
              ...{ client: victim, server: peerText(peer, isSix), port: protocol === 1 ? null : port, protocol, times },
              ...{ up: [5, bytes], down: [5, 0] },
            }),
          )
          .filter(one => !bad.includes(one.server))
        const hostile = attacks.map(
          (one, i): Row => ({
            ...{
              client: victim,
              server: bad[i % bad.length]!,
              port: one.protocol === 1 ? null : one.port,
              protocol: one.protocol,
              isAttack: true,
            },
          }),
        )
        const given = { protect: [victim], subjects: bad, incident: 0 }
        const { rules, why } = only(
          recommendEgress(made({ ...given, rows: [...innocent, ...hostile] }), undefined, { share, quota }),
        )
        const passes = (one: Row): boolean =>
          rules.some(rule => lets(rule, one.protocol ?? 6, one.port ?? null, one.server))
        assert.ok(hostile.every(one => !passes(one)))
        for (const rule of rules) {
          const isAny = ruleText(rule).endsWith('/0')
          if (!isAny) assert.ok(bad.every(address => !lets({ ...rule, ports: null }, rule.protocol!, null, address)))
        }
        const [four, six] = [false, true].map(is => rules.filter(rule => ruleText(rule).includes(':') === is).length)
        assert.ok(four! <= quota && six! <= quota)
        const held = (of: (one: Row) => number): number => {
          const total = innocent.reduce((sum, one) => sum + of(one), 0)
          return total === 0 ? 1 : innocent.filter(passes).reduce((sum, one) => sum + of(one), 0) / total
        }
        const reached = Math.min(
          held(one => one.times!),
          held(one => one.times! * one.up![1]),
        )
        assert.ok(reached >= share - 1e-9 || /less than was asked for/.test(why))
        const turned = made({ ...given, rows: [...hostile, ...innocent].reverse(), pieces: 3 })
        assert.deepEqual(only(recommendEgress(turned, undefined, { share, quota })), {
          ...only(recommendEgress(made({ ...given, rows: [...innocent, ...hostile] }), undefined, { share, quota })),
        })
      },
    ),
    { numRuns: 300, seed: 14 },
  )
})
