/**
 * AssemblyScript: compiled to inflate.wasm by scripts/wasm.mjs. What calls it, and what it is for, is in ../gunzip.ts.
 *
 * Unpacks DEFLATE (RFC 1951) from one place of the memory to another. The bits are kept in a word of 64, refilled once for a length and
 * its distance; codes are looked up eleven bits at a time, and matches are copied sixteen bytes at a time, which may write up to
 * `slackBytes` beyond the end. It is for sound data: whatever is not makes it give up, and zlib says what is wrong.
 *
 * An entry of a table has in its low byte the bits to take. A literal has `literalFlag` and its byte from bit 16 on. A length or
 * distance has its base from bit 16 on, and in bits 8 to 13 how many of its bits are the code; the others are added to the base. The
 * rest has `otherFlag`: a table for longer codes (`tableFlag`; its place from bit 16 on, its bits in bits 8 to 11), the end of
 * the block (`endFlag`), or nothing: no such code.
 */

const literalFlag: u32 = 0x80000000
const otherFlag: u32 = 0x8000
const tableFlag: u32 = 0x4000
const endFlag: u32 = 0x2000

const literalBits: i32 = 11
const distanceBits: i32 = 9
const codeBitsMax: i32 = 15
const lengthCodeBits: i32 = 7

// Places in the memory, beyond the data of the compiler: the tables, with room for those of longer codes, and what they are made from.
const literals: usize = 4096
const distances: usize = literals + 4 * (2048 + 288 * 16)
const lengthCodes: usize = distances + 4 * (512 + 32 * 64)
const lengths: usize = lengthCodes + 4 * 128
const counts: usize = lengths + 512
const nextCodes: usize = counts + 64
/** From here on the memory is the caller's. */
export const tablesEnd: usize = nextCodes + 64

const lengthBase = memory.data<u16>([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
])
const lengthExtra = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
])
const distanceBase = memory.data<u16>([
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
])
const lengthOrder = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])

// What the codes of a table stand for.
const ofLiterals: i32 = 0
const ofDistances: i32 = 1
const ofLengths: i32 = 2

/** Where the data and its content ended. */
export let inputAt: usize = 0
export let outputAt: usize = 0

let bits: u64 = 0
let bitCount: u32 = 0
let next: usize = 0

/** Unpacks one stream. At least 32 bytes after `end` and `slackBytes` (320) after `outputEnd` must be in the memory. */
export function inflate(from: usize, end: usize, output: usize, outputEnd: usize): bool {
  next = from
  bits = 0
  bitCount = 0
  let to = output
  for (let isLast = false; !isLast; ) {
    refill()
    isLast = take(1) == 1
    const kind = take(2)
    if (kind == 0) {
      to = stored(end, to, outputEnd)
    } else {
      if (kind == 1 ? !fixedTables() : kind == 3 || !dynamicTables(end)) return false
      to = block(end, output, to, outputEnd)
    }
    if (to == 0) return false
  }
  // Whole bytes that were not needed.
  inputAt = next - <usize>(bitCount >> 3)
  outputAt = to
  return inputAt <= end
}

// @ts-ignore: decorator
@inline
function refill(): void {
  bits |= load<u64>(next) << <u64>bitCount
  next += <usize>((63 - bitCount) >> 3)
  bitCount |= 56
}

// @ts-ignore: decorator
@inline
function take(count: i32): i32 {
  const value = <i32>(bits & ((<u64>1 << <u64>count) - 1))
  bits >>= <u64>count
  bitCount -= count
  return value
}

/** A block that is not packed. Returns where the output is then; 0 if the block is damaged. */
function stored(end: usize, to: usize, outputEnd: usize): usize {
  take(<i32>(bitCount & 7))
  const from = next - <usize>(bitCount >> 3)
  if (from + 4 > end) return 0
  const length = load<u16>(from)
  if ((length ^ 0xffff) != load<u16>(from + 2)) return 0
  if (from + 4 + length > end || to + length > outputEnd) return 0
  memory.copy(to, from + 4, length)
  next = from + 4 + length
  bits = 0
  bitCount = 0
  return to + length
}

