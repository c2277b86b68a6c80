/** A table of flow logs on a stand-in for an engine: DuckDB answers what was written for Trino, as far as a pull asks it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { AskOptions, Engine, EngineTable, Estimate, Ran, TextRow } from '../../src/engines/engine.ts'
import { UserError } from '../../src/errors.ts'
import { formatAddress, parseAddress } from '../../src/net/address.ts'
import type { Sql } from '../../src/query/sql.ts'
import { trino, withValues } from '../../src/query/trino-printer.ts'
import { fieldNamed } from '../../src/records/fields.ts'
import { Database, quotedName } from '../../src/store/duckdb.ts'
import { metadata } from '../engines/athena-stub.ts'

/** `text`: all of it is text, as in tables over text files; `typed`: as AWS's Parquet; `folders`: that in folders of days; `pushed`: as of `lake push`. */
export type Form = 'text' | 'typed' | 'folders' | 'pushed'

interface StandInColumn {
  name: string
  type: string
  /** Of the row's values, as JSON. */
  sql: string
  inFolders: boolean
}

/** @param isWide whether a column has numbers that `bigint` has not. */
function columnsOf(fields: readonly string[], form: Form, isWide: (i: number) => boolean): StandInColumn[] {
  const text = (i: number): string => `row->>${i}`
  const plain = { type: 'varchar', inFolders: false }
  const [day, path, number] = [1, 2, 3].map(i => text(fields.length + i))
  const own = fields.map((name, i): StandInColumn => {
    const known = types[fieldNamed(name)?.type ?? ''] ?? 'varchar'
    const type = form === 'text' ? 'varchar' : known === 'bigint' && isWide(i) ? 'decimal(20,0)' : known
    const value = form === 'text' ? text(i + 1) : `nullif(${text(i + 1)}, '-')`
    return { name, type, inFolders: false, sql: type === 'varchar' ? value : `CAST(${value} AS ${type})` }
  })
  const exact = ['start', 'end']
    .filter(name => fields.includes(name))
    .map((name): StandInColumn => {
      const seconds = `CAST(nullif(${text(fields.indexOf(name) + 1)}, '-') AS BIGINT)`
      return { name: `${name}_us`, type: 'bigint', inFolders: false, sql: `${seconds} * 1000000` }
    })
  const pushed: StandInColumn[] = [
    ...exact,
    { name: 'source_path', ...plain, sql: path! },
    { name: 'source_line', type: 'bigint', inFolders: false, sql: `CAST(${number} AS BIGINT)` },
  ]
  const folder = (name: string): StandInColumn => ({ name, type: 'varchar', inFolders: true, sql: day! })
  return [
    { name: '$path', ...plain, sql: text(0) },
    ...own,
    ...(form === 'pushed' ? [...pushed, folder('day')] : form === 'folders' ? [folder('p_day')] : []),
  ]
}

/** Their text is held several times over. */
const rowsAtOnce = 10_000

const types: Record<string, string> = { u8: 'integer', u16: 'integer', u64: 'bigint', time: 'bigint' }

export class StandIn implements Engine {
  readonly name = 'trino'
  readonly place = 'http://127.0.0.1:8080/hive/logs/flows'
  readonly dialect = trino
  readonly lettersMost = 900_000
  readonly ran: Ran[] = []
  /** After this many rows of that statement, counted from 1, the engine is gone. */
  breaks: { statement: number; rows: number } | null = null
  /** Statements whose answers are earlier ones, counted from 1. */
  readonly reuses = new Set<number>()
  private readonly db: Database
  private readonly addresses: string[]
  private readonly columns: readonly StandInColumn[]
  private readonly days: readonly string[]

  private constructor(db: Database, columns: readonly StandInColumn[], days: readonly string[], addresses: string[]) {
    this.db = db
    this.columns = columns
    this.days = days
    this.addresses = addresses
  }

