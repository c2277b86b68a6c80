/** What moved: totals, services, who connected to whom, the attack surface, logs beside packets. */
import type { Dossier, ServiceKey } from '../../investigate/dossier.ts'
import {
  type Block,
  fact,
  facts,
  figure,
  heading,
  line,
  list,
  paragraph,
  type Row,
  strong,
  subheading,
  type Text,
  table,
} from '../block.ts'
import { reasonWords } from '../correlation.ts'
import type { DossierJson } from '../dossier-json.ts'
import { colourOf, endpointParts, type SeriesOf, seriesOf } from '../drawings/series.ts'
import { timelineFigure } from '../drawings/timeline.ts'
import { volumesFigure } from '../drawings/volumes.ts'
import { type Heads, whoDrawings, whoTable } from '../drawings/who.ts'
import {
  addressOf,
  bytesOf,
  countOf,
  lengthOf,
  pathOf,
  placeOf,
  protocolWords,
  shareOf,
  sumOf,
  timeOf,
  wordsOf,
} from '../figures.ts'
import { isOfPart } from '../headline.ts'
import { basisWords, outcomeWords, roleWords } from '../names.ts'
import { rejectWords } from '../rejects.ts'
import { chosenServices, type NumberedService } from '../services.ts'
import type { ReportFinding } from './document.ts'
import { byVerdict } from './verdicts.ts'

const servicesMax = 40
const waysMax = 10
const heads: Heads = ['client', 'service', 'server']
const surfaceMax = 60

/** @param own what the report adds to each finding of the dossier. */
export function trafficBlocks(d: DossierJson, own: readonly ReportFinding[], ownServers: readonly string[]): Block[] {
  if (d.records.subject === 0) return []
  const series = seriesOf(d)
  const timeline = timelineFigure(d, series, byVerdict(d.findings, own))
  return [
    ...(timeline.length === 0 ? [] : [heading('Timeline'), ...timeline]),
    heading('Who connected to whom'),
    ...whoBlocks(d, series),
    ...servicesBlocks(d),
    heading('Volumes'),
    ...totalsBlocks(d),
    ...volumesFigure(d, series),
    ...surfaceBlocks(d, ownServers),
    ...rejectedBlocks(d),
    ...correlationBlocks(d),
  ]
}

const protocolOf = ({ protocol }: { protocol: number | null }, at: string): Text =>
  protocolWords(protocol, `${at}.protocol`)

function whoBlocks(d: Dossier, series: SeriesOf): Block[] {
  const chosen = chosenServices(d, waysMax).slice(0, waysMax)
  if (chosen.length === 0) return [paragraph('No record names both ends of a connection.')]
  const ways = chosen.map(({ index, service }) => {
    const at = `dossier.services.${index}`
    const bytes = Number(service.bytes_to_server ?? 0) + Number(service.bytes_to_client ?? 0)
    const port: Text = service.port === null ? '' : line` ${wordsOf(service.port, `${at}.port`)}`
    const name: Text =
      service.name === null
        ? ''
        : line` (${service.standard === false ? 'IANA: ' : ''}${wordsOf(service.name, `${at}.name`)})`
    return {
      from: addressOf(service.client, `${at}.client`),
      via: line`${placeOf('S', index, at)} ${protocolOf(service, at)}${port}${name}`,
      to: addressOf(service.server, `${at}.server`),
      weight: Math.log10(bytes + 10),
      colour: colourOf(series, index),
      cells: [countOf(service.connections, `${at}.connections`), outcomeWords[service.outcome]],
    }
  })
  const left = d.services.length + d.services_other.count - chosen.length
  return [
    figure({
      title: 'Who connected to whom',
      description:
        left > 0
          ? line`The services that stand out; ${countOf(left, `|dossier.services| + dossier.services_other.count - ${chosen.length}`)} more pairs of client and service are not drawn. Widths grow with the logarithm of the bytes.`
          : 'From the clients on the left through the services to the servers on the right. Widths grow with the logarithm of the bytes.',
      ...whoDrawings(
        ways,
        heads,
        'Who connected to whom',
        'Bands from clients on the left through services to servers on the right. The table below has the same.',
      ),
      data: whoTable(ways, heads, [{ title: 'connections', align: 'right' }, { title: 'outcome' }]),
    }),
  ]
}

