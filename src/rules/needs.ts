/** What a rule lacks in the evidence at hand, in the words in which it says so. */
import type { CaseEvidence } from './evidence.ts'
import type { CaseRule, Need } from './rule.ts'

type Known = Pick<CaseEvidence, 'source' | 'has'> & Partial<Pick<CaseEvidence, 'hosts' | 'isInternal' | 'ownClients'>>

interface Lack {
  isMissing(evidence: Known): boolean
  reason(evidence: Pick<Known, 'source'>): string
}

const lacks: Readonly<Record<Need, Lack>> = {
  packets: {
    isMissing: ({ source }) => source !== 'packets',
    reason: () => 'flow logs do not have it: only a capture can tell',
  },
  action: {
    isMissing: ({ source, has }) => source === 'packets' || !has.action,
    reason: ({ source }) =>
      source === 'packets'
        ? 'packets do not tell whether a rule of a firewall rejected them'
        : 'the records have no action: what was rejected is not known',
  },
  accepted: {
    isMissing: ({ has }) => !has.accepted,
    reason: () => 'every record is rejected: what was let through is not recorded',
  },
  rejected: {
    isMissing: ({ source, has }) => source !== 'packets' && !has.rejected,
    reason: () => 'no record is rejected: what the rules of a firewall stopped may be missing',
  },
  answers: {
    isMissing: ({ has }) => !has.answers,
    reason: () => 'no connection has both directions: what the other side answered is not recorded',
  },
  inside: {
    isMissing: ({ hosts = 0, isInternal, ownClients }) => {
      for (let host = 0; host < hosts; host++) if (isInternal!(host) && (ownClients!(host) ?? 1) > 0) return false
      return true
    },
    reason: () => 'no internal host answers another one: what goes on between your hosts is not recorded',
  },
  flags: {
    isMissing: ({ has }) => !has.flags,
    reason: () => 'no tcp-flags: who opened a connection, and whether it was refused, is told by sizes and ports alone',
  },
  sizes: {
    isMissing: ({ has }) => !has.sizes,
    reason: () => 'the records lack packets or bytes: how much was sent is not known',
  },
  lists: {
    isMissing: ({ has }) => !has.lists,
    reason: () => 'no address list was given: name one with --list',
  },
}

export const needs = Object.keys(lacks) as readonly Need[]

/** What is said of logs that lack something. */
export function lackText(need: Need): string {
  return lacks[need].reason({ source: 'logs' })
}

/** Why what has these needs cannot be decided here, or is decided with less. What it must have comes first, and says all. */
export function lacksOf(asked: CaseRule['needs'], evidence: Known): { must: string[]; better: string[] } {
  const missing = (level: 'must' | 'better'): string[] =>
    needs
      .filter(need => asked[need] === level && lacks[need].isMissing(evidence))
      .map(need => lacks[need].reason(evidence))
  return { must: missing('must').slice(0, 1), better: missing('better') }
}

/** The same of a rule, with what it says itself. */
export function limitsOf(rule: CaseRule, evidence: CaseEvidence): string[] {
  const { must, better } = lacksOf(rule.needs, evidence)
  return must.length > 0 ? must : [...better, ...(rule.limitsOf?.(evidence, rule.thresholds) ?? [])]
}

/** Whether a rule has what it must have. */
export function canDecide(rule: CaseRule, evidence: CaseEvidence): boolean {
  return lacksOf(rule.needs, evidence).must.length === 0
}
