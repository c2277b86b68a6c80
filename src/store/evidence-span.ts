/** From when to when the evidence of a case goes. */
import { parseTime } from '../net/time.ts'
import type { Case } from './case.ts'

export interface EvidenceSpan {
  /** When the first record begins, in microseconds since the epoch. */
  first_us: bigint
  /** When the last one ends. */
  last_us: bigint
}

/** By the list of evidence, which does not change while a case is open: a case of thousands of files is asked many times a second. */
const spans = new WeakMap<Case['evidence'], EvidenceSpan | null>()

/** Over all files of which the times are known; null where none has one. */
export function evidenceSpan({ evidence }: Pick<Case, 'evidence'>): EvidenceSpan | null {
  const kept = spans.get(evidence)
  if (kept !== undefined) return kept
  const span = workedOut(evidence)
  spans.set(evidence, span)
  return span
}

function workedOut(evidence: Case['evidence']): EvidenceSpan | null {
  let first_us: bigint | null = null
  let last_us: bigint | null = null
  for (const { first_start, last_end } of evidence) {
    const from = first_start === null ? null : parseTime(first_start, false)
    const to = last_end === null ? null : parseTime(last_end, false)
    if (from !== null && (first_us === null || from < first_us)) first_us = from
    if (to !== null && (last_us === null || to > last_us)) last_us = to
  }
  return first_us === null || last_us === null || first_us > last_us ? null : { first_us, last_us }
}
