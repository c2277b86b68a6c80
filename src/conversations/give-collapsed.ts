/** Which records of the whole case others stand for. */
import { withRecordIndex } from '../record-index/kept.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { giveTable, numbers } from '../store/given-table.ts'
import { fate } from './fates.ts'
import { wholeConversations } from './whole.ts'

/** Makes the table of the records that others stand for. */
export async function giveCollapsed(c: Case, evidence: EvidenceKind, table: string): Promise<void> {
  await withRecordIndex(c, evidence, async index => {
    const fates = await wholeConversations(c, index, { evidence, own: [] }, {}, async whole => whole.fates)
    let count = 0
    for (const one of fates) if (one > fate.withoutEnds) count++
    const [file, line] = [new Uint32Array(count), new Uint32Array(count)]
    let found = 0
    let at = 0
    for await (const block of index.blocks(['file', 'line'])) {
      for (let row = 0; row < block.rows; row++) {
        if (fates[at + row]! <= fate.withoutEnds) continue
        file[found] = block.file[row]!
        line[found++] = block.line[row]!
      }
      at += block.rows
    }
    await giveTable(c.db, table, [numbers('_file', file), numbers('_line', line)], count, 'TABLE')
  })
}
