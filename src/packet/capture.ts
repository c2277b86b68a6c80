import { CaptureAccounts } from './accounts.ts'
import type { Captured } from './captured.ts'
import type { Damage } from './damage.ts'
import { Decoder } from './decode.ts'
import { HeldFragments } from './held-fragments.ts'
import type { CaptureInterface } from './interfaces.ts'
import { Packet } from './packet.ts'
import { isPcap, PcapReader } from './pcap.ts'
import { isPcapng, PcapngReader } from './pcapng.ts'

const magicBytes = 4

/** Reads a capture of either format, as its first bytes say. */
export class CaptureReader {
  private readonly onPacket: (captured: Captured) => void
  private readonly head = new Uint8Array(magicBytes)
  private headLength = 0
  private reader: PcapReader | PcapngReader | null = null
  private unknown: Damage | null = null
  private dropped = 0

  constructor(onPacket: (captured: Captured) => void) {
    this.onPacket = onPacket
  }

  feed(piece: Uint8Array): void {
    let at = 0
    if (this.reader === null) {
      while (this.headLength < magicBytes && at < piece.length) this.head[this.headLength++] = piece[at++]!
      if (this.headLength < magicBytes) return
      if (this.unknown === null) this.begin()
    }
    if (this.reader === null) this.dropped += piece.length - at
    else this.reader.feed(at === 0 ? piece : piece.subarray(at))
  }

  end(): void {
    if (this.reader !== null) this.reader.end()
    else if (this.unknown === null) {
      const problem = this.headLength === 0 ? 'the file is empty' : `cut short: ${this.headLength} bytes in all`
      this.unknown = { kind: 'cut', offset: 0, problem }
    }
  }

  /** Null until four bytes are there, and for what is no capture. */
  get format(): 'pcap' | 'pcapng' | null {
    if (this.reader === null) return null
    return this.reader instanceof PcapReader ? 'pcap' : 'pcapng'
  }

  /** Of all sections, in the order of the file. */
  get interfaces(): readonly CaptureInterface[] {
    return this.reader === null ? [] : this.reader.interfaces
  }

  /** What only pcapng has; null for pcap. */
  get pcapng(): Pick<PcapngReader, 'sections' | 'ignored' | 'timesOutOfRange' | 'dropsBetween'> | null {
    return this.reader instanceof PcapngReader ? this.reader : null
  }

  get damage(): Damage | null {
    return this.reader === null ? this.unknown : this.reader.damage
  }

  /** Bytes fed, and of them those from the damage on. */
  get size(): number {
    return this.reader === null ? this.headLength + this.dropped : this.reader.size
  }

  get notRead(): number {
    return this.reader === null ? this.size : this.reader.notRead
  }

  private begin(): void {
    const head = new DataView(this.head.buffer)
    if (isPcap(head)) this.reader = new PcapReader(this.onPacket)
    else if (isPcapng(head)) this.reader = new PcapngReader(this.onPacket)
    else this.unknown = { kind: 'unknown', offset: 0, problem: 'no capture: neither pcap nor pcapng' }
    this.reader?.feed(this.head)
  }
}

type PacketSink = (packet: Packet, captured: Captured) => void

/**
 * A capture to decoded packets, with its accounts. They come in the order of the capture, but for fragments that come before the first
 * of their packet: they wait for its ports, and then come just before it.
 */
export class CaptureDecoder {
  readonly accounts = new CaptureAccounts()
  readonly reader: CaptureReader
  private readonly packet = new Packet()
  private readonly held = new HeldFragments()
  private readonly decoder: Decoder
  private readonly onPacket: PacketSink

  /** `onPacket` is called for what was decoded; it keeps neither of the two objects. */
  constructor(onPacket: PacketSink, decoder = new Decoder()) {
    this.decoder = decoder
    this.onPacket = onPacket
    const { packet, accounts, held } = this
    this.reader = new CaptureReader(captured => {
      packet.number = captured.number
      packet.time = captured.time
      const { bytes, from, to, wireLength, linkType } = captured
      const reason = decoder.decode(bytes, from, to, wireLength, linkType, packet)
      accounts.count(captured, packet, reason, decoder.notes, decoder.linkType)
      if (!held.isEmpty) this.giveOverdue(captured.time)
      if (reason !== 0) return
      if (packet.fragment === 3 && !packet.hasTransport) {
        held.keep({ ...decoder.fragmentOf, packet, captured })
        this.giveOverdue(captured.time)
      } else {
        if (packet.fragment === 1 && !held.isEmpty) this.giveReleased(decoder.fragmentOf.key)
        onPacket(packet, captured)
      }
    })
  }

  feed(piece: Uint8Array): void {
    this.reader.feed(piece)
  }

  /** After the last piece. */
  end(): void {
    this.reader.end()
    for (let one = this.held.next(); one !== null; one = this.held.next()) this.onPacket(one.packet, one.captured)
    this.accounts.check()
  }

  /** The first fragment has come: those before it are of the same flow. */
  private giveReleased(key: string): void {
    for (const { packet, captured, identification, protocol } of this.held.release(key)) {
      this.decoder.complete(packet, identification, protocol)
      this.accounts.countCompleted(packet)
      this.onPacket(packet, captured)
    }
  }

  private giveOverdue(now: number): void {
    for (let one = this.held.overdue(now); one !== null; one = this.held.overdue(now)) {
      this.onPacket(one.packet, one.captured)
    }
  }
}
