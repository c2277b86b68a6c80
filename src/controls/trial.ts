/** Tries a control on the recorded connections: what of the attack it stops, and what else it breaks. */
import { type CaseConnections, mark, outcome } from '../conversations/connections.ts'
import { noPort, noProtocol } from '../conversations/services.ts'
import { exactSum } from '../conversations/sums.ts'
import { Foremost } from '../detect/foremost.ts'
import type { Count } from '../investigate/dossier.ts'
import { formatAddress } from '../net/address.ts'
import { utcSeconds } from '../net/time.ts'
import type { Trial, TrialService, TrialSum } from './control.ts'
import { answersStopped, type Judge, passes, stopped, undecided } from './judge.ts'
import { Probes } from './probes.ts'
import { innerHosts, isOfAttack, markedHosts, others, type Piece, type Traffic } from './traffic.ts'

/** Services that are listed, and addresses. */
export const listedMost = 1000
/** Places of the evidence that a service names. */
const placesMost = 3

/** A trial whose lines are still places of the record index. */
export type TrialDraft = Omit<Trial, 'basis' | 'attack' | 'innocent'> & {
  attack: Omit<Trial['attack'], 'stopped' | 'let_through'> & { stopped: ServiceDraft[]; let_through: ServiceDraft[] }
  innocent: Omit<Trial['innocent'], 'broken'> & { broken: ServiceDraft[] }
}
export type ServiceDraft = Omit<TrialService, 'basis'> & { places: number[] }

export interface TrialSettings {
  /** Whether the records say how many bytes they had. */
  hasSizes: boolean
  /** Whether other hosts in the subnets of protected ones count among what is innocent. */
  withOthers: boolean
  /** Services and addresses that each list has at most. */
  most: number
}

/** Judges all connections. */
export function tryOn(traffic: Traffic, judge: Judge, { hasSizes, withOthers, most }: TrialSettings): TrialDraft {
  const letThrough = new Group(most)
  // Where only answers are stopped, the attack goes on, and what is innocent is broken. What is innocent and passes is counted only.
  const sides = [
    new Side(traffic, stopped, new Group(most, traffic.marks.internal), new Total()),
    new Side(traffic, passes, new Group(most), letThrough),
  ] as const
  for (const piece of traffic.pieces) judgePiece(piece, judge, sides, withOthers)
  const [innocent, attack] = sides
  const said = (sum: Sum): Record<'bytes' | 'bytes_out' | 'bytes_in', Count | null> => shownBytes(sum, hasSizes)
  const stoppedBytes = said(attack.stopped.sum)
  const broken = said(innocent.stopped.sum)
  const list = (group: Group): ServiceDraft[] => servicesIn(traffic, group, hasSizes)
  return {
    attack: {
      ...shownSum(attack.all, hasSizes),
      stopped_connections: attack.stopped.sum.connections,
      ...{ stopped_bytes: stoppedBytes.bytes, stopped_bytes_out: stoppedBytes.bytes_out },
      stopped_bytes_in: stoppedBytes.bytes_in,
      ...{ first_stopped: timeOf(attack.stopped.sum.first_us), last_stopped: timeOf(attack.stopped.sum.last_us) },
      ...{ stopped: list(attack.stopped), stopped_total: attack.stopped.services.total },
      ...{ let_through: list(letThrough), let_through_total: letThrough.services.total },
      undecided_connections: attack.undecidedConnections,
    },
    innocent: {
      ...shownSum(innocent.all, hasSizes),
      broken_connections: innocent.stopped.sum.connections,
      ...{ broken_bytes: broken.bytes, broken_bytes_out: broken.bytes_out, broken_bytes_in: broken.bytes_in },
      ...innocent.peersOf(most),
      probes: innocent.probes.told,
      ...{ broken: list(innocent.stopped), broken_total: innocent.stopped.services.total },
      undecided_connections: innocent.undecidedConnections,
    },
    at_least: sides.some(side => side.atLeast),
    ...{ fired: [], fired_total: 0, baseline: null },
    not_decidable: [...attack.reasons('attack', judge, hasSizes), ...innocent.reasons('innocent', judge, hasSizes)],
  }
}

