/** The record index of a case: of its cache, else made and kept there. */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { type CacheFile, dropCached, isSameAs, keepCached, openCached } from '../store/cache.ts'
import type { Case } from '../store/case.ts'
import { DamagedSections, SectionFile } from '../store/section-file.ts'
import { systemCode } from '../system-error.ts'
import { buildIndex } from './build.ts'
import { RecordIndex } from './read.ts'

/** Changes with what a record is, its order or the format: what an older one left is not read. */
const rule = 1

/** What such a file is called. */
function keptIndex(evidence: EvidenceKind): string {
  return `records-${evidence}-${rule}`
}

/**
 * Works with the record index of a case. It is closed afterwards.
 *
 * @param work is done again where the file turns out to be damaged, with one that was made again: it must keep nothing of what it read before.
 */
export async function withRecordIndex<T>(
  c: Case,
  evidence: EvidenceKind,
  work: (index: RecordIndex) => Promise<T>,
): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    // Questions that need it at the same time wait for the one that makes it.
    const file = await c.db.alone(keptIndex(evidence), () => sectionsOf(c, evidence))
    try {
      return await work(new RecordIndex(file, () => c.db.requireGoing()))
    } catch (error) {
      if (!(error instanceof DamagedSections) || !isFirst) throw error
      await dropCached(file)
    } finally {
      file.close()
    }
  }
}

async function sectionsOf(c: Case, evidence: EvidenceKind): Promise<SectionFile> {
  const key = { what: keptIndex(evidence), head: c.head }
  const kept = (c.usesCache ? await openCached(c.dir, key) : null) ?? openTemporary(c, evidence)
  if (kept !== null) return kept
  c.onWork?.('the records in the order of time')
  if (c.usesCache) {
    let failure: unknown = null
    const write = (path: string): Promise<void> =>
      buildIndex(c, evidence, path).catch(error => {
        failure = error
        throw error
      })
    await keepCached(c.dir, key, write, 'sections')
    if (failure !== null && !isOfDisk(failure)) throw failure
    const made = await openCached(c.dir, key)
    if (made !== null) return made
  }
  const path = join(c.temp, key.what)
  await rm(path, { force: true })
  await buildIndex(c, evidence, path)
  const file = new SectionFile(path)
  temporary.set(c.segments, new Map(temporary.get(c.segments)).set(evidence, file.digest('')))
  return file
}

/** Whether a file of the cache is the index that the segments give: it is made again, and the same to the byte. */
export async function isIndexOf(c: Case, kept: CacheFile): Promise<boolean> {
  const evidence = (['logs', 'packets'] as const).find(one => keptIndex(one) === kept.what)
  if (evidence === undefined) return false
  c.onWork?.('the records in the order of time')
  const path = join(c.temp, `${kept.what}-again`)
  try {
    await buildIndex(c, evidence, path)
    return await isSameAs(path, kept)
  } finally {
    await rm(path, { force: true })
  }
}

/** Digests of the files in the temporary folder of a case that cannot be written: its questions have the segments in common. */
const temporary = new WeakMap<Case['segments'], ReadonlyMap<EvidenceKind, string>>()

function openTemporary(c: Case, evidence: EvidenceKind): SectionFile | null {
  const digest = temporary.get(c.segments)?.get(evidence)
  if (digest === undefined) return null
  try {
    const file = new SectionFile(join(c.temp, keptIndex(evidence)))
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
