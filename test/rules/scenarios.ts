/**
 * Traffic that the rules over a whole case are tried on: what each must find, and benign twins that it must pass over. A twin differs in
 * one thing, on the other side of one threshold. All of it stands in one log; each scenario has hosts of its own.
 */

/** A connection. Hosts are numbers within the scenario: above zero inside, below zero outside. */
interface Flow {
  at: number
  seconds?: number
  from: number
  to: number
  port: number
  protocol?: number
  /** Packets and bytes of the client, and of the server. */
  up: readonly [packets: number, bytes: number]
  down?: readonly [packets: number, bytes: number]
  flags?: readonly [up: number, down: number]
  isRejected?: boolean
}

export interface Scenario {
  rule: string
  name: string
  /** Severity and confidence of the finding; null where nothing is to be found. */
  found: string | null
  flows: readonly Flow[]
}

const begin = 1_695_859_200
export const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'

export function hostOf(scenario: number, host: number): string {
  const [prefix, number] = host > 0 ? ['fd00', host] : ['2001:db8', -host]
  return `${prefix}:${(scenario + 1).toString(16)}::${number.toString(16)}`
}

/** The lines of a scenario. */
export function linesOf({ flows }: Scenario, scenario: number): string[] {
  return flows.flatMap((flow, n) => {
    const { at, seconds = 1, from, to, port, protocol = 6, up, down, isRejected = false } = flow
    const isTcp = protocol === 6
    const [flagsUp, flagsDown] = flow.flags ?? (isTcp ? [2, 18] : [0, 0])
    const sport = protocol === 58 ? 0 : 50_000 + (n % 15_000)
    const [client, server] = [hostOf(scenario, from), hostOf(scenario, to)]
    const time = `${begin + at} ${begin + at + seconds} ${isRejected ? 'REJECT' : 'ACCEPT'} OK`
    const record = (ends: string, [packets, bytes]: readonly [number, number], flags: number): string =>
      `5 1 eni-1 ${ends} ${protocol} ${packets} ${Math.round(bytes)} ${time} ${flags}`
    return [
      record(`${client} ${server} ${sport} ${port}`, up, flagsUp),
      ...(down === undefined ? [] : [record(`${server} ${client} ${port} ${sport}`, down, flagsDown)]),
    ]
  })
}

const many = (count: number, flow: (i: number) => Flow | Flow[]): Flow[] =>
  Array.from({ length: count }, (_, i) => flow(i)).flat()
const rejected = (at: number, from: number, to: number, port: number): Flow => ({
  ...{ at, from, to, port, up: [1, 60], isRejected: true },
})
const answered = (flow: Partial<Flow> & Pick<Flow, 'at' | 'from' | 'to' | 'port'>): Flow => ({
  up: [10, 1000],
  down: [10, 3000],
  ...flow,
})

// D01.
const scanning = (rule: string, name: string, found: string | null, flows: readonly Flow[]): Scenario => ({
  ...{ rule, name, found, flows },
})
const syn = (i: number, rest: Partial<Flow>): Flow => ({
  at: 10 * i,
  from: 1,
  to: -1 - i,
  port: 445,
  up: [1, 60],
  ...rest,
})
const echo = (i: number, every: number): Flow => ({
  at: every * i,
  seconds: 0,
  from: 1,
  to: 100 + i,
  port: 0,
  protocol: 58,
  up: [1, 84],
})
const udp = (i: number, port: number, at = i): Flow => ({ at, from: 1, to: -1 - i, port, protocol: 17, up: [1, 60] })
const fromOutside = many(10, i => rejected(10 * i, -1, 1, 1000 + i))
const d01 = (name: string, found: string | null, flows: readonly Flow[]): Scenario =>
  scanning('D01-scan', name, found, flows)
const sweeping = (name: string, found: string | null, flows: readonly Flow[]): Scenario =>
  scanning('D01-icmp-sweep', name, found, flows)
