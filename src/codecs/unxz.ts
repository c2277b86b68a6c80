import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Crc64 } from './crc64.ts'
import { chunkBytesMax, Lzma } from './lzma.ts'
import { PackedError, packedCheck } from './packed.ts'
import { PackedDamage, PackedInput } from './packed-input.ts'

/** As much history as `xz -9` asks for, and twice that; a block that asks for more is refused. */
const dictionaryBytesMax = 128 << 20
const headerBytes = 12
const magic = '\xfd7zXZ\0'
const footerMagic = 'YZ'
const lzma2 = 0x21
/** Bytes of each kind of check (the .xz file format, 2.1.1.2). */
const checkBytes = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64]
const filterNames = new Map([
  [3, 'delta'],
  [4, 'x86'],
  [5, 'PowerPC'],
  [6, 'IA-64'],
  [7, 'ARM'],
  [8, 'ARM-Thumb'],
  [9, 'SPARC'],
  [10, 'ARM64'],
  [11, 'RISC-V'],
])

/**
 * Unpacks xz ("The .xz File Format" 1.2.1) as it comes: any number of streams and blocks, every checksum verified that Tidemark knows.
 *
 * Written for hostile data: memory is bounded by the dictionary, work by input and output. Whatever was whole before damage is given out first.
 *
 * @throws PackedDamage
 */
export async function* unxz(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new PackedInput(pieces)
  let start = 0
  try {
    for (;;) {
      start = input.offset
      const header = await input.upTo(4)
      if (header.length === 0 && start > 0) return
      // Between streams there may be zeros, four at a time.
      if (start > 0 && header.length === 4 && header.every(byte => byte === 0)) continue
      const first = header.slice()
      const rest = await input.sure(headerBytes - first.length)
      yield* stream(input, Buffer.concat([first, rest]), place => {
        start = place
      })
    }
  } catch (error) {
    if (!(error instanceof PackedError)) throw error
    throw new PackedDamage(error.message, start)
  }
}

/** What a stream's blocks came to, which its index must say too. */
interface Totals {
  blocks: number
  packed: number
  unpacked: number
}

async function* stream(
  input: PackedInput,
  header: Buffer,
  begins: (offset: number) => void,
): AsyncGenerator<Uint8Array> {
  packedCheck(header.toString('latin1', 0, 6) === magic, 'what follows is not xz')
  packedCheck(
    header[6] === 0 && header[7]! < 16 && crc32(header.subarray(6, 8)) === header.readUInt32LE(8),
    'the header is damaged',
  )
  const check = header[7]!
  const totals: Totals = { blocks: 0, packed: 0, unpacked: 0 }
  for (;;) {
    const start = input.offset
    begins(start)
    const size = (await input.sure(1))[0]!
    if (size === 0) break
    const dictionary = await blockHeader(input, size)
    let unpacked = 0
    const checked = checkOf(check)
    for await (const piece of chunks(input, dictionary)) {
      unpacked += piece.length
      checked?.update(piece)
      yield piece
    }
    const padding = (4 - ((input.offset - start) % 4)) % 4
    packedCheck(
      (await input.sure(padding)).every(byte => byte === 0),
      'a block with something after it',
    )
    const told = Buffer.from(await input.sure(checkBytes[check]!))
    packedCheck(
      checked === null || told.equals(checked.digest()),
      'checksum wrong at the end of a block: some values may be altered',
    )
    totals.blocks++
    totals.packed += input.offset - start - padding
    totals.unpacked += unpacked
  }
  const indexBytes = await readIndex(input, totals)
  begins(input.offset)
  const footer = Buffer.from(await input.sure(headerBytes))
  const isSound =
    footer.toString('latin1', 10) === footerMagic &&
    crc32(footer.subarray(4, 10)) === footer.readUInt32LE(0) &&
    footer.readUInt32LE(4) === indexBytes / 4 - 1 &&
    footer[9] === check
  packedCheck(isSound, 'the end of the stream is damaged')
}

