/** `detect --from-host`: whom a host reached, and those whom they reached in turn, forward in time. */
import type { HostFacts, Seen } from '../conversations/host-facts.ts'
import { hostNumber, internalHosts } from '../conversations/hosts.ts'
import { intervalOf } from '../conversations/intervals.ts'
import { noPort, noProtocol } from '../conversations/services.ts'
import { UserError } from '../errors.ts'
import type { Dossier } from '../investigate/dossier.ts'
import { evidenceCounts, recordsOfCase } from '../investigate/investigate.ts'
import { type Address, formatAddress, parseAddress } from '../net/address.ts'
import { registeredService } from '../net/ports.ts'
import type { Prefix } from '../net/prefix.ts'
import { utcSeconds } from '../net/time.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { type CaseEvidence, fieldsOf } from '../rules/evidence.ts'
import type { Basis } from '../rules/finding.ts'
import { administrativePorts } from '../rules/lateral.ts'
import { lacksOf } from '../rules/needs.ts'
import { decided } from '../rules/rule.ts'
import { warm_us, warmUp } from '../rules/warm-up.ts'
import type { Case } from '../store/case.ts'
import { askKept } from './ask-kept.ts'
import { type Capability, capabilityOf, gapReason, type NotDecidable } from './capability.ts'
import { basisOf, type DetectOptions } from './detect.ts'
import { KeptSource } from './kept-source.ts'
import { linesAt } from './lines.ts'
import { type Edge, edgesOf, type Maybe, type PathEdges, type Tried, type Undirected } from './path-edges.ts'
import type { Leaf } from './path-leaves.ts'
import { type Arrival, type Reached, reachedFrom, type Step } from './path-search.ts'

/** Hops that are followed where nobody says how many. */
export const hopsDefault = 4
/** A host that has answered that many internal clients is a hub: one of twenty says little about what it did next. */
export const hubDefault = 20

/** Most hosts, hosts outside, pairs without roles; and edges that are listed. */
const hostsMax = 1000
const edgesMax = 10_000

const administrative: ReadonlySet<number> = new Set(administrativePorts)

export interface PathOptions
  extends Pick<DetectOptions, 'internal' | 'enrichment' | 'from_us' | 'to_us' | 'limits' | 'signal'> {
  /** The address that it begins with. */
  from: string
  /** When it was taken over, microseconds since the epoch; by default when its first connection begins. */
  at_us?: number
  /** Most connections of a chain, 4 by default. */
  hops?: number
  /** A host that has answered that many internal clients is a hub and is not followed, 20 by default. */
  hub?: number
}

/** The connection that reached a host. Counters are those of that connection. */
export interface PathVia {
  protocol: number | null
  port: number | null
  service: string | null
  administrative: boolean
  start: string
  end: string
  seconds: number
  packets_up: number
  packets_down: number
  bytes_up: number
  bytes_down: number
  /** How sure it is who began it, from 0 to 1. */
  role_confidence: number
}

export interface PathHost {
  address: string
  /** Connections of the chain that reached it first; 0 of the host that it begins with. */
  hop: number
  reached_at: string
  /** Who reached it, and by what; null of the host that it begins with. */
  by: string | null
  via: PathVia | null
  /** Addresses of the chain, the host itself the last. */
  chain: string[]
  /** The earliest time at which it is reached over a chain whose order is sure; null where there is none. */
  sure_at: string | null
  uncertain: boolean
  /** Whether it is a hub, and how many internal clients it has answered in all. */
  hub: boolean
  clients: number
  /** From when on its own connections are followed, and why they are not. */
  followed_from: string | null
  not_followed: 'hub' | 'hops' | null
  /** Its connections that were not answered, from then on, and to how many hosts. */
  tried: Tried
  basis: Basis | null
}

