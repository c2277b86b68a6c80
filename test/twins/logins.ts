/** D02 guesses, D05 fan-out, D07 rejected then accepted, D08 sessions, D18 exposed services, and what looks like them. */
import { everySeconds, many, type Scenario, type Stage } from './stage.ts'
import { type Connection, protocols } from './traffic.ts'

/** One log-in that failed: sizes differ by a few bytes. */
function guess(stage: Stage, ends: { at: number; from: string; to: string; port: number }): Connection {
  const { chance } = stage
  const [up, down] = [chance.int(11, 13), chance.int(12, 14)]
  return stage.flow(ends, {
    seconds: stage.about(3, 0.4),
    up: [up, 1750 + chance.int(-60, 60) + 52 * (up - 12)],
    down: [down, 2300 + chance.int(-70, 70) + 52 * (down - 13)],
  })
}

/** A session of somebody at a keyboard: a number of packets a minute. */
function session(
  stage: Stage,
  ends: { at: number; from: string; to: string; port: number },
  minutes: number,
  pace = 25,
): Connection {
  const packets = Math.round(minutes * stage.about(pace, 0.2))
  return stage.flow(ends, {
    seconds: 60 * minutes,
    up: [packets, packets * stage.chance.int(70, 110)],
    down: [packets, packets * stage.chance.int(120, 260)],
  })
}

const guesses: Scenario[] = [
  {
    name: 'SSH brute force from outside, with success',
    rule: 'D02',
    make(stage) {
      const [actor, target] = [stage.outside(), stage.host()]
      const at = stage.hour(2, 18)
      const flows = many(stage.chance.int(120, 400), i =>
        guess(stage, { at: at + i * 2.5, from: actor, to: target, port: 22 }),
      )
      const success = session(stage, { at: at + 1100, from: actor, to: target, port: 22 }, 25)
      return {
        flows: [...flows, success],
        attack: { rules: ['D02'], actors: [actor], targets: [target], victims: [target], flows },
        benign: [],
      }
    },
  },
  {
    name: 'guesses at a port that is not the usual one',
    rule: 'D02',
    make(stage) {
      const [actor, target] = [stage.outside(), stage.host()]
      const port = stage.chance.pick([902, 2222, 2022, 10_022])
      const at = stage.hour(2, 18)
      const flows = many(stage.chance.int(90, 200), i =>
        guess(stage, { at: at + i * stage.about(4), from: actor, to: target, port }),
      )
      return {
        flows,
        attack: { rules: ['D02'], actors: [actor], targets: [target], victims: [target], flows },
        benign: [],
      }
    },
  },
  {
    name: 'guesses at a database from inside',
    rule: 'D02',
    make(stage) {
      const [actor, target] = stage.hosts(2) as [string, string]
      const at = stage.hour(2, 18)
      const flows = many(stage.chance.int(90, 300), i =>
        guess(stage, { at: at + i * 1.5, from: actor, to: target, port: 1433 }),
      )
      return {
        flows,
        attack: { rules: ['D02'], actors: [actor], targets: [target], victims: [target], flows },
        benign: [target],
      }
    },
  },
  {
    name: 'spray of guesses from many sources',
    rule: 'D02',
    make(stage) {
      const [actors, target] = [stage.outsiders(stage.chance.int(15, 25)), stage.host()]
      const at = stage.hour(2, 18)
      const flows = actors.flatMap(from =>
        many(stage.chance.int(4, 7), i =>
          guess(stage, { at: at + stage.chance.int(0, 3000) + 40 * i, from, to: target, port: 3389 }),
        ),
      )
      return { flows, attack: { rules: ['D02'], actors, targets: [target], victims: [target], flows }, benign: [] }
    },
  },
  {
    name: 'slow guesses, with success',
    rule: 'D02',
    make(stage) {
      const [actor, target] = [stage.outside(), stage.host()]
      const flows = everySeconds(stage, stage.hour(1.5), stage.hour(20), stage.chance.int(1000, 1500), 0.5).map(at =>
        guess(stage, { at, from: actor, to: target, port: 22 }),
      )
      const success = session(stage, { at: stage.hour(20.1), from: actor, to: target, port: 22 }, 40)
      return {
        flows: [...flows, success],
        attack: { rules: ['D02'], actors: [actor], targets: [target], victims: [target], flows, difficulty: 'slow' },
        benign: [],
      }
    },
  },
]

