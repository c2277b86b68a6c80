/** What events of OCSF, ECS and conn.log mean. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connLogPrinter } from '../../src/export/conn-log.ts'
import { ecsPrinter } from '../../src/export/ecs.ts'
import type { ExportedConnection, ExportedFinding, ExportedRecord, Printer } from '../../src/export/items.ts'
import { ocsfPrinter } from '../../src/export/ocsf.ts'
import { sigmaPrinter } from '../../src/export/sigma.ts'
import { stixPrinter } from '../../src/export/stix.ts'
import { randomFrom } from '../filter/flows.ts'
import { context, randomFinding } from './random.ts'

const record: ExportedRecord = {
  ...{
    path: 'a.log',
    line: 2,
    srcaddr: '10.0.0.5',
    dstaddr: '10.0.9.9',
    pkt_srcaddr: '10.0.0.5',
    pkt_dstaddr: '203.0.113.9',
  },
  ...{ srcport: 22, dstport: 40_000, protocol: 6, packets: 11, bytes: 3300, action: 'ACCEPT', tcp_flags: 19 },
  ...{ start: '2023-09-28T17:00:00Z', end: '2023-09-28T17:00:59Z', flow_direction: 'egress', traffic_path: 8 },
  ...{ interface_id: 'eni-5', account_id: '123456789012' },
}
const connection: ExportedConnection = {
  ...{ client: '203.0.113.9', server: '10.0.0.5', client_port: 40_000, port: 22, protocol: 6 },
  ...{ start_us: 1_695_920_400_000_000, end_us: 1_695_920_459_500_000, records: 2, rejected: 0 },
  ...{ packets_to_server: 12, packets_to_client: 11, bytes_to_server: 2400, bytes_to_client: 3300 },
  ...{ at_least: false, outcome: 'answered', role_known: true, role_confidence: 0.98 },
  ...{ client_internal: false, server_internal: true, opened: true, accepted: true, closed: false },
}

type Tree = { [name: string]: Tree } & { toString(): string }

function recordIn(printer: Printer, more: Partial<ExportedRecord> = {}): Tree {
  return JSON.parse(String(printer.record!({ ...record, ...more } as ExportedRecord))) as Tree
}
function connectionIn(printer: Printer, more: Partial<ExportedConnection> = {}): Tree {
  return JSON.parse(String(printer.connection!({ ...connection, ...more }))) as Tree
}

const [ocsf, ecs] = [ocsfPrinter(context), ecsPrinter(context)]

test('OCSF of a connection: out is from client to server, and it says who began', () => {
  const event = connectionIn(ocsf)
  assert.deepEqual(event['traffic'], {
    ...{ bytes_out: 2400, bytes_in: 3300, bytes: 5700, packets_out: 12, packets_in: 11, packets: 23 },
  })
  assert.deepEqual(
    [
      event['class_uid'],
      event['activity_id'],
      event['type_uid'],
      event['is_src_dst_assignment_known'],
      event['duration'],
    ],
    [4001, 6, 400_106, true, 59_500],
  )
  assert.deepEqual(event['src_endpoint'], { ip: '203.0.113.9', port: 40_000 })
})

const directions: [boolean, boolean, boolean, number, string][] = [
  [false, true, true, 1, 'inbound'],
  [true, false, true, 2, 'outbound'],
  [true, true, true, 3, 'internal'],
  [false, false, true, 0, 'external'],
  [true, true, false, 3, 'internal'],
  [true, false, false, 0, 'unknown'],
]
for (const [client_internal, server_internal, role_known, id, word] of directions)
  test(`a connection from ${client_internal ? 'inside' : 'outside'} to ${server_internal ? 'inside' : 'outside'}, began by ${role_known ? 'its client' : 'nobody knows'}: ${word}`, () => {
    const more = { client_internal, server_internal, role_known }
    assert.equal(connectionIn(ocsf, more)['connection_info']!['direction_id'], id)
    assert.equal(connectionIn(ecs, more)['network']!['direction'], word)
  })

test('OCSF of a record: the boundary, the true end with its hop, the interface at the end where it was made', () => {
  const event = recordIn(ocsf)
  assert.deepEqual(
    [
      event['connection_info']!['boundary_id'],
      event['connection_info']!['boundary'],
      event['connection_info']!['direction_id'],
    ],
    [11, 'Internet Gateway', 2],
  )
  assert.deepEqual(event['dst_endpoint'], { ip: '203.0.113.9', port: 40_000, intermediate_ips: ['10.0.9.9'] })
  assert.equal(event['src_endpoint']!['interface_uid'], 'eni-5')
  assert.deepEqual(event['traffic'], { bytes: 3300, packets: 11, bytes_out: 3300, packets_out: 11 })
  for (const path of [0, 9, null])
    assert(!('boundary_id' in recordIn(ocsf, { traffic_path: path })['connection_info']!))
})

test('a rejected record is denied, blocked and failed; one without an action says nothing of it', () => {
  const rejected = recordIn(ocsf, { action: 'REJECT', reject_reason: 'BPA' })
  assert.deepEqual(
    ['action_id', 'disposition_id', 'status_id', 'status_code'].map(name => rejected[name]),
    [2, 2, 2, 'BPA'],
  )
  const event = recordIn(ecs, { action: 'REJECT', reject_reason: 'BPA' })['event']!
  assert.deepEqual([event['outcome'], event['type'], event['reason']], ['failure', ['connection', 'denied'], 'BPA'])
  const silent = recordIn(ocsf, { action: null })
  assert.deepEqual(
    ['action_id', 'disposition_id', 'status_id'].filter(name => name in silent),
    [],
  )
  assert(!('outcome' in recordIn(ecs, { action: null })['event']!))
})

test('what is unknown is absent, and zero is zero', () => {
  const unknown = { packets: null, bytes: null, srcport: null, protocol: null, tcp_flags: null, flow_direction: null }
  const event = recordIn(ocsf, unknown)
  assert(!('traffic' in event))
  assert.deepEqual(event['connection_info'], {
    direction_id: 0,
    protocol_ver_id: 4,
    boundary_id: 11,
    boundary: 'Internet Gateway',
  })
  assert.deepEqual(recordIn(ecs, unknown)['source'], { ip: '10.0.0.5' })
  const zero = recordIn(ocsf, { bytes: 0, packets: 0, tcp_flags: 0, srcport: 0 })
  assert.deepEqual(
    [zero['traffic']!['bytes_out'], zero['connection_info']!['tcp_flags'], zero['src_endpoint']!['port']],
    [0, 0, 0],
  )
  const halfKnown = connectionIn(ocsf, { bytes_to_client: null, at_least: true })
  assert.deepEqual(halfKnown['traffic'], { bytes_out: 2400, packets_out: 12, packets_in: 11, packets: 23 })
  assert.equal(halfKnown['unmapped']!['sums_at_least'], true)
})

test('counters beyond 2^53 are exact', () => {
  assert.match(String(ocsf.record!({ ...record, bytes: 9007199254740993n })), /"bytes_out":9007199254740993[,}]/)
  assert.match(
    String(ecs.record!({ ...record, bytes: 9007199254740993n })),
    /"source":\{[^}]*"bytes":9007199254740993[,}]/,
  )
})

test('a record without a time or an end is left out, with the reason', () => {
  for (const printer of [ocsf, ecs]) {
    assert.deepEqual(printer.record!({ ...record, start: null, end: null }), { left: 'no time' })
    assert.deepEqual(printer.record!({ ...record, srcaddr: null, pkt_srcaddr: null }), { left: 'no addresses' })
  }
})

const states: [Partial<ExportedConnection>, string][] = [
  [{}, 'S1'],
  [{ closed: true }, '-'],
  [{ outcome: 'unanswered' }, 'S0'],
  [{ outcome: 'refused' }, 'REJ'],
  [{ outcome: 'rejected', rejected: 1 }, 'S0'],
  [{ opened: false }, '-'],
  [{ protocol: 17 }, '-'],
]
for (const [more, state] of states)
  test(`conn_state of ${JSON.stringify(more)} is ${state}`, () => {
    const cells = String(connLogPrinter().connection!({ ...connection, ...more })).split('\t')
    assert.equal(cells[11], state)
  })

test('conn.log does not know what a client sent that was rejected', () => {
  const more = { outcome: 'rejected', rejected: 1, packets_to_server: 0, bytes_to_server: 0 } as const
  const cells = String(connLogPrinter().connection!({ ...connection, ...more })).split('\t')
  assert.deepEqual(cells.slice(16, 20), ['-', '-', '11', '3300'])
})

const finding: ExportedFinding = {
  ...randomFinding(randomFrom(1), 1),
  ...{
    rule: 'D04-outbound-volume',
    title: 'Much data left',
    summary: '265 MB',
    severity: 'high',
    port: 8889,
    protocol: 6,
  },
  subject: [{ address: '10.0.0.5', internal: true, part: 'acts' }],
  subject_total: 1,
  peers: [
    { address: '203.0.113.9', internal: false, part: 'receives' },
    { address: '203.0.113.10', internal: false, part: 'suffers' },
  ],
  peers_total: 2,
  pairs: [
    { client: '10.0.0.5', server: '203.0.113.9' },
    { client: '10.0.0.5', server: '203.0.113.10' },
  ],
  pairs_cut: false,
}

test('STIX names as indicators outside hosts that act or receive, not victims and not our own', () => {
  const printer = stixPrinter(context)
  const text = `${String(printer.finding!(finding))}${printer.end!()}`
  assert.deepEqual(
    [...text.matchAll(/"pattern":"([^"]+)"/g)].map(([, pattern]) => pattern),
    ["[ipv4-addr:value = '203.0.113.9']"],
  )
})

test('STIX has one indicator an address: each finding is a sighting of it, the confidence is the highest, info makes none', () => {
  const printer = stixPrinter(context)
  const [early, late] = ['2023-09-28T17:00:00Z', '2023-09-28T18:00:00Z']
  const texts = [
    printer.begin!(),
    printer.finding!({ ...finding, id: 'F1', confidence: 'high', first_start: late, last_end: late }),
    printer.finding!({ ...finding, id: 'F2', confidence: 'low', first_start: early, last_end: early }),
    printer.finding!({
      ...{ ...finding, id: 'F3', severity: 'info', confidence: 'high' },
      subject: [{ address: '192.0.2.1', internal: false, part: 'acts' }],
    }),
    printer.end!(),
  ]
  const { objects } = JSON.parse(texts.join('')) as { objects: Tree[] }
  const of = (type: string): Tree[] => objects.filter(one => String(one['type']) === type)
  const indicators = of('indicator')
  assert.deepEqual(
    indicators.map(one => [one['pattern'], one['confidence'], one['valid_from'], one['name']]),
    [["[ipv4-addr:value = '203.0.113.9']", 85, '2023-09-28T17:00:00.000Z', '203.0.113.9 (F1, F2)']],
  )
  assert.deepEqual(
    of('sighting').map(one => [one['sighting_of_ref'], one['confidence']]),
    [
      [indicators[0]!['id'], 85],
      [indicators[0]!['id'], 15],
    ],
  )
  assert.deepEqual(
    of('note').map(one => (one['object_refs'] as unknown as string[]).includes(String(indicators[0]!['id']))),
    [true, true, false],
  )
})

test('Sigma says that it has no sum, and names each way with its port', () => {
  const text = String(sigmaPrinter(context).finding!(finding))
  assert.match(text, /Not in this rule: Sigma has no sum/)
  assert.match(
    text,
    /there:\n {4}src_ip:\n {6}- "10\.0\.0\.5"\n {4}dst_ip:\n {6}- "203\.0\.113\.9"\n {6}- "203\.0\.113\.10"\n {4}dst_port: 8889/,
  )
  assert.match(text, /back:\n {4}dst_ip:\n {6}- "10\.0\.0\.5"\n[\s\S]*src_port: 8889/)
})

test('Sigma counts attempts of guessing, and hosts of a scan', () => {
  const guessing = String(
    sigmaPrinter(context).finding!({ ...finding, rule: 'D02-brute-force', port: 22, connections: 400 }),
  )
  assert.match(guessing, /type: "event_count"/)
  const scan = String(sigmaPrinter(context).finding!({ ...finding, rule: 'D01-scan', port: 22 }))
  assert.match(scan, /type: "value_count"[\s\S]*field: "dst_ip"/)
})

test('a finding of which neither side is named is left out of Sigma: its rule would match everything', () => {
  const many = { ...finding, subject_total: 3000, peers_total: 3000, pairs_cut: true }
  for (const port of [8889, null]) {
    const given = sigmaPrinter(context).finding!({ ...many, port })
    assert.ok(typeof given === 'object' && /match everything/.test(given.left))
  }
  // What is counted is worth a rule all the same.
  const counted = sigmaPrinter(context).finding!({ ...many, rule: 'D02-brute-force', port: 22 })
  assert.ok(typeof counted === 'string' && !counted.includes('there or back'))
})

test('a protocol that is not known is no condition of a Sigma rule', () => {
  const guessing = { ...finding, rule: 'D02-brute-force', port: 22, protocol: null }
  assert.doesNotMatch(String(sigmaPrinter(context).finding!(guessing)), /protocol:/)
  const scan = { ...finding, rule: 'D01-scan', port: 22, protocol: null, peers_total: 1, peers: [finding.peers[0]!] }
  assert.doesNotMatch(String(sigmaPrinter(context).finding!(scan)), /, records\)"/)
  const known = String(sigmaPrinter(context).finding!({ ...scan, protocol: 17 }))
  assert.match(known, /selection:\n {4}protocol: 17/)
})

test('a list that is cut is not a condition of a Sigma rule', () => {
  const text = String(sigmaPrinter(context).finding!({ ...finding, peers_total: 3000, pairs_cut: true }))
  assert.doesNotMatch(text, /dst_ip:\n {6}- "203/)
  assert.match(text, /Left out, for their number/)
})

test('an observable of OCSF names the place where its address stands, and both where it is client and server', () => {
  const event = JSON.parse(
    String(
      ocsf.finding!({
        ...finding,
        pairs: [...finding.pairs, { client: '203.0.113.10', server: '10.0.0.5' }],
      }),
    ),
  ) as { observables: { name?: string; value: string }[]; evidences: Tree[] }
  assert.deepEqual(
    event.observables.map(({ name, value }) => [value, name]),
    [
      ['10.0.0.5', 'evidences[].src_endpoint.ip'],
      ['10.0.0.5', 'evidences[].dst_endpoint.ip'],
      ['203.0.113.9', 'evidences[].dst_endpoint.ip'],
      ['203.0.113.10', 'evidences[].src_endpoint.ip'],
      ['203.0.113.10', 'evidences[].dst_endpoint.ip'],
    ],
  )
  const unnamed = JSON.parse(String(ocsf.finding!({ ...finding, pairs: [], pairs_cut: true }))) as typeof event
  assert.deepEqual(unnamed.observables[0], { type_id: 2, type: 'IP Address', value: '10.0.0.5' })
})
