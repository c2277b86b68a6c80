// Connections against Zeek's own baselines (their origin is in SOURCES.md beside them).
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Meter } from '../../src/meter/meter.ts'
import { sharedDir, skipWithout } from '../repo.ts'
import { badChecksum, type PlainConnection, plainConnection, readCapture } from './captures.ts'
import { type Baseline, baselines } from './zeek-baselines.ts'

const folder = sharedDir === null ? null : join(sharedDir, 'data', 'pcap', 'zeek')

/** Baselines of something else than the connections of the capture, by a part of their name. */
const notComparable: [RegExp, string][] = [
  [/^core\.tunnels\.(ayiya|gre-over-udp)/, 'tunnels that only Zeek knows, by protocol or port'],
  [/^core\.skip_analyzer/, 'the inner analyser is turned off'],
  [/^scripts\.policy\.frameworks\.conn_key\.vlan_fivetuple/, 'the VLAN is part of the key, by a script'],
  [/dynamic-filter/, 'a filter is changed on the way'],
]

/** The ports that a filter of the command asks for (`-f 'port 53 or port 80'`); empty: all. */
function filterOf(baseline: Baseline): Set<number> {
  const filter = /-f ['"]([^'"]+)['"]/.exec(baseline.command)?.[1] ?? ''
  return new Set([...filter.matchAll(/port (\d+)/g)].map(match => Number(match[1])))
}

/** Columns that are compared where a baseline has them. */
const columns: Record<string, (c: PlainConnection) => string> = {
  conn_state: c => c.state,
  orig_pkts: c => String(c.origPackets),
  orig_ip_bytes: c => String(c.origIpBytes),
  resp_pkts: c => String(c.respPackets),
  resp_ip_bytes: c => String(c.respIpBytes),
}

interface Outcome {
  rows: number
  same: number
  /** Of rows that agree: how many there are with the column, and how many have another value. */
  more: Record<string, [number, number]>
  differences: string[]
}

/** Connections of a capture as Zeek sees it: without packets of a wrong checksum, unless it was told `-C`. */
function connectionsOf(baseline: Baseline): { connections: PlainConnection[]; notes: string[] } {
  const connections: PlainConnection[] = []
  const notes: string[] = []
  const meter = new Meter({ connections: c => connections.push(plainConnection(c)) })
  const checks = !/ -\w*C/.test(baseline.command)
  const ports = filterOf(baseline)
  const { accounts } = readCapture(baseline.trace, (packet, captured) => {
    if (ports.size > 0 && !ports.has(packet.srcPort) && !ports.has(packet.dstPort)) return
    if (!checks || badChecksum(packet, captured) === '') meter.add(packet)
    else notes.push('bad checksum')
  })
  meter.finish()
  if (accounts.lengthFromWire > 0) notes.push('length of 0')
  if (accounts.decoded === 0) notes.push('link type')
  return { connections, notes }
}

/** The ends of a row as ours are written; null where the baseline was cut to other columns. */
function endsOf(row: Record<string, string>): [string, string] | null {
  if (row['id.orig_h'] === undefined || row['id.orig_p'] === undefined) return null
  const isIcmp = row['proto'] === 'icmp'
  const respPort = isIcmp ? '*' : row['id.resp_p']
  return [`${row['id.orig_h']} ${row['id.orig_p']}`, `${row['id.resp_h']} ${respPort}`]
}

function compare(baseline: Baseline, outcome: Outcome): void {
  const { connections, notes } = connectionsOf(baseline)
  const left = [...connections]
  for (const row of baseline.rows) {
    const ends = endsOf(row)
    // Zeek lists the connections that carry a tunnel too.
    const isCarrier = baseline.name.startsWith('core.tunnels.') && (row['tunnel_parents'] ?? '-') === '-'
    if (ends === null || isCarrier) continue
    outcome.rows++
    const names = Object.keys(columns).filter(name => (row[name] ?? '-') !== '-')
    const found = left.findIndex(
      c => c.orig === ends[0] && c.resp === ends[1] && names.every(name => columns[name]!(c) === row[name]),
    )
    if (found < 0) {
      const why = notes.at(-1) ?? 'unexplained'
      outcome.differences.push(`${why}: ${baseline.name} ${ends} ${names.map(name => row[name])}`)
      continue
    }
    outcome.same++
    const [ours] = left.splice(found, 1)
    note(outcome, 'history', row, history(ours!.history), history)
    note(outcome, 'orig_bytes', row, String(ours!.origBytes))
    note(outcome, 'resp_bytes', row, String(ours!.respBytes))
    note(outcome, 'duration', row, ours!.seconds.toFixed(5), text => Number(text).toFixed(5))
  }
}

/** X says that an analyser gave up. */
const history = (text: string) => text.replace(/[Xx]/g, '')

function note(
  outcome: Outcome,
  name: string,
  row: Record<string, string>,
  ours: string,
  as = (text: string) => text,
): void {
  const theirs = row[name]
  if (theirs === undefined || theirs === '-') return
  const counts = (outcome.more[name] ??= [0, 0])
  counts[0]++
  if (as(theirs) === ours) return
  counts[1]++
  outcome.differences.push(`${name} ${baselineText(row)}: ${theirs}, here ${ours}`)
}

const baselineText = (row: Record<string, string>) => `${row['id.orig_h']} ${row['id.orig_p']} ${row['id.resp_h']}`

test('agrees with Zeek about originator, responder, packets, IP bytes and state', skipWithout(folder), t => {
  const outcome: Outcome = { rows: 0, same: 0, more: {}, differences: [] }
  const left = new Map<string, number>()
  for (const baseline of baselines(folder!)) {
    const reason = notComparable.find(([name]) => name.test(baseline.name))?.[1]
    if (reason !== undefined) left.set(reason, (left.get(reason) ?? 0) + 1)
    else if (existsSync(baseline.trace)) compare(baseline, outcome)
  }
  t.diagnostic(`${outcome.same} of ${outcome.rows} connections agree; ${JSON.stringify(outcome.more)}`)
  t.diagnostic(`not compared: ${JSON.stringify([...left])}`)
  for (const difference of outcome.differences) t.diagnostic(difference)
  const unread = outcome.differences.filter(difference => difference.startsWith('link type:')).length
  assert.ok(outcome.rows >= 160, `only ${outcome.rows} connections`)
  assert.ok(outcome.same / (outcome.rows - unread) >= 0.99, `${outcome.same} of ${outcome.rows - unread}`)
  // Each remaining difference has a name: docs/reference/metering.md tells of them.
  assert.deepEqual(
    outcome.differences.filter(difference => !/^(length of 0|link type|bad checksum):/.test(difference)),
    [],
  )
})
