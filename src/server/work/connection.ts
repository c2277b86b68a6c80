/** Answers: one connection, with the records that it is made of. */
import { at, at4, bit } from '../../conversations/connection-table.ts'
import { lateness_us } from '../../conversations/intervals.ts'
import { roleBases } from '../../conversations/ladder.ts'
import { outcomeOf } from '../../conversations/services.ts'
import { ownNetworks } from '../../detect/detect.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { flowsMeaning } from '../../flows/explain.ts'
import { placesOf } from '../../investigate/investigate.ts'
import { formatAddress, parseAddress } from '../../net/address.ts'
import { isInternal } from '../../net/internal.ts'
import { registeredService } from '../../net/ports.ts'
import type { Prefix } from '../../net/prefix.ts'
import { hasPorts, protocolName } from '../../net/protocols.ts'
import { compareTimes, utcSeconds } from '../../net/time.ts'
import { basisWords, serviceName } from '../../report/names.ts'
import type { Case } from '../../store/case.ts'
import { question } from '../../store/question.ts'
import type { WorkContext } from '../answering.ts'
import { carveCommand, flowsCommand } from '../command-line.ts'
import type { ConnectionAnswer, ConnectionEnd, Way } from '../contract/connection.ts'
import { type ConnectionKey, connectionKey, parseConnectionKey } from './connection-key.ts'
import { carveFilterOf, filterOf, isFromClient, packetRecords, type Time, timeOfPackets } from './connection-packets.ts'
import { type ConnectionRecords, connectionRecords } from './connection-records.ts'
import { columnsOf, type RecordRow, rowOf, shownRow, wayOf } from './connection-rows.ts'

const recordsMax = 500
const othersMax = 100

export async function connectionAnswer(
  c: Case,
  { key: text, own }: { key: string; own: string[] },
  { signal }: WorkContext,
): Promise<ConnectionAnswer> {
  const key = parseConnectionKey(text)
  if (key === null)
    throw new UserError(`no connection is called ${text}`, {
      hint: 'follow a link of the page of a host',
      status: exitStatus.usage,
    })
  const { own: networks } = await ownNetworks(c, { internal: own, signal })
  const filter = filterOf(key)
  const { sentence, sql } = await flowsMeaning(c, { filter, internal: own }, { signal, files: false })
  const told = await question(c, signal, asked => answered(asked, key, networks))
  return { ...told, asked: { sentence, sql, command: flowsCommand(c, { filter, internal: own }) } }
}

async function answered(
  c: Case,
  asked: ConnectionKey,
  own: readonly Prefix[],
): Promise<Omit<ConnectionAnswer, 'asked'>> {
  const found = await connectionRecords(c, asked, own)
  const { connection, others } = found
  const key = keyOf(found, connection)
  const records = recordRows(c, found, key)
  const own_us = timeOf(found, connection)
  const time = own_us !== null && c.source === 'logs' ? timeOfPackets(own_us) : own_us
  const packets = c.source === 'logs' ? await packetRecords(c, key, time) : records.filter(row => isOfCapture(c, row))
  const all = c.source === 'logs' ? [...records, ...packets] : records
  all.sort((a, b) => compareTimes(a.start, b.start))
  return {
    key: connectionKey(key),
    source: c.source,
    client: endOf(key.client, key.clientPort, own),
    server: endOf(key.server, key.serverPort, own),
    ...whatItWas(found, key),
    ...waysOf(found, records),
    vantages: [...columnsOf(records), ...(c.source === 'logs' ? columnsOf(packets) : [])],
    records: all.slice(0, recordsMax).map(shownRow),
    records_total: all.length,
    packets: packets.length === 0 ? null : packetsOf(packets),
    carve: packets.length === 0 ? null : carveOf(c, key, time),
    others: others
      .filter(one => one !== connection)
      .slice(0, othersMax)
      .map(one => ({ key: connectionKey(keyOf(found, one)), ...spanOf(found, one) })),
  }
}

/** Where others have the same ends and ports, in its time alone. */
function carveOf(
  c: Case,
  key: ConnectionKey,
  time: { from_us: number; to_us: number } | null,
): NonNullable<ConnectionAnswer['carve']> {
  const { client, clientPort, server, serverPort } = key
  const name = [client, clientPort, server, serverPort]
    .filter(part => part !== null)
    .join('-')
    .replace(/[^\w.-]/g, '_')
  const late = time && { from_us: time.from_us - lateness_us, to_us: time.to_us + lateness_us }
  const filter = carveFilterOf(key, late)
  return { name, filter, command: carveCommand(c, filter, `packets-${name}.pcapng`) }
}

