import { utcSeconds } from '../net/time.ts'
import { rawSql, sql } from '../query/sql.ts'
import type { Confidence } from '../rules/finding.ts'
import { number } from '../rules/words.ts'
import {
  type Draft,
  type Evidence,
  type Found,
  findingsMax,
  type Rule,
  roleConfidenceMin,
  type ServiceView,
} from './rule.ts'
import { isInternalText, lowered, serverText } from './words.ts'

/**
 * Similarity of size, not equality, is the signal of guessing (measured on nmap's ssh-brute, which SSHCure's rule of equal packet counts
 * misses: client bytes MAD/median = 0.022).
 */
const thresholds = {
  /** Guesses in all, and at their densest within the window: people mistype fewer times. */
  connectionsMin: 30,
  windowSeconds: 15 * 60,
  /** Client packets of a guess: below, nothing was said after the handshake; the median is at most the other. */
  packetsMin: 4,
  packetsMax: 60,
  /** Median absolute deviation of client bytes, by their median. */
  spreadMax: 0.15,
  shortSeconds: 120,
  /** Client bytes of a guess differ from the median of all short connections by at most so much of it. */
  alikeShare: 0.25,
  /** Guesses are where they are at least so dense, by their peak. */
  densityShare: 0.25,
  /** A session that may be the fruit of the guessing begins at most this long after the last guess, */
  successAfterSeconds: 30 * 60,
  /** lasts that long, or has that many times the median bytes of a guess, */
  successSeconds: 60,
  successBytesTimes: 3,
  /** and more client packets: SSHCure's 5, or that many deviations where guesses differ. */
  successPacketsMore: 5,
  successDeviations: 3,
  /** On these ports identical requests of an ordinary program look like guesses: a lead, never more than medium confidence alone. */
  webPorts: [80, 443, 8080, 8443] as readonly number[],
  roleConfidenceMin,
}
type Limits = typeof thresholds

/** Many short connections of nearly equal size from one client to one service, and the longer session that followed. */
export const bruteForce: Rule<Limits> = { name: 'brute-force', thresholds, find }

async function find(evidence: Evidence, limits: Limits): Promise<Found> {
  const all = await similarConnections(evidence, limits)
  const told = [...all].sort((a, b) => b.count - a.count || a.index - b.index).slice(0, findingsMax)
  await giveRelated(evidence, told)
  const drafts: Draft[] = []
  for (const guesses of told.sort((a, b) => a.index - b.index))
    drafts.push(draft(evidence, guesses, await followedBy(evidence, guesses, limits), limits))
  return { drafts, left: all.length - told.length }
}

interface Guesses {
  /** Number of the service. */
  index: number
  count: number
  from_us: number
  to_us: number
  packets: number
  packetsSpread: number
  bytes: number
  spread: number
  /** Most of them that begin within a window. */
  most: number
}

/**
 * The connections that look like guesses: short, of nearly the same size, and one of many that begin within a window of a quarter of an hour,
 * wherever on the clock it lies: a window for each connection, from its start on, its end not included. Browsing between them must not hide
 * them: what lies within a quarter of the typical size is measured. Nor must browsing after them count as guessing: the guesses are where
 * such connections are at least a quarter as dense as at their peak, half a window either way.
 */
async function similarConnections(evidence: Evidence, limits: Limits): Promise<Guesses[]> {
  const { connectionsMin, packetsMin, packetsMax, spreadMax, alikeShare, densityShare } = limits
  const window_us = limits.windowSeconds * 1_000_000
  const half_us = window_us / 2
  const candidates = await evidence.numbersOf(
    sql`protocol = 6 AND outcome = 'answered' AND connections >= ${connectionsMin}`,
  )
  if (candidates.length === 0) return []
  await evidence.connectionsOf(candidates)
  const rows = await evidence.run(sql`WITH short AS (
      SELECT * FROM judged WHERE client_accepted > 0 AND server_accepted > 0 AND client_packets >= ${packetsMin}
        AND end_us - start_us <= ${limits.shortSeconds * 1_000_000}),
    typical AS (SELECT service, median(client_bytes) AS bytes FROM short GROUP BY service),
    alike AS (
      SELECT short.*, count(*) OVER (PARTITION BY service ORDER BY start_us
          RANGE BETWEEN ${half_us} PRECEDING AND ${half_us} FOLLOWING) AS around,
        count(*) OVER (PARTITION BY service ORDER BY start_us
          RANGE BETWEEN CURRENT ROW AND ${window_us - 1} FOLLOWING) AS following
      FROM short JOIN typical USING (service) WHERE abs(client_bytes - typical.bytes) <= typical.bytes * ${alikeShare}),
    grouped AS (
      SELECT *, max(around) OVER (PARTITION BY service) AS peak,
        max(following) OVER (PARTITION BY service ORDER BY start_us RANGE BETWEEN ${window_us - 1} PRECEDING AND CURRENT ROW) AS within
      FROM alike),
    near AS (SELECT *, count(*) OVER (PARTITION BY service ORDER BY start_us
        RANGE BETWEEN CURRENT ROW AND ${window_us - 1} FOLLOWING) AS beside FROM grouped WHERE within >= ${connectionsMin} AND around >= peak * ${densityShare})
    SELECT service, count(*) AS guesses, min(start_us) AS from_us, max(end_us) AS to_us, max(beside) AS most,
      median(client_packets)::DOUBLE AS packets, mad(client_packets::DOUBLE)::DOUBLE AS packets_spread,
      median(client_bytes)::DOUBLE AS bytes, mad(client_bytes::DOUBLE)::DOUBLE AS bytes_spread
    FROM near GROUP BY service HAVING guesses >= ${connectionsMin} AND bytes_spread / bytes <= ${spreadMax}
      AND packets <= ${packetsMax}`)
  return rows.map(row => ({
    index: Number(row['service']),
    count: Number(row['guesses']),
    from_us: Number(row['from_us']),
    to_us: Number(row['to_us']),
    packets: Number(row['packets']),
    packetsSpread: Number(row['packets_spread']),
    bytes: Number(row['bytes']),
    spread: Number(row['bytes_spread']) / Number(row['bytes']),
    most: Number(row['most']),
  }))
}

