import type { MeteredFlow } from '../meter/metered-flow.ts'
import { isIcmp } from '../net/icmp.ts'
import { hasPorts, TCP } from '../net/protocols.ts'
import { has, type NfcapdFlow } from '../nfcapd/flow.ts'
import { tunnelNames } from '../packet/packet.ts'
import { setNumber } from '../records/column.ts'
import { type PacketFlowColumn, packetFlowFields } from '../records/packet-fields.ts'
import { type Spool, setAddress, setHalves, setWord } from './spool.ts'

const place = Object.fromEntries(packetFlowFields.map((field, i) => [field.name, i])) as Record<
  PacketFlowColumn,
  number
>
const nfcapdOnly = [place.input_if, place.output_if, place.src_as, place.dst_as, place.next_hop]
const ways = ['out_packets', 'out_bytes'] as const
const meteredOnly = [place.tunnel, place.tunnel_id, place.flow_end]

/** Enters a metered flow record. */
export function addMetered(spool: Spool, record: MeteredFlow): void {
  const { row } = spool
  const at = (name: PacketFlowColumn) => spool.column(place[name])
  setAddress(at('srcaddr'), row, record.src0, record.src1, record.src2, record.src3)
  setAddress(at('dstaddr'), row, record.dst0, record.dst1, record.dst2, record.dst3)
  const { protocol } = record
  at('protocol').u8[row] = protocol
  if (record.hasTransport && hasPorts(protocol)) {
    at('srcport').u16[row] = record.srcPort
    at('dstport').u16[row] = record.dstPort
  } else {
    at('srcport').setNull(row)
    at('dstport').setNull(row)
  }
  setNumber(at('packets'), row, record.packets)
  setNumber(at('bytes'), row, record.bytes)
  setNumber(at('start'), row, record.first)
  setNumber(at('end'), row, record.last)
  at('tos').u8[row] = record.tos
  setFlags(spool, record.hasFlags ? record.tcpFlags : null)
  setIcmp(spool, record.hasTransport && isIcmp(protocol), record.icmpType, record.icmpCode)
  if (record.vlan >= 0) at('vlan').u16[row] = record.vlan
  else at('vlan').setNull(row)
  if (record.tunnel !== 0) setWord(at('tunnel'), row, tunnelNames[record.tunnel]!)
  else at('tunnel').setNull(row)
  if (record.tunnelId >= 0) setNumber(at('tunnel_id'), row, record.tunnelId)
  else at('tunnel_id').setNull(row)
  setWord(at('flow_end'), row, record.end)
  for (const column of nfcapdOnly) spool.column(column).setNull(row)
  setNumber(at('flows'), row, 1)
  for (const name of ways) at(name).setNull(row)
  spool.commit(record.firstPacket)
}

/** Enters a flow record of an nfcapd file. */
export function addNfcapd(spool: Spool, flow: NfcapdFlow): void {
  const { row } = spool
  const at = (name: PacketFlowColumn) => spool.column(place[name])
  if (flow.version === 0) {
    at('srcaddr').setNull(row)
    at('dstaddr').setNull(row)
  } else {
    setAddress(at('srcaddr'), row, flow.src0, flow.src1, flow.src2, flow.src3)
    setAddress(at('dstaddr'), row, flow.dst0, flow.dst1, flow.dst2, flow.dst3)
  }
  const { protocol } = flow
  at('protocol').u8[row] = protocol
  if (hasPorts(protocol)) {
    at('srcport').u16[row] = flow.srcPort
    at('dstport').u16[row] = flow.dstPort
  } else {
    at('srcport').setNull(row)
    at('dstport').setNull(row)
  }
  setHalves(at('packets'), row, flow.packetsLow, flow.packetsHigh)
  setHalves(at('bytes'), row, flow.bytesLow, flow.bytesHigh)
  setNfcapdTimes(spool, flow)
  at('tos').u8[row] = flow.tos
  setFlags(spool, protocol === TCP ? flow.tcpFlags : null)
  setIcmp(spool, isIcmp(protocol), flow.icmpType, flow.icmpCode)
  if (flow.has & has.vlan && flow.srcVlan !== 0) at('vlan').u16[row] = flow.srcVlan
  else at('vlan').setNull(row)
  if (flow.has & has.misc) {
    setNumber(at('input_if'), row, flow.input)
    setNumber(at('output_if'), row, flow.output)
  } else {
    at('input_if').setNull(row)
    at('output_if').setNull(row)
  }
  if (flow.has & has.as) {
    setNumber(at('src_as'), row, flow.srcAs)
    setNumber(at('dst_as'), row, flow.dstAs)
  } else {
    at('src_as').setNull(row)
    at('dst_as').setNull(row)
  }
  if (flow.has & has.nextHop)
    setAddress(at('next_hop'), row, flow.nextHop0, flow.nextHop1, flow.nextHop2, flow.nextHop3)
  else at('next_hop').setNull(row)
  // 0 of a flow as it came.
  if (flow.flowsLow === 0 && flow.flowsHigh === 0) setNumber(at('flows'), row, 1)
  else setHalves(at('flows'), row, flow.flowsLow, flow.flowsHigh)
  if (flow.has & has.counters) {
    setHalves(at('out_packets'), row, flow.outPacketsLow, flow.outPacketsHigh)
    setHalves(at('out_bytes'), row, flow.outBytesLow, flow.outBytesHigh)
  } else for (const name of ways) at(name).setNull(row)
  for (const column of meteredOnly) spool.column(column).setNull(row)
  spool.commit(flow.number)
}

/** An event of a firewall may have no times; a time that no clock says is unknown. */
function setNfcapdTimes(spool: Spool, flow: NfcapdFlow): void {
  for (const [name, time] of [
    ['start', flow.first],
    ['end', flow.last],
  ] as const) {
    const column = spool.column(place[name])
    if (time > 0) setNumber(column, spool.row, time)
    else column.setNull(spool.row)
  }
}

function setFlags(spool: Spool, flags: number | null): void {
  const column = spool.column(place.tcp_flags)
  if (flags === null) column.setNull(spool.row)
  else column.u8[spool.row] = flags
}

function setIcmp(spool: Spool, known: boolean, type: number, code: number): void {
  const { row } = spool
  for (const [column, value] of [
    [spool.column(place.icmp_type), type],
    [spool.column(place.icmp_code), code],
  ] as const) {
    if (known) column.u8[row] = value
    else column.setNull(row)
  }
}
