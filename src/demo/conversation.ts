import type { Sensor } from './network.ts'

/** What one side of a conversation sent in one aggregation window. Times are Unix seconds. */
export interface Leg {
  packets: number
  bytes: number
  /** FIN=1, SYN=2, RST=4, SYN-ACK=18, OR-ed over the window; 0 when none of them was seen. */
  tcp_flags: number
  start: number
  end: number
}

/** One aggregation window of a conversation: one leg per direction, null where nothing was sent. */
export interface WindowSlice {
  window_start: number
  to_server: Leg | null
  to_client: Leg | null
}

/** A conversation as one sensor's windows cut it. `client` is the side that opened it. */
export interface Conversation {
  client: string
  client_port: number
  server: string
  server_port: number
  /** IANA protocol number. */
  protocol: number
  start: number
  end: number
  windows: WindowSlice[]
}

/** Seconds of one aggregation window. */
export const WINDOW_SECONDS = 60

export const FIN = 1
export const SYN = 2
export const RST = 4
export const SYN_ACK = 18

export const TCP = 6
export const UDP = 17
export const ICMP = 1

/** Bytes of an IP and a TCP header with time stamps, and what a SYN carries on top. */
export const HEADERS = 52
export const SYN_OPTIONS = 8
const LARGEST_PACKET = 1500

/** Start of the sensor's aggregation window that holds `time`. */
export function windowOf(sensor: Pick<Sensor, 'window_offset'>, time: number): number {
  return time - ((time - sensor.window_offset) % WINDOW_SECONDS)
}

/** The parts of [start, end] that fall into each window of the sensor, in order. */
export function windowsBetween(
  sensor: Pick<Sensor, 'window_offset'>,
  start: number,
  end: number,
): { window_start: number; start: number; end: number }[] {
  const parts = []
  for (let at = windowOf(sensor, start); at <= end; at += WINDOW_SECONDS) {
    parts.push({ window_start: at, start: Math.max(at, start), end: Math.min(at + WINDOW_SECONDS - 1, end) })
  }
  return parts
}

/** A leg of exactly `bytes`, in as few full packets as carry them after `control` packets without payload. */
export function legOfBytes(bytes: number, control: number, tcp_flags: number, start: number, end: number): Leg {
  const fixed = control * HEADERS + (tcp_flags & SYN ? SYN_OPTIONS : 0)
  const carriers = Math.ceil((bytes - fixed) / LARGEST_PACKET)
  if (bytes - fixed - carriers * HEADERS < carriers) throw new RangeError(`${bytes} bytes do not fit whole packets`)
  return { packets: control + carriers, bytes, tcp_flags, start, end }
}

/** A leg of `packets` that carry `payload` bytes between them. */
export function legOfPackets(packets: number, payload: number, tcp_flags: number, start: number, end: number): Leg {
  const bytes = packets * HEADERS + payload + (tcp_flags & SYN ? SYN_OPTIONS : 0)
  return { packets, bytes, tcp_flags, start, end }
}

/** Packets and bytes that one side sends over a whole conversation. */
export interface Volume {
  packets: number
  bytes: number
}

/** What happens in a conversation, before any sensor cuts it into windows. */
export interface Exchange {
  client: string
  client_port: number
  server: string
  server_port: number
  protocol: number
  start: number
  end: number
  to_server: Volume
  to_client: Volume
  /** False for a connection that was open before `start`. */
  opens?: boolean
  /** False for a connection still open after `end`. */
  closes?: boolean
  /** TCP flag that ends it; FIN unless given. */
  closing_flag?: number
}

/** Cuts an exchange into the sensor's windows, spreading packets and bytes evenly over its duration. */
export function cut(exchange: Exchange, sensor: Pick<Sensor, 'window_offset'>): Conversation {
  const { to_server, to_client, opens = true, closes = true, closing_flag = FIN, ...ends } = exchange
  const parts = windowsBetween(sensor, exchange.start, exchange.end)
  const last = parts.length - 1
  const isTcp = exchange.protocol === TCP
  const spread = (volume: Volume, syn: number, fin: number, index: number): Leg | null => {
    const part = parts[index] as (typeof parts)[number]
    const from = Math.floor((volume.packets * index) / parts.length)
    const upTo = Math.floor((volume.packets * (index + 1)) / parts.length)
    if (upTo === from) return null
    const bytes = share(volume, upTo) - share(volume, from)
    const tcp_flags = isTcp ? (index === 0 && opens ? syn : 0) | (index === last && closes ? fin : 0) : 0
    return { packets: upTo - from, bytes, tcp_flags, start: part.start, end: part.end }
  }
  const windows = parts.map((part, index) => ({
    window_start: part.window_start,
    to_server: spread(to_server, SYN, closing_flag, index),
    to_client: spread(to_client, SYN_ACK, closing_flag === FIN ? FIN : 0, index),
  }))
  return { ...ends, windows }
}

function share(volume: Volume, packets: number): number {
  return Math.floor((volume.bytes / volume.packets) * packets + 1e-6)
}
