/**
 * The whole way to conversations: those of all records of a case, from its record index, in passes over it.
 *
 * What counts once is decided of records whose ends may have been seen at several vantages or in several files, some at a time: a digest of the
 * ends finds them. What counts is then chained in one pass.
 */

import type { Prefix } from '../net/prefix.ts'
import { rawSql } from '../query/sql.ts'
import { noHost, type RecordBlock, type RecordDictionaries } from '../record-index/block.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { noConnection } from './connection-table.ts'
import { askedEndpoints, type Chained, type Judged, judgedByFlags, judgeRest, learnFrom } from './conversations.ts'
import { countOnce, NamedPairs, pointsOf } from './count-once.ts'
import { fate } from './fates.ts'
import { copyRow, emptyBlock } from './gathered.ts'
import { internalHosts } from './hosts.ts'
import { MeteredConnections } from './metered.ts'
import { Stitcher } from './stitch.ts'
import { endsDigest } from './twins.ts'

/** So many records are looked at together, to see which count; some 60 bytes each for the while. */
const recordsAtOnce = 4_000_000

const countColumns = [
  ...(['source', 'destination', 'sourceSeen', 'destinationSeen', 'sourcePort', 'destinationPort', 'protocol'] as const),
  ...([
    'tcpFlags',
    'icmpType',
    'action',
    'packets',
    'bytes',
    'start_us',
    'end_us',
    'vantage',
    'known',
    'file',
  ] as const),
] as const
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

/** The `fate` of each record, in the order of the index. */
export async function wholeFates(index: RecordIndex, evidence: EvidenceKind): Promise<Uint8Array> {
  const fates = new Uint8Array(index.rows)
  const { vantages } = index.dictionaries
  const how = { evidence, vantages, isSubject: null }
  const suspects = await findSuspects(index, fates)
  if (suspects.count === 0) return fates
  const pairs = suspects.seen ? new NamedPairs(pointsOf(how)) : null
  if (pairs !== null) for await (const block of index.blocks(countColumns)) pairs.add(block)
  const parts = Math.ceil(suspects.count / recordsAtOnce)
  for (let part = 0; part < parts; part++) {
    const isWanted = (block: RecordBlock, row: number): boolean => {
      const slot = suspects.ends.slotOf(block, row)
      return slot % parts === part && (suspects.seen || suspects.ends.isSuspect(slot))
    }
    const { block, rows } = await gather(index, isWanted, Math.ceil((suspects.count / parts) * 1.1))
    const found = countOnce(block, how, pairs)
    for (let row = 0; row < block.rows; row++) fates[rows[row]!] = found[row]!
  }
  return fates
}

interface Suspects {
  ends: EndsTable
  count: number
  /** Whether records may have been seen under other addresses: all of them are looked at. */
  seen: boolean
}

const vantageBits = 12
const vantageMask = (1 << vantageBits) - 1

/** Pairs of ends by a digest of some 44 bits, each with the only vantage that saw it so far, and one; or `suspect`. */
class EndsTable {
  readonly slots: Uint32Array
  private readonly bits: number

  constructor(rows: number) {
    this.bits = Math.min(28, Math.max(10, Math.ceil(Math.log2(1.5 * rows + 2))))
    this.slots = new Uint32Array(1 << this.bits)
  }

  /** Where a record's ends are noted, or would be. */
  slotOf(block: RecordBlock, row: number): number {
    const { slots } = this
    const mask = slots.length - 1
    const digest = endsDigest(block, row, 32)
    const check = this.checkOf(block, row)
    let slot = digest >>> (32 - this.bits)
    while (slots[slot] !== 0 && slots[slot]! >>> vantageBits !== check) slot = (slot + 1) & mask
    return slot
  }

  /** Notes a vantage of a record's ends, or that they are suspect. */
  note(block: RecordBlock, row: number, isDoubtful: boolean): boolean {
    const slot = this.slotOf(block, row)
    const before = this.slots[slot]! & vantageMask
    const vantage = Math.min(block.vantage[row]! + 1, vantageMask)
    const now = isDoubtful || (before !== 0 && before !== vantage) ? vantageMask : vantage
    this.slots[slot] = ((this.checkOf(block, row) << vantageBits) | now) >>> 0
    return now === vantageMask
  }

  isSuspect(slot: number): boolean {
    return (this.slots[slot]! & vantageMask) === vantageMask
  }

  private checkOf(block: RecordBlock, row: number): number {
    const ends = (block.source[row]! + block.destination[row]!) ^ Math.imul(block.protocol[row]!, 0x9e3779b1)
    const ports =
      block.sourcePort[row]! +
      block.destinationPort[row]! +
      (block.sourcePort[row]! ^ block.destinationPort[row]!) * 65537
    return Math.imul(ends ^ Math.imul(ports, 0x85ebca6b), 0xc2b2ae35) >>> vantageBits
  }
}

