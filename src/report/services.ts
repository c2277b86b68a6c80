import type { Dossier, ServiceRow } from '../investigate/dossier.ts'
import { hasPorts } from '../net/protocols.ts'
import { durationWords } from '../net/time.ts'
import { type Column, fields, heading, type Page, paragraph, strong, table } from './layout.ts'
import { basisWords, connectionText, outcomeWords, protocolText, roleWords, serviceName } from './names.ts'
import { bytesText, countText, integerText, spanText } from './numbers.ts'

/** A service with its number on the page: S1 is the first of `services` in JSON. */
export interface NumberedService {
  number: string
  index: number
  service: ServiceRow
}

const shownAtMost = 20
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
  const bytes = ({ service }: NumberedService) => Number(service.bytes_to_server) + Number(service.bytes_to_client)
  return all
    .filter(({ service }) => service.outcome !== 'rejected' || service.findings.length > 0)
    .sort((a, b) => rank(a) - rank(b) || bytes(b) - bytes(a) || a.index - b.index)
    .slice(0, limit)
    .sort((a, b) => a.index - b.index)
}

/** Who connected to whom, on which port, with what result. */
export function renderServices(d: Dossier, page: Page): string[] {
  const shown = chosenServices(d)
  const left = d.services.length + d.services_other.count - shown.length
  return [
    ...heading(page, `Services (${integerText(d.services.length + d.services_other.count)})`),
    ...(d.services.length === 0 ? paragraph(page, 'None: no record of it names both ends of a connection.') : []),
    ...(page.width < tableFrom && shown.length <= cardsAtMost
      ? shown.flatMap((entry, i) => [...(i > 0 ? [''] : []), ...card(entry, page)])
      : serviceTable(shown, d, page)),
    ...(left > 0 ? paragraph(page, `${shown.length > 0 ? '… and ' : ''}${othersText(d, left)}`) : []),
  ]
}

function othersText(d: Dossier, left: number): string {
  const { services, services_other: other } = d
  const rejected = services.every(service => service.outcome === 'rejected') && other.outcomes.rejected === other.count
  const text = `${countText(left, 'more service')}${rejected ? ', all of them rejected' : ''}: see Attack surface;`
  if (other.count === 0) return `${text} --json lists all.`
  const volume = `${bytesText(other.bytes_to_server)} to the servers, ${bytesText(other.bytes_to_client)} back`
  const sum = `${countText(other.connections, 'connection')}, ${countText(other.records, 'record')}, ${volume}`
  return `${text} --json lists ${integerText(services.length)}, --services lists more. The ${integerText(other.count)} beyond those have ${sum}, ${spanText(other.first_start, other.last_end)}.`
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

function serviceTable(shown: NumberedService[], d: Dossier, page: Page): string[] {
  if (shown.length === 0) return []
  const day = d.window.first_start?.slice(0, 11) ?? ''
  const sameDay =
    day !== '' && shown.every(({ service: s }) => s.first_start.startsWith(day) && s.last_end.startsWith(day))
  const numbers = shown.reduce((most, { number }) => Math.max(most, number.length), 0)
  const rows = shown.map(({ number, service }) => {
    const span = spanText(service.first_start, service.last_end)
    return {
      cells: [
        `${number.padEnd(numbers)}  ${connectionText(service)}`,
        serviceName(service),
        outcomeWords[service.outcome],
        integerText(service.connections),
        integerText(service.bytes_to_server),
        integerText(service.bytes_to_client),
        sameDay ? span.slice(day.length) : span,
        service.findings.join(' '),
      ],
      detail: `${roleText(service)}; ${standardText(service)}; ${packetsText(service)}; ${recordsText(service)}`,
    }
  })
  return table(page, columns, rows)
}

function card({ number, service }: NumberedService, page: Page): string[] {
  const volumes: [string, string][] = [
    ['to server', `${bytesText(service.bytes_to_server)} in ${countText(service.packets_to_server, 'packet')}`],
    ['to client', `${bytesText(service.bytes_to_client)} in ${countText(service.packets_to_client, 'packet')}`],
  ]
  const found = service.findings.length > 0 ? `, ${service.findings.join(' ')}` : ''
  return [
    ...paragraph(page, strong(page, connectionText(service)), `  ${number}  `),
    ...fields(
      page,
      [
        ['service', `${serviceName(service)}, ${standardText(service)}`],
        ['outcome', `${outcomeWords[service.outcome]}${found}`],
        ['roles', roleText(service)],
        ['volume', recordsText(service)],
        ...(service.outcome === 'rejected' ? [] : volumes),
        ['seen', spanText(service.first_start, service.last_end)],
      ],
      6,
    ),
  ]
}

function roleText(service: ServiceRow): string {
  const sure = `${Math.round(service.role_confidence * 100)} %`
  return `${roleWords[service.subject_role]}, ${basisWords[service.role_basis]} (${sure})`
}

function standardText(service: ServiceRow): string {
  if (service.standard === null)
    return hasPorts(service.protocol) ? 'ports unknown' : `${protocolText(service.protocol)} has no ports`
  return service.standard ? 'standard port' : 'non-standard: not an approved port'
}

function recordsText(service: ServiceRow): string {
  const rejected = service.rejected > 0 ? ` (${integerText(service.rejected)} rejected)` : ''
  const longest = service.longest_seconds > 0 ? `, the longest ${durationWords(service.longest_seconds)}` : ''
  return `${countText(service.records, 'record')}${rejected}, ${countText(service.connections, 'connection')}${longest}`
}

function packetsText(service: ServiceRow): string {
  return `packets ${integerText(service.packets_to_server)} to the server, ${integerText(service.packets_to_client)} back`
}
