import { exitStatus, UserError } from '../errors.ts'

/** A text that a filter, or a part of it, was read from. */
export interface Source {
  /** The file, as it was named; null for the filter itself. */
  file: string | null
  text: string
  /** Where the files that it names are looked for. */
  folder: string
}

/** A piece of a source: `length` 0 is the place before `offset`. */
export interface Place {
  source: Source
  offset: number
  length: number
}

const lineShown = 100
const valueShown = 60

/**
 * A filter that cannot be read, with the place.
 *
 * Message and fields hold the user's text as it is; whoever shows it makes it visible, also through `excerpt`.
 */
export class FilterError extends UserError {
  readonly file: string | null
  /** Counted in UTF-16 units within the source, as editors count. */
  readonly offset: number
  readonly length: number
  /** From 1. */
  readonly line: number
  readonly column: number
  /** Words and kinds of words that could stand there, in the grammar's order. */
  readonly expected: readonly string[]
  /** The valid word that is nearest to what was written. */
  readonly suggestion: string | null
  /** Whether a name is no field that is known: other records may have it. */
  readonly isUnknownField: boolean
  private readonly lineText: string

  constructor(
    what: string,
    place: Place,
    more: { hint?: string; expected?: string[]; suggestion?: string | null; isUnknownField?: boolean } = {},
  ) {
    const suggestion = more.suggestion ?? null
    const hints = [
      suggestion === null ? '' : `did you mean ${suggestion}?`,
      more.hint ?? '',
      more.hint === undefined && more.expected?.length ? `expected ${oneOf(more.expected.map(quoted))}` : '',
    ].filter(hint => hint !== '')
    super(what, { status: exitStatus.usage, ...(hints.length > 0 && { hint: hints.join(' ') }) })
    this.name = 'FilterError'
    const { text, file } = place.source
    const start = text.lastIndexOf('\n', place.offset - 1) + 1
    const end = text.indexOf('\n', place.offset)
    this.file = file
    this.offset = place.offset
    this.length = place.length
    this.line = text.slice(0, start).split('\n').length
    this.column = place.offset - start + 1
    this.lineText = text.slice(start, end < 0 ? text.length : end).replace(/\r$/, '')
    this.expected = more.expected ?? []
    this.suggestion = suggestion
    this.isUnknownField = more.isUnknownField ?? false
  }

  /**
   * The line, and below it a caret at the place.
   *
   * @param show makes text fit for where it is shown; for a terminal `visible`.
   * @param width cells that shown text takes.
   */
  excerpt(show: (text: string) => string, width: (text: string) => number = text => text.length): string[] {
    const at = this.column - 1
    const from = at > lineShown * 0.75 ? at - Math.floor(lineShown / 2) : 0
    const part = this.lineText.slice(from, from + lineShown)
    const before = `${from > 0 ? '… ' : ''}${show(part.slice(0, at - from))}`
    const marked = show(part.slice(at - from, at - from + this.length))
    const after = `${show(part.slice(at - from + this.length))}${from + lineShown < this.lineText.length ? ' …' : ''}`
    const place = this.file === null ? [] : [`in ${show(this.file)}, line ${this.line}:`]
    return [
      ...place,
      `  ${before}${marked}${after}`,
      `  ${' '.repeat(width(before))}${'^'.repeat(Math.max(1, width(marked)))}`,
    ]
  }
}

/** Words of the language within quotes, kinds of words as they are. */
function quoted(expected: string): string {
  return /^an? /.test(expected) ? expected : `"${expected}"`
}

/** A value for a message: not longer than a line. */
export function shortened(text: string): string {
  return text.length <= valueShown ? text : `${text.slice(0, valueShown)}…`
}

/** `a, b or c`. */
export function oneOf(words: readonly string[]): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
