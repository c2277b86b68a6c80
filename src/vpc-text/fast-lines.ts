import { loadWasm } from '../codecs/wasm-module.ts'
import type { Column } from '../records/column.ts'
import type { Dictionary } from '../records/dictionary.ts'

/** Kinds of steps, as wasm/lines.ts numbers them. */
const kinds = { text: 0, address: 1, u8: 2, u16: 3, u64: 4, time: 5, stamp: 6 } as const

/** Lines are copied in blocks of this many bytes, which stay in the processor's cache until they are read. */
const blockBytes = 128 << 10
/** Bytes that may be read, to no effect, beyond the last line. */
const bytesBeyond = 64
/** Rows that are gathered before they are copied into the columns. */
const rowsAtOnce = 1024
/** Of 64 KiB. */
const memoryPages = 96

/** A run's table has twice as many places as it has phrases at most. */
const phrasesMax = 4096
const slots = 2 * phrasesMax
const phraseBytesMax = 4096
/** As long as the reader looks for a phrase (wasm/lines.ts). */
const probesMax = 32
/** Of a block: when more lines were not plain, the rest of it is left to the careful reader. */
const oddLinesMax = 128

const LF = 10
const SPACE = 32
const nullCode = -1

interface LinesModule {
  at: WebAssembly.Global
  firstStart: WebAssembly.Global
  lastEnd: WebAssembly.Global
  hasNull: WebAssembly.Global
  hasHigh: WebAssembly.Global
  prepare(patternsAt: number, shufflesAt: number): void
  bind(programAt: number, steps: number): void
  read(from: number, end: number, row: number, rowsMax: number): number
  hashOf(p: number, run: number): number
}

/** Where the rows of one column are gathered, in bytes of the memory. */
interface Place {
  column: Column
  data: number
  high: number
  valid: number
}

/** Adjacent text columns, and what was read in them before. */
interface Run {
  at: number
  table: number
  phrases: number
  columns: Column[]
  /** The places of each column's codes and bits of validity. */
  targets: number[]
  size: number
  shortest: number
}

/** What was read: rows of the buffer, and where in the bytes that ended. */
export interface FastRead {
  rows: number
  at: number
  /** Microseconds since the epoch; meaningful if there are rows. */
  firstStart: number
  lastEnd: number
}

/**
 * Reads the plain lines of a flow log: nearly all of them, three times as fast as the careful reader (`TextReader`) does.
 *
 * It takes a line only if every number and address has its usual form and every run of adjacent text fields is one that it was
 * taught: by `learn`, of lines that the careful reader made a record of. So it decides nothing about what is valid, and each line that
 * it stops at is the careful reader's. Logs have few phrases, such as account, interface and type, and repeat them on every line.
 *
 * The loop over the bytes is WebAssembly (wasm/lines.ts): it compares and converts sixteen bytes at a time, which JavaScript cannot.
 */
export class FastLines {
  private static ofThread: FastLines | null | undefined
  private readonly memory: WebAssembly.Memory
  private readonly bytes: Uint8Array
  private readonly words: Uint32Array
  private readonly module: LinesModule
  private readonly input: number
  /** Where the memory is free, and where it is once the tables that never change are laid out. */
  private free = 4096
  private readonly bottom: number
  private bound: readonly Column[] = []
  private dictionaries: Dictionary[] = []
  private stamped = false
  private fits = false
  private places: Place[] = []
  private steps: (Run | null)[] = []
  /** Where the bits of validity of all columns lie. */
  private valid = { from: 0, to: 0 }
  /** What is in the input: bytes [from, to) of `source`. */
  private block: { source: Uint8Array | null; from: number; to: number } = { source: null, from: 0, to: 0 }
  private oddLines = 0

  private constructor(memory: WebAssembly.Memory, module: LinesModule) {
    this.memory = memory
    this.bytes = new Uint8Array(memory.buffer)
    this.words = new Uint32Array(memory.buffer)
    this.module = module
    this.module.prepare(this.reserve(1 << 16), this.reserve(82 * 16))
    this.input = this.reserve(blockBytes + bytesBeyond)
    this.bottom = this.free
  }

  /** The one of this thread; null where WebAssembly cannot be had, and every line is the careful reader's. */
  static get(): FastLines | null {
    if (FastLines.ofThread === undefined) {
      const file = new URL('./wasm/lines.wasm', import.meta.url)
      const loaded = loadWasm<LinesModule>(file, { initial: memoryPages, maximum: memoryPages })
      FastLines.ofThread = loaded && new FastLines(loaded.memory, loaded.exports)
    }
    return FastLines.ofThread
  }

