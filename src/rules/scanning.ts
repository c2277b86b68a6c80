/** What the rules for scans, and for calls that nobody answers, say alike. */
import { technique } from './attack.ts'
import { type CaseConnections, mark, outcome } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import type { CaseDraft } from './rule.ts'

export const benignScans = [
  'a scanner of your own, for monitoring, inventory or weaknesses: detect --scanner names it',
  'a client whose servers were moved or are down',
  'answers that a sensor outside the case recorded',
]

/** What an attempt to open a connection has at most: packets; where flags show no more than SYNs, packets and their mean bytes. */
interface Limits {
  attemptPacketsMax: number
  synPacketsMax: number
  synBytesMax: number
}

/** Whether a connection without an answer is an attempt to open one, and not the rest of something else. */
export function isAttempt(connections: CaseConnections, i: number, hasFlags: boolean, limits: Limits): boolean {
  const marks = connections.marks[i]!
  if ((marks & (mark.unknownRole | mark.isError)) !== 0) return false
  if (connections.outcome[i] === outcome.rejected) return true
  const [packets, bytes] = [connections.packetsUp[i]!, connections.bytesUp[i]!]
  const isShort = packets <= limits.attemptPacketsMax
  if (!hasFlags) return isShort
  const isOpening = (marks & mark.opened) !== 0 && (marks & mark.accepted) === 0
  // Who sends more than that and closes had a connection, whose answers are not recorded.
  const isRepeated = packets <= limits.synPacketsMax && bytes <= limits.synBytesMax * packets
  return isOpening && (isShort || (isRepeated && (marks & mark.closed) === 0))
}

export function scanTechnique(
  evidence: CaseEvidence,
  actor: number,
  inside: 'T1046' | 'T1018',
): Pick<CaseDraft, 'tactic' | 'technique' | 'technique_name'> {
  return evidence.isInternal(actor)
    ? { tactic: 'discovery', ...technique(inside) }
    : { tactic: 'reconnaissance', ...technique('T1595.001') }
}

/** Whether the subject was not only the target: of whom everybody scans it says nothing. */
export function isBegun({ connections, subject }: CaseEvidence, i: number): boolean {
  return subject === null || subject(connections.client[i]!) || !subject(connections.server[i]!)
}
