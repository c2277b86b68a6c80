/** Fields that nobody knows: which have a column of their own, and what it is called. */
import { columnName, fieldNamed } from './fields.ts'
import { connectionFields, packetFlowFields } from './packet-fields.ts'

/** The column that keeps, as `name=value name=value`, all fields without a column of their own. */
export const otherFields = 'other_fields'

/** Unknown fields of a case that have columns: AWS adds a dozen in a year. */
export const unknownColumnsMax = 128
/** Of these, in one buffer: each takes a megabyte. */
const unknownInBufferMax = 64
/** Longer names, of which AWS has none, are kept in `other_fields`. */
const nameLengthMax = 64

/** Says which unknown fields may have a column; the threads of one `add` share how many are left. */
export class UnknownColumns {
  private readonly known: Set<string>
  private readonly left: Int32Array<ArrayBufferLike>

  constructor(known: Iterable<string> = [], left: Int32Array<ArrayBufferLike> = Int32Array.of(unknownColumnsMax)) {
    this.known = new Set(known)
    this.left = left
  }

  /** @param others how many the buffer has already. */
  allow(name: string, others: number): boolean {
    if (others >= unknownInBufferMax || name.length > nameLengthMax) return false
    if (this.known.has(name)) return true
    if (Atomics.sub(this.left, 0, 1) <= 0) {
      Atomics.add(this.left, 0, 1)
      return false
    }
    this.known.add(name)
    return true
  }
}

/** Names that mean something else where records are listed, filtered, grouped or asked in SQL. */
const taken = new Set<string>([
  ...[...packetFlowFields, ...connectionFields].map(field => field.name as string),
  ...['path', 'line', 'packet', 'record', 'part', 'bin', 'subscription', 'filename', 'rowid', otherFields],
  // Connections of logs.
  ...['evidence', 'role_confidence', 'orig_records', 'resp_records', 'orig_flags', 'resp_flags', 'orig_seen'],
  ...['resp_seen', 'sensors', 'state', 'at_least'],
  // Things of filters.
  ...[
    'ip',
    'host',
    'net',
    'address',
    'port',
    'proto',
    'flags',
    'flows',
    'duration',
    'bps',
    'pps',
    'bpp',
    'inet',
    'ipv4',
  ],
  ...['inet6', 'ipv6', 'internal', 'external', 'sensor', 'service', 'role', 'flowdir', 'dir', 'tos', 'vlan', 'mask'],
  ...['as', 'if', 'engine_type', 'engine_id', 'sysid', 'fwdstat'],
  // nfdump's, which no record here has.
  ...['ace', 'acl', 'app', 'asa', 'client', 'count', 'egress', 'exporter', 'flowlabel', 'geo', 'ident', 'ingress'],
  ...['ja3', 'mac', 'mpls', 'nat', 'nfversion', 'nip', 'nport', 'observation', 'payload', 'pblock', 'pf', 'server'],
  ...['tun', 'tunip', 'vrf', 'xace', 'xevent', 'xip', 'xnet', 'xport'],
  // What the user's own files say of addresses.
  ...['country', 'asn', 'as_org', 'aws_service', 'network', 'list'],
  // Words of filters.
  ...[
    'and',
    'or',
    'not',
    'in',
    'is',
    'src',
    'dst',
    'out',
    'prev',
    'previous',
    'next',
    'router',
    'bgpnext',
    'any',
    'all',
  ],
  ...[
    'none',
    'only',
    'known',
    'unknown',
    'contains',
    'begins',
    'ends',
    'between',
    'first',
    'last',
    'seen',
    'of',
    'case',
  ],
  ...['file', 'eq', 'ne', 'lt', 'le', 'gt', 'ge'],
  // Elements, orders and measures.
  ...['srcip', 'dstip', 'srctos', 'srcvlan', 'inif', 'outif', 'srcas', 'dstas', 'nhip', 'pkt_ip', 'ipkg', 'ibyte'],
  ...['ipps', 'ibps', 'ibpp', 'tstart', 'tend', 'opkg', 'obyte', 'records', 'rejected', 'pairs', 'groups'],
])
/** Beginnings and ends of the names of what is counted. */
const made = /^(field|out|distinct)_|_(before|change|net[46]|p\d+)$/

/** The column of an unknown field: its name, with `field_` before it where that means something else. Different names stay different. */
function columnOfUnknown(name: string): string {
  return taken.has(name) || made.test(name) ? `field_${name}` : name
}

/** The column of a field in AWS's spelling. */
export function columnOfField(awsName: string): string {
  const name = columnName(awsName)
  return fieldNamed(name) === undefined ? columnOfUnknown(name) : name
}
