// Captures, altered at random: nothing throws, nothing hangs, memory stays bounded, and the accounts add up. The seed is fixed, so a
// failure comes again; TIDEMARK_MUTATIONS sets how many inputs there are of each kind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CaptureDecoder, CaptureReader } from '../../src/packet/capture.ts'
import { Decoder } from '../../src/packet/decode.ts'
import { Packet } from '../../src/packet/packet.ts'
import { reasonNames } from '../../src/packet/reasons.ts'
import { type Chance, chanceFrom, setting } from '../robustness/support.ts'
import { Section } from './blocks.ts'
import { type Bytes, ethernet, hex, ipv4, ipv6, pcap, tcp, udp, vlan, zeros } from './build.ts'
import { readAll } from './reading.ts'
import { type Framed, slowPcap, slowPcapng } from './slow-framing.ts'

const inputs = setting('MUTATIONS', 2000)

const inner = ipv4({ protocol: 6 }, tcp(40000, 443, 2, [1, 2, 3]))
const packets: Bytes[] = [
  ethernet(0x0800, inner),
  ethernet(0x8100, vlan(5, 0x86dd, ipv6({ next: 0 }, [44, 0, ...zeros(6), 17, 0, 0, 1, ...zeros(4), ...udp(53, 53)]))),
  ethernet(0x0800, ipv4({ protocol: 17 }, udp(50000, 4789, [...hex('08000000 00abcd00'), ...ethernet(0x0800, inner)]))),
  ethernet(
    0x0800,
    ipv4({ protocol: 17 }, udp(50000, 6081, [...hex('0200 6558 00abcd00'), ...zeros(8), ...ethernet(0x0800, inner)])),
  ),
  ethernet(
    0x0800,
    ipv4({ protocol: 17 }, udp(50000, 2152, [...hex('36ff 0033 00000005 0001 00 85 01 0010 00'), ...inner])),
  ),
  ethernet(
    0x0800,
    ipv4({ protocol: 47 }, [...hex('1000 88be 00000000 1000 0064 00000000'), ...ethernet(0x0800, inner)]),
  ),
  ethernet(0x8847, [...hex('00020140'), ...inner]),
  ethernet(0x8864, [...hex('1100 0007 0021 0021'), ...inner]),
  ethernet(0x0800, ipv4({ protocol: 17, fragment: 0x2000, id: 7 }, udp(53, 53, zeros(8)))),
  ethernet(0x0800, ipv4({ protocol: 17, fragment: 2, id: 7 }, zeros(8))),
  ethernet(40, [...hex('aaaa03 000000 0800'), ...inner]),
  ethernet(0x0806, zeros(28)),
]

const section = new Section()
const seeds: Record<string, Uint8Array> = {
  pcap: pcap(packets.map(bytes => ({ bytes }))),
  pcapng: Uint8Array.from(
    [
      section.header(),
      section.interface(1, 0, [[9, [9]]]),
      section.interface(101, 96, [
        [9, [0x8a]],
        [14, zeros(8)],
      ]),
      section.block(4, zeros(16)),
      ...packets.map((bytes, i) => section.enhanced(i % 2, 1_700_000_000_000_000n, bytes)),
      section.simple(60, packets[0]!),
      section.obsolete(0, 1, 5n, packets[0]!),
      section.statistics(0, [[5, zeros(8)]]),
      new Section(true).header(),
      new Section(true).interface(1),
      new Section(true).enhanced(0, 5n, packets[2]!),
    ].flat(),
  ),
}

const exact = BigInt(Number.MAX_SAFE_INTEGER)

const nasty = [0, 1, 0x7f, 0x80, 0xff, 0x45, 0x60, 0x08]

/** Between one and eight changes: bytes and words set, stretches cut out, doubled or moved, the end cut off. */
function mutated(seed: Uint8Array, random: Chance): Uint8Array {
  let bytes = seed.slice()
  for (let changes = 1 + random.int(0, 7); changes > 0; changes--) {
    const at = random.int(0, bytes.length - 1)
    const length = 1 + random.int(0, 39)
    switch (random.int(0, 5)) {
      case 0:
        bytes[at] = random.int(0, 255)
        break
      case 1:
        bytes[at] = random.pick(nasty)
        break
      case 2:
        bytes.fill(random.pick(nasty), at, at + 4)
        break
      case 3:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)])
        break
      case 4:
        bytes.copyWithin(at, random.int(0, bytes.length - 1), random.int(0, bytes.length - 1))
        break
      default:
        if (random.int(0, 7) === 0) bytes = bytes.slice(0, at)
    }
    if (bytes.length === 0) return bytes
  }
  return bytes
}

