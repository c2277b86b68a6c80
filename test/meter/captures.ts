// Whole captures through decoder and meter, as plain values.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { ConnectionRecord } from '../../src/meter/connection-record.ts'
import { CaptureDecoder } from '../../src/packet/capture.ts'
import type { Captured } from '../../src/packet/captured.ts'
import type { Packet } from '../../src/packet/packet.ts'
import { addressText } from './flows-of.ts'

/** Hands every decoded packet of a capture to `take`. The time of the last, in microseconds. */
export function readCapture(path: string, take: (packet: Packet, captured: Captured) => void): CaptureDecoder {
  const bytes = readFileSync(path)
  const decoder = new CaptureDecoder(take)
  decoder.feed(path.endsWith('.gz') ? gunzipSync(bytes) : bytes)
  decoder.end()
  return decoder
}

export interface PlainConnection {
  orig: string
  resp: string
  protocol: number
  state: string
  history: string
  origPackets: number
  respPackets: number
  origIpBytes: number
  respIpBytes: number
  origBytes: number
  respBytes: number
  origPayload: number
  respPayload: number
  seconds: number
  basis: string
  synAckTime: number
  handshakeTime: number
  number: number
  end: string
}

export function plainConnection(c: ConnectionRecord): PlainConnection {
  const isIcmp = c.protocol === 1 || c.protocol === 58
  return {
    orig: `${addressText(c.orig0, c.orig1, c.orig2, c.orig3)} ${isIcmp ? c.icmpType : c.origPort}`,
    resp: `${addressText(c.resp0, c.resp1, c.resp2, c.resp3)} ${isIcmp ? '*' : c.respPort}`,
    protocol: c.protocol,
    state: c.state,
    history: c.history,
    origPackets: c.origPackets,
    respPackets: c.respPackets,
    origIpBytes: c.origIpBytes,
    respIpBytes: c.respIpBytes,
    origBytes: c.origBytes,
    respBytes: c.respBytes,
    origPayload: c.origPayload,
    respPayload: c.respPayload,
    seconds: c.duration / 1e6,
    basis: c.basis,
    synAckTime: c.synAckTime,
    handshakeTime: c.handshakeTime,
    number: c.firstPacket,
    end: c.end,
  }
}

/**
 * What is wrong with the checksums of a packet: `ip` (RFC 1071, of the IPv4 header), `transport` (TCP, UDP, ICMP), or nothing.
 * Packets that are not wholly in the capture, or in fragments, are not judged.
 */
export function badChecksum(packet: Packet, captured: Captured): 'ip' | 'transport' | '' {
  const at = findIp(packet, captured)
  if (at < 0 || packet.fragment !== 0) return ''
  const { bytes } = captured
  const header = packet.version === 4 ? (bytes[at]! & 15) * 4 : 40
  if (packet.version === 4 && sum(bytes, at, at + header, 0) !== 0xffff) return 'ip'
  const end = at + packet.ipBytes
  if (end > captured.to || (packet.version === 6 && bytes[at + 6] !== packet.protocol)) return ''
  const from = at + header
  const isUdp = packet.protocol === 17
  if (packet.protocol === 1) return sum(bytes, from, end, 0) === 0xffff ? '' : 'transport'
  if (packet.protocol !== 6 && !isUdp && packet.protocol !== 58) return ''
  if (isUdp && packet.version === 4 && bytes[from + 6] === 0 && bytes[from + 7] === 0) return ''
  const addresses = packet.version === 4 ? [at + 12, at + 20] : [at + 8, at + 40]
  const pseudo = sum(bytes, addresses[0]!, addresses[1]!, packet.protocol + end - from)
  return sum(bytes, from, end, pseudo) === 0xffff ? '' : 'transport'
}

/** Where the innermost IP header begins: where the addresses of the packet are in their place. */
function findIp(packet: Packet, { bytes, from, to }: Captured): number {
  const isFour = packet.version === 4
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let at = from; at + (isFour ? 20 : 40) <= to; at++) {
    if (bytes[at]! >>> 4 !== packet.version) continue
    if (isFour) {
      const isHere = view.getUint32(at + 12) === packet.src3 && view.getUint32(at + 16) === packet.dst3
      if (isHere && view.getUint16(at + 2) === packet.ipBytes) return at
    } else if (view.getUint32(at + 20) === packet.src3 && view.getUint32(at + 36) === packet.dst3) return at
  }
  return -1
}

function sum(bytes: Uint8Array, from: number, to: number, start: number): number {
  let total = start
  for (let at = from; at < to; at += 2) total += (bytes[at]! << 8) | (at + 1 < to ? bytes[at + 1]! : 0)
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000)
  return total
}
