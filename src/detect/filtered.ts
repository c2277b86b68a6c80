/** The connections of a case that have a record which meets a filter. */
import { type WholeLimits, wholeConversations } from '../conversations/whole.ts'
import type { Filter } from '../filter/ast.ts'
import { preparedRecords } from '../filter/context.ts'
import { compileFor, type FilesAsked } from '../filter/enriched-context.ts'
import type { Prefix } from '../net/prefix.ts'
import { any, column, isUnknown, named, select, trusted } from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { ColumnData } from '../store/answer.ts'
import type { Case } from '../store/case.ts'

export interface Filtered {
  /** Records that meet the filter, and those of which it cannot be told. */
  records: number
  unknown: number
  /** Why it cannot. */
  notes: readonly string[]
  /** By place in the record index: 1 where a connection begins that has such a record. In memory that threads have in common. */
  connections: Uint8Array
}

/**
 * Finds them. A record that another sensor's stands for counts for the connection of its ends, too.
 *
 * @param own internal networks of the filter.
 * @throws UserError for a filter that the case cannot answer; where there is too little memory for the conversations.
 */
export async function filteredConnections(
  c: Case,
  index: RecordIndex,
  filter: Filter,
  own: readonly Prefix[],
  limits: WholeLimits,
  files: FilesAsked,
): Promise<Filtered> {
  const { compiled, internal } = await compileFor(c, filter, 'flows', own, files)
  const view = await preparedRecords(c, compiled, 'flows', internal)
  const matches = select(
    [named(column('_file'), '_file'), named(column('_line'), '_line'), named(compiled.where, 'meets')],
    {
      from: trusted(view, [...compiled.where.columns, '_file', '_line']),
    },
  )
  const meets = column('meets')
  const { text, values } = duckdb.print(
    select([named(column('_file'), '_file'), named(column('_line'), '_line'), named(meets, 'meets')], {
      from: matches,
      where: any([meets, isUnknown(meets)]),
    }),
  )
  const met = new RecordSet()
  let [records, unknown] = [0, 0]
  const answer = await c.db.stream(text, values)
  for (let batch = await answer.nextColumns(); batch !== null; batch = await answer.nextColumns()) {
    const { rows } = batch
    const [files, lines, meeting] = batch.columns as [ColumnData, ColumnData, ColumnData]
    const [file, line, isMet] = [new Uint32Array(files.data), new Uint32Array(lines.data), new Uint8Array(meeting.data)]
    for (let row = 0; row < rows; row++) {
      const isKnown = meeting.valid === null || (meeting.valid[row >>> 3]! & (1 << (row & 7))) !== 0
      if (!isKnown) unknown++
      else if (isMet[row] === 1) {
        records++
        met.add(file[row]!, line[row]!)
      }
    }
  }
  const chosen = { records: new SharedArrayBuffer(index.rows), connections: new SharedArrayBuffer(index.rows) }
  await markPlaces(index, met, new Uint8Array(chosen.records))
  await wholeConversations(c, index, { evidence: c.source, own }, { chosen }, async () => undefined, limits)
  return { records, unknown, notes: compiled.notes, connections: new Uint8Array(chosen.connections) }
}

async function markPlaces(index: RecordIndex, met: RecordSet, marks: Uint8Array): Promise<void> {
  let place = 0
  for await (const { rows, file, line } of index.blocks(['file', 'line'])) {
    for (let row = 0; row < rows; row++) if (met.has(file[row]!, line[row]!)) marks[place + row] = 1
    place += rows
  }
}

/** Records by the number of their file and their line in it: a bit each. */
class RecordSet {
  private readonly lines = new Map<number, Uint8Array>()

  add(file: number, line: number): void {
    let bits = this.lines.get(file)
    if (bits === undefined || bits.length <= line >>> 3) {
      const larger = new Uint8Array(Math.max(64, 2 * (line >>> 3) + 2))
      if (bits !== undefined) larger.set(bits)
      bits = larger
      this.lines.set(file, bits)
    }
    bits[line >>> 3]! |= 1 << (line & 7)
  }

  has(file: number, line: number): boolean {
    return ((this.lines.get(file)?.[line >>> 3] ?? 0) & (1 << (line & 7))) !== 0
  }
}
