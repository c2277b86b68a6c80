import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const gzipBuffer = promisify(gzip)

/** Byte 9 of a gzip header names the system that packed it; AWS writes 0, FAT. */
const OS_BYTE = 9
const OS_FAT = 0

/** Writes `content` gzip-compressed as AWS does: no name, no time, operating system FAT. Returns the packed size. */
export async function writeLogFile(folder: string, name: string, content: Buffer, level: number): Promise<number> {
  const packed = await gzipBuffer(content, { level })
  packed.fill(0, 4, 8) // modification time: none
  packed[OS_BYTE] = OS_FAT
  await writeFile(join(folder, name), packed)
  return packed.length
}
