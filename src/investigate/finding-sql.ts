/** The SQL that gives all records of a finding. */
import { noPort } from '../conversations/services.ts'
import { parsePrefix } from '../net/prefix.ts'
import {
  aggregate,
  all,
  any,
  column,
  compare,
  constant,
  count,
  equal,
  inPrefixes,
  microseconds,
  named,
  own,
  select,
} from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { Expression, Relation } from '../query/nodes.ts'
import type { CaseEvidence } from '../rules/evidence.ts'

/** Peers that a query names; of more it asks for all of the subject's records. */
const namedPeersMax = 20

/** What is asked for: hosts by number; the port, null where there are several; the time, infinite where no record tells it. */
export interface Asked {
  subject: readonly number[]
  peers: readonly number[]
  port: number | null
  from_us: number
  to_us: number
}

/** The records between the subjects of a finding and its peers in its time, with their sums. */
export function sqlOf(
  { address }: Pick<CaseEvidence, 'address'>,
  { subject, peers, port, from_us, to_us }: Asked,
  flows: Relation,
): string {
  const prefixes = (hosts: readonly number[]) => hosts.map(host => parsePrefix(address(host))!)
  const side = (name: string, hosts: readonly number[]): Expression[] =>
    hosts.length > namedPeersMax ? [] : [inPrefixes(column(name), prefixes(hosts))]
  const way = (from: string, to: string): Expression => all([...side(from, subject), ...side(to, peers)])
  const onPort =
    port === null || port === noPort
      ? []
      : [any([equal(column('srcport'), constant(port)), equal(column('dstport'), constant(port))])]
  const start = microseconds(column('start'))
  const sums = [
    named(count(), 'records'),
    ...['packets', 'bytes'].map(name => named(aggregate('sum', column(name)), name)),
    named(aggregate('min', column('start')), 'first_start'),
    named(aggregate('max', column('end')), 'last_end'),
  ]
  return duckdb.shown(
    select([own('srcaddr'), own('dstaddr'), ...sums], {
      from: flows,
      where: all([
        ...(Number.isFinite(from_us)
          ? [compare('>=', start, constant(from_us)), compare('<=', start, constant(to_us))]
          : []),
        ...onPort,
        any([way('srcaddr', 'dstaddr'), way('dstaddr', 'srcaddr')]),
      ]),
      groupBy: [column('srcaddr'), column('dstaddr')],
    }),
  )
}
