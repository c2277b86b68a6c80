/**
 * AssemblyScript: compiled to lines.wasm by scripts/wasm.mjs. What calls it, and what it is for, is in ../fast-lines.ts.
 *
 * Reads plain lines of a flow log into columns: sixteen bytes at a time, with hardly a branch that depends on the bytes, which is
 * what makes it three times as fast as JavaScript. It never judges. Whatever is out of the ordinary (a phrase that it was not
 * taught, an odd number or address, any damage) makes it stop before that line, for the careful reader to take it.
 *
 * `program` is a list of steps, one for each field or run of text fields. All places are addresses in the memory that the caller
 * gives and fills; at least `bytesBeyond` bytes must be readable after the lines.
 */

// Kinds of steps; ../fast-lines.ts has the same numbers.
const TEXT: u32 = 0
const ADDRESS: u32 = 1
const U8: u32 = 2
const U16: u32 = 3
const U64: u32 = 4
const TIME: u32 = 5
const STAMP: u32 = 6

const SPACE: i32 = 32
const DASH: i32 = 45
const DOT: i32 = 46
const COLON: i32 = 58
const CR: i32 = 13
const LF: i32 = 10

/** Seconds above are milliseconds; milliseconds above are not exact as microseconds in a double (as in ../values.ts). */
const secondsMax: u64 = 2147483647
const millisecondsMax: u64 = 9007199254740
const probesMax: i32 = 32

/** A step: kind, place of the column or run, place of its bits of validity, and of an address' upper halves or which time it is. */
const stepBytes: usize = 16

/** Where the first line begins that was not read. */
export let at: usize = 0
/** Over the lines that were read, microseconds. */
export let firstStart: i64 = 0
export let lastEnd: i64 = 0
/** Whether a field was null; whether an address was IPv6. */
export let hasNull: i32 = 0
export let hasHigh: i32 = 0

let program: usize = 0
let programEnd: usize = 0
let patterns: usize = 0
let shuffles: usize = 0

/**
 * Lays out the tables for dotted quads.
 *
 * A quad has 81 shapes, determined by where its dots and its end are: `patternsAt` (65,536 bytes) has the number of each shape, `shufflesAt`
 * (82 × 16 bytes) the order that puts the digits of each part, the last part first, right-aligned into four bytes.
 */
export function prepare(patternsAt: usize, shufflesAt: usize): void {
  patterns = patternsAt
  shuffles = shufflesAt
  let shape: u8 = 0
  for (let a = 1; a <= 3; a++)
    for (let b = 1; b <= 3; b++)
      for (let c = 1; c <= 3; c++)
        for (let d = 1; d <= 3; d++) {
          const first = a
          const second = first + 1 + b
          const third = second + 1 + c
          const end = third + 1 + d
          store<u8>(patterns + <usize>((1 << first) | (1 << second) | (1 << third) | (1 << end)), ++shape)
          const to = shuffles + (<usize>shape << 4)
          memory.fill(to, 0x80, 16)
          align(to, end, d)
          align(to + 4, third, c)
          align(to + 8, second, b)
          align(to + 12, first, a)
        }
}

function align(to: usize, end: i32, digits: i32): void {
  for (let i = 0; i < digits; i++) store<u8>(to + <usize>(2 - i), <u8>(end - 1 - i))
}

export function bind(programAt: usize, steps: i32): void {
  program = programAt
  programEnd = programAt + <usize>steps * stepBytes
}

