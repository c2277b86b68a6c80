/** Services: connections by (server, server's port, protocol, client) (docs/reference/dossier.md, section 5). */
import { hasPorts } from '../net/protocols.ts'
import { sortedRows } from '../record-index/order.ts'
import { at, at4, bit, lack } from './connection-table.ts'
import type { Chained } from './conversations.ts'
import { KeyTable } from './key-table.ts'
import { ruleOf } from './ladder.ts'
import { Sums } from './sums.ts'

/** What stands for a port and a protocol that are not known: greater than all others. */
export const noPort = 0x10000
export const noProtocol = 0x100

type SumName = 'bytesToServer' | 'bytesToClient' | 'packetsToServer' | 'packetsToClient'

const two32 = 2 ** 32

/** Services by number, in the order of their first records, then by server, port, protocol and client. */
export interface Services {
  count: number
  /** The service of each connection. */
  serviceOf: Uint32Array
  /** Numbers of hosts; `noPort` where a protocol has no ports, or a port is not known. */
  server: Uint32Array
  client: Uint32Array
  port: Uint32Array
  protocol: Uint32Array
  records: Uint32Array
  rejected: Uint32Array
  connections: Uint32Array
  /** Accepted records either way. */
  toServer: Uint32Array
  toClient: Uint32Array
  /** Whether an accepted record from the server is no RST alone. */
  notRst: Uint8Array
  bytesToServer: Sums
  bytesToClient: Sums
  packetsToServer: Sums
  packetsToClient: Sums
  /** Accepted records of each direction that do not say their bytes, and their packets; null where all do. */
  unsaid: Record<SumName, Uint32Array> | null
  /** Infinite where no record has a time. */
  first_us: Float64Array
  last_us: Float64Array
  longest_us: Float64Array
  /** Of the most confident connection; of several the smallest number of a rule. */
  rule: Uint8Array
  /** In hundredths. */
  confidence: Uint8Array
}

export function servicesOf(chained: Chained): Services {
  const { table } = chained
  const keys = new KeyTable()
  const found = new Uint32Array(table.count)
  for (let connection = 0; connection < table.count; connection++) found[connection] = addKey(keys, chained, connection)
  const places = inOrder(chained, keys, found)
  for (let connection = 0; connection < table.count; connection++) found[connection] = places[found[connection]!]!
  const services = emptyServices(keys.count, found, table.lacksAnything())
  for (let number = 0; number < keys.count; number++) {
    const place = places[number]!
    services.server[place] = keys.part(number, 0)
    services.client[place] = keys.part(number, 1)
    services.port[place] = keys.part(number, 2)
    services.protocol[place] = keys.part(number, 3)
  }
  for (let connection = 0; connection < table.count; connection++) addTo(services, chained, connection)
  return services
}

function addKey(keys: KeyTable, { table, roles }: Chained, connection: number): number {
  const client = roles.client[connection] as 0 | 1
  const server = client === 0 ? 1 : 0
  const protocol = table.protocol(connection)
  const port = hasPorts(protocol) ? (table.port(connection, server) ?? noPort) : noPort
  const hosts = [table.integer(connection, at4.aHost), table.integer(connection, at4.bHost)] as const
  return keys.add(hosts[server], hosts[client], port, protocol ?? noProtocol)
}

/** The place of each key in the order of services. */
function inOrder({ table }: Chained, keys: KeyTable, found: Uint32Array): Uint32Array {
  const { count } = keys
  const first_us = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  for (let connection = 0; connection < table.count; connection++) {
    const number = found[connection]!
    const start = table.start(connection)
    if (start < first_us[number]!) first_us[number] = start
  }
  const [high, low] = [new Uint32Array(count), new Uint32Array(count)]
  for (let number = 0; number < count; number++) {
    const upper = Math.floor(first_us[number]! / two32)
    high[number] = upper + 0x8000_0000
    low[number] = first_us[number]! - upper * two32
  }
  const words = new Uint32Array(4 * count)
  for (let number = 0; number < count; number++) {
    for (const [i, place] of ([0, 2, 3, 1] as const).entries()) words[4 * number + i] = keys.part(number, place)
  }
  const order = sortedRows({ words, stride: 4, first: 0 }, count, [high, low])
  const places = new Uint32Array(count)
  for (let place = 0; place < count; place++) places[order[place]!] = place
  return places
}

