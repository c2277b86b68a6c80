/** What a rule over a whole case is, and what it returns. */
import type { Confidence, Severity } from '../detect/finding.ts'
import type { Thresholds } from '../detect/rule.ts'
import type { CaseEvidence } from './evidence.ts'

/** Tactics of ATT&CK that rules tell of, in the order in which an intrusion goes. */
export const tactics = [
  'reconnaissance',
  'discovery',
  'credential-access',
  'initial-access',
  'lateral-movement',
  'command-and-control',
  'exfiltration',
] as const
export type Tactic = (typeof tactics)[number]

/** A figure beside its threshold. */
export interface Score {
  name: string
  value: number
  threshold: string
}

/** A finding before it has a number. */
export interface CaseDraft {
  title: string
  severity: Severity
  confidence: Confidence
  tactic: Tactic
  technique: string
  technique_name: string
  summary: string
  scores: Score[]
  /** What would have changed the verdict. */
  would_change: string
  /** Innocent explanations that these records cannot exclude. */
  counter_hypotheses: string[]
  /** Numbers of hosts: the actor, in D07 and D18 the victim; and the others, in the order of their addresses. */
  subject: number[]
  peers: number[]
  /** Numbers of the connections that it rests on. */
  connections: number[]
}

export interface CaseRule<T extends Thresholds = Thresholds> {
  /** As findings name it: `D01-scan`. */
  readonly name: string
  readonly thresholds: T
  /** What this evidence cannot answer of it, and why; it looks for the rest all the same. */
  limitsOf(evidence: CaseEvidence): string[]
  find(evidence: CaseEvidence, thresholds: T): CaseDraft[]
}

/** Numbers in order, each once. */
export function distinct(numbers: Iterable<number>): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b)
}

/** One level lower. */
export function less(confidence: Confidence): Confidence {
  return confidence === 'high' ? 'medium' : 'low'
}

/** Confidence of a role below which a finding is one level less sure, in hundredths. */
const roleConfidenceMin = 80

/** The confidence of a finding on these connections: lower where their roles are guesses, or records lack flags. */
export function sureness(best: Confidence, { connections, has }: CaseEvidence, on: readonly number[]): Confidence {
  const unsure = on.filter(i => connections.confidence[i]! < roleConfidenceMin).length
  const sure = 2 * unsure > on.length ? less(best) : best
  return has.flags ? sure : less(sure)
}

const namedMax = 5

/** `a, b and 3 more`. */
export function namesText(names: readonly string[]): string {
  const left = names.length - namedMax
  if (left > 0) return `${names.slice(0, namedMax).join(', ')} and ${left} more`
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
