import { join } from 'node:path'
import type { FlowRecord } from '../meter/flow-record.ts'
import { has, NfcapdFlow } from '../nfcapd/flow.ts'
import { NfcapdWriter, type NfcapdWriterOptions } from '../nfcapd/writer.ts'
import { type FlowOutput, isFolder, OutputFile } from './output.ts'

export interface NfcapdOptions {
  compression: NonNullable<NfcapdWriterOptions['compression']>
  /** Seconds of one file, where the output is a folder. */
  rotate: number
}

const two32 = 4294967296

/**
 * Writes nfdump's files: one, or in a folder one for each `rotate` seconds, named as nfcapd names them. As nfpcapd does it, a record goes
 * to the file of the time at which it ended; one that is told late goes to the file that is being written.
 */
export class NfcapdOutput implements FlowOutput {
  private readonly path: string
  private readonly options: NfcapdOptions
  private readonly rotates: boolean
  private readonly flow = new NfcapdFlow()
  private file: OutputFile | null = null
  private writer: NfcapdWriter | null = null
  private window = Number.NEGATIVE_INFINITY
  private readonly done: OutputFile[] = []

  constructor(path: string, options: NfcapdOptions) {
    this.path = path
    this.options = options
    this.rotates = isFolder(path)
    if (!this.rotates) this.begin(path, 0)
  }

  add(record: FlowRecord): void {
    if (this.rotates) {
      const window = Math.floor(record.last / 1e6 / this.options.rotate)
      if (window > this.window) this.turn(window)
    }
    this.fill(record)
    this.writer!.add(this.flow)
  }

  finish(): Promise<void> {
    this.end()
    for (const file of this.done) file.finish()
    return Promise.resolve()
  }

  abandon(): void {
    this.file?.abandon()
    for (const file of this.done) file.abandon()
  }

  private turn(window: number): void {
    this.end()
    this.window = window
    const seconds = window * this.options.rotate
    const stamp = new Date(seconds * 1000).toISOString().replace(/[-:T]/g, '').slice(0, 12)
    this.begin(join(this.path, `nfcapd.${stamp}`), seconds)
  }

  private begin(path: string, created: number): void {
    const file = new OutputFile(path)
    this.file = file
    this.writer = new NfcapdWriter(bytes => file.bytes(bytes), {
      compression: this.options.compression,
      ident: 'tidemark',
      created,
    })
  }

  private end(): void {
    if (this.writer === null || this.file === null) return
    this.file.patch(this.writer.finish(), 0)
    // A long capture has many files: none of them is kept open.
    this.file.close()
    this.done.push(this.file)
    this.writer = null
    this.file = null
  }

  private fill(record: FlowRecord): void {
    const { flow } = this
    flow.src0 = record.src0
    flow.src1 = record.src1
    flow.src2 = record.src2
    flow.src3 = record.src3
    flow.dst0 = record.dst0
    flow.dst1 = record.dst1
    flow.dst2 = record.dst2
    flow.dst3 = record.dst3
    flow.version = record.src0 === 0 && record.src1 === 0 && record.src2 === 0xffff ? 4 : 6
    flow.protocol = record.protocol
    flow.srcPort = record.srcPort
    // NetFlow keeps ICMP's type and code where other protocols have their port.
    flow.dstPort = flow.isIcmp ? record.icmpType * 256 + record.icmpCode : record.dstPort
    flow.tcpFlags = record.tcpFlags
    flow.tos = record.tos
    flow.first = record.first
    flow.last = record.last
    flow.received = record.last
    flow.packetsHigh = Math.floor(record.packets / two32)
    flow.packetsLow = record.packets - flow.packetsHigh * two32
    flow.bytesHigh = Math.floor(record.bytes / two32)
    flow.bytesLow = record.bytes - flow.bytesHigh * two32
    flow.has = record.vlan >= 0 ? has.vlan : 0
    flow.srcVlan = Math.max(0, record.vlan)
  }
}
