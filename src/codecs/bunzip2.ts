import { Bits, Bzip2Stream } from './bzip2.ts'
import { PackedError, PackedFull } from './packed.ts'
import { PackedDamage, PackedInput } from './packed-input.ts'

/** More than any sound block has: 900,000 symbols of at most 20 bits, and its tables. */
const blockPackedMax = 3 << 20
/** As much as a block gives whose bytes do not repeat. */
const outBytes = 1 << 20
/** The largest block of nothing but runs: 259 bytes out of 5. */
const outBytesMax = 48 << 20

/**
 * Unpacks bzip2 as it comes: any number of streams, checksums verified. Memory is that of the largest block; whatever was whole before
 * damage is given out first.
 *
 * @throws PackedDamage
 */
export async function* bunzip2(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new PackedInput(pieces)
  const bits = new Bits(new Uint8Array(0))
  let out = new Uint8Array(outBytes)
  let isLast = false
  const ahead = async (): Promise<void> => {
    const left = bits.bytes.length - bits.at
    if (isLast || left >= blockPackedMax) return
    const more = await input.upTo(2 * blockPackedMax - left)
    isLast = more.length < 2 * blockPackedMax - left
    bits.bytes = Buffer.concat([bits.bytes.subarray(bits.at), more])
    bits.at = 0
  }
  const place = (): number => input.offset - (bits.bytes.length - bits.at) - bits.heldBytes
  let start = 0
  try {
    for (;;) {
      await ahead()
      bits.align()
      if (bits.isAtEnd) return
      start = place()
      const stream = new Bzip2Stream(bits, out)
      for (;;) {
        await ahead()
        start = place()
        stream.out = out
        try {
          if (!stream.next()) break
        } catch (error) {
          if (!(error instanceof PackedFull)) throw error
          out = new Uint8Array(outBytesMax)
          stream.out = out
          stream.again()
        }
        if (stream.to > 0) yield out.subarray(0, stream.to)
      }
    }
  } catch (error) {
    if (!(error instanceof PackedError)) throw error
    const isCut = error.message === 'cut short'
    throw new PackedDamage(
      isCut ? (isLast ? 'the file is cut short' : 'a block that is too long') : error.message,
      isCut && isLast ? input.offset : start,
    )
  }
}
