/**
 * OCSF (Open Cybersecurity Schema Framework), one event a line: Network Activity for flow records and connections, Detection Finding for findings.
 *
 * Source: the schema of the release below, https://schema.ocsf.io. Of counters, `out` is from the source endpoint to the destination.
 */
import { protocolName } from '../net/protocols.ts'
import { microsecondsOf } from '../net/time.ts'
import { attackRelease } from '../rules/attack.ts'
import { communityOf } from './community.ts'
import { isFour } from './finding-hosts.ts'
import type { ExportContext, ExportedConnection, ExportedFinding, ExportedRecord, LeftOut, Printer } from './items.ts'
import { jsonText, known } from './json-text.ts'
import { textOf, trueEnds, wholeOf } from './record-values.ts'

export const ocsfRelease = '1.8.0'

export function ocsfPrinter(context: ExportContext): Printer {
  return {
    record: record => line(recordEvent(record, context)),
    connection: connection => line(connectionEvent(connection, context)),
    finding: finding => line(findingEvent(finding, context)),
  }
}

function line(event: object | LeftOut): string | LeftOut {
  return 'left' in event ? event : `${jsonText(event)}\n`
}

const networkActivity = {
  ...{ activity_id: 6, activity_name: 'Traffic', category_uid: 4, category_name: 'Network Activity' },
  ...{ class_uid: 4001, class_name: 'Network Activity', type_uid: 400_106 },
  ...{ severity_id: 1, severity: 'Informational' },
} as const

function metadataOf({ version }: ExportContext, more: object): object {
  return { version: ocsfRelease, product: { name: 'Tidemark', vendor_name: 'Tidemark', version }, ...more }
}

/** What a log's `traffic-path` says, by its number; OCSF counts them from 4. */
const boundaries = [
  ...['Same VPC', 'Internet/VPC Gateway', 'Virtual Private Gateway', 'Intra-region VPC', 'Inter-region VPC'],
  ...['Local Gateway', 'Gateway VPC', 'Internet Gateway'],
]

function recordEvent(record: ExportedRecord, context: ExportContext): object {
  const ends = trueEnds(record)
  if (ends === null) return { left: 'no addresses' }
  const times = timesOf(record)
  if (times === null) return { left: 'no time' }
  const action = textOf(record, 'action')
  const cloud = cloudOf(record)
  const bytes = wholeOf(record, 'bytes')
  const packets = wholeOf(record, 'packets')
  const place = record['line'] ?? record['packet']
  return {
    metadata: metadataOf(context, {
      log_name: context.source === 'logs' ? 'VPC flow log' : 'packets',
      profiles: [...(action === null ? [] : ['security_control']), ...(cloud === null ? [] : ['cloud'])],
      original_event_uid: `${textOf(record, 'path')}:${place}`,
    }),
    ...networkActivity,
    ...times,
    ...dispositionOf(action),
    ...known({ status_code: textOf(record, 'reject_reason') }),
    ...(cloud !== null && { cloud }),
    src_endpoint: endpointOf(record, 'src', ends.src, ends.srcSeen),
    dst_endpoint: endpointOf(record, 'dst', ends.dst, ends.dstSeen),
    connection_info: known({
      ...{ direction_id: 0, ...directionOf(record), ...protocolOf(wholeOf(record, 'protocol'), ends.src) },
      ...boundaryOf(wholeOf(record, 'traffic_path')),
      tcp_flags: wholeOf(record, 'tcp_flags'),
    }),
    ...trafficOf({
      ...{ bytes, packets, bytes_out: bytes, packets_out: packets },
      ...{ bytes_in: wholeOf(record, 'out_bytes'), packets_in: wholeOf(record, 'out_packets') },
      ...totals(record, bytes, packets),
    }),
    // The source of a record is who sent its packets, not who began.
    is_src_dst_assignment_known: false,
  }
}

function cloudOf(record: ExportedRecord): object | null {
  const [account, region] = [textOf(record, 'account_id'), textOf(record, 'region')]
  if (account === null && region === null) return null
  return { provider: 'AWS', ...known({ region }), ...(account !== null && { account: { uid: account, type_id: 10 } }) }
}

function trafficOf(figures: Record<string, number | bigint | null>): object {
  return known({ traffic: known(figures) })
}

/** Of a record that counts both ways, both together. */
function totals(
  record: ExportedRecord,
  bytes: number | bigint | null,
  packets: number | bigint | null,
): Record<string, bigint | null> {
  const [back, packetsBack] = [wholeOf(record, 'out_bytes'), wholeOf(record, 'out_packets')]
  const sum = (a: number | bigint | null, b: number | bigint): bigint | null =>
    a === null ? null : BigInt(a) + BigInt(b)
  return {
    ...(back !== null && { bytes: sum(bytes, back) }),
    ...(packetsBack !== null && { packets: sum(packets, packetsBack) }),
  }
}

