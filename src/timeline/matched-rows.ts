/** The records that a filter matches, one by one, without what they sum up to. */
import type { Going } from './going.ts'
import { type ListedRow, Listing } from './listed.ts'
import { type Matched, rowsOf, type Window } from './parts.ts'
import type { RowReader } from './rows.ts'
import type { Reading } from './view.ts'

export interface RowsAnswer {
  rows: ListedRow[]
  /** Rows that there are in the window. */
  count: number
}

export class MatchedRows {
  readonly matched: Matched
  private readonly reader: RowReader
  private readonly reading: Reading
  private readonly listing: Listing

  constructor(matched: Matched, reader: RowReader, reading: Reading) {
    this.matched = matched
    this.reader = reader
    this.reading = reading
    this.listing = new Listing(matched.mask)
  }

  /** Bytes that it takes. */
  get size(): number {
    const { mask, unknown } = this.matched
    return (mask?.words.byteLength ?? 0) + (unknown?.words.byteLength ?? 0) + this.listing.size
  }

  /**
   * Where the records are that begin in a window (null: all, those without a time at last), in the order of `tidemark flows -O start`;
   * those too for which others stand.
   *
   * @throws DamagedSections that come again; the signal's reason.
   */
  rows(window: Window | null, offset: number, count: number, going: Going = {}): Promise<RowsAnswer> {
    return this.reading(() => {
      const { index } = this.reader
      const range = window === null ? ([0, index.rows] as const) : rowsOf(this.reader, window)
      return this.listing.rows(index, range, offset, count, going)
    })
  }
}
