/** Records that wait to be put in order: in memory as far as they may be, else in a file. */
import { closeSync, openSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { readAll, writeAll } from '../store/section-file.ts'
import { type ColumnName, columnOver, gathered, makeColumns, type RecordColumns, widthOf } from './columns.ts'

/** A multiple of eight, so that every column of a page is aligned. */
const pageRows = 8192

/** Rows of all columns in one buffer. */
interface Page {
  bytes: Uint8Array
  columns: RecordColumns
}

/** Where pages are kept that are full. */
export class PageStore {
  readonly names: readonly ColumnName[]
  private readonly folder: string
  private readonly pageBytes: number
  /** Pages that may still be held in memory. */
  private room: number
  private fd: number | null = null
  private written = 0
  private readonly free: Page[] = []

  /** @param folder for a file of what does not fit. */
  constructor(folder: string, names: readonly ColumnName[], memoryBytes: number) {
    this.folder = folder
    this.names = names
    this.pageBytes = pageRows * names.reduce((sum, name) => sum + widthOf(name), 0)
    this.room = Math.floor(memoryBytes / this.pageBytes)
  }

  page(): Page {
    const free = this.free.pop()
    if (free !== undefined) return free
    const buffer = new ArrayBuffer(this.pageBytes)
    const columns = makeColumns(0, [])
    let at = 0
    for (const name of this.names) {
      Object.assign(columns, { [name]: columnOver(name, buffer, at, pageRows) })
      at += pageRows * widthOf(name)
    }
    return { bytes: new Uint8Array(buffer), columns }
  }

  /** Keeps a full page: itself, or its place in the file. */
  keep(page: Page): Page | number {
    if (this.room > 0) {
      this.room--
      return page
    }
    this.fd ??= this.open()
    writeAll(this.fd, page.bytes)
    this.free.push(page)
    this.written += this.pageBytes
    return this.written - this.pageBytes
  }

  /** A page that was kept, and is no more; it is given back by `release`. */
  taken(kept: Page | number): Page {
    if (typeof kept !== 'number') this.room++
    return this.shown(kept)
  }

  /** A page that was kept. */
  shown(kept: Page | number): Page {
    if (typeof kept !== 'number') return kept
    const page = this.page()
    if (!readAll(this.fd!, page.bytes, kept)) throw new Error('a file of records on their way was cut')
    return page
  }

  release(page: Page): void {
    if (this.free.length < 4) this.free.push(page)
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

/** Records of a stretch of the order. */
export class Bucket {
  rows = 0
  private readonly store: PageStore
  private readonly full: (Page | number)[] = []
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

  /** Shows the rows, page by page. */
  look(see: (columns: RecordColumns, rows: number) => void): void {
    for (const kept of this.full) {
      const page = this.store.shown(kept)
      see(page.columns, pageRows)
      if (typeof kept === 'number') this.store.release(page)
    }
    if (this.last !== null) see(this.last.columns, this.filled)
  }

  /** Gives out the rows, page by page, and forgets them. */
  drain(take: (columns: RecordColumns, rows: number) => void): void {
    for (const kept of this.full.splice(0)) {
      const page = this.store.taken(kept)
      take(page.columns, pageRows)
      this.store.release(page)
    }
    if (this.last !== null) {
      take(this.last.columns, this.filled)
      this.store.release(this.last)
    }
    this.last = null
    this.filled = pageRows
    this.rows = 0
  }
}
