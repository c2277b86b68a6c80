/**
 * Why a connection ended.
 * - `idle`: nothing came for its inactivity timeout;
 * - `attempt`: TCP, nobody answered the SYN;
 * - `closed`: TCP, closed or reset, and a linger;
 * - `reuse`: TCP, another SYN began another connection with the same ports;
 * - `finish`, `limit`, `clock`: as for flow records.
 */
export const connectionEnds = ['idle', 'attempt', 'closed', 'reuse', 'finish', 'limit', 'clock'] as const
export type ConnectionEnd = (typeof connectionEnds)[number]

/** Zeek's `conn_state` (base/protocols/conn): how a connection began and ended. */
export type ConnectionState =
  | 'S0'
  | 'S1'
  | 'SF'
  | 'REJ'
  | 'S2'
  | 'S3'
  | 'RSTO'
  | 'RSTR'
  | 'RSTOS0'
  | 'RSTRH'
  | 'SH'
  | 'SHR'
  | 'OTH'

/**
 * What says who is the originator, the strongest first.
 * - `syn`: it sent the SYN;
 * - `syn_ack`: the other sent the SYN-ACK;
 * - `icmp_type`: it asked;
 * - `server_port`: the other has a port that servers have, and it has none;
 * - `first_packet`: it was seen first, which is little.
 */
export const roleBases = ['first_packet', 'server_port', 'icmp_type', 'syn_ack', 'syn'] as const
export type RoleBasis = (typeof roleBases)[number]

/**
 * One connection, both directions. A meter fills one object again and again; nobody keeps it. Counters and times are whole
 * numbers in doubles, exact up to 2^53.
 */
export class ConnectionRecord {
  orig0 = 0
  orig1 = 0
  orig2 = 0
  orig3 = 0
  resp0 = 0
  resp1 = 0
  resp2 = 0
  resp3 = 0
  protocol = 0
  /** Of ICMP: 0. */
  origPort = 0
  respPort = 0
  /** Of the first packet. */
  icmpType = 0
  icmpCode = 0
  icmpId = 0
  hasTransport = false

  origPackets = 0
  respPackets = 0
  /** Of the IP layer, headers included, by the headers. */
  origIpBytes = 0
  respIpBytes = 0
  /** Bytes behind the transport header by the lengths in the headers, each time they were sent; -1 where the capture cut TCP headers. */
  origPayload = 0
  respPayload = 0
  /** TCP: bytes that the sequence numbers span, as Zeek's `orig_bytes`; else the payload. -1 like the payload. */
  origBytes = 0
  respBytes = 0

  /** Microseconds since the epoch, of the first and of the last packet. */
  first = 0
  last = 0
  /** Zeek's duration in microseconds: without what comes after both sides have closed. */
  duration = 0
  firstPacket = 0
  state: ConnectionState = 'OTH'
  history = ''
  basis: RoleBasis = 'first_packet'
  /** Microseconds from SYN to SYN-ACK, and to the ACK of that; -1 where one is missing or was sent more than once (RFC 6298, 3). */
  synAckTime = -1
  handshakeTime = -1
  /** Of the first packet; -1: none. */
  vlan = -1
  tunnel = 0
  tunnelId = -1
  end: ConnectionEnd = 'finish'
}

export type ConnectionSink = (connection: ConnectionRecord) => void
