import { ACK, FIN, RST, SYN } from '../net/tcp-flags.ts'
import * as batch from './batch.ts'
import * as at from './connection-layout.ts'
import { addFlip, addLetter, isOnlySynAck, letter } from './history.ts'
import { type ConversationTable, stateWord } from './table.ts'

/** What the history has had of an end: bits of `seenLetters`. */
const seen = { syn: 1, fin: 2, rst: 4, finRst: 8, data: 16, ack: 32, multiFlag: 64 } as const

/** A jump in sequence numbers that is not believed of SYN, RST or an acknowledgement of 0. */
const tooFar = 1 << 20

/** Distance of sequence numbers, which go around: negative, zero or positive. */
function delta(a: number, b: number): number {
  return (a - b) | 0
}

/**
 * The states of the two ends of a TCP connection, its history and sequence numbers, as Zeek keeps them (its documentation of
 * conn.log, and its TCP session adapter for what that leaves open). docs/reference/metering.md names what is left out.
 */
export class TcpState {
  private readonly table: ConversationTable
  /** The packet at hand. Positions of ends are in words. */
  private entry = 0
  private end = 0
  private peer = 0
  private isOrig = false
  private flags = 0
  private seq = 0
  private ack = 0
  private length = 0
  private closes = false
  /** The packet is a SYN with a number that is not that of the connection, which is acknowledged. */
  private isStray = false
  /** The packet is a FIN that was there before: its sender has not heard that it arrived. */
  isRepeatedFin = false

  constructor(table: ConversationTable) {
    this.table = table
  }

  /** Whether a SYN begins another connection in the place of the one in `entry`. */
  isReuse(entry: number, flags: number, seq: number): boolean {
    const { words } = this.table
    if ((flags & SYN) === 0) return false
    const orig = 2 * this.endOf(entry, true)
    const resp = 2 * this.endOf(entry, false)
    let first = orig
    if ((flags & ACK) !== 0) {
      if ((words[orig + at.status]! & 7) !== at.inactive) return false
      first = resp
    }
    if (((words[orig + at.status]! | words[resp + at.status]!) & at.didClose) !== 0) return true
    if (seq === words[first + at.startSeq]) return false
    const isTurned =
      (flags & ACK) === 0 &&
      (words[orig + at.status]! & 7) === at.synAckSent &&
      (words[resp + at.status]! & 7) === at.inactive &&
      seq === words[resp + at.startSeq]
    return !isTurned
  }

  /** Takes up a packet of the lower (0) or the higher end (1). */
  add(entry: number, direction: number, packet: Int32Array, p: number): void {
    const { words } = this.table
    this.entry = entry
    this.flags = packet[p + batch.flagsWord]! & 0xff
    this.seq = packet[p + batch.sequenceWord]!
    this.ack = packet[p + batch.acknowledgeWord]!
    this.length = packet[p + batch.payloadWord]!
    this.closes = false
    this.isStray = false
    this.isRepeatedFin = false
    this.take(direction)
    this.notePartial()
    const segment = this.segmentLength()
    this.beginEnd(this.seq + segment)
    this.noteHistory(direction)
    if (packet[p + batch.windowWord] === 0) this.noteZeroWindow()
    if ((this.flags & FIN) !== 0) {
      const finSeq = delta(this.seq + segment, words[this.end + at.startSeq]!)
      this.isRepeatedFin = (words[this.end + at.status]! & at.sentFin) !== 0 && words[this.end + at.finSeq] === finSeq
      words[this.end + at.status]! |= at.sentFin
      words[this.end + at.finSeq] = finSeq
    }
    if ((this.flags & RST) !== 0) words[this.end + at.status]! |= at.sentRst
    const isAcked = this.noteAck()
    if (!this.isStray) this.noteSequence((this.seq + segment) | 0)
    this.step()
    if (isAcked) this.noteGaps()
    if (this.length > 0 && (this.flags & RST) === 0 && !this.isStray) this.noteData()
    words[this.end + at.status]! |= at.firstSeen
    if (this.closes) this.close()
  }

  /** Doubles from the start of the table to an end. */
  endOf(entry: number, isOrig: boolean): number {
    const high = ((this.table.words[2 * entry + stateWord]! & at.originHigh) !== 0) === isOrig
    return entry + at.lowEnd + (high ? at.endDoubles : 0)
  }

  /** Exchanges originator and responder. */
  flip(entry: number): void {
    const { words } = this.table
    words[2 * entry + stateWord]! ^= at.originHigh
    addFlip(words, entry)
  }

