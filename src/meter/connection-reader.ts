import { icmpAsks, isIcmp } from '../net/icmp.ts'
import { hasPorts, UDP } from '../net/protocols.ts'
import * as batch from './batch.ts'
import * as at from './connection-layout.ts'
import { type ConnectionEnd, ConnectionRecord, type ConnectionState, type RoleBasis } from './connection-record.ts'
import { historyOf } from './history.ts'
import { isServerPort } from './server-ports.ts'
import { type ConversationTable, stateWord } from './table.ts'
import type { TcpState } from './tcp.ts'

/** What the end of a TCP connection sends when nobody listens: a SYN, then a RST, without an answer between. */
const synThenRst = /^\^?S[^HAFGIQ]*R/

/** Reads entries of the connection table into a record, which is filled again and again. */
export class ConnectionReader {
  private readonly table: ConversationTable
  private readonly tcp: TcpState
  private readonly record = new ConnectionRecord()

  constructor(table: ConversationTable, tcp: TcpState) {
    this.table = table
    this.tcp = tcp
  }

  read(entry: number, reason: ConnectionEnd): ConnectionRecord {
    const { record } = this
    const { doubles, words } = this.table
    this.readKey(entry)
    this.readCounters(entry)
    record.first = doubles[entry + at.firstTime]!
    record.last = doubles[entry + at.lastTime]!
    record.duration = doubles[entry + at.activeTime]! - record.first
    record.firstPacket = doubles[entry + at.packetNumber]!
    record.end = reason
    const isTcp = (words[2 * entry + stateWord]! & at.isTcp) !== 0
    if (isTcp) this.readTcp(entry)
    else this.readOther(entry)
    record.basis = this.basisOf(entry, isTcp)
    return record
  }

  private readKey(entry: number): void {
    const { record } = this
    const { words } = this.table
    const key = 2 * entry
    const isHigh = (words[key + stateWord]! & at.originHigh) !== 0
    const orig = key + (isHigh ? 4 : 0)
    const resp = key + (isHigh ? 0 : 4)
    record.orig0 = words[orig]! >>> 0
    record.orig1 = words[orig + 1]! >>> 0
    record.orig2 = words[orig + 2]! >>> 0
    record.orig3 = words[orig + 3]! >>> 0
    record.resp0 = words[resp]! >>> 0
    record.resp1 = words[resp + 1]! >>> 0
    record.resp2 = words[resp + 2]! >>> 0
    record.resp3 = words[resp + 3]! >>> 0
    const ports = words[key + 8]!
    const rest = words[key + 9]!
    record.protocol = rest & 0xff
    record.icmpId = (rest >>> 8) & 0xffff
    const has = hasPorts(record.protocol)
    record.origPort = has ? (isHigh ? ports & 0xffff : ports >>> 16) : 0
    record.respPort = has ? (isHigh ? ports >>> 16 : ports & 0xffff) : 0
    const layers = words[key + at.layersOfFirst]!
    record.vlan = (layers & 0xffff) === batch.noVlan ? -1 : layers & 0xffff
    record.tunnel = (layers >>> 16) & 0xff
    record.tunnelId = (layers & batch.hasTunnelId) === 0 ? -1 : words[key + at.tunnelIdOfFirst]! >>> 0
    record.hasTransport = (layers & batch.isKnown) !== 0
    const icmp = words[key + at.icmpOfFirst]!
    record.icmpType = (icmp >>> 16) & 0xff
    record.icmpCode = icmp >>> 24
  }

  private readCounters(entry: number): void {
    const { record, tcp } = this
    const { doubles } = this.table
    const orig = tcp.endOf(entry, true)
    const resp = tcp.endOf(entry, false)
    record.origPackets = doubles[orig + at.packets]!
    record.respPackets = doubles[resp + at.packets]!
    record.origIpBytes = doubles[orig + at.ipBytes]!
    record.respIpBytes = doubles[resp + at.ipBytes]!
    record.origPayload = doubles[orig + at.payloadBytes]!
    record.respPayload = doubles[resp + at.payloadBytes]!
  }

