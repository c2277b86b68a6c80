/** The records of one connection: those that count, and those that another one stands for. */
import { at, at4, noConnection } from '../../conversations/connection-table.ts'
import type { Chained } from '../../conversations/conversations.ts'
import { fate } from '../../conversations/fates.ts'
import { hostNumber } from '../../conversations/hosts.ts'
import { gap_us } from '../../conversations/intervals.ts'
import { ofSubject, type SubjectRecords, subjectConversations, subjectRecords } from '../../conversations/subject.ts'
import { UserError } from '../../errors.ts'
import { parseAddress } from '../../net/address.ts'
import { type Prefix, parsePrefix } from '../../net/prefix.ts'
import { hasPorts } from '../../net/protocols.ts'
import { type Sql, sql } from '../../query/sql.ts'
import type { Case } from '../../store/case.ts'
import type { ConnectionKey } from './connection-key.ts'

export interface ConnectionRecords {
  mine: SubjectRecords
  chained: Chained
  /** Its number among the connections of these ends and ports, and all of them, in time. */
  connection: number
  others: number[]
  /** Rows of `mine.block`, in time. */
  rows: number[]
}

/** Which records are of the ends, ports and protocol, in either direction. */
export function ofConnection(columns: Set<string>, key: ConnectionKey): Sql {
  const { client, server, protocol, clientPort, serverPort } = key
  const ends = sql`${ofSubject({ columns }, [prefixOf(client)])} AND ${ofSubject({ columns }, [prefixOf(server)])}`
  const ofProtocol = protocol === null ? sql`protocol IS NULL` : sql`protocol = ${protocol}`
  const both = sql`${ends} AND ${ofProtocol}`
  if (!hasPorts(protocol) || clientPort === null || serverPort === null) return both
  const there = sql`srcport = ${clientPort} AND dstport = ${serverPort}`
  return sql`${both} AND ((${there}) OR (srcport = ${serverPort} AND dstport = ${clientPort}))`
}

function prefixOf(address: string): Prefix {
  return parsePrefix(address)!
}

/** @throws UserError where the case has no such connection. */
export async function connectionRecords(
  c: Case,
  key: ConnectionKey,
  own: readonly Prefix[],
): Promise<ConnectionRecords> {
  const part = ofConnection(c.columns, key)
  const subject = [prefixOf(key.client)]
  const mine = await subjectRecords(c, subject, { part })
  const chained = await subjectConversations(c, mine, subject, own, part)
  const others = ofTheEnds(mine, chained, key)
  const connection = chosen(chained, others, key.start_us)
  if (connection === null)
    throw new UserError(`no connection of ${key.client} and ${key.server} on these ports begins then`, {
      hint: 'the evidence may have changed since this address was made: look for it on the page of either host',
    })
  return { mine, chained, connection, others, rows: rowsOf(mine, chained, others, connection) }
}

/** Connections of the ends themselves, in time: as a sensor saw it, a translated one has others. */
function ofTheEnds({ dictionaries: { hosts } }: SubjectRecords, { table }: Chained, key: ConnectionKey): number[] {
  const numbers = [key.client, key.server].map(text => hostNumber(hosts, parseAddress(text)!))
  const all = Array.from({ length: table.count }, (_, i) => i)
  const isOfEnds = (i: number): boolean => {
    const [a, b] = [table.integer(i, at4.aHost), table.integer(i, at4.bHost)]
    return (a === numbers[0] && b === numbers[1]) || (a === numbers[1] && b === numbers[0])
  }
  return all.filter(isOfEnds).sort((one, other) => order(table.start(one), table.start(other)))
}

function order(one: number, other: number): number {
  return one === other ? 0 : one - other
}

/** The one that begins then, else the one that was under way then. */
function chosen({ table }: Chained, some: readonly number[], start_us: number | null): number | null {
  if (start_us === null) return some.find(i => !table.hasTime(i)) ?? null
  const timed = some.filter(i => table.hasTime(i))
  const exact = timed.find(i => table.start(i) === start_us)
  const around = timed.find(i => table.start(i) <= start_us && table.number(i, at.end) >= start_us)
  return exact ?? around ?? null
}

/** Its own records; of those that do not count the ones that lie nearest to it. */
function rowsOf(
  { block, fates, dictionaries: { vantages } }: SubjectRecords,
  { table, connectionOf }: Chained,
  others: readonly number[],
  connection: number,
): number[] {
  const gap = Math.max(0, ...vantages.map(one => gap_us('logs', one.longest_us)))
  const distance = (i: number, row: number): number =>
    Math.max(0, table.start(i) - block.end_us[row]!, block.start_us[row]! - table.number(i, at.end))
  const nearest = (row: number): boolean =>
    distance(connection, row) <= gap && others.every(i => distance(connection, row) <= distance(i, row))
  const rows: number[] = []
  for (let row = 0; row < block.rows; row++) {
    const own = connectionOf[row]!
    if (own === connection || (own === noConnection && fates[row] !== fate.withoutEnds && nearest(row))) rows.push(row)
  }
  return rows.sort((a, b) => block.start_us[a]! - block.start_us[b]! || a - b)
}
