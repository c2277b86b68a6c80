import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompiledRules, type RuledConnections } from '../../src/network-rules/compiled.ts'
import type { Decision } from '../../src/network-rules/decision.ts'
import { type Connection, decider } from '../../src/network-rules/evaluate.ts'
import { slowDecision, type ToldNetwork } from './oracle.ts'
import { asConnection, asNetwork, Chance, randomConnection, randomConnections, randomNetwork } from './random-rules.ts'
import { acl, connection, group, network, networkInterface, prefix, subnet } from './support.ts'

const seed = Number(process.env['TIDEMARK_SEED'] ?? 14)
const ruleSets = Number(process.env['TIDEMARK_RULE_SETS'] ?? 10_000)
const hostPrefixes = ['10.0.0.0/24', '10.0.1.200', '203.0.113.0/24', '2001:db8::/32', '0.0.0.0/0'] as const
const marks = { unknownRole: 16, isError: 32 }

/** Connections as columns, with the dictionary of their hosts. */
function columnsOf(connections: readonly Connection[]): {
  columns: RuledConnections
  hi: BigUint64Array
  lo: BigUint64Array
} {
  const numbers = new Map<string, number>()
  const hosts: Connection['client'][] = []
  const numberOf = (host: Connection['client']): number => {
    const key = `${host.hi}/${host.lo}`
    if (!numbers.has(key)) numbers.set(key, hosts.push(host) - 1)
    return numbers.get(key)!
  }
  const { length: count } = connections
  const columns: RuledConnections = {
    count,
    client: Uint32Array.from(connections, one => numberOf(one.client)),
    server: Uint32Array.from(connections, one => numberOf(one.server)),
    clientPort: Uint32Array.from(connections, one => one.clientPort ?? 0x10000),
    port: Uint32Array.from(connections, one => one.serverPort ?? 0x10000),
    protocol: Uint16Array.from(connections, one => one.protocol ?? 0x100),
    start_us: Float64Array.from(connections, one => one.start_us),
    end_us: Float64Array.from(connections, one => one.end_us),
    marks: Uint8Array.from(
      connections,
      one => (one.unknownRole ? marks.unknownRole : 0) | (one.isError ? marks.isError : 0) | 1,
    ),
  }
  return {
    columns,
    hi: BigUint64Array.from(hosts, ({ hi }) => hi),
    lo: BigUint64Array.from(hosts, ({ lo }) => lo),
  }
}

test(`decides connections under ${ruleSets} random rule sets in three ways alike`, () => {
  const verdicts = new Map<string, number>()
  for (let round = 0; round < ruleSets; round++) {
    const chance = new Chance(seed * 1_000_003 + round)
    const told = randomNetwork(chance)
    const network = asNetwork(told)
    const from_us = chance.is(0.3) ? 100 : null
    const decide = decider(network, { from_us })
    const asked = randomConnections(chance, 12, 4)
    const connections = asked.map(asConnection)
    const plain = connections.map(one => decide(one))
    for (const [i, one] of asked.entries()) {
      const slow = slowDecision(told, one, from_us)
      if (JSON.stringify(slow) !== JSON.stringify(plain[i]))
        assert.deepEqual(plain[i], slow, `seed ${seed}, round ${round}: ${JSON.stringify({ one, from_us, told })}`)
      const name = plain[i]!.verdict === 'undecided' ? plain[i]!.reason : JSON.stringify({ ...plain[i], by: undefined })
      verdicts.set(name, (verdicts.get(name) ?? 0) + 1)
    }
    const untyped = connections.map(one => ({ ...one, icmp: null }))
    const { columns, hi, lo } = columnsOf(untyped)
    const rules = new CompiledRules(network, { count: hi.length, hi, lo }, marks, { from_us })
    const codes = new Uint32Array(columns.count)
    rules.decide(columns, codes)
    for (const [i, one] of untyped.entries()) {
      const compiled = rules.decisions[codes[i]!]
      const wanted = decide(one)
      if (JSON.stringify(compiled) !== JSON.stringify(wanted))
        assert.deepEqual(
          compiled,
          wanted,
          `seed ${seed}, round ${round}: ${JSON.stringify({ one: asked[i], from_us, told })}`,
        )
    }
  }
  // Every answer comes up, or the agreement says little about it.
  assert.ok(verdicts.size >= 22, JSON.stringify([...verdicts]))
  for (const [name, count] of verdicts) assert.ok(count >= ruleSets / 2000, `${name}: ${count}`)
})

