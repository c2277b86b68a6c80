import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyFacts, FactCounter, seenIn } from '../../../src/conversations/host-facts.ts'
import { parseAddress } from '../../../src/net/address.ts'
import type { CaseConnections } from '../../../src/rules/connections.ts'
import { metadata } from '../../../src/rules/d17-metadata.ts'
import { type CaseEvidence, evidenceOf } from '../../../src/rules/evidence.ts'

/** A host that asks the metadata service once an hour into a capture, and a new host outside right after. */
function captureOf(client: string): CaseEvidence {
  // In the order of addresses.
  const addresses = [client, '169.254.169.254', '203.0.113.5'].map(text => parseAddress(text)!)
  const starts = [0, 3600, 3630, 20_000].map(seconds => seconds * 1e6)
  const u32 = (...values: number[]) => Uint32Array.from(values)
  const f64 = (...values: number[]) => Float64Array.from(values)
  const connections: CaseConnections = {
    ...{ count: 4, client: u32(0, 0, 0, 0), server: u32(1, 1, 2, 2), port: u32(80, 80, 443, 443) },
    ...{ clientPort: u32(50_000, 50_001, 50_002, 50_003), protocol: Uint16Array.of(6, 6, 6, 6) },
    ...{ start_us: f64(...starts), end_us: f64(...starts.map(start => start + 1e6)) },
    ...{ packetsUp: f64(6, 6, 6, 6), packetsDown: f64(5, 5, 5, 5) },
    ...{ bytesUp: f64(400, 400, 400, 400), bytesDown: f64(900, 900, 900, 900) },
    ...{ records: u32(2, 2, 2, 2), rejected: u32(0, 0, 0, 0), outcome: Uint8Array.of(3, 3, 3, 3) },
    ...{ confidence: Uint8Array.of(100, 100, 100, 100), marks: Uint8Array.of(3, 3, 3, 3), place: u32(0, 1, 2, 3) },
  }
  const hosts = {
    count: 3,
    hi: BigUint64Array.from(addresses, ({ hi }) => hi),
    lo: BigUint64Array.from(addresses, ({ lo }) => lo),
  }
  const isInternal = (host: number): boolean => host < 2
  const facts = emptyFacts(hosts.count)
  new FactCounter(facts, isInternal).add(connections)
  return evidenceOf({
    ...{
      source: 'packets',
      connections,
      hosts,
      hasFlags: true,
      hasSizes: true,
      hasAction: false,
      interval_us: 0,
      shortest_us: 0,
    },
    ...{ facts, seen: seenIn(connections), subject: null, lists: null },
    ...{ isInternal, isScanner: () => false, isAdministration: () => false, isApproved: () => false },
  })
}

test('D17 finds a container that asks for metadata and then speaks to a new host; the machine itself may', () => {
  const [found] = metadata.find(captureOf('10.88.0.4'), metadata.thresholds)
  assert.equal(found?.severity, 'medium')
  assert.deepEqual([found.subject, found.peers], [[0], [1, 2]])
  assert.deepEqual(metadata.find(captureOf('10.0.0.4'), metadata.thresholds), [])
})
