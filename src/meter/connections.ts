import { isIcmp } from '../net/icmp.ts'
import { TCP, UDP } from '../net/protocols.ts'
import { ACK, SYN } from '../net/tcp-flags.ts'
import * as batch from './batch.ts'
import * as at from './connection-layout.ts'
import { ConnectionReader } from './connection-reader.ts'
import type { ConnectionEnd, ConnectionSink } from './connection-record.ts'
import { addFlip, addLetter, letter } from './history.ts'
import { isServerPort } from './server-ports.ts'
import { ConversationTable, deadlineAt, headDoubles, stateWord } from './table.ts'
import { TcpState } from './tcp.ts'

/** Times in microseconds, as Zeek has them (base/init-bare). */
export interface ConnectionTimeouts {
  /** TCP beyond the handshake, without a packet. */
  tcp: number
  /** All else without a packet; TCP too, until the handshake is over. */
  other: number
  /** From a SYN that nobody answers. */
  attempt: number
  /** From the packet that closed a TCP connection. */
  linger: number
}

export const connectionTimeouts: ConnectionTimeouts = { tcp: 300e6, other: 60e6, attempt: 5e6, linger: 5e6 }

const finish: ConnectionEnd = 'finish'

/** Packets to bidirectional connections, as Zeek's conn.log has them. docs/reference/metering.md states the rules. */
export class ConnectionMeter {
  readonly table: ConversationTable
  connections = 0
  /** Of them, those that ended at the limit. */
  evicted = 0
  private readonly timeouts: ConnectionTimeouts
  private readonly sink: ConnectionSink
  private readonly tcp: TcpState
  private readonly reader: ConnectionReader
  private now = 0
  private readonly endInSweep = (entry: number): void => this.end(entry, this.reasonOf(entry))
  private readonly endAtLimit = (entry: number): void => this.end(entry, 'limit')

  constructor(sink: ConnectionSink, timeouts: ConnectionTimeouts, capacity: number, limit: number) {
    this.sink = sink
    this.timeouts = timeouts
    this.table = new ConversationTable({ doubles: at.entryDoubles, capacity, limit })
    this.tcp = new TcpState(this.table)
    this.reader = new ConnectionReader(this.table, this.tcp)
  }

  /** Counts the packets of a batch. */
  add(packets: batch.Batch): void {
    this.table.warm(packets, 2 * headDoubles, 2 * (headDoubles + at.entryDoubles), 0)
    for (let i = 0; i < packets.length; i++) this.addOne(packets, i * batch.packetWords)
  }

  /** Ends every connection, with pauses: the capture is over, or its clock steps back. */
  ending(now: number, reason: ConnectionEnd): Generator<void> {
    this.now = now
    return this.table.clearing(entry => {
      const over = this.table.doubles[entry + deadlineAt]! < now
      this.end(entry, over ? this.reasonOf(entry) : reason)
    })
  }

  private addOne(packets: batch.Batch, p: number): void {
    const { table } = this
    const { words } = packets
    this.now = packets.doubles[p / 2 + batch.nowDouble]!
    const bits = words[p + batch.bitsWord]!
    const hasHeader = (bits & batch.hasTcpHeader) !== 0
    let entry = table.find(words, p)
    if (entry < 0) {
      entry = this.insert(words, p)
      this.begin(packets, p, entry)
    } else {
      const isOver = this.now > table.doubles[entry + deadlineAt]!
      if (isOver || (hasHeader && this.isReuse(words, p, entry))) {
        this.end(entry, isOver ? this.reasonOf(entry) : 'reuse')
        this.begin(packets, p, entry)
      }
    }
    this.count(packets, p, entry)
    if (hasHeader) this.addTcp(packets, p, entry)
    else if ((bits & batch.isTcp) !== 0) this.addHeaderless(words, p, entry)
    else this.addOther(words, p, entry)
  }

  private isReuse(words: Int32Array, p: number, entry: number): boolean {
    return this.tcp.isReuse(entry, words[p + batch.flagsWord]!, words[p + batch.sequenceWord]!)
  }

  private insert(key: Int32Array, from: number): number {
    const { table } = this
    if (!table.hasRoom) {
      table.makeRoom(this.now, this.endInSweep, this.endAtLimit)
      table.find(key, from)
    }
    return table.insert(key, from, at.used)
  }

