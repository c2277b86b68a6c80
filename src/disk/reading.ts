/**
 * Opening for reading.
 *
 * A name is looked at before it is opened, opened without waiting for a writer of a pipe, and looked at again once it is open: so what is
 * opened is a regular file even if the name was given to something else meanwhile. Within a case links are not followed; that holds for
 * the last part of a path only, for Node has no `openat`: who can rename the folders above while Tidemark runs can lead it elsewhere.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { errorCode } from '../errors.ts'
import { kindOf, NotRegularError, TooLargeError } from './nodes.ts'

export type Path = string | Uint8Array

/** Whether a link at the path is followed: yes, for what the user named; never within a case. */
export type Links = 'follow' | 'refuse'

/** Windows has neither. */
const nonblock = constants.O_NONBLOCK ?? 0
export const noFollow: number = constants.O_NOFOLLOW ?? 0
const noTerminal = constants.O_NOCTTY ?? 0

/** Flags of `open` with which it never waits, and follows links only if it may. */
export function openFlags(links: Links, flags: number = constants.O_RDONLY): number {
  return flags | nonblock | noTerminal | (links === 'refuse' ? noFollow : 0)
}

/** @throws NotRegularError */
export function requireRegular(info: Stats, path: Path): void {
  if (!info.isFile()) throw new NotRegularError(kindOf(info), textOf(path))
}

/** The file at a path, of which nothing is opened. @throws NotRegularError, or the system's error. */
export function statRegular(path: Path, links: Links): Stats {
  const info = links === 'follow' ? statSync(path as Buffer) : lstatSync(path as Buffer)
  requireRegular(info, path)
  return info
}

/** Opens a regular file for reading. @throws NotRegularError, or the system's error. */
export function openRegularSync(path: Path, links: Links, flags: number = constants.O_RDONLY): number {
  statRegular(path, links)
  const fd = openSync(path as Buffer, openFlags(links, flags))
  try {
    requireRegular(fstatSync(fd), path)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Some bytes of a regular file, fewer where it ends. @throws NotRegularError, or the system's error. */
export function readPart(path: Path, from: number, length: number): Buffer {
  const fd = openRegularSync(path, 'follow')
  try {
    const part = Buffer.allocUnsafe(length)
    return part.subarray(0, readSync(fd, part, 0, length, from))
  } finally {
    closeSync(fd)
  }
}

/** Opens a regular file. @throws NotRegularError, or the system's error. */
export async function openRegular(path: Path, links: Links, flags: number = constants.O_RDONLY): Promise<FileHandle> {
  statRegular(path, links)
  const handle = await open(path as Buffer, openFlags(links, flags))
  try {
    requireRegular(await handle.stat(), path)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * A file's bytes from start to end, however many it claims to have.
 *
 * @param between called before each piece; what it throws ends the reading.
 */
export async function* piecesOf(
  path: Path,
  links: Links,
  pieceBytes = 1 << 20,
  between?: () => void,
): AsyncGenerator<Buffer> {
  const handle = await openRegular(path, links)
  // The stream closes the handle, also when the reading ends early.
  for await (const piece of handle.createReadStream({ highWaterMark: pieceBytes })) {
    between?.()
    yield piece as Buffer
  }
}

/** All of an open file, or null if it holds more than `largest`: what is read counts, for a file may claim any size. */
export function readUpTo(fd: number, largest: number, claimed: number): Buffer | null {
  const parts: Buffer[] = []
  let total = 0
  for (let room = Math.min(claimed, largest) + 1; ; room = Math.min(Math.max(total, 1 << 16), 16 << 20)) {
    const part = Buffer.allocUnsafe(Math.min(room, largest + 1 - total))
    const length = readSync(fd, part, 0, part.length, null)
    if (length === 0) return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    parts.push(part.subarray(0, length))
    total += length
    if (total > largest) return null
  }
}

/** The whole of a file that must be small. @throws TooLargeError, NotRegularError, or the system's error. */
export function readSmall(path: Path, links: Links, largest: number): Buffer {
  const fd = openRegularSync(path, links)
  try {
    const { size } = fstatSync(fd)
    const bytes = size > largest ? null : readUpTo(fd, largest, size)
    if (bytes === null) throw new TooLargeError(largest, textOf(path))
    return bytes
  } finally {
    closeSync(fd)
  }
}

/** The like, of a file that need not be there: null then. */
export function readSmallIfThere(path: Path, links: Links, largest: number): Buffer | null {
  try {
    return readSmall(path, links, largest)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

export function textOf(path: Path): string {
  return typeof path === 'string' ? path : Buffer.from(path).toString()
}
