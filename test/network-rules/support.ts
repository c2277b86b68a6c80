/** Rules and connections as short texts: `tcp 80 0.0.0.0/0`, `10.0.0.1:40000 > 10.0.1.2:80 tcp`. */
import { parseAddress } from '../../src/net/address.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import type { Decision } from '../../src/network-rules/decision.ts'
import type { Connection } from '../../src/network-rules/evaluate.ts'
import type {
  AclEntry,
  GroupRule,
  Network,
  NetworkAcl,
  NetworkInterface,
  Remote,
  SecurityGroup,
  Subnet,
  Traffic,
} from '../../src/network-rules/network.ts'

const protocols: Record<string, number | null> = { all: null, tcp: 6, udp: 17, icmp: 1, icmpv6: 58, gre: 47, sctp: 132 }

export const address = (text: string) => parseAddress(text)!
export const prefix = (text: string) => parsePrefix(text)!

/** `all`, `tcp`, `tcp 80`, `tcp 1024-65535`, `icmp 8`, `icmp 3/4`. */
function traffic(words: string[]): Traffic {
  const [name = 'all', range] = words
  const protocol = protocols[name]
  if (protocol === undefined) throw new Error(`unknown protocol ${name}`)
  if (range === undefined) return { protocol, ports: null, icmp: null }
  if (name.startsWith('icmp')) {
    const [type, code] = range.split('/')
    return { protocol, ports: null, icmp: { type: Number(type), code: code === undefined ? null : Number(code) } }
  }
  const [from, to = from] = range.split('-')
  return { protocol, ports: { from: Number(from), to: Number(to) }, icmp: null }
}

function remote(text: string): Remote {
  if (text.startsWith('sg-')) return { kind: 'group', group: text }
  if (text.startsWith('pl-')) return { kind: 'prefix-list', list: text }
  return { kind: 'prefix', prefix: prefix(text) }
}

export function rule(text: string): GroupRule {
  const words = text.split(' ')
  return { ...traffic(words.slice(0, -1)), id: null, remote: remote(words.at(-1)!), description: '' }
}

export function group(id: string, ingress: string[], egress: string[] = ['all 0.0.0.0/0', 'all ::/0']): SecurityGroup {
  return { id, name: id, vpc: null, ingress: ingress.map(rule), egress: egress.map(rule) }
}

/** `100 allow tcp 80 0.0.0.0/0`. */
export function entry(text: string): AclEntry {
  const [number, action, ...words] = text.split(' ')
  if (action !== 'allow' && action !== 'deny') throw new Error(`unknown action ${action}`)
  return { ...traffic(words.slice(0, -1)), number: Number(number), action, prefix: prefix(words.at(-1)!) }
}

export function acl(id: string, ingress: string[], egress: string[]): NetworkAcl {
  return { id, vpc: null, isDefault: false, ingress: ingress.map(entry), egress: egress.map(entry) }
}

export function networkInterface(addresses: string, groups: string[] | null, rest: Partial<NetworkInterface> = {}) {
  const made: NetworkInterface = {
    ...{ id: `eni-${addresses}`, vpc: null, subnet: null, prefixes: [], publicAddresses: [], groups },
    addresses: addresses.split(' ').map(address),
    ...rest,
  }
  return made
}

export function subnet(id: string | null, prefixes: string[], acl: string | null = null): Subnet {
  return { id, vpc: null, prefixes: prefixes.map(prefix), acl }
}

export function network(parts: Partial<Network>): Network {
  return { groups: [], acls: [], interfaces: [], subnets: [], prefixLists: [], others: 'undecided', ...parts }
}

/** `10.0.0.1:40000 > 10.0.1.2:80 tcp`, `2001:db8::1 > 2001:db8::2 icmpv6 128`; a port that is missing is not known. */
export function connection(text: string, rest: Partial<Connection> = {}): Connection {
  const [client, server, name, icmp] = text.replace(' > ', ' ').split(' ')
  const [a, clientPort] = end(client!)
  const [b, serverPort] = end(server!)
  const [type, code] = icmp?.split('/') ?? []
  return {
    ...{ client: a, server: b, clientPort, serverPort },
    protocol: name === '?' ? null : protocols[name!]!,
    icmp: type === undefined ? null : { type: Number(type), code: code === undefined ? 0 : Number(code) },
    ...{ start_us: 0, end_us: 1, unknownRole: false, isError: false },
    ...rest,
  }
}

function end(text: string) {
  const match = /^\[(.*)\]:(\d+)$|^([\d.]+):(\d+)$/.exec(text)
  if (match === null) return [address(text), null] as const
  return [address(match[1] ?? match[3]!), Number(match[2] ?? match[4])] as const
}

/** A decision as a word or two: `allowed`, `denied client acl egress 100`, `undecided no-interface`. */
export function told(decision: Decision): string {
  if (decision.verdict === 'allowed') return decision.because === 'rules' ? 'allowed' : `allowed ${decision.because}`
  if (decision.verdict === 'undecided') return `undecided ${decision.reason}`
  const { at, what, direction, entry, packets, stops } = decision.by
  return `denied ${at} ${what} ${direction} ${entry ?? '*'} ${packets}${stops === 'answers' ? ' (answers)' : ''}`
}
