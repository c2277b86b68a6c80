/**
 * Rules replayed over the raw lines of a flow log, by somebody who knows nothing of Tidemark but its JSON: lines split at spaces, conversations by
 * their five numbers, rules as texts.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

export interface RawLine {
  sensor: string
  source: string
  destination: string
  sourcePort: number
  destinationPort: number
  protocol: number
  bytes: bigint
  flags: number
  start: number
  end: number
  isAccepted: boolean
}

/** A rule of the JSON. */
export interface TextRule {
  direction: string
  number: number | null
  action: string
  protocol: number | null
  from_port: number | null
  to_port: number | null
  remote: string
}

export interface Replayed {
  client: string
  server: string
  clientPort: number
  port: number
  protocol: number
  up: bigint
  down: bigint
  start: number
  end: number
}

/** The lines of a folder of gz files with their own headers; those without traffic are left out. */
export function rawLines(folder: string): RawLine[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.gz'))
    .flatMap(name => linesOf(gunzipSync(readFileSync(join(folder, name))).toString()))
}

function linesOf(text: string): RawLine[] {
  const [header, ...lines] = text.trimEnd().split('\n')
  const names = header!.split(' ')
  return lines.flatMap(line => {
    const cells = line.split(' ')
    const cell = (name: string): string => cells[names.indexOf(name)]!
    if (cell('log-status') !== 'OK') return []
    return [
      {
        ...{ sensor: cell('interface-id'), source: cell('srcaddr'), destination: cell('dstaddr') },
        ...{ sourcePort: Number(cell('srcport')), destinationPort: Number(cell('dstport')) },
        ...{ protocol: Number(cell('protocol')), bytes: BigInt(cell('bytes')), flags: Number(cell('tcp-flags')) },
        ...{ start: Number(cell('start')), end: Number(cell('end')), isAccepted: cell('action') === 'ACCEPT' },
      },
    ]
  })
}

/**
 * Seconds of silence after which the same five numbers are another conversation: a minute that a record lasts, and one that it is late; of TCP that
 * nobody closed or opened again, an hour.
 */
const silence = 120
const silenceOfOpen = 3600

/** Accepted conversations of lines. The client sent a SYN without an ACK; else it is the end with the greater port. */
export function conversations(lines: readonly RawLine[]): Replayed[] {
  const byEnds = new Map<string, RawLine[]>()
  for (const line of lines) {
    const key = [
      line.protocol,
      ...[`${line.source} ${line.sourcePort}`, `${line.destination} ${line.destinationPort}`].sort(),
    ].join(' ')
    const some = byEnds.get(key)
    if (some === undefined) byEnds.set(key, [line])
    else some.push(line)
  }
  return [...byEnds.values()].flatMap(some => {
    const groups: RawLine[][] = []
    let [last, isOpen] = [Number.NEGATIVE_INFINITY, false]
    for (const line of some.sort((a, b) => a.start - b.start)) {
      const isAsked = (line.flags & 2) !== 0
      if (line.start - last > (isOpen && !isAsked ? silenceOfOpen : silence)) groups.push([])
      groups.at(-1)!.push(line)
      last = Math.max(last, line.end)
      isOpen = line.protocol === 6 && (line.flags & 5) === 0
    }
    return groups.flatMap(conversation)
  })
}

function conversation(lines: readonly RawLine[]): Replayed[] {
  const accepted = lines.filter(line => line.isAccepted)
  if (accepted.length === 0) return []
  const asks = lines.find(line => line.protocol === 6 && (line.flags & 2) !== 0 && (line.flags & 16) === 0)
  const greater = lines.find(line => line.sourcePort >= line.destinationPort)
  const first = asks ?? greater
  const turned = lines[0]!
  const client = first?.source ?? turned.destination
  const clientPort = first?.sourcePort ?? turned.destinationPort
  const isUp = (line: RawLine): boolean => line.source === client && line.sourcePort === clientPort
  const sum = (some: readonly RawLine[]): bigint => some.reduce((total, { bytes }) => total + bytes, 0n)
  return [
    {
      ...{ client, clientPort, protocol: turned.protocol },
      server: first?.destination ?? turned.source,
      port: first?.destinationPort ?? turned.sourcePort,
      up: sum(accepted.filter(isUp)),
      down: sum(accepted.filter(line => !isUp(line))),
      start: Math.min(...lines.map(({ start }) => start)),
      end: Math.max(...lines.map(({ end }) => end)),
    },
  ]
}

function isIn(address: string, prefix: string): boolean {
  const [network, length = '32'] = prefix.split('/') as [string, string?]
  const number = (text: string): number => text.split('.').reduce((value, part) => value * 256 + Number(part), 0)
  if (network.includes(':') || address.includes(':')) return network === address
  const size = 2 ** (32 - Number(length))
  return Math.floor(number(address) / size) === Math.floor(number(network) / size)
}

function fits(rule: TextRule, protocol: number, port: number, remote: string): boolean {
  if (rule.protocol !== null && rule.protocol !== protocol) return false
  if (rule.from_port !== null && (port < rule.from_port || port > rule.to_port!)) return false
  return isIn(remote, rule.remote)
}

/** Whether a group of a host lets it begin. A direction without rules here is not the control's, and stays as it is. */
export function passesGroup(rules: readonly TextRule[], host: string, one: Replayed): boolean {
  const isServer = one.server === host
  const mine = rules.filter(rule => rule.direction === (isServer ? 'ingress' : 'egress'))
  if (mine.length === 0) return true
  return mine.some(rule => fits(rule, one.protocol, one.port, isServer ? one.client : one.server))
}

/** Whether a network ACL before a host lets both directions through. */
export function passesAcl(rules: readonly TextRule[], host: string, one: Replayed): boolean {
  const isServer = one.server === host
  const remote = isServer ? one.client : one.server
  const asked = (direction: string, port: number): boolean => {
    const first = rules
      .filter(rule => rule.direction === direction && fits(rule, one.protocol, port, remote))
      .sort((a, b) => a.number! - b.number!)[0]
    return first?.action === 'allow'
  }
  const [request, answer] = isServer ? ['ingress', 'egress'] : ['egress', 'ingress']
  return asked(request!, one.port) && asked(answer!, one.clientPort)
}
