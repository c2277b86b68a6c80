// Where the parts of a connection's entry lie: after the head of every entry, the connection, then its two ends, the
// lower first. Five cache lines in all.
import { headDoubles } from './table.ts'

/** Doubles, from the start of the entry. */
export const firstTime = 7
export const lastTime = headDoubles
/** Zeek's last time: it stands still once both ends have closed. */
export const activeTime = headDoubles + 1
export const packetNumber = headDoubles + 2

/** Words, from the start of the entry. */
export const layersOfFirst = 2 * (headDoubles + 3)
export const tunnelIdOfFirst = layersOfFirst + 1
export const icmpOfFirst = layersOfFirst + 2
/** Times of SYN and SYN-ACK, their low 32 bits; from SYN to ACK. Each says something where `sawSyn`, `sawSynAck`, `sawThird` is set. */
export const synTime = layersOfFirst + 3
export const synAckTime = layersOfFirst + 4
export const handshakeTime = layersOfFirst + 5
export const historyLength = layersOfFirst + 6
export const historyWords = layersOfFirst + 7
/** Letters there is room for. */
export const historyMax = 28
const connectionDoubles = 10

/** The two ends: doubles from the start of the entry to each. */
export const endDoubles = 11
export const lowEnd = headDoubles + connectionDoubles
export const entryDoubles = connectionDoubles + 2 * endDoubles

/** Doubles, from the start of an end. */
export const packets = 0
export const ipBytes = 1
export const payloadBytes = 2

/** Words, from the start of an end. */
export const status = 6
export const startSeq = 7
export const lastSeq = 8
export const ackSeq = 9
/** How often `lastSeq` (low 16 bits) and `ackSeq` (high) went around. */
export const wraps = 10
/** Relative sequence numbers of the last SYN, FIN and RST in the history. */
export const lastSyn = 11
export const lastFin = 12
export const lastRst = 13
export const retransmissions = 14
export const zeroWindows = 15
export const gaps = 16
/** Absolute sequence numbers: data is there up to `nextSeq`, and from `aheadFrom` to `aheadTo` beyond a hole. */
export const nextSeq = 17
export const aheadFrom = 18
export const aheadTo = 19
/** What the history has of this end: bits of `seen`. */
export const seenLetters = 20
/** One past the FIN, relative. */
export const finSeq = 21

/** States of a TCP end, in the low 3 bits of `status`; those before in the next 3. As Zeek numbers them. */
export const inactive = 0
export const synSent = 1
export const synAckSent = 2
export const partial = 3
export const established = 4
export const closed = 5
export const reset = 6
/** Bits of `status` above the two states. */
export const didClose = 1 << 6
export const sentFin = 1 << 7
export const sentRst = 1 << 8
export const sentSynAgain = 1 << 9
export const firstSeen = 1 << 10
/** A TCP header of this end is not in the capture: what its numbers and lengths say is not the whole. */
export const headerCut = 1 << 11
/** SYNs with several initial numbers, of which none has been acknowledged yet. */
export const twoStarts = 1 << 12

/** Bits of an entry's state word. */
export const used = 1
/** The originator is the higher end. */
export const originHigh = 2
export const isTcp = 4
/** The handshake is over: the long inactivity timeout holds. */
export const beyondHandshake = 8
/** Closed for good: the deadline stands. */
export const complete = 16
/** No handshake was seen, so sequence numbers were guessed. */
export const isPartial = 32
/** The SYN's attempt is being waited for. */
export const attempting = 64
export const sawSyn = 128
export const sawSynAck = 256
export const sawThird = 512
