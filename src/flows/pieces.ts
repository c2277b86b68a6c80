/** A long listing in pieces: each is read and sorted by itself, so that memory does not grow with the number of records. */
import {
  aggregate,
  all,
  column,
  compare,
  constant,
  count,
  equal,
  named,
  order as ordered,
  own,
  select,
} from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'
import type { Case } from '../store/case.ts'
import { isRejected } from './measures.ts'
import { matching, type Setting } from './plan.ts'

/** Records of a piece; a piece of one file, of which it is not known where its records are, has at most four times as many. */
export const pieceRecords = 25_000
const pieceLinesMax = 4 * pieceRecords

/** Matching records that stand together in the order of the evidence. */
export interface Piece {
  firstFile: number
  lastFile: number
  /** Of one file: lines from the first to the last; absent: all. */
  lines?: { first: number; last: number }
}

export interface PiecesOfListing {
  records: number
  rejected: number | null
  pieces: Piece[]
}

interface Matches {
  file: number
  records: number
  first: number
  last: number
}

/** Counts what matches file by file, and cuts the listing so that each piece has about `pieceRecords`. */
export async function piecesOf(c: Case, s: Setting): Promise<PiecesOfListing> {
  const hasAction = s.records.columns.has('action')
  const items = [
    own('_file'),
    named(count(), 'records'),
    ...(hasAction ? [named(count(isRejected), 'rejected')] : []),
    named(aggregate('min', column('_line')), 'first'),
    named(aggregate('max', column('_line')), 'last'),
  ]
  const needs = ['_file', '_line', ...(hasAction ? ['action'] : [])]
  const query = select(items, {
    ...matching(s, needs),
    groupBy: [column('_file')],
    orderBy: [ordered(column('_file'))],
  })
  const { text, values } = s.dialect.print(query)
  const rows = await c.db.rows(text, values)
  const files = rows.map(row => ({
    file: Number(row['_file']),
    records: Number(row['records']),
    first: Number(row['first']),
    last: Number(row['last']),
  }))
  return {
    records: files.reduce((sum, file) => sum + file.records, 0),
    rejected: hasAction ? rows.reduce((sum, row) => sum + Number(row['rejected']), 0) : null,
    pieces: cut(files),
  }
}

function cut(files: readonly Matches[]): Piece[] {
  const pieces: Piece[] = []
  let room = 0
  for (const { file, records, first, last } of files) {
    const before = pieces.at(-1)
    if (records > pieceRecords) {
      const width = Math.min(pieceLinesMax, Math.ceil((last - first + 1) / Math.ceil(records / pieceRecords)))
      for (let from = first; from <= last; from += width) {
        pieces.push({ firstFile: file, lastFile: file, lines: { first: from, last: from + width - 1 } })
      }
      room = 0
    } else if (before !== undefined && records <= room) {
      before.lastFile = file
      room -= records
    } else {
      pieces.push({ firstFile: file, lastFile: file })
      room = pieceRecords - records
    }
  }
  return pieces
}

/** Which records are in the piece. */
export function isIn({ firstFile, lastFile, lines }: Piece): Expression {
  const [file, place] = [column('_file'), column('_line')]
  if (lines === undefined)
    return all([compare('>=', file, constant(firstFile)), compare('<=', file, constant(lastFile))])
  const { first, last } = lines
  return all([
    equal(file, constant(firstFile)),
    compare('>=', place, constant(first)),
    compare('<=', place, constant(last)),
  ])
}
