import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { has, type NfcapdFlow } from '../../src/nfcapd/flow.ts'
import { blockBytesMax } from '../../src/nfcapd/reader.ts'
import { Bytes, block, commonRecord, extensionMap, layout1, layout2, v3Elements, v3Record } from './layouts.ts'
import { randomFlows, readAll, textOf, written } from './support.ts'

/** Random flows of what every record has. */
function plainFlows(count: number, seed: number): NfcapdFlow[] {
  return randomFlows(20 + count * 3, seed)
    .filter(flow => flow.has === 0)
    .slice(0, count)
    .map((flow, i) => Object.assign(flow, { number: i + 1, engineType: 0, engineId: 0, exporter: 0, sampled: false }))
}

for (const little of [true, false]) {
  const order = little ? 'little' : 'big'

  test(`layout 2, ${order} endian`, async () => {
    const flows = plainFlows(60, 1)
    const records = flows.map(flow => v3Record(v3Elements(flow, little), { little }))
    const file = layout2([block(records, { little, type: 3 })], { little })
    const { flows: read, account } = await readAll(file)
    assert.deepEqual(account.damages, [])
    assert.equal(account.littleEndian, little)
    assert.deepEqual(read.map(textOf), flows.map(textOf))
  })

  test(`layout 1, ${order} endian: records of both types`, async () => {
    const flows = plainFlows(60, 2).map(flow => Object.assign(flow, { exporter: flow.number, received: 0 }))
    const records = flows.map((flow, i) => commonRecord(flow, 3, { little, short: i % 2 === 1 }))
    const file = layout1([block([extensionMap(3, [], little), ...records], { little })], { little, ident: 'upstream' })
    const { flows: read, account } = await readAll(file)
    assert.deepEqual(account.damages, [])
    assert.deepEqual(
      [account.ident, account.totals?.flows, account.totals?.first],
      ['upstream', 7n, 1_700_000_000_012n],
    )
    assert.deepEqual([account.totals?.last, account.totals?.sequenceFailures], [1_700_000_300_034n, 5n])
    flows.forEach((flow, i) => {
      flow.number = i + 2
    })
    assert.deepEqual(read.map(textOf), flows.map(textOf))
  })

  test(`layout 1, ${order} endian: extensions`, async () => {
    const flow = plainFlows(1, 3)[0]!
    const ids = [4, 7, 8, 10, 11, 13, 15, 16, 19, 20, 21, 22, 23, 25, 26, 27]
    const bytes = new Bytes(little)
    bytes.u16(11, 12).u32(64512, 4_200_000_000).u8(1, 2, 24, 16)
    bytes.u64(0x20010db8, 1).u64(2, 3).u32(0xc0000201).u16(100, 200)
    bytes.u64(1, 2).u32(3).u64(4, 5)
    bytes.u64(0x0123, 0x456789ab).u64(0x1123, 1).u64(0x2123, 2).u64(0x3123, 3)
    bytes.u32(...Array.from({ length: 10 }, (_, i) => 16 * i + 1))
    bytes.u32(0xc0000202).u8(0, 0, 5, 6).u32(7, 8).u64(396, 0x6a11_2233)
    const file = layout1(
      [block([extensionMap(9, ids, little), commonRecord(flow, 9, { little, extensions: bytes.done() })], { little })],
      { little },
    )
    const { flows, account } = await readAll(file)
    assert.deepEqual(account.damages, [])
    const read = flows[0]!
    assert.equal(
      read.has,
      has.misc |
        has.as |
        has.nextHop |
        has.bgpNextHop |
        has.vlan |
        has.counters |
        has.mac |
        has.mpls |
        has.router |
        has.adjacentAs,
    )
    assert.deepEqual(
      [read.input, read.output, read.srcAs, read.dstAs, read.dstTos, read.direction, read.srcMask, read.dstMask],
      [11, 12, 64512, 4_200_000_000, 1, 2, 24, 16],
    )
    assert.deepEqual([read.nextHop0, read.nextHop1, read.nextHop2, read.nextHop3], [0x20010db8, 1, 2, 3])
    assert.deepEqual([read.bgpNextHop2, read.bgpNextHop3, read.srcVlan, read.dstVlan], [0xffff, 0xc0000201, 100, 200])
    assert.deepEqual([read.outPacketsHigh, read.outPacketsLow, read.outBytesHigh, read.outBytesLow], [1, 2, 0, 3])
    assert.deepEqual([read.flowsHigh, read.flowsLow, read.router2, read.router3], [4, 5, 0xffff, 0xc0000202])
    assert.deepEqual(
      [read.inSrcMacHigh, read.inSrcMacLow, read.outSrcMacHigh, read.outSrcMacLow],
      [0x123, 0x456789ab, 0x3123, 3],
    )
    assert.deepEqual([...read.mpls], [1, 17, 33, 49, 65, 81, 97, 113, 129, 145])
    assert.deepEqual([read.engineType, read.engineId, read.nextAdjacentAs, read.previousAdjacentAs], [5, 6, 7, 8])
    assert.equal(read.received, (396 * 2 ** 32 + 0x6a11_2233) * 1000)
  })
}

