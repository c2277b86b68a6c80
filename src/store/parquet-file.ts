import type { PartFile } from '../disk/part-file.ts'
import { type Database, quotedString } from './duckdb.ts'

/** Writes the rows of a query as a Parquet file and gives it its name. @throws UserError where it cannot be written. */
export async function copyToParquet(database: Database, query: string, part: PartFile): Promise<void> {
  // The file is there and is written over: by default DuckDB would write another one and replace it.
  const options = 'FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false'
  try {
    await database.run(`COPY (${query}) TO ${quotedString(part.path)} (${options})`)
    part.finish()
  } catch (error) {
    part.abandon()
    throw part.failure(error)
  }
}
