import { parseAddress } from '../net/address.ts'
import { integerText } from '../net/counts.ts'
import { internalPrefixes, isInternal } from '../net/internal.ts'
import type { Prefix } from '../net/prefix.ts'
import { protocolText } from '../net/protocols.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import type { Sql } from '../query/sql.ts'
import type { Confidence } from './finding.ts'
import type { ServiceView } from './rule.ts'

/** `10.130.8.94:80`, `[2001:db8::1]:80`, or the address alone for protocols without ports. */
export function serverText(service: ServiceView): string {
  if (service.port === null) return `${service.server} (${protocolText(service.protocol)})`
  return `${service.server.includes(':') ? `[${service.server}]` : service.server}:${service.port}`
}

export function isInternalText(address: string, own: readonly Prefix[]): boolean {
  const parsed = parseAddress(address)
  return parsed !== null && isInternal(parsed, own)
}

/** The same of one end of a row of `service`. */
export function isInternalSql(end: 'server' | 'client', own: readonly Prefix[]): Sql {
  return inAnyPrefix(`${end}_hi`, `${end}_lo`, [...internalPrefixes, ...own])
}

export function number(value: number | bigint): string {
  // To load the rules of a language takes as long as a small question.
  return typeof value === 'bigint' || Number.isInteger(value) ? integerText(value) : value.toLocaleString('en-US')
}

/** One level lower where the role of client and server is less sure than that. */
export function lowered(confidence: Confidence, service: ServiceView, roleConfidenceMin: number): Confidence {
  if (service.role_confidence >= roleConfidenceMin) return confidence
  return confidence === 'high' ? 'medium' : 'low'
}
