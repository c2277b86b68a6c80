import { PackedError, packedCheck, roomCheck } from './packed.ts'

/**
 * LZ4 blocks, by the format's description (lz4_Block_format.md): sequences of a token, literals, and a copy of what came before.
 */

/**
 * Unpacks a block.
 *
 * @returns the number of bytes in `out`.
 * @throws PackedError if the block is damaged or does not fit into `out`.
 */
export function unlz4(block: Uint8Array, out: Uint8Array): number {
  let at = 0
  let to = 0
  while (at < block.length) {
    const token = block[at++]!
    let literals = token >>> 4
    if (literals === 15) {
      for (let byte = 255; byte === 255; literals += byte) {
        packedCheck(at < block.length, 'cut within a length')
        byte = block[at++]!
      }
    }
    packedCheck(at + literals <= block.length, 'literals past the end of the block')
    roomCheck(to + literals <= out.length)
    if (literals > 32) out.set(block.subarray(at, at + literals), to)
    else for (let i = 0; i < literals; i++) out[to + i] = block[at + i]!
    at += literals
    to += literals
    if (at === block.length) return to
    packedCheck(at + 2 <= block.length, 'cut within a distance')
    const distance = block[at]! | (block[at + 1]! << 8)
    at += 2
    let count = token & 15
    if (count === 15) {
      for (let byte = 255; byte === 255; count += byte) {
        packedCheck(at < block.length, 'cut within a length')
        byte = block[at++]!
      }
    }
    count += 4
    packedCheck(distance > 0 && distance <= to, 'a copy from before the beginning')
    roomCheck(to + count <= out.length)
    if (distance >= count && count > 32) out.copyWithin(to, to - distance, to - distance + count)
    else for (let i = 0; i < count; i++) out[to + i] = out[to + i - distance]!
    to += count
  }
  throw new PackedError('no last literals')
}

const hashBits = 14
const table = new Int32Array(1 << hashBits)
/** The last five bytes are literals, and no match begins within the last twelve (the format's end conditions). */
const lastLiterals = 5
const matchLimit = 12

/** The most bytes that packing `count` bytes can give. */
export function lz4Bound(count: number): number {
  return count + Math.ceil(count / 255) + 16
}

/**
 * Packs bytes, greedily: one candidate a position, from a table of hashes of four bytes. Fast first: records repeat from one to the next.
 *
 * @returns the number of bytes in `out`, which must have room for `lz4Bound(bytes.length)`.
 */
export function lz4(bytes: Uint8Array, out: Uint8Array): number {
  const end = bytes.length
  let to = 0
  let anchor = 0
  if (end > matchLimit) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, end)
    const matchEnd = end - matchLimit
    const copyEnd = end - lastLiterals
    table.fill(-65536)
    let at = 0
    let misses = 0
    while (at <= matchEnd) {
      const four = view.getUint32(at, true)
      const hash = Math.imul(four, 2654435761) >>> (32 - hashBits)
      const candidate = table[hash]!
      table[hash] = at
      if (at - candidate > 65535 || view.getUint32(candidate, true) !== four) {
        at += 1 + (misses++ >>> 6)
        continue
      }
      misses = 0
      let count = 4
      while (at + count + 4 <= copyEnd && view.getUint32(at + count, true) === view.getUint32(candidate + count, true))
        count += 4
      while (at + count < copyEnd && bytes[at + count] === bytes[candidate + count]) count++
      to = sequence(bytes, anchor, at, at - candidate, count, out, to)
      at += count
      anchor = at
    }
  }
  const literals = end - anchor
  to = lengths(out, to, literals, 0)
  out.set(bytes.subarray(anchor, end), to)
  return to + literals
}

/** Literals from `anchor` to `at`, then a copy of `count` bytes. Returns where `out` ends. */
function sequence(
  bytes: Uint8Array,
  anchor: number,
  at: number,
  distance: number,
  count: number,
  out: Uint8Array,
  from: number,
): number {
  let to = lengths(out, from, at - anchor, Math.min(15, count - 4))
  for (let i = anchor; i < at; i++) out[to++] = bytes[i]!
  out[to++] = distance & 0xff
  out[to++] = distance >>> 8
  if (count - 4 >= 15) to = more(out, to, count - 4 - 15)
  return to
}

/** The token, and the rest of the number of literals. */
function lengths(out: Uint8Array, to: number, literals: number, match: number): number {
  out[to] = (Math.min(15, literals) << 4) | match
  return literals < 15 ? to + 1 : more(out, to + 1, literals - 15)
}

function more(out: Uint8Array, from: number, value: number): number {
  let to = from
  let left = value
  for (; left >= 255; left -= 255) out[to++] = 255
  out[to++] = left
  return to
}
