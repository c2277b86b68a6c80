import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { unbzip2 } from '../../src/codecs/bzip2.ts'
import { lz4, lz4Bound, unlz4 } from '../../src/codecs/lz4.ts'
import { unlzo } from '../../src/codecs/lzo.ts'
import { PackedError, PackedFull } from '../../src/codecs/packed.ts'
import { unzstd } from '../../src/codecs/unzstd.ts'
import { zstd, zstdBound } from '../../src/codecs/zstd.ts'
import { skipWithout } from '../repo.ts'
import { packedFiles } from './packed-fixtures.ts'
import { piecesOf, Random, randomFlows, readAll, textOf } from './support.ts'

type Unpack = (block: Uint8Array, out: Uint8Array) => number

function unpacked(unpack: Unpack, block: Uint8Array | number[], room = 1 << 20): Uint8Array {
  const out = new Uint8Array(room)
  return out.subarray(0, unpack(Uint8Array.from(block), out))
}

function text(unpack: Unpack, block: number[]): string {
  return Buffer.from(unpacked(unpack, block)).toString('latin1')
}

const codes = (letters: string): number[] => [...Buffer.from(letters)]

/** Bytes of which much, little or nothing repeats. */
function content(random: Random): Uint8Array {
  const bytes = new Uint8Array(random.below(5000))
  const letters = random.of(1, 2, 20, 256)
  for (let at = 0; at < bytes.length; ) {
    const copy = random.below(3) === 0 && at > 0
    const count = Math.min(bytes.length - at, 1 + random.below(300))
    const back = copy ? 1 + random.below(at) : 0
    for (let i = 0; i < count; i++) bytes[at + i] = copy ? bytes[at + i - back]! : random.below(letters)
    at += count
  }
  return bytes
}

describe('LZ4', () => {
  test('what is packed is unpacked', () => {
    const random = new Random(31)
    for (let i = 0; i < 300; i++) {
      const bytes = content(random)
      const out = new Uint8Array(lz4Bound(bytes.length))
      const packed = out.subarray(0, lz4(bytes, out))
      assert.deepEqual(unpacked(unlz4, packed, bytes.length), bytes)
    }
  })

  test('the program lz4 unpacks it', skipWithout('lz4'), () => {
    const bytes = Buffer.concat(Array.from({ length: 40 }, (_, i) => content(new Random(i))))
    const out = new Uint8Array(lz4Bound(bytes.length))
    const packed = out.subarray(0, lz4(bytes, out))
    // The legacy frame: its magic number, then blocks after their sizes.
    const head = Buffer.from([0x02, 0x21, 0x4c, 0x18, 0, 0, 0, 0])
    head.writeUInt32LE(packed.length, 4)
    const unpackedThere = execFileSync('lz4', ['-d', '-c', '-'], { input: Buffer.concat([head, packed]) })
    assert.ok(unpackedThere.equals(bytes))
  })

  test('by hand: literals, a copy that overlaps itself, long lengths', () => {
    assert.equal(text(unlz4, [0x30, ...codes('abc')]), 'abc')
    assert.equal(text(unlz4, [0x13, ...codes('x'), 1, 0, 0x10, ...codes('y')]), `${'x'.repeat(8)}y`)
    assert.equal(text(unlz4, [0x1f, ...codes('x'), 1, 0, 255, 2, 0x00]), 'x'.repeat(1 + 4 + 15 + 257))
  })

  test('damage', () => {
    const bad: number[][] = [
      [],
      [0x30, 1],
      [0xf0, 255],
      [0x10, 1, 1],
      [0x10, 1, 0, 0],
      [0x10, 1, 2, 0],
      [0x1f, 1, 1, 0],
    ]
    for (const block of bad) assert.throws(() => unpacked(unlz4, block), PackedError, `${block}`)
    assert.throws(() => unpacked(unlz4, [0x1f, 1, 1, 0, 255, 255, 0, 0], 100), PackedFull)
  })
})

describe('zstd', () => {
  const packed = (bytes: Uint8Array): Uint8Array => {
    const out = new Uint8Array(zstdBound(bytes.length))
    return out.subarray(0, zstd(bytes, out))
  }
  const big = (seed: number, count: number): Uint8Array => {
    const random = new Random(seed)
    return Buffer.concat(Array.from({ length: count }, () => content(random)))
  }
  const cases = [
    ...Array.from({ length: 150 }, (_, i) => content(new Random(i + 100))),
    ...[1, 2, 3].map(seed => big(seed, 200)),
    new Uint8Array(300_000),
    Uint8Array.from({ length: 200_000 }, (_, i) => i * i * 31 + (i >>> 7)),
  ]

  test('what is packed is unpacked', async () => {
    for (const bytes of cases) {
      const parts: Uint8Array[] = []
      for await (const part of unzstd(piecesOf(packed(bytes)))) parts.push(part)
      assert.ok(Buffer.concat(parts).equals(bytes))
    }
    assert.ok(packed(new Uint8Array(300_000)).length < 100)
  })

  test('the program zstd unpacks it', skipWithout('zstd'), () => {
    for (const bytes of [cases.slice(0, 40), cases.slice(150)].map(parts => parts.map(packed))) {
      const whole = execFileSync('zstd', ['-d', '-c'], { input: Buffer.concat(bytes), maxBuffer: 1 << 26 })
      const expected = bytes.length === 40 ? cases.slice(0, 40) : cases.slice(150)
      assert.ok(whole.equals(Buffer.concat(expected)))
    }
  })
})

