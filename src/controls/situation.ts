/** What controls are recommended for: the subject's dossier, the hosts that it reached, and all that these did besides. */
import { internalMarks, marksOf } from '../conversations/hosts.ts'
import type { KeptConnections } from '../conversations/kept-connections.ts'
import type { Dossier } from '../investigate/dossier.ts'
import { type Found, type InvestigateOptions, investigate } from '../investigate/investigate.ts'
import { formatAddress } from '../net/address.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Case } from '../store/case.ts'
import { attackServices, type GraveService, graveServices } from './attack-services.ts'
import { gatherTraffic } from './gather.ts'
import { type Interfaces, interfacesIn } from './interfaces.ts'
import { type AttackMarks, markedHosts, type Traffic } from './traffic.ts'

export interface Situation {
  dossier: Dossier
  traffic: Traffic
  interfaces: Interfaces
  /** The analyst's own networks beside the private ones. */
  own: readonly Prefix[]
  /** Whether records say how many bytes they had. */
  hasSizes: boolean
}

/** What an investigation says of the subject. */
export interface Inquiry {
  dossier: Dossier
  /** What findings rest on: of a host of one's own, the attack. */
  grave: readonly GraveService[]
}

/** A dossier, and what its findings rest on. */
export interface Investigated {
  dossier: Dossier
  found: Found
}

/** @param known the dossier, where there is one already. @throws UserError (status 2) for what is no address or prefix. */
export async function inquire(
  c: Case,
  subjects: readonly string[],
  own: readonly Prefix[],
  options: InvestigateOptions,
  known?: Investigated,
): Promise<Inquiry> {
  const { dossier, found } = known ?? (await investigated(c, subjects, options))
  return { dossier, grave: graveServices(found, subjects, own) }
}

async function investigated(c: Case, subjects: readonly string[], options: InvestigateOptions): Promise<Investigated> {
  let found: Found | null = null
  const inspect = (one: Found): void => {
    found = one
  }
  const dossier = await investigate(c, [...subjects], { ...options, inspect })
  return { dossier, found: found! }
}

/** @throws UserError where there is too little memory for the connections. */
export async function situationOf(
  c: Case,
  index: RecordIndex,
  kept: KeptConnections,
  { inquiry, own, threads }: { inquiry: Inquiry; own: readonly Prefix[]; threads: number },
): Promise<Situation> {
  const { hosts } = index.dictionaries
  const marks = marksIn(inquiry, hosts, own)
  const interfaces = await interfacesIn(c, index, host => marks.internal[host] === 1)
  const traffic = await gatherTraffic(kept, hosts, marks, {
    ...{ threads, requireGoing: () => c.db.requireGoing() },
    markOthers: (isProtected, isOther) => markNeighbours(interfaces, isProtected, isOther),
  })
  return { dossier: inquiry.dossier, traffic, interfaces, own, hasSizes: hasSizes(c) }
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

/** What tells the attack from the rest; without an inquiry nothing is the attack. */
export function marksIn(
  inquiry: Inquiry | null,
  hosts: RecordDictionaries['hosts'],
  own: readonly Prefix[],
): AttackMarks {
  const subject = (inquiry?.dossier.subject ?? []).map(text => parsePrefix(text)!)
  return {
    subject: marksOf(hosts, subject),
    internal: internalMarks(hosts, own),
    services: attackServices(inquiry?.grave ?? [], hosts),
  }
}
