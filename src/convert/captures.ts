import { assert } from '../errors.ts'
import { Expanded, type ExpandLimits } from '../input/expand.ts'
import { foreignOf } from '../input/foreign.ts'
import { headOf, joined } from '../input/pieces.ts'
import { readPlain } from '../input/read.ts'
import { compressionOf, contentOf } from '../input/sniff.ts'
import { type FoundFile, reason } from '../input/walk.ts'
import type { ConnectionRecord } from '../meter/connection-record.ts'
import type { FlowTimeouts } from '../meter/flows.ts'
import { Meter } from '../meter/meter.ts'
import type { MeteredFlow } from '../meter/metered-flow.ts'
import { CaptureDecoder } from '../packet/capture.ts'
import type { Packet } from '../packet/packet.ts'

export interface CaptureFile {
  path: string
  kind: 'pcap' | 'pcapng' | null
  packets: number
  decoded: number
  undecoded: { name: string; packets: number }[]
  /** Packets that the snapshot length cut. */
  cut: number
  /** `not-evidence`: no capture, found in a folder; who names a file means that it is one. */
  status: 'read' | 'partly-read' | 'unreadable' | 'not-evidence'
  problem: string | null
}

export interface CaptureHandlers {
  flow?: (record: MeteredFlow) => void
  connection?: (connection: ConnectionRecord) => void
  /** Called when every record of an aggregation interval, or of a capture, has been given. */
  border?: () => void
  /** Called between pieces. */
  settle?: () => Promise<void>
}

export interface MeteringOptions {
  timeouts?: Partial<FlowTimeouts>
  /** Seconds of an aggregation interval at whose borders every record ends, as in a flow log. */
  interval?: number
  /** Seconds of the capture after which records that have ended are handed over at the latest; else it is when room is needed. */
  sweepEvery?: number
  limits: ExpandLimits
  signal?: AbortSignal
  onProgress?: (done: number, total: number, packets: number) => void
}

/**
 * Meters captures one after the other, each by itself: what is open at the end of one ends there.
 */
export async function meterCaptures(
  found: readonly FoundFile[],
  handlers: CaptureHandlers,
  options: MeteringOptions,
): Promise<CaptureFile[]> {
  const total = found.reduce((sum, file) => sum + file.size, 0)
  let done = 0
  let packets = 0
  const files: CaptureFile[] = []
  for (const file of found) {
    const tick = (bytes: number, more: number): void => {
      options.signal?.throwIfAborted()
      done += bytes
      packets += more
      options.onProgress?.(Math.min(done, total), total, packets)
    }
    files.push(await meterCapture(file, handlers, options, tick))
  }
  return files
}

function unread(path: string, problem: string, status: CaptureFile['status'] = 'unreadable'): CaptureFile {
  const counts = { packets: 0, decoded: 0, undecoded: [], cut: 0 }
  return { path, kind: null, ...counts, status, problem }
}

async function meterCapture(
  file: FoundFile,
  handlers: CaptureHandlers,
  options: MeteringOptions,
  tick: (bytes: number, packets: number) => void,
): Promise<CaptureFile> {
  const { path, size } = file
  if (file.problem !== null) {
    return unread(path, file.problem, file.unreadable || file.named ? 'unreadable' : 'not-evidence')
  }
  const meter = new WindowedMeter(handlers, options)
  const decoder = new CaptureDecoder(packet => meter.add(packet))
  let expanded: Expanded | null = null
  let broken: string | null = null
  try {
    const source = await readPlain(file.rawPath ?? path, () => options.signal?.throwIfAborted()).catch(error => {
      options.signal?.throwIfAborted()
      return unreadable(error)
    })
    const compression = compressionOf(source.head)
    expanded = new Expanded(source.open, compression, source.size, options.limits)
    let told = 0
    let given = 0
    const pieces = readable(expanded)
    const head = await headOf(pieces, headBytes)
    const foreign = isCapture(head) ? null : await foreignOf(head, pieces)
    if (foreign !== null && expanded.damage === null) {
      tick(size, 0)
      return unread(path, foreign.problem, foreign.hides || file.named ? 'unreadable' : 'not-evidence')
    }
    for await (const piece of joined(head, pieces)) {
      decoder.feed(piece)
      await handlers.settle?.()
      const bytes = compression === 'none' ? piece.length : 0
      given += bytes
      tick(bytes, decoder.accounts.packets - told)
      told = decoder.accounts.packets
    }
    tick(size - given, 0)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    options.signal?.throwIfAborted()
    broken = error.message
    if (expanded === null) return unread(path, broken)
  }
  decoder.end()
  meter.finish()
  await handlers.settle?.()
  const { accounts, reader } = decoder
  assert(meter.packets === accounts.decoded, 'every decoded packet is metered')
  const damage = expanded.damage ?? reader.damage
  const problem = broken ?? (damage === null ? null : `byte ${damage.offset}: ${damage.problem}`)
  return {
    path,
    kind: reader.format,
    packets: accounts.packets,
    decoded: accounts.decoded,
    undecoded: accounts.undecoded(),
    cut: accounts.cut,
    status: statusOf(
      problem,
      accounts.packets,
      reader.format === null && expanded.damage === null && broken === null && !file.named,
    ),
    problem,
  }
}

function statusOf(problem: string | null, packets: number, isOther: boolean): CaptureFile['status'] {
  if (problem === null) return 'read'
  if (packets > 0) return 'partly-read'
  return isOther ? 'not-evidence' : 'unreadable'
}

function isCapture(head: Uint8Array): boolean {
  const content = contentOf(head)
  return content === 'pcap' || content === 'pcapng'
}

/** A capture cannot be read. What goes wrong with the output is no fault of the capture. */
class Unreadable extends Error {}

function unreadable(error: unknown): never {
  throw new Unreadable(reason(error), { cause: error })
}

async function* readable(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    // Only what goes wrong while reading is caught here, not what becomes of a piece.
    for await (const piece of pieces) yield piece
  } catch (error) {
    unreadable(error)
  }
}

const headBytes = 64 << 10

/** Conversations that are kept at once: see `readCapture`. */
const conversationsMax = 2 ** 21

/** A meter that ends everything at the borders of an aggregation interval, if it is given one. */
class WindowedMeter {
  packets = 0
  private readonly meter: Meter
  private readonly handlers: CaptureHandlers
  private readonly interval: number | null
  private window = Number.NEGATIVE_INFINITY
  private readonly sweepEvery: number
  private nextSweep = Number.NEGATIVE_INFINITY

  constructor(handlers: CaptureHandlers, options: MeteringOptions) {
    this.interval = options.interval === undefined ? null : options.interval * 1e6
    this.sweepEvery = (options.sweepEvery ?? Number.POSITIVE_INFINITY) * 1e6
    this.handlers = handlers
    const { flow, connection } = handlers
    this.meter = new Meter({
      ...(flow && { flows: flow }),
      ...(connection && { connections: connection }),
      ...(options.timeouts && { timeouts: options.timeouts }),
      limit: conversationsMax,
    })
  }

  add(packet: Packet): void {
    if (this.interval !== null) {
      const window = Math.floor(packet.time / this.interval)
      if (window > this.window) {
        if (Number.isFinite(this.window)) this.finish()
        this.window = window
      }
    }
    this.meter.add(packet)
    this.packets++
    if (packet.time < this.nextSweep) return
    if (Number.isFinite(this.nextSweep)) this.meter.sweep()
    this.nextSweep = packet.time + this.sweepEvery
  }

  finish(): void {
    this.meter.finish()
    this.handlers.border?.()
  }
}