  /**
   * Takes lines with these columns from now on. What was learned is kept as long as the columns' words are the same.
   *
   * @returns whether such lines can be read here at all.
   */
  bind(columns: readonly Column[], stamped: boolean): boolean {
    if (columns === this.bound && stamped === this.stamped) return this.fits
    const { bound, dictionaries } = this
    const isSame = (column: Column, i: number): boolean => column === bound[i] && column.words === dictionaries[i]
    const same = stamped === this.stamped && columns.length === bound.length && columns.every(isSame)
    this.bound = columns
    this.stamped = stamped
    this.block.source = null
    if (same) return this.fits
    this.dictionaries = columns.map(column => column.words)
    this.fits = this.layOut(columns)
    return this.fits
  }

  /**
   * Reads lines of `source[from, end)`, of which the last byte is a newline, into the columns from `row` on.
   *
   * @returns how far lines were plain and rows were left. Where neither the end nor the last row was reached, `at` is a line for the
   * careful reader.
   */
  read(source: Uint8Array, from: number, end: number, row: number, rowsMax: number): FastRead {
    const { module, input, block } = this
    const result: FastRead = {
      rows: 0,
      at: from,
      firstStart: Number.POSITIVE_INFINITY,
      lastEnd: Number.NEGATIVE_INFINITY,
    }
    while (result.at < end && row + result.rows < rowsMax) {
      if (block.source !== source || result.at < block.from || result.at >= block.to) {
        if (!this.fill(source, result.at, end)) break
      }
      const to = row + result.rows
      // As far into a byte of the bits of validity as the columns' own row.
      const first = to & 7
      const most = first + Math.min(rowsAtOnce, rowsMax - to)
      const last = module.read(input + result.at - block.from, input + block.to - block.from, first, most)
      result.at = block.from + (module.at.value as number) - input
      if (last > first) {
        this.copy(to, first, last)
        result.rows += last - first
        result.firstStart = Math.min(result.firstStart, Number(module.firstStart.value))
        result.lastEnd = Math.max(result.lastEnd, Number(module.lastEnd.value))
      }
      if (module.hasNull.value !== 0) this.bytes.fill(0xff, this.valid.from, this.valid.to)
      if (result.at < block.to && last < most) {
        this.oddLines++
        break
      }
    }
    return result
  }

  /** Up to where of the bytes the careful reader should go on: beyond, where too many lines were not plain. */
  get resumesAt(): number {
    return this.oddLines > oddLinesMax ? this.block.to : 0
  }

  /**
   * Remembers the text of a line that the careful reader made a record of.
   *
   * @param from, newline where the line is in `source`.
   * @param row where its values are in the columns.
   */
  learn(source: Uint8Array, from: number, newline: number, row: number): void {
    let p = from
    for (const run of this.steps) {
      let end = p
      for (let word = 0; word < (run?.columns.length ?? 1); word++) {
        if (word > 0) end++
        while (end < newline && source[end]! > SPACE) end++
      }
      if (run !== null) this.teach(run, source.subarray(p, end), row)
      p = end + 1
    }
  }

  private fill(source: Uint8Array, from: number, end: number): boolean {
    const { block } = this
    this.oddLines = 0
    let to = Math.min(end, from + blockBytes)
    if (to < end) to = source.lastIndexOf(LF, to - 1) + 1
    if (to <= from) return false
    this.bytes.set(source.subarray(from, to), this.input)
    block.source = source
    block.from = from
    block.to = to
    return true
  }

  /** Copies rows [from, to) of what was gathered into the columns, from `row` on. */
  private copy(row: number, from: number, to: number): void {
    const { buffer } = this.memory
    const hasNull = this.module.hasNull.value !== 0
    const hasHigh = this.module.hasHigh.value !== 0
    const rows = to - from
    for (const { column, data, high, valid } of this.places) {
      if (column.type === 'text') column.codes.set(new Uint32Array(buffer, data + 4 * from, rows), row)
      else if (column.type === 'u8') column.u8.set(new Uint8Array(buffer, data + from, rows), row)
      else if (column.type === 'u16') column.u16.set(new Uint16Array(buffer, data + 2 * from, rows), row)
      else column.halves.set(new Uint32Array(buffer, data + 8 * from, 2 * rows), 2 * row)
      if (column.type === 'address' && (hasHigh || column.high !== null)) {
        column.high ??= new BigUint64Array(column.wide.length)
        column.high.set(new BigUint64Array(buffer, high + 8 * from, rows), row)
      }
      if (hasNull) this.copyNulls(column, valid, row, to)
    }
  }

  private copyNulls(column: Column, valid: number, row: number, to: number): void {
    const { bytes } = this
    const length = (to + 7) >> 3
    // The row after the last one was given up, and may have left a null.
    if ((to & 7) !== 0) bytes[valid + length - 1]! |= 0xff << (to & 7)
    for (let i = 0; i < length; i++) {
      if (bytes[valid + i] === 0xff) continue
      column.valid[(row >> 3) + i]! &= bytes[valid + i]!
      column.hasNull = true
    }
  }

