import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blockNames } from '../../src/packet/pcapng.ts'
import { Section } from './blocks.ts'
import { type Bytes, ethernet, ipv4, udp, zeros } from './build.ts'
import { fieldsOf, readAll } from './reading.ts'

const datagram = ipv4({ protocol: 17 }, udp(5353, 53, [1, 2, 3]))
const frame = ethernet(0x0800, datagram)
const time = 1_700_000_000_123_456n
const file = (...parts: Bytes[]) => Uint8Array.from(parts.flat())
const times = (bytes: Uint8Array) => readAll(bytes).packets.map(packet => packet['time'])

for (const big of [false, true]) {
  const s = new Section(big)
  const order = big ? 'big-endian' : 'little-endian'

  test(`${order}: enhanced, obsolete and simple packet blocks`, () => {
    const { packets, accounts, damage, reader } = readAll(
      file(
        s.header(),
        s.interface(1),
        s.enhanced(0, time, frame, 1500, [[2, [0, 0, 0, 1]]]),
        s.obsolete(0, 7, time + 5n, frame),
        s.obsolete(0, 0xffff, time + 6n, frame),
        s.simple(frame.length, frame),
      ),
    )
    assert.equal(damage, null)
    assert.deepEqual(
      packets.map(packet => fieldsOf(packet, 'number', 'time', 'wireLength', 'capturedLength', 'dstPort')),
      [
        [1, 123_456, 1500],
        [2, 123_461, frame.length],
        [3, 123_462, frame.length],
        [4, 123_462, frame.length], // without a time: that of the one before
      ].map(([number, us, wireLength]) => ({
        ...{ number, time: 1_700_000_000_000_000 + us!, wireLength },
        ...{ capturedLength: frame.length, dstPort: 53 },
      })),
    )
    assert.equal(accounts.untimed, 1)
    assert.equal(accounts.cut, 1)
    assert.equal(reader.pcapng?.dropsBetween, 7)
    assert.equal(reader.format, 'pcapng')
  })

  test(`${order}: interfaces with link types, names and drop counts of their own`, () => {
    const name = [...new TextEncoder().encode('eth0')]
    const { packets, reader } = readAll(
      file(
        s.header(),
        s.interface(1, 96, [[2, name]]),
        s.interface(101, 0),
        s.enhanced(1, time, datagram),
        s.enhanced(0, time, frame),
        s.statistics(0, [
          [4, s.u64(1000n)],
          [5, s.u64(2n ** 60n)],
          [7, s.u64(3n)],
        ]),
        s.statistics(9, [[5, s.u64(1n)]]),
      ),
    )
    assert.equal(packets.length, 2)
    const [first, second] = reader.interfaces
    assert.deepEqual([first?.linkType, first?.snapLength, first?.name, first?.packets], [1, 96, 'eth0', 1])
    assert.deepEqual([first?.received, first?.interfaceDrops, first?.systemDrops], [1000n, 2n ** 60n, 3n])
    assert.deepEqual([second?.linkType, second?.name, second?.interfaceDrops], [101, null, null])
  })

  test(`${order}: times in every unit come out in microseconds`, () => {
    const read = (option: Bytes, units: bigint, offset?: bigint) => {
      const list = [[9, option] as const, ...(offset === undefined ? [] : [[14, s.u64(offset)] as const])]
      return times(file(s.header(), s.interface(1, 0, list), s.enhanced(0, units, frame)))[0]
    }
    assert.equal(read([0], 1_700_000_000n), 1_700_000_000_000_000)
    assert.equal(read([3], 1_700_000_000_123n), 1_700_000_000_123_000)
    assert.equal(read([6], time), Number(time))
    assert.equal(read([9], 1_700_000_000_123_456_789n), 1_700_000_000_123_456)
    assert.equal(read([12], 1_700_000_000_123_456_789n), 1_700_000_000_123)
    assert.equal(read([0x80], 1_700_000_000n), 1_700_000_000_000_000)
    assert.equal(read([0x80 | 10], (1_700_000_000n << 10n) + 512n), 1_700_000_000_500_000)
    assert.equal(read([0x80 | 32], (1_700_000_000n << 32n) + (1n << 30n)), 1_700_000_000_250_000)
    assert.equal(read([6], 5n, 1_700_000_000n), 1_700_000_000_000_005)
    assert.equal(read([6], 5n, -1n), -999_995)
    assert.equal(read([9], 1n, -1n), -1_000_000)
    assert.equal(read([127], 2n ** 64n - 1n), 0)
  })
}

test('sections follow each other in either byte order, each with its own interfaces', () => {
  const little = new Section()
  const big = new Section(true)
  const { packets, reader, accounts } = readAll(
    file(
      little.header(),
      little.interface(1),
      little.enhanced(0, time, frame),
      big.header(),
      big.interface(101),
      big.enhanced(0, time, datagram),
      little.header(),
      little.enhanced(0, time, frame),
    ),
  )
  assert.equal(packets.length, 2)
  assert.equal(reader.pcapng?.sections, 3)
  assert.deepEqual(
    reader.interfaces.map(({ section, linkType }) => [section, linkType]),
    [
      [1, 1],
      [2, 101],
    ],
  )
  assert.equal(accounts.reasons[5], 1) // the third section describes no interface
})

