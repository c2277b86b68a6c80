/** What controls are recommended for: the subject's dossier, the hosts that it reached, and all that these did besides. */
import { hostNumber, internalMarks, marksOf } from '../conversations/hosts.ts'
import type { KeptConnections } from '../conversations/kept-connections.ts'
import { noPort, noProtocol } from '../conversations/services.ts'
import type { Dossier, Severity } from '../investigate/dossier.ts'
import { formatAddress, parseAddress } from '../net/address.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { microsecondsOf } from '../net/time.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { severities } from '../rules/finding.ts'
import type { Case } from '../store/case.ts'
import { gatherTraffic } from './gather.ts'
import { type Interfaces, interfacesIn } from './interfaces.ts'
import { type AttackMarks, type AttackService, markedHosts, type Traffic } from './traffic.ts'

export interface Situation {
  dossier: Dossier
  traffic: Traffic
  interfaces: Interfaces
  /** The analyst's own networks beside the private ones. */
  own: readonly Prefix[]
  /** Whether records say how many bytes they had. */
  hasSizes: boolean
}

/** Findings of at least that severity make the attack of a host of one's own. */
const leastSeverity: Severity = 'low'

/** @throws UserError where there is too little memory for the connections. */
export async function situationOf(
  c: Case,
  index: RecordIndex,
  kept: KeptConnections,
  { dossier, own, threads }: { dossier: Dossier; own: readonly Prefix[]; threads: number },
): Promise<Situation> {
  const { hosts } = index.dictionaries
  const marks = marksIn(dossier, hosts, own)
  const interfaces = await interfacesIn(c, index, host => marks.internal[host] === 1)
  const traffic = await gatherTraffic(kept, hosts, marks, {
    ...{ threads, requireGoing: () => c.db.requireGoing() },
    markOthers: (isProtected, isOther) => markNeighbours(interfaces, isProtected, isOther),
  })
  return { dossier, traffic, interfaces, own, hasSizes: hasSizes(c) }
}

/** Whether records say how many bytes they had. */
export function hasSizes({ source, columns }: Case): boolean {
  return source === 'packets' || columns.has('bytes')
}

/** The subject's hosts that are internal: what they do besides the attack is innocent. */
export function internalSubjects({ hosts, marks: { subject, internal } }: Traffic): string[] {
  return markedHosts(subject)
    .filter(host => internal[host] === 1)
    .map(host => formatAddress(hosts.hi[host]!, hosts.lo[host]!))
}

/** A network ACL is for a whole subnet. */
function markNeighbours(interfaces: Interfaces, isProtected: Uint8Array, isNeighbour: Uint8Array): void {
  const subnets = new Set([...interfaces].filter(([host]) => isProtected[host] === 1).map(([, { subnet }]) => subnet))
  for (const [host, { subnet }] of interfaces)
    if (subnet !== null && subnets.has(subnet) && isProtected[host] === 0) isNeighbour[host] = 1
}

/** What tells the attack from the rest; without a dossier nothing is the attack. */
export function marksIn(
  dossier: Dossier | null,
  hosts: RecordDictionaries['hosts'],
  own: readonly Prefix[],
): AttackMarks {
  const subject = (dossier?.subject ?? []).map(text => parsePrefix(text)!)
  return {
    subject: marksOf(hosts, subject),
    internal: internalMarks(hosts, own),
    services: dossier === null ? [] : attackServices(dossier, hosts),
  }
}

/** The services that findings of some weight speak of, in the time of each. */
function attackServices({ findings, services }: Dossier, hosts: RecordDictionaries['hosts']): AttackService[] {
  const grave = new Map(
    findings
      .filter(({ severity }) => severities.indexOf(severity) >= severities.indexOf(leastSeverity))
      .map(one => [one.id, one]),
  )
  const numberOf = (text: string): number | null => hostNumber(hosts, parseAddress(text)!)
  return services.flatMap(one => {
    const [client, server] = [numberOf(one.client), numberOf(one.server)]
    if (client === null || server === null) return []
    return one.findings.flatMap(id => {
      const finding = grave.get(id)
      if (finding === undefined) return []
      const { first_start, last_end } = finding
      return [
        {
          ...{ client, server, port: one.port ?? noPort, protocol: one.protocol ?? noProtocol },
          from_us: first_start === null ? Number.NEGATIVE_INFINITY : microsecondsOf(first_start),
          to_us: last_end === null ? Number.POSITIVE_INFINITY : microsecondsOf(last_end),
        },
      ]
    })
  })
}
