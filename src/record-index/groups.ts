/** Rows in order, cut to the groups of an index, which are its sections. */
import { type SectionWriter, sectionDigest } from '../store/section-file.ts'
import { groupRows, startsOf } from './about.ts'
import { type ColumnName, makeColumns, type RecordColumns } from './columns.ts'
import { encode, encodedMax } from './encoding.ts'
import type { Rows } from './rows.ts'

/** A group as it is written: the bytes of each column, and their digests. */
export interface EncodedGroup {
  rows: number
  sections: Uint8Array[]
  digests: Uint8Array[]
  /** Start of its first and of its last record. */
  starts: [number, number]
}

/** A part of a group, of which another bucket has the rest. */
export interface GroupPart {
  rows: number
  columns: RecordColumns
}

/** A group while it is filled. */
class OpenGroup {
  rows = 0
  private readonly names: readonly ColumnName[]
  private readonly columns: RecordColumns
  private readonly buffer = new ArrayBuffer(encodedMax(groupRows))

  constructor(names: readonly ColumnName[]) {
    this.names = names
    this.columns = makeColumns(groupRows, names)
  }

  /** Adds some rows, for which there is room. */
  add(rows: Rows, order: Uint32Array): void {
    rows.give(order, this.columns, this.rows)
    this.rows += order.length
  }

  addPart({ rows, columns }: GroupPart): void {
    for (const name of this.names) this.columns[name].set(columns[name], this.rows)
    this.rows += rows
  }

  /** Its rows; it is empty then. */
  part(): GroupPart {
    const { rows } = this
    const columns = makeColumns(0, [])
    for (const name of this.names) Object.assign(columns, { [name]: this.columns[name].slice(0, rows) })
    this.rows = 0
    return { rows, columns }
  }

  /** Its rows as they are written; it is empty then. */
  encoded(): EncodedGroup {
    const { rows } = this
    const sections = this.names.map(name => encode(this.columns[name], rows, this.buffer).slice())
    this.rows = 0
    return { rows, sections, digests: sections.map(sectionDigest), starts: startsOf(this.columns.start_us, rows) }
  }
}

/** Cuts the rows of one bucket. */
export class GroupCutter {
  readonly pieces: (EncodedGroup | GroupPart)[] = []
  private readonly group: OpenGroup
  /** Rows of the group at hand that are in the bucket before. */
  private before = 0

  constructor(names: readonly ColumnName[]) {
    this.group = new OpenGroup(names)
  }

  /** @param before rows of the group with which the bucket begins that are in those before it. */
  begin(before: number): void {
    this.before = before
    this.pieces.length = 0
  }

  add(rows: Rows, order: Uint32Array): void {
    for (let at = 0; at < order.length; ) {
      const count = Math.min(order.length - at, groupRows - this.before - this.group.rows)
      this.group.add(rows, order.subarray(at, at + count))
      at += count
      if (this.before + this.group.rows < groupRows) continue
      this.pieces.push(this.before > 0 ? this.group.part() : this.group.encoded())
      this.before = 0
    }
  }

  finish(): (EncodedGroup | GroupPart)[] {
    if (this.group.rows > 0) this.pieces.push(this.group.part())
    return this.pieces.splice(0)
  }
}

/** Writes groups, a section a column. */
export class GroupWriter {
  rows = 0
  /** Start of the first and of the last record of each group. */
  readonly starts: number[] = []
  private readonly writer: SectionWriter
  private readonly group: OpenGroup

  constructor(writer: SectionWriter, names: readonly ColumnName[]) {
    this.writer = writer
    this.group = new OpenGroup(names)
  }

  add(piece: EncodedGroup | GroupPart): void {
    if ('sections' in piece) this.write(piece)
    else {
      this.group.addPart(piece)
      if (this.group.rows === groupRows) this.write(this.group.encoded())
    }
  }

  finish(): void {
    if (this.group.rows > 0) this.write(this.group.encoded())
  }

  private write({ rows, sections, digests, starts }: EncodedGroup): void {
    for (const [i, section] of sections.entries()) this.writer.add(section, digests[i])
    this.starts.push(...starts)
    this.rows += rows
  }
}
