import {
  type Conversation,
  FIN,
  type Leg,
  legOfBytes,
  legOfPackets,
  SYN,
  SYN_ACK,
  TCP,
  WINDOW_SECONDS,
  windowsBetween,
} from './conversation.ts'
import { ATTACKER, WEB_SERVER } from './network.ts'
import { Random } from './random.ts'

/** Published times of the incident: earliest and latest `start` of a record of the attacker, Unix seconds. */
export const FIRST_START = 1695921755
export const LAST_START = 1695945545

/** Published figures of the lab: records, bytes from source port 80, bytes to destination port 8889. */
export const LAB_ATTACKER_RECORDS = 33232
export const LAB_WEB_BYTES = 190703527
export const LAB_OUTWARD_BYTES = 265183813

export const WEB_PORT = 80
export const SSH_PORT = 22
export const OUTWARD_PORT = 8889

/** What the incident has to add up to, exactly. */
export interface IncidentTotals {
  /** Flow records of the attacker at the web server's interface; even, at least 100. */
  records: number
  /** Bytes that the web server's port 80 sends to the attacker. */
  web_bytes: number
  /** Bytes that the web server sends to the attacker's port 8889. */
  outward_bytes: number
}

/** A connection before its volume is known: client port, first and last second. */
interface Span {
  port: number
  start: number
  end: number
}

const minutes = (from: number, to: number, port: number): Span => ({
  port,
  start: FIRST_START + from,
  end: FIRST_START + to,
})

const BRUTE_FORCE_SECONDS = 6100
/** No log-in attempt begins at this second or later. */
export const BRUTE_FORCE_END = FIRST_START + BRUTE_FORCE_SECONDS
const BROWSING = { from: 6300, to: 22600 }
const NAMED_BROWSING = minutes(8112, 8136, 51278)
const SSH_SESSIONS = [
  minutes(7265, 11430, 38504),
  minutes(12900, 13610, 41926),
  minutes(15480, 18725, 55812),
  minutes(21090, 23716, 60244),
]
/** One after the other; the last holds the record with the latest start and closes 42 s into its window. */
const OUTWARD_CONNECTIONS = [
  minutes(7801, 12544, 36072),
  minutes(12601, 14020, 44318),
  minutes(14075, 19260, 52764),
  minutes(19322, 22410, 39870),
  { port: 47206, start: FIRST_START + 22466, end: LAST_START + 42 },
]
const RESERVED_PORTS = new Set([NAMED_BROWSING, ...SSH_SESSIONS, ...OUTWARD_CONNECTIONS].map(span => span.port))

/** Share of port 80's bytes that the log-in attempts take; the rest is browsing. */
const BRUTE_FORCE_SHARE = 0.55
const SMALLEST_RESPONSE = 900
const SMALLEST_UPLOAD = 400

/**
 * The attacker's conversations, in order of their start, as the web server's interface sees them:
 * a brute force of HTTP log-ins, browsing, a few SSH sessions, and connections from the server outward.
 */
export function planIncident(seed: number, totals: IncidentTotals): Conversation[] {
  const random = new Random(seed, 1)
  // A small incident cannot afford a record for every minute of its long connections.
  const activePercent = Math.min(100, Math.floor(totals.records / 80))
  const ssh = SSH_SESSIONS.map(span => sshSession(random, span, activePercent))
  const outward = outwardConnections(random, totals.outward_bytes, activePercent)
  const browsing = browsingSpans(random, Math.max(3, Math.round(totals.records * 0.03)))
  const left = totals.records - recordsOf([...ssh, ...outward]) - 2 * sum(browsing.map(windowCount))
  const bruteForce = bruteForceSpans(random, left)
  assignPorts([...bruteForce, ...browsing])
  browsing.push(NAMED_BROWSING)

  const typical = (BRUTE_FORCE_SHARE * totals.web_bytes) / (totals.records / 2)
  const attempts = bruteForce.map(span => {
    const response = Math.floor(typical * 0.8) + random.below(Math.floor(typical * 0.4))
    return webConversation(random, span, random.between(620, 760), response)
  })
  const remaining = totals.web_bytes - sum(attempts.map(bytesToClient))
  const responses = divide(random, remaining, browsing.length, SMALLEST_RESPONSE)
  const visits = browsing.map((span, i) => webConversation(random, span, random.between(380, 900), responses[i]!))
  const conversations = [...attempts, ...visits, ...ssh, ...outward].sort((a, b) => a.start - b.start)
  assertTotals(conversations, totals)
  return conversations
}

