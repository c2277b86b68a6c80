/**
 * The child that reads one Parquet file: `parquet-child.js FILE`.
 *
 * Prints a JSON array of its column names, or null if they are not those of a flow log, then each row as flow-log text. Times that
 * are timestamps become seconds, nulls (and the words that writers put for them) become `-`.
 */
import { once } from 'node:events'
import { exit, stderr, stdout } from 'node:process'
import { errorText } from '../errors.ts'
import { fieldNamed } from '../flow/fields.ts'
import { Database, quotedName, quotedPath } from '../store/duckdb.ts'

const rowsAtOnce = 20_000
/** As many as in text logs, about. */
const unknownColumnsMax = 256

async function main(path: string): Promise<void> {
  const database = await Database.open({ threads: 1, memoryLimit: '1GB', tempDirectory: null })
  const from = `read_parquet(${quotedPath(path)}, hive_partitioning=false)`
  const columns = await database.rows(
    `SELECT column_name AS name, column_type AS type FROM (DESCRIBE SELECT * FROM ${from})`,
  )
  const names = fieldNames(columns.map(column => String(column['name'])))
  const known = names.filter(name => fieldNamed(name) !== undefined).length
  const isFlowLog = known >= 4 && names.length - known <= unknownColumnsMax
  await print(`${JSON.stringify(isFlowLog ? names.map(name => name.replaceAll('_', '-')) : null)}\n`)
  if (!isFlowLog) return
  const words = columns.map((column, i) => word(String(column['name']), names[i]!, String(column['type'])))
  const result = await database.connection.stream(`SELECT concat_ws(' ', ${words.join(', ')}) AS line FROM ${from}`)
  let lines: string[] = []
  for await (const rows of result.yieldRows()) {
    for (const row of rows) lines.push(`${String(row[0])}\n`)
    if (lines.length < rowsAtOnce) continue
    await print(lines.join(''))
    lines = []
  }
  await print(lines.join(''))
}

/** A name becomes a column's in every segment: as in `flowlog/layout.ts`, whose names have no more. */
const fieldLengthMax = 120

/** Column names in a form that a layout can have, whatever a writer called them, each once. */
function fieldNames(columns: readonly string[]): string[] {
  const names = new Set<string>()
  for (const column of columns) {
    const plain = column
      .slice(0, fieldLengthMax)
      .toLowerCase()
      .replace(/[^a-z0-9]/g, '_')
    const name = /^[a-z]/.test(plain) ? plain : `x${plain}`
    let own = name
    for (let i = 2; names.has(own); i++) own = `${name}_${i}`
    names.add(own)
  }
  return [...names]
}

/** The SQL for one value as a word of a flow-log line. A blank inside a value would shift the fields, so it is made visible. */
function word(column: string, field: string, type: string): string {
  const name = quotedName(column)
  const isTime = fieldNamed(field)?.type === 'time'
  let text = `CAST(${name} AS VARCHAR)`
  if (isTime && type.startsWith('TIMESTAMP')) text = `CAST(CAST(epoch(${name}) AS BIGINT) AS VARCHAR)`
  else if (type === 'DOUBLE' || type === 'FLOAT')
    text = `CASE WHEN ${name} = floor(${name}) THEN CAST(CAST(${name} AS HUGEINT) AS VARCHAR) ELSE ${text} END`
  const nullish = `${name} IS NULL OR ${text} IN ('None', 'nan', 'NaN', '')`
  return `CASE WHEN ${nullish} THEN '-' ELSE regexp_replace(${text}, '[\\x00-\\x20]', '%20', 'g') END`
}

async function print(text: string): Promise<void> {
  if (text !== '' && !stdout.write(text)) await once(stdout, 'drain')
}

main(process.argv[2] ?? '').then(
  () => exit(0),
  error => {
    stderr.write(`${errorText(error)}\n`)
    exit(1)
  },
)
