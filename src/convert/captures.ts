import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { piecesOfPipe } from '../disk/pipes.ts'
import { assert, errorCode } from '../errors.ts'
import { Expanded, type ExpandLimits } from '../input/expand.ts'
import { foreignOf } from '../input/foreign.ts'
import { openMembers } from '../input/members.ts'
import { headOf, joined } from '../input/pieces.ts'
import { keptBytes, readPlain, readSource, type SourceBytes } from '../input/read.ts'
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
    files.push(...(await meterFile(file, handlers, options, tick)))
  }
  return files
}

function unread(path: string, problem: string, status: CaptureFile['status'] = 'unreadable'): CaptureFile {
  const counts = { packets: 0, decoded: 0, undecoded: [], cut: 0 }
  return { path, kind: null, ...counts, status, problem }
}

type Tick = (bytes: number, packets: number) => void

/** A file, or what comes out of a pipe; of an archive each capture in it. */
async function meterFile(
  file: FoundFile,
  handlers: CaptureHandlers,
  options: MeteringOptions,
  tick: Tick,
): Promise<CaptureFile[]> {
  const { path, named, size } = file
  if (file.problem !== null)
    return [unread(path, file.problem, file.unreadable || named ? 'unreadable' : 'not-evidence')]
  const { signal } = options
  let kept: SourceBytes | null = null
  try {
    let source: Pick<SourceBytes, 'head' | 'size' | 'open'>
    if (file.isPipe) {
      const pieces = piecesOfPipe(path, signal)
      const head = await headOf(pieces, headBytes)
      const all = joined(head, pieces)
      // A capture is metered as it comes; to unpack anything else it may have to be read more than once.
      if (isCapture(head)) source = { head, size: 0, open: () => all }
      else source = kept = await keptBytes(all, join(tmpdir(), `tidemark-piped-${randomBytes(8).toString('hex')}`))
    } else source = await readPlain(file.rawPath ?? path, () => signal?.throwIfAborted())
    const found = await meterCapture({ path, named, size }, source, handlers, options, tick)
    if (found !== 'archive') return [found]
    kept ??= await readSource(file.rawPath ?? path, { between: () => signal?.throwIfAborted() })
    const files = await meterArchive(path, kept, handlers, options, (_, packets) => tick(0, packets), 0)
    tick(size, 0)
    if (files.every(one => one.status === 'not-evidence'))
      files.push(unread(path, 'an archive without a capture', named ? 'unreadable' : 'not-evidence'))
    return files
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof Unreadable || errorCode(error) !== undefined) return [unread(path, reason(error))]
    throw error
  } finally {
    kept?.release()
  }
}

/** Archives in archives, in which captures are looked for. */
const depthMax = 3

async function meterArchive(
  path: string,
  archive: SourceBytes,
  handlers: CaptureHandlers,
  options: MeteringOptions,
  tick: Tick,
  depth: number,
  together = { bytes: 0, size: archive.size },
): Promise<CaptureFile[]> {
  if (depth > depthMax) return [unread(path, `an archive within more than ${depthMax} others: unpack it`)]
  const files: CaptureFile[] = []
  const { limits, signal } = options
  const members = openMembers(archive, () => true, { limits, together, ...(signal && { signal }) })
  try {
    for (;;) {
      const next = await members.next().catch(unreadable)
      if (next.done) {
        if (next.value !== null) files.push(unread(path, next.value))
        return files
      }
      const { source, problem } = next.value
      const own = `${path}:${next.value.name}`
      if (source === null) {
        files.push(unread(own, problem ?? 'it cannot be read'))
        continue
      }
      try {
        const found = await meterCapture(
          { path: own, named: false, size: source.size },
          source,
          handlers,
          options,
          tick,
        )
        if (found === 'archive')
          files.push(...(await meterArchive(own, source, handlers, options, tick, depth + 1, together)))
        else if (found.status === 'read' && problem !== null) files.push({ ...found, status: 'partly-read', problem })
        else files.push(found)
      } finally {
        source.release()
      }
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    signal?.throwIfAborted()
    return [...files, unread(path, error.message)]
  } finally {
    await members.return(null)
  }
}

/** @returns `archive` where it is one that can be opened: nothing of it is metered then. */
async function meterCapture(
  file: { path: string; named: boolean; size: number },
  source: Pick<SourceBytes, 'head' | 'size' | 'open'>,
  handlers: CaptureHandlers,
  options: MeteringOptions,
  tick: Tick,
): Promise<CaptureFile | 'archive'> {
  const { path, size } = file
  const meter = new WindowedMeter(handlers, options)
  const decoder = new CaptureDecoder(packet => meter.add(packet))
  let broken: string | null = null
  const compression = compressionOf(source.head)
  const expanded = new Expanded(source.open, compression, source.size, options.limits)
  try {
    let told = 0
    let given = 0
    const pieces = readable(expanded)
    const head = await headOf(pieces, headBytes)
    const foreign = isCapture(head) ? null : await foreignOf(head, pieces)
    const isPackedZip = foreign?.archive === 'zip' && compression !== 'none'
    const isArchive = foreign?.archive !== undefined && !isPackedZip
    if (isArchive || (foreign !== null && expanded.damage === null)) await pieces.return(undefined)
    if (isArchive) return 'archive'
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
