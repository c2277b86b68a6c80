/** What findings say of ends. */
import { noPort } from '../conversations/services.ts'
import { integerText } from '../net/counts.ts'
import { registeredService } from '../net/ports.ts'
import { type CaseConnections, mark } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import type { Score } from './rule.ts'

/** `10.130.8.94:80`, `[2001:db8::1]:80`, or the address alone. */
export function endText({ address }: Pick<CaseEvidence, 'address'>, host: number, port: number): string {
  const text = address(host)
  if (port === noPort) return text
  return `${text.includes(':') ? `[${text}]` : text}:${port}`
}

/** ` (ssh)`, or nothing where IANA has no name. */
export function nameText(port: number, protocol: number): string {
  const name = registeredService(port, protocol)?.name
  return name === undefined ? '' : ` (${name})`
}

/** 1.5 MB and the like, for sentences; exact figures stand in the scores. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
}

/** A count in words; null is one that no record tells. */
export function number(value: number | bigint | null): string {
  if (value === null) return 'an unknown number of'
  // To load the rules of a language takes as long as a small question.
  return typeof value === 'bigint' || Number.isInteger(value) ? integerText(value) : value.toLocaleString('en-US')
}

/** ` How many …`, or nothing where it is known: the connections of a subject do not tell it. */
export function notAskedText({ ownClients }: Pick<CaseEvidence, 'ownClients'>, peer: number): string {
  return ownClients(peer) === null ? ' How many hosts of yours use that peer was not asked.' : ''
}

/** How many own hosts use a peer, where that is known. */
export function usersScore({ ownClients }: Pick<CaseEvidence, 'ownClients'>, peer: number, most: number): Score[] {
  const value = ownClients(peer)
  return value === null ? [] : [{ name: 'own hosts that use the peer', value, threshold: `<= ${most}` }]
}

/** What sums are where records of some connections do not say how many bytes or packets. */
export function boundText({ marks }: CaseConnections, some: readonly number[]): string {
  return some.some(i => (marks[i]! & mark.atLeast) !== 0)
    ? ' Some records do not say how many bytes or packets: these sums are lower bounds.'
    : ''
}
