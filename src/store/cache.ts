/**
 * Files of the case's `cache` folder: what was worked out from the segments, and can be again. Each is named by what it holds, by the state
 * of the case and by the digest of that name and its content: what was changed, or put in another's place, is not believed.
 */
import { createHash } from 'node:crypto'
import { lstat, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { NotRegularError } from '../disk/nodes.ts'
import { piecesOf } from '../disk/reading.ts'
import { nodeAt, passingName, passingProcess, removePassing, requireFolder } from '../disk/writing.ts'
import { UserError } from '../errors.ts'
import { systemFailure } from '../system-error.ts'
import { caseFiles, isOfFile } from './files.ts'
import type { VerifyFinding } from './reports.ts'
import { DamagedSections, SectionFile } from './section-file.ts'

/** What a file holds: its own name, with the version of the rule, and the ledger's head. */
export interface CacheKey {
  what: string
  /** The digest of the ledger's last entry. */
  head: string
}

/** How a file is kept: as Parquet, its digest that of all its bytes; or in sections, its digest that of their directory. */
export type CacheForm = 'parquet' | 'sections'

export interface CacheFile extends CacheKey {
  name: string
  digest: string
  form: CacheForm
}

const fileShape = /^([a-z][a-z0-9-]*-\d+)-([0-9a-f]{64})\.([0-9a-f]{64})\.(parquet|sections)$/
/** Before files were named by their digest. */
const olderShape = /^(counted-once|roles)-[a-z0-9-]*-[0-9a-f]{16}\.parquet(\.\d+)?$/

/** The path of the sound Parquet file of that key; null without one. */
export async function findCached(dir: string, key: CacheKey): Promise<string | null> {
  for (const file of await filesOf(dir, key, 'parquet')) {
    if (await isSound(dir, file)) return pathOf(dir, file.name)
  }
  return null
}

/** Where the Parquet file of that key is, for whoever will read it and not only now; null without one. */
export async function cachedPath(dir: string, key: CacheKey): Promise<string | null> {
  const [file] = await filesOf(dir, key, 'parquet')
  return file === undefined ? null : pathOf(dir, file.name)
}

/** The file of sections of that key, open; null without one. Its directory is sound; its sections are checked as they are read. */
export async function openCached(dir: string, key: CacheKey): Promise<SectionFile | null> {
  for (const { name, digest } of await filesOf(dir, key, 'sections')) {
    let file: SectionFile
    try {
      file = new SectionFile(pathOf(dir, name))
    } catch (error) {
      if (error instanceof DamagedSections || isOfFile(error)) continue
      throw error
    }
    if (file.digest(prefixOf(key)) === digest) return file
    file.close()
  }
  return null
}

async function filesOf(dir: string, key: CacheKey, form: CacheForm): Promise<CacheFile[]> {
  const files = (await cacheNames(dir)).flatMap(name => parse(name) ?? [])
  return files.filter(file => file.form === form && file.what === key.what && file.head === key.head)
}

/** Removes a file of sections that is not sound: the next question makes it again. */
export async function dropCached(file: SectionFile): Promise<void> {
  file.close()
  await rm(file.path, { force: true }).catch(() => undefined)
}

/**
 * Keeps a file that `write` puts at the path that it is given, in the place of the others of its kind. A case that cannot be written
 * is asked all the same.
 *
 * @returns whether it is kept.
 * @throws what is no refusal of the machine: an interrupt, or a bug.
 */
export async function keepCached(
  dir: string,
  key: CacheKey,
  write: (path: string) => Promise<void>,
  form: CacheForm = 'parquet',
): Promise<boolean> {
  const incoming = pathOf(dir, passingName())
  try {
    await requireFolder(join(dir, caseFiles.cache))
    await write(incoming)
    const digest = await digestOf(incoming, key, form)
    const name = `${key.what}-${key.head}.${digest}.${form}`
    await rename(incoming, pathOf(dir, name))
    await clearCache(dir, file => file.head === key.head && (file.what !== key.what || file.name === name))
    return true
  } catch (error) {
    await rm(incoming, { force: true }).catch(() => undefined)
    // It is worked out again by the next question.
    if (!cannotBeWritten(error)) throw error
    return false
  }
}

/** What stands in the way of a folder is told as a UserError or a NotRegularError. */
function cannotBeWritten(error: unknown): boolean {
  return error instanceof UserError || error instanceof NotRegularError || systemFailure(error) !== null
}

/** Removes files that nobody will read again: those that are not to be kept, those of older versions, and what killed processes left unfinished. */
export async function clearCache(dir: string, isKept: (file: CacheFile) => boolean): Promise<void> {
  const names = await cacheNames(dir)
  if (names.length === 0) return
  for (const name of names) {
    const file = parse(name)
    const goes = file === null ? olderShape.test(name) : !isKept(file)
    if (goes) await rm(pathOf(dir, name), { force: true })
  }
  await removePassing(join(dir, caseFiles.cache))
}

/** Removes the oldest of some files where they are more than `most`. */
export async function trimCached(dir: string, isOne: (file: CacheFile) => boolean, most: number): Promise<void> {
  const files = (await cacheNames(dir)).flatMap(name => parse(name) ?? []).filter(isOne)
  if (files.length <= most) return
  const ages = await Promise.all(
    files.map(async ({ name }) => ({ name, made: (await lstat(pathOf(dir, name)).catch(() => null))?.mtimeMs ?? 0 })),
  )
  ages.sort((a, b) => b.made - a.made)
  for (const { name } of ages.slice(most)) await rm(pathOf(dir, name), { force: true }).catch(() => undefined)
}

/**
 * What in the folder does not belong there or was changed, and the files of this state whose content is to be compared with what is worked
 * out again.
 *
 * @param heads the digests of all entries of the ledger.
 */
export async function checkCache(
  dir: string,
  heads: readonly string[],
): Promise<{ findings: VerifyFinding[]; files: CacheFile[] }> {
  const known = new Set(heads)
  const findings: VerifyFinding[] = []
  const files: CacheFile[] = []
  for (const name of await cacheNames(dir)) {
    const file = parse(name)
    const path = `${caseFiles.cache}/${name}`
    if (passingProcess(name) !== null)
      findings.push({
        what: 'incomplete',
        path,
        detail: 'being written, or left by a reader that was interrupted; not used',
      })
    else if (file === null && olderShape.test(name))
      findings.push({ what: 'incomplete', path, detail: 'of an older version of Tidemark; not used' })
    else if (file === null) findings.push({ what: 'unlisted', path, detail: 'no part of the case' })
    else if (!(await isSound(dir, file).catch(unsound)))
      findings.push({ what: 'altered', path, detail: 'its digest is not the one that its name holds; delete it' })
    else if (!known.has(file.head))
      findings.push({ what: 'unlisted', path, detail: 'of no state of this case; delete it' })
    else if (file.head === heads.at(-1)) files.push(file)
  }
  return { findings, files }
}

async function cacheNames(dir: string): Promise<string[]> {
  const folder = join(dir, caseFiles.cache)
  // What a link leads to is no part of the case.
  return (await nodeAt(folder)) === 'folder' ? (await readdir(folder)).sort() : []
}

function parse(name: string): CacheFile | null {
  const [, what, head, digest, form] = fileShape.exec(name) ?? []
  return what === undefined ? null : { name, what, head: head!, digest: digest!, form: form as CacheForm }
}

function unsound(error: unknown): false {
  if (isOfFile(error)) return false
  throw error
}

async function isSound(dir: string, file: CacheFile): Promise<boolean> {
  const path = pathOf(dir, file.name)
  const found = await lstat(path).catch(() => null)
  if (found?.isFile() !== true || (await digestOf(path, file, file.form).catch(unlessDamaged)) !== file.digest)
    return false
  return file.form === 'parquet' || areSectionsSound(path)
}

function areSectionsSound(path: string): boolean {
  const file = new SectionFile(path)
  try {
    file.check()
    return true
  } catch (error) {
    unlessDamaged(error)
    return false
  } finally {
    file.close()
  }
}

function unlessDamaged(error: unknown): null {
  if (error instanceof DamagedSections) return null
  throw error
}

/** What every digest begins with: a file under another name is not that file. */
function prefixOf({ what, head }: CacheKey): string {
  return `${what}-${head}\n`
}

async function digestOf(path: string, key: CacheKey, form: CacheForm): Promise<string> {
  if (form === 'sections') {
    const file = new SectionFile(path)
    file.close()
    return file.digest(prefixOf(key))
  }
  const hash = createHash('sha256').update(prefixOf(key))
  for await (const piece of piecesOf(path, 'refuse')) hash.update(piece)
  return hash.digest('hex')
}

/** Whether a file that was made again is that of the cache, byte for byte. */
export async function isSameAs(path: string, file: CacheFile): Promise<boolean> {
  return (await digestOf(path, file, file.form)) === file.digest
}

export function pathOf(dir: string, name: string): string {
  return join(dir, caseFiles.cache, name)
}