describe('optional fields', () => {
  test('are zeros again in the next record', async () => {
    const [flow, next] = plainFlows(2, 4)
    const vlan = new Bytes().u32(7, 8).done()
    const labels = new Bytes().u32(...Array<number>(10).fill(99)).done()
    const records = [v3Record([...v3Elements(flow!), [6, vlan], [14, labels]]), v3Record(v3Elements(next!))]
    const { flows } = await readAll(layout2([block(records, { type: 3 })]))
    assert.deepEqual([flows[0]?.srcVlan, flows[0]?.mpls[9], flows[0]?.has], [7, 99, has.vlan | has.mpls])
    assert.equal(textOf(flows[1]!), textOf(next!))
  })

  test('events, translations, tunnels', async () => {
    const flow = plainFlows(1, 5)[0]!
    const elements: [number, Uint8Array][] = [
      [19, new Bytes().u64(396, 0).u32(77).u16(1001).u8(2, 0).done()],
      [20, new Bytes().u32(0xc0000201, 0xc0000202).done()],
      [22, new Bytes().u16(1024, 443).done()],
      [25, new Bytes().u64(396, 1).u32(12).u8(4, 0, 0, 0).done()],
      [26, new Bytes().u16(1000, 1999, 1, 1000).done()],
      [31, new Bytes().u32(1, 2, 47).done()],
      [36, new Bytes().u32(3, 4).done()],
      [42, new Bytes().u8(0, 0x40, 60, 64).done()],
      [38, new Uint8Array(32)],
      [1000, new Uint8Array(3)],
    ]
    const record = v3Record([...v3Elements(flow), ...elements], { flags: 7 })
    const { flows, account } = await readAll(layout2([block([record], { type: 3 })]))
    const read = flows[0]!
    assert.deepEqual([read.event, read.sampled, read.anonymised], [true, true, true])
    assert.deepEqual([account.events, account.sampledFlows, account.anonymisedFlows], [1, 1, 1])
    assert.deepEqual([read.eventTime, read.connection, read.firewallEvent], [(396 * 2 ** 32 + 1) * 1000, 77, 2])
    assert.deepEqual([read.firewallExtendedEvent, read.natPool, read.natEvent], [1001, 12, 4])
    assert.deepEqual([read.translatedSrc2, read.translatedDst3, read.translatedDstPort], [0xffff, 0xc0000202, 443])
    assert.deepEqual([read.blockEnd, read.tunnelProtocol, read.tunnelSrc3], [1999, 47, 1])
    assert.deepEqual(
      [read.egressVrf, read.ingressVrf, read.ttlMin, read.ttlMax, read.fragmentFlags],
      [3, 4, 60, 64, 0x40],
    )
    assert.deepEqual(
      [...account.otherElements],
      [
        ['EXlayer2', 1],
        ['element 1000', 1],
      ],
    )
  })

  test('a time that no number of microseconds can say is unknown', async () => {
    const generic = new Bytes().u64(0xffffffff, 0xffffffff).u64(396, 5).pad(48).done()
    const { flows } = await readAll(layout2([block([v3Record([[1, generic]])], { type: 3 })]))
    assert.deepEqual([flows[0]?.first, flows[0]?.last, flows[0]?.version], [-1, (396 * 2 ** 32 + 5) * 1000, 0])
  })
})

