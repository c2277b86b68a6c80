/** Long lists as a file, each row a line of JSON: a child writes it, and the server reads of it what is asked for, so that neither holds them all. */
import { closeSync, openSync, rmSync } from 'node:fs'
import { writeAll } from '../disk/scratch.ts'
import { toLine } from './json-line.ts'

/** A list of the file: how many rows it has, and where the places of its rows stand in the file, 8 bytes each and one more for the end. */
export interface WrittenList {
  rows: number
  index: number
}

export type WrittenLists = Readonly<Record<string, WrittenList>>

const pieceBytes = 1 << 16

/** Writes lists into a new file. Nobody else may read it. @throws what the system says where it cannot be written; then there is no file. */
export function writeLists(path: string, lists: Readonly<Record<string, Iterable<unknown>>>): WrittenLists {
  const fd = openSync(path, 'wx', 0o600)
  try {
    let at = 0
    const written: Record<string, WrittenList> = {}
    for (const [name, rows] of Object.entries(lists)) {
      const places = [at]
      let piece: Buffer[] = []
      let held = 0
      const flush = (): void => {
        writeAll(fd, Buffer.concat(piece))
        piece = []
        held = 0
      }
      for (const row of rows) {
        const line = Buffer.from(`${toLine(row)}\n`)
        piece.push(line)
        held += line.length
        places.push((at += line.length))
        if (held > pieceBytes) flush()
      }
      flush()
      written[name] = { rows: places.length - 1, index: at }
      const index = new Uint8Array(Float64Array.from(places).buffer)
      writeAll(fd, index)
      at += index.length
    }
    return written
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}
