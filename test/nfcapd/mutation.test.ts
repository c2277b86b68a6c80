import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NfcapdAccount } from '../../src/nfcapd/account.ts'
import type { NfcapdFlow } from '../../src/nfcapd/flow.ts'
import { readNfcapd } from '../../src/nfcapd/reader.ts'
import { block, commonRecord, extensionMap, layout1, layout2, v3Elements, v3Record } from './layouts.ts'
import { packedFiles } from './packed-fixtures.ts'
import { type SlowFlow, slowFlows } from './slow-reader.ts'
import { piecesOf, Random, randomFlows, wide, written } from './support.ts'

// Files altered in every way, from a seed. TIDEMARK_NFCAPD_MUTATIONS=50000 for a long run.
const count = Number(process.env['TIDEMARK_NFCAPD_MUTATIONS'] ?? 1000)
const seed = Number(process.env['TIDEMARK_SEED'] ?? 1)
/** A reader that takes longer for a file of a few KiB is hung. */
const slowMs = 2000
const memoryMax = 400 << 20

const flows = randomFlows(40, 41)
const plain = randomFlows(80, 42).filter(flow => flow.has === 0)

const files: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ['layout 2', written(flows)],
  ['layout 2, lz4', written(flows, { compression: 'lz4' })],
  ['layout 2, zstd', written(flows, { compression: 'zstd' })],
  ...packedFiles.map(([name, base64]) => [`layout 2, ${name}`, new Uint8Array(Buffer.from(base64, 'base64'))] as const),
  ['layout 2, big endian', bigEndian()],
  [
    'layout 1',
    layout1([block([extensionMap(1, []), ...plain.map((flow, i) => commonRecord(flow, 1, { short: i % 2 === 0 }))])]),
  ],
  ['layout 1, extensions', withExtensions()],
]

function bigEndian(): Uint8Array {
  const records = plain.map(flow => v3Record(v3Elements(flow, false), { little: false }))
  return layout2(
    [block(records.slice(0, 20), { little: false, type: 3 }), block(records.slice(20), { little: false, type: 3 })],
    {
      little: false,
    },
  )
}

function withExtensions(): Uint8Array {
  const random = new Random(43)
  const ids = [5, 6, 8, 9, 12, 13, 14, 17, 18, 20, 21, 22, 24, 25, 26, 27, 37, 38, 39, 40, 41, 42, 45, 46, 48]
  const extensions = Uint8Array.from({ length: 500 }, () => random.below(256))
  return layout1([
    block([extensionMap(2, ids), ...plain.slice(0, 9).map(flow => commonRecord(flow, 2, { extensions }))]),
  ])
}

/** One to six changes: bits, bytes, numbers that are odd, parts left out, repeated, exchanged. */
function mutated(original: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = original.slice()
  for (let changes = 1 + random.below(6); changes > 0; changes--) {
    // The header is a thousandth of the file, and half of what can go wrong.
    const at = random.below(random.of(bytes.length, Math.min(bytes.length, 80))) || 0
    const kind = random.below(7)
    if (bytes.length < 8) return bytes
    if (kind <= 1) bytes[at]! ^= 1 << random.below(8)
    else if (kind === 2) bytes[at] = random.of(0, 1, 0x7f, 0x80, 0xff, random.below(256))
    else if (kind === 3) {
      const value = random.of(0, 1, 3, 0xffff, 0x7fff_ffff, 0xffff_ffff, random.u32())
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(
        Math.min(at, bytes.length - 4),
        value,
        random.of(true, false),
      )
    } else if (kind === 4) bytes = bytes.slice(0, random.below(bytes.length))
    else {
      const part = bytes.slice(at, at + random.below(200))
      const to = random.below(bytes.length)
      const parts =
        kind === 5 ? [bytes.slice(0, at), bytes.slice(at + part.length)] : [bytes.slice(0, to), part, bytes.slice(to)]
      bytes = new Uint8Array(Buffer.concat(parts))
    }
  }
  return bytes
}

function sum(counts: Map<string, number>): number {
  return [...counts.values()].reduce((total, value) => total + value, 0)
}

function checkLaw(account: NfcapdAccount, seen: number): void {
  assert.equal(account.flows, seen)
  assert.equal(account.records, account.flows + sum(account.skipped))
  assert.equal(account.blocks, account.blocksRead + sum(account.skippedBlocks))
  assert.ok(account.damageCount >= account.damages.length)
  const lost = (account.skipped.get('damaged') ?? 0) + (account.skippedBlocks.get('damaged') ?? 0)
  assert.ok(account.damageCount >= lost, 'what is lost is named')
}

for (const [name, original] of files) {
  test(`${name}: altered files are read to an end, and all is accounted for`, async () => {
    const random = new Random(seed)
    let most = 0
    let sound = 0
    for (let i = 0; i < count / files.length; i++) {
      const state = `mutation ${i} of seed ${seed}`
      const bytes = mutated(original, random)
      const start = performance.now()
      let seen = 0
      const account = await readNfcapd(piecesOf(bytes, random.of(97, 4096)), flow => {
        seen++
        assert.ok(flow.first <= Number.MAX_SAFE_INTEGER && flow.number > 0)
      })
      assert.ok(performance.now() - start < slowMs, `${state} took too long`)
      checkLaw(account, seen)
      if (account.damageCount === 0) sound++
      most = Math.max(most, process.memoryUsage.rss())
    }
    assert.ok(most < memoryMax, `${most >> 20} MiB`)
    assert.ok(sound < (count / files.length) * 0.9, 'mutations hit')
  })
}

for (const [name, original] of files.filter(([name]) => name === 'layout 2' || name === 'layout 2, big endian')) {
  test(`${name}: the flows of ${count} altered files are those of a slow reader`, async t => {
    const random = new Random(seed + 1)
    let compared = 0
    for (let i = 0; i < count; i++) {
      const bytes = mutated(original, random)
      const right = slowFlows(Buffer.from(bytes))
      if (right === null) continue
      const found: SlowFlow[] = []
      await readNfcapd(piecesOf(bytes, random.of(97, 4096)), flow => found.push(slowForm(flow)))
      // A time that no number holds exactly is unknown.
      for (const flow of right) {
        if (flow.first > timeMax) flow.first = -1n
        if (flow.last > timeMax) flow.last = -1n
      }
      assert.deepEqual(found, right, `mutation ${i} of seed ${seed + 1}: ${Buffer.from(bytes).toString('hex')}`)
      compared += right.length
    }
    t.diagnostic(`${compared} flows`)
    assert.ok(compared > count)
  })
}

const timeMax = BigInt(Math.floor(Number.MAX_SAFE_INTEGER / 1000)) * 1000n

function slowForm(flow: NfcapdFlow): SlowFlow {
  const address = (a: number, b: number, c: number, d: number): string =>
    flow.version === 0 ? '' : ((wide(b, a) << 64n) | wide(d, c)).toString(16)
  return {
    first: BigInt(flow.first),
    last: BigInt(flow.last),
    packets: wide(flow.packetsLow, flow.packetsHigh),
    bytes: wide(flow.bytesLow, flow.bytesHigh),
    srcPort: flow.srcPort,
    dstPort: flow.dstPort,
    protocol: flow.protocol,
    tcpFlags: flow.tcpFlags,
    src: address(flow.src0, flow.src1, flow.src2, flow.src3),
    dst: address(flow.dst0, flow.dst1, flow.dst2, flow.dst3),
  }
}
