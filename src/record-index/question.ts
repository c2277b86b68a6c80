/** The records of one question as a block. */

import type { Sql } from '../query/sql.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { flowsWith } from '../store/views.ts'
import type { RecordBlock, RecordDictionaries } from './block.ts'
import { asBlock, type ColumnName, columnNames, columnsWith, makeColumns, type RecordColumns } from './columns.ts'
import { HostNumbers } from './hosts.ts'
import { Intake } from './intake.ts'
import { orderOf } from './order.ts'
import { type ProjectedTexts, projectedTexts, projectionOf, viewOf } from './projection.ts'
import { layoutOf, Rows } from './rows.ts'
import { VantageNumbers } from './vantage-numbers.ts'
import { fileOrigins, lastedInCase } from './vantages.ts'

export interface QuestionRecords {
  block: RecordBlock
  /** Hosts are those of the records; vantages all of the case, with the longest record of each over the whole case. */
  dictionaries: RecordDictionaries
}

interface ReadingOptions {
  evidence?: EvidenceKind
  /** Called with the number of records that are held. It throws where they are too many. */
  limit?: (rows: number) => void
  /** Whether segments may well have no such record: then it is asked first which have one. */
  isRare?: boolean
}

/**
 * The records for which a condition on the columns of the case's view is true, in the order of `orderOf`. All are held in memory, some 60
 * bytes each; while they are sorted, twice that.
 *
 * @param where on columns of `viewOf(c, evidence)`.
 */
export async function readBlock(
  c: Case,
  where: Sql,
  { evidence = c.source, limit, isRare = true }: ReadingOptions = {},
): Promise<QuestionRecords> {
  const { texts, vantages } = await pointsOf(c, evidence)
  const projection = projectionOf(c, evidence, texts)
  const names = columnsWith(projection.seen)
  const hosts = new HostNumbers()
  const intake = new Intake(projection, texts, hosts, vantages)
  const view = viewOf(c, evidence)
  const from = isRare && view === 'flows' ? await flowsWith(c, where) : view
  const answer = await c.db.stream(`SELECT ${projection.list} FROM ${from} WHERE ${where.text}`, where.values)
  const pieces = new Pieces(names)
  for (let batch = await answer.nextColumns(); batch !== null; batch = await answer.nextColumns()) {
    intake.take(batch, pieces.next(batch.rows))
    limit?.(pieces.rows)
  }
  const { rows } = pieces
  const all = pieces.joined()
  const rankedHosts = hosts.ranked()
  const rankedVantages = vantages.ranked()
  all.renumber(rows, { hosts: rankedHosts.ranks, vantages: rankedVantages.ranks })
  const sorted = makeColumns(rows, names)
  all.give(orderOf(all, rows), sorted, 0)
  return {
    block: asBlock(sorted, rows, projection.seen),
    dictionaries: { hosts: rankedHosts, vantages: rankedVantages.vantages, actions: intake.actions },
  }
}

/** Rows of a piece after the first one, which is small. */
const pieceRows = 1 << 16
const firstRows = 1 << 12

/** Columns that grow: a batch is a part of a piece, for to make arrays for each batch is a lot of garbage. */
class Pieces {
  rows = 0
  private readonly names: readonly ColumnName[]
  private pieces: { columns: RecordColumns; capacity: number; used: number }[] = []

  constructor(names: readonly ColumnName[]) {
    this.names = names
  }

  /** Room for the rows of a batch, all zero. */
  next(rows: number): RecordColumns {
    let piece = this.pieces.at(-1)
    if (piece === undefined || piece.used + rows > piece.capacity) {
      const capacity = Math.max(rows, piece === undefined ? firstRows : pieceRows)
      piece = { columns: makeColumns(capacity, this.names), capacity, used: 0 }
      this.pieces.push(piece)
    }
    const { columns, used } = piece
    piece.used += rows
    this.rows += rows
    return Object.fromEntries(
      columnNames.map(name => [name, columns[name].subarray(used, used + rows)]),
    ) as unknown as RecordColumns
  }

  /** All rows; the pieces are gone then. */
  joined(): Rows {
    const joined = Rows.of(layoutOf(this.names), this.rows)
    const inOrder = Uint32Array.from({ length: Math.max(0, ...this.pieces.map(({ used }) => used)) }, (_, row) => row)
    let at = 0
    for (const { columns, used } of this.pieces) {
      joined.put(at, columns, inOrder.subarray(0, used))
      at += used
    }
    this.pieces = []
    return joined
  }
}

/** Who recorded the records of a case, and their texts. */
interface Points {
  texts: ProjectedTexts
  /** With all vantages that there are. */
  vantages: VantageNumbers
}

/** Of cases that are open: their segments never change. */
const points = new WeakMap<Case['segments'], Map<EvidenceKind, Points>>()

async function pointsOf(c: Case, evidence: EvidenceKind): Promise<Points> {
  const kept = points.get(c.segments)?.get(evidence)
  if (kept !== undefined) return kept
  const texts = await projectedTexts(c, evidence)
  const vantages = new VantageNumbers(await fileOrigins(c, evidence), texts.sensors?.texts ?? [])
  await lastedInCase(vantages, c, evidence)
  points.set(c.segments, new Map(points.get(c.segments)).set(evidence, { texts, vantages }))
  return { texts, vantages }
}
