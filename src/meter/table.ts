import { assert } from '../errors.ts'
import { type Batch, batchPackets, bitsWord, packetWords } from './batch.ts'
import { hashWord, keyWords } from './conversation.ts'

/** Word of an entry that is 0 while the entry is free, and belongs to the owner otherwise. */
export const stateWord = keyWords + 1
/** Where the deadline is, in doubles from the start of an entry. */
export const deadlineAt = 6
/** Doubles of an entry before the owner's own: one cache line of key, hash, state, deadline and one that is the owner's. */
export const headDoubles = 8

/** Entries that end in one sweep: what becomes of them is kept until it can be written. */
const sweptAtOnce = 1 << 16

/** Entries of a page. */
const pageBits = 14
const pageEntries = 1 << pageBits
/**
 * Doubles of a page before its first entry. Big buffers begin 16 bytes into a page of memory (calloc's header), so that this
 * puts each part of an entry into a cache line of its own.
 */
const lead = 6

export interface TableOptions {
  /** Doubles that the owner needs in each entry. */
  doubles: number
  /** Conversations it has room for at first. It grows by doubling. */
  capacity: number
  /** Conversations it never has more than. */
  limit: number
}

/**
 * Conversations by key: an open-addressing index of (hash, entry) pairs, and entries of a fixed size in pages of typed arrays.
 *
 * An entry is what a packet touches, in few cache lines: one of the key, one for each direction. The index has at least
 * two places an entry, and compares the whole hash before it looks at a key, so that a packet costs one line of the index
 * and those of its entry. Pages stay where they are when the table grows: copying them, and having memory for both, cost more
 * than the metering.
 *
 * Entries leave only in a sweep, when there is no room for another: those whose deadline the clock has passed, so many at once. The
 * index is then rewritten in its own order, so there are no tombstones, and neither sweep nor growth jumps about in
 * memory. Sweeps double the table or end a good part of the entries, which makes their cost a constant for each new
 * conversation. When they happen depends on the size of the table, so it must not matter: an owner treats an entry past its
 * deadline as ended whether it was swept or not.
 */
export class ConversationTable {
  /** The page of the entry that was last found, inserted or handed out. Entries are named by their place in it, in doubles. */
  doubles: Float64Array
  words: Int32Array
  live = 0
  peak = 0
  private readonly stride: number
  private readonly limit: number
  private readonly doublePages: Float64Array[] = []
  private readonly wordPages: Int32Array[] = []
  private capacity: number
  private index: Int32Array
  private mask: number
  /** Entries that are free again: a stack, so that none has to be read to find the next. */
  private free = new Int32Array(0)
  private frees = 0
  /** Entries from here on were never used. */
  private fresh = 0
  private place = 0
  private readonly places = new Int32Array(batchPackets)
  private warmed = 0

  constructor(options: TableOptions) {
    this.stride = headDoubles + options.doubles
    this.limit = Math.max(1, options.limit)
    this.capacity = Math.max(1, Math.min(options.capacity, this.limit))
    this.mask = indexPlaces(this.capacity) - 1
    this.index = new Int32Array(2 * (this.mask + 1))
    this.addPage()
    this.doubles = this.doublePages[0]!
    this.words = this.wordPages[0]!
  }

  /** The entry of the conversation whose key is in `key` from `from` on; -1 where there is none. */
  find(key: Int32Array, from: number): number {
    const { index, mask } = this
    const hash = key[from + hashWord]!
    let place = hash & mask
    for (;;) {
      const entry = index[2 * place + 1]! - 1
      if (entry < 0) break
      if (index[2 * place] === hash) {
        const at = lead + (entry & (pageEntries - 1)) * this.stride
        const words = this.wordPages[entry >>> pageBits]!
        if (isKey(words, 2 * at, key, from)) {
          this.words = words
          this.doubles = this.doublePages[entry >>> pageBits]!
          return at
        }
      }
      place = (place + 1) & mask
    }
    this.place = place
    return -1
  }

