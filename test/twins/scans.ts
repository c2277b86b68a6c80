/** D01 scans, D13 failed call-backs, D15 floods, and what looks like them. */
import { everySeconds, many, type Scenario, type Stage, type View } from './stage.ts'
import { type Connection, protocols } from './traffic.ts'

const scanPorts = [22, 23, 445, 1433, 3389, 5432, 5900, 6379, 8080, 9200] as const

/** A SYN that nobody answers, or a RST does: as a scanner meets them. */
function probe(stage: Stage, ends: { at: number; from: string; to: string; port: number }, refused = 0.5): Connection {
  return stage.failed(ends, stage.chance.maybe(refused) ? 'refused' : 'silent', 1)
}

const scans: Scenario[] = [
  {
    name: 'scan of one port on many hosts outside',
    rule: 'D01',
    make(stage) {
      const { chance } = stage
      const [actor, port] = [stage.host(), chance.pick(scanPorts)]
      const targets = stage.outsiders(chance.int(25, 70))
      const at = stage.hour(2, 22)
      const flows = targets.map((to, i) => probe(stage, { at: at + i * stage.about(4, 0.5), from: actor, to, port }))
      return { flows, attack: { rules: ['D01'], actors: [actor], targets, flows }, benign: [] }
    },
  },
  {
    name: 'scan of the ports of a host inside',
    rule: 'D01',
    make(stage) {
      const { chance } = stage
      const [actor, target] = stage.hosts(2) as [string, string]
      const at = stage.hour(2, 22)
      const ports = many(chance.int(40, 160), i => 20 + i * chance.int(1, 3) * 7)
      const flows = [...new Set(ports)].map((port, i) =>
        probe(stage, { at: at + i * 0.4, from: actor, to: target, port }, 0.95),
      )
      const open = [22, 80].map((port, i) =>
        stage.flow(
          { at: at + 30 + i, from: actor, to: target, port },
          { state: 'broken', up: [3, 160], down: [1, 60] },
        ),
      )
      return {
        flows: [...flows, ...open],
        attack: { rules: ['D01'], actors: [actor], targets: [target], victims: [target], flows },
        benign: [target],
      }
    },
  },
  {
    name: 'scan inside that the rules of its targets stop',
    rule: 'D01',
    make(stage) {
      const [actor, port] = [stage.host(), stage.chance.pick(scanPorts)]
      const targets = stage.hosts(stage.chance.int(20, 40))
      const at = stage.hour(2, 22)
      const flows = targets.map((to, i) => stage.failed({ at: at + i * 5, from: actor, to, port }, 'rejected'))
      return { flows, attack: { rules: ['D01'], actors: [actor], targets, victims: targets, flows }, benign: targets }
    },
  },
  {
    name: 'scan of some ports on some hosts',
    rule: 'D01',
    make(stage) {
      const actor = stage.host()
      const targets = stage.hosts(8)
      const ports = stage.chance.pick([
        [22, 80, 443, 445, 3389, 8080],
        [21, 23, 25, 1433, 3306, 5432, 6379],
      ])
      const at = stage.hour(2, 22)
      const flows = targets.flatMap((to, i) =>
        ports.map((port, n) => probe(stage, { at: at + i * 20 + n * 2, from: actor, to, port })),
      )
      return { flows, attack: { rules: ['D01'], actors: [actor], targets, victims: targets, flows }, benign: targets }
    },
  },
  {
    name: 'scan from outside that finds a way in',
    rule: 'D01',
    make(stage) {
      const [actor, target] = [stage.outside(), stage.host()]
      const at = stage.hour(2, 20)
      const ports = many(stage.chance.int(30, 80), i => 100 + i * 97).filter(port => port !== 22)
      const flows = ports.map((port, i) => stage.failed({ at: at + i, from: actor, to: target, port }, 'rejected'))
      const session = stage.flow(
        { at: at + 200, from: actor, to: target, port: 22 },
        { seconds: 40, up: [30, 4200], down: [28, 6000] },
      )
      return {
        flows: [...flows, session],
        attack: { rules: ['D01'], actors: [actor], targets: [target], victims: [target], flows },
        benign: [],
      }
    },
  },
  {
    name: 'scan from outside, all of it rejected',
    rule: 'D01',
    make(stage) {
      const [actor, port] = [stage.outside(), stage.chance.pick(scanPorts)]
      const targets = stage.hosts(stage.chance.int(20, 40))
      const at = stage.hour(2, 20)
      const flows = targets.map((to, i) => stage.failed({ at: at + i * 2, from: actor, to, port }, 'rejected'))
      const attack = { rules: ['D01'], actors: [actor], targets, victims: targets, flows, minSeverity: 'info' as const }
      return { flows, attack, benign: targets }
    },
  },
  {
    name: 'slow scan over a day',
    rule: 'D01',
    make(stage) {
      const [actor, port] = [stage.host(), stage.chance.pick(scanPorts)]
      const targets = stage.hosts(stage.chance.int(16, 24))
      const flows = targets.map((to, i) =>
        probe(stage, { at: 3600 + i * stage.about(3000, 0.2), from: actor, to, port }, 0.3),
      )
      const attack = { rules: ['D01'], actors: [actor], targets, victims: targets, flows, difficulty: 'slow' as const }
      return { flows, attack, benign: targets }
    },
  },
  {
    name: 'ICMP sweep',
    rule: 'D01',
    make(stage) {
      const actor = stage.host()
      const targets = stage.hosts(stage.chance.int(24, 50))
      const at = stage.hour(2, 22)
      const flows = targets.map((to, i) =>
        stage.flow(
          { at: at + i * 0.5, from: actor, to, port: 0 },
          {
            ...{ protocol: protocols.icmp, sourcePort: 0, seconds: 0.1, up: [1, 84] },
            down: stage.chance.maybe(0.6) ? [1, 84] : [0, 0],
          },
        ),
      )
      return { flows, attack: { rules: ['D01'], actors: [actor], targets, victims: targets, flows }, benign: targets }
    },
  },
  {
    name: 'scan of UDP services inside',
    rule: 'D01',
    make(stage) {
      const [actor, port] = [stage.host(), stage.chance.pick([53, 69, 161, 1900, 5060])]
      const targets = stage.hosts(stage.chance.int(24, 40))
      const at = stage.hour(2, 22)
      const flows = targets.map((to, i) =>
        stage.flow(
          { at: at + i * 2, from: actor, to, port },
          { protocol: protocols.udp, seconds: 0.1, up: [1, 60], down: [0, 0] },
        ),
      )
      return { flows, attack: { rules: ['D01'], actors: [actor], targets, victims: targets, flows }, benign: targets }
    },
  },
  {
    name: 'scan by an internal host with a public IPv6 address',
    rule: 'D01',
    hidden: ({ format }) => (format === 'default' ? 'a default-format log does not say whose an address is' : null),
    make(stage) {
      const [actor, port] = [stage.hostSix(), 22]
      const targets = many(stage.chance.int(25, 60), stage.outsideSix)
      const at = stage.hour(2, 22)
      const flows = targets.map((to, i) => probe(stage, { at: at + i * 3, from: actor, to, port }))
      return { flows, attack: { rules: ['D01'], actors: [actor], targets, flows }, benign: [] }
    },
  },
]

