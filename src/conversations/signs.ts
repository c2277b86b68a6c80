/** What one record says: whether it was let through, how its connection begins and ends, what it counts. */
import { known, large, type RecordBlock } from '../record-index/block.ts'

const reject = 2
const [SYN, RST, ACK] = [2, 4, 16]
const icmpErrors = new Set([3, 4, 5, 11, 12])

export function isRejected(block: RecordBlock, record: number): boolean {
  return block.action[record] === reject
}

function flagsOf(block: RecordBlock, record: number): number {
  return (block.known[record]! & known.tcpFlags) === 0 ? 0 : block.tcpFlags[record]!
}

/** The client's SYN. Logs keep ACK only together with SYN, so one record tells either. */
export function isSyn(block: RecordBlock, record: number): boolean {
  return (flagsOf(block, record) & (SYN | ACK)) === SYN
}

/** The server's answer. The flags of a record of packets are those of all of them: only where there is a single one, SYN and ACK are one answer. */
export function isSynAck(block: RecordBlock, record: number, isPackets: boolean): boolean {
  if ((flagsOf(block, record) & (SYN | ACK)) !== (SYN | ACK)) return false
  return !isPackets || ((block.known[record]! & known.packets) !== 0 && block.packets[record] === 1)
}

/** Logs keep no ACK beside RST; packets that refuse have it. */
export function isRstAlone(block: RecordBlock, record: number, isPackets: boolean): boolean {
  const flags = flagsOf(block, record)
  return (isPackets ? flags & ~ACK : flags) === RST
}

/** An ICMP error (RFC 792, RFC 4443) is about a packet that came before, and goes to who sent that. */
export function isIcmpError(block: RecordBlock, record: number): boolean {
  if ((block.known[record]! & known.icmpType) === 0) return false
  const type = block.icmpType[record]!
  return block.protocol[record] === 1 ? icmpErrors.has(type) : block.protocol[record] === 58 && type < 128
}

/** A counter of a record that has one. */
export function counterOf(block: RecordBlock, record: number, name: 'packets' | 'bytes'): number | bigint {
  const value = block[name][record]!
  return value === large ? block.largeCounters.get(record)![name] : value
}
