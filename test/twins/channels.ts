/** D03 beacons, D09 odd ports, D10 new peers, D11 DNS, D12 shells that call back, and what looks like them. */
import { everySeconds, many, type Scenario, type Stage, type View } from './stage.ts'
import { type Connection, protocols } from './traffic.ts'

/** A port that IANA has no service for, and that does not tell what uses it. */
const oddPort = (stage: Stage): number => stage.chance.pick([50_443, 51_515, 54_321, 60_606, 61_234])

/** Nothing that repeats faster than three intervals can be told from what is held open. */
const tooFast =
  (seconds: number) =>
  ({ interval }: View): string | null =>
    seconds < 3.2 * interval ? `a beacon of ${seconds} s is faster than three intervals of ${interval} s` : null

function beacon(name: string, seconds: number, span: readonly [number, number], ports: readonly number[]): Scenario {
  return {
    name,
    rule: 'D03',
    hidden: tooFast(seconds),
    make(stage) {
      const [actor, target] = [stage.host(), stage.outside()]
      const port = stage.chance.pick(ports)
      const jitter = stage.chance.pick([0.02, 0.1, 0.2])
      const flows = everySeconds(stage, stage.hour(span[0]), stage.hour(span[1]), seconds, jitter).map(at =>
        stage.flow(
          { at, from: actor, to: target, port },
          { seconds: 1.2, up: [9, 1300 + stage.chance.int(-30, 30)], down: [8, 2100 + stage.chance.int(-200, 200)] },
        ),
      )
      return { flows, attack: { rules: ['D03'], actors: [actor], targets: [target], flows }, benign: [] }
    },
  }
}

const beacons: Scenario[] = [
  beacon('a beacon every five minutes', 300, [2, 12], [443, 8443, 4443]),
  beacon('a beacon every quarter of an hour', 900, [2, 24], [443, 8088, 4443]),
  beacon('a beacon every 45 minutes', 2700, [1.2, 25.5], [443, 8088, 4443]),
  beacon('a beacon every 20 seconds', 20, [5, 7], [443, 8443]),
]

/** Something that many hosts do at regular times. */
function regular(
  name: string,
  count: number,
  seconds: number,
  flow: (stage: Stage, ends: { at: number; from: string; to: string }) => Connection,
): Scenario {
  return {
    name,
    rule: 'D03',
    twinOf: 'a beacon every quarter of an hour',
    make(stage) {
      const [hosts, servers] = [stage.hosts(count), stage.outsiders(2)]
      const flows = hosts.flatMap(from =>
        everySeconds(stage, stage.chance.int(10, 900), stage.hour(25), seconds, 0.02).map((at, i) =>
          flow(stage, { at, from, to: servers[i % servers.length]! }),
        ),
      )
      return { flows, benign: [...hosts, ...servers] }
    },
  }
}

const beaconTwins: Scenario[] = [
  regular('time from the internet', 6, 1024, (stage, ends) =>
    stage.flow(
      { ...ends, port: 123 },
      { protocol: protocols.udp, sourcePort: 123, seconds: 0.1, up: [1, 76], down: [1, 76] },
    ),
  ),
  regular('agents of a monitoring service', 5, 600, (stage, ends) =>
    stage.flow({ ...ends, port: 443 }, { up: [14, 5200], down: [10, 4100] }),
  ),
  regular('a host that calls an AWS service', 4, 900, (stage, ends) =>
    stage.flow({ ...ends, port: 443 }, { up: [12, 2600], down: [12, 7000], service: 'EC2' }),
  ),
  {
    name: 'checks of an internal page from outside',
    rule: 'D03',
    twinOf: 'a beacon every quarter of an hour',
    make(stage) {
      const [server, checkers] = [stage.host(), stage.outsiders(3)]
      const flows = checkers.flatMap(from =>
        everySeconds(stage, stage.chance.int(0, 300), stage.hour(25), 300, 0.01).map(at =>
          stage.flow({ at, from, to: server, port: 443 }, { seconds: 0.3, up: [10, 1200], down: [9, 5000] }),
        ),
      )
      return { flows, benign: [server, ...checkers] }
    },
  },
]

const guessedRole = ({ format }: View): string | null =>
  format === 'flags' ? null : 'without flags nobody knows which of two high ports is the server’s'

