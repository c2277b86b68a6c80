import { type Dirent, readlinkSync, type Stats, statSync } from 'node:fs'
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { kindOf, kindWords, NotRegularError } from '../disk/nodes.ts'
import { isInputTerminal, standardInput } from '../disk/pipes.ts'
import type { Path } from '../disk/reading.ts'
import { errorCode, errorText, UserError } from '../errors.ts'
import { systemFailure } from '../system-error.ts'

/** A file to look at, or, with `problem`, an entry that cannot be read as a file. */
export interface FoundFile {
  path: string
  /** The path as the system has it, where it is not UTF-8; `path` then shows the odd bytes as \xNN. */
  rawPath: Uint8Array | null
  size: number
  problem: string | null
  /** Whether the problem hides what may be evidence. A pipe or a device is not one. */
  unreadable: boolean
  /** Whether the user named it, and not only a folder that holds it: then it is meant to be evidence. */
  named: boolean
  /** A pipe that the user named: its bytes are at `path` once, and are to be copied before they are looked at. */
  isPipe?: true
}

export interface FindOptions {
  /** Whether a file is a case's ledger: its folder is named, and evidence is not looked for in there. */
  isLedger: (path: Path) => boolean
  /** The case that is being written: where it lies among the evidence it is passed over without a word. */
  own?: string
  /** A folder out of which no link to a folder is followed: whoever may put files into it does not have all of the machine searched. */
  inside?: string
  /** Whether pipes that are named are taken; others are listed with a problem. */
  pipes?: boolean
  signal?: AbortSignal
}

/** Entries of a folder that may be a case. */
const ledgerName = 'ledger.jsonl'
const caseMarks = [ledgerName, 'segments']

/**
 * All files under the given files and folders, each once, in the order of their paths. Links are followed, but no folder is
 * entered twice; what is not a regular file (a pipe, a device, a socket), and a case within a folder, is listed with a problem and never
 * opened.
 *
 * @throws UserError (status 2) when a path does not exist or is a pipe, a device or a socket, before anything else is done.
 */
