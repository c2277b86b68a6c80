/** Answers: rows written to files, for the server to offer. */
import { fileTarget } from '../../disk/output.ts'
import { OutputFile } from '../../disk/output-file.ts'
import type { FlowsResult } from '../../flows/request.ts'
import { queryFlows } from '../../flows/run.ts'
import { csvWriter } from '../../report/csv.ts'
import { ndjsonLine } from '../../report/result.ts'
import { jsonLine } from '../../report/rows.ts'
import type { Case } from '../../store/case.ts'
import type { Cell, ResultColumn } from '../../user-sql/cells.ts'
import { defaultMemoryBytes, QuerySession } from '../../user-sql/session.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import type { RowsFileAsk, SqlFileAsk } from '../contract/files.ts'
import { windowRequest } from '../window-filter.ts'
import { carvedTo } from './packet-files.ts'

/** Where the server wants it. */
interface ToPath {
  path: string
}

/** Progress is told after so many rows. */
const rowsBetween = 20_000

async function rowsFile(c: Case, asked: RowsFileAsk & ToPath, context: WorkContext): Promise<object> {
  const { format, path, order } = asked
  const { signal } = context
  const request = windowRequest(c, asked, asked)
  if (format === 'pcapng') return { packets: (await carvedTo(c, request.filter, asked, context)).carved }
  const isParquet = format === 'parquet'
  const options = { signal, files: false, forParquet: isParquet }
  const result = await queryFlows(c, { ...request, order, limit: null }, options)
  if (isParquet) await result.parquet(path)
  else await written(path, context, textOf(result as FlowsResult, format), Number(result.total_rows))
  return { rows: result.total_rows }
}

/** The same text as `tidemark flows --csv` or `--ndjson` prints. */
async function* textOf(result: FlowsResult, format: 'csv' | 'ndjson'): AsyncGenerator<string> {
  const csv = csvWriter(result.columns)
  if (format === 'csv') yield csv.head
  for await (const row of result.rows())
    yield format === 'csv' ? csv.line(result.columns.map(({ name }) => row[name])) : `${jsonLine(row)}\n`
}

async function sqlFile(
  c: Case,
  { sql, seconds, format, path }: SqlFileAsk & ToPath,
  context: WorkContext,
): Promise<object> {
  const session = new QuerySession(c.dir, defaultMemoryBytes, c.head)
  const file = await begun(path, context.signal)
  let columns: readonly ResultColumn[] = []
  let rows = 0
  let csv = csvWriter(columns)
  const sink = {
    columns: (own: readonly ResultColumn[]) => {
      columns = own
      csv = csvWriter(own)
      if (format === 'csv') file.text(csv.head)
    },
    rows: async (own: readonly Cell[][]) => {
      for (const row of own) file.text(format === 'csv' ? csv.line(row) : ndjsonLine(columns, row))
      rows += own.length
      context.progress({ doing: 'writing rows', done: rows, of: null })
      await file.settle()
    },
  }
  const all = Number.MAX_SAFE_INTEGER
  try {
    await session.run(sql, { rows: all, bytes: all, seconds }, sink, context.signal)
    await file.finish()
  } catch (error) {
    file.abandon()
    throw error
  } finally {
    await session.close()
  }
  return { rows }
}

function begun(path: string, signal: AbortSignal): Promise<OutputFile> {
  return OutputFile.begin(fileTarget(path, { option: '-o', seeks: 'text', inputs: [] }), signal)
}

async function written(
  path: string,
  { signal, progress }: WorkContext,
  texts: AsyncIterable<string>,
  of: number,
): Promise<void> {
  const file = await begun(path, signal)
  let done = 0
  try {
    for await (const text of texts) {
      file.text(text)
      if (++done % rowsBetween !== 0) continue
      progress({ doing: 'writing rows', done, of })
      await file.settle()
      signal.throwIfAborted()
    }
    await file.finish()
  } catch (error) {
    file.abandon()
    throw error
  }
}

export const rowFilesWork: Readonly<Record<string, Answerer<Case>>> = { 'rows-file': rowsFile, 'sql-file': sqlFile }
