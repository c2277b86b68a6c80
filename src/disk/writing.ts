/**
 * Making, replacing and removing files without touching what a link at their name points to.
 *
 * What is new is made with O_EXCL, which fails on whatever is there already, links included. What is replaced is written under a name that
 * nobody can guess and renamed, which takes away a link itself, never what it points to. What cannot be excluded is said in `reading.ts`.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errorCode, UserError } from '../errors.ts'
import { kindOf, kindWords, type NodeKind } from './nodes.ts'
import { type Links, noFollow, openFlags, openRegular } from './reading.ts'

const passing = /^\.tidemark-new-(\d+)-[0-9a-f]{16}$/

/** A name for a file on its way to another name. It tells which process it belongs to, so that it can be removed after that was killed. */
export function passingName(): string {
  return `.tidemark-new-${process.pid}-${randomBytes(8).toString('hex')}`
}

/** The process whose file on its way a name says it is; null for any other name. */
export function passingProcess(name: string): number | null {
  const pid = passing.exec(name)?.[1]
  return pid === undefined ? null : Number(pid)
}

/** Whether a process of this machine runs; that of a number that was given to another one does too. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** Opens a file that is not there yet for writing. @throws EEXIST for whatever is there, also a link that leads nowhere. */
export async function createNew(path: string, mode = 0o666): Promise<FileHandle> {
  return await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow, mode)
}

/** Writes a file that is not there yet. @throws EEXIST, as `createNew` does. */
export async function writeNew(path: string, content: string | AsyncIterable<Uint8Array>): Promise<void> {
  await writeFile(path, content, { flag: 'wx' })
}

/** Writes a file whole or not at all, in place of whatever has its name: of a link the link itself. It outlives a power cut. */
export async function replaceFile(path: string, content: string | Uint8Array, mode?: number): Promise<void> {
  const incoming = join(dirname(path), passingName())
  try {
    const handle = await createNew(incoming, mode)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(incoming, path)
  } catch (error) {
    await rm(incoming, { force: true }).catch(() => undefined)
    throw error
  }
  await sync(dirname(path))
}

/** Makes what was written to a file, or a rename in a folder, survive a power cut. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, openFlags('refuse'))
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems refuse to sync a folder; there is nothing more to be done for it.
    if (errorCode(error) !== 'EINVAL' && errorCode(error) !== 'EPERM') throw error
  } finally {
    await handle.close()
  }
}

/** Opens a regular file that is there for appending to it or cutting it; a link is not followed. */
export async function openToChange(path: string, links: Links = 'refuse'): Promise<FileHandle> {
  return await openRegular(path, links, constants.O_RDWR | constants.O_APPEND)
}

/** The like, of a file that is made if it is not there. */
export async function openOrCreate(path: string, links: Links = 'refuse', mode?: number): Promise<FileHandle> {
  try {
    return await openToChange(path, links)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
    return await createNew(path, mode)
  }
}

/** What is at a path, links not followed; null if nothing is. */
export async function nodeAt(path: string): Promise<NodeKind | null> {
  try {
    return kindOf(await lstat(path))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

/** Makes a folder, if it is not there. @throws UserError if there is something else, a link to a folder included. */
export async function requireFolder(path: string): Promise<void> {
  const kind = await nodeAt(path)
  if (kind === null) {
    await mkdir(path).catch(error => {
      if (errorCode(error) !== 'EEXIST') throw error
    })
    return await requireFolder(path)
  }
  if (kind === 'folder') return
  throw new UserError(`${kindWords(kind)}, not a folder: ${path}`, {
    hint: 'move it away; links are not followed here',
  })
}

/** Removes what has a name: a folder with all that is in it, of a link the link itself. */
export async function removeNode(path: string): Promise<void> {
  if ((await nodeAt(path)) === 'folder') await rm(path, { recursive: true, force: true })
  else await unlink(path).catch(ignoreMissing)
}

function ignoreMissing(error: unknown): void {
  if (errorCode(error) !== 'ENOENT') throw error
}

/** Removes files that were on their way in a folder when their process was killed. */
export async function removePassing(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = passingProcess(name)
    if (pid !== null && !isRunning(pid)) await removeNode(join(folder, name))
  }
}
