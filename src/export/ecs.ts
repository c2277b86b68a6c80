/**
 * ECS (Elastic Common Schema), one document a line. What it has no field for is in `tidemark.*`.
 *
 * Source: the fields of the release below, https://github.com/elastic/ecs. Of counters, those of `source` went from it to the destination.
 */
import { protocolName } from '../net/protocols.ts'
import { microsecondsOf, utcSeconds } from '../net/time.ts'
import { type Severity, severities } from '../rules/finding.ts'
import { communityOf } from './community.ts'
import { isFour, sidesOf } from './finding-hosts.ts'
import type { ExportContext, ExportedConnection, ExportedFinding, ExportedRecord, LeftOut, Printer } from './items.ts'
import { jsonText, known } from './json-text.ts'
import { textOf, trueEnds, wholeOf } from './record-values.ts'

export const ecsRelease = '9.4.0'

export function ecsPrinter(context: ExportContext): Printer {
  return {
    record: record => line(recordDocument(record, context)),
    connection: connection => line(connectionDocument(connection, context)),
    finding: finding => line(findingDocument(finding, context)),
  }
}

function line(document: object | LeftOut): string | LeftOut {
  return 'left' in document ? document : `${jsonText(document)}\n`
}

function headOf(time: string, { version }: ExportContext): object {
  return {
    '@timestamp': time,
    ecs: { version: ecsRelease },
    observer: { product: 'Tidemark', type: 'forensics', version },
  }
}

function recordDocument(record: ExportedRecord, context: ExportContext): object {
  const ends = trueEnds(record)
  if (ends === null) return { left: 'no addresses' }
  const [start, end] = [textOf(record, 'start'), textOf(record, 'end')]
  const time = end ?? start
  if (time === null) return { left: 'no time' }
  const [bytes, packets] = [wholeOf(record, 'bytes'), wholeOf(record, 'packets')]
  const [back, packetsBack] = [wholeOf(record, 'out_bytes'), wholeOf(record, 'out_packets')]
  const direction = textOf(record, 'flow_direction')
  const isKnown = direction === 'ingress' || direction === 'egress'
  return {
    ...headOf(time, context),
    event: eventOf(record, start, end),
    source: known({ ip: ends.src, port: wholeOf(record, 'srcport'), bytes, packets }),
    destination: known({ ip: ends.dst, port: wholeOf(record, 'dstport'), bytes: back, packets: packetsBack }),
    network: known({
      ...transportOf(wholeOf(record, 'protocol'), ends.src),
      ...{ bytes: together(bytes, back), packets: together(packets, packetsBack) },
      direction: isKnown ? direction : null,
      vlan: known({ id: textOf(record, 'vlan') }),
    }),
    ...cloudOf(record),
    log: { file: { path: textOf(record, 'path') } },
    related: { ip: [...new Set([ends.src, ends.dst, ends.srcSeen, ends.dstSeen])].filter(ip => ip !== null) },
    tidemark: { record: known({ ...ownFields(record) }) },
  }
}

function eventOf(record: ExportedRecord, start: string | null, end: string | null): object {
  const action = textOf(record, 'action')
  const verdict = action === 'ACCEPT' ? ['allowed'] : action === 'REJECT' ? ['denied'] : []
  return {
    ...{ kind: 'event', category: ['network'], type: ['connection', ...verdict], module: 'tidemark' },
    ...{ dataset: 'tidemark.record' },
    ...known({
      ...{ action: action?.toLowerCase(), start, end, reason: textOf(record, 'reject_reason') },
      outcome: action === 'ACCEPT' ? 'success' : action === 'REJECT' ? 'failure' : null,
      duration: start === null || end === null ? null : nanoseconds(microsecondsOf(end) - microsecondsOf(start)),
    }),
  }
}

function nanoseconds(us: number): bigint {
  return BigInt(us) * 1000n
}

/** Of a record of one direction that one alone. */
function together(a: number | bigint | null, b: number | bigint | null): number | bigint | null {
  if (a === null || b === null) return a
  return BigInt(a) + BigInt(b)
}

function transportOf(protocol: number | bigint | null, address: string): object {
  return {
    type: isFour(address) ? 'ipv4' : 'ipv6',
    transport: protocol === null ? null : (protocolName(Number(protocol))?.toLowerCase() ?? null),
    iana_number: protocol === null ? null : String(protocol),
  }
}

function cloudOf(record: ExportedRecord): object {
  const cloud = known({
    account: known({ id: textOf(record, 'account_id') }),
    instance: known({ id: textOf(record, 'instance_id') }),
    ...{ region: textOf(record, 'region'), availability_zone: textOf(record, 'az_id') },
  })
  return Object.keys(cloud).length === 0 ? {} : { cloud: { provider: 'aws', ...cloud } }
}