export async function findFiles(paths: readonly string[], options: FindOptions): Promise<FoundFile[]> {
  const piped = options.pipes === true ? await pipesOf(paths) : []
  const others = paths.filter(path => !piped.some(pipe => pipe.path === path))
  for (const path of others) {
    try {
      await lstat(path)
      const info = await stat(path).catch(() => null)
      if (info !== null && !info.isFile() && !info.isDirectory()) throw notEvidence(info, path)
    } catch (error) {
      if (error instanceof UserError) throw error
      if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR') throw unreadable(path, error)
      throw new UserError(`no such file or folder: ${path}`, {
        status: 2,
        hint: 'check the path; folders are read with all their sub-folders',
      })
    }
  }
  const own = options.own === undefined ? null : await realpath(options.own, 'buffer').catch(() => null)
  const inside = options.inside === undefined ? null : (await realpath(options.inside, 'buffer')).toString('latin1')
  const walk: Walk = { found: new Map(), entered: new Set(), own: own?.toString('latin1') ?? null, inside, options }
  for (const path of others) await visit({ path, raw: null, real: null, named: true }, walk)
  return [...piped, ...walk.found.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

/** The paths that are pipes, each once. @throws UserError for `-` at a terminal. */
async function pipesOf(paths: readonly string[]): Promise<FoundFile[]> {
  const found: FoundFile[] = []
  for (const path of new Set(paths)) {
    const info = path === standardInput ? null : await stat(path).catch(() => null)
    if (path !== standardInput && info?.isFIFO() !== true) continue
    if (path === standardInput && isInputTerminal()) {
      const hint = 'pipe it in: zcat flow.log.gz | tidemark add -'
      throw new UserError('nothing to read: standard input is a terminal', { status: 2, hint })
    }
    found.push({ path, rawPath: null, size: 0, problem: null, unreadable: false, named: true, isPipe: true })
  }
  return found
}

/** A path to show, and, where it is not UTF-8, as it is. */
interface Place {
  path: string
  raw: Buffer | null
  /** The path without links, as bytes, where it is known. */
  real: string | null
  named: boolean
}

interface Walk {
  found: Map<string, FoundFile>
  entered: Set<string>
  /** Where the case really is that is being written. */
  own: string | null
  inside: string | null
  options: FindOptions
}

async function visit(place: Place, walk: Walk): Promise<void> {
  const { found, entered, options } = walk
  options.signal?.throwIfAborted()
  const { path, raw, named } = place
  const own = { path, rawPath: raw, named }
  try {
    const info = place.real === null ? await stat(raw ?? path) : statSync(raw ?? path)
    const real = place.real ?? (await realpath(raw ?? path, 'buffer')).toString('latin1')
    if (info.isDirectory() && !isInside(real, walk.inside)) {
      const problem = 'a link to a folder elsewhere'
      found.set((raw ?? Buffer.from(resolve(path))).toString('latin1'), { ...own, size: 0, problem, unreadable: false })
    } else if (info.isDirectory()) {
      if (entered.has(real)) return
      entered.add(real)
      const entries = await readdir(raw ?? path, { encoding: 'buffer', withFileTypes: true })
      if (isCase(place, entries, options)) {
        if (real === walk.own) return
        const problem = 'a Tidemark case, which holds no evidence: name the files that it was made from'
        found.set(real, { ...own, size: 0, problem, unreadable: false })
        return
      }
      for (const entry of entries.sort((a, b) => Buffer.compare(a.name, b.name))) {
        // Of a plain file the folder tells where it really is.
        const own = entry.isFile() ? join(real, entry.name.toString('latin1')) : null
        await visit(within(place, entry.name, own), walk)
      }
    } else if (found.has(real)) {
      // In a folder that was named before, perhaps.
      found.get(real)!.named ||= named
    } else {
      const problem = info.isFile() ? null : `${kindWords(kindOf(info))}, not a regular file`
      found.set(real, { ...own, size: info.isFile() ? info.size : 0, problem, unreadable: false })
    }
  } catch (error) {
    options.signal?.throwIfAborted()
    const key = (raw ?? Buffer.from(resolve(path))).toString('latin1')
    found.set(key, { ...own, size: 0, problem: reason(error), unreadable: true })
  }
}

function isInside(real: string, folder: string | null): boolean {
  return folder === null || real === folder || real.startsWith(folder === sep ? sep : `${folder}${sep}`)
}

/** Not by the names alone: two empty entries must not hide a folder of logs. */
function isCase(place: Place, entries: readonly Dirent<Buffer>[], options: FindOptions): boolean {
  if (!caseMarks.every(mark => entries.some(entry => entry.name.toString() === mark))) return false
  const ledger = within(place, Buffer.from(ledgerName), null)
  return options.isLedger(ledger.raw ?? ledger.path)
}

/** The file under its whole path, which is good in any working folder. */
export function absolute(file: FoundFile): FoundFile {
  if (file.path === standardInput) return file
  const folder = oddWorkingFolder()
  const own = file.rawPath ?? (folder === null ? null : Buffer.from(file.path))
  if (own === null || own[0] === separator[0]) return { ...file, path: resolve(file.path) }
  const base = folder ?? Buffer.from(process.cwd())
  return { ...file, path: join(shown(base), file.path), rawPath: Buffer.concat([base, separator, own]) }
}

const separator = Buffer.from(sep)

/** The working folder, where its name is not UTF-8; else null. */
function oddWorkingFolder(): Buffer | null {
  if (!process.cwd().includes('\ufffd')) return null
  try {
    return readlinkSync('/proc/self/cwd', 'buffer')
  } catch {
    // Without /proc nothing tells its bytes.
    return null
  }
}

/** A name as text, with the bytes that are no UTF-8 as \xNN. */
function shown(name: Buffer): string {
  const text = name.toString()
  if (Buffer.from(text).equals(name)) return text
  return name.toString('latin1').replace(/[\x80-\xff]/g, byte => `\\x${byte.charCodeAt(0).toString(16)}`)
}

function within(folder: Place, name: Buffer, real: string | null): Place {
  const isRaw = folder.raw !== null || !Buffer.from(name.toString()).equals(name)
  const raw = isRaw ? Buffer.concat([folder.raw ?? Buffer.from(folder.path), separator, name]) : null
  return { path: join(folder.path, shown(name)), raw, real, named: false }
}

/** What the user named is neither a file nor a folder. */
function notEvidence(info: Stats, path: string): UserError {
  return new UserError(`${kindWords(kindOf(info))}, not a file or folder: ${path}`, {
    status: 2,
    hint: 'write what it gives into a file, and name that',
  })
}

function unreadable(path: string, error: unknown): UserError {
  return new UserError(`cannot be read: ${path}`, { hint: reason(error) })
}

/** Why evidence cannot be read, in words. */
export function reason(error: unknown): string {
  if (error instanceof NotRegularError) return error.what
  if (errorCode(error) === 'ENOENT') return 'it does not exist (a broken link, or removed while reading)'
  return systemFailure(error)?.message ?? errorText(error)
}
