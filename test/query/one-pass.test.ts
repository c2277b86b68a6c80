import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeSeries } from '../../src/flows/engine-series.ts'
import { type Plan, totalNames } from '../../src/flows/plan.ts'
import type { Cell, FlowsRow } from '../../src/flows/request.ts'
import { isListing, planOf, settle } from '../../src/flows/settle.ts'
import { cellReader, integer } from '../../src/flows/values.ts'
import type { Dialect } from '../../src/query/dialect.ts'
import { duckdb } from '../../src/query/duckdb-printer.ts'
import type { Query, QueryNode } from '../../src/query/nodes.ts'
import { asWindows } from '../../src/query/page-windows.ts'
import { partsOf } from '../../src/query/walk.ts'
import type { Case } from '../../src/store/case.ts'
import { caseOf, workFolder } from '../flows/support.ts'
import { requests, writeCases } from './requests.ts'

/** DuckDB as an engine that must not read a table twice. */
const onePass: Dialect = { ...duckdb, rereads: false }

interface Read {
  totals: Cell[]
  rows: FlowsRow[]
}

async function read(c: Case, statement: Query, plan: Plan): Promise<Read> {
  const { text, values } = duckdb.print(statement)
  const rows = await c.db.rows(text, values)
  const readers = plan.columns.map(column => ({ name: column.name, of: cellReader(column) }))
  return {
    totals: totalNames.slice(0, 6).map(name => integer(rows[0]?.[name])),
    rows: rows
      .filter(row => row['_is'] === true)
      .map(row => Object.fromEntries(readers.map(({ name, of }) => [name, of(row[name])]))),
  }
}

/** How often the records, or a named query, are read in a statement; each reading of what reads them counts. */
function readings(query: Query): number {
  const of = (node: QueryNode, named: ReadonlyMap<string, number>): number => {
    if (node.kind === 'table') return named.get(node.name) ?? 1
    if (node.kind === 'page') return of(asWindows(node), named)
    if (node.kind !== 'select') return partsOf(node).reduce((sum, part) => sum + of(part, named), 0)
    const known = new Map(named)
    for (const one of node.named) known.set(one.name, of(one.query, known))
    const within = new Set<QueryNode>(node.named.map(one => one.query))
    return partsOf(node).reduce((sum, part) => sum + (within.has(part) ? 0 : of(part, known)), 0)
  }
  return of(query, new Map())
}

test('statements that read their table once have the answers of those that may read it often', async () => {
  const work = workFolder()
  const cases = new Map<string, Case>()
  let asked = 0
  try {
    for (const [name, paths] of writeCases(work.root)) {
      if (name !== 'packets' && name !== 'mixed') cases.set(name, await caseOf(work.root, paths, `case-${name}`))
    }
    for (const { of, request } of requests()) {
      const c = cases.get(of)
      if (c === undefined || isListing(request) || request.first !== undefined) continue
      for (const having of request.having === undefined
        ? [undefined, 'records > 1000000', 'records > 3']
        : [request.having]) {
        if (having !== undefined && request.bin_ms !== undefined) continue
        const whole = { ...request, raw: true, ...(having !== undefined && { having }) }
        const settled = await settle(c, whole, { folder: work.root }).catch(() => null)
        if (settled === null) continue
        const { makers } = settled
        // Products of these counters and times pass 64 bits.
        const setting = { ...settled.setting, small: false }
        const plan = await Promise.resolve()
          .then(() => planOf(setting, makers))
          .catch(() => null)
        // What cannot be meant is said by either.
        if (plan === null) continue
        const expected = await read(c, plan.statement, plan)
        const once = planOf({ ...setting, dialect: onePass }, makers)
        const statement = once.statement.kind === 'page' ? asWindows(once.statement) : once.statement
        const found = await read(c, statement, once)
        const words = `${of} ${JSON.stringify(whole)}`
        // Roles are tables of their own.
        if (!/role|service/.test(words)) assert.equal(readings(statement), 1, words)
        if (request.bin_ms !== undefined && request.by === undefined && request.stat === undefined) {
          const measures = once.columns.slice(1).map(({ name }) => name)
          const series = wholeSeries(found.rows, measures, whole)
          found.rows = series.rows
          if (found.rows.length > 0) found.totals[0] = series.total
          if (found.rows.length > 0) found.totals[5] = series.total - series.rows.length
        }
        assert.deepEqual(found.rows, expected.rows, words)
        // Without any group there is no row that could have totals: nothing is counted.
        if (found.rows.length > 0 || Number(expected.totals[1]) > 0)
          assert.deepEqual(found.totals, expected.totals, words)
        asked++
      }
    }
  } finally {
    for (const c of cases.values()) await c.close()
    work.close()
  }
  assert.ok(asked > 300, `${asked}`)
})
