/**
 * Which records count, where several sensors or files can have the same traffic (docs/reference/dossier.md, section 2).
 *
 * Works on the temporary table `s` of the database: `counted` is set to false, and `dropped` to why (`copy`, `translated`, `twin`).
 * `own_gap_us` of a record is G of its vantage `v`: the aggregation interval and how late a record may be.
 */
import type { Prefix } from '../net/prefix.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import type { Database } from '../store/duckdb.ts'

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
  if (how.twins) await dropTwins(db)
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

const key = 'src_hi, src_lo, dst_hi, dst_lo, srcport, dstport, protocol'
const same = (a: string, b: string, names = key): string =>
  names
    .split(', ')
    .map(name => `${a}.${name} IS NOT DISTINCT FROM ${b}.${name}`)
    .join(' AND ')

/**
 * One conversation seen at several vantages: of each direction and stretch of time, the records of one vantage count.
 *
 * Accepted and rejected records are different packets and never stand for each other here. What the chosen vantage has not seen is
 * looked at again, among the others: so no more than one counts, however many there are, and none that saw more is passed over.
 */
async function dropTwins(db: Database): Promise<void> {
  await db.run(`CREATE OR REPLACE TEMP TABLE pending AS
    WITH several AS (SELECT ${key}, rejected FROM s WHERE counted GROUP BY ALL HAVING min(v) <> max(v))
    SELECT s.rowid AS row_id, ${columnsOf('s', key)}, s.rejected, s.v, start_us, end_us, packets, bytes, on_instance, own_gap_us
    FROM s JOIN several ON ${same('several', 's', `${key}, rejected`)} WHERE counted`)
  await db.run('CREATE OR REPLACE TEMP TABLE twin (row_id BIGINT)')
  await db.run(`CREATE OR REPLACE TEMP TABLE both_ways AS
    WITH seen AS (SELECT DISTINCT ${key}, v FROM s WHERE counted)
    SELECT DISTINCT ${columnsOf('a', `${key}, v`)} FROM (SELECT DISTINCT ${key}, v FROM pending) a JOIN seen b ON b.v = a.v
      AND b.src_hi = a.dst_hi AND b.src_lo = a.dst_lo AND b.dst_hi = a.src_hi AND b.dst_lo = a.src_lo
      AND b.srcport IS NOT DISTINCT FROM a.dstport AND b.dstport IS NOT DISTINCT FROM a.srcport AND b.protocol IS NOT DISTINCT FROM a.protocol`)
  while (await settleTwins(db));
  await dropStopped(db)
  const [twins] = await db.rows('SELECT count(*) AS n FROM twin')
  // Made new: to update as many rows as twins may be takes DuckDB forty times as long.
  if (Number(twins?.['n']) > 0)
    await db.run(`CREATE OR REPLACE TEMP TABLE s AS SELECT s.* REPLACE (
      s.counted AND twin.row_id IS NULL AS counted, CASE WHEN twin.row_id IS NULL THEN s.dropped ELSE 'twin' END AS dropped)
    FROM s LEFT JOIN twin ON twin.row_id = s.rowid`)
}

