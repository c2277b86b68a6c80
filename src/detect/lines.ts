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
import type { CaseEvidence } from '../rules/evidence.ts'
import type { Basis } from '../rules/finding.ts'
import { distinct } from '../rules/rule.ts'
import type { ToldDraft } from './told.ts'

/**
 * The lines that every finding names.
 *
 * @param placeOf where the record of a number of a file stands.
 */
export async function basesOf(
  index: RecordIndex,
  findings: readonly Pick<ToldDraft, 'places'>[],
  placeOf: (file: number, line: number) => Basis,
): Promise<Basis[][]> {
  const found = await linesAt(
    index,
    findings.flatMap(finding => finding.places),
    placeOf,
  )
  return findings.map(finding => finding.places.map(place => found.get(place)!))
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
  { address }: Pick<CaseEvidence, 'address'>,
  { subject, peers, port, isOnePort, from_us, to_us }: ToldDraft,
  flows: Relation,
): string {
  const prefixes = (hosts: readonly number[]) => hosts.map(host => parsePrefix(address(host))!)
  const side = (name: string, hosts: readonly number[]): Expression[] =>
    hosts.length > namedPeersMax ? [] : [inPrefixes(column(name), prefixes(hosts))]
  const way = (from: string, to: string): Expression => all([...side(from, subject), ...side(to, peers)])
  const onPort =
    isOnePort && port !== noPort
      ? [any([equal(column('srcport'), constant(port)), equal(column('dstport'), constant(port))])]
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
        ...onPort,
        any([way('srcaddr', 'dstaddr'), way('dstaddr', 'srcaddr')]),
      ]),
      groupBy: [column('srcaddr'), column('dstaddr')],
    }),
  )
}
