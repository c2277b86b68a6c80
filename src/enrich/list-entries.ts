/** The entries of one address list, by number: where each stands, when it is valid, what it says. */
import type { Prefix } from '../net/prefix.ts'
import { PrefixRows, type PrefixTable } from '../net/prefix-table.ts'
import { utcSeconds } from '../net/time.ts'
import { plainPrefix, readPlain } from './plain-prefix.ts'
import { always, type Validity, wasValid } from './times.ts'

/** An entry of a list that holds an address. */
export interface ListMatch {
  /** The list's name: that of its file, without the ending. */
  list: string
  path: string
  /** The longest prefix that holds the address; of a range a part of it. */
  entry: string
  /** Line of the file, from 1; null for JSON. */
  line: number | null
  /** Id of the STIX indicator or UUID of the MISP attribute; null elsewhere. */
  object: string | null
  /** What the list says of it in a word or two, such as the malware; text from outside. */
  note: string | null
  /** Microseconds since the epoch; null: without end. It is valid from the first, and before the second. */
  valid_from_us: number | null
  valid_until_us: number | null
  /** When the list was made, as it says itself; null: it does not. */
  dated_us: number | null
}

/** What is said of an entry beside its addresses. */
export interface EntryDetails {
  line?: number
  object?: string
  note?: string
  validity?: Validity
}

export class ListEntries {
  count = 0
  readonly leftOut: Record<string, number> = {}
  dated_us: number | null = null
  private readonly rows = new PrefixRows()
  private readonly plain = plainPrefix()
  private lines = new Uint32Array(1 << 10)
  /** By entry begin and end; null: all are always valid. */
  private validity: Float64Array | null = null
  private readonly objects: string[] = []
  private readonly notes: string[] = []
  private readonly words = new Map<string, string>()
  private from_us = Number.POSITIVE_INFINITY
  private until_us = Number.NEGATIVE_INFINITY

  /** Adds a prefix or a range. */
  add(range: Pick<Prefix, 'first' | 'last'>, details: EntryDetails): void {
    this.rows.addRange(range, this.next(details))
  }

  /** Adds an IPv4 prefix that is always valid. @param bits its length, of 32. */
  addFour(address: number, bits: number, line: number): void {
    if (this.count === this.lines.length) this.grow()
    this.lines[this.count] = line
    this.rows.add(0, 0, 0xffff, bits === 0 ? 0 : (address & (-1 << (32 - bits))) >>> 0, bits + 96, this.count++)
  }

  /** Adds a plain address or prefix; false where the text is no address. */
  addPlain(text: string, details: EntryDetails): boolean {
    const { plain } = this
    if (!readPlain(text, plain)) return false
    this.rows.add(plain[0]!, plain[1]!, plain[2]!, plain[3]!, plain[4]!, this.next(details))
    return true
  }

  leaveOut(why: string): void {
    this.leftOut[why] = (this.leftOut[why] ?? 0) + 1
  }

  /** The earliest begin and the latest end of the entries, where all have one. ISO 8601. */
  span(): { from: string | null; to: string | null } {
    const text = (us: number): string | null => (Number.isFinite(us) ? utcSeconds(us) : null)
    return this.validity === null ? { from: null, to: null } : { from: text(this.from_us), to: text(this.until_us) }
  }

  /** The entries as they are looked up. */
  finish(list: string, path: string): AddressList {
    return new AddressList(list, path, this.rows.table(), {
      lines: this.lines,
      validity: this.validity,
      objects: this.objects,
      notes: this.notes,
      dated_us: this.dated_us,
    })
  }

  private next({ line = 0, object, note, validity = always }: EntryDetails): number {
    if (this.count === this.lines.length) this.grow()
    this.lines[this.count] = line
    if (object !== undefined) this.objects[this.count] = object
    if (note !== undefined && note !== '') this.notes[this.count] = this.once(note)
    if (validity !== always && this.validity === null) this.timed()
    if (this.validity !== null) {
      this.validity[2 * this.count] = validity.from_us
      this.validity[2 * this.count + 1] = validity.until_us
    }
    this.from_us = Math.min(this.from_us, validity.from_us)
    this.until_us = Math.max(this.until_us, validity.until_us)
    return this.count++
  }

  /** From here on entries have times; those before are always valid. */
  private timed(): void {
    this.validity = new Float64Array(2 * this.lines.length)
    for (let i = 0; i < this.count; i++) this.validity.set([always.from_us, always.until_us], 2 * i)
    if (this.count > 0) [this.from_us, this.until_us] = [always.from_us, always.until_us]
  }

  /** The same text, kept once. */
  private once(text: string): string {
    const short = text.length > noteMost ? `${text.slice(0, noteMost)}…` : text
    const known = this.words.get(short)
    if (known === undefined && this.words.size < wordsMost) this.words.set(short, short)
    return known ?? short
  }

  private grow(): void {
    const { lines, validity } = this
    this.lines = new Uint32Array(2 * lines.length)
    this.lines.set(lines)
    if (validity === null) return
    this.validity = new Float64Array(2 * validity.length)
    this.validity.set(validity)
  }
}

const noteMost = 200
const wordsMost = 10_000

interface Details {
  lines: Uint32Array
  validity: Float64Array | null
  objects: readonly string[]
  notes: readonly string[]
  dated_us: number | null
}

/** An address list as it is looked up. */
export class AddressList {
  readonly name: string
  readonly path: string
  private readonly table: PrefixTable
  private readonly details: Details

  constructor(name: string, path: string, table: PrefixTable, details: Details) {
    this.name = name
    this.path = path
    this.table = table
    this.details = details
  }

  /** Whether an entry was valid at some moment from one to another, both included, and which: the longest prefix; of the same the first. */
  match(hi: bigint, lo: bigint, from_us: number, to_us: number): ListMatch | null {
    const { table } = this
    let found = -1
    for (let row = table.find(hi, lo); row >= 0; row = table.around(row)) {
      if (found >= 0 && table.length(row) < table.length(found)) break
      if (wasValid(this.validityOf(row), from_us, to_us)) found = row
    }
    return found < 0 ? null : this.matchOf(found)
  }

  /** When the list holds an address: the times of every entry that holds it, joined where they touch, in their order. */
  validities(hi: bigint, lo: bigint): Validity[] {
    const { table } = this
    const times: Validity[] = []
    for (let row = table.find(hi, lo); row >= 0; row = table.around(row)) times.push(this.validityOf(row))
    times.sort((a, b) => compare(a.from_us, b.from_us))
    const joined: Validity[] = []
    for (const time of times) {
      const before = joined.at(-1)
      if (before !== undefined && time.from_us <= before.until_us)
        before.until_us = Math.max(before.until_us, time.until_us)
      else joined.push({ ...time })
    }
    return joined
  }

  private validityOf(row: number): Validity {
    const { validity } = this.details
    if (validity === null) return always
    const at = 2 * this.table.id(row)
    return { from_us: validity[at]!, until_us: validity[at + 1]! }
  }

  private matchOf(row: number): ListMatch {
    const { lines, objects, notes, dated_us } = this.details
    const id = this.table.id(row)
    const { from_us, until_us } = this.validityOf(row)
    const known = (us: number): number | null => (Number.isFinite(us) ? us : null)
    return {
      list: this.name,
      path: this.path,
      entry: this.table.text(row),
      line: lines[id] === 0 ? null : lines[id]!,
      object: objects[id] ?? null,
      note: notes[id] ?? null,
      valid_from_us: known(from_us),
      valid_until_us: known(until_us),
      dated_us,
    }
  }
}

/** Also of infinite numbers, whose difference is not a number. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}
