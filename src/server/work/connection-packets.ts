/** What captures have of a connection whose records are those of logs, and how its packets are carved. */
import { hostNumber } from '../../conversations/hosts.ts'
import { lateness_us } from '../../conversations/intervals.ts'
import { recordLimit } from '../../conversations/memory.ts'
import { overlaps } from '../../filter/within.ts'
import { placesOf } from '../../investigate/investigate.ts'
import { parseAddress } from '../../net/address.ts'
import { hasPorts } from '../../net/protocols.ts'
import { utcSeconds } from '../../net/time.ts'
import { rawSql, sql } from '../../query/sql.ts'
import { readBlock } from '../../record-index/question.ts'
import { packetFlowFields } from '../../records/packet-fields.ts'
import type { Case } from '../../store/case.ts'
import type { ConnectionKey } from './connection-key.ts'
import { ofConnection } from './connection-records.ts'
import { type RecordRow, rowOf } from './connection-rows.ts'

const packetColumns = new Set<string>(packetFlowFields.map(({ name }) => name))

/** Microseconds. */
export interface Time {
  from_us: number
  to_us: number
}

/** When packets may be of a connection of logs, which sensors write down late. */
export function timeOfPackets({ from_us, to_us }: Time): Time {
  return { from_us: from_us - lateness_us, to_us: to_us + lateness_us }
}

/** @param time when they may be; null: all of these ends and ports. */
export async function packetRecords(c: Case, key: ConnectionKey, time: Time | null): Promise<RecordRow[]> {
  const captures = c.evidence.flatMap(({ capture, id }) => (capture === null || id === null ? [] : [id]))
  if (captures.length === 0) return []
  const where = sql`_file IN (${rawSql(captures.join(', '))}) AND ${ofConnection(packetColumns, key)}`
  const read = await readBlock(c, where, { evidence: 'packets', limit: recordLimit() })
  const { block, dictionaries } = read
  const client = hostNumber(dictionaries.hosts, parseAddress(key.client)!)
  const fileOf = placesOf(c)
  const rows: RecordRow[] = []
  for (let row = 0; row < block.rows; row++) {
    const isOutside = time !== null && (block.start_us[row]! > time.to_us || block.end_us[row]! < time.from_us)
    if (!isOutside)
      rows.push(
        rowOf(read, row, 'packets', fileOf, isFromClient(block.sourcePort[row]!, block.source[row] === client, key)),
      )
  }
  return rows
}

/** Where both ends are one address, the port tells them apart. */
export function isFromClient(
  sourcePort: number,
  isClient: boolean,
  { client, server, clientPort }: ConnectionKey,
): boolean {
  return client === server && clientPort !== null ? sourcePort === clientPort : isClient
}

/** Both directions of the connection, and others of the same ends and ports, in the filter language. */
export function filterOf({ client, server, clientPort, serverPort, protocol }: ConnectionKey): string {
  const end = (side: 'src' | 'dst', address: string, port: number | null): string =>
    `${side} ip ${address}${port === null || !hasPorts(protocol) ? '' : ` and ${side} port ${port}`}`
  const there = `${end('src', client, clientPort)} and ${end('dst', server, serverPort)}`
  const back = `${end('src', server, serverPort)} and ${end('dst', client, clientPort)}`
  return `${protocol === null ? '' : `proto ${protocol} and `}((${there}) or (${back}))`
}

/** The same in a time, to carve its packets. */
export function carveFilterOf(key: ConnectionKey, time: Time | null): string {
  const filter = filterOf(key)
  return time === null ? filter : overlaps(filter, utcSeconds(time.from_us), utcSeconds(time.to_us))
}
