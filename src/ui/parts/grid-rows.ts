/** Rows of a long list, asked for in blocks as they are seen, and forgotten when many others were. No DOM here. */

export type LoadRows<Row> = (offset: number, count: number, signal: AbortSignal) => Promise<readonly Row[]>

export const blockRows = 200
const blocksKept = 50
/** A held key passes many blocks: only those are asked for that are still seen when there is room. */
const underWayMax = 2

export class GridRows<Row> {
  private readonly blocks = new Map<number, readonly Row[]>()
  private readonly underWay = new Map<number, AbortController>()
  private wanted: number[] = []
  private readonly load: LoadRows<Row>
  private readonly total: number
  private readonly changed: () => void
  /** Of the last block that could not be read; nothing more is asked until `again`. */
  error: unknown = null

  constructor(load: LoadRows<Row>, total: number, changed: () => void) {
    this.load = load
    this.total = total
    this.changed = changed
  }

  /** Undefined: not there yet. */
  at(index: number): Row | undefined {
    return this.blocks.get(Math.floor(index / blockRows))?.[index % blockRows]
  }

  /** Rows from `from` to before `to` are seen; what is no longer seen is given up. */
  see(from: number, to: number): void {
    const wanted: number[] = []
    for (let block = Math.floor(from / blockRows); block * blockRows < to; block++) wanted.push(block)
    this.wanted = wanted
    for (const [block, asking] of this.underWay) {
      if (wanted.includes(block)) continue
      this.underWay.delete(block)
      asking.abort()
    }
    for (const block of wanted) this.touch(block)
    this.ask()
  }

  again(): void {
    this.error = null
    this.ask()
  }

  close(): void {
    this.wanted = []
    for (const asking of this.underWay.values()) asking.abort()
    this.underWay.clear()
  }

  private ask(): void {
    if (this.error !== null) return
    for (const block of this.wanted) {
      if (this.underWay.size >= underWayMax) return
      if (!this.blocks.has(block) && !this.underWay.has(block)) void this.askFor(block)
    }
  }

  private async askFor(block: number): Promise<void> {
    const own = new AbortController()
    this.underWay.set(block, own)
    const offset = block * blockRows
    try {
      const rows = await this.load(offset, Math.min(blockRows, this.total - offset), own.signal)
      if (own.signal.aborted) return
      this.blocks.set(block, rows)
      for (const oldest of this.blocks.keys()) {
        if (this.blocks.size <= blocksKept) break
        this.blocks.delete(oldest)
      }
    } catch (error) {
      if (own.signal.aborted) return
      this.error = error
    }
    this.underWay.delete(block)
    this.changed()
    this.ask()
  }

  /** It was seen last. */
  private touch(block: number): void {
    const rows = this.blocks.get(block)
    if (rows === undefined) return
    this.blocks.delete(block)
    this.blocks.set(block, rows)
  }
}
