import { PackedError } from '../codecs/packed.ts'
import { countIn, NfcapdAccount, type NfcapdCompression } from './account.ts'
import { ExtensionMaps, readCommonRecord } from './common-record.ts'
import { type BlockView, readElements } from './elements.ts'
import { NfcapdFlow } from './flow.ts'
import { ByteInput } from './input.ts'
import { readTotals, readTotals16, totals16Bytes, totalsBytes } from './totals.ts'
import { Unpacker } from './unpack.ts'

/**
 * The most bytes of a block, packed or unpacked: nfdump's own limit is 5 MiB (BUFFSIZE). Memory for reading stays below eight
 * times this, whatever lengths a file claims.
 */
export const blockBytesMax = 16 << 20

const magic = 0xa50c
const header1Bytes = 140
const header2Bytes = 40
const blockHeadBytes = 12
const recordHeadBytes = 4
const flowHeadBytes = 12
const compressions: readonly NfcapdCompression[] = ['none', 'lzo', 'bz2', 'lz4', 'zstd']

/** nfdump's types of records (id.h) that are no flows. */
const otherRecords = new Map([
  [2, 'extension map'],
  [3, 'histogram'],
  [4, 'histogram'],
  [5, 'exporter, old form'],
  [6, 'sampler, old form'],
  [7, 'exporter'],
  [8, 'exporter statistics'],
  [9, 'sampler'],
  [12, 'NBAR application names'],
  [13, 'interface names'],
  [14, 'VRF names'],
  [15, 'sampler'],
  [0x8001, 'ident'],
  [0x8002, 'statistics'],
])
const commonRecord16 = 1
const extensionMap = 2
const commonRecord = 10
const v3Record = 11
const identRecord = 0x8001
const totalsRecord = 0x8002

/**
 * Reads nfdump's files, of layout 1 (nfdump 1.6) and 2 (1.7), in either byte order.
 *
 * `await nextBlock()` until it says false, and after each `next()` until it says false: each true has filled `flow`. Every record is
 * counted in `account`; nothing is thrown for bad data. After damage reading goes on where a block or record begins for certain.
 */
export class NfcapdReader {
  readonly account = new NfcapdAccount()
  readonly flow = new NfcapdFlow()
  private readonly input: ByteInput
  private readonly maps = new ExtensionMaps()
  private readonly unpacker = new Unpacker(blockBytesMax)
  private started = false
  private ended = false
  private block: BlockView = { view: new DataView(new ArrayBuffer(0)), littleEndian: true }
  private blockOffset = 0
  private announced = 0
  private inBlock = 0
  private at = 0
  private anonymised = false

