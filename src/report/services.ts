import type { Count, Dossier, ServiceRow } from '../investigate/dossier.ts'
import { hasPorts, protocolText } from '../net/protocols.ts'
import { durationWords } from '../net/time.ts'
import { roleConfidenceMin } from '../rules/rule.ts'
import {
  apart,
  type Block,
  bytes,
  type Column,
  count,
  either,
  entry,
  fact,
  facts,
  heading,
  line,
  paragraph,
  type Text,
  table,
  time,
} from './block.ts'
import { onlyDay, spanOn } from './days.ts'
import { basisWords, connection, listText, outcomeWords, roleWords, serviceName } from './names.ts'
import { atLeast, bytesText, countText, integerText, knownBytesText, knownText, spanText } from './numbers.ts'
import { outcomeLines } from './surface.ts'

/** A service with its number on the page: S1 is the first of `services` in JSON. */
export interface NumberedService {
  number: string
  index: number
  service: ServiceRow
}

const shownAtMost = 20
const shortAtMost = 8
const triedAtMost = 6
const cardsAtMost = 8
const tableFrom = 120

/**
 * The services worth a place of their own: those with findings first, then those that answered, then by bytes.
 * Attempts that were only rejected are left to the attack surface when there are many.
 */
export function chosenServices(d: Dossier, limit = shownAtMost): NumberedService[] {
  const all = d.services.map((service, index) => ({ number: `S${index + 1}`, index, service }))
  if (all.length <= triedAtMost) return all
  const rank = ({ service }: NumberedService) =>
    (service.findings.length > 0 ? 0 : 4) + ['answered', 'refused', 'unanswered', 'rejected'].indexOf(service.outcome)
  const bytes = ({ service }: NumberedService) =>
    Number(service.bytes_to_server ?? 0) + Number(service.bytes_to_client ?? 0)
  return all
    .filter(({ service }) => service.outcome !== 'rejected' || service.findings.length > 0)
    .sort((a, b) => rank(a) - rank(b) || bytes(b) - bytes(a) || a.index - b.index)
    .slice(0, limit)
    .sort((a, b) => a.index - b.index)
}

/** Who connected to whom, on which port, with what result. */
export function servicesBlocks(d: Dossier): Block[] {
  const shown = chosenServices(d)
  const asTable = shown.length === 0 ? [] : [serviceTable(shown, d)]
  return [
    heading('Services'),
    ...(d.services.length === 0 ? [paragraph('None: no record of it names both ends of a connection.')] : []),
    ...(shown.length <= cardsAtMost ? [either(tableFrom, asTable, apart(shown.map(one => [card(one)])))] : asTable),
    ...othersBlocks(d, shown.length),
  ]
}

/** The same in two lines for each, with what makes one stand out. */
export function shortServicesBlocks(d: Dossier): Block[] {
  const shown = chosenServices(d, shortAtMost)
  const outcomes = outcomeLines(d)
  const day = onlyDay(d)
  return [
    heading('Services'),
    ...(d.services.length === 0 ? [paragraph('None: no record of it names both ends of a connection.')] : []),
    ...(shown.length > 0 && shown.length === pairsOf(d) ? [] : outcomes.map(paragraph)),
    ...(shown.length > 0 ? [facts(shown.map(({ number, service }) => fact(number, ...shortLines(service, day))))] : []),
    ...othersBlocks(d, shown.length),
  ]
}

function shortLines(service: ServiceRow, day: string | null): Text[] {
  const standard = service.standard === false ? ', non-standard port' : ''
  const guessed = service.role_confidence < roleConfidenceMin ? `, ${roleText(service)}` : ''
  const found = service.findings.length > 0 ? `; ${listText(service.findings, 6, 'more')}` : ''
  const what = `${serviceName(service)}${standard}, ${outcomeWords[service.outcome]}, ${countText(service.connections, 'connection')}${guessed}${found}`
  const volume = `${volumeText(service.bytes_to_server, service)} to the server, ${volumeText(service.bytes_to_client, service)} back`
  const rejected =
    service.rejected > 0 ? `${integerText(service.rejected)} of ${countText(service.records, 'record')} rejected; ` : ''
  const when = time(spanOn(day, service.first_start, service.last_end))
  return [
    line`${connection(service)} ${what}`,
    service.outcome === 'rejected' ? line`${rejected}${when}` : line`${rejected}${bytes(volume)}; ${when}`,
  ]
}

/** Rows are pairs of a client and a service: a service with many clients is as many pairs. */
function pairsOf(d: Dossier): number {
  return d.services.length + d.services_other.count
}

function othersBlocks(d: Dossier, shown: number): Block[] {
  const left = pairsOf(d) - shown
  return left > 0 ? [paragraph(`${shown > 0 ? '… and ' : ''}${othersText(d, left)}`)] : []
}

