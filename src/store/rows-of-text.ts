/** Rows that came as texts, as a Parquet file with the types that they had. */
import { rm } from 'node:fs/promises'
import type { FileTarget } from '../disk/output.ts'
import { PartFile } from '../disk/part-file.ts'
import { temporaryFolder } from '../disk/temporary.ts'
import type { ChunkColumn } from './chunk-table.ts'
import { Database, quotedName } from './duckdb.ts'
import { copyToParquet } from './parquet-file.ts'

/** Types that a text is read as; whatever else there is stays text. */
const readable =
  /^(BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(\d+, ?\d+\)|DATE|TIMESTAMP(_S|_MS|_NS)?)$/

/** Parquet has no integers of 128 bits. */
function typeOf(type: string): string {
  if (/^U?HUGEINT$/.test(type)) return 'DECIMAL(38, 0)'
  return readable.test(type) ? type : 'VARCHAR'
}

export class RowsOfText {
  private readonly db: Database
  private readonly temp: string
  private types: string[] = []
  private names: string[] = []

  private constructor(db: Database, temp: string) {
    this.db = db
    this.temp = temp
  }

  static async open(): Promise<RowsOfText> {
    const temp = temporaryFolder('rows')
    const db = await Database.open({ threads: 1, memoryLimit: '256MB', tempDirectory: temp })
    return new RowsOfText(db, temp)
  }

  async begin(columns: readonly { name: string; type: string }[]): Promise<void> {
    this.names = columns.map(({ name }) => name)
    this.types = columns.map(({ type }) => typeOf(type))
    const made = this.types.map((type, i) => `c${i} ${type}`)
    await this.db.run(`CREATE TABLE kept (${made.join(', ')})`)
  }

  async add(rows: readonly (readonly (string | null)[])[]): Promise<void> {
    if (rows.length === 0) return
    const columns = this.types.map((_, i): ChunkColumn => {
      const valid = new Uint8Array(Math.ceil(rows.length / 64) * 8)
      rows.forEach((row, n) => {
        if (row[i] !== null) valid[n >> 3]! |= 1 << (n & 7)
      })
      return { name: `c${i}`, type: 'VARCHAR', data: rows.map(row => row[i] ?? ''), valid }
    })
    this.db.chunkTable().offer(columns, rows.length)
    const items = this.types.map((type, i) => `CAST(c${i} AS ${type})`)
    await this.db.run(`INSERT INTO kept SELECT ${items.join(', ')} FROM chunks()`)
  }

  /** @throws UserError where the file cannot be written. */
  async write(target: FileTarget): Promise<void> {
    const items = this.names.map((name, i) => `c${i} AS ${quotedName(name)}`)
    await copyToParquet(this.db, `SELECT ${items.join(', ')} FROM kept`, new PartFile(target))
  }

  async close(): Promise<void> {
    await this.db.close()
    await rm(this.temp, { recursive: true, force: true })
  }
}