export interface PathEdge extends Omit<PathVia, 'start' | 'end' | 'packets_up' | 'packets_down'> {
  from: string
  to: string
  /** Answered connections from the time on from which the client is followed; bytes and seconds are their sums. */
  connections: number
  rejected: number
  refused: number
  unanswered: number
  first_start: string
  last_end: string
  /** Answered connections of the same ends and service before that time. */
  earlier: number
  /** Whether the same ends and service were not seen in the warm-up; null where the first connection lies within it. */
  new: boolean | null
  uncertain: boolean
}

export interface PathOutside {
  address: string
  reached_at: string
  by: string
  via: PathVia
  connections: number
  bytes_up: number
  bytes_down: number
  last_end: string
  uncertain: boolean
  basis: Basis | null
}

export interface PathPossible {
  address: string
  by: string
  via: PathVia
  /** By how much it began before its client was reached. */
  seconds_early: number
}

export interface PathUndirected {
  host: string
  peer: string
  connections: number
  bytes: number
  first_start: string
  last_end: string
}

export interface HostPath {
  from: string
  /** Null where no connection has the address. */
  at: string | null
  at_given: boolean
  /** In order of time. */
  hosts: PathHost[]
  hosts_total: number
  /** Between hosts that are listed, in order of time. */
  edges: PathEdge[]
  edges_total: number
  /** Hosts that are not followed, as they are hubs. */
  hubs: { address: string; clients: number; reached_at: string }[]
  hubs_total: number
  /** Hosts outside, those that were sent most first. */
  outside: PathOutside[]
  outside_total: number
  /** Hosts that are reached only if the order within one interval was another one than that of the starts. */
  possible: PathPossible[]
  possible_total: number
  /** Pairs whose connections do not tell who began them: not followed. */
  undirected: PathUndirected[]
  undirected_total: number
  undirected_connections: number
  limits: {
    hops: number
    hub: number
    hosts_at_last_hop: number
    interval_seconds: number
    warm_up_until: string | null
  }
  /** Whether one of the lists is shorter than its total. */
  truncated: boolean
}

export interface PathAnswer {
  selection: { from: string | null; to: string | null }
  window: { first_start: string; last_end: string } | null
  records: { total: number }
  connections: number
  coverage: Capability
  path: HostPath
  not_decidable: NotDecidable[]
  /** Files of the analyst's own networks, and what of them could not be used. */
  enrichment: Dossier['enrichment']
  enrichment_problems: Dossier['enrichment_problems']
  problems: Dossier['problems']
  evidence: Dossier['evidence']
  source: Dossier['source']
}

/**
 * Follows the connections of a host forward in time (docs/reference/detect-path.md).
 *
 * @throws UserError (status 2) for what is no address or prefix, and a time after the evidence; where there is too little memory for the conversations.
 */
export async function pathFrom(c: Case, options: PathOptions): Promise<PathAnswer> {
  const address = parseAddress(options.from)
  if (address === null)
    throw new UserError(`not an address in --from-host: ${options.from}`, {
      hint: 'write one address, like 10.0.0.7 or 2001:db8::7',
      status: 2,
    })
  return askKept(c, options, ({ c: asked, index, kept, own }) =>
    answer(asked, index, own, new KeptSource(kept, options), address, options),
  )
}

async function answer(
  c: Case,
  index: RecordIndex,
  own: readonly Prefix[],
  source: KeptSource,
  address: Address,
  options: PathOptions,
): Promise<Omit<PathAnswer, 'enrichment' | 'enrichment_problems'>> {
  const first = hostNumber(index.dictionaries.hosts, address)
  const known = knownOf(c, index, own, source)
  if (known.count > 0 && options.at_us !== undefined && options.at_us > known.span.to_us)
    throw new UserError(`--at is after the evidence: ${utcSeconds(options.at_us)}`, {
      hint: `the last connection ends at ${utcSeconds(known.span.to_us)}`,
      status: 2,
    })
  const path = await pathIn(c, index, known, source, first, options)
  const coverage = await capabilityOf(c, known, known)
  const { span, count } = known
  return {
    selection: { from: timeOrNull(options.from_us), to: timeOrNull(options.to_us) },
    window: count === 0 ? null : { first_start: utcSeconds(span.from_us), last_end: utcSeconds(span.to_us) },
    records: { total: recordsOfCase(c) },
    connections: count,
    coverage,
    path,
    not_decidable: undecided(known, coverage, options),
    problems: c.problems,
    evidence: evidenceCounts(c),
    source: c.source,
  }
}