const scans: Scenario[] = [
  d01(
    'ten hosts within a quarter of an hour',
    'high high',
    many(10, i => rejected(89 * i, 1, -1 - i, 445)),
  ),
  d01(
    'nine hosts',
    null,
    many(9, i => rejected(89 * i, 1, -1 - i, 445)),
  ),
  d01(
    'ten hosts in a little more',
    'medium medium',
    many(10, i => rejected(101 * i, 1, -1 - i, 445)),
  ),
  d01(
    'ten hosts within a day',
    'medium medium',
    many(10, i => rejected(9500 * i, 1, -1 - i, 445)),
  ),
  d01(
    'ten hosts in a little more than a day',
    null,
    many(10, i => rejected(9700 * i, 1, -1 - i, 445)),
  ),
  d01(
    'ten ports of a host',
    'high high',
    many(10, i => rejected(10 * i, 1, -1, 1000 + i)),
  ),
  d01(
    'five hosts on five ports',
    'high high',
    many(25, i => rejected(10 * i, 1, -1 - (i % 5), 1000 + Math.floor(i / 5))),
  ),
  d01(
    'six hosts on four ports',
    null,
    many(24, i => rejected(10 * i, 1, -1 - (i % 6), 1000 + Math.floor(i / 6))),
  ),
  d01(
    '25 dead peers with a port each',
    null,
    many(25, i => rejected(10 * i, 1, -1 - i, 1000 + i)),
  ),
  d01(
    'a host that is tried again and again',
    null,
    many(50, i => rejected(10 * i, 1, -1, 445)),
  ),
  sweeping(
    'ICMP to ten hosts within a minute',
    'medium low',
    many(10, i => echo(i, 6)),
  ),
  sweeping(
    'ICMP to ten hosts in a little more',
    null,
    many(10, i => echo(i, 7)),
  ),
  sweeping(
    'ICMP to nine hosts',
    null,
    many(9, i => echo(i, 6)),
  ),
  sweeping(
    'ICMP between hosts that speak otherwise too',
    null,
    many(10, i => [echo(i, 6), answered({ at: 500 + i, from: 1, to: 100 + i, port: 80 })]),
  ),
  d01(
    'three packets that the client breaks off',
    'high high',
    many(10, i => syn(i, { up: [3, 582], flags: [6, 0] })),
  ),
  d01(
    'connections whose answers are not recorded',
    null,
    many(10, i => syn(i, { up: [20, 12_000], flags: [3, 0] })),
  ),
  d01(
    'SYNs repeated seven times',
    'high high',
    many(10, i => syn(i, { up: [8, 480] })),
  ),
  d01(
    'SYNs repeated more often',
    null,
    many(10, i => syn(i, { up: [9, 540] })),
  ),
  d01(
    'packets with something in them',
    null,
    many(10, i => syn(i, { up: [8, 800] })),
  ),
  d01(
    'UDP to ten hosts',
    'high medium',
    many(10, i => udp(i, 30_000)),
  ),
  d01(
    'UDP to ports that are opened for answers',
    null,
    many(10, i => udp(i, 33_000)),
  ),
  d01(
    'a poller with dead targets',
    null,
    many(40, i => udp(i % 10, 161, 20 * i)),
  ),
  d01('UDP to ten hosts, one of them again', 'high medium', [
    ...many(10, i => udp(i, 161)),
    ...many(3, i => udp(0, 161, 20 + i)),
  ]),
  d01('a scanner outside that found a page', 'info high', [
    ...fromOutside,
    answered({ at: 200, from: -1, to: 1, port: 80 }),
  ]),
  d01('a scanner outside that found a service', 'medium high', [
    ...fromOutside,
    answered({ at: 200, from: -1, to: 1, port: 22, up: [4, 300] }),
  ]),
  d01('a scanner outside that saw a banner', 'info high', [
    ...fromOutside,
    answered({ at: 200, from: -1, to: 1, port: 22, up: [3, 200] }),
  ]),
]