/** Visits of a page: each opens several connections within seconds. The named connection is not among them. */
function browsingSpans(random: Random, connections: number): Span[] {
  const spans: Span[] = []
  while (spans.length < connections - 1) {
    const visit = FIRST_START + random.between(BROWSING.from, BROWSING.to)
    for (let i = random.between(1, 12); i > 0 && spans.length < connections - 1; i--) {
      const start = visit + random.below(5)
      spans.push({ port: 0, start, end: start + random.between(1, 12) + random.skewed(0, 40) })
    }
  }
  return spans.sort((a, b) => a.start - b.start)
}

/** Log-in attempts that make exactly `records` records, less those of the named browsing connection. */
function bruteForceSpans(random: Random, records: number): Span[] {
  let left = records - 2 * windowCount(NAMED_BROWSING)
  const spans: Span[] = []
  const add = (start: number, seconds: number): void => {
    const span = { port: 0, start, end: start + seconds }
    const cost = 2 * windowCount(span)
    if (cost > left) return
    left -= cost
    spans.push(span)
  }
  if (left < 2) throw new RangeError(`too few records for the incident: ${left} left for the log-in attempts`)
  add(FIRST_START, 1)
  while (left > 0) add(FIRST_START + random.below(BRUTE_FORCE_SECONDS), random.below(3))
  return spans.sort((a, b) => a.start - b.start)
}

/** Gives each connection the next ephemeral port of the attacker; a port returns after 28,232 connections. */
function assignPorts(spans: Span[]): void {
  let step = 0
  for (const span of spans.sort((a, b) => a.start - b.start)) {
    do span.port = 32768 + ((4093 + 6151 * step++) % 28232)
    while (RESERVED_PORTS.has(span.port))
  }
}

function webConversation(random: Random, span: Span, requestPayload: number, responseBytes: number): Conversation {
  const parts = windowsBetween(WEB_SERVER, span.start, span.end)
  const each = Math.floor(responseBytes / parts.length)
  const windows = parts.map((part, i) => {
    const opening = i === 0 ? 1 : 0
    const closing = i === parts.length - 1 ? 1 : 0
    const bytes = i === 0 ? responseBytes - each * (parts.length - 1) : each
    const flags = (opening && SYN_ACK) | (closing && FIN)
    const to_client = legOfBytes(bytes, opening + closing, flags, part.start, part.end)
    const requests = Math.max(1, Math.round(bytes / 40000))
    const packets = requests + Math.ceil(to_client.packets / 2) + 2 * opening + closing
    const payload = requests * requestPayload + random.below(40)
    const to_server = legOfPackets(packets, payload, (opening && SYN) | (closing && FIN), part.start, part.end)
    return { window_start: part.window_start, to_server, to_client }
  })
  return inward(span, WEB_PORT, windows)
}

/** An interactive session: small packets each way, silent in some minutes. */
function sshSession(random: Random, span: Span, activePercent: number): Conversation {
  const parts = windowsBetween(WEB_SERVER, span.start, span.end)
  const last = parts.length - 1
  const windows = parts.flatMap((part, i) => {
    const ends = i === 0 || i === last
    if (!ends && !random.chance(0.85 * activePercent)) return []
    const start = ends ? part.start : part.start + random.below(20)
    const end = ends ? part.end : part.end - random.below(15)
    const [request, answer] = flagsAt(i === 0, i === last)
    const keystrokes = random.between(4, 24) + random.skewed(0, 120)
    const handshake = i === 0 ? 1900 : 0
    const to_server = legOfPackets(keystrokes + 6, keystrokes * 36 + handshake, request, start, end)
    const output = keystrokes * random.between(44, 180) + handshake
    const to_client = legOfPackets(keystrokes + 4 + Math.ceil(output / 1448), output, answer, start, end)
    return [{ window_start: part.window_start, to_server, to_client }]
  })
  return inward(span, SSH_PORT, windows)
}

