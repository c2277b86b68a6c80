/** How a file of a pull is known by itself: the name in its gzip header (RFC 1952, 2.3.1) says of what it is a part. */

const mark = 'tidemark part of '
const nameAt = 10
const [hasExtra, hasName] = [4, 8]

/** The flag and the bytes of a gzip header that name a file as a part of an object. Names are Latin-1 there: other letters are written as `%C3%A9`. */
export function partHeader(object: string): { flags: number; name: Uint8Array } {
  const escaped = object.replace(/[^ -~]|%/gu, letter =>
    [...Buffer.from(letter)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
  return { flags: hasName, name: Buffer.from(`${mark}${escaped}\0`, 'latin1') }
}

/** The object that a file is a part of, as its header writes it; null: its first bytes say nothing of that. */
export function partIn(head: Uint8Array): string | null {
  if (head[0] !== 0x1f || head[1] !== 0x8b || (head[3]! & (hasExtra | hasName)) !== hasName) return null
  const end = head.indexOf(0, nameAt)
  const name = Buffer.from(head.subarray(nameAt, end < 0 ? head.length : end)).toString('latin1')
  return name.startsWith(mark) ? name.slice(mark.length) : null
}
