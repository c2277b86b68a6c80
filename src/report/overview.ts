/** The page of `tidemark case`. */
import type { NextStep } from '../overview/next.ts'
import type { CaseOverview } from '../overview/overview.ts'
import { type PulledFacts, pulledTime, pulledWords } from '../store/pulled.ts'
import {
  address,
  type Block,
  type Column,
  command,
  type Fact,
  fact,
  facts,
  heading,
  inset,
  line,
  list,
  paragraph,
  path,
  strong,
  type Text,
  table,
  title,
  warning,
} from './block.ts'
import { kindText } from './evidence.ts'
import { bytesText, countText, integerText, sizeText, spanText } from './numbers.ts'

/** @param commands what can be asked next, each as a command line with its reason. */
export function overviewPage(o: CaseOverview, commands: readonly { line: string; why: NextStep['why'] }[]): Block[] {
  return [
    title(strong(`The case ${o.case}`)),
    paragraph(headline(o)),
    ...(o.pulled === null ? [] : [warning(partText(o.pulled))]),
    ...evidence(o),
    ...sensors(o),
    ...services(o),
    ...peers(o),
    ...gaps(o),
    ...(commands.length === 0 ? [] : [heading('What can be asked next')]),
    ...commands.flatMap(one => [paragraph(command(one.line)), inset(2, [paragraph(one.why)])]),
  ]
}

function headline({ records, span, source }: CaseOverview): string {
  if (records.total === 0) return 'It holds no flow records.'
  const of = source === 'logs' ? 'of logs' : 'of packets'
  return `${countText(records.total, 'flow record')} ${of}, ${spanText(span.first_start, span.last_end)}.`
}

/** Which figures of the page are of what was pulled, and which of all that was left. */
function partText(pulled: PulledFacts): string {
  const time = pulledTime(pulled)
  const share = `${integerText(pulled.records)} of ${countText(pulled.records_of_table, 'record')}`
  return [
    `A part of ${pulled.table}: ${pulledWords(pulled)}${time === null ? '' : `, ${time}`}; ${share} that it has in that time.`,
    'Sensors and gaps below are of all of these, every other figure of the records here alone.',
  ].join(' ')
}

const ofTable = 'Of all records that the table has in that time, of which only a part is here.'

function evidence(o: CaseOverview): Block[] {
  const { records, files } = o
  const left = records.total - records.counted
  const rows: Fact[] = o.kinds.map(({ kind, files: count, records: own, size }) =>
    fact(kindText(kind), `${countText(count, 'file')}, ${sizeText(size)}, ${countText(own, 'record')}`),
  )
  const others = [
    [files.partly_read, 'partly read'],
    [files.unread, 'not read'],
    [files.not_evidence, 'no evidence'],
    [files.out, 'removed or read again since'],
  ] as const
  const named = others.filter(([count]) => count > 0).map(([count, what]) => `${integerText(count)} ${what}`)
  if (named.length > 0) rows.push(fact('files besides', named.join(', ')))
  if (records.total > 0) {
    const once = left === 0 ? '' : `; ${integerText(left)} left out, which another sensor or file has too`
    rows.push(
      fact('records', `${integerText(records.counted)}, of them ${integerText(records.rejected)} rejected${once}`),
    )
    if (records.bytes !== null)
      rows.push(fact('volume', `${bytesText(records.bytes)} in accepted records, counted once`))
  }
  const more = o.accounts_total - o.accounts.length
  const accounts = o.accounts.map(one => `${one.account_id} (${countText(one.records, 'record')})`)
  if (more > 0) accounts.push(`and ${integerText(more)} more`)
  if (accounts.length > 0) rows.push(fact('accounts', accounts.join(', ')))
  return [heading('Evidence'), rows.length === 0 ? paragraph('None.') : facts(rows)]
}

const sensorColumns: Column[] = [
  { title: 'sensor' },
  { title: 'records', align: 'right' },
  { title: 'first – last' },
  { title: 'NODATA', align: 'right', hangs: true },
  { title: 'SKIPDATA', align: 'right', hangs: true },
  { title: 'holes', align: 'right', hangs: true },
]

function sensors(o: CaseOverview): Block[] {
  if (o.sensors.length === 0) return []
  const rows = o.sensors.map(one => ({
    cells: [
      one.sensor ?? 'not named',
      integerText(one.records),
      spanText(one.first, one.last),
      ...[one.no_data, one.skip_data, one.holes].map(integerText),
    ],
  }))
  return [
    titled('Sensors', o.sensors.length, o.sensors_total),
    ...(o.pulled === null ? [] : [paragraph(ofTable)]),
    table(sensorColumns, rows),
  ]
}

const volumeColumns = (first: string): Column[] => [
  { title: first },
  { title: 'records', align: 'right' },
  { title: 'bytes', align: 'right' },
]

function services(o: CaseOverview): Block[] {
  if (o.services.length === 0) return []
  const basis =
    o.services_basis === 'roles'
      ? 'By the side that was connected to, as tidemark flows -s service counts.'
      : 'By port number: the lower port of each record. Who connected to whom was not determined yet.'
  const rows = o.services.map(({ name, at, records, bytes }) => ({
    cells: [
      name === at || at === null ? (name ?? 'unknown') : `${at} ${name ?? ''}`.trim(),
      integerText(records),
      bytes === null ? 'unknown' : integerText(bytes),
    ],
  }))
  return [
    titled('Services by bytes', o.services.length, o.services_total),
    paragraph(basis),
    table(volumeColumns('service'), rows),
  ]
}

function peers(o: CaseOverview): Block[] {
  if (o.peers.length === 0) return []
  const rows = o.peers.map(({ address: own, records, bytes }) => ({
    cells: [address(own), integerText(records), bytes === null ? 'unknown' : integerText(bytes)],
  }))
  return [titled('Addresses outside by bytes', o.peers.length, o.peers_total), table(volumeColumns('address'), rows)]
}

function titled(what: string, shown: number, total: number): Block {
  const count = shown === total ? integerText(total) : `${integerText(shown)} of ${integerText(total)}`
  return heading(`${what} (${count})`)
}

function gaps(o: CaseOverview): Block[] {
  const { skip_data, no_data, holes, malformed, unread_files, listed } = o.gaps
  const found: Text[] = [
    ...(unread_files.length > 0
      ? [line`${countText(unread_files.length, 'file')} not read: ${path(unread_files[0]!)}`]
      : []),
    ...(skip_data > 0 ? [`${countText(skip_data, 'SKIPDATA line')}: the sensor dropped records there`] : []),
    ...(holes > 0 ? [`${countText(holes, 'hole')} in the log of a sensor, without a line of any kind`] : []),
    ...(malformed > 0 ? [`${countText(malformed, 'line')} could not be read`] : []),
    ...listed
      .filter(gap => gap.reason === 'partly-read-file' || /packets$/.test(gap.reason))
      .map(gap => `${gap.path ?? gap.sensor ?? ''}: ${gap.detail}`),
  ]
  const silent = no_data > 0 ? [`${countText(no_data, 'NODATA line')}: the sensor was there and saw nothing`] : []
  const none = 'None: every file was read, and no sensor is silent for long.'
  return [
    heading('Gaps'),
    ...(o.pulled === null ? [] : [paragraph(ofTable)]),
    ...(found.length > 0 ? [warning('Figures are lower bounds where something is missing.')] : []),
    found.length + silent.length === 0 ? paragraph(none) : list([...found, ...silent]),
  ]
}
