/** The entries of a ledger: what they hold, and what must hold of them. */
import {
  absent,
  count,
  countFrom,
  type Fitting,
  fit,
  listOf,
  nullOr,
  objectOf,
  oneOf,
  type Shape,
  text,
  textThat,
  wideCount,
  yesOrNo,
} from '../shape.ts'
import { isMetered } from './reports.ts'

const timeShape = /^[-+]?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/
const knownTime = textThat(one => timeShape.test(one) && !Number.isNaN(Date.parse(one)), 'not a time')
const time = nullOr(knownTime)
const digest = textThat(one => /^[0-9a-f]{64}$/.test(one), 'not a SHA-256')
/** Number of a file: `_file` of its records has 32 bits. */
const fileNumber = countFrom(0, 2 ** 32 - 1)

const counted = listOf(objectOf({ name: text, packets: count }))

/** What a capture held. Everything is a number of packets, if it does not say otherwise: packets = decoded + all of `undecoded`. */
const captureAccount = objectOf(
  {
    packets: count,
    decoded: count,
    undecoded: counted,
    /** Of `undecoded` those that may be of IP: their flows are missing. Null: none, or a case of an older version. */
    lost: absent(nullOr(objectOf({ packets: count, first: knownTime, last: knownTime, reasons: counted })), null),
    /** Cut by the snapshot length. */
    cut: count,
    without_transport: count,
    fragments: count,
    tunnels: counted,
    out_of_order: count,
    untimed: count,
    /** What may pass 2^53: the sum of lengths that a capture claims, and what it claims was dropped. */
    wire_bytes: wideCount,
    ip_bytes: count,
    interfaces: count,
    /** Packets that the capturing system says it dropped; null: it does not say. */
    dropped: nullOr(wideCount),
    /** Left out: copies of packets at another interface. Kept: packets like another one at the same interface moments before. */
    copies: absent(count, 0),
    copies_suspected: absent(count, 0),
    flow_records: count,
    connections: count,
    /** Connections, and flow records, that were ended early because there were too many at once. Older ledgers count both as the first. */
    evicted: count,
  },
  { flows_evicted: count },
)

/** What an nfcapd file held: records = flow records + all of `skipped`. */
const nfcapdAccount = objectOf({
  layout: count,
  compression: text,
  ident: text,
  blocks: count,
  blocks_read: count,
  records: count,
  flow_records: count,
  skipped: listOf(objectOf({ name: text, records: count })),
  sampled: count,
  /** Flow records that count the way back too. */
  both_ways: absent(count, 0),
  anonymised: count,
})

/** What another program's table of flows held: lines = headers + rows + malformed. */
const tableAccount = objectOf({
  rows: count,
  flow_records: count,
  connections: count,
  note: absent(nullOr(text), null),
})

const kinds = [
  ...(['vpc-flow-log', 'vpc-flow-log-parquet', 'tgw-flow-log', 'pcap', 'pcapng', 'nfcapd'] as const),
  ...(['conn-log', 'flow-table', 'archive'] as const),
] as const

/** Where a file was fetched from, and what its server said of the content. */
const origin = objectOf({ uri: text, etag: nullOr(text), size: count, version_id: nullOr(text) })

const evidenceEntry = objectOf({
  id: nullOr(fileNumber),
  path: text,
  /** The bytes of the path as hex digits, where it is not UTF-8; `path` then shows the odd ones as \xNN. */
  path_bytes: absent(nullOr(textThat(one => /^([0-9a-f]{2})+$/.test(one), 'not hex digits of bytes')), null),
  /** Of a file in an archive: that archive, and which file in it, from 0; of one in another in it, the numbers of both. */
  archive: absent(nullOr(objectOf({ path: text, members: listOf(count) })), null),
  /** Whether the user named the file itself, and not only a folder that holds it. Entries of older versions do not say. */
  named: absent(yesOrNo, false),
  /** Null for a file that lay on a disk. */
  origin: absent(nullOr(origin), null),
  kind: nullOr(oneOf(...kinds)),
  size: count,
  sha256: nullOr(digest),
  lines: count,
  header_lines: count,
  records: count,
  no_data: count,
  skip_data: count,
  malformed: count,
  first_start: time,
  last_end: time,
  status: oneOf('read', 'partly-read', 'unreadable', 'duplicate', 'not-evidence'),
  problem: nullOr(text),
  layout: nullOr(text),
  /** What the lines were taken out of, or their encoding; null: they are there as they are. */
  form: absent(nullOr(text), null),
  sensors: listOf(text),
  sensor_count: count,
  expanded_bytes: count,
  capture: absent(nullOr(captureAccount), null),
  nfcapd: absent(nullOr(nfcapdAccount), null),
  flow_table: absent(nullOr(tableAccount), null),
})

