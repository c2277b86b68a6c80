/** The roles, services and counts of every record, from the connections of the whole case. */
import type { Prefix } from '../net/prefix.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { flags, giveRows, numbers } from '../store/given-table.ts'
import { fate } from './fates.ts'
import { noService, recordRole } from './record-answers.ts'
import { type WholeConversations, wholeConversations } from './whole.ts'

/** About this many records are given at once. */
const rowsAtOnce = 1 << 20

/** Makes the table of `keptRoles`: for each record of a connection its role, its service and whether it counts. */
export async function giveRoles(c: Case, evidence: EvidenceKind, own: readonly Prefix[], table: string): Promise<void> {
  await withRecordIndex(c, evidence, async index => {
    await wholeConversations(c, index, { evidence, own }, { records: true }, whole => give(c, index, whole, table))
  })
}

async function give(c: Case, index: RecordIndex, { answers, fates }: WholeConversations, table: string): Promise<void> {
  const roles = new Uint8Array(answers!.roles)
  const services = new Uint32Array(answers!.services)
  const room = Math.min(index.rows, rowsAtOnce + index.blockRows)
  const rows = {
    file: new Uint32Array(room),
    line: new Uint32Array(room),
    role: new Uint8Array(room),
    service: new Uint32Array(room),
    counts: new Uint8Array(room),
  }
  const columns = (): Parameters<typeof giveRows>[2] => [
    numbers('_file', rows.file),
    numbers('_line', rows.line),
    flags('is_client', rows.role, row => rows.role[row] !== recordRole.unknown),
    numbers('service', rows.service, row => rows.service[row] !== noService),
    flags('counts', rows.counts),
  ]
  let isFirst = true
  let count = 0
  const flush = async (): Promise<void> => {
    await giveRows(c.db, table, columns(), count, isFirst)
    isFirst = false
    count = 0
  }
  let place = 0
  for await (const block of index.blocks(['file', 'line'])) {
    for (let row = 0; row < block.rows; row++, place++) {
      if (roles[place] === recordRole.noConnection) continue
      rows.file[count] = block.file[row]!
      rows.line[count] = block.line[row]!
      rows.role[count] = roles[place]!
      rows.service[count] = services[place]!
      rows.counts[count++] = Number(fates[place] === fate.counted)
    }
    if (count >= rowsAtOnce) await flush()
  }
  if (count > 0 || isFirst) await flush()
}
