/** D04 volume, D06 lists, D14 staging, D16 spam and mining, and what looks like them; ordinary traffic. */
import { everySeconds, many, type Scenario, type Stage } from './stage.ts'
import { type Connection, protocols } from './traffic.ts'

/** A connection that carries a number of bytes to the server, and acknowledgements back. */
function upload(
  stage: Stage,
  ends: { at: number; from: string; to: string; port: number },
  bytes: number,
  rest: Partial<Pick<Connection, 'via' | 'service' | 'seconds'>> = {},
): Connection {
  const packets = Math.ceil(bytes / 1400)
  return stage.flow(ends, {
    ...{ seconds: Math.max(2, bytes / stage.about(2_000_000, 0.4)), up: [packets, bytes] },
    down: [Math.ceil(packets / 2), 26 * packets],
    ...rest,
  })
}

const volumes: Scenario[] = [
  {
    name: 'much data out to a new peer',
    rule: 'D04',
    make(stage) {
      const [actor, target] = [stage.host(), stage.outside()]
      const port = stage.chance.pick([443, 22, 8889])
      const at = stage.hour(6, 18)
      const each = stage.chance.int(120, 400) * 1e6
      const flows = many(6, i => upload(stage, { at: at + 700 * i, from: actor, to: target, port }, each))
      return { flows, attack: { rules: ['D04'], actors: [actor], targets: [target], flows }, benign: [] }
    },
  },
  {
    name: 'some data out to a new peer',
    rule: 'D04',
    make(stage) {
      const [actor, target] = [stage.host(), stage.outside()]
      const flows = [
        upload(stage, { at: stage.hour(6, 18), from: actor, to: target, port: 443 }, stage.chance.int(180, 320) * 1e6),
      ]
      return { flows, attack: { rules: ['D04'], actors: [actor], targets: [target], flows }, benign: [] }
    },
  },
  {
    name: 'a slow leak',
    rule: 'D04',
    make(stage) {
      const [actor, target] = [stage.host(), stage.outside()]
      const flows = everySeconds(stage, stage.hour(4), stage.hour(22), 1400, 0.3).map(at =>
        upload(stage, { at, from: actor, to: target, port: 443 }, stage.chance.int(8, 14) * 1e6),
      )
      return { flows, attack: { rules: ['D04', 'D03'], actors: [actor], targets: [target], flows }, benign: [] }
    },
  },
  {
    name: 'backup of a fleet to S3 at night',
    rule: 'D04',
    twinOf: 'much data out to a new peer',
    make(stage) {
      const [hosts, buckets] = [stage.hosts(6), stage.outsiders(2)]
      const flows = hosts.flatMap(from =>
        buckets.map(to =>
          upload(stage, { at: stage.hour(23, 24), from, to, port: 443 }, stage.chance.int(300, 900) * 1e6, {
            service: 'S3',
          }),
        ),
      )
      return { flows, benign: [...hosts, ...buckets] }
    },
  },
  {
    name: 'backup of one host to S3 at night',
    rule: 'D04',
    twinOf: 'much data out to a new peer',
    hidden: ({ format }) => (format === 'default' ? 'a default-format log does not name AWS services' : null),
    make(stage) {
      const [host, buckets] = [stage.host(), stage.outsiders(3)]
      const flows = buckets.map(to =>
        upload(stage, { at: stage.hour(23, 24), from: host, to, port: 443 }, stage.chance.int(400, 1200) * 1e6, {
          service: 'S3',
        }),
      )
      return { flows, benign: [host, ...buckets] }
    },
  },
  {
    name: 'shipping of logs',
    rule: 'D04',
    twinOf: 'a slow leak',
    make(stage) {
      const [hosts, collector] = [stage.hosts(5), stage.outsiders(2)]
      const flows = hosts.flatMap(from =>
        everySeconds(stage, 120, stage.hour(25), 1200, 0.2).map((at, i) =>
          upload(stage, { at, from, to: collector[i % 2]!, port: 443 }, stage.chance.int(4, 14) * 1e6),
        ),
      )
      return { flows, benign: [...hosts, ...collector] }
    },
  },
  {
    name: 'uploads of many users behind a NAT gateway',
    rule: 'D04',
    twinOf: 'much data out to a new peer',
    make(stage) {
      const [users, gateway] = [stage.hosts(30), stage.host()]
      // Each to a place of their own, and all of them to one.
      const [places, shared] = [stage.outsiders(60), stage.outside()]
      const flows = users.flatMap(from => [
        ...many(6, () =>
          upload(
            stage,
            { at: stage.hour(8, 17), from, to: stage.chance.pick(places), port: 443 },
            stage.chance.int(1, 8) * 1e6,
            { via: gateway },
          ),
        ),
        upload(stage, { at: stage.hour(8, 17), from, to: shared, port: 443 }, stage.chance.int(10, 40) * 1e6, {
          via: gateway,
        }),
      ])
      return { flows, benign: [...users, gateway] }
    },
  },
  {
    name: 'a server whose visitors download',
    rule: 'D04',
    twinOf: 'much data out to a new peer',
    make(stage) {
      const [server, visitors] = [stage.host(), stage.outsiders(12)]
      const flows = visitors.map(from =>
        stage.flow(
          { at: stage.hour(2, 22), from, to: server, port: 443 },
          { seconds: 120, up: [60_000, 3_100_000], down: [120_000, 168_000_000] },
        ),
      )
      return { flows, benign: [server, ...visitors] }
    },
  },
  {
    name: 'replication to a partner from the start on',
    rule: 'D04',
    twinOf: 'a slow leak',
    make(stage) {
      const [host, partner] = [stage.host(), stage.outside()]
      const flows = everySeconds(stage, 60, stage.hour(25), 1700, 0.9).map(at =>
        upload(stage, { at, from: host, to: partner, port: 443 }, stage.chance.int(5, 30) * 1e6, {
          seconds: stage.chance.int(20, 90),
        }),
      )
      return { flows, benign: [host, partner] }
    },
  },
  {
    name: 'a video call',
    rule: 'D04',
    twinOf: 'some data out to a new peer',
    make(stage) {
      const [host, relay] = [stage.host(), stage.outside()]
      const flows = [
        stage.flow(
          { at: stage.hour(9, 15), from: host, to: relay, port: 3478 },
          { protocol: protocols.udp, seconds: 3000, up: [260_000, 230_000_000], down: [280_000, 260_000_000] },
        ),
      ]
      return { flows, benign: [host, relay] }
    },
  },
]

