/** D15: packets without end for one host, from many sources or a few. The subject is the victim: sources can be forged. */
import { noPort } from '../conversations/services.ts'
import { TCP, UDP } from '../net/protocols.ts'
import { technique, techniques } from './attack.ts'
import { type CaseConnections, clientsOf, isHeld, mark, outcome, type Run, servicesIn } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import { distinctWithin, grouped, heaviestWithin } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, sureness } from './rule.ts'
import { endText, number } from './words.ts'

const { thresholds, reasons } = decided({
  sourcesMin: [500, 'sources outside that hold no connection with a service, within the window'],
  windowSeconds: [15 * 60, 'the window'],
  heldShare: [
    1,
    'the sources by the clients that the host held a connection with: fewer are the unlucky part of a crowd that wants something',
  ],
  fewSources: [5, 'sources of a concentrated flood'],
  synPacketsMin: [1_000_000, 'packets of TCP that open connections which nobody holds, from so few, within the window'],
  packetsPerSecond: [20_000, 'packets in a second that nobody answers, of any protocol, for two minutes (FastNetMon)'],
  volumeSeconds: [120, 'two windows of a minute'],
})
type Limits = typeof thresholds

export const flood: CaseRule<Limits> = {
  name: 'D15-flood',
  title: 'a flood of packets for one host, from many sources or a few',
  needs: { answers: 'must', sizes: 'must', flags: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1498.001'),
  guardDuty: ['Backdoor:EC2/DenialOfService.Tcp', 'Backdoor:EC2/DenialOfService.Udp'],
  scope: 'case',
  selects,
  limitsOf: () => [
    'a flood of requests that the victim answers looks like many clients; packets that were rejected are counted as sources alone',
  ],
  find,
}

/** Services without a held connection where the host has many such clients, and those with many packets that nobody answers. */
function selects(evidence: CaseEvidence, service: Run, limits: Limits): boolean {
  const { connections, allClients, heldClients } = evidence
  const victim = connections.server[service.from]!
  const [all, held] = [allClients(victim) ?? 0, heldClients(victim) ?? 0]
  const isCrowded = all - held >= limits.sourcesMin && all - held >= limits.heldShare * held
  return (isCrowded && isOfCrowd(evidence, service)) || isHeavy(connections, service)
}

/** Whether a client outside holds no connection with an internal service. */
function isOfCrowd({ connections, isInternal }: CaseEvidence, service: Run): boolean {
  const { from } = service
  const isKind = connections.protocol[from] === TCP || connections.protocol[from] === UDP
  const isInward = isInternal(connections.server[from]!) && !isInternal(connections.client[from]!)
  return isKind && isInward && connections.port[from] !== noPort && isSilent(connections, service)
}

/** Packets of a source that nobody answers, from which on it may be a part of a flood. */
const worthLooking = 1000

function isHeavy(connections: CaseConnections, { from, to }: Run): boolean {
  let packets = 0
  for (let i = from; i < to; i++) packets += connections.packetsUp[i]!
  if (packets < worthLooking) return false
  for (let i = from; i < to; i++) if (!isAside(connections, i)) packets -= connections.packetsUp[i]!
  return packets >= worthLooking
}

function isSilent(connections: CaseConnections, { from, to }: Run): boolean {
  for (let i = from; i < to; i++) if (!isAside(connections, i)) return false
  return true
}

/** Whether the client, which is known to have begun it or to be the only one that sent, got no connection of it. */
function isAside(connections: CaseConnections, i: number): boolean {
  const marks = connections.marks[i]!
  const isSender = (marks & mark.unknownRole) === 0 || connections.packetsDown[i] === 0
  return isSender && (marks & mark.isError) === 0 && !isHeld(connections, i)
}

interface Flood {
  kind: 'distributed' | 'syn' | 'volume'
  most: number
  some: number[]
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections } = evidence
  const floods = distributed(evidence, limits)
  const known = new Set(floods.flatMap(({ some }) => some))
  const heavy: number[] = []
  for (const client of clientsOf(connections))
    for (const service of servicesIn(connections, client))
      if (isHeavy(connections, service))
        for (let i = service.from; i < service.to; i++) if (isAside(connections, i) && !known.has(i)) heavy.push(i)
  const ofVictim = grouped(heavy, i => connections.server[i]!)
  for (const victim of distinct(ofVictim.keys())) {
    const flood = concentrated(evidence, ofVictim.get(victim)!, limits)
    if (flood !== null) floods.push(flood)
  }
  return floods.map(one => draft(evidence, one, limits))
}

/** Many sources of one service, none of which holds a connection with it. */
function distributed(evidence: CaseEvidence, limits: Limits): Flood[] {
  const { connections, heldClients } = evidence
  const { client, server, start_us } = connections
  const floods: Flood[] = []
  for (const some of crowdsOf(evidence, limits)) {
    some.sort((a, b) => start_us[a]! - start_us[b]! || a - b)
    const times = some.map(i => start_us[i]!)
    const sources = some.map(i => client[i]!)
    const crowded = distinctWithin(times, sources, limits.windowSeconds * 1e6, limits.sourcesMin)
    if (crowded === null || crowded.most < limits.heldShare * (heldClients(server[some[0]!]!) ?? 0)) continue
    floods.push({ kind: 'distributed', most: crowded.most, some: crowded.events.map(event => some[event]!) })
  }
  return floods
}

