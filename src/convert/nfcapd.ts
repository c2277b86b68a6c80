import type { OutputFile } from '../disk/output-file.ts'
import type { MeteredFlow } from '../meter/metered-flow.ts'
import { has, NfcapdFlow } from '../nfcapd/flow.ts'
import { NfcapdWriter, type NfcapdWriterOptions } from '../nfcapd/writer.ts'
import type { FlowOutput } from './output.ts'

export interface NfcapdOptions {
  compression: NonNullable<NfcapdWriterOptions['compression']>
  /** Seconds of one file, where the output is a folder. */
  rotate: number
  /** Whether its addresses were replaced: records say so. */
  anonymised: boolean
}

const two32 = 4294967296

/** Files that are written at once. What ended so long ago that its file is complete goes to the oldest of them. */
const openMax = 8

interface Window {
  file: OutputFile
  writer: NfcapdWriter
}

/**
 * Writes nfdump's files: one, or in a folder one for each `rotate` seconds, named as nfcapd names them. As nfpcapd does it, a record goes
 * to the file of the time at which it ended.
 */
export class NfcapdOutput implements FlowOutput {
  private readonly options: NfcapdOptions
  private readonly openWindow: ((name: string) => OutputFile) | null
  private readonly flow = new NfcapdFlow()
  private readonly open = new Map<number, Window>()
  private latest: { number: number; window: Window } | null = null
  /** Windows whose files are complete. */
  private readonly complete = new Set<number>()
  private readonly done: OutputFile[] = []

  /** @param out the one file, or what opens a file of that name for each window. */
  constructor(out: OutputFile | ((name: string) => OutputFile), options: NfcapdOptions) {
    this.options = options
    this.flow.anonymised = options.anonymised
    this.openWindow = typeof out === 'function' ? out : null
    if (typeof out !== 'function') this.begin(out, 0, 0)
  }

  add(record: MeteredFlow): void {
    const number = this.openWindow !== null ? Math.floor(record.last / 1e6 / this.options.rotate) : 0
    if (this.latest === null || this.latest.number !== number) this.turn(number)
    this.fill(record)
    this.latest!.window.writer.add(this.flow)
  }

  async finish(): Promise<void> {
    for (const number of [...this.open.keys()].sort((a, b) => a - b)) this.end(number)
    for (const file of this.done) await file.finish()
  }

  abandon(): void {
    for (const { file } of this.open.values()) file.abandon()
    for (const file of this.done) file.abandon()
  }

  private turn(number: number): void {
    const wanted = this.complete.has(number) ? Math.min(...this.open.keys()) : number
    if (!this.open.has(wanted)) {
      if (this.open.size >= openMax) this.end(Math.min(...this.open.keys()))
      const seconds = wanted * this.options.rotate
      const digits = new Date(seconds * 1000).toISOString().replace(/[-:T]/g, '')
      // nfcapd names minutes; shorter files need their seconds.
      const name = `nfcapd.${digits.slice(0, this.options.rotate % 60 === 0 ? 12 : 14)}`
      this.begin(this.openWindow!(name), seconds, wanted)
    }
    this.latest = { number, window: this.open.get(wanted)! }
  }

  private begin(file: OutputFile, created: number, number: number): void {
    const writer = new NfcapdWriter(bytes => file.bytes(bytes), {
      compression: this.options.compression,
      ident: 'tidemark',
      created,
    })
    this.open.set(number, { file, writer })
    this.latest = { number, window: this.open.get(number)! }
  }

  private end(number: number): void {
    const { file, writer } = this.open.get(number)!
    file.patch(writer.finish(), 0)
    // A long capture has many files: none of them is kept open.
    file.close()
    this.done.push(file)
    this.open.delete(number)
    this.complete.add(number)
    this.latest = null
  }

  private fill(record: MeteredFlow): void {
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