/** The size of the dictionary. */
async function blockHeader(input: PackedInput, sizeByte: number): Promise<number> {
  const rest = await input.sure(4 * sizeByte + 3)
  const header = Buffer.concat([Uint8Array.of(sizeByte), rest])
  const end = header.length - 4
  packedCheck(crc32(header.subarray(0, end)) === header.readUInt32LE(end), 'the header of a block is damaged')
  const flags = header[1]!
  packedCheck((flags & 0x3c) === 0, 'the header of a block is damaged')
  let at = 2
  const number = (): number => {
    const { value, next } = varint(header.subarray(0, end), at)
    at = next
    return value
  }
  // The sizes, which the index says again.
  if (flags & 0x40) number()
  if (flags & 0x80) number()
  const filter = number()
  if (filter !== lzma2) {
    throw new PackedError(
      `packed with the filter ${filterNames.get(filter) ?? filter}, which this version does not read: unpack it (xz -d) and add the result`,
    )
  }
  packedCheck((flags & 3) === 0 && number() === 1, 'the header of a block is damaged')
  const bits = header[at]!
  packedCheck(bits <= 40, 'the header of a block is damaged')
  const size = bits === 40 ? 0xffffffff : (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11)
  packedCheck(
    size <= dictionaryBytesMax,
    `it needs a dictionary of ${size} bytes, more than ${dictionaryBytesMax}: unpack it (xz -d) and add the result`,
  )
  return size
}

/** The chunks of LZMA2, unpacked. */
async function* chunks(input: PackedInput, dictionary: number): AsyncGenerator<Uint8Array> {
  const lzma = new Lzma(dictionary)
  let needsDictionary = true
  let needsProperties = true
  for (;;) {
    const control = (await input.sure(1))[0]!
    if (control === 0) return
    if (control === 1 || control >= 0xe0) {
      lzma.emptyDictionary()
      needsDictionary = false
    }
    packedCheck(!needsDictionary && (control < 3 || control >= 0x80), 'a chunk of no known kind')
    if (control < 3) {
      const size = uint16(await input.sure(2)) + 1
      const bytes = await input.sure(size)
      lzma.copy(bytes)
      yield bytes
      continue
    }
    const sizes = (await input.sure(4)).slice()
    const size = ((control & 0x1f) << 16) + uint16(sizes) + 1
    const packed = uint16(sizes.subarray(2)) + 1
    packedCheck(size <= chunkBytesMax, 'a chunk that is too large')
    if (control >= 0xc0) {
      lzma.setProperties((await input.sure(1))[0]!)
      needsProperties = false
    } else {
      packedCheck(!needsProperties, 'a chunk of no known kind')
      if (control >= 0xa0) lzma.forget()
    }
    yield lzma.unpack(await input.sure(packed), size)
  }
}

/** Reads the index after its first byte; returns its size. */
async function readIndex(input: PackedInput, totals: Totals): Promise<number> {
  const start = input.offset - 1
  let crc = crc32(Uint8Array.of(0))
  const next = async (): Promise<number> => {
    const bytes = await input.sure(1)
    crc = crc32(bytes, crc)
    return bytes[0]!
  }
  const number = async (): Promise<number> => {
    const bytes: number[] = []
    do bytes.push(await next())
    while (bytes.at(-1)! >= 0x80 && bytes.length < 9)
    return varint(Uint8Array.from(bytes), 0).value
  }
  const told: Totals = { blocks: await number(), packed: 0, unpacked: 0 }
  packedCheck(told.blocks === totals.blocks, 'its index does not list its blocks')
  for (let i = 0; i < told.blocks; i++) {
    told.packed += await number()
    told.unpacked += await number()
  }
  packedCheck(told.packed === totals.packed && told.unpacked === totals.unpacked, 'its index does not list its blocks')
  while ((input.offset - start) % 4 !== 0) packedCheck((await next()) === 0, 'its index is damaged')
  const bytes = Buffer.from(await input.sure(4))
  packedCheck(bytes.readUInt32LE(0) === crc, 'its index is damaged')
  return input.offset - start
}

interface Check {
  update(piece: Uint8Array): void
  digest(): Buffer
}

/** Null without one, or for one of an unknown kind. */
function checkOf(kind: number): Check | null {
  if (kind === 10) {
    const hash = createHash('sha256')
    return { update: piece => void hash.update(piece), digest: () => hash.digest() }
  }
  if (kind === 4) return new Crc64()
  if (kind !== 1) return null
  let crc = 0
  return {
    update: piece => {
      crc = crc32(piece, crc)
    },
    digest: () => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32LE(crc)
      return bytes
    },
  }
}

/** A number of up to 9 bytes of 7 bits, the lowest first (1.2). */
function varint(bytes: Uint8Array, from: number): { value: number; next: number } {
  let value = 0
  for (let i = 0; i < 9; i++) {
    const byte = bytes[from + i]
    packedCheck(byte !== undefined && (byte !== 0 || i === 0), 'a number that is damaged')
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, next: from + i + 1 }
  }
  throw new PackedError('a number that is damaged')
}

function uint16(bytes: Uint8Array): number {
  return bytes[0]! * 256 + bytes[1]!
}
