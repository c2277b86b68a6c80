import type { Dossier, Finding, ServiceRow, TimelineBin } from '../../src/investigate/dossier.ts'
import type { CaseOverview } from '../../src/overview/overview.ts'
import type { EvidenceFile, EvidenceReport, FileEvent, RemoveReport } from '../../src/store/reports.ts'

const folder = '20230928/222677128680_vpcflowlogs_us-east-2_fl-0272f42338e6eeaaf_'
const attacker = '20.106.124.93'
const web = '10.130.8.94'

const noOutcomes = { answered: 0, refused: 0, unanswered: 0, rejected: 0 }
const noServices: Dossier['services_other'] = {
  ...{ count: 0, records: 0, rejected: 0, connections: 0 },
  ...{ bytes_to_server: 0, bytes_to_client: 0, packets_to_server: 0, packets_to_client: 0 },
  ...{ at_least: false, first_start: null, last_end: null, outcomes: noOutcomes },
}

/** Log file names as AWS makes them. */
export function logPath(time: string, hash: string): string {
  return `${folder}20230928T${time}Z_${hash}.log.gz`
}

export function service(given: Partial<ServiceRow>): ServiceRow {
  return {
    server: web,
    port: 80,
    protocol: 6,
    name: 'http',
    standard: true,
    client: attacker,
    subject_role: 'client',
    outcome: 'answered',
    records: 2,
    rejected: 0,
    connections: 1,
    bytes_to_server: 1200,
    bytes_to_client: 3400,
    packets_to_server: 12,
    packets_to_client: 10,
    at_least: false,
    first_start: '2023-09-28T17:22:35Z',
    last_end: '2023-09-28T23:59:59Z',
    role_basis: 'syn',
    role_confidence: 0.98,
    longest_seconds: 61,
    findings: [],
    ...given,
  }
}

export function finding(given: Partial<Finding>): Finding {
  return {
    id: 'F1',
    rule: 'web-log-in-brute-force',
    title: `Log-in brute force on the web server ${web}:80`,
    severity: 'medium',
    confidence: 'high',
    technique: 'T1110',
    technique_name: 'Brute Force',
    summary: `${attacker} opened 4,213 short connections of nearly equal size to ${web}:80 in 42 min, about 100 a minute.`,
    counter_hypotheses: ['a load test', 'a monitoring probe that someone set up wrongly.'],
    first_start: '2023-09-28T17:22:35Z',
    last_end: '2023-09-28T18:04:41Z',
    basis: ['1725', '1730', '1735', '1740'].map((time, i) => ({ path: logPath(time, 'e92fb168'), line: 12 + 31 * i })),
    basis_total: 18_250,
    services_total: 1,
    sql: 'SELECT 1',
    ...given,
  }
}

function labServices(): ServiceRow[] {
  return [
    service({
      records: 24_810,
      connections: 5120,
      bytes_to_server: 12_345_678,
      bytes_to_client: 190_703_527,
      packets_to_server: 101_222,
      packets_to_client: 150_310,
      longest_seconds: 123,
      findings: ['F1'],
    }),
    service({
      port: 22,
      name: 'ssh',
      records: 702,
      rejected: 12,
      connections: 1,
      bytes_to_server: 402_113,
      bytes_to_client: 1_204_998,
      packets_to_server: 5210,
      packets_to_client: 6001,
      first_start: '2023-09-28T18:10:02Z',
      longest_seconds: 20_997,
      findings: ['F2'],
    }),
    service({
      server: attacker,
      client: web,
      port: 8889,
      name: 'ddi-tcp-2',
      standard: false,
      subject_role: 'server',
      records: 7708,
      connections: 3,
      bytes_to_server: 265_183_813,
      bytes_to_client: 3_900_112,
      packets_to_server: 190_102,
      packets_to_client: 92_004,
      first_start: '2023-09-28T18:31:40Z',
      role_basis: 'listener',
      role_confidence: 0.85,
      longest_seconds: 19_100,
      findings: ['F3'],
    }),
  ]
}

