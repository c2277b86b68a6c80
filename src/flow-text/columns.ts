import { UserError } from '../errors.ts'
import { nearest } from '../nearest.ts'

/** What a column of a table of flows is to a flow record. Those that begin with `reverse` are of the way back, as a record of its own. */
export type Role =
  | ('src' | 'dst' | 'srcPort' | 'dstPort' | 'protocol' | 'packets' | 'bytes' | 'flags' | 'tos' | 'vlan' | 'flows')
  | ('start' | 'end' | 'duration' | 'icmpType' | 'icmpCode' | 'icmpTypeCode')
  | ('reversePackets' | 'reverseBytes' | 'reverseFlags')
  | ('outPackets' | 'outBytes' | 'inputIf' | 'outputIf' | 'srcAs' | 'dstAs' | 'nextHop')

/** A name that another program gives to a column. `role`: null where the case has no place for it. */
interface Name {
  role: Role | null
  /** Of times and durations as whole numbers: microseconds of one. Null: seconds, or by the number of digits. */
  unit: number | null
}

/** Program by program: role, names. Upper and lower case count: AWS's `srcaddr` is another thing than nfdump's `srcAddr`. */
const programs: Record<string, Partial<Record<Role | 'unused', string>>> = {
  // rwcut(1), "--fields"; titles of the columns and names of the fields.
  SiLK: {
    src: 'sIP',
    dst: 'dIP',
    srcPort: 'sPort',
    dstPort: 'dPort',
    protocol: 'pro protocol',
    packets: 'packets pkts',
    bytes: 'bytes',
    flags: 'flags initialF sessionF initialFlags sessionFlags',
    start: 'sTime sTime+msec stime',
    end: 'eTime eTime+msec etime',
    duration: 'dur duration dur+msec',
    icmpType: 'iTy iType',
    icmpCode: 'iCo iCode',
    nextHop: 'nhIP',
    inputIf: 'in',
    outputIf: 'out',
    unused: 'sen sensor cla class type typ application appli attribut attributes scc dcc icmpTypeCode',
  },
  // nfdump 1.6 and 1.7.1 `-o csv` (output_csv.c), and the names of 1.7.3 and later.
  nfdump: {
    src: 'sa srcAddr',
    dst: 'da dstAddr',
    srcPort: 'sp srcPort',
    dstPort: 'dp dstPort',
    protocol: 'pr proto',
    packets: 'ipkt pkt inPackets',
    bytes: 'ibyt byt inBytes',
    outPackets: 'opkt outPackets',
    outBytes: 'obyt outBytes',
    flags: 'flg',
    tos: 'stos tos srcTos',
    start: 'ts tsr firstSeen firstSeenRaw',
    end: 'te ter lastSeen lastSeenRaw',
    duration: 'td',
    flows: 'fl flows',
    inputIf: 'in input',
    outputIf: 'out output',
    srcAs: 'sas srcAS',
    dstAs: 'das dstAS',
    nextHop: 'nh nextHop',
    vlan: 'svln srcVlan',
    unused:
      'fwd smk dmk dtos dir nhb dvln ismc odmc idmc osmc mpls1 mpls2 mpls3 mpls4 mpls5 mpls6 mpls7 mpls8 mpls9 mpls10 cl sl al ra eng exid tr ' +
      'bps pps bpp received',
  },
  // yafscii(1), "Tabular Output".
  yafscii: {
    src: 'sip',
    dst: 'dip',
    srcPort: 'sp',
    dstPort: 'dp',
    protocol: 'proto',
    packets: 'pkt',
    bytes: 'oct',
    flags: 'iflags uflags',
    reversePackets: 'rpkt',
    reverseBytes: 'roct',
    reverseFlags: 'riflags ruflags',
    start: 'start-time',
    end: 'end-time',
    unused: 'rtt isn risn tag rtag app end-reason',
  },
  // IANA, IPFIX Information Elements; those of the way back by RFC 5103.
  IPFIX: {
    src: 'sourceIPv4Address sourceIPv6Address',
    dst: 'destinationIPv4Address destinationIPv6Address',
    srcPort: 'sourceTransportPort',
    dstPort: 'destinationTransportPort',
    protocol: 'protocolIdentifier',
    packets: 'packetTotalCount packetDeltaCount',
    bytes: 'octetTotalCount octetDeltaCount',
    flags: 'tcpControlBits initialTCPFlags unionTCPFlags',
    reversePackets: 'reversePacketTotalCount reversePacketDeltaCount',
    reverseBytes: 'reverseOctetTotalCount reverseOctetDeltaCount',
    reverseFlags: 'reverseTcpControlBits reverseInitialTCPFlags reverseUnionTCPFlags',
    tos: 'ipClassOfService',
    vlan: 'vlanId',
    start: 'flowStartSeconds flowStartMilliseconds flowStartMicroseconds flowStartNanoseconds',
    end: 'flowEndSeconds flowEndMilliseconds flowEndMicroseconds flowEndNanoseconds',
    duration: 'flowDurationMilliseconds flowDurationMicroseconds',
    icmpTypeCode: 'icmpTypeCodeIPv4 icmpTypeCodeIPv6',
    icmpType: 'icmpTypeIPv4 icmpTypeIPv6',
    icmpCode: 'icmpCodeIPv4 icmpCodeIPv6',
    inputIf: 'ingressInterface',
    outputIf: 'egressInterface',
    srcAs: 'bgpSourceAsNumber',
    dstAs: 'bgpDestinationAsNumber',
    nextHop: 'ipNextHopIPv4Address ipNextHopIPv6Address',
    unused: 'flowEndReason flowId silkAppLabel samplingInterval observationDomainId',
  },
}

