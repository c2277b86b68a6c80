import { type Host, hostOf, LOCAL_MAC, streamOf } from './capture-hosts.ts'
import type { Conversation, WindowSlice } from './conversation.ts'
import { addressNumber } from './line-writer.ts'
import { WEB_SERVER } from './network.ts'
import { Random } from './random.ts'

/** One UDP packet of the capture. Times are microseconds by the clock of the flow logs. */
export interface Datagram {
  kind: 'udp'
  time: number
  flow: DatagramFlow
  from_client: boolean
  source: Host
  target: Host
  payload: Buffer
  id: number
}

export const DNS_PORT = 53
export const NTP_PORT = 123
export const DHCP_PORT = 67
/** Bytes of an IP and a UDP header. */
const HEADERS = 28
const DNS_HEADER = 12
const [TYPE_A, TYPE_AAAA, TYPE_CNAME] = [1, 28, 5]
/** Seconds from NTP's epoch, 1900, to that of Unix. */
const NTP_EPOCH = 2_208_988_800
const BOOTP_BYTES = 240
/** Ends of names as DNS writes them: each label after its length. */
const DOMAINS = ['\x06ubuntu\x03com', '\x09amazonaws\x03com', '\x09wordpress\x03org', '\x07gravatar\x03com'].map(text =>
  Buffer.from(text, 'latin1'),
)

/** A UDP conversation of questions and answers, as the capturing host sees it. */
export class DatagramFlow {
  readonly conversation: Conversation
  /** What the capture shows of it. */
  readonly shown = { packets: 0, ip_bytes: 0 }
  readonly #client: Host
  readonly #server: Host
  readonly #random: Random

  constructor(conversation: Conversation, seed: number) {
    const { client, client_port, server, server_port, start } = conversation
    this.conversation = conversation
    this.#client = hostOf(client, seed)
    this.#server = hostOf(server, seed)
    this.#random = new Random(seed, streamOf(`${client}:${client_port} ${server}:${server_port} ${start}`))
  }

