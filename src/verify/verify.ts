/** Checks a whole case: its record, and what its cache holds, which is worked out again to be compared. */

import { areConnectionsOf } from '../conversations/kept-connections.ts'
import { judgeRecords, keptRoles } from '../conversations/roles.ts'
import { type EnrichmentOptions, loadEnrichment } from '../enrich/enrichment.ts'
import { optionsOf } from '../filter/case-enrichment.ts'
import { enrichAgain } from '../filter/enriched.ts'
import { collapsedTable, keptCollapsed } from '../flows/count-once.ts'
import { answerKey, isAnswer, type KeptAnswer, keptFile } from '../flows/kept-answer.ts'
import type { Cell, FlowsRequest } from '../flows/request.ts'
import { queryFlows } from '../flows/run.ts'
import { settle } from '../flows/settle.ts'
import { recordsOf } from '../flows/source.ts'
import { totalsAgain } from '../flows/totals.ts'
import { parsePrefix } from '../net/prefix.ts'
import { isIndexOf } from '../record-index/kept.ts'
import { type CacheFile, pathOf } from '../store/cache.ts'
import { type CachedTable, isSame, settingsOf } from '../store/cached-table.ts'
import { type Case, openCase } from '../store/case.ts'
import { exactJson } from '../store/exact-json.ts'
import { caseFiles } from '../store/files.ts'
import { areFactsOf } from '../store/kept-facts.ts'
import type { VerifyFinding, VerifyReport } from '../store/reports.ts'
import { type VerifyProgress, verifyCase } from '../store/verify.ts'
import { systemFailure } from '../system-error.ts'
import { isTimelineOf } from '../timeline/kept.ts'
import { areTotalsOf } from '../timeline/kept-totals.ts'

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
      if (isFitting === true) continue
      if (isFitting === 'gone') {
        const detail = 'made with files of your own that are gone or have changed: not used without them'
        findings.push({ what: 'incomplete', path: `${caseFiles.cache}/${file.name}`, detail })
        continue
      }
      const detail = 'does not fit: the segments say something else; delete it'
      findings.push({ what: 'altered', path: `${caseFiles.cache}/${file.name}`, detail })
    }
  } finally {
    options.signal?.removeEventListener('abort', abort)
    await c.close()
  }
  return findings
}

/** `gone`: it cannot be told any more. */
async function fits(c: Case, file: CacheFile): Promise<boolean | 'gone'> {
  if (isAnswer(file)) return isAnswerOf(c, file)
  if (file.form === 'sections')
    return (
      (await areFactsOf(c, file)) ??
      (await isIndexOf(c, file)) ??
      (await areConnectionsOf(c, file)) ??
      (await isTimelineOf(c, file)) ??
      (await areTotalsOf(c, file)) ??
      false
    )
  const path = pathOf(c.dir, file.name)
  const settings = await unlessRefused(settingsOf(c, path))
  if (settings === null) return false
  const made = await madeAgain(c, file, settings)
  if (made === 'gone') return made
  return made !== null && (await unlessRefused(isSame(c, made, path))) === true
}

/** Whether a kept answer is the one that its request gets, and is kept under that request's name. */
async function isAnswerOf(c: Case, file: CacheFile): Promise<boolean | 'gone'> {
  const kept = await keptFile(c, file)
  if (kept === null) return false
  c.onWork?.('kept answers')
  const { request } = kept
  const { small: _, files = [], ...answer } = kept.answer
  const enrichment = { ...optionsOf(files), alone: true }
  if (!(await areSame(files, enrichment))) return 'gone'
  const again = await unlessRefused(askedAgain(c, { ...request, saved: true }, enrichment))
  // Whether products fit 64 bits changes no figure.
  return again?.what === file.what && exactJson(again.answer) === exactJson(answer)
}

/** Whether the analyst's own files that an answer was made with are what they were. */
async function areSame(files: NonNullable<KeptAnswer['files']>, options: EnrichmentOptions): Promise<boolean> {
  let isThere = true
  const found = await loadEnrichment(options, undefined, () => {
    isThere = false
  })
  return (
    isThere && files.every(({ path, sha256 }) => found.files.some(one => one.path === path && one.sha256 === sha256))
  )
}

/** The answer of a request, and what it is kept as. */
async function askedAgain(
  c: Case,
  request: FlowsRequest,
  enrichment: EnrichmentOptions,
): Promise<{ what: string | undefined; answer: Omit<KeptAnswer, 'small' | 'files'> }> {
  const settled = await settle(c, request, { largeFrom: 0, enrichment })
  const { columns, total_rows, truncated, counting, rows: read } = await queryFlows(c, request, { enrichment })
  const rows: Cell[][] = []
  for await (const row of read()) rows.push(columns.map(({ name }) => row[name] ?? null))
  const collapsed = settled.setting.collapsed !== null
  const what = answerKey({ ...c, usesCache: true }, settled)?.what
  return { what, answer: { collapsed, total_rows, truncated, counting, rows } }
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
async function madeAgain(c: Case, { what }: CacheFile, settings: string): Promise<CachedTable | null | 'gone'> {
  if (what.startsWith('enriched-')) return unlessRefused(enrichAgain(c, settings))
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
    for (const raw of [false, true]) {
      const { setting } = await settle(c, { by: [], evidence, raw }, { largeFrom: 0, enrichment: { alone: true } })
      const totals = await totalsAgain(c, setting, what)
      if (totals !== null) return totals
    }
  }
  return null
}
