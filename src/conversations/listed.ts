/** The connections of a case's flow logs as a table, for those who ask in SQL: all that the records say of each. */
import { known, noHost, type RecordBlock } from '../record-index/block.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Case } from '../store/case.ts'
import { counts, type GivenColumn, giveTable, numbers, signed, words } from '../store/given-table.ts'
import { at, at4, bit } from './connection-table.ts'
import { fate } from './fates.ts'
import { addressHalves, filled } from './given-columns.ts'
import { roleBases } from './ladder.ts'
import { isForward } from './pairs.ts'
import { SensorSets } from './sensor-sets.ts'
import { outcomeOf, outcomes } from './services.ts'
import { type WholeConversations, wholeConversations } from './whole.ts'

const sides = ['orig', 'resp'] as const

/** Makes the table `log_connections`, by the names of the columns of packets' connections where they mean the same. */
export async function giveLogConnections(c: Case): Promise<void> {
  await withRecordIndex(c, 'logs', async index => {
    const whole = await wholeConversations(c, index, 'logs', [])
    const more = await detailsOf(index, whole)
    await giveTable(c.db, 'log_connections', columnsOf(whole, more), whole.table.count, 'TABLE')
  })
}

interface Details {
  /** By connection and side (a, b): flags of all its records, the address as the sensor saw it. */
  flags: Uint8Array
  seen: Uint32Array
  /** By connection: file and line of its first record, and the number of the sensors' names among `names`. */
  file: Uint32Array
  line: Uint32Array
  sensors: Uint32Array
  names: string[]
}

/** What the table of connections does not hold, from the records that count. */
async function detailsOf(index: RecordIndex, whole: WholeConversations): Promise<Details> {
  const { count } = whole.table
  const sets = new SensorSets(count)
  const details: Omit<Details, 'sensors' | 'names'> = {
    flags: new Uint8Array(2 * count),
    seen: new Uint32Array(2 * count).fill(noHost),
    file: new Uint32Array(count),
    line: new Uint32Array(count),
  }
  const columns = ['source', 'destination', 'sourceSeen', 'destinationSeen', 'sourcePort', 'destinationPort'] as const
  let from = 0
  for await (const block of index.blocks([...columns, 'tcpFlags', 'vantage', 'known', 'file', 'line'])) {
    for (let row = 0; row < block.rows; row++) {
      if (whole.fates[from + row] !== fate.counted) continue
      const connection = whole.connectionOf[from + row]!
      const forward = isForward(block, row)
      const side = forward ? 0 : 1
      if (whole.table.integer(connection, at4.firstRow) === from + row) {
        details.file[connection] = block.file[row]!
        details.line[connection] = block.line[row]!
      }
      if ((block.known[row]! & known.tcpFlags) !== 0) details.flags[2 * connection + side]! |= block.tcpFlags[row]!
      noteSeen(details, connection, side, block, row)
      sets.note(connection, block.vantage[row]!)
    }
    from += block.rows
  }
  return { ...details, ...sets.named(index.dictionaries.vantages.map(({ sensor }) => sensor)) }
}

function noteSeen(
  { seen }: Pick<Details, 'seen'>,
  connection: number,
  side: number,
  block: RecordBlock,
  row: number,
): void {
  const [source, destination] = [block.sourceSeen, block.destinationSeen]
  if (source !== null && source[row] !== block.source[row]) seen[2 * connection + side] = source[row]!
  if (destination !== null && destination[row] !== block.destination[row])
    seen[2 * connection + 1 - side] = destination[row]!
}

/** The side of a connection that is its client (end 0) or its server. */
function sideOf({ roles }: WholeConversations, connection: number, end: 0 | 1): 0 | 1 {
  return ((roles.client[connection]! + end) & 1) as 0 | 1
}