const names = new Map<string, Name>()
for (const roles of Object.values(programs))
  for (const [role, words] of Object.entries(roles))
    for (const word of words.split(' '))
      if (!names.has(word)) names.set(word, { role: role === 'unused' ? null : (role as Role), unit: unitOf(word) })

function unitOf(name: string): number | null {
  const [, unit] = /(Milli|Micro|Nano)seconds$/.exec(name) ?? []
  return unit === undefined ? null : { Milli: 1000, Micro: 1, Nano: 0.001 }[unit]!
}

/** Lists of columns that `--format` knows by name. */
const namedColumns: ReadonlyMap<string, string> = new Map([
  ['rwcut', 'sIP dIP sPort dPort pro packets bytes flags sTime dur eTime sen'],
  [
    'yafscii',
    'start-time end-time duration rtt proto sip sp dip dp iflags uflags riflags ruflags isn risn tag rtag pkt oct rpkt roct app end-reason',
  ],
  [
    'nfdump',
    'ts te td sa da sp dp pr flg fwd stos ipkt ibyt opkt obyt in out sas das smk dmk dtos dir nh nhb svln dvln ismc odmc idmc osmc ' +
      'mpls1 mpls2 mpls3 mpls4 mpls5 mpls6 mpls7 mpls8 mpls9 mpls10 cl sl al ra eng exid tr',
  ],
])

export interface Column {
  /** As the table has it. */
  name: string
  role: Role | null
  unit: number | null
}

/** Of several columns for one thing the first counts, but for TCP flags, which are those of all, and addresses, of which one is empty. */
const manyOf: ReadonlySet<Role> = new Set(['flags', 'reverseFlags', 'src', 'dst', 'nextHop'])

/** What columns of these names are. */
export function columnsOf(words: readonly string[]): Column[] {
  const had = new Set<Role>()
  return words.map(name => {
    const { role, unit } = names.get(name) ?? { role: null, unit: null }
    const isNew = role !== null && (!had.has(role) || manyOf.has(role))
    if (role !== null) had.add(role)
    return { name, role: isNew ? role : null, unit }
  })
}

/** Whether names are those of a table of flows without a doubt. */
export function areColumns(words: readonly string[]): boolean {
  const roles = new Set(words.map(word => names.get(word)?.role))
  const counts = (['start', 'end', 'packets', 'bytes'] as const).some(role => roles.has(role))
  return roles.has('src') && roles.has('dst') && roles.has('protocol') && counts
}

/**
 * The columns that `--format` names, if they are those of a table of flows: `rwcut`, `yafscii`, `nfdump`, or names separated by commas,
 * spaces or bars. Null: it names something else.
 *
 * @param unknown whether names that no program is known to use are taken; such columns are not kept.
 * @throws UserError for names of a table without an address, or that nobody uses.
 */
export function columnsOfFormat(format: string, unknown: boolean): string[] | null {
  const words = (namedColumns.get(format.trim().toLowerCase()) ?? format)
    .trim()
    .split(/[\s,|]+/)
    .filter(word => word !== '')
  const roles = words.map(word => names.get(word)?.role)
  const ends = (['src', 'dst'] as const).filter(role => roles.includes(role))
  if (ends.length === 0) return null
  const strange = words.find(word => !names.has(word))
  const near = strange === undefined ? null : nearest(strange, names.keys())
  if (strange !== undefined && (!unknown || ends.length < 2)) {
    const hint = 'a column that Tidemark does not know needs --format-unknown, and is not kept'
    throw new UserError(`no column of a table of flows: ${strange}`, {
      status: 2,
      hint: near === null ? hint : `did you mean ${near}? ${hint}`,
    })
  }
  if (ends.length < 2)
    throw new UserError(`--format names no ${ends[0] === 'src' ? 'destination' : 'source'} address`, {
      status: 2,
      hint: "a table of flows needs both, as in --format 'sIP,dIP,sPort,dPort,pro,packets,bytes,flags,sTime,dur,eTime,sen'",
    })
  return words
}