/** Connections of the web server to the attacker, busy in every active minute; `bytes` go outward in all. */
function outwardConnections(random: Random, bytes: number, activePercent: number): Conversation[] {
  const active = OUTWARD_CONNECTIONS.map(span => {
    const parts = windowsBetween(WEB_SERVER, span.start, span.end)
    return parts.filter((_, i) => i === 0 || i === parts.length - 1 || random.chance(activePercent))
  })
  const uploads = divide(random, bytes, sum(active.map(parts => parts.length)), SMALLEST_UPLOAD)
  return OUTWARD_CONNECTIONS.map((span, n) => {
    const parts = active[n]!
    const windows = parts.map((part, i) => {
      const [request, answer] = flagsAt(i === 0, i === parts.length - 1)
      const to_server = legOfBytes(uploads.shift()!, 2, request, part.start, part.end)
      const packets = 3 + Math.ceil(to_server.packets / 2)
      const to_client = legOfPackets(packets, random.between(40, 900), answer, part.start, part.end)
      return { window_start: part.window_start, to_server, to_client }
    })
    const { port: client_port, start, end } = span
    const ends = { client: WEB_SERVER.address, client_port, server: ATTACKER, server_port: OUTWARD_PORT }
    return { ...ends, protocol: TCP, start, end, windows }
  })
}

function inward(span: Span, server_port: number, windows: Conversation['windows']): Conversation {
  const { port: client_port, start, end } = span
  const ends = { client: ATTACKER, client_port, server: WEB_SERVER.address, server_port }
  return { ...ends, protocol: TCP, start, end, windows }
}

/** TCP flags of the client's and the server's leg. */
function flagsAt(opening: boolean, closing: boolean): [number, number] {
  const fin = closing ? FIN : 0
  return [(opening ? SYN : 0) | fin, (opening ? SYN_ACK : 0) | fin]
}

/** Divides `total` into `count` whole parts of at least `least`, a few of them much larger than most. */
function divide(random: Random, total: number, count: number, least: number): number[] {
  const weights = Array.from({ length: count }, () => random.skewed(1, 400))
  const weight = sum(weights)
  const spare = total - count * least
  if (spare < 0) throw new RangeError(`${total} bytes do not suffice for ${count} parts of ${least}`)
  const parts = weights.map(w => least + Math.floor((spare * w) / weight))
  parts[count - 1]! += total - sum(parts)
  return parts
}

function windowCount(span: Span): number {
  const first = Math.floor((span.start - WEB_SERVER.window_offset) / WINDOW_SECONDS)
  return Math.floor((span.end - WEB_SERVER.window_offset) / WINDOW_SECONDS) - first + 1
}

function assertTotals(conversations: Conversation[], totals: IncidentTotals): void {
  const bytesOf = (port: number, count: (c: Conversation) => number): number =>
    sum(conversations.filter(c => c.server_port === port).map(count))
  const made = {
    records: recordsOf(conversations),
    web_bytes: bytesOf(WEB_PORT, bytesToClient),
    outward_bytes: bytesOf(OUTWARD_PORT, c => sum(c.windows.map(w => w.to_server?.bytes ?? 0))),
  }
  for (const key of ['records', 'web_bytes', 'outward_bytes'] as const) {
    if (made[key] !== totals[key]) throw new Error(`incident has ${made[key]} ${key}, not ${totals[key]}`)
  }
}

function recordsOf(conversations: Conversation[]): number {
  const legs = (c: Conversation): (Leg | null)[] => c.windows.flatMap(w => [w.to_server, w.to_client])
  return sum(conversations.map(c => legs(c).filter(leg => leg !== null).length))
}

function bytesToClient(conversation: Conversation): number {
  return sum(conversation.windows.map(w => w.to_client?.bytes ?? 0))
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
