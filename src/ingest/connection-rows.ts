import { communityOf } from '../meter/community.ts'
import type { ConnectionRecord, RoleBasis } from '../meter/connection-record.ts'
import { hasPorts } from '../net/protocols.ts'
import { tunnelNames } from '../packet/packet.ts'
import { setNumber } from '../records/column.ts'
import { type ConnectionColumn, connectionFields } from '../records/packet-fields.ts'
import { type Spool, setAddress, setWord } from './spool.ts'

const place = Object.fromEntries(connectionFields.map((field, i) => [field.name, i])) as Record<
  ConnectionColumn,
  number
>
const basisWords: Record<RoleBasis, string> = {
  syn: 'syn',
  syn_ack: 'syn-ack',
  icmp_type: 'icmp-type',
  server_port: 'port-number',
  first_packet: 'first-seen',
}

/** Enters a connection. */
export function addConnection(spool: Spool, c: ConnectionRecord): void {
  const { row } = spool
  const at = (name: ConnectionColumn) => spool.column(place[name])
  const numberOrNull = (name: ConnectionColumn, value: number): void => {
    const column = at(name)
    if (value < 0) column.setNull(row)
    else if (column.type === 'u8') column.u8[row] = value
    else if (column.type === 'u16') column.u16[row] = value
    else setNumber(column, row, value)
  }
  const withPorts = c.hasTransport && hasPorts(c.protocol)
  const isIcmp = c.hasTransport && (c.protocol === 1 || c.protocol === 58)
  setAddress(at('orig_addr'), row, c.orig0, c.orig1, c.orig2, c.orig3)
  setAddress(at('resp_addr'), row, c.resp0, c.resp1, c.resp2, c.resp3)
  numberOrNull('orig_port', withPorts ? c.origPort : -1)
  numberOrNull('resp_port', withPorts ? c.respPort : -1)
  at('protocol').u8[row] = c.protocol
  setNumber(at('start'), row, c.first)
  setNumber(at('end'), row, c.last)
  setNumber(at('orig_packets'), row, c.origPackets)
  setNumber(at('orig_ip_bytes'), row, c.origIpBytes)
  setNumber(at('resp_packets'), row, c.respPackets)
  setNumber(at('resp_ip_bytes'), row, c.respIpBytes)
  numberOrNull('orig_bytes', c.origBytes)
  numberOrNull('resp_bytes', c.respBytes)
  numberOrNull('orig_payload', c.origPayload)
  numberOrNull('resp_payload', c.respPayload)
  setWord(at('conn_state'), row, c.state)
  if (c.history === '') at('history').setNull(row)
  else setWord(at('history'), row, c.history)
  setNumber(at('duration_us'), row, c.duration)
  numberOrNull('rtt_us', c.handshakeTime)
  setWord(at('role_basis'), row, basisWords[c.basis])
  setWord(at('conn_end'), row, c.end)
  numberOrNull('icmp_type', isIcmp ? c.icmpType : -1)
  numberOrNull('icmp_code', isIcmp ? c.icmpCode : -1)
  numberOrNull('vlan', c.vlan)
  if (c.tunnel !== 0) setWord(at('tunnel'), row, tunnelNames[c.tunnel]!)
  else at('tunnel').setNull(row)
  numberOrNull('tunnel_id', c.tunnelId)
  at('community_id').ids[row] = communityOf(c)
  spool.commit(c.firstPacket)
}
