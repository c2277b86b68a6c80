/** What is in a case, on one page: when, who recorded it, how much, what stands out, what is missing. */
import { judgeRecords, keptRoles } from '../conversations/roles.ts'
import { collapsedTable } from '../flows/count-once.ts'
import { isRejected, volume } from '../flows/measures.ts'
import { type Records, recordsOf } from '../flows/source.ts'
import { gatherCoverage, gatherSpans } from '../investigate/coverage.ts'
import type { Count, Gap, SensorCoverage } from '../investigate/dossier.ts'
import { formatAddress } from '../net/address.ts'
import { internalPrefixes } from '../net/internal.ts'
import { serviceOn } from '../net/ports.ts'
import { compareTimes } from '../net/time.ts'
import {
  aggregate,
  all,
  among,
  call,
  choose,
  column,
  common,
  constant,
  count,
  equal,
  every,
  inPrefixes,
  isKnown,
  join,
  named,
  not,
  onlyValue,
  order,
  own,
  select,
  table,
  unionAll,
} from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { Item, Ordering, Query, Relation } from '../query/nodes.ts'
import { findCached } from '../store/cache.ts'
import type { Case } from '../store/case.ts'
import type { Row } from '../store/duckdb.ts'
import { type PulledFacts, pulledFacts } from '../store/pulled.ts'
import { question } from '../store/question.ts'
import { type FileKind, isMetered, isUnread } from '../store/reports.ts'

/** Rows of each list. */
const listedMax = 8

export interface KindOfEvidence {
  kind: FileKind
  files: number
  /** Flow records. Those of packets are never added to those of logs. */
  records: number
  /** Bytes on the disk. */
  size: number
}

export interface ServiceVolume {
  /** IANA's name, and port and protocol; null where that is unknown, the latter also where one name has several. */
  name: string | null
  at: string | null
  records: number
  bytes: Count | null
}

export interface PeerVolume {
  address: string
  records: number
  bytes: Count | null
}

/** Volumes are those of accepted records, and count once what several sensors or files have. */
export interface CaseOverview {
  case: string
  /** Of which the records below are. */
  source: Case['source']
  /** Set where records were pulled from an engine: sensors and gaps are then of all that its table has in that time, everything else of what is here. */
  pulled: PulledFacts | null
  span: { first_start: string | null; last_end: string | null }
  kinds: KindOfEvidence[]
  files: { read: number; partly_read: number; unread: number; not_evidence: number; out: number }
  records: { total: number; rejected: number; counted: number; packets: Count | null; bytes: Count | null }
  sensors: SensorCoverage[]
  sensors_total: number
  accounts: { account_id: string; records: number }[]
  accounts_total: number
  services: ServiceVolume[]
  services_total: number
  /** `roles`: by who connected to whom. `port-number`: by the lower port of each record, where that was not worked out yet. */
  services_basis: 'roles' | 'port-number'
  /** Addresses that are not internal. */
  peers: PeerVolume[]
  peers_total: number
  gaps: { skip_data: number; no_data: number; holes: number; malformed: number; unread_files: string[]; listed: Gap[] }
}

/** Reads the overview of a case. What counts once is worked out if it is not kept; roles are not. */
export function overviewOf(c: Case, signal?: AbortSignal): Promise<CaseOverview> {
  return question(c, signal, gather)
}

/** A relation without the records that others stand for. */
type CountOnce = (relation: Relation) => Relation

async function gather(c: Case): Promise<CaseOverview> {
  const records = recordsOf(c)
  const collapsed = await collapsedTable(c, records)
  const counted: CountOnce = relation =>
    collapsed === null ? relation : join('anti', relation, table(collapsed), ['_file', '_line'])
  const totals = await totalsOf(c, records, counted)
  const services = await servicesOf(c, records, counted)
  const peers = await peersOf(c, records, counted)
  const accounts = await accountsOf(c, records)
  const { sensors, sensorsTotal, gaps, holes } = await coverageOf(c)
  const { skip_data, no_data, malformed, unread_files, records_total, ...held } = ledgerOverview(c)
  return {
    ...held,
    records: { total: records_total, ...totals },
    ...{ sensors, sensors_total: sensorsTotal, ...accounts, ...services, ...peers },
    gaps: { skip_data, no_data, holes, malformed, unread_files, listed: gaps },
  }
}

/** What the ledger says of the files: known at once, of however many records. */
export interface LedgerOverview
  extends Pick<CaseOverview, 'case' | 'source' | 'pulled' | 'span' | 'kinds' | 'files'>,
    Pick<CaseOverview['gaps'], 'skip_data' | 'no_data' | 'malformed' | 'unread_files'> {
  records_total: number
}

