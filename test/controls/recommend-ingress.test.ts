import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Recommended } from '../../src/controls/control.ts'
import { type IngressOptions, recommendIngress } from '../../src/controls/recommend-ingress.ts'
import { mark } from '../../src/conversations/connections.ts'
import type { GroupRule } from '../../src/network-rules/network.ts'
import { lets, type Made, made, type Row, ruleText } from './made-traffic.ts'

const victim = '10.130.8.94'
const subject = '20.106.124.93'
const admin = '203.0.113.5'
const attack: Row = {
  client: subject,
  server: victim,
  port: 22,
  at: 5000,
  seconds: 900,
  up: [500, 50_000],
  isAttack: true,
}
const session: Row = { client: admin, server: victim, port: 22, at: 100, seconds: 600, up: [200, 20_000] }
const web: Row[] = Array.from({ length: 30 }, (_, i) => ({ client: `198.51.${i}.7`, server: victim, port: 80 }))

function listOf(given: Partial<Made> & Pick<Made, 'rows'>, options: IngressOptions = {}): Recommended[] {
  return recommendIngress(
    made({ protect: [victim], subjects: [subject], incident: 1000, ...given }),
    undefined,
    options,
  )
}

function only(found: readonly Recommended[]): Recommended & { rules: GroupRule[] } {
  assert.equal(found.length, 1)
  const [one] = found as [Recommended]
  return { ...one, rules: one.artefact.what === 'security-group' ? one.artefact.group.ingress : [] }
}

test('SSH stays open to the addresses that worked there before the attack, and the web to all', () => {
  const one = only(
    listOf({
      rows: [attack, session, ...web, { client: subject, server: victim, port: 80, isAttack: true, times: 40 }],
    }),
  )
  assert.deepEqual(one.rules.map(ruleText), ['6 22 203.0.113.5', '6 80 0.0.0.0/0'])
  assert.equal(one.title, 'Close 22/tcp (ssh) of 10.130.8.94 to all but 1 address that worked there before')
  assert.match(one.why, /1 other address worked with a service of administration before 2023-09-28T00:16:40Z/)
  assert.match(one.why, /does not make them known: confirm each/)
  assert.deepEqual(one.confirm, [
    '203.0.113.5: 1 session with 22/tcp of 10.130.8.94 before the attack, the first connection at 2023-09-28T00:01:40Z; is it one of yours?',
  ])
  assert.match(
    one.cost,
    /The attack used 80\/tcp too, which 30 other clients need: a group cannot deny, so it is not stopped there/,
  )
  assert.doesNotMatch([one.title, one.why, one.cost].join(), /known address/)
})

test('where nobody worked there before, nobody is let in, and the text says so', () => {
  const rows: Row[] = [
    attack,
    ...web,
    { ...session, at: 2000 },
    { ...session, client: '203.0.113.6', seconds: 3, up: [14, 2000] },
    { ...session, client: '203.0.113.7', outcome: 'rejected' },
    { ...session, client: '203.0.113.8', up: [19, 90_000] },
    { ...session, client: '203.0.113.9', at: null },
    { ...session, client: '203.0.113.10', marks: mark.unknownRole },
  ]
  const one = only(listOf({ rows }))
  assert.deepEqual(one.rules.map(ruleText), ['6 80 0.0.0.0/0'])
  assert.match(one.title, /^Close .* to everyone$/)
  assert.match(one.why, /nobody is let in\. These connections begin 16 min 40 s before that\./)
  const left = '22/tcp of 10.130.8.94, the first connection at'
  const why = 'but none before the attack began: left out; add it if it is one of yours'
  assert.deepEqual(one.confirm, [
    `203.0.113.5: 1 session with ${left} 2023-09-28T00:33:20Z, ${why}`,
    `203.0.113.9: 1 session with ${left} an unknown time, ${why}`,
  ])
})

test('a session is longer than a guess, and than the interval of the log makes it look; or has more packets', () => {
  const near = (seconds: number, packets: number): number =>
    only(listOf({ rows: [attack, { ...session, seconds, up: [packets, 5000] }] })).rules.length
  assert.deepEqual([near(120, 20), near(121, 20), near(121, 19), near(5, 60), near(5, 61)], [0, 1, 0, 0, 1])
})

test('a client with many connections that look like guesses is left out, though it had a session', () => {
  const guesses: Row = { client: admin, server: victim, port: 22, up: [14, 2000], times: 40 }
  const one = only(listOf({ rows: [attack, session, guesses] }))
  assert.deepEqual(one.rules, [])
  assert.match(
    one.confirm[0]!,
    /^203\.0\.113\.5: 1 session .* but 40 connections that look like guesses or checks: left out/,
  )
  const few = only(listOf({ rows: [attack, session, { ...guesses, times: 9 }] }))
  assert.equal(few.rules.length, 1)
  const busy = only(listOf({ rows: [attack, { ...session, times: 20 }, guesses] }))
  assert.equal(busy.rules.length, 1)
})