  private readTcp(entry: number): void {
    const { record, tcp } = this
    const { words } = this.table
    const orig = 2 * tcp.endOf(entry, true)
    const resp = 2 * tcp.endOf(entry, false)
    record.origBytes = this.spanOf(orig, resp, record.origIpBytes)
    record.respBytes = this.spanOf(resp, orig, record.respIpBytes)
    if ((words[orig + at.status]! & at.headerCut) !== 0) record.origBytes = record.origPayload = -1
    if ((words[resp + at.status]! & at.headerCut) !== 0) record.respBytes = record.respPayload = -1
    record.history = historyOf(words, entry)
    record.state = this.stateOf(words[orig + at.status]! & 7, words[resp + at.status]! & 7)
    const state = words[2 * entry + stateWord]!
    const isOnce = ((words[orig + at.status]! | words[resp + at.status]!) & at.sentSynAgain) === 0
    const both = at.sawSyn | at.sawSynAck
    const wait = (words[2 * entry + at.synAckTime]! - words[2 * entry + at.synTime]!) | 0
    record.synAckTime = isOnce && (state & both) === both && wait >= 0 ? wait : -1
    const isTimed = record.synAckTime >= 0 && (state & at.sawThird) !== 0
    record.handshakeTime = isTimed ? words[2 * entry + at.handshakeTime]! : -1
  }

  private readOther(entry: number): void {
    const { record } = this
    record.origBytes = record.origPayload
    record.respBytes = record.respPayload
    record.synAckTime = record.handshakeTime = -1
    record.history = historyOf(this.table.words, entry)
    record.state = 'OTH'
    if (record.protocol !== UDP || !record.hasTransport) return
    if (record.origPackets > 0) record.state = record.respPackets > 0 ? 'SF' : 'S0'
    else record.state = 'SHR'
  }

  /**
   * Bytes between the sequence numbers of SYN and FIN, or what there is of them. More than the IP bytes that were seen are believed only
   * where the other end has acknowledged them: packets may be missing from the capture.
   */
  private spanOf(end: number, peer: number, ipBytes: number): number {
    const { words } = this.table
    const status = words[end + at.status]!
    const wasSyn = ((status >>> 3) & 7) === at.synSent && (status & 7) === at.reset
    const start = words[end + at.startSeq]! >>> 0
    // A half-open connection that was found and reset: its numbers are of another one.
    if (wasSyn && (words[peer + at.status]! & 7) === at.inactive && words[end + at.ackSeq]! >>> 0 !== start) return 0
    const around = words[end + at.wraps]!
    const last = (words[end + at.lastSeq]! >>> 0) + (around & 0xffff) * 2 ** 32
    const ack = (words[end + at.ackSeq]! >>> 0) + (around >>> 16) * 2 ** 32
    const acked = Math.max(ack - start, 0)
    let size = Math.max(acked, Math.min(last - start, acked + ipBytes))
    if (size > 0) size--
    if (size > 0 && (status & at.sentFin) !== 0) size--
    return Math.max(size, 0)
  }

  /** Zeek's `conn_state` function, by the states of both ends. */
  private stateOf(orig: number, resp: number): ConnectionState {
    const { record } = this
    const origSilent = orig === at.inactive || orig === at.partial
    const respSilent = resp === at.inactive || resp === at.partial
    if (resp === at.reset) {
      const isEmpty = orig === at.reset && record.origBytes === 0 && record.respBytes === 0
      if (orig === at.synSent || orig === at.synAckSent || isEmpty) return 'REJ'
      return origSilent ? 'RSTRH' : 'RSTR'
    }
    if (orig === at.reset) {
      if (!respSilent) return 'RSTO'
      return synThenRst.test(record.history) ? 'RSTOS0' : 'OTH'
    }
    if (orig === at.closed && resp === at.closed) return 'SF'
    if (orig === at.closed) return respSilent ? 'SH' : 'S2'
    if (resp === at.closed) return origSilent ? 'SHR' : 'S3'
    if (orig === at.synSent && resp === at.inactive) return 'S0'
    return orig === at.established && resp === at.established ? 'S1' : 'OTH'
  }

  private basisOf(entry: number, isTcp: boolean): RoleBasis {
    const { record } = this
    const state = this.table.words[2 * entry + stateWord]!
    if (isTcp && (state & at.sawSyn) !== 0) return 'syn'
    if (isTcp && (state & at.sawSynAck) !== 0) return 'syn_ack'
    const { protocol } = record
    if (isIcmp(protocol))
      return record.hasTransport && icmpAsks(protocol, record.icmpType) ? 'icmp_type' : 'first_packet'
    const isServer = isServerPort(protocol, record.respPort) && !isServerPort(protocol, record.origPort)
    return isServer ? 'server_port' : 'first_packet'
  }
}
