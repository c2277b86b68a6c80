import { FIN, ICMP, SYN, SYN_ACK, TCP, UDP, WINDOW_SECONDS, windowOf } from './conversation.ts'
import { addressNumber, LineWriter, placeOf, type Way } from './line-writer.ts'
import {
  ATTACKER,
  BIN_SECONDS,
  CARELESS_MATCH,
  PROBED_PORTS,
  PUBLIC_FIRST_OCTETS,
  SCANNER_NETWORKS,
} from './network.ts'
import { Random } from './random.ts'
import { backgroundOf, binOfFile, filesOfBin, type ScalePlan, startOfBin } from './scale-plan.ts'

/** Numbers that describe one attacker record: from the attacker (1) or to it (0), ports, volume, flags, times. */
export const INCIDENT_COLUMNS = 8

/** The content of one file and what it adds to the totals. */
export interface ScaledFile {
  content: Buffer
  records: number
  no_data: number
  first_start: number
  last_end: number
  /** Records of each busy interface, then rows of each quiet one. */
  rows_by_sensor: Uint32Array
}

const ATTACKER_NUMBER = addressNumber(ATTACKER)
const COLLECTOR = addressNumber('10.130.4.12')
const RESOLVERS = ['8.8.8.8', '8.8.4.4', '1.1.1.1', '1.0.0.1'].map(addressNumber)
const TIME_SERVERS = ['129.6.15.28', '132.163.97.1', '162.159.200.1', '50.205.57.38'].map(addressNumber)
const SCANNERS = SCANNER_NETWORKS.map(network => addressNumber(`${network}.0`))
const SERVICE_PORTS = [80, 443, 443, 443]
/** Ports that scanners find closed everywhere. */
const CLOSED_PORTS = PROBED_PORTS.filter(port => !SERVICE_PORTS.includes(port))
/** Scanners that sweep many interfaces within one file's five minutes, each with one kind of packet. */
const SWEEPS_PER_FILE = 48
const INTERNAL_PORTS = [5432, 3306, 6379, 9092, 8080, 9100]

interface Sweep {
  source: number
  source_port: number
  target: number
  bytes: number
}

interface Host {
  index: number
  place: Buffer
  address: number
  window_offset: number
}

/** Writes files of one plan; the content of each depends on the plan and the file's number alone. */
export class ScaledFileMaker {
  #plan: ScalePlan
  #busy: Host[]
  #quiet: Host[]
  #random = new Random(0)
  #writer = new LineWriter(0)
  #bin_start = 0
  /** The busy interfaces whose traffic the file holds; the web server's is in every file. */
  #own: Host[] = []
  #sweeps: Sweep[] = []
  #truth = emptyTruth(0)

  constructor(plan: ScalePlan) {
    const hosts = [...plan.busy, ...plan.quiet].map((sensor, index) => {
      const { window_offset } = sensor
      return { index, place: placeOf(sensor), address: addressNumber(sensor.address), window_offset }
    })
    this.#plan = plan
    this.#busy = hosts.slice(0, plan.busy.length)
    this.#quiet = hosts.slice(plan.busy.length)
  }