function othersText(d: Dossier, left: number): string {
  const { services, services_other: other } = d
  const rejected = services.every(service => service.outcome === 'rejected') && other.outcomes.rejected === other.count
  const text = `${countText(left, 'more pair')} of client and service${rejected ? ', all of them rejected' : ''}`
  if (other.count === 0) return `${text}: --json lists them.`
  const volume = atLeast(
    `${bytesText(other.bytes_to_server)} to the servers, ${bytesText(other.bytes_to_client)} back`,
    other.at_least,
  )
  const sum = `${countText(other.connections, 'connection')}, ${countText(other.records, 'record')}, ${volume}`
  return `${text}: --json lists ${integerText(services.length)}, --services lists more. The ${integerText(other.count)} beyond those have ${sum}, ${spanText(other.first_start, other.last_end)}.`
}

const columns: Column[] = [
  { title: 'client → server' },
  { title: 'service', hangs: true },
  { title: 'outcome' },
  { title: 'conns', align: 'right' },
  { title: 'B to server', align: 'right' },
  { title: 'B to client', align: 'right' },
  { title: 'first – last', hangs: true },
  { title: 'findings', hangs: true },
]

function serviceTable(shown: readonly NumberedService[], d: Dossier): Block {
  const day = d.window.first_start?.slice(0, 11) ?? ''
  const sameDay =
    day !== '' &&
    shown.every(({ service: s }) => s.first_start?.startsWith(day) === true && s.last_end?.startsWith(day) === true)
  const rows = shown.map(({ number, service }) => {
    const span = spanText(service.first_start, service.last_end)
    return {
      label: number,
      cells: [
        connection(service),
        serviceName(service),
        outcomeWords[service.outcome],
        count(integerText(service.connections)),
        bytes(sumText(service.bytes_to_server, service)),
        bytes(sumText(service.bytes_to_client, service)),
        time(sameDay ? span.slice(day.length) : span),
        service.findings.join(' '),
      ],
      detail: `${roleText(service)}; ${standardText(service)}; ${packetsText(service)}; ${recordsText(service)}`,
    }
  })
  return table(columns, rows)
}

function card({ number, service }: NumberedService): Block {
  const volume = (sum: Count | null, packets: Count | null) =>
    line`${bytes(volumeText(sum, service))} in ${count(packets === null ? 'unknown packets' : countText(packets, 'packet'))}`
  const volumes = [
    fact('to server', volume(service.bytes_to_server, service.packets_to_server)),
    fact('to client', volume(service.bytes_to_client, service.packets_to_client)),
  ]
  const found = service.findings.length > 0 ? `, ${service.findings.join(' ')}` : ''
  return entry(number, connection(service), [
    facts([
      fact('service', `${serviceName(service)}, ${standardText(service)}`),
      fact('outcome', `${outcomeWords[service.outcome]}${found}`),
      fact('roles', roleText(service)),
      fact('volume', recordsText(service)),
      ...(service.outcome === 'rejected' ? [] : volumes),
      fact('seen', time(spanText(service.first_start, service.last_end))),
    ]),
  ])
}

/** Bytes of a service in words. */
function volumeText(sum: Count | null, { at_least }: ServiceRow): string {
  return atLeast(knownBytesText(sum), at_least && sum !== null)
}

/** A sum in a table; `≥` marks a lower bound. */
function sumText(sum: Count | null, { at_least }: ServiceRow): string {
  return `${at_least && sum !== null ? '≥ ' : ''}${knownText(sum)}`
}

/** `the subject is the client, known by who sent the SYN (98 %)`. */
export function roleText(service: ServiceRow): string {
  return `${roleWords[service.subject_role]}, ${howKnown(service)}`
}

/** `known by who sent the SYN (98 %)`. */
export function howKnown({ role_basis, role_confidence }: ServiceRow): string {
  return `${basisWords[role_basis]} (${Math.round(role_confidence * 100)} %)`
}

/** Whether the port's use is approved, in words. */
export function standardText(service: ServiceRow): string {
  if (service.standard === null)
    return service.protocol === null || hasPorts(service.protocol)
      ? 'ports unknown'
      : `${protocolText(service.protocol)} has no ports`
  return service.standard ? 'standard port' : 'non-standard: not an approved port'
}

function recordsText(service: ServiceRow): string {
  const rejected = service.rejected > 0 ? ` (${integerText(service.rejected)} rejected)` : ''
  const longest =
    service.longest_seconds !== null && service.longest_seconds > 0
      ? `, the longest ${durationWords(service.longest_seconds)}`
      : ''
  return `${countText(service.records, 'record')}${rejected}, ${countText(service.connections, 'connection')}${longest}`
}

function packetsText(service: ServiceRow): string {
  return `packets ${sumText(service.packets_to_server, service)} to the server, ${sumText(service.packets_to_client, service)} back`
}
