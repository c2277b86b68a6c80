import type { OutputFile } from '../disk/output-file.ts'
import type { MeteredFlow } from '../meter/metered-flow.ts'
import { isIPv4, parseAddress } from '../net/address.ts'
import { hasPorts } from '../net/protocols.ts'
import { columnName, fieldNamed } from '../records/fields.ts'
import { layoutOfFormat } from '../vpc-text/layout.ts'
import type { FlowOutput } from './output.ts'
import { addressText } from './rows.ts'

export interface VpcOptions {
  /** Names of fields of flow logs. */
  fields: readonly string[]
  /** Address of the interface that is to have recorded: gives `flow-direction`; null: unknown. */
  interfaceAddress: string | null
  /** Null: unknown. */
  interfaceId: string | null
}

interface Values {
  version: number
  interface_id: string
  srcaddr: string
  dstaddr: string
  srcport: string | number
  dstport: string | number
  protocol: number
  packets: number
  bytes: number
  start: number
  end: number
  log_status: string
  tcp_flags: string | number
  type: string
  pkt_srcaddr: string
  pkt_dstaddr: string
  flow_direction: string
}

const FIN = 1
const SYN = 2
const RST = 4
const SYN_ACK = 18

/**
 * Flow records as the text of a VPC flow log, so that what was made for flow logs can be tried on a capture. The meter that feeds it cuts
 * records at the borders of the aggregation interval.
 *
 * What a capture cannot know is `-`: also the action, for a capture sees packets that a security group drops behind it. As in a flow
 * log: times in whole seconds, ports 0 for protocols without ports, of the TCP flags FIN, SYN, RST and SYN-ACK only (AWS, "Flow log records").
 */
export class VpcOutput implements FlowOutput {
  private readonly file: OutputFile
  private readonly columns: string[]
  private readonly options: VpcOptions
  private readonly version: number
  private readonly open = new Map<string, Values>()
  /** Lines written. */
  rows = 0

  constructor(file: OutputFile, options: VpcOptions) {
    this.options = options
    this.columns = options.fields.map(columnName)
    // AWS: the highest version of the fields of a format; 6 is that of Transit Gateway logs.
    this.version = Math.max(2, ...this.columns.map(name => fieldNamed(name)!.version).filter(version => version !== 6))
    this.file = file
    this.file.text(`${options.fields.join(' ')}\n`)
  }

  /** A flow log has one record of an interval for the same ends, though ports were used again or ICMP has other ids. */
  add(record: MeteredFlow): void {
    const values = this.valuesOf(record)
    const key = `${values.srcaddr} ${values.dstaddr} ${values.srcport} ${values.dstport} ${values.protocol}`
    const known = this.open.get(key)
    if (known === undefined) {
      this.open.set(key, values)
      return
    }
    known.packets += values.packets
    known.bytes += values.bytes
    known.start = Math.min(known.start, values.start)
    known.end = Math.max(known.end, values.end)
    if (typeof known.tcp_flags === 'number' && typeof values.tcp_flags === 'number') known.tcp_flags |= values.tcp_flags
    else known.tcp_flags = '-'
  }

  border(): void {
    for (const values of this.open.values()) {
      const row: Record<string, string | number> = { ...values }
      this.file.text(`${this.columns.map(name => row[name] ?? '-').join(' ')}\n`)
      this.rows++
    }
    this.open.clear()
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

  private valuesOf(record: MeteredFlow): Values {
    const src = addressText(record.src0, record.src1, record.src2, record.src3)
    const dst = addressText(record.dst0, record.dst1, record.dst2, record.dst3)
    const own = this.options.interfaceAddress
    const direction = own === null ? '-' : own === dst ? 'ingress' : own === src ? 'egress' : '-'
    const port = (number: number): string | number =>
      hasPorts(record.protocol) ? (record.hasTransport ? number : '-') : 0
    return {
      version: this.version,
      interface_id: this.options.interfaceId ?? '-',
      srcaddr: src,
      dstaddr: dst,
      srcport: port(record.srcPort),
      dstport: port(record.dstPort),
      protocol: record.protocol,
      packets: record.packets,
      bytes: record.bytes,
      start: Math.floor(record.first / 1e6),
      end: Math.floor(record.last / 1e6),
      log_status: 'OK',
      tcp_flags: record.protocol !== 6 ? 0 : record.hasFlags ? flowLogFlags(record) : '-',
      type: isIPv4(parseAddress(src)!) ? 'IPv4' : 'IPv6',
      pkt_srcaddr: src,
      pkt_dstaddr: dst,
      flow_direction: direction,
    }
  }
}

/** Field names as of `--format`, or the name of a list. @throws UserError for a name that is not a field. */
export function vpcFields(list: string): string[] {
  return layoutOfFormat(list, { option: '--fields' }).fields
}

/** The flags that a flow log keeps: ACK only of a packet that has SYN too, so that the client's SYN and its later ACK are no SYN-ACK. */
function flowLogFlags({ tcpFlags, hasSynAck }: MeteredFlow): number {
  return (tcpFlags & (FIN | SYN | RST)) | (hasSynAck ? SYN_ACK : 0)
}
