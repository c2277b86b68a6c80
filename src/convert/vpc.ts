import { columnName } from '../flow/fields.ts'
import { layoutOfFormat } from '../flowlog/layout.ts'
import type { FlowRecord } from '../meter/flow-record.ts'
import { isIPv4, parseAddress } from '../net/address.ts'
import { type FlowOutput, OutputFile } from './output.ts'
import { addressText } from './rows.ts'

export interface VpcOptions {
  /** Field names as of `--format`, or the name of a list. */
  fields: string
  /** Address of the interface that is to have recorded: gives `flow-direction`; null: unknown. */
  interfaceAddress: string | null
  interfaceId: string
}

const FIN = 1
const SYN = 2
const RST = 4
const SYN_ACK = 18

/**
 * Flow records as the text of a VPC flow log, so that what was made for flow logs can be tried on a capture. The meter that feeds it cuts
 * records at the borders of the aggregation interval.
 *
 * What a capture can not know is `-`. As in a flow log: times in whole seconds, ports 0 for protocols without ports, of the TCP flags
 * FIN, SYN, RST and SYN-ACK only (AWS, "Flow log records"). Everything was captured, so everything is ACCEPT.
 */
export class VpcOutput implements FlowOutput {
  private readonly file: OutputFile
  private readonly columns: string[]
  private readonly options: VpcOptions

  constructor(path: string, options: VpcOptions) {
    const { fields } = layoutOfFormat(options.fields)
    this.options = options
    this.columns = fields.map(columnName)
    this.file = new OutputFile(path)
    this.file.text(`${fields.join(' ')}\n`)
  }

  add(record: FlowRecord): void {
    const values = this.valuesOf(record)
    this.file.text(`${this.columns.map(name => values[name] ?? '-').join(' ')}\n`)
  }

  finish(): Promise<void> {
    this.file.finish()
    return Promise.resolve()
  }

  abandon(): void {
    this.file.abandon()
  }

  private valuesOf(record: FlowRecord): Record<string, string | number> {
    const src = addressText(record.src0, record.src1, record.src2, record.src3)
    const dst = addressText(record.dst0, record.dst1, record.dst2, record.dst3)
    const own = this.options.interfaceAddress
    const direction = own === null ? '-' : own === dst ? 'ingress' : own === src ? 'egress' : '-'
    const isIcmp = record.protocol === 1 || record.protocol === 58
    return {
      version: 5,
      account_id: '-',
      interface_id: this.options.interfaceId,
      srcaddr: src,
      dstaddr: dst,
      srcport: isIcmp ? 0 : record.srcPort,
      dstport: isIcmp ? 0 : record.dstPort,
      protocol: record.protocol,
      packets: record.packets,
      bytes: record.bytes,
      start: Math.floor(record.first / 1e6),
      end: Math.floor(record.last / 1e6),
      action: 'ACCEPT',
      log_status: 'OK',
      tcp_flags: record.protocol === 6 ? flowLogFlags(record.tcpFlags) : 0,
      type: isIPv4(parseAddress(src)!) ? 'IPv4' : 'IPv6',
      pkt_srcaddr: src,
      pkt_dstaddr: dst,
      flow_direction: direction,
    }
  }
}

/** The flags that a flow log keeps: ACK only together with SYN. */
function flowLogFlags(flags: number): number {
  return (flags & (FIN | SYN | RST)) | ((flags & SYN_ACK) === SYN_ACK ? SYN_ACK : 0)
}