test('names the first of many addresses that came only since the attack began', () => {
  const late = Array.from({ length: 25 }, (_, i): Row => ({ ...session, client: `203.0.113.${i + 1}`, at: 2000 }))
  const { confirm } = only(listOf({ rows: [attack, ...late] }))
  assert.equal(confirm.length, 21)
  assert.equal(confirm.at(-1), '5 more addresses that used 22/tcp only since then')
})

test('an address of the attack is never let in to administration, whatever it did before', () => {
  const rows = [attack, { ...session, client: subject }, { ...session, client: '20.106.124.92' }]
  const one = only(listOf({ rows }))
  assert.deepEqual(one.rules.map(ruleText), ['6 22 20.106.124.92'])
})

test('a service that only the attack used is closed', () => {
  const one = only(listOf({ rows: [...web, { ...attack, port: 4444 }] }))
  assert.deepEqual(one.rules.map(ruleText), ['6 80 0.0.0.0/0'])
  assert.match(one.why, /Nobody but the attack was served on 4444\/tcp: closed/)
})

test('databases stay open to internal programs that were served before the attack, however short their questions', () => {
  const ask: Row = { client: '10.130.16.4', server: victim, port: 5432, up: [6, 400], times: 50 }
  const rows: Row[] = [
    ...[attack, ask],
    { ...ask, client: '203.0.113.9' },
    { ...ask, client: '10.130.16.5', at: 2000 },
    { ...ask, client: '10.130.16.6', outcome: 'refused' },
    { ...ask, client: '10.130.16.7', port: 22 },
  ]
  const one = only(listOf({ rows }))
  assert.deepEqual(one.rules.map(ruleText), ['6 5432 10.130.16.4'])
  assert.match(one.confirm.join(), /10\.130\.16\.4: 50 connections with 5432\/tcp .* before the attack/)
  assert.match(one.confirm.join(), /10\.130\.16\.5: 50 connections with 5432\/tcp .* but none before the attack began/)
})

test('connections that may be the other way round make no rule', () => {
  const rows: Row[] = [attack, { client: '198.51.100.4', server: victim, port: 40_000, clientPort: 443 }]
  assert.deepEqual(only(listOf({ rows })).rules, [])
  assert.match(only(listOf({ rows })).cost, /1 connection whose beginning or service is not clear/)
  const other = only(listOf({ rows: [attack, { ...rows[1]!, clientPort: 1024 }] }))
  assert.deepEqual(other.rules.map(ruleText), ['6 40000 198.51.100.4'])
})

test('where the attack used only what others need, there is no list', () => {
  assert.deepEqual(
    listOf({ rows: [...web, session, { client: subject, server: victim, port: 80, isAttack: true }] }),
    [],
  )
})

test('services of few clients stay open to these, and to no address of the attack', () => {
  const rows: Row[] = [
    attack,
    { client: '198.51.100.4', server: victim, port: 9000 },
    { client: '10.130.8.7', server: victim, port: 9001 },
    { client: subject, server: victim, port: 9000 },
  ]
  assert.deepEqual(only(listOf({ rows })).rules.map(ruleText), ['6 9000 198.51.100.4', '6 9001 10.130.8.7'])
})

test('scans that nobody answered keep no service open', () => {
  const rows: Row[] = [
    attack,
    ...[1, 2, 3].map(
      (n): Row => ({ client: `198.51.100.${n}`, server: victim, port: 161, protocol: 17, outcome: 'unanswered' }),
    ),
  ]
  const one = only(listOf({ rows }))
  assert.deepEqual(one.rules, [])
  assert.match(one.cost, /No other service of these hosts was used by others/)
})

test('IPv6 clients get rules of IPv6', () => {
  const six = '2600:1f18::94'
  const rows: Row[] = [
    attack,
    { ...session, client: '2001:db8::5', server: six },
    { client: '2001:db8::9', server: six, port: 80 },
  ]
  const places = { [victim]: { interface: 'eni-1' }, [six]: { interface: 'eni-1' } }
  assert.deepEqual(only(listOf({ rows, places, protect: [victim, six] })).rules.map(ruleText), [
    '6 22 2001:db8::5',
    '6 80 ::/0',
  ])
})

