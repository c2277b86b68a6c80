/** Bytes that do not stay in memory, in a file that several threads write and read. */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from '../errors.ts'

/** What another thread of the process needs to know of such a file. */
export interface SpillFile {
  fd: number
  /** One 64-bit number: where the next bytes go. */
  end: SharedArrayBuffer
}

/** Makes a file in a folder; nobody else needs its name, and it is gone however this process ends. */
export function openSpill(folder: string): SpillFile {
  const path = join(folder, `conversations-${randomBytes(8).toString('hex')}`)
  const fd = openSync(path, 'wx+', 0o600)
  try {
    unlinkSync(path)
  } catch {
    // Not while it is open, on Windows: it goes with its folder.
  }
  return { fd, end: new SharedArrayBuffer(8) }
}

export function closeSpill({ fd }: SpillFile): void {
  closeSync(fd)
}

export class Spill {
  private readonly fd: number
  private readonly end: BigInt64Array

  constructor({ fd, end }: SpillFile) {
    this.fd = fd
    this.end = new BigInt64Array(end)
  }

  /** Writes bytes. @returns their place. */
  write(bytes: Uint8Array): number {
    const place = Number(Atomics.add(this.end, 0, BigInt(bytes.length)))
    for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at, bytes.length - at, place + at)
    return place
  }

  /** Writes the numbers of an array. @returns their place. */
  writeArray({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array): number {
    return this.write(new Uint8Array(buffer, byteOffset, byteLength))
  }

  /** Fills `into` with bytes that were written. */
  read(place: number, into: Uint8Array): void {
    for (let at = 0; at < into.length; ) {
      const length = readSync(this.fd, into, at, into.length - at, place + at)
      assert(length > 0, 'what was spilled is there')
      at += length
    }
  }

  readArray<Numbers extends Uint8Array | Uint32Array>(place: number, into: Numbers): Numbers {
    this.read(place, new Uint8Array(into.buffer, into.byteOffset, into.byteLength))
    return into
  }
}
