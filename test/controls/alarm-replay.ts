// Cases of handmade logs, and a replay of alarms over raw lines that knows nothing of the record index.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { MetricAlarm } from '../../src/as-code/artefact.ts'
import { type Alarm, alarmsFor } from '../../src/controls/alarms.ts'
import { extract, parsePattern } from '../../src/controls/filter-pattern.ts'
import type { ProtectedTraffic } from '../../src/controls/protected.ts'
import { usesOf } from '../../src/controls/uses.ts'
import { joined } from '../../src/conversations/connections.ts'
import { internalMarks, marksOf } from '../../src/conversations/hosts.ts'
import { intervalOf } from '../../src/conversations/intervals.ts'
import { type Asked as AskedOfCase, askKept } from '../../src/detect/ask-kept.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { openCase } from '../../src/store/case.ts'

export interface Asked {
  hosts: readonly string[]
  subject: readonly string[]
  /** Whose connections are the attack; by default the subject's. */
  attackers?: readonly string[]
  /** Of the attack, Unix seconds. */
  from: number
  to: number
  /** When the alarms are put in place. */
  at_us?: number
  services?: ProtectedTraffic['services']
}

/** The traffic of hosts: a connection with the subject is the attack. */
export function trafficOf(
  { index, kept }: Pick<AskedOfCase, 'index' | 'kept'>,
  { hosts, subject, attackers = subject, from, to, services = [] }: Asked,
): ProtectedTraffic {
  const { hosts: dictionary, vantages } = index.dictionaries
  const subjects = subject.map(text => parsePrefix(text)!)
  const isProtected = marksOf(
    dictionary,
    hosts.map(text => parsePrefix(text)!),
  )
  const isAttacker = marksOf(
    dictionary,
    attackers.map(text => parsePrefix(text)!),
  )
  const internal = internalMarks(dictionary, [])
  const pieces = Array.from({ length: kept.blocks }, (_, block) => {
    const connections = joined([kept.read(block)])
    const { client, server } = connections
    return { connections, attack: client.map((one, i) => isAttacker[one]! | isAttacker[server[i]!]!) }
  })
  return {
    pieces: pieces.map(({ connections, attack }) => ({ connections, attack: Uint8Array.from(attack) })),
    ...{ subjects, services, isApproved: null, incident: { from_us: from * 1e6, to_us: to * 1e6 } },
    isProtected: host => isProtected[host] === 1,
    isInternal: host => internal[host] === 1,
    address: host => ({ hi: dictionary.hi[host]!, lo: dictionary.lo[host]! }),
    awsService: () => null,
    placeOf: () => ({ interface: null, subnet: null, vpc: null }),
    hasSizes: true,
    interval_us: intervalOf('logs', vantages),
  }
}

export async function alarmsOf(caseDir: string, asked: Asked): Promise<Alarm[]> {
  const c = await openCase(caseDir)
  try {
    const { alarms } = await askKept(c, {}, async ({ c: own, index, kept }) => {
      const traffic = trafficOf({ index, kept }, asked)
      const request = {
        traffic,
        uses: usesOf(traffic),
        approvedPorts: [22, 53, 80, 123, 443],
        own: [],
        at_us: asked.at_us ?? null,
      }
      return { alarms: await alarmsFor(own, index, request, 1) }
    })
    return alarms
  } finally {
    await c.close()
  }
}

/** Writes logs, each under its name, and adds them to a case. */
export async function caseOf(
  root: string,
  name: string,
  logs: Readonly<Record<string, readonly string[]>>,
): Promise<string> {
  const folder = join(root, `${name}-logs`)
  mkdirSync(folder)
  for (const [file, lines] of Object.entries(logs)) writeFileSync(join(folder, file), `${lines.join('\n')}\n`)
  await addEvidence({ case: join(root, name), paths: [folder], workers: 1 })
  return join(root, name)
}

/** The lines of all logs of a folder, without headers. */
export function rawLines(folder: string): string[] {
  return readdirSync(folder).flatMap(file => {
    const bytes = readFileSync(join(folder, file))
    const text = file.endsWith('.gz') ? gunzipSync(bytes) : bytes
    return text
      .toString()
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('version '))
  })
}

export const artefactOf = ({ recommended: { artefact } }: Alarm): MetricAlarm => {
  assert(artefact.what === 'metric-alarm')
  return artefact
}

export function named(alarms: readonly Alarm[], part: string): Alarm {
  const found = alarms.find(one => artefactOf(one).name.includes(part))
  assert(found !== undefined, part)
  return found
}

/** When the alarm goes off, period by period, by the pattern over raw lines. @param start place of the field. */
export function replay(alarm: MetricAlarm, lines: readonly string[], start: number): { at: string; value: number }[] {
  const pattern = parsePattern(alarm.pattern!)
  return changes(
    alarm,
    lines.flatMap(line => {
      const found = extract(pattern, line)
      if (found === null) return []
      const value = Number(alarm.value.startsWith('$') ? found.get(alarm.value) : alarm.value)
      return Number.isNaN(value) ? [] : [{ at: Number(line.split(' ')[start]), value }]
    }),
  )
}

/** The same of events: seconds, and their values. */
export function changes(
  alarm: Pick<MetricAlarm, 'period' | 'periods' | 'datapoints' | 'comparison' | 'threshold'>,
  events: readonly { at: number; value: number }[],
): { at: string; value: number }[] {
  if (events.length === 0) return []
  const sums = new Map<number, number>()
  for (const { at, value } of events) {
    const period = Math.floor(at / alarm.period)
    sums.set(period, (sums.get(period) ?? 0) + value)
  }
  const isMore = alarm.comparison === 'GreaterThanThreshold'
  assert(isMore || alarm.comparison === 'GreaterThanOrEqualToThreshold')
  const found: { at: string; value: number }[] = []
  let isAlarm = false
  for (let period = Math.min(...sums.keys()); period <= Math.max(...sums.keys()); period++) {
    let count = 0
    for (let back = 0; back < alarm.periods; back++) {
      const value = sums.get(period - back)
      if (value !== undefined && (isMore ? value > alarm.threshold : value >= alarm.threshold)) count++
    }
    const is = count >= (alarm.datapoints ?? alarm.periods)
    if (is && !isAlarm) {
      const at = new Date((period + 1) * alarm.period * 1000).toISOString().replace('.000Z', 'Z')
      found.push({ at, value: sums.get(period)! })
    }
    isAlarm = is
  }
  return found
}
