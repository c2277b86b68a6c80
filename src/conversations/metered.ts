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
  /** Its end a (0) or b (1). */
  originator: number
  start_us: number
  end_us: number
}

/** Metered connections of two ends that began in one way. */
class MeteredList {
  private list: Metered[] = []
  /** The latest end of those up to each one; null before they are in order. */
  private latest_us: Float64Array | null = null

  add(one: Metered): void {
    this.list.push(one)
    this.latest_us = null
  }

  /** The one that overlaps a stretch of time and began first; of two that began together that from the greater address. */
  firstIn(from_us: number, to_us: number): Metered | null {
    this.latest_us ??= this.ordered()
    let low = 0
    let high = this.list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.latest_us[middle]! < from_us) low = middle + 1
      else high = middle
    }
    // The first one up to which something ends so late ends so late itself.
    const found = this.list[low]
    return found !== undefined && found.start_us <= to_us ? found : null
  }

  private ordered(): Float64Array {
    this.list.sort(inOrder)
    const latest_us = new Float64Array(this.list.length)
    let latest = Number.NEGATIVE_INFINITY
    for (const [i, { end_us }] of this.list.entries()) {
      latest = Math.max(latest, end_us)
      latest_us[i] = latest
    }
    return latest_us
  }
}

function inOrder(a: Metered, b: Metered): number {
  return a.start_us - b.start_us || b.originator - a.originator
}

/** How a metered connection began, and the confidence in its originator. */
const beginnings = { syn: 98, 'syn-ack': 95 } as const
type Beginning = keyof typeof beginnings

/** Metered connections that began with a SYN or its answer, by their ends. */
export class MeteredConnections {
  private readonly keys = new KeyTable()
  private readonly lists: Partial<Record<Beginning, MeteredList>>[] = []

  static async read(c: Case, hosts: RecordDictionaries['hosts'], where: Sql): Promise<MeteredConnections> {
    const found = new MeteredConnections()
    const numbers = new Map<string, number>()
    for (let host = 0; host < hosts.count; host++) numbers.set(`${hosts.hi[host]} ${hosts.lo[host]}`, host)
    const query = sql`SELECT orig_addr.hi, orig_addr.lo, resp_addr.hi, resp_addr.lo, coalesce(orig_port, 0), coalesce(resp_port, 0), protocol,
      epoch_us(start), epoch_us("end"), role_basis
      FROM ${rawSql('connections')} WHERE role_basis IN ('syn', 'syn-ack') AND (${where})`
    for await (const rows of await c.db.stream(query.text, query.values)) {
      for (const [oHi, oLo, rHi, rLo, ...rest] of rows) {
        const originator = numbers.get(`${oHi} ${oLo}`)
        const responder = numbers.get(`${rHi} ${rLo}`)
        if (originator === undefined || responder === undefined) continue
        const [oPort, rPort, protocol, start_us, end_us] = rest.slice(0, 5).map(Number) as [
          number,
          number,
          number,
          number,
          number,
        ]
        const metered = { beginning: String(rest[5]) as Beginning, start_us, end_us }
        found.add([originator, oPort], [responder, rPort], protocol, metered)
      }
    }
    return found
  }

  /** @param one host and port of the originator. */
  add(
    one: readonly [number, number],
    other: readonly [number, number],
    protocol: number,
    { beginning, start_us, end_us }: { beginning: Beginning; start_us: number; end_us: number },
  ): void {
    const isA = one[0] < other[0] || (one[0] === other[0] && one[1] <= other[1])
    const [[a, aPort], [b, bPort]] = isA ? [one, other] : [other, one]
    const key = this.keys.add(a, b, (aPort | (bPort << 16)) >>> 0, protocol)
    this.lists[key] ??= {}
    this.lists[key][beginning] ??= new MeteredList()
    this.lists[key][beginning].add({ originator: isA ? 0 : 1, start_us, end_us })
  }

  /** The one with the ends of a connection that overlaps it and began first: its originator, and the confidence in that. */
  firstOf(table: ConnectionTable, connection: number): { originator: number; confidence: number } | null {
    const [a, b] = [table.integer(connection, at4.aHost), table.integer(connection, at4.bHost)]
    const ports = table.integer(connection, at4.ports)
    const lists = this.lists[this.keys.find(a, b, ports, table.protocol(connection) ?? 0x100)]
    if (lists === undefined) return null
    const [from_us, to_us] = [table.start(connection), table.number(connection, at.end)]
    const syn = lists.syn?.firstIn(from_us, to_us) ?? null
    const synAck = lists['syn-ack']?.firstIn(from_us, to_us) ?? null
    const first = syn !== null && (synAck === null || inOrder(syn, synAck) <= 0) ? syn : synAck
    if (first === null) return null
    return { originator: first.originator, confidence: beginnings[syn === null ? 'syn-ack' : 'syn'] }
  }
}

/** The metered connection that overlaps a connection and began first tells who connected. */
export function judgeByMeter(table: ConnectionTable, roles: Roles, metered: MeteredConnections): void {
  for (let connection = 0; connection < table.count; connection++) {
    const first = metered.firstOf(table, connection)
    if (first !== null) roles.decide(connection, 1, first.originator, first.confidence)
  }
}
