/** Random networks and connections, as the texts that the second evaluator reads, and the same as values. */
import type { Connection } from '../../src/network-rules/evaluate.ts'
import type { AclEntry, GroupRule, Network } from '../../src/network-rules/network.ts'
import { randomNumbers } from '../meter/random-packets.ts'
import type { ToldConnection, ToldEntry, ToldNetwork, ToldRule, ToldTraffic } from './oracle.ts'
import * as support from './support.ts'

const remembered = <T>(make: (text: string) => T): ((text: string) => T) => {
  const known = new Map<string, T>()
  return text => {
    const before = known.get(text)
    if (before !== undefined) return before
    const made = make(text)
    known.set(text, made)
    return made
  }
}
// Few texts come up, and each many thousand times.
const address = remembered(support.address)
const prefix = remembered(support.prefix)

export class Chance {
  private readonly random: () => number
  constructor(seed: number) {
    this.random = randomNumbers(seed)
  }
  below(limit: number): number {
    return Math.floor(this.random() * limit)
  }
  is(likelihood: number): boolean {
    return this.random() < likelihood
  }
  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
  some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make)
  }
}

const hosts = [
  ...[
    '10.0.0.5',
    '10.0.0.6',
    '10.0.0.37',
    '10.0.1.5',
    '10.0.1.200',
    '10.0.2.9',
    '10.9.9.9',
    '172.16.4.4',
    '100.64.1.1',
  ],
  ...[
    '203.0.113.1',
    '203.0.113.130',
    '198.51.100.7',
    '198.51.100.8',
    '192.0.2.55',
    '169.254.169.254',
    '10.0.0.1',
    '10.0.1.2',
  ],
  ...[
    '2001:db8:0:a::5',
    '2001:db8:0:a::6',
    '2001:db8:0:b::5',
    '2001:db8:1::1',
    '2001:db8:ffff::9',
    'fe80::1',
    'fd00::7',
  ],
] as const
const prefixes = [
  ...[
    '0.0.0.0/0',
    '10.0.0.0/8',
    '10.0.0.0/24',
    '10.0.0.0/27',
    '10.0.1.0/24',
    '10.0.1.200',
    '203.0.113.0/24',
    '203.0.113.128/25',
  ],
  ...['198.51.100.0/24', '198.51.100.7', '172.16.0.0/12', '192.0.2.0/24', '128.0.0.0/1'],
  ...['::/0', '2001:db8::/32', '2001:db8:0:a::/64', '2001:db8:0:b::5', '2001:db8:ffff::/48', 'fc00::/7'],
] as const
const ports = [0, 22, 53, 67, 68, 80, 443, 546, 547, 1023, 1024, 3389, 8080, 32_768, 49_152, 60_999, 65_535] as const
const protocols = [6, 6, 6, 6, 17, 17, 1, 58, 47, 132, 0] as const
const groupIds = ['sg-a', 'sg-b', 'sg-c', 'sg-gone'] as const
const listIds = ['pl-1', 'pl-2', 'pl-none'] as const
const types = [0, 3, 8, 13, 14, 128, 129, 139, 140] as const

function traffic(chance: Chance): ToldTraffic {
  const protocol = chance.is(0.25) ? null : chance.one(protocols)
  const ends = [chance.one(ports), chance.one(ports)].sort((a, b) => a - b) as [number, number]
  return {
    protocol,
    ports: chance.is(0.3) ? null : chance.is(0.1) ? [0, 65_535] : ends,
    icmp: chance.is(0.5) ? null : [chance.is(0.1) ? null : chance.one(types), chance.is(0.6) ? null : chance.below(3)],
  }
}

function rule(chance: Chance): ToldRule {
  const remote = chance.is(0.15) ? chance.one(groupIds) : chance.is(0.12) ? chance.one(listIds) : chance.one(prefixes)
  return { ...traffic(chance), remote }
}

function entries(chance: Chance): ToldEntry[] {
  const numbers = new Set(chance.some(6, () => 1 + chance.below(40)))
  return [...numbers].map(number => ({
    ...traffic(chance),
    number,
    remote: chance.is(0.4) ? chance.one(['0.0.0.0/0', '::/0']) : chance.one(prefixes),
    action: chance.is(0.65) ? 'allow' : 'deny',
  }))
}

const vpc = (chance: Chance) => (chance.is(0.6) ? null : chance.one(['vpc-1', 'vpc-2']))

