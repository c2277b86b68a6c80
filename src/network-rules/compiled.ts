/**
 * What rules do to millions of connections: the same as `decider` says of each, as numbers of decisions.
 *
 * Addresses of one class (`partition.ts`) meet the same rules. So what becomes of two classes and a protocol is worked out once, as a step
 * function of the server's port for what the client sends, and one of the client's port for what the server sends.
 */
import { type Border, type Outcome, outcomeAt, RuleBook } from './borders.ts'
import { allowed, type Decision, type Passing } from './decision.ts'
import {
  bordersOf,
  type Era,
  eitherWay,
  eraOf,
  firstStop,
  isDhcp,
  type RulesOptions,
  withoutRules,
} from './evaluate.ts'
import { type Candidate, candidatesOf, portsOf } from './match.ts'
import type { AclEntry, GroupRule, Network } from './network.ts'
import { Partition } from './partition.ts'
import { type Place, Places } from './places.ts'

/** Hosts by number. */
export interface RuledHosts {
  count: number
  hi: BigUint64Array
  lo: BigUint64Array
}

/** Columns of connections. Ports above 65,535 and protocols above 255 are not known; an infinite time is not. */
export interface RuledConnections {
  count: number
  client: Uint32Array
  server: Uint32Array
  clientPort: Uint32Array
  port: Uint32Array
  protocol: Uint16Array
  start_us: Float64Array
  end_us: Float64Array
  marks: Uint8Array
}

/** Bits of `marks`. */
export interface RuledMarks {
  unknownRole: number
  isError: number
}

/** Decisions by ports: each holds from its port to before the next; that of 65,536 is of a port that is not known. */
interface Steps {
  from: Uint32Array
  /** Numbers of decisions; `passes`: nothing stops it. */
  decision: Int32Array
}

/** Connections of two classes and a protocol. */
interface Route {
  /** What is decided whatever the ports; -1: by them. */
  fixed: number
  request: Steps
  answer: Steps
  passing: number
}

const passes = -1
const unknownPort = 0x10000
/** Routes that are kept; the oldest go when there are more, as each can be worked out again. */
const routesMost = 1 << 18

const eras: readonly Era[] = ['before', 'across', 'after', 'unknown']
const noSteps: Steps = { from: Uint32Array.of(0), decision: Int32Array.of(passes) }

export class CompiledRules {
  /** By number. It grows. */
  readonly decisions: Decision[] = []
  private readonly numbers = new Map<string, number>()
  private readonly places: Places
  private readonly placeOf = new Map<number, Place>()
  private readonly partition: Partition
  private readonly book: RuleBook
  private readonly routes = new Map<number, Map<number, Route>>()
  private readonly names = new Map<object, number>()
  private readonly passings = new Map<Passing, number>()
  private readonly exempt: number
  private routeCount = 0
  private readonly steps = new Map<string, Steps>()
  private readonly either = new Map<number, number>()
  private readonly classes: Int32Array
  private readonly hosts: RuledHosts
  private readonly marks: RuledMarks
  private readonly from_us: number | null

  constructor(network: Network, hosts: RuledHosts, marks: RuledMarks, { from_us }: RulesOptions = { from_us: null }) {
    this.places = new Places(network)
    this.partition = new Partition(network, this.places)
    this.book = new RuleBook(network)
    this.hosts = hosts
    this.marks = marks
    this.from_us = from_us
    this.classes = new Int32Array(hosts.count).fill(-1)
    this.exempt = this.numberOf(allowed('exempt'))
  }

  /** Writes the number of the decision of each connection. @param into of the length of the columns. */
  decide(columns: RuledConnections, into: Uint32Array): void {
    const { count, client, server, protocol, marks, start_us, end_us, port, clientPort } = columns
    const { unknownRole, isError } = this.marks
    let last = -1
    let lastEra: Era = 'after'
    let route: Route | null = null
    let turned: Route | null = null
    for (let i = 0; i < count; i++) {
      const era = eraOf(start_us[i]!, end_us[i]!, this.from_us)
      const isLike =
        last >= 0 &&
        era === lastEra &&
        client[i] === client[last] &&
        server[i] === server[last] &&
        protocol[i] === protocol[last] &&
        ((marks[i]! ^ marks[last]!) & (unknownRole | isError)) === 0
      if (!isLike || route === null) {
        const error = (marks[i]! & isError) !== 0
        route = this.route(client[i]!, server[i]!, protocol[i]!, error, era)
        turned = (marks[i]! & unknownRole) === 0 ? null : this.route(server[i]!, client[i]!, protocol[i]!, error, era)
        last = i
        lastEra = era
      }
      const named = this.along(route, protocol[i]!, clientPort[i]!, port[i]!)
      into[i] =
        turned === null ? named : this.eitherOf(named, this.along(turned, protocol[i]!, port[i]!, clientPort[i]!))
    }
  }

  private along(route: Route, protocol: number, clientPort: number, port: number): number {
    if (route.fixed >= 0) return route.fixed
    if (isDhcp(protocol, clientPort, port)) return this.exempt
    const request = decisionAt(route.request, port)
    if (request !== passes && this.decisions[request]!.verdict === 'denied') return request
    const answer = decisionAt(route.answer, clientPort)
    if (answer !== passes && this.decisions[answer]!.verdict === 'denied') return answer
    return request !== passes ? request : answer !== passes ? answer : route.passing
  }

