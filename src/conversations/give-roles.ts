/** The roles, services and counts of every record, from the connections of the whole case. */

import { ICMP, ICMPV6, icmpAsks, icmpCounterpart } from '../net/icmp.ts'
import type { Prefix } from '../net/prefix.ts'
import { hasPorts } from '../net/protocols.ts'
import { known, type RecordBlock } from '../record-index/block.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { flags, giveTable, numbers } from '../store/given-table.ts'
import { noConnection } from './connection-table.ts'
import type { Judged } from './conversations.ts'
import { fate } from './fates.ts'
import { ruleOf } from './ladder.ts'
import { isForward } from './pairs.ts'
import { connectionAt, wholeConversations } from './whole.ts'

/** Makes the table of `keptRoles`: for each record of a connection its role, its service and whether it counts. */
export async function giveRoles(c: Case, evidence: EvidenceKind, own: readonly Prefix[], table: string): Promise<void> {
  await withRecordIndex(c, evidence, async index => {
    const whole = await wholeConversations(c, index, evidence, own)
    const rows = {
      file: numbersFor(index),
      line: numbersFor(index),
      isClient: new Uint8Array(index.rows),
      service: numbersFor(index),
      counts: new Uint8Array(index.rows),
    }
    let count = 0
    let at = 0
    for await (const block of index.blocks([...endColumns, 'icmpType', 'known', 'file', 'line'])) {
      for (let row = 0; row < block.rows; row++) {
        const connection = whole.connectionOf[at + row]!
        if (connection === noConnection) continue
        rows.file[count] = block.file[row]!
        rows.line[count] = block.line[row]!
        const [judged, number] = connectionAt(whole, connection)
        rows.isClient[count] = roleOf(judged, number, block, row, evidence)
        rows.service[count] = serviceOfConnection(judged, number)
        rows.counts[count] = Number(whole.fates[at + row] === fate.counted)
        count++
      }
      at += block.rows
    }
    const columns = [
      numbers('_file', rows.file),
      numbers('_line', rows.line),
      flags('is_client', rows.isClient, row => rows.isClient[row] !== nobody),
      numbers('service', rows.service, row => rows.service[row] !== noService),
      flags('counts', rows.counts),
    ]
    await giveTable(c.db, table, columns, count, 'TABLE')
  })
}

const endColumns = ['source', 'destination', 'sourcePort', 'destinationPort', 'protocol'] as const
const unknownRule = ruleOf('unknown')
const firstSeenRule = ruleOf('first-seen')
/** What stands for a role and a service that are not known. */
const nobody = 2
const noService = 0xffff_ffff

function numbersFor(index: RecordIndex): Uint32Array {
  return new Uint32Array(index.rows)
}

/** 1: the source of a record is its connection's client; 0: its server. */
function roleOf(
  { roles }: Judged,
  connection: number,
  block: RecordBlock,
  row: number,
  evidence: EvidenceKind,
): number {
  const rule = roles.rule[connection]!
  // Of ICMP in packets the type says who asks, where the ladder has no more than who was seen first.
  if (evidence === 'packets' && rule >= firstSeenRule && (block.known[row]! & known.icmpType) !== 0) {
    const [protocol, type] = [block.protocol[row]!, block.icmpType[row]!]
    const hasTypes = protocol === ICMP || protocol === ICMPV6
    if (hasTypes && icmpCounterpart(protocol, type) >= 0) return Number(icmpAsks(protocol, type))
  }
  return rule === unknownRule ? nobody : Number(roles.client[connection] === (isForward(block, row) ? 0 : 1))
}

/** A service is that of the server's port. Where nobody knows which end that is, both may have the same port. */
function serviceOfConnection({ table, roles }: Judged, connection: number): number {
  const protocol = table.protocol(connection)
  if (protocol === null) return noService
  if (!hasPorts(protocol)) return protocol * 65536
  const ports = [table.port(connection, 0), table.port(connection, 1)] as const
  const port =
    roles.rule[connection] !== unknownRule
      ? ports[roles.client[connection] === 0 ? 1 : 0]
      : ports[0] === ports[1]
        ? ports[0]
        : null
  return port === null ? noService : protocol * 65536 + port
}
