/** What a case was built from, and what of it is in no record. */
import { createHash } from 'node:crypto'
import { readSmall } from '../disk/reading.ts'
import { errorText } from '../errors.ts'
import { countText, integerText } from '../net/counts.ts'
import { soundLedger, upTo } from './case-folder.ts'
import { damagedSegment } from './damage.ts'
import { segmentPath } from './files.ts'
import type { EvidenceEntry, LedgerEntry, SegmentEntry } from './ledger.ts'
import { caseFolder } from './nodes.ts'
import {
  type EvidenceProblem,
  type EvidenceReport,
  type EvidenceTotals,
  type FileEvent,
  type FileHistory,
  heldRecords,
  isUnread,
} from './reports.ts'
import { countedOf, counts, type Standing, standingsOf } from './standing.ts'

/** The places that are in no record, with the paths of their files. */
export async function readProblems(
  dir: string,
  segments: readonly (SegmentEntry & { out?: readonly number[] })[],
  evidence: readonly EvidenceEntry[],
): Promise<EvidenceProblem[]> {
  const paths = new Map(evidence.map(file => [file.id, file.path]))
  const problems: EvidenceProblem[] = []
  for (const file of evidence) {
    if (isUnread(file)) problems.push({ path: file.path, problem: file.problem ?? file.status })
  }
  for (const segment of segments.filter(one => one.kind === 'problems')) {
    const kept = readKeptProblems(dir, segment)
    if (typeof kept === 'string') throw damagedSegment(dir, segment.name, kept)
    const out = new Set(segment.out)
    for (const { _file, ...problem } of kept)
      if (!out.has(_file)) problems.push({ path: paths.get(_file) ?? '', ...problem })
  }
  return problems
}

/**
 * What the case was built from, and what became of files since.
 *
 * @param options `head`: as it was when the ledger ended with the entry of that digest.
 * @throws UserError when there is no case; the signal's reason.
 */
export async function readEvidence(
  caseDir: string,
  { signal, head }: { signal?: AbortSignal; head?: string } = {},
): Promise<EvidenceReport> {
  const dir = await caseFolder(caseDir)
  const entries = upTo(await soundLedger(dir), head, dir)
  signal?.throwIfAborted()
  const { evidence, segments } = countedOf(entries)
  const problems = await readProblems(dir, segments, evidence)
  signal?.throwIfAborted()
  return reportOf(dir, { files: [...evidence].sort(byPath), problems, all: evidence, history: historyOf(entries) })
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0
}

/** Each file of which the ledger says more than that it was added, by path. */
function historyOf(entries: readonly LedgerEntry[]): FileHistory[] {
  return standingsOf(entries)
    .filter(one => one.changes.length > 0 || one.supersededBy !== null)
    .map(one => {
      const { id, path, sha256, status, records } = one.file
      return { id, path, sha256, status, records, counts: counts(one), events: eventsOf(one) }
    })
    .sort(byPath)
}

function eventsOf({ entry, changes, supersededBy }: Standing): FileEvent[] {
  const event = (what: FileEvent['what'], { seq, time, command }: Exclude<LedgerEntry, { type: 'created' }>) => ({
    ...{ what, entry: seq, time, command, reason: null, by: null },
  })
  const events: FileEvent[] = [
    event('added', entry),
    ...changes.map(change => ({ ...event(change.type, change), reason: change.reason })),
  ]
  if (supersededBy !== null) {
    const { id, path } = supersededBy.file
    events.push({ ...event('superseded', supersededBy.entry), by: { id, path } })
  }
  return events.sort((a, b) => a.entry - b.entry)
}

interface Reported {
  files: readonly EvidenceEntry[]
  problems: readonly EvidenceProblem[]
  /** All files of the case that count. */
  all: readonly EvidenceEntry[]
  history?: FileHistory[]
  foldersWithout?: EvidenceReport['folders_without_evidence']
  interrupted?: boolean
}

/** The report on some files of a case: those that one `add` looked at, or all. */
export function reportOf(
  dir: string,
  { files, problems, all, history = [], foldersWithout = [], interrupted = false }: Reported,
): EvidenceReport {
  const totals: EvidenceTotals = {
    files: 0,
    lines: 0,
    header_lines: 0,
    records: 0,
    no_data: 0,
    skip_data: 0,
    malformed: 0,
  }
  for (const file of files) {
    if (file.status !== 'read' && file.status !== 'partly-read') continue
    totals.files++
    for (const name of ['lines', 'header_lines', 'records', 'no_data', 'skip_data', 'malformed'] as const)
      totals[name] += file[name]
  }
  return {
    ...{ case: dir, files: [...files], totals, problems: [...problems], ...heldRecords(all) },
    ...{ history, folders_without_evidence: foldersWithout, interrupted },
  }
}

/** Ten thousand problems of each file are named one by one, in segments of a batch of files. */
const problemBytesMax = 256 << 20

/** A line of a segment of problems. */
export interface KeptProblem {
  _file: number
  line?: number
  line_to?: number
  offset?: number
  problem: string
}

/** The lines of a segment of problems; or, in words, why they are not what the ledger says. */
export function readKeptProblems(dir: string, segment: SegmentEntry): KeptProblem[] | string {
  let bytes: Buffer
  try {
    bytes = readSmall(segmentPath(dir, segment.name), 'refuse', problemBytesMax)
  } catch (error) {
    return errorText(error)
  }
  if (createHash('sha256').update(bytes).digest('hex') !== segment.sha256) return 'its digest is not that of the ledger'
  const problems: KeptProblem[] = []
  for (const line of bytes.toString('utf8').split('\n')) {
    if (line === '') continue
    const problem = parsed(line)
    if (!isProblem(problem)) return `line ${problems.length + 1} is not a problem of a file`
    problems.push(problem)
  }
  return problems.length === segment.rows
    ? problems
    : `it has ${countText(problems.length, 'line')}, the ledger says ${integerText(segment.rows)}`
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

function isProblem(value: unknown): value is KeptProblem {
  if (typeof value !== 'object' || value === null) return false
  const { _file, line, line_to, offset, problem } = value as Record<string, unknown>
  const isPlace = (place: unknown): boolean => place === undefined || Number.isSafeInteger(place)
  return Number.isSafeInteger(_file) && typeof problem === 'string' && [line, line_to, offset].every(isPlace)
}
