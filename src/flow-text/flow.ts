import type { Address } from '../net/address.ts'

/** A flow record of another program's table: one direction. Times are microseconds since 1970; null is unknown, or does not exist. */
export interface TextFlow {
  src: Address
  dst: Address
  srcPort: number | null
  dstPort: number | null
  protocol: number | null
  packets: bigint | null
  bytes: bigint | null
  start: number | null
  end: number | null
  flags: number | null
  tos: number | null
  icmpType: number | null
  icmpCode: number | null
  vlan: number | null
  tunnel: string | null
  /** What only some programs' tables have. */
  more: FlowDetails | null
}

/** `flows`: how many flows the record stands for. `outPackets`, `outBytes`: the way back, where one record counts both. */
export interface FlowDetails {
  flows: bigint | null
  outPackets: bigint | null
  outBytes: bigint | null
  inputIf: bigint | null
  outputIf: bigint | null
  srcAs: bigint | null
  dstAs: bigint | null
  nextHop: Address | null
}

/** A conversation of Zeek's conn.log. */
export interface TextConnection {
  orig: Address
  resp: Address
  origPort: number | null
  respPort: number | null
  protocol: number | null
  start: number
  end: number
  origPackets: bigint | null
  origIpBytes: bigint | null
  respPackets: bigint | null
  respIpBytes: bigint | null
  origBytes: bigint | null
  respBytes: bigint | null
  state: string | null
  history: string | null
  /** Microseconds. */
  duration: number | null
  basis: 'syn' | 'syn-ack' | 'icmp-type' | 'port-number' | 'first-seen'
  icmpType: number | null
  icmpCode: number | null
  vlan: number | null
  tunnel: string | null
  communityId: string | null
}

/** What a line of a table is: one of its header, a row, nothing, or, as text, what is wrong with it. */
export type TableLine = 'header' | 'blank' | { flows: TextFlow[]; connection: TextConnection | null } | string

/** Reads the lines of a table, in their order. */
export interface Table {
  kind: 'conn-log' | 'flow-table'
  line(text: string): TableLine
  /** After the last line: the names of its columns, and what is to be known of how it was read. Null: nothing. */
  readonly layout: string | null
  readonly note: string | null
}