function labRejects(): Dossier['rejects'] {
  const basis = [{ path: logPath('1725', 'e92fb168'), line: 12 }]
  return {
    total: 12,
    explained: [
      { by: 'none', reason: 'a SYN; flow logs do not tell whether a group or an ACL refused it', records: 9, basis },
      { by: 'late', reason: 'after FIN or RST of its connection', records: 3, basis },
    ],
  }
}

function labFindings(): Finding[] {
  return [
    finding({}),
    finding({
      id: 'F3',
      rule: 'data-pushed-out',
      title: `Data pushed out from ${web} to ${attacker}:8889`,
      severity: 'high',
      technique: 'T1048',
      technique_name: 'Exfiltration Over Alternative Protocol',
      summary: `${web} connected out to ${attacker} on TCP port 8889, which is no standard service, and sent 265,183,813 bytes there while 3,900,112 came back.`,
      counter_hypotheses: ['a backup to a host that nobody registered'],
      first_start: '2023-09-28T18:31:40Z',
      last_end: '2023-09-28T23:59:59Z',
      basis: [{ path: logPath('1835', '77aa01bc'), line: 240 }],
      basis_total: 7708,
    }),
    finding({
      id: 'F2',
      rule: 'interactive-session',
      title: `Interactive SSH session on ${web}:22`,
      confidence: 'medium',
      technique: 'T1021.004',
      technique_name: 'Remote Services: SSH',
      summary: 'One connection of 5 h 49 min with small packets both ways at uneven times, as a person types.',
      counter_hypotheses: [],
      first_start: '2023-09-28T18:10:02Z',
      last_end: '2023-09-28T23:59:59Z',
      basis: [{ path: logPath('1815', '0c3d11f0'), line: 101 }],
      basis_total: 702,
    }),
  ]
}

function labTimeline(): TimelineBin[] {
  const start = Date.parse('2023-09-28T17:20:00Z')
  return Array.from({ length: 80 }, (_, i) => ({
    start: new Date(start + i * 300_000).toISOString().replace('.000Z', 'Z'),
    seconds: 300,
    bytes_by_service: {
      ...(i < 9 || i % 7 === 0 ? { '0': i < 9 ? 19_000_000 + 400_000 * i : 900_000 } : {}),
      ...(i >= 10 ? { '1': 10_000 + ((i * 7919) % 13) * 2000 } : {}),
      ...(i >= 14 ? { '2': 2_000_000 + ((i * 31) % 17) * 300_000 } : {}),
    },
    bytes_other: 0,
    records: i < 9 ? 2100 : 190 + ((i * 13) % 40),
  }))
}

const words = {
  not_logged: [
    'Traffic to the Amazon DNS resolver, unless the instances use a resolver of their own.',
    'Traffic to 169.254.169.254 (instance metadata), so a theft of credentials from there leaves no line here.',
    'DHCP, Windows licence activation, the Amazon Time Sync Service and mirrored traffic.',
  ],
  cannot_tell: ['What was in the packets: flow logs carry no payload.', 'Retransmissions: the counts include them.'],
}