/** A packed block. Returns where the output is then; 0 if the block is damaged. */
function block(end: usize, output: usize, outputFrom: usize, outputEnd: usize): usize {
  let buffer = bits
  let count = bitCount
  let at = next
  let to = outputFrom
  const literalMask: u64 = (1 << literalBits) - 1
  const distanceMask: u64 = (1 << distanceBits) - 1
  while (at <= end + 8 && to <= outputEnd) {
    buffer |= load<u64>(at) << <u64>count
    at += <usize>((63 - count) >> 3)
    count |= 56
    let entry = load<u32>(literals + (<usize>(buffer & literalMask) << 2))
    if (entry & literalFlag) {
      // Up to three literals, of eleven bits at most, leave enough for a length.
      buffer >>= <u64>(entry & 0xff)
      count -= entry & 0xff
      store<u8>(to++, <u8>(entry >> 16))
      entry = load<u32>(literals + (<usize>(buffer & literalMask) << 2))
      if (entry & literalFlag) {
        buffer >>= <u64>(entry & 0xff)
        count -= entry & 0xff
        store<u8>(to++, <u8>(entry >> 16))
        entry = load<u32>(literals + (<usize>(buffer & literalMask) << 2))
        if (entry & literalFlag) {
          buffer >>= <u64>(entry & 0xff)
          count -= entry & 0xff
          store<u8>(to++, <u8>(entry >> 16))
          continue
        }
      }
    }
    if (entry & otherFlag) {
      if (entry & tableFlag) {
        buffer >>= literalBits
        count -= literalBits
        const mask = (<u64>1 << <u64>((entry >> 8) & 15)) - 1
        entry = load<u32>(literals + (<usize>((entry >> 16) + <u32>(buffer & mask)) << 2))
      }
      if (entry & literalFlag) {
        buffer >>= <u64>(entry & 0xff)
        count -= entry & 0xff
        store<u8>(to++, <u8>(entry >> 16))
        continue
      }
      if (entry & otherFlag) {
        if (!(entry & endFlag)) return 0
        bits = buffer >> <u64>(entry & 0xff)
        bitCount = count - (entry & 0xff)
        next = at
        return to
      }
    }
    let had = buffer
    buffer >>= <u64>(entry & 0xff)
    count -= entry & 0xff
    const length = <usize>(entry >> 16) + <usize>((had & ((<u64>1 << <u64>(entry & 0xff)) - 1)) >> <u64>((entry >> 8) & 0x3f))
    buffer |= load<u64>(at) << <u64>count
    at += <usize>((63 - count) >> 3)
    count |= 56
    entry = load<u32>(distances + (<usize>(buffer & distanceMask) << 2))
    if (entry & otherFlag) {
      if (!(entry & tableFlag)) return 0
      buffer >>= distanceBits
      count -= distanceBits
      const mask = (<u64>1 << <u64>((entry >> 8) & 15)) - 1
      entry = load<u32>(distances + (<usize>((entry >> 16) + <u32>(buffer & mask)) << 2))
      if (entry & otherFlag) return 0
    }
    had = buffer
    buffer >>= <u64>(entry & 0xff)
    count -= entry & 0xff
    const distance = <usize>(entry >> 16) + <usize>((had & ((<u64>1 << <u64>(entry & 0xff)) - 1)) >> <u64>((entry >> 8) & 0x3f))
    if (distance > to - output) return 0
    let source = to - distance
    const stop = to + length
    if (distance >= 16) {
      v128.store(to, v128.load(source))
      if (length > 16) {
        v128.store(to + 16, v128.load(source + 16))
        for (to += 32, source += 32; to < stop; to += 16, source += 16) v128.store(to, v128.load(source))
      }
    } else if (distance >= 8) {
      for (; to < stop; to += 8, source += 8) store<u64>(to, load<u64>(source))
    } else {
      for (; to < stop; to++, source++) store<u8>(to, load<u8>(source))
    }
    to = stop
  }
  return 0
}

function fixedTables(): bool {
  memory.fill(lengths, 8, 144)
  memory.fill(lengths + 144, 9, 112)
  memory.fill(lengths + 256, 7, 24)
  memory.fill(lengths + 280, 8, 8)
  if (!makeTable(literals, literalBits, 288, ofLiterals)) return false
  memory.fill(lengths, 5, 32)
  return makeTable(distances, distanceBits, 32, ofDistances)
}

function dynamicTables(end: usize): bool {
  const literalCount = take(5) + 257
  const distanceCount = take(5) + 1
  const lengthCount = take(4) + 4
  if (literalCount > 286 || distanceCount > 30) return false
  memory.fill(lengths, 0, 19)
  for (let i = 0; i < lengthCount; i++) {
    refill()
    store<u8>(lengths + <usize>load<u8>(lengthOrder + i), <u8>take(3))
  }
  if (!makeTable(lengthCodes, lengthCodeBits, 19, ofLengths)) return false
  let previous = 0
  const total = literalCount + distanceCount
  for (let i = 0; i < total; ) {
    if (next > end + 8) return false
    refill()
    const entry = load<u32>(lengthCodes + (<usize>(bits & 127) << 2))
    if (entry & otherFlag) return false
    take(<i32>(entry & 0xff))
    const symbol = <i32>(entry >> 16)
    let repeats = 1
    if (symbol < 16) previous = symbol
    else if (symbol == 16) {
      if (i == 0) return false
      repeats = 3 + take(2)
    } else {
      previous = 0
      repeats = symbol == 17 ? 3 + take(3) : 11 + take(7)
    }
    if (i + repeats > total) return false
    memory.fill(lengths + <usize>i, <u8>previous, <usize>repeats)
    i += repeats
  }
  // A block without an end is not a block.
  if (load<u8>(lengths + 256) == 0) return false
  if (!makeTable(literals, literalBits, literalCount, ofLiterals)) return false
  memory.copy(lengths, lengths + <usize>literalCount, <usize>distanceCount)
  return makeTable(distances, distanceBits, distanceCount, ofDistances)
}

