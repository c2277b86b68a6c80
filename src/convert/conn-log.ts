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

/**
 * Connections as Zeek's conn.log, tab-separated, which zeek-cut and RITA read. What only Zeek's own analysis knows (`service`,
 * `missed_bytes`, `tunnel_parents`) is `-`; `tunnel` is ours.
 */
export class ConnLogOutput {
  private readonly file: OutputFile
  private rows = 0

  constructor(file: OutputFile) {
    this.file = file
    this.file.text('#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n')
    this.file.text(`#fields\t${fields.map(([name]) => name).join('\t')}\n`)
    this.file.text(`#types\t${fields.map(([, type]) => type).join('\t')}\n`)
  }

  add(c: ConnectionRecord): void {
    this.rows++
    const isIcmp = c.protocol === 1 || c.protocol === 58
    const origPort = isIcmp ? c.icmpType : c.origPort
    const respPort = isIcmp ? c.icmpCode : c.respPort
    const values = [
      seconds(c.first),
      uid(this.rows, c.firstPacket),
      addressText(c.orig0, c.orig1, c.orig2, c.orig3),
      origPort,
      addressText(c.resp0, c.resp1, c.resp2, c.resp3),
      respPort,
      protocolWord(c.protocol),
      '-',
      c.duration > 0 ? seconds(c.duration) : '-',
      c.origBytes > 0 || (c.duration > 0 && c.origBytes === 0) ? c.origBytes : '-',
      c.respBytes > 0 || (c.duration > 0 && c.respBytes === 0) ? c.respBytes : '-',
      c.state,
      '-',
      '-',
      '-',
      c.history === '' ? '-' : c.history,
      c.origPackets,
      c.origIpBytes,
      c.respPackets,
      c.respIpBytes,
      '-',
      c.protocol,
      communityOf(c),
      c.tunnel === 0 ? '-' : tunnelNames[c.tunnel],
    ]
    this.file.text(`${values.join('\t')}\n`)
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

/** 18 characters, as Zeek's: a row has one of its own, and the same one each time. */
function uid(row: number, packet: number): string {
  return `C${row.toString(36).padStart(8, '0')}${packet.toString(36).padStart(9, '0')}`
}

/** Microseconds as seconds with six decimals: text, for a double of seconds since 1970 would round the last of them. */
function seconds(us: number): string {
  const whole = Math.floor(us / 1e6)
  return `${whole}.${String(us - whole * 1e6).padStart(6, '0')}`
}

function protocolWord(protocol: number): string {
  if (protocol === 6) return 'tcp'
  if (protocol === 17) return 'udp'
  if (protocol === 1 || protocol === 58) return 'icmp'
  return 'unknown_transport'
}