describe('damage is named, and costs no sound record before it', () => {
  const flows = plainFlows(6, 6)
  const sound = flows.map(flow => v3Record(v3Elements(flow)))
  const texts = flows.map(textOf)

  const of = async (file: Uint8Array) => {
    const { flows: read, account } = await readAll(file)
    const skipped = [...account.skipped.values()].reduce((sum, count) => sum + count, 0)
    assert.equal(account.records, account.flows + skipped)
    const lost = [...account.skippedBlocks.values()].reduce((sum, count) => sum + count, 0)
    assert.equal(account.blocks, account.blocksRead + lost)
    return { read: read.map(textOf), account, problems: account.damages }
  }

  test('a record that is longer than its block', async () => {
    const bad = sound[2]!.slice()
    bad[3] = 0x7f
    const records: Uint8Array[] = [sound[0]!, sound[1]!, bad, sound[3]!]
    const { read, problems } = await of(layout2([block(records, { type: 3 }), block([sound[4]!], { type: 3 })]))
    assert.deepEqual(read.slice(0, 2), texts.slice(0, 2))
    assert.equal(read.length, 3)
    const left = bad.length + sound[3]!.length
    const problem = `a record of ${bad[2]! + 0x7f00} bytes where ${left} are left; the rest of the block is lost, 1 more records by its head`
    assert.deepEqual(problems, [{ offset: 40, block: 1, record: 3, problem }])
  })

  test('an element that reaches past its record: only that record is lost', async () => {
    const bad = sound[1]!.slice()
    bad[14] = 0xff
    const { read, problems, account } = await of(layout2([block([sound[0]!, bad, sound[2]!], { type: 3 })]))
    assert.equal(read.length, 2)
    const problem = 'element 1 reaches past the end of the record; the record is skipped'
    assert.deepEqual(problems, [{ offset: 40, block: 1, record: 2, problem }])
    assert.equal(account.skipped.get('damaged'), 1)
  })

  test('more elements than there are, and a length below its header', async () => {
    const many = v3Record(v3Elements(flows[0]!), { count: 5 })
    const short = v3Record([[1, new Uint8Array(4)]])
    const none = sound[2]!.slice()
    none[14] = 3
    const { problems, account } = await of(layout2([block([many, short, none], { type: 3 })]))
    assert.deepEqual(
      problems.map(({ problem }) => problem.replace(/;.*/, '')),
      [
        'element 3 of 5 is past the end of the record',
        'EXgenericFlow has a length of 8',
        'element 1 has a length of 3',
      ],
    )
    assert.equal(account.flows, 0)
  })

  test('a record without an end', async () => {
    const { read, problems } = await of(
      layout2([block([sound[0]!, Uint8Array.of(11, 0, 0, 0), sound[1]!], { type: 3 })]),
    )
    assert.equal(read.length, 1)
    assert.match(problems[0]!.problem, /^a record of 0 bytes where \d+ are left/)
  })

  test('bytes that that are not a record at the end of a block', async () => {
    const { read, problems } = await of(layout2([block([sound[0]!, Uint8Array.of(1)], { type: 3, records: 1 })]))
    assert.equal(read.length, 1)
    assert.match(problems[0]!.problem, /^1 bytes that are not a record/)
  })

  test('a number of records that is wrong', async () => {
    const { read, problems } = await of(layout2([block(sound, { type: 3, records: 9 })]))
    assert.deepEqual(read, texts)
    assert.equal(problems[0]?.problem, 'the block has 6 records where its head says 9')
  })

  test('a block of an absurd size: nothing is asked for', async () => {
    const blocks = [block(sound, { type: 3 }), block([], { type: 3, size: 0xfffffff0, records: 0xffffffff })]
    const { read, problems } = await of(layout2(blocks))
    assert.deepEqual(read, texts)
    assert.equal(problems[0]?.problem, `a block of ${0xfffffff0} bytes: at most ${blockBytesMax} are taken`)
  })

  test('a file that is cut anywhere: what is whole is read', async () => {
    const file = layout2([block(sound.slice(0, 3), { type: 3 }), block(sound.slice(3), { type: 3 })])
    let seen = 0
    for (let length = 0; length < file.length; length++) {
      const { read, account } = await of(file.subarray(0, length))
      assert.ok(read.length >= seen, `at ${length}`)
      seen = read.length
      const between = length === 40 || length === 40 + block(sound.slice(0, 3)).length
      assert.equal(account.damageCount > 0, !between, `at ${length}`)
    }
    assert.equal(seen, 5)
  })

  test('a packed block that cannot be unpacked: the others are read', async () => {
    const file = written(randomFlows(30_000, 7), { compression: 'lz4' })
    const view = new DataView(file.buffer)
    const second = 40 + 12 + view.getUint32(44, true)
    file.fill(0xff, second + 100, second + 140)
    const { read, account, problems } = await of(file)
    assert.ok(read.length > 8000)
    assert.equal(account.skippedBlocks.get('damaged'), 1)
    assert.deepEqual([problems[0]?.offset, problems[0]?.block, problems.length, account.damageCount], [second, 2, 1, 1])
    assert.match(problems[0]!.problem, /^lz4: .*; the block is lost$/)
  })

  test('a map that names what every record has', async () => {
    const { read, problems } = await of(layout1([block([extensionMap(1, [1, 2, 3, 30]), commonRecord(flows[0]!, 1)])]))
    assert.deepEqual([read.length, problems], [1, []])
  })

  test('records of layout 1 without their map, or too short for it', async () => {
    const records = [
      commonRecord(flows[0]!, 5),
      extensionMap(5, [22]),
      commonRecord(flows[1]!, 5),
      extensionMap(6, [60]),
      extensionMap(7, Array<number>(60).fill(4)),
      commonRecord(flows[2]!, 5, { extensions: new Uint8Array(40) }),
    ]
    const { problems, account } = await of(layout1([block(records)]))
    assert.deepEqual(
      problems.map(({ problem }) => problem.replace(/;.*/, '')),
      [
        'the extension map 5 is missing',
        problems[1]!.problem.replace(/;.*/, ''),
        'an extension map with an extension 60, which is not known',
        'an extension map with more than 50 extensions',
      ],
    )
    assert.match(problems[1]!.problem, /^a flow record of \d+ bytes where its extensions need \d+/)
    assert.equal(account.flows, 1)
  })
})

