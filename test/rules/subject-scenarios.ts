/**
 * Traffic of subjects that rules are tried on, as lines of flow logs: what a dossier must tell, and its benign twin, which it must pass
 * over. A twin differs in one thing, on the other side of one threshold.
 */

/** A connection: packets and bytes each way, `at` seconds from the beginning. */
export interface Flow {
  at: number
  seconds: number
  port: number
  /** Packets and bytes of the client, and of the server. */
  up: readonly [packets: number, bytes: number]
  down?: readonly [packets: number, bytes: number]
  /** Which of several servers, from zero on. */
  host?: number
  /** Seconds by which the client's record begins after the server's. */
  late?: number
  /** Sent to a security group that rejected it. */
  isRejected?: boolean
}

export interface Scenario {
  rule: string
  name: string
  /** Severity, confidence and what the finding says; null where nothing is to be found. */
  found: { levels: string; says?: RegExp } | null
  /** Whether the client is inside, and the server outside. */
  outward?: boolean
  /** Both ends are inside. */
  inward?: boolean
  /** A log without TCP flags: the roles are guesses. */
  unsure?: boolean
  flows: readonly Flow[]
}

const begin = 1_695_921_600
const fields =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'

export const headers = { sure: `${fields} tcp-flags`, unsure: fields }

/** The two ends of a scenario, of which no other scenario knows. */
export function ends(scenario: Scenario, index: number): { client: string; server: string } {
  const [inside, outside] = [`10.1.${index}.9`, `198.51.100.${index + 1}`]
  if (scenario.inward) return { client: `10.2.${index}.9`, server: inside }
  return scenario.outward ? { client: inside, server: outside } : { client: outside, server: inside }
}

/** The lines of a log that has the scenario's traffic: a record a minute and direction, as flow logs have it. */
export function linesOf(scenario: Scenario, index: number): string[] {
  const { client, server: first } = ends(scenario, index)
  return scenario.flows.flatMap((flow, n) => {
    const { at, seconds, port, up, down = [0, 0], host = 0, late = 0, isRejected = false } = flow
    const server = host === 0 ? first : first.replace(/\d+$/, last => `${Number(last) + host}`)
    const minutes = Math.max(1, Math.ceil(seconds / 60))
    const sport = 30_000 + n
    const lines: string[] = []
    for (let minute = 0; minute < minutes; minute++) {
      const from = begin + at + minute * 60
      const to = begin + at + Math.min(seconds, minute * 60 + 59 + (minute === minutes - 1 ? 1 : 0))
      const share = (sum: number): number =>
        Math.floor((sum * (minute + 1)) / minutes) - Math.floor((sum * minute) / minutes)
      const record = (
        ways: string,
        [packets, bytes]: readonly [number, number],
        flags: number,
        after: number,
      ): void => {
        if (share(packets) === 0) return
        const tail = scenario.unsure ? '' : ` ${minute === 0 ? flags : 0}`
        lines.push(
          `5 1 eni-${index} ${ways} 6 ${share(packets)} ${share(bytes)} ${from + after} ${to} ${isRejected ? 'REJECT' : 'ACCEPT'} OK${tail}`,
        )
      }
      record(`${client} ${server} ${sport} ${port}`, up, 2, late)
      record(`${server} ${client} ${port} ${sport}`, down, 18, 0)
    }
    return lines
  })
}

/** Connections one after the other, `every` seconds. */
function many(count: number, every: number, flow: (i: number) => Omit<Flow, 'at'> & { at?: number }): Flow[] {
  return Array.from({ length: count }, (_, i) => ({ at: i * every, ...flow(i) }))
}

/** Guesses at a service of which nothing is known: 30 s each, 12 packets of some 2,000 bytes that differ by 5 %. */
function guesses(count: number, every = 15, more: (i: number) => Partial<Flow> = () => ({})): Flow[] {
  return many(count, every, i => ({
    ...{ seconds: 30, port: 7777, up: [12, 2000 + 100 * ((i % 3) - 1)] as const, down: [10, 2500] as const },
    ...more(i),
  }))
}

