/** All rules of the dossier, in one list: a rule is one file beside this one. */
import { compareTimes } from '../net/time.ts'
import { bruteForce } from './brute-force.ts'
import { closedPortProbe } from './closed-port-probe.ts'
import { dataPushedOut } from './data-pushed-out.ts'
import { dataServed } from './data-served.ts'
import { type EvidenceInput, evidenceReader } from './evidence.ts'
import type { Finding } from './finding.ts'
import { firstContact } from './first-contact.ts'
import { interactiveSession } from './interactive-session.ts'
import type { Draft, Rule } from './rule.ts'

const rules: readonly Rule[] = [
  firstContact,
  closedPortProbe,
  bruteForce,
  interactiveSession,
  dataPushedOut,
  dataServed,
]

/** A finding, and the services (by index) that it speaks of. */
export interface FoundFinding extends Finding {
  services: number[]
}

/** Runs every rule. Findings come in order of time and are numbered F1, F2, … in that order. */
export async function findAll(input: EvidenceInput): Promise<FoundFinding[]> {
  const evidence = evidenceReader(input)
  const drafts: Draft[] = []
  for (const rule of rules) drafts.push(...(await rule(evidence)))
  // The sort is stable: of the same moment, the rules' own order tells.
  drafts.sort((a, b) => compareTimes(a.first_start, b.first_start))
  return drafts.map((draft, i) => ({ id: `F${i + 1}`, ...draft }))
}