// D02.
const third = [0, 0.03, -0.03]
const guess = (i: number, rest: Partial<Flow> = {}, every = 10): Flow => ({
  ...{ at: every * i, seconds: 15, from: -1, to: 1, port: 7777 },
  ...{ up: [12, 2000 * (1 + third[i % 3]!)], down: [14, 3000], ...rest },
})
const guessed = many(30, i => guess(i))
const success = (rest: Partial<Flow>): Flow =>
  answered({ ...{ at: 1900, seconds: 65, from: -1, to: 1, port: 22, up: [20, 2200] }, ...rest })
const varied = many(30, i => guess(i, { up: [[9, 12, 15][i % 3]!, 2000] }))
const lead = (i: number, at: number, spread = 0.03): Flow =>
  guess(0, { at, port: 443, up: [12, 2000 * (1 + (i % 3 === 0 ? 0 : i % 3 === 1 ? spread : -spread))] })
const unevenly = (i: number): number => 5 * i + [0, 4, 1][i % 3]!
const d02 = (name: string, found: string | null, flows: readonly Flow[]): Scenario =>
  scanning('D02-brute-force', name, found, flows)
const none = 'medium medium'
const sprayed = (
  name: string,
  found: string | null,
  sources: number,
  each: number,
  rest: Partial<Flow> = {},
): Scenario =>
  scanning(
    'D02-spray',
    name,
    found,
    many(sources * each, i => guess(i, { from: -1 - (i % sources), port: 22, ...rest })),
  )
const sprayedOver = (name: string, found: string | null, seconds: number): Scenario =>
  scanning(
    'D02-spray',
    name,
    found,
    many(30, i => guess(i, { at: 5 * i + (seconds / 9) * (i % 10), from: -1 - (i % 10), port: 22 })),
  )
const unlike = (name: string, found: string | null, of: (i: number) => Partial<Flow>): Scenario =>
  scanning(
    'D02-spray',
    name,
    found,
    many(60, i => guess(i, { from: -1 - (i % 10), port: 22, ...of(Math.floor(i / 10)) })),
  )
