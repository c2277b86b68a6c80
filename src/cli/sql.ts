import { addAbortSignal } from 'node:stream'
import type { Command } from 'commander'
import { exitStatus, UserError } from '../errors.ts'
import type { Cell, ResultColumn } from '../user-sql/cells.ts'
import type { Ending } from '../user-sql/protocol.ts'
import type { QueryLimits, QuerySession } from '../user-sql/session.ts'
import { notePulledCase, noteWriter } from './added.ts'
import { InvalidArgumentError, Option } from './commander.ts'
import { interruptible } from './interrupt.ts'
import { forceOption, type OutputOptions } from './named-output.ts'
import { parseCount, parseSize } from './options.ts'
import { conversation, note, outputIsGone, print, printAsIs, printPage, usePager } from './output.ts'
import { startWaiting } from './progress.ts'
import type { AnswerFile } from './sql-file.ts'
import { isBroken, reportUnread } from './unread.ts'

interface Options extends OutputOptions {
  /** Also the name of a file. */
  csv?: true | string
  parquet?: string
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
    .description('Query the case in SQL, read-only. Without a query: a prompt, or the statements on standard input.')
    .argument('[query]', 'one SELECT statement')
    .addOption(new Option('--json', 'print one JSON document').conflicts(['csv', 'ndjson']))
    .addOption(
      new Option('--csv [file]', 'print CSV with a header line, or write it to a file').conflicts(['json', 'ndjson']),
    )
    .addOption(new Option('--parquet <file>', 'write a Parquet file').conflicts(['json', 'ndjson', 'csv']))
    .option(...forceOption)
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
    .action(async (given?: string) => {
      const { query, options } = withQuery(given, command.optsWithGlobals<Options>())
      const { QuerySession, defaultMemoryBytes } = await import('../user-sql/session.ts')
      const { requireCase } = await import('../store/case-folder.ts')
      requireCase(options.case)
      const session = new QuerySession(options.case, options.memory ?? defaultMemoryBytes)
      try {
        await ask(session, query, options)
      } finally {
        await session.close()
      }
    })
}

const sqlHelp = `
Views: flows, packet_flows, connections, counted_flows, evidence, problems, silence, coverage, queries.
tidemark help sql-guide has every column and function.

Examples:
  tidemark sql "SELECT srcaddr, sum(bytes) FROM flows WHERE in_net(dstaddr, '10.0.0.0/8') GROUP BY ALL ORDER BY 2 DESC LIMIT 10"
  tidemark sql "FROM flows WHERE srcaddr = addr('203.0.113.7')" --csv --limit all > flows.csv
  tidemark sql                                        a prompt with history and completion`

/** `--csv QUERY` means the query, not a file of that name. */
function withQuery(query: string | undefined, options: Options): { query: string | undefined; options: Options } {
  const { csv } = options
  if (query !== undefined || typeof csv !== 'string' || /^\S+\.csv$/i.test(csv)) return { query, options }
  return { query: csv, options: { ...options, csv: true } }
}

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
  if (query !== undefined) {
    await usePager(options.pager)
    await interruptible(signal => answer(session, query, limits, options, signal))
    return reportUnreadOf(options)
  }
  const streams = conversation()
  if (streams !== null) {
    await reportUnreadOf(options)
    const { startPrompt } = await import('./sql-prompt.ts')
    return startPrompt(session, streams, (sql, signal) => answer(session, sql, limits, options, signal))
  }
  await interruptible(async signal => {
    for await (const statement of statementsOf(addAbortSignal(signal, process.stdin)))
      await answer(session, statement, limits, options, signal)
  })
  await reportUnreadOf(options)
}

/** No answer has what was not read. Single lines are not named: the view `problems` has them. */
async function reportUnreadOf(options: Options): Promise<void> {
  if (options.explain) return
  const { readEvidence } = await import('../store/evidence-report.ts')
  const { case: dir, files } = await readEvidence(options.case)
  await noteWriter({ dir, evidence: files })
  await notePulledCase(dir)
  const broken = files.filter(isBroken).map(({ path, problem, status }) => ({ path, problem: problem ?? status }))
  const status = await reportUnread(broken, broken.length > 0, 'tidemark evidence --json lists them all')
  process.exitCode ||= status
}

