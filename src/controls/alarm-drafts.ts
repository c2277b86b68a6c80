/** Which alarms protected hosts should have, before their thresholds are known. */
import type { MetricAlarm } from '../as-code/artefact.ts'
import { parseAddress } from '../net/address.ts'
import { countText } from '../net/counts.ts'
import { isInternal } from '../net/internal.ts'
import type { Prefix } from '../net/prefix.ts'
import {
  administrationPattern,
  outboundPattern,
  type PatternWish,
  rejectPattern,
  skippedPattern,
} from './alarm-patterns.ts'
import type { AlarmRequest } from './alarm-request.ts'
import { administrationPorts } from './habits.ts'
import type { LogFormat } from './log-formats.ts'
import { answersOf, type KnownService } from './protected.ts'

/** How the threshold follows from the baseline: the most in one of its periods times `factor`, at least `least`. */
export type ThresholdRule = { factor: number; least: number; because: string } | { fixed: number; because: string }

export interface AlarmDraft {
  /** What its values are: records of the case, SKIPDATA lines, or periods of silence. */
  of: 'records' | 'skipped' | 'silence'
  title: string
  answers: string[]
  what: string
  confirm: string[]
  alarm: Omit<MetricAlarm, 'threshold'>
  /** Pattern for the records that it is tried on; null: it is not. */
  tried: string | null
  rule: ThresholdRule
}

/** What drafts are made of. */
export interface DraftMaterial {
  request: AlarmRequest
  format: LogFormat
  /** Aggregation interval of the logs, seconds. */
  interval: number
  /** Whether the records that it is tried on have an action. */
  hasAction: boolean
  /** Texts of addresses. */
  hosts: readonly string[]
  served: readonly number[]
  administered: readonly number[]
  /** Whether administrators are only those who worked before the incident. */
  isBefore: boolean
  /** Texts of addresses. */
  administrators: readonly string[]
  probePackets: number
  /** Internal networks that the hosts are in, or call. */
  inside: readonly Prefix[]
}

/** AWS delivers to CloudWatch Logs in about 5 minutes; as much again, and a period, for what is later. */
const lateness = 540

/** Of metrics of records: where events come late, the newest periods are still empty, so an alarm must look at those before them too. */
export function periodsOf(interval: number): Pick<MetricAlarm, 'period' | 'periods' | 'datapoints'> {
  const period = interval <= 60 ? 60 : 300
  return { period, periods: Math.ceil((interval + lateness) / period), datapoints: 1 }
}

/** Of the alarm on silence: two periods without an event, each as long as an interval, twice, and five minutes at least. */
export function silencePeriods(interval: number): Pick<MetricAlarm, 'period' | 'periods' | 'datapoints'> {
  return { period: Math.max(300, 2 * interval), periods: 2, datapoints: 2 }
}

export function draftsOf(material: DraftMaterial): AlarmDraft[] {
  return [
    outbound(material),
    administration(material),
    rejects(material),
    skipped(material),
    silence(material),
  ].flatMap(draft => draft ?? [])
}

function wishOf({ format: { fields }, hosts, hasAction }: DraftMaterial): PatternWish {
  return { fields, hosts, hasAction }
}

function outbound(material: DraftMaterial): AlarmDraft | null {
  const { request, served, hosts } = material
  if (!material.format.fields.includes('bytes')) return null
  const { approvedPorts: approved, traffic, own } = request
  // A service of the attack that is not of the hosts is one that they called.
  const isCalled = ({ server, port }: KnownService): boolean =>
    !hosts.includes(server) && port !== null && !approved.includes(port)
  const some = traffic.services.filter(isCalled)
  // What went to internal hosts alone would be left out with them.
  const isInside = some.length > 0 && some.every(({ server }) => isInternal(parseAddress(server)!, own))
  const written = outboundPattern({ ...wishOf(material), approved, served, inside: isInside ? [] : material.inside })
  if (written === null) return null
  return {
    ...{ of: 'records', tried: written.tried },
    title: `Bytes sent to ports that are not approved: more than usual from ${hostsText(material)}`,
    answers: answersOf(traffic.services, isCalled),
    what: `It sums the bytes that ${hostsText(material)} sent to ports other than ${approved.join(', ')}.`,
    confirm: [
      ...(served.length > 0
        ? [
            `Answers from the ports that the hosts serve are left out (${shownPorts(served)}): are these services of yours?`,
          ]
        : []),
      ...written.notes.map(sentence),
    ],
    alarm: {
      ...metric(material, 'outbound-unapproved-ports', written.pattern, '$bytes', 'Bytes'),
      comparison: 'GreaterThanThreshold',
    },
    rule: { factor: 3, least: 100_000, because: 'a few refused or very short connections are less than 100,000 bytes' },
  }
}

/** Packets of a client in a record: a TCP handshake with nothing after it has 2, and a record of a session seldom fewer than 10. */
const [probeLeast, probeMost] = [2, 9]

