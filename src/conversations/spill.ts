/** Bytes that do not stay in memory, in a file that several threads write and read. */
import { closeSync, readvSync, writevSync } from 'node:fs'
import { openScratch, readAll, writeAll } from '../disk/scratch.ts'
import { assert } from '../errors.ts'

type SpilledArray = Uint8Array | Uint16Array | Uint32Array | Float64Array

/** What another thread of the process needs to know of such a file. */
export interface SpillFile {
  fd: number
  /** One 64-bit number: where the next bytes go. */
  end: SharedArrayBuffer
}

/** Makes such a file in a folder. */
export function openSpill(folder: string): SpillFile {
  return { fd: openScratch(folder), end: new SharedArrayBuffer(8) }
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
    const place = this.reserve(bytes.length)
    writeAll(this.fd, bytes, place)
    return place
  }

  /** Writes the numbers of some arrays, one after the other. @returns their place. */
  writeArrays(arrays: readonly SpilledArray[]): number {
    const length = lengthOf(arrays)
    const place = this.reserve(length)
    const written = writevSync(this.fd, arrays, place)
    if (written < length) writeAll(this.fd, Buffer.concat(arrays.map(bytesOf)).subarray(written), place + written)
    return place
  }

  /** Fills some arrays with what was written one after the other. */
  readArrays(place: number, arrays: readonly SpilledArray[]): void {
    const length = lengthOf(arrays)
    if (readvSync(this.fd, arrays, place) === length) return
    const all = new Uint8Array(length)
    this.read(place, all)
    let at = 0
    for (const bytes of arrays.map(bytesOf)) {
      bytes.set(all.subarray(at, at + bytes.length))
      at += bytes.length
    }
  }

  private reserve(length: number): number {
    return Number(Atomics.add(this.end, 0, BigInt(length)))
  }

  /** Writes the numbers of an array. @returns their place. */
  writeArray(array: Uint8Array | Uint32Array): number {
    return this.write(bytesOf(array))
  }

  /** Fills `into` with bytes that were written. */
  read(place: number, into: Uint8Array): void {
    assert(readAll(this.fd, into, place), 'what was spilled is there')
  }

  readArray<Numbers extends Uint8Array | Uint32Array>(place: number, into: Numbers): Numbers {
    this.read(place, bytesOf(into))
    return into
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: SpilledArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function lengthOf(arrays: readonly SpilledArray[]): number {
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
}