async function limitsOf(options: Options): Promise<QueryLimits> {
  const { defaultLimits } = await import('../user-sql/session.ts')
  return {
    rows: options.limit ?? (fileOf(options) === null ? defaultLimits.rows : Number.MAX_SAFE_INTEGER),
    bytes: options.maxOutput ?? defaultLimits.bytes,
    seconds: options.timeout ?? defaultLimits.seconds,
  }
}

/** The file that an answer goes to; null: it is printed. */
function fileOf({ csv, parquet }: Options): AnswerFile | null {
  if (parquet !== undefined) return { name: parquet, form: 'parquet' }
  return typeof csv === 'string' ? { name: csv, form: 'csv' } : null
}

const inputBytesMax = 1 << 24 // 16 MiB

async function* statementsOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const { isBlank, splitStatements } = await import('../user-sql/statements.ts')
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
  const file = fileOf(options)
  if (file !== null) {
    const { answerInto } = await import('./sql-file.ts')
    return answerInto(file, session, sql, limits, options, signal)
  }
  if (options.csv || options.ndjson || options.json) return stream(session, sql, limits, options, signal)
  const { pageRow, pageRowsMax, resultPage } = await import('../report/result.ts')
  let columns: readonly ResultColumn[] = []
  const rows: ReturnType<typeof pageRow>[] = []
  const sink = {
    columns: (own: readonly ResultColumn[]) => {
      columns = own
    },
    rows: (own: readonly Cell[][]) => own.forEach(row => void rows.push(pageRow(row))),
  }
  const waiting = startWaiting(() => 'asking the case')
  const most = { ...limits, rows: Math.min(limits.rows, pageRowsMax) }
  const end = await session.run(sql, most, sink, signal).finally(() => waiting.stop())
  await printPage(resultPage(columns, rows, end), options.color)
}

/** Whoever read the rows has had enough. */
class OutputGone extends Error {}

/** Rows are printed as they come; of CSV and NDJSON, what is left out is told on standard error. */
async function stream(
  session: QuerySession,
  sql: string,
  limits: QueryLimits,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const { extentText } = await import('../report/result.ts')
  const format = await formatOf(options, sql)
  let shown = 0
  const sink = {
    columns: (own: readonly ResultColumn[]) => {
      waiting.stop()
      return printAsIs(format.begin(own))
    },
    rows: async (rows: readonly Cell[][]) => {
      shown += rows.length
      await printAsIs(rows.map(format.row).join(''))
      if (outputIsGone()) throw new OutputGone()
    },
  }
  const waiting = startWaiting(() => 'asking the case')
  try {
    const end = await session.run(sql, limits, sink, signal)
    await printAsIs(format.end(end))
    if (end.cut_by !== null && !options.json) await note(`tidemark: ${extentText(shown, end)}`)
  } catch (error) {
    if (!(error instanceof OutputGone)) throw error
  } finally {
    waiting.stop()
  }
}

interface RowFormat {
  begin(columns: readonly ResultColumn[]): string
  row(cells: readonly Cell[]): string
  end(end: Ending): string
}

async function formatOf(options: Options, sql: string): Promise<RowFormat> {
  const [{ JsonStream }, { ndjsonLine }, { csvWriter }, { rowObject }] = await Promise.all([
    import('../report/json.ts'),
    import('../report/result.ts'),
    import('../report/csv.ts'),
    import('../user-sql/cells.ts'),
  ])
  let columns: readonly ResultColumn[] = []
  let document = new JsonStream({ columns }, 'rows')
  let csv = csvWriter(columns)
  return {
    begin: own => {
      columns = own
      document = new JsonStream({ columns }, 'rows')
      csv = csvWriter(own)
      return options.csv ? csv.head : ''
    },
    row: cells =>
      options.json
        ? document.item(rowObject(columns, cells))
        : options.csv
          ? csv.line(cells)
          : ndjsonLine(columns, cells),
    end: end => (options.json ? `${document.end(totalsOf(end, sql))}\n` : ''),
  }
}

function totalsOf(end: Ending, sql: string): object {
  return {
    total_rows: end.total,
    // Where the rows were not counted to their end, how many there are at least.
    ...(end.total === null && { counted_rows: end.counted }),
    truncated: end.cut_by !== null,
    sql,
  }
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
