import { PackedError, packedCheck, roomCheck } from './packed.ts'

/**
 * LZO1X streams, by the description of the format in Linux (Documentation/staging/lzo.rst): instructions that copy literals or what
 * came before. What an instruction below 16 means depends on how many literals the one before it copied.
 */

/**
 * Unpacks a block.
 *
 * @returns the number of bytes in `out`.
 * @throws PackedError if the block is damaged or does not fit into `out`.
 */
export function unlzo(block: Uint8Array, out: Uint8Array): number {
  const stream = new LzoStream(block, out)
  stream.run()
  return stream.to
}

/** Literals that came right before an instruction: 0; 1 to 3; or a run of four and more. */
type State = 0 | 1 | 2 | 3 | 4

class LzoStream {
  to = 0
  private readonly block: Uint8Array
  private readonly out: Uint8Array
  private at = 0

  constructor(block: Uint8Array, out: Uint8Array) {
    this.block = block
    this.out = out
  }

  /** Until the end marker, which must be the end. */
  run(): void {
    let state = this.first()
    for (;;) {
      const next = this.instruction(this.byte(), state)
      if (next === null) break
      state = next
    }
    packedCheck(this.at === this.block.length, 'bytes after the end marker')
  }

  /** A first byte above 17 is a number of literals. (17 would begin a bitstream version, which LZO itself never writes.) */
  private first(): State {
    const byte = this.block[0]
    if (byte === undefined || byte <= 17) return 0
    this.at = 1
    const count = byte - 17
    this.literals(count)
    return count < 4 ? (count as State) : 4
  }

  /** Returns the state it leaves, null at the end marker. */
  private instruction(code: number, state: State): State | null {
    if (code >= 64) {
      // 1LLDDDSS, 01LDDDSS and the distance's upper byte: up to 2 KiB back.
      const distance = (this.byte() << 3) + ((code >>> 2) & 7) + 1
      this.copy(distance, (code >>> 5) + 1)
      return this.tail(code & 3)
    }
    if (code >= 32) {
      // 001LLLLL and two bytes: up to 16 KiB back.
      const count = this.length(code & 31, 31) + 2
      const low = this.byte()
      const distance = (low >>> 2) + (this.byte() << 6) + 1
      this.copy(distance, count)
      return this.tail(low & 3)
    }
    if (code >= 16) {
      // 0001HLLL and two bytes: 16 to 48 KiB back; no distance at all is the end marker.
      const count = this.length(code & 7, 7) + 2
      const low = this.byte()
      const distance = ((code & 8) << 11) + (low >>> 2) + (this.byte() << 6)
      if (distance === 0) {
        packedCheck(count === 3, 'an end marker that is wrong')
        return null
      }
      this.copy(distance + 16384, count)
      return this.tail(low & 3)
    }
    if (state === 0) {
      this.literals(this.length(code, 15) + 3)
      return 4
    }
    // 0000DDSS: two bytes from near, or three from 2 KiB back after a run of literals.
    const near = (code >>> 2) + (this.byte() << 2) + 1
    if (state === 4) this.copy(near + 2048, 3)
    else this.copy(near, 2)
    return this.tail(code & 3)
  }

  /** A length of 0 goes on in further bytes: 255 for each zero byte, then the last one. */
  private length(value: number, most: number): number {
    if (value > 0) return value
    let length = most
    for (;;) {
      const byte = this.byte()
      if (byte > 0) return length + byte
      length += 255
    }
  }

  private tail(count: number): State {
    this.literals(count)
    return count as State
  }

  private byte(): number {
    const byte = this.block[this.at++]
    if (byte === undefined) throw new PackedError('cut short')
    return byte
  }

  private literals(count: number): void {
    const { block, out, at, to } = this
    packedCheck(at + count <= block.length, 'literals past the end of the block')
    roomCheck(to + count <= out.length)
    if (count > 32) out.set(block.subarray(at, at + count), to)
    else for (let i = 0; i < count; i++) out[to + i] = block[at + i]!
    this.at += count
    this.to += count
  }

  private copy(distance: number, count: number): void {
    const { out, to } = this
    packedCheck(distance <= to, 'a copy from before the beginning')
    roomCheck(to + count <= out.length)
    if (distance >= count && count > 32) out.copyWithin(to, to - distance, to - distance + count)
    else for (let i = 0; i < count; i++) out[to + i] = out[to + i - distance]!
    this.to += count
  }
}
