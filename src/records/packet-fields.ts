import type { ColumnType } from './column.ts'

export interface PacketField {
  name: string
  type: ColumnType
  doc: string
}

/**
 * Flow records that were metered from packets, or that an nfcapd file holds: one direction of a conversation. Names are those of the
 * flow logs where the meaning is the same. Segments `packet-flows-*`, view `packet_flows`.
 */
export const packetFlowFields = [
  { name: 'srcaddr', type: 'address', doc: 'Source address of the innermost IP packet.' },
  { name: 'dstaddr', type: 'address', doc: 'Destination address of the innermost IP packet.' },
  { name: 'srcport', type: 'u16', doc: 'Source port; null where the protocol has none or no packet showed it.' },
  { name: 'dstport', type: 'u16', doc: 'Destination port; null like srcport. Never an ICMP type.' },
  { name: 'protocol', type: 'u8', doc: 'IANA protocol number.' },
  { name: 'packets', type: 'u64', doc: 'Packets of this direction.' },
  { name: 'bytes', type: 'u64', doc: 'Bytes at the IP layer, headers included, by the lengths in the headers.' },
  { name: 'start', type: 'time', doc: 'First packet, to the microsecond (nfcapd: millisecond).' },
  { name: 'end', type: 'time', doc: 'Last packet.' },
  {
    name: 'tcp_flags',
    type: 'u8',
    doc: 'OR of all eight TCP flags of all packets; null for others, or if a header was cut.',
  },
  { name: 'tos', type: 'u8', doc: 'Type of service (DSCP and ECN) of the first packet.' },
  { name: 'icmp_type', type: 'u8', doc: 'ICMP or ICMPv6 type of the first packet; null for other protocols.' },
  { name: 'icmp_code', type: 'u8', doc: 'ICMP or ICMPv6 code of the first packet; null for other protocols.' },
  { name: 'vlan', type: 'u16', doc: '802.1Q VLAN of the first packet; null without a tag.' },
  {
    name: 'tunnel',
    type: 'text',
    doc: 'What carried the packets: gre, ipip, 6in4, erspan, vxlan, geneve, …; null: nothing.',
  },
  {
    name: 'tunnel_id',
    type: 'u64',
    doc: 'Network identifier (VXLAN, Geneve), key (GRE) or session (ERSPAN) of the tunnel.',
  },
  {
    name: 'flow_end',
    type: 'text',
    doc: 'Why the record ended: idle, active, closed, reuse, finish, limit, clock; null in nfcapd.',
  },
  { name: 'input_if', type: 'u64', doc: 'nfcapd: SNMP index of the interface that the packets came in by.' },
  { name: 'output_if', type: 'u64', doc: 'nfcapd: SNMP index of the interface that they left by.' },
  { name: 'src_as', type: 'u64', doc: 'nfcapd: AS number of the source.' },
  { name: 'dst_as', type: 'u64', doc: 'nfcapd: AS number of the destination.' },
  { name: 'next_hop', type: 'address', doc: 'nfcapd: next hop of the router.' },
  { name: 'flows', type: 'u64', doc: 'Flows that the record stands for; more than 1 where nfcapd holds aggregates.' },
  {
    name: 'out_packets',
    type: 'u64',
    doc: 'nfcapd: packets of the way back, if the exporter counts both ways in one.',
  },
  { name: 'out_bytes', type: 'u64', doc: 'nfcapd: bytes of the way back; null where records are of one way.' },
] as const satisfies readonly PacketField[]

/** Conversations as the packets of a capture show them: both directions together. Segments and view `connections`. */
export const connectionFields = [
  { name: 'orig_addr', type: 'address', doc: 'Originator: who began the conversation.' },
  { name: 'orig_port', type: 'u16', doc: 'Port of the originator; null for protocols without ports.' },
  { name: 'resp_addr', type: 'address', doc: 'Responder: who was addressed.' },
  { name: 'resp_port', type: 'u16', doc: 'Port of the responder; null for protocols without ports.' },
  { name: 'protocol', type: 'u8', doc: 'IANA protocol number.' },
  { name: 'start', type: 'time', doc: 'First packet, to the microsecond.' },
  { name: 'end', type: 'time', doc: 'Last packet.' },
  { name: 'orig_packets', type: 'u64', doc: 'Packets of the originator.' },
  {
    name: 'orig_ip_bytes',
    type: 'u64',
    doc: 'Bytes of the originator at the IP layer, headers included: what a flow log counts.',
  },
  { name: 'resp_packets', type: 'u64', doc: 'Packets of the responder.' },
  { name: 'resp_ip_bytes', type: 'u64', doc: 'Bytes of the responder at the IP layer, headers included.' },
  {
    name: 'orig_bytes',
    type: 'u64',
    doc: 'Content of the originator: TCP by sequence numbers, else after the header; null if TCP was cut.',
  },
  { name: 'resp_bytes', type: 'u64', doc: 'Content of the responder; null like orig_bytes.' },
  {
    name: 'orig_payload',
    type: 'u64',
    doc: 'Bytes of the originator after transport headers: what is sent again counts again; null if TCP is cut.',
  },
  {
    name: 'resp_payload',
    type: 'u64',
    doc: 'Bytes of the responder after the transport header; null like orig_payload.',
  },
  {
    name: 'conn_state',
    type: 'text',
    doc: "Zeek's state: S0, S1, SF, REJ, S2, S3, RSTO, RSTR, RSTOS0, RSTRH, SH, SHR, OTH.",
  },
  {
    name: 'history',
    type: 'text',
    doc: "Zeek's history of the conversation, upper case for the originator.",
  },
  {
    name: 'duration_us',
    type: 'u64',
    doc: "Zeek's duration, microseconds: without what came after both sides had closed.",
  },
  {
    name: 'rtt_us',
    type: 'u64',
    doc: 'TCP round trip, from the SYN to the ACK of the SYN-ACK, microseconds; null if it was not seen whole.',
  },
  {
    name: 'role_basis',
    type: 'text',
    doc: 'How it is known who began: syn, syn-ack, icmp-type, port-number, first-seen; of logs also listener, aws-service, rejected-attempt, icmp-error, unknown.',
  },
  { name: 'conn_end', type: 'text', doc: 'Why it ended here: idle, attempt, closed, reuse, finish, limit, clock.' },
  { name: 'icmp_type', type: 'u8', doc: 'ICMP or ICMPv6 type of the originator.' },
  { name: 'icmp_code', type: 'u8', doc: 'ICMP or ICMPv6 code of the originator.' },
  { name: 'vlan', type: 'u16', doc: '802.1Q VLAN of the first packet.' },
  { name: 'tunnel', type: 'text', doc: 'What carried the packets; null: nothing.' },
  { name: 'tunnel_id', type: 'u64', doc: 'Identifier of the tunnel.' },
  { name: 'community_id', type: 'id', doc: 'Community ID, version 1, seed 0.' },
] as const satisfies readonly PacketField[]

export type PacketFlowColumn = (typeof packetFlowFields)[number]['name']
export type ConnectionColumn = (typeof connectionFields)[number]['name']
