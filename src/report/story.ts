/** What happened, as dated lines in order: the part of a dossier that is read aloud. */
import type { Dossier, Finding, ServiceRow } from '../investigate/dossier.ts'
import { protocolText } from '../net/protocols.ts'
import { compareTimes } from '../net/time.ts'
import { type Block, fact, facts, gap, line, paragraph, strong, type Text, time } from './block.ts'
import { onlyDay, spanOn } from './days.ts'
import { inOrder } from './findings.ts'
import { endpointText, listText } from './names.ts'
import { atLeast, bytesText, countText, integerText, knownBytesText, sizeText, timeText } from './numbers.ts'

const linesAtMost = 10
/** A second transfer is told when it is at least that part of the largest. */
const tenth = 10n

interface StoryLine {
  /** Null where no record has a time. */
  from: string | null
  to: string | null
  text: Text
}

/** Findings above `info` and the largest transfers, by time. What is alike is one line. */
export function storyBlocks(d: Dossier): Block[] {
  const groups = grouped(
    d,
    inOrder(d.findings).filter(finding => finding.severity !== 'info'),
  )
  const told = groups.map(group => lineOf(d, group))
  const lines = [...told, ...transferLines(d)].sort((a, b) => compareTimes(a.from, b.from))
  const day = onlyDay(d)
  const left = lines.length - linesAtMost
  const shown = lines.slice(0, linesAtMost).map(({ from, to, text }) =>
    // Over several days a span of both dates would leave no room for the words.
    day === null && from !== to
      ? fact(timeText(from), line`${text}, until ${timeText(to)}`)
      : fact(spanOn(day, from, to), text),
  )
  return [
    ...(told.length > 0 ? [] : [gap, paragraph(nothingFound(d))]),
    ...(lines.length > 0 ? [gap] : []),
    ...(lines.length > 0 && day !== null ? [paragraph(time(`${day} (UTC)`))] : []),
    ...(lines.length > 0 ? [facts(shown)] : []),
    ...(left > 0 ? [paragraph(`… and ${countText(left, 'later line')}: see the findings.`)] : []),
  ]
}

function nothingFound(d: Dossier): string {
  const known = d.findings.map(finding => finding.id)
  const found =
    known.length === 0
      ? 'No rule found anything in what it did.'
      : `The rules found nothing that is more than information (${listText(known, 3, 'more')}).`
  return `${found} That is not proof that it did nothing: read the services below.`
}

/** Those of one rule that are as severe and of one technique, by the same clients, together, in the order in which the first of each began. */
function grouped(d: Dossier, findings: readonly Finding[]): [Finding, ...Finding[]][] {
  const groups = new Map<string, [Finding, ...Finding[]]>()
  for (const finding of findings) {
    const key = [finding.rule, finding.severity, finding.technique, ...clientsOf(servicesOf(d, [finding]))].join(' ')
    const group = groups.get(key)
    if (group) group.push(finding)
    else groups.set(key, [finding])
  }
  return [...groups.values()]
}

function servicesOf(d: Dossier, findings: readonly Finding[]): ServiceRow[] {
  return d.services.filter(service => service.findings.some(id => findings.some(one => one.id === id)))
}

function clientsOf(services: readonly ServiceRow[]): string[] {
  return [...new Set(services.map(service => service.client))].sort()
}

function lineOf(d: Dossier, group: [Finding, ...Finding[]]): StoryLine {
  const [first, ...others] = group
  const services = servicesOf(d, group)
  const to = others.reduce((last, one) => (compareTimes(last, one.last_end) < 0 ? one.last_end : last), first.last_end)
  const more = others.length === 0 ? '' : `, and ${integerText(others.length)} more like it`
  const ids = `${listText(
    group.map(one => one.id),
    4,
    'more',
  )}, ${confidenceOf(group)}`
  const text = `${first.title.replace(/\.$/, '')}${volumeOf(d, group, services)}${byWhom(d, services)}${more}`
  return { from: first.first_start, to, text: [strong(text), ` (${ids})`] }
}

