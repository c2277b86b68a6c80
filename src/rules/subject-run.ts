/** Runs rules over the connections of a subject: what a hunt would find of it, and what is worth telling of a host that was asked for. */
import { taken } from '../conversations/connections.ts'
import type { CaseEvidence } from './evidence.ts'
import { confidences, type Severity, severities } from './finding.ts'
import { Guesses, guessIn } from './raising.ts'
import { type CaseDraft, type CaseRule, findingsMax, type OfSubject } from './rule.ts'
import { draftsOf, renumbered } from './run.ts'

export interface FoundDraft extends CaseDraft {
  rule: string
  from_us: number
  to_us: number
}

/** Findings in order of time, under the names that they have in a dossier. */
export function findOfSubject(evidence: CaseEvidence, rules: readonly CaseRule[]): FoundDraft[] {
  const found = inOrder(
    evidence,
    rules.map(rule => ({ rule, drafts: ofRule(evidence, rule) })),
  )
  const names = new Map(rules.map(({ name, ofSubject }) => [name, ofSubject?.name ?? name]))
  return found.map(draft => ({ ...draft, rule: names.get(draft.rule)! }))
}

function ofRule(evidence: CaseEvidence, rule: CaseRule): CaseDraft[] {
  const { ofSubject } = rule
  // What else a rule must have is asked of a case: that nobody answered a subject is no sign that answers are not recorded.
  if (rule.needs.sizes === 'must' && !evidence.has.sizes) return []
  if (ofSubject === undefined) return draftsOf(evidence, rule)
  return among(evidence, ofSubject.concerns, asked => {
    const hunted = draftsOf(asked, rule)
    const { atLeast } = ofSubject
    const raised = hunted.map(draft => (isBelow(draft, atLeast) ? { ...draft, severity: atLeast! } : draft))
    return [...raised, ...lesser(asked, rule, ofSubject, hunted)]
  })
}

/** What the lower thresholds find and those of a hunt do not. */
function lesser(
  evidence: CaseEvidence,
  rule: CaseRule,
  { thresholds, looksAt, lesser: levels }: OfSubject<CaseRule['thresholds']>,
  hunted: readonly CaseDraft[],
): CaseDraft[] {
  if (Object.keys(thresholds).length === 0) return []
  const merged = { ...rule.thresholds, ...thresholds } as CaseRule['thresholds']
  const isTold = new Set(hunted.flatMap(draft => draft.connections))
  const drafts = among(evidence, looksAt, asked => draftsOf(asked, rule, merged))
  const others = drafts.filter(draft => !draft.connections.some(i => isTold.has(i)))
  if (levels === undefined) return others
  return others.map(draft => ({
    ...draft,
    severity: levels.severity,
    confidence: confidences[Math.min(...[draft, levels].map(one => confidences.indexOf(one.confidence)))]!,
  }))
}

/** What is found among the connections for which it is true, by their numbers among all. */
function among(
  evidence: CaseEvidence,
  isOne: ((evidence: CaseEvidence, connection: number) => boolean) | undefined,
  find: (evidence: CaseEvidence) => CaseDraft[],
): CaseDraft[] {
  const { connections } = evidence
  if (isOne === undefined) return find(evidence)
  const all = new Uint32Array(connections.count)
  let count = 0
  for (let i = 0; i < connections.count; i++) if (isOne(evidence, i)) all[count++] = i
  const some = all.slice(0, count)
  return find({ ...evidence, connections: taken(connections, some) }).map(draft => renumbered(draft, some))
}

function isBelow({ severity }: CaseDraft, least: Severity | undefined): boolean {
  return least !== undefined && severities.indexOf(severity) < severities.indexOf(least)
}

/** What rules found, in order, each graver for what others say of it. */
function inOrder(
  evidence: CaseEvidence,
  some: readonly { rule: CaseRule; drafts: readonly CaseDraft[] }[],
): FoundDraft[] {
  const { start_us, end_us } = evidence.connections
  const found = some.flatMap(({ rule, drafts }, order) =>
    drafts.map(draft => {
      const timed = draft.timed ?? draft.connections
      const from_us = timed.reduce((least, i) => Math.min(least, start_us[i]!), Number.POSITIVE_INFINITY)
      const to_us = timed.reduce((most, i) => Math.max(most, end_us[i]!), Number.NEGATIVE_INFINITY)
      return { ...draft, rule: rule.name, order, from_us, to_us }
    }),
  )
  found.sort(
    (a, b) =>
      a.from_us - b.from_us ||
      a.order - b.order ||
      a.subject[0]! - b.subject[0]! ||
      a.peers[0]! - b.peers[0]! ||
      (a.title < b.title ? -1 : 1),
  )
  const ordered = found.map(({ order: _, ...draft }) => draft)
  const known = new Guesses(ordered.flatMap(one => guessIn({ ...one, draft: one }, evidence.connections) ?? []))
  return ordered.map(one => {
    const place = { ...one, port: evidence.connections.port[one.connections[0]!]! }
    return known.makeGraver(place, evidence.isScanner) ? { ...one, severity: 'high' as const } : one
  })
}

/** Those of each rule that are told singly: the gravest, of them those with the most connections; in their order. */
export function gravest(found: readonly FoundDraft[]): {
  listed: FoundDraft[]
  others: { rule: string; count: number }[]
} {
  const left = new Set<FoundDraft>()
  const others: { rule: string; count: number }[] = []
  const weight = ({ severity }: FoundDraft): number => severities.indexOf(severity)
  for (const rule of [...new Set(found.map(one => one.rule))].sort()) {
    const some = found.filter(one => one.rule === rule)
    if (some.length <= findingsMax) continue
    some.sort((a, b) => weight(b) - weight(a) || b.connections.length - a.connections.length || a.from_us - b.from_us)
    for (const one of some.slice(findingsMax)) left.add(one)
    others.push({ rule, count: some.length - findingsMax })
  }
  return { listed: found.filter(one => !left.has(one)), others }
}