function judgePiece(
  { connections, attack }: Piece,
  judge: Judge,
  [innocent, ofAttack]: readonly [Side, Side],
  withOthers: boolean,
): void {
  const { count } = connections
  const verdicts = new Uint32Array(count)
  judge.judge(connections, verdicts)
  for (let i = 0; i < count; i++) {
    // They moved no data.
    if (connections.outcome[i] === outcome.rejected) continue
    const side = isOfAttack(attack[i]!) ? ofAttack : attack[i] !== others || withOthers ? innocent : null
    side?.add(connections, i, verdicts[i]!, attack[i]!)
  }
  innocent.endRun()
  ofAttack.endRun()
}

/** Connections of one kind with one service of one client, or all of them. */
export class Sum {
  connections = 0
  up: Count = 0
  down: Count = 0
  out: Count = 0
  first_us = Number.POSITIVE_INFINITY
  last_us = Number.NEGATIVE_INFINITY

  add({ bytesUp, bytesDown, start_us, end_us }: CaseConnections, i: number, isOut: boolean): void {
    const [up, down] = [bytesUp[i]!, bytesDown[i]!]
    this.connections++
    this.up = plus(this.up, up)
    this.down = plus(this.down, down)
    this.out = plus(this.out, isOut ? up : down)
    if (start_us[i]! < this.first_us) this.first_us = start_us[i]!
    if (end_us[i]! > this.last_us) this.last_us = end_us[i]!
  }

  merge(other: Sum): void {
    this.connections += other.connections
    this.up = exactSum(this.up, other.up)
    this.down = exactSum(this.down, other.down)
    this.out = exactSum(this.out, other.out)
    this.first_us = Math.min(this.first_us, other.first_us)
    this.last_us = Math.max(this.last_us, other.last_us)
  }
}

/** Beyond 2^53 the columns are rounded, which `atLeast` says. */
function plus(sum: Count, bytes: number): Count {
  if (typeof sum === 'number' && sum + bytes <= exactMost) return sum + bytes
  return exactSum(sum, BigInt(bytes))
}

interface ServiceSum extends Sum {
  client: number
  server: number
  port: number
  protocol: number
  places: number[]
}

/** Connections with the same fate: by service, and in all. */
export class Group {
  readonly sum = new Sum()
  readonly services: Foremost<ServiceSum>
  private run: ServiceSum | null = null

  /** @param most services that are listed. @param isFirst by host: services of such clients stand before all others; else the largest do. */
  constructor(most: number, isFirst: Uint8Array | null = null) {
    const rank = ({ client }: ServiceSum): number => (isFirst?.[client] === 1 ? 0 : 1)
    this.services = new Foremost(most, (a, b) => rank(a) - rank(b) || bySize(a, b))
  }

  add(all: CaseConnections, i: number, isOut: boolean): void {
    const [client, server, port, protocol] = [all.client[i]!, all.server[i]!, all.port[i]!, all.protocol[i]!]
    const { run } = this
    if (
      run === null ||
      run.client !== client ||
      run.server !== server ||
      run.port !== port ||
      run.protocol !== protocol
    ) {
      this.endRun()
      this.run = Object.assign(new Sum(), { client, server, port, protocol, places: [] })
    }
    this.run!.add(all, i, isOut)
    if (this.run!.places.length < placesMost) this.run!.places.push(all.place[i]!)
  }

  endRun(): void {
    if (this.run === null) return
    this.sum.merge(this.run)
    this.services.add(this.run)
    this.run = null
  }
}

/** The same, counted in all only. */
class Total {
  readonly sum = new Sum()

  add(all: CaseConnections, i: number, isOut: boolean): void {
    this.sum.add(all, i, isOut)
  }
}

function bySize(a: ServiceSum, b: ServiceSum): number {
  const [x, y] = [exactSum(a.up, a.down), exactSum(b.up, b.down)]
  if (x !== y) return x > y ? -1 : 1
  return a.client - b.client || a.server - b.server || a.port - b.port || a.protocol - b.protocol
}

/** The attack, or what is innocent. */
class Side {
  readonly stopped: Group
  readonly passed: Group | Total
  /** Among those that are stopped. */
  readonly probes: Probes
  private readonly doubts = new Map<number, Sum>()
  private readonly traffic: Traffic
  private readonly peers: Uint8Array
  private readonly ofAnswers: number
  atLeast = false

  /** @param ofAnswers what becomes of a connection whose answers alone are stopped. */
  constructor(traffic: Traffic, ofAnswers: typeof passes | typeof stopped, ofStopped: Group, ofPassed: Group | Total) {
    this.traffic = traffic
    this.stopped = ofStopped
    this.passed = ofPassed
    this.probes = new Probes(traffic.marks.internal)
    this.ofAnswers = ofAnswers
    this.peers = new Uint8Array(traffic.hosts.count)
  }

