/** Ordinals of the places of records in the evidence: what says which records are meant, as bits. */

import { UserError } from '../errors.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { FilePlaces } from './layout.ts'

const placesMax = 2 ** 32 - 1

export interface Places {
  files: readonly FilePlaces[]
  ways: number
  places: number
}

/** Where the lines of each file are. */
export async function placesOf(index: RecordIndex, ways: number): Promise<Places> {
  const lines = new Map<number, { first: number; last: number }>()
  let of = { first: 0, last: 0 }
  let current = -1
  for await (const { rows, file, line } of index.blocks(['file', 'line'])) {
    for (let row = 0; row < rows; row++) {
      const own = line[row]!
      if (file[row] !== current) {
        current = file[row]!
        of = lines.get(current) ?? { first: own, last: own }
        lines.set(current, of)
      }
      if (own < of.first) of.first = own
      if (own > of.last) of.last = own
    }
  }
  let places = 0
  const files = [...lines]
    .sort(([a], [b]) => a - b)
    .map(([file, { first, last }]): FilePlaces => {
      const base = places - ways * first
      places += ways * (last - first + 1)
      return { file, base, first, last }
    })
  if (places > placesMax) {
    throw new UserError('more than 4,294,967,295 lines or packets in the case', {
      hint: 'make a case of a part of the evidence',
    })
  }
  return { files, ways, places }
}

/** By number of a file, what is added to its line for the place; NaN for a file without records. */
export function basesOf(files: readonly FilePlaces[]): Float64Array {
  const bases = new Float64Array(files.reduce((most, { file }) => Math.max(most, file), 0) + 1).fill(Number.NaN)
  for (const { file, base } of files) bases[file] = base
  return bases
}

/** A set of ordinals. */
export class Bits {
  readonly words: Uint32Array

  constructor(count: number) {
    this.words = new Uint32Array((count >>> 5) + 1)
  }

  add(at: number): void {
    this.words[at >>> 5]! |= 1 << (at & 31)
  }

  has(at: number): boolean {
    return ((this.words[at >>> 5]! >>> (at & 31)) & 1) === 1
  }
}

/** File and line of a place. */
export function lineOf(files: readonly FilePlaces[], ways: number, place: number): { file: number; line: number } {
  let low = 0
  let high = files.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    const { base, first } = files[middle]!
    if (base + ways * first <= place) low = middle
    else high = middle - 1
  }
  const { file, base } = files[low]!
  return { file, line: Math.floor((place - base) / ways) }
}
