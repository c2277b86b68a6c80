/** Random filters, as text, over the columns of `flows.ts`. */
import { formatAddress } from '../../src/net/address.ts'
import { addresses, began_us, counts, pick, ports, type Random } from './flows.ts'

export interface FilterFiles {
  /** Sets that filters may name. */
  addresses: readonly string[]
  ports: readonly string[]
  texts: readonly string[]
  services: readonly string[]
}

const texts = [
  'eu-west-1',
  'us-east-1',
  `"o'hara"`,
  '"a b"',
  '""',
  '"unknown"',
  'ACCEPT',
  'ünïcode',
  '"%_"',
  '"\\"; DROP TABLE flows; --"',
]
const signs = ['=', '==', '!=', '<>', '<', '<=', '>', '>=', 'eq', 'ne', 'lt', 'LE', 'gt', 'GE']
const noOrder = ['=', '==', '!=', 'eq', 'ne', '']

export function randomFilter(random: Random, files: FilterFiles, depth = 3): string {
  const shape = random()
  if (depth === 0 || shape < 0.35) return randomTerm(random, files)
  const inner = (): string => randomFilter(random, files, depth - 1)
  if (shape < 0.5) return `${pick(random, ['not', 'NOT', '!'])} ${bracketed(inner())}`
  const by = pick(random, [' and ', ' or ', ' AND ', ' || ', ' && ', '\n  or '])
  return Array.from({ length: 2 + Math.floor(random() * 3) }, () =>
    random() < 0.7 ? bracketed(inner()) : inner(),
  ).join(by)
}

function bracketed(text: string): string {
  return `(${text})`
}