for (const [name, seed] of Object.entries(seeds)) {
  test(`${name}: ${inputs} altered captures are read to the end or to named damage`, t => {
    const random = chanceFrom(20_260_101)
    let slowest = 0
    let damaged = 0
    let decoded = 0
    for (let input = 0; input < inputs; input++) {
      const bytes = mutated(seed, random)
      const started = performance.now()
      const capture = new CaptureDecoder(packet => {
        assert.ok(Number.isSafeInteger(packet.time) && packet.ipBytes >= 0 && packet.payload >= 0)
        assert.ok(packet.srcPort <= 0xffff && packet.dstPort <= 0xffff && packet.srcPort >= 0 && packet.dstPort >= 0)
      })
      // All of it at once, and the rest in two pieces.
      const half = input % 2 === 0 ? bytes.length : random.int(0, bytes.length - 1)
      capture.feed(bytes.subarray(0, half))
      capture.feed(bytes.subarray(half))
      capture.end()
      slowest = Math.max(slowest, performance.now() - started)
      const { damage, notRead, size } = capture.reader
      assert.equal(size, bytes.length)
      if (damage !== null) {
        damaged++
        assert.ok(damage.offset >= 0 && damage.offset <= size && notRead === size - damage.offset, `input ${input}`)
      }
      decoded += capture.accounts.decoded
    }
    t.diagnostic(`${damaged} damaged, ${decoded} packets decoded, the slowest took ${slowest.toFixed(1)} ms`)
    assert.ok(slowest < 1000)
    assert.ok(damaged > inputs / 10 && decoded > inputs, 'the changes reach all depths')
  })

  test(`${name}: of ${inputs} altered captures, packets, times, lengths and content are those of a slow reader`, t => {
    const random = chanceFrom(20_260_102)
    const slow = name === 'pcap' ? slowPcap : slowPcapng
    let compared = 0
    for (let input = 0; input < inputs; input++) {
      const bytes = mutated(seed, random)
      // Altered in its first bytes it is another format, or none.
      if (Buffer.compare(bytes.subarray(0, 4), seed.subarray(0, 4)) !== 0) continue
      const found: Framed[] = []
      const reader = new CaptureReader(({ linkType, timed, time, wireLength, bytes: held, from, to }) =>
        found.push({
          linkType,
          time: timed ? BigInt(time) : null,
          wire: wireLength,
          bytes: Buffer.from(held.slice(from, to)),
        }),
      )
      const half = random.int(0, bytes.length)
      reader.feed(bytes.slice(0, half))
      reader.feed(bytes.slice(half))
      reader.end()
      const right = slow(Buffer.from(bytes))
      const where = `input ${input}: ${Buffer.from(bytes).toString('hex')}`
      assert.equal(reader.damage?.offset ?? null, right.stops, where)
      assert.equal(found.length, right.packets.length, where)
      for (const [i, packet] of right.packets.entries()) {
        // A time beyond what a number holds exactly is set to the nearest that does, and counted.
        if (packet.time !== null && (packet.time > exact || packet.time < -exact)) packet.time = found[i]!.time
        assert.deepEqual(
          { ...found[i], bytes: found[i]!.bytes.toString('hex') },
          { ...packet, bytes: packet.bytes.toString('hex') },
          where,
        )
      }
      compared += found.length
    }
    t.diagnostic(`${compared} packets`)
    assert.ok(compared > inputs)
  })

  test(`${name}: the pieces make no difference, whatever they are`, () => {
    const random = chanceFrom(7)
    for (let input = 0; input < inputs / 25; input++) {
      const bytes = input === 0 ? seed : mutated(seed, random)
      const whole = readAll(bytes)
      for (const sizes of [[1], [1 + random.int(0, 49), 1 + random.int(0, 8), 1 + random.int(0, 199)]]) {
        const split = readAll(bytes, sizes)
        assert.deepEqual(split.packets, whole.packets)
        assert.deepEqual(split.damage, whole.damage)
        assert.deepEqual(split.accounts, whole.accounts)
      }
    }
  })
}

/** So many reach every reason. */
const alone = Math.max(50_000, 10 * inputs)

test(`${alone} altered packets are decoded, or there is a reason, and nothing around them is read`, t => {
  const random = chanceFrom(31)
  const decoder = new Decoder()
  const links = [...new Array<number>(16).fill(1), 0, 9, 12, 50, 51, 101, 104, 107, 108, 113, 228, 229, 276]
  const packet = new Packet()
  const reasons = new Map<number, number>()
  for (let input = 0; input < alone; input++) {
    const original = Uint8Array.from(random.pick(packets))
    for (let changes = random.int(0, 3); changes > 0; changes--) {
      original[random.int(0, original.length - 1)] = random.int(0, 1) === 0 ? random.pick(nasty) : random.int(0, 255)
    }
    const linkType = random.pick(links)
    const from = linkType === 1 ? 0 : random.int(0, 14)
    const to = random.int(0, 2) === 0 ? from + random.int(0, original.length - from - 1) : original.length
    // With zeros around it, with ones, and with nothing.
    const outcomes = [0x00, 0xff, null].map(around => {
      const margin = around === null ? 0 : 50
      const bytes = new Uint8Array(to - from + 2 * margin).fill(around ?? 0)
      bytes.set(original.subarray(from, to), margin)
      packet.time = input
      const reason = decoder.decode(bytes, margin, margin + to - from, original.length - from, linkType, packet)
      return reason === 0 ? JSON.stringify(packet) : String(reason)
    })
    assert.equal(outcomes[0], outcomes[1], `input ${input}`)
    assert.equal(outcomes[0], outcomes[2], `input ${input}`)
    const reason = outcomes[0]!.startsWith('{') ? 0 : Number(outcomes[0])
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  t.diagnostic(`by reason: ${JSON.stringify([...reasons].sort(([a], [b]) => a - b))}`)
  assert.equal(reasons.size, reasonNames.length - 2) // all but the link types and interfaces that are unknown
})

test('memory does not grow with what a file claims', () => {
  // A block that claims 16 MiB, of which 100 bytes come, many times over.
  const claim = Uint8Array.from([...section.header(), ...section.u32(0x1234), ...section.u32(16 << 20), ...zeros(92)])
  const readers: CaptureDecoder[] = []
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 100; i++) {
    const capture = new CaptureDecoder(() => {})
    capture.feed(claim)
    readers.push(capture)
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < readers.length * (64 << 10))
  for (const reader of readers) reader.end()
  assert.ok(readers.every(({ reader }) => reader.damage?.kind === 'cut'))
})
