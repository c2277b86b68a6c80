import { noHost } from './block.ts'

/** Puts the number that each number has in the end in its place. */
export function renumber(column: Uint32Array, rows: number, ranks: Uint32Array): void {
  const count = Math.min(rows, column.length)
  for (let row = 0; row < count; row++) {
    const number = column[row]!
    if (number !== noHost) column[row] = ranks[number]!
  }
}
