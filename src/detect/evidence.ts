import { parseAddress } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import { rawSql, type Sql, shownSql, sql } from '../query/sql.ts'
import type { Basis } from './finding.ts'
import type { Evidence, ServiceView } from './rule.ts'

const basisOfEachKind = 4

export interface EvidenceInput {
  services: readonly ServiceView[]
  own: readonly Prefix[]
  run: Evidence['run']
  /** SQL for the case's flow records, as a person would write it: `read_parquet('…')`. */
  flowsSource: string
  source: Evidence['source']
  /** What a record is found by in its file. */
  placeIn: (path: string) => 'line' | 'packet' | 'record'
}

/** The questions that rules ask, over the tables of an investigation. */
export function evidenceReader(input: EvidenceInput): Evidence {
  const { services, own, run, flowsSource, source, placeIn } = input
  return {
    services,
    source,
    own,
    run,
    basis: (index, from_us, to_us) => basis(run, placeIn, index, from_us, to_us),
    sql: (index, from_us, to_us) => shownSql(recordsSql(services[index]!, source, flowsSource, from_us, to_us)),
  }
}

async function basis(
  run: Evidence['run'],
  placeIn: EvidenceInput['placeIn'],
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
    basis: rows.map(row => {
      const path = String(row['path'])
      return { path, [placeIn(path)]: Number(row['line']) }
    }),
    basis_total: Number(rows[0]?.['total'] ?? 0),
  }
}

function recordsSql(
  service: ServiceView,
  kind: Evidence['source'],
  source: string,
  from_us: number,
  to_us: number,
): Sql {
  const is = (name: string, text: string): Sql => {
    const { hi, lo } = parseAddress(text)!
    return sql`${rawSql(name)}.hi = ${hi} AND ${rawSql(name)}.lo = ${lo}`
  }
  const port = (name: string): Sql => (service.port === null ? rawSql('true') : sql`${rawSql(name)} = ${service.port}`)
  return sql`SELECT dstport AS destination_port, ${rawSql(kind === 'logs' ? 'action, ' : '')}count(*) AS records, sum(packets) AS packets, sum(bytes) AS bytes, min(start) AS first_start, max("end") AS last_end
FROM ${rawSql(source)}
WHERE protocol = ${service.protocol} AND epoch_us(start) BETWEEN ${from_us} AND ${to_us}
  AND ((${is('srcaddr', service.client)} AND ${is('dstaddr', service.server)} AND ${port('dstport')})
    OR (${is('srcaddr', service.server)} AND ${is('dstaddr', service.client)} AND ${port('srcport')}))
GROUP BY ALL ORDER BY bytes DESC`
}