function emptyServices(count: number, serviceOf: Uint32Array, lacksAnything: boolean): Services {
  const numbers = (): Uint32Array => new Uint32Array(count)
  return {
    count,
    serviceOf,
    server: numbers(),
    client: numbers(),
    port: numbers(),
    protocol: numbers(),
    records: numbers(),
    rejected: numbers(),
    connections: numbers(),
    toServer: numbers(),
    toClient: numbers(),
    notRst: new Uint8Array(count),
    bytesToServer: new Sums(count),
    bytesToClient: new Sums(count),
    packetsToServer: new Sums(count),
    packetsToClient: new Sums(count),
    unsaid: lacksAnything
      ? {
          bytesToServer: numbers(),
          bytesToClient: numbers(),
          packetsToServer: numbers(),
          packetsToClient: numbers(),
        }
      : null,
    first_us: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
    last_us: new Float64Array(count).fill(Number.NEGATIVE_INFINITY),
    longest_us: new Float64Array(count),
    rule: new Uint8Array(count),
    confidence: new Uint8Array(count),
  }
}

function addTo(services: Services, { table, roles }: Chained, connection: number): void {
  const service = services.serviceOf[connection]!
  const client = roles.client[connection] as 0 | 1
  const server = client === 0 ? 1 : 0
  services.records[service]! += table.records(connection)
  services.rejected[service]! += table.rejected(connection)
  services.connections[service]!++
  services.toServer[service]! += table.integer(connection, at4.aAccepted + client)
  services.toClient[service]! += table.integer(connection, at4.aAccepted + server)
  if ((table.bits(connection) & (bit.aNotRst << server)) !== 0) services.notRst[service] = 1
  services.bytesToServer.add(service, table.bytes(connection, client))
  services.bytesToClient.add(service, table.bytes(connection, server))
  services.packetsToServer.add(service, table.packets(connection, client))
  services.packetsToClient.add(service, table.packets(connection, server))
  const { unsaid } = services
  if (unsaid !== null) {
    unsaid.bytesToServer[service]! += table.lacks(connection, lack.aBytes + client)
    unsaid.bytesToClient[service]! += table.lacks(connection, lack.aBytes + server)
    unsaid.packetsToServer[service]! += table.lacks(connection, lack.aPackets + client)
    unsaid.packetsToClient[service]! += table.lacks(connection, lack.aPackets + server)
  }
  if (table.hasTime(connection)) addTime(services, service, table.start(connection), table.number(connection, at.end))
  const [rule, confidence] = [roles.rule[connection]!, roles.confidence[connection]!]
  const best = services.confidence[service]!
  if (confidence > best || (confidence === best && rule < services.rule[service]!)) services.rule[service] = rule
  services.confidence[service] = Math.max(confidence, best)
}

function addTime(services: Services, service: number, start: number, end: number): void {
  services.first_us[service] = Math.min(services.first_us[service]!, start)
  services.last_us[service] = Math.max(services.last_us[service]!, end)
  services.longest_us[service] = Math.max(services.longest_us[service]!, end - start)
}

/** A sum of a service; null where it has accepted records of the direction, and none of them says how much. */
export function saidSum(services: Services, what: SumName, service: number): number | bigint | null {
  const unsaid = services.unsaid?.[what][service] ?? 0
  const isToServer = what === 'bytesToServer' || what === 'packetsToServer'
  const records = isToServer ? services.toServer[service]! : services.toClient[service]!
  return unsaid > 0 && unsaid === records ? null : services[what].of(service)
}

/** Whether an accepted record of a service does not say its packets or bytes: its sums are lower bounds. */
export function isPartlyUnsaid({ unsaid }: Services, service: number): boolean {
  return unsaid !== null && Object.values(unsaid).some(records => records[service]! > 0)
}

/** Whether a record of a service says when it was. */
export function isTimed({ first_us }: Services, service: number): boolean {
  return first_us[service] !== Number.POSITIVE_INFINITY
}

/** What became of attempts to connect. */
export const outcomes = ['rejected', 'refused', 'unanswered', 'answered'] as const

/**
 * What became of the attempts, by accepted records there, accepted records back, and whether one of these is no RST alone. What the server
 * sent is an answer, also where nobody recorded what was asked; where it is not known who the server is, both directions must be there.
 */
export function outcomeOf(there: number, back: number, notRst: boolean, rule: number): (typeof outcomes)[number] {
  if (there === 0 && back === 0) return 'rejected'
  if (rule === ruleOf('icmp-error')) return 'refused'
  if (back === 0 || (there === 0 && rule === ruleOf('unknown'))) return 'unanswered'
  return notRst ? 'answered' : 'refused'
}
