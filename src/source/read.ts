import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { OpenBytes } from './expand.ts'

/** Files up to this size are read whole: one reading serves the digest and the parser. */
const wholeBytesMax = 64 << 20
const pieceBytes = 256 << 10

/** A file's bytes, with the digest of exactly these bytes. */
export interface SourceBytes {
  size: number
  sha256: string
  head: Uint8Array
  open: OpenBytes
  /** After reading `open()` to its end: the digest of what was read. It differs from `sha256` if the file has changed meanwhile. */
  digestRead: () => string
}

/** Reads a file, or, of a large one, its digest first and its bytes when they are asked for. */
export async function readSource(path: string, size: number): Promise<SourceBytes> {
  if (size <= wholeBytesMax) {
    const bytes = await readFile(path)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { size: bytes.length, sha256, head: bytes.subarray(0, 4096), open: () => pieces(bytes), digestRead: () => sha256 }
  }
  let head: Uint8Array = new Uint8Array(0)
  let total = 0
  const first = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) {
    if (total === 0) head = (piece as Buffer).subarray(0, 4096)
    total += (piece as Buffer).length
    first.update(piece as Buffer)
  }
  const sha256 = first.digest('hex')
  let second: Hash | null = null
  async function* open(): AsyncGenerator<Uint8Array> {
    second = createHash('sha256')
    const hash = second
    for await (const piece of createReadStream(path, { highWaterMark: pieceBytes })) {
      hash.update(piece as Buffer)
      yield piece as Buffer
    }
  }
  return { size: total, sha256, head, open, digestRead: () => (second === null ? sha256 : second.digest('hex')) }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}
