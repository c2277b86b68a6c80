import { addAbortSignal } from 'node:stream'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { exitStatus, UserError } from '../errors.ts'
import type { Cell, ResultColumn } from '../sql/cells.ts'
import type { QueryLimits, QuerySession } from '../sql/session.ts'
import { interruptible } from './interrupt.ts'
import { type CommonOptions, parseCount, parseSize } from './options.ts'
import { conversation, note, outputStyle, print } from './output.ts'

interface Options extends CommonOptions {
  csv?: true
  ndjson?: true
  limit?: number
  timeout?: number
  memory?: number
  maxOutput?: number
  explain?: true
}

/** Defines `tidemark sql`. */
export function sqlCommand(program: Command): void {
  const command = program
    .command('sql')
    .description('Ask the case in SQL, read-only. Without a query: a prompt, or the statements on standard input.')
    .argument('[query]', 'one SELECT statement')
    .addOption(new Option('--json', 'print one JSON document').conflicts(['csv', 'ndjson']))
    .addOption(new Option('--csv', 'print CSV with a header line').conflicts(['json', 'ndjson']))
    .addOption(new Option('--ndjson', 'print one JSON object a row').conflicts(['json', 'csv']))
    .addOption(new Option('--limit <rows>', 'most rows that are printed, or all; default 1000').argParser(parseLimit))
    .addOption(new Option('--timeout <seconds>', 'most time of a query; default 60').argParser(parseCount))
    .addOption(new Option('--memory <size>', 'most memory of a query, like 4G; default 1G').argParser(parseSize))
    .addOption(
      new Option('--max-output <size>', 'most bytes of rows that are printed, like 2G; default 256M').argParser(
        parseSize,
      ),
    )
    .option('--explain', 'print how the query would be run, instead of running it')
    .addHelpText('after', sqlHelp)
    .action(async (query?: string) => {
      const options = command.optsWithGlobals<Options>()
      const { QuerySession, defaultMemoryBytes } = await import('../sql/session.ts')
      const session = new QuerySession(options.case, options.memory ?? defaultMemoryBytes)
      try {
        await ask(session, query, options)
      } finally {
        await session.close()
      }
    })
}

const sqlHelp = `
Views: flows, packet_flows, connections, evidence, problems, silence, coverage, queries.
docs/reference/sql.md has every column and function.

Examples:
  tidemark sql "SELECT srcaddr, sum(bytes) FROM flows WHERE in_net(dstaddr, '10.0.0.0/8') GROUP BY ALL ORDER BY 2 DESC LIMIT 10"
  tidemark sql "FROM flows WHERE srcaddr = addr('203.0.113.7')" --csv --limit all > flows.csv
  tidemark sql                                        a prompt with history and completion`

function parseLimit(text: string): number {
  if (text === 'all') return Number.MAX_SAFE_INTEGER
  try {
    return parseCount(text)
  } catch {
    throw new InvalidArgumentError('Expected a whole number from 1, like 1000 or 500k, or all.')
  }
}

async function ask(session: QuerySession, query: string | undefined, options: Options): Promise<void> {
  const limits = await limitsOf(options)
  if (query !== undefined) return interruptible(signal => answer(session, query, limits, options, signal))
  const streams = conversation()
  if (streams !== null) {
    const { startPrompt } = await import('./sql-prompt.ts')
    return startPrompt(session, streams, (sql, signal) => answer(session, sql, limits, options, signal))
  }
  await interruptible(async signal => {
    for await (const statement of statementsOf(addAbortSignal(signal, process.stdin)))
      await answer(session, statement, limits, options, signal)
  })
}

async function limitsOf(options: Options): Promise<QueryLimits> {
  const { defaultLimits } = await import('../sql/session.ts')
  return {
    rows: options.limit ?? defaultLimits.rows,
    bytes: options.maxOutput ?? defaultLimits.bytes,
    seconds: options.timeout ?? defaultLimits.seconds,
  }
}

const inputBytesMax = 1 << 24 // 16 MiB

async function* statementsOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const { isBlank, splitStatements } = await import('../sql/statements.ts')
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of input) {
    bytes += piece.length
    if (bytes > inputBytesMax) {
      throw new UserError('too much SQL on standard input: more than 16 MiB', { status: exitStatus.usage })
    }
    pieces.push(piece)
  }
  const { statements, rest } = splitStatements(Buffer.concat(pieces).toString('utf8'))
  yield* statements
  if (!isBlank(rest)) yield rest
}

/** Runs one query and prints its answer. */
async function answer(
  session: QuerySession,
  sql: string,
  limits: QueryLimits,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  if (options.explain) return explain(session, sql, limits, options, signal)
  if (options.csv || options.ndjson) return stream(session, sql, limits, options, signal)
  const columns: ResultColumn[] = []
  const rows: Cell[][] = []
  const sink = {
    columns: (own: readonly ResultColumn[]) => void columns.push(...own),
    rows: (own: readonly Cell[][]) => own.forEach(row => void rows.push(row)),
  }
  const end = await session.run(sql, limits, sink, signal)
  const { renderResult, rowObject } = await import('../report/result.ts')
  if (!options.json) return print(renderResult(columns, rows, end, outputStyle(options.color)))
  const { toJson } = await import('../report/json.ts')
  const document = {
    columns,
    rows: rows.map(row => rowObject(columns, row)),
    total_rows: end.total,
    // Where the rows were not counted to their end, how many there are at least.
    ...(end.total === null && { counted_rows: end.counted }),
    truncated: end.cut_by !== null,
    sql,
  }
  await print(toJson(document))
}

/** Rows are printed as they come; what is left out is told on standard error. */
async function stream(
  session: QuerySession,
  sql: string,
  limits: QueryLimits,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const { extentText, ndjsonLine } = await import('../report/result.ts')
  const { csvWriter } = await import('../report/csv.ts')
  let line: (row: readonly Cell[]) => string = () => ''
  let shown = 0
  const sink = {
    columns: async (own: readonly ResultColumn[]) => {
      const csv = csvWriter(own)
      line = options.csv ? csv.line : row => ndjsonLine(own, row)
      if (options.csv) await print(csv.head)
    },
    rows: async (rows: readonly Cell[][]) => {
      shown += rows.length
      await print(rows.map(line).join(''))
    },
  }
  const end = await session.run(sql, limits, sink, signal)
  if (end.cut_by !== null) await note(`tidemark: ${extentText(shown, end)}`)
}

async function explain(
  session: QuerySession,
  sql: string,
  limits: QueryLimits,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const plan = await session.explain(sql, limits, signal)
  const { visible } = await import('../report/text.ts')
  const { toJson } = await import('../report/json.ts')
  if (options.json) await print(toJson({ sql, plan }))
  else await print(plan.split('\n').map(visible).join('\n'))
}
