import { compareTimes } from '../net/time.ts'
import { isRead, type Law, lawsOf } from '../store/laws.ts'
import {
  alreadyThere,
  type CaptureAccount,
  type EvidenceFile,
  type EvidenceReport,
  type EvidenceStatus,
  type FileEvent,
  type FileHistory,
  type FileKind,
  isMetered,
  isUnread,
  type NfcapdFileAccount,
  type VerifyReport,
} from '../store/reports.ts'
import {
  alarm,
  apart,
  type Block,
  type Column,
  count,
  fact,
  facts,
  gap,
  good,
  heading,
  inset,
  limited,
  line,
  list,
  paragraph,
  path,
  type Row,
  strong,
  type Text,
  table,
  time,
  title,
  warning,
} from './block.ts'
import { countText, integerText, percentText, sizeText, spanText, timeText } from './numbers.ts'
import { moreText, type Problem, problemBlocks } from './problems.ts'
import { heldText } from './removed.ts'

const leftOutAtMost = 10
/** Different ones of tables of flows; the JSON has that of each file. */
const notesAtMost = 3

const kindWords: ReadonlyMap<string, string> = new Map<FileKind, string>([
  ['vpc-flow-log', 'VPC flow logs'],
  ['vpc-flow-log-parquet', 'VPC flow logs (Parquet)'],
  ['tgw-flow-log', 'Transit Gateway flow logs'],
  ['pcap', 'pcap captures'],
  ['pcapng', 'pcapng captures'],
  ['nfcapd', 'nfcapd files'],
  ['conn-log', 'conn.log files of Zeek'],
  ['flow-table', 'tables of flows'],
  ['archive', 'archives'],
])

/** Files of a kind, in words. */
export function kindText(kind: string): string {
  return kindWords.get(kind) ?? kind
}

const statusWords: Record<EvidenceStatus, string> = {
  read: 'read',
  'partly-read': 'partly read',
  unreadable: 'unreadable',
  duplicate: 'duplicate',
  'not-evidence': 'not evidence',
}

/** What `add` took in, that it adds up, and each place that is in no record. */
export function addPage(r: EvidenceReport): Block[] {
  return [
    title(strong(`Added to ${r.case}`)),
    ...(r.interrupted
      ? [
          warning(
            'Stopped before every file was read: what follows is in the case, the rest is not. The same command goes on from here.',
          ),
        ]
      : []),
    ...totals(r),
    // The ledger has no duplicates.
    ...notRead(r, 'tidemark add --json'),
  ]
}

/** The files of the case, each with what was read from it. */
export function evidencePage(r: EvidenceReport): Block[] {
  return [
    title(strong(`Evidence in ${r.case}`)),
    ...totals(r),
    ...fileBlocks(r.files),
    ...notRead(r, 'tidemark evidence --json'),
    ...history(r.history),
  ]
}

const eventWords: Record<FileEvent['what'], string> = {
  added: 'added',
  superseded: 'read again, and superseded by that reading',
  removed: 'removed',
  restored: 'put back',
}

/** What became of files since they were added, each with the entries of the ledger that say so. */
function history(files: readonly FileHistory[]): Block[] {
  if (files.length === 0) return []
  const each = files.flatMap(file => {
    const what = `${countText(file.records, 'record')}, ${statusWords[file.status]}`
    const own = line`${path(file.path)} (${what}): ${file.counts ? 'counts' : 'does not count'}`
    return [
      paragraph(own),
      inset(
        2,
        file.events.map(event => paragraph(eventText(event, file.path))),
      ),
    ]
  })
  return [heading(`History (${integerText(files.length)})`), ...each]
}

function eventText({ what, entry, time: at, reason, by }: FileEvent, own: string): Text {
  const when = time(timeText(at.replace(/\.\d+Z$/, 'Z')))
  const under: Text = by === null || by.path === own ? '' : line`: ${path(by.path)}`
  const why = reason === null ? '' : `: ${reason}`
  return line`${when}  entry ${integerText(entry)}  ${eventWords[what]}${under}${why}`
}

/** Whether every byte of the case is as its ledger says. */
export function verifyPage(r: VerifyReport): Block[] {
  const verdict = r.intact
    ? line`${good('Intact:')} every byte of ${r.case} is as its ledger says.`
    : line`${alarm('NOT intact:')} ${r.case} is not as its ledger says.`
  const found = r.findings.map(finding => `${finding.what}: ${finding.path}: ${finding.detail}`)
  const advice = 'Note the head down outside the case: only then a ledger that was cut short can be noticed.'
  return [
    title(verdict),
    facts([
      fact('checked', `${countText(r.files_checked, 'file')}, ${integerText(r.bytes_checked)} B`),
      fact('ledger', countText(r.ledger_entries, 'entry', 'entries')),
      fact('head', r.head ?? 'none: the ledger is empty'),
    ]),
    ...(found.length > 0 ? [heading(`Found (${found.length})`), list(found)] : []),
    ...(r.head === null ? [] : [gap, paragraph(advice)]),
  ]
}

