import { lstat, readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { isRunning, nodeAt, passingProcess } from '../disk/writing.ts'
import { errorCode, errorText } from '../errors.ts'
import { countText, integerText } from '../net/counts.ts'
import { type CacheFile, checkCache } from './cache.ts'
import { Database } from './duckdb.ts'
import { checkNotes } from './enrichment-notes.ts'
import { segmentsOf } from './entries.ts'
import { readKeptProblems } from './evidence-report.ts'
import { caseFiles, digestOfFile, isOfFile, segmentPath } from './files.ts'
import { type LedgerEntry, type LedgerReading, noCase, readLedger, type SegmentEntry } from './ledger.ts'
import { segmentName } from './ledger-entry.ts'
import { writerOf } from './lock.ts'
import { caseFolder, isCaseName, strangeNodes } from './nodes.ts'
import { checkCaseNotes } from './notes.ts'
import { checkQueries } from './queries.ts'
import type { VerifyFinding, VerifyReport } from './reports.ts'
import { layoutFaults } from './segment-check.ts'
import { checkPulled } from './verify-pulled.ts'

/** Called with the bytes checked so far and the bytes that there are to check. */
export type VerifyProgress = (done: number, total: number) => void

/** Compares files of the cache with what the segments say; names those that do not fit. */
export type CacheProof = (dir: string, files: readonly CacheFile[]) => Promise<VerifyFinding[]>

/**
 * Checks every byte of a case against its ledger: what was changed, what is missing, what does not belong. Saved queries and files of the
 * cache have digests of their own; with `prove`, what the cache holds is worked out again besides.
 *
 * Not looked at: a lock, and what lies in `incoming`, which a writer may be writing at this moment. They are no part of the case.
 */
export async function verifyCase(
  caseDir: string,
  onProgress?: VerifyProgress,
  prove: CacheProof = async () => [],
): Promise<VerifyReport> {
  const dir = await caseFolder(caseDir)
  const findings: VerifyFinding[] = []
  const isWritten = (await writerOf(dir)) !== null
  const strange = await strangeNodes(dir).catch(error => {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') throw noCase(dir)
    throw error
  })
  for (const node of strange) findings.push({ what: 'altered', path: node.path, detail: node.what })
  const named = new Set(strange.map(node => node.path))
  const reading = await readLedger(dir)
  for (const fault of reading.faults) findings.push({ what: 'altered', path: caseFiles.ledger, detail: fault })
  findings.push(...checkHead(reading, isWritten))
  if (!named.has(caseFiles.readme)) await checkReadme(dir, reading.entries[0], findings, () => onProgress?.(0, 1))
  const segments = segmentsOf(reading.entries)
  const total = segments.reduce((sum, segment) => sum + segment.bytes, 0)
  let bytes = 0
  for (const segment of segments) {
    const path = relative(dir, segmentPath(dir, segment.name))
    if (named.has(path)) continue
    try {
      const found = await digestOfFile(segmentPath(dir, segment.name), done => onProgress?.(bytes + done, total))
      if (found.sha256 !== segment.sha256 || found.bytes !== segment.bytes) {
        const sizes =
          found.bytes === segment.bytes
            ? ''
            : `, ${countText(found.bytes, 'byte')} instead of ${integerText(segment.bytes)}`
        findings.push({
          what: 'altered',
          path,
          detail: `SHA-256 is ${found.sha256}, the ledger says ${segment.sha256}${sizes}`,
        })
      }
    } catch (error) {
      findings.push(unreadable(path, error, countText(segment.rows, 'row')))
    }
    bytes += segment.bytes
    onProgress?.(bytes, total)
  }
  const names = new Set(segments.map(segment => segment.name))
  const unlisted = (await findUnlisted(dir, names, isWritten)).filter(one => !named.has(one.path))
  for (const one of unlisted) findings.push(one)
  if (!named.has(caseFiles.pulled)) findings.push(...(await checkPulled(dir, reading.entries)))
  // Of bytes that are as they were written: what the ledger says of them may be forged.
  if (isSound(findings)) findings.push(...(await checkContent(dir, segments)))
  if (!named.has(caseFiles.queries)) findings.push(...(await checkQueries(dir)))
  if (!named.has(caseFiles.enrichment)) findings.push(...checkNotes(dir))
  if (!named.has(caseFiles.notes)) findings.push(...checkCaseNotes(dir))
  const cache = await checkCache(dir, reading.hashes)
  if (isSound(findings) && cache.files.length > 0) findings.push(...(await prove(dir, cache.files)))
  findings.push(...cache.findings.filter(one => !named.has(one.path)))
  return {
    case: dir,
    intact: isSound(findings),
    files_checked: segments.length + 3 + cache.files.length,
    bytes_checked: bytes,
    ledger_entries: reading.hashes.length,
    head: reading.hashes.at(-1) ?? null,
    findings,
  }
}

function isSound(findings: readonly VerifyFinding[]): boolean {
  return findings.every(finding => finding.what === 'incomplete')
}

/** Whether the segments are what the ledger says of them. */
async function checkContent(dir: string, segments: readonly SegmentEntry[]): Promise<VerifyFinding[]> {
  const db = await Database.open({ threads: 2, memoryLimit: '512MB', tempDirectory: null })
  try {
    const faults = await layoutFaults(db, dir, segments)
    for (const segment of segments.filter(one => one.kind === 'problems')) {
      const kept = await readKeptProblems(dir, segment)
      if (typeof kept === 'string') faults.push({ name: segment.name, fault: kept })
    }
    return faults.map(({ name, fault }) => ({ what: 'altered', path: join(caseFiles.segments, name), detail: fault }))
  } finally {
    await db.close()
  }
}

/** The digest kept apart must be that of the last entry, or of the one before it if a writer was killed between the two writes. */
function checkHead({ hashes, torn, faults, head }: LedgerReading, isWritten: boolean): VerifyFinding[] {
  const last = hashes.length - 1
  const path = caseFiles.head
  if (head === 'missing') {
    const detail = 'not yet written: the writer that made the case was interrupted; the next add repairs it'
    if (last === 0 && faults.length === 0) return [{ what: 'incomplete', path, detail }]
    return [{ what: 'missing', path, detail: 'the digest of the last entry' }]
  }
  if (isWritten && head !== 'unknown') return []
  if (head === last) {
    const detail = 'an unfinished last line: a writer was interrupted; the next add removes it'
    return torn ? [{ what: 'incomplete', path: caseFiles.ledger, detail }] : []
  }
  if (faults.length > 0) return []
  if (head === last - 1 && !torn) {
    const detail = 'one entry behind the ledger: a writer was interrupted; the next add repairs it'
    return [{ what: 'incomplete', path, detail }]
  }
  const detail = 'the last entry is not the one that was written last: entries were cut off, or the digest was changed'
  return [{ what: 'altered', path: torn ? caseFiles.ledger : path, detail }]
}

async function checkReadme(
  dir: string,
  first: LedgerEntry | undefined,
  findings: VerifyFinding[],
  between: () => void,
): Promise<void> {
  if (first?.type !== 'created') return
  const path = caseFiles.readme
  try {
    const { sha256 } = await digestOfFile(join(dir, path), between)
    if (sha256 !== first.readme_sha256) findings.push({ what: 'altered', path, detail: `SHA-256 is ${sha256}` })
  } catch (error) {
    findings.push(unreadable(path, error, 'it explains the folder'))
  }
}

/** The finding for a file that cannot be read. @throws the error if it says nothing of the file. */
function unreadable(path: string, error: unknown, whatIsMissing: string): VerifyFinding {
  const code = errorCode(error)
  if (code === 'ENOENT') return { what: 'missing', path, detail: whatIsMissing }
  if (!isOfFile(error)) throw error
  return { what: 'altered', path, detail: `cannot be read: ${errorText(error)}` }
}

async function findUnlisted(dir: string, segments: ReadonlySet<string>, isWritten: boolean): Promise<VerifyFinding[]> {
  const findings: VerifyFinding[] = []
  for (const name of await readdir(dir)) {
    const pid = passingProcess(name)
    if (pid !== null && !isRunning(pid)) {
      const detail = 'left by a writer that was interrupted; the next add removes it'
      findings.push({ what: 'incomplete', path: name, detail })
    }
    if (isCaseName(name)) continue
    findings.push({ what: 'unlisted', path: name, detail: 'no part of the case' })
  }
  // What a link leads to is no part of the case.
  if ((await nodeAt(join(dir, caseFiles.segments))) !== 'folder') return findings
  const strange = (await readdir(join(dir, caseFiles.segments))).filter(name => !segments.has(name))
  if (strange.length === 0) return findings
  // What a writer has put there since the ledger was read is in the ledger now, or will be at once.
  const entered = new Set(segmentsOf((await readLedger(dir)).entries).map(segment => segment.name))
  for (const name of strange.filter(one => !entered.has(one))) {
    const path = join(caseFiles.segments, name)
    const size = (await lstat(join(dir, path)).catch(() => null))?.size
    if (isWritten && segmentName.test(name)) {
      findings.push({ what: 'incomplete', path, detail: 'on its way into the ledger: a writer is at work' })
    } else findings.push({ what: 'unlisted', path, detail: `${size ?? 'no'} bytes that no ledger entry names` })
  }
  return findings
}
