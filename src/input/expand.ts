import { constants, createGunzip, type Gunzip as GunzipStream } from 'node:zlib'
import { bunzip2 } from '../codecs/bunzip2.ts'
import { Gunzip } from '../codecs/gunzip.ts'
import { PackedDamage } from '../codecs/packed-input.ts'
import { unxz } from '../codecs/unxz.ts'
import { unzstd } from '../codecs/unzstd.ts'
import { errorCode, errorText } from '../errors.ts'
import { headOf } from './pieces.ts'
import { type Compression, compressionOf } from './sniff.ts'

/** Where expanding came to an end before the file did. `offset` counts the bytes of the file, not of its content. */
export interface Damage {
  offset: number
  problem: string
}

export interface ExpandLimits {
  /** Expanded bytes for each byte of the file, tested above `ratioFreeBytes` of content. */
  ratioMax: number
  /** Expanded bytes of one file. */
  bytesMax: number
  /** Bytes of the file, where what is expanded is not itself the file: the ratio is that of all layers together. */
  fileBytes?: number
  /** Of an archive: its size, and what all files in it have come to so far, to which this one adds. */
  together?: { bytes: number; size: number }
}

/** Real flow logs reach about 60:1; a bomb of one repeated byte 1,030:1. */
export const defaultLimits: ExpandLimits = { ratioMax: 200, bytesMax: 64 * 2 ** 30 }
const ratioFreeBytes = 64 << 20
const pieceBytes = 256 << 10
const salvageBytes = 4096
/** Content up to this size is unpacked in one call, and kept in memory of its own only if it is small. */
const onceBytesMax = 32 << 20
const smallBytes = 64 << 10
/** Each stretch of padding between members costs another start from the beginning of the file. */
const gapsMax = 1000
/** Content that is packed again is unpacked as well, up to this many layers; what is to be unpacked again is kept in memory. */
const layersMax = 3
const againBytesMax = 64 << 20
/** Enough to tell a compression by. */
const magicBytes = 10

const codecs = { zstd: unzstd, xz: unxz, bzip2: bunzip2 }

let onceIsLent = false

/** What is wrong with so much content out of a file of that size; null: nothing. The size of a file that is not packed is null. */
export function expandProblem(bytes: number, size: number | null, limits: ExpandLimits): string | null {
  const { ratioMax, bytesMax } = limits
  if (bytes > bytesMax) return `stopped at ${bytesMax} expanded bytes (--max-expanded raises the limit)`
  if (size === null || bytes <= ratioFreeBytes || bytes / Math.max(1, size) <= ratioMax) return null
  return `stopped: it expands more than ${ratioMax}:1, as no flow log does (--max-expand raises the limit)`
}

/** Gives the file's bytes from the start, each time it is called. */
export type OpenBytes = () => AsyncIterable<Uint8Array>

/**
 * The content of a file, unpacked, also where it was packed more than once. Iterate it once; afterwards `damage` says whether, where and why it ended early. Whatever could be
 * unpacked before damage is given out first, to the byte. A piece is there until the next one is asked for. Nothing is thrown but errors of reading the file itself.
 */
export class Expanded {
  damage: Damage | null = null
  /** Bytes of content given out so far. */
  bytes = 0
  /** Of a file in an archive: what is wrong with its bytes at their end. */
  cut: string | null = null
  private readonly open: OpenBytes
  private readonly compression: Compression
  private readonly size: number
  private readonly limits: ExpandLimits
  private readonly whole: Uint8Array | null
  private readonly layer: number

  /** `whole`: the file's bytes, where they are in memory already. `layer`: how many packings there are, with this one. */
  constructor(
    open: OpenBytes,
    compression: Compression,
    size: number,
    limits: ExpandLimits = defaultLimits,
    whole: Uint8Array | null = null,
    layer = 1,
  ) {
    this.open = open
    this.compression = compression
    this.size = size
    this.limits = limits
    this.whole = whole
    this.layer = layer
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    yield* this.content()
    if (this.cut !== null) this.damage = { offset: this.size, problem: this.cut }
  }

  private async *content(): AsyncGenerator<Uint8Array> {
    const pieces = this.unpacked()
    if (this.compression === 'none' || this.layer === layersMax) return yield* pieces
    try {
      const head = await headOf(pieces, magicBytes)
      const again = compressionOf(head)
      if (again !== 'none') yield* this.unpackedAgain(head, pieces, again)
      else if (head.length > 0) {
        yield head
        yield* pieces
      }
    } finally {
      await pieces.return(undefined)
    }
  }

