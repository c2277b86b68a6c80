import { type Conversation, type Leg, WINDOW_SECONDS } from './conversation.ts'
import { ACCOUNT_ID, PATH_INTERNET, PATH_VPC, REGION, type Sensor } from './network.ts'

/** One line of a flow log: one direction of a conversation in one window at one interface. */
export interface GeneratedRecord {
  sensor: Sensor
  srcaddr: string
  dstaddr: string
  srcport: number
  dstport: number
  protocol: number
  bytes: number
  packets: number
  tcp_flags: number
  start: number
  end: number
  action: 'ACCEPT' | 'REJECT'
}

/** A window in which an interface saw no traffic at all. */
export interface NoData {
  sensor: Sensor
  start: number
  end: number
  no_data: true
}

/** Anything that takes a line of its own in a log file, headers apart. */
export type LogRow = GeneratedRecord | NoData

/** The accepted records of a conversation at the interface that cut it into windows. */
export function recordsAt(sensor: Sensor, conversation: Conversation): GeneratedRecord[] {
  const { client, client_port, server, server_port, protocol } = conversation
  const common = { sensor, protocol, action: 'ACCEPT' as const }
  const request = { ...common, srcaddr: client, dstaddr: server, srcport: client_port, dstport: server_port }
  const answer = { ...common, srcaddr: server, dstaddr: client, srcport: server_port, dstport: client_port }
  const record = (ends: typeof request, leg: Leg | null): GeneratedRecord[] => (leg ? [{ ...ends, ...leg }] : [])
  return conversation.windows.flatMap(w => [...record(request, w.to_server), ...record(answer, w.to_client)])
}

/** The NODATA row of a window. */
export function noDataIn(sensor: Sensor, window_start: number): NoData {
  return { sensor, start: window_start, end: window_start + WINDOW_SECONDS - 1, no_data: true }
}

/** The row as a line of the log, without its line end. */
export function lineOf(row: LogRow): string {
  const { sensor, start, end } = row
  const place = `5 ${REGION} ${ACCOUNT_ID} ${sensor.instance_id} ${sensor.interface_id}`
  if ('no_data' in row) return `${place} - - - - - - - - - ${start} ${end} - NODATA - -`
  const { srcaddr, dstaddr, srcport, dstport, protocol, bytes, packets, tcp_flags, action } = row
  const flow = `IPv4 ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${bytes} ${packets} ${tcp_flags}`
  const outgoing = srcaddr === sensor.address
  const way = outgoing ? `egress ${dstaddr.startsWith('10.') ? PATH_VPC : PATH_INTERNET}` : 'ingress -'
  return `${place} ${flow} ${start} ${end} ${action} OK ${way}`
}
