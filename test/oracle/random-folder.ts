/**
 * Random folders of flow logs for comparing the product with the oracle: everything that real folders hold, in small.
 *
 * The same seed gives the same folder. Traffic is made of real-looking connections rather than of random fields, because
 * the figures that are hard to get right come from how records relate: twins, copies, translated legs, chains.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { constants, gunzipSync, gzipSync } from 'node:zlib'

// ---------------------------------------------------------------------------------------------------------------------
// Chance
// ---------------------------------------------------------------------------------------------------------------------

interface Chance {
  /** Whole number from `low` to `high`, both included. */
  int(low: number, high: number): number
  /** True with the given probability. */
  maybe(probability: number): boolean
  pick<T>(choices: readonly T[]): T
  shuffled<T>(list: readonly T[]): T[]
  hex(digits: number): string
}

function chanceFrom(seed: number): Chance {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x51ed270b) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  return {
    int,
    maybe: probability => next() < probability,
    pick: choices => choices[int(0, choices.length - 1)]!,
    shuffled: list => {
      const copy = [...list]
      for (let index = copy.length - 1; index > 0; index--) {
        const other = int(0, index)
        const kept = copy[index]!
        copy[index] = copy[other]!
        copy[other] = kept
      }
      return copy
    },
    hex: digits => Array.from({ length: digits }, () => int(0, 15).toString(16)).join(''),
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The network and its records
// ---------------------------------------------------------------------------------------------------------------------

interface Interface {
  id: string
  address: string
  address6: string
  /** `-` for gateways and load balancers. */
  instance: string
  /** Aggregation interval, seconds. */
  interval: number
  attachment: string
}

type Status = 'OK' | 'NODATA' | 'SKIPDATA'

/** What a sensor noticed; which of it is written depends on the layout. */
interface Sight {
  at: Interface
  status: Status
  src: string
  dst: string
  pkt_src: string
  pkt_dst: string
  /** Null where the sensor writes `-`. */
  srcport: number | null
  dstport: number | null
  protocol: number
  packets: number
  /** Text where a number is not exact. */
  bytes: number | string
  start: number
  end: number
  action: 'ACCEPT' | 'REJECT'
  flags: number | null
  src_service: string
  dst_service: string
  direction: 'ingress' | 'egress'
}

const account = '123456789012'
const region = 'us-east-1'
const attacker = '20.106.124.93'
const attacker6 = '2001:db8:bad::93'
const decoys = ['120.106.124.93', '20.106.124.9', '20.106.124.94', '20.106.124.193']
const outsiders = ['198.51.100.7', '203.0.113.5', '52.95.110.1', '192.0.2.44', '20.106.124.77', '93.184.216.34']
/** The beginning of everything, on a full ten minutes. */
const epoch = 1678886400

interface World {
  chance: Chance
  interfaces: Interface[]
  gateway: Interface
  node: Interface
  pods: string[]
  /** Windows end where the next ones begin, not a second before. */
  touching: boolean
  /** Nothing missing and nothing broken, as far as the layouts allow. */
  tidy: boolean
  first: number
  last: number
  sights: Sight[]
}

function makeWorld(chance: Chance): World {
  const slowWorld = chance.maybe(0.25)
  const make = (index: number, instance: boolean): Interface => ({
    id: `eni-0${chance.hex(16)}`,
    address: `10.0.${chance.int(0, 3)}.${10 * index + chance.int(1, 9)}`,
    address6: `2600:1f18:${index + 1}::${(10 * index + 5).toString(16)}`,
    instance: instance ? `i-0${chance.hex(16)}` : '-',
    interval: slowWorld && chance.maybe(0.6) ? 600 : 60,
    attachment: `tgw-attach-0${chance.hex(16)}`,
  })
  const count = chance.int(2, 4)
  const first = epoch + 60 * chance.int(0, 600)
  const node = make(8, true)
  return {
    chance,
    interfaces: Array.from({ length: count }, (_, index) => make(index + 1, chance.maybe(0.8))),
    gateway: make(7, false),
    node,
    pods: [1, 2, 3].map(index => `10.0.9.${index + 100}`),
    touching: chance.maybe(0.25),
    tidy: chance.maybe(0.3),
    first,
    last: first + 60 * (slowWorld ? chance.int(15, 45) : chance.int(8, 30)),
    sights: [],
  }
}

function isIpv6(address: string): boolean {
  return address.includes(':')
}

// ---------------------------------------------------------------------------------------------------------------------
// Traffic
// ---------------------------------------------------------------------------------------------------------------------

/** How one interface sees a conversation. */
interface View {
  at: Interface
  /** Addresses that stand in the place of the client's or the server's in srcaddr and dstaddr; pkt-* keeps the real one. */
  clientHop?: string
  serverHop?: string
  /** Another address altogether, in both columns (a translated leg). */
  clientIs?: string
  serverIs?: string
  /** Seconds by which this view is late. */
  late?: number
  /** Added to the bytes of each record, as seen elsewhere. */
  moreBytes?: number
  action?: 'ACCEPT' | 'REJECT'
  only?: 'to-server' | 'to-client'
  reversedDirection?: boolean
}

type Style =
  | 'whole'
  | 'middle'
  | 'half-open'
  | 'refused'
  | 'rejected'
  | 'reply-rejected'
  | 'one-way'
  | 'no-flags'
  | 'odd'

interface Talk {
  client: string
  clientPort: number | null
  server: string
  serverPort: number | null
  protocol: number
  start: number
  seconds: number
  style: Style
  serverService?: string
  /** Flags of the server's answer to a refused connection, other than RST alone. */
  refusal?: number
  /** Seconds by which the server's first record is later than the client's. */
  answerAfter?: number
  /** Seconds by which the server's last record ends earlier than the client's. */
  answerShorter?: number
  views: View[]
}

/** Pieces of [start, start + seconds] in the windows of an aggregation interval. */
function pieces(start: number, seconds: number, interval: number, touching: boolean): { start: number; end: number }[] {
  const list: { start: number; end: number }[] = []
  const end = start + seconds
  for (let from = start; from <= end; ) {
    const windowEnd = (Math.floor(from / interval) + 1) * interval
    const to = Math.min(end, touching ? windowEnd : windowEnd - 1)
    list.push({ start: from, end: to })
    from = windowEnd
  }
  return list
}

function flagsOf(talk: Talk, toServer: boolean, first: boolean, last: boolean, odd: number): number | null {
  if (talk.style === 'no-flags') return null
  if (talk.protocol !== 6) return 0
  switch (talk.style) {
    case 'half-open':
    case 'rejected':
      return 2
    case 'refused':
      return toServer ? 2 : talk.refusal === undefined ? 4 : talk.refusal
    case 'whole':
    case 'reply-rejected': {
      const opening = first ? (toServer ? 2 : 18) : 0
      return last ? opening | 1 : opening
    }
    case 'odd':
      return odd
    default:
      return 0
  }
}

function addTalk(world: World, talk: Talk): void {
  const { chance } = world
  const oneWay = talk.style === 'half-open' || talk.style === 'rejected' || talk.style === 'one-way'
  // The same numbers in every view, so that views differ only where they are meant to.
  const amounts = Array.from({ length: 200 }, () => ({
    packets: chance.int(1, 60),
    bytesEach: chance.int(40, 1500),
    oddFlags: chance.pick([0, 0, 1, 2, 2, 3, 4, 5, 16, 18, 19, 22]),
    startDelay: chance.maybe(0.3) ? chance.int(0, 3) : 0,
  }))
  for (const view of talk.views) {
    for (const toServer of [true, false]) {
      if (oneWay && !toServer) continue
      if (view.only !== undefined && (view.only === 'to-server') !== toServer) continue
      const start = talk.start + (view.late ?? 0) + (toServer ? 0 : (talk.answerAfter ?? 0))
      const seconds = Math.max(0, talk.seconds - (toServer ? 0 : (talk.answerShorter ?? 0)))
      const cut = pieces(start, seconds, view.at.interval, world.touching)
      cut.forEach((piece, index) => {
        const amount = amounts[(2 * index + (toServer ? 0 : 1)) % amounts.length]!
        const client = view.clientIs ?? talk.client
        const server = view.serverIs ?? talk.server
        const clientShown = view.clientHop ?? client
        const serverShown = view.serverHop ?? server
        const pieceStart = Math.min(piece.end, piece.start + amount.startDelay)
        const rejected =
          view.action === 'REJECT' || talk.style === 'rejected' || (talk.style === 'reply-rejected' && !toServer)
        world.sights.push({
          at: view.at,
          status: 'OK',
          src: toServer ? clientShown : serverShown,
          dst: toServer ? serverShown : clientShown,
          pkt_src: toServer ? client : server,
          pkt_dst: toServer ? server : client,
          srcport: toServer ? talk.clientPort : talk.serverPort,
          dstport: toServer ? talk.serverPort : talk.clientPort,
          protocol: talk.protocol,
          packets: amount.packets,
          bytes: amount.packets * amount.bytesEach + (view.moreBytes ?? 0),
          start: pieceStart,
          end: piece.end,
          action: rejected ? 'REJECT' : 'ACCEPT',
          flags: flagsOf(talk, toServer, index === 0, index === cut.length - 1, amount.oddFlags),
          src_service: toServer ? '-' : (talk.serverService ?? '-'),
          dst_service: toServer ? (talk.serverService ?? '-') : '-',
          direction: toServer !== (view.reversedDirection ?? false) ? 'ingress' : 'egress',
        })
      })
    }
  }
}

function ephemeral(chance: Chance): number {
  return chance.int(32768, 65535)
}

function servicePort(chance: Chance): number {
  return chance.pick([22, 80, 443, 8022, 8081, 8080, 3389, 3306, 21, 2222])
}

function someStart(world: World): number {
  return world.chance.int(world.first, world.last - 60)
}

function outsider(world: World): string {
  const { chance } = world
  if (chance.maybe(0.55)) return attacker
  return chance.maybe(0.5) ? chance.pick(decoys) : chance.pick(outsiders)
}

/** From outside to an instance, perhaps over IPv6. */
function visit(world: World): Talk {
  const { chance } = world
  const at = chance.pick(world.interfaces)
  const overIpv6 = chance.maybe(0.2)
  const style = chance.pick<Style>([
    'whole',
    'whole',
    'whole',
    'middle',
    'half-open',
    'refused',
    'rejected',
    'reply-rejected',
    'no-flags',
    'odd',
  ])
  return {
    client: overIpv6 ? chance.pick([attacker6, attacker6, '2001:db8:bad::9', '2001:db8:1::93']) : outsider(world),
    clientPort: ephemeral(chance),
    server: overIpv6 ? at.address6 : at.address,
    serverPort: servicePort(chance),
    protocol: 6,
    start: someStart(world),
    seconds: chance.pick([0, 1, 30, 59, 60, 61, 100, 240, 400]),
    style,
    ...(chance.maybe(0.2) ? { answerShorter: chance.int(1, 50) } : {}),
    ...(chance.maybe(0.1) ? { refusal: chance.pick([5, 22, 6]) } : {}),
    views: [{ at }],
  }
}

/** Between two instances, seen at both. */
function inner(world: World): void {
  const { chance } = world
  const [a, b] = chance.shuffled([...world.interfaces, world.node])
  const second: View = { at: b! }
  if (chance.maybe(0.3)) second.late = chance.pick([0, 1, 5, 60])
  if (chance.maybe(0.3)) second.moreBytes = chance.int(-20, 400)
  if (chance.maybe(0.2)) second.action = 'REJECT'
  if (chance.maybe(0.15)) second.only = chance.pick(['to-server', 'to-client'] as const)
  const firstView: View = { at: a!, reversedDirection: true }
  if (chance.maybe(0.1)) firstView.action = 'REJECT'
  if (chance.maybe(0.1)) firstView.only = chance.pick(['to-server', 'to-client'] as const)
  addTalk(world, {
    client: a!.address,
    clientPort: ephemeral(chance),
    server: b!.address,
    serverPort: servicePort(chance),
    protocol: chance.pick([6, 6, 6, 17]),
    start: someStart(world),
    seconds: chance.pick([0, 10, 59, 90, 300, 600]),
    style: chance.pick<Style>(['whole', 'whole', 'middle', 'refused', 'no-flags']),
    views: chance.shuffled([firstView, second]),
  })
}

/** The same ports again: after FIN, after silence without FIN, at and around the borders of the rules. */
function again(world: World): void {
  const { chance } = world
  const talk = visit(world)
  talk.seconds = chance.pick([0, 5, 40])
  talk.style = chance.pick<Style>(['whole', 'whole', 'middle', 'half-open', 'no-flags', 'odd'])
  const times = chance.int(2, 4)
  for (let time = 0; time < times; time++) {
    addTalk(world, talk)
    const silence = chance.pick([0, 1, 20, 59, 60, 61, 119, 120, 121, 180, 599, 600, 601, 659, 660, 661])
    talk.start = talk.start + talk.seconds + silence
    if (chance.maybe(0.3)) talk.style = chance.pick<Style>(['whole', 'middle', 'half-open', 'rejected', 'refused'])
  }
}

/** Late packets of a closed connection are REJECTed. */
function afterClose(world: World): void {
  const { chance } = world
  const talk: Talk = { ...visit(world), style: 'whole', seconds: chance.int(0, 90) }
  addTalk(world, talk)
  const late: Talk = { ...talk, style: 'middle', seconds: 0, start: talk.start + talk.seconds + chance.int(1, 100) }
  late.views = talk.views.map(view => ({ ...view, action: 'REJECT', only: chance.pick(['to-server', 'to-client']) }))
  addTalk(world, late)
}

/** An instance goes out through a NAT gateway: two records at its interface, four at the gateway's. */
function throughGateway(world: World): void {
  const { chance, gateway } = world
  const at = chance.pick(world.interfaces)
  const server = chance.maybe(0.7) ? attacker : outsider(world)
  const talk: Talk = {
    client: at.address,
    clientPort: ephemeral(chance),
    server,
    serverPort: chance.pick([443, 80, 22, 8081]),
    protocol: chance.pick([6, 6, 17]),
    start: someStart(world),
    seconds: chance.pick([3, 50, 130, 300]),
    style: chance.pick<Style>(['whole', 'whole', 'middle']),
    views: [
      { at, reversedDirection: true },
      { at: gateway, serverHop: gateway.address },
    ],
  }
  addTalk(world, talk)
  // The outer leg, with the gateway's own port, sometimes shifted in time around the tolerance.
  addTalk(world, {
    ...talk,
    client: gateway.address,
    clientPort: chance.maybe(0.5) ? talk.clientPort : chance.int(1024, 65535),
    start: talk.start + (chance.maybe(0.2) ? chance.pick([1, 119, 120, 121, 200, 660, 661, 700]) : 0),
    views: [{ at: gateway, reversedDirection: true }],
  })
}

/** A pod behind a node's primary address. */
function pod(world: World): void {
  const { chance, node } = world
  const address = chance.pick(world.pods)
  const inward = chance.maybe(0.5)
  const peer = outsider(world)
  addTalk(world, {
    client: inward ? peer : address,
    clientPort: ephemeral(chance),
    server: inward ? address : peer,
    serverPort: chance.pick([80, 443, 8081]),
    protocol: 6,
    start: someStart(world),
    seconds: chance.pick([5, 70, 200]),
    style: chance.pick<Style>(['whole', 'middle']),
    views: [inward ? { at: node, serverHop: node.address } : { at: node, clientHop: node.address }],
  })
  if (chance.maybe(0.3)) {
    // The node talks to its own pod.
    addTalk(world, {
      client: node.address,
      clientPort: ephemeral(chance),
      server: address,
      serverPort: 10250,
      protocol: 6,
      start: someStart(world),
      seconds: 20,
      style: 'whole',
      views: [{ at: node }],
    })
  }
}

/** One direction only, in part REJECTed. */
function halfRejected(world: World): void {
  const { chance } = world
  const talk: Talk = { ...visit(world), style: 'one-way', seconds: 0 }
  if (chance.maybe(0.5)) talk.serverPort = ephemeral(chance)
  for (const action of chance.shuffled(['ACCEPT', 'REJECT'] as const)) {
    talk.views = talk.views.map(view => ({ ...view, action }))
    addTalk(world, talk)
    talk.start += chance.pick([0, 1, 30])
  }
}

/** A second sensor sees the same ports at the border of what can still be the same traffic. */
function lateTwin(world: World): void {
  const { chance } = world
  const [a, b] = chance.shuffled(world.interfaces)
  const seconds = chance.int(0, 20)
  addTalk(world, {
    ...visit(world),
    seconds,
    style: chance.pick<Style>(['middle', 'one-way', 'no-flags']),
    views: [{ at: a! }, { at: b!, late: seconds + chance.pick([119, 120, 120, 121, 659, 660, 660, 661]) }],
  })
}

/** Datagrams and protocols without ports. */
function otherProtocols(world: World): void {
  const { chance } = world
  const at = chance.pick(world.interfaces)
  const peer = outsider(world)
  const outward = chance.maybe(0.5)
  const kind = chance.pick(['dns', 'ntp', 'quic', 'high', 'icmp', 'gre', 'esp', 'sctp'] as const)
  const portless = chance.maybe(0.3) ? null : 0
  const ports = {
    dns: { protocol: 17, server: 53, client: ephemeral(chance) },
    ntp: { protocol: 17, server: 123, client: chance.pick([123, ephemeral(chance)]) },
    quic: { protocol: 17, server: 443, client: ephemeral(chance) },
    high: { protocol: 17, server: chance.int(1024, 65535), client: chance.int(1024, 65535) },
    icmp: { protocol: 1, server: portless, client: portless },
    gre: { protocol: 47, server: portless, client: portless },
    esp: { protocol: 50, server: 0, client: 0 },
    sctp: { protocol: 132, server: 3868, client: ephemeral(chance) },
  }[kind]
  addTalk(world, {
    client: outward ? at.address : peer,
    clientPort: ports.client,
    server: outward ? peer : at.address,
    serverPort: ports.server,
    protocol: ports.protocol,
    start: someStart(world),
    seconds: chance.pick([0, 2, 45, 200]),
    style: chance.pick<Style>(['middle', 'middle', 'one-way', 'rejected', 'no-flags']),
    answerAfter: chance.pick([0, 0, 1, 2, 3, 10]),
    views: [{ at }],
  })
}

/** Who connected is to be seen only from who else talks to it, from port numbers, or from who spoke first. */
function unclear(world: World): void {
  const { chance } = world
  const at = chance.pick(world.interfaces)
  const protocol = chance.pick([6, 6, 17])
  const serverPort = chance.pick([9001, 40000, 49152, 50000, 60000])
  const clients = chance.int(1, 5)
  for (let index = 0; index < clients; index++) {
    addTalk(world, {
      client: outsider(world),
      clientPort: chance.pick([chance.int(1024, 32767), chance.int(32768, 49151), chance.int(49152, 65535)]),
      server: at.address,
      serverPort,
      protocol,
      start: someStart(world),
      seconds: chance.pick([0, 30, 100]),
      style: chance.pick<Style>(['middle', 'no-flags', 'one-way', 'rejected']),
      answerAfter: chance.pick([0, 0, 1, 2, 3, 20]),
      views: [{ at }],
    })
  }
}

/** A service of the provider, used from inside. */
function providerService(world: World): void {
  const { chance } = world
  const at = chance.pick(world.interfaces)
  addTalk(world, {
    client: chance.maybe(0.8) ? at.address : attacker,
    clientPort: ephemeral(chance),
    server: chance.maybe(0.6) ? attacker : '52.95.110.1',
    serverPort: 443,
    protocol: 6,
    start: someStart(world),
    seconds: chance.pick([10, 100]),
    style: chance.pick<Style>(['middle', 'whole']),
    serverService: chance.pick(['S3', 'DYNAMODB', 'CLOUDFRONT', 'AMAZON', 'EC2']),
    views: [{ at, reversedDirection: true }],
  })
}

/** A scan: many ports or many hosts, refused or rejected. */
function scan(world: World): void {
  const { chance } = world
  const client = chance.maybe(0.8) ? attacker : outsider(world)
  const start = someStart(world)
  const style = chance.pick<Style>(['rejected', 'refused', 'half-open'])
  for (let index = 0; index < chance.int(4, 15); index++) {
    const at = chance.pick(world.interfaces)
    addTalk(world, {
      client,
      clientPort: ephemeral(chance),
      server: at.address,
      serverPort: chance.maybe(0.5) ? servicePort(chance) : chance.int(1, 1023),
      protocol: 6,
      start: start + index,
      seconds: 0,
      style,
      views: [{ at }],
    })
  }
}

function addTraffic(world: World, wanted: number): void {
  const { chance } = world
  while (world.sights.length < wanted) {
    const kind = chance.int(1, 19)
    if (kind <= 4) addTalk(world, visit(world))
    else if (kind <= 6) inner(world)
    else if (kind <= 8) again(world)
    else if (kind === 9) afterClose(world)
    else if (kind <= 11) throughGateway(world)
    else if (kind === 12) pod(world)
    else if (kind === 13) otherProtocols(world)
    else if (kind === 14) unclear(world)
    else if (kind <= 16) providerService(world)
    else if (kind === 17) halfRejected(world)
    else if (kind === 18) lateTwin(world)
    else scan(world)
  }
  // One very large record of somebody else: counts are unsigned 64-bit.
  if (chance.maybe(0.2)) {
    addTalk(world, { ...visit(world), client: '198.18.0.9', server: '198.18.0.10', seconds: 0, style: 'whole' })
    world.sights.at(-1)!.bytes = '18446744073709551615'
  }
}

function statusSight(at: Interface, status: 'NODATA' | 'SKIPDATA', start: number, end: number): Sight {
  return {
    at,
    status,
    src: '-',
    dst: '-',
    pkt_src: '-',
    pkt_dst: '-',
    srcport: null,
    dstport: null,
    protocol: 0,
    packets: 0,
    bytes: 0,
    start,
    end,
    action: 'ACCEPT',
    flags: null,
    src_service: '-',
    dst_service: '-',
    direction: 'ingress',
  }
}

/** NODATA for windows without traffic, SKIPDATA now and then; left out here and there, which makes time gaps. */
function addStatusLines(world: World): void {
  const { chance } = world
  const keep = world.tidy ? 1 : chance.pick([1, 0.95, 0.6, 0])
  const skip = world.tidy ? 0 : chance.pick([0, 0, 0.02])
  if (skip > 0 && chance.maybe(0.5)) {
    // Records are missing from the very second in which the attacker was last seen.
    const ofAttacker = world.sights.filter(sight => [sight.src, sight.dst].includes(attacker))
    const lastEnd = Math.max(world.first, ...ofAttacker.map(sight => sight.end))
    const from = lastEnd + chance.pick([0, 0, 1])
    world.sights.push(statusSight(chance.pick(world.interfaces), 'SKIPDATA', from, from + 59))
  }
  if (keep === 0 && skip === 0) return
  const seen = [...new Set(world.sights.map(sight => sight.at))]
  for (const at of seen) {
    const ofInterface = world.sights.filter(sight => sight.at === at && sight.status === 'OK')
    for (let from = world.first; from < world.last; from += at.interval) {
      const to = from + at.interval - (world.touching ? 0 : 1)
      const busy = ofInterface.some(sight => sight.start <= to && sight.end >= from)
      const skipped = chance.maybe(skip)
      if ((busy || !chance.maybe(keep)) && !skipped) continue
      world.sights.push(statusSight(at, skipped ? 'SKIPDATA' : 'NODATA', from, to))
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Layouts and lines
// ---------------------------------------------------------------------------------------------------------------------

const version2 = [
  ...['version', 'account-id', 'interface-id', 'srcaddr', 'dstaddr', 'srcport', 'dstport', 'protocol', 'packets'],
  ...['bytes', 'start', 'end', 'action', 'log-status'],
]
const version3 = [...version2, 'vpc-id', 'subnet-id', 'instance-id', 'tcp-flags', 'type', 'pkt-srcaddr', 'pkt-dstaddr']
const version5 = [
  ...[...version3, 'region', 'az-id', 'sublocation-type', 'sublocation-id'],
  ...['pkt-src-aws-service', 'pkt-dst-aws-service', 'flow-direction', 'traffic-path'],
]
const transitGateway = [
  ...['version', 'resource-type', 'account-id', 'tgw-id', 'tgw-attachment-id', 'tgw-src-vpc-account-id'],
  ...['tgw-dst-vpc-account-id', 'tgw-src-vpc-id', 'tgw-dst-vpc-id', 'tgw-src-subnet-id', 'tgw-dst-subnet-id'],
  ...['tgw-src-eni', 'tgw-dst-eni', 'tgw-src-az-id', 'tgw-dst-az-id', 'tgw-pair-attachment-id', 'srcaddr', 'dstaddr'],
  ...['srcport', 'dstport', 'protocol', 'packets', 'bytes', 'start', 'end', 'log-status', 'type'],
  ...['packets-lost-no-route', 'packets-lost-blackhole', 'packets-lost-mtu-exceeded', 'packets-lost-ttl-expired'],
  ...['tcp-flags', 'region', 'flow-direction', 'pkt-src-aws-service', 'pkt-dst-aws-service'],
]

function someLayout(chance: Chance): string[] {
  switch (chance.int(1, 9)) {
    case 1:
    case 2:
      return version2
    case 3:
      return version3
    case 4:
    case 5:
      return version5
    case 6:
      return chance.shuffled(version5)
    case 7:
      return chance.shuffled([...version5, 'resource-id', 'encryption-status', 'reject-reason', 'future-field'])
    case 8:
      return chance.shuffled([...version2, 'tcp-flags', 'pkt-srcaddr', 'pkt-dstaddr', 'future-field'])
    default:
      // Without log-status every line is a record.
      return chance.shuffled([...version2.filter(field => field !== 'log-status'), 'tcp-flags', 'instance-id'])
  }
}

interface LineForm {
  layout: string[]
  milliseconds: boolean
  /** Write a regional gateway as resource-id with an interface-id of `-`, where the layout has both. */
  regionalGateway: boolean
}

/** The text of one sight, or null if the layout cannot express it. */
function lineOf(sight: Sight, form: LineForm, chance: Chance): string | null {
  const { layout } = form
  const isOk = sight.status === 'OK'
  if (!isOk && !layout.includes('log-status')) return null
  const regional = form.regionalGateway && sight.at.instance === '-' && layout.includes('resource-id')
  const time = (seconds: number, extra: number): string =>
    form.milliseconds ? String(seconds * 1000 + extra) : String(seconds)
  const startExtra = chance.pick([0, 0, 1, 250, 999])
  const endExtra = Math.max(startExtra, chance.pick([0, 0, 500, 999]))
  const value = (field: string): string => {
    switch (field) {
      case 'version':
        return layout.includes('tgw-id') ? '6' : layout.includes('traffic-path') ? '5' : '2'
      case 'account-id':
        return account
      case 'interface-id':
        return regional ? '-' : sight.at.id
      case 'resource-id':
        return regional ? `nat-1${sight.at.id.slice(5)}` : '-'
      case 'tgw-attachment-id':
        return sight.at.attachment
      case 'start':
        return time(sight.start, startExtra)
      case 'end':
        return time(sight.end, endExtra)
      case 'log-status':
        return sight.status
    }
    if (!isOk) return '-'
    switch (field) {
      case 'srcaddr':
        return addressForm(sight.src, chance)
      case 'dstaddr':
        return addressForm(sight.dst, chance)
      case 'pkt-srcaddr':
        return addressForm(sight.pkt_src, chance)
      case 'pkt-dstaddr':
        return addressForm(sight.pkt_dst, chance)
      case 'srcport':
        return numberForm(sight.srcport, chance)
      case 'dstport':
        return numberForm(sight.dstport, chance)
      case 'protocol':
        return String(sight.protocol)
      case 'packets':
        return String(sight.packets)
      case 'bytes':
        return numberForm(sight.bytes, chance)
      case 'action':
        return sight.action
      case 'instance-id':
        return sight.at.instance
      case 'tcp-flags':
        return sight.flags === null ? '-' : String(sight.flags)
      case 'type':
        return isIpv6(sight.src) ? 'IPv6' : 'IPv4'
      case 'pkt-src-aws-service':
        return sight.src_service
      case 'pkt-dst-aws-service':
        return sight.dst_service
      case 'flow-direction':
        return sight.direction
      case 'traffic-path':
        return sight.direction === 'egress' ? '8' : '-'
      case 'reject-reason':
        return sight.action === 'REJECT' ? (['BPA', 'EC', 'XX'][sight.start % 9] ?? '-') : '-'
      case 'encryption-status':
        return chance.pick(['0', '1', '-'])
      case 'region':
        return region
      case 'resource-type':
        return 'TransitGateway'
      case 'tgw-id':
        return 'tgw-0abc'
      case 'future-field':
        return chance.pick(['-', 'x', 'ACCEPT', 'a%20b', '20.106.124.93'])
    }
    return field.startsWith('packets-lost') ? '0' : '-'
  }
  const values = layout.map(value)
  if (isOk && chance.maybe(0.005)) {
    // Something that the sensor could not tell.
    const unknown = chance.pick(['srcaddr', 'dstaddr', 'pkt-dstaddr', 'packets', 'bytes', 'action', 'tcp-flags'])
    const index = layout.indexOf(unknown)
    if (index >= 0) values[index] = '-'
  }
  return values.join(' ')
}

/** An address, rarely in another spelling of the same value. */
function addressForm(address: string, chance: Chance): string {
  if (!chance.maybe(0.02)) return address
  if (!isIpv6(address)) return chance.maybe(0.5) ? `::ffff:${address}` : address
  return chance.pick([address.toUpperCase(), address.replace('::', ':0:0::'), address.replace('::', ':0::')])
}

/** A number, rarely with leading zeros. */
function numberForm(value: number | string | null, chance: Chance): string {
  if (value === null) return '-'
  return chance.maybe(0.01) ? `0${value}` : String(value)
}

/** Makes a line wrong: no two ways alike. */
function broken(line: string, layout: string[], chance: Chance): string {
  const tokens = line.split(' ')
  const set = (field: string, ...values: string[]): string => {
    const index = layout.indexOf(field)
    if (index < 0) return `${line} surplus`
    return tokens.with(index, chance.pick(values)).join(' ')
  }
  const end = (): string => {
    const start = tokens[layout.indexOf('start')]!
    return set('end', String(Number(start) - 1))
  }
  const ways: (() => string)[] = [
    () => tokens.slice(0, chance.int(1, tokens.length - 1)).join(' '),
    () => `${line} extra`,
    () => `${line} `,
    () => ` ${line}`,
    () => line.replace(' ', '  '),
    () => tokens.with(chance.int(0, tokens.length - 1), '').join(' '),
    () => line.replaceAll(' ', '\t'),
    () => set('srcport', '65536', '-1', '80x', '0x50', '8e1', '+80'),
    () => set('dstport', '65536', '99999999999999999999', '8.0'),
    () => set('protocol', '256', 'tcp', '6.0'),
    () => set('version', '256', 'v2'),
    () => set('tcp-flags', '256', 'SYN'),
    () => set('packets', '18446744073709551616', '-5', '1,000'),
    () => set('bytes', '18446744073709551616', '1e6', 'NaN'),
    () => set('start', '-', 'soon', '9223372036855', '1678886400.5'),
    () => set('end', '-', '9223372036855', ''),
    end,
    () => set('srcaddr', '20.106.124.930', '20.106.124', '020.106.124.93', '20.106.124.93/32', '20.106.124.93.1'),
    () => set('dstaddr', '20.106.124.930', '10.0.0.01', 'fe80::1::2', '12345::1', ':::', 'example.com', '256.1.1.1'),
    () => set('pkt-srcaddr', '20.106.124.930', '1:2:3:4:5:6:7', 'fe80::1%eth0'),
    () => set('action', 'DROP', 'accept', 'ACCEPTED'),
    () => set('log-status', 'ok', 'FAILED', '1'),
    () => set('traffic-path', '256', 'igw'),
    () => Array.from({ length: chance.int(1, 80) }, () => garbageCharacter(chance)).join(''),
    () => '{"message": "not a flow record"}',
    () => '#',
  ]
  return chance.pick(ways)()
}

/** Any byte but the two that end lines. */
function garbageCharacter(chance: Chance): string {
  const code = chance.int(0, 255)
  return code === 10 || code === 13 ? '\0' : String.fromCharCode(code)
}

// ---------------------------------------------------------------------------------------------------------------------
// Files
// ---------------------------------------------------------------------------------------------------------------------

/** What one flow log subscription writes. */
interface Stream {
  sights: Sight[]
  /** Null for files without a subscription id in their names. */
  flowLogId: string | null
  layout: string[]
  milliseconds: boolean
  regionalGateway: boolean
  folder: string
  files: number
  /** Seed of the spelling, so that a copy is spelled like the original. */
  spelling: number
}

function someFolder(chance: Chance): string {
  const day = `2023/03/${chance.pick(['14', '15'])}`
  return chance.pick([
    '',
    '',
    'logs',
    `AWSLogs/${account}/vpcflowlogs/${region}/${day}`,
    `AWSLogs/aws-account-id=${account}/aws-service=vpcflowlogs/aws-region=${region}/year=2023/month=03/day=15`,
    'year=2023/month=03/day=15/hour=13',
    'collected by hand/second try',
  ])
}

function someName(stream: Stream, index: number, chance: Chance): string {
  const when = new Date((epoch + 300 * index) * 1000)
    .toISOString()
    .replaceAll(/[-:]/g, '')
    .replace(/[0-9]{2}\.000Z/, 'Z')
  if (stream.flowLogId !== null) {
    return `${account}_vpcflowlogs_${region}_${stream.flowLogId}_${when}_${chance.hex(8)}.log`
  }
  const unique = chance.hex(6)
  return chance.pick([`export-${unique}.log`, `${unique}.txt`, `part ${unique}`, `flows_${when}_${unique}.log`])
}

/** Nearly a copy. */
function almostEqual(sight: Sight, chance: Chance): Sight {
  if (sight.status !== 'OK' || typeof sight.bytes === 'string') return sight
  switch (chance.int(1, 5)) {
    case 1:
      return { ...sight, bytes: sight.bytes + chance.int(1, 99) }
    case 2:
      return { ...sight, packets: sight.packets + 1 }
    case 3:
      return { ...sight, action: sight.action === 'ACCEPT' ? 'REJECT' : 'ACCEPT' }
    case 4:
      return { ...sight, end: sight.end + 1 }
    default:
      return { ...sight, flags: sight.flags === 0 ? null : 0 }
  }
}

/** Divides what the world saw among subscriptions, some of which overlap. */
function makeStreams(world: World): Stream[] {
  const { chance } = world
  const make = (sights: Sight[]): Stream => ({
    sights,
    flowLogId: chance.maybe(0.7) ? `fl-0${chance.hex(16)}` : null,
    layout: someLayout(chance),
    milliseconds: chance.maybe(0.1),
    regionalGateway: chance.maybe(0.3),
    folder: someFolder(chance),
    files: chance.int(1, 3),
    spelling: chance.int(1, 2 ** 30),
  })
  const streams: Stream[] = []
  if (chance.maybe(0.5)) {
    streams.push(make(world.sights))
  } else {
    const everyone = [...new Set(world.sights.map(sight => sight.at))]
    const half = new Set(everyone.filter(() => chance.maybe(0.5)))
    streams.push(make(world.sights.filter(sight => half.has(sight.at))))
    streams.push(make(world.sights.filter(sight => !half.has(sight.at))))
  }
  if (chance.maybe(0.5)) {
    // An overlapping subscription: the same in the same words (copies), or in another layout (twins at one sensor).
    const original = chance.pick(streams)
    const from = chance.int(world.first, world.last)
    const overlap = make(
      original.sights
        .filter(sight => sight.start >= from || chance.maybe(0.2))
        .map(sight => (chance.maybe(0.03) ? almostEqual(sight, chance) : sight)),
    )
    if (chance.maybe(0.7)) {
      overlap.layout = original.layout
      overlap.milliseconds = original.milliseconds
      overlap.regionalGateway = original.regionalGateway
      overlap.spelling = original.spelling
    }
    streams.push(overlap)
  }
  if (chance.maybe(0.25)) {
    const inside = world.sights.filter(
      sight => sight.status === 'OK' && sight.action === 'ACCEPT' && chance.maybe(0.4) && sight.src === sight.pkt_src,
    )
    streams.push({ ...make(inside), layout: chance.maybe(0.7) ? transitGateway : chance.shuffled(transitGateway) })
  }
  return streams
}

interface FilePlan {
  path: string
  text: string
}

function writeStream(stream: Stream, tidy: boolean, chance: Chance): FilePlan[] {
  const plans: FilePlan[] = []
  const chunks: Sight[][] = Array.from({ length: stream.files }, () => [])
  const ordered = chance.maybe(0.5)
  const sights = ordered ? [...stream.sights].sort((a, b) => a.start - b.start) : stream.sights
  sights.forEach((sight, index) => {
    const chunk = ordered ? Math.floor((index * stream.files) / sights.length) : chance.int(0, stream.files - 1)
    chunks[chunk]!.push(sight)
  })
  chunks.forEach((chunk, index) => {
    const newline = chance.maybe(0.2) ? '\r\n' : '\n'
    const breakage = tidy ? 0 : chance.pick([0, 0, 0.02, 0.1])
    const form: LineForm = {
      layout: stream.layout,
      milliseconds: stream.milliseconds,
      regionalGateway: stream.regionalGateway,
    }
    let text = chance.maybe(0.05) ? newline : ''
    text += form.layout.join(' ') + newline
    for (const sight of chance.shuffled(chunk)) {
      if (chance.maybe(0.01)) text += chance.pick(['\n', '\r\n'])
      if (chance.maybe(0.01)) text += form.layout.join(' ') + newline
      if (chance.maybe(0.008)) {
        form.layout = someLayout(chance)
        text += form.layout.join(' ') + newline
      }
      // The spelling depends on the sight alone, so that overlapping subscriptions write the same line.
      const spelling = chanceFrom(stream.spelling ^ (sight.start * 31 + (sight.srcport ?? 0) * 7 + sight.packets))
      const line = lineOf(sight, form, spelling)
      if (line === null) continue
      text += (chance.maybe(breakage) ? broken(line, form.layout, chance) : line) + newline
      // The same line twice in one file are two records.
      if (chance.maybe(0.004)) text += line + newline
    }
    if (chance.maybe(0.15)) text = text.slice(0, -newline.length)
    const name = someName(stream, index, chance)
    plans.push({ path: stream.folder === '' ? name : `${stream.folder}/${name}`, text })
  })
  return plans
}

/** Lines as bytes: each character is one byte. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

/** Gzip of several members that divide the text anywhere. */
function manyMembers(text: string, chance: Chance): Buffer {
  const bytes = bytesOf(text)
  const members: Buffer[] = []
  let from = 0
  while (from < bytes.length) {
    const to = Math.min(bytes.length, from + chance.int(1, Math.max(1, Math.ceil(bytes.length / 2))))
    members.push(gzipSync(bytes.subarray(from, to)))
    from = to
  }
  return Buffer.concat(members)
}

/** Cut off somewhere, but not so early that the header is lost. */
function cutShort(packed: Buffer, chance: Chance): Buffer {
  const cut = packed.subarray(0, Math.max(1, Math.floor((packed.length * chance.int(40, 99)) / 100)))
  try {
    const text = gunzipSync(cut, { finishFlush: constants.Z_SYNC_FLUSH }).toString('latin1')
    return text.trimStart().includes('\n') ? cut : packed
  } catch {
    return packed
  }
}

/**
 * Writes a folder of flow logs that depends on the seed alone, and says whom to investigate in it.
 *
 * `dir` is made if need be, and should be empty.
 */
export function writeRandomFolder(dir: string, seed: number): { subjects: string[] } {
  const chance = chanceFrom(seed)
  const world = makeWorld(chance)
  addTraffic(world, chance.pick([40, 80, 120, 200, 300]))
  addStatusLines(world)

  const write = (path: string, content: Buffer | string): void => {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), content)
  }
  mkdirSync(dir, { recursive: true })
  const written = new Set<string>()
  const cuts = !world.tidy && chance.maybe(0.25)
  for (const stream of makeStreams(world)) {
    for (const { path, text } of writeStream(stream, world.tidy, chance)) {
      // Files of equal bytes would be one piece of evidence.
      if (written.has(text)) continue
      written.add(text)
      const packing = chance.int(1, 5)
      if (packing <= 2) {
        write(path, bytesOf(text))
        continue
      }
      const packed = packing === 3 ? manyMembers(text, chance) : gzipSync(bytesOf(text))
      write(`${path}.gz`, cuts && chance.maybe(0.4) ? cutShort(packed, chance) : packed)
    }
  }

  if (chance.maybe(0.4))
    write('README.txt', 'Flow logs of the incident.\nstart and end are in seconds.\n20.106.124.93\n')
  if (chance.maybe(0.3)) write('logs/topology.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13]))
  if (chance.maybe(0.3)) write('flow-log.json', '{"FlowLogs": [{"LogStatus": "ACTIVE", "TrafficType": "ALL"}]}\n')
  if (chance.maybe(0.1)) write('empty.log', '')
  if (chance.maybe(0.1)) {
    const headless = `2 ${account} eni-0 ${attacker} 10.0.0.5 40000 22 6 1 40 ${world.first} ${world.first} ACCEPT OK\n`
    write('from-cloudwatch.log', headless)
  }
  // Mostly somebody who occurs.
  let subjects = someSubjects(world)
  for (let attempt = 0; attempt < 4 && !mayOccur(subjects, world); attempt++) subjects = someSubjects(world)
  return { subjects }
}

function mayOccur(subjects: string[], world: World): boolean {
  return subjects.some(
    subject =>
      (subject.includes('/') && !subject.includes(':')) ||
      world.sights.some(sight =>
        [sight.src, sight.dst, sight.pkt_src, sight.pkt_dst].some(address => address === subject),
      ),
  )
}

function someSubjects(world: World): string[] {
  const { chance } = world
  const inside = chance.pick([...world.interfaces, world.node]).address
  switch (chance.int(1, 16)) {
    case 1:
    case 2:
    case 3:
    case 4:
      return [attacker]
    case 5:
      return chance.maybe(0.8) ? [world.gateway.address] : ['192.0.2.250']
    case 6:
      return [attacker, attacker6]
    case 7:
      return [attacker6]
    case 8:
      return ['2001:db8:bad::/48']
    case 9:
      return ['20.106.124.0/24']
    case 10:
      return [chance.pick(['10.0.0.0/16', '10.0.9.0/24', '0.0.0.0/1'])]
    case 11:
      return [inside]
    case 12:
      return [world.gateway.address]
    case 13:
      return [chance.pick(world.pods), world.node.address]
    case 14:
      return [world.node.address]
    case 15:
      return [chance.pick(decoys), chance.pick(outsiders), inside]
    default:
      return [attacker, '10.0.0.0/8']
  }
}