const guessTwins: Scenario[] = [
  {
    name: 'configuration management over SSH',
    rule: 'D02',
    twinOf: 'guesses at a database from inside',
    make(stage) {
      const [controller, ...hosts] = stage.hosts(13) as [string, ...string[]]
      const flows = everySeconds(stage, 600, stage.hour(25), 3600, 0.01).flatMap(at =>
        hosts.map((to, i) => {
          const packets = stage.chance.int(150, 400)
          return stage.flow(
            { at: at + 3 * i, from: controller, to, port: 22 },
            { seconds: stage.chance.int(20, 70), up: [packets, packets * 420], down: [packets, packets * 160] },
          )
        }),
      )
      return { flows, benign: [controller, ...hosts] }
    },
  },
  {
    name: 'backup over SSH',
    rule: 'D02',
    twinOf: 'slow guesses, with success',
    make(stage) {
      const [server, ...hosts] = stage.hosts(6) as [string, ...string[]]
      const flows = hosts.flatMap((from, i) =>
        everySeconds(stage, 900 + 200 * i, stage.hour(25), 3600, 0.02).map(at => {
          const packets = stage.chance.int(3000, 30_000)
          return stage.flow(
            { at, from, to: server, port: 22 },
            { seconds: stage.chance.int(60, 500), up: [packets, packets * 1300], down: [packets >> 1, packets * 30] },
          )
        }),
      )
      return { flows, benign: [server, ...hosts] }
    },
  },
  {
    name: 'checks over SSH by the monitoring',
    rule: 'D02',
    twinOf: 'slow guesses, with success',
    make(stage) {
      const [monitor, ...hosts] = stage.hosts(4) as [string, ...string[]]
      const flows = hosts.flatMap((to, i) =>
        everySeconds(stage, 700 + 30 * i, stage.hour(25), 600, 0.005).map(at =>
          stage.flow(
            { at, from: monitor, to, port: 22 },
            {
              seconds: 1.5,
              up: [stage.chance.int(19, 21), 4300 + stage.chance.int(-40, 40)],
              down: [18, 5200 + stage.chance.int(-60, 60)],
            },
          ),
        ),
      )
      return { flows, benign: [monitor, ...hosts] }
    },
  },
  {
    name: 'a loop of the same request',
    rule: 'D02',
    twinOf: 'guesses at a port that is not the usual one',
    make(stage) {
      const [client, server] = [stage.host(), stage.outside()]
      const at = stage.hour(3, 20)
      const flows = many(400, i =>
        stage.flow(
          { at: at + i * 2, from: client, to: server, port: 443 },
          { seconds: 0.3, up: [12, 1400 + stage.chance.int(-3, 3)], down: [11, 6200 + stage.chance.int(-20, 20)] },
        ),
      )
      return { flows, benign: [client, server] }
    },
  },
  {
    name: 'pages that open a database connection each',
    rule: 'D02',
    twinOf: 'guesses at a database from inside',
    make(stage) {
      const [web, database] = stage.hosts(2) as [string, string]
      const flows = everySeconds(stage, stage.hour(8), stage.hour(8.5), 3, 0.9).map(at => {
        const queries = 2 ** (stage.chance.int(0, 600) / 100)
        const [up, down] = [8 + Math.round(2 * queries), 7 + Math.round(3 * queries)]
        return stage.flow(
          { at, from: web, to: database, port: 3306 },
          {
            seconds: 0.2,
            up: [up, 52 * up + Math.round(180 * queries)],
            down: [down, 52 * down + Math.round(900 * queries)],
          },
        )
      })
      return { flows, benign: [web, database] }
    },
  },
]

