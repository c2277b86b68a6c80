import type { Table } from '../flow-text/flow.ts'
import { utcSeconds } from '../net/time.ts'
import { connectionFields, packetFlowFields } from '../records/packet-fields.ts'
import type { LineProblem } from '../vpc-text/text-reader.ts'
import type { Batch } from './batch.ts'
import type { PacketReading } from './read-packets.ts'
import { Spool } from './spool.ts'
import { addTextConnection, addTextFlow } from './table-rows.ts'

const lineLettersMax = 1 << 20
const problemsMax = 10_000

/** Reads another program's table of flows. Every line is one of its header, a row, or malformed; blank ones count for nothing. */
export async function readTable(
  id: number,
  pieces: AsyncIterable<Uint8Array>,
  batch: Batch,
  tick: (records: number) => void,
  table: Table,
  isCut: () => boolean,
): Promise<PacketReading> {
  const reading = new Reading(batch, id, table)
  const decoder = new TextDecoder()
  let told = 0
  for await (const piece of pieces) {
    reading.feed(decoder.decode(piece, { stream: true }))
    if (!reading.isBehind) continue
    await reading.settle(false)
    tick(reading.flows.rows - told)
    told = reading.flows.rows
  }
  reading.feed(decoder.decode())
  reading.end(isCut())
  await reading.settle(true)
  tick(reading.flows.rows - told)
  return reading.result()
}

class Reading {
  readonly flows: Spool
  private readonly connections: Spool
  private readonly table: Table
  private readonly problems: LineProblem[] = []
  private readonly counts = { lines: 0, header_lines: 0, rows: 0, malformed: 0 }
  private line = 0
  private rest = ''
  private isTooLong = false
  private first = Number.POSITIVE_INFINITY
  private last = Number.NEGATIVE_INFINITY

  constructor(batch: Batch, id: number, table: Table) {
    this.flows = new Spool(batch, 'packet-flows', id, packetFlowFields)
    this.connections = new Spool(batch, 'connections', id, connectionFields)
    this.table = table
  }

  get isBehind(): boolean {
    return this.flows.isBehind || this.connections.isBehind
  }

  async settle(all: boolean): Promise<void> {
    await this.flows.settle(all)
    await this.connections.settle(all)
  }

  feed(text: string): void {
    let at = 0
    for (let newline = text.indexOf('\n'); newline >= 0; newline = text.indexOf('\n', at)) {
      this.line++
      if (this.isTooLong) this.malformed(`longer than ${lineLettersMax} letters: no row is`)
      else this.take((this.rest + text.slice(at, newline)).replace(/\r$/, ''))
      this.rest = ''
      this.isTooLong = false
      at = newline + 1
    }
    if (!this.isTooLong) this.rest += text.slice(at)
    if (this.rest.length <= lineLettersMax) return
    this.rest = ''
    this.isTooLong = true
  }

  /** The last line may have no end; of a file that was cut it may be half a row. */
  end(isCut: boolean): void {
    if (this.rest === '' && !this.isTooLong) return
    this.line++
    if (this.isTooLong) this.malformed(`longer than ${lineLettersMax} letters: no row is`)
    else if (isCut) this.malformed('the file is cut in this line')
    else this.take(this.rest.replace(/\r$/, ''))
  }

  private take(text: string): void {
    // A byte order mark is no part of the first line.
    const found = this.table.line(this.line === 1 ? text.replace(/^\ufeff/, '') : text)
    if (found === 'blank') return
    if (found === 'header') {
      this.counts.lines++
      this.counts.header_lines++
    } else if (typeof found === 'string') this.malformed(found)
    else {
      this.counts.lines++
      this.counts.rows++
      for (const flow of found.flows) {
        addTextFlow(this.flows, flow, this.line)
        if (flow.start !== null && flow.start < this.first) this.first = flow.start
        if (flow.end !== null && flow.end > this.last) this.last = flow.end
      }
      if (found.connection !== null) addTextConnection(this.connections, found.connection, this.line)
    }
  }

  private malformed(problem: string): void {
    this.counts.lines++
    this.counts.malformed++
    if (this.problems.length < problemsMax) {
      this.problems.push({ line: this.line, problem })
      return
    }
    const last = this.problems[problemsMax - 1]!
    last.line_to = this.line
    last.problem = `${this.counts.malformed - problemsMax + 1} malformed lines from here on, too many to name each`
  }

  result(): PacketReading {
    const { lines, header_lines, rows, malformed } = this.counts
    return {
      found: lines > malformed,
      damage: [],
      lines: this.problems,
      entry: {
        ...{ kind: this.table.kind, lines, header_lines, malformed, records: this.flows.rows },
        first_start: Number.isFinite(this.first) ? utcSeconds(this.first) : null,
        last_end: Number.isFinite(this.last) ? utcSeconds(this.last) : null,
        layout: this.table.layout,
        flow_table: { rows, flow_records: this.flows.rows, connections: this.connections.rows, note: this.table.note },
      },
    }
  }
}