  /** @param of mark of the connection in `Piece.attack`. */
  add(all: CaseConnections, i: number, judged: number, of: number): void {
    const verdict = judged === answersStopped ? this.ofAnswers : judged
    const inner = innerHosts(this.traffic, of)
    const [client, server] = [all.client[i]!, all.server[i]!]
    const isOut = inner[client] === 1
    if (isLowerBound(all, i)) this.atLeast = true
    if (verdict === passes) this.passed.add(all, i, isOut)
    else if (verdict === stopped) {
      this.stopped.add(all, i, isOut)
      this.probes.add(all, i)
      // Of two on the inner side each is a peer.
      const isWithin = isOut && inner[server] === 1
      for (const host of [client, server]) if (inner[host] === 0 || isWithin) this.peers[host] = 1
    } else {
      const sum = this.doubts.get(verdict) ?? new Sum()
      this.doubts.set(verdict, sum)
      sum.add(all, i, isOut)
    }
  }

  endRun(): void {
    this.stopped.endRun()
    if (this.passed instanceof Group) this.passed.endRun()
    this.probes.endRun()
  }

  get all(): Sum {
    const all = new Sum()
    for (const sum of [this.stopped.sum, this.passed.sum, ...this.doubts.values()]) all.merge(sum)
    return all
  }

  get undecidedConnections(): number {
    return [...this.doubts.values()].reduce((sum, { connections }) => sum + connections, 0)
  }

  peersOf(most: number): { peers: string[]; peers_total: number } {
    const peers: string[] = []
    let total = 0
    for (const host of markedHosts(this.peers)) if (total++ < most) peers.push(addressOf(this.traffic, host))
    return { peers, peers_total: total }
  }

  reasons(of: 'attack' | 'innocent', { reasons }: Judge, hasSizes: boolean): Trial['not_decidable'] {
    return [...this.doubts]
      .map(([verdict, sum]) => ({
        ...{ of, reason: reasons[verdict - undecided]!, connections: sum.connections },
        bytes: shownBytes(sum, hasSizes).bytes,
      }))
      .sort((a, b) => b.connections - a.connections || (a.reason < b.reason ? -1 : 1))
  }
}

/** Whether a connection had more bytes than its columns say. */
export function isLowerBound({ marks, bytesUp, bytesDown }: CaseConnections, i: number): boolean {
  return (marks[i]! & mark.atLeast) !== 0 || bytesUp[i]! > exactMost || bytesDown[i]! > exactMost
}

const exactMost = Number.MAX_SAFE_INTEGER

export function shownSum(sum: Sum, hasSizes: boolean): TrialSum {
  return { connections: sum.connections, ...shownBytes(sum, hasSizes) }
}

function shownBytes({ up, down, out }: Sum, hasSizes: boolean): Omit<TrialSum, 'connections'> {
  if (!hasSizes) return { bytes: null, bytes_out: null, bytes_in: null }
  const bytes = exactSum(up, down)
  return { bytes, bytes_out: out, bytes_in: smallest(BigInt(bytes) - BigInt(out)) }
}

function smallest(value: bigint): Count {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

/** Those that are listed, the largest first. */
export function servicesIn(traffic: Pick<Traffic, 'hosts'>, { services }: Group, hasSizes: boolean): ServiceDraft[] {
  return services.listed().map(one => serviceOf(traffic, one, hasSizes))
}

function serviceOf(traffic: Pick<Traffic, 'hosts'>, sum: ServiceSum, hasSizes: boolean): ServiceDraft {
  return {
    client: addressOf(traffic, sum.client),
    server: addressOf(traffic, sum.server),
    port: sum.port === noPort ? null : sum.port,
    protocol: sum.protocol === noProtocol ? null : sum.protocol,
    connections: sum.connections,
    bytes: hasSizes ? exactSum(sum.up, sum.down) : null,
    bytes_to_server: hasSizes ? sum.up : null,
    bytes_to_client: hasSizes ? sum.down : null,
    first_start: timeOf(sum.first_us),
    last_end: timeOf(sum.last_us),
    places: sum.places,
  }
}

export function addressOf({ hosts }: Pick<Traffic, 'hosts'>, host: number): string {
  return formatAddress(hosts.hi[host]!, hosts.lo[host]!)
}

function timeOf(time_us: number): string | null {
  return Number.isFinite(time_us) ? utcSeconds(time_us) : null
}
