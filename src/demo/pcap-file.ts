import type { FileHandle } from 'node:fs/promises'
import { SYN, TCP, UDP } from './conversation.ts'
import type { Datagram } from './datagrams.ts'
import { checksum, type PayloadPool, wordSum } from './payload.ts'
import type { TcpPacket } from './tcp-flow.ts'
import type { Frame } from './unlogged.ts'

/** Anything that the capture holds. */
export type Packet = TcpPacket | Datagram | Frame

const CHUNK_BYTES = 1 << 20
const RECORD_HEADER = 16
/** Bytes of an Ethernet header. */
const ETHERNET = 14
const IP_HEADER = 20
const LINK_TYPE_ETHERNET = 1
const DONT_FRAGMENT = 0x4000

/** Kind and value of TCP options: segment size, time stamps, window scale. */
const JUMBO_SEGMENT = 8961
const USUAL_SEGMENT = 1460
const WINDOW_SCALE = 7

type Stamps = Record<'stamp' | 'echo', number>

/** Writes packets to a classic little-endian pcap file with microseconds, through one buffer of fixed size. */
export class PcapFile {
  readonly #file: FileHandle
  readonly #snap_length: number
  readonly #pool: PayloadPool
  readonly #bytes = Buffer.alloc(CHUNK_BYTES)
  #used = 0
  /** Bytes of the file so far. */
  size = 0

  constructor(file: FileHandle, snap_length: number, pool: PayloadPool) {
    this.#file = file
    this.#snap_length = snap_length
    this.#pool = pool
    this.#bytes.writeUInt32LE(0xa1b2c3d4, 0)
    this.#bytes.writeUInt16LE(2, 4)
    this.#bytes.writeUInt16LE(4, 6)
    this.#bytes.writeUInt32LE(snap_length, 16)
    this.#bytes.writeUInt32LE(LINK_TYPE_ETHERNET, 20)
    this.#advance(24)
  }

  /** False when the buffer has to be flushed before another packet. */
  hasRoom(): boolean {
    return this.#used + RECORD_HEADER + 1514 <= CHUNK_BYTES
  }

  async flush(): Promise<void> {
    // Not `write`, which may take only a part, as at the end of a disk.
    await this.#file.writeFile(this.#bytes.subarray(0, this.#used))
    this.#used = 0
  }

  /** Passes over a packet that is not captured, but counts in its conversation. */
  skip(packet: Packet): void {
    if (packet.kind === 'tcp') packet.flow.number(packet)
  }

  /** One packet with its time in microseconds by the capturing host's clock. */
  write(packet: Packet, time: number): void {
    const at = this.#used + RECORD_HEADER
    const length =
      packet.kind === 'tcp'
        ? this.#tcp(packet, at)
        : packet.kind === 'udp'
          ? this.#udp(packet, at)
          : packet.bytes.copy(this.#bytes, at)
    const kept = Math.min(length, this.#snap_length)
    const seconds = Math.floor(time / 1_000_000)
    this.#bytes.writeUInt32LE(seconds, this.#used)
    this.#bytes.writeUInt32LE(time - seconds * 1_000_000, this.#used + 4)
    this.#bytes.writeUInt32LE(kept, this.#used + 8)
    this.#bytes.writeUInt32LE(length, this.#used + 12)
    this.#advance(RECORD_HEADER + kept)
    if (packet.kind === 'arp') return
    packet.flow.shown.packets++
    packet.flow.shown.ip_bytes += length - ETHERNET
  }

  #advance(bytes: number): void {
    this.#used += bytes
    this.size += bytes
  }

  /** Ethernet and IPv4 headers; returns the sum of the addresses' words for the checksum above. */
  #headers(at: number, packet: TcpPacket | Datagram, id: number, protocol: number, length: number): number {
    const { source, target } = endsOf(packet)
    const out = this.#bytes
    target.mac.copy(out, at)
    source.mac.copy(out, at + 6)
    out.writeUInt16BE(0x0800, at + 12)
    const ip = at + ETHERNET
    out.writeUInt16BE(0x4500, ip)
    out.writeUInt16BE(length, ip + 2)
    out.writeUInt16BE(id, ip + 4)
    out.writeUInt16BE(DONT_FRAGMENT, ip + 6)
    out.writeUInt16BE(source.time_to_live * 256 + protocol, ip + 8)
    out.writeUInt16BE(0, ip + 10)
    out.writeUInt32BE(source.address, ip + 12)
    out.writeUInt32BE(target.address, ip + 16)
    out.writeUInt16BE(checksum(wordSum(out, ip, ip + IP_HEADER)), ip + 10)
    return wordSum(out, ip + 12, ip + IP_HEADER)
  }

