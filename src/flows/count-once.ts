/**
 * Conversations that several sensors or files recorded: which of their records stand for the others.
 *
 * The rule is that of `investigate`, over the whole case. It is worked out once and kept in the case's `cache` folder, which anybody may
 * delete: it is no part of the record. Where one sensor wrote every record, once, nothing is worked out at all.
 */

import { basename } from 'node:path'
import { lacksSensors } from '../record-index/sensor.ts'
import { type CachedTable, cachedTable, keptSource } from '../store/cached-table.ts'
import type { Case } from '../store/case.ts'
import { subscriptionOf } from '../store/entries.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import { tracksOf } from '../store/tracks.ts'
import type { Records } from './source.ts'

/** Changes with the rule: what an older one left is not read. */
const rule = 3

interface Doubt {
  /** Several vantages: the same conversation may have been seen at each. */
  twins: boolean
  /** Several files may hold the same records. */
  copies: boolean
}

/** The table of records that others stand for; null where there are none. */
export async function collapsedTable(c: Case, records: Records): Promise<string | null> {
  const doubt = doubtOf(c, records)
  const translated = records.columns.has('pkt_srcaddr') || records.columns.has('pkt_dstaddr')
  if (!doubt.twins && !doubt.copies && !translated) return null
  const cached = keptCollapsed(records.evidence)
  const { table } = cached
  await cachedTable(c, cached, async () => {
    // Few questions need it, and it loads the engine.
    const { giveCollapsed } = await import('../conversations/give-collapsed.ts')
    await giveCollapsed(c, records.evidence, table)
  })
  const [row] = await c.db.rows(`SELECT count(*) AS n FROM ${table}`)
  return Number(row?.['n']) > 0 ? table : null
}

/** Where the records that others stand for are kept. */
export function keptCollapsed(evidence: Records['evidence']): CachedTable {
  return {
    table: `collapsed_${evidence}`,
    file: `counted-once-${evidence}-${rule}`,
    columns: { _file: 'UINTEGER', _line: 'UINTEGER' },
    what: 'which records are one and the same traffic',
  }
}

/** The same records as any DuckDB reads them, to stand after FROM; null where nothing is kept. */
export async function shownCollapsed(c: Case, evidence: Records['evidence']): Promise<string | null> {
  const kept = await keptSource(c, keptCollapsed(evidence))
  return kept === null ? null : `(SELECT _file, _line FROM ${kept})`
}

function doubtOf(c: Case, { evidence }: Records): Doubt {
  const isLog = (file: EvidenceEntry): boolean => file.kind?.includes('flow-log') === true
  const files = c.evidence.filter(file => file.id !== null && file.records > 0 && isLog(file) === (evidence === 'logs'))
  if (evidence === 'packets') {
    return { twins: new Set(tracksOf(files).values()).size > 1, copies: false }
  }
  const sensors = new Set(files.flatMap(file => file.sensors))
  const several = sensors.size > 1 || files.some(file => file.sensor_count > 1) || lacksSensors(c)
  const subscriptions = new Set(files.map(file => subscriptionOf(file.path)))
  return { twins: several || subscriptions.size > 1, copies: mayRepeat(files) }
}

/** Whether a record may be in two files: not in those that one flow log delivered, each under a name of its own, and not at other times. */
function mayRepeat(files: readonly EvidenceEntry[]): boolean {
  const sorted = files
    .filter(file => file.first_start !== null)
    .sort((a, b) => (a.first_start! < b.first_start! ? -1 : 1))
  let open: EvidenceEntry[] = []
  for (const file of sorted) {
    open = open.filter(one => one.last_end! >= file.first_start!)
    if (open.some(one => !areDeliveries(one, file))) return true
    open.push(file)
  }
  return false
}

/** AWS: `account_vpcflowlogs_region_flow-log_time_hash`: no two files of a flow log with such names hold the same records. */
const deliveryName = /^\d+_[a-z]*flowlogs_[a-z0-9-]+_fl-[0-9a-f]+_\d{8}T\d{4}Z_[0-9a-f]+/

function areDeliveries(a: EvidenceEntry, b: EvidenceEntry): boolean {
  const subscription = subscriptionOf(a.path)
  const name = (file: EvidenceEntry): string | undefined => deliveryName.exec(basename(file.path))?.[0]
  const [first, second] = [name(a), name(b)]
  const areNamed = subscription !== null && first !== undefined && second !== undefined
  return areNamed && subscription === subscriptionOf(b.path) && first !== second
}
