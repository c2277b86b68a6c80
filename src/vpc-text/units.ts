/** Stands where something was that holds no record: it is neither record nor header to any reader. */
const standIn = '?'
const notesMax = 10_000

/**
 * Lines of a flow log on their way out of something else, and of those that are none, why. Line n is the n-th that was added: what a
 * record is found by.
 */
export class Units {
  /** By the number of the line. */
  readonly notes = new Map<number, string>()
  private lines = 0
  private text = ''

  /** A line as it is. */
  add(line: string): void {
    this.text += `${line}\n`
    this.lines++
  }

  /** The text of a record, which is one line whatever it holds; empty: malformed. */
  record(text: string): void {
    const trimmed = text.trim()
    if (trimmed === '') this.none('nothing where a record should be')
    else this.add(trimmed.replace(/[\r\n]+/g, '%0A'))
  }

  /** What holds no record, for the reason given. */
  none(problem: string): void {
    this.add(standIn)
    if (this.notes.size < notesMax) this.notes.set(this.lines, problem)
  }

  /** The bytes of the lines since the last call. */
  take(): Uint8Array {
    const bytes = Buffer.from(this.text)
    this.text = ''
    return bytes
  }
}
