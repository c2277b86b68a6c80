/** JSON of one line for the page: integers beyond 2^53, which its parser would round, are text. */
export function toLine(value: unknown): string {
  try {
    // A function for each value takes five times as long; a bigint has to have one.
    return JSON.stringify(value) ?? 'null'
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? exact(inner) : inner))
  }
}

function exact(value: bigint): number | string {
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : String(value)
}

/** An answer as the text that the page gets: the server passes it on without reading it. */
export class JsonText {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  static of(value: unknown): JsonText {
    return value instanceof JsonText ? value : new JsonText(Buffer.from(toLine(value)))
  }

  value(): unknown {
    return JSON.parse(this.bytes.toString('utf8'))
  }
}
