import { createHash } from 'node:crypto'
import { closeSync, fstatSync, readSync, rmSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { openRegular, openRegularSync, type Path, piecesOf, readPart, readUpTo } from '../disk/reading.ts'
import { createNew } from '../disk/writing.ts'
import type { OpenBytes } from './expand.ts'
import type { ReadAt } from './zip.ts'

/** Files up to this size are read whole: one reading serves the digest and the parser. */
const wholeBytesMax = 64 << 20
const pieceBytes = 256 << 10
const plainBytes = 1 << 20
const headBytes = 4096

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
  /** Bytes from a place, fewer at the end. */
  readAt: ReadAt
  /** Of a file in an archive: why it ends too early, or is not sound. */
  cut?: string | null
  /** Whether what `open()` gave last had the digest `sha256`: if not, the file has changed meanwhile. */
  isUnchanged: () => Promise<boolean>
  /** Gives the memory of `whole` back, which may be another file's from now on. Need not be called. */
  release: () => void
}

export interface ReadingOptions {
  /** Files up to this size are read whole; only tests change it. */
  largest?: number
  /** Called between pieces: what it throws ends the reading. */
  between?: () => void
}

/** Reads a file, or, of a large one, its digest first and its bytes when they are asked for. @throws NotRegularError, or the system's error. */
export async function readSource(path: Path, options: ReadingOptions = {}): Promise<SourceBytes> {
  const { largest = wholeBytesMax, between } = options
  const name = nameOf(path)
  // In one go, without a turn through other threads for each piece: whoever calls this is a thread for reading.
  const bytes = readWhole(name, largest)
  if (bytes !== null) {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return {
      size: bytes.length,
      sha256,
      head: bytes.subarray(0, headBytes),
      whole: bytes,
      open: () => pieces(bytes, between),
      readAt: (from, length) => bytes.subarray(from, from + length),
      isUnchanged: () => Promise.resolve(true),
      release: () => giveBack(bytes),
    }
  }
  let head: Uint8Array = new Uint8Array(0)
  let total = 0
  const first = createHash('sha256')
  for await (const piece of piecesOf(name, 'follow', plainBytes, between)) {
    if (total === 0) head = piece.subarray(0, headBytes)
    total += piece.length
    first.update(piece)
  }
  const sha256 = first.digest('hex')
  let digestRead: string | null = null
  async function* opened(): AsyncGenerator<Uint8Array> {
    digestRead = null
    const hash = createHash('sha256')
    for await (const piece of piecesOf(name, 'follow', pieceBytes, between)) {
      hash.update(piece)
      yield piece
    }
    digestRead = hash.digest('hex')
  }
  const isUnchanged = async (): Promise<boolean> => {
    // Reading may have ended early, at damage: then the file is looked at once more.
    if (digestRead === null) for await (const _ of opened());
    return digestRead === sha256
  }
  const readAt: ReadAt = (from, length) => readPart(name, from, length)
  return { size: total, sha256, head, whole: null, open: opened, readAt, isUnchanged, release: () => undefined }
}

/** Bytes that can be had once, kept: in memory, or, of many, in a new file of that name, which is there until they are released. */
export async function keptBytes(bytes: AsyncIterable<Uint8Array>, path: string): Promise<SourceBytes> {
  const parts: Uint8Array[] = []
  let length = 0
  let file: FileHandle | null = null
  try {
    for await (const piece of bytes) {
      length += piece.length
      parts.push(piece.slice())
      if (length <= wholeBytesMax) continue
      file ??= await createNew(path)
      for (const part of parts.splice(0)) await file.writeFile(part)
    }
  } catch (error) {
    if (file !== null) rmSync(path, { force: true })
    throw error
  } finally {
    await file?.close()
  }
  if (file !== null) return { ...(await readSource(path)), release: () => rmSync(path, { force: true }) }
  const whole = Buffer.concat(parts)
  return {
    size: length,
    sha256: createHash('sha256').update(whole).digest('hex'),
    head: whole.subarray(0, headBytes),
    whole,
    open: () => pieces(whole),
    readAt: (from, count) => whole.subarray(from, from + count),
    isUnchanged: () => Promise.resolve(true),
    release: () => undefined,
  }
}

/** All bytes of a file; null if it holds more than `largest`. What it claims to hold, and held when it was listed, does not count. */
function readWhole(name: Path, largest: number): Buffer | null {
  const file = openRegularSync(name, 'follow')
  try {
    const { size } = fstatSync(file)
    if (size > largest) return null
    if (size >= spareBytes || largest < spareBytes) return readUpTo(file, largest, size)
    const memory = spare.pop() ?? Buffer.allocUnsafeSlow(spareBytes)
    for (let length = 0; length < memory.length; ) {
      const read = readSync(file, memory, length, memory.length - length, null)
      if (read === 0) return memory.subarray(0, length)
      length += read
    }
    // It holds more than it claimed.
    const rest = readUpTo(file, largest - memory.length, 0)
    return rest === null ? null : Buffer.concat([memory, rest])
  } finally {
    closeSync(file)
  }
}

function giveBack(bytes: Buffer): void {
  if (bytes.buffer.byteLength === spareBytes && spare.length < spareMax) spare.push(Buffer.from(bytes.buffer))
}

/** A file's bytes as they come, without a digest: for what is not kept. @throws NotRegularError, or the system's error. */
export async function readPlain(
  path: Path,
  between?: () => void,
): Promise<{ head: Uint8Array; size: number; open: OpenBytes }> {
  const name = nameOf(path)
  const file = await openRegular(name, 'follow')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    const { size } = await file.stat()
    return { head: buffer.subarray(0, bytesRead), size, open: () => piecesOf(name, 'follow', plainBytes, between) }
  } finally {
    await file.close()
  }
}

/** As the calls of the system take it. */
function nameOf(path: Path): Path {
  return typeof path === 'string' ? path : Buffer.from(path)
}

async function* pieces(bytes: Uint8Array, between?: () => void): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    between?.()
    yield bytes.subarray(at, at + pieceBytes)
  }
}
