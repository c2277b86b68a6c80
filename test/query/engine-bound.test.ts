import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repoRoot } from '../repo.ts'

const src = join(repoRoot, 'src')
const texts = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(file => ({ file, code: withoutComments(readFileSync(join(src, file), 'utf8')) }))

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/ .*$/gm, '$1')
}

/** What only DuckDB understands, or SQL in which it may stand. */
const engineBound = [
  /::(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|VARCHAR|TIMESTAMP|STRUCT|DECIMAL|JSON)\b/,
  /\b(epoch_us|make_timestamp|time_bucket|struct_pack|unnest|range|quantile_\w+|approx_top_k|bool_and|bool_or|arg_min|arg_max|any_value|starts_with|ends_with|list_\w+|string_split|read_parquet|parquet_metadata|json_extract|ip4)\(.*[`']/,
  /\bFILTER \(|\b(SEMI|ANTI) JOIN\b|\bGROUP BY ALL\b|\bBY NAME\b|\bQUALIFY\b|\bMATERIALIZED\b|\bTEMP (TABLE|VIEW|MACRO)\b/,
  /[`'"]\s*(SELECT|WITH|INSERT|UPDATE|CREATE|DROP|ALTER|COPY) [\w"*$]|\(SELECT |^\s*(SELECT|FROM|WHERE) ["$*]/,
]

/** Who may write SQL of DuckDB, and why. Everything else makes nodes of `query/`. */
const mayWrite: [RegExp, string][] = [
  [/^query\/duckdb-printer\.ts$/, 'the printer'],
  [/^query\/trino-printer\.ts$/, 'the printer of another engine'],
  [/^engines\/(catalogue|trino-table)\.ts$/, 'asks engines for their tables'],
  [/^flows\/engine-coverage\.ts$/, 'asks engines for the times between holes, in windows that are no nodes'],
  [/^store\//, 'segments and what is kept of them: they are read by DuckDB alone'],
  [/^ingest\/parquet-child\.ts$/, 'reads Parquet of others'],
  [/^convert\/parquet\.ts$/, 'writes Parquet for others'],
  [/^(conversations|record-index)\//, 'needs file numbers and many passes: pulled records are judged locally'],
  [/^flows\/count-once\.ts$/, 'the same'],
  [/^filter\/enriched\.ts$/, 'tables of addresses, made for the cache of this engine from files of the user'],
  [/^(investigate|detect)\//, 'the dossier, over the tables that conversations leave'],
  [/^user-sql\//, 'SQL of the user, for DuckDB, and the views that it names'],
  [/^cli\/sql\.ts$/, 'examples of it'],
  [/^lake\/(push|pushed-table)\.ts$/, 'writes Parquet for other engines, out of the segments'],
  [/^lake\/ddl\.ts$/, 'statements that make tables of Trino and Athena: printed, never run'],
  [/^pull\/statements\.ts$/, 'a list that stands once in a statement, for an engine that is given no tables'],
  [/^ui\/parts\/sql-editor\.ts$/, 'an example of it'],
  [/^server\/work\/(coverage|evidence)\.ts$/, 'the query of a documented view, for a person to copy'],
  [/^timeline\/kept\.ts$/, 'reads by file and line, as the record index does: the index is of this engine alone'],
]

test('no file but the printer and those that are local by nature holds SQL of one engine', () => {
  const wrong = texts.flatMap(({ file, code }) =>
    mayWrite.some(([name]) => name.test(file))
      ? []
      : code.split('\n').flatMap(line => (engineBound.some(one => one.test(line)) ? [`${file}: ${line.trim()}`] : [])),
  )
  assert.deepEqual(wrong, [])
})

test('every exception is needed', () => {
  const idle = mayWrite.filter(
    ([name]) => !texts.some(({ file, code }) => name.test(file) && engineBound.some(one => one.test(code))),
  )
  assert.deepEqual(
    idle.map(([name]) => String(name)),
    [],
  )
})

test('filters, flows and carving make no text of SQL', () => {
  const naming = texts.filter(
    ({ file, code }) =>
      /^(filter|flows|carve)\//.test(file) && /import \{[^}]*\b(sql|rawSql|inAnyPrefix)\b[^}]*\} from/.test(code),
  )
  assert.deepEqual(
    naming.map(({ file }) => file),
    [],
  )
})

/** Lines of SQL are made visible one by one; the SQL of a user is known by DuckDB's own parser, and quoted in messages. */
const mayRead = /^(user-sql\/|report\/flows\.ts$)/

test('no code reads SQL text back', () => {
  const reading =
    /\b\w*(sql|where|statement|query|condition|test)\w*(\.(text|sql))?\.(match|matchAll|replace|replaceAll|includes|split|startsWith|endsWith|indexOf|search|slice)\(|\b(sql|where|statement|query|condition|unknown)\.text\s*[!=]==?/i
  const parsing = texts
    .filter(({ file }) => !mayRead.test(file))
    .flatMap(({ file, code }) =>
      code.split('\n').flatMap(line => (reading.test(line) ? [`${file}: ${line.trim()}`] : [])),
    )
  assert.deepEqual(parsing, [])
})
