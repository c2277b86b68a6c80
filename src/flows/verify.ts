/** Checks a whole case: its record, and what its cache holds, which is worked out again to be compared. */

import { judgeRecords, keptRoles } from '../conversations/roles.ts'
import { parsePrefix } from '../net/prefix.ts'
import { isIndexOf } from '../record-index/kept.ts'
import { type CacheFile, pathOf } from '../store/cache.ts'
import { type CachedTable, isSame, settingsOf } from '../store/cached-table.ts'
import { type Case, openCase } from '../store/case.ts'
import { caseFiles } from '../store/files.ts'
import type { VerifyFinding, VerifyReport } from '../store/reports.ts'
import { type VerifyProgress, verifyCase } from '../store/verify.ts'
import { systemFailure } from '../system-error.ts'
import { collapsedTable, keptCollapsed } from './count-once.ts'
import { recordsOf } from './source.ts'

export interface VerifyOptions {
  onProgress?: VerifyProgress
  /** Told what of the cache is worked out again. */
  onWork?: (what: string) => void
  signal?: AbortSignal
}

/** Checks every byte of a case against its ledger, and every file of its cache against what its segments say. */
export async function verifyWhole(caseDir: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const onProgress: VerifyProgress = (done, total) => {
    options.signal?.throwIfAborted()
    options.onProgress?.(done, total)
  }
  return verifyCase(caseDir, onProgress, (dir, files) => misfits(dir, files, options))
}

async function misfits(dir: string, files: readonly CacheFile[], options: VerifyOptions): Promise<VerifyFinding[]> {
  const c = await openCase(dir)
  c.usesCache = false
  if (options.onWork !== undefined) c.onWork = options.onWork
  const abort = (): void => c.db.interrupt()
  options.signal?.addEventListener('abort', abort)
  const findings: VerifyFinding[] = []
  try {
    for (const file of files.filter(one => one.head === c.head)) {
      const isFitting = await fits(c, file)
      options.signal?.throwIfAborted()
      if (isFitting) continue
      const detail = 'does not fit: the segments say something else; delete it'
      findings.push({ what: 'altered', path: `${caseFiles.cache}/${file.name}`, detail })
    }
  } finally {
    options.signal?.removeEventListener('abort', abort)
    await c.close()
  }
  return findings
}

async function fits(c: Case, file: CacheFile): Promise<boolean> {
  if (file.form === 'sections') return isIndexOf(c, file)
  const path = pathOf(c.dir, file.name)
  const settings = await unlessRefused(settingsOf(c, path))
  if (settings === null) return false
  const made = await madeAgain(c, file, settings)
  return made !== null && (await unlessRefused(isSame(c, made, path))) === true
}

/** Null for a file that cannot be read or compared, as one with other columns. What the machine refused says nothing of the file. */
async function unlessRefused<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (systemFailure(error) !== null) throw error
    return null
  }
}

/** The table that such a file is made of; null where this version, or this case, has none. */
async function madeAgain(c: Case, { what }: CacheFile, settings: string): Promise<CachedTable | null> {
  const own = settings === '' ? [] : settings.split(' ').flatMap(text => parsePrefix(text) ?? [])
  for (const evidence of ['logs', 'packets'] as const) {
    const kind = evidence === 'logs' ? 'flows' : 'packet-flows'
    if (!c.segments.some(segment => segment.kind === kind)) continue
    const collapsed = keptCollapsed(evidence)
    if (what === collapsed.file) {
      await collapsedTable(c, recordsOf(c, evidence))
      return collapsed
    }
    const roles = keptRoles({ evidence }, own)
    if (what === roles.file) {
      await judgeRecords(c, recordsOf(c, evidence), own)
      return roles
    }
  }
  return null
}