export function ledgerOverview(c: Case): LedgerOverview {
  const sum = (name: 'malformed' | 'no_data' | 'skip_data'): number =>
    c.evidence.reduce((all, file) => all + file[name], 0)
  const filesThatAre = (status: string): number => c.evidence.filter(file => file.status === status).length
  const unread = c.evidence.filter(isUnread)
  const isOfSource = (file: Case['evidence'][number]): boolean => isMetered(file) === (c.source === 'packets')
  const files = c.evidence.filter(file => file.records > 0 && isOfSource(file))
  return {
    case: c.dir,
    source: c.source,
    pulled: pulledFacts(c.pulled, c.evidence),
    span: spanOf(files),
    kinds: kindsOf(c),
    files: {
      ...{ read: filesThatAre('read'), partly_read: filesThatAre('partly-read'), unread: unread.length },
      ...{ not_evidence: c.evidence.filter(file => file.status === 'not-evidence' && !file.named).length },
      out: c.out.length,
    },
    records_total: files.reduce((sum, file) => sum + file.records, 0),
    ...{ skip_data: sum('skip_data'), no_data: sum('no_data'), malformed: sum('malformed') },
    unread_files: unread.map(file => file.path),
  }
}

function spanOf(files: Case['evidence']): CaseOverview['span'] {
  let first: string | null = null
  let last: string | null = null
  for (const { first_start, last_end } of files) {
    // An unknown time comes last.
    if (compareTimes(first_start, first) < 0) first = first_start
    if (last_end !== null && (last === null || compareTimes(last_end, last) > 0)) last = last_end
  }
  return { first_start: first, last_end: last }
}

function kindsOf(c: Case): KindOfEvidence[] {
  const kinds = new Map<FileKind, KindOfEvidence>()
  for (const { kind, status, records, size } of c.evidence) {
    if (kind === null || (status !== 'read' && status !== 'partly-read')) continue
    const one = kinds.get(kind) ?? { kind, files: 0, records: 0, size: 0 }
    kinds.set(kind, { kind, files: one.files + 1, records: one.records + records, size: one.size + size })
  }
  return [...kinds.values()].sort((a, b) => b.records - a.records)
}

const exact = (value: unknown): Count | null => (value === null || value === undefined ? null : (value as Count))

function sumOf(name: 'packets' | 'bytes', records: Records): Item {
  return named(volume(name, { records, acceptedOnly: true }), name)
}

function volumes(records: Records): Item[] {
  return [named(count(), 'records'), sumOf('bytes', records)]
}

async function rowsOf(c: Case, query: Query): Promise<Row[]> {
  const { text, values } = duckdb.print(query)
  return c.db.rows(text, values)
}

/** The largest of some groups, each with `total`, how many groups there are. */
function largest(groups: Query, by: readonly Ordering[]): Query {
  const total = onlyValue(select([named(count(), 'n')], { from: table('groups') }))
  return select([every(), named(total, 'total')], {
    named: [common('groups', groups, true)],
    from: table('groups'),
    orderBy: by,
    limit: listedMax,
  })
}

function byVolume(...ties: string[]): Ordering[] {
  const volume = ['bytes', 'records'].map(name => order(column(name), 'DESC'))
  return [...volume, ...ties.map(name => order(column(name)))]
}

async function totalsOf(
  c: Case,
  records: Records,
  counted: CountOnce,
): Promise<Omit<CaseOverview['records'], 'total'>> {
  const rejected = records.columns.has('action') ? count(isRejected) : constant(0)
  const items = [
    ...[named(count(), 'counted'), named(rejected, 'rejected')],
    ...[sumOf('packets', records), sumOf('bytes', records)],
  ]
  const [row] = await rowsOf(c, select(items, { from: counted(records.table(false)) }))
  return {
    rejected: Number(row!['rejected']),
    counted: Number(row!['counted']),
    packets: exact(row!['packets']),
    bytes: exact(row!['bytes']),
  }
}

type Services = Pick<CaseOverview, 'services' | 'services_total' | 'services_basis'>

/** Protocols with ports. */
const withPorts = [6, 17, 33, 132]