/** Reads whole lines of [from, end) into the rows from `row` up to `rowsMax`, and returns the row after the last. */
export function read(from: usize, end: usize, row: i32, rowsMax: i32): i32 {
  const blanks = i8x16.splat(<i8>SPACE)
  const lastStep = programEnd - stepBytes
  let least = i64.MAX_VALUE
  let most = i64.MIN_VALUE
  let p = from
  at = from
  hasNull = 0
  hasHigh = 0
  while (p < end && row < rowsMax) {
    let start: i64 = 0
    let stop: i64 = 0
    let step = program
    for (; step < programEnd; step += stepBytes) {
      const kind = load<u32>(step)
      const column: usize = load<u32>(step, 4)
      if (kind == TEXT) {
        p = phrase(p, column, row)
        if (p == 0) break
      } else {
        const bytes = v128.load(p)
        const length = ctz(i8x16.bitmask(i8x16.le_u(bytes, blanks)) | 0x10000)
        if (length == 1 && <i32>load<u8>(p) == DASH) {
          if (kind == TIME && load<u32>(step, 12) != 0) break
          if (kind != STAMP) setNull(load<u32>(step, 8), row)
          p++
        } else if (kind == ADDRESS) {
          const quad = length > 15 ? -1 : quadOf(bytes, length)
          const high: usize = load<u32>(step, 12)
          if (quad >= 0) {
            store<u64>(column + (<usize>row << 3), 0x0000ffff00000000 | <u64>quad)
            store<u64>(high + (<usize>row << 3), 0)
            p += length
          } else {
            p = readIpv6(p, column, high, row)
            if (p == 0) break
          }
        } else if (kind == STAMP) {
          if (length == 0) break
          while (<i32>load<u8>(p) > SPACE) p++
        } else {
          if (length == 0 || length > 15) break
          // The digits as values, the first one lowest; what follows the number is shifted out.
          let value: u64
          if (length <= 8) {
            const digits = (load<u64>(p) ^ 0x3030303030303030) << <u64>(64 - 8 * length)
            if (hasOther(digits)) break
            value = ofDigits(digits)
          } else {
            const front = (load<u64>(p) ^ 0x3030303030303030) << <u64>(128 - 8 * length)
            const back = load<u64>(p + length - 8) ^ 0x3030303030303030
            if (hasOther(front) || hasOther(back)) break
            value = ofDigits(front) * 100000000 + ofDigits(back)
          }
          if (kind == U16) {
            if (value > 65535) break
            store<u16>(column + (<usize>row << 1), <u16>value)
          } else if (kind == U64) {
            store<u64>(column + (<usize>row << 3), value)
          } else if (kind == U8) {
            if (value > 255) break
            store<u8>(column + row, <u8>value)
          } else {
            if (value > millisecondsMax) break
            const time = <i64>(value > secondsMax ? value * 1000 : value * 1000000)
            const which = load<u32>(step, 12)
            if (which == 1) start = time
            else if (which == 2) stop = time
            store<i64>(column + (<usize>row << 3), time)
          }
          p += length
        }
      }
      let after = <i32>load<u8>(p)
      if (step != lastStep) {
        if (after != SPACE) break
      } else {
        if (after == CR) after = <i32>load<u8>(++p)
        if (after != LF) break
      }
      p++
    }
    if (step != programEnd || stop < start) break
    if (start < least) least = start
    if (stop > most) most = stop
    at = p
    row++
  }
  firstStart = least
  lastEnd = most
  return row
}

/**
 * Reads the text of a run of fields, if it was taught. A run: distance of the samples (0: nothing taught), length of the shortest
 * phrase, mask, places of the table and of the phrases, number of columns, whether it is one that may be null, and of each column its
 * codes and bits of validity. A phrase: its length, the places of its bytes (with sixteen readable after them) and of its codes, of which -1 is null.
 *
 * @returns where the phrase ends; 0 if it is not known.
 */
// @ts-ignore: decorator
@inline
function phrase(p: usize, run: usize, row: i32): usize {
  if (<i32>load<u8>(p) == DASH && <i32>load<u8>(p + 1) <= SPACE && load<u32>(run, 24) != 0) {
    setNull(load<u32>(run, 32), row)
    return p + 1
  }
  if (load<u32>(run) == 0) return 0
  const mask = load<u32>(run, 8)
  const table: usize = load<u32>(run, 12)
  const phrases: usize = load<u32>(run, 16)
  let slot = hashOf(p, run) & mask
  for (let probes = 0; probes < probesMax; probes++) {
    const number = load<u32>(table + (<usize>slot << 2))
    if (number == 0) return 0
    const found = phrases + (<usize>number << 4)
    const end = p + <usize>load<u32>(found)
    if (isSame(p, end, load<u32>(found, 4)) && <i32>load<u8>(end) <= SPACE) {
      let codes: usize = load<u32>(found, 8)
      let target = run + 28
      const targetsEnd = target + (<usize>load<u32>(run, 20) << 3)
      for (; target < targetsEnd; target += 8, codes += 4) {
        const code = load<i32>(codes)
        if (code >= 0) store<i32>(<usize>load<u32>(target) + (<usize>row << 2), code)
        else setNull(load<u32>(target, 4), row)
      }
      return end
    }
    slot = (slot + 1) & mask
  }
  return 0
}

/** The place in the run's table of the phrase at `p`: by four samples, or all of it where the shortest has fewer than eight bytes. */
export function hashOf(p: usize, run: usize): u32 {
  const step: usize = load<u32>(run)
  const shortest: usize = load<u32>(run, 4)
  let hash: u32
  if (shortest < 8) {
    const bytes = load<u64>(p) & ((<u64>1 << (shortest << 3)) - 1)
    hash = (<u32>bytes * 0x85ebca6b) ^ <u32>(bytes >> 32)
  } else {
    hash = load<u32>(p + step)
    hash = (hash * 0x85ebca6b) ^ load<u32>(p + 2 * step)
    hash = (hash * 0xc2b2ae35) ^ load<u32>(p + 3 * step)
    hash = (hash * 0x9e3779b1) ^ load<u32>(p + shortest - 4)
  }
  hash *= 0x85ebca6b
  return hash ^ (hash >>> 15)
}

// @ts-ignore: decorator
@inline
function isSame(from: usize, end: usize, bytes: usize): bool {
  let p = from
  let q = bytes
  for (; p + 16 <= end; p += 16, q += 16) {
    if (v128.any_true(v128.xor(v128.load(p), v128.load(q)))) return false
  }
  const rest = (1 << <i32>(end - p)) - 1
  return (i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(q))) & rest) == rest
}

