/** Answers of `tidemark sql` as files: CSV, which is text, and Parquet. */
import { UserError } from '../errors.ts'
import type { Cell, ResultColumn } from '../user-sql/cells.ts'
import type { Ending } from '../user-sql/protocol.ts'
import type { QueryLimits, QuerySession } from '../user-sql/session.ts'
import { checkOutput, type OutputOptions } from './named-output.ts'
import { note } from './output.ts'
import { startWaiting } from './progress.ts'

/** Where an answer goes. */
export interface AnswerFile {
  name: string
  form: 'csv' | 'parquet'
}

interface FileOptions extends OutputOptions {
  /** Rows that were asked for; absent: all. */
  limit?: number
}

/** Takes the rows of one answer. */
interface RowFile {
  columns(columns: readonly ResultColumn[]): void | Promise<void>
  rows(rows: readonly Cell[][]): void | Promise<void>
  finish(): Promise<void>
  abandon(): void | Promise<void>
}

/** Runs one query and writes its answer, whole or not at all. @throws UserError where it cannot be written, or not whole. */
export async function answerInto(
  { name, form }: AnswerFile,
  session: QuerySession,
  sql: string,
  limits: QueryLimits,
  options: FileOptions,
  signal: AbortSignal,
): Promise<void> {
  const option = `--${form}`
  await checkOutput(name, [], options, { option, ...(form === 'parquet' && { seeks: 'Parquet' }) })
  const file = form === 'csv' ? await csvFile(name, options, signal) : await parquetFile(name, options)
  const waiting = startWaiting(() => `writing ${name}`)
  try {
    const end = await session.run(sql, limits, file, signal)
    requireWhole(end, options)
    await file.finish()
    const { extentText } = await import('../report/result.ts')
    const rows = end.cut_by === null ? end.counted : limits.rows
    waiting.stop()
    await note(`tidemark: ${extentText(rows, end)}`)
  } catch (error) {
    await file.abandon()
    throw error
  } finally {
    waiting.stop()
  }
}

function requireWhole({ cut_by }: Ending, { limit }: FileOptions): void {
  if (cut_by === null || (cut_by === 'rows' && limit !== undefined)) return
  throw new UserError('the file would not be whole: the rows are more than --max-output', {
    hint: 'allow more, like --max-output 4G, or ask for fewer rows with --limit',
  })
}

async function csvFile(name: string, { force }: FileOptions, signal: AbortSignal): Promise<RowFile> {
  const [{ outputTarget }, { OutputFile }, { csvWriter }] = await Promise.all([
    import('../disk/output.ts'),
    import('../disk/output-file.ts'),
    import('../report/csv.ts'),
  ])
  const file = await OutputFile.begin(outputTarget(name, { option: '--csv', force: force === true }), signal)
  let csv = csvWriter([])
  return {
    columns: columns => {
      csv = csvWriter(columns)
      file.text(csv.head)
    },
    rows: async rows => {
      for (const row of rows) file.text(csv.line(row))
      await file.settle()
    },
    finish: () => file.finish(),
    abandon: () => file.abandon(),
  }
}

async function parquetFile(name: string, { force }: FileOptions): Promise<RowFile> {
  const [{ fileTarget }, { RowsOfText }] = await Promise.all([
    import('../disk/output.ts'),
    import('../store/rows-of-text.ts'),
  ])
  const target = fileTarget(name, { option: '--parquet', seeks: 'Parquet', force: force === true })
  const { cellText } = await import('../user-sql/cells.ts')
  const kept = await RowsOfText.open()
  return {
    columns: columns => kept.begin(columns),
    rows: rows => kept.add(rows.map(row => row.map(cell => (cell === null ? null : cellText(cell))))),
    finish: async () => {
      await kept.write(target)
      await kept.close()
    },
    abandon: () => kept.close(),
  }
}