/** Requests of a web server, at no regular intervals. */
function pages(count: number, sizes = [0.93, 1, 1.07]): Flow[] {
  return guesses(count, 15, i => ({
    ...{ at: 15 * i + [0, 8, 2][i % 3]!, port: 80, up: [12, 2000 * sizes[i % 3]!] },
  }))
}

const lasts = (seconds: number, up: readonly [number, number], at: number): Flow => ({
  ...{ at, seconds, port: 7777 },
  ...{ up, down: [40, 5000] },
})
const session = (seconds: number, packets: number, bytes: number, at = 700): Flow =>
  lasts(seconds, [packets, bytes], at)

const medium = { levels: 'medium medium', says: /No longer session followed/ }
const success = { levels: 'high high', says: /A session of .* followed at .*larger than any guess/ }

const bruteForce: Omit<Scenario, 'rule'>[] = [
  { name: '30 guesses', found: medium, flows: guesses(30) },
  { name: '29 guesses', found: null, flows: guesses(29) },
  {
    name: '30 guesses over ten minutes',
    found: { ...medium, says: /opened 30 short connections.*up to 30 within 15 min/ },
    flows: guesses(30, 20),
  },
  // A window lies anywhere on the clock, and its end is not in it.
  ...[0, 300, 600].map(
    (later): Omit<Scenario, 'rule'> => ({
      name: `30 guesses within 15 minutes, ${later} s later`,
      found: { ...medium, says: /opened 30 short connections/ },
      flows: guesses(30, 31).map(flow => ({ ...flow, at: flow.at + later })),
    }),
  ),
  {
    name: '30 guesses, the last of which begins 15 minutes after the first',
    found: null,
    flows: [...guesses(29, 31), ...guesses(1).map(flow => ({ ...flow, at: 900 }))],
  },
  { name: '30 guesses outward', outward: true, found: { levels: 'high medium' }, flows: guesses(30) },
  { name: 'guesses every half minute for half an hour', found: medium, flows: guesses(60, 30) },
  { name: 'connections every 40 s for an hour', found: null, flows: guesses(90, 40) },
  { name: 'guesses of 4 packets', found: medium, flows: guesses(30, 15, () => ({ up: [4, 2000] })) },
  { name: 'connections of 3 packets', found: null, flows: guesses(30, 15, () => ({ up: [3, 2000] })) },
  { name: 'guesses of 60 packets', found: medium, flows: guesses(30, 15, () => ({ up: [60, 8000] })) },
  { name: 'downloads of 61 packets', found: null, flows: guesses(30, 15, () => ({ up: [61, 8000] })) },
  {
    name: 'requests whose sizes differ by a fifth',
    found: null,
    flows: guesses(40, 15, i => ({ up: [12, i % 2 === 0 ? 1620 : 2380] })),
  },
  { name: 'guesses of 120 s', found: medium, flows: guesses(30, 15, () => ({ seconds: 120 })) },
  { name: 'sessions of 190 s', found: null, flows: guesses(30, 15, () => ({ seconds: 190 })) },
  {
    name: '29 guesses among connections of twice the size',
    found: null,
    flows: guesses(33, 12, i => (i % 7 === 6 ? { up: [12, 4000] } : {})),
  },
  {
    name: '160 guesses, then browsing of the same size',
    found: { levels: 'medium medium', says: /opened 160 short connections/ },
    flows: [...guesses(160, 5), ...guesses(36, 25).map(flow => ({ ...flow, at: flow.at + 2000 }))],
  },
  { name: 'a session of a minute after them', found: success, flows: [...guesses(30), session(60, 17, 3000)] },
  { name: 'a session of 50 s after them', found: medium, flows: [...guesses(30), session(50, 20, 3000)] },
  { name: 'a short session of 7,000 bytes', found: success, flows: [...guesses(30), session(20, 20, 7000)] },
  { name: 'a session with 4 packets more', found: medium, flows: [...guesses(30), session(70, 16, 3000)] },
  {
    name: 'a session beyond three deviations',
    found: success,
    flows: [...guesses(30, 15, i => ({ up: [i % 2 === 0 ? 9 : 15, 2000] })), session(70, 21, 3000)],
  },
  {
    name: 'a session within three deviations',
    found: medium,
    flows: [...guesses(30, 15, i => ({ up: [i % 2 === 0 ? 9 : 15, 2000] })), session(70, 20, 3000)],
  },
  { name: 'a session 29 minutes later', found: success, flows: [...guesses(30), session(70, 20, 3000, 2200)] },
  { name: 'a session 32 minutes later', found: medium, flows: [...guesses(30), session(70, 20, 3000, 2400)] },
  {
    name: 'guesses of unknown roles',
    unsure: true,
    found: { levels: 'medium low' },
    flows: guesses(30, 15, i => ({ port: 22, late: i % 2 === 0 ? 5 : 0 })),
  },
  { name: 'pages of a web server', found: { levels: 'low low' }, flows: pages(30) },
  { name: 'pages whose sizes differ by a fifth', found: null, flows: pages(30, [0.8, 1, 1.2]) },
  { name: 'a page that a clock asks for', found: null, flows: guesses(30, 15, () => ({ port: 80 })) },
]

