import { cut, type Exchange, HEADERS, ICMP, RST, SYN, TCP, UDP, type Volume, windowsBetween } from './conversation.ts'
import { DAY_END, LAB_START, PROBED_PORTS, publicAddress, type Sensor, scannerAddress, WEB_SERVER } from './network.ts'
import type { Random } from './random.ts'
import { type GeneratedRecord, type LogRow, noDataIn, recordsAt } from './record.ts'

const MONITOR: Sensor = {
  interface_id: 'eni-0a41c77e03b5d9f12',
  instance_id: 'i-0d2f86b1c4e7a9350',
  address: '10.130.8.30',
  role: 'monitoring and bastion host',
  window_offset: 41,
}
const APP: Sensor = {
  interface_id: 'eni-04d8e2519a6fc7b3e',
  instance_id: 'i-0b93c5d7f2461ae80',
  address: '10.130.16.40',
  role: 'application server',
  window_offset: 23,
}
const DATABASE: Sensor = {
  interface_id: 'eni-0c6e15f8d3a2794b0',
  instance_id: 'i-0e58a3f61c9d7b243',
  address: '10.130.24.17',
  role: 'database',
  window_offset: 52,
}
const STANDBY: Sensor = {
  interface_id: 'eni-09b7f4d2e86a1c350',
  instance_id: 'i-03a7d9e5b1f8c6420',
  address: '10.130.24.201',
  role: 'standby database, quiet but for one backup',
  window_offset: 17,
}

/** Every logged interface of the lab's VPC. */
export const LAB_SENSORS: readonly Sensor[] = [WEB_SERVER, MONITOR, APP, DATABASE, STANDBY]

/** Ports that the security groups leave open to the internet. */
const OPEN_PORTS = new Map([
  [WEB_SERVER, [80, 22]],
  [MONITOR, []],
  [APP, [443]],
])
const PUBLIC_SENSORS = [...OPEN_PORTS.keys()]

const RESOLVERS = ['8.8.8.8', '8.8.8.8', '8.8.4.4', '1.1.1.1', '1.1.1.1', '1.0.0.1']
const TIME_SERVERS = [
  '129.6.15.28',
  '132.163.97.1',
  '162.159.200.1',
  '50.205.57.38',
  '204.93.207.12',
  '162.159.200.123',
]
const UPDATE_SERVERS = [
  '91.189.91.38',
  '91.189.91.39',
  '185.125.190.36',
  '151.101.2.132',
  '52.219.84.10',
  '3.5.129.101',
]

/** The scanner whose rejected probe stands in the very first record. */
export const FIRST_SCANNER = '35.203.211.65'

/** All rows of the folder that are not the attacker's: exactly `count` of them, NODATA rows included. */
export function labBackground(random: Random, count: number): LogRow[] {
  const rows: LogRow[] = []
  internalTraffic(random, rows)
  webVisitors(random, rows, 6200)
  apiClients(random, rows, 7400)
  lookups(random, rows, 5600)
  clockChecks(random, rows)
  updates(random, rows)
  administration(random, rows)
  rows.push(...silence(rows))
  scans(random, rows, count)
  return rows
}

/** Adds the exchange as the given interfaces see it, leaving out what other days' files hold. */
function add(rows: LogRow[], exchange: Exchange, ...sensors: Sensor[]): void {
  for (const sensor of sensors) {
    for (const record of recordsAt(sensor, cut(exchange, sensor))) if (record.end <= DAY_END) rows.push(record)
  }
}

/** TCP volume: every packet carries headers, the first one SYN options too. */
function tcp(packets: number, payload: number): Volume {
  return { packets, bytes: packets * HEADERS + 8 + payload }
}

/** A request of `sent` payload bytes and an answer of `received` payload bytes. */
function transfer(sent: number, received: number): Pick<Exchange, 'to_server' | 'to_client'> {
  const full = Math.ceil(received / 1448)
  return {
    to_server: tcp(4 + Math.ceil(sent / 1448) + Math.ceil(full / 2), sent),
    to_client: tcp(3 + full + Math.ceil(sent / 2896), received),
  }
}

/** Long-lived connections inside the VPC, logged at both of their interfaces; none leaves a minute silent. */
function internalTraffic(random: Random, rows: LogRow[]): void {
  const pairs: [Sensor, Sensor, number, number][] = [
    [MONITOR, WEB_SERVER, 9100, 1],
    [MONITOR, APP, 9100, 1],
    [MONITOR, DATABASE, 9187, 1],
    [APP, DATABASE, 5432, 5],
  ]
  for (const [client, server, port, pool] of pairs) {
    for (let i = 0; i < pool; i++) chain(random, rows, client, server, port)
  }
  // The one hour in which the standby is not silent.
  const backup = { client: DATABASE.address, client_port: 40412, server: STANDBY.address, server_port: 5432 }
  const start = LAB_START + 3 * 3600 + 12
  const sizes = { to_server: tcp(61400, 86_200_000), to_client: tcp(21800, 4200) }
  add(rows, { ...backup, protocol: TCP, start, end: start + 640, ...sizes }, DATABASE, STANDBY)
}

