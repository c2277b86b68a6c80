/** Where a file ceased to be sound. `offset` counts the bytes of the (expanded) file: of the block in question. */
export interface NfcapdDamage {
  offset: number
  /** Number of the block in its file, from 1; 0: the file's header. */
  block: number
  /** Number of the record in its file, from 1; 0: no record in particular. */
  record: number
  problem: string
}

/** Totals that a file states about itself. Times are milliseconds since the epoch. */
export interface NfcapdTotals {
  flows: bigint
  bytes: bigint
  packets: bigint
  flowsTcp: bigint
  flowsUdp: bigint
  flowsIcmp: bigint
  flowsOther: bigint
  bytesTcp: bigint
  bytesUdp: bigint
  bytesIcmp: bigint
  bytesOther: bigint
  packetsTcp: bigint
  packetsUdp: bigint
  packetsIcmp: bigint
  packetsOther: bigint
  first: bigint
  last: bigint
  sequenceFailures: bigint
}

export type NfcapdCompression = 'none' | 'lzo' | 'bz2' | 'lz4' | 'zstd'

/** Places of damage that are named one by one. */
const damagesMax = 100

/**
 * What a file held and what became of it. Law: `records` = `flows` + all of `skipped`; `blocks` = blocks read + all of `skippedBlocks`.
 */
export class NfcapdAccount {
  /** 1: nfdump 1.6; 2: nfdump 1.7. 0 until known. */
  layout = 0
  littleEndian = true
  compression: NfcapdCompression = 'none'
  /** What the sensor calls itself. */
  ident = ''
  /** nfdump's version in four bytes, as 0x01070100; 0 unknown. */
  nfdumpVersion = 0
  /** Seconds since the epoch; 0 unknown. */
  created = 0
  /** By the header; 0 also where a collector was stopped or wrote to a pipe. */
  blocksAnnounced = 0
  blocks = 0
  blocksRead = 0
  skippedBlocks = new Map<string, number>()
  records = 0
  flows = 0
  /** Records that are no flows, or unreadable ones, by reason. */
  skipped = new Map<string, number>()
  /** Elements of flows that are passed over, by nfdump's name or number. */
  otherElements = new Map<string, number>()
  sampledFlows = 0
  /** Flows that count packets or bytes of the way back too. */
  bothWays = 0
  anonymisedFlows = 0
  events = 0
  totals: NfcapdTotals | null = null
  damages: NfcapdDamage[] = []
  /** Also those that are not in `damages`. */
  damageCount = 0

  damage(offset: number, block: number, record: number, problem: string): void {
    this.damageCount++
    if (this.damages.length < damagesMax) this.damages.push({ offset, block, record, problem })
  }
}

export function countIn(map: Map<string, number>, key: string, by = 1): void {
  map.set(key, (map.get(key) ?? 0) + by)
}