const lists: Scenario[] = [
  {
    name: 'a session with a listed address',
    rule: 'D06',
    hidden: () => 'no list is loaded',
    make(stage) {
      const [actor, target] = [stage.host(), stage.outside()]
      const flows = many(3, i =>
        stage.flow(
          { at: stage.hour(6) + 3000 * i, from: actor, to: target, port: 9001 },
          { seconds: 90, up: [80, 30_000], down: [90, 70_000] },
        ),
      )
      return { flows, attack: { rules: ['D06'], actors: [actor], targets: [target], flows }, benign: [] }
    },
  },
]

const staging: Scenario[] = [
  {
    name: 'data gathered from hosts inside, then sent out',
    rule: 'D14',
    make(stage) {
      const [actor, ...sources] = stage.hosts(6) as [string, ...string[]]
      const target = stage.outside()
      const at = stage.hour(4, 10)
      const gathered = sources.map((from, i) => {
        const ends = { at: at + 600 * i, from: actor, to: from, port: 445 }
        return stage.flow(ends, {
          seconds: 200,
          up: [40_000, 2_400_000],
          down: [80_000, stage.chance.int(80, 140) * 1e6],
        })
      })
      const sent = many(4, i =>
        upload(
          stage,
          { at: at + stage.hour(3) + 900 * i, from: actor, to: target, port: 443 },
          stage.chance.int(90, 120) * 1e6,
        ),
      )
      return {
        flows: [...gathered, ...sent],
        attack: { rules: ['D14'], actors: [actor], targets: [target, ...sources], flows: [...gathered, ...sent] },
        benign: sources,
      }
    },
  },
  {
    name: 'a backup server',
    rule: 'D14',
    twinOf: 'data gathered from hosts inside, then sent out',
    make(stage) {
      const [server, ...hosts] = stage.hosts(11) as [string, ...string[]]
      const store = stage.outside()
      const flows = [
        ...hosts.map((from, i) =>
          upload(
            stage,
            { at: stage.hour(1.2) + 1500 * i, from, to: server, port: 873 },
            stage.chance.int(100, 300) * 1e6,
          ),
        ),
        ...many(8, i =>
          upload(
            stage,
            { at: 300 + stage.hour(3) * i, from: server, to: store, port: 443 },
            stage.chance.int(150, 260) * 1e6,
            { service: 'S3' },
          ),
        ),
      ]
      return { flows, benign: [server, store, ...hosts] }
    },
  },
  {
    name: 'a build host',
    rule: 'D14',
    twinOf: 'data gathered from hosts inside, then sent out',
    make(stage) {
      const [builder, ...stores] = stage.hosts(5) as [string, ...string[]]
      const registry = stage.outside()
      const flows = many(10, i => {
        const at = stage.hour(2) + 6000 * i
        return [
          ...stores.map(to =>
            stage.flow(
              { at, from: builder, to, port: 443 },
              { seconds: 60, up: [20_000, 1_200_000], down: [50_000, 65_000_000] },
            ),
          ),
          upload(stage, { at: at + 600, from: builder, to: registry, port: 443 }, stage.chance.int(3, 6) * 1e6),
        ]
      }).flat()
      return { flows, benign: [builder, registry, ...stores] }
    },
  },
]

