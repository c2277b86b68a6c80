/**
 * What each rule's findings need of sums over raw records, so that a host that has less is in none.
 *
 * A sieve asks for no more than a finding has at least. Raw records are what the sensors wrote: one connection may be in several, recorded
 * twice or at two sensors, so that sums over them are never less than those over connections. Who began a connection no record tells by
 * itself: what a sieve asks of clients it asks of servers too, where either may be meant. It never asks for less of something, as an answer
 * or a share: there raw sums say nothing.
 */
import { minute_us } from '../conversations/intervals.ts'
import type { WholeHosts } from '../detect/part.ts'
import { aggregate, all, any, choose, column, compare, constant, isKnown, not, plus, times } from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'
import type { CaseRule, Thresholds } from '../rules/rule.ts'
import {
  accepted,
  asClient,
  asServer,
  atLeast,
  attemptByTcp,
  attemptByUdp,
  distinctOf,
  icmp,
  isAmong,
  lastingOf,
  pairsWith,
  records,
  rejected,
  somePair,
  sumOf,
  tcp,
  udp,
  type View,
} from './pair-sums.ts'

/** What is asked of a table for a rule. */
export interface Asked {
  /** Sums over the records of a host and another one, by names that no other sieve has. */
  sums: Readonly<Record<string, Expression>>
  /** A condition on a host, over these sums of its pairs. */
  host: Expression
}

export interface Sieve {
  whole: WholeHosts
  /** Nearly every busy host passes: it is used where its rule is asked for by name. */
  isBroad?: true
  /** Rules whose findings make those of this one graver: they must be found too. */
  with?: readonly string[]
  /** Whether what it finds depends on whether any connection of all is answered. */
  asksForAnswers?: true
  /** @param hasFlags whether the table has TCP flags. */
  asked(limits: Limits, hasFlags: boolean): Asked
}

/** Thresholds of a rule, by kind. */
export interface Limits {
  number(name: string): number
  ports(name: string): readonly number[]
}

export function limitsOf({ name: rule, thresholds }: Pick<CaseRule, 'name' | 'thresholds'>): Limits {
  const of = (name: string): Thresholds[string] => {
    const value = thresholds[name]
    if (value === undefined) throw new Error(`${rule} has no threshold ${name}`)
    return value
  }
  return {
    number: name => of(name) as number,
    ports: name => of(name) as readonly number[],
  }
}

const views = { as_client: asClient, as_server: asServer } as const

/** A sum of either end of a connection, and a condition that one of them fulfils for some pair. */
function eitherEnd(
  name: string,
  sumsOf: (view: View) => Readonly<Record<string, Expression>>,
  holds: (sum: (name: string) => Expression, view: View) => Expression,
): Asked {
  const sums: Record<string, Expression> = {}
  const tests = Object.entries(views).map(([end, view]) => {
    for (const [of, sum] of Object.entries(sumsOf(view))) sums[`${name}_${of}_${end}`] = sum
    return holds(of => column(`${name}_${of}_${end}`), view)
  })
  return { sums, host: somePair(any(tests)) }
}

/** From an internal host to one outside. */
const outward = ({ ours, theirs }: View): Expression => all([ours, not(theirs)])

const guesses = ['D02-brute-force', 'D02-spray']

