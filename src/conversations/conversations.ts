/**
 * Records counted once, chained to connections, and who began them: the one way from records to conversations.
 *
 * Whose records they are is up to the caller. What a question needs of other records, to tell who listens, is fetched by `elsewhere`.
 */

import type { RecordBlock, RecordDictionaries } from '../record-index/block.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { type ConnectionTable, noConnection } from './connection-table.ts'
import type { EndpointTable } from './endpoints.ts'
import { fate } from './fates.ts'
import { judgeByFlags, judgeOthers, judgePackets, learn, Roles, undecidedEndpoints } from './ladder.ts'
import { judgeByMeter, type MeteredConnections } from './metered.ts'
import type { PairNumbers } from './pairs.ts'
import { Stitcher } from './stitch.ts'

/** Connections with their roles. */
export interface Judged {
  table: ConnectionTable
  roles: Roles
}

/** Connections of some records. */
export interface Chained extends Judged {
  /** The connection of each record; `noConnection` for one that does not count. */
  connectionOf: Uint32Array
}

/** Chains counted records, and tells roles by flags alone. */
export function chain(
  evidence: EvidenceKind,
  block: RecordBlock,
  pairs: PairNumbers,
  { vantages }: RecordDictionaries,
  fates: Uint8Array,
  metered: MeteredConnections | null,
): Chained {
  const connectionOf = new Uint32Array(block.rows)
  const stitcher = new Stitcher(evidence, vantages, pairs.count)
  for (let row = 0; row < block.rows; row++)
    connectionOf[row] = fates[row] === fate.counted ? stitcher.add(pairs.of[row]!, block, row, row) : noConnection
  return { ...judgedByFlags(evidence, stitcher.table, metered), connectionOf }
}

/** Tells roles by flags alone. @param metered what the meter made of the packets; null for logs. */
export function judgedByFlags(
  evidence: EvidenceKind,
  table: ConnectionTable,
  metered: MeteredConnections | null,
): Judged {
  const roles = new Roles(table.count)
  judgeByFlags(table, roles)
  if (metered !== null) judgeByMeter(table, roles, metered)
  if (evidence === 'packets') judgePackets(table, roles)
  return { table, roles }
}

/** The endpoints whose role the flags leave open. */
export function askedEndpoints({ table, roles }: Judged): EndpointTable {
  return undecidedEndpoints(table, roles)
}

/**
 * Adds what connections tell of endpoints.
 *
 * @param hostOf number of each of their hosts where the endpoints are from; null where it is the same.
 */
export function learnFrom(asked: EndpointTable, { table, roles }: Judged, hostOf: Uint32Array | null): void {
  if (asked.count > 0) learn(asked, table, roles, hostOf)
}

/** Tells the roles that the flags leave open. */
export function judgeRest(
  { table, roles }: Judged,
  asked: EndpointTable,
  hosts: Parameters<typeof judgeOthers>[3],
): void {
  judgeOthers(table, roles, asked, hosts)
}
