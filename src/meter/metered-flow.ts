/**
 * Why a record ended.
 * - `idle`: no packet of its direction for longer than the inactive timeout;
 * - `active`: it had lasted the active timeout when another packet came;
 * - `closed`: TCP, after FIN from both sides or a reset, and a linger;
 * - `reuse`: TCP, a closed conversation was reopened;
 * - `finish`: the capture ended;
 * - `limit`: there were too many conversations at once;
 * - `clock`: the time of the capture stepped back.
 */
export const recordEnds = ['idle', 'active', 'closed', 'reuse', 'finish', 'limit', 'clock'] as const
export type RecordEnd = (typeof recordEnds)[number]

/**
 * One flow record: packets of one direction of a conversation. A meter fills one object again and again; nobody keeps it.
 *
 * Counters and times are whole numbers in doubles, which are exact up to 2^53: 9 petabytes, or the year 2255 in
 * microseconds.
 */
export class MeteredFlow {
  src0 = 0
  src1 = 0
  src2 = 0
  src3 = 0
  dst0 = 0
  dst1 = 0
  dst2 = 0
  dst3 = 0
  protocol = 0
  srcPort = 0
  dstPort = 0
  /** Of the first packet; 0 for other protocols. */
  icmpType = 0
  icmpCode = 0
  /** Identifier of an ICMP echo and its like; 0 for other types. */
  icmpId = 0
  /** False where no packet showed its transport header: ports, flags and type are then 0 for want of knowledge. */
  hasTransport = false

  packets = 0
  /** Of the IP layer, headers included, by the headers. */
  bytes = 0
  /** Microseconds since the epoch: the earliest and the latest time of its packets. */
  first = 0
  last = 0
  /** Number in the capture of the packet that began the record. */
  firstPacket = 0
  /** OR of all packets. */
  tcpFlags = 0
  /** Whether one packet has SYN and ACK, which the OR of all does not tell. */
  hasSynAck = false
  /** False for other protocols, and where the capture has not the flags of every packet: then a flag that is not there may have been. */
  hasFlags = false
  /** Type of service, 802.1Q tag (-1: none), tunnel and its identifier (-1: none) of the first packet. */
  tos = 0
  vlan = -1
  tunnel = 0
  tunnelId = -1
  end: RecordEnd = 'finish'
}

export type FlowSink = (record: MeteredFlow) => void
