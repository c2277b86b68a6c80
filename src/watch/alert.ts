/** What a receiver is told of a finding. */
import { createHash } from 'node:crypto'
import type { CaseFinding } from '../detect/detect.ts'
import { type Basis, type Confidence, type Severity, severities } from '../rules/finding.ts'
import type { Day } from './days.ts'

/** Names are fixed by the contract. Lists hold the first of what they are of; totals say how many there are. */
export interface Alert {
  /** The same for the same rule, subject, peer and day, whenever and wherever it is worked out. */
  id: string
  day: Day
  rule: string
  severity: Severity
  confidence: Confidence
  title: string
  summary: string
  tactic: string
  technique: string | null
  technique_name: string | null
  subject: string[]
  subject_total: number
  peers: string[]
  peers_total: number
  /** UTC, ISO 8601; null where no record that it rests on has a time. */
  first_start: string | null
  last_end: string | null
  connections: number
  /** Records that it rests on, and where some of them stand. */
  records: number
  basis: Basis[]
  /** Further findings of the same rule, subject, peer and day. */
  more: { title: string; severity: Severity; summary: string }[]
  more_total: number
  /** The 24 hours that were looked at. */
  window: { from: string; to: string }
  /** Case of the day. */
  case: string
  /** Commands that show more. */
  next: string[]
}

const addressesMax = 10
const basisMost = 5
const moreMost = 5
/** Receivers of syslog take 8 KiB at least, in many a program at most. */
const textMax = 600

export type AlertDraft = Omit<Alert, 'window' | 'case' | 'next'> & { hosts: string[] }

/**
 * The alerts of findings: one for each rule, subject, peer and day. The day is that of the latest record: what goes on tells again the next day.
 *
 * Of several subjects or peers, which may become more with more evidence, the first stands for all.
 *
 * @param lastDay day of a finding without a time.
 */
export function alertsOf(findings: readonly CaseFinding[], lastDay: Day): AlertDraft[] {
  const byId = new Map<string, CaseFinding[]>()
  for (const finding of findings) {
    const id = idOf(finding, dayOf(finding, lastDay))
    byId.set(id, [...(byId.get(id) ?? []), finding])
  }
  return [...byId].map(([id, some]) => draftOf(id, some.sort(graver), lastDay))
}

function graver(a: CaseFinding, b: CaseFinding): number {
  return severities.indexOf(b.severity) - severities.indexOf(a.severity)
}

function dayOf({ last_end }: CaseFinding, lastDay: Day): Day {
  return last_end?.slice(0, 10) ?? lastDay
}

function idOf({ rule, subject, peers, peers_total }: CaseFinding, day: Day): string {
  const parts = [rule, subject[0] ?? '', peers_total === 1 ? (peers[0] ?? '') : '', day]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

function draftOf(id: string, [first, ...others]: readonly CaseFinding[], lastDay: Day): AlertDraft {
  const { rule, severity, confidence, tactic, technique, technique_name, subject_total, peers_total } = first!
  const { first_start, last_end, connections, basis_total, basis, subject, peers } = first!
  return {
    ...{ id, day: dayOf(first!, lastDay), rule, severity, confidence },
    ...{ title: clipped(first!.title), summary: clipped(first!.summary), tactic, technique, technique_name },
    ...{ subject: subject.slice(0, addressesMax), subject_total, peers: peers.slice(0, addressesMax), peers_total },
    ...{ first_start, last_end, connections, records: basis_total, basis: basis.slice(0, basisMost) },
    more: others.slice(0, moreMost).map(one => ({
      ...{ title: clipped(one.title), severity: one.severity, summary: clipped(one.summary) },
    })),
    more_total: others.length,
    hosts: [...subject.slice(0, 1), ...(peers_total === 1 ? peers : [])],
  }
}

function clipped(text: string): string {
  return text.length <= textMax ? text : `${text.slice(0, textMax - 1)}…`
}

/** One line of JSON in ASCII: nothing in it is obeyed by a terminal, or read otherwise by a program of another encoding. */
export function alertText(alert: Alert): string {
  return JSON.stringify(alert).replace(/[\x7f-\uffff]/g, one => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
