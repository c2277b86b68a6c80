/**
 * Flow logs and captures of the same traffic, connection by connection (docs/reference/dossier.md, section 7).
 *
 * The two kinds of evidence are compared, never added: each counts the same packets in its own way.
 */

import { lateness_us } from '../conversations/intervals.ts'
import { KeyTable } from '../conversations/key-table.ts'
import { noPort, noProtocol } from '../conversations/services.ts'
import { communityId } from '../net/community-id.ts'
import type { Prefix } from '../net/prefix.ts'
import { utcSeconds } from '../net/time.ts'
import type { Case } from '../store/case.ts'
import { type Circumstances, captureOnlyReason, gatherCircumstances, logOnlyReason } from './correlation-reasons.ts'
import { type CaptureSide, captureSides, type Host, Hosts, type LogSide, type Side } from './correlation-sides.ts'
import type { CorrelatedSide, Correlation, CorrelationRow, SensorCoverage } from './dossier.ts'

/** Connections of which the clock offset is estimated, at least. */
const offsetPairsMin = 20
/** Rows that are listed; all are counted. */
const rowsMax = 100_000

/** Rows that are given: all, or those with packets. */
export type CorrelationChoice = 'all' | 'with-packets'

/** A connection of the logs with those of the captures that are the same, or one that only a capture has. */
interface Pair {
  log: LogSide | null
  captures: readonly CaptureSide[]
}

/**
 * Compares the subject's connections in the logs with those in the captures; null without captures.
 *
 * @param logsOf the subject's connections in the logs, in the order of their starts.
 */
export async function correlate(
  c: Case,
  subject: readonly Prefix[],
  logsOf: (hosts: Hosts) => LogSide[],
  interval_us: number,
  coverage: { sensors: readonly SensorCoverage[] },
  own: readonly Prefix[],
  choice: CorrelationChoice,
): Promise<{ rows: CorrelationRow[]; summary: Correlation } | null> {
  if (!c.evidence.some(file => file.capture !== null)) return null
  const hosts = new Hosts()
  const logs = logsOf(hosts)
  const captures = await captureSides(c, hosts, subject)
  const keys = keysOf(logs, captures)
  const offset = clockOffset(logs, captures, keys, interval_us)
  const { pairs, alone } = assign(logs, captures, keys, offset.us ?? 0, interval_us)
  const around = await gatherCircumstances(c, hosts, coverage, interval_us, own, {
    logs: logs.filter((_, i) => pairs[i]!.captures.length === 0),
    captures: alone,
  })
  const judged = inTime(pairs, alone).map(pair => judge(pair, around, offset.us ?? 0))
  const rows: CorrelationRow[] = []
  for (const one of judged) {
    if (rows.length === rowsMax) break
    if (choice === 'all' || one.captures.length > 0) rows.push(rowOf(one))
  }
  return { rows, summary: summarize(judged, rows.length, captures.length, offset, around) }
}

/** Numbers of what is the same for both directions: the two kinds of evidence may disagree on who began. */
interface Keys {
  count: number
  ofLog: Uint32Array
  ofCapture: Uint32Array
}

function keysOf(logs: readonly Side[], captures: readonly Side[]): Keys {
  const table = new KeyTable()
  const numbers = (sides: readonly Side[]): Uint32Array => {
    const found = new Uint32Array(sides.length)
    for (let i = 0; i < sides.length; i++) found[i] = keyOf(sides[i]!, table)
    return found
  }
  const [ofLog, ofCapture] = [numbers(logs), numbers(captures)]
  return { count: table.count, ofLog, ofCapture }
}

function keyOf({ client, client_port, server, server_port, protocol }: Side, table: KeyTable): number {
  const [clientPort, serverPort] = [client_port ?? noPort, server_port ?? noPort]
  const isOrdered = client.index < server.index || (client.index === server.index && clientPort < serverPort)
  return isOrdered
    ? table.add(client.index, server.index, clientPort, serverPort * protocols + protocol)
    : table.add(server.index, client.index, serverPort, clientPort * protocols + protocol)
}

