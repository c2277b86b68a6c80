/**
 * Rule 1 for packets: the flags of a record do not tell a SYN from a SYN-ACK once an ACK has followed. The connection that the meter made
 * does. (An nfcapd file has none: see `judgePackets`.)
 */
import type { Sql } from '../query/sql.ts'
import { rawSql, sql } from '../query/sql.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { Case } from '../store/case.ts'
import { at, at4, type ConnectionTable } from './connection-table.ts'
import { KeyTable } from './key-table.ts'
import type { Roles } from './ladder.ts'

interface Metered {
  originator: number
  start_us: number
  end_us: number
  confidence: number
}

/** Metered connections that began with a SYN or its answer, by their ends. */
export class MeteredConnections {
  private readonly keys = new KeyTable()
  private readonly lists: Metered[][] = []

  static async read(c: Case, hosts: RecordDictionaries['hosts'], where: Sql): Promise<MeteredConnections> {
    const found = new MeteredConnections()
    const numbers = new Map<string, number>()
    for (let host = 0; host < hosts.count; host++) numbers.set(`${hosts.hi[host]} ${hosts.lo[host]}`, host)
    const query = sql`SELECT orig_addr.hi, orig_addr.lo, resp_addr.hi, resp_addr.lo, coalesce(orig_port, 0), coalesce(resp_port, 0), protocol,
      epoch_us(start), epoch_us("end"), CASE WHEN role_basis = 'syn' THEN 98 ELSE 95 END
      FROM ${rawSql('connections')} WHERE role_basis IN ('syn', 'syn-ack') AND (${where})`
    for await (const rows of await c.db.stream(query.text, query.values)) {
      for (const [oHi, oLo, rHi, rLo, ...rest] of rows) {
        const originator = numbers.get(`${oHi} ${oLo}`)
        const responder = numbers.get(`${rHi} ${rLo}`)
        if (originator === undefined || responder === undefined) continue
        const [oPort, rPort, protocol, start_us, end_us, confidence] = rest.map(Number) as [
          number,
          number,
          number,
          number,
          number,
          number,
        ]
        found.add([originator, oPort], [responder, rPort], protocol, { originator, start_us, end_us, confidence })
      }
    }
    return found
  }

  private add(
    one: readonly [number, number],
    other: readonly [number, number],
    protocol: number,
    metered: Metered,
  ): void {
    const [[a, aPort], [b, bPort]] =
      one[0] < other[0] || (one[0] === other[0] && one[1] <= other[1]) ? [one, other] : [other, one]
    const key = this.keys.add(a, b, (aPort | (bPort << 16)) >>> 0, protocol)
    const isA = metered.originator === a && (a !== b || one[1] === aPort)
    this.lists[key] ??= []
    this.lists[key].push({ ...metered, originator: isA ? 0 : 1 })
  }

  /** Those with the ends of a connection. */
  of(table: ConnectionTable, connection: number): readonly Metered[] {
    const [a, b] = [table.integer(connection, at4.aHost), table.integer(connection, at4.bHost)]
    const ports = table.integer(connection, at4.ports)
    return this.lists[this.keys.find(a, b, ports, table.protocol(connection) ?? 0x100)] ?? []
  }
}

/** The metered connection that overlaps a connection and began first tells who connected. */
export function judgeByMeter(table: ConnectionTable, roles: Roles, metered: MeteredConnections): void {
  for (let connection = 0; connection < table.count; connection++) {
    const [from_us, to_us] = [table.start(connection), table.number(connection, at.end)]
    let first: Metered | null = null
    let confidence = 0
    for (const one of metered.of(table, connection)) {
      if (one.start_us > to_us || one.end_us < from_us) continue
      confidence = Math.max(confidence, one.confidence)
      // Of two that began together the one from the greater address.
      if (
        first === null ||
        one.start_us < first.start_us ||
        (one.start_us === first.start_us && one.originator > first.originator)
      )
        first = one
    }
    if (first !== null) roles.decide(connection, 1, first.originator, confidence)
  }
}