  /** Gives each column its place and makes the program; false if it does not fit, or is none for here. */
  private layOut(columns: readonly Column[]): boolean {
    this.free = this.bottom
    this.steps = []
    // Whether a line is a record depends on its times; and where there are none, a header might pass for one.
    if (!['start', 'end'].every(name => columns.some(column => column.name === name && column.type === 'time')))
      return false
    const rows = rowsAtOnce + 8
    const validBytes = rows / 8
    this.valid.from = this.reserve(columns.length * validBytes)
    this.valid.to = this.free
    this.places = columns.map((column, i) => ({
      column,
      data: this.reserve(rows * 8),
      high: column.type === 'address' ? this.reserve(rows * 8) : 0,
      valid: this.valid.from + i * validBytes,
    }))
    const program: number[] = []
    const add = (step: Run | null, words: number[]): void => {
      this.steps.push(step)
      program.push(...words)
    }
    if (this.stamped) add(null, [kinds.stamp, 0, 0, 0])
    for (let i = 0; i < columns.length; i++) {
      const { column, data, high, valid } = this.places[i]!
      if (column.type === 'id') return false
      if (column.type === 'text') {
        let last = i
        while (columns[last + 1]?.type === 'text') last++
        const run = this.layOutRun(this.places.slice(i, last + 1))
        add(run, [kinds.text, run.at, 0, 0])
        i = last
      } else {
        const which = column.name === 'start' ? 1 : column.name === 'end' ? 2 : 0
        add(null, [kinds[column.type], data, valid, column.type === 'address' ? high : which])
      }
    }
    const at = this.reserve(program.length * 4)
    if (this.free > this.bytes.length) return false
    this.bytes.fill(0xff, this.valid.from, this.valid.to)
    for (const run of this.steps) if (run !== null) this.empty(run)
    this.words.set(program, at / 4)
    this.module.bind(at, this.steps.length)
    return true
  }

  private layOutRun(places: readonly Place[]): Run {
    return {
      at: this.reserve(28 + 8 * places.length),
      table: this.reserve(4 * slots),
      phrases: this.reserve(16 * (phrasesMax + 1)),
      columns: places.map(({ column }) => column),
      targets: places.flatMap(({ data, valid }) => [data, valid]),
      size: 0,
      shortest: phraseBytesMax + 1,
    }
  }

  private empty(run: Run): void {
    const [only, ...others] = run.columns
    // A record without a status does not count as one.
    const isNullable = others.length === 0 && only!.name !== 'log_status'
    this.words.fill(0, run.table / 4, run.table / 4 + slots)
    this.words.set(
      [0, 0, slots - 1, run.table, run.phrases, run.columns.length, isNullable ? 1 : 0, ...run.targets],
      run.at / 4,
    )
  }

  private teach(run: Run, text: Uint8Array, row: number): void {
    if (text.length === 0 || text.length > phraseBytesMax || run.size === phrasesMax) return
    const before = this.free
    const bytes = this.reserve(text.length + 16)
    const codes = this.reserve(4 * run.columns.length)
    if (this.free <= this.bytes.length) {
      this.bytes.fill(0, bytes, bytes + text.length + 16)
      this.bytes.set(text, bytes)
      for (const [i, column] of run.columns.entries())
        this.words[codes / 4 + i] = column.hasNull && column.isNull(row) ? nullCode : column.codes[row]!
      const number = run.size + 1
      this.words.set([text.length, bytes, codes], run.phrases / 4 + 4 * number)
      if (text.length < run.shortest) this.resample(run, text.length)
      if (this.enter(run, number)) {
        run.size = number
        return
      }
    }
    this.free = before
  }

  /** Samples must lie in every phrase: a shorter one moves them. */
  private resample(run: Run, shortest: number): void {
    run.shortest = shortest
    this.words[run.at / 4] = Math.max(1, (shortest - 4) >> 2)
    this.words[run.at / 4 + 1] = shortest
    this.words.fill(0, run.table / 4, run.table / 4 + slots)
    for (let number = 1; number <= run.size; number++) this.enter(run, number)
  }

  /** Puts a phrase into the run's table; false if it is there already, or its place is too crowded to look for it. */
  private enter(run: Run, number: number): boolean {
    const [length, bytes] = this.words.subarray(run.phrases / 4 + 4 * number)
    let slot = this.module.hashOf(bytes!, run.at) & (slots - 1)
    for (let probes = 0; probes < probesMax; probes++) {
      const there = this.words[run.table / 4 + slot]!
      if (there === 0) {
        this.words[run.table / 4 + slot] = number
        return true
      }
      const [otherLength, other] = this.words.subarray(run.phrases / 4 + 4 * there)
      if (otherLength === length && this.isSame(bytes!, other!, length!)) return false
      slot = (slot + 1) & (slots - 1)
    }
    return false
  }

  private isSame(a: number, b: number, length: number): boolean {
    for (let i = 0; i < length; i++) if (this.bytes[a + i] !== this.bytes[b + i]) return false
    return true
  }

  private reserve(bytes: number): number {
    const at = this.free
    this.free = (at + bytes + 15) & ~15
    return at
  }
}
