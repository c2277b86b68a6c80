/**
 * Time bins: what a record moved is spread over the bins that it touches, in proportion to time (SiLK's rwcount, load scheme 4), and
 * adds up to the byte: shares are cut to whole ones, what is left goes to the bins with the largest remainders, the earlier first.
 *
 * Of the bins of one record all but the first and the last are alike, so that three shares and the number of bins in between that get
 * one more say everything. Records are summed up by first and last bin, and only these sums are spread.
 */
import { UserError } from '../errors.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import { quotedName } from '../store/duckdb.ts'
import type { Element } from './elements.ts'
import { isRejected } from './measures.ts'
import { direction, orderOf } from './order.ts'
import {
  byKeys,
  commas,
  keyColumns,
  limitSql,
  matching,
  type Plan,
  type PlannedColumn,
  type Setting,
  type TimeWindow,
} from './plan.ts'
import type { Order } from './request.ts'

const binsMost = 1_000_000
const counters = ['packets', 'bytes'] as const

/** @param span when the case's first record begins and its last one ends; `window`: only these bins are wanted. */
export function binPlan(
  s: Setting,
  keys: readonly Element[],
  span: TimeWindow | null,
  window: TimeWindow | null,
): Plan {
  const width = BigInt(s.request.bin_ms!) * 1000n
  const around = window ?? span
  if (around !== null && (around.to_us - around.from_us) / width > BigInt(binsMost)) {
    throw new UserError(`exceeds ${binsMost.toLocaleString('en-US')} time bins`, {
      status: 2,
      hint: 'take wider ones, or a window: between … and …',
    })
  }
  const cells = cellsSql(s, keys, width, around)
  const names = keys.map(({ name }) => name)
  const hasAction = s.records.columns.has('action')
  const measures = ['records', ...(hasAction ? ['rejected'] : []), ...counters]
  const columns: PlannedColumn[] = [
    { name: 'bin', type: 'time', unit: null },
    ...keyColumns(keys),
    ...measures.map(name => ({
      name,
      type: 'integer' as const,
      unit: name === 'bytes' ? ('B' as const) : name === 'packets' ? ('packets' as const) : ('records' as const),
    })),
  ]
  const chosen = keys.length === 0 ? filledSql(measures) : chosenSql(s, names, measures)
  const sum = (name: string): string => (measures.includes(name) ? `(SELECT sum(${name}) FROM cells)` : 'NULL::HUGEINT')
  const statement = sql`WITH ${cells},
${chosen}
SELECT (SELECT count(*) FROM ${rawSql(keys.length === 0 ? 'page' : 'cells')}) AS _rows, ${rawSql(commas(['records', 'rejected', 'packets', 'bytes'].map(name => `${sum(name)} AS _${name}`)))}, ${rawSql(keys.length === 0 ? '0' : `(SELECT count(*) FROM cells) - (SELECT count(*) FROM page WHERE part = 'top')`)} AS _left, true AS _is,
  ${rawSql(commas([`make_timestamp((bin * ${width})::BIGINT) AS bin`, ...names.map(quotedName), ...measures]))}
FROM page ORDER BY page.bin NULLS LAST${rawSql(names.length === 0 ? '' : `, ${commas([...(s.request.other ? ["part = 'other'"] : []), ...byKeys(names)])}`)}`
  if (s.request.other !== true || keys.length === 0) return { statement, columns, totals: true }
  const part: PlannedColumn = { name: 'part', type: 'text', unit: null }
  const withPart = { ...statement, text: statement.text.replace('true AS _is,\n', 'true AS _is, part,\n') }
  return { statement: withPart, columns: [part, ...columns], totals: true }
}