/** The incident of the reconstruction, with round figures where the published ones say nothing. */
export function labDossier(): Dossier {
  return {
    subject: [attacker],
    selection: { from: null, to: null, sensors: [], notes: [] },
    window: {
      first_start: '2023-09-28T17:22:35Z',
      last_start: '2023-09-28T23:59:05Z',
      last_end: '2023-09-28T23:59:59Z',
      seconds: 23_844,
    },
    window_error: { start_seconds: 60, end_seconds: 60, interval_seconds: 60, lateness_seconds: 60 },
    records: { total: 172_600, subject: 33_232, accepted: 33_220, rejected: 12 },
    bytes: { from_subject: 16_647_903, to_subject: 457_092_338, at_least: false, unsummed: 0 },
    packets: { from_subject: 198_436, to_subject: 346_413, at_least: false, unsummed: 0 },
    ports: [
      port(80, [12_405, 0, 150_310, 190_703_527], [12_405, 0, 101_222, 12_345_678]),
      port(8889, [3854, 0, 92_004, 3_900_112], [3854, 0, 190_102, 265_183_813]),
      port(22, [345, 0, 6001, 1_204_998], [357, 12, 5234, 403_553]),
      port(36_072, [3000, 0, 100_000, 200_000_000], [3000, 0, 80_000, 3_000_000]),
    ],
    services: labServices(),
    attack_surface: {
      complete: true,
      answered: labServices().map(({ server, port, protocol }) => ({ server, port, protocol })),
      refused: [],
      unanswered: [],
      rejected: [],
      not_listed: noOutcomes,
      gaps: [],
    },
    services_other: noServices,
    findings: labFindings(),
    findings_other: [],
    limits: {
      services: 10_000,
      surface: 10_000,
      findings_of_a_rule: 1000,
      gaps: 1000,
      vantages: 10_000,
      coverage: 10_000,
    },
    not_listed: { gaps: 0, coverage: 0, addresses: 0 },
    vantages_other: { count: 0, records: 0, counted: 0, copies: 0, twins: 0, translated: 0, without_endpoints: 0 },
    vantages: [vantage('eni-0b9f4a1c33aa01d27', 33_232, 33_232)],
    one_action: null,
    one_sided_logs: [],
    one_sided_total: 0,
    rejects: labRejects(),
    coverage: [sensor('eni-0b9f4a1c33aa01d27', 41_022, true), sensor('eni-0aa1b2c3d4e5f6071', 131_578, false)],
    timeline: labTimeline(),
    correlation: [],
    correlation_summary: null,
    enrichment: [],
    enrichment_problems: [],
    addresses: [],
    source: 'logs',
    ...words,
    work: [
      {
        figure: 'records.subject',
        value: 33_232,
        sql: "SELECT count(*)\nFROM flow\nWHERE '20.106.124.93' IN (srcaddr, dstaddr, pkt_srcaddr, pkt_dstaddr)",
        shell: `zcat 20230928/*.log.gz | awk '$7 == "20.106.124.93" || $8 == "20.106.124.93"' | wc -l`,
      },
      { figure: 'window.first_start', value: '2023-09-28T17:22:35Z', sql: 'SELECT min(start) FROM flow', shell: null },
    ],
    problems: [],
    evidence: {
      files: 579,
      partly_read: 0,
      unreadable: 0,
      captures: 0,
      packets: 0,
      packet_copies: 0,
      packet_copies_suspected: 0,
      nfcapd_files: 0,
      flow_tables: 0,
      malformed: 0,
      no_data: 19,
      skip_data: 0,
    },
  }
}

type Counts = [records: number, rejected: number, packets: number, bytes: number]

function port(number: number, source: Counts, destination: Counts): Dossier['ports'][number] {
  const counts = ([records, rejected, packets, bytes]: Counts) => ({ records, rejected, packets, bytes })
  return { port: number, protocol: 6, as_source: counts(source), as_destination: counts(destination) }
}

function vantage(name: string, records: number, counted: number): Dossier['vantages'][number] {
  const subscription = 'fl-0272f42338e6eeaaf'
  return {
    sensor: name,
    subscription,
    records,
    counted,
    copies: 0,
    twins: 0,
    translated: 0,
    without_endpoints: 0,
    interval_seconds: 60,
  }
}

function sensor(name: string, records: number, recorded: boolean): Dossier['coverage'][number] {
  return {
    sensor: name,
    first: '2023-09-28T00:00:03Z',
    last: '2023-09-28T23:59:59Z',
    records,
    no_data: recorded ? 0 : 19,
    skip_data: 0,
    holes: 0,
    recorded_subject: recorded,
  }
}