export function randomNetwork(chance: Chance): ToldNetwork {
  const ids = ['sg-a', 'sg-b', 'sg-c'].filter(() => chance.is(0.75))
  const aclIds = ['acl-1', 'acl-2'].filter(() => chance.is(0.7))
  const subnetIds = ['subnet-1', 'subnet-2', 'subnet-3'].filter(() => chance.is(0.7))
  const own = ['10.0.0.0/24', '10.0.0.0/27', '10.0.1.0/24', '10.0.2.0/24', '2001:db8:0:a::/64', '2001:db8:0:b::/64']
  const aclOf = () => (chance.is(0.15) ? null : chance.one(['acl-1', 'acl-2', 'acl-gone', ...aclIds]))
  return {
    groups: ids.map(id => ({
      id,
      ingress: chance.some(5, () => rule(chance)),
      egress: chance.some(5, () => rule(chance)),
    })),
    acls: aclIds.map(id => ({ id, ingress: entries(chance), egress: entries(chance) })),
    interfaces: chance.some(6, () => ({
      id: `eni-${chance.below(1000)}`,
      vpc: vpc(chance),
      subnet: chance.is(0.4) ? null : chance.one(['subnet-1', 'subnet-2', 'subnet-3', 'subnet-gone']),
      addresses: [chance.one(hosts.slice(0, 9)), ...chance.some(2, () => chance.one(hosts))],
      prefixes: chance.is(0.2) ? ['10.0.1.192/28'] : [],
      publicAddresses: chance.is(0.4) ? [chance.one(['198.51.100.7', '198.51.100.8', '203.0.113.130'])] : [],
      groups: chance.is(0.1) ? null : [...new Set(chance.some(3, () => chance.one([...groupIds, ...ids])))],
    })),
    subnets: [
      ...subnetIds.map(id => ({ id, vpc: vpc(chance), prefixes: chance.some(2, () => chance.one(own)), acl: aclOf() })),
      ...(chance.is(0.2) ? [{ id: null, vpc: null, prefixes: ['10.0.2.9'], acl: aclOf() }] : []),
    ],
    lists: ['pl-1', 'pl-2'].map(id => ({
      id,
      prefixes: chance.is(0.3) ? null : chance.some(3, () => chance.one(prefixes)),
    })),
    others: chance.is(0.7) ? 'undecided' : 'not-judged',
  }
}

/** @param withTypes whether ICMP types may be known, which columns do not tell. */
export function randomConnection(chance: Chance, withTypes: boolean): ToldConnection {
  const client = chance.one(hosts)
  const isFour = !client.includes(':')
  const like = hosts.filter(host => !host.includes(':') === isFour)
  const protocol = chance.is(0.08) ? null : chance.one(protocols)
  const hasPorts = protocol === 6 || protocol === 17 || protocol === 132
  const port = () =>
    (!hasPorts || chance.is(0.08) ? null : chance.one(ports) + (chance.is(0.1) ? 1 : 0)) as number | null
  const icmp = (protocol === 1 || protocol === 58) && withTypes && chance.is(0.8)
  const start = chance.is(0.05) ? Number.POSITIVE_INFINITY : chance.below(200)
  return {
    client,
    server: chance.is(0.02) ? client : chance.one(like),
    protocol,
    clientPort: inRange(port()),
    serverPort: inRange(port()),
    icmp: icmp ? { type: chance.one(types), code: chance.below(3) } : null,
    start,
    end: start + chance.below(100),
    unknownRole: chance.is(0.1),
    isError: (protocol === 1 || protocol === 58) && chance.is(0.1),
  }
}

const parts = ['unknownRole', 'isError', 'start', 'protocol', 'clientPort', 'serverPort', 'server', 'icmp'] as const

/** Connections of which every second differs from the one before in one thing alone. */
export function randomConnections(chance: Chance, count: number, typed: number): ToldConnection[] {
  const made: ToldConnection[] = []
  for (let i = 0; i < count; i++) {
    const other = randomConnection(chance, i < typed)
    const before = made.at(-1)
    if (i % 2 === 0 || before === undefined) made.push(other)
    else {
      const part = chance.one(parts)
      const start = part === 'start' ? other.start : before.start
      const isTurned = part === 'unknownRole' || part === 'isError'
      made.push({
        ...before,
        [part]: isTurned ? !before[part] : other[part],
        end: start + (before.end - before.start || 0),
      })
    }
  }
  return made
}

const inRange = (port: number | null) => (port === null ? null : Math.min(port, 65_535))

export function asNetwork({ groups, acls, interfaces, subnets, lists, others }: ToldNetwork): Network {
  return {
    groups: groups.map(({ id, ingress, egress }) => ({
      ...{ id, name: id, vpc: null },
      ingress: ingress.map(asRule),
      egress: egress.map(asRule),
    })),
    acls: acls.map(({ id, ingress, egress }) => ({
      ...{ id, vpc: null, isDefault: false },
      ingress: ingress.map(asEntry),
      egress: egress.map(asEntry),
    })),
    interfaces: interfaces.map(one => ({
      ...one,
      addresses: one.addresses.map(address),
      prefixes: one.prefixes.map(prefix),
      publicAddresses: one.publicAddresses.map(address),
    })),
    subnets: subnets.map(one => ({ ...one, prefixes: one.prefixes.map(prefix) })),
    prefixLists: lists.map(({ id, prefixes }) => ({
      id,
      name: id,
      prefixes: prefixes?.map(prefix) ?? null,
      maxEntries: null,
    })),
    others,
  }
}

function asTraffic({ protocol, ports, icmp }: ToldTraffic) {
  return {
    protocol,
    ports: ports === null ? null : { from: ports[0], to: ports[1] },
    icmp: icmp === null ? null : { type: icmp[0], code: icmp[1] },
  }
}

function asRule(told: ToldRule): GroupRule {
  const { remote } = told
  return {
    ...asTraffic(told),
    ...{ id: null, description: '' },
    remote: remote.startsWith('sg-')
      ? { kind: 'group', group: remote }
      : remote.startsWith('pl-')
        ? { kind: 'prefix-list', list: remote }
        : { kind: 'prefix', prefix: prefix(remote) },
  }
}

function asEntry(told: ToldEntry): AclEntry {
  return { ...asTraffic(told), number: told.number, action: told.action, prefix: prefix(told.remote) }
}

export function asConnection({ client, server, start, end, ...rest }: ToldConnection): Connection {
  return { ...rest, client: address(client), server: address(server), start_us: start, end_us: end }
}