/** `cells`: what each group has in each bin. Records without times are in the bin that is null. */
function cellsSql(s: Setting, keys: readonly Element[], width: bigint, around: TimeWindow | null): Sql {
  const { columns } = s.records
  const hasTimes = columns.has('start') && columns.has('end')
  const hasAction = columns.has('action')
  const needs = ['start', 'end', 'packets', 'bytes', 'action', ...keys.flatMap(key => key.needs)].filter(name =>
    columns.has(name),
  )
  const counts = counters.map(name => {
    // DuckDB adds numbers of 64 bits with a sign without making numbers of 128 bits of each.
    const known = columns.has(name) ? `${quotedName(name)}${s.small ? '::BIGINT' : ''}` : 'NULL::BIGINT'
    const value = s.acceptedOnly ? `CASE WHEN ${isRejected} THEN 0 ELSE ${known} END` : known
    return `${value} AS ${name}`
  })
  const named = keys.map(({ name, sql: expression }) => `${expression} AS ${quotedName(`_key_${name}`)}`)
  const times = hasTimes
    ? ['epoch_us("start") AS s', 'greatest(epoch_us("start"), epoch_us("end")) AS e']
    : ['NULL::BIGINT AS s', 'NULL::BIGINT AS e']
  const rejected = hasAction ? [`${isRejected} AS rejected`] : []
  const k = keys.map(({ name }) => quotedName(`_key_${name}`))
  const w = rawSql(String(width))
  const records = sql`SELECT ${rawSql(commas([...named, ...times, ...counts, ...rejected]))} FROM ${matching(s, needs)}`
  const placed = sql`SELECT *, s // ${w} AS f, CASE WHEN e > s THEN (e - 1) // ${w} ELSE s // ${w} END AS l, e - s AS d FROM (${records})`
  // Nearly all records are within one bin. Where it costs little to read them twice, all are summed up by where they begin, and of those
  // that go on into other bins the shares are moved.
  const twice = s.filter.where.text === 'true' && s.collapsed === null && s.window === null
  const shared = sql`SELECT ${rawSql(commas([...k, 'f', 'l', ...(hasAction ? ['rejected'] : []), ...counters]))}, ${rawSql(commas(counters.flatMap(name => sharesSql(name, width, s.small))))} FROM (${placed}) ${rawSql(twice ? `WHERE e > s AND (e - 1) // ${width} <> s // ${width}` : '')}`
  const left = counters.map(name => `${name}_left`)
  const sums = counters.flatMap(name => [
    `sum(${name}_first${twice ? ` - ${name}` : ''}) AS ${name}_first`,
    ...['middle', 'last'].map(part => `sum(${name}_${part}) AS ${name}_${part}`),
  ])
  const grouped = sql`SELECT ${rawSql(commas([...k, 'f', 'l', ...left, 'count(*) AS n', ...(hasAction ? ['count(*) FILTER (rejected) AS nr'] : []), ...counters.map(name => `count(${name}) AS ${name}_n`), ...sums]))}
    FROM (${shared}) GROUP BY ${rawSql(commas([...k, 'f', 'l', ...left]))}`
  const inBin = counters.map(
    name =>
      `sum(CASE WHEN coalesce(i, 0) = 0 THEN ${name}_first WHEN i = l - f THEN ${name}_last ELSE ${name}_middle + CASE WHEN i <= ${name}_left THEN ${name}_n ELSE 0 END END) AS ${name}`,
  )
  const within =
    around === null
      ? rawSql('true')
      : sql`(i IS NULL OR f + i BETWEEN ${around.from_us / width} AND ${(around.to_us > around.from_us ? around.to_us - 1n : around.to_us) / width})`
  const begun = (count: string): string => (twice ? '0' : `sum(CASE WHEN coalesce(i, 0) = 0 THEN ${count} ELSE 0 END)`)
  const starts = [`${begun('n')}::BIGINT AS records`, ...(hasAction ? [`${begun('nr')}::BIGINT AS rejected`] : [])]
  const listed = keys.map(({ name }) => `${quotedName(`_key_${name}`)} AS ${quotedName(name)}`)
  const spread = sql`SELECT ${rawSql(commas(['f + i AS bin', ...listed, ...starts, ...inBin]))}
  FROM (SELECT *, unnest(CASE WHEN f IS NULL THEN [NULL] ELSE range(0, least(l - f, ${binsMost}) + 1) END) AS i FROM grouped)
  WHERE ${within} GROUP BY ${rawSql(commas(['f + i', ...k]))}`
  return sql`grouped AS MATERIALIZED (${grouped}),
cells AS MATERIALIZED (${twice ? begunAndMoved(records, spread, keys, width, hasAction) : spread})`
}

/** Records summed up in the bins where they begin, and with that what is `moved` from there into other bins. */
function begunAndMoved(records: Sql, moved: Sql, keys: readonly Element[], width: bigint, hasAction: boolean): Sql {
  const names = ['bin', ...keys.map(({ name }) => quotedName(name))]
  const begins = [
    `s // ${width} AS bin`,
    ...keys.map(({ name }) => `${quotedName(`_key_${name}`)} AS ${quotedName(name)}`),
  ]
  const counted = ['count(*) AS records', ...(hasAction ? ['count(*) FILTER (rejected) AS rejected'] : [])]
  const counts = ['records', ...(hasAction ? ['rejected'] : [])].map(name => `sum(${name})::BIGINT AS ${name}`)
  const sums = counters.map(name => `sum(${name}) AS ${name}`)
  return sql`SELECT ${rawSql(commas([...names, ...counts, ...sums]))} FROM (${moved} UNION ALL
  SELECT ${rawSql(commas([...begins, ...counted, ...sums]))} FROM (${records}) GROUP BY ALL)
  GROUP BY ${rawSql(commas(names))}`
}

/**
 * The shares of a record's first, middle and last bins, and how many middle bins get one more. With remainders r of the first (1), each of
 * m middle ones and the last (1), what is left goes to the largest; equal ones in the order of time.
 */
