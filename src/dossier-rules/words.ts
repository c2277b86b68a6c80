import { parseAddress } from '../net/address.ts'
import { internalPrefixes, isInternal } from '../net/internal.ts'
import type { Prefix } from '../net/prefix.ts'
import { protocolText } from '../net/protocols.ts'
import { microsecondsOf } from '../net/time.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import type { Sql } from '../query/sql.ts'
import type { Confidence } from '../rules/finding.ts'
import type { FoundSpan, ServiceView } from './rule.ts'

/** `10.130.8.94:80`, `[2001:db8::1]:80`, or the address alone for protocols without ports. */
export function serverText(service: ServiceView): string {
  if (service.port === null) return `${service.server} (${protocolText(service.protocol)})`
  return `${service.server.includes(':') ? `[${service.server}]` : service.server}:${service.port}`
}

export function isInternalText(address: string, own: readonly Prefix[]): boolean {
  const parsed = parseAddress(address)
  return parsed !== null && isInternal(parsed, own)
}

/** What sums of bytes are where some records do not say theirs. */
export function boundText({ at_least }: ServiceView): string {
  return at_least ? ' Some records do not say how many bytes or packets: these sums are lower bounds.' : ''
}

/** When a service was seen; null where no record tells. */
export function spanOf({ first_start, last_end }: Pick<ServiceView, 'first_start' | 'last_end'>): FoundSpan | null {
  return first_start === null || last_end === null
    ? null
    : { from_us: microsecondsOf(first_start), to_us: microsecondsOf(last_end) }
}

/** The same of one end of a row of `service`. */
export function isInternalSql(end: 'server' | 'client', own: readonly Prefix[]): Sql {
  return inAnyPrefix(`${end}_hi`, `${end}_lo`, [...internalPrefixes, ...own])
}

/** One level lower where the role of client and server is less sure than that. */
export function lowered(confidence: Confidence, service: ServiceView, roleConfidenceMin: number): Confidence {
  if (service.role_confidence >= roleConfidenceMin) return confidence
  return confidence === 'high' ? 'medium' : 'low'
}