function servicesBlocks(d: DossierJson): Block[] {
  const shown = chosenServices(d, servicesMax).slice(0, servicesMax)
  const right = { align: 'right' } as const
  const columns = [
    { title: 'client' },
    { title: 'server' },
    { title: 'service' },
    { title: 'outcome' },
    { title: 'connections', ...right },
    { title: 'bytes to server', ...right },
    { title: 'bytes to client', ...right },
    { title: 'first, last' },
    { title: 'findings' },
  ]
  const left = d.listed.services.total - shown.length
  return [
    heading('Services'),
    ...(shown.length === 0
      ? [paragraph('None: no record names both ends of a connection.')]
      : [table(columns, shown.map(serviceRow(d)), 'Who connected to which service, and what moved; times are UTC')]),
    ...(left > 0
      ? [
          paragraph(
            line`${countOf(left, `dossier.listed.services.total - ${shown.length}`)} more pairs of client and service are not in this table; the JSON document lists ${countOf(d.listed.services.shown, 'dossier.listed.services.shown')}.`,
          ),
        ]
      : []),
  ]
}

function serviceRow(d: Dossier): (numbered: NumberedService) => Row {
  return ({ index, service: s }) => {
    const at = `dossier.services.${index}`
    // What IANA registers on a port that is not standard says nothing of what ran there.
    const isOdd = s.standard === false
    const name: Text = s.name === null || isOdd ? '' : line`${wordsOf(s.name, `${at}.name`)}, `
    const registered: Text = s.name === null ? '' : line` (IANA: ${wordsOf(s.name, `${at}.name`)})`
    return {
      label: placeOf('S', index, at),
      cells: [
        addressOf(s.client, `${at}.client`),
        endpointParts(d, index),
        line`${name}${protocolOf(s, at)}`,
        outcomeWords[s.outcome],
        countOf(s.connections, `${at}.connections`),
        sumOf(s.bytes_to_server, s.at_least, `${at}.bytes_to_server`),
        sumOf(s.bytes_to_client, s.at_least, `${at}.bytes_to_client`),
        line`${timeOf(s.first_start, `${at}.first_start`)} ${timeOf(s.last_end, `${at}.last_end`)}`,
        s.findings.flatMap((id, i) => [...(i > 0 ? [' '] : []), wordsOf(id, `${at}.findings.${i}`)]),
      ],
      detail: line`${isOdd ? line`non-standard port${registered}; ` : ''}${countOf(s.records, `${at}.records`)} records, ${countOf(s.rejected, `${at}.rejected`)} rejected; ${roleWords[s.subject_role]}, ${basisWords[s.role_basis]} (${shareOf(Math.round(s.role_confidence * 100), 100, `${at}.role_confidence / 1`)})`,
    }
  }
}

function totalsBlocks(d: Dossier): Block[] {
  const { records, bytes, packets, window, window_error: error } = d
  const volume = (way: 'from_subject' | 'to_subject'): Text =>
    line`${bytes.at_least ? 'at least ' : ''}${bytesOf(bytes[way], `dossier.bytes.${way}`)} in ${countOf(packets[way], `dossier.packets.${way}`)} packets`
  const all = isOfPart(d) ? '' : line` of ${countOf(records.total, 'dossier.records.total')}`
  return [
    facts([
      fact('sent', volume('from_subject')),
      fact('received', volume('to_subject')),
      fact(
        'records',
        line`${countOf(records.subject, 'dossier.records.subject')}${all}: ${countOf(records.accepted, 'dossier.records.accepted')} accepted, ${countOf(records.rejected, 'dossier.records.rejected')} rejected`,
      ),
      fact('first start', timeOf(window.first_start, 'dossier.window.first_start')),
      fact('last start', timeOf(window.last_start, 'dossier.window.last_start')),
      fact('last end', timeOf(window.last_end, 'dossier.window.last_end')),
      fact(
        'true times',
        line`up to ${lengthOf(error.start_seconds, 'dossier.window_error.start_seconds')} earlier at the start, ${lengthOf(error.end_seconds, 'dossier.window_error.end_seconds')} at the end`,
      ),
      ...(bytes.unsummed > 0
        ? [
            fact(
              'without sizes',
              line`${countOf(bytes.unsummed, 'dossier.bytes.unsummed')} records do not say how many bytes: the sums are without them`,
            ),
          ]
        : []),
    ]),
  ]
}

