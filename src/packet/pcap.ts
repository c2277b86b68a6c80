import { Captured } from './captured.ts'
import { capturedBytesMax } from './damage.ts'
import { CaptureInterface } from './interfaces.ts'
import { PieceReader } from './pieces.ts'

const headerBytes = 24

/** By the magic number in the order of the file: how long the header of a record is, and whether times have nanoseconds. */
const variants: Record<number, { recordHeader: number; nano: boolean } | undefined> = {
  2712847316: { recordHeader: 16, nano: false },
  2712812621: { recordHeader: 16, nano: true },
  // Of a patched libpcap of the 1990s: index of the interface (4), protocol (2), kind of packet (1) and padding (1) follow the lengths.
  2712849716: { recordHeader: 24, nano: false },
}

/** Whether a file that begins so is a pcap file of whatever byte order. */
export function isPcap(head: DataView): boolean {
  return head.getUint32(0, true) in variants || head.getUint32(0) in variants
}

/** Reads pcap (draft-ietf-opsawg-pcap) of both byte orders, as it comes. */
export class PcapReader extends PieceReader {
  /** Packets given out. */
  packets = 0
  /** The one of the header; none before it was read. */
  readonly interfaces: CaptureInterface[] = []
  private readonly onPacket: (captured: Captured) => void
  private readonly captured = new Captured()
  private little = true
  private nano = false
  private recordHeader = 16
  private minor = 4
  private begun = false

  constructor(onPacket: (captured: Captured) => void) {
    super()
    this.onPacket = onPacket
    this.wanted = headerBytes
  }

  protected override parse(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    if (!this.begun) {
      if (to - at < headerBytes || !this.header(at)) return at
      at += headerBytes
    }
    const { recordHeader, little } = this
    const only = this.interfaces[0]!
    while (to - at >= recordHeader) {
      const length = this.capturedLength(at)
      if (length > capturedBytesMax) {
        this.fail('damaged', this.base + at, `a packet that claims ${length} captured bytes`)
        return at
      }
      if (length === 0 && this.isBlank(at)) {
        this.fail('damaged', this.base + at, 'zeros where a record should be')
        return at
      }
      const end = at + recordHeader + length
      if (end > to) {
        this.wanted = end - at
        return at
      }
      only.packets++
      this.give(bytes, at, end, little)
      at = end
    }
    this.wanted = recordHeader
    return at
  }

  protected override cutText(held: number, wanted: number): string {
    if (!this.begun) return `cut short: ${held} of the ${headerBytes} bytes of the file header`
    if (held < this.recordHeader) return `cut short: ${held} of the ${this.recordHeader} bytes of a record header`
    return `cut short: ${held} of the ${wanted} bytes of a record`
  }

  private header(at: number): boolean {
    this.little = this.view.getUint32(at, true) in variants
    const variant = variants[this.view.getUint32(at, this.little)]
    if (variant === undefined) {
      this.fail('unknown', this.base + at, 'no pcap file')
      return false
    }
    const major = this.view.getUint16(at + 4, this.little)
    this.minor = this.view.getUint16(at + 6, this.little)
    if (major !== 2) {
      this.fail('unknown', this.base + at + 4, `pcap version ${major}.${this.minor}`)
      return false
    }
    this.nano = variant.nano
    this.recordHeader = variant.recordHeader
    const snapLength = this.view.getUint32(at + 16, this.little)
    // The upper bits say how long a frame check sequence is (draft-ietf-opsawg-pcap, 4); IP has lengths of its own.
    const linkType = this.view.getUint32(at + 20, this.little) & 0x03ff_ffff
    this.captured.linkType = linkType
    this.interfaces.push(new CaptureInterface(1, linkType, snapLength, this.nano ? 9 : 6))
    this.begun = true
    return true
  }

  /** Up to version 2.2 the two lengths lie the other way round; in 2.3 both ways occur, and the smaller one is meant. */
  private capturedLength(at: number): number {
    const first = this.view.getUint32(at + 8, this.little)
    if (this.minor >= 4) return first
    const second = this.view.getUint32(at + 12, this.little)
    return this.minor < 3 ? second : Math.min(first, second)
  }

  /** No packet of no bytes was ever sent in 1970: a file system gave zeros for what it had lost, or a writer for what it did not fill. */
  private isBlank(at: number): boolean {
    return this.view.getUint32(at) === 0 && this.view.getUint32(at + 4) === 0 && this.view.getUint32(at + 12) === 0
  }

  private give(bytes: Uint8Array, at: number, end: number, little: boolean): void {
    const { captured } = this
    const from = at + this.recordHeader
    const fraction = this.view.getUint32(at + 4, little)
    let micro = fraction
    if (this.nano) {
      micro = Math.floor(fraction / 1000)
      captured.nanoseconds = fraction - micro * 1000
    }
    captured.bytes = bytes
    captured.from = from
    captured.to = end
    captured.recordFrom = at
    captured.recordTo = end
    captured.offset = this.base + at
    captured.number = ++this.packets
    captured.time = this.view.getUint32(at, little) * 1e6 + micro
    captured.wireLength = this.view.getUint32(at + 12, little)
    if (this.minor < 4) captured.wireLength = Math.max(captured.wireLength, this.view.getUint32(at + 8, little))
    this.onPacket(captured)
  }
}