/** Makes `judged` of the services between the same hosts as those that were guessed at. */
async function giveRelated(evidence: Evidence, guesses: readonly Guesses[]): Promise<void> {
  if (guesses.length === 0) return
  const ends = 'server_hi, server_lo, client_hi, client_lo'
  const guessed = guesses.map(({ index }) => index).join(', ')
  const isRelated = rawSql(`(${ends}) IN (SELECT (${ends}) FROM service WHERE service IN (${guessed}))`)
  await evidence.connectionsOf(await evidence.numbersOf(isRelated))
}

interface Success {
  index: number
  service: ServiceView
  start_us: number
  seconds: number
}

/** The first session from the same client to the same host that is clearly more than a guess (SSHCure's deviation of 5 packets, made robust). */
async function followedBy(evidence: Evidence, guesses: Guesses, limits: Limits): Promise<Success | null> {
  const { index } = guesses
  const { successPacketsMore, successDeviations, successSeconds, successBytesTimes, successAfterSeconds } = limits
  const packetsMore = guesses.packets + Math.max(successPacketsMore, successDeviations * guesses.packetsSpread)
  const [row] =
    await evidence.run(sql`SELECT judged.service AS service, start_us, end_us FROM judged JOIN service USING (service)
    WHERE (service.server_hi, service.server_lo, service.client_hi, service.client_lo) =
        (SELECT (server_hi, server_lo, client_hi, client_lo) FROM service WHERE service = ${index})
      AND service.to_server > 0 AND service.to_client > 0 AND service.not_rst > 0 AND client_accepted > 0 AND server_accepted > 0
      AND (end_us - start_us >= ${successSeconds * 1_000_000} OR client_bytes >= ${successBytesTimes * guesses.bytes}) AND client_packets >= ${packetsMore}
      AND start_us > ${guesses.from_us} AND start_us <= ${guesses.to_us + successAfterSeconds * 1_000_000}
    ORDER BY judged.service = ${index}, start_us LIMIT 1`)
  if (!row) return null
  const other = Number(row['service'])
  const start_us = Number(row['start_us'])
  return {
    index: other,
    service: evidence.service(other)!,
    start_us,
    seconds: (Number(row['end_us']) - start_us) / 1e6,
  }
}

/** Guesses at one service are no measure of a session with another: that it follows them is all there is. */
function successText(isSameService: boolean): string {
  return isSameService
    ? 'larger than any guess: a sign that one succeeded.'
    : 'another service of the same host: a sign that one succeeded, or of another way in.'
}

function draft(evidence: Evidence, guesses: Guesses, success: Success | null, limits: Limits): Draft {
  const { index, from_us: from, to_us: to } = guesses
  const service = evidence.service(index)!
  const web = limits.webPorts.includes(service.port ?? 0)
  const confidence: Confidence = web ? (success ? 'medium' : 'low') : success ? 'high' : 'medium'
  const inward = isInternalText(service.server, evidence.own)
  const then = success
    ? ` It was followed at ${utcSeconds(success.start_us)} by a session of ${number(Math.round(success.seconds))} s with ${serverText(success.service)}, ${successText(success.index === index)}`
    : ` No longer session followed within ${number(limits.successAfterSeconds / 60)} minutes.`
  return {
    rule: bruteForce.name,
    title: `${web ? 'Web log-in' : 'Log-in'} brute force against ${serverText(service)}`,
    severity: success || !inward ? 'high' : 'medium',
    confidence: lowered(confidence, service, limits.roleConfidenceMin),
    technique: 'T1110',
    technique_name: 'Brute Force',
    summary: `${service.client} opened ${number(guesses.count)} short connections of nearly equal size to ${serverText(service)} (median ${number(guesses.packets)} packets and ${number(guesses.bytes)} bytes from the client, spread ${(guesses.spread * 100).toFixed(1)} %; up to ${number(guesses.most)} within 15 minutes).${then}`,
    counter_hypotheses: [
      'a health check or poller that repeats one request',
      ...(web
        ? ['a program that loads many similar pages: flow records do not show the requests']
        : ['automation that logs in often (backup, configuration management)']),
      'many users behind one address',
    ],
    first_start: utcSeconds(from),
    last_end: utcSeconds(to),
    ...evidence.basis(index, guesses),
    sql: evidence.sql(service, guesses),
    restsOn: [index],
    services: success && success.index !== index ? [index, success.index] : [index],
  }
}