  private eitherOf(named: number, turned: number): number {
    const key = named * 2 ** 26 + turned
    const known = this.either.get(key)
    if (known !== undefined) return known
    const number = this.numberOf(eitherWay(this.decisions[named]!, this.decisions[turned]!))
    this.either.set(key, number)
    return number
  }

  private route(client: number, server: number, protocol: number, isError: boolean, era: Era): Route {
    const [from, to] = [this.classOf(client), this.classOf(server)]
    const isSame = client === server
    const flags = (eras.indexOf(era) << 2) | (isError ? 2 : 0) | (isSame ? 1 : 0)
    const key = (to * 0x200 + Math.min(protocol, 0x100)) * 16 + flags
    const known = this.routes.get(from)?.get(key)
    if (known !== undefined) return known
    if (this.routeCount++ >= routesMost) this.forget()
    const made = this.made(from, to, { isSame, protocol: protocol > 0xff ? null : protocol, isError, era })
    const routes = this.routes.get(from)
    if (routes === undefined) this.routes.set(from, new Map([[key, made]]))
    else routes.set(key, made)
    return made
  }

  private made(
    from: number,
    to: number,
    { isSame, protocol, isError, era }: { isSame: boolean; protocol: number | null; isError: boolean; era: Era },
  ): Route {
    const [client, server] = [this.placeAt(from), this.placeAt(to)]
    const short = withoutRules(client, server, isSame, era)
    if (short !== null) return { fixed: this.numberOf(short), request: noSteps, answer: noSteps, passing: 0 }
    const { borders, passing } = bordersOf(this.book, client, server, { protocol, icmp: null, isError }, era)
    const half = (packets: Border['packets']): Steps =>
      this.stepsOf(
        borders.filter(border => border.packets === packets),
        protocol,
      )
    return { fixed: -1, request: half('request'), answer: half('answer'), passing: this.passingNumber(passing) }
  }

  /** What borders do to packets, by the port that these go to. */
  private stepsOf(borders: Border[], protocol: number | null): Steps {
    const asked = new Map<Border, Candidate<GroupRule | AclEntry>[]>()
    for (const border of borders) {
      const rules: readonly (GroupRule | AclEntry)[] = typeof border.set === 'string' ? [] : border.set.rules
      asked.set(border, candidatesOf(rules, { protocol, icmp: null }, border.far, this.book.lists))
    }
    const key = [protocol, ...[...asked].map(([border, candidates]) => this.signature(border, candidates))].join(';')
    const known = this.steps.get(key)
    if (known !== undefined) return known
    const from = portsAsked([...asked.values()].flat())
    const decision = Int32Array.from(from, port => {
      const outcomeOf = (border: Border): Outcome =>
        outcomeAt(border, asked.get(border)!, port === unknownPort ? null : port)
      const stop = firstStop(borders, outcomeOf, protocol)
      return stop === null ? passes : this.numberOf(stop)
    })
    const made = { from, decision }
    this.steps.set(key, made)
    return made
  }

  /** A text that is the same for borders that do the same. */
  private signature(
    { at, direction, set, unless }: Border,
    candidates: readonly Candidate<GroupRule | AclEntry>[],
  ): string {
    const name = typeof set === 'string' ? set : this.nameOf(set)
    return [at, direction, name, unless, ...candidates.map(({ rule, fit }) => `${this.nameOf(rule)}${fit}`)].join()
  }

  private nameOf(thing: object): number {
    const known = this.names.get(thing)
    if (known !== undefined) return known
    this.names.set(thing, this.names.size)
    return this.names.size - 1
  }

  private numberOf(decision: Decision): number {
    const key = JSON.stringify(decision)
    const known = this.numbers.get(key)
    if (known !== undefined) return known
    this.numbers.set(key, this.decisions.length)
    return this.decisions.push(decision) - 1
  }

  private passingNumber(passing: Passing): number {
    const known = this.passings.get(passing)
    if (known !== undefined) return known
    const number = this.numberOf(allowed(passing))
    this.passings.set(passing, number)
    return number
  }

  private classOf(host: number): number {
    const known = this.classes[host]!
    if (known >= 0) return known
    return (this.classes[host] = this.partition.at(this.hosts.hi[host]!, this.hosts.lo[host]!))
  }

  private placeAt(number: number): Place {
    const known = this.placeOf.get(number)
    if (known !== undefined) return known
    const place = this.places.at(this.partition.one(number))
    this.placeOf.set(number, place)
    return place
  }

  private forget(): void {
    this.routes.clear()
    this.steps.clear()
    this.routeCount = 0
  }
}

/** The ports at which what candidates say may change, in order. */
function portsAsked(candidates: readonly Candidate<GroupRule | AclEntry>[]): Uint32Array {
  const from = new Set([0, unknownPort])
  for (const { rule } of candidates) {
    const ports = portsOf(rule)
    if (ports === null) continue
    from.add(Math.max(ports.from, 0))
    from.add(Math.min(ports.to + 1, unknownPort))
  }
  return Uint32Array.from(from).sort()
}

function decisionAt({ from, decision }: Steps, port: number): number {
  let low = 0
  let high = from.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (from[middle]! <= port) low = middle
    else high = middle - 1
  }
  return decision[low]!
}