  /** The packets of a window: each question, and its answer a round trip later. */
  packets({ to_server, to_client }: WindowSlice): Datagram[] {
    const leg = (to_server ?? to_client)!
    const begin = leg.start * 1_000_000 + this.#random.between(15_000, 600_000)
    const questions = sizes(to_server).map((size, i) => ({ size, time: begin + i * this.#random.between(60, 400) }))
    const nonces = questions.map(() => this.#random.next())
    const name = this.#random.next()
    const asked = questions.map(({ size, time }, i) => this.#packet(true, time, size, i, nonces[i]!, name, 0))
    const answered = sizes(to_client).map((size, i) => {
      const question = questions[i]?.size ?? HEADERS
      const wait = this.#server.round_trip + this.#random.between(40, 9000)
      return this.#packet(false, (questions[i]?.time ?? begin) + wait, size, i, nonces[i] ?? 0, name, question)
    })
    return [...asked, ...answered].sort((a, b) => a.time - b.time)
  }

  #packet(
    from_client: boolean,
    time: number,
    size: number,
    n: number,
    nonce: number,
    name: number,
    question: number,
  ): Datagram {
    const [source, target] = from_client ? [this.#client, this.#server] : [this.#server, this.#client]
    const length = size - HEADERS
    const port = this.conversation.server_port
    const payload =
      port === DNS_PORT
        ? dnsMessage(length, n, nonce, name, question - HEADERS)
        : port === NTP_PORT
          ? ntpMessage(length, from_client, time, nonce)
          : dhcpMessage(length, from_client, nonce)
    const id = this.#random.below(65536)
    return { kind: 'udp', time, flow: this, from_client, source, target, payload, id }
  }
}

/** Whole sizes of a leg's packets, as equal as they can be. */
function sizes(leg: WindowSlice['to_server']): number[] {
  if (leg === null) return []
  const { packets, bytes } = leg
  const upTo = (n: number): number => Math.floor((bytes * n) / packets)
  return Array.from({ length: packets }, (_, i) => upTo(i + 1) - upTo(i))
}

/** A question where `question` is negative or zero, else the answer to one of that many bytes. RFC 1035. */
function dnsMessage(length: number, n: number, nonce: number, name: number, question: number): Buffer {
  const message = Buffer.alloc(length)
  const type = n % 2 === 0 ? TYPE_A : TYPE_AAAA
  const isAnswer = question > 0
  message.writeUInt16BE(nonce & 0xffff, 0)
  message.writeUInt16BE(isAnswer ? 0x8180 : 0x0100, 2)
  const asked = isAnswer ? question : length
  // An answer that has no room for its question and a record goes without the question.
  const repeats = !isAnswer || length - asked >= 20
  let at = DNS_HEADER
  if (repeats) {
    message.writeUInt16BE(1, 4)
    at = writeName(message, at, asked - DNS_HEADER - 4, name)
    at = message.writeUInt16BE(type, at)
    at = message.writeUInt16BE(1, at)
  }
  if (isAnswer) writeRecords(message, at, type, repeats ? DNS_HEADER : null, nonce)
  return message
}

/** Fills the rest of an answer: an alias of the length that comes out, then addresses. */
function writeRecords(message: Buffer, from: number, type: number, name: number | null, nonce: number): void {
  const nameBytes = name === null ? 1 : 2
  const [fixed, address] = [nameBytes + 10, type === TYPE_A ? 4 : 16]
  const room = message.length - from - fixed
  // The addresses take what an alias of 3 to 60 bytes leaves, at most eight of them, or a longer alias does.
  const count = Math.max(0, Math.min(8, Math.floor((room - 24) / (fixed + address))))
  const records = [TYPE_CNAME, ...new Array<number>(count).fill(type)]
  let at = from
  records.forEach((kind, i) => {
    const length = kind === TYPE_CNAME ? room - count * (fixed + address) : address
    at = name === null ? message.writeUInt8(0, at) : message.writeUInt16BE(0xc000 | name, at)
    at = message.writeUInt16BE(kind, at)
    at = message.writeUInt16BE(1, at)
    at = message.writeUInt32BE(60, at)
    at = message.writeUInt16BE(length, at)
    if (kind === TYPE_CNAME) writeName(message, at, length, nonce + 1)
    else for (let b = 0; b < address; b++) message[at + b] = (nonce >>> ((b + i) % 24)) & 0xff
    at += length
  })
  message.writeUInt16BE(records.length, 6)
}

/** A name that takes exactly `length` bytes: labels of at most 14 letters in a well-known domain. */
function writeName(message: Buffer, from: number, length: number, nonce: number): number {
  const domain = DOMAINS[nonce % DOMAINS.length]!
  const hasDomain = length >= domain.length + 3
  let at = from
  let left = length - 1 - (hasDomain ? domain.length : 0)
  let letters = nonce
  while (left > 1) {
    const label = left <= 15 ? left - 1 : Math.min(14, left - 3)
    at = message.writeUInt8(label, at)
    for (let i = 0; i < label; i++) {
      letters = (Math.imul(letters, 1664525) + 1013904223) >>> 0
      message[at++] = 97 + ((letters >>> 16) % 26)
    }
    left -= label + 1
  }
  if (hasDomain) at += domain.copy(message, at)
  return message.writeUInt8(0, at)
}

/** RFC 5905, without extensions. */
function ntpMessage(length: number, from_client: boolean, time: number, nonce: number): Buffer {
  const message = Buffer.alloc(length)
  const stamp = (at: number, micros: number): void => {
    message.writeUInt32BE((Math.floor(micros / 1_000_000) + NTP_EPOCH) % 0x100000000, at)
    message.writeUInt32BE(Math.floor(((micros % 1_000_000) / 1_000_000) * 0x100000000), at + 4)
  }
  message[0] = from_client ? 0x23 : 0x24
  message[2] = 4
  if (from_client) {
    message.writeUInt32BE(nonce, 40)
    return message
  }
  message[1] = 2
  message[3] = 0xe9
  message.writeUInt32BE(addressNumber('169.254.169.122'), 12)
  stamp(16, time - 11_000_000)
  message.writeUInt32BE(nonce, 24)
  stamp(32, time - 300)
  stamp(40, time - 280)
  return message
}

/** The renewal of a lease and its acknowledgement, RFC 2131. */
function dhcpMessage(length: number, from_client: boolean, nonce: number): Buffer {
  const message = Buffer.alloc(length)
  message.set([from_client ? 1 : 2, 1, 6, 0])
  message.writeUInt32BE(nonce, 4)
  message.writeUInt32BE(addressNumber(WEB_SERVER.address), from_client ? 12 : 16)
  LOCAL_MAC.copy(message, 28)
  message.writeUInt32BE(0x63825363, BOOTP_BYTES - 4)
  const lease = [51, 4, 0, 0, 0x0e, 0x10, 54, 4, 10, 130, 8, 1, 1, 4, 255, 255, 255, 0, 3, 4, 10, 130, 8, 1]
  const options = from_client ? [53, 1, 3, 61, 7, 1, ...LOCAL_MAC] : [53, 1, 5, ...lease]
  message.set([...options, 255], BOOTP_BYTES)
  return message
}
