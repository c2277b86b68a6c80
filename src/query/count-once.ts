/**
 * Which records count, where several sensors or files can have the same traffic (docs/reference/dossier.md, section 2).
 *
 * Works on the temporary table `s` of the database: `counted` is set to false, and `dropped` to why (`copy`, `translated`, `twin`).
 */
import type { Prefix } from '../net/prefix.ts'
import type { Database } from '../store/duckdb.ts'
import { inAnyPrefix } from './address-sql.ts'
import { rawSql, type Sql, sql } from './sql.ts'

export interface CountOnce {
  /** Whose traffic it is: a hop's own legs count if it is the subject's. Null: everybody's. */
  subject: readonly Prefix[] | null
  /** G: records of one flow are at most so far apart. */
  gap_us: number
  /** Whether addresses in packets were recorded. */
  translated: boolean
  /** Whether there are several vantages. */
  twins: boolean
}

/** Marks in `s` what is counted once. */
export async function countOnce(db: Database, how: CountOnce): Promise<void> {
  await db.run(`UPDATE s SET counted = false, dropped = 'no-address' WHERE src_lo IS NULL OR dst_lo IS NULL`)
  await dropCopies(db)
  if (how.translated) await dropTranslated(db, how.subject, how.gap_us)
  if (how.twins) await dropTwins(db, how.gap_us)
}

const copyKey =
  'sensor, src_hi, src_lo, dst_hi, dst_lo, srcport, dstport, protocol, start_us, end_us, packets, bytes, action, tcp_flags'

/** The same record, written to several files: the first file's counts. */
async function dropCopies(db: Database): Promise<void> {
  // A digest first: equal records are rare, and only they are worth comparing field by field.
  await db.run(`CREATE OR REPLACE TEMP TABLE copies AS
    SELECT ${copyKey}, min(_file) AS first_file FROM s
    WHERE counted AND hash(${copyKey}) IN
      (SELECT h FROM (SELECT hash(${copyKey}) AS h, min(_file) AS a, max(_file) AS b FROM s WHERE counted GROUP BY h) WHERE a <> b)
    GROUP BY ALL HAVING min(_file) <> max(_file)`)
  const same = copyKey
    .split(', ')
    .map(name => `copies.${name} IS NOT DISTINCT FROM s.${name}`)
    .join(' AND ')
  await db.run(
    `UPDATE s SET counted = false, dropped = 'copy' FROM copies WHERE s.counted AND s._file <> copies.first_file AND ${same}`,
  )
}

/**
 * Legs of a connection that a hop H (NAT gateway, load balancer) passes on under its own address, instead of the far end F.
 *
 * `naming` are records that name a pair (H, F) at a sensor, `direct` those between H and F themselves. Either kind is dropped where it
 * overlaps the other in time: the direct ones, or the naming ones if H is the subject's.
 */
async function dropTranslated(db: Database, subject: readonly Prefix[] | null, gap_us: number): Promise<void> {
  await db.run(`CREATE OR REPLACE TEMP TABLE naming AS
    SELECT _file, _line, sensor, src_seen.hi AS h_hi, src_seen.lo AS h_lo, src_hi AS f_hi, src_lo AS f_lo, start_us, end_us FROM s
    WHERE counted AND (src_seen.hi <> src_hi OR src_seen.lo <> src_lo)
    UNION ALL
    SELECT _file, _line, sensor, dst_seen.hi, dst_seen.lo, dst_hi, dst_lo, start_us, end_us FROM s
    WHERE counted AND (dst_seen.hi <> dst_hi OR dst_seen.lo <> dst_lo)`)
  await db.run(`CREATE OR REPLACE TEMP TABLE direct AS
    WITH pair AS (SELECT DISTINCT sensor, h_hi, h_lo, f_hi, f_lo FROM naming)
    SELECT DISTINCT s._file, s._line, pair.*, start_us, end_us FROM s JOIN pair ON pair.sensor IS NOT DISTINCT FROM s.sensor
      AND ((src_hi = h_hi AND src_lo = h_lo AND dst_hi = f_hi AND dst_lo = f_lo) OR (src_hi = f_hi AND src_lo = f_lo AND dst_hi = h_hi AND dst_lo = h_lo))
    WHERE s.counted`)
  const ofSubject = subject === null ? rawSql('false') : inAnyPrefix('x.h_hi', 'x.h_lo', subject)
  const legs = sql`CREATE OR REPLACE TEMP TABLE legs AS
    WITH naming_spans AS (${spans('naming', gap_us)}), direct_spans AS (${spans('direct', gap_us)})
    SELECT _file, _line FROM direct x WHERE NOT ${ofSubject} AND EXISTS (SELECT 1 FROM naming_spans y WHERE ${rawSql(samePairAndTime)})
    UNION
    SELECT _file, _line FROM naming x WHERE ${ofSubject} AND EXISTS (SELECT 1 FROM direct_spans y WHERE ${rawSql(samePairAndTime)})`
  await run(db, legs)
  await db.run(
    `UPDATE s SET counted = false, dropped = 'translated' FROM legs WHERE legs._file = s._file AND legs._line = s._line`,
  )
}

