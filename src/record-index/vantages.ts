/** What a case tells of the points that recorded its records. */
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { notOfParts } from '../store/pulled.ts'
import { viewOf } from './projection.ts'
import { sensorSql } from './sensor.ts'
import type { FileOrigins, Origin, VantageNumbers } from './vantage-numbers.ts'

/** Tells the longest records of all that the case has, whichever were read. */
export async function lastedInCase(vantages: VantageNumbers, c: Case, evidence: EvidenceKind): Promise<void> {
  const sensor = evidence === 'logs' ? sensorSql(c) : 'NULL::VARCHAR'
  const answer = await c.db.stream(
    `SELECT _file, ${sensor} AS sensor, max(epoch_us("end") - epoch_us(start)) AS longest_us FROM ${viewOf(c, evidence)} GROUP BY ALL${leftBehind(c, evidence)}`,
  )
  for await (const rows of answer) {
    for (const [file, text, longest_us] of rows)
      vantages.lasted(vantages.vantageOf(Number(file), text as string | null), Number(longest_us ?? 0))
  }
}

/** Of what was pulled, the longest of those that were not. */
function leftBehind({ pulled }: Case, evidence: EvidenceKind): string {
  if (notOfParts(pulled) === null || evidence !== 'logs') return ''
  return ' UNION ALL SELECT _file, sensor, max(longest_us)::BIGINT FROM main.pulled GROUP BY ALL'
}

export async function fileOrigins(c: Case, evidence: EvidenceKind): Promise<FileOrigins> {
  const rows = await c.db.rows('SELECT id, subscription, sensor FROM evidence')
  const isLog = evidence === 'logs'
  const origins: Origin[] = []
  const known = new Map<string | null, number>()
  const ofFile = new Uint32Array(rows.reduce((most, row) => Math.max(most, Number(row['id'])), 0) + 1)
  for (const row of rows) {
    const told = row[isLog ? 'subscription' : 'sensor'] as string | null
    const number = known.get(told) ?? origins.length
    if (number === origins.length) {
      known.set(told, number)
      origins.push({ sensor: isLog ? null : told, subscription: isLog ? told : null })
    }
    ofFile[Number(row['id'])] = number
  }
  return { origins, ofFile }
}