export const sieves: Readonly<Record<string, Sieve>> = {
  'D01-scan': { whole: 'subject', asked: scan },
  'D01-icmp-sweep': {
    whole: 'subject',
    asked: limits => ({
      sums: { d01_pings: records(icmp) },
      host: atLeast(pairsWith(atLeast(column('d01_pings'), 1)), limits.number('targetsMin')),
    }),
  },
  'D02-brute-force': { whole: 'subject', asked: bruteForce },
  'D02-spray': { whole: 'peers', asked: spray },
  'D03-beacon': { whole: 'all', isBroad: true, asked: beacon },
  'D04-outbound-volume': {
    ...{ whole: 'all', asksForAnswers: true },
    asked: limits =>
      eitherEnd(
        'd04',
        ({ up }) => ({ bytes: sumOf('bytes', up, accepted) }),
        (sum, view) => all([outward(view), atLeast(sum('bytes'), limits.number('bytesMin'))]),
      ),
  },
  'D05-admin-fan-out': { whole: 'subject', asked: fanOut },
  'D05-hop-chain': {
    whole: 'all',
    asked: limits =>
      eitherEnd(
        'd05_hops',
        ({ up, down, port }) => {
          const session = [tcp, accepted, isAmong(port, limits.ports('sessionPorts'))]
          return { packets: sumOf('packets', ...session, up), answers: records(...session, down) }
        },
        (sum, { theirs }) =>
          all([theirs, atLeast(sum('packets'), limits.number('packetsMin')), atLeast(sum('answers'), 1)]),
      ),
  },
  'D07-rejected-then-accepted': {
    whole: 'subject',
    asked: limits => ({
      sums: { d07_rejected: records(rejected), d07_answers: records(accepted, asServer.down) },
      host: somePair(
        all([
          atLeast(column('d07_rejected'), Math.max(limits.number('rejectedMin'), 1)),
          atLeast(column('d07_answers'), 1),
        ]),
      ),
    }),
  },
  'D08-long-session': { whole: 'all', isBroad: true, with: guesses, asked: longSession },
  'D11-dns-tunnel': { whole: 'subject', asked: tunnel },
  'D11-new-resolver': {
    whole: 'all',
    asked: limits =>
      eitherEnd(
        'd11_new',
        ({ down, port }) => ({
          answers: records(any([tcp, udp]), accepted, down, isAmong(port, limits.ports('namePorts'))),
        }),
        (sum, view) => all([outward(view), atLeast(sum('answers'), 1)]),
      ),
  },
  'D13-failed-callbacks': {
    ...{ whole: 'all', asksForAnswers: true },
    asked: (limits, hasFlags) =>
      eitherEnd(
        'd13',
        view => ({ attempts: records(attemptByTcp(view, attemptLimits(limits), hasFlags)) }),
        (sum, view) => {
          const least = Math.min(limits.number('refusedMin'), limits.number('attemptsMin'))
          return all([outward(view), atLeast(sum('attempts'), least)])
        },
      ),
  },
  'D15-amplification': { whole: 'internal', asked: amplification },
  'D16-spam': {
    whole: 'subject',
    asked: limits => ({
      sums: { d16_mail: records(tcp, isAmong(asClient.port, limits.ports('deliveryPorts'))) },
      host: atLeast(pairsWith(all([outward(asClient), atLeast(column('d16_mail'), 1)])), limits.number('serversMin')),
    }),
  },
  'D18-exposed-service': { whole: 'subject', with: guesses, asked: exposed },
}

/** Rules that do not run on what an engine holds, and why. */
export const withoutSieve: Readonly<Record<string, string>> = {
  'D06-address-list':
    'address lists are files of your own, and stay here: pull the records of their addresses (tidemark pull)',
  'D09-non-standard-port':
    'which end of a connection is the server only whole connections tell: by ports alone nearly every host would pass',
  'D10-first-seen-peer': 'it stands on what other rules find, of which not all run',
  'D12-reverse-shell': 'its signs are paces and shares: no sum of records is needed for them',
  'D14-staging': 'what was new, and which transfers count, only whole connections of many hosts tell',
  'D15-flood': 'a crowd that is answered looks the same in sums: every busy server would pass, with all its records',
  'D16-mining': 'its signs are paces and shares: no sum of records is needed for them',
  'D17-metadata': 'flow logs do not have it: only a capture can tell',
}

function attemptLimits(limits: Limits): { attemptPacketsMax: number; synPacketsMax: number } {
  return { attemptPacketsMax: limits.number('attemptPacketsMax'), synPacketsMax: limits.number('synPacketsMax') }
}

/** Services that were tried: as many hosts, as many on one host, or as many pairs of both. */
function scan(limits: Limits, hasFlags: boolean): Asked {
  const attempts = attemptLimits(limits)
  const isTarget = any([
    attemptByTcp(asClient, attempts, hasFlags),
    attemptByUdp(asClient, attempts, limits.number('udpPortMax')),
  ])
  const service = plus(times(column('protocol'), constant(65_536)), asClient.port)
  const services = column('d01_services')
  const least = limits.number('targetsMin')
  return {
    sums: { d01_services: distinctOf(service, isTarget) },
    host: any([
      atLeast(pairsWith(compare('>', services, constant(0))), least),
      atLeast(aggregate('max', services), least),
      atLeast(aggregate('sum', services), limits.number('pairsMin')),
    ]),
  }
}

/** Each guess has packets of the client, and is answered. */
function bruteForce(limits: Limits): Asked {
  const least = Math.min(limits.number('slowMin'), limits.number('connectionsMin'))
  return {
    sums: {
      d02_packets: sumOf('packets', tcp, accepted, asClient.up),
      d02_answers: records(tcp, accepted, asClient.down),
    },
    host: somePair(
      all([
        atLeast(column('d02_packets'), least * limits.number('packetsMin')),
        atLeast(column('d02_answers'), Math.max(least, 1)),
      ]),
    ),
  }
}