/** A scanner of many hosts and ports over two days, in logs with every kind of gap, seen at two places. */
export function sweepDossier(): Dossier {
  const tried = Array.from({ length: 1500 }, (_, i) => ({
    server: `10.130.${i % 40}.7`,
    port: 1 + (i % 900),
    protocol: 6,
  }))
  const row = (key: (typeof tried)[number]) =>
    service({
      ...key,
      name: null,
      standard: false,
      outcome: 'rejected',
      subject_role: 'client',
      bytes_to_server: 0,
      bytes_to_client: 0,
      packets_to_server: 0,
      packets_to_client: 0,
      records: 1,
      rejected: 1,
      role_basis: 'rejected-attempt',
      role_confidence: 0.8,
      longest_seconds: 0,
    })
  const client = '2001:db8:ffff:ffff:ffff:ffff:ffff:fffe'
  const six = service({
    server: '2001:db8::10',
    client,
    port: 443,
    name: 'https',
    last_end: '2023-09-30T02:00:00Z',
    bytes_to_client: 9_007_199_254_740_993n,
  })
  const ping = service({
    server: '10.130.8.94',
    client: '35.203.211.65',
    port: null,
    protocol: 1,
    name: 'ICMP',
    standard: null,
    outcome: 'unanswered',
  })
  const lab = labDossier()
  return {
    ...lab,
    subject: ['35.203.211.0/24', client],
    window: { ...lab.window, last_end: '2023-09-30T02:00:00Z', seconds: 117_445 },
    window_error: { start_seconds: 660, end_seconds: 60, interval_seconds: 600, lateness_seconds: 60 },
    bytes: { from_subject: 1200, to_subject: 9_007_199_254_740_993n, at_least: true, unsummed: 0 },
    packets: { from_subject: 12, to_subject: 10, at_least: true, unsummed: 0 },
    services: [...tried.map(row), six, ping],
    attack_surface: {
      complete: false,
      answered: [{ server: '2001:db8::10', port: 443, protocol: 6 }],
      refused: [
        { server: '10.130.8.94', port: 25, protocol: 6 },
        { server: '10.130.8.94', port: 587, protocol: 6 },
      ],
      unanswered: [{ server: '10.130.8.94', port: null, protocol: 1 }],
      rejected: tried,
      not_listed: noOutcomes,
      gaps: [
        {
          sensor: 'eni-0b9f4a1c33aa01d27',
          from: '2023-09-28T20:00:00Z',
          to: '2023-09-28T20:40:00Z',
          reason: 'time-gap',
          detail: 'no line for 40 min',
        },
        {
          sensor: 'eni-0b9f4a1c33aa01d27',
          from: '2023-09-28T21:00:00Z',
          to: '2023-09-28T21:01:00Z',
          reason: 'skipdata',
          detail: 'records were lost',
        },
        {
          sensor: null,
          from: null,
          to: null,
          reason: 'malformed-lines',
          path: logPath('2100', 'ab12cd34'),
          detail: '3 lines, first 17',
        },
      ],
    },
    findings: [],
    vantages: [
      { ...vantage('eni-0b9f4a1c33aa01d27', 900, 880), copies: 20 },
      {
        ...vantage('eni-0aa1b2c3d4e5f6071', 700, 10),
        subscription: null,
        twins: 650,
        translated: 40,
        interval_seconds: 600,
      },
    ],
    timeline: Array.from({ length: 33 }, (_, i) => ({
      start: new Date(Date.parse('2023-09-28T17:00:00Z') + i * 3_600_000).toISOString(),
      seconds: 3600,
      bytes_by_service: { '1500': i * 1e12 },
      bytes_other: 0,
      records: i % 5 === 0 ? 0 : i,
    })),
    problems: Array.from({ length: 31 }, (_, i) => ({
      path: logPath('2100', 'ab12cd34'),
      line: 17 + 2 * i,
      problem: '19 fields, expected 20',
    })),
    evidence: {
      files: 579,
      partly_read: 1,
      unreadable: 0,
      captures: 0,
      packets: 0,
      packet_copies: 0,
      packet_copies_suspected: 0,
      nfcapd_files: 0,
      flow_tables: 0,
      malformed: 31,
      no_data: 19,
      skip_data: 4,
    },
  }
}

