/** Where an output that the user named may go. Nothing is written here: see `part-file.ts` and `output-file.ts`. */
import {
  accessSync,
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { assert, errorCode, errorText, exitStatus, UserError } from '../errors.ts'
import { systemCode, systemFailure } from '../system-error.ts'

/** A path as the user sees it or, where it is not UTF-8, as the system has it. */
export type FileName = string | Uint8Array

export interface OutputRules {
  /** The option that names the output, for what is said about it. */
  option: string
  /** Files that are read, or evidence of the case: none of them is ever written over. */
  inputs?: readonly FileName[]
  /** Whether an ordinary file that is neither input nor part of a case may be replaced. */
  force?: boolean
  /** What to do instead where an existing file is never replaced; without it, `--force` replaces it. */
  instead?: string
  /** What the output is, where it must be a file because its writer goes back in it: `Parquet`. */
  seeks?: string
  /** Whether folders that are missing on the way are made. */
  makesFolders?: boolean
}

/** An ordinary file: written beside, and renamed when it is complete. */
export interface FileTarget {
  kind: 'file'
  /** As the user named it. */
  name: string
  /** Without links. */
  path: string
  option: string
  /** What lies there now and is to be replaced; null: nothing. */
  replaces: BigIntStats | null
}

/** A pipe, a character device or an open descriptor: written as it comes. */
export interface StreamTarget {
  kind: 'stream'
  name: string
  option: string
  /** A descriptor that is open already; null: `name` has to be opened. */
  fd: number | null
  isPipe: boolean
}

export type OutputTarget = FileTarget | StreamTarget

/**
 * Looks at what an output's name leads to, and refuses what must not be written: evidence, anything inside a case, and, without
 * `force`, any file that exists.
 *
 * @throws UserError (status 2; 1 where the system does not allow it).
 */
export function outputTarget(name: string, rules: OutputRules): OutputTarget {
  const { option } = rules
  if (name === '') throw usage('the name of the output is empty', `name a file with ${option}`)
  const fd = name === '-' ? 1 : descriptorOf(name)
  if (fd !== null) return descriptorTarget(name, fd, rules)
  const info = existing(name, option)
  if (info === null) return newFile(name, rules)
  if (info.isDirectory()) throw usage(`a folder where a file is expected: ${name}`, `name a file with ${option}`)
  if (info.isBlockDevice()) {
    throw usage(`the output is a disk, which is never written: ${name}`, `name a file with ${option}`)
  }
  if (info.isSocket()) throw usage(`a socket where a file is expected: ${name}`, `name a file with ${option}`)
  if (!info.isFile()) return stream(name, null, info, rules)
  const path = realPath(name, info)
  refuseKept(name, path, info, rules)
  if (rules.force !== true) {
    throw usage(
      `the file exists: ${name}`,
      `name another with ${option}, or ${rules.instead ?? 'replace it with --force'}`,
    )
  }
  requireFolder(dirname(path), name, option)
  return { kind: 'file', name, path, option, replaces: info }
}

/** As `outputTarget`, for what only a file can hold. */
export function fileTarget(name: string, rules: OutputRules & { seeks: string }): FileTarget {
  const target = outputTarget(name, rules)
  assert(target.kind === 'file', 'what goes back in its output has a file')
  return target
}

/** Looks at a folder for outputs, and makes it. @throws UserError as `outputTarget`. */
export function outputFolder(name: string, option: string): void {
  if (name === '') throw usage('the name of the folder is empty', `name a folder with ${option}`)
  let parent = resolve(name)
  while (lookAt(parent) === null && dirname(parent) !== parent) parent = dirname(parent)
  refuseCase(name, realpathSync(parent), option)
  try {
    mkdirSync(name, { recursive: true })
  } catch (error) {
    if (['EEXIST', 'ENOTDIR'].includes(errorCode(error) ?? '')) {
      throw usage(`a file where a folder is expected: ${name}`, `name a folder with ${option}`)
    }
    throw outputError(name, option, error)
  }
}

/** Whether the same file can still take the target's name. Called right before it does. @throws UserError where it cannot. */
export function requireUnchanged(target: FileTarget): void {
  const now = lstatSync(target.path, { bigint: true, throwIfNoEntry: false })
  refuseCase(target.name, dirname(target.path), target.option)
  if (now !== undefined && (target.replaces === null || !now.isFile() || !isSame(now, target.replaces))) {
    throw appeared(target)
  }
}

export function appeared(target: FileTarget): UserError {
  return new UserError(`another file has taken the name of the output meanwhile: ${target.name}`, {
    hint: `it was left as it is, and nothing was written; name another file with ${target.option}`,
  })
}

/** Whether what was thrown says that something could not be written, whatever it was. DuckDB's errors have no code. */
export function isOutputError(error: unknown): boolean {
  return (systemCode(error) ?? '') in hints || /^IO Error: /.test(errorText(error))
}

/** A failure to write, in words: which output, and why. */
export function outputError(name: string, option: string, cause: unknown): UserError {
  const text = errorText(cause)
  const code = systemCode(cause) ?? ''
  const reason = ofOutputs[code] ?? systemFailure(cause)?.message ?? /^IO Error: (.*)/.exec(text)?.[1] ?? text
  const hint = hints[code] ?? ''
  return new UserError(`cannot write ${name === '-' ? 'standard output' : name}: ${reason}`, {
    hint: `${hint === '' ? '' : `${hint}, or `}name another place with ${option}`,
    cause,
  })
}

/** What means something else where it is written than where it is read. */
const ofOutputs: Record<string, string> = {
  ENXIO: 'nothing is there that takes it',
  ENOENT: 'its folder is gone',
}

/** By code, beside another place. */
const hints: Record<string, string> = {
  ENOSPC: 'free some space',
  EDQUOT: 'free some space',
  EFBIG: 'raise the limit (ulimit -f)',
  EACCES: 'check the permissions of the folder',
  EPERM: 'check the permissions of the folder',
  ...{ EROFS: '', EIO: '', ENXIO: '', ENAMETOOLONG: '', ELOOP: '', ENOENT: '' },
}

/** What identifies a file under all of its names. */
export function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino
}

