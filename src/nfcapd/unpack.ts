import { unbzip2 } from '../codecs/bzip2.ts'
import { unlz4 } from '../codecs/lz4.ts'
import { unlzo } from '../codecs/lzo.ts'
import { PackedError, PackedFull, roomCheck } from '../codecs/packed.ts'
import { PackedDamage } from '../codecs/packed-input.ts'
import { unzstd } from '../codecs/unzstd.ts'
import type { NfcapdCompression } from './account.ts'

/** Room to begin with: flows pack to a fourth or so, and nfdump's blocks have up to 1 MiB (1.6 to 1.7.1) or 2 MiB (later). */
const ratio = 8
const leastBytes = 64 << 10
const usualBytes = 2 << 20

/** Unpacks blocks into one buffer, which grows up to a limit if a block needs it. */
export class Unpacker {
  private readonly most: number
  private buffer = new Uint8Array(0)

  constructor(most: number) {
    this.most = most
  }

  /**
   * The content of a block, valid until the next call.
   *
   * @throws PackedError if the block is damaged, or holds too much.
   */
  async unpack(compression: NfcapdCompression, block: Uint8Array): Promise<Uint8Array> {
    if (compression === 'none') return block
    const room = Math.min(usualBytes, Math.max(leastBytes, block.length * ratio))
    if (this.buffer.length < room) this.buffer = new Uint8Array(room)
    for (;;) {
      try {
        return this.buffer.subarray(0, await this.into(compression, block))
      } catch (error) {
        if (!(error instanceof PackedFull) || this.buffer.length >= this.most) throw error
        this.buffer = new Uint8Array(Math.min(this.most, this.buffer.length * 4))
      }
    }
  }

  private async into(compression: NfcapdCompression, block: Uint8Array): Promise<number> {
    if (compression === 'lz4') return unlz4(block, this.buffer)
    if (compression === 'lzo') return unlzo(block, this.buffer)
    if (compression === 'bz2') return unbzip2(block, this.buffer)
    let to = 0
    try {
      for await (const piece of unzstd(once(block))) {
        roomCheck(to + piece.length <= this.buffer.length)
        this.buffer.set(piece, to)
        to += piece.length
      }
    } catch (error) {
      throw error instanceof PackedDamage ? new PackedError(error.message) : error
    }
    return to
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