  /** Content that is packed itself: what it says of damage is about bytes that were unpacked once. */
  private async *unpackedAgain(
    head: Uint8Array,
    rest: AsyncIterable<Uint8Array>,
    compression: Compression,
  ): AsyncGenerator<Uint8Array> {
    const content = await gathered(head, rest, againBytesMax)
    this.bytes = 0
    if (content === null) {
      const problem = `packed with ${compression} within ${this.compression}, and more than ${againBytesMax >> 20} MiB: unpack it once and add the result`
      this.damage = { offset: this.size, problem }
      return
    }
    const limits = { ...this.limits, fileBytes: this.limits.fileBytes ?? this.size }
    const open = async function* (): AsyncGenerator<Uint8Array> {
      yield content
    }
    const inner = new Expanded(open, compression, content.length, limits, content, this.layer + 1)
    for await (const piece of inner) {
      this.bytes = inner.bytes
      yield piece
    }
    if (inner.damage !== null) {
      const { offset, problem } = inner.damage
      this.damage ??= { offset, problem: `(unpacked) ${problem}` }
    }
  }

  /** This packing's content. */
  private async *unpacked(): AsyncGenerator<Uint8Array> {
    if (this.compression === 'gzip' && this.whole !== null && (yield* this.gunzippedAtOnce(this.whole))) return
    const { compression } = this
    const pieces =
      compression === 'gzip' ? this.gunzipped() : compression === 'none' ? this.open() : this.unpackedBy(compression)
    for await (const piece of pieces) {
      if (piece.length === 0) continue
      this.bytes += piece.length
      if (this.limits.together !== undefined && compression !== 'none') this.limits.together.bytes += piece.length
      if (this.tooLarge()) return
      yield piece
    }
  }

  /**
   * The content of a sound file of one gzip member, in one piece: half the cost of a stream, whose pieces each take a turn through other
   * threads and the garbage collector.
   *
   * @returns false, and nothing was given out, for any other file: the stream names what is wrong with it.
   */
  private *gunzippedAtOnce(file: Uint8Array): Generator<Uint8Array, boolean> {
    // The memory that it unpacks into is lent to one file at a time.
    if (onceIsLent) return false
    const content = Gunzip.get()?.unpack(file, onceBytesMax) ?? null
    if (content === null) return false
    const { together, fileBytes = this.size } = this.limits
    const all = together === undefined ? content.length : together.bytes + content.length
    if (expandProblem(all, together?.size ?? fileBytes, this.limits) !== null) return false
    if (together !== undefined) together.bytes = all
    this.bytes = content.length
    if (content.length === 0) return true
    onceIsLent = true
    try {
      yield content.length <= smallBytes ? content.slice() : content
    } finally {
      onceIsLent = false
    }
    return true
  }

  private tooLarge(): boolean {
    const { fileBytes = this.size } = this.limits
    const { together } = this.limits
    const problem =
      together === undefined
        ? expandProblem(this.bytes, this.compression === 'none' ? null : fileBytes, this.limits)
        : expandProblem(together.bytes, together.size, this.limits)
    if (problem !== null) this.damage = { offset: this.size, problem }
    return problem !== null
  }

  /** Members may follow each other, with zeros between them: what zlib stops at is looked at again. */
  private async *gunzipped(): AsyncGenerator<Uint8Array> {
    let from = 0
    for (let gaps = 0; from < this.size && this.damage === null; gaps++) {
      if (gaps > gapsMax) {
        this.damage = {
          offset: from,
          problem: `gzip: more than ${gapsMax} stretches of padding; what came before is kept`,
        }
        return
      }
      const gunzip = createGunzip({ chunkSize: pieceBytes })
      let given = 0
      try {
        const feeding = feed(gunzip, without(this.open(), from))
        for await (const piece of gunzip as AsyncIterable<Uint8Array>) {
          given += piece.length
          yield piece
        }
        await feeding
      } catch (error) {
        if (!errorCode(error)?.startsWith('Z_')) throw error
        return yield* this.salvaged(from, given, error)
      }
      from = await this.nextMember(from + gunzip.bytesWritten)
    }
  }

  /** Where the next member begins after a member's end. What is neither that nor padding is damage. */
  private async nextMember(end: number): Promise<number> {
    let at = end
    for await (const piece of without(this.open(), end)) {
      const other = piece.findIndex(byte => byte !== 0)
      at += other < 0 ? piece.length : other
      if (other < 0) continue
      if (piece[other] !== 0x1f) this.damage = { offset: at, problem: gzipProblem('incorrect header check', true) }
      return at
    }
    return Math.max(at, this.size)
  }