/** The folder of the case that a path without links lies in or is; null: none. */
export function caseAround(path: string): string | null {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if (beginsWith(join(folder, 'ledger.jsonl'), '{"hash":"') || isHead(folder)) return folder
    if (dirname(folder) === folder) return null
  }
}

/** A case whose ledger was damaged is one still. */
function isHead(folder: string): boolean {
  return lookAt(join(folder, 'ledger.head'))?.isFile() === true && lookAt(join(folder, 'segments')) !== null
}

function beginsWith(path: string, text: string): boolean {
  let fd: number
  try {
    // A pipe of that name does not hold up anybody.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return false
  }
  try {
    const bytes = Buffer.alloc(text.length)
    return fstatSync(fd).isFile() && readSync(fd, bytes, 0, bytes.length, 0) > 0 && bytes.toString() === text
  } catch {
    return false
  } finally {
    closeSync(fd)
  }
}

function newFile(name: string, { option, makesFolders = false }: OutputRules): FileTarget {
  if (lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw usage(
      `a link that leads to nothing: ${name} -> ${readlinkSync(name)}`,
      `remove it, or name the file itself with ${option}`,
    )
  }
  const parent = dirname(name)
  if (/[/\\]$/.test(name)) throw usage(`a folder where a file is expected: ${name}`, `name a file with ${option}`)
  const info = existing(parent, option)
  // The folders that are there, without links, and those that are not.
  let there = parent
  while (lookAt(there) === null && dirname(there) !== there) there = dirname(there)
  const real = realPath(there, lookAt(there))
  refuseCase(name, real, option)
  if (info === null && !makesFolders) throw failed(name, `no such folder: ${parent}`, 'make it first')
  requireFolder(real, name, option)
  return { kind: 'file', name, path: join(real, relative(there, parent), basename(name)), option, replaces: null }
}