describe('a block that unpacks to too much', () => {
  const long = Math.ceil((17 * 2 ** 20) / 255)
  const stored = (size: number): number[] => [(1 | (size << 3)) & 0xff, 0, 0]
  const bombs: [number, string, Uint8Array][] = [
    [3, 'lz4', Uint8Array.from([0x1f, 0, 1, 0, ...Array<number>(long).fill(255), 0, 0x00])],
    [1, 'lzo', Uint8Array.from([21, 1, 2, 3, 4, 0x20, ...Array<number>(long).fill(0), 1, 0, 0, 17, 0, 0])],
    // A frame with a window of 1 MiB, and blocks of one byte, 128 KiB times.
    [
      4,
      'zstd',
      Uint8Array.from([
        0x28,
        0xb5,
        0x2f,
        0xfd,
        0,
        80,
        ...Array.from({ length: 140 }, () => [2, 0, 16, 7]).flat(),
        ...stored(0),
      ]),
    ],
  ]
  for (const [packing, name, bomb] of bombs) {
    test(name, async () => {
      const flow = plainFlows(1, 12)[0]!
      const sound = block([v3Record(v3Elements(flow))], { type: 3, flags: 1 })
      const before = process.memoryUsage.rss()
      const { flows, account } = await readAll(layout2([block([bomb], { type: 3 }), sound], { packing }))
      assert.equal(account.damages[0]?.problem, `${name}: more content than a block may have; the block is lost`)
      assert.deepEqual([flows.length, account.damageCount], [1, 1])
      assert.ok(process.memoryUsage.rss() - before < 8 * blockBytesMax)
    })
  }
})