test('keeps what it decided, whatever the unknown turns out to be', () => {
  const verdictOf = (decision: Decision): string =>
    decision.verdict === 'denied' ? `denied ${decision.by.stops}` : decision.verdict
  let decided = 0
  for (let round = 0; round < ruleSets / 10; round++) {
    const chance = new Chance(seed * 1_000_003 + round)
    const told: ToldNetwork = { ...randomNetwork(chance), others: 'undecided' }
    const decide = decider(asNetwork(told))
    const lists = told.lists.map(one => ({
      ...one,
      prefixes: one.prefixes ?? chance.some(2, () => chance.one(hostPrefixes)),
    }))
    const groups = ['sg-a', 'sg-b', 'sg-c'].filter(id => told.groups.some(group => group.id === id))
    const interfaces = told.interfaces.map(one => ({
      ...one,
      groups: one.groups ?? (groups.length > 0 ? [chance.one(groups)] : []),
    }))
    const later = decider(asNetwork({ ...told, lists, interfaces }))
    for (let i = 0; i < 12; i++) {
      const one = asConnection(randomConnection(chance, true))
      const { protocol } = one
      const first = decide(one)
      if (first.verdict === 'undecided' || one.unknownRole) continue
      const isIcmp = protocol === 1 || protocol === 58
      const filled = {
        ...one,
        protocol: protocol ?? 47,
        clientPort: one.clientPort ?? (protocol === 6 || protocol === 17 ? chance.below(65_536) : null),
        serverPort: one.serverPort ?? (protocol === 6 || protocol === 17 ? chance.below(65_536) : null),
        icmp: one.icmp ?? (isIcmp ? { type: protocol === 1 ? 8 : 128, code: 0 } : null),
      }
      const second = later(filled)
      // DHCP is told by both ports, and is filtered nowhere.
      if (second.verdict === 'allowed' && second.because === 'exempt') continue
      decided++
      // A group that turns out to be there, and not to hold, stops more than was certain, never less.
      const isMore = verdictOf(first) === 'denied answers' && verdictOf(second) === 'denied all'
      if (!isMore)
        assert.equal(
          verdictOf(second),
          verdictOf(first),
          `seed ${seed}, round ${round}: ${JSON.stringify({ told, lists, interfaces })}`,
        )
    }
  }
  assert.ok(decided > ruleSets / 4, String(decided))
})

test('takes hosts apart that only a prefix list, an entry or a delegated prefix tells apart', () => {
  const hosts = ['203.0.113.1', '203.0.113.200', '192.0.2.1', '192.0.2.200', '10.0.1.16', '10.0.1.32']
  const rules = network({
    groups: [group('sg-1', ['tcp 80 pl-1', 'tcp 443 0.0.0.0/0'])],
    acls: [acl('acl-1', ['1 deny all 192.0.2.128/25', '2 allow all 0.0.0.0/0'], ['1 allow all 0.0.0.0/0'])],
    interfaces: [networkInterface('10.0.1.5', ['sg-1'], { prefixes: [prefix('10.0.1.16/28')] })],
    subnets: [subnet('subnet-1', ['10.0.1.0/24'], 'acl-1')],
    prefixLists: [{ id: 'pl-1', name: 'pl-1', prefixes: [prefix('203.0.113.128/25')], maxEntries: null }],
  })
  const connections = hosts.flatMap(host => [80, 443].map(port => connection(`${host}:40000 > 10.0.1.5:${port} tcp`)))
  const { columns, hi, lo } = columnsOf(connections)
  const compiled = new CompiledRules(rules, { count: hi.length, hi, lo }, marks)
  const codes = new Uint32Array(columns.count)
  compiled.decide(columns, codes)
  const decide = decider(rules)
  assert.deepEqual(
    [...codes].map(code => compiled.decisions[code]),
    connections.map(decide),
  )
})
