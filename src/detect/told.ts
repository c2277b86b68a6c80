/** Findings of rules as what comes after needs them: without the connections that they rest on, of which there may be millions. */
import { noProtocol } from '../conversations/services.ts'
import type { CaseConnections } from '../rules/connections.ts'
import { severities } from '../rules/finding.ts'
import { type CaseDraft, distinct, findingsMax } from '../rules/rule.ts'

export interface ToldDraft extends Omit<CaseDraft, 'connections' | 'timed'> {
  rule: string
  /** Place of the rule among those that ran. */
  order: number
  from_us: number
  to_us: number
  /** How many connections it rests on, and how many records these have. */
  connections: number
  records: number
  /** The port of the first of them, by client and service; and whether it is that of all. */
  port: number
  isOnePort: boolean
  /** The protocol of all of them; null where there are several, or it is not known. */
  protocol: number | null
  /** Who spoke to whom in them: client and server of each pair of hosts, one after the other; the first, where there are too many. */
  pairs: Uint32Array
  /** Whether these are all. */
  isAllPairs: boolean
  /** Client, server, port and protocol of each of its services, one after the other; null where there are too many to name. */
  services: Uint32Array | null
  /** Places in the record index of the first records of some of them, in order of time. */
  places: number[]
  /** Whether findings of other rules may yet make it graver. */
  mayRise: boolean
}

/** A finding that is still to be told: its connections are there. */
export interface FreshDraft
  extends Pick<ToldDraft, 'rule' | 'order' | 'from_us' | 'to_us' | 'connections' | 'mayRise'> {
  draft: CaseDraft
  severity: CaseDraft['severity']
}

export function freshDraft(
  { start_us, end_us }: CaseConnections,
  draft: CaseDraft,
  rule: string,
  order: number,
): FreshDraft {
  let [from_us, to_us] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const i of draft.timed ?? draft.connections) {
    if (start_us[i]! < from_us) from_us = start_us[i]!
    if (end_us[i]! > to_us) to_us = end_us[i]!
  }
  const { severity, connections } = draft
  return { draft, severity, rule, order, from_us, to_us, connections: connections.length, mayRise: false }
}

export function told({ draft, ...fresh }: FreshDraft, connections: CaseConnections): ToldDraft {
  const { records, port, place, protocol, client, server } = connections
  const { connections: on, timed = on, ...rest } = draft
  const [first] = timed as [number]
  let sum = 0
  for (const i of on) sum += records[i]!
  return {
    ...rest,
    ...fresh,
    ...{ records: sum, port: port[first]!, isOnePort: timed.every(i => port[i] === port[first]) },
    protocol: timed.every(i => protocol[i] === protocol[first]) ? knownProtocol(protocol[first]!) : null,
    ...pairsOf(on, i => [client[i]!, server[i]!]),
    services: servicesOf(on, i => [client[i]!, server[i]!, port[i]!, protocol[i]!]),
    places: namedOf(connections, on).map(i => place[i]!),
  }
}

/** Pairs of hosts that a finding names. */
const pairsMost = 1000

/** Each pair once. */
function pairsOf(
  some: readonly number[],
  ends: (one: number) => readonly [client: number, server: number],
): Pick<ToldDraft, 'pairs' | 'isAllPairs'> {
  const known = new Map<number, Set<number>>()
  const pairs: number[] = []
  let [lastClient, lastServer] = [-1, -1]
  for (const one of some) {
    const [client, server] = ends(one)
    if (client === lastClient && server === lastServer) continue
    ;[lastClient, lastServer] = [client, server]
    const servers = known.get(client) ?? new Set()
    if (servers.has(server)) continue
    if (pairs.length === 2 * pairsMost) return { pairs: Uint32Array.from(pairs), isAllPairs: false }
    known.set(client, servers.add(server))
    pairs.push(client, server)
  }
  return { pairs: Uint32Array.from(pairs), isAllPairs: true }
}

/** Services that a finding names. */
const servicesMost = 100

/** Each service once. */
function servicesOf(some: readonly number[], serviceOf: (one: number) => readonly number[]): Uint32Array | null {
  const found = new Map<string, readonly number[]>()
  for (const one of some) {
    const service = serviceOf(one)
    found.set(service.join(' '), service)
    if (found.size > servicesMost) return null
  }
  return Uint32Array.from([...found.values()].flat())
}

function servicesOfAll(found: readonly ToldDraft[]): Uint32Array | null {
  if (found.some(({ services }) => services === null)) return null
  const all = found.flatMap(({ services }) => [...services!])
  const places = Array.from({ length: all.length / 4 }, (_, i) => 4 * i)
  return servicesOf(places, i => all.slice(i, i + 4))
}