// The description of the format names the instructions by their highest bits.
describe('LZO', () => {
  const end = [17, 0, 0]

  test('literals: at the beginning, short and long', () => {
    assert.equal(text(unlzo, [17 + 5, ...codes('hello'), ...end]), 'hello')
    assert.equal(text(unlzo, [1, ...codes('four'), ...end]), 'four')
    const long = 'abcdefgh'.repeat(40)
    assert.equal(text(unlzo, [0, 0, 320 - 3 - 15 - 255, ...codes(long), ...end]), long)
  })

  test('copies from near', () => {
    // 01LDDDSS: 3 bytes, 3 back; 1LLDDDSS: 6 bytes, 3 back, and two literals.
    assert.equal(text(unlzo, [20, ...codes('abc'), 0x48, 0, ...end]), 'abcabc')
    assert.equal(text(unlzo, [20, ...codes('abc'), 0xaa, 0, ...codes('xy'), ...end]), 'abcabcabcxy')
    // 0000DDSS after one to three literals: 2 bytes.
    assert.equal(text(unlzo, [20, ...codes('abc'), 0x08, 0, ...end]), 'abcab')
  })

  test('copies from far', () => {
    // 001LLLLL: 2 + 5 bytes, 4 back; one literal.
    assert.equal(text(unlzo, [21, ...codes('abcd'), 0x25, (3 << 2) | 1, 0, ...codes('z'), ...end]), 'abcdabcdabcz')
    // A length of 0 goes on in the next bytes.
    assert.equal(text(unlzo, [21, ...codes('abcd'), 0x20, 0, 7, 0, 0, ...end]), `abcd${'d'.repeat(2 + 31 + 255 + 7)}`)
    // 0001HLLL: from beyond 16 KiB, after a run of them.
    const zeros = 16400 - 4
    const run = [21, ...codes('abcd'), 0x20, ...lengthOf(zeros - 2 - 31), 0, 0]
    const back = 16400 - 16384
    const result = text(unlzo, [...run, 0x12, back << 2, 0, ...end])
    assert.equal(result, `abcd${'d'.repeat(zeros)}abcd`)
    // 0000DDSS after four literals and more: 3 bytes, 2 KiB further back.
    const filled = 2049 - 4 - 4
    const two = [21, ...codes('abcd'), 0x20, ...lengthOf(filled - 2 - 31), 0, 0, 1, ...codes('wxyz'), 0, 0, ...end]
    assert.equal(text(unlzo, two), `abcd${'d'.repeat(filled)}wxyzabc`)
  })

  test('damage', () => {
    const bad: [number[], RegExp][] = [
      [[], /cut short/],
      [[20, 97, 98], /literals past the end/],
      [[20, ...codes('abc')], /cut short/],
      [[20, ...codes('abc'), 0x4c, 9, ...end], /before the beginning/],
      [[20, ...codes('abc'), ...end, 1], /bytes after the end/],
      [[20, ...codes('abc'), 18, 0, 0], /end marker that is wrong/],
      [[0, 0, 0, 0], /cut short/],
    ]
    for (const [block, problem] of bad) assert.throws(() => unpacked(unlzo, block), problem, `${block}`)
    assert.throws(() => unpacked(unlzo, [21, ...codes('abcd'), 0x20, ...lengthOf(5000), 0, 0, ...end], 100), PackedFull)
  })

  /** Zero bytes of 255 each, then the rest, which is never 0. */
  function lengthOf(length: number): number[] {
    const zeros = Math.floor((length - 1) / 255)
    return [...Array<number>(zeros).fill(0), length - 255 * zeros]
  }
})

describe('bzip2', () => {
  test('the program bzip2 packs: the same bytes', skipWithout('bzip2'), () => {
    for (const [level, count] of [
      [1, 60],
      [9, 400],
    ] as const) {
      const random = new Random(level)
      const parts = Array.from({ length: count }, () => content(random))
      const bytes = Buffer.concat([...parts, Buffer.alloc(3000, 7), Buffer.from('aaaabbbbcccc')])
      const packed = execFileSync('bzip2', [`-${level}`, '-c'], { input: bytes, maxBuffer: 1 << 26 })
      assert.ok(bytes.equals(unpacked(unbzip2, packed, bytes.length)))
    }
  })

  test('nothing, and damage', () => {
    const none = Buffer.from('425a683917724538509000000000', 'hex')
    assert.equal(unpacked(unbzip2, none).length, 0)
    for (let length = 0; length < none.length; length++) {
      assert.throws(() => unpacked(unbzip2, none.subarray(0, length)), PackedError)
    }
    const [, base64] = packedFiles.find(([compression]) => compression === 'bz2')!
    const file = Buffer.from(base64, 'base64')
    const block = file.subarray(52, 52 + file.readUInt32LE(44))
    const whole = unpacked(unbzip2, block)
    assert.throws(() => unpacked(unbzip2, block, whole.length - 1), PackedFull)
    let refused = 0
    for (let bit = 0; bit < block.length * 8; bit += 29) {
      const altered = Uint8Array.from(block)
      altered[bit >>> 3]! ^= 1 << (bit & 7)
      try {
        // The only bits that may differ without a word are those after the end.
        assert.deepEqual(unpacked(unbzip2, altered), whole)
      } catch (error) {
        assert.ok(error instanceof PackedError, `bit ${bit}: ${error}`)
        refused++
      }
    }
    assert.ok(refused > block.length / 5)
  })
})

for (const [compression, base64] of packedFiles) {
  test(`nfdump's ${compression}: a file that it packed`, async () => {
    const { flows, account } = await readAll(Buffer.from(base64, 'base64'))
    assert.deepEqual([account.compression, account.ident, account.damages], [compression, 'fixture', []])
    assert.deepEqual(flows.map(textOf), randomFlows(14, 21).map(textOf))
  })
}
