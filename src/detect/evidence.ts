import { type Prefix, parsePrefix } from '../net/prefix.ts'
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
  order,
  own,
  select,
} from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { Expression, Query, Relation } from '../query/nodes.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import type { Basis } from './finding.ts'
import { type Evidence, type FoundService, findingsMax, type ServiceView } from './rule.ts'

const basisOfEachKind = 4

export interface EvidenceInput {
  own: readonly Prefix[]
  run: Evidence['run']
  /** The services that a query over `service` gives, in its order. */
  readServices: (query: Sql) => Promise<FoundService[]>
  /** The case's flow records, as a person would name them: `read_parquet('…')`. */
  flowsSource: Relation
  source: Evidence['source']
  /** What a record is found by in its file. */
  placeIn: (path: string) => 'line' | 'packet' | 'record'
}

/** The questions that rules ask, over the tables of an investigation. */
export function evidenceReader(input: EvidenceInput): Evidence {
  const { own, run, flowsSource, source } = input
  return {
    source,
    own,
    run,
    services: (condition, weight) => services(input, condition, weight),
    servicesOf: async indexes => {
      const found = await input.readServices(sql`SELECT * FROM service WHERE ${servicesAre(indexes)}`)
      return new Map(found.map(({ index, service }) => [index, service]))
    },
    basis: (index, from_us, to_us) => basis(input, index, from_us, to_us),
    firstLines: indexes => firstLines(input, indexes),
    sql: (service, from_us, to_us) => duckdb.shown(recordsOf(service, source, flowsSource, from_us, to_us)),
  }
}

/** The services of those numbers, as a condition over `service`. */
export function servicesAre(indexes: readonly number[]): Sql {
  return numberIn('service', indexes)
}

/** SQL: whether the number is in a list, which may be long. */
function numberIn(name: string, numbers: readonly number[]): Sql {
  return rawSql(numbers.length === 0 ? 'false' : `${name} IN (${numbers.join(', ')})`)
}

async function services(
  input: EvidenceInput,
  condition: Sql,
  weight: string,
): Promise<{ found: FoundService[]; left: number }> {
  const [row] = await input.run(sql`SELECT count(*) AS n FROM service WHERE ${condition}`)
  const total = Number(row?.['n'])
  if (total === 0) return { found: [], left: 0 }
  const found = await input.readServices(sql`SELECT * FROM (
      SELECT * FROM service WHERE ${condition} ORDER BY ${rawSql(weight)}, service LIMIT ${findingsMax}) ORDER BY service`)
  return { found, left: total - found.length }
}

async function basis(
  { run, placeIn }: EvidenceInput,
  index: number,
  from_us: number,
  to_us: number,
): Promise<{ basis: Basis[]; basis_total: number }> {
  const records = sql`SELECT n._file, n._line, n.start_us, n.bytes FROM numbered n JOIN judged USING (id)
    WHERE judged.service = ${index} AND n.start_us BETWEEN ${from_us} AND ${to_us}`
  const some = (order: string): Sql => sql`(SELECT * FROM records ORDER BY ${rawSql(order)} LIMIT ${basisOfEachKind})`
  const rows = await run(sql`WITH records AS MATERIALIZED (${records})
    SELECT evidence.path, _line AS line, (SELECT count(*) FROM records) AS total FROM (
      ${some('start_us, _file, _line')} UNION ${some('start_us DESC, _file DESC, _line DESC')} UNION ${some('bytes DESC NULLS LAST, _file, _line')})
    JOIN evidence ON evidence.id = _file ORDER BY start_us, _file, _line`)
  return {
    basis: rows.map(row => placeOf(row, placeIn)),
    basis_total: Number(rows[0]?.['total'] ?? 0),
  }
}

async function firstLines({ run, placeIn }: EvidenceInput, indexes: readonly number[]): Promise<Map<number, Basis>> {
  const rows = await run(sql`WITH first AS (
      SELECT judged.service, arg_min(struct_pack(f := n._file, l := n._line), (n.start_us, n._file, n._line)) AS place
      FROM numbered n JOIN judged USING (id) WHERE ${numberIn('judged.service', indexes)} GROUP BY judged.service)
    SELECT service, evidence.path, place.l AS line FROM first JOIN evidence ON evidence.id = place.f`)
  return new Map(rows.map(row => [Number(row['service']), placeOf(row, placeIn)]))
}

function placeOf(row: Record<string, unknown>, placeIn: EvidenceInput['placeIn']): Basis {
  const path = String(row['path'])
  return { path, [placeIn(path)]: Number(row['line']) }
}

/** The records of a service in a time, both ways, with their sums. */
function recordsOf(
  service: ServiceView,
  kind: Evidence['source'],
  source: Relation,
  from_us: number,
  to_us: number,
): Query {
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
      equal(column('protocol'), constant(service.protocol)),
      compare('>=', start, constant(from_us)),
      compare('<=', start, constant(to_us)),
      any([way(service.client, service.server, 'dstport'), way(service.server, service.client, 'srcport')]),
    ]),
    groupBy: keys.map(name => column(name)),
    orderBy: [order(column('bytes'), 'DESC')],
  })
}
