/** The columns of a Parquet file, of which its last bytes tell all: the rest is not read. */
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { temporaryFolder } from '../disk/temporary.ts'
import { ParquetLines } from '../ingest/parquet-lines.ts'
import { fieldNamed } from '../records/fields.ts'
import type { LakeFile } from './places.ts'
import type { LakeColumn } from './table.ts'

const magic = Buffer.from('PAR1')
const footerMax = 64 << 20

/** DuckDB's types of what AWS writes, and what engines without unsigned integers read alike. */
const kinds: Readonly<Record<string, LakeColumn['kind']>> = {
  ...{ TINYINT: 'integer', SMALLINT: 'integer', INTEGER: 'integer', BIGINT: 'bigint', VARCHAR: 'text' },
}
/** Names of the columns that tell partitions: a column of a file has the name that is in the file. */
const partitionName = /^p_(account|region|year|month|day)$/
const knownLeast = 4

/** The columns in their order; or why no table can have them. */
export async function parquetColumns(file: LakeFile, stopped: () => boolean): Promise<LakeColumn[] | string> {
  const end = Buffer.from(await file.readAt(Math.max(0, file.size - 8), 8))
  const length = end.length === 8 && end.subarray(4).equals(magic) ? end.readUInt32LE(0) : 0
  if (length === 0 || length > Math.min(footerMax, file.size - 12)) return 'a Parquet file whose end is damaged'
  const footer = await file.readAt(file.size - 8 - length, length + 8)
  const columns = await columnsIn(Buffer.concat([magic, footer]), stopped)
  const known = columns.filter(({ name }) => fieldNamed(name) !== undefined)
  if (known.length < knownLeast) return 'a Parquet file without the columns of a flow log'
  const taken = columns.find(({ name }) => partitionName.test(name))
  if (taken !== undefined) return `its column ${taken.name} has the name of a column of partitions`
  const odd = columns.find(({ type }) => kinds[type] === undefined)
  if (odd !== undefined) return `its column ${odd.name} is of the type ${odd.type}, which no flow log of AWS has`
  return columns.map(({ name, type }) => ({ name, kind: kinds[type]! }))
}

async function columnsIn(bytes: Uint8Array, stopped: () => boolean): Promise<{ name: string; type: string }[]> {
  const folder = temporaryFolder('lake')
  try {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    async function* open(): AsyncGenerator<Uint8Array> {
      yield bytes
    }
    const lines = await ParquetLines.open({ sha256, open }, folder, stopped)
    try {
      return (await lines.columns()).map(({ name, type }) => ({ name: name.toLowerCase(), type }))
    } finally {
      await lines.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
