import type { Dossier, Gap, ServiceKey } from '../investigate/dossier.ts'
import { protocolText } from '../net/protocols.ts'
import {
  type Block,
  type Column,
  count,
  gap,
  heading,
  inset,
  limited,
  line,
  paragraph,
  path,
  shortened,
  strong,
  type Text,
  table,
  time,
} from './block.ts'
import { endpointText, listText, materialWords, rangesText } from './names.ts'
import { countText, integerText, spanText, timeText } from './numbers.ts'

const serversAtMost = 8
const linesAtMost = 6
const sensorsAtMost = 20

/** Services by their outcome, on one line each; outcomes without any are left out. */
export function outcomeLines(d: Dossier): Text[] {
  const { not_listed, ...surface } = d.attack_surface
  return (['answered', 'refused', 'unanswered', 'rejected'] as const).flatMap(outcome => {
    const count = surface[outcome].length + not_listed[outcome]
    return count === 0 ? [] : [line`${countText(count, 'service')} ${outcome}`]
  })
}

/** What was reached and what was only tried. */
export function surfaceBlocks(d: Dossier): Block[] {
  const { answered, refused, unanswered, rejected, not_listed } = d.attack_surface
  return [
    heading('Attack surface'),
    ...outcome('Answered', answered, not_listed.answered),
    ...outcome('Refused (by RST alone)', refused, not_listed.refused),
    ...outcome('Unanswered', unanswered, not_listed.unanswered),
    ...(d.source === 'logs' ? outcome('Rejected', rejected, not_listed.rejected, noRejects(d)) : []),
  ]
}

function noRejects(d: Dossier): string {
  return d.one_action === 'ACCEPT' ? '; these logs hold no REJECT record at all' : ''
}

function outcome(title: string, services: readonly ServiceKey[], left: number, caveat = ''): Block[] {
  if (services.length === 0) return [paragraph(`${title}: none${caveat}.`)]
  const servers = grouped(services)
  const most = left === 0 ? '' : `, of which these ${integerText(services.length)} have the most bytes`
  const named = [...servers.keys()].slice(0, 3)
  const lists =
    servers.size > serversAtMost
      ? [`on ${integerText(servers.size)} servers (${named.join(', ')}, …): ${portsText(services)}`]
      : [...servers].map(([server, own]) => ownText(server, own))
  return [
    paragraph(line`${strong(title)}: ${countText(services.length + left, 'service')}${most}`),
    inset(
      1,
      lists.map(text => shortened(text, linesAtMost, '… --json lists all')),
    ),
  ]
}

function grouped(services: readonly ServiceKey[]): Map<string, ServiceKey[]> {
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
function portsText(services: readonly ServiceKey[]): string {
  const protocols = new Map<number | null, number[]>()
  for (const { port, protocol } of services) {
    const ports = protocols.get(protocol) ?? []
    if (port !== null) ports.push(port)
    protocols.set(protocol, ports)
  }
  return [...protocols]
    .map(([protocol, ports]) => `${protocolText(protocol)} ${rangesText(ports)}`.trimEnd())
    .join('; ')
}

/** What each sensor covers. */
export function coverageBlocks(d: Dossier): Block[] {
  return [
    heading('Coverage'),
    ...(d.attack_surface.gaps.length === 0 ? [paragraph(noGap(d)), gap] : []),
    ...(d.source === 'logs' ? sensorBlocks(d) : captureBlocks(d)),
    ...silence(d),
  ]
}

function noGap(d: Dossier): string {
  return d.source === 'logs'
    ? 'No gap was found in the logs of that time.'
    : `No damage and no lost packets are known of in the ${materialWords(d)} of that time.`
}

/** The gaps of the window one by one, the first of them. */
export function gapItems(d: Dossier, atMost: number): string[] {
  return gapItemsOf(d.attack_surface.gaps, d.not_listed.gaps, atMost)
}

/** @param notListed how many more there are than `gaps`. */
export function gapItemsOf(gaps: readonly Gap[], notListed: number, atMost: number): string[] {
  const items = gaps.map(one => {
    const where = one.path ?? one.sensor ?? 'all sensors'
    return `${reasonWords[one.reason]}: ${where}${whenText(one)}: ${one.detail}`
  })
  const more = (left: number) =>
    `… and ${countText(left + notListed, 'more gap')}: --json lists ${allOf(gaps, notListed)}`
  return limited(items, atMost, more)
}

function whenText({ from, to }: Gap): string {
  if (from !== null && to !== null) return `, ${spanText(from, to)}`
  if (from !== null) return `, from ${timeText(from)} on`
  return to === null ? '' : `, until ${timeText(to)}`
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
  'outside-evidence': 'Outside the evidence',
}

/** How much of something JSON lists: `all`, or the number of those. */
function allOf(listed: readonly unknown[], left: number): string {
  return left === 0 ? 'all' : integerText(listed.length)
}

/** Those that recorded the subject first, as many as a page has room for, and how many are left. */
function chosenSensors(d: Dossier): { sensors: Dossier['coverage']; left: number } {
  const own = d.coverage.filter(sensor => sensor.recorded_subject)
  const others = d.coverage.filter(sensor => !sensor.recorded_subject)
  const sensors = [...own, ...others].slice(0, sensorsAtMost)
  return { sensors, left: d.coverage.length + d.not_listed.coverage - sensors.length }
}

function leftOut(left: number, what: string, listed: readonly unknown[], notListed: number): Block[] {
  return left > 0 ? [paragraph(`… and ${countText(left, what)}: --json lists ${allOf(listed, notListed)}.`)] : []
}

function sensorBlocks(d: Dossier): Block[] {
  if (d.coverage.length === 0) return [paragraph('No sensor: the case holds no flow log.')]
  const { sensors, left } = chosenSensors(d)
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
      time(spanText(sensor.first, sensor.last)),
      ...[sensor.records, sensor.no_data, sensor.skip_data, sensor.holes].map(some => count(integerText(some))),
      sensor.recorded_subject ? 'recorded' : 'not seen',
    ],
  }))
  return [table(columns, rows), ...leftOut(left, 'more sensor', d.coverage, d.not_listed.coverage)]
}

