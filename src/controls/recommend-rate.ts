/** Recommends how often an address may come to a web server, where the attack guessed passwords there. */

import { outcome } from '../conversations/connections.ts'
import { countText, integerText } from '../net/counts.ts'
import { hasPorts, TCP } from '../net/protocols.ts'
import type { Recommended } from './control.ts'
import { type KnownService, type ProtectedTraffic, textOf } from './protected.ts'
import { nameFor, someText } from './rule-words.ts'

/** Ports of the web, before which AWS WAF can stand. */
export const webPorts: readonly number[] = [80, 443, 8000, 8080, 8443]

/** Windows of a rate-based rule, seconds (AWS WAF Developer Guide, "Rate-based rule high-level settings"): the usual one first. */
const windows = [300, 600, 120, 60] as const
const limitMin = 10
const limitMax = 2_000_000_000
/** How many times more than the busiest innocent client a limit allows, at best and at least: a connection of a browser carries many requests. */
const marginBest = 10
const marginLeast = 2

export interface RateQuestion {
  /** Addresses of the servers, and their ports. */
  servers: readonly string[]
  ports?: readonly number[]
  /** Seconds. */
  window: number
}

/** How often a client came to the servers. */
export interface ClientRate {
  client: number
  isAttack: boolean
  /** The most answered connections of a window that ends with one of them. */
  most: number
  connections: number
}

/** A connection by its piece, and its number there. */
export interface ConnectionAt {
  piece: number
  connection: number
}

export interface OverRate extends ClientRate {
  /** Those that came when more than the limit lay in the window before, themselves included; microseconds. */
  over: ConnectionAt[]
  first_us: number
  last_us: number
}

/** Answered connections of each client with the servers, at most in a window: a stand-in for requests, which flow records do not show. */
export function clientRates(traffic: ProtectedTraffic, question: RateQuestion): ClientRate[] {
  return ratesIn(timesOf(traffic, question), question.window)
}

function ratesIn(clients: ReadonlyMap<number, ClientEvents>, window: number): ClientRate[] {
  return [...clients]
    .map(([client, { events, isAttack }]) => {
      let most = 0
      eachWindow(events, window, count => {
        most = Math.max(most, count)
      })
      return { client, isAttack, most, connections: events.length }
    })
    .sort((a, b) => b.most - a.most || a.client - b.client)
}

/**
 * The clients that a limit would have stopped, and their connections that came over it. A rate-based rule counts what it stops as well, and goes by the
 * last seconds each time: so does this.
 */
export function clientsOver(traffic: ProtectedTraffic, question: RateQuestion & { limit: number }): OverRate[] {
  const found: OverRate[] = []
  for (const [client, { events, isAttack }] of timesOf(traffic, question)) {
    const over: Event[] = []
    let most = 0
    eachWindow(events, question.window, (count, event) => {
      most = Math.max(most, count)
      if (count > question.limit) over.push(event)
    })
    if (over.length === 0) continue
    found.push({
      ...{ client, isAttack, most, connections: events.length },
      over: over.map(({ piece, connection }) => ({ piece, connection })),
      first_us: over[0]!.at_us,
      last_us: over.at(-1)!.at_us,
    })
  }
  return found.sort((a, b) => b.most - a.most || a.client - b.client)
}

interface Event extends ConnectionAt {
  at_us: number
}

interface ClientEvents {
  events: Event[]
  isAttack: boolean
}

/** By client, in order of time. */
function timesOf(
  traffic: ProtectedTraffic,
  { servers, ports = webPorts }: Omit<RateQuestion, 'window'>,
): Map<number, ClientEvents> {
  const isServer = new Map<number, boolean>()
  const clients = new Map<number, ClientEvents>()
  for (const [piece, { connections, attack }] of traffic.pieces.entries()) {
    for (let i = 0; i < connections.count; i++) {
      if (connections.protocol[i] !== TCP || connections.outcome[i] !== outcome.answered) continue
      const server = connections.server[i]!
      if (!ports.includes(connections.port[i]!) || !Number.isFinite(connections.start_us[i]!)) continue
      if (!isServer.has(server)) isServer.set(server, servers.includes(textOf(traffic, server)))
      if (isServer.get(server) !== true) continue
      const client = connections.client[i]!
      const one = clients.get(client) ?? { events: [], isAttack: false }
      clients.set(client, one)
      one.events.push({ at_us: connections.start_us[i]!, piece, connection: i })
      if (attack[i] === 1) one.isAttack = true
    }
  }
  for (const { events } of clients.values())
    events.sort((a, b) => a.at_us - b.at_us || a.piece - b.piece || a.connection - b.connection)
  return clients
}

/** Of each event how many lie within the window that ends with it: those later than its beginning, up to the event itself. */
function eachWindow(events: readonly Event[], window: number, told: (count: number, event: Event) => void): void {
  let from = 0
  for (const [at, event] of events.entries()) {
    while (events[from]!.at_us <= event.at_us - window * 1e6) from++
    told(at - from + 1, event)
  }
}

