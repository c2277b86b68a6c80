import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { fit } from '../../src/shape.ts'
import { entryBody, entryOf } from '../../src/store/ledger-entry.ts'
import { type Chance, chanceFrom, setting } from '../robustness/support.ts'

// The same shape, told to a validator that others wrote: an untrusted ledger is checked no less strictly than by it.
const text = z.string()
const count = z.number().int().nonnegative()
const wideCount = z.union([count, z.bigint().nonnegative()])
const timeShape = /^[-+]?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/
const knownTime = text.refine(one => timeShape.test(one) && !Number.isNaN(Date.parse(one)), 'not a time')
const time = knownTime.nullable()
const digest = text.regex(/^[0-9a-f]{64}$/)
const fileNumber = count.max(2 ** 32 - 1)

const counted = z.array(z.object({ name: text, packets: count }))

const captureAccount = z.object({
  packets: count,
  decoded: count,
  undecoded: counted,
  lost: z.object({ packets: count, first: knownTime, last: knownTime, reasons: counted }).nullable().default(null),
  cut: count,
  without_transport: count,
  fragments: count,
  tunnels: counted,
  out_of_order: count,
  untimed: count,
  wire_bytes: wideCount,
  ip_bytes: count,
  interfaces: count,
  dropped: wideCount.nullable(),
  copies: count.default(0),
  copies_suspected: count.default(0),
  flow_records: count,
  connections: count,
  evicted: count,
  flows_evicted: count.optional(),
})

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
  both_ways: count.default(0),
  anonymised: count,
})

const tableAccount = z.object({
  ...{ rows: count, flow_records: count, connections: count },
  note: z.string().nullable().default(null),
})

const evidenceEntry = z.object({
  id: fileNumber.nullable(),
  path: text,
  path_bytes: text
    .regex(/^([0-9a-f]{2})+$/)
    .nullable()
    .default(null),
  archive: z
    .object({ path: text, members: z.array(count) })
    .nullable()
    .default(null),
  named: z.boolean().default(false),
  origin: z
    .object({ uri: text, etag: text.nullable(), size: count, version_id: text.nullable() })
    .nullable()
    .default(null),
  kind: z
    .enum([
      ...(['vpc-flow-log', 'vpc-flow-log-parquet', 'tgw-flow-log', 'pcap', 'pcapng', 'nfcapd'] as const),
      ...(['conn-log', 'flow-table', 'archive'] as const),
    ])
    .nullable(),
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
  form: text.nullable().default(null),
  sensors: z.array(text),
  sensor_count: count,
  expanded_bytes: count,
  capture: captureAccount.nullable().default(null),
  nfcapd: nfcapdAccount.nullable().default(null),
  flow_table: tableAccount.nullable().default(null),
})

const segmentName = /^(flows|silence|problems|packet-flows|connections)-[0-9]{6,}-[0-9a-f]{8}\.(parquet|ndjson)$/

const segmentEntry = z.object({
  name: text.regex(segmentName),
  kind: z.enum(['flows', 'silence', 'problems', 'packet-flows', 'connections']),
  rows: count,
  bytes: count,
  sha256: digest,
  columns: z.array(text),
})

const place = { seq: count, prev: text, time: text, tidemark: text, command: text }
const readings = { ...place, evidence: z.array(evidenceEntry), segments: z.array(segmentEntry) }
const fileReference = z.object({ entry: count, at: count, id: fileNumber.nullable(), sha256: digest.nullable() })
const changes = { ...place, files: z.array(fileReference), reason: text.nullable() }

const entryBodyOfOthers = z.discriminatedUnion('type', [
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
  z.object({ type: z.literal('added'), ...readings }),
  z.object({ type: z.literal('read-again'), ...readings }),
  z.object({ type: z.literal('removed'), ...changes }),
  z.object({ type: z.literal('restored'), ...changes }),
])