function sharesSql(name: string, width: bigint, small: boolean): string[] {
  const first = `((f + 1) * ${width} - s)`
  const last = `(e - l * ${width})`
  // 64 bits will do for all but the largest records, and are five times as fast.
  const whole = (text: string): string =>
    small
      ? text.replaceAll('#', `${name}::BIGINT`)
      : `CASE WHEN ${name} < 8589934592 AND d < 1073741824 THEN (${text.replaceAll('#', `${name}::BIGINT`)})::HUGEINT ELSE ${text.replaceAll('#', `${name}::HUGEINT`)} END`
  const wide = small ? 'BIGINT' : 'HUGEINT'
  const q = (overlap: string): string => `(# * ${overlap} // d)`
  const r = (overlap: string): string => `(# * ${overlap} % d)`
  const [rf, rm, rl] = [r(first), r(String(width)), r(last)]
  const left = `(# - ${q(first)} - ${q(last)} - (l - f - 1) * ${q(String(width))})`
  const bump = (before: string): string => `CASE WHEN ${left} > ${before} THEN 1 ELSE 0 END`
  const beforeFirst = `(CASE WHEN ${rm} > ${rf} THEN l - f - 1 ELSE 0 END + CASE WHEN ${rl} > ${rf} THEN 1 ELSE 0 END)`
  const beforeMiddle = `(CASE WHEN ${rf} >= ${rm} THEN 1 ELSE 0 END + CASE WHEN ${rl} > ${rm} THEN 1 ELSE 0 END)`
  const beforeLast = `(CASE WHEN ${rf} >= ${rl} THEN 1 ELSE 0 END + CASE WHEN ${rm} >= ${rl} THEN l - f - 1 ELSE 0 END)`
  const firstOfTwo = `(2 * # * ${first} + d) // (2 * d)`
  return [
    `CASE WHEN l = f OR f IS NULL THEN ${name}::${wide} WHEN l = f + 1 THEN ${whole(firstOfTwo)} ELSE ${whole(`${q(first)} + ${bump(beforeFirst)}`)} END AS ${name}_first`,
    `CASE WHEN l > f + 1 THEN ${whole(q(String(width)))} END AS ${name}_middle`,
    `CASE WHEN l = f + 1 THEN ${name}::${wide} - ${whole(firstOfTwo)} WHEN l > f + 1 THEN ${whole(`${q(last)} + ${bump(beforeLast)}`)} END AS ${name}_last`,
    `CASE WHEN l > f + 1 THEN greatest(0, least(l - f - 1, ${whole(`${left} - ${beforeMiddle}`)}))::BIGINT ELSE 0 END AS ${name}_left`,
  ]
}

/** `page` of a series without keys: every bin from the first to the last, those without records too. */
function filledSql(measures: readonly string[]): Sql {
  const zero = measures.map(name => `CASE WHEN cells.bin IS NULL THEN 0 ELSE cells.${name} END AS ${name}`)
  return sql`page AS (SELECT all_bins.bin, ${rawSql(commas(zero))}
  FROM (SELECT unnest(range(min(bin), max(bin) + 1)) AS bin FROM cells) AS all_bins LEFT JOIN cells ON cells.bin = all_bins.bin
  UNION ALL SELECT bin, ${rawSql(commas(measures))} FROM cells WHERE bin IS NULL)`
}

/** `page` of the groups that are largest over all bins. */
function chosenSql(s: Setting, keys: readonly string[], measures: readonly string[]): Sql {
  const order = orderOf(s.request.order ?? 'bytes')
  if (!measures.includes(order)) {
    throw new UserError(`time bins are not ranked by: ${order}`, { status: 2, hint: 'by bytes, packets or records' })
  }
  const list = commas(keys.map(quotedName))
  const limit = s.request.limit === undefined ? 10 : s.request.limit
  const top = sql`top AS (SELECT ${rawSql(list)} FROM cells GROUP BY ${rawSql(list)} ORDER BY ${rawSql(commas([`sum(${order}) ${direction(order as Order)} NULLS LAST`, ...byKeys(keys)]))} ${limitSql(limit)})`
  const same = keys.map(name => `top.${quotedName(name)} IS NOT DISTINCT FROM cells.${quotedName(name)}`).join(' AND ')
  const listed = `SELECT 'top' AS part, cells.* FROM cells SEMI JOIN top ON ${same}`
  if (s.request.other !== true) return sql`${top},\npage AS (${rawSql(listed)})`
  const rest = commas([
    'bin',
    ...keys.map(name => `NULL AS ${quotedName(name)}`),
    ...measures.map(name => `sum(${name}) AS ${name}`),
  ])
  return sql`${top},\npage AS (${rawSql(listed)} UNION ALL BY NAME SELECT 'other' AS part, ${rawSql(rest)} FROM cells ANTI JOIN top ON ${rawSql(same)} GROUP BY bin)`
}
