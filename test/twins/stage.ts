/** What scenarios are made of: addresses, chance, and the connections that ordinary programs make. */
import { type Chance, chanceFrom } from '../robustness/support.ts'
import type { Format } from './sensor.ts'
import { type Connection, protocols } from './traffic.ts'

/** How a case is seen: the aggregation interval, seconds, and the format of its log. */
export interface View {
  interval: 60 | 600
  format: Format
}

/** What an attack is, in the words of a truth file. */
export interface Attack {
  /** Rules any of which may find it; the first is the one that is meant. */
  rules: readonly string[]
  actors: readonly string[]
  targets: readonly string[]
  victims?: readonly string[]
  /** Its connections, which give its time. */
  flows: readonly Connection[]
  minSeverity?: 'info' | 'low'
  difficulty?: 'plain' | 'slow'
}

/** A scenario that was made. */
export interface Scene {
  flows: readonly Connection[]
  attack?: Attack
  /** Hosts that must not be accused. */
  benign: readonly string[]
  /** What the analyst says: own networks, own scanners. */
  internal?: readonly string[]
  scanners?: readonly string[]
  /** An alarm is no mistake if it names a scanner of one's own as an explanation. */
  isExplained?: boolean
}

export interface Scenario {
  name: string
  /** Number of the rule that it is about, and what it is: an attack, or the benign twin of one. */
  rule: string
  twinOf?: string
  /** Why the attack cannot be told, or the twin cannot be told from it, in such a log; null where it can. */
  hidden?(view: View): string | null
  make(stage: Stage): Scene
}

type Ends = Pick<Connection, 'at' | 'from' | 'to' | 'port'>
type Rest = Partial<Omit<Connection, keyof Ends>>

/** Where a scenario plays. Each has hosts that no other one has. */
export interface Stage {
  chance: Chance
  /** A number that differs from another by at most that share. */
  about(value: number, share?: number): number
  /** A time within some hours of the case, seconds. */
  hour(from: number, to?: number): number
  /** A new host in our network, with an interface that is logged; several of them. */
  host(): string
  hosts(count: number): string[]
  /** An internal host with a public IPv6 address. */
  hostSix(): string
  /** A new host on the internet. */
  outside(): string
  outsiders(count: number): string[]
  outsideSix(): string
  /** Addresses of `host` and `hostSix`. */
  logged: ReadonlySet<string>
  /** A connection; without more a short one over TCP. */
  flow(ends: Ends, rest?: Rest): Connection
  /** An attempt of one SYN or more that failed. */
  failed(ends: Ends, state: 'silent' | 'refused' | 'rejected', tries?: number): Connection
  /** A visit to a web page, or a call of an API. */
  visit(ends: Omit<Ends, 'port'>, rest?: Rest & { port?: number }): Connection
  /** A question and its answer over UDP. */
  ask(ends: Ends, up?: number, down?: number): Connection
}

/** Hours that a case covers. */
export const hours = 26

/** Addresses outside that each scenario has of its own: of 198.18.0.0/15, which is for tests of networks (RFC 2544). */
const outsideOfEach = 1500

/** @param number of the scenario, below 80. */
export function stageOf(seed: number, number: number): Stage {
  const chance = chanceFrom(seed * 1009 + number * 31 + 7)
  const logged = new Set<string>()
  const [offset, stride] = [chance.int(0, outsideOfEach - 1), chance.pick([977, 1117, 1213, 1409])]
  const next = { host: chance.int(5, 60), six: 1, outside: 0, port: chance.int(0, 20_000) }
  const network = chance.int(1, 3)
  const note = (address: string): string => {
    logged.add(address)
    return address
  }
  const about = (value: number, share = 0.1): number => value * (1 + (share * chance.int(-1000, 1000)) / 1000)
  const host = (): string => {
    const at = next.host++
    return note(`10.${10 + number}.${16 * network + Math.floor(at / 200)}.${10 + (at % 200)}`)
  }
  const outside = (): string => {
    const at = number * outsideOfEach + ((offset + stride * next.outside++) % outsideOfEach)
    return `198.${18 + (at >>> 16)}.${(at >>> 8) & 255}.${at & 255}`
  }
  const sourcePort = (): number => 32_768 + (next.port++ % 28_000)
  const many = (count: number, one: () => string): string[] => Array.from({ length: count }, one)
  const flow: Stage['flow'] = (ends, rest = {}) => ({
    ...{
      seconds: 1,
      sourcePort: sourcePort(),
      protocol: protocols.tcp,
      state: 'closed',
      up: [8, 900],
      down: [7, 2400],
    },
    ...{ via: null, service: null, clientService: null },
    ...rest,
    ...ends,
  })
  return {
    ...{ chance, about, host, outside, logged, flow },
    hour: (from, to = from) => Math.round(3600 * from + (chance.int(0, 1000) / 1000) * 3600 * (to - from)),
    hosts: count => many(count, host),
    hostSix: () => note(`2001:db8:${(10 + number).toString(16)}::${(256 + next.six++).toString(16)}`),
    outsideSix: () =>
      `2001:db8:f${number.toString(16).padStart(2, '0')}:${(next.six++).toString(16)}::${chance.int(1, 9000).toString(16)}`,
    outsiders: count => many(count, outside),
    failed: (ends, state, tries = state === 'silent' ? 3 : 1) =>
      flow(ends, { state, up: [tries, 60 * tries], down: state === 'refused' ? [tries, 40 * tries] : [0, 0] }),
    visit: ({ at, from, to }, { port = 443, ...rest } = {}) => {
      const size = Math.round(2 ** chance.int(9, 18) * about(1, 0.5))
      const down = 6 + Math.ceil(size / 1400)
      const up = Math.max(7, Math.round(down * 0.6))
      const sides = { up: [up, 52 * up + chance.int(500, 2500)], down: [down, size + 52 * down] } as const
      return flow({ at, from, to, port }, { seconds: about(chance.int(1, 20), 0.5), ...sides, ...rest })
    },
    ask: (ends, up = chance.int(55, 85), down = chance.int(80, 260)) =>
      flow(ends, { protocol: protocols.udp, seconds: 0.1, up: [1, up], down: [1, down] }),
  }
}

/** Times that are so far apart, with jitter: a share of the interval either way. */
export function everySeconds(stage: Stage, from: number, to: number, interval: number, jitter: number): number[] {
  const times: number[] = []
  for (let at = from; at < to; at += stage.about(interval, jitter)) times.push(at)
  return times
}

/** The numbers from 0 up. */
export function many<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i))
}