const pair = 'sensor, h_hi, h_lo, f_hi, f_lo'
const samePairAndTime = `y.sensor IS NOT DISTINCT FROM x.sensor AND y.h_hi = x.h_hi AND y.h_lo = x.h_lo AND y.f_hi = x.f_hi AND y.f_lo = x.f_lo
      AND x.start_us <= y.to_us AND x.end_us >= y.from_us`

/** The times of a pair's records, each widened by the gap and those that then touch made one: few, however many records there are. */
function spans(table: 'naming' | 'direct', gap_us: number): Sql {
  return sql`SELECT ${rawSql(pair)}, min(start_us) - ${gap_us} AS from_us, max(end_us) + ${gap_us} AS to_us FROM (
      SELECT *, sum((before_us IS NULL OR start_us > before_us + ${2 * gap_us})::INT) OVER (PARTITION BY ${rawSql(pair)} ORDER BY start_us, end_us
        ROWS UNBOUNDED PRECEDING) AS island
      FROM (SELECT *, max(end_us) OVER (PARTITION BY ${rawSql(pair)} ORDER BY start_us, end_us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_us
        FROM ${rawSql(table)}))
    GROUP BY ${rawSql(pair)}, island`
}

/** One conversation seen at several vantages: of each direction, one vantage's records count. */
async function dropTwins(db: Database, gap_us: number): Promise<void> {
  const key = 'src_hi, src_lo, dst_hi, dst_lo, srcport, dstport, protocol'
  await db.run(`CREATE OR REPLACE TEMP TABLE seen AS
    SELECT ${key}, v, bool_and(rejected) AS all_rejected, bool_or(on_instance) AS on_instance, sum(bytes) AS bytes,
      min(start_us) AS from_us, max(end_us) AS to_us
    FROM s WHERE counted GROUP BY ${key}, v`)
  await db.run(`CREATE OR REPLACE TEMP TABLE chosen AS
    WITH several AS (SELECT ${key} FROM seen GROUP BY ALL HAVING count(*) > 1),
    ranked AS (
      SELECT a.*, EXISTS (SELECT 1 FROM seen b WHERE b.v = a.v AND b.src_hi = a.dst_hi AND b.src_lo = a.dst_lo AND b.dst_hi = a.src_hi
          AND b.dst_lo = a.src_lo AND b.srcport IS NOT DISTINCT FROM a.dstport AND b.dstport IS NOT DISTINCT FROM a.srcport
          AND b.protocol IS NOT DISTINCT FROM a.protocol) AS both_ways
      FROM seen a JOIN several ON ${key
        .split(', ')
        .map(name => `several.${name} IS NOT DISTINCT FROM a.${name}`)
        .join(' AND ')})
    SELECT * FROM ranked
    QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY all_rejected DESC, both_ways DESC, on_instance DESC, bytes DESC NULLS LAST, v) = 1`)
  const same = key
    .split(', ')
    .map(name => `chosen.${name} IS NOT DISTINCT FROM s.${name}`)
    .join(' AND ')
  await run(
    db,
    sql`CREATE OR REPLACE TEMP TABLE twin AS SELECT s.rowid AS at FROM s JOIN chosen
    ON s.v <> chosen.v AND ${rawSql(same)} AND s.start_us <= chosen.to_us + ${gap_us} AND s.end_us >= chosen.from_us - ${gap_us} WHERE s.counted`,
  )
  const [twins] = await db.rows('SELECT count(*) AS n FROM twin')
  // Made anew: to update as many rows as twins may be takes DuckDB forty times as long.
  if (Number(twins?.['n']) > 0)
    await db.run(`CREATE OR REPLACE TEMP TABLE s AS SELECT s.* REPLACE (
      s.counted AND twin.at IS NULL AS counted, CASE WHEN twin.at IS NULL THEN s.dropped ELSE 'twin' END AS dropped)
    FROM s LEFT JOIN twin ON twin.at = s.rowid`)
}

async function run(db: Database, piece: Sql): Promise<void> {
  await db.run(piece.text, piece.values)
}
