/** What each name in a case may be: links, pipes and devices have no place in one. */
import type { Dirent } from 'node:fs'
import { readdir, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { kindOf, kindWords, type NodeKind } from '../disk/nodes.ts'
import { nodeAt, passingProcess, removePassing } from '../disk/writing.ts'
import { errorCode, UserError } from '../errors.ts'
import { caseFiles } from './files.ts'

const folders: ReadonlySet<string> = new Set([
  caseFiles.segments,
  caseFiles.incoming,
  caseFiles.cache,
  caseFiles.pulled,
])
const files: ReadonlySet<string> = new Set(Object.values(caseFiles).filter(name => !folders.has(name)))
/** Earlier versions wrote their files under these names first. */
const earlier: ReadonlySet<string> = new Set([`${caseFiles.head}.new`, `${caseFiles.queries}.new`])

/** Whether a name directly in the case's folder is one of a case. */
export function isCaseName(name: string): boolean {
  return folders.has(name) || isFileName(name)
}

function isFileName(name: string): boolean {
  return files.has(name) || earlier.has(name) || name.startsWith(`${caseFiles.lock}.`) || passingProcess(name) !== null
}

/**
 * The folder of a case, which need not be there yet. It may be a link, for the user chose it: that is followed here, once; nothing is
 * followed within.
 *
 * @throws UserError for what is no folder, and for a link that leads to none.
 */
export async function caseFolder(path: string): Promise<string> {
  const dir = resolve(path)
  const kind = await nodeAt(dir).catch(error => {
    // A part of its path is not a folder, or may not be entered: that is said where the case is opened.
    if (errorCode(error) === 'ENOTDIR' || errorCode(error) === 'EACCES') return null
    throw error
  })
  if (kind === null || kind === 'folder') return dir
  const hint = 'name another folder with --case'
  if (kind !== 'link') throw new UserError(`the case is ${kindWords(kind)}, not a folder: ${dir}`, { hint })
  const real = await realpath(dir).catch(() => null)
  if (real === null || (await nodeAt(real)) !== 'folder') {
    throw new UserError(`the case is a symbolic link that leads to no folder: ${dir}`, { hint })
  }
  return real
}

/** Something in a case that is not what its name says. */
export interface StrangeNode {
  /** Within the case. */
  path: string
  /** `a symbolic link, not a folder`. */
  what: string
}

/** Everything in a case that is a link, a pipe, a device, or a folder in place of a file. Other names are not looked at. */
export async function strangeNodes(caseDir: string): Promise<StrangeNode[]> {
  const strange: StrangeNode[] = []
  const check = (path: string, entry: Dirent, allowed: readonly NodeKind[]): boolean => {
    const kind = kindOf(entry)
    const isRight = allowed.includes(kind)
    if (!isRight) strange.push({ path, what: `${kindWords(kind)}, not ${kindWords(allowed[0]!)}` })
    return isRight
  }
  for (const entry of await entriesOf(caseDir)) {
    const { name } = entry
    if (isFileName(name)) check(name, entry, ['file'])
    if (!folders.has(name) || !check(name, entry, ['folder'])) continue
    const allowed: NodeKind[] = name === caseFiles.segments ? ['file'] : ['file', 'folder']
    for (const inner of await entriesOf(join(caseDir, name))) check(join(name, inner.name), inner, allowed)
  }
  return strange
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  return await readdir(folder, { withFileTypes: true })
}

/**
 * To be called before anything is written to a case, or removed from it.
 *
 * What is put into the case between this and the writing is not seen; what writes and removes follows no link all the same.
 *
 * @throws UserError that names the first thing that has no place in a case.
 */
export async function requireCaseNodes(caseDir: string): Promise<void> {
  const [first, ...more] = await strangeNodes(caseDir)
  if (first === undefined) return
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`
  throw new UserError(`the case is not written: ${first.what}: ${join(caseDir, first.path)}${others}`, {
    hint: 'a case holds files and folders only: put what belongs there in its place; tidemark verify names each',
  })
}

/** Removes files that killed processes left under the names of files on their way. */
export async function clearPassing(caseDir: string): Promise<void> {
  await removePassing(caseDir)
  await removePassing(join(caseDir, caseFiles.cache)).catch(error => {
    if (errorCode(error) !== 'ENOENT') throw error
  })
}