  private begin(packets: batch.Batch, p: number, entry: number): void {
    const { doubles, words } = this.table
    const packet = packets.words
    const time = packets.doubles[p / 2 + batch.timeDouble]!
    const direction = packet[p + batch.bitsWord]! & 1
    const isTcp = (packet[p + batch.bitsWord]! & batch.isTcp) !== 0
    this.table.clean(entry)
    words[2 * entry + stateWord] = at.used | (direction === 1 ? at.originHigh : 0) | (isTcp ? at.isTcp : 0)
    doubles[entry + at.firstTime] = time
    doubles[entry + at.lastTime] = time
    doubles[entry + at.activeTime] = time
    doubles[entry + at.packetNumber] = packets.doubles[p / 2 + batch.numberDouble]!
    words[2 * entry + at.layersOfFirst] = packet[p + batch.layersWord]!
    words[2 * entry + at.tunnelIdOfFirst] = packet[p + batch.tunnelIdWord]!
    words[2 * entry + at.icmpOfFirst] = packet[p + batch.flagsWord]!
    doubles[entry + deadlineAt] = this.now + this.timeouts.attempt - 1
    if (isFlipped(packet, p, direction)) {
      words[2 * entry + stateWord]! ^= at.originHigh
      addFlip(words, entry)
    }
  }

  private count(packets: batch.Batch, p: number, entry: number): void {
    const { doubles, words } = this.table
    const packet = packets.words
    const direction = packet[p + batch.bitsWord]! & 1
    const time = packets.doubles[p / 2 + batch.timeDouble]!
    const end = entry + at.lowEnd + direction * at.endDoubles
    doubles[end + at.packets]! += 1
    doubles[end + at.ipBytes]! += packet[p + batch.ipBytesWord]! >>> 0
    doubles[end + at.payloadBytes]! += packet[p + batch.payloadWord]! >>> 0
    if (time < doubles[entry + at.firstTime]!) doubles[entry + at.firstTime] = time
    if (time > doubles[entry + at.lastTime]!) doubles[entry + at.lastTime] = time
    const low = words[2 * (entry + at.lowEnd) + at.status]!
    const high = words[2 * (entry + at.lowEnd + at.endDoubles) + at.status]!
    if ((low & high & at.didClose) === 0 && time > doubles[entry + at.activeTime]!)
      doubles[entry + at.activeTime] = time
  }

  private addTcp(packets: batch.Batch, p: number, entry: number): void {
    const { doubles, words } = this.table
    const state = 2 * entry + stateWord
    const before = words[state]!
    const direction = packets.words[p + batch.bitsWord]! & 1
    this.tcp.add(entry, direction, packets.words, p)
    this.timeHandshake(packets, p, entry, ((before ^ words[state]!) & at.originHigh) !== 0)
    if (this.tcp.isRepeatedFin) doubles[entry + deadlineAt] = this.now + this.timeouts.tcp - 1
    else if ((before & at.complete) === 0) this.setDeadline(entry)
  }

  /** TCP of which only the ports are known: it may be in any state, so it is taken to be open. */
  private addHeaderless(packet: Int32Array, p: number, entry: number): void {
    const { words } = this.table
    const end = 2 * (entry + at.lowEnd + (packet[p + batch.bitsWord]! & 1) * at.endDoubles)
    if ((packet[p + batch.layersWord]! & batch.withoutFlags) !== 0) words[end + at.status]! |= at.headerCut
    words[2 * entry + stateWord]! |= at.beyondHandshake
    if ((words[2 * entry + stateWord]! & at.complete) === 0) this.setDeadline(entry)
  }

  private addOther(packet: Int32Array, p: number, entry: number): void {
    const { doubles, words } = this.table
    doubles[entry + deadlineAt] = this.now + this.timeouts.other - 1
    const isUdp = (packet[p + 9]! & 0xff) === UDP && (packet[p + batch.layersWord]! & batch.isKnown) !== 0
    if (!isUdp) return
    const direction = packet[p + batch.bitsWord]! & 1
    const end = 2 * (entry + at.lowEnd + direction * at.endDoubles)
    if (words[end + at.seenLetters] !== 0) return
    words[end + at.seenLetters] = 1
    const isHigh = (words[2 * entry + stateWord]! & at.originHigh) !== 0
    addLetter(words, entry, letter.data, isHigh === (direction === 1))
  }