/** The entry of a symbol whose code takes `codeBits` of the bits at hand. */
function entryOf(symbol: i32, kind: i32, codeBits: i32): u32 {
  if (kind == ofLengths) return (<u32>symbol << 16) | <u32>codeBits
  if (kind == ofDistances) {
    if (symbol > 29) return otherFlag
    const extra = symbol < 2 ? 0 : (symbol >> 1) - 1
    return (<u32>load<u16>(distanceBase + (<usize>symbol << 1)) << 16) | (<u32>codeBits << 8) | <u32>(codeBits + extra)
  }
  if (symbol < 256) return literalFlag | (<u32>symbol << 16) | <u32>codeBits
  if (symbol == 256) return otherFlag | endFlag | <u32>codeBits
  if (symbol > 285) return otherFlag
  const at = <usize>(symbol - 257)
  const extra = <i32>load<u8>(lengthExtra + at)
  return (<u32>load<u16>(lengthBase + (at << 1)) << 16) | (<u32>codeBits << 8) | <u32>(codeBits + extra)
}

/**
 * Makes a table from the lengths of the codes (RFC 1951, 3.2.2).
 *
 * @returns false if there are too many codes, or too few: but distances may have one code, or none.
 */
function makeTable(table: usize, tableBits: i32, symbols: i32, kind: i32): bool {
  memory.fill(counts, 0, 64)
  for (let i = 0; i < symbols; i++) {
    const count = counts + (<usize>load<u8>(lengths + <usize>i) << 1)
    store<u16>(count, load<u16>(count) + 1)
  }
  const used = symbols - <i32>load<u16>(counts)
  const size = 1 << tableBits
  store<u16>(counts, 0)
  // How many codes of a length there could still be, and the first one.
  let left = 1
  let code: u32 = 0
  let longest = 0
  for (let length = 1; length <= codeBitsMax; length++) {
    const count = <i32>load<u16>(counts + (<usize>length << 1))
    left = (left << 1) - count
    if (left < 0) return false
    code = (code + <u32>load<u16>(counts + (<usize>(length - 1) << 1))) << 1
    store<u32>(nextCodes + (<usize>length << 2), code)
    if (count > 0) longest = length
  }
  const isSparse = left > 0
  if (isSparse && (kind != ofDistances || used > 1 || longest > 1)) return false
  if (isSparse) for (let i = 0; i < size; i++) store<u32>(table + (<usize>i << 2), otherFlag)
  const moreBits = longest - tableBits
  let free = size
  if (moreBits > 0) {
    // Where codes are longer, there are no entries yet.
    for (let i = 0; i < size; i++) store<u32>(table + (<usize>i << 2), 0)
  }
  for (let symbol = 0; symbol < symbols; symbol++) {
    const length = <i32>load<u8>(lengths + <usize>symbol)
    if (length == 0) continue
    const at = nextCodes + (<usize>length << 2)
    const own = load<u32>(at)
    store<u32>(at, own + 1)
    // The first bit of a code is its highest, but comes first, which here is the lowest.
    const reversed = <i32>reverse(own, length)
    if (length <= tableBits) {
      const entry = entryOf(symbol, kind, length)
      for (let i = reversed; i < size; i += 1 << length) store<u32>(table + (<usize>i << 2), entry)
      continue
    }
    const head = table + (<usize>(reversed & (size - 1)) << 2)
    let link = load<u32>(head)
    if (link == 0) {
      link = (<u32>free << 16) | (<u32>moreBits << 8) | otherFlag | tableFlag
      store<u32>(head, link)
      for (let i = 0; i < 1 << moreBits; i++) store<u32>(table + (<usize>(free + i) << 2), otherFlag)
      free += 1 << moreBits
    }
    const entry = entryOf(symbol, kind, length - tableBits)
    for (let i = reversed >> tableBits; i < 1 << moreBits; i += 1 << (length - tableBits))
      store<u32>(table + (<usize>((link >> 16) + i) << 2), entry)
  }
  return true
}

function reverse(code: u32, length: i32): u32 {
  let left = code
  let reversed: u32 = 0
  for (let i = 0; i < length; i++) {
    reversed = (reversed << 1) | (left & 1)
    left >>= 1
  }
  return reversed
}
