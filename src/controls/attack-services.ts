/** The attack of a host of one's own: the services that findings of some weight speak of, in the time of each. */
import { hostNumber } from '../conversations/hosts.ts'
import type { Severity } from '../investigate/dossier.ts'
import type { Found } from '../investigate/investigate.ts'
import type { Address } from '../net/address.ts'
import { isInternal } from '../net/internal.ts'
import { type Prefix, parsePrefix, prefixContains } from '../net/prefix.ts'
import { microsecondsOf } from '../net/time.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import { severities } from '../rules/finding.ts'
import type { AttackService } from './traffic.ts'

/** A service of a finding by the addresses of its ends: the numbers of hosts are those of one index. */
export interface GraveService extends Omit<AttackService, 'client' | 'server'> {
  client: Address
  server: Address
}

/** Findings of at least that severity make the attack of a host of one's own. */
const leastSeverity: Severity = 'low'

/** Rules whose findings are about a victim: its clients may be anybody. */
const aboutVictims = /^(D07|D15|D18)-/

/**
 * Of all services, whether the dossier lists them or not. Those with an address of the subject outside are the attack in any case, and left out.
 * Those of findings about a victim count where the subject is the client; beside a subject outside, which tells who came to the hosts, all are such.
 */
export function graveServices(
  { findings, told: { hosts, services } }: Pick<Found, 'findings' | 'told'>,
  subjects: readonly string[],
  own: readonly Prefix[],
): GraveService[] {
  const prefixes = subjects.map(text => parsePrefix(text)!)
  const isSubject = (at: Address): boolean => prefixes.some(one => prefixContains(one, at))
  const isOutside = (at: Address): boolean => !isInternal(at, own) && isSubject(at)
  const isOutsideNamed = prefixes.some(({ first }) => !isInternal(first, own))
  const addressOf = (host: number): Address => ({ hi: hosts.hi[host]!, lo: hosts.lo[host]! })
  return findings.flatMap(({ finding: { rule, severity, first_start, last_end }, services: numbers }) => {
    if (severities.indexOf(severity) < severities.indexOf(leastSeverity)) return []
    const time = {
      from_us: first_start === null ? Number.NEGATIVE_INFINITY : microsecondsOf(first_start),
      to_us: last_end === null ? Number.POSITIVE_INFINITY : microsecondsOf(last_end),
    }
    return Array.from(numbers).flatMap((n): GraveService[] => {
      const [client, server] = [addressOf(services.client[n]!), addressOf(services.server[n]!)]
      if (isOutside(client) || isOutside(server)) return []
      if ((isOutsideNamed || aboutVictims.test(rule)) && !isSubject(client)) return []
      return [{ client, server, port: services.port[n]!, protocol: services.protocol[n]!, ...time }]
    })
  })
}

/** With the numbers of an index; a host that it does not have is in no connection. */
export function attackServices(some: readonly GraveService[], hosts: RecordDictionaries['hosts']): AttackService[] {
  return some.flatMap(one => {
    const [client, server] = [hostNumber(hosts, one.client), hostNumber(hosts, one.server)]
    return client === null || server === null ? [] : [{ ...one, client, server }]
  })
}
