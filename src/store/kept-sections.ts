/** Files of sections that are worked out from a case: of its cache, else made and kept there, or in its temporary folder. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../system-error.ts'
import { type CacheFile, dropCached, isSameAs, keepCached, openCached } from './cache.ts'
import type { Case } from './case.ts'
import { DamagedSections, SectionFile } from './section-file.ts'

export interface KeptSections {
  /** What the file is called, without the state of the case; changes with the rule, so that what an older one left is not read. */
  what: string
  /** What it holds, in words: `the records in the order of time`. */
  says: string
  /** Writes the file. */
  make(path: string): Promise<void>
}

/**
 * Works with such a file. It is closed afterwards.
 *
 * @param work is done again where the file turns out to be damaged, with one that was made again: it must keep nothing of what it read
 * before. `isMade`: whether it was made for this.
 */
export async function withKeptSections<T>(
  c: Case,
  kept: KeptSections,
  work: (file: SectionFile, isMade: boolean) => Promise<T>,
): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    // Questions that need it at the same time wait for the one that makes it.
    const { file, isMade } = await c.db.alone(kept.what, () => sectionsOf(c, kept))
    try {
      return await work(file, isMade)
    } catch (error) {
      // What it was made from is looked after by who made it.
      if (!(error instanceof DamagedSections) || error.path !== file.path || !isFirst) throw error
      await dropCached(file)
    } finally {
      file.close()
    }
  }
}

async function sectionsOf(
  c: Case,
  { what, says, make }: KeptSections,
): Promise<{ file: SectionFile; isMade: boolean }> {
  const key = { what, head: c.head }
  const kept = (c.usesCache ? await openCached(c.dir, key) : null) ?? openTemporary(c, what)
  if (kept !== null) return { file: kept, isMade: false }
  c.onWork?.(says)
  if (c.usesCache) {
    let failure: unknown = null
    const write = (path: string): Promise<void> =>
      make(path).catch(error => {
        failure = error
        throw error
      })
    await keepCached(c.dir, key, write, 'sections')
    if (failure !== null && !isOfDisk(failure)) throw failure
    const made = await openCached(c.dir, key)
    if (made !== null) return { file: made, isMade: true }
  }
  const path = join(c.temp, what)
  await rm(path, { force: true })
  await make(path)
  const file = new SectionFile(path)
  temporary.set(c.segments, new Map(temporary.get(c.segments)).set(what, file.digest('')))
  return { file, isMade: true }
}

/** Whether a file of the cache is the one that the segments give: it is made again, and the same to the byte. */
export async function isMadeAgain(c: Case, kept: CacheFile, { says, make }: KeptSections): Promise<boolean> {
  c.onWork?.(says)
  const path = join(c.temp, `${kept.what}-again`)
  try {
    await make(path)
    return await isSameAs(path, kept)
  } finally {
    await rm(path, { force: true })
  }
}

/** Digests of the files in the temporary folder of a case that cannot be written: its questions have the segments in common. */
const temporary = new WeakMap<Case['segments'], ReadonlyMap<string, string>>()

function openTemporary(c: Case, what: string): SectionFile | null {
  const digest = temporary.get(c.segments)?.get(what)
  if (digest === undefined) return null
  try {
    const file = new SectionFile(join(c.temp, what))
    if (file.digest('') === digest) return file
    file.close()
  } catch {
    // It is made again.
  }
  return null
}

/** Whether a place cannot be written, or not more: another one may be. */
function isOfDisk(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EFBIG', 'EACCES', 'EPERM', 'ENOENT', 'EEXIST'].includes(systemCode(error) ?? '')
}
