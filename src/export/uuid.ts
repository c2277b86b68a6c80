/** Names for things that are the same for the same thing, whenever they are made. */
import { createHash } from 'node:crypto'

/** A UUID of version 5 (RFC 9562, 5.5): of a name within a namespace. */
export function uuidOf(namespace: string, name: string): string {
  const space = Buffer.from(namespace.replaceAll('-', ''), 'hex')
  const bytes = createHash('sha1').update(space).update(name).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** Tidemark's own names. */
export const ownNamespace = '7d3b5a62-7a1e-5f0c-9b1d-0e4c3f2a6d18'
