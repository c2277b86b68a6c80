/** Where packed data ceased to be sound. `offset` counts the bytes of the file. */
export class PackedDamage extends Error {
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** Bytes by number rather than as they come. */
export class PackedInput {
  /** Bytes taken so far. */
  offset = 0
  /** Whether the file ended within what was asked for. */
  cut = false
  private readonly pieces: AsyncIterator<Uint8Array>
  private rest: Uint8Array = new Uint8Array(0)

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.pieces = pieces[Symbol.asyncIterator]()
  }

  /** The next bytes, null if there are fewer. They are valid until the next call. */
  async take(count: number): Promise<Uint8Array | null> {
    if (this.rest.length < count && !(await this.fill(count))) {
      this.cut = this.rest.length > 0
      return null
    }
    const taken = this.rest.subarray(0, count)
    this.rest = this.rest.subarray(count)
    this.offset += count
    return taken
  }

  /** As many of the next bytes as there are. They are valid until the next call. */
  async upTo(count: number): Promise<Uint8Array> {
    if (this.rest.length < count) await this.fill(count)
    return (await this.take(Math.min(count, this.rest.length))) ?? new Uint8Array(0)
  }

  /** The next bytes, or damage. */
  async sure(count: number): Promise<Uint8Array> {
    const bytes = await this.take(count)
    if (bytes === null) throw new PackedDamage('the file is cut short', this.offset)
    return bytes
  }

  private async fill(count: number): Promise<boolean> {
    const parts = [this.rest]
    let length = this.rest.length
    while (length < count) {
      const next = await this.pieces.next()
      if (next.done) break
      length += next.value.length
      // A piece is there until the next one is asked for.
      parts.push(length < count ? next.value.slice() : next.value)
    }
    this.rest = new Uint8Array(length)
    let at = 0
    for (const part of parts) {
      this.rest.set(part, at)
      at += part.length
    }
    return length >= count
  }
}
