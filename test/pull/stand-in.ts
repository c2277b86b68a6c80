/** A table of flow logs on a stand-in for an engine: DuckDB answers what was written for Trino, as far as a pull asks it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { AskOptions, Engine, EngineTable, Estimate, Ran, TextRow } from '../../src/engines/engine.ts'
import { UserError } from '../../src/errors.ts'
import { formatAddress, parseAddress } from '../../src/net/address.ts'
import type { Sql } from '../../src/query/sql.ts'
import { trino, withValues } from '../../src/query/trino-printer.ts'
import { Database, quotedName } from '../../src/store/duckdb.ts'

export class StandIn implements Engine {
  readonly name = 'trino'
  readonly place = 'http://127.0.0.1:8080/hive/logs/flows'
  readonly dialect = trino
  readonly ran: Ran[] = []
  /** After this many rows of that statement, counted from 1, the engine is gone. */
  breaks: { statement: number; rows: number } | null = null
  private readonly db: Database
  private readonly addresses: string[]
  private readonly fields: readonly string[]

  private constructor(db: Database, fields: readonly string[], addresses: string[]) {
    this.db = db
    this.fields = fields
    this.addresses = addresses
  }

  /** The logs of a folder, all of which have the same header. */
  static async of(folder: string): Promise<StandIn> {
    const db = await Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: null })
    let fields: string[] = []
    const addresses = new Set<string>()
    const rows: string[][] = []
    for (const path of logsIn(folder)) {
      const [header, ...lines] = textOf(path).trimEnd().split('\n')
      fields = header!.replaceAll('-', '_').split(' ')
      for (const line of lines) {
        const values = line.split(' ')
        for (const value of values) if (/[.:]/.test(value) && parseAddress(value) !== null) addresses.add(value)
        rows.push([`s3://bucket/${path.slice(folder.length + 1)}`, ...values])
      }
    }
    const columns = ['$path', ...fields].map((name, i) => `row->>${i} AS ${quotedName(name)}`)
    await db.run(
      `CREATE TABLE t AS SELECT ${columns.join(', ')} FROM (SELECT unnest(json_extract($1::JSON, '$[*]')) AS row)`,
      [JSON.stringify(rows)],
    )
    // An engine knows an address however it is written.
    const other = [...addresses].filter(one => canonical(one) !== one)
    const cases = other.map(one => `WHEN '${one}' THEN '${canonical(one)}'`).join(' ')
    await db.run(
      `CREATE MACRO address_of(x) AS ${other.length === 0 ? '' : `CASE x ${cases} ELSE`} nullif(x, '-')${other.length === 0 ? '' : ' END'}`,
    )
    return new StandIn(db, fields, [...new Set([...addresses].map(canonical))])
  }

  close(): Promise<void> {
    return this.db.close()
  }

  sent(statement: Sql): string {
    return withValues(statement)
  }

  async *ask({ text, values }: Sql, { signal }: AskOptions = {}): AsyncGenerator<TextRow[]> {
    signal?.throwIfAborted()
    this.ran.push({ id: `q${this.ran.length + 1}`, bytes: 1000 })
    const found = await this.db.rows(this.asDuckdb(text), values)
    const rows = found.map(row => Object.values(row).map(value => (value === null ? null : String(value))))
    for (let from = 0; from < rows.length; from += 100) {
      signal?.throwIfAborted()
      if (this.breaks?.statement === this.ran.length && from >= this.breaks.rows)
        throw new UserError('the engine cannot be reached: http://127.0.0.1:8080 (ECONNREFUSED)')
      yield rows.slice(from, from + 100)
    }
  }

  async table(): Promise<EngineTable> {
    const columns = this.fields.map(name => ({ name, type: 'varchar' }))
    return { sql: '"t"', columns, partitions: [], listsPartitions: true, hasPath: true }
  }

  async estimate(): Promise<Estimate> {
    return { partitions: null, partitionsOfTable: null, bytes: null }
  }

  /** Addresses are compared as canonical texts here; of a network those that the table has. */
  private asDuckdb(text: string): string {
    return text
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
