/** Tests of rows of the time index, three-valued as those of the engine: of each row whether it holds. */
import type { ColumnName } from './layout.ts'
import type { TimeIndex } from './read.ts'

/** In this order `and` is the least of some truths, and `or` the most. */
export const truth = { no: 0, unknown: 1, yes: 2 } as const
export type Truth = 0 | 1 | 2

export const truthOf = (is: boolean): Truth => (is ? truth.yes : truth.no)

/** The columns of one block, each read when it is first asked for. */
export class BlockColumns {
  block = 0
  rows = 0
  private readonly index: TimeIndex
  private readonly columns = new Map<ColumnName, { array: Uint32Array | Float64Array; block: number }>()

  constructor(index: TimeIndex) {
    this.index = index
  }

  turnTo(block: number): void {
    this.block = block
    this.rows = this.index.rowsOf(block)
  }

  /** The first row of the block. */
  get first(): number {
    return this.block * this.index.blockRows
  }

  /** @throws DamagedSections */
  get(name: ColumnName): Uint32Array | Float64Array {
    let found = this.columns.get(name)
    if (found === undefined) {
      const room = Math.min(this.index.blockRows, this.index.rows)
      found = { array: name === 'second' ? new Float64Array(room) : new Uint32Array(room), block: -1 }
      this.columns.set(name, found)
    }
    if (found.block !== this.block) {
      this.index.readInto(name, this.block, found.array)
      found.block = this.block
    }
    return found.array
  }
}

/** Puts the truth of each row of a block into an array. */
export type RowTest = (columns: BlockColumns, into: Uint8Array) => void

export function always(value: Truth): RowTest {
  return (columns, into) => {
    into.fill(value, 0, columns.rows)
  }
}

/** By the value of a column. */
export function byTable(name: 'source' | 'destination' | 'kind', table: Uint8Array): RowTest {
  return (columns, into) => {
    const values = columns.get(name)
    for (let row = 0; row < columns.rows; row++) into[row] = table[values[row]!]!
  }
}

export function notTest(test: RowTest): RowTest {
  return (columns, into) => {
    test(columns, into)
    for (let row = 0; row < columns.rows; row++) into[row] = 2 - into[row]!
  }
}

/** All of some tests, or any of them. @param room rows of a block. */
export function joined(tests: readonly RowTest[], every: boolean, room: number): RowTest {
  const [first, ...rest] = tests
  if (first === undefined) return always(truthOf(every))
  const other = new Uint8Array(room)
  return (columns, into) => {
    first(columns, into)
    for (const test of rest) {
      test(columns, other)
      if (every) {
        for (let row = 0; row < columns.rows; row++) if (other[row]! < into[row]!) into[row] = other[row]!
      } else for (let row = 0; row < columns.rows; row++) if (other[row]! > into[row]!) into[row] = other[row]!
    }
  }
}