const undecoded = [{ name: 'ARP', packets: 2 }]
const file = {
  ...{
    id: 1,
    path: 'logs/a.log',
    path_bytes: null,
    named: false,
    kind: 'vpc-flow-log',
    size: 10,
    sha256: 'a'.repeat(64),
  },
  ...{
    lines: 3,
    header_lines: 1,
    records: 1,
    no_data: 1,
    skip_data: 0,
    malformed: 0,
    first_start: '2023-09-28T17:22:35Z',
  },
  ...{
    last_end: '2023-09-28T17:23:35.5Z',
    status: 'read',
    problem: null,
    layout: 'a b',
    sensors: ['eni-1'],
    sensor_count: 1,
  },
  ...{ expanded_bytes: 20, archive: null, form: null, capture: null, nfcapd: null, flow_table: null, origin: null },
}
const captured = {
  ...{
    packets: 5,
    decoded: 3,
    undecoded: undecoded,
    cut: 0,
    without_transport: 0,
    fragments: 0,
    tunnels: [],
    out_of_order: 0,
  },
  lost: { packets: 2, first: '2023-09-28T17:22:35Z', last: '2023-09-28T17:22:35Z', reasons: undecoded },
  ...{ untimed: 0, wire_bytes: 2n ** 60n, ip_bytes: 5, interfaces: 1, dropped: null, copies: 0, copies_suspected: 0 },
  ...{ flow_records: 1, connections: 1, evicted: 0, flows_evicted: 0 },
}
const nfcapd = {
  ...{ layout: 2, compression: 'lz4', ident: 'x', blocks: 1, blocks_read: 1, records: 3, flow_records: 1 },
  ...{ skipped: [{ name: 'x', records: 2 }], sampled: 0, both_ways: 0, anonymised: 0 },
}
const flow_table = { rows: 2, flow_records: 1, connections: 1 }
const archive = { path: '/a.zip', members: [0, 2] }
const origin = { uri: 's3://b/k', etag: '"0a"', size: 5, version_id: null }
const segment = {
  ...{
    name: 'flows-000001-0a1b2c3d.parquet',
    kind: 'flows',
    rows: 1,
    bytes: 100,
    sha256: 'b'.repeat(64),
    columns: ['_file'],
  },
}
const reference = { entry: 1, at: 2, id: null, sha256: null }
const sound: object[] = [
  {
    ...{
      type: 'created',
      seq: 0,
      prev: '0'.repeat(64),
      time: 'now',
      schema: 1,
      tidemark: '1',
      duckdb: '1',
      node: '20',
    },
    readme_sha256: 'x',
  },
  {
    ...{ type: 'added', seq: 1, prev: 'c'.repeat(64), time: 'now', tidemark: '1', command: 'add' },
    evidence: [
      file,
      { ...file, id: 2, kind: 'pcap', capture: captured, path_bytes: '00ff' },
      { ...file, id: 3, kind: 'nfcapd', nfcapd, sha256: null },
      { ...file, id: 4, kind: 'conn-log', flow_table, archive, origin, form: 'CSV, column 2' },
    ],
    segments: [segment],
  },
  {
    ...{ type: 'read-again', seq: 2, prev: 'd'.repeat(64), time: 'now', tidemark: '1', command: 'add --again' },
    evidence: [{ ...file, id: 4 }],
    segments: [],
  },
  {
    ...{ type: 'removed', seq: 3, prev: 'e'.repeat(64), time: 'now', tidemark: '1', command: 'remove' },
    files: [{ entry: 1, at: 0, id: 1, sha256: 'a'.repeat(64) }, reference],
    reason: 'x',
  },
  {
    ...{ type: 'restored', seq: 4, prev: 'f'.repeat(64), time: 'now', tidemark: '1', command: 'remove --undo' },
    files: [reference],
    reason: null,
  },
]

const strange: unknown[] = [
  ...[null, true, false, 0, -0, 1, -1, 1.5, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 60, 10n, -1n, 2n ** 64n],
  ...[
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    'x',
    '0',
    '7',
    'pcap',
    'read',
    'flows',
    'a'.repeat(64),
    'A'.repeat(64),
    '0f',
    '0f0',
  ],
  ...[
    '2023-09-28T17:22:35Z',
    '2023-99-28T17:22:35Z',
    '2023-09-28',
    '-0001-01-01T00:00:00Z',
    'flows-000001-0a1b2c3d.parquet\n',
  ],
  ...[
    'problems-000001-0a1b2c3d.ndjson',
    '../flows-000001-0a1b2c3d.parquet',
    [],
    {},
    [[]],
    [{}],
    ['x'],
    [1],
    { name: 'x' },
  ],
  ...[
    { name: 'x', packets: 1 },
    [{ name: 'x', packets: 1, more: 1 }],
    captured,
    nfcapd,
    file,
    segment,
    reference,
    flow_table,
    archive,
  ],
]

/** Every place of a value: the object or list that holds it, and its key there. */
function placesOf(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== 'object' || value === null) return []
  const holder = value as Record<string, unknown>
  return Object.keys(holder).flatMap(key => [[holder, key] as [typeof holder, string], ...placesOf(holder[key])])
}

function changed(chance: Chance): unknown {
  const body = { value: structuredClone(chance.pick(sound)) as unknown }
  for (let i = chance.int(1, 2); i > 0; i--) {
    const places = placesOf(body)
    if (places.length === 0) break
    const [holder, key] = chance.pick(places)
    const kind = chance.int(0, 9)
    if (kind === 0) delete holder[key]
    else if (kind === 1)
      holder[chance.pick(['more', '__proto__x', 'constructor', 'toString'])] = structuredClone(chance.pick(strange))
    else holder[key] = structuredClone(chance.pick(strange))
  }
  return body.value
}

const link = z.object({ seq: count, prev: text })

test('entries are accepted as by a validator that others wrote, and read the same', () => {
  const changes = setting('LEDGER_CHANGES', 3000)
  const chance = chanceFrom(579)
  let refused = 0
  for (let i = 0; i < changes + sound.length; i++) {
    const body = i < sound.length ? sound[i] : changed(chance)
    const theirs = entryBodyOfOthers.safeParse(body)
    const ours = fit(entryBody, body)
    if (!theirs.success) refused++
    assert.equal(ours.fault === null, theirs.success, `change ${i}: ${ours.fault} ${theirs.error?.message}`)
    if (theirs.success) assert.deepEqual(ours.value, theirs.data, `change ${i}`)
    assert.equal(entryOf(body).link !== null, link.safeParse(body).success, `change ${i}`)
  }
  assert.ok(refused > changes / 4 && refused < changes * 0.95, String(refused))
})

test('what does not fit is named by its place', () => {
  for (const [change, fault] of [
    [{ evidence: [{ ...file, lines: '3' }] }, /^evidence\.0\.lines: not a count$/],
    [{ segments: [segment, { ...segment, kind: 'x' }] }, /^segments\.1\.kind: not flows or silence/],
    [{ evidence: 7 }, /^evidence: not a list$/],
    [{ type: 'erased' }, /^type: not created or added or read-again or pulled or removed or restored$/],
  ] as const)
    assert.match(fit(entryBody, { ...sound[1], ...change }).fault ?? '', fault)
  assert.match(fit(entryBody, []).fault ?? '', /^not an object$/)
})
