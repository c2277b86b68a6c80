/** What a rule is, and what it returns. */
import type { Technique } from './attack.ts'
import type { Run } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import type { Confidence, Severity } from './finding.ts'

/** Tactics of ATT&CK that rules tell of, in the order in which an intrusion goes. */
export const tactics = [
  'reconnaissance',
  'discovery',
  'credential-access',
  'initial-access',
  'lateral-movement',
  'collection',
  'command-and-control',
  'exfiltration',
  'impact',
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
  /** Of ATT&CK; null where the records do not show one. */
  technique: string | null
  technique_name: string | null
  summary: string
  scores: Score[]
  /** What would have changed the verdict. */
  would_change: string
  /** Innocent explanations that these records cannot exclude. */
  counter_hypotheses: string[]
  /** Numbers of hosts: the actor, in D07, D15 and D18 the victim; and the others, in the order of their addresses. */
  subject: number[]
  peers: number[]
  /** Numbers of the connections that it rests on. */
  connections: number[]
  /** Those of them that say when it was: all, where it names none. */
  timed?: number[]
}

/** Numbers that a rule decides by, and sets of ports. Their units stand in their names: bytes, seconds, shares and ratios from 0 to 1. */
export type Thresholds = Readonly<Record<string, number | readonly number[]>>

type Decided = Readonly<Record<string, readonly [value: number | readonly number[], reason: string]>>

/** Thresholds, each with where it comes from. */
export function decided<const T extends Decided>(
  table: T,
): {
  thresholds: { readonly [name in keyof T]: T[name][0] extends number ? number : readonly number[] }
  reasons: { readonly [name in keyof T]: string }
} {
  const of = (at: 0 | 1) => Object.fromEntries(Object.entries(table).map(([name, one]) => [name, one[at]]))
  return { thresholds: of(0), reasons: of(1) } as ReturnType<typeof decided<T>>
}

/**
 * What a rule asks of the evidence. `flags`: TCP flags. `sizes`: packets and bytes of records. `action`: whether records were accepted or rejected. `rejected`, `accepted`: that
 * some were. `answers`: that both directions are recorded. `inside`: that connections between two internal hosts are. `packets`: a capture.
 * `lists`: address lists of the analyst.
 */
export type Need = 'flags' | 'sizes' | 'action' | 'rejected' | 'accepted' | 'answers' | 'inside' | 'packets' | 'lists'

/**
 * What is different where the connections are those of a subject, whom the analyst has a reason to ask about: a dossier also tells what is
 * too little for a hunt through a whole case.
 */
export interface OfSubject<T> {
  /** As findings of a dossier name it, where these have a name of their own. */
  readonly name?: string
  /** Lower thresholds, in the place of those of a hunt. What these find stands as it is. */
  readonly thresholds: Partial<T>
  /** Where each comes from. */
  readonly reasons: Readonly<{ [name in keyof T]?: string }>
  /** Which connections they look at, of those that the rule looks at: all by default. */
  looksAt?(evidence: CaseEvidence, connection: number): boolean
  /** How severe what they alone find is, and how sure at most; by default as the rule says. */
  readonly lesser?: Readonly<{ severity: Severity; confidence: Confidence }>
  /** How severe at least is what the thresholds of a hunt find. */
  readonly atLeast?: Severity
  /** Whether a connection tells the rule something of the subject: all do by default. */
  concerns?(evidence: CaseEvidence, connection: number): boolean
}

/**
 * A rule over all connections of a case, or over those of a subject: data, and one function. It keeps nothing between calls, reads no clock,
 * and what it finds does not depend on the order of hosts' numbers beyond that of their addresses.
 */
export interface CaseRule<T extends Thresholds = Thresholds> {
  /** As findings name it: `D01-scan`. Several rules may share a number. */
  readonly name: string
  /** What it looks for, in a line. */
  readonly title: string
  /** `must`: without it nothing can be decided. `better`: it decides with less. */
  readonly needs: Readonly<Partial<Record<Need, 'must' | 'better'>>>
  readonly thresholds: T
  /** Where each threshold comes from. */
  readonly reasons: Readonly<Record<keyof T, string>>
  /** Every technique that a finding of it may name. */
  readonly attack: readonly Technique[]
  /** The finding types of GuardDuty that correspond to it. */
  readonly guardDuty: readonly string[]
  /**
   * What `evidence.connections` holds when `find` is called. `client`: all connections of some clients, a stretch of them at a time; the
   * rule must judge each client by itself, and what it must know of others is in the evidence's facts by host. `case`: of the whole case
   * those that `selects` names, once. `findings`: none; `find` is given what other rules found, once. `subject`: all
   * of a subject; such a rule is of dossiers alone.
   */
  readonly scope: 'client' | 'case' | 'findings' | 'subject'
  /** Of scope `findings`: the rules, by number (`D03`), on whose findings it stands. */
  readonly on?: readonly string[]
  /** Whether it also looks at a subject none of whose connections has a time. */
  readonly withoutTime?: true
  /** Of scope `case`: whether it wants the connections of a service (`servicesIn`); few services should be. */
  selects?(evidence: CaseEvidence, service: Run, thresholds: T): boolean
  readonly ofSubject?: OfSubject<T>
  /** What this evidence cannot answer of it beyond its needs, and why; it looks for the rest all the same. `connections` is not there. */
  limitsOf?(evidence: Omit<CaseEvidence, 'connections'>, thresholds: T): string[]
  /**
   * @param thresholds its own, or what the analyst set in their place.
   * @param found of scope `findings`: what the rules that `on` names found. The drafts then rest on these: `connections` are places in it.
   */
  find(evidence: CaseEvidence, thresholds: T, found?: readonly RuleDraft[]): CaseDraft[]
}

/** A finding, and the rule that found it. */
export type RuleDraft = Pick<CaseDraft, 'subject' | 'peers' | 'severity' | 'confidence' | 'tactic'> & { rule: string }

/** Whether a rule of scope `findings` stands on what another one found. */
export function standsOn({ on = [] }: Pick<CaseRule, 'on'>, rule: string): boolean {
  return on.some(one => rule.startsWith(`${one}-`))
}

/** A rule of the analyst's own, and the file that it was loaded from. */
export interface OwnRule extends CaseRule {
  readonly path: string
}
/** Findings of one rule that are told singly; all are counted. */
export const findingsMax = 1000

/** Numbers in order, each once. */
export function distinct(numbers: Iterable<number>): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b)
}

/** One level lower. */
export function less(confidence: Confidence): Confidence {
  return confidence === 'high' ? 'medium' : 'low'
}

/** Confidence of a role below which a finding is one level less sure: no handshake or the like tells it. */
export const roleConfidenceMin = 0.8

/** The confidence of a finding on these connections: lower where their roles are guesses, or records lack flags. */
export function sureness(best: Confidence, { connections, has }: CaseEvidence, on: readonly number[]): Confidence {
  const unsure = on.filter(i => connections.confidence[i]! < 100 * roleConfidenceMin).length
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