  #tcp(packet: TcpPacket, at: number): number {
    const out = this.#bytes
    const { client_port, server_port } = packet.flow.conversation
    const tcp = at + ETHERNET + IP_HEADER
    const numbers = packet.flow.number(packet)
    const header = 20 + this.#options(packet, numbers, tcp + 20)
    const sum = this.#headers(at, packet, numbers.id, TCP, IP_HEADER + header + packet.length)
    out.writeUInt16BE(packet.from_client ? client_port : server_port, tcp)
    out.writeUInt16BE(packet.from_client ? server_port : client_port, tcp + 2)
    out.writeUInt32BE(numbers.seq, tcp + 4)
    out.writeUInt32BE(numbers.ack, tcp + 8)
    out.writeUInt16BE((header << 10) | packet.flags, tcp + 12)
    out.writeUInt16BE(numbers.window, tcp + 14)
    out.writeUInt32BE(0, tcp + 16)
    const payload = this.#payload(packet, numbers.place, tcp + header, at + this.#snap_length)
    const whole = sum + TCP + header + packet.length + wordSum(out, tcp, tcp + header) + payload
    out.writeUInt16BE(checksum(whole), tcp + 16)
    return ETHERNET + IP_HEADER + header + packet.length
  }

  /** Copies the payload as far as the capture keeps it; returns the sum of all its words. */
  #payload({ head, length }: TcpPacket, place: number, at: number, keptUpTo: number): number {
    const upTo = Math.min(at + length, keptUpTo)
    const words = head === null ? 0 : Math.min(head.length, length)
    if (head !== null) head.copy(this.#bytes, at, 0, words)
    if (at + words < upTo) this.#pool.copy(place, this.#bytes, at + words, upTo)
    return (head === null ? 0 : wordSum(head, 0, words)) + this.#pool.sum(place, length - words)
  }

  /** TCP options; returns how many bytes they take. */
  #options({ flags, flow, from_client }: TcpPacket, { stamp, echo }: Stamps, at: number): number {
    const out = this.#bytes
    const isLocal = from_client === flow.shape.client_is_local
    const segment = isLocal ? JUMBO_SEGMENT : USUAL_SEGMENT
    if (flags & SYN) {
      out.set([2, 4, segment >> 8, segment & 255], at)
      if (flow.shape.bare) return 4
      out.set([4, 2, 8, 10], at + 4)
      out.writeUInt32BE(stamp, at + 8)
      out.writeUInt32BE(echo, at + 12)
      out.set([1, 3, 3, WINDOW_SCALE], at + 16)
      return 20
    }
    if (flow.shape.bare) return 0
    out.set([1, 1, 8, 10], at)
    out.writeUInt32BE(stamp, at + 4)
    out.writeUInt32BE(echo, at + 8)
    return 12
  }

  #udp(packet: Datagram, at: number): number {
    const out = this.#bytes
    const { flow, from_client, payload } = packet
    const { client_port, server_port } = flow.conversation
    const udp = at + ETHERNET + IP_HEADER
    const length = 8 + payload.length
    const sum = this.#headers(at, packet, packet.id, UDP, IP_HEADER + length)
    out.writeUInt16BE(from_client ? client_port : server_port, udp)
    out.writeUInt16BE(from_client ? server_port : client_port, udp + 2)
    out.writeUInt16BE(length, udp + 4)
    out.writeUInt16BE(0, udp + 6)
    payload.copy(out, udp + 8)
    const value = checksum(sum + UDP + length + wordSum(out, udp, udp + length))
    out.writeUInt16BE(value || 0xffff, udp + 6) // RFC 768: zero would say that there is none.
    return ETHERNET + IP_HEADER + length
  }
}

function endsOf(packet: TcpPacket | Datagram) {
  if (packet.kind === 'udp') return packet
  const { client, server } = packet.flow
  return packet.from_client ? { source: client, target: server } : { source: server, target: client }
}
