/** What a rule is given: the connections of a case, or those of a subject, and what is asked of their hosts. */
import type { HostFacts, Seen } from '../conversations/host-facts.ts'
import { formatAddress } from '../net/address.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { CaseConnections } from './connections.ts'

/** What an address list of the analyst says of a host; the words come from outside. */
export interface ListEntry {
  list: string
  path: string
  /** The address or prefix that names it. */
  entry: string
  line: number | null
  note: string | null
  /** When the list was made, as it says itself, microseconds; null: it does not. */
  dated_us: number | null
}

/** The entries that name a host and were valid at some moment from one to another, both included, microseconds. */
export type ListsOf = (host: number, from_us: number, to_us: number) => readonly ListEntry[]

export interface AddressLists {
  /** By host: 1 where it is outside and a list names it at any time of the evidence. */
  named: Uint8Array
  of: ListsOf
}

/** A fact of a host, by its number. Null: not known, for only the connections of a subject are there, which the host is not. */
export type HostFact = (host: number) => number | null

/** Whether a count is known to be greater. */
export function isMore(count: number | null, than: number): boolean {
  return count !== null && count > than
}

/** Whether a count is known, and at least that. */
export function isAtLeast(count: number | null, least: number): boolean {
  return count !== null && count >= least
}

/** What is known of hosts (`host-facts.ts`), asked by their numbers. */
export type KnownFacts = { readonly [Name in keyof HostFacts]: HostFact }

export interface CaseEvidence extends KnownFacts {
  source: EvidenceKind
  /** What the records tell: where one is false, rules that need it say so. */
  has: {
    flags: boolean
    /** Whether records have packets and bytes. */
    sizes: boolean
    action: boolean
    rejected: boolean
    accepted: boolean
    answers: boolean
    /** Whether the analyst gave address lists. */
    lists: boolean
  }
  connections: CaseConnections
  /** Whether a host is of the subject, whose connections these are; null: they are all of the case. */
  subject: ((host: number) => boolean) | null
  hosts: number
  address(host: number): string
  /** Whether the internet does not route the address, or it is the analyst's own. */
  isInternal(host: number): boolean
  /** Whether the analyst declared it a scanner of their own. */
  isScanner(host: number): boolean
  /** Whether the analyst declared that it administers others. */
  isAdministration(host: number): boolean
  /** Whether the analyst approves of a service on that port; nothing is, where nobody was asked. */
  isApproved(protocol: number, port: number): boolean
  /** When the first connection of the case begins and the last one ends, microseconds. */
  span: { from_us: number; to_us: number }
  /** The aggregation interval of the logs, microseconds; of packets zero. */
  interval_us: number
  /** The shortest of those of all sensors: so much of a duration may be that of a record alone. */
  shortest_us: number
  /** Null where the analyst gave none. */
  lists: AddressLists | null
}

interface Given
  extends Pick<
    CaseEvidence,
    | 'source'
    | 'subject'
    | 'isInternal'
    | 'isScanner'
    | 'isAdministration'
    | 'isApproved'
    | 'interval_us'
    | 'shortest_us'
    | 'connections'
    | 'lists'
  > {
  hosts: RecordDictionaries['hosts']
  hasFlags: boolean
  hasSizes: boolean
  hasAction: boolean
  seen: Seen
  facts: HostFacts
  /** That of the case, where the connections are not all of it. */
  caseSpan?: CaseEvidence['span']
}

/** Which fields the records of a case have. */
export function fieldsOf({ source, columns }: { source: EvidenceKind; columns: ReadonlySet<string> }) {
  const isMetered = source === 'packets'
  return {
    hasFlags: isMetered || columns.has('tcp_flags'),
    hasSizes: isMetered || (columns.has('packets') && columns.has('bytes')),
    hasAction: columns.has('action'),
  }
}

export function evidenceOf({
  hosts,
  hasFlags,
  hasSizes,
  hasAction,
  seen,
  facts,
  caseSpan,
  ...given
}: Given): CaseEvidence {
  const { span, rejected, accepted, answers } = seen
  return {
    ...given,
    ...knownFacts(facts, given.subject),
    ...{ span: caseSpan ?? span, hosts: hosts.count },
    has: {
      flags: hasFlags,
      sizes: hasSizes,
      action: hasAction,
      rejected,
      accepted,
      answers,
      lists: given.lists !== null,
    },
    address: host => formatAddress(hosts.hi[host]!, hosts.lo[host]!),
  }
}

/**
 * The connections of a subject tell all of it, and of other hosts what they have to do with it alone. When another host was first seen is
 * then when the subject first met it: it is new to the subject at least.
 */
function knownFacts(facts: HostFacts, subject: CaseEvidence['subject']): KnownFacts {
  const factOf = (column: Uint32Array | Float64Array): HostFact =>
    subject === null || column === facts.firstSeen_us
      ? host => column[host]!
      : host => (subject(host) ? column[host]! : null)
  return Object.fromEntries(Object.entries(facts).map(([name, column]) => [name, factOf(column)])) as KnownFacts
}

/**
 * Marks the hosts that lists name at any time of the evidence. Lists name hosts outside: one that holds private networks, as those of addresses
 * that nobody has, says nothing of internal hosts.
 */
export function markNamed(
  named: Uint8Array,
  isInternal: (host: number) => boolean,
  { from_us, to_us }: CaseEvidence['span'],
  of: ListsOf,
): void {
  for (let host = 0; host < named.length; host++)
    named[host] = !isInternal(host) && of(host, from_us, to_us).length > 0 ? 1 : 0
}

/** A host that speaks to that number of others on high ports is in a peer-to-peer network: dead peers and odd ports are its nature. */
export const peerToPeer = 50
