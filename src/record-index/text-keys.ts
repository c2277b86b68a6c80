/**
 * Texts of records as numbers. DuckDB hands out a text of twenty letters at the cost of ten numbers, and its hash at that of one: it works
 * that out once a word of a dictionary. So the texts that there are come first, with their hashes, which tell them apart.
 */
import type { Database } from '../store/duckdb.ts'

export class TextKeys {
  /** SQL for the key of a record. */
  readonly key: string
  /** The texts by their numbers, null among them if some record has none. */
  readonly texts: readonly (string | null)[]
  /** Their keys: with these and the texts, another thread has the same. */
  readonly keys: BigUint64Array
  /** A hash table: lower and upper halves of keys, and their numbers and one. */
  private readonly low: Uint32Array
  private readonly high: Uint32Array
  private readonly numbers: Uint32Array

  constructor(key: string, texts: readonly (string | null)[], keys: BigUint64Array) {
    this.key = key
    this.texts = texts
    this.keys = keys
    const slots = 1 << (33 - Math.clz32(texts.length + 1))
    this.low = new Uint32Array(slots)
    this.high = new Uint32Array(slots)
    this.numbers = new Uint32Array(slots)
    const halves = new Uint32Array(keys.buffer)
    for (let number = 0; number < texts.length; number++) {
      const low = halves[2 * number]!
      let slot = low & (slots - 1)
      while (this.numbers[slot] !== 0) slot = (slot + 1) & (slots - 1)
      this.low[slot] = low
      this.high[slot] = halves[2 * number + 1]!
      this.numbers[slot] = number + 1
    }
  }

  /**
   * Those of an expression over a view.
   *
   * @param expression SQL of our own for a text.
   */
  static async of(db: Database, view: string, expression: string): Promise<TextKeys> {
    for (let salt = 0; ; salt++) {
      const key = salt === 0 ? `hash(${expression})` : `hash(concat('${salt} ', ${expression}), ${expression} IS NULL)`
      const answer = await db.stream(`SELECT DISTINCT ${expression} AS text, ${key} AS key FROM ${view}`)
      const texts: (string | null)[] = []
      const keys: bigint[] = []
      for await (const rows of answer) {
        for (const [text, hash] of rows) {
          texts.push(text as string | null)
          keys.push(hash as bigint)
        }
      }
      // Two texts of one key: with something before them they have others.
      if (new Set(keys).size === keys.length) return new TextKeys(key, texts, BigUint64Array.from(keys))
    }
  }

  /** The number of the text with a key. */
  numberOf(low: number, high: number): number {
    const { numbers } = this
    const mask = numbers.length - 1
    for (let slot = low & mask; numbers[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.low[slot] === low && this.high[slot] === high) return numbers[slot]! - 1
    }
    throw new Error('a record has a text that the case has not')
  }
}
