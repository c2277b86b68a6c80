/** Recommends how often an address may come to a web server, where the attack guessed passwords there. */
import { countText, integerText } from '../net/counts.ts'
import { hasPorts } from '../net/protocols.ts'
import { type Arrivals, arrivalsOf, type ClientArrivals, eachWindow } from './arrivals.ts'
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
  const arrivals = arrivalsFor(traffic, question)
  return arrivals.clients.map(one => rateIn(arrivals, one, question.window)).sort(compareRates)
}

function arrivalsFor(traffic: ProtectedTraffic, { servers, ports = webPorts }: Omit<RateQuestion, 'window'>): Arrivals {
  return arrivalsOf(traffic, servers, ports)
}

function rateIn(arrivals: Arrivals, one: ClientArrivals, window: number): ClientRate {
  let most = 0
  eachWindow(arrivals, one, window, count => {
    if (count > most) most = count
  })
  return { client: one.client, isAttack: one.isAttack, most, connections: one.to - one.from }
}

/** The busiest first. */
function compareRates(a: ClientRate, b: ClientRate): number {
  return b.most - a.most || a.client - b.client
}

/**
 * The clients that a limit would have stopped, and their connections that came over it. A rate-based rule counts what it stops as well, and goes by the
 * last seconds each time: so does this.
 */
export function clientsOver(traffic: ProtectedTraffic, question: RateQuestion & { limit: number }): OverRate[] {
  const arrivals = arrivalsFor(traffic, question)
  const { at_us, piece, connection } = arrivals
  const found: OverRate[] = []
  for (const one of arrivals.clients) {
    if (one.to - one.from <= question.limit) continue
    const over: number[] = []
    let most = 0
    eachWindow(arrivals, one, question.window, (count, arrival) => {
      if (count > most) most = count
      if (count > question.limit) over.push(arrival)
    })
    if (over.length === 0) continue
    found.push({
      ...{ client: one.client, isAttack: one.isAttack, most, connections: one.to - one.from },
      over: over.map(i => ({ piece: piece[i]!, connection: connection[i]! })),
      first_us: at_us[over[0]!]!,
      last_us: at_us[over.at(-1)!]!,
    })
  }
  return found.sort(compareRates)
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
  const arrivals = arrivalsOf(traffic, [server], ports)
  const found = windows.flatMap(window => separatedIn(arrivals, window) ?? [])
  const usable = found.filter(one => one.window * 1e6 >= traffic.interval_us)
  const isWide = (one: Separated): boolean => isApart(one) && limitOf(one).isFull
  return usable.find(isWide) ?? usable.find(isApart) ?? usable[0] ?? found[0] ?? null
}

function separatedIn(arrivals: Arrivals, window: number): Separated | null {
  let attack: ClientRate | null = null
  let innocent: ClientRate | null = null
  let innocents = 0
  for (const one of arrivals.clients) {
    // What came less often in all is not the busiest in a window.
    const before = one.isAttack ? attack : innocent
    if (!one.isAttack) innocents++
    if (before !== null && one.to - one.from < before.most) continue
    const rate = rateIn(arrivals, one, window)
    if (before !== null && compareRates(before, rate) <= 0) continue
    if (one.isAttack) attack = rate
    else innocent = rate
  }
  return attack === null ? null : { window, attack, innocent, innocents }
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
