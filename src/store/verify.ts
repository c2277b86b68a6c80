import { lstat, readdir, readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { errorCode } from '../errors.ts'
import { segmentsOf } from './case.ts'
import { caseFiles, digestOfFile, segmentPath } from './files.ts'
import { headText, type LedgerEntry, readLedger } from './ledger.ts'
import type { VerifyFinding, VerifyReport } from './reports.ts'

/** Called with the bytes checked so far and the bytes that there are to check. */
export type VerifyProgress = (done: number, total: number) => void

/**
 * Checks every byte of a case against its ledger: what was changed, what is missing, what does not belong.
 *
 * Not looked at: a lock, and what lies in `incoming`, which a writer may be writing at this moment; it is no part of the case.
 */
export async function verifyCase(caseDir: string, onProgress?: VerifyProgress): Promise<VerifyReport> {
  const dir = resolve(caseDir)
  const findings: VerifyFinding[] = []
  const reading = await readLedger(dir)
  for (const fault of reading.faults) findings.push({ what: 'altered', path: caseFiles.ledger, detail: fault })
  await checkHead(dir, reading, findings)
  await checkReadme(dir, reading.entries[0], findings)
  const segments = segmentsOf(reading.entries)
  const total = segments.reduce((sum, segment) => sum + segment.bytes, 0)
  let bytes = 0
  for (const segment of segments) {
    const path = relative(dir, segmentPath(dir, segment.name))
    try {
      const found = await digestOfFile(segmentPath(dir, segment.name))
      if (found.sha256 !== segment.sha256) {
        const sizes = found.bytes === segment.bytes ? '' : `, ${found.bytes} bytes instead of ${segment.bytes}`
        findings.push({
          what: 'altered',
          path,
          detail: `SHA-256 is ${found.sha256}, the ledger says ${segment.sha256}${sizes}`,
        })
      }
    } catch (error) {
      if (errorCode(error) !== 'ENOENT')
        findings.push({ what: 'altered', path, detail: `can not be read: ${String(error)}` })
      else findings.push({ what: 'missing', path, detail: `${segment.rows} rows` })
    }
    bytes += segment.bytes
    onProgress?.(bytes, total)
  }
  await findUnlisted(dir, new Set(segments.map(segment => segment.name)), findings)
  return {
    case: dir,
    intact: findings.every(finding => finding.what === 'incomplete'),
    files_checked: segments.length + 3,
    bytes_checked: bytes,
    ledger_entries: reading.entries.length,
    head: reading.entries.at(-1)?.hash ?? null,
    findings,
  }
}

/** The digest kept apart must be that of the last entry, or of the one before it if a writer was killed between the two writes. */
async function checkHead(
  dir: string,
  reading: Awaited<ReturnType<typeof readLedger>>,
  findings: VerifyFinding[],
): Promise<void> {
  const { entries, torn } = reading
  let text: string
  try {
    text = await readFile(join(dir, caseFiles.head), 'latin1')
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && entries.length === 1 && reading.faults.length === 0) {
      findings.push({
        what: 'incomplete',
        path: caseFiles.head,
        detail: 'not yet written: the writer that made the case was interrupted; the next add mends it',
      })
      return
    }
    findings.push({
      what: 'missing',
      path: caseFiles.head,
      detail: errorCode(error) === 'ENOENT' ? 'the digest of the last entry' : String(error),
    })
    return
  }
  const at = (index: number): string | null => {
    const entry = entries.at(index)
    return entry ? headText(entry.seq, entry.hash) : null
  }
  if (text === at(-1)) {
    if (torn)
      findings.push({
        what: 'incomplete',
        path: caseFiles.ledger,
        detail: 'an unfinished last line: a writer was interrupted; the next add removes it',
      })
  } else if (text === at(-2) && !torn && reading.faults.length === 0) {
    findings.push({
      what: 'incomplete',
      path: caseFiles.head,
      detail: 'one entry behind the ledger: a writer was interrupted; the next add mends it',
    })
  } else if (reading.faults.length === 0) {
    findings.push({
      what: 'altered',
      path: torn ? caseFiles.ledger : caseFiles.head,
      detail: 'the last entry is not the one that was written last: entries were cut off, or the digest was changed',
    })
  }
}

async function checkReadme(dir: string, first: LedgerEntry | undefined, findings: VerifyFinding[]): Promise<void> {
  if (first?.type !== 'created') return
  const found = await digestOfFile(join(dir, caseFiles.readme)).catch(() => null)
  if (found === null) findings.push({ what: 'missing', path: caseFiles.readme, detail: 'it explains the folder' })
  else if (found.sha256 !== first.readme_sha256)
    findings.push({ what: 'altered', path: caseFiles.readme, detail: `SHA-256 is ${found.sha256}` })
}

async function findUnlisted(dir: string, segments: ReadonlySet<string>, findings: VerifyFinding[]): Promise<void> {
  const own = new Set<string>([...Object.values(caseFiles), `${caseFiles.head}.new`])
  for (const name of await readdir(dir)) {
    if (own.has(name) || /^write\.lock\./.test(name)) continue
    findings.push({ what: 'unlisted', path: name, detail: 'no part of the case' })
  }
  for (const name of await readdir(join(dir, caseFiles.segments)).catch(() => [])) {
    if (segments.has(name)) continue
    const info = await lstat(join(dir, caseFiles.segments, name))
    findings.push({
      what: 'unlisted',
      path: join(caseFiles.segments, name),
      detail: `${info.size} bytes that no ledger entry names`,
    })
  }
}
