/**
 * Flow logs and captures of the same traffic, connection by connection (docs/reference/dossier.md, section 7).
 *
 * The two kinds of evidence are compared, never added: each counts the same packets in its own way.
 */

import { communityId } from '../net/community-id.ts'
import type { Prefix } from '../net/prefix.ts'
import { utcSeconds } from '../net/time.ts'
import type { Case } from '../store/case.ts'
import { type Circumstances, captureOnlyReason, gatherCircumstances, logOnlyReason } from './correlation-reasons.ts'
import {
  type CaptureSide,
  captureSides,
  type Host,
  Hosts,
  type LogSide,
  logSides,
  type Side,
} from './correlation-sides.ts'
import type { CorrelatedSide, Correlation, CorrelationRow, SensorCoverage } from './dossier.ts'

/** AWS: times of a flow log may be up to 60 s late. */
const lateness_us = 60_000_000
/** Connections of which the clock offset is estimated, at least. */
const offsetPairsMin = 20
/** Rows that are listed; all are counted. */
const rowsMax = 100_000

/** Compares the subject's connections in the logs with those in the captures; null without captures. */
export async function correlate(
  c: Case,
  subject: readonly Prefix[],
  interval_us: number,
  coverage: { sensors: readonly SensorCoverage[] },
  own: readonly Prefix[],
): Promise<{ rows: CorrelationRow[]; summary: Correlation } | null> {
  if (!c.evidence.some(file => file.capture !== null)) return null
  const hosts = new Hosts()
  const logs = await logSides(c, hosts)
  const captures = await captureSides(c, hosts, subject)
  const offset = clockOffset(logs, captures, interval_us)
  const pairs = assign(logs, captures, offset.us ?? 0, interval_us)
  const alone = { logs: logs.filter((_, i) => pairs.ofLog[i]!.length === 0), captures: pairs.alone }
  const around = await gatherCircumstances(c, hosts, coverage, interval_us, own, alone)
  const timed: { start_us: number; row: CorrelationRow }[] = []
  for (const [i, log] of logs.entries())
    timed.push({ start_us: log.start_us, row: rowOf(log, pairs.ofLog[i]!, around, offset.us ?? 0) })
  for (const capture of pairs.alone)
    timed.push({ start_us: capture.start_us, row: rowOf(null, [capture], around, offset.us ?? 0) })
  timed.sort((a, b) => a.start_us - b.start_us)
  const rows = timed.map(({ row }) => row)
  return { rows: rows.slice(0, rowsMax), summary: summarize(rows, captures.length, offset, around) }
}

