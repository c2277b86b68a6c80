/** All rules of the dossier, in one list: a rule is one file beside this one. */
import { compareTimes } from '../net/time.ts'
import type { Finding } from '../rules/finding.ts'
import { bruteForce } from './brute-force.ts'
import { closedPortProbe } from './closed-port-probe.ts'
import { dataPushedOut } from './data-pushed-out.ts'
import { dataServed } from './data-served.ts'
import { type EvidenceInput, evidenceReader } from './evidence.ts'
import { firstContact } from './first-contact.ts'
import { interactiveSession } from './interactive-session.ts'
import type { Draft, Rule } from './rule.ts'

export const allRules: readonly Rule[] = [
  firstContact,
  closedPortProbe,
  bruteForce,
  interactiveSession,
  dataPushedOut,
  dataServed,
]

/** A finding, and the services that it speaks of. */
export type FoundFinding = Omit<Finding, 'services_total'> & Pick<Draft, 'services' | 'restsOn'>

export interface AllFound {
  findings: FoundFinding[]
  /** What rules found beyond those that are told singly. */
  others: { rule: string; count: number }[]
}

/** Runs every rule. Findings come in order of time and are numbered F1, F2, … in that order. */
export async function findAll(input: EvidenceInput, rules: readonly Rule[] = allRules): Promise<AllFound> {
  const evidence = evidenceReader(input)
  const drafts: Draft[] = []
  const others: AllFound['others'] = []
  for (const rule of rules) {
    const found = await rule.find(evidence, rule.thresholds)
    for (const draft of found.drafts) drafts.push(draft)
    if (found.left > 0) others.push({ rule: rule.name, count: found.left })
  }
  // The sort is stable: of the same moment, the rules' own order tells.
  drafts.sort((a, b) => compareTimes(a.first_start, b.first_start))
  return { findings: drafts.map((draft, i) => ({ id: `F${i + 1}`, ...draft })), others }
}
