/**
 * What rules do to one connection: the form to read. `compiled.ts` does the same for millions.
 *
 * Groups are stateful: they are asked once, by the client's first packet, at the interfaces of both ends. Network ACLs are not: they are asked for
 * the packets of either direction, by the port that those go to, where both ends are not in one subnet. (Amazon VPC User Guide, "Control traffic to
 * your AWS resources using security groups", "Security group connection tracking", "Control subnet traffic with network access control lists".)
 */
import { type Address, compareAddresses } from '../net/address.ts'
import { ICMP, icmpCounterpart, isIcmp } from '../net/icmp.ts'
import { SCTP, TCP, UDP } from '../net/protocols.ts'
import { type Border, type Outcome, outcomeAt, RuleBook } from './borders.ts'
import { allowed, type Decision, type Denial, type Passing, undecided } from './decision.ts'
import { candidatesOf, type Packets } from './match.ts'
import type { Network } from './network.ts'
import { type Place, Places } from './places.ts'

export interface Connection {
  client: Address
  server: Address
  /** IANA's number; null: not known, as of ports. */
  protocol: number | null
  clientPort: number | null
  serverPort: number | null
  /** Of the client's packets; null: not known, or another protocol. */
  icmp: { type: number; code: number | null } | null
  /** Microseconds; infinite: not known. */
  start_us: number
  end_us: number
  /** Client and server are names only. */
  unknownRole: boolean
  /** It is an ICMP error about another connection. */
  isError: boolean
}

export interface RulesOptions {
  /** When the rules were put in force, microseconds; null: before all connections. */
  from_us: number | null
}

/** When a connection was, as to rules that are put in force at a time. */
export type Era = 'before' | 'across' | 'after' | 'unknown'

export function eraOf(start_us: number, end_us: number, from_us: number | null): Era {
  if (from_us === null) return 'after'
  if (start_us === Number.POSITIVE_INFINITY) return 'unknown'
  if (start_us >= from_us) return 'after'
  return end_us <= from_us ? 'before' : 'across'
}

/** The function that decides a connection under the rules of a network. */
export function decider(
  network: Network,
  { from_us }: RulesOptions = { from_us: null },
): (one: Connection) => Decision {
  const places = new Places(network)
  const book = new RuleBook(network)
  return one => {
    const ends = { client: places.at(one.client), server: places.at(one.server) }
    const era = eraOf(one.start_us, one.end_us, from_us)
    const named = decided(book, one, ends, era)
    if (!one.unknownRole) return named
    const turned = { ...one, clientPort: one.serverPort, serverPort: one.clientPort, icmp: null }
    return eitherWay(named, decided(book, turned, { client: ends.server, server: ends.client }, era))
  }
}

function decided(
  book: RuleBook,
  one: Connection,
  { client, server }: { client: Place; server: Place },
  era: Era,
): Decision {
  const short = withoutRules(client, server, compareAddresses(client.address, server.address) === 0, era)
  if (short !== null) return short
  if (isDhcp(one.protocol, one.clientPort, one.serverPort)) return allowed('exempt')
  const { borders, passing } = bordersOf(book, client, server, one, era)
  const half = (packets: Border['packets'], port: number | null): Decision | null =>
    firstStop(
      borders.filter(border => border.packets === packets),
      border => {
        const { set, far } = border
        const candidates =
          typeof set === 'string'
            ? []
            : candidatesOf<(typeof set.rules)[number]>(set.rules, packetsOf(one, packets), far, book.lists)
        return outcomeAt(border, candidates, port)
      },
      one.protocol,
    )
  return joined(half('request', one.serverPort), half('answer', one.clientPort), passing)
}

/** What is decided before any rule is asked; null: nothing. @param isSame the ends are one address. */
export function withoutRules(client: Place, server: Place, isSame: boolean, era: Era): Decision | null {
  if (era === 'before') return allowed('ended-before')
  if (client.isExempt || server.isExempt) return allowed('exempt')
  const isOne = client.interface !== null && client.interface === server.interface
  if (isSame || (isOne && client.isPublicName === server.isPublicName)) return allowed('same-host')
  return era === 'unknown' ? undecided('unknown-time') : null
}

/** DHCP is filtered nowhere (see `exempt` in places.ts). */
export function isDhcp(protocol: number | null, clientPort: number | null, serverPort: number | null): boolean {
  if (protocol !== UDP) return false
  return (clientPort === 68 && serverPort === 67) || (clientPort === 546 && serverPort === 547)
}

/** The borders that are asked, and why what they let through passes. */
export function bordersOf(
  book: RuleBook,
  client: Place,
  server: Place,
  { protocol, icmp, isError }: Pick<Connection, 'protocol' | 'icmp' | 'isError'>,
  era: Era,
): { borders: Border[]; passing: Passing } {
  const all = book.borders(client, server)
  const isAnswered =
    !isError && (icmp === null || protocol === null || !isIcmp(protocol) || icmpCounterpart(protocol, icmp.type) >= 0)
  const isTracked = era === 'across' && all.some(({ what }) => what === 'group')
  const borders = all
    .filter(({ what, packets }) => (what === 'acl' || !isTracked) && (packets === 'request' || isAnswered))
    .map((border): Border => (isError && border.what === 'group' ? { ...border, unless: 'icmp-error' } : border))
  return { borders, passing: isTracked ? 'tracked' : borders.length === 0 ? 'no-border' : 'rules' }
}

/** What packets of a direction are. An answer's code is known of echoes alone. */
export function packetsOf(
  { protocol, icmp }: Pick<Connection, 'protocol' | 'icmp'>,
  which: Border['packets'],
): Packets {
  if (which === 'request' || icmp === null || protocol === null || !isIcmp(protocol)) return { protocol, icmp }
  const type = icmpCounterpart(protocol, icmp.type)
  const isEcho = type === (protocol === ICMP ? 0 : 129)
  return { protocol, icmp: { type, code: isEcho ? 0 : null } }
}

/** What stops packets of one direction: the first denial, else the first that is not known; null: nothing. */
export function firstStop(
  borders: readonly Border[],
  outcomeOf: (border: Border) => Outcome,
  protocol: number | null,
): Decision | null {
  let open: Decision | null = null
  for (const border of borders) {
    const outcome = outcomeOf(border)
    if (typeof outcome !== 'string') return { verdict: 'denied', by: denialOf(border, outcome.entry, protocol) }
    if (outcome !== 'passes') open ??= undecided(outcome)
  }
  return open
}

function denialOf(
  { at, what, set, direction, packets }: Border,
  entry: number | null,
  protocol: number | null,
): Denial {
  const ids = typeof set === 'string' ? [] : set.ids
  const stopsAll = packets === 'request' || protocol === TCP || protocol === SCTP
  return { at, what, ids, direction, entry, packets, stops: stopsAll ? 'all' : 'answers' }
}

/** A denial wins over what is not known. */
export function joined(request: Decision | null, answer: Decision | null, passing: Passing): Decision {
  if (request?.verdict === 'denied') return request
  if (answer?.verdict === 'denied') return answer
  return request ?? answer ?? allowed(passing)
}

/** Of a connection that either side may have begun. */
export function eitherWay(named: Decision, turned: Decision): Decision {
  if (named.verdict === 'undecided') return named
  if (turned.verdict === 'undecided') return turned
  if (named.verdict === 'allowed' && turned.verdict === 'allowed') return named
  const isSame = named.verdict === 'denied' && turned.verdict === 'denied' && named.by.stops === turned.by.stops
  return isSame ? named : undecided('unknown-role')
}
