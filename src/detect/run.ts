/** Runs rules over a case, and what one finding says of another. */
import { type CaseConnections, clientsOf, servicesIn } from '../rules/connections.ts'
import { bruteForce } from '../rules/d02-brute-force.ts'
import { spray } from '../rules/d02-spray.ts'
import { sessions } from '../rules/d08-long-session.ts'
import { exposed } from '../rules/d18-exposed-service.ts'
import type { CaseEvidence } from '../rules/evidence.ts'
import type { CaseDraft, CaseRule } from '../rules/rule.ts'

export interface FoundDraft extends CaseDraft {
  rule: string
  from_us: number
  to_us: number
}

/** Runs rules. Findings come in order of time; of the same moment in that of rules, then of subjects. */
export function findInCase(evidence: CaseEvidence, rules: readonly CaseRule[]): FoundDraft[] {
  const { start_us, end_us } = evidence.connections
  const found = rules.flatMap((rule, order) =>
    draftsOf(evidence, rule).map(draft => {
      const { connections } = draft
      const from_us = connections.reduce((least, i) => Math.min(least, start_us[i]!), Number.POSITIVE_INFINITY)
      const to_us = connections.reduce((most, i) => Math.max(most, end_us[i]!), Number.NEGATIVE_INFINITY)
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
  const drafts = found.map(({ order: _, ...draft }) => draft)
  return raised(evidence, drafts)
}

/** What a rule finds, in what it asked for. */
export function draftsOf(
  evidence: CaseEvidence,
  rule: CaseRule,
  thresholds: CaseRule['thresholds'] = rule.thresholds,
): CaseDraft[] {
  if (rule.scope === 'client') return rule.find(evidence, thresholds)
  const of = selected(evidence, rule, thresholds)
  const drafts = rule.find({ ...evidence, connections: only(evidence.connections, of) }, thresholds)
  return drafts.map(draft => ({ ...draft, connections: draft.connections.map(i => of[i]!) }))
}

/** The numbers of the connections that a rule asks for. */
function selected(evidence: CaseEvidence, rule: CaseRule, thresholds: CaseRule['thresholds']): Uint32Array {
  const some: number[] = []
  for (const client of clientsOf(evidence.connections)) {
    for (const service of servicesIn(evidence.connections, client)) {
      if (rule.selects?.(evidence, service, thresholds) !== true) continue
      for (let i = service.from; i < service.to; i++) some.push(i)
    }
  }
  return Uint32Array.from(some)
}

/** Some connections, as all of a case. */
function only({ count: _, ...columns }: CaseConnections, some: Uint32Array): CaseConnections {
  const taken = Object.entries(columns).map(([name, column]) => [
    name,
    column.constructor === Float64Array
      ? Float64Array.from(some, i => column[i]!)
      : (column.constructor as Uint32ArrayConstructor).from(some, i => column[i]!),
  ])
  return { count: some.length, ...Object.fromEntries(taken) } as CaseConnections
}

/** A session, or an open service, that somebody guessed at is graver: from the same client, or at the same service. */
function raised({ connections, isScanner }: CaseEvidence, drafts: readonly FoundDraft[]): FoundDraft[] {
  const guessed = drafts.filter(
    ({ rule, severity }) => [bruteForce.name, spray.name].includes(rule) && severity !== 'info',
  )
  const pairs = new Set(guessed.flatMap(({ subject, peers }) => subject.map(actor => `${actor} ${peers[0]}`)))
  const services = new Set(guessed.map(one => `${one.peers[0]} ${connections.port[one.connections[0]!]}`))
  return drafts.map(draft => {
    const { rule, subject, peers } = draft
    const isGraver =
      (rule === sessions.name && !isScanner(subject[0]!) && pairs.has(`${subject[0]} ${peers[0]}`)) ||
      (rule === exposed.name &&
        (services.has(`${subject[0]} ${connections.port[draft.connections[0]!]}`) ||
          peers.some(peer => pairs.has(`${peer} ${subject[0]}`))))
    return isGraver ? { ...draft, severity: 'high' as const } : draft
  })
}
