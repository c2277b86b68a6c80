import { statSync } from 'node:fs'
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { errorCode, errorText, UserError } from '../errors.ts'
import { systemFailure } from '../system-error.ts'

/** A file to look at, or, with `problem`, an entry that can not be read as a file. */
export interface FoundFile {
  path: string
  /** The path as the system has it, where it is not UTF-8; `path` then shows the odd bytes as \xNN. */
  rawPath: Uint8Array | null
  size: number
  problem: string | null
  /** Whether the problem hides what may be evidence. A pipe or a device is none. */
  unreadable: boolean
}

/** Entries of a case of ours: evidence is not looked for in there. */
const caseMarks = ['ledger.jsonl', 'segments']

/**
 * All files under the given files and folders, each once, in the order of their paths. Links are followed, but no folder is
 * entered twice; what is not a regular file (a pipe, a device, a socket) is listed with a problem and never opened.
 *
 * @throws UserError (status 2) when a path does not exist, before anything else is done.
 */
export async function findFiles(paths: readonly string[]): Promise<FoundFile[]> {
  const found = new Map<string, FoundFile>()
  const entered = new Set<string>()
  for (const path of paths) {
    try {
      await lstat(path)
    } catch (error) {
      if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR') throw unreadable(path, error)
      throw new UserError(`no such file or folder: ${path}`, {
        status: 2,
        hint: 'check the path; folders are read with all their sub-folders',
      })
    }
  }
  for (const path of paths) await visit({ path, raw: null, real: null }, found, entered)
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

/** A path to show, and, where it is not UTF-8, as it is. */
interface Place {
  path: string
  raw: Buffer | null
  /** The path without links, as bytes, where it is known. */
  real: string | null
}

async function visit(place: Place, found: Map<string, FoundFile>, entered: Set<string>): Promise<void> {
  const { path, raw } = place
  const own = { path, rawPath: raw }
  try {
    const info = place.real === null ? await stat(raw ?? path) : statSync(raw ?? path)
    const real = place.real ?? (await realpath(raw ?? path, 'buffer')).toString('latin1')
    if (info.isDirectory()) {
      if (entered.has(real)) return
      entered.add(real)
      const entries = await readdir(raw ?? path, { encoding: 'buffer', withFileTypes: true })
      if (caseMarks.every(mark => entries.some(entry => entry.name.toString() === mark))) return
      for (const entry of entries.sort((a, b) => Buffer.compare(a.name, b.name))) {
        // Of a plain file the folder tells where it really is.
        const own = entry.isFile() ? join(real, entry.name.toString('latin1')) : null
        await visit(within(place, entry.name, own), found, entered)
      }
    } else if (!found.has(real)) {
      const problem = info.isFile() ? null : 'not a regular file (a pipe, device or socket)'
      found.set(real, { ...own, size: info.isFile() ? info.size : 0, problem, unreadable: false })
    }
  } catch (error) {
    const key = (raw ?? Buffer.from(resolve(path))).toString('latin1')
    found.set(key, { ...own, size: 0, problem: reason(error), unreadable: true })
  }
}

function within(folder: Place, name: Buffer, real: string | null): Place {
  const text = name.toString()
  const isOdd = !Buffer.from(text).equals(name)
  const shown = isOdd
    ? name.toString('latin1').replace(/[\x80-\xff]/g, byte => `\\x${byte.charCodeAt(0).toString(16)}`)
    : text
  const isRaw = isOdd || folder.raw !== null
  const raw = isRaw ? Buffer.concat([folder.raw ?? Buffer.from(folder.path), Buffer.from(sep), name]) : null
  return { path: join(folder.path, shown), raw, real }
}

function unreadable(path: string, error: unknown): UserError {
  return new UserError(`can not be read: ${path}`, { hint: reason(error) })
}

/** The system's reason in words. */
export function reason(error: unknown): string {
  switch (errorCode(error)) {
    case 'EACCES':
    case 'EPERM':
      return 'no permission to read it'
    case 'ENOENT':
      return 'it does not exist (a broken link, or removed while reading)'
    case 'ELOOP':
      return 'its links lead in a circle'
    case 'EIO':
      return 'the disk reports a read error'
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open on this machine'
    case 'EISDIR':
      return 'it is a folder'
    default:
      return systemFailure(error)?.message ?? errorText(error)
  }
}
