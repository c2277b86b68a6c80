/**
 * Which services a dossier lists, and what the others come to (docs/reference/dossier.md, section 5).
 *
 * A flood makes as many services as it has forged sources: what is not listed is summed, exactly.
 */
import { filled } from '../conversations/filled.ts'
import { KeyTable } from '../conversations/key-table.ts'
import { isPartlyUnsaid, outcomes as outcomeNames } from '../conversations/services.ts'
import { exactSum, Sums } from '../conversations/sums.ts'
import { utcSeconds } from '../net/time.ts'
import { sortedRows } from '../record-index/order.ts'
import { type Finding, severities } from '../rules/finding.ts'
import type { AttackSurface, Count, Outcome, ServiceKey, ServiceRow, ServicesOther } from './dossier.ts'
import { hostText, portOf, protocolOf, serviceRow, type ToldServices } from './services.ts'

/** Services that are listed unless more are asked for. */
export const defaultServicesMax = 10_000
/** Services of a finding that are listed in any case. */
const ofFinding = 12
/** Of the services with the most bytes either way, this many are always listed: the page begins with them. */
const largest = 2
/** In the order in which they are told. */
const outcomes = ['answered', 'refused', 'unanswered', 'rejected'] as const satisfies readonly Outcome[]
/** The place there of each number of an outcome. */
const outcomePlaces = Uint32Array.from(outcomeNames, name => outcomes.indexOf(name))

/** A finding with the numbers of the services that it speaks of, in order. */
export interface SpokenOf extends Pick<Finding, 'id' | 'severity'> {
  services: Uint32Array
}

/** Services that are listed, by number, in order; and the place of each among them, `notListed` for the others. */
export interface Listed {
  services: Uint32Array
  places: Int32Array
}

export const notListed = -1

/** Of more services than may be listed those that findings speak of, then those that weigh most. */
export function chooseServices(told: ToldServices, findings: readonly SpokenOf[], servicesMax: number): Listed {
  const { services } = told
  const { count } = services
  const places = new Int32Array(count).fill(notListed)
  if (count <= servicesMax) for (let service = 0; service < count; service++) places[service] = 0
  else {
    const severity = severitiesOf(count, findings)
    const order = heaviest(services, count, [
      filled(new Uint32Array(count), service => 4 - severity[service]!),
      filled(new Uint32Array(count), service => outcomePlaces[told.outcome[service]!]!),
    ])
    for (const service of order.subarray(0, servicesMax)) places[service] = 0
    for (const finding of findings) for (const service of finding.services.subarray(0, ofFinding)) places[service] = 0
    for (const sums of [services.bytesToServer, services.bytesToClient])
      for (const service of most(count, service => sums.of(service))) places[service] = 0
  }
  const listed: number[] = []
  for (let service = 0; service < count; service++)
    if (places[service] !== notListed) places[service] = listed.push(service) - 1
  return { services: Uint32Array.from(listed), places }
}

/** By service the severity of the findings that speak of it, from one on; zero without any. */
function severitiesOf(count: number, findings: readonly SpokenOf[]): Uint8Array {
  const found = new Uint8Array(count)
  for (const { severity, services } of findings) {
    const level = severities.indexOf(severity) + 1
    for (const service of services) found[service] = Math.max(found[service]!, level)
  }
  return found
}

interface Weights {
  bytesToServer: Sums
  bytesToClient: Sums
  connections: ArrayLike<number>
}

/** Numbers sorted by some keys, then those with the most bytes first, then those with the most connections, then as they are. */
function heaviest(weights: Weights, count: number, first: readonly Uint32Array[]): Uint32Array {
  const words = [0, 1, 2].map(() => new Uint32Array(count)) as [Uint32Array, Uint32Array, Uint32Array]
  const few = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const bytes = exactSum(weights.bytesToServer.of(i), weights.bytesToClient.of(i))
    // Sums of millions of counters of 64 bits have room in 96.
    const low = typeof bytes === 'number' ? bytes % two32 : Number(bytes & 0xffff_ffffn)
    const high = typeof bytes === 'number' ? Math.floor(bytes / two32) : Number((bytes >> 32n) & 0xffff_ffffn)
    words[0][i] = ~(typeof bytes === 'number' ? 0 : Number(bytes >> 64n))
    words[1][i] = ~high
    words[2][i] = ~low
    few[i] = ~weights.connections[i]!
  }
  const keys = [...first, ...words, few]
  return sortedRows({ words: new Uint32Array(0), stride: 0, first: 0 }, count, keys)
}

const two32 = 2 ** 32

/** The few numbers with the most of something; of equal ones the first. */
function most(count: number, of: (number: number) => Count): number[] {
  const found: number[] = []
  for (let i = 0; i < count; i++) {
    if (found.length === largest && of(i) <= of(found[largest - 1]!)) continue
    if (found.length === largest) found.pop()
    const place = found.findIndex(other => of(i) > of(other))
    found.splice(place < 0 ? found.length : place, 0, i)
  }
  return found
}

