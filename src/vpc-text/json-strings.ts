import type { Units } from './units.ts'

/** JSON with records in its strings: those under a key, or, where it is null, those of lists. */
export interface JsonForm {
  kind: 'json'
  key: string | null
}

const depthMax = 64
const stringLettersMax = 1 << 20

interface Frame {
  isList: boolean
  key: string | null
  /** The value of `field`, as Logs Insights names what `value` is. */
  field: string | null
}

type Expected = 'value' | 'first' | 'key' | 'colon' | 'next'

/**
 * Takes strings out of JSON as it comes: one document, one on each line, or one after the other. What is not JSON is passed over up to the
 * next line that begins a document, and counts as one line that holds no record.
 */
export class JsonStrings {
  private readonly units: Units
  private readonly wanted: (key: string | null, text: string) => boolean
  private readonly stack: Frame[] = []
  private expected: Expected = 'value'
  /** What of a token has come so far. */
  private rest = ''
  /** Where a string was too long to keep: its end is looked for. */
  private isInLongString = false
  private isSkipping = false
  /** Whether something was passed over: what was around it may end here. */
  private hasSkipped = false
  private found = 0

  /** `wanted`: whether a string holds what is looked for. */
  constructor(units: Units, wanted: (key: string | null, text: string) => boolean) {
    this.units = units
    this.wanted = wanted
  }

  /** Whether the text ends within a value. */
  get isOpen(): boolean {
    return this.stack.length > 0 || this.rest.trim() !== ''
  }

  feed(text: string): void {
    const all = this.rest + text
    this.rest = ''
    let at = 0
    while (at < all.length) {
      const next = this.isSkipping
        ? this.skip(all, at)
        : this.isInLongString
          ? this.longString(all, at)
          : this.token(all, at)
      if (next < 0) {
        this.rest = all.slice(at)
        if (this.rest.length > stringLettersMax) this.tooLong()
        return
      }
      at = next
    }
  }

  /** Reads a token; returns where the next begins, or -1 if its end has not come yet. */
  private token(text: string, at: number): number {
    const letter = text[at]!
    if (letter === ' ' || letter === '\n' || letter === '\r' || letter === '\t') return at + 1
    if (letter === '"') {
      const end = endOfString(text, at + 1)
      // In JSON no string goes on in another line: what is damaged ends with its own.
      const newline = end < 0 ? text.indexOf('\n', at) : text.slice(at, end).indexOf('\n')
      if (newline >= 0) {
        this.fail()
        return end < 0 ? newline : at + newline
      }
      if (end < 0) return -1
      if (!this.string(text.slice(at, end))) this.fail()
      return end
    }
    if ('{}[]:,'.includes(letter)) {
      if (!this.punctuation(letter)) this.fail()
      return at + 1
    }
    let end = at
    while (end < text.length && /[-+.0-9A-Za-z]/.test(text[end]!)) end++
    if (end === text.length && end > at) return -1
    if (this.isValueNext && /^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)$/.test(text.slice(at, end)))
      this.valueEnds()
    else this.fail()
    return Math.max(end, at + 1)
  }

  private get isValueNext(): boolean {
    return this.expected === 'value' || (this.expected === 'first' && this.stack.at(-1)!.isList)
  }

  /** @returns false where it may not stand. */
  private punctuation(letter: string): boolean {
    const top = this.stack.at(-1)
    if (letter === '{' || letter === '[') {
      if (!this.isValueNext || this.stack.length >= depthMax) return false
      this.stack.push({ isList: letter === '[', key: null, field: null })
      this.expected = 'first'
    } else if (letter === ':') {
      if (this.expected !== 'colon') return false
      this.expected = 'value'
    } else if (top === undefined) {
      return this.hasSkipped
    } else if (letter === ',') {
      if (this.expected !== 'next') return false
      this.expected = top.isList ? 'value' : 'key'
    } else {
      if (top.isList !== (letter === ']') || (this.expected !== 'next' && this.expected !== 'first')) return false
      this.stack.pop()
      this.valueEnds()
    }
    return true
  }

  /** @returns false where it may not stand, or is damaged. */
  private string(token: string): boolean {
    const text = parsed(token)
    if (text === null) return false
    const top = this.stack.at(-1)
    if (!this.isValueNext) {
      if (top === undefined || top.isList || (this.expected !== 'key' && this.expected !== 'first')) return false
      top.key = text
      this.expected = 'colon'
      return true
    }
    const key = top === undefined || top.isList ? null : top.key
    if (top !== undefined && key === 'field') top.field = text
    const isOfField = key !== 'value' || top?.field == null || /^@?message$/.test(top.field)
    if (isOfField && this.wanted(key, text)) {
      this.found++
      const parts = text.split(/[\r\n]+/).filter(part => part.trim() !== '')
      for (const part of parts.length === 0 ? [''] : parts) this.units.record(part)
    }
    this.valueEnds()
    return true
  }

  private valueEnds(): void {
    this.expected = 'next'
    if (this.stack.length > 0) return
    if (this.found === 0) this.units.none('JSON without a flow record')
    this.found = 0
    this.expected = 'value'
  }

  /** Not JSON here, or deeper than any log is. */
  private fail(): void {
    this.units.none(
      this.stack.length >= depthMax
        ? `JSON in which more than ${depthMax} values lie in each other`
        : 'not JSON from here to the next line that begins with { or [',
    )
    this.stack.length = 0
    this.expected = 'value'
    this.found = 0
    this.isSkipping = true
    this.hasSkipped = true
  }

  private skip(text: string, at: number): number {
    const next = /\n[ \t]*[{[]/.exec(text.slice(at))
    if (next === null) {
      // As much as may begin a document with what comes.
      const line = text.lastIndexOf('\n')
      return line >= at && text.slice(line).trim() === '' ? -1 : text.length
    }
    this.isSkipping = false
    return at + next.index + 1
  }

  private tooLong(): void {
    if (this.isSkipping) this.rest = ''
    else if (this.isInLongString || this.rest.startsWith('"')) {
      // The backslash before what comes must not be lost.
      this.rest = /\\*$/.exec(this.rest)![0].length % 2 === 1 ? '\\' : ''
      this.isInLongString = true
    } else {
      this.rest = ''
      this.fail()
    }
  }

  private longString(text: string, at: number): number {
    const end = endOfString(text, at)
    const newline = end < 0 ? text.indexOf('\n', at) : text.slice(at, end).indexOf('\n')
    if (newline < 0 && end < 0) return -1
    this.isInLongString = false
    if (newline >= 0) {
      this.fail()
      return end < 0 ? newline : at + newline
    }
    if (!this.string('"x"')) this.fail()
    return end
  }
}

/** Where a string ends, of which `from` is the first letter; -1 where it does not. */
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (end - slashes > from && text[end - slashes - 1] === '\\') slashes++
    if (slashes % 2 === 0) return end + 1
  }
  return -1
}

function parsed(token: string): string | null {
  try {
    return JSON.parse(token) as string
  } catch {
    return null
  }
}
