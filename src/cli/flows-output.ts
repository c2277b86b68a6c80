import { UserError } from '../errors.ts'
import { outputFormats } from '../flows/names.ts'
import { orderOf } from '../flows/order.ts'
import type { FlowsRequest, FlowsResult, FlowsRow } from '../flows/request.ts'
import { visible } from '../report/text.ts'
import type { FlowsCliOptions } from './flows-options.ts'
import { note, outputIsGone, print, printAsIs, printPage } from './output.ts'

/** `table`, `json`, `csv`, `ndjson`, `parquet`, or one of nfdump's: `line`, `fmt:…`. */
export type FlowsFormat = string

/** @throws UserError for two formats, or one that is not known. */
export function formatOf(options: FlowsCliOptions): FlowsFormat {
  const { json, csv, ndjson, parquet, output } = options
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

export async function printFlows(
  result: FlowsResult,
  request: FlowsRequest,
  format: FlowsFormat,
  color: boolean,
): Promise<void> {
  if (format === 'table') return printTable(result, request, color)
  if (format === 'json') return printJson(result)
  const { head, line } = await linesOf(result, format)
  if (head !== '') await print(head)
  await printLines(result.rows(), line)
  await noteCounting(result, request)
}

/** What was counted how, for those who read the rows elsewhere. */
export async function noteCounting(result: FlowsResult, request: FlowsRequest): Promise<void> {
  const { countingText } = await import('../report/flows.ts')
  const { integerText } = await import('../report/numbers.ts')
  const left = result.truncated
    ? [`first ${request.limit ?? ''} of ${integerText(result.total_rows as number)} rows.`]
    : []
  const notes = [...countingText(result.counting, false), ...result.notes].map(visible)
  await note(['tidemark:', ...left, ...notes].join(' '))
}

async function linesOf(
  result: FlowsResult,
  format: string,
): Promise<{ head: string; line: (row: FlowsRow) => string }> {
  if (format === 'csv') {
    const { csvWriter } = await import('../report/csv.ts')
    const { head, line } = csvWriter(result.columns)
    return { head, line: row => line(result.columns.map(({ name }) => row[name])) }
  }
  if (format === 'ndjson') {
    const { jsonLine } = await import('../report/rows.ts')
    return { head: '', line: row => `${jsonLine(row)}\n` }
  }
  const { lineFormat } = await import('../report/flow-lines.ts')
  return lineFormat(format, result.columns)
}

const batchBytes = 1 << 16

/** Prints rows in pieces of some size: a write for each would take most of the time. */
async function printLines(rows: AsyncIterable<FlowsRow>, line: (row: FlowsRow) => string): Promise<void> {
  let text = ''
  for await (const row of rows) {
    text += line(row)
    if (text.length < batchBytes) continue
    await printAsIs(text)
    text = ''
    if (outputIsGone()) return
  }
  if (text !== '') await printAsIs(text)
}

/** Most rows of a page: its columns are as wide as all of them need. */
const pageRowsMax = 100_000

async function printTable(result: FlowsResult, request: FlowsRequest, color: boolean): Promise<void> {
  const [{ flowsPage }, { isListing }] = await Promise.all([import('../report/flows.ts'), import('../flows/settle.ts')])
  const list: FlowsRow[] = []
  let isCut = false
  for await (const row of result.rows()) {
    isCut = list.length === pageRowsMax
    if (isCut) break
    list.push(row)
  }
  const { rows: _rows, parquet: _parquet, ...rest } = result
  const page = {
    ...rest,
    list,
    isCut,
    shares: request.stat !== undefined && request.bin_ms === undefined,
    order: orderName(request),
    records: isListing(request),
  }
  await printPage(flowsPage(page), color)
}

function orderName({ order }: FlowsRequest): string | null {
  return order === undefined ? null : orderOf(order)
}

/** The document of the contract. */
async function printJson(result: FlowsResult): Promise<void> {
  const { JsonStream } = await import('../report/json.ts')
  const { rows: read, parquet: _parquet, columns, ...rest } = result
  const document = new JsonStream({ columns }, 'rows')
  await printLines(read(), row => document.item(row))
  await print(document.end(rest))
}