const spraying: Scenario[] = [
  sprayed('three guesses from each of ten sources', none, 10, 3),
  sprayed('three guesses from each of nine sources', null, 9, 3),
  sprayed('two guesses from each of ten sources', null, 10, 2),
  sprayed('19 guesses from each of ten sources', none, 10, 19),
  sprayed('20 guesses from each of ten sources', null, 10, 20),
  sprayed('three connections from each of ten sources, on a port where nobody logs in', null, 10, 3, { port: 8022 }),
  sprayed('three connections of 61 packets from each of ten sources', null, 10, 3, { up: [61, 8000] }),
  sprayed('three connections of six packets from each of ten sources', null, 10, 3, { up: [6, 800] }),
  sprayed('three connections of two minutes and more from each of ten sources', null, 10, 3, { seconds: 130 }),
  sprayedOver('ten sources within a day', none, 23 * 3600),
  sprayedOver('ten sources in more than a day', null, 25 * 3600),
  unlike('ten sources whose guesses differ in size', null, i => ({ up: [12, 2000 * [0.8, 1, 1.2][i % 3]!] })),
  unlike('ten sources whose answers differ', null, i => ({ down: [14, 3000 * [0.7, 1, 1.3][i % 3]!] })),
  unlike('ten sources that also look whether the port is open', none, i => (i % 2 === 0 ? {} : { up: [3, 2000] })),
  unlike('ten sources that guess, and work', none, i => (i % 2 === 0 ? {} : { up: [12, i === 1 ? 1000 : 3200] })),
]
const guessing: Scenario[] = [
  d02('30 connections that are alike', none, guessed),
  d02('29 connections', null, guessed.slice(1)),
  d02(
    '40 connections in 40 minutes',
    null,
    many(40, i => guess(i, {}, 60)),
  ),
  d02(
    'guesses among connections in which nothing was said',
    none,
    many(61, i => guess(i, { at: 5 * i, ...(i % 2 === 1 ? {} : { up: [3, 2000] }) })),
  ),
  d02(
    'connections of 61 packets',
    null,
    many(30, i => guess(i, { up: [61, 8000] })),
  ),
  d02(
    'connections of six packets',
    null,
    many(30, i => guess(i, { up: [6, 800] })),
  ),
  d02(
    'connections that differ in size',
    null,
    many(40, i => guess(i, { up: [12, 2000 * [0.8, 1, 1.2][i % 3]!] })),
  ),
  d02(
    'connections whose answers differ',
    null,
    many(40, i => guess(i, { down: [14, 3000 * [0.7, 1, 1.3][i % 3]!] })),
  ),
  d02(
    'connections of two minutes and more',
    null,
    many(30, i => guess(i, { seconds: 130 })),
  ),
  d02('guesses among others', none, [
    ...many(40, i => guess(i)),
    ...many(40, i => guess(i, { at: 10 * i + 5, up: [12, i % 2 === 0 ? 1000 : 3200] })),
  ]),
  d02('guesses, and browsing for hours after them', none, [
    ...many(200, i => guess(i, { at: 2 * i })),
    ...many(900, i => guess(i, { at: 2000 + 22 * i, up: [12, 2000 * [0.8, 1, 1.2][i % 3]!] })),
  ]),
  d02('guesses and a session', 'high high', [...guessed, success({})]),
  d02('guesses and a session too late', none, [...guessed, success({ at: 2200 })]),
  d02('guesses and a shorter session', none, [...guessed, success({ seconds: 50 })]),
  d02('guesses and a transfer', 'high high', [...guessed, success({ seconds: 20, up: [20, 7000] })]),
  d02('guesses and a smaller transfer', none, [...guessed, success({ seconds: 20, up: [20, 4000] })]),
  d02('guesses and one that only waits', none, [...guessed, success({ up: [15, 2200] })]),
  d02('guesses of several lengths and a session', 'high high', [...varied, success({ up: [25, 2200] })]),
  d02('guesses of several lengths and one like them', none, [...varied, success({ up: [19, 2200] })]),
  d02(
    '20 guesses in a day',
    none,
    many(20, i => guess(i, { port: 22 }, 4000)),
  ),
  d02(
    '19 guesses in a day',
    null,
    many(19, i => guess(i, { port: 22 }, 4000)),
  ),
  d02(
    '20 guesses in more than a day',
    null,
    many(20, i => guess(i, { port: 22 }, 4600)),
  ),
  d02(
    '30 requests that are alike',
    null,
    many(30, i => lead(i, unevenly(i))),
  ),
  d02(
    '100 requests that are alike',
    'low low',
    many(100, i => lead(i, unevenly(i))),
  ),
  d02(
    '60 requests that are alike',
    null,
    many(60, i => lead(i, unevenly(i))),
  ),
  d02(
    '100 requests that differ',
    null,
    many(100, i => lead(i, unevenly(i), 0.08)),
  ),
  d02(
    '100 requests by the clock',
    null,
    many(100, i => lead(i, 5 * i)),
  ),
  d02(
    '101 requests nearly by the clock',
    null,
    many(101, i => lead(i, Math.floor(8.5 * i))),
  ),
]

// D03. Other traffic shows that the starts are good to the second.
const toTheSecond = many(80, i => answered({ at: i, from: 1, to: 2, port: 80 }))
const regular = (count: number, every: number, jitter = 0, rest: Partial<Flow> = {}): Flow[] => {
  // Of three intervals one is the usual, one longer, one shorter: their median absolute deviation is the jitter.
  let at = 1000
  const beats = many(count, i => {
    at += Math.round(every * (1 + [0, jitter, -jitter][i % 3]!))
    return answered({ at, from: 1, to: -1, port: 4444, ...rest })
  })
  return [...toTheSecond, ...beats]
}
const highPeers = (count: number): Flow[] =>
  many(count, i => answered({ at: 7 * i, from: 1, to: -100 - i, port: 10_000 + i, up: [3, 200], down: [3, 200] }))
const others = (to: number, port: number): Flow[] => many(2, i => answered({ at: 30_000 + i, from: 3 + i, to, port }))
const d03 = (name: string, found: string | null, flows: readonly Flow[]): Scenario =>
  scanning('D03-beacon', name, found, flows)