/** What is known of all connections. */
type Known = Seen &
  Pick<CaseEvidence, 'source' | 'has' | 'hosts' | 'isInternal' | 'address' | 'interval_us'> &
  Pick<HostFacts, 'ownClients' | 'firstSeen_us'>

function knownOf(c: Case, { dictionaries }: RecordIndex, own: readonly Prefix[], source: KeptSource): Known {
  const { hosts, vantages } = dictionaries
  const isInternal = internalHosts(hosts, own)
  const { seen, facts } = source.known(hosts.count, isInternal)
  const { rejected, accepted, answers } = seen
  const { hasFlags: flags, hasSizes: sizes, hasAction: action } = fieldsOf(c)
  return {
    ...{ ...seen, ...facts, source: c.source, hosts: hosts.count, isInternal },
    address: host => formatAddress(hosts.hi[host]!, hosts.lo[host]!),
    has: { flags, sizes, action, rejected, accepted, answers, lists: false },
    interval_us: intervalOf(c.source, vantages),
  }
}

const timeOrNull = (us: number | undefined): string | null => (us === undefined ? null : utcSeconds(us))

function undecided(known: Known, coverage: Capability, { from }: PathOptions): NotDecidable[] {
  const { must, better } = lacksOf(
    { accepted: 'must', answers: 'must', flags: 'better', sizes: 'better' },
    { source: known.source, has: known.has },
  )
  const reasons = must.length > 0 ? must : better
  return [
    ...gapReason(coverage),
    ...(known.count === 0
      ? [`there are no connections in what was asked for: nothing is known of ${from}`]
      : reasons
    ).map(reason => ({ rule: 'path', reason })),
  ]
}

/** What is asked of a path, filled in. */
interface Asked {
  first: number
  at_us: number
  isGiven: boolean
  hops: number
  hub: number
  warm_us: number
}

async function pathIn(
  c: Case,
  index: RecordIndex,
  known: Known,
  source: KeptSource,
  first: number | null,
  { from, at_us, hops = hopsDefault, hub = hubDefault }: PathOptions,
): Promise<HostPath> {
  const { span } = known
  const seen_us = first === null ? Number.POSITIVE_INFINITY : known.firstSeen_us[first]!
  const new_us = warm_us({ span }, decided(warmUp).thresholds)
  const asked = { at_us: at_us ?? seen_us, isGiven: at_us !== undefined, hops, hub, warm_us: new_us }
  if (first === null || seen_us === Number.POSITIVE_INFINITY) return noPath(from, asked, known)
  const found = search(known, source, { ...asked, first })
  const arrivals = [...found.reached.arrivals.values()].sort(
    (a, b) => a.at_us - b.at_us || a.hop - b.hop || a.host - b.host,
  )
  const listed = arrivals.slice(0, hostsMax)
  const outside = found.edges.outside
  const steps = [...listed.map(({ host }) => found.edges.steps.get(host)), ...outside.map(leaf => leaf.first)]
  const places = steps.flatMap(step => (step === undefined ? [] : [step.place]))
  const bases = await linesAt(index, places, basisOf(c))
  return shownPath(known, { ...asked, first }, found, arrivals, listed, outside, bases)
}

function noPath(from: string, asked: Omit<Asked, 'first'>, { interval_us }: Known): HostPath {
  return {
    ...{ from, at: null, at_given: asked.isGiven, hosts: [], hosts_total: 0, edges: [], edges_total: 0 },
    ...{ hubs: [], hubs_total: 0 },
    ...{ outside: [], outside_total: 0, possible: [], possible_total: 0 },
    ...{ undirected: [], undirected_total: 0, undirected_connections: 0 },
    limits: limitsShown(asked, interval_us, 0),
    truncated: false,
  }
}