function knownProtocol(protocol: number): number | null {
  return protocol === noProtocol ? null : protocol
}

/** A finding that stands on others. */
export function toldOf(draft: CaseDraft, rule: string, order: number, found: readonly ToldDraft[]): ToldDraft {
  const on = draft.connections.map(at => found[at]!)
  const [first] = [...on].sort(inTime) as [ToldDraft]
  const sum = (of: (one: ToldDraft) => number): number => on.reduce((all, one) => all + of(one), 0)
  return {
    ...draft,
    ...{ rule, order, from_us: first.from_us, to_us: on.reduce((most, one) => Math.max(most, one.to_us), first.to_us) },
    ...{ connections: sum(one => one.connections), records: sum(one => one.records), mayRise: false },
    ...{ port: first.port, isOnePort: on.every(one => one.isOnePort && one.port === first.port) },
    protocol: on.every(one => one.protocol === first.protocol) ? first.protocol : null,
    ...pairsOfAll(on),
    services: servicesOfAll(on),
    places: [...new Set(on.flatMap(one => one.places))],
  }
}

function pairsOfAll(found: readonly ToldDraft[]): Pick<ToldDraft, 'pairs' | 'isAllPairs'> {
  const all = found.flatMap(({ pairs }) => [...pairs])
  const places = Array.from({ length: all.length / 2 }, (_, i) => 2 * i)
  const { pairs, isAllPairs } = pairsOf(places, i => [all[i]!, all[i + 1]!])
  return { pairs, isAllPairs: isAllPairs && found.every(one => one.isAllPairs) }
}

/** Connections of each kind whose lines are named: the first, the largest, the last. */
const namedOfKind = 4

/** The connections of a finding whose first lines are named. */
function namedOf({ start_us, bytesUp, bytesDown }: CaseConnections, some: readonly number[]): number[] {
  const inTime = [...some].sort((a, b) => start_us[a]! - start_us[b]! || a - b)
  const bytes = (i: number): number => bytesUp[i]! + bytesDown[i]!
  const largest = [...some].sort((a, b) => bytes(b) - bytes(a) || a - b)
  return distinct([
    ...inTime.slice(0, namedOfKind),
    ...largest.slice(0, namedOfKind),
    ...inTime.slice(-namedOfKind),
  ]).sort((a, b) => start_us[a]! - start_us[b]! || a - b)
}

type Placed = Pick<FreshDraft, 'from_us' | 'order'> & Pick<CaseDraft, 'subject' | 'peers' | 'title'>

/** The order of findings: that of time; of the same moment that of rules, then of subjects. */
export function inTime(a: Placed, b: Placed): number {
  return (
    a.from_us - b.from_us ||
    a.order - b.order ||
    a.subject[0]! - b.subject[0]! ||
    a.peers[0]! - b.peers[0]! ||
    (a.title < b.title ? -1 : 1)
  )
}

/** The order of what is told singly: the gravest, of them those with the most connections. */
function byGravity<T extends FreshDraft | ToldDraft>(a: T, b: T): number {
  const placed = (one: T): Placed => ('draft' in one ? { ...one.draft, ...one } : (one as ToldDraft))
  return (
    severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
    b.connections - a.connections ||
    a.from_us - b.from_us ||
    inTime(placed(a), placed(b))
  )
}

/** What is told singly of each rule, while more is found: the rest is only counted. */
export class Gravest<T extends FreshDraft | ToldDraft> {
  private readonly kept = new Map<string, T[]>()
  private readonly left = new Map<string, number>()

  add(one: T): void {
    const some = this.kept.get(one.rule)
    if (some === undefined) this.kept.set(one.rule, [one])
    else if (some.push(one) % (2 * findingsMax) === 0) this.prune(one.rule)
  }

  /** Counts findings that others have left out. */
  addLeft(left: ReadonlyMap<string, number>): void {
    for (const [rule, count] of left) this.left.set(rule, (this.left.get(rule) ?? 0) + count)
  }

  /** What is left, in no order, and of each rule how many more were found. */
  finish(): { kept: T[]; left: ReadonlyMap<string, number> } {
    for (const rule of this.kept.keys()) this.prune(rule)
    return { kept: [...this.kept.values()].flat(), left: this.left }
  }

  private prune(rule: string): void {
    const some = this.kept.get(rule)!
    if (some.length <= findingsMax) return
    some.sort(byGravity)
    const kept = some.filter((one, at) => at < findingsMax || one.mayRise)
    this.addLeft(new Map([[rule, some.length - kept.length]]))
    this.kept.set(rule, kept)
  }
}
