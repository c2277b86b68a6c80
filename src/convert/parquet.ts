import { dirname, join } from 'node:path'
import type { FileTarget } from '../disk/output.ts'
import { clearKilledOutputs, PartFile, scratchFolder } from '../disk/part-file.ts'
import type { MeteredFlow } from '../meter/metered-flow.ts'
import { type Column, setNumber } from '../records/column.ts'
import type { FieldType } from '../records/fields.ts'
import { RecordBuffer } from '../records/record-buffer.ts'
import { Database, quotedPath } from '../store/duckdb.ts'
import { copyToParquet } from '../store/parquet-file.ts'
import { copyBuffer } from '../store/segment-writer.ts'
import type { FlowOutput } from './output.ts'
import { type FlowRow, flowRow, flowRowNames } from './rows.ts'

const rowsOfPart = 122_880
const types: Record<keyof FlowRow, FieldType> = {
  srcaddr: 'text',
  srcport: 'u16',
  dstaddr: 'text',
  dstport: 'u16',
  protocol: 'u8',
  packets: 'u64',
  bytes: 'u64',
  start: 'time',
  end: 'time',
  tcp_flags: 'u8',
  tos: 'u8',
  icmp_type: 'u8',
  icmp_code: 'u8',
  vlan: 'u16',
  tunnel: 'text',
  tunnel_id: 'u64',
  flow_end: 'text',
  first_packet: 'u64',
}

/** Flow records as one Parquet file, addresses as text: any tool reads it. */
export class ParquetOutput implements FlowOutput {
  private readonly part: PartFile
  private readonly scratch: ReturnType<typeof scratchFolder>
  private readonly database: Promise<Database>
  private readonly full: RecordBuffer[] = []
  private buffer = new RecordBuffer(rowsOfPart)
  private columns = this.bound()
  private readonly parts: string[] = []

  constructor(target: FileTarget) {
    clearKilledOutputs(dirname(target.path), target)
    this.part = new PartFile(target)
    this.scratch = scratchFolder(target)
    this.database = Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: this.scratch.path })
    this.database.catch(() => undefined)
  }

  add(record: MeteredFlow): void {
    const { buffer } = this
    const { rows } = buffer
    const row = flowRow(record)
    for (const [i, name] of flowRowNames.entries()) {
      const column = this.columns[i]!
      if (name === 'start') setNumber(column, rows, record.first)
      else if (name === 'end') setNumber(column, rows, record.last)
      else setValue(column, rows, row[name])
    }
    buffer.rows++
    if (!buffer.full) return
    this.full.push(buffer)
    this.buffer = new RecordBuffer(rowsOfPart)
    this.columns = this.bound()
  }

  async settle(): Promise<void> {
    for (let buffer = this.full.shift(); buffer !== undefined; buffer = this.full.shift()) await this.write(buffer)
  }

  async finish(): Promise<void> {
    await this.settle()
    if (this.buffer.rows > 0 || this.parts.length === 0) await this.write(this.buffer)
    const parts = this.parts.map(quotedPath).join(', ')
    const query = `SELECT * FROM read_parquet([${parts}], hive_partitioning=false)`
    await copyToParquet(await this.database, query, this.part)
    this.abandon()
  }

  abandon(): void {
    // The database may still be opening; it has nothing open in the folder but what it spills.
    this.database.then(
      database => database.close(),
      () => undefined,
    )
    this.scratch.remove()
    this.part.abandon()
  }

  private bound(): Column[] {
    return flowRowNames.map(name => this.buffer.column(name, types[name]))
  }

  private async write(buffer: RecordBuffer): Promise<void> {
    const path = join(this.scratch.path, `part-${String(this.parts.length).padStart(8, '0')}.parquet`)
    this.parts.push(path)
    const database = await this.database
    await copyBuffer(database, buffer, path).catch(error => {
      throw this.part.failure(error)
    })
  }
}

function setValue(column: Column, row: number, value: string | number | null): void {
  if (value === null) column.setNull(row)
  else if (typeof value === 'string') column.codes[row] = column.words.codeOf(value)
  else if (column.type === 'u8') column.u8[row] = value
  else if (column.type === 'u16') column.u16[row] = value
  else setNumber(column, row, value)
}