/** Many users, each with some pages to visit; of which a few are dead. */
function browsing(
  stage: Stage,
  users: readonly string[],
  via: string | null,
  visits: number,
  dead: number,
): Connection[] {
  const sites = stage.outsiders(300)
  const deadSites = stage.outsiders(dead)
  const [from, to] = [stage.hour(7, 9), stage.hour(16, 18)]
  const when = (): number => from + (to - from) * (stage.chance.int(0, 10_000) / 10_000)
  return [
    ...users.flatMap(user =>
      many(visits, () => stage.visit({ at: when(), from: user, to: stage.chance.pick(sites) }, { via })),
    ),
    ...deadSites.map(site => ({
      ...stage.failed({ at: when(), from: stage.chance.pick(users), to: site, port: 443 }, 'silent'),
      via,
    })),
  ]
}

const scanTwins: Scenario[] = [
  {
    name: 'many users behind a NAT gateway',
    rule: 'D01',
    twinOf: 'scan of one port on many hosts outside',
    make(stage) {
      const [users, gateway] = [stage.hosts(30), stage.host()]
      return { flows: browsing(stage, users, gateway, 12, 12), benign: [...users, gateway] }
    },
  },
  {
    name: 'a proxy that meets some dead pages in a day',
    rule: 'D01',
    twinOf: 'slow scan over a day',
    make(stage) {
      const proxy = stage.host()
      return { flows: browsing(stage, [proxy], null, 600, 14), benign: [proxy] }
    },
  },
  {
    name: 'peer-to-peer with many dead peers',
    rule: 'D01',
    twinOf: 'scan of some ports on some hosts',
    make(stage) {
      const { chance } = stage
      const host = stage.host()
      const [peers, dead] = [stage.outsiders(90), stage.outsiders(60)]
      const at = stage.hour(3, 12)
      const portOf = (): number => (chance.maybe(0.3) ? 6881 : chance.int(10_000, 60_000))
      const flows = [
        ...peers.flatMap(to => {
          const port = portOf()
          const protocol = chance.maybe(0.5) ? protocols.udp : protocols.tcp
          return many(2, i =>
            stage.flow(
              { at: at + chance.int(0, 7000) + i * 900, from: host, to, port },
              {
                protocol,
                seconds: chance.int(5, 300),
                up: [chance.int(10, 400), 40_000],
                down: [chance.int(10, 900), 300_000],
              },
            ),
          )
        }),
        ...dead.flatMap(to => {
          const port = portOf()
          return many(chance.int(1, 3), i =>
            stage.failed(
              { at: at + chance.int(0, 6000) + i * 700, from: host, to, port },
              chance.pick(['silent', 'refused']),
            ),
          )
        }),
        ...stage
          .outsiders(40)
          .map(from =>
            stage.flow(
              { at: at + chance.int(0, 7000), from, to: host, port: 6881 },
              { seconds: 60, up: [40, 9000], down: [60, 50_000] },
            ),
          ),
      ]
      return { flows, benign: [host, ...peers, ...dead] }
    },
  },
  {
    name: 'health checks of a load balancer',
    rule: 'D01',
    twinOf: 'scan inside that the rules of its targets stop',
    make(stage) {
      const balancers = stage.hosts(2)
      const targets = stage.hosts(12)
      const [from, to] = [stage.hour(3), stage.hour(3.5)]
      // For some minutes of a deployment none of them answers.
      const down = stage.hour(3.2)
      const flows = balancers.flatMap(balancer =>
        targets.flatMap(target =>
          everySeconds(stage, from, to, 30, 0.01).map(at =>
            at > down && at < down + 400
              ? stage.failed({ at, from: balancer, to: target, port: 8080 }, 'refused')
              : stage.flow(
                  { at, from: balancer, to: target, port: 8080 },
                  { seconds: 0.1, up: [6, 420], down: [5, 560] },
                ),
          ),
        ),
      )
      return { flows, benign: [...balancers, ...targets] }
    },
  },
  {
    name: 'monitoring with targets that are gone',
    rule: 'D01',
    twinOf: 'scan of one port on many hosts outside',
    make(stage) {
      const [monitor, ...targets] = stage.hosts(26) as [string, ...string[]]
      const gone = targets.slice(0, 14)
      const [from, to] = [stage.hour(5), stage.hour(6.5)]
      const flows = targets.flatMap(target =>
        everySeconds(stage, from, to, 120, 0.01).map(at =>
          gone.includes(target)
            ? stage.failed({ at, from: monitor, to: target, port: 9100 }, 'silent')
            : stage.flow(
                { at, from: monitor, to: target, port: 9100 },
                { seconds: 0.4, up: [12, 900], down: [20, 24_000] },
              ),
        ),
      )
      return { flows, benign: [monitor, ...targets] }
    },
  },
  {
    name: 'own scanner, declared',
    rule: 'D01',
    twinOf: 'scan of the ports of a host inside',
    make(stage) {
      const { flows, scanner, targets } = ownScanner(stage)
      return { flows, benign: [scanner, ...targets], scanners: [scanner] }
    },
  },
  {
    name: 'own scanner, undeclared',
    rule: 'D01',
    twinOf: 'scan of the ports of a host inside',
    make(stage) {
      const { flows, scanner, targets } = ownScanner(stage)
      return { flows, benign: [scanner, ...targets], isExplained: true }
    },
  },
  {
    name: 'answers to packets with a forged source',
    rule: 'D01',
    twinOf: 'scan of one port on many hosts outside',
    hidden: ({ format }) => (format === 'flags' ? null : 'without flags an answer is a packet as any other'),
    make(stage) {
      const host = stage.host()
      const at = stage.hour(3, 20)
      const flows = stage
        .outsiders(60)
        .map((from, i) =>
          stage.flow(
            { at: at + i * 5, from, to: host, port: stage.chance.int(1024, 60_000) },
            { state: 'scattered', sourcePort: 80, up: [2, 120], down: [2, 80] },
          ),
        )
      return { flows, benign: [host] }
    },
  },
]