/** The only names that a case's files can have: no path can be smuggled in. */
export const segmentName =
  /^(flows|silence|problems|packet-flows|connections|pulled)-[0-9]{6,}-[0-9a-f]{8}\.(parquet|ndjson)$/

const segmentEntry = objectOf({
  name: textThat(one => segmentName.test(one), 'not the name of a segment'),
  kind: oneOf('flows', 'silence', 'problems', 'packet-flows', 'connections', 'pulled'),
  rows: count,
  bytes: count,
  sha256: digest,
  columns: listOf(text),
})

const place = { seq: count, prev: text, time: text, tidemark: text, command: text }

/** A file of an earlier entry: the `at`-th of its `evidence`, from 0. The others say again what it is. */
const fileReference = objectOf({ entry: count, at: count, id: nullOr(fileNumber), sha256: nullOr(digest) })

/** What was asked of an engine, of which the entry's files are parts. */
const pullNote = objectOf({
  engine: text,
  /** Where the table is, without credentials. */
  table: text,
  /** Whose records were asked for: addresses and networks. Empty: those that a filter matches. */
  subject: listOf(text),
  filter: nullOr(text),
  /** The time that was asked for: of it are all sums. */
  from: time,
  to: time,
  /** As they were sent, with their values. */
  statements: listOf(
    objectOf({
      ...{ statement: text, query: text, bytes: nullOr(count), started: knownTime, ended: knownTime },
      /** Whether the engine gave an earlier answer. */
      reused: absent(yesOrNo, false),
    }),
  ),
  /** Endpoints whose records with others than the subject are here too: address, port, protocol. */
  endpoints: listOf(text),
  /** Objects that were read whole from where they lie, by their URI: entries `added` have them. */
  whole: absent(listOf(text), []),
  /** Files that are a part of an object, or of another file, with what the whole of it holds in that time. */
  parts: listOf(
    objectOf({
      id: fileNumber,
      object: text,
      /** Within the case. */
      file: textThat(one => /^pulled\/[^\0]+$/.test(one) && !one.split('/').includes('..'), 'not a file of a pull'),
      records: count,
      accepted: count,
      rejected: count,
      sensors: count,
      /** Rows in segments of kind `pulled`. */
      rows: count,
    }),
  ),
})

const createdEntry = objectOf({
  type: oneOf('created'),
  seq: oneOf(0),
  prev: text,
  time: text,
  schema: oneOf(1),
  tidemark: text,
  duckdb: text,
  node: text,
  readme_sha256: text,
})
const readings = { ...place, evidence: listOf(evidenceEntry), segments: listOf(segmentEntry) }
const changes = { ...place, files: listOf(fileReference), reason: nullOr(text) }
const entryShapes = {
  created: createdEntry,
  added: objectOf({ type: oneOf('added'), ...readings }),
  // As `added`, of files that were in the case. A type of its own, so that a version that would count both readings refuses the ledger.
  'read-again': objectOf({ type: oneOf('read-again'), ...readings }),
  // As `added`, of parts of what lies elsewhere. An older version, which would take them for all there is, refuses the ledger.
  pulled: objectOf({ type: oneOf('pulled'), ...readings, pull: pullNote }),
  removed: objectOf({ type: oneOf('removed'), ...changes }),
  restored: objectOf({ type: oneOf('restored'), ...changes }),
}
const types = Object.keys(entryShapes) as (keyof typeof entryShapes)[]
const anyEntry = objectOf({ type: oneOf(...types) })
/** What an entry must look like, before its sums are compared. */
export const entryBody: Shape<EntryBody> = value => entryShapes[anyEntry(value).type](value)

type EntryBody = Fitting<(typeof entryShapes)[keyof typeof entryShapes]>
export type FileReference = Fitting<typeof fileReference>
export type EvidenceEntry = Fitting<typeof evidenceEntry>
export type SegmentEntry = Fitting<typeof segmentEntry>
export type PullNote = Fitting<typeof pullNote>
export type LedgerEntry = EntryBody & { hash: string }
export type NewEntry = {
  [T in LedgerEntry['type']]: Omit<Extract<LedgerEntry, { type: T }>, 'seq' | 'prev' | 'hash' | 'time'>
}[LedgerEntry['type']]

/** What identifies an entry, also one whose other parts are not accepted. */
const link = objectOf({ seq: count, prev: text })

/** What a line's object says: the entry, or what is wrong with it. `link` is null where not even its place can be told. */
export function entryOf(body: unknown): {
  entry: EntryBody | null
  link: Fitting<typeof link> | null
  fault: string
} {
  const place = fit(link, body).value
  const found = fit(entryBody, body)
  if (found.fault !== null) return { entry: null, link: place, fault: unknownType(body) ?? found.fault }
  const fault = isReading(found.value) ? (lawFault(found.value) ?? pullFault(found.value)) : null
  return fault === null ? { entry: found.value, link: place, fault: '' } : { entry: null, link: place, fault }
}