/** One connection after another between two hosts, from before the first file to after the last. */
function chain(random: Random, rows: LogRow[], client: Sensor, server: Sensor, server_port: number): void {
  let start = LAB_START
  let opens = false
  while (start <= DAY_END) {
    const end = start + random.between(700, 2900)
    const minutes = Math.ceil((end - start) / 60) + 2
    const packets = minutes * random.between(6, 40)
    const to_server = tcp(packets, packets * random.between(30, 260))
    const to_client = tcp(packets + minutes, packets * random.between(200, 1300))
    const ends = { client: client.address, client_port: random.between(32768, 60999), server: server.address }
    add(rows, { ...ends, server_port, protocol: TCP, start, end, opens, to_server, to_client }, client, server)
    start = end + 1
    opens = true
  }
}

/** People and crawlers that read the web site. */
function webVisitors(random: Random, rows: LogRow[], visits: number): void {
  for (let i = 0; i < visits; i++) {
    const client = publicAddress(random)
    const arrival = random.between(LAB_START, DAY_END)
    const first_port = random.between(32768, 64000)
    for (let n = random.skewed(1, 7); n >= 0; n--) {
      const start = arrival + random.below(4)
      const end = start + random.below(4) + random.skewed(0, 65)
      const ends = { client, client_port: first_port + 2 * n, server: WEB_SERVER.address, server_port: 80 }
      const size = transfer(random.between(300, 900), 400 + random.skewed(0, 400_000))
      add(rows, { ...ends, protocol: TCP, start, end, ...size }, WEB_SERVER)
      if (random.chance(1)) rows.push(...latePacket(client, first_port + 2 * n, end + random.between(3, 40)))
    }
  }
}

/** A reset that arrives after its connection was closed: rejected, though nobody attacks. */
function latePacket(client: string, client_port: number, time: number): GeneratedRecord[] {
  if (time > DAY_END) return []
  return [probe(WEB_SERVER, client, client_port, 80, TCP, { packets: 1, bytes: 40 }, time, time, RST)]
}

/** Programs that call the application server's interface. */
function apiClients(random: Random, rows: LogRow[], connections: number): void {
  const regulars = Array.from({ length: 160 }, () => publicAddress(random))
  for (let i = 0; i < connections; i++) {
    const client = random.chance(70) ? random.pick(regulars) : publicAddress(random)
    const start = random.between(LAB_START, DAY_END)
    const end = start + random.skewed(0, 240)
    const ends = { client, client_port: random.between(32768, 65000), server: APP.address, server_port: 443 }
    const size = transfer(900 + random.skewed(0, 30_000), 3600 + random.skewed(0, 90_000))
    add(rows, { ...ends, protocol: TCP, start, end, ...size }, APP)
  }
}

/** DNS look-ups at public resolvers. */
function lookups(random: Random, rows: LogRow[], count: number): void {
  for (let i = 0; i < count; i++) {
    const sensor = random.pick(PUBLIC_SENSORS)
    const start = random.between(LAB_START, DAY_END)
    const ends = { client: sensor.address, client_port: random.between(32768, 60999), server: random.pick(RESOLVERS) }
    const packets = random.chance(70) ? 2 : 1 // A and AAAA
    const to_server = { packets, bytes: packets * random.between(58, 92) }
    const to_client = { packets, bytes: packets * random.between(90, 420) }
    add(rows, { ...ends, server_port: 53, protocol: UDP, start, end: start, to_server, to_client }, sensor)
  }
}

/** NTP: each public host asks its servers every few minutes. */
function clockChecks(random: Random, rows: LogRow[]): void {
  for (const sensor of PUBLIC_SENSORS) {
    for (const server of TIME_SERVERS) {
      const every = random.pick([256, 512, 1024])
      for (let start = LAB_START + random.below(every); start <= DAY_END; start += every + random.below(5)) {
        const ends = { client: sensor.address, client_port: random.between(32768, 60999), server, server_port: 123 }
        const one = { packets: 1, bytes: 76 }
        add(rows, { ...ends, protocol: UDP, start, end: start, to_server: one, to_client: one }, sensor)
      }
    }
  }
}

/** Package updates, outward to ports 80 and 443. */
function updates(random: Random, rows: LogRow[]): void {
  for (let i = 0; i < 180; i++) {
    const sensor = random.pick(PUBLIC_SENSORS)
    const start = random.between(LAB_START, DAY_END)
    const end = start + random.between(1, 30)
    const server = random.pick(UPDATE_SERVERS)
    const ends = { client: sensor.address, client_port: random.between(32768, 60999), server }
    const size = transfer(random.between(300, 1800), 5000 + random.skewed(0, 24_000_000))
    add(rows, { ...ends, server_port: random.pick([80, 443]), protocol: TCP, start, end, ...size }, sensor)
  }
}

