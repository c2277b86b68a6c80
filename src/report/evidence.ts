import type { EvidenceFile, EvidenceReport, EvidenceStatus, VerifyReport } from '../store/reports.ts'
import {
  alarm,
  bullets,
  type Column,
  fields,
  good,
  heading,
  limited,
  newPage,
  type Page,
  type PageOptions,
  paragraph,
  type Row,
  strong,
  table,
} from './layout.ts'
import { countText, integerText, sizeText, spanText } from './numbers.ts'
import { type Problem, problemLines } from './problems.ts'
import { visibleAll } from './text.ts'

const leftOutAtMost = 10

const kindWords: Record<string, string> = {
  'vpc-flow-log': 'VPC flow logs',
  'vpc-flow-log-parquet': 'VPC flow logs (Parquet)',
  'tgw-flow-log': 'Transit Gateway flow logs',
  pcap: 'pcap captures',
  pcapng: 'pcapng captures',
  nfcapd: 'nfcapd files',
}

const statusWords: Record<EvidenceStatus, string> = {
  read: 'read',
  'partly-read': 'partly read',
  unreadable: 'unreadable',
  duplicate: 'duplicate',
  'not-evidence': 'not evidence',
}

/** What `add` took in, that it adds up, and each place that is in no record. */
export function renderAddSummary(report: EvidenceReport, options: PageOptions): string {
  const page = newPage(options)
  const r = visibleAll(report)
  const interrupted = 'Stopped before every file was read: what follows is in the case, the rest is not.'
  return text([
    ...paragraph(page, strong(page, `Added to ${r.case}`), ''),
    ...(r.interrupted ? paragraph(page, alarm(page, interrupted)) : []),
    ...totals(r, page),
    ...notRead(r, page),
  ])
}

/** The files of the case, each with what was read from it. */
export function renderEvidence(report: EvidenceReport, options: PageOptions): string {
  const page = newPage(options)
  const r = visibleAll(report)
  return text([
    ...paragraph(page, strong(page, `Evidence in ${r.case}`), ''),
    ...totals(r, page),
    ...fileTable(r.files, page),
    ...notRead(r, page),
  ])
}

/** Whether every byte of the case is as its ledger says. */
export function renderVerify(report: VerifyReport, options: PageOptions): string {
  const page = newPage(options)
  const r = visibleAll(report)
  const verdict = r.intact
    ? `${good(page, 'Intact:')} every byte of ${r.case} is as its ledger says.`
    : `${alarm(page, 'NOT intact:')} ${r.case} is not as its ledger says.`
  const found = r.findings.map(finding => `${finding.what}: ${finding.path}: ${finding.detail}`)
  const rows: [string, string][] = [
    ['checked', `${countText(r.files_checked, 'file')}, ${integerText(r.bytes_checked)} B`],
    ['ledger', countText(r.ledger_entries, 'entry', 'entries')],
    ['head', r.head ?? 'none: the ledger is empty'],
  ]
  const note = 'Note the head down outside the case: only then a ledger that was cut short can be noticed.'
  return text([
    ...paragraph(page, verdict, ''),
    ...fields(page, rows),
    ...(found.length > 0 ? [...heading(page, `Found (${found.length})`), ...bullets(page, found)] : []),
    ...(r.head === null ? [] : ['', ...paragraph(page, note)]),
  ])
}

function totals(r: EvidenceReport, page: Page): string[] {
  const read = r.files.filter(isRead)
  const first = read.flatMap(file => file.first_start ?? []).sort()[0]
  const last = read
    .flatMap(file => file.last_end ?? [])
    .sort()
    .at(-1)
  const span = first === undefined || last === undefined ? '' : `, ${spanText(first, last)}`
  const records = `${countText(r.totals.records, 'flow record')}${span}`
  const held = r.case_records === r.totals.records ? '' : `; the case holds ${integerText(r.case_records)} now`
  return [
    ...paragraph(page, filesText(r.files)),
    ...paragraph(page, `${records}${held}.`),
    ...accounting(r.files, page),
  ]
}

function isRead(file: EvidenceFile): boolean {
  return file.status === 'read' || file.status === 'partly-read'
}

