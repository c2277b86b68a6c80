/** All rules over a whole case, in one list, and what one finding says of another. */
import { beacon } from './beacon.ts'
import type { CaseEvidence } from './evidence.ts'
import { exposed } from './exposed.ts'
import { flips } from './flips.ts'
import { guesses } from './guesses.ts'
import { ports } from './ports.ts'
import type { CaseDraft, CaseRule } from './rule.ts'
import { scan } from './scan.ts'
import { sessions } from './sessions.ts'
import { volume } from './volume.ts'

export const caseRules: readonly CaseRule[] = [scan, guesses, beacon, volume, flips, sessions, ports, exposed]

/** Rules that are known, and that no file here looks for. */
export const notLookedFor: readonly string[] = [
  'D05 administrative fan-out',
  'D06 address lists',
  'D10 first-seen peer',
  'D11 DNS',
  'D12 reverse shell',
  'D13 failed call-backs',
  'D14 staging',
  'D15 flood',
  'D16 spam and mining',
  'D17 metadata service',
]

export interface FoundDraft extends CaseDraft {
  rule: string
  from_us: number
  to_us: number
}

/** Runs rules. Findings come in order of time; of the same moment in that of rules, then of subjects. */
export function findInCase(evidence: CaseEvidence, rules: readonly CaseRule[]): FoundDraft[] {
  const { start_us, end_us } = evidence.connections
  const found = rules.flatMap((rule, order) =>
    rule.find(evidence, rule.thresholds).map(draft => {
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

/** A session, or an open service, that somebody guessed at is graver: from the same client, or at the same service. */
function raised({ connections, isScanner }: CaseEvidence, drafts: readonly FoundDraft[]): FoundDraft[] {
  const guessed = drafts.filter(({ rule, severity }) => rule === guesses.name && severity !== 'info')
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