/** A subject that no record names. */
export function unseenDossier(): Dossier {
  const lab = labDossier()
  const none = { from_subject: 0, to_subject: 0, at_least: false, unsummed: 0 }
  return {
    ...lab,
    subject: ['198.51.100.7'],
    window: { first_start: null, last_start: null, last_end: null, seconds: null },
    records: { total: 172_600, subject: 0, accepted: 0, rejected: 0 },
    bytes: none,
    packets: none,
    ports: [],
    services: [],
    attack_surface: {
      complete: true,
      answered: [],
      refused: [],
      unanswered: [],
      rejected: [],
      not_listed: noOutcomes,
      gaps: [],
    },
    findings: [],
    vantages: [],
    coverage: lab.coverage.map(row => ({ ...row, recorded_subject: false })),
    timeline: [],
    work: [],
  }
}

/** Control, bidirectional, invisible, wide and combining characters, and a word without a space. */
export const hostileText = `a\u001b[31mred\u001b]52;c;AAAA\u0007\r\n\t\u0000\u007f\u009b2J\u202egpj.exe\u2066\u2069\u200f\u2028\u2029\ud800 漢字かな e\u0301\u0301\u0301\u0301\u0301\u0301 ${'x'.repeat(150)}`

/** A value with `text` in the place of every string that is free text. */
export function withText<T>(value: T, text: string): T {
  return replaced(value, text, '') as T
}

const closed = ['outcome', 'role_basis', 'subject_role', 'severity', 'confidence', 'reason', 'status', 'kind', 'what']

function replaced(value: unknown, text: string, key: string): unknown {
  if (typeof value === 'string') return closed.includes(key) ? value : text
  if (Array.isArray(value)) return value.map(item => replaced(item, text, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replaced(inner, text, name)]))
}

export function evidenceFile(given: Partial<EvidenceFile>): EvidenceFile {
  return {
    id: 1,
    path: logPath('2355', 'e92fb168'),
    named: false,
    kind: 'vpc-flow-log',
    size: 8211,
    sha256: 'c0ffee00'.repeat(8),
    lines: 299,
    header_lines: 1,
    records: 298,
    no_data: 0,
    skip_data: 0,
    malformed: 0,
    first_start: '2023-09-28T23:50:02Z',
    last_end: '2023-09-28T23:55:01Z',
    status: 'read',
    problem: null,
    layout: 'version region account-id',
    sensors: ['eni-0b9f4a1c33aa01d27'],
    sensor_count: 1,
    expanded_bytes: 32_011,
    capture: null,
    nfcapd: null,
    flow_table: null,
    origin: null,
    form: null,
    archive: null,
    ...given,
  }
}

function event(what: FileEvent['what'], entry: number, time: string): FileEvent {
  return { what, entry, time, command: 'tidemark …', reason: null, by: null }
}

export function evidenceReport(): EvidenceReport {
  const cut = logPath('2315', '00ab4d1c')
  const files = [
    evidenceFile({}),
    evidenceFile({ path: logPath('2350', '1b7d9c02'), no_data: 2, records: 296 }),
    evidenceFile({
      path: cut,
      status: 'partly-read',
      problem: 'gzip data ends early, at byte 5,120',
      lines: 180,
      records: 150,
      skip_data: 1,
      malformed: 28,
      sha256: null,
    }),
    evidenceFile({
      path: logPath('2355', 'e92fb168').replace('.log', ' (1).log'),
      status: 'duplicate',
      problem: `same content as ${logPath('2355', 'e92fb168')}`,
    }),
    evidenceFile({
      path: '20230928/notes.txt',
      kind: null,
      status: 'not-evidence',
      problem: 'neither a flow log nor a capture',
      lines: 0,
      records: 0,
      header_lines: 0,
      first_start: null,
      last_end: null,
    }),
    evidenceFile({
      path: '20230928/locked.log.gz',
      status: 'unreadable',
      problem: 'permission denied',
      sha256: null,
      lines: 0,
      records: 0,
      header_lines: 0,
      first_start: null,
      last_end: null,
    }),
  ]
  return {
    case: 'case.tidemark',
    files,
    totals: { files: 3, lines: 778, header_lines: 3, records: 744, no_data: 2, skip_data: 1, malformed: 28 },
    problems: [
      { path: cut, line: 12, line_to: 14, problem: '19 fields, expected 20' },
      ...Array.from({ length: 25 }, (_, i) => ({
        path: cut,
        line: 20 + 3 * i,
        problem: 'srcaddr is no address: 10.0.0.256',
      })),
      { path: cut, offset: 5120, problem: 'gzip data ends early' },
    ],
    case_records: 744,
    case_metered_records: 0,
    history: [
      {
        ...{ id: null, path: '/evidence/20230928/headless.log', sha256: null, status: 'unreadable', records: 0 },
        counts: false,
        events: [
          event('added', 1, '2023-10-02T09:15:00.123Z'),
          {
            ...event('superseded', 2, '2023-10-02T09:20:31.500Z'),
            by: { id: 7, path: '/evidence/copies/headless.log' },
          },
        ],
      },
      {
        ...{ id: 5, path: '/evidence/other-account.log', sha256: 'ab'.repeat(32), status: 'read', records: 1200 },
        counts: true,
        events: [
          event('added', 1, '2023-10-02T09:15:00.123Z'),
          { ...event('removed', 3, '2023-10-02T10:00:00.000Z'), reason: 'the logs of another account' },
          event('restored', 4, '2023-10-02T10:05:00.000Z'),
        ],
      },
    ],
    folders_without_evidence: [],
    interrupted: false,
  }
}

