import { Meter, type MeterOptions } from '../../src/meter/meter.ts'
import type { MeteredFlow } from '../../src/meter/metered-flow.ts'
import { formatAddress } from '../../src/net/address.ts'
import type { Packet } from '../../src/packet/packet.ts'
import { epoch } from './packets.ts'

/** A flow record as plain values: ends as text, times in seconds after `epoch`. */
export interface PlainFlow {
  from: string
  to: string
  protocol: number
  packets: number
  bytes: number
  first: number
  last: number
  number: number
  flags: number
  tos: number
  type: number
  code: number
  id: number
  transport: boolean
  vlan: number
  tunnel: number
  tunnelId: number
  end: string
}

export function plainFlow(r: MeteredFlow): PlainFlow {
  return {
    from: `${addressText(r.src0, r.src1, r.src2, r.src3)} ${r.srcPort}`,
    to: `${addressText(r.dst0, r.dst1, r.dst2, r.dst3)} ${r.dstPort}`,
    protocol: r.protocol,
    packets: r.packets,
    bytes: r.bytes,
    first: (r.first - epoch) / 1e6,
    last: (r.last - epoch) / 1e6,
    number: r.firstPacket,
    flags: r.tcpFlags,
    tos: r.tos,
    type: r.icmpType,
    code: r.icmpCode,
    id: r.icmpId,
    transport: r.hasTransport,
    vlan: r.vlan,
    tunnel: r.tunnel,
    tunnelId: r.tunnelId,
    end: r.end,
  }
}

export function addressText(a: number, b: number, c: number, d: number): string {
  const half = (high: number, low: number) => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  return formatAddress(half(a, b), half(c, d))
}

/** The records of packets, in the order of the packets that began them. */
export function flowsOf(packets: readonly Packet[], options: Omit<MeterOptions, 'flows'> = {}): PlainFlow[] {
  const records: PlainFlow[] = []
  const meter = new Meter({ ...options, flows: record => records.push(plainFlow(record)) })
  for (const one of packets) meter.add(one)
  meter.finish()
  return inOrder(records)
}

export function inOrder(records: PlainFlow[]): PlainFlow[] {
  return records.sort((a, b) => a.number - b.number)
}