  /**
   * What zlib had unpacked when it met the damage but did not give out: it drops the output of the call that fails. So the file
   * is unpacked again up to the piece that fails, and that piece in smaller ones, down to single bytes.
   */
  private async *salvaged(from: number, given: number, error: unknown): AsyncGenerator<Uint8Array> {
    let accepted = Number.POSITIVE_INFINITY
    let known = given
    for (const step of [salvageBytes, 64, 1]) {
      const found = await gunzipUntilError(without(this.open(), from), accepted, step, known)
      yield* found.output
      known += lengthOf(found.output)
      accepted = found.accepted
      // Cut, not damaged: there is no piece to take apart.
      if (from + accepted >= this.size) break
    }
    const offset = from + accepted
    this.damage = { offset, problem: gzipProblem(errorText(error), offset < this.size) }
  }

  private async *unpackedBy(compression: keyof typeof codecs): AsyncGenerator<Uint8Array> {
    try {
      yield* codecs[compression](this.open())
    } catch (error) {
      if (!(error instanceof PackedDamage)) throw error
      this.damage = { offset: error.offset, problem: `${compression}: ${error.message}; what came before is kept` }
    }
  }
}

function gzipProblem(text: string, inside: boolean): string {
  if (text === 'unexpected end of file') return 'gzip: the file is cut short; what came before is kept'
  if (text === 'incorrect data check')
    return 'gzip: checksum wrong at the end: some values may be altered; all that was unpacked is kept'
  if (text === 'incorrect length check') return 'gzip: length wrong at the end; all that was unpacked is kept'
  if (text === 'incorrect header check' && inside) return 'gzip: what follows is not gzip; what came before is kept'
  return `gzip: ${text}; what came before is kept`
}

/** All of the content, in memory of its own; null if there is more of it. */
async function gathered(
  head: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array | null> {
  const parts = [head.slice()]
  let length = head.length
  for await (const piece of rest) {
    length += piece.length
    if (length > bytesMax) return null
    parts.push(piece.slice())
  }
  return length > bytesMax ? null : Buffer.concat(parts)
}

/** The pieces without their first bytes. */
async function* without(pieces: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count
  for await (const piece of pieces) {
    if (left < piece.length) yield piece.subarray(left)
    left -= Math.min(left, piece.length)
  }
}

async function feed(gunzip: GunzipStream, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const piece of pieces) {
      if (gunzip.destroyed) return
      if (!gunzip.write(piece)) await new Promise<void>(resolve => onceWritable(gunzip, resolve))
    }
    gunzip.end()
  } catch (error) {
    gunzip.destroy(error instanceof Error ? error : new Error(String(error)))
  }
}

function onceWritable(gunzip: GunzipStream, resolve: () => void): void {
  const done = (): void => {
    gunzip.off('drain', done)
    gunzip.off('close', done)
    resolve()
  }
  gunzip.on('drain', done)
  gunzip.on('close', done)
}

/**
 * Unpacks until a piece is refused, in pieces of `step` bytes from `fineFrom` on.
 *
 * @returns the output beyond the first `skip` bytes, and how many bytes of the file were accepted.
 */
async function gunzipUntilError(
  pieces: AsyncIterable<Uint8Array>,
  fineFrom: number,
  step: number,
  skip: number,
): Promise<{ output: Uint8Array[]; accepted: number }> {
  const gunzip = createGunzip({ chunkSize: 16384, finishFlush: constants.Z_SYNC_FLUSH })
  const output: Uint8Array[] = []
  let seen = 0
  let failed = false
  gunzip.on('error', () => {
    failed = true
  })
  gunzip.on('data', (piece: Uint8Array) => {
    const from = Math.max(0, skip - seen)
    seen += piece.length
    if (from < piece.length) output.push(piece.subarray(from))
  })
  let accepted = 0
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length && !failed; ) {
      const most = accepted >= fineFrom ? step : Math.min(salvageBytes, fineFrom - accepted)
      const bytes = Math.min(most, piece.length - at)
      await new Promise<void>(resolve => {
        gunzip.once('close', resolve)
        gunzip.write(piece.subarray(at, at + bytes), () => {
          gunzip.off('close', resolve)
          resolve()
        })
      })
      if (failed) break
      at += bytes
      accepted += bytes
    }
    if (failed) break
  }
  gunzip.destroy()
  return { output, accepted }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}