  private take(direction: number): void {
    const { entry } = this
    const low = 2 * (entry + at.lowEnd)
    const high = low + 2 * at.endDoubles
    this.end = direction === 0 ? low : high
    this.peer = direction === 0 ? high : low
    this.isOrig = ((this.table.words[2 * entry + stateWord]! & at.originHigh) !== 0) === (direction === 1)
  }

  private stateOf(end: number): number {
    return this.table.words[end + at.status]! & 7
  }

  private previousOf(end: number): number {
    return (this.table.words[end + at.status]! >>> 3) & 7
  }

  private set(end: number, state: number): void {
    const { words } = this.table
    const old = this.stateOf(end)
    if (state === old) return
    const other = end === this.end ? this.peer : this.end
    if (state > at.synAckSent && old <= at.synAckSent && this.stateOf(other) <= at.synAckSent) {
      words[2 * this.entry + stateWord]! |= at.beyondHandshake
    }
    words[end + at.status] = (words[end + at.status]! & ~63) | state | (old << 3)
  }

  /** A connection is partial while no SYN of the originator, and of a responder none either, came first. */
  private notePartial(): void {
    const { words } = this.table
    if ((words[this.end + at.status]! & at.firstSeen) !== 0) return
    const state = 2 * this.entry + stateWord
    const isSyn = (this.flags & SYN) !== 0
    if (this.isOrig) {
      if (isSyn && (this.flags & ACK) === 0) words[state]! &= ~at.isPartial
      else words[state]! |= at.isPartial
    } else if (!isSyn) words[state]! |= at.isPartial
  }

