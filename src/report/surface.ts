import type { Dossier, Gap, ServiceKey } from '../investigate/dossier.ts'
import { alarm, bullets, type Column, good, heading, limited, type Page, paragraph, strong, table } from './layout.ts'
import { endpointText, listText, materialWords, protocolText, rangesText } from './names.ts'
import { countText, integerText, spanText } from './numbers.ts'
import { wrap } from './text.ts'

const serversAtMost = 8
const linesAtMost = 6
const gapsAtMost = 12
const sensorsAtMost = 20

/** What was reached and what was only tried. */
export function renderSurface(d: Dossier, page: Page): string[] {
  const { answered, refused, unanswered, rejected, not_listed, complete } = d.attack_surface
  const seen = d.source === 'logs' ? 'as far as these sensors see' : 'as far as packets passed there'
  const verdict = complete
    ? `${good(page, 'Complete:')} no gap in the ${materialWords(d)} lies inside the window, so nothing else was reached ${seen}.`
    : `${alarm(page, 'Not complete:')} ${countText(d.attack_surface.gaps.length + d.not_listed.gaps, 'gap')} in the ${materialWords(d)}, listed below; there may be more services than these.`
  return [
    ...heading(page, 'Attack surface'),
    ...paragraph(page, verdict),
    ...outcome(page, 'Answered', answered, not_listed.answered),
    ...outcome(page, 'Refused (by RST alone)', refused, not_listed.refused),
    ...outcome(page, 'Unanswered', unanswered, not_listed.unanswered),
    ...(d.source === 'logs' ? outcome(page, 'Rejected', rejected, not_listed.rejected, noRejects(d)) : []),
  ]
}

function noRejects(d: Dossier): string {
  return d.one_action === 'ACCEPT' ? '; these logs hold no REJECT record at all' : ''
}

function outcome(page: Page, title: string, services: ServiceKey[], left: number, caveat = ''): string[] {
  if (services.length === 0) return paragraph(page, `${title}: none${caveat}.`)
  const servers = grouped(services)
  const head = paragraph(
    page,
    `${strong(page, title)}: ${countText(services.length + left, 'service')}${left === 0 ? '' : `, of which these ${integerText(services.length)} have the most bytes`}`,
  )
  if (servers.size > serversAtMost) {
    const named = [...servers.keys()].slice(0, 3)
    const all = `on ${integerText(servers.size)} servers (${named.join(', ')}, …): ${portsText(services)}`
    return [...head, ...shortened(page, all)]
  }
  return [...head, ...[...servers].flatMap(([server, own]) => shortened(page, ownText(server, own)))]
}

function grouped(services: ServiceKey[]): Map<string, ServiceKey[]> {
  const servers = new Map<string, ServiceKey[]>()
  for (const service of services) {
    const own = servers.get(service.server)
    if (own) own.push(service)
    else servers.set(service.server, [service])
  }
  return servers
}

function ownText(server: string, services: ServiceKey[]): string {
  const [only] = services
  if (services.length > 1 || !only) return `${server}: ${portsText(services)}`
  return `${endpointText(server, only.port)} ${protocolText(only.protocol)}`
}

/** `TCP 22, 80, 8000–8010; ICMP`. */
function portsText(services: ServiceKey[]): string {
  const protocols = new Map<number, number[]>()
  for (const { port, protocol } of services) {
    const ports = protocols.get(protocol) ?? []
    if (port !== null) ports.push(port)
    protocols.set(protocol, ports)
  }
  return [...protocols]
    .map(([protocol, ports]) => `${protocolText(protocol)} ${rangesText(ports)}`.trimEnd())
    .join('; ')
}

function shortened(page: Page, text: string): string[] {
  const margin = ' '.repeat(4)
  const wrapped = wrap(text, page.width - margin.length)
  return limited(wrapped, linesAtMost, () => '… --json lists all').map(line => margin + line)
}

/** Where the logs are silent, and what each sensor covers. */
export function renderCoverage(d: Dossier, page: Page): string[] {
  return [
    ...heading(page, 'Gaps and coverage'),
    ...gapLines(d, page),
    '',
    ...(d.source === 'logs' ? sensorLines(d, page) : captureLines(d, page)),
    ...silence(d, page),
  ]
}

