import { holeSql, spanSql } from '../conversations/coverage-sql.ts'
import { giveLogConnections } from '../conversations/listed.ts'
import { countedSql, judgeRecords } from '../conversations/roles.ts'
import { UserError } from '../errors.ts'
import type { Case } from '../store/case.ts'
import { quotedName } from '../store/duckdb.ts'
import { subscriptionOf } from '../store/entries.ts'
import { exactJson } from '../store/exact-json.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import { readQueries } from '../store/queries.ts'
import { type View, type ViewColumn, views } from './schema.ts'

/** Documented views are found in here; what a case has for its own use stays out of sight. */
const schema = 'tidemark'

/** Names that are taken: a query may not call anything of its own like that, for it could stand for something else. */
export async function takenNames(c: Case): Promise<Set<string>> {
  const rows = await c.db.rows(
    'SELECT view_name AS name FROM duckdb_views() UNION SELECT table_name FROM duckdb_tables()',
  )
  const documented = new Set(views.map(view => view.name))
  return new Set(rows.map(row => String(row['name']).toLowerCase()).filter(name => !documented.has(name)))
}

/** Makes the documented views over an open case and leaves their names to stand alone. Columns of logs that we do not know come last. */
export async function createDocumentedViews(c: Case): Promise<void> {
  await c.db.run(`CREATE SCHEMA ${schema}`)
  for (const view of views) {
    if (view.name === 'evidence') await createEvidence(c, view)
    else if (view.name === 'problems') await createTable(c, view, c.problems)
    else if (view.name === 'queries') await createQueries(c, view)
    else if (view.name === 'coverage') await c.db.run(`CREATE VIEW ${schema}.coverage AS ${coverageSql(c)}`)
    else if (view.name === 'counted_flows') {
      const nothing = `SELECT *, NULL::VARCHAR AS role, NULL::VARCHAR AS service FROM ${schema}.flows WHERE false`
      await createCounted(c, nothing)
    } else await createView(c, view)
  }
  await c.db.run(`SET search_path = '${schema},main'`)
}

/** The view of records that count once, its columns in the order of `createView`. */
async function createCounted(c: Case, records: string): Promise<void> {
  const { columns } = views.find(({ name }) => name === 'counted_flows')!
  const documented = columns.map(({ name }) => quotedName(name)).join(', ')
  await c.db.run(
    `CREATE OR REPLACE VIEW ${schema}.counted_flows AS SELECT ${documented}, * EXCLUDE (${documented}) FROM (${records})`,
  )
}

/** Views whose rows are worked out for the first query that names them. */
export const workedOut: readonly string[] = ['connections', 'counted_flows']

/** Works out what a view shows. @param c the case, with a connection on which the case's own names stand alone. */
export async function workOut(c: Case, view: string): Promise<void> {
  if (view === 'counted_flows') {
    await judgeRecords(c, { evidence: c.source }, [])
    await createCounted(c, countedSql(`${schema}.flows`, c.source))
  } else if (c.source === 'logs') {
    await giveLogConnections(c)
    const { columns } = views.find(({ name }) => name === view)!
    const made = await c.db.rows(
      `SELECT column_name AS name FROM duckdb_columns() WHERE table_name = 'log_connections'`,
    )
    const present = new Set(made.map(row => String(row['name'])))
    const given: Record<string, string> = { evidence: `'logs'`, role_confidence: 'role_confidence / 100.0' }
    const ofLogs = columns.map(column => {
      const { name } = column
      const value = given[name] ?? (present.has(name) ? quotedName(name) : 'NULL')
      return `CAST(${value} AS ${sqlOf(column)}) AS ${quotedName(name)}`
    })
    const packets = await connectionsOfPackets(c)
    await c.db.run(
      `CREATE OR REPLACE VIEW ${schema}.connections AS ${packets} UNION ALL BY NAME SELECT ${ofLogs.join(', ')} FROM main.log_connections`,
    )
  }
}

/** The connections of captures, which are there. */
async function connectionsOfPackets(c: Case): Promise<string> {
  return viewSql(c, views.find(({ name }) => name === 'connections')!, { evidence: `'packets'` })
}

async function createView(c: Case, view: View): Promise<void> {
  const query = view.name === 'connections' ? await connectionsOfPackets(c) : await viewSql(c, view)
  await c.db.run(`CREATE VIEW ${schema}.${view.name} AS ${query}`)
}

