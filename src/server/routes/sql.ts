/** Routes: queries in SQL, each in a process of its own limits. */
import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { FilterError } from '../../filter/error.ts'
import type { Cell, ResultColumn } from '../../user-sql/cells.ts'
import { ownFunctions } from '../../user-sql/functions.ts'
import { views } from '../../user-sql/schema.ts'
import { defaultLimits, defaultMemoryBytes, type QueryLimits } from '../../user-sql/session.ts'
import type { SqlAsk, SqlHelpAnswer, SqlWrong } from '../contract/sql.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

/** Of an answer: the page holds it. */
const bytesMax = 16 * 2 ** 20
const rows = { usual: defaultLimits.rows, most: 20_000 }
const seconds = { usual: defaultLimits.seconds, most: 600 }

const within = (most: number): z.ZodNumber => z.number().int().min(1).max(most)

export const sqlRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/sql',
    answer: ({ sql }, { signal }) => help(sql, signal),
  }),
  route({
    method: 'POST',
    path: '/api/sql',
    body: z.strictObject({
      sql: z.string().max(1_000_000),
      rows: within(rows.most),
      seconds: within(seconds.most),
      plan: z.boolean(),
    }),
    answer: ({ sql }, { body, signal }) => placed(() => answer(sql, body, signal)),
  }),
]

/** The views with the columns that this case has: those of its logs that have no name here are among them. */
async function help(sql: Services['sql'], signal: AbortSignal): Promise<SqlHelpAnswer> {
  const present = await sql.columns(signal)
  return {
    views: views.map(({ name, doc, columns }) => {
      const known = new Set(columns.map(column => column.name))
      const others = (present[name] ?? []).filter(column => !known.has(column))
      const more = others.map(column => ({
        name: column,
        type: 'VARCHAR',
        doc: 'A field of the logs that has no name here.',
      }))
      return { name, doc, columns: [...columns, ...more] }
    }),
    functions: ownFunctions.map(({ call, returns, doc }) => ({ call, returns, doc })),
    limits: { rows, seconds, bytes: bytesMax, memoryBytes: defaultMemoryBytes },
  }
}

async function answer(sql: Services['sql'], asked: SqlAsk, signal: AbortSignal): Promise<object> {
  const limits: QueryLimits = { rows: asked.rows, bytes: bytesMax, seconds: asked.seconds }
  const began = performance.now()
  const milliseconds = (): number => Math.round(performance.now() - began)
  if (asked.plan) {
    const plan = await sql.explain(asked.sql, limits, signal)
    return { columns: [], rows: [], total: 0, counted: 0, cutBy: null, milliseconds: milliseconds(), plan }
  }
  let columns: readonly ResultColumn[] = []
  const given: Cell[][] = []
  const sink = {
    columns: (own: readonly ResultColumn[]) => {
      columns = own
    },
    rows: (own: readonly Cell[][]) => {
      for (const row of own) given.push(row)
    },
  }
  const { total, counted, cut_by } = await sql.run(asked.sql, limits, sink, signal)
  return { columns, rows: given, total, counted, cutBy: cut_by, milliseconds: milliseconds(), plan: null }
}

/** What the command line's hints name, as the page has it. */
const pageWords: readonly [string, string][] = [
  ['allow more with --timeout', 'allow it more seconds'],
  ['allow more with --memory', 'run it with tidemark sql --memory'],
  ['more memory with --memory', 'more memory with tidemark sql --memory'],
]

/** An answer, or what is wrong with the query, with its place in it. */
async function placed<Value>(work: () => Promise<Value>): Promise<Value | SqlWrong> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const hint = pageWords.reduce((text, [from, to]) => text?.replace(from, to), error.hint)
    const isPlaced = error instanceof FilterError && error.excerpt(String).length > 0
    const at = isPlaced ? { offset: error.offset, length: error.length } : undefined
    return { wrong: { error: error.message, ...(hint !== undefined && { hint }), ...(at && { at }) } }
  }
}