function gapLines(d: Dossier, page: Page): string[] {
  const { gaps } = d.attack_surface
  if (gaps.length === 0) {
    const text =
      d.source === 'logs'
        ? 'No gap was found in the logs of that time.'
        : `No damage and no lost packets are known of in the ${materialWords(d)} of that time.`
    return paragraph(page, text)
  }
  const items = gaps.map(gap => {
    const where = gap.path ?? gap.sensor ?? 'all sensors'
    const when = gap.from === null && gap.to === null ? '' : `, ${spanText(gap.from, gap.to)}`
    return `${reasonWords[gap.reason]}: ${where}${when}: ${gap.detail}`
  })
  return bullets(
    page,
    limited(
      items,
      gapsAtMost,
      left =>
        `… and ${countText(left + d.not_listed.gaps, 'more gap')}: --json lists ${allOf(gaps, d.not_listed.gaps)}`,
    ),
  )
}

const reasonWords: Record<Gap['reason'], string> = {
  skipdata: 'Lost records (SKIPDATA)',
  'time-gap': 'Time gap',
  'malformed-lines': 'Malformed lines',
  'unreadable-file': 'Unreadable file',
  'partly-read-file': 'Partly read file',
  'rejected-only': 'Rejected traffic alone',
  'dropped-packets': 'The capturing system dropped packets',
  'undecoded-packets': 'Packets were not decoded',
}

/** How much of something JSON lists: `all`, or the number of those. */
function allOf(listed: readonly unknown[], left: number): string {
  return left === 0 ? 'all' : integerText(listed.length)
}

function sensorLines(d: Dossier, page: Page): string[] {
  if (d.coverage.length === 0) return paragraph(page, 'No sensor: the case holds no flow log.')
  const own = d.coverage.filter(sensor => sensor.recorded_subject)
  const others = d.coverage.filter(sensor => !sensor.recorded_subject)
  const sensors = [...own, ...others].slice(0, sensorsAtMost)
  const left = d.coverage.length + d.not_listed.coverage - sensors.length
  const columns: Column[] = [
    { title: 'sensor' },
    { title: 'log', hangs: true },
    { title: 'records', align: 'right' },
    { title: 'NODATA', align: 'right' },
    { title: 'SKIPDATA', align: 'right' },
    { title: 'holes', align: 'right' },
    { title: 'subject' },
  ]
  const rows = sensors.map(sensor => ({
    cells: [
      sensor.sensor ?? 'no sensor named',
      spanText(sensor.first, sensor.last),
      ...[sensor.records, sensor.no_data, sensor.skip_data, sensor.holes].map(integerText),
      sensor.recorded_subject ? 'recorded' : 'not seen',
    ],
  }))
  return [
    ...table(page, columns, rows),
    ...(left > 0
      ? paragraph(
          page,
          `… and ${countText(left, 'more sensor')}: --json lists ${allOf(d.coverage, d.not_listed.coverage)}.`,
        )
      : []),
  ]
}

/** Of a capture nobody says when it was silent and when it was not running: its time is all there is. */
function captureLines(d: Dossier, page: Page): string[] {
  const own = d.coverage.filter(sensor => sensor.recorded_subject)
  const others = d.coverage.filter(sensor => !sensor.recorded_subject)
  const files = [...own, ...others].slice(0, sensorsAtMost)
  const left = d.coverage.length + d.not_listed.coverage - files.length
  const columns: Column[] = [
    { title: 'file' },
    { title: 'first – last packet', hangs: true },
    { title: 'flow records', align: 'right' },
    { title: 'subject' },
  ]
  const rows = files.map(file => ({
    cells: [
      file.sensor ?? 'no file named',
      spanText(file.first, file.last),
      integerText(file.records),
      file.recorded_subject ? 'recorded' : 'not seen',
    ],
  }))
  return [
    ...table(page, columns, rows),
    ...(left > 0
      ? paragraph(
          page,
          `… and ${countText(left, 'more file')}: --json lists ${allOf(d.coverage, d.not_listed.coverage)}.`,
        )
      : []),
  ]
}