/** The services that are listed, with the findings that speak of them. */
export function listedServices(told: ToldServices, listed: Listed, findings: readonly SpokenOf[]): ServiceRow[] {
  const rows = Array.from(listed.services, service => serviceRow(told, service))
  for (const { id, services } of findings) {
    for (const service of services) {
      const place = listed.places[service]!
      if (place !== notListed) rows[place]!.findings.push(id)
    }
  }
  return rows
}

/** The services that are not listed, together. */
export function otherServices({ services, outcome }: ToldServices, { places }: Listed): ServicesOther {
  const sums = new Sums(4)
  const counts = { count: 0, records: 0, rejected: 0, connections: 0 }
  const byOutcome = new Uint32Array(outcomeNames.length)
  let atLeast = false
  let [first_us, last_us] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let service = 0; service < services.count; service++) {
    if (places[service] !== notListed) continue
    counts.count++
    counts.records += services.records[service]!
    counts.rejected += services.rejected[service]!
    counts.connections += services.connections[service]!
    sums.add(0, services.bytesToServer.of(service))
    sums.add(1, services.bytesToClient.of(service))
    sums.add(2, services.packetsToServer.of(service))
    sums.add(3, services.packetsToClient.of(service))
    if (isPartlyUnsaid(services, service)) atLeast = true
    first_us = Math.min(first_us, services.first_us[service]!)
    last_us = Math.max(last_us, services.last_us[service]!)
    byOutcome[outcome[service]!]!++
  }
  return {
    ...counts,
    bytes_to_server: sums.of(0),
    bytes_to_client: sums.of(1),
    packets_to_server: sums.of(2),
    packets_to_client: sums.of(3),
    at_least: atLeast,
    first_start: Number.isFinite(first_us) ? utcSeconds(first_us) : null,
    last_end: Number.isFinite(last_us) ? utcSeconds(last_us) : null,
    outcomes: ofEach(name => byOutcome[outcomeNames.indexOf(name)]!),
  }
}

/** What was reached and what was only tried: of each outcome the keys with the most bytes, in the order in which they were first seen. */
export function attackSurface(told: ToldServices, keysMax: number): Omit<AttackSurface, 'complete' | 'gaps'> {
  const surface = surfaceOf(told)
  const byOutcome: number[][] = outcomeNames.map(() => [])
  for (let key = 0; key < surface.firsts.length; key++) byOutcome[told.outcome[surface.firsts[key]!]!]!.push(key)
  const ofOutcome = (name: Outcome): number[] => byOutcome[outcomeNames.indexOf(name)]!
  const keys = ofEach((name): ServiceKey[] => {
    const own = ofOutcome(name)
    const listed = own.length <= keysMax ? own : heaviestKeys(told, surface, name, keysMax)
    return Array.from(listed, key => keyOf(told, surface.firsts[key]!))
  })
  return { ...keys, not_listed: ofEach(name => ofOutcome(name).length - keys[name].length) }
}

/** Of the keys of an outcome those with the most bytes, in order. */
function heaviestKeys(told: ToldServices, surface: Surface, outcome: Outcome, keysMax: number): Uint32Array {
  const { firsts } = surface
  const isOther = filled(new Uint32Array(firsts.length), key =>
    Number(outcomeNames[told.outcome[firsts[key]!]!] !== outcome),
  )
  return heaviest(surface, firsts.length, [isOther]).subarray(0, keysMax).sort()
}

/** By (server, port, protocol) and outcome, in the order in which they were first seen: the first service, and sums. */
interface Surface extends Weights {
  firsts: number[]
}

function surfaceOf({ services, outcome }: ToldServices): Surface {
  const { count, server, port, protocol } = services
  const table = new KeyTable()
  const firsts: number[] = []
  const bytesToServer = new Sums(count)
  const bytesToClient = new Sums(count)
  const connections = new Uint32Array(count)
  for (let service = 0; service < count; service++) {
    const key = table.add(server[service]!, port[service]!, protocol[service]!, outcome[service]!)
    if (key === firsts.length) firsts.push(service)
    bytesToServer.add(key, services.bytesToServer.of(service))
    bytesToClient.add(key, services.bytesToClient.of(service))
    connections[key]! += services.connections[service]!
  }
  return { firsts, bytesToServer, bytesToClient, connections }
}

function keyOf(told: ToldServices, service: number): ServiceKey {
  const { services } = told
  return {
    server: hostText(told, services.server[service]!),
    port: portOf(services, service),
    protocol: protocolOf(services, service),
  }
}

function ofEach<T>(of: (outcome: Outcome) => T): Record<Outcome, T> {
  return {
    answered: of('answered'),
    refused: of('refused'),
    unanswered: of('unanswered'),
    rejected: of('rejected'),
  }
}
