import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { compile } from '../../src/filter/compile.ts'
import { parse } from '../../src/filter/filter.ts'
import { loadSets } from '../../src/filter/set.ts'
import { planOf, settle } from '../../src/flows/settle.ts'
import { count, named, select, table } from '../../src/query/build.ts'
import { duckdb } from '../../src/query/duckdb-printer.ts'
import type { Query, QueryNode } from '../../src/query/nodes.ts'
import { partsOf } from '../../src/query/walk.ts'
import type { Case } from '../../src/store/case.ts'
import { Database, quotedName } from '../../src/store/duckdb.ts'
import { randomFrom, types } from '../filter/flows.ts'
import { randomFilter } from '../filter/random-filter.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'
import { requests, writeCases } from './requests.ts'

let db: Database
let work: Work

before(async () => {
  db = await Database.open({ threads: 1, memoryLimit: '1GB', tempDirectory: null })
  work = workFolder()
})
after(() => {
  db.close()
  work.close()
})

/** Whether the engine finds every column of a query, over a table `flows` with these alone. */
async function binds(query: Query, columns: readonly string[], typeOf: (name: string) => string): Promise<boolean> {
  const items = columns.map(name => `NULL::${typeOf(name)} AS ${quotedName(name)}`)
  await db.run(`CREATE OR REPLACE TABLE flows AS SELECT ${[...items, '1 AS "not asked for"'].join(', ')}`)
  const { text, values } = duckdb.print(query)
  try {
    await db.rows(`EXPLAIN ${text}`, values)
    return true
  } catch (error) {
    if (/Binder Error/.test(String(error))) return false
    throw error
  }
}

/** A query needs these columns: with them it is understood, and without any one of them it is not. */
async function needs(query: Query, columns: readonly string[], typeOf: (name: string) => string): Promise<void> {
  assert.ok(await binds(query, columns, typeOf), `${columns}\n${duckdb.shown(query)}`)
  for (const left of columns) {
    const rest = columns.filter(name => name !== left)
    assert.ok(!(await binds(query, rest, typeOf)), `${left} is not read\n${duckdb.shown(query)}`)
  }
}

test('a filter needs the columns that the engine looks for, and no others', async () => {
  const files = { addresses: ['hosts.txt'], ports: ['ports.txt'], texts: ['texts.txt'], services: ['services.txt'] }
  writeCases(work.root)
  const columns = new Set(Object.keys(types))
  const random = randomFrom(Number(process.env['TIDEMARK_SEED'] ?? 11))
  for (let i = 0; i < 200; i++) {
    const nfdump = i % 4 === 0
    let filter: ReturnType<typeof parse>
    try {
      filter = parse(randomFilter(random, files, 2), { columns, folder: work.root, nfdump })
    } catch {
      // What is ours, nfdump does not know.
      continue
    }
    const span = { first_us: 0n, last_us: 1_700_000_000_000_000n }
    const { where, sets } = compile(filter, { columns, span })
    await loadSets(db, sets)
    const query = select([named(count(), 'n')], { from: table('flows'), where })
    assert.deepEqual([...query.columns].sort(), [...where.columns].sort())
    await needs(query, where.columns, name => types[name]!)
  }
})

/** Columns that a question reads of a table, by every part that stands over it alone. */
function readOf(query: Query, name: string): Set<string> {
  const read = new Set<string>()
  const visit = (node: QueryNode): void => {
    if (node.kind === 'select' && node.from?.kind === 'table' && node.from.name === name) {
      for (const one of node.columns) read.add(one)
    }
    for (const part of partsOf(node)) visit(part)
  }
  visit(query)
  return read
}

test('a question about flow records needs the columns that the engine looks for, and no others', async () => {
  const cases = new Map<string, Case>()
  let asked = 0
  try {
    for (const [name, paths] of writeCases(work.root)) {
      if (name !== 'packets' && name !== 'mixed') cases.set(name, await caseOf(work.root, paths, `case-${name}`))
    }
    for (const { of, request } of requests()) {
      const c = cases.get(of)
      const isWhole = request.first === undefined && !/role|service/.test(JSON.stringify(request))
      if (c === undefined || !isWhole) continue
      const settled = await settle(c, { ...request, raw: true }, { folder: work.root }).catch(() => null)
      if (settled === null || settled.setting.filter.sets.length > 0) continue
      const statement = await Promise.resolve(settled)
        .then(({ setting, makers }) => planOf(setting, makers).statement)
        .catch(() => null)
      if (statement === null) continue
      const rows = await c.db.rows(
        'SELECT column_name AS name, data_type AS type FROM duckdb_columns() WHERE table_name = $1',
        ['flows'],
      )
      const typeOf = new Map(rows.map(row => [String(row['name']), String(row['type'])]))
      await needs(statement, [...readOf(statement, 'flows')], name => typeOf.get(name)!)
      asked++
    }
  } finally {
    for (const c of cases.values()) await c.close()
  }
  assert.ok(asked > 100, `${asked}`)
})