test('blocks that hold no flows are passed over and counted', async () => {
  const flow = plainFlows(1, 8)[0]!
  const rest = [
    block([new Uint8Array(20)], { type: 4 }),
    block([new Uint8Array(20)], { type: 1 }),
    block([], { type: 9 }),
  ]
  const { flows, account } = await readAll(layout2([...rest, block([v3Record(v3Elements(flow))], { type: 3 })]))
  assert.equal(flows.length, 1)
  assert.deepEqual(
    [...account.skippedBlocks],
    [
      ['array', 1],
      ['of nfdump 1.5', 1],
      ['of type 9', 1],
    ],
  )
  assert.equal(account.blocks, 4)
})

test('a block in a packed file may be plain', async () => {
  const flow = plainFlows(1, 9)[0]!
  const { flows, account } = await readAll(
    layout2([block([v3Record(v3Elements(flow))], { type: 3, flags: 1 })], { packing: 3 }),
  )
  assert.deepEqual([flows.length, account.damages], [1, []])
})

test('records that are no flows are counted by what they are', async () => {
  const types = [2, 3, 7, 8, 9, 12, 13, 14, 15, 77]
  const records = types.map(type => new Bytes().u16(type, 12, 1, 0).pad(12).done())
  const { account } = await readAll(layout2([block(records, { type: 3 })]))
  assert.deepEqual(account.damages, [])
  assert.deepEqual([...account.skipped.keys()].sort(), [
    ...['NBAR application names', 'VRF names', 'exporter', 'exporter statistics', 'extension map', 'histogram'],
    ...['interface names', 'of type 77', 'sampler'],
  ])
  assert.equal(account.skipped.get('sampler'), 2)
})

describe('files that are none', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['of another kind', new TextEncoder().encode('version account-id interface-id srcaddr'), /no file of nfdump/],
    ['of a later layout', new Bytes().u16(0xa50c, 3).pad(200).done(), /layout 3/],
    ['packed in an unknown way', layout2([], { packing: 9 }), /not known: 9/],
    ['encrypted', layout2([]).map((byte, i) => (i === 17 ? 1 : byte)), /encrypted/],
    ['empty', new Uint8Array(0), /cut short within its header/],
    ['short of layout 1', layout1([]).subarray(0, 200), /cut short within its header/],
  ]
  for (const [name, bytes, problem] of cases) {
    test(name, async () => {
      const { flows, account } = await readAll(bytes)
      assert.equal(flows.length, 0)
      assert.match(account.damages[0]!.problem, problem)
    })
  }
})

test('the size of the pieces makes no difference', async () => {
  const file = written(randomFlows(300, 10), { compression: 'lz4' })
  const whole = (await readAll(file, file.length)).flows.map(textOf)
  for (const size of [1, 7, 4096]) assert.deepEqual((await readAll(file, size)).flows.map(textOf), whole)
})
