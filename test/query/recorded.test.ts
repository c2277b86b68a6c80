import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { queryFlows } from '../../src/flows/run.ts'
import { duckdb } from '../../src/query/duckdb-printer.ts'
import type { Sql } from '../../src/query/sql.ts'
import type { Case } from '../../src/store/case.ts'
import { Database, type Value } from '../../src/store/duckdb.ts'
import { caseOf, workFolder } from '../flows/support.ts'
import { golden } from '../golden.ts'
import { requests, writeCases } from './requests.ts'

const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** Statements that were run, from now on. */
function overheard(): { texts: string[]; stop: () => void } {
  const texts: string[] = []
  const { rows, stream } = Database.prototype
  const hear = (sql: string, values: readonly Value[] = []): void => {
    texts.push(`${sql}\n-- ${JSON.stringify(values, plain)}`)
  }
  Database.prototype.rows = function (sql, values) {
    hear(sql, values)
    return rows.call(this, sql, values)
  }
  Database.prototype.stream = function (sql, values, signal) {
    hear(sql, values)
    return stream.call(this, sql, values, signal)
  }
  return { texts, stop: () => Object.assign(Database.prototype, { rows, stream }) }
}

// TIDEMARK_RECORD=FILE keeps what was asked and answered, a JSON object a line: those of two versions can be compared.
test('hundreds of requests of every shape have the answers that they had', async () => {
  const work = workFolder()
  const cases = new Map<string, Case>()
  const kept: string[] = []
  const lines: string[] = []
  const statements: string[] = []
  const heard = overheard()
  const { print } = duckdb
  const printed: Sql[] = []
  duckdb.print = node => {
    printed.push(print(node))
    return printed.at(-1)!
  }
  try {
    for (const [name, paths] of writeCases(work.root)) cases.set(name, await caseOf(work.root, paths, `case-${name}`))
    for (const { of, request } of requests()) {
      heard.texts.length = 0
      const answer = await answered(cases.get(of)!, request, work.root)
      const told = JSON.stringify(answer, plain).replaceAll(work.root, '')
      lines.push(`${digestOf(JSON.parse(told))} ${of} ${JSON.stringify(request)}`)
      const sql = heard.texts.map(text => text.replaceAll(work.root, ''))
      statements.push(digestOf([printed.splice(0), sqlOf(answer.shown, work.root)]))
      kept.push(JSON.stringify({ of, request, answer: JSON.parse(told), ...sqlOf(answer.shown, work.root), sql }))
    }
  } finally {
    heard.stop()
    duckdb.print = print
    for (const c of cases.values()) await c.close()
    work.close()
  }
  const path = process.env['TIDEMARK_RECORD']
  if (path !== undefined) writeFileSync(path, `${kept.join('\n')}\n`)
  assert.ok(lines.length > 450)
  golden('flows-requests.golden.txt', `${lines.join('\n')}\n`)
  // The SQL of DuckDB to the byte: what was printed, and what is shown. Another engine's printer must not change it.
  golden('flows-sql.golden.txt', `${statements.join('\n')}\n`)
})

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, plain)).digest('hex').slice(0, 10)
}

function sqlOf(shown: string | undefined, root: string): { shown: string | null } {
  // Files of the cache are named after digests of what no two runs have alike.
  return { shown: shown?.replaceAll(root, '').replace(/\b[0-9a-f]{64}\b/g, '') ?? null }
}

interface Told {
  error?: string
  answer?: object
  shown?: string
}

/** What an answer says, without its SQL; or what is wrong with the request. */
async function answered(c: Case, request: object, folder: string): Promise<Told> {
  try {
    const { sql, rows, columns, counting, notes, sentence, total_rows, truncated } = await queryFlows(c, request, {
      folder,
    })
    const all: unknown[] = []
    for await (const row of rows()) all.push(row)
    const answer = { columns, counting, notes, sentence, total_rows, truncated, rows: all }
    return Object.defineProperty({ answer } as Told, 'shown', { value: sql, enumerable: false })
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}
