/** The rows of a block that a view is of, brought together: what sums them up need not look at the others. */
import type { Rows } from './sums.ts'

export class Matching {
  /** By number of a matching row: its row of the block. */
  private readonly picked: Uint32Array

  /** @param room rows of a block. */
  constructor(room: number) {
    this.picked = new Uint32Array(room)
  }

  /** Finds the rows of a block whose bits are set, in their order. @param first a multiple of 32. @returns how many. */
  find(words: Uint32Array, first: number, rows: number): number {
    const { picked } = this
    let count = 0
    for (let row = 0; row < rows; row += 32) {
      for (let bits = words[(first + row) >>> 5]!; bits !== 0; bits &= bits - 1)
        picked[count++] = row + 31 - Math.clz32(bits & -bits)
    }
    return count
  }

  /** Puts the found rows of some columns at the beginning. @param count what `find` gave. */
  gather(rows: Rows, count: number): void {
    const { picked } = this
    pickWhole(rows.source, picked, count)
    pickWhole(rows.destination, picked, count)
    this.gatherForPorts(rows, count)
  }

  /** The same for kinds, ports and counters alone. */
  gatherForPorts({ kind, sourcePort, destinationPort, bytes, packets }: Rows, count: number): void {
    const { picked } = this
    pickWhole(kind, picked, count)
    pickWhole(sourcePort, picked, count)
    pickWhole(destinationPort, picked, count)
    this.gatherFloats(bytes, count)
    this.gatherFloats(packets, count)
  }

  gatherFloats(column: Float64Array, count: number): void {
    const { picked } = this
    for (let i = 0; i < count; i++) column[i] = column[picked[i]!]!
  }

  /** Marks the values of the found rows of a column. @returns how many were not marked before. */
  mark(isMet: Uint8Array, column: Uint32Array, count: number): number {
    const { picked } = this
    let met = 0
    for (let i = 0; i < count; i++) {
      const value = column[picked[i]!]!
      met += 1 - isMet[value]!
      isMet[value] = 1
    }
    return met
  }
}

function pickWhole(column: Uint32Array, picked: Uint32Array, count: number): void {
  for (let i = 0; i < count; i++) column[i] = column[picked[i]!]!
}
