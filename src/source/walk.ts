import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { errorCode, errorText, UserError } from '../errors.ts'

/** A file to look at, or, with `problem`, an entry that can not be read as a file. */
export interface FoundFile {
  path: string
  size: number
  problem: string | null
}

/** Entries that name a case of ours: evidence is not looked for in there. */
const caseMark = 'ledger.jsonl'

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
      throw new UserError(`no such file or folder: ${path}`, { status: 2, hint: 'check the path; folders are read with all their sub-folders' })
    }
  }
  for (const path of paths) await visit(path, found, entered)
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

async function visit(path: string, found: Map<string, FoundFile>, entered: Set<string>): Promise<void> {
  try {
    const info = await stat(path)
    const real = await realpath(path)
    if (info.isDirectory()) {
      if (entered.has(real)) return
      entered.add(real)
      const names = (await readdir(path)).sort()
      if (names.includes(caseMark)) return
      for (const name of names) await visit(join(path, name), found, entered)
    } else if (!found.has(real)) {
      const problem = info.isFile() ? null : 'not a regular file (a pipe, device or socket)'
      found.set(real, { path, size: info.isFile() ? info.size : 0, problem })
    }
  } catch (error) {
    found.set(resolve(path), { path, size: 0, problem: reason(error) })
  }
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
      return errorText(error)
  }
}