/** What the subject could reach of your hosts is an attack surface; what your hosts reached of others is not. */
function surfaceBlocks(d: DossierJson, ownServers: readonly string[]): Block[] {
  const { attack_surface: surface, source } = d
  const outcomes = (['answered', 'refused', 'unanswered', 'rejected'] as const).filter(
    outcome => outcome !== 'rejected' || source === 'logs',
  )
  return [
    heading('Attack surface'),
    ...outcomes.flatMap(outcome => {
      const services = surface[outcome]
      const at = `dossier.attack_surface.${outcome}`
      const { total } = d.listed[outcome]
      const shown = services.slice(0, surfaceMax)
      return [
        paragraph(
          line`${strong(outcome[0]!.toUpperCase() + outcome.slice(1))}: ${countOf(total, `dossier.listed.${outcome}.total`)} services${total > shown.length ? ', of which the first are listed' : ''}`,
        ),
        ...sides.flatMap(({ words, isOwn }) => {
          const items = shown.flatMap((one, i) =>
            ownServers.includes(one.server) === isOwn ? [keyText(one, `${at}.${i}`)] : [],
          )
          return items.length === 0 ? [] : [paragraph(words), list(items)]
        }),
      ]
    }),
    ...(d.one_action === 'ACCEPT' && source === 'logs'
      ? [paragraph('These logs hold no REJECT record at all: what was rejected cannot be told.')]
      : []),
  ]
}

const sides = [
  { words: 'Of your hosts:', isOwn: true },
  { words: 'Of the other side, which your hosts reached or tried to:', isOwn: false },
]

function keyText(key: ServiceKey, at: string): Text {
  const port: Text = key.port === null ? '' : line`:${wordsOf(key.port, `${at}.port`)}`
  return line`${addressOf(key.server, `${at}.server`)}${port} ${protocolOf(key, at)}`
}

function rejectedBlocks({ rejects: { total, explained } }: Dossier): Block[] {
  if (total === 0) return []
  const rows = explained.map(({ by, reason, records, basis: [first] }, i): Row => {
    const at = `dossier.rejects.explained.${i}`
    const where: Text =
      first?.line === undefined
        ? ''
        : line`${pathOf(first.path, `${at}.basis.0.path`)}:${wordsOf(first.line, `${at}.basis.0.line`)}`
    return { cells: [rejectWords[by], wordsOf(reason, `${at}.reason`), countOf(records, `${at}.records`), where] }
  })
  return [
    heading('Rejected records'),
    paragraph(
      line`${countOf(total, 'dossier.rejects.total')} records were rejected. REJECT alone is no sign of an attack: packets after the end of a connection are logged so too.`,
    ),
    table(
      [{ title: 'what' }, { title: 'why' }, { title: 'records', align: 'right' }, { title: 'first' }],
      rows,
      'Rejected records by what explains them',
    ),
  ]
}

function correlationBlocks(d: Dossier): Block[] {
  const found = d.correlation_summary
  if (found === null) return []
  const at = 'dossier.correlation_summary'
  const counts = (['full', 'time', 'log_only', 'capture_only'] as const).map(name =>
    countOf(found[name], `${at}.${name}`),
  )
  const right = { align: 'right' } as const
  const surface = found.surface.slice(0, servicesMax).map((row, i): Row => {
    const of = `${at}.surface.${i}`
    return {
      cells: [
        keyText(row, of),
        ...(['log_connections', 'capture_connections', 'matched'] as const).map(name =>
          countOf(row[name], `${of}.${name}`),
        ),
      ],
    }
  })
  return [
    heading('Logs and packets side by side'),
    paragraph(
      line`Connections: ${counts[0]!} agree in ends, time and volume; ${counts[1]!} in ends and time; ${counts[2]!} are in the logs only, ${counts[3]!} in packets only. Volumes of packets and logs are compared, never added: both count the same traffic.`,
    ),
    table(
      [
        { title: 'server' },
        { title: 'in logs', ...right },
        { title: 'in packets', ...right },
        { title: 'in both', ...right },
      ],
      surface,
      'Connections by service',
    ),
    ...(found.surface.length > surface.length ? [paragraph('More services are in the JSON document.')] : []),
    subheading('Captures'),
    table(
      [{ title: 'file' }, { title: 'first packet' }, { title: 'last packet' }, { title: 'packets', ...right }],
      found.captures.map(({ path, first, last, packets }, i) => ({
        cells: [
          { kind: 'path', text: path, of: `${at}.captures.${i}.path` },
          timeOf(first, `${at}.captures.${i}.first`),
          timeOf(last, `${at}.captures.${i}.last`),
          countOf(packets, `${at}.captures.${i}.packets`),
        ],
      })),
      'What was captured when',
    ),
    subheading('Why they differ'),
    list(
      found.reasons.map(({ connections, reason, match }, i): Text => {
        const of = `${at}.reasons.${i}`
        return line`${matchWords[match]}: ${countOf(connections, `${of}.connections`)} connections: ${reasonWords[reason] ?? wordsOf(reason, `${of}.reason`)}`
      }),
    ),
  ]
}

const matchWords = { full: 'in both', time: 'in both', 'log-only': 'logs only', 'capture-only': 'packets only' }
