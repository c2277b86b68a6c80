import type { Column } from './column.ts'
import { wordBytesMax } from './dictionary.ts'

const slots = 1 << 10
/** Beyond, lines are read word by word: a log with so many phrases gains nothing here. */
const phrasesMax = slots / 2
const phraseBytesMax = 2 * wordBytesMax
const SPACE = 32
const nullCode = -1

/**
 * The phrases that were seen in adjacent text columns, such as account, interface and type: a log has few, and repeats them on every
 * line. To compare a whole phrase costs a fifth of what it costs to look up its words one by one.
 *
 * It only remembers what `learn` was told, which is what the words' own dictionaries said: it never decides what is valid. A phrase
 * is guessed by four samples of its bytes, then compared byte by byte.
 */
export class Phrases {
  private readonly columns: readonly Column[]
  private readonly table = new Int32Array(slots)
  private readonly lengths = new Int32Array(phrasesMax)
  private readonly offsets = new Int32Array(phrasesMax + 1)
  private readonly codes: Int32Array
  /** The phrases' bytes, each padded with zeros to four bytes. */
  private arena = new Int32Array(1 << 12)
  private size = 0
  private missed = 0
  /** Samples lie this far apart. 0: there is nothing to sample. */
  private step = 0
  private shortest = phraseBytesMax

  constructor(columns: readonly Column[]) {
    this.columns = columns
    this.codes = new Int32Array(phrasesMax * columns.length)
    this.table.fill(-1)
  }

  /**
   * Reads one word for each column from `p` on into the row. Four bytes after the phrase must be readable.
   *
   * @returns where the last word ends; -1 if the phrase is not known, and then nothing is changed.
   */
  read(view: DataView, p: number, row: number): number {
    if (this.step === 0 || p + this.shortest > view.byteLength) return -1
    const { table, arena } = this
    for (let slot = this.slotOf(view, p); ; slot = (slot + 1) & (slots - 1)) {
      const found = table[slot]!
      if (found < 0) return -1
      const length = this.lengths[found]!
      if (p + length + 4 > view.byteLength) continue
      const end = p + length
      let at = this.offsets[found]!
      let q = p
      while (q + 4 <= end && view.getInt32(q, true) === arena[at]) {
        q += 4
        at++
      }
      if (q + 4 <= end || view.getUint8(end) > SPACE) continue
      if (q < end && (view.getInt32(q, true) & ((1 << ((end - q) << 3)) - 1)) !== arena[at]) continue
      this.fill(found, row)
      return end
    }
  }

  /** Remembers bytes [from, to), of which the row has the words: `read` did not know them. */
  learn(view: DataView, from: number, to: number, row: number): void {
    const length = to - from
    if (length < 8 || length > phraseBytesMax || this.missed > phrasesMax) return
    if (this.size === phrasesMax) {
      // Too many: give up for good once most lines have another one.
      if (++this.missed > phrasesMax) this.step = 0
      return
    }
    const { size } = this
    const start = this.offsets[size]!
    const words = (length + 3) >> 2
    if (start + words > this.arena.length) {
      const larger = new Int32Array(2 * this.arena.length + words)
      larger.set(this.arena)
      this.arena = larger
    }
    for (let i = 0; i < words; i++) {
      const left = length - 4 * i
      const four = view.getInt32(from + 4 * i, true)
      this.arena[start + i] = left < 4 ? four & ((1 << (left << 3)) - 1) : four
    }
    this.offsets[size + 1] = start + words
    this.lengths[size] = length
    for (const [i, column] of this.columns.entries()) {
      this.codes[size * this.columns.length + i] = column.hasNull && column.isNull(row) ? nullCode : column.codes[row]!
    }
    this.size++
    if (length < this.shortest) this.resample(length)
    else this.enter(size)
  }

  /** Samples must lie in every phrase: a shorter one moves them. */
  private resample(shortest: number): void {
    this.shortest = shortest
    this.step = (shortest - 4) >> 2
    this.table.fill(-1)
    for (let i = 0; i < this.size; i++) this.enter(i)
  }

  private enter(phrase: number): void {
    const bytes = new DataView(
      this.arena.buffer,
      this.offsets[phrase]! * 4,
      (this.offsets[phrase + 1]! - this.offsets[phrase]!) * 4,
    )
    let slot = this.slotOf(bytes, 0)
    while (this.table[slot]! >= 0) slot = (slot + 1) & (slots - 1)
    this.table[slot] = phrase
  }

  private slotOf(view: DataView, p: number): number {
    const { step, shortest } = this
    let hash = view.getInt32(p + step, true)
    hash = Math.imul(hash, 0x85ebca6b) ^ view.getInt32(p + 2 * step, true)
    hash = Math.imul(hash, 0xc2b2ae35) ^ view.getInt32(p + 3 * step, true)
    hash = Math.imul(hash, 0x9e3779b1) ^ view.getInt32(p + shortest - 4, true)
    hash = Math.imul(hash, 0x85ebca6b)
    return (hash ^ (hash >>> 15)) & (slots - 1)
  }

  private fill(found: number, row: number): void {
    const { columns, codes } = this
    const width = columns.length
    let at = found * width
    for (let i = 0; i < width; i++, at++) {
      const code = codes[at]!
      if (code === nullCode) columns[i]!.setNull(row)
      else columns[i]!.codes[row] = code
    }
  }
}