/** The same of many sources, a few of each. */
function spray(limits: Limits): Asked {
  const guess = [tcp, accepted, isAmong(asServer.port, limits.ports('loginPorts'))]
  const least = limits.number('ofSourceMin')
  return {
    sums: {
      d02_source_packets: sumOf('packets', ...guess, asServer.up),
      d02_source_answers: records(...guess, asServer.down),
    },
    host: atLeast(
      pairsWith(
        all([
          atLeast(column('d02_source_packets'), least * limits.number('packetsMin')),
          atLeast(column('d02_source_answers'), Math.max(least, 1)),
        ]),
      ),
      limits.number('sourcesMin'),
    ),
  }
}

function beacon(limits: Limits): Asked {
  return eitherEnd(
    'd03',
    ({ down, port }) => {
      const isOther = not(isAmong(port, limits.ports('regularPorts')))
      return { answers: records(accepted, down, isKnown(port), isOther) }
    },
    (sum, view) => all([outward(view), atLeast(sum('answers'), Math.max(limits.number('connectionsMin'), 2))]),
  )
}

function fanOut(limits: Limits): Asked {
  const { up, down, port, ours, theirs } = asClient
  const session = [tcp, accepted, isAmong(port, limits.ports('adminPorts'))]
  const isSession = all([
    ...[ours, theirs, atLeast(column('d05_packets'), limits.number('packetsMin'))],
    atLeast(column('d05_answers'), 1),
  ])
  return {
    sums: { d05_packets: sumOf('packets', ...session, up), d05_answers: records(...session, down) },
    host: atLeast(pairsWith(isSession), limits.number('peersMin')),
  }
}

/** What a record alone may last is taken off: of a flow log a minute at least. */
function longSession(limits: Limits): Asked {
  const least = Math.min(...['remoteWorkSeconds', 'anySeconds', 'longSeconds'].map(name => limits.number(name)))
  const { ours, theirs } = asClient
  const isAcross = any([all([ours, not(theirs)]), all([not(ours), theirs])])
  return {
    sums: { d08_lasting: lastingOf(tcp), d08_records: records(tcp, accepted) },
    host: somePair(
      all([isAcross, atLeast(column('d08_lasting'), least * 1e6 + minute_us), atLeast(column('d08_records'), 1)]),
    ),
  }
}

/** Many queries, or long ones; or a session by TCP. */
function tunnel(limits: Limits): Asked {
  const { up, down, port, ours, theirs } = asClient
  const isNames = isAmong(port, [53])
  const query = [udp, accepted, up, isNames]
  const least = Math.min(limits.number('queriesMin'), limits.number('socketQueriesMin'))
  const isSession = all([
    not(theirs),
    atLeast(column('d11_sessions'), 1),
    atLeast(column('d11_lasting'), limits.number('sessionSeconds') * 1e6),
  ])
  const isMany = any([
    atLeast(column('d11_queries'), Math.max(least, 1)),
    atLeast(column('d11_bytes'), Math.max(limits.number('bytesMin'), 1)),
  ])
  return {
    sums: {
      d11_queries: sumOf('packets', ...query),
      d11_bytes: sumOf('bytes', ...query),
      d11_sessions: records(tcp, accepted, down, isNames),
      d11_lasting: lastingOf(tcp, isNames),
    },
    host: somePair(all([ours, any([isMany, isSession])])),
  }
}

/** Requests to an internal server, and answers to an internal host, which no other packets tell apart. */
function amplification(limits: Limits): Asked {
  const least = limits.number('packetsMin')
  const ports = limits.ports('reflectorPorts')
  const fromOutside = [udp, accepted, not(column('sent'))]
  const [asked, answers] = [column('d15_asked'), column('d15_answers')]
  const isOutside = all([column('is_internal'), not(column('is_other_internal'))])
  const answersOutside = choose([[isOutside, answers]])
  return {
    sums: {
      d15_asked: sumOf('packets', ...fromOutside, isAmong(column('mine'), ports)),
      d15_answers: sumOf('packets', ...fromOutside, isAmong(column('port'), ports)),
    },
    host: any([
      somePair(all([isOutside, atLeast(asked, Math.max(least, 1))])),
      all([
        atLeast(aggregate('sum', answersOutside), Math.max(least, 1)),
        atLeast(pairsWith(all([isOutside, atLeast(answers, 1)])), limits.number('serversMin')),
      ]),
    ]),
  }
}

/** Established connections from outside to one of our services. */
function exposed(limits: Limits): Asked {
  const { up, down, port, ours, theirs } = asServer
  const session = [tcp, accepted, isAmong(port, limits.ports('exposedPorts'))]
  return {
    sums: { d18_packets: sumOf('packets', ...session, up), d18_answers: records(...session, down) },
    host: somePair(
      all([
        ...[not(ours), theirs, atLeast(column('d18_packets'), limits.number('packetsMin'))],
        atLeast(column('d18_answers'), 1),
      ]),
    ),
  }
}
