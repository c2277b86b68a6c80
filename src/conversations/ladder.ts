/**
 * Who connected to whom (docs/reference/dossier.md, section 4): of each connection the first rule that decides.
 *
 * What the flags say comes first. Endpoints that they leave undecided are then looked up among all connections, and the other rules follow.
 */
import { hasPorts } from '../net/protocols.ts'
import { at, at4, bit, type ConnectionTable } from './connection-table.ts'
import { apart_us, batchConnections, countPeers, EndpointTable, probePackets } from './endpoints.ts'

/** What the numbers of the ladder are called. */
export const roleBases = [
  'syn',
  'listener',
  'aws-service',
  'rejected-attempt',
  'listener',
  'port-number',
  'first-seen',
  'unknown',
  'icmp-error',
] as const

/** The number in the ladder of a basis that only one rule has. */
export function ruleOf(basis: (typeof roleBases)[number]): number {
  return roleBases.indexOf(basis) + 1
}

const unknownRule = 8
const undecided = 0
const [DHCP_SERVER, DHCP_CLIENT, DHCP6_CLIENT, DHCP6_SERVER] = [67, 68, 546, 547]

/** Of each connection: the number of its rule, its client's side (0: a, 1: b) and confidence in hundredths. */
export class Roles {
  readonly rule: Uint8Array
  readonly client: Uint8Array
  readonly confidence: Uint8Array

  constructor(connections: number) {
    this.rule = new Uint8Array(connections)
    this.client = new Uint8Array(connections)
    this.confidence = new Uint8Array(connections)
  }

  decide(connection: number, rule: number, client: number, confidence: number): void {
    this.rule[connection] = rule
    this.client[connection] = client
    this.confidence[connection] = confidence
  }
}

/** Rule 1: exactly one side sent SYN, or none and exactly one SYN-ACK. A side that sent both tells nothing. */
export function judgeByFlags(table: ConnectionTable, roles: Roles): void {
  for (let connection = 0; connection < table.count; connection++) {
    const bits = table.bits(connection)
    const [aSyn, bSyn] = [(bits & bit.aSyn) !== 0, (bits & bit.bSyn) !== 0]
    const [aSynAck, bSynAck] = [(bits & bit.aSynAck) !== 0, (bits & bit.bSynAck) !== 0]
    if (aSyn && !bSyn && !aSynAck) roles.decide(connection, 1, 0, bSynAck ? 98 : 90)
    else if (bSyn && !aSyn && !bSynAck) roles.decide(connection, 1, 1, aSynAck ? 98 : 90)
    else if (!aSyn && !bSyn && aSynAck !== bSynAck) roles.decide(connection, 1, bSynAck ? 0 : 1, 90)
  }
}

/** Of packets, after `judgeByMeter`: the record that has a SYN and began first is the client's; DHCP (RFC 2131, RFC 8415) by its ports. */
export function judgePackets(table: ConnectionTable, roles: Roles): void {
  for (let connection = 0; connection < table.count; connection++) {
    if (roles.rule[connection] !== undecided) continue
    const bits = table.bits(connection)
    const [aOpened, bOpened] = [(bits & bit.aOpened) !== 0, (bits & bit.bOpened) !== 0]
    if ((bits & bit.bothOpened) !== 0 && aOpened !== bOpened) roles.decide(connection, 1, aOpened ? 0 : 1, 90)
    else if (table.protocol(connection) === 17) {
      const [a, b] = [table.port(connection, 0), table.port(connection, 1)]
      // The client has a port of its own, too.
      const asks = (port: number | null, other: number | null): boolean =>
        (port === DHCP_CLIENT && other === DHCP_SERVER) || (port === DHCP6_CLIENT && other === DHCP6_SERVER)
      if (asks(a, b)) roles.decide(connection, 6, 0, 90)
      else if (asks(b, a)) roles.decide(connection, 6, 1, 90)
    }
  }
}