const adminPorts = [22, 445, 3389, 5985] as const

const fanOut: Scenario[] = [
  {
    name: 'from host to host over administrative ports',
    rule: 'D05',
    make(stage) {
      const [first, actor, ...targets] = stage.hosts(2 + stage.chance.int(16, 24)) as [string, string, ...string[]]
      const at = stage.hour(8, 20)
      const port = stage.chance.pick(adminPorts)
      const inward = session(stage, { at: at - 400, from: first, to: actor, port: 22 }, 30)
      const flows = targets.map((to, i) =>
        stage.flow(
          { at: at + i * stage.about(70, 0.3), from: actor, to, port },
          {
            seconds: stage.chance.int(10, 60),
            up: [stage.chance.int(20, 90), 9000],
            down: [stage.chance.int(20, 90), 14_000],
          },
        ),
      )
      return {
        flows: [inward, ...flows],
        attack: { rules: ['D05'], actors: [actor], targets, victims: targets, flows },
        benign: targets,
      }
    },
  },
  {
    name: 'a control plane and its nodes',
    rule: 'D05',
    twinOf: 'from host to host over administrative ports',
    make(stage) {
      const [plane, ...nodes] = stage.hosts(31) as [string, ...string[]]
      const late = new Set(nodes.slice(0, 3))
      const flows = nodes.flatMap((to, i) =>
        everySeconds(stage, late.has(to) ? stage.hour(9) + 900 * i : 200 + 10 * i, stage.hour(25), 12_000, 0.2).flatMap(
          at => [
            stage.flow({ at, from: plane, to, port: 10_250 }, { seconds: 5, up: [30, 6000], down: [40, 50_000] }),
            stage.flow(
              { at: at + 3, from: to, to: plane, port: 6443 },
              { seconds: 20, up: [40, 9000], down: [50, 40_000] },
            ),
          ],
        ),
      )
      return { flows, benign: [plane, ...nodes] }
    },
  },
  {
    name: 'users of a VPN who work on servers',
    rule: 'D05',
    twinOf: 'from host to host over administrative ports',
    make(stage) {
      const [vpn, ...servers] = stage.hosts(26) as [string, ...string[]]
      // Most servers are in use from the first hour on; of the others a few are new in each hour.
      const flows = servers.flatMap((to, i) => {
        const first = i < 15 ? 100 + 120 * i : stage.hour(7 + (i - 15), 7.8 + (i - 15))
        return everySeconds(stage, first, stage.hour(24), 14_000, 0.5).map(at =>
          session(stage, { at, from: vpn, to, port: stage.chance.pick([22, 3389]) }, stage.chance.int(3, 12)),
        )
      })
      return { flows, benign: [vpn, ...servers] }
    },
  },
  {
    name: 'a jump host',
    rule: 'D05',
    twinOf: 'from host to host over administrative ports',
    make(stage) {
      const [jump, ...hosts] = stage.hosts(25) as [string, ...string[]]
      const [admins, servers] = [hosts.slice(0, 4), hosts.slice(4)]
      const flows = [
        ...everySeconds(stage, 100, 3000, 700, 0.3),
        ...everySeconds(stage, 4000, stage.hour(25), 3600, 0.6),
      ].flatMap((at, i) => {
        // All of them in the first hour, and two that are new at noon.
        const known = at < 3000 ? servers.slice(0, 19) : at > stage.hour(12) ? servers : servers.slice(0, 19)
        const some =
          at < 3000 ? known.filter((_, n) => n % 3 === i % 3) : [stage.chance.pick(known), stage.chance.pick(known)]
        return [
          session(stage, { at, from: stage.chance.pick(admins), to: jump, port: 22 }, 6),
          ...some.map(to => session(stage, { at: at + 60, from: jump, to, port: 22 }, 4)),
        ]
      })
      return { flows, benign: [jump, ...hosts] }
    },
  },
]

