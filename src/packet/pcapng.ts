import { Captured } from './captured.ts'
import { blockBytesMax, capturedBytesMax, type Damage } from './damage.ts'
import { CaptureInterface, describe, enterStatistics, options } from './interfaces.ts'
import { PieceReader } from './pieces.ts'
import { Timestamp } from './timestamp.ts'

const sectionHeader = 0x0a0d0d0a
const byteOrderMagic = 0x1a2b3c4d
const interfaceDescription = 1
const obsoletePacket = 2
const simplePacket = 3
const interfaceStatistics = 5
const enhancedPacket = 6

/** Kinds of blocks that have no packets and are passed over (draft-ietf-opsawg-pcapng, 11.1). */
export const blockNames: Readonly<Record<number, string>> = {
  4: 'name resolution',
  7: 'IRIG timestamp',
  8: 'ARINC 429',
  9: 'systemd journal export',
  10: 'decryption secrets',
  2989: 'custom',
  1073744813: 'custom, not to be copied',
}

/** Type, total length, and the total length again. */
const frameBytes = 12
const interfacesMax = 65_536
/** At most this many kinds of unknown blocks are distinguished; those of others are counted under -1. */
const kindsMax = 256

/** Whether a file that begins so is a pcapng file. */
export function isPcapng(head: DataView): boolean {
  return head.getUint32(0) === sectionHeader
}

/** Reads pcapng (draft-ietf-opsawg-pcapng): any number of sections, each in its own byte order, with any number of interfaces. */
export class PcapngReader extends PieceReader {
  /** Packets given out. */
  packets = 0
  sections = 0
  /** Of all sections, in the order of the file. */
  readonly interfaces: CaptureInterface[] = []
  /** Blocks passed over, by type; see `blockNames`. */
  readonly ignored = new Map<number, number>()
  /** Packets that claim a time out of what is kept exactly. */
  timesOutOfRange = 0
  /** Packets lost between those of obsolete Packet Blocks, which say so one by one. */
  dropsBetween = 0
  private readonly onPacket: (captured: Captured) => void
  private readonly captured = new Captured()
  private readonly timestamp = new Timestamp()
  /** Of packets whose section does not describe it: their times are taken to be in the usual unit. */
  private readonly unknown = new CaptureInterface(0, -1, 0)
  private little = true
  /** Where the interfaces of this section begin in `interfaces`. */
  private firstInterface = 0
  /** The present section has a version that nobody here knows: its blocks are passed over, as the draft wants it. */
  private isPassedOver = false
  private passedOver: Damage | null = null

  constructor(onPacket: (captured: Captured) => void) {
    super()
    this.onPacket = onPacket
    this.wanted = frameBytes
  }

  protected override parse(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    while (to - at >= frameBytes) {
      const isSection = this.view.getUint32(at) === sectionHeader
      if (isSection ? !this.order(at) : this.sections === 0) {
        return this.damaged(this.sections === 0 ? 'unknown' : 'damaged', at, 'no pcapng section')
      }
      const { little } = this
      const length = this.view.getUint32(at + 4, little)
      if (length < frameBytes || (length & 3) !== 0) return this.damaged('damaged', at, `a block of ${length} bytes`)
      if (length > blockBytesMax) return this.damaged('damaged', at, `a block that claims ${length} bytes`)
      if (to - at < length) {
        this.wanted = length
        return at
      }
      const end = at + length
      const again = this.view.getUint32(end - 4, little)
      if (again !== length) {
        return this.damaged('damaged', at, `a block of ${length} bytes that ends as one of ${again} bytes`)
      }
      if (!this.block(bytes, at, end)) return at
      at = end
    }
    this.wanted = frameBytes
    return at
  }

  protected override cutText(held: number, wanted: number): string {
    return held < frameBytes
      ? `cut short: ${held} bytes of a block`
      : `cut short: ${held} of the ${wanted} bytes of a block`
  }

  /** Names damage, and for convenience returns where it lies. */
  private damaged(kind: 'damaged' | 'unknown', at: number, problem: string): number {
    this.fail(kind, this.base + at, problem)
    return at
  }

  /** Takes the byte order of the section that begins. */
  private order(at: number): boolean {
    this.little = this.view.getUint32(at + 8, true) === byteOrderMagic
    return this.little || this.view.getUint32(at + 8) === byteOrderMagic
  }

  /** False after damage. */
  private block(bytes: Uint8Array, at: number, end: number): boolean {
    const type = this.view.getUint32(at, this.little)
    if (this.isPassedOver && type !== sectionHeader) return true
    switch (type) {
      case enhancedPacket:
        return this.enhanced(bytes, at, end)
      case simplePacket:
        return this.simple(bytes, at, end)
      case obsoletePacket:
        return this.obsolete(bytes, at, end)
      case sectionHeader:
        return this.section(at, end)
      case interfaceDescription:
        return this.description(at, end)
      case interfaceStatistics:
        return this.statistics(at, end)
      default: {
        const kind = this.ignored.has(type) || this.ignored.size < kindsMax ? type : -1
        this.ignored.set(kind, (this.ignored.get(kind) ?? 0) + 1)
        return true
      }
    }
  }