  /** Makes one file; `incident` holds the attacker's records that belong into it. */
  make(file: number, incident: Float64Array): ScaledFile {
    const plan = this.#plan
    const bin = binOfFile(plan, file)
    this.#random = new Random(plan.seed, 0x20000000 + file)
    this.#bin_start = startOfBin(plan, bin)
    const { first, count } = filesOfBin(plan, bin)
    const belongs = (host: Host): boolean => host.index % count === file - first
    this.#own = this.#busy.filter(belongs)
    if (this.#own.length === 0) this.#own.push(this.#busy[0]!)
    this.#sweeps = Array.from({ length: SWEEPS_PER_FILE }, () => this.#newSweep())
    this.#truth = emptyTruth(this.#busy.length + this.#quiet.length)
    const routine = [...this.#busy, ...this.#quiet].filter(belongs).flatMap(host => this.#routineOf(host))
    const background = backgroundOf(plan, file)
    const attacks = incident.length / INCIDENT_COLUMNS
    this.#writer = new LineWriter(routine.length + background + attacks)

    // Draws from the three heaps at random, in proportion to what is left in each.
    let [routineLeft, attacksLeft, backgroundLeft] = [routine.length, attacks, background]
    while (routineLeft + attacksLeft + backgroundLeft > 0) {
      const drawn = this.#random.below(routineLeft + attacksLeft + backgroundLeft)
      if (drawn < routineLeft) routine[--routineLeft]!()
      else if (drawn < routineLeft + attacksLeft) this.#attack(incident, --attacksLeft * INCIDENT_COLUMNS)
      else backgroundLeft -= this.#anything(backgroundLeft)
    }
    const content = this.#writer.content()
    assertNoLookalike(content, attacks)
    return { content, ...this.#truth }
  }

  /** What an interface writes in every window: a busy one sends a log message, a quiet one has NODATA. */
  #routineOf(host: Host): (() => void)[] {
    const first_end = windowOf(host, this.#bin_start) + WINDOW_SECONDS - 1
    return Array.from({ length: BIN_SECONDS / WINDOW_SECONDS }, (_, n) => {
      const end = first_end + n * WINDOW_SECONDS
      const start = Math.max(end - WINDOW_SECONDS + 1, this.#plan.first_second)
      const isBusy = host.index < this.#busy.length
      return () => (isBusy ? this.#logMessage(host, start, end) : this.#noData(host, start, end))
    })
  }

  #noData(host: Host, start: number, end: number): void {
    this.#writer.noData(host.place, start, end)
    this.#truth.no_data++
    this.#truth.rows_by_sensor[host.index]!++
  }

  #logMessage(host: Host, start: number, end: number): void {
    const packets = this.#random.between(2, 60)
    const bytes = packets * this.#random.between(90, 320)
    this.#row(host, host.address, COLLECTOR, 42000 + host.index, 514, UDP, bytes, packets, 0, start, end, 'to-vpc')
  }

  #attack(incident: Float64Array, at: number): void {
    const [from, srcport, dstport, bytes, packets, flags, start, end] = incident.subarray(at, at + INCIDENT_COLUMNS)
    const web = this.#busy[0]!
    const [source, destination] = from ? [ATTACKER_NUMBER, web.address] : [web.address, ATTACKER_NUMBER]
    const way = from ? 'accept-in' : 'to-internet'
    this.#row(web, source, destination, srcport!, dstport!, TCP, bytes!, packets!, flags!, start!, end!, way)
  }

  /** Background of any kind, at most `room` records; returns how many it wrote. */
  #anything(room: number): number {
    const kind = this.#random.below(100)
    if (room === 1 || kind < 38) return this.#scan()
    if (kind < 68) return this.#visit()
    if (kind < 82) return this.#outward()
    if (kind < 92 || room < 4) return this.#lookup()
    return this.#internal()
  }

  /** A rejected probe, most often one of a sweep. */
  #scan(): number {
    const random = this.#random
    const host = this.#host()
    const end = this.#time()
    const { source, source_port, target, bytes } = random.chance(55) ? random.pick(this.#sweeps) : this.#newSweep()
    const own = host.address
    const kind = random.below(100)
    if (kind < 3) return this.#row(host, source, own, 0, 0, ICMP, 84, 1, 0, end, end, 'reject-in')
    if (kind < 9) return this.#row(host, source, own, source_port, target, UDP, bytes, 1, 0, end, end, 'reject-in')
    const packets = random.chance(12) ? random.between(2, 4) : 1
    const start = this.#startIn(host, end, packets === 1 ? 0 : 2 ** packets - 1)
    const size = packets * bytes
    return this.#row(host, source, own, source_port, target, TCP, size, packets, SYN, start, end, 'reject-in')
  }

  #newSweep(): Sweep {
    const random = this.#random
    const known = random.chance(45)
    const source = known ? random.pick(SCANNERS) + random.between(1, 254) : this.#publicAddress()
    const target = random.chance(80) ? random.pick(CLOSED_PORTS) : random.between(1024, 65535)
    return { source, source_port: random.between(1025, 65535), target, bytes: random.pick([40, 40, 44, 52, 60]) }
  }

