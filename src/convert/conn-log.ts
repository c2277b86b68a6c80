import type { OutputFile } from '../disk/output-file.ts'
import { communityOf } from '../meter/community.ts'
import type { ConnectionRecord } from '../meter/connection-record.ts'
import { tunnelNames } from '../packet/packet.ts'
import { addressText } from './rows.ts'

const fields: readonly [name: string, type: string][] = [
  ['ts', 'time'],
  ['uid', 'string'],
  ['id.orig_h', 'addr'],
  ['id.orig_p', 'port'],
  ['id.resp_h', 'addr'],
  ['id.resp_p', 'port'],
  ['proto', 'enum'],
  ['service', 'string'],
  ['duration', 'interval'],
  ['orig_bytes', 'count'],
  ['resp_bytes', 'count'],
  ['conn_state', 'string'],
  ['local_orig', 'bool'],
  ['local_resp', 'bool'],
  ['missed_bytes', 'count'],
  ['history', 'string'],
  ['orig_pkts', 'count'],
  ['orig_ip_bytes', 'count'],
  ['resp_pkts', 'count'],
  ['resp_ip_bytes', 'count'],
  ['tunnel_parents', 'set[string]'],
  ['ip_proto', 'count'],
  ['community_id', 'string'],
  ['tunnel', 'string'],
]

/** What comes before the first line. */
export const connLogHead = [
  '#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n',
  `#fields\t${fields.map(([name]) => name).join('\t')}\n`,
  `#types\t${fields.map(([, type]) => type).join('\t')}\n`,
].join('')

type Known = string | number | null

/** A connection as a line tells it; null is `-`. */
export interface ConnLogRow {
  /** Microseconds since the epoch. */
  first: number
  uid: string
  orig: string
  resp: string
  /** Of ICMP: type and code. */
  origPort: number | null
  respPort: number | null
  protocol: number | null
  /** Microseconds. */
  duration: number | null
  origBytes: number | null
  respBytes: number | null
  state: string | null
  localOrig: boolean | null
  localResp: boolean | null
  history: string | null
  origPackets: number | null
  origIpBytes: number | null
  respPackets: number | null
  respIpBytes: number | null
  communityId: string | null
  tunnel: string | null
}

/** One line. What only Zeek's own analysis knows (`service`, `missed_bytes`, `tunnel_parents`) is `-`; `tunnel` is ours. */
export function connLogLine(c: ConnLogRow): string {
  const truth = (value: boolean | null): Known => (value === null ? null : value ? 'T' : 'F')
  const values: Known[] = [
    ...[seconds(c.first), c.uid, c.orig, c.origPort, c.resp, c.respPort, protocolWord(c.protocol), null],
    ...[c.duration === null ? null : seconds(c.duration), c.origBytes, c.respBytes, c.state],
    ...[truth(c.localOrig), truth(c.localResp), null, c.history],
    ...[c.origPackets, c.origIpBytes, c.respPackets, c.respIpBytes, null, c.protocol, c.communityId, c.tunnel],
  ]
  return `${values.map(value => value ?? '-').join('\t')}\n`
}

/** Connections as Zeek's conn.log, tab-separated, which zeek-cut and RITA read. */
export class ConnLogOutput {
  private readonly file: OutputFile
  private rows = 0

  constructor(file: OutputFile) {
    this.file = file
    this.file.text(connLogHead)
  }

  add(c: ConnectionRecord): void {
    this.rows++
    this.file.text(connLogLine(rowOf(c, this.rows)))
  }

  settle(): Promise<void> {
    return this.file.settle()
  }

  finish(): Promise<void> {
    return this.file.finish()
  }

  abandon(): void {
    this.file.abandon()
  }
}

function rowOf(c: ConnectionRecord, row: number): ConnLogRow {
  const isIcmp = c.protocol === 1 || c.protocol === 58
  const payload = (bytes: number): number | null => (bytes > 0 || (c.duration > 0 && bytes === 0) ? bytes : null)
  return {
    ...{ first: c.first, uid: connLogUid(row, c.firstPacket), protocol: c.protocol },
    orig: addressText(c.orig0, c.orig1, c.orig2, c.orig3),
    resp: addressText(c.resp0, c.resp1, c.resp2, c.resp3),
    origPort: isIcmp ? c.icmpType : c.origPort,
    respPort: isIcmp ? c.icmpCode : c.respPort,
    duration: c.duration > 0 ? c.duration : null,
    ...{ origBytes: payload(c.origBytes), respBytes: payload(c.respBytes), state: c.state },
    ...{ localOrig: null, localResp: null, history: c.history === '' ? null : c.history },
    ...{ origPackets: c.origPackets, origIpBytes: c.origIpBytes },
    ...{ respPackets: c.respPackets, respIpBytes: c.respIpBytes },
    ...{ communityId: communityOf(c), tunnel: c.tunnel === 0 ? null : (tunnelNames[c.tunnel] ?? null) },
  }
}

/** 18 characters, as Zeek's: a row has one of its own, and the same one each time. */
export function connLogUid(row: number, second: number): string {
  return `C${row.toString(36).padStart(8, '0')}${second.toString(36).padStart(9, '0')}`
}

/** Microseconds as seconds with six decimals: text, for a double of seconds since 1970 would round the last of them. */
function seconds(us: number): string {
  const whole = Math.floor(us / 1e6)
  return `${whole}.${String(us - whole * 1e6).padStart(6, '0')}`
}

function protocolWord(protocol: number | null): string {
  if (protocol === 6) return 'tcp'
  if (protocol === 17) return 'udp'
  if (protocol === 1 || protocol === 58) return 'icmp'
  return 'unknown_transport'
}
