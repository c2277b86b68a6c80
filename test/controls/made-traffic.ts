/** Traffic of protected hosts, made of a few words. */

import type { AwsPlace, KnownService, Place, ProtectedTraffic } from '../../src/controls/protected.ts'
import { makeConnections, mark, outcome } from '../../src/conversations/connections.ts'
import { noPort, noProtocol } from '../../src/conversations/services.ts'
import { type Address, compareAddresses, formatAddress, parseAddress } from '../../src/net/address.ts'
import { isInternal } from '../../src/net/internal.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { hasPorts } from '../../src/net/protocols.ts'
import type { GroupRule } from '../../src/network-rules/network.ts'

export interface Row {
  client: string
  server: string
  /** Null: not known, or none. */
  port?: number | null
  protocol?: number | null
  /** Seconds since `begin`; null where no record tells. */
  at?: number | null
  seconds?: number
  clientPort?: number | null
  up?: readonly [packets: number, bytes: number]
  down?: readonly [packets: number, bytes: number]
  outcome?: keyof typeof outcome
  isAttack?: boolean
  marks?: number
  /** So many of them, a second after each other. */
  times?: number
}

export interface Made {
  rows: readonly Row[]
  protect: readonly string[]
  subjects?: readonly string[]
  aws?: Readonly<Record<string, AwsPlace>>
  places?: Readonly<Record<string, Partial<Place>>>
  approved?: readonly number[] | null
  /** Seconds since `begin` of the first connection of the attack; null: there is none. */
  incident?: number | null
  interval?: number
  /** Whether the records say packets and bytes; they do by default. */
  hasSizes?: boolean
  services?: readonly KnownService[]
  /** How many pieces the connections are in. */
  pieces?: number
}

export const begin = 1_695_859_200

const nowhere: Place = { interface: null, subnet: null, vpc: null }

export function made({ rows, protect, subjects = [], pieces = 1, ...given }: Made): ProtectedTraffic {
  const all = rows.flatMap(row => Array.from({ length: row.times ?? 1 }, (_, n) => ({ ...row, n })))
  const hosts = sortedHosts(all)
  const numberOf = new Map(hosts.map((address, i) => [formatAddress(address.hi, address.lo), i]))
  const texts = hosts.map(({ hi, lo }) => formatAddress(hi, lo))
  const size = Math.max(1, Math.ceil(all.length / pieces))
  const parts = Array.from({ length: pieces }, (_, i) => all.slice(i * size, (i + 1) * size))
  const {
    aws = {},
    places = {},
    approved = null,
    incident = null,
    interval = 60,
    services = [],
    hasSizes = true,
  } = given
  return {
    pieces: parts.map(part => piece(part, numberOf)),
    hasSizes,
    isProtected: host => protect.includes(texts[host]!),
    subjects: subjects.map(text => parsePrefix(text)!),
    address: host => hosts[host]!,
    isInternal: host => isInternal(hosts[host]!),
    awsService: host => aws[texts[host]!] ?? null,
    placeOf: host => ({ ...nowhere, ...places[texts[host]!] }),
    interval_us: interval * 1e6,
    isApproved: approved === null ? null : (_, port) => approved.includes(port),
    incident: incident === null ? null : { from_us: (begin + incident) * 1e6, to_us: (begin + 86_400) * 1e6 },
    services,
  }
}

function canonical(text: string): string {
  const { hi, lo } = parseAddress(text)!
  return formatAddress(hi, lo)
}

function sortedHosts(rows: readonly Row[]): Address[] {
  const texts = new Set(rows.flatMap(row => [canonical(row.client), canonical(row.server)]))
  return [...texts].map(text => parseAddress(text)!).sort(compareAddresses)
}

function piece(rows: readonly (Row & { n: number })[], numberOf: ReadonlyMap<string, number>) {
  const connections = makeConnections(rows.length)
  const attack = new Uint8Array(rows.length)
  for (const [i, row] of rows.entries()) {
    const { protocol = 6, port = null, at = 0, seconds = 1, up = [10, 1000], down = [10, 1000] } = row
    connections.client[i] = numberOf.get(canonical(row.client))!
    connections.server[i] = numberOf.get(canonical(row.server))!
    connections.protocol[i] = protocol ?? noProtocol
    connections.port[i] = hasPorts(protocol) ? (port ?? noPort) : noPort
    connections.clientPort[i] =
      row.clientPort === null || !hasPorts(protocol) ? noPort : (row.clientPort ?? 40_000 + (row.n % 1000))
    connections.start_us[i] = at === null ? Number.POSITIVE_INFINITY : (begin + at + row.n) * 1e6
    connections.end_us[i] = connections.start_us[i]! + seconds * 1e6
    connections.outcome[i] = outcome[row.outcome ?? 'answered']
    const isAnswered = connections.outcome[i] === outcome.answered
    ;[connections.packetsUp[i], connections.bytesUp[i]] = up
    ;[connections.packetsDown[i], connections.bytesDown[i]] = isAnswered ? down : [0, 0]
    connections.marks[i] = row.marks ?? mark.opened
    attack[i] = row.isAttack === true ? 1 : 0
  }
  return { connections, attack }
}

/** Whether a rule lets traffic through, by the plainest reading of it. */
export function lets(
  rule: Pick<GroupRule, 'protocol' | 'ports' | 'remote'>,
  protocol: number,
  port: number | null,
  address: string,
): boolean {
  if (rule.protocol !== null && rule.protocol !== protocol) return false
  if (rule.ports !== null && (port === null || port < rule.ports.from || port > rule.ports.to)) return false
  if (rule.remote.kind !== 'prefix') return false
  return holds(rule.remote.prefix.text, address)
}

/** By bits as text, so that it has nothing in common with the program's own. */
export function holds(prefix: string, address: string): boolean {
  const [base, length] = prefix.split('/') as [string, string | undefined]
  if (base.includes(':') !== address.includes(':')) return false
  return bits(base).slice(0, Number(length ?? 128)) === bits(address).slice(0, Number(length ?? 128))
}

function bits(address: string): string {
  if (!address.includes(':'))
    return address
      .split('.')
      .map(part => Number(part).toString(2).padStart(8, '0'))
      .join('')
  const [left = '', right] = address.split('::') as [string, string | undefined]
  const groups = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'))
  const [a, b] = [groups(left), groups(right)]
  return [...a, ...Array.from({ length: 8 - a.length - b.length }, () => '0'), ...b]
    .map(group => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('')
}

export function ruleText({ protocol, ports, remote }: GroupRule): string {
  const to = remote.kind === 'prefix' ? remote.prefix.text : remote.kind === 'group' ? remote.group : remote.list
  return `${protocol}${ports === null ? '' : ` ${ports.from === ports.to ? ports.from : `${ports.from}-${ports.to}`}`} ${to}`
}