  private short(at: number, end: number, what: string): false {
    this.fail('damaged', this.base + at, `${what} of ${end - at} bytes`)
    return false
  }

  /** What was passed over is told when all else has been read. */
  protected override ended(): void {
    this.damage = this.passedOver
  }

  /**
   * Section Header Block (4.1). Its length of the section is of no use to someone who reads everything. Minor versions add kinds of
   * blocks and options at most (1.2 is 1.0), which are counted; another major version may be anything.
   */
  private section(at: number, end: number): boolean {
    if (end - at < 28) return this.short(at, end, 'a section header')
    const major = this.view.getUint16(at + 12, this.little)
    this.isPassedOver = major !== 1
    if (this.isPassedOver) {
      const problem = `pcapng version ${major}.${this.view.getUint16(at + 14, this.little)}`
      this.passedOver ??= { kind: 'unknown', offset: this.base + at, problem }
    }
    this.sections++
    this.firstInterface = this.interfaces.length
    return true
  }

  /** Interface Description Block (4.2). */
  private description(at: number, end: number): boolean {
    if (end - at < 20) return this.short(at, end, 'an interface description')
    if (this.interfaces.length >= interfacesMax) {
      this.fail('damaged', this.base + at, `more than ${interfacesMax} interfaces`)
      return false
    }
    const { little } = this
    const linkType = this.view.getUint16(at + 8, little)
    const described = new CaptureInterface(this.sections, linkType, this.view.getUint32(at + 12, little))
    for (const option of options(this.view, at + 16, end - 4, little)) describe(described, this.view, option, little)
    this.interfaces.push(described)
    return true
  }

  /** Interface Statistics Block (4.6). */
  private statistics(at: number, end: number): boolean {
    if (end - at < 24) return this.short(at, end, 'interface statistics')
    const { little } = this
    const counted = this.interfaces[this.firstInterface + this.view.getUint32(at + 8, little)]
    if (counted === undefined) return true
    for (const option of options(this.view, at + 20, end - 4, little))
      enterStatistics(counted, this.view, option, little)
    return true
  }

  /** Enhanced Packet Block (4.3). */
  private enhanced(bytes: Uint8Array, at: number, end: number): boolean {
    if (end - at < 32) return this.short(at, end, 'a packet block')
    return this.timed(bytes, at, end, this.view.getUint32(at + 8, this.little))
  }

  /** The obsolete Packet Block (appendix A): an interface of 16 bits, then the packets lost since the one before, 65535 for unknown. */
  private obsolete(bytes: Uint8Array, at: number, end: number): boolean {
    if (end - at < 32) return this.short(at, end, 'a packet block')
    const drops = this.view.getUint16(at + 10, this.little)
    if (drops !== 0xffff) this.dropsBetween += drops
    return this.timed(bytes, at, end, this.view.getUint16(at + 8, this.little))
  }

  private timed(bytes: Uint8Array, at: number, end: number, local: number): boolean {
    const { little, captured, timestamp } = this
    const number = this.firstInterface + local
    const source = number < this.interfaces.length ? this.interfaces[number]! : this.unknown
    timestamp.read(this.view, at + 12, little, source)
    if (!timestamp.exact) this.timesOutOfRange++
    captured.time = timestamp.time
    captured.nanoseconds = timestamp.nanoseconds
    captured.timed = true
    source.packets++
    captured.linkType = source.linkType
    captured.interface = number
    captured.wireLength = this.view.getUint32(at + 24, little)
    return this.give(bytes, at, end, at + 28, this.view.getUint32(at + 20, little))
  }

  /** Simple Packet Block (4.4): of the first interface, without a time, as long as that interface's limit lets it be. */
  private simple(bytes: Uint8Array, at: number, end: number): boolean {
    if (end - at < 16) return this.short(at, end, 'a packet block')
    const { captured } = this
    const source = this.firstInterface < this.interfaces.length ? this.interfaces[this.firstInterface]! : this.unknown
    const wire = this.view.getUint32(at + 8, this.little)
    let length = Math.min(wire, end - 4 - (at + 12))
    if (source.snapLength > 0) length = Math.min(length, source.snapLength)
    captured.nanoseconds = 0
    captured.timed = false
    source.packets++
    captured.linkType = source.linkType
    captured.interface = this.firstInterface
    captured.wireLength = wire
    return this.give(bytes, at, end, at + 12, length)
  }

  private give(bytes: Uint8Array, at: number, end: number, from: number, length: number): boolean {
    if (length > capturedBytesMax || from + length > end - 4) {
      this.fail('damaged', this.base + at, `a packet that claims ${length} captured bytes`)
      return false
    }
    const { captured } = this
    captured.bytes = bytes
    captured.from = from
    captured.to = from + length
    captured.recordFrom = at
    captured.recordTo = end
    captured.offset = this.base + at
    captured.number = ++this.packets
    this.onPacket(captured)
    return true
  }
}
