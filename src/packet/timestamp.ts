import type { CaptureInterface } from './interfaces.ts'

/** A time as `Captured` has it. Filled again and again. */
export class Timestamp {
  /** Microseconds since the epoch, rounded down; an exact integer. */
  time = 0
  /** 0 to 999. */
  nanoseconds = 0
  /** False where the time lies outside what a number holds exactly: 1684 to 2255. It is then set to the nearest that does. */
  exact = true

  /** From the two halves of a pcapng timestamp (draft-ietf-opsawg-pcapng, 4.3), the high one first in either byte order. */
  read(view: DataView, at: number, little: boolean, of: CaptureInterface): void {
    const high = view.getUint32(at, little)
    const low = view.getUint32(at + 4, little)
    // Nearly all files count microseconds or nanoseconds.
    if (of.binary || of.offset !== 0 || high >= 0x8000_0000) {
      this.setAny(high, low, of)
    } else if (of.resolution === 6 && high < 0x20_0000) {
      this.time = high * 0x1_0000_0000 + low
      this.nanoseconds = 0
      this.exact = true
    } else if (of.resolution === 9) {
      // High and low half divided one after the other, so that no step is larger than 2^53.
      const upper = Math.floor(high / 1000)
      const rest = (high - upper * 1000) * 0x1_0000_0000 + low
      const lower = Math.floor(rest / 1000)
      this.time = upper * 0x1_0000_0000 + lower
      this.nanoseconds = rest - lower * 1000
      this.exact = this.time <= Number.MAX_SAFE_INTEGER
      if (!this.exact) this.time = Number.MAX_SAFE_INTEGER
    } else {
      this.setAny(high, low, of)
    }
  }

  /** Any resolution, exact and slow. */
  private setAny(high: number, low: number, of: CaptureInterface): void {
    const count = (BigInt(high) << 32n) | BigInt(low)
    const perSecond = of.binary ? 1n << BigInt(of.resolution) : 10n ** BigInt(of.resolution)
    const nanoseconds = (count * 1_000_000_000n) / perSecond + BigInt(of.offset) * 1_000_000_000n
    const rest = ((nanoseconds % 1000n) + 1000n) % 1000n
    const time = (nanoseconds - rest) / 1000n
    const most = BigInt(Number.MAX_SAFE_INTEGER)
    this.exact = time <= most && time >= -most
    this.time = this.exact ? Number(time) : time < 0n ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER
    this.nanoseconds = this.exact ? Number(rest) : 0
  }
}