function timesOf(record: ExportedRecord): object | null {
  const [start, end] = [textOf(record, 'start'), textOf(record, 'end')]
  const time = start ?? end
  if (time === null) return null
  return {
    time: millisecondsOf(time),
    ...(start !== null && { start_time: millisecondsOf(start) }),
    ...(end !== null && { end_time: millisecondsOf(end) }),
  }
}

function millisecondsOf(time: string): number {
  return Math.floor(microsecondsOf(time) / 1000)
}

function dispositionOf(action: string | null): object {
  if (action === 'ACCEPT')
    return {
      ...{
        action_id: 1,
        action: 'Allowed',
        disposition_id: 1,
        disposition: 'Allowed',
        status_id: 1,
        status: 'Success',
      },
    }
  if (action === 'REJECT')
    return {
      ...{ action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked', status_id: 2, status: 'Failure' },
    }
  return action === null ? {} : { action_id: 99, action }
}

/** The interface, and what is known of it, is that of the end at which the record was made. */
function endpointOf(record: ExportedRecord, side: 'src' | 'dst', ip: string, seen: string | null): object {
  const port = wholeOf(record, `${side}port`)
  const isSensor = textOf(record, 'flow_direction') === (side === 'src' ? 'egress' : 'ingress')
  return known({
    ip,
    port,
    svc_name: textOf(record, `pkt_${side}_aws_service`),
    intermediate_ips: seen === null ? [] : [seen],
    ...(isSensor && {
      interface_uid: textOf(record, 'interface_id'),
      instance_uid: textOf(record, 'instance_id'),
      vpc_uid: textOf(record, 'vpc_id'),
      subnet_uid: textOf(record, 'subnet_id'),
      zone: textOf(record, 'az_id'),
    }),
    ...(record['tgw_id'] != null && {
      vpc_uid: textOf(record, `tgw_${side}_vpc_id`),
      subnet_uid: textOf(record, `tgw_${side}_subnet_id`),
      interface_uid: textOf(record, `tgw_${side}_eni`),
      zone: textOf(record, `tgw_${side}_az_id`),
    }),
  })
}

function directionOf(record: ExportedRecord): object {
  const direction = textOf(record, 'flow_direction')
  if (direction === 'ingress') return { direction_id: 1, direction: 'Inbound' }
  return direction === 'egress' ? { direction_id: 2, direction: 'Outbound' } : {}
}

function boundaryOf(path: number | bigint | null): object {
  const boundary = path === null ? undefined : boundaries[Number(path) - 1]
  return boundary === undefined ? {} : { boundary_id: Number(path) + 3, boundary }
}

function protocolOf(protocol: number | bigint | null, address: string): object {
  return {
    protocol_num: protocol,
    protocol_name: protocol === null ? null : (protocolName(Number(protocol))?.toLowerCase() ?? null),
    protocol_ver_id: isFour(address) ? 4 : 6,
  }
}

function connectionEvent(c: ExportedConnection, context: ExportContext): object {
  const start = Math.floor(c.start_us / 1000)
  const end = Math.floor(c.end_us / 1000)
  const [out, back] = [c.bytes_to_server, c.bytes_to_client]
  return {
    metadata: metadataOf(context, { log_name: 'Tidemark connections', profiles: ['security_control'] }),
    ...networkActivity,
    ...{ time: start, start_time: start, end_time: end, duration: end - start },
    ...outcomes[c.outcome],
    src_endpoint: known({ ip: c.client, port: c.client_port }),
    dst_endpoint: known({ ip: c.server, port: c.port }),
    connection_info: known({
      ...connectionDirection(c),
      ...protocolOf(c.protocol, c.client),
      community_uid: communityOf(c),
    }),
    ...trafficOf({
      ...{ bytes_out: out, bytes_in: back, bytes: added(out, back) },
      ...{ packets_out: c.packets_to_server, packets_in: c.packets_to_client },
      packets: added(c.packets_to_server, c.packets_to_client),
    }),
    is_src_dst_assignment_known: c.role_known,
    count: c.records,
    unmapped: { outcome: c.outcome, rejected_records: c.rejected, ...(c.at_least && { sums_at_least: true }) },
  }
}

function added(a: number | null, b: number | null): number | bigint | null {
  return a === null || b === null ? null : BigInt(a) + BigInt(b)
}

const allowed = { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed' } as const
/** A connection that nobody answered was let through all the same; one that failed was not for the network. */
const outcomes: Record<ExportedConnection['outcome'], object> = {
  answered: { ...allowed, status_id: 1, status: 'Success' },
  refused: { ...allowed, status_id: 2, status: 'Failure', status_detail: 'refused by the server' },
  unanswered: { ...allowed, status_id: 2, status: 'Failure', status_detail: 'no answer was recorded' },
  rejected: {
    ...{ action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked', status_id: 2, status: 'Failure' },
    status_detail: 'rejected by a security group, a network ACL or the like',
  },
}

function connectionDirection({ role_known, client_internal, server_internal }: ExportedConnection): object {
  if (client_internal && server_internal) return { direction_id: 3, direction: 'Lateral' }
  if (!role_known || client_internal === server_internal) return { direction_id: 0, direction: 'Unknown' }
  return client_internal ? { direction_id: 2, direction: 'Outbound' } : { direction_id: 1, direction: 'Inbound' }
}

const severityIds = { info: [1, 'Informational'], low: [2, 'Low'], medium: [3, 'Medium'], high: [4, 'High'] } as const
const confidenceIds = { low: [1, 'Low'], medium: [2, 'Medium'], high: [3, 'High'] } as const

function findingEvent(finding: ExportedFinding, context: ExportContext): object {
  const last = finding.last_end ?? finding.first_start
  if (last === null) return { left: 'no time' }
  const [severity_id, severity] = severityIds[finding.severity]
  const [confidence_id, confidence] = confidenceIds[finding.confidence]
  const times = {
    ...(finding.first_start !== null && { start_time: millisecondsOf(finding.first_start) }),
    ...(finding.last_end !== null && { end_time: millisecondsOf(finding.last_end) }),
  }
  return {
    metadata: metadataOf(context, { log_name: 'Tidemark findings', profiles: ['security_control'] }),
    ...{ activity_id: 1, activity_name: 'Create', category_uid: 2, category_name: 'Findings', class_uid: 2004 },
    ...{ class_name: 'Detection Finding', type_uid: 200_401, is_alert: true, ...statusOf(finding) },
    ...{ severity_id, severity, confidence_id, confidence, time: millisecondsOf(last), ...times },
    message: finding.title,
    ...known({ comment: finding.comments.join('\n') || null }),
    ...known({ count: finding.connections }),
    finding_info: findingInfo(finding, context),
    evidences: evidencesOf(finding),
    observables: observablesOf(finding),
    unmapped: known({
      ...{ verdict: finding.verdict, scores: finding.scores },
      ...{ would_change: finding.would_change, counter_hypotheses: finding.counter_hypotheses },
      ...{ subject_total: finding.subject_total, peers_total: finding.peers_total },
      ...{ basis_total: finding.basis_total, sql: finding.sql },
    }),
  }
}

function statusOf({ verdict }: ExportedFinding): object {
  if (verdict === 'refuted') return { status_id: 3, status: 'Suppressed' }
  return verdict === 'confirmed' ? { status_id: 2, status: 'In Progress' } : { status_id: 1, status: 'New' }
}

function findingInfo(finding: ExportedFinding, { source }: ExportContext): object {
  const { id, rule, title, summary, technique, technique_name, tactic, first_start, last_end } = finding
  const isKnown = technique !== null || tactic !== null
  return {
    ...{ uid: id, title, desc: summary, types: [rule] },
    analytic: { name: rule, uid: rule, type_id: 1, type: 'Rule' },
    data_sources: [source === 'logs' ? 'VPC flow logs' : 'packets'],
    ...known({
      first_seen_time: first_start && millisecondsOf(first_start),
      last_seen_time: last_end && millisecondsOf(last_end),
      related_events_count: finding.connections,
    }),
    ...(isKnown && {
      attacks: [
        known({
          version: attackRelease,
          tactic: known({ name: tactic }),
          technique: known({ uid: technique, name: technique_name }),
        }),
      ],
    }),
  }
}

/** The ends, pair by pair, and the lines of the evidence. */
function evidencesOf(finding: ExportedFinding): object[] {
  const { port, protocol, basis } = finding
  return [
    ...finding.pairs.map(({ client, server }) => ({
      src_endpoint: { ip: client },
      dst_endpoint: known({ ip: server, port }),
      connection_info: known({ direction_id: 0, ...protocolOf(protocol, client) }),
    })),
    { data: { basis } },
  ]
}

/** Every address, by the places in the evidences where it stands; one that stands in none, for their number, has no name. */
function observablesOf({ subject, peers, pairs }: ExportedFinding): object[] {
  const places = [
    { name: 'evidences[].src_endpoint.ip', values: new Set(pairs.map(({ client }) => client)) },
    { name: 'evidences[].dst_endpoint.ip', values: new Set(pairs.map(({ server }) => server)) },
  ]
  const values = new Set([
    ...[...subject, ...peers].map(({ address }) => address),
    ...places.flatMap(one => [...one.values]),
  ])
  return [...values].flatMap(value => {
    const names = places.filter(one => one.values.has(value)).map(({ name }) => ({ name }))
    return (names.length === 0 ? [{}] : names).map(name => ({ ...name, type_id: 2, type: 'IP Address', value }))
  })
}