  /** A client of one of the servers. */
  #visit(): number {
    const host = this.#host()
    const server_port = host.index === 0 ? 80 : this.#random.pick(SERVICE_PORTS)
    return this.#pair(host, this.#publicAddress(), server_port, true)
  }

  /** One of the servers as a client of a public service. */
  #outward(): number {
    return this.#pair(this.#host(), this.#publicAddress(), this.#random.pick([443, 443, 443, 80]), false)
  }

  /** Both directions of a TCP connection: whole within its window, or the middle of a long one. */
  #pair(host: Host, peer: number, server_port: number, inward: boolean): number {
    const random = this.#random
    const client_port = random.between(32768, 60999)
    const end = this.#time()
    const start = this.#startIn(host, end, random.skewed(0, 55))
    const whole = random.chance(82)
    const sent = random.between(300, 900) + random.skewed(0, 40_000)
    const received = random.between(200, 4000) + random.skewed(0, 900_000)
    const full = Math.ceil(received / 1448)
    const toServer = 5 + Math.ceil(sent / 1448) + Math.ceil(full / 2)
    const toClient = 4 + full
    const [request, answer] = whole ? [SYN | FIN, SYN_ACK | FIN] : [0, 0]
    const ask = (source: number, destination: number, way: Way): number => {
      const bytes = toServer * 52 + sent + (whole ? 8 : 0)
      const ports = [client_port, server_port] as const
      return this.#row(host, source, destination, ...ports, TCP, bytes, toServer, request, start, end, way)
    }
    const give = (source: number, destination: number, way: Way): number => {
      const bytes = toClient * 52 + received + (whole ? 8 : 0)
      const ports = [server_port, client_port] as const
      return this.#row(host, source, destination, ...ports, TCP, bytes, toClient, answer, start, end, way)
    }
    if (inward) return ask(peer, host.address, 'accept-in') + give(host.address, peer, 'to-internet')
    return ask(host.address, peer, 'to-internet') + give(peer, host.address, 'accept-in')
  }

  /** A DNS or NTP query and its answer. */
  #lookup(): number {
    const random = this.#random
    const host = this.#host()
    const isTime = random.chance(15)
    const server = random.pick(isTime ? TIME_SERVERS : RESOLVERS)
    const port = isTime ? 123 : 53
    const source = random.between(32768, 60999)
    const at = this.#time()
    const packets = isTime ? 1 : random.between(1, 2)
    const [ask, give] = isTime ? [76, 76] : [packets * random.between(58, 92), packets * random.between(90, 420)]
    this.#row(host, host.address, server, source, port, UDP, ask, packets, 0, at, at, 'to-internet')
    this.#row(host, server, host.address, port, source, UDP, give, packets, 0, at, at, 'accept-in')
    return 2
  }

  /** A connection between two logged interfaces: each direction at each of them. */
  #internal(): number {
    const random = this.#random
    const client = this.#host()
    const server = this.#host()
    if (client === server) return this.#lookup()
    const at = this.#time()
    const port = random.between(32768, 60999)
    const service = random.pick(INTERNAL_PORTS)
    const sent = 600 + random.skewed(0, 30_000)
    const got = 700 + random.skewed(0, 200_000)
    const [ask, give] = [6 + Math.ceil(sent / 1300), 5 + Math.ceil(got / 1300)]
    const out = [client.address, server.address, port, service, TCP, sent + 52 * ask, ask, SYN | FIN, at, at] as const
    const back = [
      server.address,
      client.address,
      service,
      port,
      TCP,
      got + 52 * give,
      give,
      SYN_ACK | FIN,
      at,
      at,
    ] as const
    this.#row(client, ...out, 'to-vpc')
    this.#row(client, ...back, 'accept-in')
    this.#row(server, ...out, 'accept-in')
    this.#row(server, ...back, 'to-vpc')
    return 4
  }

  #row(
    host: Host,
    source: number,
    destination: number,
    source_port: number,
    destination_port: number,
    protocol: number,
    bytes: number,
    packets: number,
    flags: number,
    start: number,
    end: number,
    way: Way,
  ): number {
    const ends = [source, destination, source_port, destination_port, protocol] as const
    this.#writer.record(host.place, ...ends, bytes, packets, flags, start, end, way)
    const truth = this.#truth
    truth.records++
    truth.rows_by_sensor[host.index]!++
    if (start < truth.first_start) truth.first_start = start
    if (end > truth.last_end) truth.last_end = end
    return 1
  }

  /** A busy interface: the web server in one case of six, else one of the file's own, most often a low one. */
  #host(): Host {
    if (this.#random.chance(16)) return this.#busy[0]!
    return this.#own[this.#random.skewed(0, this.#own.length - 1)]!
  }

  /** A second of the file's five minutes. */
  #time(): number {
    return this.#bin_start + this.#random.below(BIN_SECONDS)
  }

  /** The start of a record that lasts `seconds`, unless its window or the data begin later. */
  #startIn(host: Host, end: number, seconds: number): number {
    return Math.max(end - seconds, windowOf(host, end), this.#plan.first_second)
  }

  /** A public address; some 20,000 of them come back again and again. */
  #publicAddress(): number {
    const random = this.#random
    for (;;) {
      const returning = random.chance(35)
      const drawn = returning ? Math.imul(1 + random.skewed(0, 19_999), 0x9e3779b1) >>> 0 : random.next()
      const first = PUBLIC_FIRST_OCTETS[(drawn >>> 24) % PUBLIC_FIRST_OCTETS.length]!
      const last = 1 + ((drawn & 255) % 254)
      if (isLookalikeTail(drawn, last)) continue
      return ((first << 24) | (drawn & 0xffff00) | last) >>> 0
    }
  }
}

/** True for x.106.124.93 and the like, which a text match could take for the attacker's address. */
function isLookalikeTail(address: number, last: number): boolean {
  return (address & 0xffff00) === ((106 << 16) | (124 << 8)) && last === 93
}

function emptyTruth(sensors: number): Omit<ScaledFile, 'content'> {
  const rows_by_sensor = new Uint32Array(sensors)
  return { records: 0, no_data: 0, first_start: Number.MAX_SAFE_INTEGER, last_end: 0, rows_by_sensor }
}

/** A careless text match must find the attacker's lines and no others. */
function assertNoLookalike(content: Buffer, attacks: number): void {
  const found = content.toString('latin1').match(new RegExp(CARELESS_MATCH, 'g'))?.length ?? 0
  if (found !== attacks) throw new Error(`a careless match finds ${found} lines, not ${attacks}`)
}
