/**
 * What AWS writes of connections: by network interface, direction and aggregation interval, with flags OR-ed, in several formats. All records
 * of one interface and interval share start and end, as in most real logs, or each has its own.
 */
import { type Chance, chanceFrom } from '../robustness/support.ts'
import { type Connection, packetsOf } from './traffic.ts'

/** Formats of the same log: all fields, without tcp-flags, the default one, and one of rejected traffic alone. */
export const formats = ['flags', 'no flags', 'default', 'rejects'] as const
export type Format = (typeof formats)[number]

const defaultFields =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'.split(
    ' ',
  )
const withoutFlags =
  'version account-id interface-id vpc-id subnet-id instance-id srcaddr dstaddr srcport dstport pkt-srcaddr pkt-dstaddr protocol packets bytes start end action log-status type pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path'.split(
    ' ',
  )
const fieldsOf: Record<Format, readonly string[]> = {
  flags: [...withoutFlags, 'tcp-flags'],
  'no flags': withoutFlags,
  default: defaultFields,
  rejects: [...withoutFlags, 'tcp-flags'],
}

/** One record of a log; ends are those that the interface sees, and the packet's. */
interface LogRecord {
  eni: string
  direction: 'ingress' | 'egress'
  ends: string
  packetEnds: readonly [string, string]
  protocol: number
  services: readonly [string | null, string | null]
  isRejected: boolean
  packets: number
  bytes: number
  flags: number
  first: number
  last: number
}

/** Seconds since the epoch at which a case begins: 2024-03-05. */
export const begin = 1_709_596_800

export interface SensorOptions {
  seed: number
  /** The aggregation interval, seconds. */
  interval: number
  /** Addresses that have an interface whose traffic is logged. */
  logged: ReadonlySet<string>
  /** Whether intervals without traffic are told as NODATA, until that many seconds from the begin. */
  noDataUntil?: number
}

/** The records of an interface in an interval. */
interface Window {
  eni: string
  number: number
  records: Map<string, LogRecord>
}

/** The lines of a log, in order of its intervals. */
export interface Log {
  lines(format: Format): string[]
}

export function logOf(connections: readonly Connection[], options: SensorOptions): Log {
  const { seed, interval, logged } = options
  const windows = new Map<string, Window>()
  const phases = new Map([...logged].map(address => [address, phaseOf(seed, address, interval)]))
  for (const connection of connections) {
    const legs = legsOf(connection, logged)
    for (const { at, isUp, packets, bytes, flags } of packetsOf(connection)) {
      for (const leg of legs) {
        if (leg.isUp !== isUp) continue
        const number = Math.floor((at - phases.get(leg.eni)!) / interval)
        const window = windowOf(windows, leg.eni, number)
        const key = `${leg.ends} ${leg.packetEnds.join(' ')} ${connection.protocol} ${leg.direction} ${leg.isRejected}`
        const known = window.records.get(key)
        if (known === undefined) {
          const { protocol } = connection
          window.records.set(key, { ...leg, protocol, packets, bytes, flags, first: at, last: at })
        } else {
          known.packets += packets
          known.bytes += bytes
          known.flags |= flags
          known.first = Math.min(known.first, at)
          known.last = Math.max(known.last, at)
        }
      }
    }
  }
  const inOrder = [...windows.values()].sort(
    (a, b) => a.number - b.number || phases.get(a.eni)! - phases.get(b.eni)! || (a.eni < b.eni ? -1 : 1),
  )
  const timed = inOrder.flatMap(window => timedRecords(window, seed))
  return { lines: format => linesOf(timed, format, idle(windows, phases, options)) }
}

type Leg = Omit<LogRecord, 'packets' | 'bytes' | 'flags' | 'first' | 'last' | 'protocol'> & { isUp: boolean }

/** Which interfaces see which direction of a connection, between which ends. */
function legsOf(connection: Connection, logged: ReadonlySet<string>): Leg[] {
  const { from, to, sourcePort, port, state, via, service, clientService } = connection
  const isRejected = state === 'rejected'
  const legs: Leg[] = []
  const add = (
    eni: string,
    isUp: boolean,
    direction: Leg['direction'],
    seen: readonly [string, string],
    real: readonly [string, string] = seen,
    source = sourcePort,
  ): void => {
    const ports = isUp ? `${source} ${port}` : `${port} ${source}`
    const services: Leg['services'] = isUp ? [clientService, service] : [service, clientService]
    // A client's own interface lets out what the server's rules stop.
    const stops = isRejected && (eni === to || !logged.has(to))
    legs.push({
      eni,
      isUp,
      direction,
      ends: `${seen.join(' ')} ${ports}`,
      packetEnds: real,
      services,
      isRejected: stops,
    })
  }
  if (logged.has(from)) {
    add(from, true, 'egress', [from, to])
    add(from, false, 'ingress', [to, from])
  }
  if (logged.has(to)) {
    add(to, true, 'ingress', [from, to])
    add(to, false, 'egress', [to, from])
  }
  if (via !== null) {
    // A translator has ports of its own.
    const translated = 1024 + ((sourcePort * 7919 + port) % 64_000)
    add(via, true, 'ingress', [from, via], [from, to])
    add(via, true, 'egress', [via, to], [via, to], translated)
    add(via, false, 'ingress', [to, via], [to, via], translated)
    add(via, false, 'egress', [via, from], [to, from])
  }
  return legs
}

