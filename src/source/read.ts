import { createHash } from 'node:crypto'
import { closeSync, createReadStream, openSync, readFileSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { OpenBytes } from './expand.ts'

/** Files up to this size are read whole: one reading serves the digest and the parser. */
const wholeBytesMax = 64 << 20
const pieceBytes = 256 << 10
const plainBytes = 1 << 20

/** Memory that files were read into and that is free again: to find new pages for each takes the kernel longer than to read it. */
const spare: Buffer[] = []
const spareMax = 4
const spareBytes = 1 << 20

/** A file's bytes, with the digest of exactly these bytes. */
export interface SourceBytes {
  size: number
  sha256: string
  head: Uint8Array
  /** All of the bytes, if the file was small enough to be kept. */
  whole: Uint8Array | null
  open: OpenBytes
  /** Whether what `open()` gave last had the digest `sha256`: if not, the file has changed meanwhile. */
  isUnchanged: () => Promise<boolean>
  /** Gives the memory of `whole` back, which may be another file's from now on. Need not be called. */
  release: () => void
}

/** Reads a file, or, of a large one, its digest first and its bytes when they are asked for. */
export async function readSource(
  path: string | Uint8Array,
  size: number,
  largest = wholeBytesMax,
): Promise<SourceBytes> {
  const name = typeof path === 'string' ? path : Buffer.from(path)
  if (size <= largest) {
    // In one go, without a turn through other threads for each piece: whoever calls this is a thread for reading.
    const bytes = readWhole(name, size)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return {
      size: bytes.length,
      sha256,
      head: bytes.subarray(0, 4096),
      whole: bytes,
      open: () => pieces(bytes),
      isUnchanged: () => Promise.resolve(true),
      release: () => giveBack(bytes),
    }
  }
  let head: Uint8Array = new Uint8Array(0)
  let total = 0
  const first = createHash('sha256')
  for await (const piece of createReadStream(name, { highWaterMark: 1 << 20 })) {
    if (total === 0) head = (piece as Buffer).subarray(0, 4096)
    total += (piece as Buffer).length
    first.update(piece as Buffer)
  }
  const sha256 = first.digest('hex')
  let digestRead: string | null = null
  async function* opened(): AsyncGenerator<Uint8Array> {
    digestRead = null
    const hash = createHash('sha256')
    for await (const piece of createReadStream(name, { highWaterMark: pieceBytes })) {
      hash.update(piece as Buffer)
      yield piece as Buffer
    }
    digestRead = hash.digest('hex')
  }
  const isUnchanged = async (): Promise<boolean> => {
    // Reading may have ended early, at damage: then the file is looked at once more.
    if (digestRead === null) for await (const _ of opened());
    return digestRead === sha256
  }
  return { size: total, sha256, head, whole: null, open: opened, isUnchanged, release: () => undefined }
}

/** All bytes of a file that had `size` when it was listed. */
function readWhole(name: string | Buffer, size: number): Buffer {
  if (size >= spareBytes) return readFileSync(name)
  const memory = spare.pop() ?? Buffer.allocUnsafeSlow(spareBytes)
  const file = openSync(name, 'r')
  try {
    for (let length = 0; length < memory.length; ) {
      const read = readSync(file, memory, length, memory.length - length, null)
      if (read === 0) return memory.subarray(0, length)
      length += read
    }
  } finally {
    closeSync(file)
  }
  // It has grown since.
  return readFileSync(name)
}

function giveBack(bytes: Buffer): void {
  if (bytes.buffer.byteLength === spareBytes && spare.length < spareMax) spare.push(Buffer.from(bytes.buffer))
}

/** A file's bytes as they come, without a digest: for what is not kept. */
export async function readPlain(path: string | Uint8Array): Promise<{ head: Uint8Array; open: OpenBytes }> {
  const name = typeof path === 'string' ? path : Buffer.from(path)
  const file = await open(name)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0)
    return { head: buffer.subarray(0, bytesRead), open: () => createReadStream(name, { highWaterMark: plainBytes }) }
  } finally {
    await file.close()
  }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}