/** `VPC flow logs: 577 read, 1 duplicate. Not evidence: 1.` */
function filesText(files: EvidenceFile[]): string {
  const kinds = new Map<string, Map<string, number>>()
  for (const { kind, status } of files) {
    const name = kind === null || status === 'not-evidence' ? 'Without a known format' : (kindWords[kind] ?? kind)
    const counts = kinds.get(name) ?? new Map<string, number>()
    kinds.set(name, counts.set(statusWords[status], (counts.get(statusWords[status]) ?? 0) + 1))
  }
  const sentences = [...kinds].map(([name, counts]) => {
    const named = [...counts].sort((a, b) => b[1] - a[1]).map(([status, count]) => `${integerText(count)} ${status}`)
    return `${name}: ${named.join(', ')}.`
  })
  return [`${countText(files.length, 'file')}.`, ...sentences].join(' ')
}

/** Every line of a flow log is one of five things: if the sum is wrong, lines were lost, and it says so. */
function accounting(files: EvidenceFile[], page: Page): string[] {
  const logs = files.filter(file => isRead(file) && file.kind?.includes('flow-log'))
  if (logs.length === 0) return []
  const sum = (key: 'lines' | 'header_lines' | 'records' | 'no_data' | 'skip_data' | 'malformed') =>
    logs.reduce((total, file) => total + file[key], 0)
  const parts: [string, number][] = [
    ['headers', sum('header_lines')],
    ['records', sum('records')],
    ['NODATA', sum('no_data')],
    ['SKIPDATA', sum('skip_data')],
    ['malformed', sum('malformed')],
  ]
  const lines = sum('lines')
  const missing = lines - parts.reduce((total, [, count]) => total + count, 0)
  const law = `lines ${integerText(lines)} = ${parts.map(([name, count]) => `${name} ${integerText(count)}`).join(' + ')}`
  const wrong = `This does not add up: ${countText(Math.abs(missing), 'line')} ${missing > 0 ? 'unaccounted for' : 'too many'}. Please report this.`
  return [...paragraph(page, law), ...(missing === 0 ? [] : paragraph(page, alarm(page, wrong)))]
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

function fileTable(files: EvidenceFile[], page: Page): string[] {
  if (files.length === 0) return []
  const groups = new Map<string, EvidenceFile[]>()
  for (const file of files) {
    const group = groupOf(file.path)
    const known = groups.get(group)
    if (known) known.push(file)
    else groups.set(group, [file])
  }
  const tables = [...groups].flatMap(([group, own]) => [
    ...(group === '' ? [] : ['', ...paragraph(page, `${group}…`)]),
    ...table(
      page,
      columns,
      own.map(file => fileRow(file, group)),
    ),
  ])
  return [...heading(page, `Files (${integerText(files.length)})`), ...tables.slice(tables[0] === '' ? 1 : 0)]
}

function fileRow(file: EvidenceFile, group: string): Row {
  return {
    cells: [
      file.path.slice(group.length),
      file.kind ?? 'unknown',
      sizeText(file.size),
      file.sha256?.slice(0, 12) ?? 'none',
      integerText(file.lines),
      integerText(file.records),
      file.first_start === null ? '' : spanText(file.first_start, file.last_end),
      statusWords[file.status],
    ],
  }
}

/** What the file's name shares with its neighbours: the folder, and what AWS puts before the time. */
function groupOf(path: string): string {
  return /^.*_(?:vpcflowlogs|transitgateway)_[^_/]*_[^_/]*_/.exec(path)?.[0] ?? path.slice(0, path.lastIndexOf('/') + 1)
}

/** Each file and line that is in no record, by file; then what was rightly left out. */
function notRead(r: EvidenceReport, page: Page): string[] {
  const leftOut = (file: EvidenceFile) => file.status === 'duplicate' || file.status === 'not-evidence'
  const whole = (file: EvidenceFile): Problem => ({
    path: file.path,
    problem: [statusWords[file.status], file.problem ?? ''].filter(text => text !== '').join(': '),
  })
  const broken = r.files.filter(file => file.status === 'unreadable' || file.status === 'partly-read').map(whole)
  const others = limited(
    r.files.filter(leftOut).map(file => `${file.path}: ${whole(file).problem}`),
    leftOutAtMost,
    left => `… and ${integerText(left)} more: tidemark evidence --json lists all`,
  )
  const problems = [...broken, ...r.problems]
  return [
    ...(problems.length > 0 ? [...heading(page, 'Not read'), ...problemLines(page, problems)] : []),
    ...(others.length > 0 ? [...heading(page, 'Left out'), ...bullets(page, others)] : []),
  ]
}

function text(lines: string[]): string {
  return `${lines.join('\n')}\n`
}
