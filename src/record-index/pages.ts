/** Records that wait to be put in order: in memory as far as they may be, else in a file. */
import { closeSync, openSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { readAll, writeAll } from '../store/section-file.ts'
import { type ColumnName, columnOver, gathered, makeColumns, type RecordColumns, widthOf } from './columns.ts'

/** A multiple of eight, so that every column of a page is aligned. */
const pageRows = 4096

/** Rows of all columns in one buffer. */
interface Page {
  buffer: ArrayBuffer
  columns: RecordColumns
}

/** A page that waits: itself, or where it stands in a file. Any thread of the process can have it. */
type WaitingPage = ArrayBuffer | { fd: number; from: number }

/** Records that wait, page by page. All pages are full but the last one. */
export interface WaitingRecords {
  rows: number
  pages: WaitingPage[]
}

/** Buffers of records that wait, which can be handed to another thread. */
export function buffersOf({ pages }: WaitingRecords): ArrayBuffer[] {
  return pages.filter(page => page instanceof ArrayBuffer)
}

/** Where pages are kept that are full. */
export class PageStore {
  readonly names: readonly ColumnName[]
  private readonly folder: string
  private readonly pageBytes: number
  /** How many pages may be held in memory, and how many more. */
  private readonly most: number
  private room: number
  private fd: number | null = null
  private written = 0
  private readonly free: Page[] = []

  /** @param folder for a file of what does not fit. */
  constructor(folder: string, names: readonly ColumnName[], memoryBytes: number) {
    this.folder = folder
    this.names = names
    this.pageBytes = pageRows * names.reduce((sum, name) => sum + widthOf(name), 0)
    this.most = Math.floor(memoryBytes / this.pageBytes)
    this.room = this.most
  }

  page(): Page {
    return this.free.pop() ?? this.pageOver(new ArrayBuffer(this.pageBytes))
  }

  private pageOver(buffer: ArrayBuffer): Page {
    const columns = makeColumns(0, [])
    let at = 0
    for (const name of this.names) {
      Object.assign(columns, { [name]: columnOver(name, buffer, at, pageRows) })
      at += pageRows * widthOf(name)
    }
    return { buffer, columns }
  }

  /** Lets a full page wait. */
  keep(page: Page): WaitingPage {
    if (this.room > 0) {
      this.room--
      return page.buffer
    }
    this.fd ??= this.open()
    writeAll(this.fd, new Uint8Array(page.buffer), this.written)
    this.release(page)
    const from = this.written
    this.written += this.pageBytes
    return { fd: this.fd, from }
  }

  /** Shows records that wait, page by page. @param isLast whether nobody needs them afterwards. */
  show({ rows, pages }: WaitingRecords, see: (columns: RecordColumns, rows: number) => void, isLast: boolean): void {
    for (const [i, waiting] of pages.entries()) {
      const isHere = waiting instanceof ArrayBuffer
      const page = isHere ? this.pageOver(waiting) : this.read(waiting)
      see(page.columns, Math.min(pageRows, rows - i * pageRows))
      if (isLast || !isHere) this.release(page)
    }
    if (isLast) pages.length = 0
  }

  private read({ fd, from }: { fd: number; from: number }): Page {
    const page = this.page()
    if (!readAll(fd, new Uint8Array(page.buffer), from)) throw new Error('a file of records on their way was cut')
    return page
  }

  private release(page: Page): void {
    if (this.free.length < 4) this.free.push(page)
  }

  /** To be called where no page waits any more: their room is free again. */
  reset(): void {
    this.room = this.most
    this.written = 0
  }

  /** Nobody else needs the name of the file: it is gone however this process ends. */
  private open(): number {
    const path = join(this.folder, `records-${process.pid}-${Math.random().toString(36).slice(2)}`)
    const fd = openSync(path, 'wx+', 0o600)
    try {
      unlinkSync(path)
    } catch {
      // Not while it is open, on Windows: it goes with its folder.
    }
    return fd
  }

  close(): void {
    if (this.fd !== null) closeSync(this.fd)
    this.fd = null
  }
}

/** Records of a stretch of the order, while they are collected. */
export class Bucket {
  rows = 0
  private readonly store: PageStore
  private readonly full: WaitingPage[] = []
  private last: Page | null = null
  private filled = pageRows

  constructor(store: PageStore) {
    this.store = store
  }

  /** Adds rows [from, to) of some columns. */
  add(columns: RecordColumns, from: number, to: number): void {
    const { names } = this.store
    for (let at = from; at < to; ) {
      const page = this.pageWithRoom()
      const count = Math.min(to - at, pageRows - this.filled)
      if (count < 8) {
        for (const name of names) {
          const source = columns[name]
          const target = page.columns[name]
          for (let i = 0; i < count; i++) target[this.filled + i] = source[at + i]!
        }
      } else for (const name of names) page.columns[name].set(columns[name].subarray(at, at + count), this.filled)
      this.filled += count
      this.rows += count
      at += count
    }
  }

  /** Adds some rows of some columns. */
  addSome(columns: RecordColumns, rows: Uint32Array): void {
    for (let at = 0; at < rows.length; ) {
      const page = this.pageWithRoom()
      const some = rows.subarray(at, at + Math.min(rows.length - at, pageRows - this.filled))
      for (const name of this.store.names) gathered(columns[name], some, page.columns[name].subarray(this.filled))
      this.filled += some.length
      this.rows += some.length
      at += some.length
    }
  }

  private pageWithRoom(): Page {
    if (this.last !== null && this.filled < pageRows) return this.last
    if (this.last !== null) this.full.push(this.store.keep(this.last))
    this.last = this.store.page()
    this.filled = 0
    return this.last
  }

  /** What it holds; nothing can be added any more. */
  waiting(): WaitingRecords {
    return { rows: this.rows, pages: this.last === null ? this.full : [...this.full, this.last.buffer] }
  }
}
