/** What was worked out from a case and can be again: kept in its `cache` folder, which is no part of the record and may be deleted. */
import { cachedPath, findCached, keepCached } from './cache.ts'
import type { Case } from './case.ts'
import { quotedName, quotedPath, quotedString } from './duckdb.ts'

export interface CachedTable {
  /** Name of the table in the case's database. */
  table: string
  /** What the file is called, without the state of the case; changes with the rule, so that what an older one left is not read. */
  file: string
  /** Columns by name, with their types: a file with others is not believed. */
  columns: Readonly<Record<string, string>>
  /** What it says, in words: `which records …`. */
  what: string
  /** What it depends on besides the case: kept in the file, so that it can be worked out again to compare. */
  settings?: string
}

/** Sees to it that the table is there: of this database, else of the cache, else made and kept. One makes it while others wait. */
export async function cachedTable(c: Case, cached: CachedTable, make: () => Promise<void>): Promise<void> {
  await c.db.once(cached.table, async () => {
    if (c.usesCache && (await read(c, cached))) return
    c.onWork?.(cached.what)
    await make()
    if (c.usesCache) await keepCached(c.dir, { what: cached.file, head: c.head }, path => write(c, cached, path))
  })
}

/** The kept table as any DuckDB reads it, to stand after FROM; null where nothing is kept. */
export async function keptSource(c: Case, { file }: CachedTable): Promise<string | null> {
  const path = c.usesCache ? await cachedPath(c.dir, { what: file, head: c.head }) : null
  return path === null ? null : `read_parquet(${quotedPath(path)})`
}

async function read(c: Case, cached: CachedTable): Promise<boolean> {
  try {
    const path = await findCached(c.dir, { what: cached.file, head: c.head })
    if (path === null) return false
    await c.db.run(`CREATE TABLE ${quotedName(cached.table)} AS ${keptSql(cached, path)}`)
    return true
  } catch {
    c.db.requireGoing()
    // Not whole, or not to be read: it is worked out again.
    return false
  }
}

function keptSql({ columns }: CachedTable, path: string): string {
  const names = Object.entries(columns).map(([name, type]) => `${quotedName(name)}::${type} AS ${quotedName(name)}`)
  return `SELECT ${names.join(', ')} FROM read_parquet(${quotedPath(path)})`
}

async function write(c: Case, { table, settings }: CachedTable, path: string): Promise<void> {
  const kept = settings === undefined ? '' : `, KV_METADATA {settings: ${quotedString(settings)}}`
  await c.db.run(`COPY ${quotedName(table)} TO ${quotedString(path)} (FORMAT parquet${kept})`)
}

/** The `settings` of a file; empty without any. */
export async function settingsOf(c: Case, path: string): Promise<string> {
  const [row] = await c.db.rows(
    `SELECT decode(value) AS text FROM parquet_kv_metadata(${quotedPath(path)}) WHERE decode(key) = 'settings'`,
  )
  return String(row?.['text'] ?? '')
}

/** Whether a file holds the rows of the table that was made again, in whatever order. */
export async function isSame(c: Case, cached: CachedTable, path: string): Promise<boolean> {
  const names = Object.keys(cached.columns).map(quotedName).join(', ')
  const made = `SELECT ${names} FROM ${quotedName(cached.table)}`
  const kept = `SELECT ${names} FROM (${keptSql(cached, path)})`
  const [row] = await c.db.rows(
    `SELECT count(*) AS n FROM ((${made} EXCEPT ALL ${kept}) UNION ALL (${kept} EXCEPT ALL ${made}))`,
  )
  return Number(row!['n']) === 0
}