  /**
   * Reads what the packets of a batch will most likely touch: of the index, then of each entry the key and the cache lines of its
   * words from `from` to before `to`, `perDirection` further for the higher end. Three short loops, so that a processor has many of
   * these reads under way at once, and waits for all of them rather than for each.
   */
  warm(packets: Batch, from: number, to: number, perDirection: number): void {
    const { index, mask, wordPages, places } = this
    const { words, length } = packets
    let read = 0
    for (let i = 0, p = hashWord; i < length; i++, p += packetWords) read ^= index[2 * (words[p]! & mask) + 1]!
    for (let i = 0, p = hashWord; i < length; i++, p += packetWords) {
      const hash = words[p]!
      let place = hash & mask
      while (index[2 * place + 1] !== 0 && index[2 * place] !== hash) place = (place + 1) & mask
      places[i] = index[2 * place + 1]! - 1
    }
    for (let i = 0; i < length; i++) {
      const entry = places[i]!
      if (entry < 0) continue
      const page = wordPages[entry >>> pageBits]!
      const at = 2 * (lead + (entry & (pageEntries - 1)) * this.stride)
      const part = at + (words[i * packetWords + bitsWord]! & 1) * perDirection
      read ^= page[at]!
      for (let word = part + from; word < part + to; word += 16) read ^= page[word]!
    }
    this.warmed ^= read
  }

  /** Room for another conversation: false where `makeRoom` must be called, and `find` again, before `insert`. */
  get hasRoom(): boolean {
    return this.live < this.capacity
  }

  /** A new entry for the conversation that `find` has just not found. Only key, hash and state are set: a line less is a wait less. */
  insert(key: Int32Array, from: number, state: number): number {
    const entry = this.frees > 0 ? this.free[--this.frees]! : this.fresh++
    if (entry >>> pageBits === this.wordPages.length) this.addPage()
    const at = this.select(entry)
    const { words, index } = this
    const word = 2 * at
    for (let i = 0; i <= keyWords; i++) words[word + i] = key[from + i]!
    words[word + stateWord] = state
    index[2 * this.place] = key[from + hashWord]!
    index[2 * this.place + 1] = entry + 1
    if (++this.live > this.peak) this.peak = this.live
    return at
  }

  /** Sets all that follows key, hash and state to zero. */
  clean(entry: number): void {
    const { doubles } = this
    for (let i = entry + deadlineAt; i < entry + this.stride; i++) doubles[i] = 0
  }

  /**
   * Makes room: hands to `end` the entries whose deadline lies before `now`, `atOnce` at most. Where that frees little, the table grows;
   * at its limit, the eighth that would end first is ended now.
   */
  makeRoom(now: number, end: (entry: number) => void, evict: (entry: number) => void, atOnce = sweptAtOnce): void {
    const gone = new Uint8Array(this.fresh)
    const isWhole = this.endBefore(now, atOnce, 0, gone, end) < atOnce
    if (isWhole && this.live > this.capacity * 0.6) this.capacity = Math.min(2 * this.capacity, this.limit)
    if (this.live >= this.capacity) {
      const { time, before, at } = this.firstToEnd(Math.ceil(this.capacity / 8))
      this.endBefore(time, before, at, gone, evict)
      assert(this.live < this.capacity, 'eviction makes room')
    }
    this.writeIndex(gone)
    this.stackFree()
  }

  /** Hands every live entry to `end`, and forgets them. Pauses after each page, whose memory is given back. */
  *clearing(end: (entry: number) => void): Generator<void> {
    for (let page = 0; page * pageEntries < this.fresh; page++) {
      const to = Math.min(this.fresh, (page + 1) * pageEntries)
      for (let entry = page * pageEntries; entry < to; entry++) {
        const at = this.select(entry)
        if (this.words[2 * at + stateWord] === 0) continue
        end(at)
        this.words[2 * at + stateWord] = 0
        this.live--
      }
      if (page > 0) {
        this.select(0)
        this.doublePages[page] = nothing
        this.wordPages[page] = noWords
      }
      yield
    }
    this.doublePages.length = 1
    this.wordPages.length = 1
    this.index.fill(0)
    this.frees = 0
    this.fresh = 0
  }

