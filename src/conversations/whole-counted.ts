/**
 * What counts once of the whole case, from its record index.
 *
 * One pass numbers the pairs of ends. What counts is then decided of those records whose ends were seen at several vantages or in several
 * files, some at a time.
 */
import { noHost, type RecordBlock } from '../record-index/block.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { type CountOnce, countOnce, NamedPairs, pointsOf } from './count-once.ts'
import { fate } from './fates.ts'
import { GatheredBlock } from './gathered.ts'
import { grown } from './key-table.ts'
import { bytesOfRecords, requireMemory } from './memory.ts'
import { Pairs } from './pairs.ts'

/** So many records are looked at together, to see which count; some 60 bytes each for the while. */
const recordsAtOnce = 4_000_000

const endColumns = ['source', 'destination', 'sourcePort', 'destinationPort', 'protocol', 'known'] as const
const countColumns = [
  ...endColumns,
  ...(['sourceSeen', 'destinationSeen', 'tcpFlags', 'icmpType', 'action', 'packets', 'bytes'] as const),
  ...(['start_us', 'end_us', 'vantage', 'file'] as const),
] as const

/** What is known of the records of a case, in the order of its index. */
export interface CountedRecords {
  /** The `fate` of each. */
  fates: Uint8Array
  /** The number of each one's pair of ends, and how many there are. */
  pairOf: Uint32Array
  pairs: number
}

export async function countedRecords(index: RecordIndex, evidence: EvidenceKind): Promise<CountedRecords> {
  const { vantages } = index.dictionaries
  const how = { evidence, vantages, isSubject: null }
  const { seen, isSuspect, ...records } = await paired(index)
  const parts = partsOf(records, seen ? null : isSuspect)
  const named = seen && parts.length > 0 ? new NamedPairs(pointsOf(how)) : null
  if (named !== null) for await (const block of index.blocks(countColumns)) named.add(block)
  for (const rows of parts) await judge(index, how, named, rows, records.fates)
  return records
}

interface PairedRecords extends CountedRecords {
  /** Whether records may have been seen under other addresses: all of them are looked at. */
  seen: boolean
  /** By pair: whether it was seen at several vantages, or one of its records may be equal to another one. */
  isSuspect: Uint8Array
}

/** Numbers the pairs of ends; records without ends are told. @throws UserError where there is too little memory for it. */
async function paired(index: RecordIndex): Promise<PairedRecords> {
  requireMemory(index.rows, bytesOfRecords(index.rows))
  const pairs = new Pairs(index.rows / 4)
  const [fates, pairOf] = [new Uint8Array(index.rows), new Uint32Array(index.rows)]
  /** By pair: the only vantage that saw it so far, and one. */
  let vantageOf = new Uint32Array(1 << 10)
  let isSuspect = new Uint8Array(1 << 10)
  let at = 0
  let seen = false
  for await (const block of index.blocks([...endColumns, 'start_us', 'vantage', 'sourceSeen'])) {
    seen ||= block.sourceSeen !== null
    const numbers = pairOf.subarray(at, at + block.rows)
    pairs.number(block, numbers)
    if (pairs.count > vantageOf.length) {
      const room = Math.max(pairs.count, 2 * vantageOf.length)
      vantageOf = grown(vantageOf, new Uint32Array(room))
      isSuspect = grown(isSuspect, new Uint8Array(room))
    }
    for (let row = 0; row < block.rows; row++) {
      if (block.source[row] === noHost || block.destination[row] === noHost) {
        fates[at + row] = fate.withoutEnds
        continue
      }
      const pair = numbers[row]!
      const vantage = block.vantage[row]! + 1
      const before = vantageOf[pair]!
      if (before === 0) vantageOf[pair] = vantage
      // An equal record stands beside it: at the ends of blocks that is not seen.
      const isDoubtful = row === 0 || row === block.rows - 1 || mayBeAlike(block, row - 1, row)
      if (isDoubtful || (before !== 0 && before !== vantage)) isSuspect[pair] = 1
    }
    at += block.rows
  }
  return { fates, pairOf, pairs: pairs.count, seen, isSuspect }
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

/** The rows that are to be looked at, those of each pair together, a part at a time. @param isSuspect null: all pairs are. */
function partsOf({ fates, pairOf }: CountedRecords, isSuspect: Uint8Array | null): Uint32Array[] {
  const wanted = new Uint32Array(pairOf.length)
  let count = 0
  for (let row = 0; row < pairOf.length; row++) {
    if (isSuspect !== null && isSuspect[pairOf[row]!] === 0) continue
    if (fates[row] !== fate.withoutEnds) wanted[count++] = row
  }
  const rows = wanted.slice(0, count)
  const parts = Math.ceil(count / recordsAtOnce)
  if (parts <= 1) return count === 0 ? [] : [rows]
  return Array.from({ length: parts }, (_, part) => rows.filter(row => pairOf[row]! % parts === part))
}

/** Decides which of some rows of the index count. */
async function judge(
  index: RecordIndex,
  how: CountOnce,
  named: NamedPairs | null,
  rows: Uint32Array,
  fates: Uint8Array,
): Promise<void> {
  let into: GatheredBlock | null = null
  let at = 0
  let next = 0
  for await (const block of index.blocks(countColumns)) {
    const first = next
    while (next < rows.length && rows[next]! < at + block.rows) next++
    into ??= new GatheredBlock(rows.length, block.sourceSeen !== null)
    into.add(
      block,
      rows.subarray(first, next).map(row => row - at),
    )
    at += block.rows
  }
  if (into === null) return
  const found = countOnce(into.block, how, named)
  for (let i = 0; i < rows.length; i++) fates[rows[i]!] = found[i]!
}
