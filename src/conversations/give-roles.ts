/** The roles, services and counts of every record, from the connections of the whole case. */
import type { Prefix } from '../net/prefix.ts'
import { type RecordBlock, wayOf } from '../record-index/block.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { quotedName } from '../store/duckdb.ts'
import { flags, giveRows, numbers } from '../store/given-table.ts'
import { fate } from './fates.ts'
import { noService, recordRole } from './record-answers.ts'
import { type WholeConversations, wholeConversations } from './whole.ts'

/** About this many records are given at once. */
const rowsAtOnce = 1 << 20

const placeOfLine = ['file', 'line'] as const
/** Of other programs' tables a line is two records. */
const endsOfLine = [
  ...placeOfLine,
  'source',
  'destination',
  'sourceSeen',
  'destinationSeen',
  'sourcePort',
  'destinationPort',
] as const

/** Makes the table of `keptRoles`: for each record of a connection its role, its service and whether it counts. */
export async function giveRoles(c: Case, evidence: EvidenceKind, own: readonly Prefix[], table: string): Promise<void> {
  await withRecordIndex(c, evidence, async index => {
    await wholeConversations(c, index, { evidence, own }, { records: true }, whole =>
      give(c, index, whole, { evidence, table }),
    )
  })
}

async function give(
  c: Case,
  index: RecordIndex,
  { answers, fates }: WholeConversations,
  { evidence, table }: { evidence: EvidenceKind; table: string },
): Promise<void> {
  const isOfPackets = evidence === 'packets'
  const roles = new Uint8Array(answers!.roles)
  const services = new Uint32Array(answers!.services)
  const room = Math.min(index.rows, rowsAtOnce + index.blockRows)
  const rows = {
    file: new Uint32Array(room),
    line: new Uint32Array(room),
    way: new Uint8Array(room),
    role: new Uint8Array(room),
    service: new Uint32Array(room),
    counts: new Uint8Array(room),
  }
  const columns = (): Parameters<typeof giveRows>[2] => [
    numbers('_file', rows.file),
    numbers('_line', rows.line),
    ...(isOfPackets ? [numbers('_way', rows.way)] : []),
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
  for await (const block of index.blocks(isOfPackets ? endsOfLine : placeOfLine)) {
    for (let row = 0; row < block.rows; row++, place++) {
      if (roles[place] === recordRole.noConnection) continue
      rows.file[count] = block.file[row]!
      rows.line[count] = block.line[row]!
      if (isOfPackets) rows.way[count] = wayIn(block, row)
      rows.role[count] = roles[place]!
      rows.service[count] = services[place]!
      rows.counts[count++] = Number(fates[place] === fate.counted)
    }
    if (count >= rowsAtOnce) await flush()
  }
  if (count > 0 || isFirst) await flush()
  if (isOfPackets) await keepOneOfEach(c, table)
}

/** Two ends that are the same, such as of a host that talks to itself by one port, give two records that nothing tells apart. */
async function keepOneOfEach(c: Case, table: string): Promise<void> {
  const name = quotedName(table)
  await c.db.run(`DELETE FROM ${name} WHERE rowid NOT IN (SELECT min(rowid) FROM ${name} GROUP BY _file, _line, _way)`)
}

function wayIn(block: RecordBlock, row: number): 0 | 1 {
  const { source, destination, sourceSeen, destinationSeen, sourcePort, destinationPort } = block
  const [from, to] = [(sourceSeen ?? source)[row]!, (destinationSeen ?? destination)[row]!]
  return wayOf(from, to, sourcePort[row]!, destinationPort[row]!)
}