/** A scanner of the security team: many ports of many hosts, at night. */
function ownScanner(stage: Stage): { flows: Connection[]; scanner: string; targets: string[] } {
  const [scanner, ...targets] = stage.hosts(9) as [string, ...string[]]
  const at = stage.hour(1.5, 4)
  const flows = targets.flatMap((to, i) =>
    many(30, n => probe(stage, { at: at + i * 60 + n, from: scanner, to, port: 20 + 11 * n }, 0.9)),
  )
  return { flows, scanner, targets }
}

const callbacks: Scenario[] = [
  {
    name: 'call-backs that fail again and again',
    rule: 'D13',
    make(stage) {
      const [actor, target] = [stage.host(), stage.outside()]
      const port = stage.chance.pick([443, 4433, 8443, 2404, 5552])
      const at = stage.hour(3, 20)
      const state = stage.chance.pick(['refused', 'silent'] as const)
      const flows = everySeconds(stage, at, at + stage.hour(1.5, 3), 30, 0.3).map(when =>
        stage.failed({ at: when, from: actor, to: target, port }, state),
      )
      return { flows, attack: { rules: ['D13'], actors: [actor], targets: [target], flows }, benign: [] }
    },
  },
  {
    name: 'a monitored page outside that is down for an hour',
    rule: 'D13',
    twinOf: 'call-backs that fail again and again',
    make(stage) {
      const [monitor, page] = [stage.host(), stage.outside()]
      const down = stage.hour(6)
      const flows = everySeconds(stage, stage.hour(3), stage.hour(10), 90, 0.4).map(at =>
        at > down && at < down + 3600
          ? stage.failed({ at, from: monitor, to: page, port: 80 }, 'refused')
          : stage.visit({ at, from: monitor, to: page }, { port: 80 }),
      )
      // Another host sees the same page, and a third one.
      const others = stage.hosts(3)
      const visits = others.flatMap(from =>
        many(6, i => stage.visit({ at: stage.hour(2) + i * 4000, from, to: page }, { port: 80 })),
      )
      return { flows: [...flows, ...visits], benign: [monitor, page, ...others] }
    },
  },
  {
    name: 'a server of a partner that no internal host reaches any more',
    rule: 'D13',
    twinOf: 'call-backs that fail again and again',
    make(stage) {
      const [hosts, server] = [stage.hosts(14), stage.outside()]
      const flows = hosts.flatMap(from =>
        everySeconds(stage, stage.hour(4) + stage.chance.int(0, 60), stage.hour(5.5), 60, 0.1).map(at =>
          stage.failed({ at, from, to: server, port: 443 }, 'silent'),
        ),
      )
      return { flows, benign: [...hosts, server] }
    },
  },
]