function totals(r: EvidenceReport): Block[] {
  const read = r.files.filter(isRead)
  const first = read.flatMap(file => file.first_start ?? []).sort(compareTimes)[0]
  const last = read
    .flatMap(file => file.last_end ?? [])
    .sort(compareTimes)
    .at(-1)
  const span = first === undefined || last === undefined ? '' : `, ${spanText(first, last)}`
  const held = r.case_records === r.totals.records ? '' : `; the case holds ${heldText(r)} now`
  return [
    paragraph(filesText(r.files)),
    paragraph(`${recordsText(r.totals.records, read)}${span}${held}.`),
    ...accounting(r.files),
  ]
}

/** Records of logs and those made of packets count the same traffic: they are never one number. */
function recordsText(total: number, read: EvidenceFile[]): string {
  const sum = (of: (file: EvidenceFile) => boolean) =>
    read.filter(of).reduce((records, file) => records + file.records, 0)
  const kinds: [number, string][] = [
    [sum(file => file.capture !== null), 'of captures'],
    [sum(file => file.nfcapd !== null), 'of nfcapd files'],
    [sum(file => file.flow_table !== null), 'of tables of flows'],
  ]
  const logs = sum(file => !isMetered(file))
  const named = kinds.filter(([count]) => count > 0)
  if (named.length === 0 || (logs === 0 && named.length === 1)) return countText(total, 'flow record')
  const all = logs === 0 ? named : [[logs, 'of logs'] as [number, string], ...named]
  return `Flow records: ${all.map(([count, of]) => `${integerText(count)} ${of}`).join(', ')}`
}

/** `VPC flow logs: 577 read. Without a known format: 1 not evidence. 2 duplicate.` */
function filesText(files: EvidenceFile[]): string {
  const kinds = new Map<string, Map<string, number>>()
  for (const { kind, status } of files) {
    const name = nameOfKind(kind, status)
    const counts = kinds.get(name) ?? new Map<string, number>()
    kinds.set(name, counts.set(statusWords[status], (counts.get(statusWords[status]) ?? 0) + 1))
  }
  const sentences = [...kinds].map(([name, counts]) => {
    const named = [...counts].sort((a, b) => b[1] - a[1]).map(([status, count]) => `${integerText(count)} ${status}`)
    return `${name}${named.join(', ')}.`
  })
  return [`${countText(files.length, 'file')}.`, ...sentences].join(' ')
}

/** Nobody looked for the format of a duplicate, or of what could not be read: that is no unknown format. */
function nameOfKind(kind: string | null, status: EvidenceStatus): string {
  if (kind !== null && status !== 'not-evidence') return `${kindText(kind)}: `
  return status === 'duplicate' || status === 'unreadable' ? '' : 'Without a known format: '
}

/** If a sum is wrong, something was lost, and it says so. */
function accounting(files: readonly EvidenceFile[]): Block[] {
  const notes = [...new Set(files.filter(isRead).flatMap(file => file.flow_table?.note ?? []))].slice(0, notesAtMost)
  return [...lawsOf(files).flatMap(lawBlocks), ...notes.map(note => paragraph(`Tables: ${note}.`))]
}

function lawBlocks({ name, whole, parts, missing }: Law): Block[] {
  const law = `${name} ${integerText(whole)} = ${parts.map(({ name: part, count }) => `${part} ${integerText(count)}`).join(' + ')}`
  const noun = lawNouns[name]
  const wrong = `This does not add up: ${countText(Math.abs(missing), noun)} ${missing > 0 ? 'unaccounted for' : 'too many'}. Please report this.`
  return [paragraph(law), ...(missing === 0 ? [] : [warning(wrong)])]
}

const lawNouns: Readonly<Record<Law['name'], string>> = {
  lines: 'line',
  packets: 'packet',
  'nfcapd records': 'nfcapd record',
  'lines of tables': 'line',
}

const columns: Column[] = [
  { title: 'file' },
  { title: 'kind', hangs: true },
  { title: 'size', align: 'right' },
  { title: 'sha256' },
  { title: 'lines', align: 'right', hangs: true },
  { title: 'records', align: 'right' },
  { title: 'first – last', hangs: true },
  { title: 'status' },
]

function fileBlocks(files: readonly EvidenceFile[]): Block[] {
  if (files.length === 0) return []
  const groups = new Map<string, EvidenceFile[]>()
  for (const file of files) {
    const group = groupOf(file.path)
    const known = groups.get(group)
    if (known) known.push(file)
    else groups.set(group, [file])
  }
  const tables = [...groups].map(([group, own]) => {
    const rows = own.map(file => fileRow(file, group))
    return [...(group === '' ? [] : [paragraph(line`${path(group)}…`)]), table(columns, rows)]
  })
  return [heading(`Files (${integerText(files.length)})`), ...apart(tables)]
}