  /** SYN and FIN count in the sequence space; what a reset carries does not. */
  private segmentLength(): number {
    const { flags } = this
    return ((flags & RST) !== 0 ? 0 : this.length) + ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0)
  }

  private beginEnd(past: number): void {
    const { flags, seq } = this
    const state = this.stateOf(this.end)
    const isSyn = (flags & SYN) !== 0
    if (state === at.inactive) {
      if (isSyn) this.setSequences(this.end, seq, past)
      else this.setSequences(this.end, seq - 1, seq)
    } else if (isSyn) {
      if (seq !== this.table.words[this.end + at.startSeq]) this.beginAgain(state, past)
    } else this.settleStart(this.end, seq)
  }

  /** A SYN of another number: two servers answered, or one has started again. The number that is acknowledged counts (RFC 9293, 3.10.7.3). */
  private beginAgain(state: number, past: number): void {
    const { words } = this.table
    const { end, seq } = this
    if (state === at.reset && this.previousOf(end) !== at.inactive) return
    if (state === at.closed) return
    const wasSyn = (words[end + at.seenLetters]! & seen.syn) !== 0
    if (wasSyn && delta(words[end + at.ackSeq]!, words[end + at.startSeq]!) > 0) {
      this.isStray = true
      return
    }
    this.setSequences(end, seq, past)
    if (wasSyn) words[end + at.status]! |= at.twoStarts
  }

  /** Of several initial numbers the one that counts is the one before `next`, which that end sent or the other acknowledged first. */
  private settleStart(end: number, next: number): void {
    const { words } = this.table
    if ((words[end + at.status]! & at.twoStarts) === 0) return
    words[end + at.status]! &= ~at.twoStarts
    this.setSequences(end, next - 1, next)
  }

  private setSequences(end: number, start: number, last: number): void {
    const { words } = this.table
    words[end + at.startSeq] = start
    words[end + at.ackSeq] = start
    words[end + at.lastSeq] = last
    words[end + at.nextSeq] = start + 1
    words[end + at.wraps] = 0
    words[end + at.aheadFrom] = 0
    words[end + at.aheadTo] = 0
  }

  private noteHistory(direction: number): void {
    const { words } = this.table
    const { flags } = this
    const relative = delta(this.seq, words[this.end + at.startSeq]!)
    const kinds = (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0) + (flags & RST ? 1 : 0)
    if (kinds > 1) {
      if ((flags & FIN) !== 0 && (flags & RST) !== 0) this.once(seen.finRst, letter.inconsistent)
      else this.once(seen.multiFlag, letter.multiFlag)
    } else if ((flags & SYN) !== 0) {
      this.again(seen.syn, (flags & ACK) !== 0 ? letter.synAck : letter.syn, at.lastSyn, relative)
    } else if ((flags & FIN) !== 0) this.again(seen.fin, letter.fin, at.lastFin, (relative + this.length) | 0)
    else if ((flags & RST) !== 0) this.again(seen.rst, letter.rst, at.lastRst, relative)
    else if (this.length > 0 || (flags & ACK) !== 0) {
      if (isOnlySynAck(words, this.entry)) this.flipAfterSynAck(direction)
      if (this.length > 0) this.once(seen.data, letter.data)
      else this.once(seen.ack, letter.ack)
    }
  }

  /** The first packet was a SYN-ACK and now there is more: not a scan, but a connection whose SYN was not seen. */
  private flipAfterSynAck(direction: number): void {
    this.flip(this.entry)
    this.take(direction)
    const server = 2 * this.endOf(this.entry, false)
    if (this.stateOf(server) === at.synAckSent) this.set(server, at.established)
  }

  private once(bit: number, code: number): boolean {
    const { words } = this.table
    if ((words[this.end + at.seenLetters]! & bit) !== 0) return false
    words[this.end + at.seenLetters]! |= bit
    addLetter(words, this.entry, code, this.isOrig)
    return true
  }

  /** As `once`, and again for each that has another sequence number than the last. */
  private again(bit: number, code: number, last: number, relative: number): void {
    const { words } = this.table
    if (!this.once(bit, code) && words[this.end + last] !== relative) addLetter(words, this.entry, code, this.isOrig)
    words[this.end + last] = relative
  }

  /** The 1st, 10th, 100th … of its kind, which the word `counter` of an end counts. */
  private scaled(end: number, counter: number, code: number): void {
    const { words } = this.table
    const count = ++words[end + counter]!
    let power = 1
    while (power < count) power *= 10
    if (power === count) addLetter(words, this.entry, code, end === this.end ? this.isOrig : !this.isOrig)
  }

  private noteZeroWindow(): void {
    if ((this.flags & RST) !== 0) return
    if (this.stateOf(this.peer) === at.closed || this.stateOf(this.end) === at.reset) return
    this.scaled(this.end, at.zeroWindows, letter.zeroWindow)
  }

  /** What the other end has been told it was heard of. Whether gaps are to be looked for. */
  private noteAck(): boolean {
    const { words } = this.table
    const { ack, peer } = this
    if ((this.flags & ACK) === 0) return false
    if (this.stateOf(peer) === at.inactive) {
      this.setSequences(peer, ack - 1, ack - 1)
      return false
    }
    if ((this.flags & RST) !== 0) return false
    this.settleStart(peer, ack)
    const ahead = delta(ack, words[peer + at.ackSeq]!)
    if (delta(ack, words[peer + at.startSeq]!) < 0 && words[peer + at.wraps]! >>> 16 === 0 && ahead < 0) return false
    if (ahead <= 0 || (ack === 0 && ahead > tooFar)) return true
    if (ack >>> 0 < words[peer + at.ackSeq]! >>> 0) words[peer + at.wraps]! += 1 << 16
    words[peer + at.ackSeq] = ack
    return true
  }

  private noteSequence(past: number): void {
    const { words } = this.table
    const { end, flags } = this
    const last = words[end + at.lastSeq]!
    const ahead = delta(past, last)
    const isFar = ahead > tooFar || ahead < -tooFar
    if ((flags & (SYN | RST)) !== 0 && isFar) return
    const isAlone = (flags & FIN) !== 0 && last === ((words[end + at.startSeq]! + 1) | 0)
    if (!isAlone && this.stateOf(end) === at.reset) return
    if (isAlone || ahead > 0) {
      if (past >>> 0 < last >>> 0) words[end + at.wraps]! += 1
      words[end + at.lastSeq] = past
    } else if (this.length > 0) this.scaled(end, at.retransmissions, letter.retransmission)
  }

  private step(): void {
    switch (this.stateOf(this.end)) {
      case at.inactive:
        this.stepInactive()
        break
      case at.synSent:
      case at.synAckSent:
        if ((this.flags & FIN) !== 0) this.closeAs(at.closed)
        if ((this.flags & RST) !== 0) this.closeAs(at.reset)
        break
      case at.established:
      case at.partial:
        this.stepOpen()
        break
      case at.closed:
        if ((this.flags & RST) !== 0 && this.stateOf(this.peer) !== at.closed) this.closeAs(at.reset)
        break
    }
  }

  private closeAs(state: number): void {
    this.set(this.end, state)
    this.closes = true
  }

  private stepInactive(): void {
    const { flags } = this
    if ((flags & SYN) !== 0) this.stepSyn()
    if ((flags & FIN) !== 0) this.closeAs(at.closed)
    if ((flags & RST) !== 0) this.closeAs(at.reset)
    if (this.stateOf(this.end) !== at.inactive) return
    const peer = this.stateOf(this.peer)
    // Some acknowledge a SYN before they answer it.
    if (!this.isOrig && this.length === 0 && peer === at.synSent) return
    if ((flags & ACK) !== 0 && peer === at.established) {
      this.set(this.end, at.established)
      this.table.words[2 * this.entry + stateWord]! &= ~at.isPartial
    } else this.set(this.end, at.partial)
  }

  private stepSyn(): void {
    const { words } = this.table
    const isAck = (this.flags & ACK) !== 0
    if (this.isOrig) {
      this.set(this.end, isAck ? at.synAckSent : at.synSent)
      words[2 * this.entry + stateWord]! |= at.attempting
      return
    }
    const peer = this.stateOf(this.peer)
    if (!isAck && peer === at.synAckSent) {
      // SYN and SYN-ACK in the wrong order.
      words[2 * this.entry + stateWord]! &= ~at.isPartial
      this.flip(this.entry)
      this.isOrig = true
      this.set(this.peer, at.established)
    } else if (peer === at.synSent) this.set(this.peer, at.established)
    this.set(this.end, at.established)
  }

  private stepOpen(): void {
    const { flags } = this
    const isFresh = this.stateOf(this.end) === at.partial && this.stateOf(this.peer) === at.inactive
    if ((flags & (SYN | ACK)) === SYN && isFresh) this.set(this.end, at.synSent)
    if ((flags & (FIN | RST)) === FIN) {
      this.closeAs(at.closed)
      // FIN and then RST was a normal end after all.
      if (this.stateOf(this.peer) === at.reset && this.previousOf(this.peer) === at.closed)
        this.set(this.peer, at.closed)
    }
    if ((flags & RST) !== 0) this.closeAs(at.reset)
  }

  private close(): void {
    const { words } = this.table
    if ((words[this.end + at.status]! & at.didClose) !== 0) return
    words[this.end + at.status]! |= at.didClose
    const isWhole =
      this.stateOf(this.end) === at.reset ||
      (words[this.peer + at.status]! & at.didClose) !== 0 ||
      this.stateOf(this.peer) === at.inactive
    if (isWhole) words[2 * this.entry + stateWord]! |= at.complete
  }

  /** Data that was acknowledged without having been seen. */
  private noteGaps(): void {
    const { words } = this.table
    const { peer } = this
    let upTo = this.ack
    const relative = delta(upTo, words[peer + at.startSeq]!)
    const hasFin = (words[peer + at.status]! & at.sentFin) !== 0
    if (hasFin && relative >= words[peer + at.finSeq]!) upTo = words[peer + at.startSeq]! + words[peer + at.finSeq]! - 1
    if (delta(upTo, words[peer + at.nextSeq]!) <= 0) return
    const isGuess = (words[2 * this.entry + stateWord]! & at.isPartial) !== 0
    if (isGuess && delta(upTo, words[peer + at.startSeq]!) <= 2) return
    const isClean = this.isClean(this.end) && this.isClean(peer)
    const from = words[peer + at.aheadFrom]!
    const to = words[peer + at.aheadTo]!
    if (from !== to && delta(upTo, from) >= 0) {
      if (isClean) this.scaled(peer, at.gaps, letter.gap)
      words[peer + at.nextSeq] = to
      words[peer + at.aheadFrom] = words[peer + at.aheadTo] = 0
    }
    if (delta(upTo, words[peer + at.nextSeq]!) <= 0) return
    if (isClean) this.scaled(peer, at.gaps, letter.gap)
    words[peer + at.nextSeq] = upTo
  }

  private isClean(end: number): boolean {
    const state = this.stateOf(end)
    return state === at.established || (state === at.closed && this.previousOf(end) === at.established)
  }

  /** Keeps how far the data is whole, and one stretch beyond a hole. */
  private noteData(): void {
    const { words } = this.table
    const { end } = this
    const from = (this.flags & SYN) !== 0 ? (this.seq + 1) | 0 : this.seq
    const to = (from + this.length) | 0
    const next = words[end + at.nextSeq]!
    const aheadFrom = words[end + at.aheadFrom]!
    const aheadTo = words[end + at.aheadTo]!
    if (delta(from, next) <= 0) {
      if (delta(to, next) > 0) words[end + at.nextSeq] = to
      if (aheadFrom !== aheadTo && delta(aheadFrom, words[end + at.nextSeq]!) <= 0) {
        if (delta(aheadTo, words[end + at.nextSeq]!) > 0) words[end + at.nextSeq] = aheadTo
        words[end + at.aheadFrom] = words[end + at.aheadTo] = 0
      }
    } else if (aheadFrom === aheadTo) {
      words[end + at.aheadFrom] = from
      words[end + at.aheadTo] = to
    } else {
      if (delta(from, aheadFrom) < 0) words[end + at.aheadFrom] = from
      if (delta(to, aheadTo) > 0) words[end + at.aheadTo] = to
    }
  }
}
