/** Why a connection is in one kind of evidence only (docs/reference/dossier.md, section 7). */
import { isIPv4 } from '../net/address.ts'
import { isInternal } from '../net/internal.ts'
import type { Prefix } from '../net/prefix.ts'
import { microsecondsOf } from '../net/time.ts'
import type { Case } from '../store/case.ts'
import type { Value } from '../store/duckdb.ts'
import type { CaptureSide, Host, Hosts, LogSide, Side } from './correlation-sides.ts'
import type { Count, SensorCoverage } from './dossier.ts'

export interface CaptureSpan {
  path: string
  from_us: number
  to_us: number
  packets: number
  dropped: Count | null
}

/** What the case says about where and when its evidence could have seen something. */
export interface Circumstances {
  captureSpans: CaptureSpan[]
  /** What the captures are known to lack. */
  captureLoss: 'capture-lost-packets' | 'capture-is-damaged' | null
  /** All logs together. */
  logSpan: { from_us: number; to_us: number } | null
  skipped: { from_us: number; to_us: number }[]
  holes: { from_us: number; to_us: number }[]
  /** Of the addresses of connections that are in one kind only: those that the other kind has at all. */
  inLogs: ReadonlySet<Host>
  inCaptures: ReadonlySet<Host>
  onlyAccepted: boolean
  interval_us: number
  /** The analyst's own prefixes. */
  own: readonly Prefix[]
}

/** Connections that are in one kind of evidence only. */
export interface Alone {
  logs: readonly LogSide[]
  captures: readonly CaptureSide[]
}

export async function gatherCircumstances(
  c: Case,
  hosts: Hosts,
  coverage: { sensors: readonly SensorCoverage[] },
  interval_us: number,
  own: readonly Prefix[],
  alone: Alone,
): Promise<Circumstances> {
  const captures = c.evidence.filter(file => file.capture !== null)
  const us = (time: string | null): number => (time === null ? Number.NaN : microsecondsOf(time))
  const spans = captures
    .map(file => ({
      path: file.path,
      from_us: us(file.first_start),
      to_us: us(file.last_end),
      packets: file.capture!.packets,
      dropped: file.capture!.dropped,
    }))
    .filter(span => !Number.isNaN(span.from_us))
  const sensors = coverage.sensors.filter(sensor => sensor.recorded_subject)
  const asksLogs = alone.captures.length > 0
  return {
    captureSpans: spans,
    captureLoss: captures.some(file => (file.capture!.dropped ?? 0) > 0)
      ? 'capture-lost-packets'
      : captures.some(file => file.status === 'partly-read')
        ? 'capture-is-damaged'
        : null,
    logSpan:
      sensors.length === 0
        ? null
        : {
            from_us: sensors.reduce((least, sensor) => Math.min(least, us(sensor.first)), Number.POSITIVE_INFINITY),
            to_us: sensors.reduce((most, sensor) => Math.max(most, us(sensor.last)), Number.NEGATIVE_INFINITY),
          },
    ...(await silences(c, sensors, alone.captures)),
    inLogs: await known(c, hosts, alone.captures, 'flows', ['srcaddr', 'dstaddr']),
    inCaptures: await known(c, hosts, alone.logs, 'connections', ['orig_addr', 'resp_addr']),
    onlyAccepted: asksLogs && (await c.db.rows(`SELECT 1 FROM flows WHERE action = 'REJECT' LIMIT 1`)).length === 0,
    interval_us,
    own,
  }
}

/** When the subject's sensors lost records or wrote nothing: over all time, for what only a capture has may lie outside the subject's window. */
async function silences(
  c: Case,
  sensors: readonly SensorCoverage[],
  captures: readonly CaptureSide[],
): Promise<Pick<Circumstances, 'skipped' | 'holes'>> {
  if (captures.length === 0) return { skipped: [], holes: [] }
  const names = new Set(sensors.map(sensor => sensor.sensor))
  const spans = async (query: string): Promise<Circumstances['holes']> =>
    (await c.db.rows(query))
      .filter(row => names.has(row['sensor'] as string | null))
      .map(row => ({ from_us: Number(row['from_us']), to_us: Number(row['to_us']) }))
  const skipdata = `FROM silence WHERE status = 'SKIPDATA' AND start IS NOT NULL AND "end" IS NOT NULL`
  return {
    skipped: await spans(`SELECT sensor, epoch_us(start) AS from_us, epoch_us("end") AS to_us ${skipdata}`),
    holes: await spans('SELECT sensor, epoch_us(from_t) AS from_us, epoch_us(to_t) AS to_us FROM hole'),
  }
}