const flips: Scenario[] = [
  {
    name: 'rejected, then let through',
    rule: 'D07',
    make(stage) {
      const [actor, target] = [stage.outside(), stage.host()]
      const port = stage.chance.pick([22, 3389, 8443, 5432])
      const at = stage.hour(3, 18)
      const rejected = many(stage.chance.int(5, 9), i =>
        stage.failed({ at: at + 90 * i, from: actor, to: target, port }, 'rejected'),
      )
      const through = stage.flow(
        { at: at + 1500, from: actor, to: target, port },
        { seconds: 300, up: [220, 40_000], down: [260, 90_000] },
      )
      const flows = [...rejected, through]
      return {
        flows,
        attack: { rules: ['D07'], actors: [actor], targets: [target], victims: [target], flows },
        benign: [],
      }
    },
  },
  {
    name: 'a rule that was changed for all',
    rule: 'D07',
    twinOf: 'rejected, then let through',
    make(stage) {
      const [clients, target] = [stage.outsiders(7), stage.host()]
      const opened = stage.hour(9, 18)
      const flows = clients.flatMap(from => [
        ...many(5, i =>
          stage.failed(
            { at: opened - 60 - 200 * i - stage.chance.int(0, 100), from, to: target, port: 8443 },
            'rejected',
          ),
        ),
        ...many(4, i =>
          stage.visit({ at: opened + stage.chance.int(1, 40) + 500 * i, from, to: target }, { port: 8443 }),
        ),
      ])
      return { flows, benign: [target, ...clients] }
    },
  },
  {
    name: 'late packets of connections that were closed',
    rule: 'D07',
    twinOf: 'rejected, then let through',
    make(stage) {
      const [clients, target] = [stage.outsiders(6), stage.host()]
      const flows = clients.flatMap(from =>
        many(6, i => {
          const at = stage.hour(6) + 1300 * i + stage.chance.int(0, 600)
          const visit = stage.visit({ at, from, to: target })
          const late = stage.flow(
            { at: at + visit.seconds + 30, from, to: target, port: 443 },
            { state: 'rejected', sourcePort: visit.sourcePort, up: [1, 40], down: [0, 0] },
          )
          return [visit, late]
        }).flat(),
      )
      return { flows, benign: [target, ...clients] }
    },
  },
]

const sessions: Scenario[] = [
  {
    name: 'a session out at the pace of a person',
    rule: 'D08',
    make(stage) {
      const [actor, target] = [stage.host(), stage.outside()]
      const flows = [
        session(
          stage,
          { at: stage.hour(5, 18), from: actor, to: target, port: stage.chance.pick([22, 4444, 2222]) },
          90,
        ),
      ]
      return { flows, attack: { rules: ['D08'], actors: [actor], targets: [target], flows }, benign: [] }
    },
  },
  {
    name: 'a connection out that lasts for half a day',
    rule: 'D08',
    make(stage) {
      const [actor, target] = [stage.host(), stage.outside()]
      const flow = stage.flow(
        { at: stage.hour(4, 6), from: actor, to: target, port: stage.chance.pick([4433, 8081, 9001]) },
        { seconds: 3600 * stage.about(12), up: [9000, 1_500_000], down: [9000, 1_300_000] },
      )
      return {
        flows: [flow],
        attack: { rules: ['D08'], actors: [actor], targets: [target], flows: [flow] },
        benign: [],
      }
    },
  },
  {
    name: 'agents of AWS Systems Manager',
    rule: 'D08',
    twinOf: 'a connection out that lasts for half a day',
    make(stage) {
      const hosts = stage.hosts(4)
      const endpoints = stage.outsiders(2)
      const flows = hosts.flatMap((from, i) => [
        stage.flow(
          { at: 50, from, to: endpoints[0]!, port: 443 },
          {
            state: 'held',
            seconds: i === 0 ? 36_000 : 3600,
            up: [4000, 400_000],
            down: [4000, 500_000],
            service: 'AMAZON',
          },
        ),
        ...everySeconds(stage, 300, stage.hour(25), 900, 0.02).map(at =>
          stage.flow(
            { at, from, to: endpoints[1]!, port: 443 },
            { seconds: 0.5, up: [12, 2800], down: [11, 6400], service: 'AMAZON' },
          ),
        ),
      ])
      return { flows, benign: [...hosts, ...endpoints] }
    },
  },
  {
    name: 'a VPN to another site',
    rule: 'D08',
    twinOf: 'a connection out that lasts for half a day',
    make(stage) {
      const [gateway, other] = [stage.host(), stage.outside()]
      const flows = [
        stage.flow(
          { at: 20, from: gateway, to: other, port: 4500 },
          {
            ...{ protocol: protocols.udp, sourcePort: 4500, seconds: 3600 * 10, up: [90_000, 30_000_000] },
            down: [90_000, 40_000_000],
          },
        ),
      ]
      return { flows, benign: [gateway, other] }
    },
  },
  {
    name: 'pools of database connections',
    rule: 'D08',
    twinOf: 'a session out at the pace of a person',
    make(stage) {
      const [database, ...hosts] = stage.hosts(2) as [string, ...string[]]
      const flows = hosts.flatMap(from =>
        many(2, i =>
          stage.flow(
            { at: 60 + 20 * i, from, to: database, port: 5432 },
            { state: 'held', seconds: 3600 * (9 - 7 * i), up: [9000, 1_500_000], down: [9000, 2_700_000] },
          ),
        ),
      )
      return { flows, benign: [database, ...hosts] }
    },
  },
]

