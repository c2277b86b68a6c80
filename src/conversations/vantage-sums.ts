/** What each vantage has seen of some records. */
import { known, type RecordBlock } from '../record-index/block.ts'
import { counterOf } from './signs.ts'
import { Sums } from './sums.ts'

export class VantageSums {
  /** The vantages, each once. */
  readonly seen: number[] = []
  /** By vantage: whether a record names the instance. */
  readonly onInstance: Uint8Array
  private readonly records: Uint32Array
  private readonly bytes: Sums
  private readonly packets: Sums
  /** By vantage: bits of `known`, of the counters that some record has. */
  private readonly has: Uint8Array

  constructor(vantages: number) {
    this.onInstance = new Uint8Array(vantages)
    this.records = new Uint32Array(vantages)
    this.bytes = new Sums(vantages)
    this.packets = new Sums(vantages)
    this.has = new Uint8Array(vantages)
  }

  clear(): void {
    for (const vantage of this.seen) {
      this.onInstance[vantage] = 0
      this.records[vantage] = 0
      this.has[vantage] = 0
      this.bytes.clear(vantage)
      this.packets.clear(vantage)
    }
    this.seen.length = 0
  }

  add(block: RecordBlock, row: number, vantage: number): void {
    if (this.records[vantage]!++ === 0) this.seen.push(vantage)
    const has = block.known[row]!
    this.has[vantage]! |= has & (known.bytes | known.packets)
    if ((has & known.bytes) !== 0) this.bytes.add(vantage, counterOf(block, row, 'bytes'))
    if ((has & known.packets) !== 0) this.packets.add(vantage, counterOf(block, row, 'packets'))
    if ((has & known.onInstance) !== 0) this.onInstance[vantage] = 1
  }

  /** Above zero where a vantage has seen more than another one. What nobody knows is less than nothing. */
  compare(one: number, other: number): number {
    return (
      this.compareSums(this.bytes, known.bytes, one, other) ||
      this.compareSums(this.packets, known.packets, one, other) ||
      this.records[one]! - this.records[other]!
    )
  }

  private compareSums(sums: Sums, bit: number, one: number, other: number): number {
    const isKnown = (vantage: number): boolean => (this.has[vantage]! & bit) !== 0
    const [a, b] = [isKnown(one) ? sums.of(one) : -1, isKnown(other) ? sums.of(other) : -1]
    return a > b ? 1 : a < b ? -1 : 0
  }
}
