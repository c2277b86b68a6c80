/**
 * Records counted once, chained to connections, and who began them: the one way from records to conversations.
 *
 * Whose records they are is up to the caller. What a question needs of other records, to tell who listens, is fetched by `elsewhere`.
 */
import type { RecordBlock, RecordDictionaries } from '../record-index/block.ts'
import { type ConnectionTable, noConnection } from './connection-table.ts'
import { countPeers, type EndpointTable } from './endpoints.ts'
import { fate } from './fates.ts'
import { findListeners, judgeByFlags, judgeOthers, judgePackets, Roles, undecidedEndpoints } from './ladder.ts'
import { judgeByMeter, type MeteredConnections } from './metered.ts'
import { type EvidenceKind, Stitcher } from './stitch.ts'

/** Connections of some records. */
export interface Chained {
  table: ConnectionTable
  roles: Roles
  /** The connection of each record; `noConnection` for one that does not count. */
  connectionOf: Uint32Array
  stitcher: Stitcher
}

/** Chains counted records, and tells roles by flags alone. */
export function chain(
  evidence: EvidenceKind,
  block: RecordBlock,
  { vantages }: RecordDictionaries,
  fates: Uint8Array,
  metered: MeteredConnections | null,
): Chained {
  const stitcher = new Stitcher(evidence, vantages)
  const connectionOf = new Uint32Array(block.rows).fill(noConnection)
  for (let row = 0; row < block.rows; row++) {
    if (fates[row] === fate.counted) connectionOf[row] = stitcher.add(block, row, row)
  }
  const { table } = stitcher
  const roles = new Roles(table.count)
  judgeByFlags(table, roles)
  if (metered !== null) judgeByMeter(table, roles, metered)
  if (evidence === 'packets') judgePackets(table, roles)
  return { table, roles, connectionOf, stitcher }
}

/** The endpoints whose role the flags leave open. */
export function askedEndpoints({ table, roles }: Chained): EndpointTable {
  return undecidedEndpoints(table, roles)
}

/**
 * Adds what connections tell of endpoints.
 *
 * @param hostOf number of each of their hosts where the endpoints are from; null where it is the same.
 */
export function learnFrom(asked: EndpointTable, { table, roles, stitcher }: Chained, hostOf: Uint32Array | null): void {
  if (asked.count === 0) return
  findListeners(asked, table, roles, hostOf)
  countPeers(asked, table, stitcher.latest(), hostOf)
}

/** Tells the roles that the flags leave open. */
export function judgeRest(
  { table, roles }: Chained,
  asked: EndpointTable,
  hosts: Parameters<typeof judgeOthers>[3],
): void {
  judgeOthers(table, roles, asked, hosts)
}
