import type { TextConnection, TextFlow } from '../flow-text/flow.ts'
import type { Address } from '../net/address.ts'
import { communityId } from '../net/community-id.ts'
import { isIcmp } from '../net/icmp.ts'
import { hasPorts } from '../net/protocols.ts'
import { tunnelNames } from '../packet/packet.ts'
import type { Column } from '../records/column.ts'
import { connectionFields, packetFlowFields } from '../records/packet-fields.ts'
import { type Spool, setWord } from './spool.ts'

/** A value of any column; null is unknown. */
type Value = Address | bigint | number | string | null

function set(column: Column, row: number, value: Value): void {
  if (value === null) column.setNull(row)
  else if (typeof value === 'object') {
    column.wide[row] = value.lo
    if (column.high !== null || value.hi !== 0n) column.setHigh(row, value.hi)
  } else if (typeof value === 'string') {
    if (column.type === 'id') column.ids[row] = value
    else setWord(column, row, value)
  } else if (column.type === 'u8') column.u8[row] = Number(value)
  else if (column.type === 'u16') column.u16[row] = Number(value)
  else column.wide[row] = BigInt(value)
}

function enter(spool: Spool, fields: readonly { name: string }[], values: Record<string, Value>, line: number): void {
  const { row } = spool
  for (const [i, { name }] of fields.entries()) set(spool.column(i), row, values[name] ?? null)
  spool.commit(line)
}

/** Enters a flow record of another program's table. */
export function addTextFlow(spool: Spool, flow: TextFlow, line: number): void {
  enter(
    spool,
    packetFlowFields,
    {
      srcaddr: flow.src,
      dstaddr: flow.dst,
      srcport: flow.srcPort,
      dstport: flow.dstPort,
      protocol: flow.protocol,
      packets: flow.packets,
      bytes: flow.bytes,
      start: flow.start,
      end: flow.end,
      tcp_flags: flow.flags,
      tos: flow.tos,
      icmp_type: flow.icmpType,
      icmp_code: flow.icmpCode,
      vlan: flow.vlan,
      tunnel: tunnelOf(flow.tunnel),
      flows: flow.more?.flows ?? 1n,
      input_if: flow.more?.inputIf ?? null,
      output_if: flow.more?.outputIf ?? null,
      src_as: flow.more?.srcAs ?? null,
      dst_as: flow.more?.dstAs ?? null,
      next_hop: flow.more?.nextHop ?? null,
      out_packets: flow.more?.outPackets ?? null,
      out_bytes: flow.more?.outBytes ?? null,
    },
    line,
  )
}

/** Enters a connection of Zeek's conn.log. */
export function addTextConnection(spool: Spool, c: TextConnection, line: number): void {
  enter(
    spool,
    connectionFields,
    {
      orig_addr: c.orig,
      orig_port: c.origPort,
      resp_addr: c.resp,
      resp_port: c.respPort,
      protocol: c.protocol,
      start: c.start,
      end: c.end,
      orig_packets: c.origPackets,
      orig_ip_bytes: c.origIpBytes,
      resp_packets: c.respPackets,
      resp_ip_bytes: c.respIpBytes,
      orig_bytes: c.origBytes,
      resp_bytes: c.respBytes,
      conn_state: c.state,
      history: c.history === '' ? null : c.history,
      duration_us: c.duration,
      role_basis: c.basis,
      icmp_type: c.icmpType,
      icmp_code: c.icmpCode,
      vlan: c.vlan,
      tunnel: tunnelOf(c.tunnel),
      community_id: c.communityId ?? communityOf(c),
    },
    line,
  )
}

/** Only the words that Tidemark has for them. */
function tunnelOf(word: string | null): string | null {
  return tunnelNames.find(name => name !== '' && name === word) ?? null
}

function communityOf(c: TextConnection): string | null {
  if (c.protocol === null) return null
  const [src0, src1, src2, src3] = wordsOf(c.orig)
  const [dst0, dst1, dst2, dst3] = wordsOf(c.resp)
  const icmp = isIcmp(c.protocol)
  const [srcPort, dstPort] = icmp ? [c.icmpType, c.icmpCode] : [c.origPort, c.respPort]
  if ((icmp || hasPorts(c.protocol)) && (srcPort === null || dstPort === null)) return null
  return communityId({
    ...{ src0, src1, src2, src3, dst0, dst1, dst2, dst3, protocol: c.protocol },
    ...{ srcPort: srcPort ?? 0, dstPort: dstPort ?? 0 },
  })
}

function wordsOf({ hi, lo }: Address): [number, number, number, number] {
  const word = (value: bigint): number => Number(value & 0xffffffffn)
  return [word(hi >> 32n), word(hi), word(lo >> 32n), word(lo)]
}