function fileRow(file: EvidenceFile, group: string): Row {
  return {
    cells: [
      path(file.path.slice(group.length)),
      file.kind ?? 'unknown',
      sizeText(file.size),
      file.sha256?.slice(0, 12) ?? 'none',
      file.capture === null && file.nfcapd === null ? count(integerText(file.lines)) : '',
      count(integerText(file.records)),
      file.first_start === null ? '' : time(spanText(file.first_start, file.last_end)),
      statusWords[file.status],
    ],
    ...(file.capture !== null && { detail: captureText(file.capture) }),
    ...(file.nfcapd !== null && { detail: nfcapdText(file.nfcapd) }),
  }
}

/** What a capture held, and what its flow records do not show or show less surely. */
function captureText(capture: CaptureAccount): string {
  const { packets, undecoded, cut, out_of_order, untimed, dropped, fragments, tunnels, evicted, interfaces, copies } =
    capture
  const some = (count: number, words: string): string[] => (count === 0 ? [] : [`${integerText(count)} ${words}`])
  const lost =
    dropped === null
      ? 'drops not stated'
      : `${dropped === 0 ? 'none' : integerText(dropped)} dropped by the capturing system`
  return [
    countText(packets, 'packet'),
    ...some(copies, 'left out as copies of packets at another interface'),
    ...undecoded.flatMap(one => some(one.packets, `not decoded: ${one.name}`)),
    ...(cut === 0 ? [] : [`${percentText(cut, packets)} cut by the snapshot length`]),
    ...some(fragments, 'in fragments'),
    ...tunnels.flatMap(one => some(one.packets, `in ${one.name}`)),
    ...some(out_of_order, 'out of order'),
    ...some(untimed, 'without a time'),
    lost,
    ...(interfaces > 1 ? [countText(interfaces, 'interface')] : []),
    countText(capture.connections, 'connection'),
    ...some(evicted, 'of them ended early: too many at once'),
    ...some(capture.flows_evicted ?? 0, 'flow records ended early: too many at once'),
  ].join(', ')
}

function nfcapdText(file: NfcapdFileAccount): string {
  const { layout, compression, ident, blocks, blocks_read, skipped, sampled, anonymised, both_ways } = file
  const some = (count: number, words: string): string[] => (count === 0 ? [] : [`${integerText(count)} ${words}`])
  return [
    layout === 1 ? 'layout of nfdump 1.6' : 'layout of nfdump 1.7',
    compression === 'none' ? 'not compressed' : compression,
    ...(ident === '' || ident === 'none' ? [] : [`named ${ident}`]),
    blocks === blocks_read
      ? countText(blocks, 'block')
      : `${integerText(blocks_read)} of ${countText(blocks, 'block')}`,
    ...(skipped.length === 0
      ? []
      : [`besides flows: ${skipped.map(one => `${integerText(one.records)} ${one.name}`).join(', ')}`]),
    ...some(sampled, 'sampled'),
    ...some(both_ways, 'that count both ways'),
    ...some(anonymised, 'anonymised'),
  ].join(', ')
}

/** What the file's name shares with its neighbours: the folder, and what AWS puts before the time. */
function groupOf(path: string): string {
  return /^.*_(?:vpcflowlogs|transitgateway)_[^_/]*_[^_/]*_/.exec(path)?.[0] ?? path.slice(0, path.lastIndexOf('/') + 1)
}

/** Whether it is the file that the case has, and not another of the same content. */
function isKnown({ status, problem }: EvidenceFile): boolean {
  return status === 'duplicate' && problem === alreadyThere
}

/** Each file and line that is in no record, by file; then what was rightly left out, of which `listing` lists all. */
function notRead(r: EvidenceReport, listing: string): Block[] {
  const leftOut = (file: EvidenceFile) => !isRead(file) && !isUnread(file)
  const whole = (file: EvidenceFile): Problem => ({
    path: file.path,
    problem: [statusWords[file.status], file.problem ?? ''].filter(text => text !== '').join(': '),
  })
  const broken = r.files.filter(file => isUnread(file) || file.status === 'partly-read').map(whole)
  const out = r.files.filter(leftOut)
  const known = out.filter(isKnown)
  const others = limited(
    out.filter(file => !isKnown(file)).map((file): Text => line`${path(file.path)}: ${whole(file).problem}`),
    leftOutAtMost,
    left => moreText(left, '', listing),
  )
  if (known.length > 0) others.push(`${countText(known.length, 'file')}: in the case already`)
  // What ended a file early is told with its status already.
  const told = new Set(broken.map(({ path, problem }) => `${path}\n${problem.slice(problem.indexOf('byte '))}`))
  const isOfPlace = (one: Problem) => one.line !== undefined || one.offset !== undefined
  const places = r.problems.filter(
    one => isOfPlace(one) && !told.has(`${one.path}\nbyte ${one.offset}: ${one.problem}`),
  )
  const problems = [...broken, ...places]
  return [
    ...(problems.length > 0 ? [heading('Not read'), ...problemBlocks(problems)] : []),
    ...(others.length > 0 ? [heading('Left out'), list(others)] : []),
  ]
}
