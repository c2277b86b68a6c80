/**
 * The subject's records, and which of them count (docs/reference/dossier.md, sections 1 and 2).
 *
 * Works in temporary tables of the case's database: `s` holds the subject's records, `s.counted` which of them count and
 * `s.dropped` why one does not (`copy`, `translated`, `twin`).
 */

import { countOnce } from '../conversations/count-once.ts'
import { gapSql, intervalSql } from '../conversations/intervals.ts'
import { sensorSql } from '../conversations/sensor.ts'
import type { Prefix } from '../net/prefix.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import { flowsWith } from '../store/views.ts'

async function run(c: Case, piece: Sql): Promise<void> {
  await c.db.run(piece.text, piece.values)
}

/** Fills `s` with the subject's records and `vantage` with the points that recorded them. */
export async function gatherRecords(c: Case, subject: readonly Prefix[]): Promise<void> {
  const hasPkt = c.columns.has('pkt_srcaddr') || c.columns.has('pkt_dstaddr')
  const addresses = hasPkt ? ['srcaddr', 'dstaddr', 'pkt_srcaddr', 'pkt_dstaddr'] : ['srcaddr', 'dstaddr']
  const tests = addresses.map(name => inAnyPrefix(`${name}.hi`, `${name}.lo`, subject))
  const any: Sql = { text: tests.map(test => test.text).join(' OR '), values: tests.flatMap(test => test.values) }
  const flows = await flowsWith(c, any)
  const effective = (side: 'src' | 'dst', half: 'hi' | 'lo'): string =>
    hasPkt ? `coalesce(pkt_${side}addr.${half}, ${side}addr.${half})` : `${side}addr.${half}`
  await run(
    c,
    sql`CREATE OR REPLACE TEMP TABLE s AS
    SELECT _file, _line, ${rawSql(sensorSql(c))} AS sensor, evidence.subscription,
      instance_id IS NOT NULL AS on_instance,
      ${rawSql(effective('src', 'hi'))} AS src_hi, ${rawSql(effective('src', 'lo'))} AS src_lo,
      ${rawSql(effective('dst', 'hi'))} AS dst_hi, ${rawSql(effective('dst', 'lo'))} AS dst_lo,
      ${rawSql(hasPkt ? 'srcaddr' : 'NULL::STRUCT(hi UBIGINT, lo UBIGINT)')} AS src_seen,
      ${rawSql(hasPkt ? 'dstaddr' : 'NULL::STRUCT(hi UBIGINT, lo UBIGINT)')} AS dst_seen,
      srcport, dstport, protocol, packets, bytes, coalesce(epoch_us(start), 0) AS start_us, coalesce(epoch_us("end"), 0) AS end_us,
      action IS NOT DISTINCT FROM 'REJECT' AS rejected, action, tcp_flags,
      ${rawSql(c.source === 'packets' ? 'icmp_type' : 'NULL::UTINYINT AS icmp_type')},
      pkt_src_aws_service AS src_service, pkt_dst_aws_service AS dst_service,
      true AS counted, NULL::VARCHAR AS dropped, 1::UINTEGER AS v, 0::BIGINT AS own_gap_us
    FROM ${rawSql(flows)} LEFT JOIN evidence ON evidence.id = _file
    WHERE ${any}`,
  )
  await run(
    c,
    sql`CREATE OR REPLACE TEMP TABLE vantage AS
    SELECT (row_number() OVER (ORDER BY sensor NULLS LAST, subscription NULLS LAST))::UINTEGER AS v, *,
      ${rawSql(c.source === 'packets' ? '0' : `${intervalSql('longest_us')} // 1000000`)} AS interval_seconds
    FROM (SELECT sensor, subscription, count(*) AS records, max(end_us - start_us) AS longest_us FROM s GROUP BY ALL)`,
  )
  if ((await vantages(c)) > 1)
    await c.db.run(`UPDATE s SET v = vantage.v, own_gap_us = ${gapSql(c.source, 'vantage.longest_us')} FROM vantage
    WHERE vantage.sensor IS NOT DISTINCT FROM s.sensor AND vantage.subscription IS NOT DISTINCT FROM s.subscription`)
}

/** The longest aggregation interval of the vantages whose records count, seconds; 60 where there is none. */
export async function intervalSeconds(c: Case): Promise<number> {
  const [row] = await c.db.rows(
    'SELECT max(interval_seconds) AS w FROM vantage WHERE v IN (SELECT v FROM s WHERE counted)',
  )
  return Number(row?.['w'] ?? (c.source === 'packets' ? 0 : 60))
}

/** Marks in `s` what is counted once. */
export async function countSubjectOnce(c: Case, subject: readonly Prefix[]): Promise<void> {
  const translated = c.columns.has('pkt_srcaddr') || c.columns.has('pkt_dstaddr')
  const [row] = await c.db.rows(`SELECT max(${gapSql(c.source, 'longest_us')}) AS gap_us FROM vantage`)
  const gap_us = Number(row?.['gap_us'] ?? 0)
  await countOnce(c.db, { subject, gap_us, translated, twins: (await vantages(c)) > 1 })
}

async function vantages(c: Case): Promise<number> {
  const [row] = await c.db.rows('SELECT count(*) AS n FROM vantage')
  return Number(row?.['n'])
}