  /** `pieces`: the file's bytes, expanded where the whole file was packed. */
  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.input = new ByteInput(pieces)
  }

  /** Goes to the next block that can be read. Returns whether there is one. */
  async nextBlock(): Promise<boolean> {
    if (!this.started) {
      this.started = true
      this.ended = !(await this.readHeader())
    }
    while (!this.ended) if (await this.readBlock()) return true
    return false
  }

  /** Reads the next flow of the block into `flow`. Returns whether there was one. */
  next(): boolean {
    const { account, block, flow } = this
    const { view, littleEndian } = block
    while (this.at < view.byteLength) {
      const at = this.at
      account.records++
      this.inBlock++
      const left = view.byteLength - at
      const size = left < recordHeadBytes ? 0 : view.getUint16(at + 2, littleEndian)
      if (size < recordHeadBytes || size > left) {
        this.giveUpBlock(
          left < recordHeadBytes
            ? `${left} bytes that are not a record`
            : `a record of ${size} bytes where ${left} are left`,
        )
        return false
      }
      this.at = at + size
      flow.number = account.records
      if (this.readRecord(view.getUint16(at, littleEndian), at, size)) {
        account.flows++
        if (flow.sampled) account.sampledFlows++
        if (flow.countsBothWays) account.bothWays++
        if (flow.anonymised) account.anonymisedFlows++
        if (flow.event) account.events++
        return true
      }
    }
    this.endBlock()
    return false
  }

  private async readHeader(): Promise<boolean> {
    const { account, input } = this
    const head = (await input.take(header2Bytes)).slice()
    const view = viewOf(head)
    if (head.length < 4) return this.refuse(0, 'the file is cut short within its header')
    account.littleEndian = view.getUint16(0, true) === magic
    if (!account.littleEndian && view.getUint16(0, false) !== magic) return this.refuse(0, 'no file of nfdump')
    account.layout = view.getUint16(2, account.littleEndian)
    if (account.layout !== 1 && account.layout !== 2) {
      return this.refuse(0, `a file of layout ${account.layout}: layouts 1 (nfdump 1.6) and 2 (nfdump 1.7) are read`)
    }
    if (head.length < header2Bytes) return this.refuse(0, 'the file is cut short within its header')
    return account.layout === 1 ? await this.readHeader1(view, head) : this.readHeader2(view)
  }

  /** nffile.h of nfdump 1.6: file_header_s, then stat_record_s. */
  private async readHeader1(view: DataView, head: Uint8Array): Promise<boolean> {
    const { account, input } = this
    const le = account.littleEndian
    const flags = view.getUint32(4, le)
    account.compression = flags & 1 ? 'lzo' : flags & 8 ? 'bz2' : flags & 16 ? 'lz4' : 'none'
    this.anonymised = (flags & 2) !== 0
    account.blocksAnnounced = view.getUint32(8, le)
    const rest = await input.take(header1Bytes - header2Bytes + totals16Bytes)
    if (rest.length < header1Bytes - header2Bytes + totals16Bytes) {
      return this.refuse(0, 'the file is cut short within its header')
    }
    const ident = new Uint8Array(128)
    ident.set(head.subarray(12))
    ident.set(rest.subarray(0, header1Bytes - header2Bytes), header2Bytes - 12)
    account.ident = textOf(ident)
    account.totals = readTotals16(viewOf(rest), header1Bytes - header2Bytes, le)
    return true
  }

  /** nffileV2.h of nfdump 1.7: fileHeaderV2_s. */
  private readHeader2(view: DataView): boolean {
    const { account } = this
    const le = account.littleEndian
    account.nfdumpVersion = view.getUint32(4, le)
    account.created = Number(view.getBigUint64(8, le))
    const compression = compressions[view.getUint8(16)]
    if (compression === undefined) return this.refuse(0, `packed in a way that is not known: ${view.getUint8(16)}`)
    if (view.getUint8(17) !== 0) return this.refuse(0, 'the file is encrypted')
    account.compression = compression
    account.blocksAnnounced = view.getUint32(36, le)
    return true
  }

  /** Takes the next block from the file. Returns whether its records can be read. */
  private async readBlock(): Promise<boolean> {
    const { account, input } = this
    const le = account.littleEndian
    this.blockOffset = input.offset
    const head = await input.take(blockHeadBytes)
    if (head.length === 0) {
      this.ended = true
      return false
    }
    account.blocks++
    if (head.length < blockHeadBytes) return this.cut('the file is cut short within the head of a block')
    const headView = viewOf(head)
    const records = headView.getUint32(0, le)
    const size = headView.getUint32(4, le)
    const type = headView.getUint16(8, le)
    const flags = headView.getUint16(10, le)
    if (size > blockBytesMax) return this.cut(`a block of ${size} bytes: at most ${blockBytesMax} are taken`)
    const body = await input.take(size)
    const cut = body.length < size
    if (type !== 2 && type !== 3) {
      if (cut) return this.cut(`the file is cut short: ${size - body.length} bytes are missing from a block`)
      countIn(account.skippedBlocks, type === 1 ? 'of nfdump 1.5' : type === 4 ? 'array' : `of type ${type}`)
      return false
    }
    const packed = account.compression !== 'none' && (flags & 1) === 0
    const bytes = packed ? await this.unpacked(body, cut) : body
    if (cut) this.ended = true
    if (bytes === null) return false
    if (cut) this.damage(0, `the file is cut short: ${size - body.length} bytes are missing from a block`)
    account.blocksRead++
    this.block = { view: viewOf(bytes), littleEndian: le }
    // What a cut block announces cannot be there.
    this.announced = cut ? -1 : records
    this.inBlock = 0
    this.at = 0
    return true
  }

  /** The content of a packed block; what comes before damage is not kept, for nothing tells whether it is right. */
  private async unpacked(body: Uint8Array, cut: boolean): Promise<Uint8Array | null> {
    const { account } = this
    try {
      return await this.unpacker.unpack(account.compression, body)
    } catch (error) {
      if (!(error instanceof PackedError)) throw error
      countIn(account.skippedBlocks, 'damaged')
      const problem = `${account.compression}: ${error.message}; the block is lost`
      this.damage(0, cut ? `the file is cut short within a block (${problem})` : problem)
      return null
    }
  }

  private readRecord(type: number, at: number, size: number): boolean {
    const { account, flow } = this
    if (type === v3Record) return this.readV3Record(at, size)
    if (type === commonRecord || type === commonRecord16) {
      const problem = readCommonRecord(this.block, at, size, type === commonRecord16, this.maps, flow)
      if (this.anonymised) flow.anonymised = true
      return problem === null || this.skipBad(problem)
    }
    if (type === extensionMap) {
      const problem = this.maps.add(this.block, at, size)
      if (problem !== null) return this.skipBad(problem)
    }
    if (type === identRecord)
      account.ident = textOf(bytesOf(this.block.view, at + recordHeadBytes, size - recordHeadBytes))
    if (type === totalsRecord && size >= recordHeadBytes + totalsBytes) {
      account.totals = readTotals(this.block.view, at + recordHeadBytes, account.littleEndian)
    }
    countIn(account.skipped, otherRecords.get(type) ?? `of type ${type}`)
    return false
  }

  private readV3Record(at: number, size: number): boolean {
    const { flow, block } = this
    const { view, littleEndian: le } = block
    if (size < flowHeadBytes) return this.skipBad(`a flow record of ${size} bytes`)
    flow.clearOptional()
    blank(flow)
    flow.engineType = view.getUint8(at + 6)
    flow.engineId = view.getUint8(at + 7)
    flow.exporter = view.getUint16(at + 8, le)
    const flags = view.getUint8(at + 10)
    flow.event = (flags & 1) !== 0
    flow.sampled = (flags & 2) !== 0
    flow.anonymised = this.anonymised || (flags & 4) !== 0
    const elements = view.getUint16(at + 4, le)
    const problem = readElements(block, at + flowHeadBytes, at + size, elements, flow, this.account.otherElements)
    return problem === null || this.skipBad(problem)
  }

  private skipBad(problem: string): false {
    countIn(this.account.skipped, 'damaged')
    this.damage(this.account.records, `${problem}; the record is skipped`)
    return false
  }

  /** A record whose end is not known: nothing after it in its block can be found. */
  private giveUpBlock(problem: string): void {
    countIn(this.account.skipped, 'damaged')
    const lost = this.announced - this.inBlock
    this.damage(
      this.account.records,
      `${problem}; the rest of the block is lost${lost > 0 ? `, ${lost} more records by its head` : ''}`,
    )
    this.at = this.block.view.byteLength
    this.announced = -1
  }

  private endBlock(): void {
    if (this.announced >= 0 && this.announced !== this.inBlock) {
      this.damage(0, `the block has ${this.inBlock} records where its head says ${this.announced}`)
    }
    this.announced = -1
  }

  private cut(problem: string): false {
    this.ended = true
    countIn(this.account.skippedBlocks, 'damaged')
    this.damage(0, problem)
    return false
  }

  private refuse(offset: number, problem: string): false {
    this.account.damage(offset, 0, 0, problem)
    return false
  }

  private damage(record: number, problem: string): void {
    this.account.damage(this.blockOffset, this.account.blocks, record, problem)
  }
}

/** Reads a whole file: each flow goes to `handle`, always in the same object. */
export async function readNfcapd(
  pieces: AsyncIterable<Uint8Array>,
  handle: (flow: NfcapdFlow) => void,
): Promise<NfcapdAccount> {
  const reader = new NfcapdReader(pieces)
  while (await reader.nextBlock()) while (reader.next()) handle(reader.flow)
  return reader.account
}

/** Makes what every record has unknown: one may lack its addresses, or more. */
function blank(flow: NfcapdFlow): void {
  flow.version = 0
  flow.src0 = flow.src1 = flow.src2 = flow.src3 = 0
  flow.dst0 = flow.dst1 = flow.dst2 = flow.dst3 = 0
  flow.first = flow.last = flow.received = 0
  flow.packetsLow = flow.packetsHigh = flow.bytesLow = flow.bytesHigh = 0
  flow.srcPort = flow.dstPort = flow.protocol = 0
  flow.tcpFlags = flow.forwardingStatus = flow.tos = 0
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function bytesOf(view: DataView, from: number, count: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + from, count)
}

/** Text up to the first zero. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
