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
  isUnknown,
  microseconds,
  named,
  order,
  own,
  select,
} from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { Expression, Query, Relation } from '../query/nodes.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import type { Basis } from '../rules/finding.ts'
import { type Evidence, type FoundService, type FoundSpan, findingsMax, type ServiceView } from './rule.ts'

export interface EvidenceInput extends Pick<Evidence, 'own' | 'run' | 'source' | 'service' | 'connectionsOf'> {
  /** The numbers that a query gives, in its order. */
  numbers: (query: Sql) => Promise<Uint32Array>
  lines: LineReader
  /** The case's flow records, as a person would name them: `read_parquet('…')`. */
  flowsSource: Relation
}

/** The lines of a subject's services. */
export interface LineReader {
  first(service: number): Basis
  /** Some of the lines of a service whose records start in a time, of all where that is null, and how many there are. */
  some(service: number, span: FoundSpan | null): { lines: Basis[]; total: number }
  /** All lines of services whose records start in a time, of all where that is null, at most `most`, in the order of the evidence. */
  all(services: readonly number[], span: FoundSpan | null, most: number): Basis[]
}

/** The questions that rules ask, over the tables of an investigation. */
export function evidenceReader(input: EvidenceInput): Evidence {
  const { own, run, flowsSource, source, lines, service, connectionsOf } = input
  return {
    ...{ source, own, run, service, connectionsOf },
    services: (condition, weight) => services(input, condition, weight),
    numbersOf: condition => input.numbers(sql`SELECT service FROM service WHERE ${condition} ORDER BY service`),
    basis: (index, span) => {
      const { lines: basis, total } = lines.some(index, span)
      return { basis, basis_total: total }
    },
    firstLine: index => lines.first(index),
    sql: (one, span) => duckdb.shown(recordsOf(one, source, flowsSource, span)),
  }
}

async function services(
  { numbers, run, service }: EvidenceInput,
  condition: Sql,
  weight: string,
): Promise<{ found: FoundService[]; left: number }> {
  const indexes = await numbers(sql`SELECT * FROM (
      SELECT service FROM service WHERE ${condition} ORDER BY ${rawSql(weight)}, service LIMIT ${findingsMax}) ORDER BY service`)
  const found = Array.from(indexes, index => ({ index, service: service(index)! }))
  if (found.length < findingsMax) return { found, left: 0 }
  const [row] = await run(sql`SELECT count(*) AS n FROM service WHERE ${condition}`)
  return { found, left: Number(row?.['n']) - found.length }
}

/** The records of a service in a time, both ways, with their sums. */
function recordsOf(service: ServiceView, kind: Evidence['source'], source: Relation, span: FoundSpan | null): Query {
  const is = (name: string, text: string): Expression => inPrefixes(column(name), [parsePrefix(text)!])
  const way = (from: string, to: string, port: string): Expression =>
    all([
      is('srcaddr', from),
      is('dstaddr', to),
      ...(service.port === null ? [] : [equal(column(port), constant(service.port))]),
    ])
  const start = microseconds(column('start'))
  const keys = ['dstport', ...(kind === 'logs' ? ['action'] : [])]
  const sums = [
    named(count(), 'records'),
    ...['packets', 'bytes'].map(name => named(aggregate('sum', column(name)), name)),
    named(aggregate('min', column('start')), 'first_start'),
    named(aggregate('max', column('end')), 'last_end'),
  ]
  return select([named(column('dstport'), 'destination_port'), ...keys.slice(1).map(own), ...sums], {
    from: source,
    where: all([
      service.protocol === null ? isUnknown(column('protocol')) : equal(column('protocol'), constant(service.protocol)),
      ...(span === null
        ? []
        : [compare('>=', start, constant(span.from_us)), compare('<=', start, constant(span.to_us))]),
      any([way(service.client, service.server, 'dstport'), way(service.server, service.client, 'srcport')]),
    ]),
    groupBy: keys.map(name => column(name)),
    orderBy: [order(column('bytes'), 'DESC')],
  })
}
