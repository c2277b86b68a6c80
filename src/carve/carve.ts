import { basename } from 'node:path'
import { outputTarget } from '../disk/output.ts'
import { OutputFile } from '../disk/output-file.ts'
import { exitStatus, UserError } from '../errors.ts'
import { defaultLimits, Expanded, type ExpandLimits } from '../input/expand.ts'
import { readSource, type SourceBytes } from '../input/read.ts'
import { compressionOf } from '../input/sniff.ts'
import { reason } from '../input/walk.ts'
import type { Prefix } from '../net/prefix.ts'
import { hasPorts } from '../net/protocols.ts'
import { CaptureDecoder } from '../packet/capture.ts'
import type { Case } from '../store/case.ts'
import { fileName } from '../store/ledger.ts'
import { isUnread } from '../store/reports.ts'
import { membersOf } from '../verbatim/members.ts'
import { coveredBy, timeOf } from './reach.ts'
import { conversationKey, endKey, isWithin, type Selection, select, type TimeSpan, type Wanted } from './selection.ts'
import { type CaptureWriter, PcapngWriter, PcapWriter } from './writer.ts'

export interface CarveOptions {
  wanted: Wanted
  /** pcap or pcapng, by its name. */
  out: string
  /** Whether an older file of that name is replaced. Evidence and cases never are. */
  force?: boolean
  /** The analyst's own networks, for filters that ask what is internal. */
  internal?: Prefix[]
  limits?: Partial<ExpandLimits>
  signal?: AbortSignal
  onProgress?: (done: number, total: number, packets: number) => void
}

export interface CarveReport {
  out: string
  /** Flow records or connections that were wanted. */
  matched: number
  /** When the captures have packets. */
  covered: TimeSpan[]
  /** When what is wanted took place by the finding, or by the flow logs of the case; null: neither says. */
  wanted: TimeSpan | null
  files: { path: string; packets: number; carved: number; problem: string | null }[]
  /** Files of the case that were not read, and may be captures. */
  unread: { path: string; problem: string }[]
  packets: number
  carved: number
  /** Of what was carved, packets that the capture holds only the beginning of: its snap length was too short. */
  cut: number
  /** Numbers of the packets in their captures, the first of them. */
  packet_numbers: { path: string; packets: number[] }[]
}

const numbersMax = 100_000

/**
 * The packets of the case's captures that belong to what is wanted, with both directions of each conversation, in the order of their files.
 *
 * @throws UserError when the case has no capture, when one is not where it was or has changed, when nothing is wanted or the output
 *   cannot be written.
 */
export async function carve(c: Case, options: CarveOptions): Promise<CarveReport> {
  const captures = c.evidence.filter(file => file.capture !== null && file.id !== null)
  const unread = c.evidence.filter(isUnread).map(({ path, problem, status }) => ({ path, problem: problem ?? status }))
  if (captures.length === 0) throw noCapture(unread)
  const Writer = writerNamed(options.out)
  const inputs = [...c.evidence, ...c.out].map(fileName)
  const target = outputTarget(options.out, {
    ...{ option: '-o', makesFolders: true, inputs },
    force: options.force === true,
  })
  const selection = await select(c, options.wanted, options.internal, options.signal)
  const report: CarveReport = {
    out: options.out,
    matched: selection.matched,
    covered: coveredBy(captures),
    wanted: await timeOf(c, options.wanted, options.internal ?? [], options.signal),
    files: [],
    unread,
    packets: 0,
    carved: 0,
    cut: 0,
    packet_numbers: [],
  }
  const writer = new Writer(await OutputFile.begin(target, options.signal))
  const total = captures.reduce((sum, file) => sum + file.size, 0)
  let before = 0
  try {
    const done = new Set<(typeof captures)[number]>()
    for (const file of captures) {
      const tick = (bytes: number, packets: number): void => {
        options.signal?.throwIfAborted()
        options.onProgress?.(before + bytes, total, report.packets + packets)
      }
      if (done.has(file)) continue
      const together = captures.filter(one => one === file || isBeside(one, file))
      for await (const { capture, source } of sourcesOf(together, selection, options)) {
        await carveFile(capture, source, selection, writer, options, report, tick)
        done.add(capture)
        before += capture.size
      }
    }
    await writer.finish()
  } catch (error) {
    writer.abandon()
    throw error
  }
  return report
}

function noCapture(unread: CarveReport['unread']): UserError {
  const [first] = unread
  if (first === undefined) {
    return new UserError('no capture to carve packets from', { hint: 'name one: tidemark carve FILTER CAPTURE -o OUT' })
  }
  return new UserError(`no capture could be read: ${first.path}: ${first.problem}`, {
    ...(unread.length > 1 && { hint: `and ${unread.length - 1} more: tidemark evidence lists them all` }),
    status: exitStatus.partly_read,
  })
}