const beacons: Scenario[] = [
  d03('20 connections five minutes apart', none, regular(20, 300, 0.1)),
  d03('ten connections', none, regular(10, 300, 0.1)),
  d03('nine connections', null, regular(9, 300, 0.1)),
  d03('25 connections that are less regular', none, regular(25, 300, 0.25)),
  d03('15 connections that are less regular', null, regular(15, 300, 0.25)),
  d03('25 connections at will', null, regular(25, 300, 0.5)),
  d03('15 connections 20 s apart', null, regular(15, 20)),
  d03('15 connections 100 s apart', none, regular(15, 100)),
  d03('20 connections 3 s apart', null, regular(20, 3)),
  d03('25 connections 4 s apart', none, regular(25, 4)),
  d03('40 connections 2 s apart', null, regular(40, 2, 0, { seconds: 0 })),
  d03('connections that last for most of the time', null, regular(20, 300, 0, { seconds: 180 })),
  d03('connections that last for a tenth of the time', none, regular(20, 300, 0, { seconds: 30 })),
  d03('a peer that three hosts of ours use', null, [...regular(20, 300), ...others(-1, 4444)]),
  d03('a peer of a peer-to-peer network', null, [...regular(20, 300), ...highPeers(60)]),
  d03('a host that uses some high ports', none, [...regular(20, 300), ...highPeers(10)]),
  d03('a page that is asked for', 'low low', regular(20, 300, 0, { port: 443 })),
  d03('a page that is asked for a few times', 'info low', regular(12, 300, 0, { port: 443 })),
  d03('the time', null, regular(20, 300, 0, { port: 123, protocol: 17 })),
]

// D04. The evidence begins with the other scenarios; an hour later a peer is new.
const sent = (out: number, back: number, at = 7200): Flow => ({
  at,
  seconds: 60,
  from: 1,
  to: -1,
  port: 8889,
  up: [1e5, out],
  down: [1e4, back],
})
const d04 = (name: string, found: string | null, flows: readonly Flow[]): Scenario =>
  scanning('D04-outbound-volume', name, found, flows)
const volumes: Scenario[] = [
  d04('150 MB to a new peer', 'high medium', [sent(150e6, 5e6)]),
  d04('50 MB', null, [sent(50e6, 1e6)]),
  d04('150 MB both ways', null, [sent(150e6, 50e6)]),
  d04('600 MB', 'high high', [sent(600e6, 5e6)]),
  d04('a peer that three hosts of ours use', null, [sent(150e6, 5e6), ...others(-1, 8889)]),
  d04('a peer that was there before', null, [sent(150e6, 5e6, 1800)]),
  d04('a peer that was there a little before', null, [sent(150e6, 5e6, 3300)]),
]

// D07.
const flip = (wait: number, bytes = 5000, from = -1, after = 0): Flow[] => [
  ...many(3, i => rejected(after + i, from, 1, 8081)),
  answered({ at: after + 2 + wait, from, to: 1, port: 8081, up: [20, bytes], down: [20, bytes] }),
]
const d07 = (name: string, found: string | null, flows: readonly Flow[]): Scenario =>
  scanning('D07-rejected-then-accepted', name, found, flows)
const flipped: Scenario[] = [
  d07('a client that is let through after three rejections', none, flip(600)),
  d07('a client that is let through after two', null, flip(600).slice(1)),
  d07('a client that is let through hours later', 'low medium', flip(3 * 3600)),
  d07('a client that is let through a day later', null, flip(25 * 3600)),
  d07('a client that gets much', 'high medium', flip(600, 12_000)),
  d07(
    'three clients at once',
    'info medium',
    many(3, i => flip(600, 5000, -1 - i, 50 * i)),
  ),
  d07('a client that was let through before', null, [
    answered({ at: 0, from: -1, to: 1, port: 8081 }),
    ...flip(600).map(one => ({ ...one, at: one.at + 60 })),
  ]),
  d07(
    'two clients at once, and one later',
    'medium medium',
    many(3, i => flip(600, 5000, -1 - i, 300 * i)),
  ),
]