/** NODATA and SKIPDATA mean opposite things and are easily taken for one another. */
function silence(d: Dossier, page: Page): string[] {
  const words = [
    d.evidence.no_data > 0 ? 'NODATA: the sensor was there and saw no traffic, which is evidence of silence.' : '',
    d.evidence.skip_data > 0
      ? 'SKIPDATA: the sensor lost records, how many is not known; what touches it is a lower bound.'
      : '',
  ].filter(text => text !== '')
  return words.length === 0 ? [] : ['', ...words.flatMap(text => paragraph(page, text))]
}

/** What is known of packets that captures hold more than once. */
function packetCopies(d: Dossier): string[] {
  const { packets, packet_copies: found, packet_copies_suspected: suspected } = d.evidence
  const of = `of ${countText(packets, 'packet')} of the captures`
  return [
    ...(found > 0
      ? [`${integerText(found)} ${of} were seen at another interface moments before, and are left out (--keep-copies).`]
      : []),
    ...(suspected > 0
      ? [
          `${integerText(suspected)} ${of} are like another one at the same interface moments before: if the capture holds packets twice, volumes are too large.`,
        ]
      : []),
  ]
}

/** Which observation points recorded the subject, and what was not counted twice. */
export function renderVantages(d: Dossier, page: Page): string[] {
  const { vantages, vantages_other: other } = d
  const sum = (key: 'copies' | 'twins' | 'translated') => vantages.reduce((total, row) => total + row[key], other[key])
  const isLogs = d.source === 'logs'
  const points = countText(vantages.length + other.count, isLogs ? 'observation point' : 'file')
  if (isLogs && vantages.some(vantage => vantage.sensor === null)) {
    const text =
      'No field of these logs tells who recorded a record (interface, instance, or subnet and direction): what two interfaces recorded may be counted twice.'
    return [...heading(page, 'Counted once'), ...paragraph(page, text)]
  }
  const ofPackets = isLogs ? [] : packetCopies(d)
  if (sum('copies') + sum('twins') + sum('translated') === 0) {
    const text = ofPackets.length > 0 ? ofPackets : [`Nothing was recorded twice: ${points}, each record counted once.`]
    return [...heading(page, 'Counted once'), ...text.flatMap(one => paragraph(page, one))]
  }
  const kinds = [
    [sum('copies'), 'copy of a line', 'copies of a line'],
    [
      sum('twins'),
      'record of traffic that another point recorded too',
      'records of traffic that another point recorded too',
    ],
    [sum('translated'), 'leg of a translated connection', 'legs of translated connections'],
  ] as const
  const words = kinds.filter(([count]) => count > 0).map(([count, one, many]) => countText(count, one, many))
  const columns: Column[] = [
    { title: isLogs ? 'sensor' : 'file' },
    ...(isLogs ? [{ title: 'subscription', hangs: true }] : []),
    ...['records', 'counted', 'copies', 'twins', ...(isLogs ? ['legs', 'interval'] : [])].map(title => ({
      title,
      align: 'right' as const,
    })),
  ]
  const rows = vantages.slice(0, sensorsAtMost).map(row => ({
    cells: [
      row.sensor ?? 'no sensor named',
      ...(isLogs ? [row.subscription ?? 'unknown'] : []),
      ...[row.records, row.counted, row.copies, row.twins].map(integerText),
      ...(isLogs ? [integerText(row.translated), `${integerText(row.interval_seconds)} s`] : []),
    ],
  }))
  const more = vantages.length + other.count - rows.length
  return [
    ...heading(page, 'Counted once'),
    ...paragraph(
      page,
      `${points} recorded the subject. Not counted, so that no traffic counts twice: ${listText(words)}.`,
    ),
    ...ofPackets.flatMap(one => paragraph(page, one)),
    ...table(page, columns, rows),
    ...(more > 0
      ? paragraph(
          page,
          `… and ${countText(more, 'more observation point')}: --json lists ${allOf(vantages, other.count)}.`,
        )
      : []),
  ]
}