/** An administrator's SSH sessions: from the office to the bastion, from there to the servers. */
function administration(random: Random, rows: LogRow[]): void {
  const office = publicAddress(random)
  for (let i = 0; i < 5; i++) {
    const start = LAB_START + 1500 + i * 4300 + random.below(900)
    const end = start + random.between(240, 1700)
    const keys = (end - start) * random.between(1, 3)
    const size = { to_server: tcp(keys, keys * 40), to_client: tcp(keys, keys * 130) }
    const common = { server_port: 22, protocol: TCP, ...size }
    const hop = random.pick([WEB_SERVER, APP])
    const port = random.between(32768, 60999)
    const outer = { client: office, client_port: port, server: MONITOR.address, start, end }
    const inner = {
      client: MONITOR.address,
      client_port: port + 1,
      server: hop.address,
      start: start + 9,
      end: end - 4,
    }
    add(rows, { ...outer, ...common }, MONITOR)
    add(rows, { ...inner, ...common }, MONITOR, hop)
  }
}

/** A NODATA row for every window in which an interface has no record. */
function silence(rows: LogRow[]): LogRow[] {
  return LAB_SENSORS.flatMap(sensor => {
    const own = rows.filter(row => row.sensor === sensor)
    const busy = new Set(own.map(row => windowsBetween(sensor, row.start, row.start)[0]?.window_start))
    return windowsBetween(sensor, LAB_START, DAY_END)
      .filter(part => !busy.has(part.window_start))
      .map(part => ({ ...noDataIn(sensor, part.window_start), start: part.start }))
      .filter(row => row.end <= DAY_END)
  })
}

/** Internet scanners, until there are `count` rows. */
function scans(random: Random, rows: LogRow[], count: number): void {
  const nothing = { packets: 1, bytes: 44 }
  rows.push(probe(WEB_SERVER, FIRST_SCANNER, 52118, 9042, TCP, nothing, LAB_START + 3, LAB_START + 3, SYN))
  while (rows.length < count) {
    const scanner = random.chance(55) ? scannerAddress(random) : publicAddress(random)
    const begin = random.between(LAB_START, DAY_END)
    for (let n = random.skewed(1, 30); n > 0 && rows.length < count; n--) {
      const time = Math.min(DAY_END, begin + random.skewed(0, 900))
      rows.push(...scan(random, scanner, time).slice(0, count - rows.length))
    }
  }
}

/** One probe: rejected, or answered where the port is open. */
function scan(random: Random, scanner: string, time: number): LogRow[] {
  const sensor = random.pick(PUBLIC_SENSORS)
  const port = random.between(1025, 65535)
  const kind = random.below(100)
  if (kind < 6) {
    const [target, bytes] = random.pick([
      [161, 71],
      [53, 58],
      [1900, 118],
      [5060, 420],
      [123, 76],
      [11211, 43],
    ] as const)
    return [probe(sensor, scanner, port, target, UDP, { packets: 1, bytes }, time, time, 0)]
  }
  if (kind < 8) return [probe(sensor, scanner, 0, 0, ICMP, { packets: 1, bytes: 84 }, time, time, 0)]
  const target = random.chance(80) ? random.pick(PROBED_PORTS) : random.between(1, 65535)
  if (OPEN_PORTS.get(sensor)?.includes(target)) {
    const ends = { client: scanner, client_port: port, server: sensor.address, server_port: target }
    const volume = { to_server: { packets: 2, bytes: 84 }, to_client: { packets: 1, bytes: 44 } }
    return recordsAt(
      sensor,
      cut({ ...ends, protocol: TCP, start: time, end: time, ...volume, closing_flag: RST }, sensor),
    )
  }
  const packets = random.chance(12) ? random.between(2, 4) : 1
  const seconds = packets === 1 ? 0 : 2 ** packets - 1
  const [window] = windowsBetween(sensor, time, Math.min(DAY_END, time + seconds))
  const bytes = packets * random.pick(packets === 1 ? [40, 40, 40, 44, 44, 52, 60] : [52, 60])
  return [probe(sensor, scanner, port, target, TCP, { packets, bytes }, time, window?.end ?? time, SYN)]
}

function probe(
  sensor: Sensor,
  srcaddr: string,
  srcport: number,
  dstport: number,
  protocol: number,
  volume: Volume,
  start: number,
  end: number,
  tcp_flags: number,
): GeneratedRecord {
  const ends = { srcaddr, dstaddr: sensor.address, srcport, dstport, protocol }
  return { sensor, ...ends, ...volume, tcp_flags, start, end, action: 'REJECT' }
}