  /** `turned`: the packet changed who is the originator. */
  private timeHandshake(packets: batch.Batch, p: number, entry: number, turned: boolean): void {
    const { doubles, words } = this.table
    const time = packets.doubles[p / 2 + batch.timeDouble]!
    const flags = packets.words[p + batch.flagsWord]!
    const isHigh = (packets.words[p + batch.bitsWord]! & 1) === 1
    const isOrig = isHigh === ((words[2 * entry + stateWord]! & at.originHigh) !== 0)
    const state = 2 * entry + stateWord
    const key = 2 * entry
    if (turned && (words[state]! & at.sawSynAck) === 0) {
      words[state]! |= at.sawSynAck
      words[key + at.synAckTime] = low32(doubles[entry + at.firstTime]!)
    }
    if ((flags & SYN) !== 0 && isOrig === ((flags & ACK) === 0)) {
      const bit = isOrig ? at.sawSyn : at.sawSynAck
      if ((words[state]! & bit) === 0) {
        words[state]! |= bit
        words[key + (isOrig ? at.synTime : at.synAckTime)] = low32(time)
      } else if (!turned) words[2 * this.tcp.endOf(entry, isOrig) + at.status]! |= at.sentSynAgain
    } else if ((flags & (SYN | ACK)) === ACK && isOrig) {
      const both = at.sawSyn | at.sawSynAck
      if ((words[state]! & (both | at.sawThird)) !== both) return
      words[state]! |= at.sawThird
      words[key + at.handshakeTime] = low32(time) - words[key + at.synTime]!
    }
  }

  /** The deadline is the last microsecond in which a packet still belongs to the connection. */
  private setDeadline(entry: number): void {
    const { doubles, words } = this.table
    const state = words[2 * entry + stateWord]!
    const orig = words[2 * this.tcp.endOf(entry, true) + at.status]!
    const resp = words[2 * this.tcp.endOf(entry, false) + at.status]!
    const isReset = (orig & 7) === at.reset || (resp & 7) === at.reset
    let wait = (state & at.beyondHandshake) === 0 ? this.timeouts.other : this.timeouts.tcp
    const isAlone = !isReset && ((orig & 7) === at.inactive || (resp & 7) === at.inactive)
    // Who sent a FIN and hears nothing sends it again, at ever longer intervals.
    if ((state & at.complete) !== 0 && isAlone) wait = this.timeouts.other
    else if ((state & at.complete) !== 0 || (isReset && ((orig | resp) & at.didClose) !== 0))
      wait = this.timeouts.linger
    else if (isAttempt(state, orig, resp)) return
    doubles[entry + deadlineAt] = this.now + wait - 1
  }

  private reasonOf(entry: number): ConnectionEnd {
    const { words } = this.table
    const state = words[2 * entry + stateWord]!
    if ((state & at.isTcp) === 0) return 'idle'
    const orig = words[2 * this.tcp.endOf(entry, true) + at.status]!
    const resp = words[2 * this.tcp.endOf(entry, false) + at.status]!
    if ((state & at.complete) !== 0 || (orig & 7) === at.reset || (resp & 7) === at.reset) return 'closed'
    return isAttempt(state, orig, resp) ? 'attempt' : 'idle'
  }

  private end(entry: number, reason: ConnectionEnd = finish): void {
    this.connections++
    if (reason === 'limit') this.evicted++
    this.sink(this.reader.read(entry, reason))
  }
}

/** The low 32 bits of a time: enough to tell times of one handshake apart, which takes a minute at most. */
function low32(time: number): number {
  return (time % 2 ** 32) | 0
}

/** Whether only the originator's SYN (or SYN-ACK) was seen. */
function isAttempt(state: number, orig: number, resp: number): boolean {
  const isWaiting = (orig & 7) === at.synSent || (orig & 7) === at.synAckSent
  return (state & at.attempting) !== 0 && isWaiting && (resp & 7) === at.inactive
}

/** Whether the receiver of a first packet is the originator, by the ports: never where a SYN says otherwise. */
function isFlipped(packet: Int32Array, p: number, direction: number): boolean {
  const protocol = packet[p + 9]! & 0xff
  if ((packet[p + batch.layersWord]! & batch.isKnown) === 0 || isIcmp(protocol)) return false
  const flags = packet[p + batch.flagsWord]! & 0xff
  if (protocol === TCP && (flags & (SYN | ACK)) === SYN) return false
  const ports = packet[p + 8]!
  const src = direction === 0 ? ports >>> 16 : ports & 0xffff
  const dst = direction === 0 ? ports & 0xffff : ports >>> 16
  if (!isServerPort(protocol, src)) return false
  if (isServerPort(protocol, dst)) return protocol === TCP && (flags & SYN) === 0 && src < dst
  return protocol === TCP || (protocol === UDP && !isGroup(packet, p + (direction === 0 ? 4 : 0)))
}

/** Whether an address is the broadcast or a multicast one: no packet ever comes from there. */
function isGroup(words: Int32Array, from: number): boolean {
  const isQuad = words[from] === 0 && words[from + 1] === 0 && words[from + 2] === 0xffff
  if (isQuad) return words[from + 3] === -1 || words[from + 3]! >>> 28 === 14
  return words[from]! >>> 24 === 0xff
}