/** The pairs in the order of their starts, as both kinds are already. */
function inTime(pairs: readonly Pair[], alone: readonly CaptureSide[]): Pair[] {
  const all: Pair[] = []
  let next = 0
  for (const pair of pairs) {
    for (; next < alone.length && alone[next]!.start_us < pair.log!.start_us; next++)
      all.push({ log: null, captures: [alone[next]!] })
    all.push(pair)
  }
  for (; next < alone.length; next++) all.push({ log: null, captures: [alone[next]!] })
  return all
}

interface Offset {
  us: number | null
  mad_us: number | null
  pairs: number
}

/**
 * How far the logs' clock is ahead of the captures': median of the differences of starts, over keys with one connection in each and
 * whose beginning the capture saw. A flow log cuts times to whole seconds, half a second on average, which is put back.
 */
function clockOffset(
  logs: readonly LogSide[],
  captures: readonly CaptureSide[],
  keys: Keys,
  interval_us: number,
): Offset {
  const capturesOf = new Uint32Array(keys.count)
  const captureOf = new Uint32Array(keys.count)
  for (let i = 0; i < captures.length; i++) {
    capturesOf[keys.ofCapture[i]!]!++
    captureOf[keys.ofCapture[i]!] = i
  }
  const logsOf = new Uint32Array(keys.count)
  const isAccepted = ({ rejected, records, timed }: LogSide): boolean => timed && rejected < records
  for (let i = 0; i < logs.length; i++) if (isAccepted(logs[i]!)) logsOf[keys.ofLog[i]!]!++
  const differences: number[] = []
  for (let i = 0; i < logs.length; i++) {
    const key = keys.ofLog[i]!
    if (logsOf[key] !== 1 || capturesOf[key] !== 1 || !isAccepted(logs[i]!)) continue
    const capture = captures[captureOf[key]!]!
    if (capture.sawStart) differences.push(logs[i]!.start_us + 500_000 - capture.start_us)
  }
  if (differences.length < offsetPairsMin) return { us: null, mad_us: null, pairs: differences.length }
  const us = median(differences)
  const mad_us = median(differences.map(difference => Math.abs(difference - us)))
  return mad_us > interval_us
    ? { us: null, mad_us, pairs: differences.length }
    : { us, mad_us, pairs: differences.length }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Gives each connection of the captures to the one of the logs that overlaps it and begins nearest. */
function assign(
  logs: readonly LogSide[],
  captures: readonly CaptureSide[],
  keys: Keys,
  offset_us: number,
  interval_us: number,
): { pairs: Pair[]; alone: CaptureSide[] } {
  // Of each key the first log, and of each log the next one of its key; both counted from one.
  const first = new Uint32Array(keys.count)
  const next = new Uint32Array(logs.length)
  for (let i = logs.length - 1; i >= 0; i--) {
    next[i] = first[keys.ofLog[i]!]!
    first[keys.ofLog[i]!] = i + 1
  }
  const found = new Map<number, CaptureSide[]>()
  const alone: CaptureSide[] = []
  for (const [at, capture] of captures.entries()) {
    let best = -1
    let distance = Number.POSITIVE_INFINITY
    const from = capture.start_us + offset_us
    const to = capture.end_us + offset_us
    for (let i = first[keys.ofCapture[at]!]! - 1; i >= 0; i = next[i]! - 1) {
      const log = logs[i]!
      if (log.start_us - lateness_us - interval_us > to || log.end_us + interval_us < from) continue
      const away = Math.abs(log.start_us - from)
      if (away >= distance) continue
      best = i
      distance = away
    }
    const known = found.get(best)
    if (best < 0) alone.push(capture)
    else if (known === undefined) found.set(best, [capture])
    else known.push(capture)
  }
  return { pairs: logs.map((log, i) => ({ log, captures: found.get(i) ?? none })), alone }
}

const none: readonly CaptureSide[] = []
/** More than there are, `noProtocol` included. */
const protocols = 512

/** A pair, and what is to be said of it. */
interface JudgedPair extends Pair {
  main: Side
  match: CorrelationRow['match']
  reason: string | null
  /** The connections of the captures as one. */
  sum: Side | null
}

function judge({ log, captures }: Pair, around: Circumstances, offset_us: number): JudgedPair {
  if (captures.length === 0) {
    const reason = logOnlyReason(log!, around, offset_us)
    return { log, captures, main: log!, match: 'log-only', reason, sum: null }
  }
  const first = captures[0]!
  const main = log ?? first
  const sum = together(captures, main)
  if (log === null) {
    const reason = captureOnlyReason(first, around, offset_us)
    return { log, captures, main, match: 'capture-only', reason, sum }
  }
  const inside = around.captureSpans.some(
    span => span.from_us + offset_us <= log.start_us && log.end_us <= span.to_us + offset_us,
  )
  const volumes = [log.bytes_to_server, log.bytes_to_client, sum.bytes_to_server, sum.bytes_to_client]
  if (volumes.includes(null)) return { log, captures, main, match: 'time', reason: 'volumes-unknown', sum }
  const near = (logged: number | null, captured: number | null): boolean =>
    logged! <= captured! && logged! >= 0.9 * captured!
  const full = near(log.bytes_to_server, sum.bytes_to_server) && near(log.bytes_to_client, sum.bytes_to_client)
  const reason = full ? null : inside ? (around.captureLoss ?? 'volumes-differ') : 'reaches-beyond-the-capture'
  return { log, captures, main, match: full ? 'full' : 'time', reason, sum }
}

function rowOf({ log, captures, main, match, reason, sum }: JudgedPair): CorrelationRow {
  return {
    protocol: shownProtocol(main),
    client: main.client.text,
    client_port: main.client_port,
    server: main.server.text,
    server_port: main.server_port,
    community_id: communityOf(main),
    service: log === null ? null : log.service,
    log:
      log === null
        ? null
        : {
            ...measured(log),
            ...(!log.timed && { first: null, last: null }),
            records: log.records,
            rejected: log.rejected,
          },
    match,
    reason,
    capture: sum === null ? null : { ...measured(sum), ...packetsOf(captures) },
    delta: log === null || sum === null ? null : deltaOf(log, sum),
  }
}

function packetsOf(
  captures: readonly CaptureSide[],
): Omit<NonNullable<CorrelationRow['capture']>, keyof CorrelatedSide> {
  const first = captures[0]!
  return {
    path: first.path,
    packet: first.packet,
    connections: captures.length,
    conn_state: captures.length === 1 ? first.conn_state : null,
    history: captures.length === 1 ? first.history : null,
    rtt_us: captures.find(one => one.rtt_us !== null)?.rtt_us ?? null,
  }
}

function deltaOf(log: Side, sum: Side): CorrelationRow['delta'] {
  return {
    packets_to_server: minus(log.packets_to_server, sum.packets_to_server),
    packets_to_client: minus(log.packets_to_client, sum.packets_to_client),
    bytes_to_server: minus(log.bytes_to_server, sum.bytes_to_server),
    bytes_to_client: minus(log.bytes_to_client, sum.bytes_to_client),
    start_seconds: (log.start_us - sum.start_us) / 1e6,
    end_seconds: (log.end_us - sum.end_us) / 1e6,
  }
}

function minus(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one - other
}

function plus(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other
}

function shownProtocol({ protocol }: Side): number | null {
  return protocol === noProtocol ? null : protocol
}

/** Several connections of a capture as one, from the client's side of `like`. */
function together(captures: readonly CaptureSide[], like: Side): Side {
  const sum: Side = {
    ...like,
    start_us: captures.reduce((least, one) => Math.min(least, one.start_us), Number.POSITIVE_INFINITY),
    end_us: captures.reduce((most, one) => Math.max(most, one.end_us), Number.NEGATIVE_INFINITY),
    packets_to_server: 0,
    packets_to_client: 0,
    bytes_to_server: 0,
    bytes_to_client: 0,
  }
  for (const one of captures) {
    const same = one.client === like.client && one.client_port === like.client_port
    sum.packets_to_server = plus(sum.packets_to_server, same ? one.packets_to_server : one.packets_to_client)
    sum.packets_to_client = plus(sum.packets_to_client, same ? one.packets_to_client : one.packets_to_server)
    sum.bytes_to_server = plus(sum.bytes_to_server, same ? one.bytes_to_server : one.bytes_to_client)
    sum.bytes_to_client = plus(sum.bytes_to_client, same ? one.bytes_to_client : one.bytes_to_server)
  }
  return sum
}

function measured(side: Side): CorrelatedSide {
  return {
    first: utcSeconds(side.start_us),
    last: utcSeconds(side.end_us),
    packets_to_server: side.packets_to_server,
    packets_to_client: side.packets_to_client,
    bytes_to_server: side.bytes_to_server,
    bytes_to_client: side.bytes_to_client,
  }
}

/** Flow logs have no ICMP types, so no Community ID there: packets of a type would give another. */
function communityOf(side: Side): string | null {
  if (side.protocol === 1 || side.protocol === 58 || side.protocol === noProtocol) return null
  const [src0, src1, src2, src3] = wordsOf(side.client)
  const [dst0, dst1, dst2, dst3] = wordsOf(side.server)
  const [srcPort, dstPort] = [side.client_port ?? 0, side.server_port ?? 0]
  return communityId({ src0, src1, src2, src3, dst0, dst1, dst2, dst3, protocol: side.protocol, srcPort, dstPort })
}

function wordsOf({ hi, lo }: Host): [number, number, number, number] {
  return [Number(hi >> 32n), Number(hi & 0xffff_ffffn), Number(lo >> 32n), Number(lo & 0xffff_ffffn)]
}

function summarize(
  pairs: readonly JudgedPair[],
  listed: number,
  captureConnections: number,
  offset: Offset,
  around: Circumstances,
): Correlation {
  const count = (match: CorrelationRow['match']): number => pairs.filter(pair => pair.match === match).length
  const reasons = new Map<string, { match: CorrelationRow['match']; reason: string; connections: number }>()
  for (const { match, reason } of pairs) {
    if (reason === null) continue
    const key = `${match} ${reason}`
    const known = reasons.get(key) ?? { match, reason, connections: 0 }
    known.connections++
    reasons.set(key, known)
  }
  return {
    log_connections: pairs.filter(pair => pair.log !== null).length,
    capture_connections: captureConnections,
    full: count('full'),
    time: count('time'),
    log_only: count('log-only'),
    capture_only: count('capture-only'),
    reasons: [...reasons.values()].sort((a, b) => b.connections - a.connections || (a.reason < b.reason ? -1 : 1)),
    clock_offset: {
      seconds: offset.us === null ? null : offset.us / 1e6,
      spread_seconds: offset.mad_us === null ? null : offset.mad_us / 1e6,
      connections: offset.pairs,
    },
    captures: around.captureSpans.map(span => ({
      path: span.path,
      first: utcSeconds(span.from_us),
      last: utcSeconds(span.to_us),
      packets: span.packets,
      dropped: span.dropped,
    })),
    surface: surfaceOf(pairs),
    listed,
  }
}

/** What each kind of evidence has of each server's port. */
function surfaceOf(pairs: readonly JudgedPair[]): Correlation['surface'] {
  const keys = new KeyTable()
  const surface: Correlation['surface'] = []
  for (const { main, log, captures } of pairs) {
    const { server, server_port, protocol } = main
    const key = keys.add(server.index, server_port ?? noPort, protocol, 0)
    if (key === surface.length) {
      const none = { log_connections: 0, capture_connections: 0, matched: 0 }
      surface.push({ server: server.text, port: server_port, protocol: shownProtocol(main), ...none })
    }
    const known = surface[key]!
    if (log !== null) known.log_connections++
    known.capture_connections += captures.length
    if (log !== null && captures.length > 0) known.matched++
  }
  return surface.sort((a, b) => b.log_connections + b.capture_connections - a.log_connections - a.capture_connections)
}
