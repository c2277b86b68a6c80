/** What a rule says when it has found something. Names are fixed by the contract. */

/** Where a statement can be checked: a line of a log, a packet of a capture or a record of an nfcapd file, by its number. */
export interface Basis {
  path: string
  line?: number
  packet?: number
  record?: number
  /** Number of the file in the ledger, where it was asked for: two files may have had the same path. */
  file?: number
}

export type Severity = 'info' | 'low' | 'medium' | 'high'
export type Confidence = 'low' | 'medium' | 'high'

/** From the lowest. */
export const severities: readonly Severity[] = ['info', 'low', 'medium', 'high']
export const confidences: readonly Confidence[] = ['low', 'medium', 'high']

export interface Finding {
  id: string
  rule: string
  title: string
  severity: Severity
  confidence: Confidence
  /** MITRE ATT&CK technique, e.g. `T1110`; null where the records do not show one. */
  technique: string | null
  technique_name: string | null
  summary: string
  /** Innocent explanations that these records cannot exclude. */
  counter_hypotheses: string[]
  /** Null where no record that it rests on has a time. */
  first_start: string | null
  last_end: string | null
  basis: Basis[]
  /** Records the finding rests on; `basis` names some of them, `sql` all. */
  basis_total: number
  /** Services that it speaks of. */
  services_total: number
  sql: string
}