/** How sure all of them are: the least sure decides. */
function confidenceOf(group: readonly Finding[]): string {
  const levels = (['low', 'medium', 'high'] as const).filter(level => group.some(one => one.confidence === level))
  return `${levels.join(' to ')} confidence`
}

/** What moved, of the rules that speak of all that a service moved one way. */
function volumeOf(d: Dossier, group: readonly Finding[], services: readonly ServiceRow[]): string {
  const way = wayOf(group[0]!)
  const total = group.reduce((sum, one) => sum + one.services_total, 0)
  if (way === null || services.length === 0 || services.length < total) return ''
  if (services.every(service => service[way] === null)) return ''
  const sum = services.reduce((bytes, service) => bytes + BigInt(service[way] ?? 0), 0n)
  // A bound is not rounded: it would no longer be one.
  return d.bytes.at_least || services.some(service => service.at_least)
    ? `: ${atLeast(bytesText(sum), true)}`
    : `: ${sizeText(sum)}`
}

function wayOf({ rule }: Finding): 'bytes_to_server' | 'bytes_to_client' | null {
  return rule === 'data-pushed-out' ? 'bytes_to_server' : rule === 'data-served' ? 'bytes_to_client' : null
}

/** Who did it, where that is not the subject itself. */
function byWhom(d: Dossier, services: readonly ServiceRow[]): string {
  const clients = clientsOf(services)
  if (clients.length === 0 || (clients.length === 1 && d.subject.length === 1 && clients[0] === d.subject[0])) return ''
  return `, by ${listText(clients, 3, 'more')}`
}

/** The services that carried most, at most two, of which no finding tells the volume. One service is one line. */
function transferLines(d: Dossier): StoryLine[] {
  const toldOf = new Set(d.findings.filter(finding => wayOf(finding) !== null).map(finding => finding.id))
  const [largest, second] = d.services
    // An error opens nothing and carries none of the sender's data.
    .filter(service => service.role_basis !== 'icmp-error' && moved(service) > 0n)
    .sort((a, b) => (moved(a) > moved(b) ? -1 : moved(a) < moved(b) ? 1 : 0))
  if (!largest) return []
  const chosen = second && moved(second) * tenth >= moved(largest) ? [largest, second] : [largest]
  return chosen
    .filter(service => !service.findings.some(id => toldOf.has(id)))
    .map(service => ({
      from: service.first_start,
      to: service.last_end,
      text: transferText(service, d.bytes.at_least || service.at_least),
    }))
}

function moved(service: ServiceRow): bigint {
  return BigInt(service.bytes_to_server ?? 0) + BigInt(service.bytes_to_client ?? 0)
}

/** Whether something moved, or may have: nobody says how much. */
function mayMove(bytes: ServiceRow['bytes_to_server']): boolean {
  return bytes === null || BigInt(bytes) > 0n
}

function transferText(service: ServiceRow, isLowerBound: boolean): string {
  const endpoint = endpointText(service.server, service.port)
  const protocol = protocolText(service.protocol)
  const server = `${endpoint} (${protocol})`
  const { client } = service
  const bytes = (count: ServiceRow['bytes_to_server']): string =>
    atLeast(knownBytesText(count), isLowerBound && count !== null)
  const [up, down] = [service.bytes_to_server, service.bytes_to_client]
  if (service.role_basis === 'unknown') {
    const ways = [
      ...(mayMove(up) ? [`${client} sent ${bytes(up)} to ${endpoint} (${protocol})`] : []),
      ...(mayMove(down) ? [`${endpoint} sent ${bytes(down)} to ${client} (${protocol})`] : []),
    ]
    return `${ways.join(', ')}; who connected to whom is not known`
  }
  // Of who sent nothing it cannot be said what it did: its address may be forged.
  if (service.packets_to_server !== null && BigInt(service.packets_to_server) === 0n)
    return `${server} sent ${bytes(down)} to ${client}, of which no packet was recorded`
  const answer = mayMove(down) ? ` and received ${bytes(down)}` : ''
  return `${client} connected to ${server}, sent ${bytes(up)}${answer}`
}