/** Its ends in the order of who began it. */
function keyOf({ chained: { table, roles }, mine }: ConnectionRecords, connection: number): ConnectionKey {
  const { hi, lo } = mine.dictionaries.hosts
  const client = roles.client[connection] as 0 | 1
  const server = (1 - client) as 0 | 1
  const protocol = table.protocol(connection)
  const text = (host: number): string => formatAddress(hi[host]!, lo[host]!)
  const port = (side: 0 | 1): number | null => (hasPorts(protocol) ? table.port(connection, side) : null)
  return {
    protocol,
    ...{ client: text(table.integer(connection, at4.aHost + client)), clientPort: port(client) },
    ...{ server: text(table.integer(connection, at4.aHost + server)), serverPort: port(server) },
    start_us: table.hasTime(connection) ? table.start(connection) : null,
  }
}

function timeOf({ chained: { table } }: ConnectionRecords, i: number): Time | null {
  return table.hasTime(i) ? { from_us: table.start(i), to_us: table.number(i, at.end) } : null
}

function spanOf(found: ConnectionRecords, i: number): Pick<ConnectionAnswer, 'first_start' | 'last_end'> {
  const time = timeOf(found, i)
  return time === null
    ? { first_start: null, last_end: null }
    : { first_start: utcSeconds(time.from_us), last_end: utcSeconds(time.to_us) }
}

function endOf(address: string, port: number | null, own: readonly Prefix[]): ConnectionEnd {
  return { address, port, internal: isInternal(parseAddress(address)!, own) }
}

/** Who began it, what became of it, and when. */
function whatItWas(
  found: ConnectionRecords,
  { protocol, serverPort }: ConnectionKey,
): Pick<
  ConnectionAnswer,
  'protocol' | 'service' | 'began' | 'outcome' | 'first_start' | 'last_end' | 'seconds' | 'at_least'
> {
  const { chained, connection: i } = found
  const { table, roles } = chained
  const client = roles.client[i] as 0 | 1
  const server = (1 - client) as 0 | 1
  const rule = roles.rule[i]!
  const basis = roleBases[rule - 1]!
  const [there, back] = [table.integer(i, at4.aAccepted + client), table.integer(i, at4.aAccepted + server)]
  const name =
    serverPort === null || protocol === null
      ? protocol === null
        ? null
        : protocolName(protocol)
      : (registeredService(serverPort, protocol)?.name ?? null)
  const time = timeOf(found, i)
  return {
    protocol,
    service: serviceName({ protocol, name }),
    began: { basis, words: basisWords[basis], confidence: roles.confidence[i]! },
    outcome: outcomeOf(there, back, (table.bits(i) & (bit.aNotRst << server)) !== 0, rule),
    ...spanOf(found, i),
    seconds: time === null ? null : (time.to_us - time.from_us) / 1e6,
    at_least: table.isPartlyUnsaid(i),
  }
}

function recordRows(c: Case, { mine, chained, rows, connection }: ConnectionRecords, key: ConnectionKey): RecordRow[] {
  const { block, fates } = mine
  const fileOf = placesOf(c)
  const client = chained.table.integer(connection, at4.aHost + chained.roles.client[connection]!)
  return rows.map(row =>
    rowOf(
      mine,
      row,
      c.source,
      fileOf,
      isFromClient(block.sourcePort[row]!, block.source[row] === client, key),
      fates[row]!,
    ),
  )
}

/** Counted once: sums are those of the table, which the dossier has too. */
function waysOf(
  { chained: { table, roles }, connection: i }: ConnectionRecords,
  records: readonly RecordRow[],
): Pick<ConnectionAnswer, 'to_server' | 'to_client'> {
  const counted = records.filter(({ fate }) => fate === 'counted')
  const client = roles.client[i] as 0 | 1
  const server = (1 - client) as 0 | 1
  const sums = (side: 0 | 1) => ({ packets: table.saidPackets(i, side), bytes: table.saidBytes(i, side) })
  return {
    to_server: { ...wayOf(counted, 'to-server'), ...sums(client) } as Way,
    to_client: { ...wayOf(counted, 'to-client'), ...sums(server) } as Way,
  }
}

function isOfCapture(c: Case, { at }: RecordRow): boolean {
  return c.evidence.some(file => file.id === at.file && file.capture !== null)
}

function packetsOf(rows: readonly RecordRow[]): NonNullable<ConnectionAnswer['packets']> {
  return { to_server: wayOf(rows, 'to-server').packets, to_client: wayOf(rows, 'to-client').packets }
}