/** Records whose ends were seen at several vantages, or one of which may be equal to another one; those without ends are told. */
async function findSuspects(index: RecordIndex, fates: Uint8Array): Promise<Suspects> {
  const ends = new EndsTable(index.rows)
  let at = 0
  let seen = false
  let some = false
  for await (const block of index.blocks([...endColumns, 'start_us', 'vantage', 'sourceSeen'])) {
    seen ||= block.sourceSeen !== null
    for (let row = 0; row < block.rows; row++) {
      if (block.source[row] === noHost || block.destination[row] === noHost) {
        fates[at + row] = fate.withoutEnds
        continue
      }
      // An equal record stands beside it: at the ends of blocks that is not seen.
      const isDoubtful = row === 0 || row === block.rows - 1 || mayBeAlike(block, row - 1, row)
      if (ends.note(block, row, isDoubtful)) some = true
    }
    at += block.rows
  }
  let count = 0
  if (seen) count = index.rows
  else if (some)
    for await (const block of index.blocks(endColumns))
      for (let row = 0; row < block.rows; row++) if (ends.isSuspect(ends.slotOf(block, row))) count++
  return { ends, count, seen }
}

function mayBeAlike(block: RecordBlock, one: number, other: number): boolean {
  return (
    block.start_us[one] === block.start_us[other] &&
    block.source[one] === block.source[other] &&
    block.destination[one] === block.destination[other] &&
    block.sourcePort[one] === block.sourcePort[other] &&
    block.destinationPort[one] === block.destinationPort[other]
  )
}

const endColumns = ['source', 'destination', 'sourcePort', 'destinationPort', 'protocol'] as const

/** The wanted records as one block, and which row of the index each is. */
async function gather(
  index: RecordIndex,
  isWanted: (block: RecordBlock, row: number) => boolean,
  expected: number,
): Promise<{ block: RecordBlock; rows: Uint32Array }> {
  let into = emptyBlock(expected)
  let rows = new Uint32Array(expected)
  let at = 0
  for await (const block of index.blocks(countColumns)) {
    for (let row = 0; row < block.rows; row++) {
      if (!isWanted(block, row)) continue
      if (into.rows === rows.length) {
        const larger = new Uint32Array(2 * rows.length + 64)
        larger.set(rows)
        rows = larger
        into = emptyBlock(larger.length, into)
      }
      rows[into.rows] = at + row
      copyRow(block, row, into)
    }
    at += block.rows
  }
  return { block: into, rows }
}

/**
 * All connections with their roles. A record that does not count has the connection of its ends that was the latest, for its role.
 *
 * @param own the analyst's own networks, internal beside those that the internet does not route.
 */
export async function wholeConversations(
  c: Case,
  index: RecordIndex,
  evidence: EvidenceKind,
  own: readonly Prefix[],
): Promise<WholeConversations> {
  const { dictionaries } = index
  const fates = await wholeFates(index, evidence)
  const stitcher = new Stitcher(evidence, dictionaries.vantages, index.rows / 4)
  const connectionOf = new Uint32Array(index.rows)
  let left = 0
  let at = 0
  for await (const block of index.blocks(chainColumns)) {
    for (let row = 0; row < block.rows; row++) {
      const place = at + row
      const one = fates[place]!
      if (one === fate.counted) connectionOf[place] = stitcher.add(block, row, place)
      else {
        const connection = one === fate.withoutEnds ? -1 : stitcher.latest(block, row)
        connectionOf[place] = connection < 0 ? noConnection : connection
        if (connection < 0 && one > fate.withoutEnds) left++
      }
    }
    at += block.rows
  }
  const legs = new Stitcher(evidence, dictionaries.vantages)
  if (left > 0) await adopt(index, fates, connectionOf, stitcher, legs)
  const { hosts } = dictionaries
  const metered = evidence === 'packets' ? await MeteredConnections.read(c, hosts, rawSql('true')) : null
  const judged = judgedByFlags(evidence, stitcher.table, metered)
  const ofLegs = judgedByFlags(evidence, legs.table, metered)
  for (const some of [judged, ofLegs]) {
    const asked = askedEndpoints(some)
    learnFrom(asked, judged, null)
    judgeRest(some, asked, { addresses: hosts, isInternal: internalHosts(hosts, own) })
  }
  return { ...judged, connectionOf, dictionaries, fates, legs: ofLegs }
}

/** Gives records that do not count, and came before any that does, the latest connection of their ends, else one of their own. */
async function adopt(
  index: RecordIndex,
  fates: Uint8Array,
  connectionOf: Uint32Array,
  stitcher: Stitcher,
  legs: Stitcher,
): Promise<void> {
  let at = 0
  for await (const block of index.blocks(chainColumns)) {
    for (let row = 0; row < block.rows; row++) {
      if (fates[at + row]! <= fate.withoutEnds || connectionOf[at + row] !== noConnection) continue
      const connection = stitcher.latest(block, row)
      connectionOf[at + row] = connection >= 0 ? connection : stitcher.table.count + legs.add(block, row, at + row)
    }
    at += block.rows
  }
}
