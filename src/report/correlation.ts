import type { Correlation, CorrelationRow, Dossier } from '../investigate/dossier.ts'
import { protocolText } from '../net/protocols.ts'
import { durationWords } from '../net/time.ts'
import { type Block, count, gap, heading, line, list, paragraph, table } from './block.ts'
import { onlyDay, spanOn } from './days.ts'
import { endpoint, endpointText } from './names.ts'
import { countText, integerText, spanText } from './numbers.ts'

const servicesAtMost = 12
const reasonsAtMost = 12
const coversAtMost = 2

/** Reasons that say nothing against either kind of evidence. */
const harmless = new Set(['outside-the-capture', 'reaches-beyond-the-capture'])

/** How far logs and packets agree, and each reason for which they do not. */
export function kindsDoubt(d: Dossier): string[] {
  const { correlation_summary: found } = d
  if (found === null) return []
  const both = found.full + found.time
  const differ = found.reasons.filter(({ reason }) => !harmless.has(reason)).map(reasonText)
  const reasons = differ.length === 0 ? '' : `; ${differ.slice(0, reasonsAtMost).join('; ')}`
  const packetsOnly = found.capture_only > 0 ? `, ${integerText(found.capture_only)} in packets only` : ''
  return [
    `Packets: ${countText(both, 'connection')} in both, ${integerText(found.log_only)} in logs only${coverText(found, onlyDay(d))}${packetsOnly}${reasons}.`,
  ]
}

/** Most of what no capture has lies outside the time of the captures. */
function coverText({ captures }: Correlation, day: string | null): string {
  if (captures.length === 0) return ''
  const spans = captures.map(({ first, last }) => spanOn(day, wholeSecond(first), wholeSecond(last)))
  const more = spans.length > coversAtMost ? ` and ${integerText(spans.length - coversAtMost)} more times` : ''
  return ` (captures cover ${spans.slice(0, coversAtMost).join(', ')}${more})`
}

function wholeSecond(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z')
}

/** The two kinds of evidence side by side, and what each adds to the other. */
export function correlationBlocks(d: Dossier): Block[] {
  const found = d.correlation_summary
  if (found === null) return []
  const { captures, clock_offset } = found
  const packets = captures.reduce((sum, capture) => sum + capture.packets, 0)
  const spans = captures.map(capture => spanText(capture.first, capture.last))
  const clocks =
    clock_offset.seconds === null
      ? `The clocks cannot be compared: ${countText(clock_offset.connections, 'connection')} in both kinds, whose beginning the capture saw, are too few or too far apart.`
      : `${clocksText(clock_offset.seconds)}, by ${countText(clock_offset.connections, 'connection')} (times of flow logs are whole seconds: ± 0.5 s). No time on this page was changed by it.`
  const left = found.surface.length - servicesAtMost
  return [
    heading('Logs and packets'),
    paragraph(
      `${countText(captures.length, 'capture')} with ${countText(packets, 'packet')}, ${spans.slice(0, 3).join('; ')}. Volumes of packets and logs are compared, never added: both count the same traffic.`,
    ),
    paragraph(clocks),
    gap,
    surfaceTable(found),
    ...(left > 0 ? [paragraph(`and ${countText(left, 'other service')}: see --json.`)] : []),
    gap,
    paragraph(
      `Connections: ${integerText(found.full)} agree in ends, time and volume; ${integerText(found.time)} in ends and time; ${integerText(found.log_only)} are in the logs only, ${integerText(found.capture_only)} in packets only.`,
    ),
    list(found.reasons.slice(0, reasonsAtMost).map(reasonText)),
    gap,
    list(additions(d, found)),
  ]
}

function surfaceTable(found: Correlation): Block {
  return table(
    [
      { title: 'server' },
      { title: 'in logs', align: 'right' },
      { title: 'in packets', align: 'right' },
      { title: 'in both', align: 'right' },
    ],
    found.surface.slice(0, servicesAtMost).map(row => ({
      cells: [
        line`${endpoint(row.server, row.port)} ${protocolText(row.protocol)}`,
        ...[row.log_connections, row.capture_connections, row.matched].map(some => count(integerText(some))),
      ],
    })),
  )
}

