import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeConnections, mark, outcome } from '../../src/conversations/connections.ts'
import { emptyFacts, seenIn } from '../../src/conversations/host-facts.ts'
import { parseAddress } from '../../src/net/address.ts'
import { exposed } from '../../src/rules/d18-exposed-service.ts'
import { evidenceOf } from '../../src/rules/evidence.ts'

test('a finding may rest on more connections than a function takes arguments', () => {
  const count = 300_000
  const addresses = ['10.0.0.1', '203.0.113.5'].map(text => parseAddress(text)!)
  const connections = makeConnections(count)
  connections.client.fill(1)
  connections.port.fill(22)
  connections.protocol.fill(6)
  connections.packetsUp.fill(9)
  connections.outcome.fill(outcome.answered)
  connections.confidence.fill(100)
  connections.marks.fill(mark.opened | mark.accepted)
  const evidence = evidenceOf({
    ...{
      source: 'logs',
      connections,
      hasFlags: true,
      hasSizes: true,
      hasAction: true,
      interval_us: 60e6,
      shortest_us: 60e6,
    },
    hosts: {
      count: 2,
      hi: BigUint64Array.from(addresses, ({ hi }) => hi),
      lo: BigUint64Array.from(addresses, ({ lo }) => lo),
    },
    ...{ facts: emptyFacts(2), seen: seenIn(connections), subject: null, lists: null },
    ...{ isInternal: host => host === 0, isScanner: () => false, isAdministration: () => false },
    isApproved: () => false,
  })
  const [found] = exposed.find(evidence, exposed.thresholds)
  assert.equal(found?.connections.length, count)
  assert.deepEqual(found.scores[1], { name: 'client packets of the least', value: 9, threshold: '>= 4' })
})
