/** Pairs of ends (two hosts, their ports, the protocol) as numbers: the records of both directions have that of their pair. */
import { known, type RecordBlock } from '../record-index/block.ts'
import { bit } from './connection-table.ts'
import { batchKeys, KeyTable, mixed } from './key-table.ts'

/** The number of each record's pair, in the order in which they came, and how many there are. */
export interface PairNumbers {
  of: Uint32Array
  count: number
}

export function numberPairs(block: RecordBlock): PairNumbers {
  const keys = new KeyTable(block.rows / 3)
  const batch = new Uint32Array(4 * batchKeys)
  const of = new Uint32Array(block.rows)
  for (let from = 0; from < block.rows; from += batchKeys) {
    const count = Math.min(batchKeys, block.rows - from)
    for (let i = 0; i < count; i++) {
      const row = from + i
      const forward = isForward(block, row)
      batch[4 * i] = forward ? block.source[row]! : block.destination[row]!
      batch[4 * i + 1] = forward ? block.destination[row]! : block.source[row]!
      batch[4 * i + 2] = portsOf(block, row, forward)
      batch[4 * i + 3] = keyOf(block, row, forward)
    }
    keys.addAll(batch, count, of.subarray(from, from + count))
  }
  return { of, count: keys.count }
}

/** Whether the source of a record is end a of its connection. */
export function isForward(block: RecordBlock, record: number): boolean {
  const source = block.source[record]!
  const destination = block.destination[record]!
  if (source !== destination) return source < destination
  const has = block.known[record]!
  const sourcePort = (has & known.sourcePort) !== 0 ? block.sourcePort[record]! : -1
  return sourcePort <= ((has & known.destinationPort) !== 0 ? block.destinationPort[record]! : -1)
}

/** Both ports of a record in one number, that of end a below; those that are not known are zero. */
export function portsOf(block: RecordBlock, record: number, forward: boolean): number {
  const has = block.known[record]!
  const sourcePort = (has & known.sourcePort) === 0 ? 0 : block.sourcePort[record]!
  const destinationPort = (has & known.destinationPort) === 0 ? 0 : block.destinationPort[record]!
  return (forward ? sourcePort | (destinationPort << 16) : destinationPort | (sourcePort << 16)) >>> 0
}

/** The lowest bits of a record's connection: its protocol, and which of that and the ports are known. */
export function keyOf(block: RecordBlock, record: number, forward: boolean): number {
  const has = block.known[record]!
  const sourceKnown = forward ? bit.aPortKnown : bit.bPortKnown
  return (
    ((has & known.protocol) !== 0 ? block.protocol[record]! | bit.protocolKnown : 0) |
    ((has & known.sourcePort) !== 0 ? sourceKnown : 0) |
    ((has & known.destinationPort) !== 0 ? (bit.aPortKnown | bit.bPortKnown) ^ sourceKnown : 0)
  )
}

/** Mixed bits of a record's pair of ends, the same for both of its directions. */
export function hashOfPair(block: RecordBlock, record: number, seed: number): number {
  const forward = isForward(block, record)
  const [a, b] = forward ? [block.source, block.destination] : [block.destination, block.source]
  return mixed(a[record]! ^ seed, b[record]!, portsOf(block, record, forward), keyOf(block, record, forward))
}