/** The endpoints of undecided connections. */
export function undecidedEndpoints(table: ConnectionTable, roles: Roles): EndpointTable {
  const asked = new EndpointTable()
  for (const connections of batches(table, one => roles.rule[one] === undecided)) asked.add(table, connections)
  return asked
}

/**
 * Notes which of the endpoints that are asked for were found to be servers by their flags, and counts the peers of each.
 *
 * @param hostOf number of each of the connections' hosts where the endpoints are from; null where it is the same.
 */
export function learn(asked: EndpointTable, table: ConnectionTable, roles: Roles, hostOf: Uint32Array | null): void {
  for (const connections of batches(table, () => true)) {
    const ends = asked.ends(table, connections, hostOf)
    for (let i = 0; i < connections.length; i++) {
      const connection = connections[i]!
      const [a, b] = [ends[2 * i]!, ends[2 * i + 1]!]
      if (roles.rule[connection] === 1) {
        const server = roles.client[connection] === 0 ? b : a
        if (server >= 0) asked.isListener[server] = 1
      }
      countPeers(asked, table, connection, a, b)
    }
  }
}

/** Numbers of some connections, as many at a time as are looked up at once. */
function* batches(table: ConnectionTable, isWanted: (connection: number) => boolean): Generator<number[]> {
  let some: number[] = []
  for (let connection = 0; connection < table.count; connection++) {
    if (!isWanted(connection)) continue
    some.push(connection)
    if (some.length < batchConnections) continue
    yield some
    some = []
  }
  if (some.length > 0) yield some
}

/** What the ladder asks of hosts. */
export interface Hosts {
  /** Whether the internet does not route the host's address, or it is the analyst's own. */
  isInternal(host: number): boolean
}

/** All rules after those of the flags. */
export function judgeOthers(table: ConnectionTable, roles: Roles, asked: EndpointTable, hosts: Hosts): void {
  for (const connections of batches(table, one => roles.rule[one] === undecided)) {
    const ends = asked.ends(table, connections, null)
    for (const [i, connection] of connections.entries())
      judgeOther(new OneConnection(table, connection, asked, ends[2 * i]!, ends[2 * i + 1]!), roles, hosts)
  }
}

function judgeOther(one: OneConnection, roles: Roles, hosts: Hosts): void {
  const { connection, asked, a, b } = one
  // Rule 2: exactly one endpoint was found to be a server by its flags.
  const aListens = a >= 0 && asked.isListener[a] === 1
  const bListens = b >= 0 && asked.isListener[b] === 1
  if (aListens !== bListens) {
    roles.decide(connection, 2, bListens ? 0 : 1, 85)
    return
  }
  const decision =
    byErrors(one) ?? byService(one, hosts) ?? byRejection(one) ?? byPeers(one) ?? byPort(one) ?? byFirstSeen(one)
  if (decision === null || decision === unknown) roles.decide(connection, unknownRule, namedClient(one), 50)
  else roles.decide(connection, decision.rule, decision.client, decision.confidence)
}

interface Decision {
  rule: number
  client: 0 | 1
  confidence: number
}

const unknown: Decision = { rule: unknownRule, client: 0, confidence: 50 }

/** An undecided connection with its endpoints among those that were asked for. */
class OneConnection {
  readonly connection: number
  readonly bits: number
  readonly asked: EndpointTable
  /** Number of the endpoint of either side; -1 where it has no port. */
  readonly a: number
  readonly b: number
  private readonly table: ConnectionTable

  constructor(table: ConnectionTable, connection: number, asked: EndpointTable, a: number, b: number) {
    this.table = table
    this.connection = connection
    this.bits = table.bits(connection)
    this.asked = asked
    this.a = a
    this.b = b
  }

  get protocol(): number | null {
    return this.table.protocol(this.connection)
  }

  get ports(): [number | null, number | null] {
    return [this.table.port(this.connection, 0), this.table.port(this.connection, 1)]
  }

  get first_us(): [number, number] {
    return [this.table.number(this.connection, at.aFirst), this.table.number(this.connection, at.bFirst)]
  }

