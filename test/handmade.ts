// Conversations made by hand: as packets of a capture, and as the lines that a flow log would have of them.
import { be16, be32, ethernet, ipv4, type Record as PcapRecord, pcap } from './packet/build.ts'

/** One packet of IP, as both kinds of evidence would count it. */
export interface MadePacket {
  /** Seconds since the epoch, by the clock of the capturing host. */
  at: number
  src: string
  dst: string
  srcPort: number
  dstPort: number
  protocol: number
  flags: number
  /** At the IP layer. */
  bytes: number
  payload: number
  seq: number
  ack: number
}

export interface Talk {
  at: number
  /** `address port`. */
  client: string
  server: string
  /** Content, bytes. */
  request?: number
  answer?: number
  /** Seconds between the first packet and the last. */
  lasts?: number
  /** How it ends: both FIN, RST by the server, not at all, or unanswered. */
  ends?: 'fin' | 'refused' | 'open' | 'unanswered'
}

const [FIN, SYN, RST, PSH, ACK] = [1, 2, 4, 8, 16]

/** The packets of a TCP connection. */
export function talk(given: Talk): MadePacket[] {
  const { at, request = 100, answer = 1000, lasts = 0.5, ends = 'fin' } = given
  const [client, clientPort] = given.client.split(' ') as [string, string]
  const [server, serverPort] = given.server.split(' ') as [string, string]
  const made: MadePacket[] = []
  // As of a clock (RFC 9293, 3.4.1): with the same number a SYN would be one sent again.
  const isn = Math.round((at % 10_000) * 250_000)
  const next = { up: isn, down: isn + 5000 }
  const send = (up: boolean, when: number, flags: number, payload = 0): void => {
    const own = up ? 'up' : 'down'
    made.push({
      // The handshake is quick, however long the rest takes.
      at: at + (when <= 0.2 ? when * Math.min(lasts, 1) : when * lasts),
      ...(up ? { src: client, dst: server } : { src: server, dst: client }),
      srcPort: Number(up ? clientPort : serverPort),
      dstPort: Number(up ? serverPort : clientPort),
      protocol: 6,
      flags,
      bytes: 40 + payload,
      payload,
      seq: next[own],
      ack: (flags & ACK) === 0 ? 0 : next[up ? 'down' : 'up'],
    })
    next[own] += payload + ((flags & (SYN | FIN)) === 0 ? 0 : 1)
  }
  send(true, 0, SYN)
  if (ends === 'unanswered') return made
  if (ends === 'refused') {
    send(false, 0.1, RST | ACK)
    return made
  }
  send(false, 0.1, SYN | ACK)
  send(true, 0.2, ACK)
  send(true, 0.3, PSH | ACK, request)
  send(false, 0.4, PSH | ACK, answer)
  send(true, ends === 'fin' ? 0.5 : 1, ACK)
  if (ends === 'open') return made
  send(true, 0.8, FIN | ACK)
  send(false, 0.9, FIN | ACK)
  send(true, 1, ACK)
  return made
}

/** A question and its answer by UDP. */
export function ask(at: number, client: string, server: string, sizes: [number, number] = [30, 90]): MadePacket[] {
  const [a, aPort] = client.split(' ') as [string, string]
  const [b, bPort] = server.split(' ') as [string, string]
  const common = { protocol: 17, flags: 0, seq: 0, ack: 0 }
  const up = { src: a, dst: b, srcPort: Number(aPort), dstPort: Number(bPort) }
  const down = { src: b, dst: a, srcPort: Number(bPort), dstPort: Number(aPort) }
  return [
    { ...common, ...up, at, bytes: 28 + sizes[0], payload: sizes[0] },
    { ...common, ...down, at: at + 0.02, bytes: 28 + sizes[1], payload: sizes[1] },
  ]
}

/** The packets as a pcap file, in order of time. `kept`: bytes of each frame that are captured. */
export function captureOf(
  packets: readonly MadePacket[],
  kept = 65_535,
  others: readonly PcapRecord[] = [],
): Uint8Array {
  const records = [...packets].sort((a, b) => a.at - b.at).map(packet => recordOf(packet, kept))
  return pcap([...records, ...others])
}

function recordOf(packet: MadePacket, kept: number): PcapRecord {
  const { protocol, src, dst, srcPort, dstPort, payload, flags, seq, ack } = packet
  const content = new Array<number>(payload).fill(0x61)
  const ports = [...be16(srcPort), ...be16(dstPort)]
  const transport =
    protocol === 6
      ? [...ports, ...be32(seq), ...be32(ack), 0x50, flags, ...be16(8192), 0, 0, 0, 0, ...content]
      : [...ports, ...be16(8 + payload), 0, 0, ...content]
  const frame = ethernet(0x0800, ipv4({ protocol, src, dst }, transport))
  const us = Math.round(packet.at * 1e6)
  const seconds = Math.floor(us / 1e6)
  return { bytes: frame.slice(0, kept), wire: frame.length, time: [seconds, us - seconds * 1e6] }
}

export const logFields =
  'version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'

export interface LogOptions {
  /** Seconds that the logs' clock is ahead of the capturing host's. */
  ahead?: number
  sensor?: string
  action?: 'ACCEPT' | 'REJECT'
  interval?: number
  header?: boolean
}

/** The lines that AWS would write of these packets: one for each direction and interval, of the flags those that it keeps. */
export function logOf(packets: readonly MadePacket[], options: LogOptions = {}): string {
  const { ahead = 0, sensor = 'eni-1', action = 'ACCEPT', interval = 60, header = true } = options
  const lines = new Map<
    string,
    { head: string; packets: number; bytes: number; start: number; end: number; flags: number }
  >()
  for (const one of [...packets].sort((a, b) => a.at - b.at)) {
    const at = one.at + ahead
    const head = `${one.src} ${one.dst} ${one.srcPort} ${one.dstPort} ${one.protocol}`
    const key = `${head} ${Math.floor(at / interval)}`
    const line = lines.get(key) ?? { head, packets: 0, bytes: 0, start: Math.floor(at), end: 0, flags: 0 }
    lines.set(key, line)
    line.packets++
    line.bytes += one.bytes
    line.end = Math.floor(at)
    line.flags |= (one.flags & SYN) === 0 ? one.flags & (FIN | RST) : one.flags & (SYN | ACK)
  }
  const text = [...lines.values()].map(
    line =>
      `2 ${sensor} ${line.head} ${line.packets} ${line.bytes} ${line.start} ${line.end} ${action} OK ${line.flags}\n`,
  )
  return `${header ? `${logFields}\n` : ''}${text.join('')}`
}