/** The value of eight digits in one word, the first one lowest (D. Lemire, "Quickly parsing eight digits"). */
// @ts-ignore: decorator
@inline
function ofDigits(digits: u64): u64 {
  const pairs = digits * 10 + (digits >> 8)
  const even = (pairs & 0x000000ff000000ff) * 0x000f424000000064
  const odd = ((pairs >> 16) & 0x000000ff000000ff) * 0x0000271000000001
  return (even + odd) >> 32
}

/** Whether a byte is above nine. */
// @ts-ignore: decorator
@inline
function hasOther(digits: u64): bool {
  return (((digits + 0x7676767676767676) | digits) & 0x8080808080808080) != 0
}

/** The dotted quad in the first `length` bytes, up to 15; -1 if it is not one. */
// @ts-ignore: decorator
@inline
function quadOf(bytes: v128, length: i32): i64 {
  const end = 1 << length
  const others = i8x16.bitmask(i8x16.lt_u(bytes, i8x16.splat(48))) & (end - 1)
  const dots = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>DOT))) & (end - 1)
  const shape = load<u8>(patterns + <usize>(dots | end))
  if (shape == 0 || others != dots) return -1
  const digits = i8x16.swizzle(bytes, v128.load(shuffles + (<usize>shape << 4)))
  const values = i8x16.sub_sat_u(digits, i8x16.splat(48))
  // A part's first digit must not be a zero, unless it is the only one: its first byte, or its second where the first is empty.
  const zeros = i8x16.eq(digits, i8x16.splat(48))
  const empty = i8x16.eq(digits, i8x16.splat(0))
  const firsts = v128.or(v128.and(i32x4.shl(empty, 8), i32x4.splat(0x0000ff00)), i32x4.splat(0x000000ff))
  if (v128.any_true(v128.or(v128.and(zeros, firsts), i8x16.gt_u(values, i8x16.splat(9))))) return -1
  const weights = i16x8(100, 10, 1, 0, 100, 10, 1, 0)
  const lower = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(values), weights)
  const upper = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(values), weights)
  const parts = i32x4.add(v128.shuffle<i32>(lower, upper, 0, 2, 4, 6), v128.shuffle<i32>(lower, upper, 1, 3, 5, 7))
  if (v128.any_true(i32x4.gt_s(parts, i32x4.splat(255)))) return -1
  const words = i16x8.narrow_i32x4_u(parts, parts)
  return <i64>(<u32>i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0))
}

/**
 * An IPv6 address of hexadecimal groups (RFC 4291, 2.2, without a dotted quad at its end).
 *
 * @returns where it ends; 0 if it is not one.
 */
function readIpv6(from: usize, column: usize, high: usize, row: i32): usize {
  let p = from
  let hi: u64 = 0
  let lo: u64 = 0
  let groups = 0
  /** Groups before `::`, and their value. */
  let before = -1
  let beforeHi: u64 = 0
  let beforeLo: u64 = 0
  if (<i32>load<u8>(p) == COLON) {
    if (<i32>load<u8>(p + 1) != COLON) return 0
    before = 0
    p += 2
  }
  for (;;) {
    let group: u32 = 0
    let digits = 0
    for (; digits < 5; digits++, p++) {
      const digit = hexDigit(<i32>load<u8>(p))
      if (digit < 0) break
      group = (group << 4) | <u32>digit
    }
    if (digits == 0) {
      // Only after `::` may the address end without a group.
      if (before != groups) return 0
      break
    }
    if (digits > 4 || ++groups > 8) return 0
    hi = (hi << 16) | (lo >> 48)
    lo = (lo << 16) | <u64>group
    if (<i32>load<u8>(p) != COLON) break
    p++
    if (<i32>load<u8>(p) != COLON) {
      if (hexDigit(<i32>load<u8>(p)) < 0) return 0
      continue
    }
    if (before >= 0) return 0
    p++
    before = groups
    beforeHi = hi
    beforeLo = lo
    hi = 0
    lo = 0
  }
  if (<i32>load<u8>(p) > SPACE || (before < 0 ? groups != 8 : groups > 7)) return 0
  if (before > 0) {
    for (let i = before; i < 8; i++) {
      beforeHi = (beforeHi << 16) | (beforeLo >> 48)
      beforeLo <<= 16
    }
    hi |= beforeHi
    lo |= beforeLo
  }
  store<u64>(column + (<usize>row << 3), lo)
  store<u64>(high + (<usize>row << 3), hi)
  if (hi != 0) hasHigh = 1
  return p
}

// @ts-ignore: decorator
@inline
function hexDigit(byte: i32): i32 {
  const digit = byte - 48
  if (digit >= 0 && digit <= 9) return digit
  const letter = (byte | 32) - 97
  return letter >= 0 && letter <= 5 ? letter + 10 : -1
}

// @ts-ignore: decorator
@inline
function setNull(valid: usize, row: i32): void {
  const to = valid + <usize>(row >>> 3)
  store<u8>(to, load<u8>(to) & ~(<u8>1 << <u8>(row & 7)))
  hasNull = 1
}
