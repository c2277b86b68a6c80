/** The statement of a request for people: it runs in any DuckDB, and pasted into `tidemark sql`. */
import { keptRoles, withRolesOf } from '../conversations/roles.ts'
import { trusted } from '../query/build.ts'
import type { Relation } from '../query/nodes.ts'
import { cachedPath } from '../store/cache.ts'
import type { CachedTable } from '../store/cached-table.ts'
import type { Case } from '../store/case.ts'
import { quotedName, quotedPath, quotedString } from '../store/duckdb.ts'
import { keptCollapsed } from './count-once.ts'
import { planOf, type Settled } from './settle.ts'

/**
 * Without asking it. Tables of the case's cache are read as the files that they are; where nothing could be kept there, they have the
 * names of tables that no other program has.
 */
export async function shownStatement(c: Case, { setting, makers, usesRoles }: Settled): Promise<string> {
  const { records } = setting
  const judged = usesRoles ? await rolesOf(c, setting.records.evidence, setting.internal) : null
  const forPeople = {
    ...records,
    table: (_: boolean, roles?: boolean): Relation =>
      roles === true && judged !== null ? trusted(withRolesOf(records.source, judged), []) : records.shown(roles),
  }
  const collapsed = setting.collapsed === null ? null : await collapsedOf(c, setting.collapsed, records.evidence)
  const { statement } = planOf({ ...setting, records: forPeople, collapsed, totals: null }, makers)
  return setting.dialect.shown(statement)
}

async function collapsedOf(c: Case, table: Relation, evidence: 'logs' | 'packets'): Promise<Relation> {
  const file = await fileOf(c, keptCollapsed(evidence))
  return file === null ? table : trusted(`(SELECT _file, _line FROM ${file})`, [])
}

async function rolesOf(
  c: Case,
  evidence: 'logs' | 'packets',
  internal: Settled['setting']['internal'],
): Promise<{ judged: string; names: string } | null> {
  const kept = keptRoles({ evidence }, internal)
  const file = await fileOf(c, kept)
  if (file === null) return null
  const rows = await c.db.rows(`SELECT service, name, "at" FROM ${quotedName(`${kept.table}_names`)} ORDER BY service`)
  const values = rows.map(
    row => `(${Number(row['service'])}, ${quotedString(String(row['name']))}, ${quotedString(String(row['at']))})`,
  )
  const none = '(SELECT NULL::UINTEGER AS service, NULL::VARCHAR AS name, NULL::VARCHAR AS "at" WHERE false)'
  const names = values.length === 0 ? none : `(SELECT * FROM (VALUES ${values.join(', ')}) AS v(service, name, "at"))`
  return { judged: file, names }
}

async function fileOf(c: Case, { file }: CachedTable): Promise<string | null> {
  const path = c.usesCache ? await cachedPath(c.dir, { what: file, head: c.head }) : null
  return path === null ? null : `read_parquet(${quotedPath(path)})`
}