// D08.
const session = (seconds: number, perMinute: number, rest: Partial<Flow> = {}): Flow => {
  const packets = Math.round((seconds * perMinute) / 60)
  return answered({
    at: 100,
    seconds,
    from: 1,
    to: -1,
    port: 4446,
    up: [packets, 80 * packets],
    down: [packets, 150 * packets],
    ...rest,
  })
}
const inward = { from: -1, to: 1, port: 22 }
const d08 = (name: string, found: string | null, flows: readonly Flow[]): Scenario =>
  scanning('D08-long-session', name, found, flows)
const held: Scenario[] = [
  d08('somebody who works by SSH from outside', 'info medium', [session(600, 30, inward)]),
  d08('a command by SSH from outside', null, [session(60, 30, inward)]),
  d08('20 minutes at the pace of a person', 'low medium', [session(1200, 10)]),
  d08('ten minutes', null, [session(600, 10)]),
  d08('20 minutes at a slow pace', 'low medium', [session(1200, 5)]),
  d08('20 minutes of keep-alives', null, [session(1200, 0.5)]),
  d08('20 minutes at the pace of a machine', null, [session(1200, 100)]),
  d08('20 minutes of uploading', null, [session(1200, 10, { up: [200, 100_000] })]),
  d08('20 minutes of downloading', null, [session(1200, 10, { down: [200, 200_000] })]),
  d08('a connection of more than eight hours', 'low medium', [session(30_000, 600)]),
  d08('a connection of an hour', null, [session(4000, 600)]),
  d08('20 minutes with a page', null, [session(1200, 10, { port: 443 })]),
  d08('a peer that three hosts of ours use', null, [session(1200, 10), ...others(-1, 4446)]),
]

// D09.
const odd = (rest: Partial<Flow> = {}): Flow =>
  answered({ at: 100, from: 1, to: -1, port: 48_888, up: [20, 6000], down: [20, 6000], ...rest })
const little = many(3, i => odd({ at: 100 + i, up: [4, 100], down: [4, 100] }))
const d09 = (name: string, found: string | null, flows: readonly Flow[]): Scenario =>
  scanning('D09-non-standard-port', name, found, flows)
const oddPorts: Scenario[] = [
  d09('12 kB on a port without a service', 'low medium', [odd()]),
  d09('5 kB', null, [odd({ up: [20, 2500], down: [20, 2500] })]),
  d09('three small connections', 'low medium', little),
  d09('one small connection', null, little.slice(2)),
  d09('a registered port', null, [odd({ port: 8443 })]),
  d09('a peer that three hosts of ours use', null, [odd(), ...others(-1, 48_888)]),
  d09('a host in a peer-to-peer network', null, [odd(), ...highPeers(60)]),
  d09('a host that uses some high ports', 'low medium', [
    odd(),
    ...many(10, i => answered({ at: 7 * i, from: 1, to: -100 - i, port: 8443 })),
  ]),
  d09('ends of whom nobody knows who called', null, [odd({ flags: [0, 0], port: 48_889 })]),
]

// D18.
const d18 = (name: string, found: string | null, flows: readonly Flow[]): Scenario =>
  scanning('D18-exposed-service', name, found, flows)
const exposing: Scenario[] = [
  d18('a database that somebody outside speaks to', 'medium high', [
    answered({ at: 100, from: -1, to: 1, port: 5432 }),
  ]),
  d18('a database that somebody outside looks at', null, [
    answered({ at: 100, from: -1, to: 1, port: 5432, up: [3, 200], down: [3, 200] }),
  ]),
  d18('a page', null, [answered({ at: 100, from: -1, to: 1, port: 443 })]),
  d18('a database that a host of ours uses', null, [answered({ at: 100, from: 2, to: 1, port: 5432 })]),
]

export const scenarios: readonly Scenario[] = [
  ...scans,
  ...guessing,
  ...spraying,
  ...beacons,
  ...volumes,
  ...flipped,
  ...held,
  ...oddPorts,
  ...exposing,
]