const closed = (count: number, more: Partial<Flow> = {}): Flow[] =>
  many(count, 5, i => ({ seconds: 1, port: 100 + i, up: [1, 44], ...more }))
const closedPortProbe: Omit<Scenario, 'rule'>[] = [
  { name: '3 closed ports', found: { levels: 'low medium' }, flows: closed(3) },
  { name: '2 closed ports', found: null, flows: closed(2) },
  { name: '9 closed ports', found: { levels: 'low medium' }, flows: closed(9, { isRejected: true }) },
  { name: '10 closed ports', found: { levels: 'medium high' }, flows: closed(10) },
  {
    name: 'three closed ports within twenty days',
    found: { levels: 'low medium' },
    flows: closed(3).map((flow, i) => ({ ...flow, at: i * 10 * 86_400 })),
  },
  {
    name: 'three closed ports in forty days',
    found: null,
    flows: closed(3).map((flow, i) => ({ ...flow, at: i * 20 * 86_400 })),
  },
  {
    name: 'a closed port on each of three hosts',
    found: { levels: 'low medium', says: /on 3 ports/ },
    flows: closed(3).map((flow, host) => ({ ...flow, host })),
  },
  {
    name: 'a closed port on each of two hosts',
    found: null,
    flows: closed(2).map((flow, host) => ({ ...flow, host })),
  },
  { name: '10 open ports', found: null, flows: closed(10, { up: [5, 400], down: [5, 800] }) },
]

const held = (port: number, seconds: number, up: [number, number], down: [number, number]): Flow[] => [
  { at: 0, seconds, port, up, down },
]
const interactiveSession: Omit<Scenario, 'rule'>[] = [
  { name: 'three minutes of SSH', found: { levels: 'high high' }, flows: held(22, 180, [60, 6000], [50, 9000]) },
  { name: 'two minutes and a half of SSH', found: null, flows: held(22, 150, [60, 6000], [50, 9000]) },
  {
    name: 'a quarter of an hour and a minute elsewhere',
    found: { levels: 'medium medium' },
    flows: held(4444, 960, [200, 20_000], [150, 30_000]),
  },
  { name: '15 minutes elsewhere', found: null, flows: held(4444, 900, [200, 20_000], [150, 30_000]) },
  { name: 'two packets a minute', found: { levels: 'medium medium' }, flows: held(4444, 960, [32, 3000], [32, 3000]) },
  { name: 'three packets in four minutes', found: null, flows: held(4444, 960, [12, 1200], [12, 1200]) },
  {
    name: '50 packets a minute',
    found: { levels: 'medium medium' },
    flows: held(4444, 960, [800, 80_000], [800, 80_000]),
  },
  { name: '70 packets a minute', found: null, flows: held(4444, 960, [1120, 80_000], [1120, 80_000]) },
  {
    name: 'keystrokes of 190 bytes',
    found: { levels: 'medium medium' },
    flows: held(4444, 960, [200, 38_000], [200, 38_000]),
  },
  { name: 'an upload of 210 bytes a packet', found: null, flows: held(4444, 960, [200, 42_000], [200, 38_000]) },
  {
    name: 'a screen of 390 bytes a packet',
    found: { levels: 'medium medium' },
    flows: held(4444, 960, [200, 20_000], [200, 78_000]),
  },
  { name: 'a download of 410 bytes a packet', found: null, flows: held(4444, 960, [200, 20_000], [200, 82_000]) },
  {
    name: 'SSH of unknown roles',
    unsure: true,
    found: { levels: 'high medium' },
    flows: held(22, 180, [60, 6000], [50, 9000]),
  },
]