  /** Stacks the free entries, lowest on top. */
  private stackFree(): void {
    if (this.free.length < this.fresh - this.live) this.free = new Int32Array(this.capacity)
    this.frees = 0
    for (let entry = this.fresh - 1; entry >= 0; entry--) {
      const at = this.select(entry)
      if (this.words[2 * at + stateWord] === 0) this.free[this.frees++] = entry
    }
  }

  private select(entry: number): number {
    this.words = this.wordPages[entry >>> pageBits]!
    this.doubles = this.doublePages[entry >>> pageBits]!
    return lead + (entry & (pageEntries - 1)) * this.stride
  }

  private addPage(): void {
    const entries = Math.min(pageEntries, indexPlaces(this.limit))
    const page = new Float64Array(lead + entries * this.stride)
    this.doublePages.push(page)
    this.wordPages.push(new Int32Array(page.buffer))
  }

  /** Ends entries with a deadline before `time`, `before` of them at most, and `at` of those that have it. Gives how many it has ended. */
  private endBefore(time: number, before: number, at: number, gone: Uint8Array, end: (entry: number) => void): number {
    let earlier = 0
    let same = 0
    for (let entry = 0; entry < this.fresh && (earlier < before || same < at); entry++) {
      const place = this.select(entry)
      if (this.words[2 * place + stateWord] === 0) continue
      const deadline = this.doubles[place + deadlineAt]!
      if (deadline < time && earlier < before) earlier++
      else if (deadline === time && same < at) same++
      else continue
      end(place)
      this.words[2 * place + stateWord] = 0
      this.live--
      gone[entry] = 1
    }
    return earlier + same
  }

  /** The deadline of the last of the `count` entries that end first; how many of them have an earlier one, and how many that one. */
  private firstToEnd(count: number): { time: number; before: number; at: number } {
    const deadlines = new Float64Array(this.live)
    let n = 0
    for (let entry = 0; entry < this.fresh; entry++) {
      const at = this.select(entry)
      if (this.words[2 * at + stateWord] !== 0) deadlines[n++] = this.doubles[at + deadlineAt]!
    }
    const time = deadlines.sort()[count - 1]!
    const before = deadlines.indexOf(time)
    return { time, before, at: count - before }
  }

  /** Writes an index for the present capacity, without the entries that are `gone`. */
  private writeIndex(gone: Uint8Array): void {
    const old = this.index
    const mask = indexPlaces(this.capacity) - 1
    const index = new Int32Array(2 * (mask + 1))
    for (let at = 0; at < old.length; at += 2) {
      const number = old[at + 1]!
      if (number === 0 || gone[number - 1] === 1) continue
      const hash = old[at]!
      let place = hash & mask
      while (index[2 * place + 1] !== 0) place = (place + 1) & mask
      index[2 * place] = hash
      index[2 * place + 1] = number
    }
    this.index = index
    this.mask = mask
  }
}

/** What stands for a page that was given back. */
const nothing = new Float64Array(0)
const noWords = new Int32Array(0)

function isKey(words: Int32Array, at: number, key: Int32Array, from: number): boolean {
  return (
    words[at + 3] === key[from + 3] &&
    words[at + 7] === key[from + 7] &&
    words[at + 8] === key[from + 8] &&
    words[at + 9] === key[from + 9] &&
    words[at + 2] === key[from + 2] &&
    words[at + 6] === key[from + 6] &&
    words[at] === key[from] &&
    words[at + 1] === key[from + 1] &&
    words[at + 4] === key[from + 4] &&
    words[at + 5] === key[from + 5]
  )
}

function indexPlaces(capacity: number): number {
  let places = 4
  while (places < 2 * capacity) places *= 2
  return places
}