function windowOf(windows: Map<string, Window>, eni: string, number: number): Window {
  const key = `${eni} ${number}`
  const known = windows.get(key)
  if (known !== undefined) return known
  const made: Window = { eni, number, records: new Map() }
  windows.set(key, made)
  return made
}

/** When an interface's intervals begin, seconds from the begin of the case. */
function phaseOf(seed: number, address: string, interval: number): number {
  return chanceOf(seed, address).int(0, interval - 1)
}

function chanceOf(seed: number, text: string): Chance {
  let hash = seed
  for (const letter of text) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0
  return chanceFrom(hash)
}

interface Timed {
  record: LogRecord
  start: number
  end: number
}

/** A window's records with their times; AWS may be some seconds late. */
function timedRecords({ eni, number, records }: Window, seed: number): Timed[] {
  const style = chanceOf(seed + 1, eni)
  const isShared = style.maybe(0.7)
  const chance = chanceOf(seed + 2 + number, eni)
  const late = chance.maybe(0.2) ? chance.int(1, 8) : 0
  const list = [...records.values()]
  const first = list.reduce((least, one) => Math.min(least, one.first), Number.POSITIVE_INFINITY)
  const last = list.reduce((most, one) => Math.max(most, one.last), Number.NEGATIVE_INFINITY)
  return list.map(record => ({
    record,
    start: begin + Math.floor(isShared ? first : record.first) + late,
    end: begin + Math.ceil(isShared ? last : record.last) + late,
  }))
}

/** Lines that say that an interface had no traffic, `start end` by interface. */
function idle(
  windows: ReadonlyMap<string, Window>,
  phases: ReadonlyMap<string, number>,
  { interval, noDataUntil = 0 }: SensorOptions,
): { eni: string; start: number; end: number }[] {
  return [...phases].flatMap(([eni, phase]) => {
    const count = Math.floor((noDataUntil - phase) / interval)
    return Array.from({ length: Math.max(0, count) }, (_, number) => number)
      .filter(number => !windows.has(`${eni} ${number}`))
      .map(number => {
        const start = begin + phase + number * interval
        return { eni, start, end: start + interval - 2 }
      })
  })
}

const path = (services: readonly [string | null, string | null], isInside: boolean): string =>
  isInside ? '1' : services[1] === 'S3' || services[1] === 'DYNAMODB' ? '7' : '8'

function linesOf(
  timed: readonly Timed[],
  format: Format,
  none: readonly { eni: string; start: number; end: number }[],
): string[] {
  const fields = fieldsOf[format]
  const version = format === 'default' ? '2' : '5'
  const written = timed.flatMap(({ record, start, end }) => {
    if (format === 'rejects' && !record.isRejected) return []
    const [src, dst, srcport, dstport] = record.ends.split(' ')
    const isSix = src!.includes(':')
    const values: Record<string, string> = {
      ...places(record.eni, version),
      ...{ srcaddr: src!, dstaddr: dst!, srcport: srcport!, dstport: dstport! },
      ...{ 'pkt-srcaddr': record.packetEnds[0], 'pkt-dstaddr': record.packetEnds[1], protocol: `${record.protocol}` },
      ...{ packets: `${record.packets}`, bytes: `${record.bytes}`, start: `${start}`, end: `${end}` },
      ...{ action: record.isRejected ? 'REJECT' : 'ACCEPT', 'log-status': 'OK', type: isSix ? 'IPv6' : 'IPv4' },
      ...{ 'pkt-src-aws-service': record.services[0] ?? '-', 'pkt-dst-aws-service': record.services[1] ?? '-' },
      'flow-direction': record.direction,
      'traffic-path': record.direction === 'ingress' ? '-' : path(record.services, /^(10\.|fd)/.test(dst!)),
      'tcp-flags': `${record.flags}`,
    }
    return [fields.map(field => values[field]!).join(' ')]
  })
  const empty = none.map(({ eni, start, end }) => {
    const values: Record<string, string> = {
      ...places(eni, version),
      start: `${start}`,
      end: `${end}`,
      'log-status': 'NODATA',
    }
    return fields.map(field => values[field] ?? '-').join(' ')
  })
  return [...written, ...empty]
}

/** Names that follow from the interface's address. */
function places(address: string, version: string): Record<string, string> {
  const number = [...address].reduce((hash, letter) => (Math.imul(hash, 131) + letter.charCodeAt(0)) >>> 0, 7)
  const id = number.toString(16).padStart(8, '0')
  return {
    ...{ version, 'account-id': '123456789012', 'interface-id': `eni-0${id}`, 'vpc-id': 'vpc-0a1b2c3d' },
    ...{ 'subnet-id': `subnet-0${id.slice(0, 4)}`, 'instance-id': `i-0${id}` },
  }
}

/** The line that names the fields. */
export function headerOf(format: Format): string {
  return fieldsOf[format].join(' ')
}
