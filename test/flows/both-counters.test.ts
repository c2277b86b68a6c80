// Records of nfcapd that count both ways, and aggregates: kept, and counted as nfdump does where it is asked for.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { compile } from '../../src/filter/compile.ts'
import { contextOf, countMatches } from '../../src/filter/context.ts'
import { parse } from '../../src/filter/filter.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { has, NfcapdFlow } from '../../src/nfcapd/flow.ts'
import { NfcapdWriter } from '../../src/nfcapd/writer.ts'
import type { Case } from '../../src/store/case.ts'
import { caseOf, rowsOf, type Work, workFolder } from './support.ts'

/** Last number of the destination, bytes there, and, of those that have them, bytes back and flows. */
const flows: [to: number, bytes: number, back?: [packets: number, bytes: number, flows: number]][] = [
  [1, 1000],
  [2, 400, [7, 900, 0]],
  [2, 100, [0, 0, 5]],
  // More than 32 bits.
  [3, 10, [1, 2 ** 32 + 1, 1]],
]
let work: Work
let c: Case

before(async () => {
  work = workFolder()
  const pieces: Uint8Array[] = []
  const writer = new NfcapdWriter(bytes => pieces.push(bytes.slice()), { ident: 'both' })
  for (const [to, bytes, back] of flows) {
    const flow = new NfcapdFlow()
    Object.assign(flow, { src2: 0xffff, src3: 0x0a000009, dst2: 0xffff, dst3: 0x0a000000 + to, protocol: 17 })
    Object.assign(flow, { srcPort: 5000, dstPort: 53, packetsLow: 1, bytesLow: bytes, first: 1.7e15, last: 1.7e15 })
    if (back !== undefined) {
      const [packets, size, count] = back
      Object.assign(flow, { has: has.counters, outPacketsLow: packets, flowsLow: count })
      Object.assign(flow, { outBytesLow: size % 2 ** 32, outBytesHigh: Math.floor(size / 2 ** 32) })
    }
    writer.add(flow)
  }
  const head = writer.finish()
  const bytes = Buffer.concat(pieces)
  bytes.set(head, 0)
  writeFileSync(join(work.root, 'nfcapd.202311142213'), bytes)
  c = await caseOf(work.root, [join(work.root, 'nfcapd.202311142213')])
})
after(async () => {
  await c.close()
  work.close()
})

test('both counters and the number of flows are kept', async () => {
  const rows = await c.db.rows('SELECT bytes, packets, flows, out_packets, out_bytes FROM packet_flows ORDER BY _line')
  assert.deepEqual(
    rows.map(row => Object.values(row).map(cell => (cell === null ? null : Number(cell)))),
    [
      [1000, 1, 1, null, null],
      [400, 1, 1, 7, 900],
      [100, 1, 5, 0, 0],
      [10, 1, 1, 1, 2 ** 32 + 1],
    ],
  )
  const context = contextOf(c, 'flows', [])
  const matched = async (text: string) =>
    (await countMatches(c, compile(parse(text, { columns: context.columns }), context))).matched
  assert.deepEqual(
    [await matched('flows > 1'), await matched('out bytes > 500'), await matched('flows = 1')],
    [1, 2, 3],
  )
})

const ranked = async (request: object): Promise<string[]> =>
  (await rowsOf(c, { limit: null, ...request })).map(row =>
    [row['dstaddr'], row['records'], row['packets'], row['bytes']].map(String).join(' '),
  )

test('-s of nfdump adds both ways, and counts aggregates as their flows', async () => {
  const stat = { element: 'dstip' }
  assert.deepEqual(await ranked({ stat, order: 'bytes', nfdump: true }), [
    `10.0.0.3 1 2 ${2 ** 32 + 11}`,
    '10.0.0.2 6 9 1400',
    '10.0.0.1 1 1 1000',
  ])
  assert.equal((await ranked({ stat, order: 'flows', nfdump: true }))[0], '10.0.0.2 6 9 1400')
  // -A prints what went in.
  assert.deepEqual((await ranked({ by: ['dstip'], order: 'bytes', nfdump: true }))[0], '10.0.0.1 1 1 1000')
})

test('else the way there counts, and the answer says that there is another', async () => {
  const request = { stat: { element: 'dstip' }, order: 'bytes' as const }
  assert.deepEqual(await ranked(request), ['10.0.0.1 1 1 1000', '10.0.0.2 2 2 500', '10.0.0.3 1 1 10'])
  const { notes } = await queryFlows(c, request)
  assert.match(notes.join(), /^2 records of nfcapd files count both ways/)
  assert.deepEqual((await queryFlows(c, { ...request, nfdump: true })).notes, [])
  const d = await investigate(c, ['10.0.0.9'])
  assert.equal(d.bytes.at_least, true)
  assert.match(d.cannot_tell.join(), /2 flow records count the way back too/)
})