const exposed: Scenario[] = [
  {
    name: 'a service for our own use that the internet reaches',
    rule: 'D18',
    make(stage) {
      const [clients, server] = [stage.outsiders(stage.chance.int(2, 6)), stage.host()]
      const port = stage.chance.pick([22, 3389, 6379, 9200, 5432])
      const flows = clients.map(from =>
        stage.flow(
          { at: stage.hour(2, 22), from, to: server, port },
          { seconds: 20, up: [14, 2200], down: [15, 5000] },
        ),
      )
      return {
        flows,
        attack: { rules: ['D18'], actors: clients, targets: [server], victims: [server], flows },
        benign: [],
      }
    },
  },
  {
    name: 'a page behind a load balancer',
    rule: 'D18',
    twinOf: 'a service for our own use that the internet reaches',
    make(stage) {
      const [balancer, ...servers] = stage.hosts(4) as [string, ...string[]]
      const clients = stage.outsiders(60)
      const flows = many(300, () => {
        const visit = stage.visit({ at: stage.hour(3, 12), from: stage.chance.pick(clients), to: balancer })
        const behind = { at: visit.at + 0.1, from: balancer, to: stage.chance.pick(servers), port: 8080 }
        return [visit, stage.flow(behind, { seconds: 0.4, up: visit.up, down: visit.down })]
      }).flat()
      return { flows, benign: [balancer, ...servers, ...clients] }
    },
  },
  {
    name: 'a bastion that the office reaches',
    rule: 'D18',
    twinOf: 'a service for our own use that the internet reaches',
    make(stage) {
      const [office, bastion] = [stage.outsiders(5), stage.host()]
      const flows = many(14, () =>
        session(
          stage,
          { at: stage.hour(6, 18), from: stage.chance.pick(office), to: bastion, port: 22 },
          stage.chance.int(10, 80),
        ),
      )
      return { flows, benign: [bastion, ...office], internal: office.map(address => `${address}/32`) }
    },
  },
  {
    name: 'looks at a port that end with the handshake',
    rule: 'D18',
    twinOf: 'a service for our own use that the internet reaches',
    make(stage) {
      const server = stage.host()
      const flows = stage
        .outsiders(8)
        .map(from =>
          stage.flow(
            { at: stage.hour(1, 24), from, to: server, port: 22 },
            { state: 'broken', up: [2, 100], down: [1, 60] },
          ),
        )
      return { flows, benign: [server] }
    },
  },
]

export const loginScenarios: readonly Scenario[] = [
  ...guesses,
  ...guessTwins,
  ...fanOut,
  ...flips,
  ...sessions,
  ...exposed,
]