/** By internal service: the connections of clients outside that hold none with it, where there are enough. */
function crowdsOf(evidence: CaseEvidence, limits: Limits): number[][] {
  const { connections } = evidence
  const keyOf = (i: number): number =>
    (connections.server[i]! * 256 + connections.protocol[i]!) * 65_536 + connections.port[i]!
  const sources = new Map<number, number>()
  const silent: Run[] = []
  for (const client of clientsOf(connections)) {
    for (const service of servicesIn(connections, client)) {
      if (!isOfCrowd(evidence, service)) continue
      silent.push(service)
      sources.set(keyOf(service.from), (sources.get(keyOf(service.from)) ?? 0) + 1)
    }
  }
  const crowds = new Map<number, number[]>()
  for (const { from, to } of silent) {
    if (sources.get(keyOf(from))! < limits.sourcesMin) continue
    const crowd = crowds.get(keyOf(from)) ?? []
    crowds.set(keyOf(from), crowd)
    for (let i = from; i < to; i++) crowd.push(i)
  }
  return [...crowds].sort(([a], [b]) => a - b).map(([, some]) => some)
}

/** Packets of a few sources that open connections, or of any that nobody answers, at a rate that fills a line. */
function concentrated(evidence: CaseEvidence, some: readonly number[], limits: Limits): Flood | null {
  const { connections, isInternal } = evidence
  const { client, server, protocol, marks } = connections
  const opening = some.filter(i => protocol[i] === TCP && (!evidence.has.flags || (marks[i]! & mark.opened) !== 0))
  const bySource = [...grouped(opening, i => client[i]!).values()]
    .map(of => ({ of, packets: of.reduce((sum, i) => sum + connections.packetsUp[i]!, 0) }))
    .sort((a, b) => b.packets - a.packets || client[a.of[0]!]! - client[b.of[0]!]!)
  const few = bySource.slice(0, limits.fewSources).flatMap(({ of }) => of)
  const syn = heaviest(connections, few, limits.windowSeconds * 1e6)
  if (syn !== null && syn.most >= limits.synPacketsMin) return { kind: 'syn', ...syn }
  const crossing = some.filter(i => isInternal(client[i]!) !== isInternal(server[i]!))
  const volume = heaviest(connections, crossing, limits.volumeSeconds * 1e6)
  const isVolume = volume !== null && volume.most >= limits.packetsPerSecond * limits.volumeSeconds
  return isVolume ? { kind: 'volume', ...volume } : null
}

/** The window with the most packets, those of a longer connection spread evenly over it. */
function heaviest(connections: CaseConnections, some: number[], window_us: number): Omit<Flood, 'kind'> | null {
  const { start_us, end_us, packetsUp } = connections
  const inTime = [...some].sort((a, b) => start_us[a]! - start_us[b]! || a - b)
  const weights = inTime.map(i => packetsUp[i]! * Math.min(1, window_us / (end_us[i]! - start_us[i]!)))
  const times = inTime.map(i => start_us[i]!)
  const { most, from, to } = heaviestWithin(times, weights, window_us)
  return most > 0 ? { most: Math.round(most), some: inTime.slice(from, to) } : null
}

function draft(evidence: CaseEvidence, { kind, most, some }: Flood, limits: Limits): CaseDraft {
  const { connections, address, isInternal, isScanner, heldClients } = evidence
  const sources = distinct(some.map(i => connections.client[i]!))
  const victim = connections.server[some[0]!]!
  const ports = distinct(some.map(i => connections.port[i]!))
  const target = ports.length === 1 ? endText(evidence, victim, ports[0]!) : address(victim)
  const isOurs = sources.some(isInternal)
  const isStopped = some.every(i => connections.outcome[i] === outcome.rejected)
  const from = sources.length === 1 ? address(sources[0]!) : `${number(sources.length)} sources`
  const minutes = (kind === 'volume' ? limits.volumeSeconds : limits.windowSeconds) / 60
  const what = {
    distributed: `${number(sources.length)} sources outside opened ${number(some.length)} connections to ${target} and held none of them; up to ${number(most)} sources within ${minutes} minutes.`,
    syn: `${from} sent ${number(most)} packets that open connections to ${target} within ${minutes} minutes, and held none of them.`,
    volume: `${from} sent ${number(most)} packets to ${target} within ${minutes} minutes that nobody answered.`,
  }
  const scores = {
    distributed: [
      { name: `sources within ${minutes} min`, value: most, threshold: `>= ${limits.sourcesMin}` },
      {
        name: 'clients that the host held a connection with',
        value: heldClients(victim) ?? 0,
        threshold: `<= ${most} / ${limits.heldShare}`,
      },
    ],
    syn: [{ name: `packets within ${minutes} min`, value: most, threshold: `>= ${limits.synPacketsMin}` }],
    volume: [
      {
        name: 'packets in a second',
        value: Math.round(most / limits.volumeSeconds),
        threshold: `>= ${limits.packetsPerSecond}`,
      },
    ],
  }
  return {
    title: `Flood of ${target} from ${from}`,
    severity: isOurs ? (sources.every(isScanner) ? 'info' : 'high') : isStopped ? 'info' : 'medium',
    confidence: sureness('medium', evidence, some),
    ...{ tactic: 'impact', ...technique('T1498.001') },
    summary: `${what[kind]} ${isOurs ? 'The packets come from inside.' : 'Sources of such packets can be forged: they name nobody.'}`,
    scores: scores[kind],
    would_change: {
      distributed: 'sources that hold connections, or fewer of them than the clients of that host',
      syn: 'connections that were held, or fewer packets',
      volume: 'answers, or fewer packets in a second',
    }[kind],
    counter_hypotheses: {
      distributed: [
        'a service that is down, which many want',
        'answers of the host that no log here records',
        'many scanners that look for the same service at once',
      ],
      syn: ['a load test of your own', 'answers of the host that no log here records'],
      volume: ['a stream that goes one way, such as video or logs by UDP', 'a load test of your own'],
    }[kind],
    ...{ subject: [victim], peers: sources, connections: some },
  }
}
