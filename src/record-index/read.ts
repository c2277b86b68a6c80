/** Reading the record index of a case: in order, block by block, in memory that does not grow with the case. */
import { setImmediate } from 'node:timers/promises'
import { DamagedSections, type SectionFile } from '../store/section-file.ts'
import { groupRows, type IndexAbout } from './about.ts'
import type { RecordBlock, RecordDictionaries, RecordVantage } from './block.ts'
import { asBlock, type ColumnName, columnNames, columnsWith, makeColumns } from './columns.ts'
import { decode, encodedMax } from './encoding.ts'

/** A column of blocks; with `packets` and `bytes` come the counters that are too large for them. */
export type BlockColumn = Exclude<keyof RecordBlock, 'rows' | 'largeCounters'>

export interface BlockRange {
  /** Only blocks with records that start at or after that time, microseconds. */
  from_us?: number
  /** Only blocks with records that start before that time. */
  to_us?: number
  /** Only blocks from one number up to another one, which is not among them. */
  blocks?: readonly [number, number]
}

/** What the file says of itself. @throws DamagedSections where that does not fit its sections, as in a file that somebody forged. */
function aboutOf(file: SectionFile): IndexAbout {
  let about: IndexAbout | null = null
  try {
    about = JSON.parse(Buffer.from(file.about).toString()) as IndexAbout
  } catch {
    // Told below.
  }
  const fits =
    about !== null &&
    Number.isSafeInteger(about.rows) &&
    Array.isArray(about.columns) &&
    about.columns.every(name => columnNames.includes(name)) &&
    file.sections === Math.ceil(about.rows / groupRows) * about.columns.length + sectionsAtEnd
  if (!fits) throw new DamagedSections(file.path, 'what it says of itself does not fit')
  return about!
}

/** Upper and lower halves of the hosts, the vantages, the groups' starts. */
const sectionsAtEnd = 4

export class RecordIndex {
  readonly rows: number
  /** Its file, for who opens it again. */
  readonly file: SectionFile
  /** Columns that are not zero throughout. */
  readonly names: readonly ColumnName[]
  /** How many blocks there are, and how many rows each has, but the last one. */
  readonly groups: number
  readonly blockRows = groupRows
  private readonly about: IndexAbout
  private starts: Float64Array | null = null
  private kept: RecordDictionaries | null = null

  private readonly requireGoing: () => void

  /** @param requireGoing throws when nobody waits for the answer any more; asked between two blocks. */
  constructor(file: SectionFile, requireGoing: () => void = () => undefined) {
    this.file = file
    this.requireGoing = requireGoing
    this.about = aboutOf(file)
    this.rows = this.about.rows
    this.names = this.about.columns
    this.groups = Math.ceil(this.rows / groupRows)
  }

  /** Whether there are columns of the ends as the sensors saw them. */
  get seen(): boolean {
    return this.about.seen
  }

  /** What the numbers of hosts, vantages and actions stand for. @throws DamagedSections */
  get dictionaries(): RecordDictionaries {
    if (this.kept !== null) return this.kept
    const { hosts: count, actions } = this.about
    const hi = new BigUint64Array(this.whole(this.end))
    const lo = new BigUint64Array(this.whole(this.end + 1))
    const vantages = JSON.parse(Buffer.from(this.whole(this.end + 2)).toString()) as RecordVantage[]
    this.kept = { hosts: { count, hi, lo }, vantages, actions }
    return this.kept
  }

  /**
   * The records in order, 65,536 at a time, for one reader at a time per call. Arrays of columns that were not asked for are
   * empty. What a block holds is overwritten by the next one.
   *
   * @param range of whole blocks: those at its ends hold records outside it too.
   * @throws DamagedSections where the file is not what was written.
   */
  async *blocks(columns: readonly BlockColumn[], range: BlockRange = {}): AsyncGenerator<RecordBlock> {
    const names = this.wanted(columns)
    const rows = Math.min(groupRows, this.rows)
    const into = makeColumns(rows, names)
    const buffer = new Uint8Array(encodedMax(rows))
    const { first, last } = this.groupsIn(range)
    for (let group = first; group < last; group++) {
      const count = Math.min(groupRows, this.rows - group * groupRows)
      const part = count === rows ? into : makeColumns(count, names)
      for (const name of names) {
        // The others are zero, as they were made.
        if (!this.names.includes(name)) continue
        decode(this.file.read(group * this.names.length + this.names.indexOf(name), buffer), count, part[name])
      }
      yield asBlock(part, count, this.about.seen)
      // A signal, and other questions, have their turn between two blocks.
      await setImmediate()
      this.requireGoing()
    }
  }

  close(): void {
    this.file.close()
  }

  /** Number of the first section after those of the groups. */
  private get end(): number {
    return this.groups * this.names.length
  }

  /** In memory that threads may have in common. */
  private whole(section: number): SharedArrayBuffer {
    const bytes = new SharedArrayBuffer(this.file.lengthOf(section))
    this.file.read(section, new Uint8Array(bytes))
    return bytes
  }

  private wanted(columns: readonly BlockColumn[]): ColumnName[] {
    const isWanted = new Set<ColumnName>(columns)
    if (isWanted.has('packets') || isWanted.has('bytes')) {
      for (const name of ['packets', 'packetsHigh', 'bytes', 'bytesHigh'] as const) isWanted.add(name)
    }
    return columnsWith(this.about.seen).filter(name => isWanted.has(name))
  }

  /** Groups [first, last) that have records of the range. */
  private groupsIn({ from_us = -Infinity, to_us = Infinity, blocks }: BlockRange): { first: number; last: number } {
    if (blocks !== undefined) return { first: blocks[0], last: blocks[1] }
    this.starts ??= new Float64Array(this.whole(this.end + 3))
    let first = 0
    while (first < this.groups && this.starts[2 * first + 1]! < from_us) first++
    let last = first
    while (last < this.groups && this.starts[2 * last]! < to_us) last++
    return { first, last }
  }
}