const oddPorts: Scenario[] = [
  {
    name: 'a channel out on an odd port',
    rule: 'D09',
    hidden: guessedRole,
    make(stage) {
      const [actor, target, port] = [stage.host(), stage.outside(), oddPort(stage)]
      const at = stage.hour(5, 18)
      const flows = many(stage.chance.int(8, 14), i =>
        stage.flow(
          { at: at + i * stage.about(500, 0.9), from: actor, to: target, port },
          { up: [60, 30_000], down: [50, 26_000] },
        ),
      )
      return { flows, attack: { rules: ['D09'], actors: [actor], targets: [target], flows }, benign: [] }
    },
  },
  {
    name: 'FTP with its data connections',
    rule: 'D09',
    twinOf: 'a channel out on an odd port',
    make(stage) {
      const [client, server] = [stage.host(), stage.outside()]
      const at = stage.hour(5, 18)
      const flows = many(4, i => {
        const begin = at + 1200 * i
        return [
          stage.flow(
            { at: begin, from: client, to: server, port: 21 },
            { seconds: 200, up: [60, 4000], down: [60, 6000] },
          ),
          ...many(5, n =>
            stage.flow(
              { at: begin + 10 + 20 * n, from: client, to: server, port: stage.chance.int(50_000, 51_000) },
              { seconds: 8, up: [60, 3200], down: [120, 160_000] },
            ),
          ),
        ]
      }).flat()
      return { flows, benign: [client, server] }
    },
  },
  {
    name: 'peer-to-peer with living peers',
    rule: 'D09',
    twinOf: 'a channel out on an odd port',
    make(stage) {
      const { chance } = stage
      const [host, peers] = [stage.host(), stage.outsiders(110)]
      const at = stage.hour(3, 12)
      const flows = peers.map((to, i) =>
        stage.flow(
          {
            at: at + chance.int(0, 7000),
            from: i % 3 === 0 ? to : host,
            to: i % 3 === 0 ? host : to,
            port: i % 3 === 0 ? 51_413 : chance.int(10_000, 60_000),
          },
          {
            protocol: chance.maybe(0.5) ? protocols.udp : protocols.tcp,
            ...{
              seconds: chance.int(30, 400),
              up: [chance.int(30, 400), 60_000],
              down: [chance.int(30, 900), 400_000],
            },
          },
        ),
      )
      return { flows, benign: [host, ...peers] }
    },
  },
]

const newPeers: Scenario[] = [
  {
    name: 'a new peer that data goes to',
    rule: 'D10',
    make(stage) {
      const [actor, target] = [stage.host(), stage.outside()]
      const known = stage.outsiders(3)
      const usual = everySeconds(stage, 100, stage.hour(25), 2400, 0.5).map(at =>
        stage.visit({ at, from: actor, to: stage.chance.pick(known) }),
      )
      const at = stage.hour(14, 20)
      const flows = many(12, i =>
        stage.flow(
          { at: at + i * 260, from: actor, to: target, port: 8889 },
          { seconds: 200, up: [60_000, 80_000_000], down: [20_000, 1_100_000] },
        ),
      )
      return {
        flows: [...usual, ...flows],
        attack: { rules: ['D10', 'D04'], actors: [actor], targets: [target], flows },
        benign: [],
      }
    },
  },
  {
    name: 'addresses of a CDN that change all day',
    rule: 'D10',
    twinOf: 'a new peer that data goes to',
    make(stage) {
      const [hosts, edges] = [stage.hosts(5), stage.outsiders(160)]
      const flows = hosts.flatMap(from =>
        everySeconds(stage, 200, stage.hour(25), 900, 0.7).map(at =>
          stage.visit({ at, from, to: stage.chance.pick(edges) }),
        ),
      )
      return { flows, benign: [...hosts, ...edges] }
    },
  },
]