const volume = (records: number, bytes: number | null) => ({ records, bytes })
export function caseOverview(): CaseOverview {
  return {
    case: '/cases/incident.tidemark',
    source: 'logs',
    pulled: null,
    span: { first_start: '2023-09-28T00:00:01Z', last_end: '2023-09-29T00:00:59Z' },
    kinds: [
      { kind: 'vpc-flow-log', files: 577, records: 172_584, size: 4_404_019 },
      { kind: 'pcap', files: 1, records: 1, size: 1100 },
    ],
    files: { read: 577, partly_read: 1, unread: 1, not_evidence: 3, out: 2 },
    records: { total: 172_584, rejected: 20_110, counted: 170_000, packets: 9_000_000, bytes: 900_000_000_000 },
    sensors: [
      {
        ...{
          sensor: 'eni-0a1b2c3d4e5f60718',
          first: '2023-09-28T00:00:01Z',
          last: '2023-09-29T00:00:59Z',
          records: 172_000,
        },
        ...{ no_data: 12, skip_data: 1, holes: 2, recorded_subject: false },
      },
      {
        ...{ sensor: null, first: '2023-09-28T10:00:00Z', last: '2023-09-28T11:00:00Z', records: 584 },
        ...{ no_data: 0, skip_data: 0, holes: 0, recorded_subject: false },
      },
    ],
    sensors_total: 14,
    accounts: [{ account_id: '222677128680', records: 172_584 }],
    accounts_total: 1,
    services: [
      { name: 'https', at: '443/tcp', ...volume(90_000, 700_000_000_000) },
      { name: '8022/tcp', at: '8022/tcp', ...volume(900, 265_183_813) },
      { name: null, at: null, ...volume(3, null) },
    ],
    services_total: 3,
    services_basis: 'port-number',
    peers: [
      { address: '20.106.124.93', ...volume(33_232, 265_183_813) },
      { address: '2001:db8:0:1:1:1:1:1', ...volume(12, null) },
    ],
    peers_total: 4012,
    gaps: {
      ...{ skip_data: 1, no_data: 12, holes: 2, malformed: 28 },
      unread_files: ['/evidence/headless.log'],
      listed: [
        {
          ...{ sensor: null, from: null, to: null, path: '/evidence/cut.log.gz', reason: 'partly-read-file' },
          detail: 'byte 5,120: gzip data ends early',
        },
      ],
    },
  }
}

export function removeReport(): RemoveReport {
  return {
    case: '/cases/incident.tidemark',
    restored: false,
    files: [
      { id: 5, path: '/evidence/other-account.log', sha256: 'ab'.repeat(32), status: 'read', records: 1200 },
      { id: null, path: '/evidence/gone.log', sha256: null, status: 'unreadable', records: 0 },
    ],
    entries: [3],
    case_records: 744,
    case_metered_records: 0,
  }
}