/** What is told elsewhere in the document. */
const told = new Set([
  ...['path', 'srcport', 'dstport', 'protocol', 'packets', 'bytes', 'start', 'end', 'account_id', 'instance_id'],
  ...['region', 'az_id', 'vlan', 'out_bytes', 'out_packets', 'log_status'],
])

function ownFields(record: ExportedRecord): ExportedRecord {
  const own: ExportedRecord = {}
  for (const name in record) if (!told.has(name)) own[name] = record[name]!
  return own
}

function connectionDocument(c: ExportedConnection, context: ExportContext): object {
  const verdict = c.outcome === 'rejected' ? 'denied' : 'allowed'
  return {
    ...headOf(utcSeconds(c.end_us), context),
    event: {
      ...{ kind: 'event', category: ['network'], type: ['connection', verdict], module: 'tidemark' },
      ...{
        dataset: 'tidemark.connection',
        action: c.outcome,
        outcome: c.outcome === 'answered' ? 'success' : 'failure',
      },
      ...{ start: utcSeconds(c.start_us), end: utcSeconds(c.end_us), duration: nanoseconds(c.end_us - c.start_us) },
    },
    source: known({ ip: c.client, port: c.client_port, bytes: c.bytes_to_server, packets: c.packets_to_server }),
    destination: known({ ip: c.server, port: c.port, bytes: c.bytes_to_client, packets: c.packets_to_client }),
    network: known({
      ...transportOf(c.protocol, c.client),
      ...{ bytes: bothOf(c.bytes_to_server, c.bytes_to_client) },
      ...{ packets: bothOf(c.packets_to_server, c.packets_to_client) },
      ...{ community_id: communityOf(c), direction: directionOf(c) },
    }),
    related: { ip: [...new Set([c.client, c.server])] },
    tidemark: {
      connection: {
        ...{ records: c.records, rejected_records: c.rejected, role_known: c.role_known },
        ...{ role_confidence: c.role_confidence, at_least: c.at_least },
      },
    },
  }
}

function bothOf(a: number | null, b: number | null): bigint | null {
  return a === null || b === null ? null : BigInt(a) + BigInt(b)
}

function directionOf({ role_known, client_internal, server_internal }: ExportedConnection): string {
  if (client_internal && server_internal) return 'internal'
  if (!client_internal && !server_internal) return 'external'
  if (!role_known) return 'unknown'
  return client_internal ? 'outbound' : 'inbound'
}

/** As Elastic's own rules have them, of 100. */
const risk: Record<Severity, number> = { info: 0, low: 21, medium: 47, high: 73 }

function findingDocument(finding: ExportedFinding, context: ExportContext): object {
  const last = finding.last_end ?? finding.first_start
  if (last === null) return { left: 'no time' }
  const { id, rule, title, summary, severity, first_start, last_end, subject, peers, port, protocol } = finding
  const { from, to } = sidesOf(finding)
  const [source, destination] = [only(from), only(to)]
  const transport = protocol === null ? undefined : protocolName(protocol)?.toLowerCase()
  return {
    ...headOf(last, context),
    message: title,
    event: {
      ...{ kind: 'alert', category: ['network', 'intrusion_detection'], type: ['info'], module: 'tidemark' },
      ...{ dataset: 'tidemark.finding', id, severity: severities.indexOf(severity), risk_score: risk[severity] },
      ...known({ start: first_start, end: last_end }),
    },
    rule: { id: rule, name: title, description: summary, ruleset: 'tidemark' },
    ...threatOf(finding),
    ...(source !== null && { source: { ip: source } }),
    ...(destination !== null && { destination: known({ ip: destination, port }) }),
    ...(transport !== undefined && { network: { transport } }),
    related: { ip: [...new Set([...subject, ...peers].map(({ address }) => address))] },
    tidemark: { finding: ownOf(finding) },
  }
}

function only<T>(some: readonly T[]): T | null {
  return some.length === 1 ? some[0]! : null
}

function ownOf(finding: ExportedFinding): object {
  const { rule, title, summary, first_start, last_end, guardduty_types, ...rest } = finding
  const names = (hosts: ExportedFinding['subject']): string[] => hosts.map(({ address }) => address)
  return known({ ...rest, subject: names(finding.subject), peers: names(finding.peers) })
}

function threatOf({ technique, technique_name, tactic }: ExportedFinding): object {
  if (technique === null && tactic === null) return {}
  const [parent, child] = technique === null ? [] : technique.split('.')
  const [name, childName] = technique_name === null ? [] : technique_name.split(': ')
  return {
    threat: {
      framework: 'MITRE ATT&CK',
      ...(tactic !== null && { tactic: { name: [tactic] } }),
      ...(parent !== undefined && {
        technique: {
          ...{ id: [parent], ...(name !== undefined && { name: [name] }) },
          ...(child !== undefined && {
            subtechnique: { id: [`${parent}.${child}`], ...(childName !== undefined && { name: [childName] }) },
          }),
        },
      }),
    },
  }
}
