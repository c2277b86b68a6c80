import { readFileSync } from 'node:fs'

/** One frame of a capture. Ports are null where the protocol has none. */
export interface SlowPacket {
  /** Microseconds since 1970. */
  time: number
  kept: number
  /** On the wire, Ethernet header included. */
  length: number
  ether_type: number
  source: string
  target: string
  protocol: number
  source_port: number
  target_port: number
  ip_bytes: number
  flags: number
  seq: number
  ack: number
  payload: number
}

/** Reads a classic little-endian pcap file of Ethernet frames, all at once and without any trick. */
export function* slowPackets(path: string): Generator<SlowPacket> {
  const file = readFileSync(path)
  if (file.readUInt32LE(0) !== 0xa1b2c3d4 || file.readUInt32LE(20) !== 1) throw new Error('not this kind of capture')
  for (let at = 24; at < file.length; ) {
    const time = file.readUInt32LE(at) * 1e6 + file.readUInt32LE(at + 4)
    const kept = file.readUInt32LE(at + 8)
    const length = file.readUInt32LE(at + 12)
    const frame = file.subarray(at + 16, at + 16 + kept)
    if (frame.length !== kept) throw new Error(`cut off at ${at}`)
    yield { time, kept, length, ...headersOf(frame) }
    at += 16 + kept
  }
}

function headersOf(frame: Buffer) {
  const ether_type = frame.readUInt16BE(12)
  const none = { source: '', target: '', protocol: -1, source_port: 0, target_port: 0, ip_bytes: 0 }
  if (ether_type !== 0x0800) return { ether_type, ...none, flags: 0, seq: 0, ack: 0, payload: 0 }
  const ip = frame.subarray(14)
  const protocol = ip[9]!
  const transport = ip.subarray((ip[0]! & 15) * 4)
  const ip_bytes = ip.readUInt16BE(2)
  const ends = {
    source: [...ip.subarray(12, 16)].join('.'),
    target: [...ip.subarray(16, 20)].join('.'),
    source_port: transport.readUInt16BE(0),
    target_port: transport.readUInt16BE(2),
  }
  const common = { ether_type, protocol, ip_bytes, ...ends }
  if (protocol !== 6) return { ...common, flags: 0, seq: 0, ack: 0, payload: 0 }
  const payload = ip_bytes - (ip[0]! & 15) * 4 - (transport[12]! >> 4) * 4
  return { ...common, flags: transport[13]!, seq: transport.readUInt32BE(4), ack: transport.readUInt32BE(8), payload }
}
