/** Records of a connection as the page shows them, and what those of one point, or of one direction, come to. */
import { fate as fates } from '../../conversations/fates.ts'
import { counterOf } from '../../conversations/signs.ts'
import { exactSum } from '../../conversations/sums.ts'
import { basisAt, type FileOf } from '../../investigate/lines.ts'
import { flagNames } from '../../net/tcp-flags.ts'
import { microsecondsOf, utcSeconds } from '../../net/time.ts'
import { known, type RecordBlock, type RecordDictionaries } from '../../record-index/block.ts'
import type { ConnectionRecord, VantageColumn, Way } from '../contract/connection.ts'

type Count = number | bigint | null

/** A record with its figures as they are. */
export interface RecordRow extends Omit<ConnectionRecord, 'packets' | 'bytes' | 'flags'> {
  packets: Count
  bytes: Count
  flagBits: number | null
  rejected: boolean
  /** What recorded it: the sensor, or the file of packets. */
  vantage: string | null
}

const fateNames: Readonly<Record<number, ConnectionRecord['fate']>> = {
  [fates.counted]: 'counted',
  [fates.copy]: 'copy',
  [fates.twin]: 'twin',
  [fates.translated]: 'translated',
}

/** @param isFromClient whether the source of a row is the client. */
export function rowOf(
  { dictionaries: { vantages, actions }, block }: { block: RecordBlock; dictionaries: RecordDictionaries },
  row: number,
  kind: RecordRow['kind'],
  fileOf: FileOf,
  isFromClient: boolean,
  fate: number = fates.counted,
): RecordRow {
  const has = (bit: number): boolean => (block.known[row]! & bit) !== 0
  const { sensor } = vantages[block.vantage[row]!]!
  const action = block.action[row]!
  const file = block.file[row]!
  const at = { ...basisAt(fileOf, file, block.line[row]!), file }
  return {
    ...{ at, kind, sensor, vantage: kind === 'packets' ? at.path : sensor },
    start: has(known.start) || has(known.end) ? utcSeconds(block.start_us[row]!) : null,
    end: has(known.start) || has(known.end) ? utcSeconds(block.end_us[row]!) : null,
    way: isFromClient ? 'to-server' : 'to-client',
    action: action === 0 ? null : action === 1 ? 'ACCEPT' : action === 2 ? 'REJECT' : (actions[action - 3] ?? null),
    rejected: action === 2,
    packets: has(known.packets) ? counterOf(block, row, 'packets') : null,
    bytes: has(known.bytes) ? counterOf(block, row, 'bytes') : null,
    flagBits: has(known.tcpFlags) ? block.tcpFlags[row]! : null,
    fate: fateNames[fate] ?? 'counted',
  }
}

export function shownRow({ flagBits, rejected: _, vantage: __, ...row }: RecordRow): ConnectionRecord {
  return { ...row, flags: flagBits === null ? null : flagNames(flagBits) } as ConnectionRecord
}

/** What records of one direction come to: volumes are those of accepted ones; null where none of these says how much. */
export function wayOf(rows: readonly RecordRow[], way: RecordRow['way']): Way {
  const own = rows.filter(row => row.way === way)
  const accepted = own.filter(row => !row.rejected)
  const flags = own.flatMap(({ flagBits }) => flagBits ?? [])
  const sum = (what: 'packets' | 'bytes'): Count => {
    const said = accepted.flatMap(row => row[what] ?? [])
    return said.length === 0 && accepted.length > 0 ? null : said.reduce<number | bigint>(exactSum, 0)
  }
  return {
    ...{ records: own.length, rejected: own.length - accepted.length },
    ...{ packets: sum('packets'), bytes: sum('bytes') },
    flags: flags.length === 0 ? null : flagNames(flags.reduce((all, one) => all | one, 0)),
  } as Way
}

/** One column for each point that recorded it, in the order of their first records. */
export function columnsOf(rows: readonly RecordRow[]): VantageColumn[] {
  const groups = new Map<string, RecordRow[]>()
  for (const row of rows) {
    const name = `${row.kind} ${row.vantage}`
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [row])
    else group.push(row)
  }
  return [...groups.values()].map((own): VantageColumn => {
    const [first] = own as [RecordRow]
    return {
      ...{ name: first.vantage, kind: first.kind, counted: own.some(({ fate }) => fate === 'counted') },
      ...{ records: own.length, ...spanOf(own) },
      ...{ to_server: wayOf(own, 'to-server'), to_client: wayOf(own, 'to-client') },
    }
  })
}

function spanOf(rows: readonly RecordRow[]): { first_start: string | null; last_end: string | null } {
  const starts = rows.flatMap(({ start }) => (start === null ? [] : [microsecondsOf(start)]))
  const ends = rows.flatMap(({ end }) => (end === null ? [] : [microsecondsOf(end)]))
  if (starts.length === 0) return { first_start: null, last_end: null }
  const least = starts.reduce((a, b) => Math.min(a, b))
  return { first_start: utcSeconds(least), last_end: utcSeconds(ends.reduce((a, b) => Math.max(a, b), least)) }
}
