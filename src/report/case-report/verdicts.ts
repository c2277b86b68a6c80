/** What the examiner decided of each finding, the same in every part of a report. */
import { bySeverity } from '../findings.ts'
import type { CaseReport, ReportFinding } from './document.ts'

export const verdicts = ['confirmed', 'not judged', 'refuted'] as const
/** A finding that notes leave `open`, as a file of notes begins, is not judged. */
export type Verdict = (typeof verdicts)[number]

export function verdictOf({ status }: Pick<ReportFinding, 'status'>): Verdict {
  return status === null || status === 'open' ? 'not judged' : status
}

/** The findings of the dossier or of the whole case, and where they stand in the document. */
export function findingsOf({ dossier, detections }: CaseReport) {
  return dossier !== null
    ? { findings: dossier.findings, of: 'dossier.findings' }
    : { findings: detections?.findings ?? [], of: 'detections.findings' }
}

/** Findings with their places in the list and their verdicts, the most severe first; those that were refuted last. */
export function byVerdict<T extends Parameters<typeof bySeverity>[0][number]>(
  findings: readonly T[],
  own: readonly Pick<ReportFinding, 'status'>[],
): { finding: T; at: number; verdict: Verdict }[] {
  const told = bySeverity(findings).map(finding => {
    const at = findings.indexOf(finding)
    return { finding, at, verdict: verdictOf(own[at]!) }
  })
  const isRefuted = ({ verdict }: { verdict: Verdict }): boolean => verdict === 'refuted'
  return [...told.filter(one => !isRefuted(one)), ...told.filter(isRefuted)]
}
