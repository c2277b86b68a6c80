// Packets filled by hand, as a decoder would fill them.
import { parseAddress } from '../../src/net/address.ts'
import { icmpCounterpart } from '../../src/net/icmp.ts'
import { Packet } from '../../src/packet/packet.ts'

/** Microseconds of a round time: the tests count from here. */
export const epoch = 1_700_000_000_000_000

export interface PacketFields {
  /** Seconds after `epoch`. */
  at?: number
  from?: string
  to?: string
  protocol?: number
  bytes?: number
  payload?: number
  flags?: string | number
  seq?: number
  ack?: number
  window?: number
  type?: number
  code?: number
  id?: number
  tos?: number
  vlan?: number
  tunnel?: number
  tunnelId?: number
  fragment?: 0 | 1 | 2 | 3
  hasTransport?: boolean
  /** TCP: false leaves the ports alone. */
  hasTcpHeader?: boolean
  number?: number
}

const letters = 'FSRPAUEC'
/** The bits of flags by their letters, as `SA` for SYN and ACK. */
export function flagBits(text: string): number {
  return [...text].reduce((bits, letter) => bits | (1 << letters.indexOf(letter)), 0)
}

let counter = 0

/** A packet; `from` and `to` are `address` or `address port`. */
export function packet(fields: PacketFields): Packet {
  const p = new Packet()
  const [src, srcPort] = end(fields.from ?? '192.0.2.1 40000')
  const [dst, dstPort] = end(fields.to ?? '198.51.100.2 443')
  p.number = fields.number ?? ++counter
  p.time = epoch + Math.round((fields.at ?? 0) * 1e6)
  ;[p.src0, p.src1, p.src2, p.src3] = src
  ;[p.dst0, p.dst1, p.dst2, p.dst3] = dst
  p.version = (fields.from ?? '').includes(':') ? 6 : 4
  p.protocol = fields.protocol ?? 6
  p.ipBytes = fields.bytes ?? 40 + (fields.payload ?? 0)
  p.payload = fields.payload ?? 0
  p.tos = fields.tos ?? 0
  p.vlan = fields.vlan ?? -1
  p.tunnel = fields.tunnel ?? 0
  p.tunnelId = fields.tunnelId ?? -1
  p.fragment = fields.fragment ?? 0
  p.hasTransport = fields.hasTransport ?? p.fragment < 2
  if (!p.hasTransport && p.fragment !== 2) return p
  if ([6, 17, 132].includes(p.protocol)) {
    p.srcPort = srcPort
    p.dstPort = dstPort
  }
  if (!p.hasTransport) return p
  if (p.protocol === 6) {
    p.hasTcpHeader = fields.hasTcpHeader ?? true
    if (!p.hasTcpHeader) return p
    p.tcpFlags = typeof fields.flags === 'number' ? fields.flags : flagBits(fields.flags ?? 'A')
    p.tcpSeq = (fields.seq ?? 0) >>> 0
    p.tcpAck = (fields.ack ?? 0) >>> 0
    p.tcpWindow = fields.window ?? 1000
  } else if (p.protocol === 1 || p.protocol === 58) {
    p.icmpType = fields.type ?? 8
    p.icmpCode = fields.code ?? 0
    p.icmpId = icmpCounterpart(p.protocol, p.icmpType) < 0 ? 0 : (fields.id ?? 0)
  }
  return p
}

function end(text: string): [[number, number, number, number], number] {
  const [address, port] = text.split(' ')
  return [wordsOf(address!), Number(port ?? 0)]
}

/** The four words of an address. */
export function wordsOf(text: string): [number, number, number, number] {
  const address = parseAddress(text)
  if (address === null) throw new Error(`no address: ${text}`)
  const word = (half: bigint, shift: bigint) => Number((half >> shift) & 0xffff_ffffn)
  return [word(address.hi, 32n), word(address.hi, 0n), word(address.lo, 32n), word(address.lo, 0n)]
}
