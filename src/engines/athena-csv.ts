/** The rows of an answer of Athena, as it writes them to S3: CSV in which null is nothing at all, and empty text is two quotes. */
import { UserError } from '../errors.ts'
import type { TextRow } from './engine.ts'

/**
 * Reads CSV in pieces, however they are cut.
 *
 * @throws UserError for what ends in the middle of a row, or has rows of more or fewer values than names: nothing that is cut looks whole.
 */
export class CsvReader {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true })
  private names: TextRow | null = null
  private row: (string | null)[] = []
  /** What was read of a value: its pieces between quotes that stand for one; null before its first character. */
  private value: string | null = null
  private state: 'plain' | 'quoted' | 'quote' = 'plain'

  /** The rows that are whole by now, without that of the names. */
  rows(piece: Uint8Array): TextRow[] {
    return this.read(this.decoded(piece))
  }

  /** The last row, where no line break ends it. */
  end(): TextRow[] {
    const rows = this.read(this.decoded(new Uint8Array(), true))
    if (this.state === 'quoted') throw damaged('it ends within a value')
    if (this.row.length > 0 || this.value !== null) this.endRow(rows)
    if (this.names === null) throw damaged('it is empty')
    return rows
  }

  private decoded(piece: Uint8Array, isLast = false): string {
    try {
      return this.decoder.decode(piece, { stream: !isLast })
    } catch {
      throw damaged('it is not UTF-8')
    }
  }

  private read(text: string): TextRow[] {
    const rows: TextRow[] = []
    for (let at = 0; at < text.length; ) {
      if (this.state === 'quoted') {
        const quote = text.indexOf('"', at)
        const to = quote < 0 ? text.length : quote
        this.value = (this.value ?? '') + text.slice(at, to)
        if (quote >= 0) this.state = 'quote'
        at = to + 1
        continue
      }
      const character = text[at++]!
      if (character === '"') {
        // A second quote right after one stands for a quote.
        if (this.state === 'quote') this.value += '"'
        else if (this.value !== null) throw damaged('a quote stands within a value')
        this.value ??= ''
        this.state = 'quoted'
        continue
      }
      if (character === ',') this.endValue()
      else if (character === '\n') this.endRow(rows)
      else if (this.state === 'quote') throw damaged('text stands after a quote')
      else this.value = (this.value ?? '') + character
    }
    return rows
  }

  private endValue(): void {
    this.row.push(this.value)
    this.value = null
    this.state = 'plain'
  }

  private endRow(rows: TextRow[]): void {
    this.endValue()
    const row = this.row
    this.row = []
    if (this.names === null) this.names = row
    else if (row.length === this.names.length) rows.push(row)
    else throw damaged(`a row has ${row.length} values, and there are ${this.names.length} columns`)
  }
}

function damaged(how: string): UserError {
  return new UserError(`the answer of Athena is damaged: ${how}`, { hint: 'ask again' })
}
