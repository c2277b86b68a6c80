import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NfcapdFlow } from '../../src/nfcapd/flow.ts'
import { NfcapdWriter } from '../../src/nfcapd/writer.ts'
import { skipWithout } from '../repo.ts'
import { comparable, expectedRaw } from './raw.ts'
import { fileOf, nfdump, randomFlows, rawRecords, readAll, textOf, wide, written } from './support.ts'

const compressions = ['none', 'lz4', 'zstd'] as const
/** Debian's nfdump 1.7.1 was built without zstd. */
const readByNfdump = ['none', 'lz4'] as const

describe('what is written is read back', () => {
  for (const compression of compressions) {
    test(`${compression}: every field of random flows, over several blocks`, async () => {
      const flows = randomFlows(20_000, 1)
      const { flows: read, account } = await readAll(
        written(flows, { compression, ident: 'lab', created: 1_700_000_000 }),
      )
      assert.deepEqual(account.damages, [])
      assert.equal(read.length, flows.length)
      for (let i = 0; i < flows.length; i++) assert.equal(textOf(read[i]!), textOf(flows[i]!))
      assert.ok(account.blocks > 2)
      assert.deepEqual(
        [account.layout, account.compression, account.ident, account.created, account.blocksAnnounced],
        [2, compression, 'lab', 1_700_000_000, account.blocks - 1],
      )
    })
  }

  test('the totals say what the records say', async () => {
    const flows = randomFlows(5000, 2)
    const { account } = await readAll(written(flows))
    let bytes = 0n
    let tcpPackets = 0n
    let count = 0n
    for (const flow of flows) {
      const packets = wide(flow.packetsLow, flow.packetsHigh) + wide(flow.outPacketsLow, flow.outPacketsHigh)
      bytes += wide(flow.bytesLow, flow.bytesHigh) + wide(flow.outBytesLow, flow.outBytesHigh)
      if (flow.protocol === 6) tcpPackets += packets
      count += BigInt(flow.flowsLow === 0 ? 1 : flow.flowsLow)
    }
    const { totals } = account
    assert.deepEqual(
      [totals?.bytes, totals?.packetsTcp, totals?.flows],
      [BigInt.asUintN(64, bytes), BigInt.asUintN(64, tcpPackets), count],
    )
    assert.equal(totals?.first, BigInt(Math.min(...flows.map(flow => flow.first / 1000))))
    assert.equal(totals?.last, BigInt(Math.max(...flows.map(flow => flow.last / 1000))))
  })

  test('a file without flows', async () => {
    const { flows, account } = await readAll(written([]))
    assert.deepEqual([flows.length, account.records, account.totals?.flows, account.damages], [0, 2, 0n, []])
  })
})

test('before the header is put in its place, the file says that it is not whole', async () => {
  const parts: Uint8Array[] = []
  const writer = new NfcapdWriter(bytes => parts.push(bytes.slice()))
  for (const flow of randomFlows(10, 3)) writer.add(flow)
  writer.finish()
  const { flows, account } = await readAll(Buffer.concat(parts))
  assert.deepEqual([flows.length, account.blocksAnnounced, account.blocks], [10, 0, 2])
})

test('a name of a sensor that nfdump would not read is refused', () => {
  assert.throws(() => new NfcapdWriter(() => undefined, { ident: 'x'.repeat(121) }), /ident too long/)
})

describe('nfdump reads what is written', skipWithout('nfdump'), () => {
  for (const compression of readByNfdump) {
    test(`${compression}: every field of 8,000 random flows`, t => {
      const flows = randomFlows(8000, 4)
      const path = fileOf(t, written(flows, { compression, ident: 'lab' }))
      const records = rawRecords(nfdump('-r', path, '-q', '-o', 'raw'))
      assert.equal(records.length, flows.length)
      flows.forEach((flow, i) => {
        const expected = expectedRaw(flow)
        assert.deepEqual(comparable(records[i]!, expected), expected, `flow ${i + 1}`)
      })
    })
  }

  test("its totals are the file's", t => {
    const flows = randomFlows(3000, 5)
    for (const flow of flows) {
      // nfdump adds without a look at what does not fit.
      flow.bytesHigh = flow.packetsHigh = flow.outBytesHigh = flow.outPacketsHigh = 0
    }
    const path = fileOf(t, written(flows, { ident: 'lab 7' }))
    const copy = fileOf(t, new Uint8Array(0))
    nfdump('-r', path, '-q', '-w', copy)
    assert.equal(nfdump('-r', path, '-I'), nfdump('-r', copy, '-I'))
    assert.match(nfdump('-r', path, '-I'), /^Ident: lab 7$/m)
  })

  test('it finds nothing to complain about', t => {
    for (const compression of readByNfdump) {
      const text = nfdump('-v', fileOf(t, written(randomFlows(5000, 6), { compression })))
      assert.match(text, /Type 3 blocks : 2\nRecords {7}: 5002/)
      assert.doesNotMatch(text, /error|corrupt|malformed/i)
    }
  })

  test('a file without flows', t => {
    assert.match(nfdump('-r', fileOf(t, written([])), '-I'), /^Flows: 0$/m)
  })
})

test('milliseconds are what is kept of a time', async () => {
  const flow = new NfcapdFlow()
  Object.assign(flow, { first: 1_700_000_000_123_999, last: -1 })
  const { flows } = await readAll(written([flow]))
  assert.deepEqual([flows[0]?.first, flows[0]?.last], [1_700_000_000_123_000, 0])
})
