/** What a rule over a whole case is given: its connections, and what is asked of its hosts. */
import { formatAddress } from '../net/address.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { type CaseConnections, outcome } from './connections.ts'
import type { HostFacts } from './host-facts.ts'

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

export interface CaseEvidence extends HostFacts {
  source: EvidenceKind
  /** What the records tell: where one is false, rules that need it say so. */
  has: {
    flags: boolean
    action: boolean
    rejected: boolean
    accepted: boolean
    answers: boolean
    /** Whether the analyst gave address lists. */
    lists: boolean
  }
  connections: CaseConnections
  hosts: number
  address(host: number): string
  /** Whether the internet does not route the address, or it is the analyst's own. */
  isInternal(host: number): boolean
  /** Whether the analyst declared it a scanner of their own. */
  isScanner(host: number): boolean
  /** When the first connection begins and the last one ends, microseconds. */
  span: { from_us: number; to_us: number }
  /** The aggregation interval of the logs, microseconds; of packets a second. */
  interval_us: number
  /** Null where the analyst gave none. */
  lists: AddressLists | null
}

/** What some connections show of the case as a whole. */
export interface Seen
  extends Pick<CaseEvidence, 'span'>,
    Pick<CaseEvidence['has'], 'rejected' | 'accepted' | 'answers'> {
  count: number
}

export const nothingSeen: Seen = {
  count: 0,
  span: { from_us: Number.POSITIVE_INFINITY, to_us: Number.NEGATIVE_INFINITY },
  ...{ rejected: false, accepted: false, answers: false },
}

export function seenIn({ count, start_us, end_us, rejected, records, outcome: outcomes }: CaseConnections): Seen {
  const seen = { ...nothingSeen, count, span: { ...nothingSeen.span } }
  for (let i = 0; i < count; i++) {
    if (start_us[i]! < seen.span.from_us) seen.span.from_us = start_us[i]!
    if (end_us[i]! > seen.span.to_us) seen.span.to_us = end_us[i]!
    if (rejected[i]! > 0) seen.rejected = true
    if (rejected[i]! < records[i]!) seen.accepted = true
    if (outcomes[i]! === outcome.answered) seen.answers = true
  }
  return seen
}

/** What both show. */
export function seenTogether(a: Seen, b: Seen): Seen {
  return {
    count: a.count + b.count,
    span: { from_us: Math.min(a.span.from_us, b.span.from_us), to_us: Math.max(a.span.to_us, b.span.to_us) },
    ...{ rejected: a.rejected || b.rejected, accepted: a.accepted || b.accepted, answers: a.answers || b.answers },
  }
}

interface Given
  extends Pick<CaseEvidence, 'source' | 'isInternal' | 'isScanner' | 'interval_us' | 'connections' | 'lists'> {
  hosts: RecordDictionaries['hosts']
  hasFlags: boolean
  hasAction: boolean
  seen: Seen
  facts: HostFacts
}

export function evidenceOf({ hosts, hasFlags, hasAction, seen, facts, ...given }: Given): CaseEvidence {
  const { span, rejected, accepted, answers } = seen
  return {
    ...given,
    ...facts,
    ...{ span, hosts: hosts.count },
    has: { flags: hasFlags, action: hasAction, rejected, accepted, answers, lists: given.lists !== null },
    address: host => formatAddress(hosts.hi[host]!, hosts.lo[host]!),
  }
}

/**
 * Marks the hosts that lists name at any time of the evidence. Lists name hosts outside: one that holds private networks, as those of addresses
 * that nobody has, says nothing of ours.
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
