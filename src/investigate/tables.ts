/**
 * The subject's conversations as tables of the question's connection, for those who ask in SQL: `service`, `judged` (each connection from
 * client to server) and `numbered` (each record that counts, with its connection's `id`).
 */
import { at, at4, noConnection } from '../conversations/connection-table.ts'
import type { Chained } from '../conversations/conversations.ts'
import { filled } from '../conversations/filled.ts'
import { addressHalves } from '../conversations/given-columns.ts'
import { noPort, noProtocol, outcomeOf, outcomes, type Services } from '../conversations/services.ts'
import { counterOf, isRejected } from '../conversations/signs.ts'
import type { SubjectRecords } from '../conversations/subject.ts'
import { registeredService } from '../net/ports.ts'
import { hasPorts } from '../net/protocols.ts'
import { known } from '../record-index/block.ts'
import type { Database } from '../store/duckdb.ts'
import { counts, flags, type GivenColumn, giveTable, numbers, signed, words } from '../store/given-table.ts'
import type { SubjectRole } from './dossier.ts'

const subjectRoles = ['both', 'server', 'client', 'transit'] as const satisfies readonly SubjectRole[]

const wholeNumbers = (count: number, of: (row: number) => number): Uint32Array => filled(new Uint32Array(count), of)
const times = (count: number, of: (row: number) => number): Float64Array => filled(new Float64Array(count), of)

type HostHalves = SubjectRecords['dictionaries']['hosts']

/** A number that is null where it has that value. */
function unless(name: string, data: Uint32Array, none: number): GivenColumn {
  return numbers(name, data, row => data[row] !== none)
}

/** Makes `service`, one row for each, by number. @param approved ports whose use the analyst approves of. */
export async function giveServices(
  db: Database,
  services: Services,
  { dictionaries, isSubject }: SubjectRecords,
  approved: readonly number[],
): Promise<void> {
  const { count } = services
  const { hosts } = dictionaries
  const place = (name: string, of: (service: number) => number): GivenColumn => numbers(name, wholeNumbers(count, of))
  const outcome = new Uint8Array(count)
  const role = new Uint8Array(count)
  const standard = new Uint8Array(count)
  const isStandard = standardPorts(approved)
  const { toServer, toClient, notRst, rule } = services
  for (let service = 0; service < count; service++) {
    outcome[service] = outcomes.indexOf(
      outcomeOf(toServer[service]!, toClient[service]!, notRst[service] !== 0, rule[service]!),
    )
    const [server, client] = [isSubject(services.server[service]!), isSubject(services.client[service]!)]
    role[service] = server && client ? 0 : server ? 1 : client ? 2 : 3
    standard[service] = Number(isStandard.has(services.protocol[service]! * noPort + services.port[service]!))
  }
  const columns = [
    place('service', service => service),
    ...addressHalves('server', hosts, services.server),
    unless('service_port', services.port, noPort),
    unless('protocol', services.protocol, noProtocol),
    ...addressHalves('client', hosts, services.client),
    numbers('records', services.records),
    numbers('rejected', services.rejected),
    numbers('connections', services.connections),
    numbers('to_server', services.toServer),
    numbers('to_client', services.toClient),
    numbers('not_rst', services.notRst),
    counts('bytes_to_server', count, service => services.bytesToServer.of(service)),
    counts('bytes_to_client', count, service => services.bytesToClient.of(service)),
    counts('packets_to_server', count, service => services.packetsToServer.of(service)),
    counts('packets_to_client', count, service => services.packetsToClient.of(service)),
    signed('first_us', services.first_us),
    signed('last_us', services.last_us),
    signed('longest_us', services.longest_us),
    numbers('rule', services.rule),
    numbers('confidence', services.confidence),
    words('outcome', outcome, outcomes),
    words('subject_role', role, subjectRoles),
    flags('standard', standard, service => services.port[service] !== noPort),
  ]
  await giveTable(db, 'service', columns, count)
}

/** Protocol and port of each approved port that IANA registers a service on. */
function standardPorts(approved: readonly number[]): Set<number> {
  const protocols = Array.from({ length: 256 }, (_, protocol) => protocol).filter(hasPorts)
  return new Set(
    protocols.flatMap(protocol =>
      approved.filter(port => registeredService(port, protocol) !== null).map(port => protocol * noPort + port),
    ),
  )
}

/** Makes `judged`, one row a connection. Sums are of accepted records. */
export async function giveConnections(
  db: Database,
  { table, roles }: Chained,
  services: Services,
  hosts: HostHalves,
): Promise<void> {
  const { count } = table
  const server = (connection: number): 0 | 1 => (roles.client[connection] === 0 ? 1 : 0)
  const client = (connection: number): 0 | 1 => roles.client[connection] as 0 | 1
  const sides = [
    ['client', client],
    ['server', server],
  ] as const
  const whole = (of: (connection: number) => number): Uint32Array => wholeNumbers(count, of)
  const time = (of: (connection: number) => number): Float64Array => times(count, of)
  const columns = sides.flatMap(([name, side]) => [
    ...addressHalves(
      name,
      hosts,
      whole(i => table.integer(i, at4.aHost + side(i))),
    ),
    unless(
      `${name}_port`,
      whole(i => table.port(i, side(i)) ?? noPort),
      noPort,
    ),
    numbers(
      `${name}_accepted`,
      whole(i => table.integer(i, at4.aAccepted + side(i))),
    ),
    counts(`${name}_bytes`, count, i => table.bytes(i, side(i))),
    counts(`${name}_packets`, count, i => table.packets(i, side(i))),
  ])
  columns.push(
    numbers(
      'id',
      whole(i => i),
    ),
    numbers('service', services.serviceOf),
    unless(
      'protocol',
      whole(i => table.protocol(i) ?? noProtocol),
      noProtocol,
    ),
    numbers(
      'records',
      whole(i => table.records(i)),
    ),
    numbers(
      'rejected',
      whole(i => table.rejected(i)),
    ),
    signed(
      'start_us',
      time(i => table.start(i)),
    ),
    signed(
      'end_us',
      time(i => table.number(i, at.end)),
    ),
  )
  await giveTable(db, 'judged', columns, count)
}

/** Makes `numbered`, one row for each record that counts. */
export async function giveRecords(db: Database, { block }: SubjectRecords, { connectionOf }: Chained): Promise<void> {
  let count = 0
  for (const one of connectionOf) if (one !== noConnection) count++
  const rows = new Uint32Array(count)
  for (let row = 0, at = 0; row < block.rows; row++) if (connectionOf[row] !== noConnection) rows[at++] = row
  const whole = (column: Uint32Array): Uint32Array => wholeNumbers(count, i => column[rows[i]!]!)
  const rejected = new Uint8Array(count)
  for (let i = 0; i < count; i++) rejected[i] = Number(isRejected(block, rows[i]!))
  const columns = [
    numbers('_file', whole(block.file)),
    numbers('_line', whole(block.line)),
    numbers('id', whole(connectionOf)),
    signed(
      'start_us',
      times(count, i => block.start_us[rows[i]!]!),
    ),
    signed(
      'end_us',
      times(count, i => block.end_us[rows[i]!]!),
    ),
    counts('bytes', count, i =>
      (block.known[rows[i]!]! & known.bytes) === 0 ? null : counterOf(block, rows[i]!, 'bytes'),
    ),
    flags('rejected', rejected),
  ]
  await giveTable(db, 'numbered', columns, count)
}
