/** What was worked out from a case and can be again: kept in its `cache` folder, which is no part of the record and may be deleted. */
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { statRegular } from '../disk/reading.ts'
import { passingName, requireFolder } from '../disk/writing.ts'
import type { Case } from '../store/case.ts'
import { quotedName, quotedPath, quotedString } from '../store/duckdb.ts'
import { caseFiles } from '../store/files.ts'

export interface CachedTable {
  /** Name of the temporary table in the case's database. */
  table: string
  /** Name of the file, without the state of the case and the ending; changes with the rule, so that what an older one left is not read. */
  file: string
  /** Columns by name, with their types: a file with others is not believed. */
  columns: Readonly<Record<string, string>>
  /** What it says, in words: `which records …`. */
  what: string
}

/** Sees to it that the table is there: of this database, else of the cache, else made and kept. */
export async function cachedTable(c: Case, cached: CachedTable, make: () => Promise<void>): Promise<void> {
  const made = await c.db.rows(
    `SELECT 1 AS there FROM duckdb_tables() WHERE table_name = ${quotedString(cached.table)}`,
  )
  if (made.length > 0 || (await read(c, cached))) return
  c.onWork?.(cached.what)
  await make()
  await write(c, cached)
}

function pathOf(c: Case, { file }: CachedTable): string {
  return join(c.dir, caseFiles.cache, `${file}-${c.head.slice(0, 16)}.parquet`)
}

async function read(c: Case, cached: CachedTable): Promise<boolean> {
  const columns = Object.entries(cached.columns).map(
    ([name, type]) => `${quotedName(name)}::${type} AS ${quotedName(name)}`,
  )
  try {
    statRegular(pathOf(c, cached), 'refuse')
    await c.db.run(
      `CREATE TEMP TABLE ${quotedName(cached.table)} AS SELECT ${columns.join(', ')} FROM read_parquet(${quotedPath(pathOf(c, cached))})`,
    )
    return true
  } catch {
    // Not there yet, or not whole: it is worked out anew.
    return false
  }
}

/** A case that can not be written is asked all the same. */
async function write(c: Case, cached: CachedTable): Promise<void> {
  const path = pathOf(c, cached)
  const incoming = join(dirname(path), passingName())
  try {
    await requireFolder(dirname(path))
    await c.db.run(`COPY ${quotedName(cached.table)} TO ${quotedString(incoming)} (FORMAT parquet)`)
    await rename(incoming, path)
  } catch {
    await rm(incoming, { force: true }).catch(() => undefined)
  }
}
