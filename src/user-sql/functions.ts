/** Functions of our own for queries: addresses, names and flags in words. */
import { type Address, formatAddress, parseAddress } from '../net/address.ts'
import { internalPrefixes } from '../net/internal.ts'
import { registeredService } from '../net/ports.ts'
import { parsePrefix } from '../net/prefix.ts'
import { protocolName } from '../net/protocols.ts'
import { flagNames } from '../net/tcp-flags.ts'
import type { Database, ScalarFunction, Value } from '../store/duckdb.ts'

export interface OwnFunction {
  name: string
  /** As it is written. */
  call: string
  returns: string
  doc: string
  example: string
}

/** What people may call, in the order of the reference page. */
export const ownFunctions: readonly OwnFunction[] = [
  {
    name: 'addr',
    call: 'addr(text)',
    returns: 'address',
    doc: 'The address that a text names, in any spelling. A text that is not an address is an error.',
    example: "srcaddr = addr('2001:db8::7')",
  },
  {
    name: 'ip',
    call: 'ip(address)',
    returns: 'VARCHAR',
    doc: 'Canonical text: dotted for IPv4, RFC 5952 for IPv6. Results show addresses that way by themselves; this is for text operations.',
    example: "ip(srcaddr) LIKE '10.%'",
  },
  {
    name: 'in_net',
    call: 'in_net(address, network)',
    returns: 'BOOLEAN',
    doc: 'Whether an address lies in a network, e.g. `10.0.0.0/8`. A network that is a constant skips what cannot hold it.',
    example: "in_net(dstaddr, '10.0.0.0/8')",
  },
  {
    name: 'network',
    call: 'network(address, length)',
    returns: 'VARCHAR',
    doc: 'The network of that length around an address; the length counts as the address is written (0–32 for IPv4, 0–128 for IPv6).',
    example: 'GROUP BY network(srcaddr, 24)',
  },
  {
    name: 'is_internal',
    call: 'is_internal(address)',
    returns: 'BOOLEAN',
    doc: 'Whether the internet does not route it: private, shared, loopback and link-local networks, as in the dossier.',
    example: 'NOT is_internal(dstaddr)',
  },
  {
    name: 'is_ipv4',
    call: 'is_ipv4(address)',
    returns: 'BOOLEAN',
    doc: 'Whether an address is IPv4.',
    example: 'is_ipv4(srcaddr)',
  },
  {
    name: 'protocol_name',
    call: 'protocol_name(number)',
    returns: 'VARCHAR',
    doc: "IANA's keyword of a protocol number; null where it has none.",
    example: 'protocol_name(protocol)',
  },
  {
    name: 'service_name',
    call: 'service_name(port, protocol)',
    returns: 'VARCHAR',
    doc: 'What IANA registers on a port; null where nothing. It says nothing about what was really spoken.',
    example: 'service_name(dstport, protocol)',
  },
  {
    name: 'flag_names',
    call: 'flag_names(tcp_flags)',
    returns: 'VARCHAR',
    doc: 'The TCP flags in words, lowest bit first, e.g. `SYN ACK`; empty for 0.',
    example: 'flag_names(tcp_flags)',
  },
  {
    name: 'has_flag',
    call: 'has_flag(tcp_flags, name)',
    returns: 'BOOLEAN',
    doc: 'Whether a TCP flag is set: FIN, SYN, RST, PSH, ACK, URG, ECE or CWR.',
    example: "has_flag(tcp_flags, 'RST')",
  },
]

const address = { parts: ['hi', 'lo'] }
const bounds = { parts: ['first_hi', 'first_lo', 'last_hi', 'last_lo'] }

