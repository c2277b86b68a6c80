/** The connections of a case's flow logs as a table, for those who ask in SQL: all that the records say of each. */
import { noHost, type RecordDictionaries } from '../record-index/block.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Case } from '../store/case.ts'
import { counts, flags, type GivenColumn, giveRows, numbers, signed, words } from '../store/given-table.ts'
import { at, at4, bit, ConnectionTable } from './connection-table.ts'
import type { Judged } from './conversations.ts'
import { filled } from './filled.ts'
import { addressHalves } from './given-columns.ts'
import { Roles, roleBases } from './ladder.ts'
import { type DetailedConnections, PartReader } from './part-reader.ts'
import { outcomeOf, outcomes } from './services.ts'
import type { Spill } from './spill.ts'
import { type WholeConversations, wholeConversations } from './whole.ts'

const sides = ['orig', 'resp'] as const
/** About this many connections are given at once. */
const connectionsAtOnce = 1 << 18

/** Makes the table `log_connections`, by the names of the columns of packets' connections where they mean the same. */
export async function giveLogConnections(c: Case): Promise<void> {
  await withRecordIndex(c, 'logs', index =>
    wholeConversations(c, index, { evidence: 'logs', own: [] }, { connections: true }, (whole, spill) =>
      give(c, index, whole, spill),
    ),
  )
}

/** Gives the connections of all parts, in the order of their first records. */
async function give(c: Case, index: RecordIndex, whole: WholeConversations, spill: Spill): Promise<void> {
  const { hosts } = whole.dictionaries
  const names = new SensorNames()
  const readers = whole.parts.map(part => new PartReader(part, spill))
  const ofPart = whole.parts.map(part => names.numbersOf(part.details!.names))
  const room = connectionsAtOnce + index.blockRows
  let listed = emptyListed(hosts, names.list, room)
  let isFirst = true
  const flush = async (): Promise<void> => {
    await giveRows(c.db, 'log_connections', columnsOf(listed), listed.table.count, isFirst)
    isFirst = false
    listed = emptyListed(hosts, names.list, room)
  }
  let place = 0
  for await (const block of index.blocks(['file', 'line'])) {
    for (let row = 0; row < block.rows; row++, place++) {
      const part = whole.begins[place]!
      if (part === 0) continue
      const { count } = listed.table
      listed.file[count] = block.file[row]!
      listed.line[count] = block.line[row]!
      const sensors = readers[part - 1]!.next(listed)
      listed.sensors[count] = ofPart[part - 1]![sensors]!
    }
    if (listed.table.count >= connectionsAtOnce) await flush()
  }
  if (listed.table.count > 0 || isFirst) await flush()
}

/** Some connections, with all that is given of them. */
interface Listed extends DetailedConnections {
  hosts: RecordDictionaries['hosts']
  /** By connection: file and line of its first record, and the number of the sensors' names among `names`. */
  file: Uint32Array
  line: Uint32Array
  sensors: Uint32Array
  names: readonly string[]
}

/** @param room for how many connections. */
function emptyListed(hosts: Listed['hosts'], names: readonly string[], room: number): Listed {
  return {
    ...{ table: new ConnectionTable(), roles: new Roles(room), hosts, names },
    ...{ flags: new Uint8Array(2 * room), hasFlags: new Uint8Array(2 * room).fill(1) },
    ...{
      seen: new Uint32Array(2 * room).fill(noHost),
      file: new Uint32Array(room),
      line: new Uint32Array(room),
      sensors: new Uint32Array(room),
    },
  }
}

/** Names of sensors of all parts, each once. */
class SensorNames {
  readonly list: string[] = []
  private readonly numbers = new Map<string, number>()

  /** The number of each of a part's. */
  numbersOf(names: readonly string[]): Uint32Array {
    return Uint32Array.from(names, name => {
      const known = this.numbers.get(name)
      if (known !== undefined) return known
      this.numbers.set(name, this.list.length)
      return this.list.push(name) - 1
    })
  }
}

/** The side of a connection that is its client (end 0) or its server. */
function sideOf({ roles }: Judged, connection: number, end: 0 | 1): 0 | 1 {
  return ((roles.client[connection]! + end) & 1) as 0 | 1
}

function addressColumn(name: string, hosts: Listed['hosts'], host: Uint32Array): GivenColumn {
  const [high, low] = addressHalves(name, hosts, host)
  const struct = `CASE WHEN ${name}_lo IS NOT NULL THEN struct_pack(hi := ${name}_hi, lo := ${name}_lo) END AS ${name}`
  return { columns: [...high.columns, ...low.columns], select: struct }
}

function sideColumns(listed: Listed, end: 0 | 1): GivenColumn[] {
  const { table, hosts } = listed
  const { count } = table
  const name = sides[end]
  const side = (i: number): 0 | 1 => sideOf(listed, i, end)
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
      u32(i => listed.seen[2 * i + side(i)]!),
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
    counts(`${name}_packets`, count, i => table.saidPackets(i, side(i))),
    counts(`${name}_ip_bytes`, count, i => table.saidBytes(i, side(i))),
    numbers(
      `${name}_flags`,
      filled(new Uint8Array(count), i => listed.flags[2 * i + side(i)]!),
      // Of who sent nothing there are none.
      i => listed.hasFlags[2 * i + side(i)] !== 0 || table.integer(i, at4.aRecords + side(i)) === 0,
    ),
  ]
}

function columnsOf(listed: Listed): GivenColumn[] {
  const { table, roles } = listed
  const { count } = table
  const u32 = (of: (connection: number) => number): Uint32Array => filled(new Uint32Array(count), of)
  const u8 = (of: (connection: number) => number): Uint8Array => filled(new Uint8Array(count), of)
  const state = u8(i => {
    const server = sideOf(listed, i, 1)
    const [there, back] = [table.integer(i, at4.aAccepted + 1 - server), table.integer(i, at4.aAccepted + server)]
    return outcomes.indexOf(outcomeOf(there, back, (table.bits(i) & (bit.aNotRst << server)) !== 0, roles.rule[i]!))
  })
  return [
    numbers('_file', listed.file),
    numbers('_line', listed.line),
    ...sideColumns(listed, 0),
    ...sideColumns(listed, 1),
    numbers(
      'protocol',
      u8(i => table.protocol(i) ?? 0),
      i => table.protocol(i) !== null,
    ),
    asTime(
      'start',
      filled(new Float64Array(count), i => table.start(i)),
      i => table.hasTime(i),
    ),
    asTime(
      'end',
      filled(new Float64Array(count), i => table.number(i, at.end)),
      i => table.hasTime(i),
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
    flags(
      'at_least',
      u8(i => Number(table.isPartlyUnsaid(i))),
    ),
    sensorLists(listed),
  ]
}

/** An enumeration has each word once: two rules are called `listener`. */
const roleNames = roleBases.map((name, i) => (roleBases.indexOf(name) === i ? name : `${name} ${i}`))

function asTime(name: string, data: Float64Array, isKnown: (connection: number) => boolean): GivenColumn {
  return { ...signed(name, data, isKnown), select: `"${name}"` }
}

function sensorLists({ sensors, names }: Listed): GivenColumn {
  const column = words('sensors', sensors, names)
  return {
    ...column,
    select: `CASE WHEN sensors::VARCHAR = '' THEN [] ELSE string_split(sensors::VARCHAR, chr(10)) END AS sensors`,
  }
}
