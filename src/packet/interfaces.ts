/** An interface of a capture: where packets were captured, and how their records are to be read. */
export class CaptureInterface {
  /** Of the section that describes it, from 1. */
  readonly section: number
  readonly linkType: number
  /** Captured bytes at most, 0 for no limit. */
  readonly snapLength: number
  /** What a time counts: 10^-n s, or 2^-n s where `binary`. */
  resolution: number
  binary = false
  /** `if_tsoffset`: seconds to be added to each time. */
  offset = 0
  /** `if_name`, null without one: text from evidence. */
  name: string | null = null
  /** Given out so far. */
  packets = 0
  /** Of the last statistics: packets received, and lost by the interface or for want of room (`isb_ifdrop`), and by the system (`isb_osdrop`). */
  received: bigint | null = null
  interfaceDrops: bigint | null = null
  systemDrops: bigint | null = null

  constructor(section: number, linkType: number, snapLength: number, resolution = 6) {
    this.section = section
    this.linkType = linkType
    this.snapLength = snapLength
    this.resolution = resolution
  }
}

/** Options of a block (draft-ietf-opsawg-pcapng, 3.5): a code, a length, a value padded to four bytes. One that does not fit ends them. */
export function* options(
  view: DataView,
  from: number,
  to: number,
  little: boolean,
): Generator<readonly [code: number, from: number, to: number]> {
  let at = from
  while (to - at >= 4) {
    const code = view.getUint16(at, little)
    const start = at + 4
    const end = start + view.getUint16(at + 2, little)
    if (code === 0 || end > to) return
    yield [code, start, end]
    at = start + ((end - start + 3) & ~3)
  }
}

const nameBytesMax = 256
const text = new TextDecoder('utf-8', { fatal: false })

/** Options of an Interface Description Block (4.2): `if_name`, `if_tsresol`, `if_tsoffset`. */
export function describe(
  to: CaptureInterface,
  view: DataView,
  [code, from, end]: readonly [number, number, number],
  little: boolean,
): void {
  const length = end - from
  if (code === 2 && length > 0) {
    to.name = text
      .decode(new Uint8Array(view.buffer, view.byteOffset + from, Math.min(length, nameBytesMax)))
      .replace(/\0+$/, '')
  } else if (code === 9 && length >= 1) {
    to.resolution = view.getUint8(from) & 0x7f
    to.binary = view.getUint8(from) > 0x7f
  } else if (code === 14 && length >= 8) {
    to.offset = Number(view.getBigInt64(from, little))
  }
}

/** Options of an Interface Statistics Block (4.6). They count from the start of the capture, so the last block says it all. */
export function enterStatistics(
  to: CaptureInterface,
  view: DataView,
  [code, from, end]: readonly [number, number, number],
  little: boolean,
): void {
  if (end - from < 8) return
  if (code === 4) to.received = view.getBigUint64(from, little)
  else if (code === 5) to.interfaceDrops = view.getBigUint64(from, little)
  else if (code === 7) to.systemDrops = view.getBigUint64(from, little)
}
