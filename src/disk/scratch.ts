/** Files of numbers by their descriptors: what does not fit into memory, and whole reads and writes of any file. */
import { randomBytes } from 'node:crypto'
import { openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Makes a file in a folder and opens it to write and read. Nobody else needs its name: it is gone however this process ends. */
export function openScratch(folder: string): number {
  const path = join(folder, `scratch-${process.pid}-${randomBytes(8).toString('hex')}`)
  const fd = openSync(path, 'wx+', 0o600)
  try {
    unlinkSync(path)
  } catch {
    // Not while it is open, on Windows: it goes with its folder.
  }
  return fd
}

/** @param from where to write; null: after what was written before. */
export function writeAll(fd: number, bytes: Uint8Array, from: number | null = null): void {
  for (let at = 0; at < bytes.length; )
    at += writeSync(fd, bytes, at, bytes.length - at, from === null ? null : from + at)
}

/** Fills `into` from a place of a file. @returns whether the file has that many bytes there. */
export function readAll(fd: number, into: Uint8Array, from: number): boolean {
  for (let at = 0; at < into.length; ) {
    const length = readSync(fd, into, at, into.length - at, from + at)
    if (length === 0) return false
    at += length
  }
  return true
}