/** Every documented column, null where the case has none, then the others that there are. */
async function viewSql(
  c: Case,
  { name, columns }: View,
  given: Readonly<Record<string, string>> = {},
): Promise<string> {
  const rows = await c.db.rows(
    'SELECT column_name AS name FROM duckdb_columns() WHERE table_name = ? AND schema_name = ?',
    [name, 'main'],
  )
  const present = new Set(rows.map(row => String(row['name'])))
  const documented = columns.map(column =>
    present.has(column.name)
      ? ofType(column)
      : `CAST(${given[column.name] ?? 'NULL'} AS ${sqlOf(column)}) AS ${quotedName(column.name)}`,
  )
  const known = new Set(columns.map(column => column.name))
  const others = [...present].filter(column => !known.has(column)).map(quotedName)
  return `SELECT ${[...documented, ...others].join(', ')} FROM main.${name}`
}

/** A column that is there; a sum of other views is wider than what it is here. */
function ofType(column: View['columns'][number]): string {
  const name = quotedName(column.name)
  return column.type === 'HUGEINT' ? `CAST(${name} AS HUGEINT) AS ${name}` : name
}

async function createEvidence(c: Case, view: View): Promise<void> {
  const rows = c.evidence.map((file: EvidenceEntry) => ({ ...file, subscription: subscriptionOf(file.path) }))
  await createTable(c, view, rows)
}

/** Anyone may write the file of the saved queries: one that cannot be read stops the queries that name this view, and no others. */
async function createQueries(c: Case, view: View): Promise<void> {
  try {
    const rows = Object.entries(await readQueries(c.dir)).map(([name, { saved, request }]) => ({
      ...{ name, saved, request, filter: request.filter ?? null },
    }))
    await createTable(c, view, rows)
  } catch (error) {
    const known = error instanceof UserError ? error : new UserError('saved queries cannot be read: queries.json')
    const why = [
      known.message.replaceAll(`${c.dir}/`, ''),
      known.hint ?? 'it holds no evidence: fix or delete it',
    ].join('\n')
    const columns = view.columns.map(column => `CAST(NULL AS ${sqlOf(column)}) AS ${quotedName(column.name)}`)
    // It may quote the file, and SQL ends at a NUL.
    const message = `'${why.slice(0, 1000).replaceAll('\0', '').replaceAll("'", "''")}'`
    await c.db.run(
      `CREATE VIEW ${schema}.${view.name} AS SELECT ${columns.join(', ')} WHERE CAST(error(${message}) AS BOOLEAN)`,
    )
  }
}

/** A table of what is in memory already. */
async function createTable(c: Case, { name, columns }: View, rows: readonly object[]): Promise<void> {
  const values = columns.map(column => {
    const path = `'$.${quotedName(column.name)}'`
    const value = column.type === 'JSON' ? `nullif(row->${path}, 'null'::JSON)` : fieldSql(column, path)
    return `${value} AS ${quotedName(column.name)}`
  })
  await c.db.run(
    `CREATE TABLE ${schema}.${name} AS SELECT ${values.join(', ')} FROM (SELECT unnest(json_extract($1::JSON, '$[*]')) AS row)`,
    [exactJson(rows)],
  )
}

function fieldSql(column: ViewColumn, path: string): string {
  if (column.type.endsWith('[]')) return `CAST(row->${path} AS ${column.type})`
  return `CAST(row->>${path} AS ${sqlOf(column)})`
}

function sqlOf(column: ViewColumn): string {
  return column.type === 'address' ? 'STRUCT(hi UBIGINT, lo UBIGINT)' : column.type
}

/**
 * What each sensor's logs cover, counted as the dossier counts (`investigate/coverage.ts`): records are first gathered by the minute
 * of their start, in which no hole that matters is hidden.
 */
function coverageSql(c: Case): string {
  return `WITH span AS (${spanSql(c)}), hole AS (${holeSql(c)})
  SELECT span.sensor, min(from_t) AS first, max(to_t) AS last, sum(records)::UBIGINT AS records, sum(no_data)::UBIGINT AS no_data,
    sum(skip_data)::UBIGINT AS skip_data, coalesce(any_value(holes), 0)::UBIGINT AS holes
  FROM span LEFT JOIN (SELECT sensor, count(*) AS holes FROM hole GROUP BY sensor) AS silent ON silent.sensor IS NOT DISTINCT FROM span.sensor
  GROUP BY span.sensor`
}
