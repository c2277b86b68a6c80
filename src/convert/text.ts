import type { OutputFile } from '../disk/output-file.ts'
import type { MeteredFlow } from '../meter/metered-flow.ts'
import type { FlowOutput } from './output.ts'
import { flowRow, flowRowNames } from './rows.ts'

/** Flow records as CSV (RFC 4180, a header line first) or as one JSON object a line. */
export class TextOutput implements FlowOutput {
  private readonly file: OutputFile
  private readonly line: (record: MeteredFlow) => string

  constructor(file: OutputFile, format: 'csv' | 'ndjson') {
    this.file = file
    if (format === 'csv') this.file.text(`${flowRowNames.join(',')}\r\n`)
    this.line = format === 'csv' ? csvLine : record => `${JSON.stringify(flowRow(record))}\n`
  }

  add(record: MeteredFlow): void {
    this.file.text(this.line(record))
  }

  settle(): Promise<void> {
    return this.file.settle()
  }

  finish(): Promise<void> {
    return this.file.finish()
  }

  abandon(): void {
    this.file.abandon()
  }
}

/** No value here is text of the evidence, so none needs quotes. */
function csvLine(record: MeteredFlow): string {
  const row = flowRow(record)
  return `${flowRowNames.map(name => row[name] ?? '').join(',')}\r\n`
}