interface Found {
  reached: Reached
  /** Over chains whose order is sure. */
  sure: Reached
  edges: PathEdges
}

function search(known: Known, source: KeptSource, { first, at_us, isGiven, hops, hub, warm_us }: Asked): Found {
  const { isInternal, ownClients, interval_us } = known
  // Who comes from outside is not one of the internal clients that make a hub one.
  const isDirect = (by: number): boolean => by === first && !isInternal(first)
  const follows = (host: number, by: number): boolean => ownClients[host]! < hub || isDirect(by)
  const limits = { hops, follows, isTarget: isInternal, margin_us: 0, firstMargin_us: 0 }
  const reached = reachedFrom(source, first, at_us, limits)
  // Of a host that was there from its first record on, every connection is one of its own; of a time that was given, nobody knows within an interval.
  const margins = { margin_us: interval_us, firstMargin_us: isGiven ? interval_us : 0 }
  const sure = interval_us === 0 ? reached : reachedFrom(source, first, at_us, { ...limits, ...margins })
  const edges = edgesOf(source, known, reached, { first, ...margins, warm_us, edgesMax, hostsMax })
  return { reached, sure, edges }
}

function limitsShown({ hops, hub, warm_us }: Omit<Asked, 'first'>, interval_us: number, atLast: number) {
  return {
    ...{ hops, hub, hosts_at_last_hop: atLast, interval_seconds: interval_us / 1e6 },
    warm_up_until: Number.isFinite(warm_us) ? utcSeconds(warm_us) : null,
  }
}

function shownPath(
  known: Known,
  asked: Asked,
  found: Found,
  arrivals: readonly Arrival[],
  listed: readonly Arrival[],
  leaves: readonly Leaf[],
  bases: ReadonlyMap<number, Basis>,
): HostPath {
  const { address, ownClients, interval_us } = known
  const { edges: all } = found
  const isListed = new Set(listed.map(({ host }) => host))
  const edges = all.edges.listed().filter(({ client, server }) => isListed.has(client) && isListed.has(server))
  const isHub = ({ host, hop }: Arrival): boolean => hop > 0 && ownClients[host]! >= asked.hub
  const atLast = arrivals.filter(one => whyNot(found, one, isHub(one)) === 'hops').length
  const hubs = arrivals
    .filter(one => whyNot(found, one, isHub(one)) === 'hub')
    .map(({ host, at_us }) => ({
      ...{ address: address(host), clients: ownClients[host]!, reached_at: utcSeconds(at_us) },
    }))
  const possible = all.maybes.listed()
  const undirected = all.undirected.listed()
  const shown = {
    ...{ hosts: listed.map(one => hostShown(known, found, one, isHub(one), bases)), hosts_total: arrivals.length },
    ...{ edges: edges.map(edge => edgeShown(known, edge)), edges_total: all.edges.total },
    ...{ hubs: hubs.slice(0, hostsMax), hubs_total: hubs.length },
    ...{ outside: leaves.map(leaf => leafShown(known, leaf, bases)), outside_total: all.outsideTotal },
    ...{ possible: possible.map(one => possibleShown(known, one)), possible_total: all.maybes.total },
    ...{ undirected: undirected.map(one => undirectedShown(known, one)), undirected_total: all.undirected.total },
  }
  return {
    ...{ from: address(asked.first), at: utcSeconds(asked.at_us), at_given: asked.isGiven, ...shown },
    undirected_connections: all.undirectedConnections,
    limits: limitsShown(asked, interval_us, atLast),
    truncated: (['hosts', 'edges', 'hubs', 'outside', 'possible', 'undirected'] as const).some(
      name => shown[name].length < shown[`${name}_total`],
    ),
  }
}

