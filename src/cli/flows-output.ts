import { UserError } from '../errors.ts'
import type { FlowsRequest, FlowsResult, FlowsRow } from '../flows/request.ts'
import { isListing } from '../flows/settle.ts'
import type { FlowsCliOptions } from './flows-options.ts'
import { note, outputStyle, print } from './output.ts'

export type FlowsFormat = 'table' | 'json' | 'csv' | 'ndjson'
const formats: readonly FlowsFormat[] = ['table', 'json', 'csv', 'ndjson']

/** @throws UserError for two formats, or one that is not known. */
export function formatOf(options: FlowsCliOptions): FlowsFormat {
  const asked = [options.json && 'json', options.csv && 'csv', options.ndjson && 'ndjson', options.output].filter(
    format => format !== undefined,
  ) as string[]
  const [first = 'table', second] = asked
  if (second !== undefined)
    throw new UserError(`two formats: ${first} and ${second}`, { status: 2, hint: 'ask for one' })
  const format = formats.find(one => one === first)
  if (format === undefined)
    throw new UserError(`unknown format: ${first}`, { status: 2, hint: `one of ${formats.join(', ')}` })
  return format
}

export async function printFlows(
  result: FlowsResult,
  request: FlowsRequest,
  format: FlowsFormat,
  color: boolean,
): Promise<void> {
  if (format === 'table') return printTable(result, request, color)
  if (format === 'json') return printJson(result)
  const { csvLine, csvRow, jsonLine } = await import('../report/rows.ts')
  if (format === 'csv') await print(csvLine(result.columns.map(column => column.name)))
  const line =
    format === 'csv' ? (row: FlowsRow) => csvRow(result.columns, row) : (row: FlowsRow) => `${jsonLine(row)}\n`
  await printLines(result.rows(), line)
  const { countingText } = await import('../report/flows.ts')
  await note(['tidemark:', ...countingText(result.counting, false)].join(' '))
}

const batchBytes = 1 << 16

/** Prints rows in pieces of some size: a write for each would take most of the time. */
async function printLines(rows: AsyncIterable<FlowsRow>, line: (row: FlowsRow) => string): Promise<void> {
  let text = ''
  for await (const row of rows) {
    text += line(row)
    if (text.length < batchBytes) continue
    await print(text)
    text = ''
  }
  if (text !== '') await print(text)
}

async function printTable(result: FlowsResult, request: FlowsRequest, color: boolean): Promise<void> {
  const { renderFlows } = await import('../report/flows.ts')
  const list: FlowsRow[] = []
  for await (const row of result.rows()) list.push(row)
  const page = { ...result, list, shares: request.stat !== undefined, records: isListing(request) }
  await print(renderFlows(page, outputStyle(color)))
}

/** The document of the contract; its rows are written as they come. */
async function printJson(result: FlowsResult): Promise<void> {
  const { toJson } = await import('../report/json.ts')
  const { rows: read, columns, ...rest } = result
  const list: FlowsRow[] = []
  for await (const row of read()) list.push(row)
  await print(toJson({ columns, rows: list, ...rest }))
}
