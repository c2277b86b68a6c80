import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { errorCode, UserError } from '../errors.ts'
import { type Column, setNumber } from '../flow/column.ts'
import type { FieldType } from '../flow/fields.ts'
import { RecordBuffer } from '../flow/record-buffer.ts'
import type { FlowRecord } from '../meter/flow-record.ts'
import { Database, quotedPath, quotedString } from '../store/duckdb.ts'
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
  private readonly path: string
  private readonly folder: string
  private readonly database: Promise<Database>
  private readonly full: RecordBuffer[] = []
  private buffer = new RecordBuffer(rowsOfPart)
  private columns = this.bound()
  private readonly parts: string[] = []

  constructor(path: string) {
    this.path = resolve(path)
    try {
      mkdirSync(dirname(this.path), { recursive: true })
      this.folder = mkdtempSync(join(dirname(this.path), '.tidemark-parquet-'))
    } catch (error) {
      throw new UserError(`can not write ${path}: ${errorCode(error) ?? String(error)}`, {
        hint: 'name another place with -o',
      })
    }
    this.database = Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: this.folder })
    this.database.catch(() => undefined)
  }

  add(record: FlowRecord): void {
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
    const database = await this.database
    const whole = join(this.folder, `whole-${randomBytes(4).toString('hex')}.parquet`)
    await database.run(
      `COPY (SELECT * FROM read_parquet([${this.parts.map(quotedPath).join(', ')}], hive_partitioning=false)) TO ${quotedString(whole)} (FORMAT parquet, COMPRESSION zstd)`,
    )
    renameSync(whole, this.path)
    this.abandon()
  }

  abandon(): void {
    // The database may still be opening; it has nothing open in the folder but what it spills.
    this.database.then(
      database => database.close(),
      () => undefined,
    )
    rmSync(this.folder, { recursive: true, force: true })
  }

  private bound(): Column[] {
    return flowRowNames.map(name => this.buffer.column(name, types[name]))
  }

  private async write(buffer: RecordBuffer): Promise<void> {
    const part = join(this.folder, `part-${String(this.parts.length).padStart(8, '0')}.parquet`)
    this.parts.push(part)
    await copyBuffer(await this.database, buffer, part)
  }
}

function setValue(column: Column, row: number, value: string | number | null): void {
  if (value === null) column.setNull(row)
  else if (typeof value === 'string') column.codes[row] = column.words.codeOf(value)
  else if (column.type === 'u8') column.u8[row] = value
  else if (column.type === 'u16') column.u16[row] = value
  else setNumber(column, row, value)
}