  host(side: 0 | 1): number {
    return this.table.integer(this.connection, at4.aHost + side)
  }

  /** Whether there are so few packets in one direction that they are a probe. */
  get isProbe(): boolean {
    const packets = this.table.fewPackets(this.connection)
    return this.sender !== null && packets !== null && packets <= probePackets
  }

  /** The side that alone has sent; null where both have. */
  get sender(): 0 | 1 | null {
    if (this.table.integer(this.connection, at4.bRecords) === 0) return 0
    return this.table.integer(this.connection, at4.aRecords) === 0 ? 1 : null
  }

  has(name: number): boolean {
    return (this.bits & name) !== 0
  }
}

/** What opens nothing: ICMP errors, which go to the one who asked; and RST out of nothing, the usual trace of a forged source. */
function byErrors(one: OneConnection): Decision | null {
  const { sender } = one
  if (sender === null) return null
  if (!one.has(bit.notError)) return { rule: ruleOf('icmp-error'), client: sender === 0 ? 1 : 0, confidence: 90 }
  return one.protocol === 6 && !one.has(bit.notRst) ? unknown : null
}

/** Rule 3. */
function byService(one: OneConnection, hosts: Hosts): Decision | null {
  const [a, b] = [one.has(bit.aService), one.has(bit.bService)]
  if (a === b) return null
  const client = b ? 0 : 1
  return hosts.isInternal(one.host(client)) ? { rule: 3, client, confidence: 90 } : null
}

/** Rule 4. */
function byRejection(one: OneConnection): Decision | null {
  return one.has(bit.firstRejected) && one.sender !== null ? { rule: 4, client: one.sender, confidence: 80 } : null
}

/** Rule 5: who listens and who calls, by their peers. */
function byPeers({ a, b, asked }: OneConnection): Decision | null {
  if (a < 0 && b < 0) return null
  const count = (counts: Uint32Array, end: number): number => (end < 0 ? 0 : counts[end]!)
  const callers = (end: number): number => count(asked.listens, end) + count(asked.weak, end)
  const listens = (own: number, other: number): boolean =>
    callers(own) >= 3 &&
    callers(own) >= 3 * callers(other) &&
    (count(asked.calls, own) < 3 || count(asked.listens, own) >= 3 * count(asked.calls, own))
  const calls = (own: number): boolean =>
    count(asked.calls, own) >= 3 && count(asked.calls, own) >= 3 * count(asked.listens, own)
  const aServes = listens(a, b) || calls(b)
  const bServes = listens(b, a) || calls(a)
  return aServes === bServes ? null : { rule: 5, client: bServes ? 0 : 1, confidence: 85 }
}

/** Rule 6: tiers of ports. A few packets in one direction are a probe: above the system ports a higher number makes nobody its client. */
function byPort(one: OneConnection): Decision | null {
  const [a, b] = one.ports
  if (a === null || b === null || !hasPorts(one.protocol)) return null
  for (const border of one.isProbe ? [1024] : [1024, 32768, 49152]) {
    if (a < border !== b < border) return { rule: 6, client: b < border ? 0 : 1, confidence: 60 }
  }
  return null
}

/** Rule 7. */
function byFirstSeen(one: OneConnection): Decision | null {
  const { sender } = one
  if (sender !== null) return { rule: 7, client: sender, confidence: 55 }
  const [a_us, b_us] = one.first_us
  return Math.abs(a_us - b_us) > apart_us ? { rule: 7, client: a_us < b_us ? 0 : 1, confidence: 55 } : null
}

/** Nobody knows, and an end is named all the same, for the table: the server has the smaller port, then the smaller address. */
function namedClient(one: OneConnection): 0 | 1 {
  const { ports } = one
  const [aPort, bPort] = [ports[0] ?? -1, ports[1] ?? -1]
  if (aPort !== bPort) return bPort < aPort ? 0 : 1
  // Hosts are numbered in the order of their addresses.
  return one.host(1) < one.host(0) ? 0 : 1
}
