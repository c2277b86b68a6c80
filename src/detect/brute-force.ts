import { utcSeconds } from '../net/time.ts'
import type { Confidence } from './finding.ts'
import type { ConnectionView, Draft, Evidence, ServiceView } from './rule.ts'
import { median, medianDeviation, mostWithin } from './statistics.ts'
import { isInternalText, lowered, number, serverText } from './words.ts'

/**
 * Thresholds: similarity of size, not equality, is the signal of guessing (measured on nmap's ssh-brute, which SSHCure's rule of equal packet counts
 * misses: client bytes MAD/median = 0.022).
 */
const connectionsMin = 30
const window_us = 15 * 60 * 1_000_000
const packetsMin = 4
const packetsMax = 60
const spreadMax = 0.15
const shortSeconds = 120
/** A session that may be the fruit of the guessing begins at most this long after the last guess. */
const after_us = 30 * 60 * 1_000_000
/** On these ports identical requests of an ordinary program look like guesses: a lead, never more than medium confidence alone. */
const webPorts = [80, 443, 8080, 8443]

/** Many short connections of nearly equal size from one client to one service, and the longer session that followed. */
export async function bruteForce(evidence: Evidence): Promise<Draft[]> {
  const drafts: Draft[] = []
  for (const [index, service] of evidence.services.entries()) {
    if (service.protocol !== 6 || service.outcome !== 'answered' || service.connections < connectionsMin) continue
    const connections = await evidence.connections(index)
    const guesses = similarRun(connections)
    if (guesses) drafts.push(await draft(evidence, index, guesses, await followedBy(evidence, index, connections, guesses)))
  }
  return drafts
}

interface Guesses {
  connections: ConnectionView[]
  packets: number
  packetsSpread: number
  bytes: number
  spread: number
  most: number
}

/** The connections that look like guesses: short, of nearly the same size, many within a quarter of an hour. */
function similarRun(connections: readonly ConnectionView[]): Guesses | null {
  const short = connections.filter(one => (one.end_us - one.start_us) / 1e6 <= shortSeconds && one.client_packets >= packetsMin)
  const bytes = median(short.map(one => one.client_bytes))
  if (bytes === null || bytes === 0) return null
  // Browsing between the guesses must not hide them: what is within a quarter of the typical size is measured.
  const near = short.filter(one => Math.abs(one.client_bytes - bytes) <= bytes / 4)
  const middle = median(near.map(one => one.client_bytes))!
  const spread = medianDeviation(near.map(one => one.client_bytes), middle) / middle
  const packets = median(near.map(one => one.client_packets))!
  const most = mostWithin(near.map(one => one.start_us), window_us)
  if (near.length < connectionsMin || most < connectionsMin || spread > spreadMax || packets > packetsMax || near.length < short.length / 2) return null
  const packetsSpread = medianDeviation(near.map(one => one.client_packets), packets)
  return { connections: near, packets, packetsSpread, bytes: middle, spread, most }
}

interface Success {
  index: number
  service: ServiceView
  connection: ConnectionView
}

/** The first session from the same client to the same host that is clearly more than a guess (SSHCure's deviation of 5 packets, made robust). */
async function followedBy(evidence: Evidence, index: number, own: readonly ConnectionView[], guesses: Guesses): Promise<Success | null> {
  const service = evidence.services[index]!
  const first = guesses.connections[0]!
  const last = guesses.connections.at(-1)!
  const packetsMore = guesses.packets + Math.max(5, 3 * guesses.packetsSpread)
  const candidates: Success[] = []
  for (const [i, other] of evidence.services.entries()) {
    if (other.client !== service.client || other.server !== service.server || other.outcome !== 'answered') continue
    for (const connection of i === index ? own : await evidence.connections(i)) {
      const longer = (connection.end_us - connection.start_us) / 1e6 >= 60 || connection.client_bytes >= 3 * guesses.bytes
      const inTime = connection.start_us > first.start_us && connection.start_us <= last.end_us + after_us
      if (longer && inTime && connection.client_packets >= packetsMore) candidates.push({ index: i, service: other, connection })
    }
  }
  candidates.sort((a, b) => Number(b.index !== index) - Number(a.index !== index) || a.connection.start_us - b.connection.start_us)
  return candidates[0] ?? null
}

async function draft(evidence: Evidence, index: number, guesses: Guesses, success: Success | null): Promise<Draft> {
  const service = evidence.services[index]!
  const from = guesses.connections[0]!.start_us
  const to = guesses.connections.reduce((latest, one) => Math.max(latest, one.end_us), 0)
  const web = webPorts.includes(service.port ?? 0)
  const confidence: Confidence = web ? (success ? 'medium' : 'low') : success ? 'high' : 'medium'
  const inward = isInternalText(service.server, evidence.own)
  const then = success
    ? ` It was followed at ${utcSeconds(success.connection.start_us)} by a session of ${number(Math.round((success.connection.end_us - success.connection.start_us) / 1e6))} s with ${serverText(success.service)}, larger than any guess: a sign that one succeeded.`
    : ' No longer session followed within 30 minutes.'
  return {
    rule: 'brute-force',
    title: `${web ? 'Web log-in' : 'Log-in'} brute force against ${serverText(service)}`,
    severity: success || !inward ? 'high' : 'medium',
    confidence: lowered(confidence, service),
    technique: 'T1110',
    technique_name: 'Brute Force',
    summary: `${service.client} opened ${number(guesses.connections.length)} short connections of nearly equal size to ${serverText(service)} (median ${number(guesses.packets)} packets and ${number(guesses.bytes)} bytes from the client, spread ${(guesses.spread * 100).toFixed(1)} %; up to ${number(guesses.most)} within 15 minutes).${then}`,
    counter_hypotheses: [
      'a health check or poller that asks the same again and again',
      ...(web ? ['a program that loads many similar pages: flow records do not show the requests'] : ['automation that logs in often (backup, configuration management)']),
      'many users behind one address',
    ],
    first_start: utcSeconds(from),
    last_end: utcSeconds(to),
    ...(await evidence.basis(index, from, to)),
    sql: evidence.sql(index, from, to),
    services: success && success.index !== index ? [index, success.index] : [index],
  }
}