/** Whether an entry brings files into the case. */
export function isReading<T extends { type: string }>(entry: T): entry is Extract<T, { type: Reading }> {
  return entry.type === 'added' || entry.type === 'read-again' || entry.type === 'pulled'
}

type Reading = 'added' | 'read-again' | 'pulled'

/** What a later version may write means that what this one knows of the case is not all. */
function unknownType(body: unknown): string | null {
  const type = typeof body === 'object' && body !== null && 'type' in body ? body.type : null
  if (typeof type !== 'string' || Object.hasOwn(entryShapes, type)) return null
  return `type: ${JSON.stringify(type.slice(0, 40))} is unknown to this version of Tidemark; a newer one may have written it`
}

type AddedEntry = Extract<LedgerEntry, { type: Reading }>

/** Every line, packet and record that the files count is accounted for, and stands in a segment of its kind. */
function lawFault(entry: Pick<AddedEntry, 'evidence' | 'segments'>): string | null {
  for (const [i, file] of entry.evidence.entries()) {
    const fault = accountFault(file)
    if (fault !== null) return `evidence.${i}: ${fault}`
  }
  for (const [i, segment] of entry.segments.entries()) {
    const ending = segment.kind === 'problems' ? 'ndjson' : 'parquet'
    if (segmentName.exec(segment.name)?.[1] !== segment.kind)
      return `segments.${i}: ${segment.name} is not of the kind ${segment.kind}`
    if (!segment.name.endsWith(`.${ending}`)) return `segments.${i}: ${segment.name} does not end in .${ending}`
  }
  return rowsFault(entry)
}

function accountFault(file: EvidenceEntry): string | null {
  const { capture, nfcapd, flow_table: table } = file
  if (capture !== null) {
    if (capture.packets !== capture.decoded + sumOf(capture.undecoded.map(one => one.packets)))
      return 'packets are not accounted for'
    return file.records === capture.flow_records ? null : 'records are not its flow records'
  }
  if (nfcapd !== null) {
    if (nfcapd.records !== nfcapd.flow_records + sumOf(nfcapd.skipped.map(one => one.records)))
      return 'nfcapd records are not accounted for'
    return file.records === nfcapd.flow_records ? null : 'records are not its flow records'
  }
  if (table !== null && file.records !== table.flow_records) return 'records are not its flow records'
  const lines = file.header_lines + (table?.rows ?? file.records) + file.no_data + file.skip_data + file.malformed
  return file.lines === lines ? null : `${file.lines} lines, but ${lines} are accounted for`
}

function rowsFault({ evidence, segments }: Pick<AddedEntry, 'evidence' | 'segments'>): string | null {
  for (const kind of ['flows', 'silence', 'packet-flows', 'connections'] as const) {
    const records = sumOf(evidence.map(file => rowsOf(file, kind)))
    const rows = sumOf(segments.filter(segment => segment.kind === kind).map(segment => segment.rows))
    if (rows !== records) return `its segments of ${kind} have ${rows} rows, its files ${records}`
  }
  return null
}

/** A pull says of each of its files what it is a part of, and nothing else does. */
function pullFault(entry: EntryBody): string | null {
  if (!isReading(entry)) return null
  const parts = entry.type === 'pulled' ? entry.pull.parts : []
  const rows = sumOf(entry.segments.filter(segment => segment.kind === 'pulled').map(segment => segment.rows))
  if (rows !== sumOf(parts.map(part => part.rows))) return `its segments of pulled have ${rows} rows, its parts others`
  if (entry.type !== 'pulled') return null
  const files = new Map(entry.evidence.map(file => [file.id, file]))
  if (parts.length !== files.size || new Set(parts.map(part => part.id)).size !== files.size)
    return 'its parts are not its files'
  const odd = parts.find(({ id, records }) => (files.get(id)?.records ?? Number.POSITIVE_INFINITY) > records)
  return odd === undefined ? null : `file ${odd.id} has more records than what it is a part of`
}

/** How many rows of a kind of segment a file has. Of problems, and of what it is a part of, its account does not say. */
export function rowsOf(file: EvidenceEntry, kind: Exclude<SegmentEntry['kind'], 'problems' | 'pulled'>): number {
  const { capture, nfcapd, flow_table } = file
  const isLog = !isMetered(file)
  switch (kind) {
    case 'flows':
      return isLog ? file.records : 0
    case 'silence':
      return isLog ? file.no_data + file.skip_data : 0
    case 'packet-flows':
      return (capture ?? nfcapd ?? flow_table)?.flow_records ?? 0
    case 'connections':
      return (capture ?? flow_table)?.connections ?? 0
  }
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
