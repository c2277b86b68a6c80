// Integers out of bytes without an object each. Whoever calls has looked that the bytes are there.

/** Unsigned, 16 bits, network order. */
export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

/** Signed, 32 bits, network order: a word of an address, for equality and hashing only. */
export function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

/** Unsigned, 32 bits, network order. */
export function u32(bytes: Uint8Array, at: number): number {
  return word(bytes, at) >>> 0
}

/** Unsigned, 16 bits, in the order of the file. */
export function u16of(bytes: Uint8Array, at: number, little: boolean): number {
  return little ? bytes[at]! | (bytes[at + 1]! << 8) : u16(bytes, at)
}

/** Unsigned, 32 bits, in the order of the file. */
export function u32of(bytes: Uint8Array, at: number, little: boolean): number {
  if (!little) return u32(bytes, at)
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

/** Unsigned, 64 bits, in the order of the file; for what is rare. */
export function u64of(bytes: Uint8Array, at: number, little: boolean): bigint {
  const first = BigInt(u32of(bytes, at, little))
  const second = BigInt(u32of(bytes, at + 4, little))
  return little ? (second << 32n) | first : (first << 32n) | second
}