/** What SQL cannot say itself; the names with `_` are for the macros alone. Constants are worked out once, before the query runs. */
const scalars: readonly ScalarFunction[] = [
  { name: 'addr', parameters: ['VARCHAR'], returns: address, work: ([text]) => struct({ ...addressOf(String(text)) }) },
  { name: '_bounds', parameters: ['VARCHAR'], returns: bounds, work: ([text]) => boundsOf(String(text)) },
  {
    name: '_ip6',
    parameters: ['UBIGINT', 'UBIGINT'],
    returns: 'VARCHAR',
    work: ([hi, lo]) => formatAddress(hi as bigint, lo as bigint),
  },
  {
    name: '_network',
    parameters: ['UBIGINT', 'UBIGINT', 'BIGINT'],
    returns: 'VARCHAR',
    work: ([hi, lo, length]) => networkOf({ hi: hi as bigint, lo: lo as bigint }, Number(length)),
  },
  { name: 'protocol_name', parameters: ['BIGINT'], returns: 'VARCHAR', work: ([n]) => protocolName(Number(n)) },
  {
    name: 'service_name',
    parameters: ['BIGINT', 'BIGINT'],
    returns: 'VARCHAR',
    work: ([port, protocol]) => registeredService(Number(port), Number(protocol))?.name ?? null,
  },
  {
    name: 'flag_names',
    parameters: ['BIGINT'],
    returns: 'VARCHAR',
    work: ([flags]) => flagNames(Number(flags)).join(' '),
  },
  { name: '_flag', parameters: ['VARCHAR'], returns: 'BIGINT', work: ([name]) => BigInt(flagBit(String(name))) },
]

/** Makes the functions known to a database. */
export async function createFunctions(db: Database): Promise<void> {
  for (const scalar of scalars) db.registerScalar(scalar)
  const quad = [24, 16, 8, 0].map(shift => `(a.lo >> ${shift}) & 255`)
  const within = (bound: string): string =>
    `a.hi BETWEEN ${bound}.first_hi AND ${bound}.last_hi AND a.lo BETWEEN ${bound}.first_lo AND ${bound}.last_lo`
  const internal = internalPrefixes.map(
    ({ first, last }) => `(a.hi BETWEEN ${first.hi} AND ${last.hi} AND a.lo BETWEEN ${first.lo} AND ${last.lo})`,
  )
  const macros = [
    'is_ipv4(a) AS (a.hi = 0 AND a.lo >> 32 = 65535)',
    `ip(a) AS CASE WHEN a.hi = 0 AND a.lo >> 32 = 65535 THEN concat_ws('.', ${quad.join(', ')}) ELSE _ip6(a.hi, a.lo) END`,
    `in_net(a, net) AS (${within('_bounds(net)')})`,
    'network(a, length) AS _network(a.hi, a.lo, length)',
    `is_internal(a) AS (${internal.join(' OR ')})`,
    'has_flag(flags, name) AS (flags & _flag(name) <> 0)',
  ]
  for (const macro of macros) await db.run(`CREATE MACRO ${macro}`)
}

function struct(entries: Record<string, bigint>): Value {
  return { entries } as unknown as Value
}

function addressOf(text: string): Address {
  const found = parseAddress(text.trim())
  if (found === null) throw new Error(`not an address: ${shortened(text)}`)
  return found
}

function boundsOf(text: string): Value {
  const prefix = parsePrefix(text.trim())
  if (prefix === null) throw new Error(`not a network: ${shortened(text)}`)
  const { first, last } = prefix
  return struct({ first_hi: first.hi, first_lo: first.lo, last_hi: last.hi, last_lo: last.lo })
}

function networkOf({ hi, lo }: Address, length: number): string {
  const prefix = parsePrefix(`${formatAddress(hi, lo)}/${length}`)
  if (prefix === null) throw new Error(`no network of this length around ${formatAddress(hi, lo)}: ${length}`)
  return prefix.text.includes('/') ? prefix.text : `${prefix.text}/${length}`
}

function flagBit(name: string): number {
  const bit = [1, 2, 4, 8, 16, 32, 64, 128].find(one => flagNames(one)[0] === name.toUpperCase())
  if (bit === undefined) throw new Error(`not a TCP flag: ${shortened(name)}`)
  return bit
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`
}