function whyNot({ reached }: Found, { host }: Arrival, isHub: boolean): PathHost['not_followed'] {
  if (reached.followedFrom_us.has(host)) return null
  return isHub ? 'hub' : 'hops'
}

function hostShown(
  { address, ownClients }: Known,
  found: Found,
  arrival: Arrival,
  isHub: boolean,
  bases: ReadonlyMap<number, Basis>,
): PathHost {
  const { host, hop, at_us, by } = arrival
  const step = found.edges.steps.get(host)
  const sure = found.sure.arrivals.get(host)
  const followed_us = found.reached.followedFrom_us.get(host)
  const chain: string[] = []
  for (let one: Arrival | null = arrival; one !== null; one = one.by) chain.unshift(address(one.host))
  return {
    ...{ address: address(host), hop, reached_at: utcSeconds(at_us) },
    ...{ by: by === null ? null : address(by.host), via: step === undefined ? null : viaShown(step), chain },
    ...{ sure_at: timeOrNull(sure?.at_us), uncertain: sure === undefined },
    ...{ hub: isHub, clients: ownClients[host]! },
    ...{ followed_from: timeOrNull(followed_us), not_followed: whyNot(found, arrival, isHub) },
    tried: found.edges.tried.get(host) ?? { connections: 0, hosts: 0 },
    basis: step === undefined ? null : (bases.get(step.place) ?? null),
  }
}

/** What a connection is called. */
export function serviceShown(protocol: number, port: number) {
  const isKnown = protocol !== noProtocol && port !== noPort
  return {
    ...{ protocol: protocol === noProtocol ? null : protocol, port: port === noPort ? null : port },
    service: isKnown ? (registeredService(port, protocol)?.name ?? null) : null,
    administrative: protocol === 6 && administrative.has(port),
  }
}

function viaShown(step: Step): PathVia {
  return {
    ...serviceShown(step.protocol, step.port),
    ...{ start: utcSeconds(step.start_us), end: utcSeconds(step.end_us) },
    ...{ seconds: (step.end_us - step.start_us) / 1e6, packets_up: step.packetsUp, packets_down: step.packetsDown },
    ...{ bytes_up: step.bytesUp, bytes_down: step.bytesDown, role_confidence: step.confidence / 100 },
  }
}

function edgeShown({ address }: Known, edge: Edge): PathEdge {
  return {
    ...{ from: address(edge.client), to: address(edge.server), ...serviceShown(edge.protocol, edge.port) },
    ...{ connections: edge.connections, ...edge.others, seconds: edge.busy_us / 1e6 },
    ...{ bytes_up: edge.bytesUp, bytes_down: edge.bytesDown, role_confidence: edge.first.confidence / 100 },
    ...{ first_start: utcSeconds(edge.first.start_us), last_end: utcSeconds(edge.last_us) },
    ...{ earlier: edge.earlier, new: edge.isNew, uncertain: edge.isUncertain },
  }
}

function leafShown({ address }: Known, leaf: Leaf, bases: ReadonlyMap<number, Basis>): PathOutside {
  const { host, by, first, connections, bytesUp, bytesDown, last_us, isUncertain } = leaf
  return {
    ...{ address: address(host), reached_at: utcSeconds(first.start_us), by: address(by), via: viaShown(first) },
    ...{ connections, bytes_up: bytesUp, bytes_down: bytesDown, last_end: utcSeconds(last_us) },
    ...{ uncertain: isUncertain, basis: bases.get(first.place) ?? null },
  }
}

function possibleShown({ address }: Known, { host, by, step, early_us }: Maybe): PathPossible {
  return { address: address(host), by: address(by), via: viaShown(step), seconds_early: early_us / 1e6 }
}

function undirectedShown({ address }: Known, one: Undirected): PathUndirected {
  return {
    ...{ host: address(one.host), peer: address(one.peer), connections: one.connections, bytes: one.bytes },
    ...{ first_start: utcSeconds(one.first_us), last_end: utcSeconds(one.last_us) },
  }
}