const withoutFlags = ({ format }: View): string | null =>
  format === 'flags' ? null : 'without flags a handshake that was not completed looks like a short connection'

const floods: Scenario[] = [
  {
    name: 'SYN flood from many sources',
    rule: 'D15',
    hidden: withoutFlags,
    make(stage) {
      const { chance } = stage
      const victim = stage.host()
      const sources = stage.outsiders(chance.int(900, 1300))
      const at = stage.hour(3, 20)
      const isAnswered = chance.maybe(0.5)
      const flows = sources.map(from =>
        stage.flow(
          { at: at + chance.int(0, 400), from, to: victim, port: 443 },
          isAnswered
            ? { state: 'half', up: [1, 60], down: [chance.int(1, 3), 60] }
            : { state: 'silent', up: [1, 60], down: [0, 0] },
        ),
      )
      return {
        flows: flows.map(one => ({ ...one, down: [one.down[0], 60 * one.down[0]] as const })),
        attack: { rules: ['D15'], actors: sources, targets: [victim], victims: [victim], flows },
        benign: [],
      }
    },
  },
  {
    name: 'SYN flood from three sources',
    rule: 'D15',
    hidden: withoutFlags,
    make(stage) {
      const victim = stage.host()
      const sources = stage.outsiders(3)
      const at = stage.hour(3, 20)
      const flows = sources.flatMap(from =>
        many(8, i =>
          stage.flow(
            { at: at + 30 * i, from, to: victim, port: 80 },
            { state: 'silent', up: [150_000, 6_000_000], down: [0, 0] },
          ),
        ),
      )
      return {
        flows,
        attack: { rules: ['D15'], actors: sources, targets: [victim], victims: [victim], flows },
        benign: [],
      }
    },
  },
  {
    name: 'amplification by an internal service',
    rule: 'D15',
    make(stage) {
      const [server, spoofed] = [stage.host(), stage.outside()]
      const at = stage.hour(3, 20)
      const flows = many(10, i =>
        stage.flow(
          { at: at + 50 * i, from: spoofed, to: server, port: 11_211 },
          { protocol: protocols.udp, seconds: 45, up: [90_000, 5_400_000], down: [1_800_000, 2_500_000_000] },
        ),
      )
      return {
        flows,
        attack: { rules: ['D15'], actors: [spoofed, server], targets: [server, spoofed], victims: [server], flows },
        benign: [],
      }
    },
  },
  {
    name: 'a crowd that visits a page at once',
    rule: 'D15',
    twinOf: 'SYN flood from many sources',
    make(stage) {
      const server = stage.host()
      const visitors = stage.outsiders(stage.chance.int(800, 1100))
      const at = stage.hour(3, 20)
      const flows = visitors.map(from => stage.visit({ at: at + stage.chance.int(0, 600), from, to: server }))
      return { flows, benign: [server, ...visitors] }
    },
  },
  {
    name: 'a scan from many sources at many hosts',
    rule: 'D15',
    twinOf: 'SYN flood from many sources',
    make(stage) {
      const { chance } = stage
      const hosts = stage.hosts(20)
      const sources = stage.outsiders(929)
      const flows = sources.map(from =>
        stage.failed(
          { at: stage.hour(1, 24), from, to: chance.pick(hosts), port: chance.pick([23, 2323, 445]) },
          'rejected',
        ),
      )
      return { flows, benign: hosts }
    },
  },
]

export const scanScenarios: readonly Scenario[] = [...scans, ...scanTwins, ...callbacks, ...floods]
