/**
 * The subject's services and connections as tables of the question's connection, for rules, which ask in SQL: `service`, and `judged` (each
 * connection of some services, from client to server).
 */
import { at, at4 } from '../conversations/connection-table.ts'
import type { Chained } from '../conversations/conversations.ts'
import { filled } from '../conversations/filled.ts'
import { addressHalves } from '../conversations/given-columns.ts'
import { isTimed, noPort, noProtocol, outcomes, type Services, saidSum } from '../conversations/services.ts'
import type { Database } from '../store/duckdb.ts'
import { counts, flags, type GivenColumn, giveTable, numbers, signed, words } from '../store/given-table.ts'
import { subjectRoles, type ToldServices } from './services.ts'

/** A number that is null where it has that value. */
function unless(name: string, data: Uint32Array, none: number): GivenColumn {
  return numbers(name, data, row => data[row] !== none)
}

/** Makes `service`, one row for each, by number: what rules ask for. */
export async function giveServices(db: Database, told: ToldServices): Promise<void> {
  const { services, hosts } = told
  const { count } = services
  const columns = [
    numbers(
      'service',
      filled(new Uint32Array(count), service => service),
    ),
    ...addressHalves('server', hosts, services.server),
    unless('service_port', services.port, noPort),
    unless('protocol', services.protocol, noProtocol),
    ...addressHalves('client', hosts, services.client),
    numbers('records', services.records),
    numbers('connections', services.connections),
    numbers('to_server', services.toServer),
    numbers('to_client', services.toClient),
    numbers('not_rst', services.notRst),
    counts('bytes_to_server', count, service => saidSum(services, 'bytesToServer', service)),
    counts('bytes_to_client', count, service => saidSum(services, 'bytesToClient', service)),
    signed('last_us', services.last_us, service => isTimed(services, service)),
    signed('longest_us', services.longest_us),
    words('outcome', told.outcome, outcomes),
    words('subject_role', told.role, subjectRoles),
    flags('standard', told.standard, service => services.port[service] !== noPort),
  ]
  await giveTable(db, 'service', columns, count)
}

/** Makes `judged`, one row for each connection of some services. Sums are of accepted records. */
export async function giveConnections(
  db: Database,
  { table, roles }: Pick<Chained, 'table' | 'roles'>,
  { count, serviceOf }: Services,
  wanted: Uint32Array,
): Promise<void> {
  const isWanted = new Uint8Array(count)
  for (const service of wanted) isWanted[service] = 1
  let rows = 0
  for (let connection = 0; connection < table.count; connection++) rows += isWanted[serviceOf[connection]!]!
  const which = new Uint32Array(rows)
  for (let connection = 0, row = 0; connection < table.count; connection++)
    if (isWanted[serviceOf[connection]!] === 1) which[row++] = connection
  const sides = [
    ['client', (connection: number) => roles.client[connection] as 0 | 1],
    ['server', (connection: number) => (roles.client[connection] === 0 ? 1 : 0)],
  ] as const
  const time = (of: (connection: number) => number): Float64Array =>
    filled(new Float64Array(rows), row => of(which[row]!))
  const columns = sides.flatMap(([name, side]) => [
    numbers(
      `${name}_accepted`,
      filled(new Uint32Array(rows), row => table.integer(which[row]!, at4.aAccepted + side(which[row]!))),
    ),
    counts(`${name}_bytes`, rows, row => table.saidBytes(which[row]!, side(which[row]!))),
    counts(`${name}_packets`, rows, row => table.saidPackets(which[row]!, side(which[row]!))),
  ])
  columns.push(
    numbers(
      'service',
      filled(new Uint32Array(rows), row => serviceOf[which[row]!]!),
    ),
    signed(
      'start_us',
      time(connection => table.start(connection)),
      row => table.hasTime(which[row]!),
    ),
    signed(
      'end_us',
      time(connection => table.number(connection, at.end)),
      row => table.hasTime(which[row]!),
    ),
  )
  await giveTable(db, 'judged', columns, rows)
}