const moved = (port: number, up: number, down: number): Flow[] => [
  { at: 0, seconds: 50, port, up: [Math.ceil(up / 1000), up], down: [Math.ceil(down / 1000), down] },
]
const sure = { levels: 'high high' }
const likely = { levels: 'medium medium' }
const dataPushedOut: Omit<Scenario, 'rule'>[] = [
  { name: 'a megabyte out', outward: true, found: likely, flows: moved(8889, 1_000_000, 50_000) },
  { name: '900 kB out', outward: true, found: null, flows: moved(8889, 900_000, 50_000) },
  { name: '100 MB out', outward: true, found: sure, flows: moved(8889, 100_000_000, 5_000_000) },
  { name: '90 MB out', outward: true, found: likely, flows: moved(8889, 90_000_000, 5_000_000) },
  { name: 'three times as much out as in', outward: true, found: likely, flows: moved(8889, 3_000_000, 1_000_000) },
  { name: 'twice as much out as in', outward: true, found: null, flows: moved(8889, 3_000_000, 1_500_000) },
  {
    name: '200 MB out, nine times as much as in',
    outward: true,
    found: sure,
    flows: moved(8889, 200_000_000, 22_000_000),
  },
  {
    name: '200 MB out, seven times as much as in',
    outward: true,
    found: likely,
    flows: moved(8889, 200_000_000, 28_500_000),
  },
  { name: 'an upload to an approved port', outward: true, found: null, flows: moved(443, 100_000_000, 5_000_000) },
  { name: 'the same within the network', inward: true, found: null, flows: moved(8889, 100_000_000, 5_000_000) },
  {
    name: '100 MB out, of unknown roles',
    outward: true,
    unsure: true,
    found: { levels: 'high medium' },
    flows: moved(8889, 100_000_000, 5_000_000),
  },
]

const served = { levels: 'medium high' }
const dataServed: Omit<Scenario, 'rule'>[] = [
  { name: '10 MB of answers', found: served, flows: moved(443, 100_000, 10_000_000) },
  { name: '9 MB of answers', found: null, flows: moved(443, 100_000, 9_000_000) },
  { name: 'twice as much answered as asked', found: served, flows: moved(443, 6_000_000, 12_000_000) },
  { name: 'nearly as much asked as answered', found: null, flows: moved(443, 11_000_000, 12_000_000) },
  { name: 'the same within the network', inward: true, found: null, flows: moved(443, 100_000, 100_000_000) },
  {
    name: '10 MB of answers, of unknown roles',
    unsure: true,
    found: { levels: 'medium medium' },
    flows: moved(443, 100_000, 10_000_000),
  },
]

const firstContact: Omit<Scenario, 'rule'>[] = [
  {
    name: 'the earliest of two services',
    found: { levels: 'info high', says: /:23 \(unanswered\)/ },
    flows: [...moved(443, 5000, 5000).map(flow => ({ ...flow, at: 100 })), ...closed(1, { port: 23 })],
  },
  { name: 'a subject without a record', found: null, flows: [] },
]

export const scenarios: readonly Scenario[] = Object.entries({
  'D10-first-contact': firstContact,
  'D01-scan': closedPortProbe,
  'D02-brute-force': bruteForce,
  'D08-long-session': interactiveSession,
  'D04-outbound-volume': dataPushedOut,
  'D04-data-served': dataServed,
}).flatMap(([rule, all]) => all.map(scenario => ({ rule, ...scenario })))
