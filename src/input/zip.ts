import { crc32, createInflateRaw } from 'node:zlib'
import { bunzip2 } from '../codecs/bunzip2.ts'
import { unxz } from '../codecs/unxz.ts'
import { unzstd } from '../codecs/unzstd.ts'
import { errorText } from '../errors.ts'
import type { Member } from './archive.ts'

/** Bytes of a file from one place to another, fewer at its end. */
export type ReadAt = (from: number, length: number) => Buffer

const directoryBytesMax = 256 << 20
const endBytes = 22
const commentMax = 65_535
const pieceBytes = 256 << 10
const wide = 0xffffffff

const codecs = new Map([
  [12, bunzip2],
  [93, unzstd],
  [95, unxz],
])

interface Entry {
  name: string
  flags: number
  method: number
  crc: number
  packed: number
  size: number
  at: number
}

/**
 * The files in a zip archive (APPNOTE.TXT 6.3.10), in the order of its central directory, also of more than 4 GiB. Nothing is written under their
 * names. What is stored, deflated, or packed with bzip2, zstd or xz is read, and its checksum verified.
 *
 * @returns what is wrong with the archive itself, at its end; null: nothing.
 */
export async function* zipMembers(read: ReadAt, size: number): AsyncGenerator<Member, string | null> {
  const directory = directoryOf(read, size)
  if (directory === null) {
    return 'zip: its list of files is missing or damaged: repair it (zip -FF) or unpack it, and add the result'
  }
  const { bytes, count } = directory
  let at = 0
  for (let i = 0; i < count; i++) {
    const entry = entryAt(bytes, at)
    if (entry === null) return `zip: its list of files is damaged after ${i} of ${count}`
    at = entry.next
    if (!entry.name.endsWith('/')) yield memberOf(entry, read)
  }
  return null
}

function directoryOf(read: ReadAt, size: number): { bytes: Buffer; count: number } | null {
  const tailAt = Math.max(0, size - endBytes - commentMax - 20)
  const tail = read(tailAt, size - tailAt)
  const end = tail.lastIndexOf('PK\x05\x06', undefined, 'latin1')
  if (end < 0 || end + endBytes > tail.length) return null
  let count = tail.readUInt16LE(end + 10)
  let length = tail.readUInt32LE(end + 12)
  let from = tail.readUInt32LE(end + 16)
  if (count === 0xffff || length === wide || from === wide) {
    const locator = end - 20
    if (locator >= 0 && tail.toString('latin1', locator, locator + 4) === 'PK\x06\x07') {
      const record = read(Number(tail.readBigUInt64LE(locator + 8)), 56)
      if (record.length < 56 || record.toString('latin1', 0, 4) !== 'PK\x06\x06') return null
      count = Number(record.readBigUInt64LE(32))
      length = Number(record.readBigUInt64LE(40))
      from = Number(record.readBigUInt64LE(48))
    }
  }
  if (length > directoryBytesMax || from + length > size) return null
  return { bytes: read(from, length), count }
}

function entryAt(bytes: Buffer, at: number): (Entry & { next: number }) | null {
  if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50) return null
  const [nameBytes, extraBytes, comment] = [28, 30, 32].map(from => bytes.readUInt16LE(at + from)) as [
    number,
    number,
    number,
  ]
  const next = at + 46 + nameBytes + extraBytes + comment
  if (next > bytes.length) return null
  const entry = {
    name: bytes.toString('utf8', at + 46, at + 46 + nameBytes),
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    crc: bytes.readUInt32LE(at + 16),
    packed: bytes.readUInt32LE(at + 20),
    size: bytes.readUInt32LE(at + 24),
    at: bytes.readUInt32LE(at + 42),
  }
  const extra = bytes.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes)
  for (let p = 0; p + 4 <= extra.length; ) {
    const fieldEnd = p + 4 + extra.readUInt16LE(p + 2)
    // The zip64 field has those of the three that did not fit, in this order.
    if (extra.readUInt16LE(p) === 1) {
      let q = p + 4
      for (const name of ['size', 'packed', 'at'] as const) {
        if (entry[name] !== wide || q + 8 > Math.min(fieldEnd, extra.length)) continue
        entry[name] = Number(extra.readBigUInt64LE(q))
        q += 8
      }
    }
    p = fieldEnd
  }
  return { ...entry, next }
}

function memberOf(entry: Entry, read: ReadAt): Member {
  const { name, method } = entry
  const isKnown = method === 0 || method === 8 || codecs.has(method)
  const problem =
    (entry.flags & 1) !== 0
      ? 'encrypted (zip): unpack it with its password (unzip, 7z x) and add the result'
      : isKnown
        ? null
        : `packed by method ${method} of zip, which this version does not read: unpack it (7z x) and add the result`
  let damage: string | null = null
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    const local = read(entry.at, 30)
    if (local.length < 30 || local.readUInt32LE(0) !== 0x04034b50) {
      damage = 'zip: it is not where the list of files says'
      return
    }
    const from = entry.at + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
    let crc = 0
    let given = 0
    try {
      for await (const piece of unpacked(method, packedPieces(read, from, entry.packed))) {
        crc = crc32(piece, crc)
        given += piece.length
        yield piece
      }
    } catch (error) {
      damage = `zip: ${errorText(error)}; what came before is kept`
      return
    }
    if (given !== entry.size) damage = `zip: ${given} bytes where ${entry.size} are announced`
    else if (crc !== entry.crc)
      damage = 'zip: checksum wrong: some values may be altered; all that was unpacked is kept'
  }
  return { name, problem, pieces: pieces(), damage: () => damage }
}

async function* packedPieces(read: ReadAt, from: number, length: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < length; ) {
    const piece = read(from + done, Math.min(pieceBytes, length - done))
    if (piece.length === 0) throw new Error('the file is cut short')
    done += piece.length
    yield piece
  }
}

async function* unpacked(method: number, pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const codec = codecs.get(method)
  if (codec !== undefined) yield* codec(pieces)
  else if (method === 0) yield* pieces
  else yield* inflated(pieces)
}

async function* inflated(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: pieceBytes })
  const feeding = (async () => {
    try {
      for await (const piece of pieces) {
        if (inflate.destroyed) return
        if (!inflate.write(piece))
          await new Promise<void>(resolve => void inflate.once('drain', resolve).once('close', resolve))
      }
      inflate.end()
    } catch (error) {
      inflate.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  })()
  try {
    for await (const piece of inflate as AsyncIterable<Uint8Array>) yield piece
  } finally {
    inflate.destroy()
    await feeding
  }
}
