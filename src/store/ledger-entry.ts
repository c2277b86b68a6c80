/** The entries of a ledger: what they hold, and what must hold of them. */
import { z } from 'zod'

const text = z.string()
const count = z.number().int().nonnegative()
/** What may pass 2^53: sums of lengths that a capture claims, and what it claims was dropped. */
const wideCount = z.union([count, z.bigint().nonnegative()])
const timeShape = /^[-+]?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/
const knownTime = text.refine(one => timeShape.test(one) && !Number.isNaN(Date.parse(one)), 'not a time')
const time = knownTime.nullable()
const digest = text.regex(/^[0-9a-f]{64}$/)
/** Number of a file: `_file` of its records has 32 bits. */
const fileNumber = count.max(2 ** 32 - 1)

const counted = z.array(z.object({ name: text, packets: count }))

/** What a capture held. Everything is a number of packets, if it does not say otherwise: packets = decoded + all of `undecoded`. */
const captureAccount = z.object({
  packets: count,
  decoded: count,
  undecoded: counted,
  /** Of `undecoded` those that may be of IP: their flows are missing. Null: none, or a case of an older version. */
  lost: z.object({ packets: count, first: knownTime, last: knownTime, reasons: counted }).nullable().default(null),
  /** Cut by the snapshot length. */
  cut: count,
  without_transport: count,
  fragments: count,
  tunnels: counted,
  out_of_order: count,
  untimed: count,
  wire_bytes: wideCount,
  ip_bytes: count,
  interfaces: count,
  /** Packets that the capturing system says it dropped; null: it does not say. */
  dropped: wideCount.nullable(),
  /** Left out: copies of packets at another interface. Kept: packets like another one at the same interface moments before. */
  copies: count.default(0),
  copies_suspected: count.default(0),
  flow_records: count,
  connections: count,
  /** Connections, and flow records, that were ended early because there were too many at once. Older ledgers count both as the first. */
  evicted: count,
  flows_evicted: count.optional(),
})

/** What an nfcapd file held: records = flow records + all of `skipped`. */
const nfcapdAccount = z.object({
  layout: count,
  compression: text,
  ident: text,
  blocks: count,
  blocks_read: count,
  records: count,
  flow_records: count,
  skipped: z.array(z.object({ name: text, records: count })),
  sampled: count,
  /** Flow records that count the way back too. */
  both_ways: count.default(0),
  anonymised: count,
})

const evidenceEntry = z.object({
  id: fileNumber.nullable(),
  path: text,
  /** The bytes of the path as hex digits, where it is not UTF-8; `path` then shows the odd ones as \xNN. */
  path_bytes: text
    .regex(/^([0-9a-f]{2})+$/)
    .nullable()
    .default(null),
  /** Whether the user named the file itself, and not only a folder that holds it. Entries of older versions do not say. */
  named: z.boolean().default(false),
  kind: z.enum(['vpc-flow-log', 'vpc-flow-log-parquet', 'tgw-flow-log', 'pcap', 'pcapng', 'nfcapd']).nullable(),
  size: count,
  sha256: digest.nullable(),
  lines: count,
  header_lines: count,
  records: count,
  no_data: count,
  skip_data: count,
  malformed: count,
  first_start: time,
  last_end: time,
  status: z.enum(['read', 'partly-read', 'unreadable', 'duplicate', 'not-evidence']),
  problem: text.nullable(),
  layout: text.nullable(),
  sensors: z.array(text),
  sensor_count: count,
  expanded_bytes: count,
  capture: captureAccount.nullable().default(null),
  nfcapd: nfcapdAccount.nullable().default(null),
})

/** The only names that a case's files can have: no path can be smuggled in. */
export const segmentName = /^(flows|silence|problems|packet-flows|connections)-[0-9]{6,}-[0-9a-f]{8}\.(parquet|ndjson)$/

const segmentEntry = z.object({
  name: text.regex(segmentName),
  kind: z.enum(['flows', 'silence', 'problems', 'packet-flows', 'connections']),
  rows: count,
  bytes: count,
  sha256: digest,
  columns: z.array(text),
})

const entryBody = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('created'),
    seq: z.literal(0),
    prev: text,
    time: text,
    schema: z.literal(1),
    tidemark: text,
    duckdb: text,
    node: text,
    readme_sha256: text,
  }),
  z.object({
    type: z.literal('added'),
    seq: count,
    prev: text,
    time: text,
    tidemark: text,
    command: text,
    evidence: z.array(evidenceEntry),
    segments: z.array(segmentEntry),
  }),
])

export type EvidenceEntry = z.infer<typeof evidenceEntry>
export type SegmentEntry = z.infer<typeof segmentEntry>
export type LedgerEntry = z.infer<typeof entryBody> & { hash: string }
export type NewEntry = {
  [T in LedgerEntry['type']]: Omit<Extract<LedgerEntry, { type: T }>, 'seq' | 'prev' | 'hash' | 'time'>
}[LedgerEntry['type']]

/** What identifies an entry, also one whose other parts are not accepted. */
const link = z.object({ seq: count, prev: text })

/** What a line's object says: the entry, or what is wrong with it. `link` is null where not even its place can be told. */
export function entryOf(body: unknown): {
  entry: z.infer<typeof entryBody> | null
  link: z.infer<typeof link> | null
  fault: string
} {
  const place = link.safeParse(body)
  const found = entryBody.safeParse(body)
  const known = place.success ? place.data : null
  if (!found.success) return { entry: null, link: known, fault: issueText(found.error) }
  const fault = found.data.type === 'added' ? lawFault(found.data) : null
  return fault === null ? { entry: found.data, link: known, fault: '' } : { entry: null, link: known, fault }
}

function issueText(error: z.ZodError): string {
  const issue = error.issues[0]!
  const place = issue.path.map(String).join('.')
  return place === '' ? issue.message : `${place}: ${issue.message}`
}

type AddedEntry = Extract<LedgerEntry, { type: 'added' }>

/** Every line, packet and record that the files count is accounted for, and stands in a segment of its kind. */
function lawFault(entry: Omit<AddedEntry, 'hash'>): string | null {
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
  const { capture, nfcapd } = file
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
  const lines = file.header_lines + file.records + file.no_data + file.skip_data + file.malformed
  return file.lines === lines ? null : `${file.lines} lines, but ${lines} are accounted for`
}

function rowsFault({ evidence, segments }: Omit<AddedEntry, 'hash'>): string | null {
  const logs = evidence.filter(file => file.capture === null && file.nfcapd === null)
  const counted: [SegmentEntry['kind'], number][] = [
    ['flows', sumOf(logs.map(file => file.records))],
    ['silence', sumOf(logs.map(file => file.no_data + file.skip_data))],
    ['packet-flows', sumOf(evidence.map(file => file.capture?.flow_records ?? file.nfcapd?.flow_records ?? 0))],
    ['connections', sumOf(evidence.map(file => file.capture?.connections ?? 0))],
  ]
  for (const [kind, records] of counted) {
    const rows = sumOf(segments.filter(segment => segment.kind === kind).map(segment => segment.rows))
    if (rows !== records) return `its segments of ${kind} have ${rows} rows, its files ${records}`
  }
  return null
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