/** A mail that is handed over. */
const mail = (stage: Stage, at: number, from: string, to: string): Connection => {
  const size = stage.chance.int(4000, 60_000)
  return stage.flow(
    { at, from, to, port: 25 },
    { seconds: stage.chance.int(1, 8), up: [16 + Math.ceil(size / 1400), size], down: [18, 2600] },
  )
}

const abuse: Scenario[] = [
  {
    name: 'spam by a host that sent no mail before',
    rule: 'D16',
    make(stage) {
      const [actor, servers] = [stage.host(), stage.outsiders(stage.chance.int(60, 120))]
      const at = stage.hour(5, 20)
      const flows = servers.map((to, i) => mail(stage, at + 25 * i, actor, to))
      return { flows, attack: { rules: ['D16'], actors: [actor], targets: servers, flows }, benign: [] }
    },
  },
  {
    name: 'mining for a pool',
    rule: 'D16',
    make(stage) {
      const [actor, pool] = [stage.host(), stage.outside()]
      const hoursLong = stage.chance.int(6, 12)
      const packets = hoursLong * 60 * stage.chance.int(12, 24)
      const flow = stage.flow(
        { at: stage.hour(3, 10), from: actor, to: pool, port: stage.chance.pick([3333, 5555, 14_444]) },
        { seconds: 3600 * hoursLong, up: [packets, packets * 95], down: [packets, packets * 110] },
      )
      return { flows: [flow], attack: { rules: ['D16'], actors: [actor], targets: [pool], flows: [flow] }, benign: [] }
    },
  },
  {
    name: 'a mail relay',
    rule: 'D16',
    twinOf: 'spam by a host that sent no mail before',
    make(stage) {
      const [relay, servers, senders] = [stage.host(), stage.outsiders(140), stage.outsiders(40)]
      const flows = everySeconds(stage, 100, stage.hour(25), 300, 0.8).flatMap(at => [
        mail(stage, at, relay, stage.chance.pick(servers)),
        mail(stage, at + 20, stage.chance.pick(senders), relay),
      ])
      return { flows, benign: [relay, ...servers, ...senders] }
    },
  },
  {
    name: 'a newsletter',
    rule: 'D16',
    twinOf: 'spam by a host that sent no mail before',
    make(stage) {
      const [relay, servers] = [stage.host(), stage.outsiders(260)]
      const usual = everySeconds(stage, 200, stage.hour(25), 500, 0.8).map(at =>
        mail(stage, at, relay, stage.chance.pick(servers)),
      )
      const noon = stage.hour(12)
      const letter = servers.map((to, i) => mail(stage, noon + 4 * i, relay, to))
      return { flows: [...usual, ...letter], benign: [relay, ...servers] }
    },
  },
]

const ordinary: Scenario = {
  name: 'ordinary clients and servers',
  rule: 'none',
  twinOf: 'nothing',
  make(stage) {
    const { chance } = stage
    const [resolver, ...hosts] = stage.hosts(10) as [string, ...string[]]
    const [clients, servers] = [hosts.slice(0, 6), hosts.slice(6)]
    const [sites, visitors] = [stage.outsiders(60), stage.outsiders(80)]
    const flows = [
      ...clients.flatMap(from =>
        everySeconds(stage, chance.int(10, 900), stage.hour(25.5), 1500, 0.8).flatMap(at => [
          stage.ask({ at: at - 1, from, to: resolver, port: 53 }),
          stage.visit({ at, from, to: chance.pick(sites) }),
        ]),
      ),
      ...servers.flatMap(to =>
        everySeconds(stage, chance.int(10, 900), stage.hour(25.5), 1300, 0.9).map(at =>
          stage.visit({ at, from: chance.pick(visitors), to }),
        ),
      ),
      // What the internet does to every address.
      ...many(90, () =>
        stage.failed(
          {
            at: stage.hour(0.1, 25),
            from: chance.pick(visitors),
            to: chance.pick(hosts),
            port: chance.pick([22, 23, 445, 8080]),
          },
          'rejected',
        ),
      ),
    ]
    return { flows, benign: [resolver, ...hosts, ...sites] }
  },
}

export const egressScenarios: readonly Scenario[] = [...volumes, ...lists, ...staging, ...abuse, ordinary]