/** Of a capture nobody says when it was silent and when it was not running: its time is all there is. */
function captureBlocks(d: Dossier): Block[] {
  const { sensors: files, left } = chosenSensors(d)
  const columns: Column[] = [
    { title: 'file' },
    { title: 'first – last packet', hangs: true },
    { title: 'flow records', align: 'right' },
    { title: 'subject' },
  ]
  const rows = files.map(file => ({
    cells: [
      file.sensor === null ? 'no file named' : path(file.sensor),
      time(spanText(file.first, file.last)),
      count(integerText(file.records)),
      file.recorded_subject ? 'recorded' : 'not seen',
    ],
  }))
  return [table(columns, rows), ...leftOut(left, 'more file', d.coverage, d.not_listed.coverage)]
}

/** NODATA and SKIPDATA mean opposite things and are easily taken for one another. */
function silence(d: Dossier): Block[] {
  const words = [
    d.evidence.no_data > 0 ? 'NODATA: the sensor was there and saw no traffic, which is evidence of silence.' : '',
    d.evidence.skip_data > 0
      ? 'SKIPDATA: the sensor lost records, how many is not known; what touches it is a lower bound.'
      : '',
  ].filter(text => text !== '')
  return words.length === 0 ? [] : [gap, ...words.map(paragraph)]
}

/** Packets that captures hold more than once, and that were left out. */
function packetCopies(d: Dossier): string[] {
  const { packets, packet_copies: found } = d.evidence
  return found === 0
    ? []
    : [
        `${integerText(found)} of ${countText(packets, 'packet')} of the captures were seen at another interface moments before, and are left out (--keep-copies).`,
      ]
}

/** Traffic that may be counted twice. */
export function countingDoubts(d: Dossier): string[] {
  const { packets, packet_copies_suspected: suspected } = d.evidence
  if (d.source === 'logs') {
    return d.vantages.some(vantage => vantage.sensor === null)
      ? [
          'No field of these logs shows who recorded a record (interface, instance, or subnet and direction): what two interfaces recorded may be counted twice.',
        ]
      : []
  }
  return suspected === 0
    ? []
    : [
        `${integerText(suspected)} of ${countText(packets, 'packet')} of the captures are like another one at the same interface moments before: if the capture holds packets twice, volumes are too large.`,
      ]
}

/** Which observation points recorded the subject, and what was not counted twice. */
export function vantagesBlocks(d: Dossier): Block[] {
  const { vantages, vantages_other: other } = d
  const title = heading('Counted once')
  const sum = (key: 'copies' | 'twins' | 'translated') => vantages.reduce((total, row) => total + row[key], other[key])
  const isLogs = d.source === 'logs'
  const points = countText(vantages.length + other.count, isLogs ? 'observation point' : 'file')
  const doubts = countingDoubts(d)
  if (isLogs && doubts.length > 0) return [title, ...doubts.map(paragraph)]
  const ofPackets = isLogs ? [] : [...packetCopies(d), ...doubts]
  if (sum('copies') + sum('twins') + sum('translated') === 0) {
    const text = ofPackets.length > 0 ? ofPackets : [`Nothing was recorded twice: ${points}, each record counted once.`]
    return [title, ...text.map(paragraph)]
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
  const words = kinds.filter(([some]) => some > 0).map(([some, one, many]) => countText(some, one, many))
  const shown = vantages.slice(0, sensorsAtMost)
  return [
    title,
    paragraph(`${points} recorded the subject. Not counted, so that no traffic counts twice: ${listText(words)}.`),
    ...ofPackets.map(paragraph),
    vantageTable(shown, isLogs),
    ...leftOut(vantages.length + other.count - shown.length, 'more observation point', vantages, other.count),
  ]
}

function vantageTable(vantages: Dossier['vantages'], isLogs: boolean): Block {
  const columns: Column[] = [
    { title: isLogs ? 'sensor' : 'file' },
    ...(isLogs ? [{ title: 'subscription', hangs: true }] : []),
    ...['records', 'counted', 'copies', 'twins', ...(isLogs ? ['legs', 'interval'] : [])].map(
      (title): Column => ({ title, align: 'right' }),
    ),
  ]
  const rows = vantages.map(row => ({
    cells: [
      row.sensor ?? 'no sensor named',
      ...(isLogs ? [row.subscription ?? 'unknown'] : []),
      ...[row.records, row.counted, row.copies, row.twins].map(some => count(integerText(some))),
      ...(isLogs ? [count(integerText(row.translated)), `${integerText(row.interval_seconds)} s`] : []),
    ],
  }))
  return table(columns, rows)
}
