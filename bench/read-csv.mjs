// DuckDB's own reader: `read-csv.mjs DATABASE GLOB` loads flow-log text into a table on disk, in one statement.
import { DuckDBInstance } from '@duckdb/node-api'

const [, , database, glob] = process.argv
const instance = await DuckDBInstance.create(database, {})
const connection = await instance.connect()
await connection.run(
  `CREATE TABLE flows AS SELECT * FROM read_csv('${glob.replaceAll("'", "''")}', delim=' ', header=true, nullstr='-')`,
)
const result = await connection.runAndReadAll('SELECT count(*) FROM flows')
process.stdout.write(`${result.getRowsJson()[0][0]} rows\n`)
connection.closeSync()
instance.closeSync()
