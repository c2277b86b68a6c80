/**
 * The whole way to conversations: those of all records of a case, from its record index. What counts (`whole-counted.ts`) is chained in one
 * pass over it.
 */

import type { Prefix } from '../net/prefix.ts'
import { rawSql } from '../query/sql.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { noConnection } from './connection-table.ts'
import { askedEndpoints, type Chained, type Judged, judgedByFlags, judgeRest, learnFrom } from './conversations.ts'
import { fate } from './fates.ts'
import { internalHosts } from './hosts.ts'
import { bytesOfPairs, requireMemory } from './memory.ts'
import { MeteredConnections } from './metered.ts'
import { Stitcher } from './stitch.ts'
import { countedRecords } from './whole-counted.ts'

const chainColumns = [
  ...([
    'source',
    'destination',
    'sourcePort',
    'destinationPort',
    'protocol',
    'tcpFlags',
    'icmpType',
    'action',
  ] as const),
  ...(['packets', 'bytes', 'start_us', 'end_us', 'vantage', 'known'] as const),
] as const

/** The connections of a case, and what became of each of its records, in the order of the index. */
export interface WholeConversations extends Chained {
  dictionaries: RecordDictionaries
  fates: Uint8Array
  /** Of records that do not count and whose ends have no connection: legs of hops. Theirs come after all others in `connectionOf`. */
  legs: Judged
}

/** A connection of a record, and those among which it is. */
export function connectionAt(whole: WholeConversations, connection: number): [Judged, number] {
  const { count } = whole.table
  return connection < count ? [whole, connection] : [whole.legs, connection - count]
}

/**
 * All connections with their roles. A record that does not count has the connection of its ends that was the latest, for its role.
 *
 * @param own the analyst's own networks, internal beside those that the internet does not route.
 * @throws UserError where there is too little memory for them.
 */
export async function wholeConversations(
  c: Case,
  index: RecordIndex,
  evidence: EvidenceKind,
  own: readonly Prefix[],
): Promise<WholeConversations> {
  const { dictionaries } = index
  const { fates, pairOf, pairs } = await countedRecords(index, evidence)
  requireMemory(index.rows, bytesOfPairs(pairs))
  const stitcher = new Stitcher(evidence, dictionaries.vantages, pairs)
  // Where a record's connection is told, its pair is no longer needed.
  const connectionOf = pairOf
  const left = await chainAll(index, fates, connectionOf, stitcher)
  const legs = new Stitcher(evidence, dictionaries.vantages, left.length > 0 ? pairs : 0)
  if (left.length > 0) await adopt(index, left, connectionOf, stitcher, legs)
  const { hosts } = dictionaries
  const metered = evidence === 'packets' ? await MeteredConnections.read(c, hosts, rawSql('true')) : null
  const judged = judgedByFlags(evidence, stitcher.table, metered)
  const ofLegs = judgedByFlags(evidence, legs.table, metered)
  for (const some of [judged, ofLegs]) {
    const asked = askedEndpoints(some)
    learnFrom(asked, judged, null)
    judgeRest(some, asked, { isInternal: internalHosts(hosts, own) })
  }
  return { ...judged, connectionOf, dictionaries, fates, legs: ofLegs }
}

/** So many records are prepared at once. */
const ahead = 1024

/**
 * Chains the records that count; the others have the latest connection of their ends.
 *
 * @param connectionOf the pair of each record, in whose place comes its connection.
 * @returns the records that came before any connection of their ends, which still have their pairs.
 */
async function chainAll(
  index: RecordIndex,
  fates: Uint8Array,
  connectionOf: Uint32Array,
  stitcher: Stitcher,
): Promise<number[]> {
  const left: number[] = []
  let at = 0
  for await (const block of index.blocks(chainColumns)) {
    for (let row = 0; row < block.rows; row++) {
      const place = at + row
      if (row % ahead === 0) stitcher.prepare(connectionOf.subarray(place, at + Math.min(row + ahead, block.rows)))
      const one = fates[place]!
      const pair = connectionOf[place]!
      if (one === fate.counted) connectionOf[place] = stitcher.add(pair, block, row, place)
      else if (one === fate.withoutEnds) connectionOf[place] = noConnection
      else if (stitcher.latest(pair) >= 0) connectionOf[place] = stitcher.latest(pair)
      else left.push(place)
    }
    at += block.rows
  }
  return left
}

/** Gives records that do not count, and came before any that does, the latest connection of their ends, else one of their own. */
async function adopt(
  index: RecordIndex,
  left: readonly number[],
  connectionOf: Uint32Array,
  stitcher: Stitcher,
  legs: Stitcher,
): Promise<void> {
  let at = 0
  let next = 0
  for await (const block of index.blocks(chainColumns)) {
    for (; next < left.length && left[next]! < at + block.rows; next++) {
      const place = left[next]!
      const pair = connectionOf[place]!
      const latest = stitcher.latest(pair)
      connectionOf[place] = latest >= 0 ? latest : stitcher.table.count + legs.add(pair, block, place - at, place)
    }
    at += block.rows
  }
}
