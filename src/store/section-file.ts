/**
 * A file of sections, each with its SHA-256 in a directory at the end. Whoever knows the digest of the directory need not read the whole
 * file to believe a part of it: what is read is checked as it is read.
 *
 * Sections one after the other; the directory: length of each section (Uint32), SHA-256 of each, what `finish` was given; the trailer: number
 * of sections and length of the directory (Uint32). Little-endian.
 */
import { createHash, hash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { noFollow, openRegularSync } from '../disk/reading.ts'
import { readAll, writeAll } from '../disk/scratch.ts'
import { errorText } from '../errors.ts'

const digestBytes = 32
const trailerBytes = 8
const pieceBytes = 1 << 20
/** More than any file has that was written: a directory is read before its digest is known. */
const sectionsMax = 1 << 20
const aboutMax = 1 << 26 // the connections name the networks of the analyst there, of which there may be millions

/** A file that is not what its directory, or whoever named that, says. */
export class DamagedSections extends Error {
  readonly path: string

  constructor(path: string, what: string) {
    super(`${what}: ${path}`)
    this.name = 'DamagedSections'
    this.path = path
  }
}

export class SectionWriter {
  private readonly fd: number
  private readonly lengths: number[] = []
  private readonly digests: Uint8Array[] = []
  private isOpen = true

  /** @throws EEXIST for whatever is there. */
  constructor(path: string) {
    this.fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow, 0o666)
  }

  /** Writes a section. @param digest of it, where that is known. @returns its number. */
  add(bytes: Uint8Array, digest = sectionDigest(bytes)): number {
    this.digests.push(digest)
    writeAll(this.fd, bytes)
    return this.lengths.push(bytes.length) - 1
  }

  /** Writes the directory. @param about what a reader wants to know before all else. */
  finish(about: Uint8Array): void {
    const lengths = Uint32Array.from(this.lengths)
    const directory = Buffer.concat([new Uint8Array(lengths.buffer), ...this.digests, about])
    const trailer = Uint32Array.of(this.lengths.length, directory.length)
    writeAll(this.fd, directory)
    writeAll(this.fd, new Uint8Array(trailer.buffer))
    this.close()
  }

  close(): void {
    if (this.isOpen) closeSync(this.fd)
    this.isOpen = false
  }
}

/** The digest of a section: its SHA-256. */
export function sectionDigest(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

export class SectionFile {
  readonly path: string
  /** What `finish` was given. */
  readonly about: Uint8Array
  /** The end of the file from the directory on. */
  private readonly end: Uint8Array
  private readonly fd: number
  /** Where each section begins, and where the last one ends. */
  private readonly places: Float64Array
  private readonly digests: Uint8Array
  private isOpen = true

  /** Opens a file, of which the directory is read. @throws DamagedSections, or the system's error. */
  constructor(path: string) {
    this.path = path
    this.fd = openRegularSync(path, 'refuse')
    try {
      const { size } = fstatSync(this.fd)
      const trailer = new Uint32Array(2)
      if (size < trailerBytes || !readAll(this.fd, new Uint8Array(trailer.buffer), size - trailerBytes))
        throw this.cut()
      const [count, length] = trailer as unknown as [number, number]
      const before = size - trailerBytes - length
      const about = length - count * (4 + digestBytes)
      if (before < 0 || count > sectionsMax || about < 0 || about > aboutMax) throw this.cut()
      this.end = new Uint8Array(length + trailerBytes)
      if (!readAll(this.fd, this.end, before)) throw this.cut()
      const lengths = new Uint32Array(this.end.slice(0, 4 * count).buffer)
      this.places = new Float64Array(count + 1)
      for (let i = 0; i < count; i++) this.places[i + 1] = this.places[i]! + lengths[i]!
      if (this.places[count] !== before) throw this.cut()
      this.digests = this.end.subarray(4 * count, (4 + digestBytes) * count)
      this.about = this.end.subarray((4 + digestBytes) * count, length)
    } catch (error) {
      closeSync(this.fd)
      throw error
    }
  }

  get sections(): number {
    return this.places.length - 1
  }

  /** The digest of the directory, after some text that it belongs to. */
  digest(text: string): string {
    return createHash('sha256').update(text).update(this.end).digest('hex')
  }

  lengthOf(section: number): number {
    return this.places[section + 1]! - this.places[section]!
  }

  /**
   * Reads a section to the beginning of `into`.
   *
   * @param isChecked whether it was read before, and nobody wrote to the file since: then its digest is not worked out again.
   * @returns its bytes there.
   * @throws DamagedSections, or the system's error.
   */
  read(section: number, into: Uint8Array, isChecked = false): Uint8Array {
    const bytes = into.subarray(0, this.lengthOf(section))
    if (!readAll(this.fd, bytes, this.places[section]!)) throw this.cut()
    if (!isChecked) this.require(section, sectionDigest(bytes))
    return bytes
  }

  private require(section: number, digest: Uint8Array): void {
    const wanted = this.digests.subarray(section * digestBytes, (section + 1) * digestBytes)
    if (Buffer.compare(digest, wanted) !== 0) throw new DamagedSections(this.path, `section ${section} was changed`)
  }

  /** Checks every section. @throws DamagedSections, or the system's error. */
  check(): void {
    const buffer = new Uint8Array(pieceBytes)
    for (let section = 0; section < this.sections; section++) {
      const digest = createHash('sha256')
      const to = this.places[section + 1]!
      for (let from = this.places[section]!; from < to; from += pieceBytes) {
        const piece = buffer.subarray(0, Math.min(pieceBytes, to - from))
        if (!readAll(this.fd, piece, from)) throw this.cut()
        digest.update(piece)
      }
      this.require(section, digest.digest())
    }
  }

  close(): void {
    if (this.isOpen) closeSync(this.fd)
    this.isOpen = false
  }

  private cut(): DamagedSections {
    return new DamagedSections(this.path, 'not a whole file of sections')
  }
}

/** Opens a file that another thread of the process has opened already: what fails here came in between. @throws DamagedSections */
export function openSame(path: string, digest: string): SectionFile {
  let file: SectionFile
  try {
    file = new SectionFile(path)
  } catch (error) {
    throw new DamagedSections(path, errorText(error))
  }
  if (file.digest('') !== digest) throw new DamagedSections(path, 'it is another file by now')
  return file
}