test('a simple packet block ends where the limit of the first interface says', () => {
  const s = new Section()
  const { packets } = readAll(file(s.header(), s.interface(1, 42), s.simple(60, frame.slice(0, 42))))
  assert.deepEqual(fieldsOf(packets[0]!, 'capturedLength', 'wireLength', 'dstPort'), {
    ...{ capturedLength: 42, wireLength: 60, dstPort: 53 },
  })
})

test('blocks without packets are counted by kind', () => {
  const s = new Section()
  const kinds = [4, 10, 0xbad, 0xbad, 0x40000bad, 0x80000001]
  const { packets, reader } = readAll(
    file(s.header(), s.interface(1), ...kinds.map(kind => s.block(kind, zeros(8))), s.enhanced(0, time, frame)),
  )
  assert.equal(packets.length, 1)
  assert.deepEqual(
    [...reader.pcapng!.ignored],
    [
      [4, 1],
      [10, 1],
      [0xbad, 2],
      [0x40000bad, 1],
      [0x80000001, 1],
    ],
  )
  assert.equal(blockNames[4], 'name resolution')
})

test('no more than 256 kinds of blocks are told apart', () => {
  const s = new Section()
  const { reader } = readAll(file(s.header(), ...Array.from({ length: 300 }, (_, i) => s.block(1000 + i, []))))
  assert.equal(reader.pcapng!.ignored.size, 257)
  assert.equal(reader.pcapng!.ignored.get(-1), 44)
})

test('damage is named with its place, and what came before is kept', () => {
  const s = new Section()
  const good = [...s.header(), ...s.interface(1), ...s.enhanced(0, time, frame)]
  const after = s.enhanced(0, time, frame)
  const otherEnd = [...after.slice(0, -4), 1, 0, 0, 0]
  const cases: [string, Bytes, string][] = [
    ['length not a multiple of 4', [...s.u32(6), ...s.u32(33)], 'a block of 33 bytes'],
    ['length below the least', [...s.u32(6), ...s.u32(8)], 'a block of 8 bytes'],
    ['block too long', [...s.u32(6), ...s.u32(0x7ffffffc)], 'a block that claims 2147483644 bytes'],
    ['other length at the end', otherEnd, `a block of ${after.length} bytes that ends as one of 1 bytes`],
    [
      'packet longer than its block',
      s.block(6, [...zeros(12), ...s.u32(9999), ...s.u32(9999)]),
      'a packet that claims 9999 captured bytes',
    ],
    ['packet block too short', s.block(6, zeros(8)), 'a packet block of 20 bytes'],
    ['section of no byte order', s.block(0x0a0d0d0a, zeros(16)), 'no pcapng section'],
  ]
  for (const [name, bytes, problem] of cases) {
    const whole = file(good, bytes, zeros(16), after)
    const { packets, damage, reader } = readAll(whole)
    assert.equal(packets.length, 1, name)
    assert.deepEqual(damage, { kind: 'damaged', offset: good.length, problem }, name)
    assert.equal(reader.notRead, whole.length - good.length, name)
  }
})

test('what is no capture, or of a version to come, is said to be so', () => {
  const s = new Section()
  assert.deepEqual(readAll(file(s.header(2))).damage, { kind: 'unknown', offset: 0, problem: 'pcapng version 2.0' })
  assert.deepEqual(readAll(Uint8Array.from([1, 2, 3, 4, 5])).damage?.kind, 'unknown')
  assert.deepEqual(readAll(new Uint8Array(0)).damage, { kind: 'cut', offset: 0, problem: 'the file is empty' })
  assert.deepEqual(readAll(Uint8Array.of(10)).damage, { kind: 'cut', offset: 0, problem: 'cut short: 1 bytes in all' })
})

test('a section of a version to come is passed over, and the next one read (draft-ietf-opsawg-pcapng, 4.1)', () => {
  const s = new Section()
  const own = [...s.header(), ...s.interface(1), ...s.enhanced(0, time, frame)]
  const other = [...s.header(2), ...s.interface(1), ...s.enhanced(0, time, frame), ...s.block(99, zeros(8))]
  const { packets, damage, reader } = readAll(file(own, other, own))
  assert.equal(packets.length, 2)
  assert.equal(reader.pcapng?.sections, 3)
  assert.deepEqual(damage, { kind: 'unknown', offset: own.length, problem: 'pcapng version 2.0' })
})

test('pcapng 1.2 is 1.0', () => {
  const s = new Section()
  const whole = file(s.header(1, 2), s.interface(1), s.enhanced(0, time, frame))
  const { packets, damage } = readAll(whole)
  assert.deepEqual([packets.length, damage], [1, null])
})

test('times beyond what is kept exactly are counted', () => {
  const s = new Section()
  const { reader } = readAll(file(s.header(), s.interface(1), s.enhanced(0, 2n ** 64n - 1n, frame)))
  assert.equal(reader.pcapng?.timesOutOfRange, 1)
  assert.deepEqual(times(file(s.header(), s.interface(1), s.enhanced(0, 2n ** 53n, frame))), [Number.MAX_SAFE_INTEGER])
})
