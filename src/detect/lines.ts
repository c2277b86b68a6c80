/** Which lines of the evidence findings rest on, and the SQL that gives them all. */

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
import type { RecordIndex } from '../record-index/read.ts'
import type { CaseConnections } from '../rules/connections.ts'
import type { CaseEvidence } from '../rules/evidence.ts'
import type { Basis } from '../rules/finding.ts'
import { distinct } from '../rules/rule.ts'
import type { FoundDraft } from './run.ts'

/** Connections of each kind whose lines are named: the first, the largest, the last. */
const namedOfKind = 4

/** The connections of a finding whose first lines are named. */
function namedOf({ start_us, bytesUp, bytesDown }: CaseConnections, some: readonly number[]): number[] {
  const inTime = [...some].sort((a, b) => start_us[a]! - start_us[b]! || a - b)
  const bytes = (i: number): number => bytesUp[i]! + bytesDown[i]!
  const largest = [...some].sort((a, b) => bytes(b) - bytes(a) || a - b)
  return [
    ...new Set([...inTime.slice(0, namedOfKind), ...largest.slice(0, namedOfKind), ...inTime.slice(-namedOfKind)]),
  ].sort((a, b) => start_us[a]! - start_us[b]! || a - b)
}

/**
 * The first line of each of some connections of every finding.
 *
 * @param placeOf where the record of a number of a file stands.
 */
export async function basesOf(
  index: RecordIndex,
  { connections }: CaseEvidence,
  findings: readonly FoundDraft[],
  placeOf: (file: number, line: number) => Basis,
): Promise<Basis[][]> {
  const namedByFinding = findings.map(finding => namedOf(connections, finding.connections))
  const found = await linesAt(
    index,
    namedByFinding.flat().map(i => connections.place[i]!),
    placeOf,
  )
  return namedByFinding.map(some => some.map(i => found.get(connections.place[i]!)!))
}

/** Where the records at some places of the index stand in the evidence. */
export async function linesAt(
  index: RecordIndex,
  some: Iterable<number>,
  placeOf: (file: number, line: number) => Basis,
): Promise<Map<number, Basis>> {
  const places = distinct(some)
  const found = new Map<number, Basis>()
  for (let from = 0; from < places.length; ) {
    const group = Math.floor(places[from]! / index.blockRows)
    let to = from
    while (to < places.length && Math.floor(places[to]! / index.blockRows) === group) to++
    for await (const block of index.blocks(['file', 'line'], { blocks: [group, group + 1] })) {
      for (const place of places.slice(from, to)) {
        const row = place - group * index.blockRows
        found.set(place, placeOf(block.file[row]!, block.line[row]!))
      }
    }
    from = to
  }
  return found
}

/** Peers that a query names; of more it asks for all of the subject's records. */
const namedPeersMax = 20

/** The records between the subjects of a finding and its peers in its time, with their sums. */
export function sqlOf(
  { connections, address }: CaseEvidence,
  { subject, peers, connections: on, from_us, to_us }: FoundDraft,
  flows: Relation,
): string {
  const ports = distinct(on.map(i => connections.port[i]!))
  const prefixes = (hosts: readonly number[]) => hosts.map(host => parsePrefix(address(host))!)
  const side = (name: string, hosts: readonly number[]): Expression[] =>
    hosts.length > namedPeersMax ? [] : [inPrefixes(column(name), prefixes(hosts))]
  const way = (from: string, to: string): Expression => all([...side(from, subject), ...side(to, peers)])
  const port =
    ports.length === 1 && ports[0] !== noPort
      ? [any([equal(column('srcport'), constant(ports[0]!)), equal(column('dstport'), constant(ports[0]!))])]
      : []
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
        compare('>=', start, constant(from_us)),
        compare('<=', start, constant(to_us)),
        ...port,
        any([way('srcaddr', 'dstaddr'), way('dstaddr', 'srcaddr')]),
      ]),
      groupBy: [column('srcaddr'), column('dstaddr')],
    }),
  )
}