/** Rules before the web servers whose passwords were guessed at, one for each. */
export function recommendRate(traffic: ProtectedTraffic): Recommended[] {
  const guessed = new Map<string, KnownService[]>()
  for (const service of traffic.services) {
    if (!isGuessed(service)) continue
    const known = guessed.get(service.server)
    if (known === undefined) guessed.set(service.server, [service])
    else known.push(service)
  }
  return [...guessed].flatMap(([server, services]) => {
    const ports = [...new Set(services.map(one => one.port!))].sort((a, b) => a - b)
    const found = separated(traffic, server, ports)
    return found === null ? [] : [recommended(traffic, server, ports, services, found)]
  })
}

function isGuessed({ port, protocol, findings }: KnownService): boolean {
  return hasPorts(protocol) && port !== null && webPorts.includes(port) && guesses(findings).length > 0
}

function guesses(findings: KnownService['findings']): KnownService['findings'] {
  return findings.filter(({ rule }) => /(^|-)(brute-force|spray)$/.test(rule))
}

interface Separated {
  window: number
  attack: ClientRate
  /** The busiest one that is not the attack. */
  innocent: ClientRate | null
  innocents: number
}

/** The first window in which a limit has its margin, else the first that has a limit; null where the attack was not answered there. */
function separated(traffic: ProtectedTraffic, server: string, ports: readonly number[]): Separated | null {
  const clients = timesOf(traffic, { servers: [server], ports })
  const found = windows.flatMap((window): Separated[] => {
    const rates = ratesIn(clients, window)
    const attack = rates.find(one => one.isAttack)
    const others = rates.filter(one => !one.isAttack)
    return attack === undefined ? [] : [{ window, attack, innocent: others[0] ?? null, innocents: others.length }]
  })
  const usable = found.filter(one => one.window * 1e6 >= traffic.interval_us)
  const isWide = (one: Separated): boolean => isApart(one) && limitOf(one).isFull
  return usable.find(isWide) ?? usable.find(isApart) ?? usable[0] ?? found[0] ?? null
}

function isApart({ attack, innocent }: Separated): boolean {
  return attack.most > Math.max(innocent?.most ?? 0, limitMin)
}

/** As many times the busiest other client as leaves the attack twice as many; with less than the least margin, between the two. */
function limitOf({ attack, innocent }: Separated): { limit: number; isFull: boolean } {
  const most = innocent?.most ?? 0
  const half = Math.floor(attack.most / 2)
  const best = Math.max(limitMin, innocent === null ? half : Math.min(marginBest * most, half))
  if (best < attack.most && best >= marginLeast * most) return { limit: Math.min(limitMax, best), isFull: true }
  return { limit: Math.max(limitMin, most, Math.floor((most + attack.most) / 2)), isFull: false }
}

function reasonOf(limit: number, { attack, innocent }: Separated, isFull: boolean): string {
  if (innocent === null) return 'half of what the attack made'
  if (!isFull) return 'between the two: the margin is small'
  const times = Math.floor((10 * limit) / innocent.most) / 10
  const half = limit === Math.floor(attack.most / 2) ? ', and half of what the attack made' : ''
  return `${times} times the busiest other client${half}`
}

function recommended(
  traffic: ProtectedTraffic,
  server: string,
  ports: readonly number[],
  services: readonly KnownService[],
  found: Separated,
): Recommended {
  const { window, attack, innocent, innocents } = found
  const at = `${server}, ${someText(ports.map(port => `${port}/tcp`))}`
  const answers = [
    ...new Set([...services.map(one => one.id), ...services.flatMap(one => guesses(one.findings).map(({ id }) => id))]),
  ]
  const seen = `The attack made up to ${countText(attack.most, 'answered connection')} with ${at} in ${window} s (${textOf(traffic, attack.client)}); ${
    innocent === null
      ? 'no other client was recorded'
      : `the busiest of ${countText(innocents, 'other client')} up to ${integerText(innocent.most)} (${textOf(traffic, innocent.client)})`
  }. Flow records do not show requests: connections stand in for them, and a connection may carry many requests.`
  const common = { kind: 'rate-limit' as const, answers }
  if (!isApart(found)) {
    return {
      ...{ ...common, title: `No rate rule before ${server}: it cannot tell the attack from others` },
      why: `${seen} No limit lies between the two in any window of 60 to 600 s.`,
      cost: 'None: nothing is to be put in place. Lock accounts after failed log-ins, or ask for a second factor.',
      confirm: ['requests in the log of the web server, by address: they may tell what connections do not'],
      artefact: { what: 'advice' },
    }
  }
  const { limit, isFull } = limitOf(found)
  const reason = reasonOf(limit, found, isFull)
  return {
    ...{ ...common, title: `Let an address make ${countText(limit, 'request')} in ${window} s to ${server}` },
    why: `${seen} The limit of ${integerText(limit)} is ${reason}.`,
    cost: 'AWS WAF is paid for by rule and request, and stands before a load balancer, CloudFront or an API gateway, never before an instance alone. Many users behind one address share its limit, and slow guessing passes below it.',
    confirm: [
      `how many requests a client makes in ${window} s, in the log of the web server: with keep-alive more than connections`,
      'whether the recorded addresses are those of clients, and not of a proxy or a load balancer',
    ],
    artefact: { what: 'rate-rule', name: nameFor('rate', server), limit, window, servers: [server] },
  }
}