function descriptorTarget(name: string, fd: number, rules: OutputRules): StreamTarget {
  let info: BigIntStats
  try {
    info = fstatSync(fd, { bigint: true })
  } catch (error) {
    throw outputError(name, rules.option, error)
  }
  if (info.isDirectory() || info.isBlockDevice()) {
    throw usage(`neither a file nor a pipe: ${name}`, `name a file with ${rules.option}`)
  }
  if (info.isFile()) {
    const path = lookAt(`/proc/self/fd/${fd}`) === null ? null : readlinkSync(`/proc/self/fd/${fd}`)
    refuseKept(name, path, info, rules)
  }
  return stream(name, fd, info, rules)
}

function stream(name: string, fd: number | null, info: BigIntStats, { option, seeks }: OutputRules): StreamTarget {
  if (seeks !== undefined) {
    const place = name === '-' ? 'standard output' : `a pipe or device: ${name}`
    throw usage(`${seeks} cannot be written to ${place}`, `name a file with ${option}`)
  }
  return { kind: 'stream', name, option, fd, isPipe: info.isFIFO() }
}

/** The descriptor of this process that a name means: `/dev/stdout`, `/dev/fd/63`, or a link to one; else null. */
function descriptorOf(name: string): number | null {
  const own = new RegExp(`^/(?:dev|proc/(?:self|thread-self|${process.pid}))/fd/(\\d+)$`)
  let path = resolve(name)
  for (let links = 0; links < 40; links++) {
    const standard = ['/dev/stdin', '/dev/stdout', '/dev/stderr'].indexOf(path)
    if (standard >= 0) return standard
    const number = own.exec(path)?.[1]
    if (number !== undefined) return Number(number)
    if (!lstatSafe(path)?.isSymbolicLink()) return null
    path = resolve(dirname(path), readlinkSync(path))
  }
  return null
}

/** Refuses what is read, and what belongs to a case. `path`: where it lies, if that is known. */
function refuseKept(name: string, path: string | null, info: BigIntStats, { option, inputs = [] }: OutputRules): void {
  const own = inputs.find(input => {
    const other = lookAt(input)
    return other !== null && isSame(other, info)
  })
  if (own !== undefined) {
    const which = Buffer.from(own).toString()
    const also = which === name ? '' : ` (the same file as ${which})`
    throw usage(
      `the output is evidence that is read: ${name}${also}`,
      `evidence is never written over; name another file with ${option}`,
    )
  }
  if (path !== null) refuseCase(name, path, option)
}

function refuseCase(name: string, path: string, option: string): void {
  const folder = caseAround(path)
  if (folder === null) return
  throw usage(
    `the output lies in a case: ${name}`,
    `nothing but the case itself is written in ${folder}; name another place with ${option}`,
  )
}

function requireFolder(folder: string, name: string, option: string): void {
  if (lookAt(folder)?.isDirectory() !== true) {
    throw failed(name, `a file where a folder is expected: ${folder}`, `name another place with ${option}`)
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw outputError(name, option, error)
  }
}

/** What a name leads to; null: nothing. @throws UserError where the system does not tell. */
function existing(name: string, option: string): BigIntStats | null {
  try {
    return statSync(name, { bigint: true })
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    if (errorCode(error) === 'ENOTDIR') {
      throw failed(name, `a file where a folder is expected: ${dirname(name)}`, `name another place with ${option}`)
    }
    throw outputError(name, option, error)
  }
}

/** What a name leads to; null where nothing can be said of it. */
function lookAt(name: FileName): BigIntStats | null {
  try {
    return statSync(typeof name === 'string' ? name : Buffer.from(name), { bigint: true })
  } catch {
    return null
  }
}

function lstatSafe(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true })
  } catch {
    return null
  }
}

/** The path without links; as it was named, where the system's own spelling is not UTF-8. */
function realPath(name: string, info: BigIntStats | null): string {
  const real = realpathSync.native(name)
  const found = lookAt(real)
  return found !== null && info !== null && isSame(found, info) ? real : name
}

function failed(name: string, reason: string, hint: string): UserError {
  return new UserError(`cannot write ${name}: ${reason}`, { hint })
}

function usage(message: string, hint: string): UserError {
  return new UserError(message, { hint, status: exitStatus.usage })
}
