/** Random records, connections and findings, with texts that mean harm. */
import type { ExportContext, ExportedConnection, ExportedFinding, ExportedRecord } from '../../src/export/items.ts'
import { utcSeconds } from '../../src/net/time.ts'
import { pick, type Random } from '../filter/flows.ts'

export const context: ExportContext = { version: '0.1.0', source: 'logs', key: 'a-case' }

export const hostileTexts = [
  '=cmd|"/c calc"!A1',
  '+1+1',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '\0=1',
  '＝1+1',
  '＋1',
  '－1',
  '＠x',
  ' =1',
  "'=1",
  "''=1",
  "'",
  '\\x1b[31m',
  '\u001b[31mred',
  '\u009b31m',
  '\u202eevil',
  '<script>alert(1)</script>',
  '"; DROP TABLE flows; --',
  'a,b;c"d',
  'two\nlines',
  '---\n- yaml: !!python/object:os.system',
  '{{7*7}} %{7*7} $(7)',
  '\u{e0041}\u{1f600}',
  '\ud800',
  '\ufeffbom',
  '',
  ' blank ',
  '\\\\',
  '\\u{41}',
]

const addresses = ['10.0.0.5', '10.0.1.9', '203.0.113.7', '198.51.100.20', '192.0.2.1', '2001:db8::1', '2001:db8:0:1::']
const severities = ['info', 'low', 'medium', 'high'] as const
const confidences = ['low', 'medium', 'high'] as const
const begin_us = Date.UTC(2023, 8, 28, 17) * 1000

const below = (random: Random, n: number): number => Math.floor(random() * n)
const maybe = <T>(random: Random, value: T): T | null => (random() < 0.3 ? null : value)

export function text(random: Random): string {
  const one = pick(random, hostileTexts)
  return random() < 0.3 ? `${one}${pick(random, hostileTexts)}` : one
}

export function randomRecord(random: Random): ExportedRecord {
  const start = begin_us + below(random, 1e9)
  const counter = (): number | bigint | null => maybe(random, pick(random, [0, 1, 84, 1e9, 9007199254740993n]))
  return {
    ...{ path: `logs/${text(random)}.log.gz`, line: 1 + below(random, 1000), version: 5 },
    ...{ srcaddr: pick(random, addresses), dstaddr: pick(random, addresses) },
    pkt_srcaddr: maybe(random, pick(random, addresses)),
    pkt_dstaddr: maybe(random, pick(random, addresses)),
    ...{ srcport: maybe(random, below(random, 65536)), dstport: maybe(random, below(random, 65536)) },
    protocol: maybe(random, pick(random, [1, 6, 17, 58, 61, 255])),
    ...{ packets: counter(), bytes: counter(), start: utcSeconds(start) },
    end: maybe(random, utcSeconds(start + below(random, 6e7))),
    action: maybe(random, pick(random, ['ACCEPT', 'REJECT', text(random)])),
    ...{ account_id: maybe(random, text(random)), region: maybe(random, 'eu-west-1'), log_status: 'OK' },
    ...{ interface_id: maybe(random, 'eni-1'), vpc_id: maybe(random, 'vpc-1'), instance_id: maybe(random, 'i-1') },
    flow_direction: maybe(random, pick(random, ['ingress', 'egress'])),
    traffic_path: maybe(random, below(random, 10)),
    tcp_flags: maybe(random, pick(random, [0, 2, 3, 18, 19])),
    ...{ reject_reason: maybe(random, 'BPA'), pkt_dst_aws_service: maybe(random, text(random)) },
    instance_tag: maybe(random, text(random)),
  }
}

export function randomConnection(random: Random): ExportedConnection {
  const start_us = begin_us + below(random, 1e9)
  const sum = (): number | null => maybe(random, pick(random, [0, 1, 60, 265_000_000, Number.MAX_SAFE_INTEGER]))
  const protocol = maybe(random, pick(random, [1, 6, 17, 47, 58]))
  const port = (): number | null => (protocol === 6 || protocol === 17 ? maybe(random, below(random, 65536)) : null)
  const isFour = random() < 0.8
  const host = (): string => pick(random, isFour ? addresses.slice(0, 5) : addresses.slice(5))
  return {
    ...{ client: host(), server: host(), client_port: port(), port: port(), protocol, start_us },
    end_us: start_us + pick(random, [0, 1, 999, 1000, 60_000_000]),
    ...{ packets_to_server: sum(), packets_to_client: sum(), bytes_to_server: sum(), bytes_to_client: sum() },
    ...{ at_least: random() < 0.2, records: 1 + below(random, 9), rejected: below(random, 3) },
    outcome: pick(random, ['rejected', 'refused', 'unanswered', 'answered'] as const),
    ...{ role_known: random() < 0.8, role_confidence: below(random, 101) / 100 },
    ...{ client_internal: random() < 0.5, server_internal: random() < 0.5 },
    ...{ opened: random() < 0.5, accepted: random() < 0.5, closed: random() < 0.5 },
  }
}

export function randomFinding(random: Random, number: number): ExportedFinding {
  const first = begin_us + below(random, 1e9)
  const hosts = (most: number): ExportedFinding['subject'] =>
    [...new Set(Array.from({ length: 1 + below(random, most) }, () => pick(random, addresses)))].map(address => ({
      ...{ address, internal: address.startsWith('10.') },
      part: pick(random, ['acts', 'receives', 'suffers', 'reaches', 'none'] as const),
    }))
  const [subject, peers] = [hosts(2), hosts(3)]
  const pairs = subject.flatMap(({ address: one }) =>
    peers.map(({ address: other }) =>
      random() < 0.7 ? { client: one, server: other } : { client: other, server: one },
    ),
  )
  const [technique, technique_name] = pick(random, [
    ['T1110', 'Brute Force'],
    ['T1595.001', 'Active Scanning: Scanning IP Blocks'],
    [null, null],
  ] as const)
  return {
    ...{ id: `F${number}`, title: text(random), summary: text(random) },
    rule: pick(random, ['D01-scan', 'D02-brute-force', 'D04-outbound-volume', 'D15-flood', 'D03-beacon', 'X01-own']),
    ...{ severity: pick(random, severities), confidence: pick(random, confidences) },
    ...{ tactic: maybe(random, pick(random, ['discovery', 'exfiltration'])), technique, technique_name },
    scores: [{ name: text(random), value: random(), threshold: text(random) }],
    ...{ would_change: maybe(random, text(random)), counter_hypotheses: [text(random)] },
    ...{ first_start: utcSeconds(first), last_end: utcSeconds(first + below(random, 1e9)) },
    ...{ subject, subject_total: subject.length, peers, peers_total: peers.length + below(random, 2) * 600 },
    ...{ pairs, pairs_cut: peers.length > 2 },
    ...{ port: maybe(random, below(random, 65536)), protocol: maybe(random, 6), connections: maybe(random, 40) },
    ...{
      basis: [{ path: text(random), line: 7 }],
      basis_total: 80,
      guardduty_types: [],
      ...{ verdict: maybe(random, pick(random, ['confirmed', 'refuted', 'open'] as const)), comments: [text(random)] },
      sql: maybe(random, text(random)),
    },
  }
}
