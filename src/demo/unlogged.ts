import { hostOf, LOCAL_MAC, METADATA_SERVICE, RESOLVER, ROUTER, TIME_SERVICE } from './capture-hosts.ts'
import { type Conversation, FIN, type Leg, legOfPackets, SYN, SYN_ACK, TCP, UDP, windowOf } from './conversation.ts'
import { DHCP_PORT, DNS_PORT, NTP_PORT } from './datagrams.ts'
import { addressNumber } from './line-writer.ts'
import { WEB_SERVER } from './network.ts'
import { Random } from './random.ts'

/** Conversations that a capture sees and VPC flow logs never hold. */
export const UNLOGGED_KINDS = ['dhcp', 'dns', 'ntp', 'imds'] as const
export type UnloggedKind = (typeof UNLOGGED_KINDS)[number]

/** One frame that is no IP packet. Times are microseconds by the clock of the flow logs. */
export interface Frame {
  kind: 'arp'
  time: number
  bytes: Buffer
}

/** The one host of the same subnet. */
const NEIGHBOUR = '10.130.8.30'
const ASK = 1
const REPLY = 2

/** Conversations between two seconds with the network's own services. */
export function unloggedConversations(seed: number, from: number, until: number): [UnloggedKind, Conversation][] {
  const random = new Random(seed, 5)
  const made: [UnloggedKind, Conversation][] = []
  const every = (low: number, high: number, make: (start: number) => void): void => {
    for (let at = from + random.below(high); at < until; at += random.between(low, high)) make(at)
  }
  const datagrams = (kind: UnloggedKind, server: string, port: number, count: number, sizes: [number, number]) => {
    return (start: number): void => {
      const leg = (bytes: number): Leg => ({ packets: count, bytes: bytes * count, tcp_flags: 0, start, end: start })
      const client_port = port === DHCP_PORT ? 68 : random.between(32768, 60999)
      const ends = { client: WEB_SERVER.address, client_port, server, server_port: port, protocol: UDP }
      made.push([kind, within(ends, leg(sizes[0]), leg(sizes[1]))])
    }
  }
  every(1780, 1800, datagrams('dhcp', ROUTER, DHCP_PORT, 1, [328, 328]))
  every(16, 17, datagrams('ntp', TIME_SERVICE, NTP_PORT, 1, [76, 76]))
  every(3, 60, start => {
    const sizes: [number, number] = [random.between(58, 92), random.between(100, 260)]
    datagrams('dns', RESOLVER, DNS_PORT, 2, sizes)(start)
  })
  every(270, 330, start => {
    const ends = { client: WEB_SERVER.address, client_port: random.between(32768, 60999), server: METADATA_SERVICE }
    const request = legOfPackets(7, random.between(330, 420), SYN | FIN, start, start)
    const answer = legOfPackets(5, random.between(520, 1900), SYN_ACK | FIN, start, start)
    made.push(['imds', within({ ...ends, server_port: 80, protocol: TCP }, request, answer)])
  })
  return made
}

/** A conversation that one window holds. */
function within(ends: Omit<Conversation, 'start' | 'end' | 'windows'>, to_server: Leg, to_client: Leg): Conversation {
  const { start, end } = to_server
  return { ...ends, start, end, windows: [{ window_start: windowOf(WEB_SERVER, start), to_server, to_client }] }
}

/** Questions for hardware addresses and their answers between two seconds, in order of time. */
export function arpFrames(seed: number, from: number, until: number): Frame[] {
  const random = new Random(seed, 6)
  const frames: Frame[] = []
  const local = addressNumber(WEB_SERVER.address)
  const talk = (other: string, low: number, high: number): void => {
    const { address, mac } = hostOf(other, seed)
    for (let at = from + random.below(high); at < until; at += random.between(low, high)) {
      const time = at * 1_000_000 + random.below(900_000)
      const asks = random.chance(other === ROUTER ? 70 : 50)
      const [asker, asked] = [asks ? LOCAL_MAC : mac, asks ? mac : LOCAL_MAC]
      const [own, wanted] = asks ? [local, address] : [address, local]
      const wait = asks ? random.between(90, 400) : random.between(8, 30)
      frames.push({ kind: 'arp', time, bytes: arpFrame(ASK, asker, own, asked, wanted) })
      frames.push({ kind: 'arp', time: time + wait, bytes: arpFrame(REPLY, asked, wanted, asker, own) })
    }
  }
  talk(ROUTER, 25, 90)
  talk(NEIGHBOUR, 45, 200)
  return frames.sort((a, b) => a.time - b.time)
}

/** RFC 826: unicast, as a host asks that checks an address it knows. */
function arpFrame(operation: number, sender: Buffer, own: number, target: Buffer, wanted: number): Buffer {
  const frame = Buffer.alloc(42)
  target.copy(frame, 0)
  sender.copy(frame, 6)
  frame.writeUInt16BE(0x0806, 12)
  frame.set([0, 1, 8, 0, 6, 4, 0, operation], 14)
  sender.copy(frame, 22)
  frame.writeUInt32BE(own, 28)
  if (operation === REPLY) target.copy(frame, 32)
  frame.writeUInt32BE(wanted, 38)
  return frame
}
