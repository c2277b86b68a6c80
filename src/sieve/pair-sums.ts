/** What sieves are made of: sums over the raw records of two hosts, as one of them sees the other. */
import {
  aggregate,
  all,
  among,
  any,
  call,
  column,
  compare,
  constant,
  count,
  equal,
  firstKnown,
  isKnown,
  isUnknown,
  no,
  not,
} from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'

/** Columns of a record, once for either of its ends: that is `me`, and `port` is that of the other one. */
export const sideNames = ['me', 'other', 'sent', 'mine', 'port', 'own_service', 'service'] as const

/** A connection from one of its ends: which records go from the client to the server, and their ports. */
export interface View {
  up: Expression
  down: Expression
  port: Expression
  clientPort: Expression
  /** Whether the server is an AWS service. */
  service: Expression
  /** Whether the client is an internal host, and the server; of pairs. */
  ours: Expression
  theirs: Expression
}

const [sent, received] = [column('sent'), not(column('sent'))]

export const asClient: View = {
  ...{ up: sent, down: received, port: column('port'), clientPort: column('mine'), service: column('service') },
  ...{ ours: column('is_internal'), theirs: column('is_other_internal') },
}
export const asServer: View = {
  ...{ up: received, down: sent, port: column('mine'), clientPort: column('port'), service: column('own_service') },
  ...{ ours: column('is_other_internal'), theirs: column('is_internal') },
}

export const tcp = isOf(6)
export const udp = isOf(17)
export const icmp = isOf(1, 58)
export const rejected = column('rejected')
export const accepted = not(rejected)

export function isOf(...protocols: number[]): Expression {
  return isAmong(column('protocol'), protocols)
}

/** Never unknown. */
export function isAmong(value: Expression, numbers: readonly number[]): Expression {
  return firstKnown(
    among(
      value,
      numbers.map(number => constant(number)),
    ),
    no,
  )
}

/** A threshold may have a fraction, which no sum has. Where nothing is known the sum is zero, as in connections. */
export function atLeast(value: Expression, least: number): Expression {
  return compare('>=', firstKnown(value, constant(0)), constant(Math.ceil(least)))
}

/** How many records of a pair, and their packets and bytes. */
export function records(...where: Expression[]): Expression {
  return count(all(where))
}

export function sumOf(name: 'packets' | 'bytes', ...where: Expression[]): Expression {
  return aggregate('sum', column(name), all(where))
}

export function distinctOf(value: Expression, ...where: Expression[]): Expression {
  return aggregate('count-distinct', value, all(where))
}

/** From the first record to the last one, microseconds. */
export function lastingOf(...where: Expression[]): Expression {
  const [first, last] = [aggregate('min', column('from_us'), all(where)), aggregate('max', column('to_us'), all(where))]
  return call('minus', last, first)
}

/** How many of a host's pairs fulfil it; at least one does. */
export function pairsWith(condition: Expression): Expression {
  return count(condition)
}

export function somePair(condition: Expression): Expression {
  return atLeast(pairsWith(condition), 1)
}

/** What an attempt to open a connection has at most (`rules/scanning.ts`). */
export interface AttemptLimits {
  attemptPacketsMax: number
  synPacketsMax: number
}

/**
 * Records of which an attempt has one at least, by TCP: rejected, or with few packets from the client; where there are flags, with its SYN. What
 * went from the server to the client alone is one where it was rejected, and does not open a connection itself; where there are no flags,
 * a refusal is told by its size.
 */
export function attemptByTcp(view: View, limits: AttemptLimits, hasFlags: boolean): Expression {
  const isSyn = firstKnown(equal(call('bits-of-both', column('flags'), constant(18)), constant(2)), no)
  const most = Math.max(limits.attemptPacketsMax, limits.synPacketsMax)
  const up = hasFlags
    ? any([rejected, all([isSyn, isAtMost(most)])])
    : any([rejected, isAtMost(limits.attemptPacketsMax)])
  const down = hasFlags
    ? all([rejected, not(isSyn)])
    : any([all([rejected, view.service]), all([accepted, isAtMost(refusalPackets)])])
  return all([tcp, isKnown(view.port), any([all([view.up, up]), all([view.down, down])])])
}

/** Packets either way at most of what is taken for a refusal by its size (`conversations/connections.ts`). */
const refusalPackets = 3

/** The same by UDP. */
export function attemptByUdp(view: View, { attemptPacketsMax }: AttemptLimits, portMax: number): Expression {
  const isFlagged = firstKnown(compare('>', column('flags'), constant(0)), no)
  const up = any([rejected, isAtMost(attemptPacketsMax)])
  const down = any([isFlagged, all([rejected, view.service])])
  const isLow = firstKnown(compare('<=', view.port, constant(Math.floor(portMax))), no)
  return all([udp, isLow, any([all([view.up, up]), all([view.down, down])])])
}

/** A record that does not say its packets has none, as in connections. */
function isAtMost(packets: number): Expression {
  return any([isUnknown(column('packets')), compare('<=', column('packets'), constant(Math.floor(packets)))])
}