function administration(material: DraftMaterial): AlarmDraft | null {
  const { request, administrators, hosts } = material
  const isPort = new Set<number | null>(administrationPorts)
  const isReached = ({ server, port }: KnownService): boolean => hosts.includes(server) && isPort.has(port)
  const some = request.traffic.services.filter(isReached)
  const found = new Set([...material.administered, ...some.flatMap(({ port }) => port ?? [])])
  const ports = found.size === 0 ? [22] : [...found].sort((a, b) => a - b)
  const packets = Math.min(probeMost, Math.max(probeLeast, material.probePackets))
  const written = administrationPattern({ ...wishOf(material), ports, known: administrators, packets })
  if (written === null) return null
  const when = material.isBefore ? 'before the incident' : 'in this evidence, the attack aside'
  const least = `records of more than ${countText(packets, 'packet')}, as a probe is no session`
  return {
    ...{ of: 'records', tried: written.tried },
    title: `Administration from unknown addresses: accepted sessions on ${portsText(ports)} of ${hostsText(material)}`,
    answers: answersOf(request.traffic.services, isReached),
    what: `It counts accepted records from other addresses than the known ones on ${portsText(ports)} (${least}).`,
    confirm: [
      administrators.length === 0
        ? `No address held a session of administration ${when}: name those that may.`
        : `Known are the addresses that held sessions ${when}: ${administrators.slice(0, 20).join(', ')}${administrators.length > 20 ? ` and ${administrators.length - 20} more` : ''}. That they did so does not make them yours.`,
      ...written.notes.map(sentence),
    ],
    alarm: {
      ...metric(material, 'administration-unknown-address', written.pattern, '1', 'Count'),
      comparison: 'GreaterThanOrEqualToThreshold',
    },
    rule: { fixed: 1, because: 'one accepted session from an address that nobody knows is one too many' },
  }
}

function rejects(material: DraftMaterial): AlarmDraft | null {
  const { request, hosts } = material
  if (!material.format.fields.includes('action')) return null
  const written = rejectPattern(wishOf(material))
  if (written === null) return null
  const isScanned = ({ server, findings }: KnownService): boolean =>
    hosts.includes(server) && findings.some(({ rule }) => /^(D01|D07|D15)-/.test(rule))
  return {
    ...{ of: 'records', tried: material.hasAction ? written.tried : null },
    answers: answersOf(request.traffic.services, isScanned),
    title: `A storm of rejected traffic to ${hostsText(material)}`,
    what: `It counts the rejected records of traffic to ${hostsText(material)}.`,
    confirm: written.notes.map(sentence),
    alarm: { ...metric(material, 'reject-storm', written.pattern, '1', 'Count'), comparison: 'GreaterThanThreshold' },
    rule: { factor: 3, least: 30, because: 'the scanners of the internet are always there' },
  }
}

function skipped(material: DraftMaterial): AlarmDraft | null {
  const pattern = skippedPattern(material.format.fields)
  if (pattern === null) return null
  return {
    ...{ of: 'skipped', tried: null, answers: [], confirm: [] },
    title: 'Flow log records were dropped (SKIPDATA)',
    what: 'It counts the lines that stand for records that AWS dropped: each can hide several flows.',
    alarm: { ...metric(material, 'skipdata', pattern, '1', 'Count'), comparison: 'GreaterThanOrEqualToThreshold' },
    rule: { fixed: 1, because: 'from then on every count of the logs is a floor' },
  }
}

function silence(material: DraftMaterial): AlarmDraft {
  const { interval } = material
  const { period, periods } = silencePeriods(interval)
  return {
    ...{ of: 'silence', tried: null, answers: [] },
    title: 'A flow log fell silent',
    what: `It counts the events that reach the log group (IncomingLogEvents): fewer than one in ${periods} periods of ${period} s. A flow log writes a NODATA line where an interface has no traffic, so a sound one is never silent.`,
    confirm: [
      'CloudWatch counts events when they arrive, some 5 minutes after they are over; here they count when they start.',
    ],
    alarm: {
      ...{ what: 'metric-alarm', name: `tidemark-flow-log-silent-${suffix(material)}`, pattern: null, value: '1' },
      ...{ statistic: 'Sum', comparison: 'LessThanThreshold', unit: 'Count', missing: 'breaching' },
      ...silencePeriods(interval),
    },
    rule: { fixed: 1, because: 'a log that was switched off, or may not write any more, sends nothing' },
  }
}

function metric(
  material: DraftMaterial,
  name: string,
  pattern: string,
  value: string,
  unit: MetricAlarm['unit'],
): Omit<MetricAlarm, 'threshold' | 'comparison'> {
  return {
    ...{ what: 'metric-alarm', name: `tidemark-${name}-${suffix(material)}`, pattern, value, statistic: 'Sum', unit },
    // Where nothing matches, the metric has no value.
    missing: 'notBreaching',
    ...periodsOf(material.interval),
  }
}

/** Letters, digits and hyphens of the first host, and how many more there are. */
function suffix(material: DraftMaterial): string {
  const [first, ...others] = wishOf(material).hosts
  const name = (first ?? 'all').replace(/[^0-9a-z]+/g, '-').replace(/^-|-$/g, '')
  return others.length === 0 ? name : `${name}-and-${others.length}`
}

function hostsText(material: DraftMaterial): string {
  const { hosts } = wishOf(material)
  return hosts.length <= 3 ? hosts.join(', ') : `${hosts.slice(0, 3).join(', ')} and ${hosts.length - 3} more`
}

function portsText(ports: readonly number[]): string {
  return `${ports.length === 1 ? 'port' : 'ports'} ${shownPorts(ports)}`
}

const portsShown = 12

function shownPorts(ports: readonly number[]): string {
  const left = ports.length - portsShown
  return left > 0 ? `${ports.slice(0, portsShown).join(', ')} and ${left} more` : ports.join(', ')
}

/** A note as a sentence of its own. */
function sentence(note: string): string {
  return `${note[0]!.toUpperCase()}${note.slice(1)}.`
}