/** Those of the sides' addresses that stand in one of the columns: each address is asked for, none is gathered. */
async function known(
  c: Case,
  hosts: Hosts,
  sides: readonly Side[],
  view: 'flows' | 'connections',
  columns: readonly [string, string],
): Promise<ReadonlySet<Host>> {
  if (sides.length === 0) return new Set()
  const asked = new Set<Host>()
  for (const { client, server } of sides) asked.add(client).add(server)
  const ends = [...asked].map(({ hi, lo }) => [String(hi), String(lo)])
  await c.db.run(
    `CREATE OR REPLACE TEMP TABLE asked AS SELECT (pair->>0)::UBIGINT AS hi, (pair->>1)::UBIGINT AS lo
     FROM (SELECT unnest(json_extract($1::JSON, '$[*]')) AS pair)`,
    [JSON.stringify(ends)],
  )
  const found = columns.map(
    name =>
      `SELECT DISTINCT asked.hi, asked.lo FROM ${view} JOIN asked ON ${view}.${name}.hi = asked.hi AND ${view}.${name}.lo = asked.lo`,
  )
  const rows = await c.db.rows(found.join(' UNION '))
  return new Set(rows.map(row => hosts.of(half(row['hi']), half(row['lo']))))
}

/** Which `rows` gives as a number where it is small. */
function half(value: Value | undefined): bigint {
  return BigInt(value as number | bigint)
}

function overlaps(side: Side, spans: readonly { from_us: number; to_us: number }[], offset_us: number): boolean {
  return spans.some(span => side.start_us + offset_us <= span.to_us && side.end_us + offset_us >= span.from_us)
}

/** Why the logs do not have what a capture has; the first that applies. */
export function captureOnlyReason(capture: CaptureSide, around: Circumstances, offset_us: number): string {
  const unlogged = neverLogged(capture)
  if (unlogged !== null) return unlogged
  if (capture.tunnel === 'vxlan') return 'mirrored'
  const { logSpan } = around
  if (logSpan === null) return 'no-sensor-of-the-subject'
  const from = capture.start_us + offset_us
  const to = capture.end_us + offset_us
  if (to < logSpan.from_us || from > logSpan.to_us + around.interval_us) return 'outside-the-logs'
  if (overlaps(capture, around.skipped, offset_us)) return 'skipdata'
  if (overlaps(capture, around.holes, offset_us)) return 'hole-in-the-logs'
  const client = around.inLogs.has(capture.client)
  const server = around.inLogs.has(capture.server)
  if (!client && !server) return 'interface-not-logged'
  if (!client || !server) return 'address-translated-or-not-logged'
  if (around.onlyAccepted && capture.packets_to_client === 0) return 'log-of-accepted-traffic-only'
  return 'unexplained'
}

/** Why the captures do not have what the logs have; the first that applies. */
export function logOnlyReason(log: LogSide, around: Circumstances, offset_us: number): string {
  if (!log.timed) return 'times-unknown'
  if (!overlaps(log, around.captureSpans, -offset_us)) return 'outside-the-capture'
  if (log.rejected === log.records) return 'rejected-before-the-host'
  const client = around.inCaptures.has(log.client)
  const server = around.inCaptures.has(log.server)
  if (!client && !server) return 'other-host'
  // The end that is missing is a machine of the network under study: the capture was not made there.
  const missing = client ? log.server : log.client
  if (client !== server && isInternal(missing, around.own)) return 'other-host'
  // A record lies somewhere in its interval: at the edge of a capture the packets may be before or after it.
  const whole = around.captureSpans.some(
    span =>
      log.start_us - around.interval_us >= span.from_us + offset_us &&
      log.end_us + around.interval_us <= span.to_us + offset_us,
  )
  if (!whole) return 'at-the-edge-of-the-capture'
  if (around.captureLoss !== null) return around.captureLoss
  return client && server ? 'unexplained' : 'address-translated-or-filtered'
}

/** What AWS never logs (AWS, "Flow log limitations"). */
function neverLogged(side: Side): string | null {
  const texts = [side.client.text, side.server.text]
  const ports = [side.client_port, side.server_port]
  if (texts.includes('169.254.169.254') || texts.includes('fd00:ec2::254')) return 'never-logged: instance metadata'
  if (texts.includes('169.254.169.123') || texts.includes('fd00:ec2::123')) return 'never-logged: time service'
  if (side.protocol === 17 && (ports.includes(67) || ports.includes(68))) return 'never-logged: DHCP'
  if (side.protocol === 17 && (ports.includes(546) || ports.includes(547))) return 'never-logged: DHCP'
  const resolver = texts.includes('169.254.169.253') || texts.includes('fd00:ec2::253')
  // The resolver has the third address of the VPC, or of a network in it: x.x.x.2.
  const third = isIPv4(side.server) && (side.server.lo & 255n) === 2n && isPrivate(side.server.lo)
  if (side.server_port === 53 && (resolver || third)) return 'never-logged: Amazon resolver'
  if (ports.includes(1688) && texts.some(text => text.startsWith('169.254.'))) return 'never-logged: Windows activation'
  return null
}

function isPrivate(lo: bigint): boolean {
  const quad = Number(lo & 0xffff_ffffn)
  const [a, b] = [quad >>> 24, (quad >>> 16) & 255]
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128)
}