/** The same for both directions: the two kinds of evidence may disagree on who began. */
function keyOf({ client, client_port, server, server_port, protocol }: Side): string {
  const a = client.index * 65537 + (client_port ?? 65536)
  const b = server.index * 65537 + (server_port ?? 65536)
  return a < b ? `${a} ${b} ${protocol}` : `${b} ${a} ${protocol}`
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
function clockOffset(logs: readonly LogSide[], captures: readonly CaptureSide[], interval_us: number): Offset {
  const one = new Map<string, { log: LogSide[]; capture: CaptureSide[] }>()
  const at = (side: Side) => {
    const key = keyOf(side)
    const known = one.get(key) ?? { log: [], capture: [] }
    one.set(key, known)
    return known
  }
  for (const log of logs) if (log.rejected < log.records) at(log).log.push(log)
  for (const capture of captures) at(capture).capture.push(capture)
  const differences: number[] = []
  for (const { log, capture } of one.values()) {
    if (log.length !== 1 || capture.length !== 1 || !capture[0]!.sawStart) continue
    differences.push(log[0]!.start_us + 500_000 - capture[0]!.start_us)
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
  offset_us: number,
  interval_us: number,
): { ofLog: CaptureSide[][]; alone: CaptureSide[] } {
  const byKey = new Map<string, number[]>()
  for (const [i, log] of logs.entries()) {
    const key = keyOf(log)
    const known = byKey.get(key)
    if (known) known.push(i)
    else byKey.set(key, [i])
  }
  const ofLog: CaptureSide[][] = logs.map(() => [])
  const alone: CaptureSide[] = []
  for (const capture of captures) {
    let best = -1
    let distance = Number.POSITIVE_INFINITY
    for (const i of byKey.get(keyOf(capture)) ?? []) {
      const log = logs[i]!
      const from = capture.start_us + offset_us
      const to = capture.end_us + offset_us
      if (log.start_us - lateness_us - interval_us > to || log.end_us + interval_us < from) continue
      const away = Math.abs(log.start_us - from)
      if (away >= distance) continue
      best = i
      distance = away
    }
    if (best < 0) alone.push(capture)
    else ofLog[best]!.push(capture)
  }
  return { ofLog, alone }
}

function rowOf(
  log: LogSide | null,
  captures: readonly CaptureSide[],
  around: Circumstances,
  offset_us: number,
): CorrelationRow {
  const main = log ?? captures[0]!
  const base = {
    protocol: main.protocol,
    client: main.client.text,
    client_port: main.client_port,
    server: main.server.text,
    server_port: main.server_port,
    community_id: communityOf(main),
    service: log === null ? null : log.service,
    log: log === null ? null : { ...measured(log), records: log.records, rejected: log.rejected },
  }
  if (captures.length === 0) {
    return { ...base, match: 'log-only', reason: logOnlyReason(log!, around, offset_us), capture: null, delta: null }
  }
  const sum = together(captures, main)
  const first = captures[0]!
  const capture = {
    ...measured(sum),
    path: first.path,
    packet: first.packet,
    connections: captures.length,
    conn_state: captures.length === 1 ? first.conn_state : null,
    history: captures.length === 1 ? first.history : null,
    rtt_us: captures.find(one => one.rtt_us !== null)?.rtt_us ?? null,
  }
  if (log === null) {
    return { ...base, match: 'capture-only', reason: captureOnlyReason(first, around, offset_us), capture, delta: null }
  }
  const inside = around.captureSpans.some(
    span => span.from_us + offset_us <= log.start_us && log.end_us <= span.to_us + offset_us,
  )
  const near = (logged: number, captured: number): boolean => logged <= captured && logged >= 0.9 * captured
  const full = near(log.bytes_to_server, sum.bytes_to_server) && near(log.bytes_to_client, sum.bytes_to_client)
  const reason = full ? null : inside ? (around.captureLoss ?? 'volumes-differ') : 'reaches-beyond-the-capture'
  return {
    ...base,
    match: full ? 'full' : 'time',
    reason,
    capture,
    delta: {
      packets_to_server: log.packets_to_server - sum.packets_to_server,
      packets_to_client: log.packets_to_client - sum.packets_to_client,
      bytes_to_server: log.bytes_to_server - sum.bytes_to_server,
      bytes_to_client: log.bytes_to_client - sum.bytes_to_client,
      start_seconds: (log.start_us - sum.start_us) / 1e6,
      end_seconds: (log.end_us - sum.end_us) / 1e6,
    },
  }
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
    sum.packets_to_server += same ? one.packets_to_server : one.packets_to_client
    sum.packets_to_client += same ? one.packets_to_client : one.packets_to_server
    sum.bytes_to_server += same ? one.bytes_to_server : one.bytes_to_client
    sum.bytes_to_client += same ? one.bytes_to_client : one.bytes_to_server
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
  if (side.protocol === 1 || side.protocol === 58) return null
  const words = ({ hi, lo }: Host): number[] => [hi >> 32n, hi & 0xffff_ffffn, lo >> 32n, lo & 0xffff_ffffn].map(Number)
  const [src0, src1, src2, src3] = words(side.client) as [number, number, number, number]
  const [dst0, dst1, dst2, dst3] = words(side.server) as [number, number, number, number]
  return communityId({
    ...{ src0, src1, src2, src3, dst0, dst1, dst2, dst3 },
    protocol: side.protocol,
    srcPort: side.client_port ?? 0,
    dstPort: side.server_port ?? 0,
  })
}

function summarize(
  rows: readonly CorrelationRow[],
  captureConnections: number,
  offset: Offset,
  around: Circumstances,
): Correlation {
  const count = (match: CorrelationRow['match']): number => rows.filter(row => row.match === match).length
  const reasons = new Map<string, { match: CorrelationRow['match']; reason: string; connections: number }>()
  for (const { match, reason } of rows) {
    if (reason === null) continue
    const key = `${match} ${reason}`
    const known = reasons.get(key) ?? { match, reason, connections: 0 }
    known.connections++
    reasons.set(key, known)
  }
  const surface = new Map<string, Correlation['surface'][number]>()
  for (const row of rows) {
    const key = `${row.server} ${row.server_port} ${row.protocol}`
    const known = surface.get(key) ?? {
      server: row.server,
      port: row.server_port,
      protocol: row.protocol,
      log_connections: 0,
      capture_connections: 0,
      matched: 0,
    }
    if (row.log !== null) known.log_connections++
    if (row.capture !== null) known.capture_connections += row.capture.connections
    if (row.log !== null && row.capture !== null) known.matched++
    surface.set(key, known)
  }
  return {
    log_connections: rows.filter(row => row.log !== null).length,
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
    surface: [...surface.values()].sort(
      (a, b) => b.log_connections + b.capture_connections - a.log_connections - a.capture_connections,
    ),
    listed: Math.min(rows.length, rowsMax),
  }
}
