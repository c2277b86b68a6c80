import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { errorCode } from '../errors.ts'
import { appeared, type FileTarget, isOutputError, outputError, requireUnchanged } from './output.ts'
import { isRunning } from './writing.ts'

const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)

/** What this process has begun to write and not given its name yet: removed however the process ends, but for a kill. */
const unfinished = new Set<string>()

/** An output on its way, beside the place that it will have. It gets its name when it is complete. */
export class PartFile {
  readonly target: FileTarget
  readonly path: string
  readonly fd: number
  private open = true
  /** The uppermost folder that was made for it. */
  private readonly made: string | undefined

  /** @throws UserError where it cannot be made. */
  constructor(target: FileTarget) {
    this.target = target
    this.path = besides(target, '.part')
    try {
      this.made = mkdirSync(dirname(this.path), { recursive: true })
      this.fd = openSync(this.path, 'wx')
    } catch (error) {
      throw outputError(target.name, target.option, error)
    }
    keepInMind(this.path)
    // Who was not to read the older file is not to read the new one.
    if (target.replaces !== null) attempt(() => fchmodSync(this.fd, Number(target.replaces!.mode) & 0o777))
  }

  /** Everything is written: brings it to the disk. */
  close(): void {
    if (!this.open) return
    this.open = false
    try {
      fsyncSync(this.fd)
    } catch (error) {
      // Some file systems cannot sync.
      if (errorCode(error) !== 'EINVAL' && errorCode(error) !== 'ENOTSUP') throw this.failure(error)
    } finally {
      closeSync(this.fd)
    }
  }

  /** Gives the file its name. @throws UserError where another has taken it. */
  finish(): void {
    this.close()
    requireUnchanged(this.target)
    try {
      if (this.target.replaces !== null || !this.linked()) renameSync(this.path, this.target.path)
    } catch (error) {
      throw errorCode(error) === 'EEXIST' ? appeared(this.target) : this.failure(error)
    }
    unfinished.delete(this.path)
    attempt(() => syncFolder(dirname(this.path)))
  }

  abandon(): void {
    if (this.open) closeSync(this.fd)
    this.open = false
    remove(this.path)
    if (this.made !== undefined) removeEmpty(dirname(this.path), this.made)
  }

  /** An error of the system or of DuckDB while the file was written, in words; any other as it is. */
  failure(error: unknown): unknown {
    return isOutputError(error) ? outputError(this.target.name, this.target.option, error) : error
  }

  /** Unlike a rename, a link never replaces what has come there in this moment. False: this file system has no links. */
  private linked(): boolean {
    try {
      linkSync(this.path, this.target.path)
    } catch (error) {
      if (errorCode(error) === 'EEXIST' || errorCode(error) === 'ENOSPC') throw error
      return false
    }
    rmSync(this.path, { force: true })
    return true
  }
}

/** A folder for what an output is made of, beside it. @returns its path, and what removes it. */
export function scratchFolder(target: FileTarget): { path: string; remove: () => void } {
  const path = besides(target, '.parts')
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    throw outputError(target.name, target.option, error)
  }
  keepInMind(path)
  return { path, remove: () => remove(path) }
}

/** `.NAME.tidemark-HOST-PID-RANDOM.part`: of a process that was killed it can be told whose it was. */
function besides(target: FileTarget, ending: string): string {
  const random = randomBytes(4).toString('hex')
  return join(dirname(target.path), `${prefix(target)}${process.pid}-${random}${ending}`)
}

function prefix(target: FileTarget): string {
  let name = basename(target.path)
  // File systems take names of 255 bytes.
  while (Buffer.byteLength(name) > 190) name = name.slice(0, -1)
  return `.${name}.tidemark-${host}-`
}

/** Removes what writers of outputs in a folder, or of one file in it, left that were killed on this machine. */
export function clearKilledOutputs(folder: string, target?: FileTarget): void {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    // A folder that cannot be listed: the output itself will say why.
    return
  }
  const start = target && prefix(target)
  for (const name of names) {
    const parts = /^(\..+\.tidemark-([0-9a-f]{8})-)(\d+)-[0-9a-f]{8}\.(parts?)$/.exec(name)
    if (parts === null || parts[2] !== host || (start !== undefined && parts[1] !== start)) continue
    const path = join(folder, name)
    if (isAtWork(Number(parts[3]), path)) continue
    const info = lstatSync(path, { throwIfNoEntry: false })
    const isOurs = parts[4] === 'part' ? info?.isFile() : info?.isDirectory()
    if (isOurs && info?.uid === process.getuid?.()) attempt(() => rmSync(path, { recursive: true, force: true }))
  }
}

function isAtWork(pid: number, path: string): boolean {
  // A number that has come again, to this process.
  return pid === process.pid ? unfinished.has(path) : isRunning(pid)
}

function keepInMind(path: string): void {
  if (unfinished.size === 0 && !process.listeners('exit').includes(removeUnfinished))
    process.on('exit', removeUnfinished)
  unfinished.add(path)
}

function removeUnfinished(): void {
  for (const path of unfinished) remove(path)
}

function remove(path: string): void {
  unfinished.delete(path)
  attempt(() => rmSync(path, { recursive: true, force: true }))
}

/** Removes folders from the innermost to the outermost, as far as they are empty. */
function removeEmpty(folder: string, outermost: string): void {
  attempt(() => {
    for (let one = folder; one.startsWith(outermost); one = dirname(one)) rmdirSync(one)
  })
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Does what helps where it works, and is not missed where it does not. */
function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // It is not missed.
  }
}