function randomTerm(random: Random, files: FilterFiles): string {
  const from = <T>(values: readonly T[]): T => pick(random, values)
  const ends = (): string => from(['', '', 'src ', 'dst ', 'src or dst ', 'dst or src ', 'src and dst ', 'SRC '])
  const list = (value: () => string): string => {
    const length = random() < 0.03 ? 120 : 1 + Math.floor(random() * 4)
    return `[${Array.from({ length }, value).join(from([' ', ', ', ',']))}]`
  }
  const port = (): string => String(random() < 0.8 ? from(ports) : Math.floor(random() * 65536))
  const count = (): string => from([...counts.map(String), '1k', '5M', '5g', '0x28'])
  const service = (): string =>
    from(['ssh', 'SSH', '22/tcp', '22/udp', 'domain', '8022/tcp', 'icmp', 'https', '443/TCP'])
  const one = ends()
  // `src and dst … !=` is refused as ambiguous.
  const sure = (words: readonly string[]): string => {
    const word = from(words)
    return one.includes('and') && /^(!=|<>|ne|not)/i.test(word) ? words[0]! : word
  }
  const sets = (values: string, named: readonly string[]): string => (random() < 0.2 ? `@${from(named)}` : values)
  const makers: (() => string)[] = [
    () => `${one}${from(['ip', 'host', 'address'])} ${sure(noOrder)} ${address(random)}`,
    () => `${one}net ${network(random)}`,
    () =>
      `${one}${from(['ip', 'net', 'address'])} ${sure(['in', 'in', 'not in'])} ${sets(
        list(() => network(random)),
        files.addresses,
      )}`,
    () => `${one}port ${sure([...signs.filter(sign => sign !== '!='), ''])} ${port()}`,
    () => `${one}port ${sure(['in', 'not in'])} ${sets(list(port), files.ports)}`,
    () => `${from(['proto', 'protocol'])} ${from(['tcp', 'udp', 'ICMP', 'icmp6', '6', 'gre', '!= tcp', '> 17'])}`,
    () => `proto in ${list(() => from(['tcp', '17', 'icmp']))}`,
    () =>
      `flags ${from(['', 'any ', 'all ', 'none ', 'only ', '= ', '!= '])}${from(['S', 'SA', 'AFR', 'x', 'PU', 'EC'])}`,
    () => `flags ${from(signs)} ${from([0, 2, 18, 63, 255])}`,
    () => `${from(['', 'in ', 'out '])}${from(['bytes', 'packets'])} ${from([...signs, ''])} ${count()}`,
    () => `${from(['bps', 'pps', 'bpp'])} ${from(signs)} ${count()}`,
    () => `duration ${from(signs)} ${from(['0', '1', '500', '999', '1s', '1min', '10min', '60k', '2h', '1g'])}`,
    () => `${from(['first seen', 'last seen', 'start', 'end'])} ${from(signs)} ${time(random)}`,
    () => window(random),
    () => `${from(['first', 'last'])} ${from(['30min', '1h', '10s', '90m', '1d'])} of case`,
    () => from(['inet', 'ipv4', 'inet6', 'IPv6', 'any']),
    () => `${one}${from(['internal', 'external'])}`,
    () => `action ${from(['', '= ', '!= '])}${from(['accept', 'REJECT'])}`,
    () => `sensor ${from(['=', '!=', ''])} ${from(['eni-1', 'eni-2', 'nat-1', 'eni-9'])}`,
    () => `role ${from(['', '= ', '!= '])}${from(['client', 'SERVER'])}`,
    () => `service ${from(['', '= ', '!= '])}${service()}`,
    () => `service ${from(['contains', 'begins', 'ends'])} ${from(['ss', 'tcp', '"22/"', 'main', '""'])}`,
    () => `service ${from(['in', 'not in'])} ${sets(list(service), files.services)}`,
    () => `flowdir ${from(['ingress', 'egress', '0', '1'])}`,
    () => `${from(['icmp-type', 'icmp-code'])} ${from(['', '=', '>'])} ${from([0, 3, 8])}`,
    () => `${one}vlan ${sure(['', '=', '>'])} ${from([0, 1, 5, 4095])}`,
    () => `${from(['', 'src '])}tos ${from([0, 8, 184])}`,
    () =>
      `${from(['region', 'custom_field', 'subnet_id'])} ${from(['=', '!=', 'contains', 'begins', 'ends', ''])} ${from(texts)}`,
    () =>
      `${from(['region', 'custom_field'])} ${from(['in', 'not in'])} ${sets(
        list(() => from(texts)),
        files.texts,
      )}`,
    () => `${from(['traffic_path', 'encryption_status'])} ${from(signs)} ${from([0, 1, 2, 8])}`,
    () => `${from(['pkt_srcaddr', 'pkt-dstaddr', 'srcaddr'])} ${from(noOrder)} ${network(random)}`,
    () =>
      `${from(['tcp_flags', 'srcaddr', 'bytes', 'sensor', 'region', 'subnet_id', 'bps', 'src port', 'end', 'role', 'service'])} is ${from(['', 'not '])}${from(['known', 'unknown'])}`,
    // Of nfdump's, and in no record here.
    () => from(['as 5', 'src as > 5', 'if 5', 'in if 5', 'next ip 192.0.2.1', 'next as in [5]']),
  ]
  return from(makers)()
}

function address(random: Random): string {
  const value = random() < 0.9 ? pick(random, addresses) : BigInt(Math.floor(random() * 2 ** 32)) | 0xffff_0000_0000n
  return formatAddress(value >> 64n, value & 0xffff_ffff_ffff_ffffn)
}

/** A prefix around an address that may occur: every length, of IPv4 the short way too. */
function network(random: Random): string {
  const text = address(random)
  if (random() < 0.3) return text
  const most = text.includes(':') ? 128 : 32
  const length = pick(random, [0, 1, 8, 16, 24, 31, 32, 63, 64, 65, 95, 96, 97, 127, 128, Math.floor(random() * most)])
  return `${text}/${Math.min(length, most)}`
}

function moment(random: Random): bigint {
  return began_us + BigInt(Math.floor(random() * 8000) - 400) * 1_000_000n
}

function time(random: Random, us = moment(random)): string {
  const iso = new Date(Number(us / 1000n)).toISOString()
  const forms = [
    iso,
    iso.slice(0, 19),
    `"${iso.slice(0, 19).replace('T', ' ')}"`,
    String(us / 1_000_000n),
    `${iso.slice(0, 19)}+00:00`,
  ]
  return pick(random, forms)
}

function window(random: Random): string {
  const from = moment(random)
  return `between ${time(random, from)} and ${time(random, from + BigInt(Math.floor(random() * 3600)) * 1_000_000n)}`
}