function clocksText(seconds: number): string {
  const amount = `${Math.abs(seconds).toFixed(2)} s`
  if (Math.abs(seconds) < 0.5) return `The clocks of logs and capture agree to ${amount}`
  return `The logs' clock is ${amount} ${seconds < 0 ? 'behind' : 'ahead of'} the capture's`
}

/** Why a connection is not in both kinds of evidence, or not the same in both. */
export const reasonWords: Readonly<Record<string, string>> = {
  'outside-the-capture': 'before or after the capture',
  'reaches-beyond-the-capture': 'the connection reaches beyond the capture',
  'at-the-edge-of-the-capture': 'at the edge of the capture: its packets may lie outside',
  'rejected-before-the-host': 'rejected by a security group or ACL, so no packet reached the host',
  'other-host': 'of a host that the capture does not show',
  'address-translated-or-filtered':
    'one end is not in the capture: its address was translated, or a filter left it out',
  'capture-lost-packets': 'the capturing system dropped packets',
  'capture-is-damaged': 'the capture is damaged',
  'volumes-differ': 'volumes differ, and nothing known explains it',
  'outside-the-logs': 'before or after the logs',
  'no-sensor-of-the-subject': 'no interface that logs has seen the subject',
  'volumes-unknown': 'the records do not say how many bytes',
  'times-unknown': 'the records have no time to compare',
  skipdata: 'AWS dropped records then (SKIPDATA)',
  'hole-in-the-logs': 'the logs have a hole there',
  'interface-not-logged': 'neither end is in the logs: the interface is not logged',
  'address-translated-or-not-logged': 'one end is not in the logs: its address was translated, or it is not logged',
  'log-of-accepted-traffic-only': 'the logs hold accepted traffic only',
  mirrored: 'mirrored traffic (VXLAN) is not logged at its source',
  unexplained: 'unexplained',
}

function reasonText({ match, reason, connections }: Correlation['reasons'][number]): string {
  const where = { full: 'in both', time: 'in both', 'log-only': 'logs only', 'capture-only': 'packets only' }[match]
  return `${where}: ${countText(connections, 'connection')}: ${whyWords(reason)}`
}

/** A reason in words. */
export function whyWords(reason: string): string {
  return reasonWords[reason] ?? reason.replace('never-logged: ', 'never logged by AWS: ')
}

/** What one kind of evidence knows that the other does not. */
function additions(d: Dossier, found: Correlation): string[] {
  const inPackets = d.correlation.filter(row => row.capture !== null)
  const lines: string[] = []
  const trips = inPackets.flatMap(row => row.capture?.rtt_us ?? []).sort((a, b) => a - b)
  if (trips.length > 0) {
    lines.push(
      `Packets add the TCP round trip: median ${durationWords(trips[trips.length >> 1]! / 1e6)} over ${countText(trips.length, 'connection')}`,
    )
  }
  for (const row of found.surface.slice(0, 6)) {
    const own = inPackets.filter(
      one => one.server === row.server && one.server_port === row.port && one.protocol === row.protocol,
    )
    if (own.length === 0) continue
    const data = own.reduce((sum, one) => sum + packetsOf(one), 0)
    const states = new Map<string, number>()
    for (const one of own) {
      const state = one.capture?.conn_state
      if (state != null) states.set(state, (states.get(state) ?? 0) + 1)
    }
    const named = [...states]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 3)
      .map(([state, count]) => `${integerText(count)} ${state}`)
    lines.push(
      `Packets prove ${endpointText(row.server, row.port)} ${protocolText(row.protocol)}: ${countText(own.length, 'connection')}, ${countText(data, 'packet')}${named.length > 0 ? ` (${named.join(', ')})` : ''}`,
    )
  }
  const logOnly = (reason: string): number =>
    found.reasons.find(one => one.match === 'log-only' && one.reason === reason)?.connections ?? 0
  const beyond = logOnly('outside-the-capture')
  if (beyond > 0) lines.push(`Logs add ${countText(beyond, 'connection')} before and after the capture`)
  const rejected = logOnly('rejected-before-the-host')
  if (rejected > 0)
    lines.push(
      `Logs add ${countText(rejected, 'attempt that was', 'attempts that were')} rejected before the host was reached`,
    )
  return lines
}

function packetsOf(row: CorrelationRow): number {
  return row.capture === null ? 0 : (row.capture.packets_to_server ?? 0) + (row.capture.packets_to_client ?? 0)
}