  /** The logs of a folder, all of which have the same header, as a table of a form. */
  static async of(folder: string, form: Form = 'text'): Promise<StandIn> {
    const db = await Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: null })
    let fields: string[] = []
    const addresses = new Set<string>()
    const rows: unknown[][] = []
    for (const path of logsIn(folder)) {
      const [header, ...lines] = textOf(path).trimEnd().split('\n')
      fields = header!.replaceAll('-', '_').split(' ')
      for (const [i, line] of lines.entries()) {
        const values = line.split(' ')
        for (const value of values) if (/[.:]/.test(value) && parseAddress(value) !== null) addresses.add(value)
        const end = Number(values[fields.indexOf('end')])
        const day = new Date((Number.isNaN(end) ? 0 : end) * 1000).toISOString().slice(0, 10)
        const inFolders = form === 'folders' ? day.replaceAll('-', '/') : day
        rows.push([`s3://bucket/${path.slice(folder.length + 1)}`, ...values, inFolders, path, i + 2])
      }
    }
    const isWide = (i: number) => rows.some(row => /^\d{19,}$/.test(String(row[i + 1])))
    const columns = columnsOf(fields, form, isWide)
    const list = columns.map(({ sql, name }) => `${sql} AS ${quotedName(name)}`).join(', ')
    for (let at = 0; at === 0 || at < rows.length; at += rowsAtOnce) {
      const into = at === 0 ? 'CREATE TABLE t AS' : 'INSERT INTO t'
      await db.run(`${into} SELECT ${list} FROM (SELECT unnest(json_extract($1::JSON, '$[*]')) AS row)`, [
        JSON.stringify(rows.slice(at, at + rowsAtOnce)),
      ])
    }
    // An engine knows an address however it is written.
    const other = [...addresses].filter(one => canonical(one) !== one)
    const cases = other.map(one => `WHEN '${one}' THEN '${canonical(one)}'`).join(' ')
    await db.run(
      `CREATE MACRO address_of(x) AS ${other.length === 0 ? '' : `CASE x ${cases} ELSE`} nullif(x, '-')${other.length === 0 ? '' : ' END'}`,
    )
    await db.run('CREATE MACRO bitwise_and(a, b) AS a & b')
    const days = [...new Set(rows.map(row => String(row.at(-3))))]
    return new StandIn(db, columns, days, [...new Set([...addresses].map(canonical))])
  }

  close(): Promise<void> {
    return this.db.close()
  }

  sent(statement: Sql): string {
    return withValues(statement)
  }

  async *ask({ text, values }: Sql, { signal }: AskOptions = {}): AsyncGenerator<TextRow[]> {
    signal?.throwIfAborted()
    const isReused = this.reuses.has(this.ran.length + 1)
    this.ran.push({ id: `q${this.ran.length + 1}`, bytes: 1000, ...(isReused && { reused: true as const }) })
    const found = await this.db.rows(this.asDuckdb(text), values)
    const rows = found.map(row => Object.values(row).map(value => (value === null ? null : String(value))))
    for (let from = 0; from < rows.length; from += 100) {
      signal?.throwIfAborted()
      if (this.breaks?.statement === this.ran.length && from >= this.breaks.rows)
        throw new UserError('the engine cannot be reached: http://127.0.0.1:8080 (ECONNREFUSED)')
      yield rows.slice(from, from + 100)
    }
  }

  /** What Athena says of the table, by Hive's names of types. */
  metadata(): object {
    const hive: Record<string, string> = { varchar: 'string', integer: 'int' }
    const of = (inFolders: boolean): Record<string, string> =>
      Object.fromEntries(
        this.columns
          .filter(one => one.inFolders === inFolders && one.name !== '$path')
          .map(({ name, type }) => [name, hive[type] ?? type]),
      )
    return metadata(of(false), { partitions: of(true) })
  }

  /** Rows of a statement that was sent to Athena, whose bound values are SQL in the place of their marks. */
  async rowsFor(text: string, params: readonly string[]): Promise<TextRow[]> {
    if (text.includes('$partitions')) return this.days.map(day => [day])
    const left = [...params]
    const whole = text
      .replace('"logs"."flows"', '"t"')
      .replace(/\?/g, () => left.shift()!)
      .replace(
        /from_utf8\(X'([0-9a-f]*)'\)/g,
        (_, hex: string) => `'${Buffer.from(hex, 'hex').toString('utf8').replaceAll("'", "''")}'`,
      )
    const rows: TextRow[] = []
    for await (const some of this.ask({ text: whole, values: [] })) rows.push(...some)
    return rows
  }

  async table(): Promise<EngineTable> {
    const of = (is: boolean) => this.columns.filter(one => one.inFolders === is && one.name !== '$path')
    const columns = of(false).map(({ name, type }) => ({ name, type }))
    const partitions = of(true).map(({ name, type }) => ({ name, type, values: this.days }))
    return { sql: '"t"', columns, partitions, listsPartitions: true, hasPath: true }
  }

  async estimate(): Promise<Estimate> {
    return { partitions: null, partitions_of_table: null, bytes: null }
  }

  /** Addresses are compared as canonical texts here; of a network those that the table has. */
  private asDuckdb(text: string): string {
    return text
      .replace(/UNNEST\(((?:ARRAY\[[^\]]*\](?:, )?)+)\) AS "_side"/g, (_, lists: string) => {
        const columns = [...lists.matchAll(/ARRAY\[([^\]]*)\]/g)].map(([, list]) => list!.split(', '))
        const rows = columns[0]!.map((_, side) => `(${columns.map(of => of[side]!).join(', ')})`)
        return `LATERAL (VALUES ${rows.join(', ')}) AS "_side"`
      })
      .replace(/TRY_CAST\(("\w+") AS IPADDRESS\)/g, 'address_of($1)')
      .replace(/BETWEEN IPADDRESS '([^']+)' AND IPADDRESS '([^']+)'/g, (_, first: string, last: string) => {
        const within = this.addresses.filter(one => order(first, one) <= 0 && order(one, last) <= 0)
        return `IN (${['none', ...within].map(one => `'${one}'`).join(', ')})`
      })
      .replace(/IPADDRESS '/g, "'")
  }
}

/** The one spelling that an address has as a value. */
function canonical(text: string): string {
  const { hi, lo } = parseAddress(text)!
  return formatAddress(hi, lo)
}

function order(a: string, b: string): number {
  const [x, y] = [parseAddress(a)!, parseAddress(b)!]
  const [p, q] = [(x.hi << 64n) | x.lo, (y.hi << 64n) | y.lo]
  return p < q ? -1 : p > q ? 1 : 0
}

export function logsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile())
    .sort()
}

/** The text of a file; of one that is damaged nothing. */
export function textOf(path: string): string {
  const bytes = readFileSync(path)
  try {
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('latin1')
  } catch {
    return ''
  }
}
