import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type CaseConnections, inOrder, makeConnections, taken } from '../../src/conversations/connections.ts'
import { KeptConnections, withConnections } from '../../src/conversations/kept-connections.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { withRecordIndex } from '../../src/record-index/kept.ts'
import { openCase } from '../../src/store/case.ts'
import { temporaryFolder } from '../cli/run.ts'
import { header, linesOf } from '../rules/flows.ts'
import { scenarios } from '../rules/scenarios.ts'

/** Works with the connections of all scenarios, in blocks of a few. */
async function withKept(t: TestContext, work: (kept: KeptConnections, hosts: number) => void): Promise<void> {
  const root = temporaryFolder(t)
  writeFileSync(join(root, 'flows.log'), `${[header, ...scenarios.flatMap(linesOf)].join('\n')}\n`)
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'flows.log')], workers: 1 })
  const c = await openCase(join(root, 'case'))
  try {
    await withRecordIndex(c, 'logs', index =>
      withConnections(
        c,
        index,
        { evidence: 'logs', own: [], limits: { parts: 3, threads: 1, blockRows: 50 } },
        async kept => work(kept, index.dictionaries.hosts.count),
      ),
    )
  } finally {
    await c.close()
  }
}

const copyOf = (columns: CaseConnections): CaseConnections =>
  taken(
    columns,
    Uint32Array.from({ length: columns.count }, (_, i) => i),
  )

test('every block holds all connections of its clients, in order, and no other block has one of them', async t => {
  await withKept(t, kept => {
    assert.ok(kept.blocks > 20)
    const blockOf = new Map<number, number>()
    let [count, last] = [0, -1]
    for (let block = 0; block < kept.blocks; block++) {
      const columns = copyOf(kept.read(block))
      assert.equal(columns.count, kept.rowsOf(block))
      assert.deepEqual(columns, inOrder(columns))
      const clients = new Set(columns.client)
      assert.ok(columns.count <= 50 || clients.size === 1)
      for (const client of clients) {
        assert.ok(client > last)
        last = client
        blockOf.set(client, block)
      }
      count += columns.count
    }
    assert.equal(count, kept.seen.count)
    for (const [client, block] of blockOf) assert.equal(kept.blockOf(client), block)
  })
})

test('the connections of a host are found in its block, by the columns that are asked for', async t => {
  await withKept(t, (kept, hosts) => {
    const counts = new Map<number, number>()
    for (let block = 0; block < kept.blocks; block++)
      for (const client of kept.read(block, ['client']).client) counts.set(client, (counts.get(client) ?? 0) + 1)
    for (let host = 0; host < hosts; host++) {
      const columns = kept.read(kept.blockOf(host), ['client', 'end_us'])
      const { from, to } = KeptConnections.runOf(columns, host)
      assert.equal(to - from, counts.get(host) ?? 0)
      for (let i = from; i < to; i++) assert.equal(columns.client[i], host)
      assert.equal(columns.server.length, 0)
    }
    const whole = copyOf(kept.read(3))
    const { end_us } = kept.read(3, ['end_us'])
    assert.deepEqual(end_us, whole.end_us)
  })
})

test('what is kept of hosts is what their connections say', async t => {
  await withKept(t, (kept, hosts) => {
    const first = new Float64Array(hosts).fill(Number.POSITIVE_INFINITY)
    let [from_us, to_us] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let block = 0; block < kept.blocks; block++) {
      const { count, client, server, start_us, end_us } = kept.read(block)
      for (let i = 0; i < count; i++) {
        for (const host of [client[i]!, server[i]!]) first[host] = Math.min(first[host]!, start_us[i]!)
        from_us = Math.min(from_us, start_us[i]!)
        to_us = Math.max(to_us, end_us[i]!)
      }
    }
    assert.deepEqual(Float64Array.from(kept.facts(hosts).firstSeen_us), first)
    assert.deepEqual(kept.seen.span, { from_us, to_us })
    assert.deepEqual([kept.seen.rejected, kept.seen.accepted, kept.seen.answers], [true, true, true])
  })
})

test('the order of connections is that of clients, then of numbers below zero and above, and of places last', () => {
  const all = makeConnections(5)
  all.client.set([2, 1, 1, 1, 1])
  all.start_us.set([0, 5, -7, -7, -9])
  all.place.set([0, 1, 3, 2, 4])
  assert.deepEqual([...inOrder(all).place], [4, 2, 3, 1, 0])
})
