/**
 * The child that reads one Parquet file: `parquet-child.js FILE`.
 *
 * Prints a JSON object of its column names, null if they are not those of a flow log, of all columns as they are, and of how many rows it says
 * that it has; then each row as flow-log text. Times that are timestamps become seconds, nulls (and the words that writers put for them) become `-`.
 */
import { once } from 'node:events'
import { exit, stderr, stdout } from 'node:process'
import { errorText } from '../errors.ts'
import { fieldNamed } from '../records/fields.ts'
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
  const [footer] = await database.rows(`SELECT num_rows AS rows FROM parquet_file_metadata(${quotedPath(path)})`)
  const head = {
    columns: isFlowLog ? names.map(name => name.replaceAll('_', '-')) : null,
    schema: columns.map(column => ({ name: String(column['name']), type: String(column['type']) })),
    rows: Number(footer?.['rows']),
  }
  await print(`${JSON.stringify(head)}\n`)
  if (!isFlowLog) return
  const words = columns.map((column, i) => word(String(column['name']), names[i]!, String(column['type'])))
  const result = await database.stream(`SELECT concat_ws(' ', ${words.join(', ')}) AS line FROM ${from}`)
  let lines: string[] = []
  let printed = 0
  try {
    for await (const rows of result) {
      for (const row of rows) lines.push(`${String(row[0])}\n`)
      printed += rows.length
      if (lines.length < rowsAtOnce) continue
      await print(lines.join(''))
      lines = []
    }
  } catch (error) {
    throw new Error(`${errorText(error).trim().split('\n')[0]} (after row ${printed} of ${head.rows}; none is kept)`)
  }
  await print(lines.join(''))
}

/** A name becomes a column's in every segment: as in `vpc-text/layout.ts`, whose names have no more. */
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

/**
 * The SQL for one value as a word of a flow-log line. A blank or control character inside a value would shift the fields: each is
 * written as % and its code in hex digits.
 */
function word(column: string, field: string, type: string): string {
  const name = quotedName(column)
  const isTime = fieldNamed(field)?.type === 'time'
  const plain = `CAST(${name} AS VARCHAR)`
  // What has no such form, as infinity, stays as it is: its line is malformed then, and the others are read.
  const orPlain = (form: string): string => `coalesce(CAST(${form} AS VARCHAR), ${plain})`
  let text = plain
  if (isTime && type.startsWith('TIMESTAMP')) text = orPlain(`TRY_CAST(epoch(${name}) AS BIGINT)`)
  else if (type === 'DOUBLE' || type === 'FLOAT')
    text = `CASE WHEN ${name} = floor(${name}) THEN ${orPlain(`TRY_CAST(${name} AS HUGEINT)`)} ELSE ${plain} END`
  const nullish = `${name} IS NULL OR ${text} IN ('None', 'nan', 'NaN', '')`
  const code = "CASE WHEN ord(c) <= 32 THEN format('%{:02X}', ord(c)) ELSE c END"
  const coded = `array_to_string(list_transform(string_split(${text}, ''), lambda c: ${code}), '')`
  const hasBlank = `regexp_matches(${text}, '[\\x00-\\x20]')`
  return `CASE WHEN ${nullish} THEN '-' WHEN ${hasBlank} THEN ${coded} ELSE ${text} END`
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