/** Chooses a vantage for each stretch of the records in `pending`, and leaves there what none chosen has seen. Returns whether some are left. */
async function settleTwins(db: Database): Promise<boolean> {
  const kind = `${key}, rejected`
  const earlier = 'ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING'
  await db.run(`CREATE OR REPLACE TEMP TABLE stretched AS
    SELECT * EXCLUDE (begins), sum(begins) OVER (PARTITION BY ${kind} ORDER BY start_us, end_us, row_id ROWS UNBOUNDED PRECEDING) AS stretch FROM (
      SELECT *, coalesce(start_us - max(end_us) OVER (PARTITION BY ${kind} ORDER BY start_us, end_us, row_id ${earlier})
        > max(own_gap_us) OVER (PARTITION BY ${kind}), true)::INT AS begins FROM pending)`)
  await db.run(`CREATE OR REPLACE TEMP TABLE chosen AS
    SELECT ${kind}, stretch, v FROM (
      SELECT seen.*, both_ways.v IS NOT NULL AS saw_both
      FROM (SELECT ${kind}, stretch, v, sum(bytes) AS bytes, sum(packets) AS packets, count(*) AS records, bool_or(on_instance) AS on_instance
        FROM stretched GROUP BY ALL) seen
      LEFT JOIN both_ways ON ${same('both_ways', 'seen', `${key}, v`)})
    QUALIFY count(*) OVER (PARTITION BY ${kind}, stretch) > 1 AND row_number() OVER (PARTITION BY ${kind}, stretch
      ORDER BY bytes DESC NULLS LAST, packets DESC NULLS LAST, records DESC, saw_both DESC, on_instance DESC, v) = 1`)
  await db.run(`CREATE OR REPLACE TEMP TABLE covered AS
    WITH own AS (SELECT t.* FROM stretched t JOIN chosen ON chosen.v = t.v AND chosen.stretch = t.stretch AND ${same('chosen', 't', kind)}),
    marked AS (SELECT *, coalesce(start_us - max(end_us) OVER (PARTITION BY ${kind}, stretch ORDER BY start_us, end_us, row_id ${earlier}) > 2 * own_gap_us, true)::INT AS begins
      FROM own)
    SELECT ${kind}, stretch, v, any_value(own_gap_us) AS own_gap_us, min(start_us) AS from_us, max(end_us) AS to_us FROM (
      SELECT *, sum(begins) OVER (PARTITION BY ${kind}, stretch ORDER BY start_us, end_us, row_id ROWS UNBOUNDED PRECEDING) AS island FROM marked)
    GROUP BY ${kind}, stretch, v, island`)
  await db.run(`CREATE OR REPLACE TEMP TABLE left_over AS
    SELECT t.*, EXISTS (SELECT 1 FROM covered c WHERE c.stretch = t.stretch AND ${same('c', 't', kind)}
      AND t.start_us <= c.to_us + greatest(c.own_gap_us, t.own_gap_us) AND t.end_us >= c.from_us - greatest(c.own_gap_us, t.own_gap_us)) AS is_twin
    FROM stretched t JOIN chosen ON chosen.v <> t.v AND chosen.stretch = t.stretch AND ${same('chosen', 't', kind)}`)
  await db.run('INSERT INTO twin SELECT row_id FROM left_over WHERE is_twin')
  await db.run(
    'CREATE OR REPLACE TEMP TABLE pending AS SELECT * EXCLUDE (stretch, is_twin) FROM left_over WHERE NOT is_twin',
  )
  const [rest] = await db.rows('SELECT count(*) AS n FROM pending')
  return Number(rest?.['n']) > 0
}

/**
 * What one sensor let out and another one stopped: its accepted records are attempts, and the rejected ones stand for them. They are the
 * same packets only if there are about as many of them, with about as many bytes, at another sensor.
 */
async function dropStopped(db: Database): Promise<void> {
  await db.run(`INSERT INTO twin
    WITH seen AS (SELECT s.rowid AS row_id, s.* FROM s LEFT JOIN twin ON twin.row_id = s.rowid WHERE counted AND twin.row_id IS NULL),
    sums AS (SELECT ${key}, rejected, sensor, sum(packets) AS packets, sum(bytes) AS bytes, min(start_us) AS from_us, max(end_us) AS to_us,
      max(own_gap_us) AS own_gap_us FROM seen GROUP BY ALL),
    stopped AS (SELECT a.* FROM sums a JOIN sums r ON NOT a.rejected AND r.rejected AND a.sensor IS DISTINCT FROM r.sensor AND ${same('a', 'r')}
      AND a.from_us <= r.to_us + greatest(a.own_gap_us, r.own_gap_us) AND a.to_us >= r.from_us - greatest(a.own_gap_us, r.own_gap_us)
      AND abs(a.packets - r.packets) * 10 <= a.packets AND abs(a.bytes - r.bytes) * 10 <= a.bytes)
    SELECT seen.row_id FROM seen JOIN stopped ON NOT seen.rejected AND seen.sensor IS NOT DISTINCT FROM stopped.sensor AND ${same('seen', 'stopped')}`)
}

const columnsOf = (table: string, names: string): string =>
  names
    .split(', ')
    .map(name => `${table}.${name}`)
    .join(', ')

async function run(db: Database, piece: Sql): Promise<void> {
  await db.run(piece.text, piece.values)
}
