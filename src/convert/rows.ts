import type { MeteredFlow } from '../meter/metered-flow.ts'
import { formatAddress } from '../net/address.ts'
import { hasPorts } from '../net/protocols.ts'
import { utcSeconds } from '../net/time.ts'
import { tunnelNames } from '../packet/packet.ts'

/** A flow record as CSV, NDJSON and Parquet tell it: addresses as text, times in UTC, unknown is null. */
export interface FlowRow {
  srcaddr: string
  srcport: number | null
  dstaddr: string
  dstport: number | null
  protocol: number
  packets: number
  bytes: number
  start: string
  end: string
  tcp_flags: number | null
  tos: number
  icmp_type: number | null
  icmp_code: number | null
  vlan: number | null
  tunnel: string | null
  tunnel_id: number | null
  flow_end: string
  first_packet: number
}

export const flowRowNames = [
  'srcaddr',
  'srcport',
  'dstaddr',
  'dstport',
  'protocol',
  'packets',
  'bytes',
  'start',
  'end',
  'tcp_flags',
  'tos',
  'icmp_type',
  'icmp_code',
  'vlan',
  'tunnel',
  'tunnel_id',
  'flow_end',
  'first_packet',
] as const satisfies readonly (keyof FlowRow)[]

export function flowRow(record: MeteredFlow): FlowRow {
  const { protocol, hasTransport } = record
  const withPorts = hasTransport && hasPorts(protocol)
  const isIcmp = hasTransport && (protocol === 1 || protocol === 58)
  return {
    srcaddr: addressText(record.src0, record.src1, record.src2, record.src3),
    srcport: withPorts ? record.srcPort : null,
    dstaddr: addressText(record.dst0, record.dst1, record.dst2, record.dst3),
    dstport: withPorts ? record.dstPort : null,
    protocol,
    packets: record.packets,
    bytes: record.bytes,
    start: utcSeconds(record.first),
    end: utcSeconds(record.last),
    tcp_flags: record.hasFlags ? record.tcpFlags : null,
    tos: record.tos,
    icmp_type: isIcmp ? record.icmpType : null,
    icmp_code: isIcmp ? record.icmpCode : null,
    vlan: record.vlan < 0 ? null : record.vlan,
    tunnel: record.tunnel === 0 ? null : tunnelNames[record.tunnel]!,
    tunnel_id: record.tunnelId < 0 ? null : record.tunnelId,
    flow_end: record.end,
    first_packet: record.firstPacket,
  }
}

/** An address in four 32-bit words, most significant first. */
export function addressText(w0: number, w1: number, w2: number, w3: number): string {
  if (w0 === 0 && w1 === 0 && w2 === 0xffff) return `${w3 >>> 24}.${(w3 >>> 16) & 255}.${(w3 >>> 8) & 255}.${w3 & 255}`
  return formatAddress((BigInt(w0 >>> 0) << 32n) | BigInt(w1 >>> 0), (BigInt(w2 >>> 0) << 32n) | BigInt(w3 >>> 0))
}
