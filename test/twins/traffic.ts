/** Connections as a scenario tells them, and the packets that they consist of, in groups. */

/** Protocol numbers of IANA. */
export const protocols = { icmp: 1, tcp: 6, udp: 17, esp: 50, icmpV6: 58 } as const

/**
 * How a connection goes. `closed` opens and ends within the evidence, `open` does not end, `held` neither opens nor ends; `broken` ends with a
 * RST of the client; `refused` is answered by a RST; `silent` by nothing; `half` has its handshake never completed; `scattered` is an answer
 * to packets with a forged source; `rejected` is stopped by a security group.
 */
export type State = 'closed' | 'open' | 'held' | 'broken' | 'refused' | 'silent' | 'half' | 'scattered' | 'rejected'

export interface Connection {
  /** Seconds from the begin of the case, and how long it lasts. */
  at: number
  seconds: number
  from: string
  to: string
  /** Of the server; of the client a free one unless it is given. */
  port: number
  sourcePort: number
  protocol: number
  state: State
  /** Packets and bytes of the client, and of the server, all layers from IP on. */
  up: readonly [packets: number, bytes: number]
  down: readonly [packets: number, bytes: number]
  /** The translator that it goes through. */
  via: string | null
  /** The AWS service of the server's address, as AWS would name it; of the client's. */
  service: string | null
  clientService: string | null
}

/** Packets of one direction that need no telling apart. */
export interface PacketGroup {
  at: number
  isUp: boolean
  packets: number
  bytes: number
  flags: number
}

/** What AWS makes of TCP flags: FIN 1, SYN 2, RST 4, SYN-ACK 18; nothing of an ACK by itself. */
const flag = { none: 0, fin: 1, syn: 2, rst: 4, synAck: 18 } as const

/** A direction of a long connection sends a group so often, seconds: less than the least interval that logs have. */
const step = 20
const retries = [0, 1, 3, 7, 15, 31, 63]

/** The packets of a connection; their sums are those of its sides. */
export function packetsOf(connection: Connection): PacketGroup[] {
  const { protocol, state } = connection
  if (protocol !== protocols.tcp)
    return [...datagrams(connection, true), ...datagrams(connection, false)].filter(one => one.packets > 0)
  if (state === 'closed' || state === 'open' || state === 'held' || state === 'broken')
    return [...segments(connection, true), ...segments(connection, false)]
  if (state === 'scattered')
    return [...attempts(connection, true, flag.synAck), ...attempts(connection, false, flag.rst)]
  const answer = state === 'half' ? flag.synAck : flag.rst
  return [...attempts(connection, true, flag.syn), ...attempts(connection, false, answer)]
}

function datagrams({ at, seconds, up, down }: Connection, isUp: boolean): PacketGroup[] {
  const [packets, bytes] = isUp ? up : down
  return spread(at + (isUp ? 0 : 0.05), seconds, isUp, packets, bytes)
}

/** A SYN and its repetitions, or what comes back. */
function attempts({ at, up, down }: Connection, isUp: boolean, flags: number): PacketGroup[] {
  const [packets, bytes] = isUp ? up : down
  if (packets > retries.length) return [{ at: at + (isUp ? 0 : 0.05), isUp, packets, bytes, flags }]
  return Array.from({ length: packets }, (_, i) => ({
    at: at + retries[i]! + (isUp ? 0 : 0.05),
    isUp,
    packets: 1,
    bytes: Math.floor((bytes * (i + 1)) / packets) - Math.floor((bytes * i) / packets),
    flags,
  }))
}

function segments({ at, seconds, state, up, down }: Connection, isUp: boolean): PacketGroup[] {
  const [packets, bytes] = isUp ? up : down
  const opens = state !== 'held'
  const ends = state === 'closed' || (state === 'broken' && isUp)
  const first = at + (isUp ? 0 : 0.03)
  const size = bytes < 60 * packets ? Math.floor(bytes / packets) : 60
  const open = { at: first, isUp, packets: 1, bytes: size, flags: isUp ? flag.syn : flag.synAck }
  const end = { at: first + seconds, isUp, packets: 1, bytes: size, flags: state === 'broken' ? flag.rst : flag.fin }
  const edges = [...(opens ? [open] : []), ...(ends && packets > 1 ? [end] : [])]
  const left = packets - edges.length
  if (left <= 0) return edges
  return [...edges, ...spread(first, seconds, isUp, left, bytes - size * edges.length)]
}

/** Packets over a time, as evenly as whole numbers are. */
function spread(at: number, seconds: number, isUp: boolean, packets: number, bytes: number): PacketGroup[] {
  const parts = Math.max(1, Math.min(packets, Math.ceil(seconds / step)))
  const share = (of: number, part: number): number =>
    Math.floor((of * (part + 1)) / parts) - Math.floor((of * part) / parts)
  return Array.from({ length: parts }, (_, part) => ({
    at: at + (seconds * (part + 0.5)) / parts,
    isUp,
    packets: share(packets, part),
    bytes: share(bytes, part),
    flags: flag.none,
  }))
}
