/** Bytes by number rather than as they come. */
export class ByteInput {
  /** Bytes taken so far. */
  offset = 0
  private readonly pieces: AsyncIterator<Uint8Array>
  private rest: Uint8Array = new Uint8Array(0)

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.pieces = pieces[Symbol.asyncIterator]()
  }

  /** The next `count` bytes, fewer where the file ends. They are valid until the next call. */
  async take(count: number): Promise<Uint8Array> {
    if (this.rest.length < count) await this.fill(count)
    const taken = this.rest.subarray(0, count)
    this.rest = this.rest.subarray(taken.length)
    this.offset += taken.length
    return taken
  }

  /** Memory grows with what comes, not with `count`, which a file may say as it likes. */
  private async fill(count: number): Promise<void> {
    const parts = [this.rest]
    let length = this.rest.length
    while (length < count) {
      const next = await this.pieces.next()
      if (next.done) break
      parts.push(next.value)
      length += next.value.length
    }
    if (parts.length === 1) return
    if (parts.length === 2 && parts[0]!.length === 0) {
      this.rest = parts[1]!
      return
    }
    this.rest = new Uint8Array(length)
    let at = 0
    for (const part of parts) {
      this.rest.set(part, at)
      at += part.length
    }
  }
}