const names: Scenario[] = [
  {
    name: 'a tunnel in questions to a name server',
    rule: 'D11',
    make(stage) {
      const { chance } = stage
      const [actor, target] = [stage.host(), stage.outside()]
      const at = stage.hour(4, 20)
      const flows = many(chance.int(1500, 2000), i =>
        stage.ask({ at: at + i * 0.5, from: actor, to: target, port: 53 }, chance.int(170, 240), chance.int(180, 320)),
      )
      return { flows, attack: { rules: ['D11'], actors: [actor], targets: [target], flows }, benign: [] }
    },
  },
  {
    name: 'a tunnel of 20 MB in questions of a day',
    rule: 'D11',
    make(stage) {
      const [actor, target] = [stage.host(), stage.outside()]
      const flows = everySeconds(stage, stage.hour(3), stage.hour(22), 300, 0.3).map(at =>
        stage.flow(
          { at, from: actor, to: target, port: 53 },
          { protocol: protocols.udp, seconds: 100, up: [600, 110_000], down: [600, 150_000] },
        ),
      )
      return { flows, attack: { rules: ['D11'], actors: [actor], targets: [target], flows }, benign: [] }
    },
  },
  {
    name: 'a host that asks a name server of its own choice',
    rule: 'D11',
    make(stage) {
      const [actor, target] = [stage.host(), stage.outside()]
      const flows = everySeconds(stage, stage.hour(3), stage.hour(12), 180, 0.9).map(at =>
        stage.ask({ at, from: actor, to: target, port: 53 }),
      )
      // It was there before, and visited pages.
      const page = stage.outside()
      const usual = many(4, i => stage.visit({ at: 200 + 5000 * i, from: actor, to: page }))
      return {
        flows: [...usual, ...flows],
        attack: { rules: ['D11'], actors: [actor], targets: [target], flows, minSeverity: 'info' },
        benign: [],
      }
    },
  },
  {
    name: 'a recursive name server of our own',
    rule: 'D11',
    twinOf: 'a tunnel in questions to a name server',
    make(stage) {
      const { chance } = stage
      const [resolver, ...clients] = stage.hosts(9) as [string, ...string[]]
      const [servers, dead] = [stage.outsiders(220), stage.outsiders(16)]
      const [from, to] = [stage.hour(4), stage.hour(6)]
      const flows = everySeconds(stage, from, to, 20, 0.9).flatMap(at => [
        stage.ask({ at, from: chance.pick(clients), to: resolver, port: 53 }),
        ...many(chance.int(1, 2), i =>
          stage.ask({ at: at + 0.1 * (i + 1), from: resolver, to: chance.pick(servers), port: 53 }),
        ),
      ])
      const silent = dead.flatMap(server =>
        many(chance.int(1, 3), () =>
          stage.flow(
            { at: from + chance.int(0, to - from), from: resolver, to: server, port: 53 },
            { protocol: protocols.udp, seconds: 3, up: [2, 140], down: [0, 0] },
          ),
        ),
      )
      return { flows: [...flows, ...silent], benign: [resolver, ...clients, ...servers] }
    },
  },
]

const shells: Scenario[] = [
  {
    name: 'a shell that calls back after a request from outside',
    rule: 'D12',
    hidden: guessedRole,
    make(stage) {
      const { chance } = stage
      const [actor, attacker, port] = [stage.host(), stage.outside(), oddPort(stage)]
      const visitors = stage.outsiders(12)
      const usual = everySeconds(stage, 100, stage.hour(25), 1500, 0.6).map(at =>
        stage.visit({ at, from: chance.pick(visitors), to: actor }, { port: 80 }),
      )
      const at = stage.hour(6, 18)
      const exploit = many(3, i =>
        stage.flow({ at: at - 60 + 15 * i, from: attacker, to: actor, port: 80 }, { up: [9, 3200], down: [8, 1500] }),
      )
      const minutes = chance.int(40, 90)
      const packets = minutes * chance.int(12, 30)
      const shell = stage.flow(
        { at, from: actor, to: attacker, port },
        { seconds: 60 * minutes, up: [packets, packets * 300], down: [packets, packets * 75] },
      )
      return {
        flows: [...usual, ...exploit, shell],
        attack: { rules: ['D12'], actors: [actor, attacker], targets: [actor, attacker], flows: [shell] },
        benign: visitors,
      }
    },
  },
  {
    name: 'a CI runner',
    rule: 'D12',
    twinOf: 'a shell that calls back after a request from outside',
    make(stage) {
      const [runners, service] = [stage.hosts(3), stage.outsiders(3)]
      const flows = runners.flatMap(from => [
        // It waits for work in requests that last for a minute, and sends what the work prints.
        ...everySeconds(stage, 60, stage.hour(25), 52, 0.02)
          .filter((_, i) => i % 12 === 0)
          .map(at =>
            stage.flow({ at, from, to: service[0]!, port: 443 }, { seconds: 50, up: [10, 2600], down: [9, 3100] }),
          ),
        ...many(10, i =>
          stage.flow(
            { at: stage.hour(2) + 5000 * i, from, to: service[1 + (i % 2)]!, port: 443 },
            { seconds: 300, up: [700, 420_000], down: [4000, 5_000_000] },
          ),
        ),
      ])
      return { flows, benign: [...runners, ...service] }
    },
  },
  {
    name: 'an agent that loads updates',
    rule: 'D12',
    twinOf: 'a shell that calls back after a request from outside',
    make(stage) {
      const [hosts, mirror] = [stage.hosts(2), stage.outsiders(2)]
      const flows = hosts.flatMap((from, i) =>
        many(3, n =>
          stage.flow(
            { at: stage.hour(5 + 6 * n + i), from, to: mirror[n % 2]!, port: n % 2 === 0 ? 80 : 443 },
            { seconds: 180, up: [6000, 330_000], down: [30_000, 42_000_000] },
          ),
        ),
      )
      return { flows, benign: [...hosts, ...mirror] }
    },
  },
]

export const channelScenarios: readonly Scenario[] = [
  ...beacons,
  ...beaconTwins,
  ...oddPorts,
  ...newPeers,
  ...names,
  ...shells,
]