/** What writes the format that the name says. */
export function writerNamed(out: string): new (file: OutputFile) => CaptureWriter {
  if (/\.pcap$/i.test(out)) return PcapWriter
  if (/\.(pcapng|ntar)$/i.test(out)) return PcapngWriter
  throw new UserError(`cannot tell the format from the name of the output: ${out}`, {
    hint: 'end it in .pcapng (keeps the packet numbers as comments) or .pcap',
    status: exitStatus.usage,
  })
}

type Capture = Case['evidence'][number]

/** Whether both lie in the same archive, which is read once for all in it. */
function isBeside(one: Capture, other: Capture): boolean {
  return one.archive !== null && one.archive.path === other.archive?.path
}

/** Captures, each with its bytes if packets of it are wanted. All are in one archive, or there is but one. @throws UserError */
async function* sourcesOf(
  captures: readonly Capture[],
  selection: Selection,
  options: CarveOptions,
): AsyncGenerator<{ capture: Capture; source: SourceBytes | null }> {
  const isWanted = (file: Capture): boolean => selection.of(file.id!) !== null
  for (const capture of captures) if (!isWanted(capture)) yield { capture, source: null }
  const wanted = captures.filter(isWanted)
  const [first] = wanted
  if (first === undefined) return
  const unreadable = (error: unknown, path: string): UserError => {
    options.signal?.throwIfAborted()
    return new UserError(`cannot read the capture: ${path}: ${reason(error)}`, {
      hint: `put ${first.archive === null ? 'it' : 'the archive'} back where it was when it was added`,
      cause: error,
    })
  }
  const path = first.archive === null ? fileName(first) : first.archive.path
  const between = (): void => options.signal?.throwIfAborted()
  const source = await readSource(path, { between }).catch(error => {
    throw unreadable(error, first.path)
  })
  if (first.archive === null) return yield { capture: first, source }
  const missing = new Set(wanted)
  const members = membersOf(source, wanted, 0, options)
  try {
    for (;;) {
      const next = await members.next().catch(error => {
        throw unreadable(error, first.path)
      })
      if (next.done) break
      missing.delete(next.value.file)
      try {
        yield { capture: next.value.file, source: next.value.source }
      } finally {
        next.value.source.release()
      }
    }
  } finally {
    await members.return(undefined)
  }
  for (const capture of missing) throw changed(capture.path)
}

async function carveFile(
  file: Capture,
  source: SourceBytes | null,
  selection: Selection,
  writer: CaptureWriter,
  options: CarveOptions,
  report: CarveReport,
  tick: (bytes: number, packets: number) => void,
): Promise<void> {
  // What was not read of it when it was added is missing, whether or not it is read again.
  const own = { path: file.path, packets: file.capture!.packets, carved: 0, problem: file.problem }
  report.files.push(own)
  report.packets += own.packets
  const conversations = selection.of(file.id!)
  if (conversations === null || source === null) return
  if (file.sha256 !== null && source.sha256 !== file.sha256) throw changed(file.path)
  const name = basename(file.path)
  const numbers: number[] = []
  const decoder = new CaptureDecoder((packet, captured) => {
    const withPorts = packet.hasTransport && hasPorts(packet.protocol)
    const from = end(packet.src0, packet.src1, packet.src2, packet.src3, withPorts ? packet.srcPort : null)
    const to = end(packet.dst0, packet.dst1, packet.dst2, packet.dst3, withPorts ? packet.dstPort : null)
    // As `select` makes the keys: ICMP by its ends alone, whatever its types.
    const stretches = conversations.get(conversationKey(from, to, packet.protocol))
    if (stretches === undefined || !isWithin(stretches, packet.time, from)) return
    writer.add(captured, `packet ${packet.number} of ${name}`)
    own.carved++
    if (captured.to - captured.from < captured.wireLength) report.cut++
    if (numbers.length < numbersMax) numbers.push(packet.number)
  })
  const compression = compressionOf(source.head)
  const limits = { ...defaultLimits, ...options.limits }
  const expanded = new Expanded(source.open, compression, source.size, limits, source.whole)
  for await (const piece of expanded) {
    decoder.feed(piece)
    await writer.settle()
    tick(compression === 'none' ? expanded.bytes : 0, decoder.accounts.packets)
  }
  decoder.end()
  await writer.settle()
  if (!(await source.isUnchanged())) throw changed(file.path)
  const damage = expanded.damage ?? decoder.reader.damage
  if (damage !== null) own.problem = `byte ${damage.offset}: ${damage.problem}`
  report.carved += own.carved
  report.packet_numbers.push({ path: file.path, packets: numbers })
}

function changed(path: string): UserError {
  return new UserError(`the capture has changed since it was added: ${path}`, {
    hint: 'add it to a new case, or restore it',
  })
}

function end(w0: number, w1: number, w2: number, w3: number, port: number | null): string {
  const hi = (BigInt(w0 >>> 0) << 32n) | BigInt(w1 >>> 0)
  const lo = (BigInt(w2 >>> 0) << 32n) | BigInt(w3 >>> 0)
  return endKey(hi, lo, port)
}