async function servicesOf(c: Case, records: Records, counted: CountOnce): Promise<Services> {
  const kept = await findCached(c.dir, { what: keptRoles(records, []).file, head: c.head })
  if (kept !== null) {
    await judgeRecords(c, records, [])
    const [first, last] = (['min', 'max'] as const).map(name => aggregate(name, column('_service_at')))
    const groups = select(
      [own('_service'), named(choose([[equal(first!, last!), first!]]), '_at'), ...volumes(records)],
      { from: counted(records.table(false, true)), groupBy: [column('_service')] },
    )
    const rows = await rowsOf(c, largest(groups, byVolume('_service')))
    return listed(rows, 'roles', row => ({ name: row['_service'] as string | null, at: row['_at'] as string | null }))
  }
  const protocols = withPorts.map(number => constant(number))
  const port = choose([[among(column('protocol'), protocols), call('least', column('srcport'), column('dstport'))]])
  const groups = select([own('protocol'), named(port, 'port'), ...volumes(records)], {
    from: counted(records.table(false)),
    groupBy: [column('protocol'), port],
  })
  const rows = await rowsOf(c, largest(groups, byVolume('protocol', 'port')))
  return listed(rows, 'port-number', row => {
    const protocol = row['protocol'] === null ? null : Number(row['protocol'])
    if (protocol === null || (withPorts.includes(protocol) && row['port'] === null)) return { name: null, at: null }
    return serviceOn(Number(row['port'] ?? 0), protocol) ?? { name: null, at: `protocol ${protocol}` }
  })
}

function listed(
  rows: readonly Row[],
  services_basis: Services['services_basis'],
  nameOf: (row: Row) => Pick<ServiceVolume, 'name' | 'at'>,
): Services {
  const services = rows.map(row => ({
    ...nameOf(row),
    ...{ records: Number(row['records']), bytes: exact(row['bytes']) },
  }))
  return { services, services_total: Number(rows[0]?.['total'] ?? 0), services_basis }
}

async function peersOf(
  c: Case,
  records: Records,
  counted: CountOnce,
): Promise<Pick<CaseOverview, 'peers' | 'peers_total'>> {
  const needed = ['bytes', 'action'].filter(name => records.columns.has(name)).map(own)
  const side = (name: string): Query =>
    select([named(column(name), 'a'), ...needed], {
      from: counted(records.table(false)),
      where: all([isKnown(column(name)), not(inPrefixes(column(name), internalPrefixes))]),
    })
  const groups = select([own('a'), ...volumes(records)], {
    from: unionAll([side('srcaddr'), side('dstaddr')]),
    groupBy: [column('a')],
  })
  const halves = [named(call('upper-half', column('a')), 'hi'), named(call('lower-half', column('a')), 'lo')]
  const listedOnes = select([every(), ...halves], { from: largest(groups, byVolume('a')), orderBy: byVolume('a') })
  const rows = await rowsOf(c, listedOnes)
  return {
    peers: rows.map(row => ({
      address: formatAddress(BigInt(row['hi'] as bigint), BigInt(row['lo'] as bigint)),
      ...{ records: Number(row['records']), bytes: exact(row['bytes']) },
    })),
    peers_total: Number(rows[0]?.['total'] ?? 0),
  }
}

/** By the records; where these do not say, by the names that AWS gave the files. */
async function accountsOf(c: Case, records: Records): Promise<Pick<CaseOverview, 'accounts' | 'accounts_total'>> {
  if (records.columns.has('account_id')) {
    const groups = select([own('account_id'), named(count(), 'records')], {
      from: records.table(false),
      where: isKnown(column('account_id')),
      groupBy: [column('account_id')],
    })
    const by = [order(column('records'), 'DESC'), order(column('account_id'))]
    const rows = await rowsOf(c, largest(groups, by))
    if (rows.length > 0)
      return {
        accounts: rows.map(row => ({ account_id: String(row['account_id']), records: Number(row['records']) })),
        accounts_total: Number(rows[0]!['total']),
      }
  }
  const found = new Map<string, number>()
  for (const { path, records: count } of c.evidence) {
    const account = /(?:^|[/:])(\d{12})_(?:vpcflowlogs|transitgateway)_[^/]*$/.exec(path)?.[1]
    if (account !== undefined) found.set(account, (found.get(account) ?? 0) + count)
  }
  const accounts = [...found].map(([account_id, count]) => ({ account_id, records: count }))
  accounts.sort((a, b) => b.records - a.records || (a.account_id < b.account_id ? -1 : 1))
  return { accounts: accounts.slice(0, listedMax), accounts_total: accounts.length }
}

async function coverageOf(
  c: Case,
): Promise<{ sensors: SensorCoverage[]; sensorsTotal: number; gaps: Gap[]; holes: number }> {
  await gatherSpans(c)
  // Nobody is looked for whose records a sensor may have.
  const { sensors, sensorsLeft, gaps } = await gatherCoverage(c, null, [])
  const [row] = await rowsOf(c, select([named(count(), 'holes')], { from: table('hole') }))
  const most = [...sensors].sort((a, b) => b.records - a.records || ((a.sensor ?? '') < (b.sensor ?? '') ? -1 : 1))
  return {
    sensors: most.slice(0, listedMax),
    sensorsTotal: sensors.length + sensorsLeft,
    gaps: gaps.slice(0, listedMax),
    holes: Number(row!['holes']),
  }
}