test('internal addresses of one network share a rule where single ones do not fit, without those that are not allowed', () => {
  const inside = Array.from({ length: 80 }, (_, i): Row => ({ ...session, client: `10.130.9.${i + 1}` }))
  const other: Row = { client: '10.130.9.64', server: victim, port: 22, up: [14, 2000] }
  const rows = [attack, ...inside.filter(one => one.client !== other.client), other]
  const one = only(listOf({ rows }))
  assert.ok(one.rules.length <= 60 && one.rules.length > 1)
  assert.match(one.why, /Single addresses would be more than the quota of 60 rules/)
  assert.ok(!one.rules.some(rule => lets(rule, 6, 22, '10.130.9.64')))
  for (const { client } of inside.filter(of => of.client !== other.client))
    assert.ok(
      one.rules.some(rule => lets(rule, 6, 22, client)),
      client,
    )
})

test('what does not fit even so is left out, those with the fewest sessions, and said', () => {
  const outside = Array.from(
    { length: 70 },
    (_, i): Row => ({ ...session, client: `203.${i}.113.9`, times: 1 + (i % 3) }),
  )
  const one = only(listOf({ rows: [attack, ...outside, ...web] }))
  assert.equal(one.rules.length, 60)
  assert.match(one.why, /11 rules did not fit, those of the least traffic/)
  assert.ok(one.rules.some(rule => lets(rule, 6, 80, '192.0.2.1')))
  const left = outside.filter(({ client }) => !one.rules.some(rule => lets(rule, 6, 22, client)))
  assert.ok(left.every(({ times }) => times === 1))
})

test('where neither fits, services and administration share the room', () => {
  const outside = Array.from({ length: 50 }, (_, i): Row => ({ ...session, client: `203.${i}.113.9` }))
  const services = Array.from(
    { length: 70 },
    (_, i): Row => ({ client: '198.51.100.4', server: victim, port: 7000 + i, times: 9 }),
  )
  const { rules } = only(listOf({ rows: [attack, ...outside, ...services] }))
  const ssh = rules.filter(rule => rule.ports?.from === 22)
  assert.deepEqual([ssh.length, rules.length], [30, 60])
})

test('names the services and findings that it answers, and no others', () => {
  const services = [
    { id: 'S2', server: victim, port: 22, protocol: 6, findings: [{ id: 'F2', rule: 'long-session' }] },
    { id: 'S1', server: victim, port: 80, protocol: 6, findings: [{ id: 'F1', rule: 'brute-force' }] },
  ]
  assert.deepEqual(only(listOf({ rows: [attack, ...web], services })).answers, ['S2', 'F2'])
})

const client = fc.record({
  net: fc.constantFrom('203.0.113', '10.1.1', '20.106.124'),
  last: fc.integer({ min: 90, max: 99 }),
})
const use = fc.record({
  from: client,
  port: fc.constantFrom(22, 80, 3389, 9000),
  at: fc.integer({ min: 0, max: 2000 }),
  seconds: fc.constantFrom(1, 100, 500),
  packets: fc.constantFrom(5, 30, 100),
  times: fc.constantFrom(1, 1, 12),
  outcome: fc.constantFrom('answered', 'answered', 'rejected', 'refused'),
})

test('administration is open to no one without a session before, nor to the attack; what others used stays open; order does not matter', () => {
  fc.assert(
    fc.property(fc.array(use, { maxLength: 30 }), fc.integer({ min: 2, max: 60 }), (some, quota) => {
      const rows = some
        .map(
          ({ from, packets, outcome, ...rest }): Row => ({
            ...rest,
            client: `${from.net}.${from.last}`,
            server: victim,
            up: [packets, 10 * packets],
            outcome: outcome as 'answered',
          }),
        )
        .filter(one => one.client !== subject)
      const given = { protect: [victim], subjects: [subject], incident: 1000 }
      const [one] = recommendIngress(made({ ...given, rows: [attack, ...rows] }), undefined, { quota })
      const { rules } = only([one!])
      for (const port of [22, 3389]) {
        assert.ok(!rules.some(rule => lets(rule, 6, port, subject)))
        const worked = rows.filter(
          of =>
            of.port === port &&
            of.at! < 1000 &&
            of.outcome === 'answered' &&
            of.up![0] >= 20 &&
            (of.seconds! > 120 || of.up![0] > 60),
        )
        for (const { client: from } of rows)
          if (!worked.some(of => of.client === from))
            assert.ok(!rules.some(rule => lets(rule, 6, port, from)), `${port} ${from}`)
      }
      if (!/did not fit/.test(one!.why)) {
        for (const row of rows.filter(of => of.outcome === 'answered' && (of.port === 80 || of.port === 9000)))
          assert.ok(rules.some(rule => lets(rule, 6, row.port!, row.client)))
      }
      assert.ok(rules.length <= quota)
      assert.deepEqual(
        recommendIngress(made({ ...given, rows: [...rows].reverse().concat(attack), pieces: 4 }), undefined, { quota }),
        [one],
      )
    }),
    { numRuns: 200, seed: 14 },
  )
})
