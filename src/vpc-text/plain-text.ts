import { Unwrapping, type Within, withinText } from './within.ts'

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be'

/** How text is kept, if it is not just the lines of a flow log in UTF-8. */
export interface TextForm {
  encoding: Encoding
  within: Within | null
}

/** In words, for people. */
export function formText({ encoding, within }: TextForm): string {
  const text = encoding === 'utf-8' ? 'UTF-8' : encoding.toUpperCase()
  return within === null ? text : encoding === 'utf-8' ? withinText(within) : `${text}, ${withinText(within)}`
}

/** The encoding of text, by its beginning. @returns how many bytes its mark has. */
export function encodingOf(head: Uint8Array): { encoding: Encoding; mark: number } {
  const [a, b, c] = head
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', mark: 3 }
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', mark: 2 }
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', mark: 2 }
  const start = head.subarray(0, 512)
  const zeros = [0, 0]
  start.forEach((byte, i) => {
    if (byte === 0) zeros[i % 2]!++
  })
  const most = start.length * 0.45
  if (zeros[1]! > most && zeros[0] === 0) return { encoding: 'utf-16le', mark: 0 }
  if (zeros[0]! > most && zeros[1] === 0) return { encoding: 'utf-16be', mark: 0 }
  return { encoding: 'utf-8', mark: 0 }
}

/**
 * Text as the lines of a flow log in UTF-8. Line n is line n of the file, or, of JSON, the n-th record: the number that a record is found by.
 * Iterate it once; then `notes` says why lines that hold no record hold none, and `isOpen` whether JSON ended within a value.
 */
export class PlainText {
  isOpen = false
  bytes = 0
  private readonly pieces: AsyncIterable<Uint8Array>
  private readonly encoding: Encoding
  private readonly unwrapping: Unwrapping | null
  private readonly isCut: () => boolean

  /** `format`: the fields that `--format` names. `isCut`: asked at the end, whether the pieces ended too early. */
  constructor(
    pieces: AsyncIterable<Uint8Array>,
    form: TextForm,
    format: readonly string[] | null,
    isCut: () => boolean,
  ) {
    this.pieces = pieces
    this.encoding = form.encoding
    this.unwrapping = form.within === null ? null : new Unwrapping(form.within, format)
    this.isCut = isCut
  }

  get notes(): ReadonlyMap<number, string> {
    return this.unwrapping?.units.notes ?? new Map()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    // A byte order mark is left out.
    const decoder = new TextDecoder(this.encoding)
    const { unwrapping } = this
    const encoded = (text: string): Uint8Array => {
      if (unwrapping === null) return Buffer.from(text)
      unwrapping.feed(text)
      return unwrapping.units.take()
    }
    for await (const piece of this.pieces) {
      this.bytes += piece.length
      yield encoded(decoder.decode(piece, { stream: true }))
    }
    yield encoded(decoder.decode())
    if (unwrapping === null) return
    this.isOpen = unwrapping.end(this.isCut())
    yield unwrapping.units.take()
  }
}
