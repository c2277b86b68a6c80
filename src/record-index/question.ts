/** The records of one question as a block. */

import type { Sql } from '../query/sql.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { flowsWith } from '../store/views.ts'
import type { RecordBlock, RecordDictionaries } from './block.ts'
import { asBlock, columnsWith, makeColumns, type RecordColumns } from './columns.ts'
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
  const pieces: { columns: RecordColumns; rows: number }[] = []
  let rows = 0
  for (let batch = await answer.nextColumns(); batch !== null; batch = await answer.nextColumns()) {
    const columns = makeColumns(batch.rows, names)
    intake.take(batch, columns)
    pieces.push({ columns, rows: batch.rows })
    rows += batch.rows
    limit?.(rows)
  }
  const all = Rows.of(layoutOf(names), rows)
  let at = 0
  for (const piece of pieces.splice(0)) {
    all.put(
      at,
      piece.columns,
      Uint32Array.from({ length: piece.rows }, (_, row) => row),
    )
    at += piece.rows
  }
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
