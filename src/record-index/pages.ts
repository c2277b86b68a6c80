/** Records that wait to be put in order: in memory as far as they may be, else in a file. */
import { closeSync } from 'node:fs'
import { openScratch, readAll, writeAll } from '../disk/scratch.ts'
import type { RecordColumns } from './columns.ts'
import { bytesOfRow, type RowLayout, Rows } from './rows.ts'

const pageRows = 1024

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
  readonly layout: RowLayout
  private readonly folder: string
  private readonly pageBytes: number
  /** How many pages may be held in memory, and how many more. */
  private readonly most: number
  private room: number
  private fd: number | null = null
  private written = 0
  private readonly free: Rows[] = []

  /** @param folder for a file of what does not fit. */
  constructor(folder: string, layout: RowLayout, memoryBytes: number) {
    this.folder = folder
    this.layout = layout
    this.pageBytes = pageRows * bytesOfRow(layout)
    this.most = Math.floor(memoryBytes / this.pageBytes)
    this.room = this.most
  }

  page(): Rows {
    return this.free.pop() ?? new Rows(this.layout, new ArrayBuffer(this.pageBytes))
  }

  /** Lets a full page wait. */
  keep(page: Rows): WaitingPage {
    if (this.room > 0) {
      this.room--
      return page.buffer
    }
    this.fd ??= openScratch(this.folder)
    writeAll(this.fd, new Uint8Array(page.buffer), this.written)
    this.release(page)
    const from = this.written
    this.written += this.pageBytes
    return { fd: this.fd, from }
  }

  /** Shows records that wait, page by page. @param isLast whether nobody needs them afterwards. */
  show({ rows, pages }: WaitingRecords, see: (page: Rows, rows: number) => void, isLast: boolean): void {
    for (const [i, waiting] of pages.entries()) {
      const isHere = waiting instanceof ArrayBuffer
      const page = isHere ? new Rows(this.layout, waiting) : this.read(waiting)
      see(page, Math.min(pageRows, rows - i * pageRows))
      if (isLast || !isHere) this.release(page)
    }
    if (isLast) pages.length = 0
  }

  private read({ fd, from }: { fd: number; from: number }): Rows {
    const page = this.page()
    if (!readAll(fd, new Uint8Array(page.buffer), from)) throw new Error('a file of records on their way was cut')
    return page
  }

  private release(page: Rows): void {
    if (this.free.length < 4) this.free.push(page)
  }

  /** To be called where no page waits any more: their room is free again. */
  reset(): void {
    this.room = this.most
    this.written = 0
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
  private last: Rows | null = null
  private filled = pageRows

  constructor(store: PageStore) {
    this.store = store
  }

  /** Adds some rows of columns. */
  add(columns: RecordColumns, rows: Uint32Array): void {
    for (let at = 0; at < rows.length; ) {
      const page = this.pageWithRoom()
      const count = Math.min(rows.length - at, pageRows - this.filled)
      page.put(this.filled, columns, rows.subarray(at, at + count))
      this.filled += count
      this.rows += count
      at += count
    }
  }

  /** Adds one of other rows. */
  addRow(rows: Rows, row: number): void {
    this.pageWithRoom().copy(this.filled++, rows, row)
    this.rows++
  }

  private pageWithRoom(): Rows {
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
