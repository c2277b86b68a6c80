import { assert } from '../errors.ts'
import { blockBytesMax, type Damage } from './damage.ts'

/**
 * Bytes in pieces of any size to whole records: what both formats of capture have in common.
 *
 * A record that lies in one piece is parsed where it is. Only one that spans pieces is put together, in a buffer that is used again and
 * that grows with what has come, not with what the file claims.
 */
export abstract class PieceReader {
  damage: Damage | null = null
  /** Bytes fed so far. */
  size = 0
  /** Where in the file the first of the bytes lies that `parse` was given. */
  protected base = 0
  /** As many bytes must be there for `parse` to get further. */
  protected wanted = 4
  /** Of what `parse` was given. */
  protected view: DataView = new DataView(new ArrayBuffer(0))
  private held = new Uint8Array(16 << 10)
  private heldLength = 0

  feed(piece: Uint8Array): void {
    const start = this.size
    this.size += piece.length
    if (this.damage !== null) return
    // Of a Buffer the engine would make code of its own, beside that for plain arrays.
    const bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
    let at = 0
    while (this.heldLength > 0) {
      const taken = Math.min(this.wanted - this.heldLength, bytes.length - at)
      this.hold(bytes, at, at + taken)
      at += taken
      if (this.heldLength < this.wanted) return
      this.base = start + at - this.heldLength
      const wanted = this.wanted
      this.view = new DataView(this.held.buffer)
      if (this.parse(this.held, 0, this.heldLength) > 0) this.heldLength = 0
      if (this.damage !== null) return
      assert(this.heldLength === 0 || this.wanted > wanted, 'a reader takes what it asked for, or asks for more')
    }
    this.base = start
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    at = this.parse(bytes, at, bytes.length)
    if (this.damage === null) this.hold(bytes, at, bytes.length)
  }

  /** After the last piece: what is left over was cut off. */
  end(): void {
    if (this.damage !== null) return
    if (this.heldLength > 0) this.fail('cut', this.size - this.heldLength, this.cutText(this.heldLength, this.wanted))
    else this.ended()
  }

  /** Bytes from the damage to the end. */
  get notRead(): number {
    return this.damage === null ? 0 : this.size - this.damage.offset
  }

  /**
   * Takes whole records from `bytes[from]` on and returns where the first lies that is not whole. `wanted` is then how many bytes it
   * takes, as far as is known by now; always more than are there.
   */
  protected abstract parse(bytes: Uint8Array, from: number, to: number): number

  protected abstract cutText(held: number, wanted: number): string

  /** The file ended between two records. */
  protected ended(): void {}

  protected fail(kind: Damage['kind'], offset: number, problem: string): void {
    this.damage = { kind, offset, problem }
  }

  private hold(bytes: Uint8Array, from: number, to: number): void {
    const length = this.heldLength + to - from
    if (length > this.held.length) {
      const larger = new Uint8Array(Math.min(Math.max(2 * this.held.length, length), blockBytesMax))
      larger.set(this.held.subarray(0, this.heldLength))
      this.held = larger
    }
    this.held.set(bytes.subarray(from, to), this.heldLength)
    this.heldLength = length
  }
}
