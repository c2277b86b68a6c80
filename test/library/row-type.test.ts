/** Types of rows. A wrong type fails the compiler, the test that the columns are those of the answer. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Case, type FlowsRequest, type FlowsRow, type ListedRow, queryFlows } from '../../src/index.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'

let work: Work
let c: Case

before(async () => {
  work = workFolder()
  const header = 'version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action'
  const line = '2 eni-1 10.0.0.5 203.0.113.9 50000 443 6 10 1000 1700000000 1700000060 ACCEPT'
  writeFileSync(join(work.root, 'a.log'), `${header}\n${line}\n`)
  c = await caseOf(work.root, [join(work.root, 'a.log')])
})
after(async () => {
  await c.close()
  work.close()
})

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Compiles only where both types are the same. */
function same<A, B>(_: Same<A, B>): void {}

/** A row of which every name that the type has is also a column of the answer. */
async function first<R>(answer: { rows(): AsyncIterableIterator<R> }): Promise<R> {
  for await (const row of answer.rows()) return row
  throw new Error('no rows')
}

test('groups have their keys, by the names of the columns', async () => {
  const row = await first(
    await queryFlows(c, { by: ['srcip4/24', 'dstport', 'dir'], distinct: ['dstip'], percentiles: ['bytes/95'] }),
  )
  same<typeof row.srcaddr_net4, string | null>(true)
  same<typeof row.dstport, number | null>(true)
  same<typeof row.flow_direction, string | null>(true)
  same<typeof row.distinct_dstaddr, number | bigint>(true)
  same<typeof row.bytes_p95, number | bigint | null>(true)
  same<typeof row.duration, number | bigint | null>(true)
  const { srcaddr_net4, dstport, distinct_dstaddr, bytes_p95, duration } = row
  assert.deepEqual(
    { srcaddr_net4, dstport, distinct_dstaddr, bytes_p95, duration },
    { srcaddr_net4: '10.0.0.0/24', dstport: 443, distinct_dstaddr: 1, bytes_p95: 1000, duration: 60_000 },
  )
})

test('a ranking has its element, and the protocol where it is split by it', async () => {
  const row = await first(await queryFlows(c, { stat: { element: 'port', perProtocol: true }, order: 'bytes' }))
  same<typeof row.port, number | bigint | null>(true)
  same<typeof row.protocol, number | null>(true)
  assert.deepEqual([row.port, row.protocol], [443, 6])
  const connection = await first(await queryFlows(c, { stat: { element: 'record' } }))
  assert.deepEqual([connection.srcaddr, connection.dstport], ['10.0.0.5', 443])
})

test('time bins, both ways and a comparison have columns of their own', async () => {
  const bin = await first(await queryFlows(c, { bin_ms: 60_000, by: ['proto'] }))
  assert.deepEqual([bin.bin, bin.protocol], ['2023-11-14T22:13:00Z', 6])
  const both = await first(await queryFlows(c, { bidirectional: true }))
  assert.deepEqual([both.srcaddr, both.out_bytes], ['10.0.0.5', 0])
  const pair = await first(await queryFlows(c, { bidirectional: true, by: ['dstport'] }))
  assert.deepEqual([pair.dstport, pair.pairs], [443, 1])
  const filter = 'between 2023-11-14T22:13:00 and 2023-11-14T22:15:00'
  const compared = await first(await queryFlows(c, { filter, compare: 'previous', by: ['proto'] }))
  assert.deepEqual([compared.bytes, compared.bytes_before, compared.bytes_change], [1000, 0, 1000])
})

test('a list has the fields of its records', async () => {
  const row = await first(await queryFlows(c, { filter: 'dst port 443' }))
  same<typeof row, ListedRow>(true)
  assert.deepEqual([row.line, row.srcaddr, row.bytes, row.start], [2, '10.0.0.5', 1000, '2023-11-14T22:13:20Z'])
})

test('a request that is not written out has any column', async () => {
  const request: FlowsRequest = { by: ['proto'] }
  const row = await first(await queryFlows(c, request))
  same<typeof row, FlowsRow>(true)
  assert.equal(row['protocol'], 6)
})

test('an order that does not exist is refused by the compiler, and by the library', async () => {
  // @ts-expect-error
  await assert.rejects(queryFlows(c, { by: ['proto'], order: 'size' }), /unknown order: size/)
})