function addressColumn(
  name: string,
  hosts: WholeConversations['dictionaries']['hosts'],
  host: Uint32Array,
): GivenColumn {
  const [high, low] = addressHalves(name, hosts, host)
  const struct = `CASE WHEN ${name}_lo IS NOT NULL THEN struct_pack(hi := ${name}_hi, lo := ${name}_lo) END AS ${name}`
  return { columns: [...high.columns, ...low.columns], select: struct }
}

function sideColumns(whole: WholeConversations, more: Details, end: 0 | 1): GivenColumn[] {
  const { table } = whole
  const { hosts } = whole.dictionaries
  const { count } = table
  const name = sides[end]
  const side = (i: number): 0 | 1 => sideOf(whole, i, end)
  const u32 = (of: (connection: number) => number): Uint32Array => filled(new Uint32Array(count), of)
  const port = (i: number): number | null => table.port(i, side(i))
  return [
    addressColumn(
      `${name}_addr`,
      hosts,
      u32(i => table.integer(i, at4.aHost + side(i))),
    ),
    addressColumn(
      `${name}_seen`,
      hosts,
      u32(i => more.seen[2 * i + side(i)]!),
    ),
    numbers(
      `${name}_port`,
      filled(new Uint16Array(count), i => port(i) ?? 0),
      i => port(i) !== null,
    ),
    numbers(
      `${name}_records`,
      u32(i => table.integer(i, at4.aRecords + side(i))),
    ),
    counts(`${name}_packets`, count, i => table.packets(i, side(i))),
    counts(`${name}_ip_bytes`, count, i => table.bytes(i, side(i))),
    numbers(
      `${name}_flags`,
      filled(new Uint8Array(count), i => more.flags[2 * i + side(i)]!),
    ),
  ]
}

function columnsOf(whole: WholeConversations, more: Details): GivenColumn[] {
  const { table, roles } = whole
  const { count } = table
  const u32 = (of: (connection: number) => number): Uint32Array => filled(new Uint32Array(count), of)
  const u8 = (of: (connection: number) => number): Uint8Array => filled(new Uint8Array(count), of)
  const state = u8(i => {
    const server = sideOf(whole, i, 1)
    const [there, back] = [table.integer(i, at4.aAccepted + 1 - server), table.integer(i, at4.aAccepted + server)]
    return outcomes.indexOf(outcomeOf(there, back, (table.bits(i) & (bit.aNotRst << server)) !== 0, roles.rule[i]!))
  })
  return [
    numbers('_file', more.file),
    numbers('_line', more.line),
    ...sideColumns(whole, more, 0),
    ...sideColumns(whole, more, 1),
    numbers(
      'protocol',
      u8(i => table.protocol(i) ?? 0),
      i => table.protocol(i) !== null,
    ),
    asTime(
      'start',
      filled(new Float64Array(count), i => table.start(i)),
    ),
    asTime(
      'end',
      filled(new Float64Array(count), i => table.number(i, at.end)),
    ),
    words(
      'role_basis',
      u8(i => roleBases.indexOf(roleBases[roles.rule[i]! - 1]!)),
      roleNames,
    ),
    numbers('role_confidence', roles.confidence),
    words('state', state, outcomes),
    numbers(
      'records',
      u32(i => table.records(i)),
    ),
    numbers(
      'rejected',
      u32(i => table.rejected(i)),
    ),
    sensorLists(more),
  ]
}

/** An enumeration has each word once: two rules are called `listener`. */
const roleNames = roleBases.map((name, i) => (roleBases.indexOf(name) === i ? name : `${name} ${i}`))

/** Null where no record has a time: it stands as 0 there. */
function asTime(name: string, data: Float64Array): GivenColumn {
  return { ...signed(name, data), select: `CASE WHEN epoch_us("${name}") <> 0 THEN "${name}" END AS "${name}"` }
}

function sensorLists({ sensors, names }: Details): GivenColumn {
  const column = words('sensors', sensors, names)
  return {
    ...column,
    select: `CASE WHEN sensors::VARCHAR = '' THEN [] ELSE string_split(sensors::VARCHAR, chr(10)) END AS sensors`,
  }
}
