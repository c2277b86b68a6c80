import { UserError } from '../errors.ts'
import { outputFormats } from '../flows/names.ts'
import { orderOf } from '../flows/order.ts'
import type { Cell, FlowsRequest, FlowsResult, FlowsRow } from '../flows/request.ts'
import { visible } from '../report/text.ts'
import type { Zone } from '../report/zone.ts'
import type { FlowsCliOptions } from './flows-options.ts'
import { note, outputIsGone, print, printLines, printPage, startTable, usePager } from './output.ts'

/** `table`, `json`, `csv`, `ndjson`, `parquet`, or one of nfdump's: `line`, `fmt:…`. */
export type FlowsFormat = string

/** @throws UserError for two formats, or one that is not known. */
export function formatOf(options: FlowsCliOptions): FlowsFormat {
  const { json, csv, ndjson, parquet, output } = options
  // The lines in a document.
  if (output === 'lines' && json && !csv && !ndjson && parquet === undefined) return output
  const asked = [json && 'json', csv && 'csv', ndjson && 'ndjson', parquet && 'parquet', output].filter(
    format => format !== undefined && format !== '',
  ) as string[]
  const [first = 'table', second] = asked
  if (second !== undefined && second !== first) {
    throw new UserError(`two formats: ${first} and ${second}`, { status: 2, hint: 'ask for one' })
  }
  if (first === 'parquet' && parquet !== undefined) return first
  if (outputFormats.includes(first) || first.startsWith('fmt:')) return first
  throw new UserError(`unknown format: ${first}`, {
    status: 2,
    hint: `one of ${outputFormats.join(', ')}, fmt:… or --parquet FILE`,
  })
}

/** Whether rows are for other programs, so that a limit must be asked for. */
export function isExport(format: FlowsFormat): boolean {
  return format !== 'table' && format !== 'json'
}

interface PrintOptions {
  color: boolean
  /** Whose time tables, lines and CSV show. */
  zone: Zone
  /** Why there are no rows. */
  why: readonly string[]
  /** The rows alone. */
  quiet: boolean
  pager: boolean
}

export async function printFlows(
  result: FlowsResult,
  request: FlowsRequest,
  format: FlowsFormat,
  options: PrintOptions,
): Promise<void> {
  await usePager(options.pager)
  if (format === 'table') return printTable(result, request, options)
  if (format === 'json') await printJson(result)
  else {
    const { head, line } = await linesOf(result, format, options.zone)
    if (head !== '') await print(head)
    await printLines(result.rows(), line)
  }
  if (options.quiet || outputIsGone()) return
  if (format !== 'json' || result.truncated || options.why.length > 0) await noteCounting(result, request, options.why)
}

/** What was counted how, for those who read the rows elsewhere. */
export async function noteCounting(result: FlowsResult, request: FlowsRequest, why: readonly string[]): Promise<void> {
  const [{ countingText, extentText }, { isListing, limitOf }] = await Promise.all([
    import('../report/flows.ts'),
    import('../flows/settle.ts'),
  ])
  const left = result.truncated
    ? [`${extentText({ ...result, records: isListing(request) }, limitOf(request) ?? 0)}.`]
    : []
  const notes = [...countingText(result.counting, false), ...result.notes, ...why].map(visible)
  await note(['tidemark:', ...left, ...notes].join(' '))
}

interface RowLines {
  head: string
  line(row: FlowsRow): string
}

async function linesOf(result: FlowsResult, format: string, zone: Zone): Promise<RowLines> {
  const { columns } = result
  if (format === 'csv') {
    const [{ csvWriter }, { isoIn }] = await Promise.all([import('../report/csv.ts'), import('../report/zone.ts')])
    const { head, line } = csvWriter(columns)
    const cell = (value: Cell | undefined, isTime: boolean): Cell | undefined =>
      isTime && typeof value === 'string' ? isoIn(zone, value) : value
    return { head, line: row => line(columns.map(({ name, type }) => cell(row[name], type === 'time'))) }
  }
  if (format === 'ndjson') {
    const { jsonLine } = await import('../report/rows.ts')
    return { head: '', line: row => `${jsonLine(row)}\n` }
  }
  const { lineFormat } = await import('../report/flow-lines.ts')
  return lineFormat(format, columns, zone)
}

/** Rows that decide which columns a page has room for, and how its times are written. */
const firstRows = 1000

/** The rows of a long table are printed as they come. */
async function printTable(
  result: FlowsResult,
  request: FlowsRequest,
  { color, zone, why, quiet }: PrintOptions,
): Promise<void> {
  const [report, { isListing }, { flowTable }] = await Promise.all([
    import('../report/flows.ts'),
    import('../flows/settle.ts'),
    import('../report/flow-table.ts'),
  ])
  const { rows: read, parquet: _parquet, ...rest } = result
  const parts = batches(read(), firstRows)
  const { value: list = [] } = await parts.next()
  const page = {
    ...{ ...rest, list, zone, why, records: isListing(request) },
    order: orderName(request, isListing(request)),
    shares: request.stat !== undefined && request.bin_ms === undefined,
  }
  if (list.length < firstRows && !quiet) return printPage(report.flowsPage(page), color)
  const table = flowTable(page)
  if (!quiet) await printPage(report.flowsHead(page, table), color)
  const printer = await startTable(table.columns, color)
  let shown = 0
  const add = async (rows: readonly FlowsRow[]): Promise<void> => {
    shown += report.listedRows(rows)
    await printer.rows(rows.map(table.row))
  }
  await add(list)
  for await (const rows of parts) {
    if (outputIsGone()) return
    await add(rows)
  }
  if (!quiet) await printer.end(report.flowsFooter(page, shown))
}

async function* batches(rows: AsyncIterable<FlowsRow>, size: number): AsyncGenerator<FlowsRow[], undefined> {
  let batch: FlowsRow[] = []
  for await (const row of rows) {
    batch.push(row)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** What the rows are ranked by. */
function orderName({ order, stat }: FlowsRequest, isListing: boolean): string | null {
  if (order !== undefined) return orderOf(order)
  return isListing ? null : stat === undefined ? 'bytes' : 'records'
}

/** The document of the contract. */
async function printJson(result: FlowsResult): Promise<void> {
  const { JsonStream } = await import('../report/json.ts')
  const { rows: read, parquet: _parquet, columns, enrichment, ...rest } = result
  const document = new JsonStream({ columns }, 'rows')
  await printLines(read(), row => document.item(row))
  const said =
    enrichment.files.length === 0 ? {} : { enrichment: enrichment.files, enrichment_problems: enrichment.problems }
  await print(document.end({ ...rest, ...said }))
}
