/** The connections of a dossier's services, as bars over time. */
import { at, at4, bit } from '../../conversations/connection-table.ts'
import type { Chained } from '../../conversations/conversations.ts'
import { outcomeOf } from '../../conversations/services.ts'
import type { CorrelationRow } from '../../investigate/dossier.ts'
import type { Found } from '../../investigate/investigate.ts'
import { hostText } from '../../investigate/services.ts'
import { hasPorts } from '../../net/protocols.ts'
import { microsecondsOf } from '../../net/time.ts'
import type { DossierService, Lane, LaneBar } from '../contract/host.ts'
import { connectionKey } from './connection-key.ts'

const barsMax = 200
const restParts = 240

/** A service with its number among all services of the subject. */
export interface NumberedRow {
  row: DossierService
  service: number
}

/** A lane for each of some services; those without a time have no bars. */
export function lanesOf(
  { chained, told }: Pick<Found, 'chained' | 'told'>,
  services: readonly NumberedRow[],
  correlation: readonly CorrelationRow[],
): Lane[] {
  const { table } = chained
  const { serviceOf } = told.services
  const laneOf = new Int32Array(told.services.count).fill(-1)
  for (const [lane, { service }] of services.entries()) laneOf[service] = lane
  const connections = services.map((): number[] => [])
  for (let i = 0; i < table.count; i++) {
    const lane = laneOf[serviceOf[i]!]!
    if (lane >= 0 && table.hasTime(i)) connections[lane]!.push(i)
  }
  const inCapture = capturedKeys(correlation)
  const axis = axisOf(chained, connections)
  return services.map(({ row }, lane): Lane => {
    const { number, client, server, port, service, outcome } = row
    const largest = largestOf(chained, connections[lane]!)
    const bars = largest
      .map(i => barOf(chained, i, host => hostText(told, host), inCapture))
      .sort((a, b) => a.start - b.start)
    return {
      ...{ number, client, server, port, service, outcome },
      connections: row.connections,
      bars,
      axis,
      rest: restOf(chained, connections[lane]!, largest, axis),
    }
  })
}

function axisOf({ table }: Chained, lanes: readonly (readonly number[])[]): Lane['axis'] {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const lane of lanes)
    for (const i of lane) {
      from = Math.min(from, table.start(i) / 1e6)
      to = Math.max(to, table.number(i, at.end) / 1e6)
    }
  return from > to ? null : { from, to: Math.max(to, from + 1) }
}

/** The starts of what has no bar, counted in parts of the axis. */
function restOf(
  { table }: Chained,
  all: readonly number[],
  drawn: readonly number[],
  axis: Lane['axis'],
): Lane['rest'] {
  if (axis === null || drawn.length === all.length) return null
  const isDrawn = new Set(drawn)
  const counts = new Array<number>(restParts).fill(0)
  for (const i of all) {
    if (isDrawn.has(i)) continue
    const share = (table.start(i) / 1e6 - axis.from) / (axis.to - axis.from)
    counts[Math.min(restParts - 1, Math.floor(share * restParts))]!++
  }
  return counts
}

function largestOf({ table }: Chained, some: readonly number[]): readonly number[] {
  if (some.length <= barsMax) return some
  const bytes = (i: number): number => Number(table.bytes(i, 0)) + Number(table.bytes(i, 1))
  return [...some].sort((a, b) => bytes(b) - bytes(a) || table.start(a) - table.start(b)).slice(0, barsMax)
}

function barOf(
  { table, roles }: Chained,
  i: number,
  text: (host: number) => string,
  inCapture: ReadonlySet<string>,
): LaneBar {
  const client = roles.client[i] as 0 | 1
  const server = (1 - client) as 0 | 1
  const protocol = table.protocol(i)
  const withPorts = hasPorts(protocol)
  const start_us = table.start(i)
  const key = connectionKey({
    ...{
      protocol,
      client: text(table.integer(i, at4.aHost + client)),
      server: text(table.integer(i, at4.aHost + server)),
    },
    ...{ clientPort: withPorts ? table.port(i, client) : null, serverPort: withPorts ? table.port(i, server) : null },
    start_us,
  })
  const said = [table.saidBytes(i, 0), table.saidBytes(i, 1)].filter(sum => sum !== null)
  const [there, back] = [table.integer(i, at4.aAccepted + client), table.integer(i, at4.aAccepted + server)]
  return {
    key,
    start: start_us / 1e6,
    end: table.number(i, at.end) / 1e6,
    bytes: said.length === 0 ? null : Number(said.reduce((sum, one) => BigInt(sum) + BigInt(one), 0n)),
    outcome: outcomeOf(there, back, (table.bits(i) & (bit.aNotRst << server)) !== 0, roles.rule[i]!),
    captured: inCapture.has(key),
  }
}

/** Keys of the connections of the logs that a capture has too. */
function capturedKeys(correlation: readonly CorrelationRow[]): Set<string> {
  return new Set(correlation.filter(({ capture }) => capture !== null).flatMap(row => keyOfRow(row) ?? []))
}

/** The key of a connection of the logs; null for what they do not have. */
export function keyOfRow(row: CorrelationRow): string | null {
  if (row.log === null) return null
  return connectionKey({
    ...{ protocol: row.protocol, client: row.client, clientPort: row.client_port },
    ...{ server: row.server, serverPort: row.server_port },
    start_us: row.log.first === null ? null : microsecondsOf(row.log.first),
  })
}
