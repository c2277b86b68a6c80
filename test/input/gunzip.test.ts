import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { Gunzip } from '../../src/codecs/gunzip.ts'
import { defaultLimits, Expanded } from '../../src/input/expand.ts'

const runs = Number(process.env['TIDEMARK_GUNZIP_MUTATIONS'] ?? 1000)
const most = 1 << 24

const strategies = [
  constants.Z_DEFAULT_STRATEGY,
  constants.Z_FILTERED,
  constants.Z_HUFFMAN_ONLY,
  constants.Z_RLE,
  constants.Z_FIXED,
]

/** Text like that of logs, repeated bytes, noise, and matches at every distance. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(255), fc.nat(2000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(200))
        .map(([word, times]) => Buffer.concat(Array.from({ length: times }, () => word))),
      fc
        .array(fc.tuple(fc.ipV4(), fc.nat(65535), fc.constantFrom('ACCEPT OK', 'REJECT OK')), { maxLength: 60 })
        .map(lines => Buffer.from(lines.map(line => `2 123456789012 eni-0a1b ${line.join(' ')}\n`).join(''))),
    ),
    { maxLength: 12 },
  )
  .map(parts => Buffer.concat(parts))

const packed = fc
  .tuple(content, fc.integer({ min: 0, max: 9 }), fc.constantFrom(...strategies), fc.integer({ min: 1, max: 9 }))
  .map(([bytes, level, strategy, memLevel]) => ({ bytes, file: gzipSync(bytes, { level, strategy, memLevel }) }))

test('unpacks what zlib packs, at every level and by every strategy', () => {
  fc.assert(
    fc.property(packed, ({ bytes, file }) => {
      const unpacked = Gunzip.get()!.unpack(file, most)
      assert(unpacked !== null)
      assert(bytes.equals(unpacked))
    }),
    { numRuns: 400 },
  )
})

test('unpacks long content with matches at far distances', () => {
  let seed = 7
  const noise = Buffer.from({ length: 40_000 } as ArrayLike<number>).map(() => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return seed >>> 24
  })
  const bytes = Buffer.concat([noise, Buffer.alloc(300_000, 'tidemark '), noise, noise.subarray(100), noise])
  for (const level of [0, 1, 6, 9]) {
    assert(bytes.equals(Gunzip.get()!.unpack(gzipSync(bytes, { level }), most)!), `level ${level}`)
  }
})

test('a damaged file gives nothing, or what zlib gives', () => {
  fc.assert(
    fc.property(
      packed,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      fc.nat(),
      ({ file }, changes, cut) => {
        const damaged = Buffer.from(cut % 3 === 0 ? file.subarray(0, cut % file.length) : file)
        for (const [at, byte] of changes) if (damaged.length > 0) damaged[at % damaged.length] = byte
        const unpacked = Gunzip.get()!.unpack(damaged, most)
        if (unpacked !== null) assert(gunzipSync(damaged).equals(unpacked))
      },
    ),
    { numRuns: runs },
  )
})

test('reads every kind of header, and leaves to zlib what is more than one member', () => {
  const bytes = Buffer.from('version account-id\n')
  const file = gzipSync(bytes)
  const data = file.subarray(10)
  const header = (flags: number): number[] => [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]
  const text = (word: string): number[] => [...Buffer.from(`${word}\0`)]
  const unpack = (...parts: (number[] | Buffer)[]): string | null => {
    const found = Gunzip.get()!.unpack(Buffer.concat(parts.map(part => Buffer.from(part))), most)
    return found === null ? null : Buffer.from(found).toString()
  }
  assert.equal(unpack(header(0), data), bytes.toString())
  assert.equal(unpack(header(8), text('flows.log'), data), bytes.toString())
  assert.equal(unpack(header(4 | 8 | 16), [3, 0, 1, 2, 3], text('a'), text('b'), data), bytes.toString())
  assert.equal(unpack(header(8), data.subarray(0, 3)), null, 'a name without an end')
  assert.equal(unpack(header(0x20), data), null, 'a flag that nobody knows')
  assert.equal(unpack(file, file), null, 'two members')
  assert.equal(unpack(file, Buffer.from([0])), null, 'padding')
  assert.equal(Gunzip.get()!.unpack(file, 5), null, 'longer than was asked for')
})

test('two files that are unpacked side by side do not share memory', async () => {
  const contents = ['a', 'b'].map(letter => Buffer.alloc(200_000, letter))
  const files = contents.map(bytes => gzipSync(bytes))
  const [first, second] = files.map(file => {
    const open = async function* () {
      yield file
    }
    return new Expanded(open, 'gzip', file.length, defaultLimits, file)[Symbol.asyncIterator]()
  })
  const piece = await first!.next()
  const other = await second!.next()
  assert(contents[0]!.equals(piece.value!))
  assert(contents[1]!.subarray(0, other.value!.length).equals(other.value!))
})
