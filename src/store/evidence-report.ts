/** What a case was built from, and what of it is in no record. */
import { soundLedger } from './case-folder.ts'
import { damagedSegment } from './damage.ts'
import { evidenceOf, segmentsOf } from './entries.ts'
import type { EvidenceEntry, SegmentEntry } from './ledger.ts'
import { caseFolder } from './nodes.ts'
import { type EvidenceProblem, type EvidenceReport, type EvidenceTotals, isUnread } from './reports.ts'
import { readKeptProblems } from './segment-check.ts'

/** The places that are in no record, with the paths of their files. */
export async function readProblems(
  dir: string,
  segments: readonly SegmentEntry[],
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
    for (const { _file, ...problem } of kept) problems.push({ path: paths.get(_file) ?? '', ...problem })
  }
  return problems
}

/** What the case was built from. */
export async function readEvidence(caseDir: string): Promise<EvidenceReport> {
  const dir = await caseFolder(caseDir)
  const entries = await soundLedger(dir)
  const evidence = evidenceOf(entries)
  const problems = await readProblems(dir, segmentsOf(entries), evidence)
  const files = [...evidence].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return reportOf(dir, files, problems, evidence, false)
}

/** The report on some files of a case: those that one `add` looked at, or all. */
export function reportOf(
  dir: string,
  files: readonly EvidenceEntry[],
  problems: readonly EvidenceProblem[],
  all: readonly EvidenceEntry[],
  interrupted: boolean,
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
  const caseRecords = all.reduce((sum, file) => sum + file.records, 0)
  return { case: dir, files: [...files], totals, problems: [...problems], case_records: caseRecords, interrupted }
}
