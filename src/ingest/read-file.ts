import { Expanded } from '../input/expand.ts'
import { headOf, joined } from '../input/pieces.ts'
import { readSource, type SourceBytes } from '../input/read.ts'
import { compressionOf, contentOf } from '../input/sniff.ts'
import { reason } from '../input/walk.ts'
import { utcSeconds } from '../net/time.ts'
import { clipped } from '../store/clipped.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import { TextReader } from '../vpc-text/text-reader.ts'
import type { Batch } from './batch.ts'
import { damaged, headBytes, judge, type Verdict } from './judge.ts'
import type { FileTask } from './messages.ts'
import type { PacketReading, readCapture } from './read-packets.ts'
import { readParquet } from './read-parquet.ts'
import { type Cut, changed, type Ended, nextBuffer, type ReadOptions, Stopped, take } from './text-lines.ts'

/** Of what an account tells in words: it goes into the ledger, whose size evidence must not decide. */
const sensorsShownMax = 20
const sensorLengthMax = 64
const problemLengthMax = 8192
const layoutLengthMax = 8192
/** Of the texts of a file's layouts, together. */
const layoutTextMax = 16 << 10

/** A file's bytes, and the answer, once it is there, to the question whether they are new. */
export interface OpenedFile {
  task: FileTask
  source: SourceBytes | null
  /** Why there is no source. */
  problem: { status: 'unreadable' | 'not-evidence'; problem: string } | null
  /** Why it is not read, in words: which file has the same content. */
  duplicateOf: Promise<string | null>
}

/** Reads a file's bytes and asks whether they are new, without waiting for the answer: what is read now is not held up by it. */
export async function openFile(task: FileTask, options: ReadOptions): Promise<OpenedFile> {
  const none = { task, source: null, duplicateOf: Promise.resolve(null) }
  if (task.problem !== null) {
    return { ...none, problem: { status: task.unreadable ? 'unreadable' : 'not-evidence', problem: task.problem } }
  }
  try {
    const between = (): void => {
      if (options.stopped()) throw new Stopped('stopped')
    }
    const largest = options.wholeBytesMax
    const source = await readSource(task.rawPath ?? task.path, { between, ...(largest !== undefined && { largest }) })
    return { task, source, problem: null, duplicateOf: options.claim(task, source.sha256) }
  } catch (error) {
    if (error instanceof Stopped) throw error
    return { ...none, problem: { status: 'unreadable', problem: reason(error) } }
  }
}

/** Reads an opened file into the batch and enters it in the batch's accounts, whatever it turns out to be. */
export async function readOpened(file: OpenedFile, batch: Batch, options: ReadOptions): Promise<void> {
  const { task, source } = file
  if (source === null) return batch.endFile(account(task, null, file.problem!), [], [])
  try {
    const problem = await file.duplicateOf
    if (problem !== null) return batch.endFile(account(task, source, { status: 'duplicate', problem }), [], [])
    try {
      await readContent(task, source, batch, options)
    } finally {
      options.settled(source.sha256, batch.evidence.at(-1)?.id === task.id)
    }
  } finally {
    source.release()
  }
}

export async function readFile(task: FileTask, batch: Batch, options: ReadOptions): Promise<void> {
  await readOpened(await openFile(task, options), batch, options)
}

async function readContent(task: FileTask, source: SourceBytes, batch: Batch, options: ReadOptions): Promise<void> {
  const expanded = new Expanded(source.open, compressionOf(source.head), source.size, options.limits, source.whole)
  const pieces = expanded[Symbol.asyncIterator]()
  try {
    await readPieces(task, source, { expanded, pieces }, batch, options)
  } finally {
    // Wherever the reading ended, the file is closed.
    await pieces.return(undefined)
  }
}

async function readPieces(
  task: FileTask,
  source: SourceBytes,
  { expanded, pieces }: { expanded: Expanded; pieces: AsyncGenerator<Uint8Array> },
  batch: Batch,
  options: ReadOptions,
): Promise<void> {
  const compression = compressionOf(source.head)
  let head: Uint8Array
  try {
    head = await headOf(pieces, headBytes)
  } catch (error) {
    if (error instanceof Stopped) throw error
    return batch.endFile(account(task, source, { status: 'unreadable', problem: reason(error), sha256: null }), [], [])
  }
  const content = contentOf(head)
  if (content === 'parquet' && compression === 'none') {
    const found = await readParquet(task, source, batch, options)
    if ('reader' in found) return finish(task, source, batch, found.reader, found.ended)
    return batch.endFile(account(task, source, found), [], [])
  }
  if (content === 'pcap' || content === 'pcapng' || content === 'nfcapd') {
    // Asked for when there is a capture: a folder of logs need not wait until all that meters packets is loaded.
    const { readCapture, readNfcapdFile } = await import('./read-packets.ts')
    const read = content === 'nfcapd' ? readNfcapdFile : readCapture
    return readPackets(read, task, source, expanded, { kind: content, all: joined(head, pieces) }, batch, options)
  }
  let verdict: Verdict
  try {
    verdict = await judge({ content, head, rest: pieces, damage: () => expanded.damage }, options.format)
    const isAtEnd = verdict.reader === null && compression !== 'none' && (await pieces.next()).done
    if (isAtEnd) verdict = damaged(expanded.damage) ?? verdict
  } catch (error) {
    if (error instanceof Stopped) throw error
    return batch.endFile(account(task, source, { status: 'unreadable', problem: reason(error), sha256: null }), [], [])
  }
  if (verdict.reader === null) return batch.endFile(account(task, source, verdict), [], [])
  batch.startFile(task.id)
  const reader = new TextReader(batch.buffer, { file: task.id, ...verdict.reader })
  try {
    await take(head, reader, task, batch, options)
    for (let piece = await pieces.next(); !piece.done; piece = await pieces.next()) {
      await take(piece.value, reader, task, batch, options)
    }
    while (!reader.end(expanded.damage !== null)) await nextBuffer(reader, task, batch)
    if (!(await source.isUnchanged())) throw new Error(changed)
  } catch (error) {
    await batch.dropFile(task.id)
    if (error instanceof Stopped) throw error
    return batch.endFile(account(task, source, { status: 'unreadable', problem: reason(error), sha256: null }), [], [])
  }
  const { damage, bytes } = expanded
  const cut = damage === null ? null : { place: { offset: damage.offset }, problem: damage.problem }
  finish(task, source, batch, reader, { cut, bytes })
}

/** Captures and nfcapd files: their flow records go into segments of their own. */
async function readPackets(
  read: typeof readCapture,
  task: FileTask,
  source: SourceBytes,
  expanded: Expanded,
  content: { kind: 'pcap' | 'pcapng' | 'nfcapd'; all: AsyncIterable<Uint8Array> },
  batch: Batch,
  options: ReadOptions,
): Promise<void> {
  const { kind } = content
  // Its rows are none of the batch's buffer: but from here on is what would be taken back.
  batch.startFile(task.id)
  const tick = (records: number): void => {
    if (options.stopped()) throw new Stopped('stopped')
    options.progress(0, records)
  }
  let reading: PacketReading
  try {
    reading = await read(task.id, content.all, batch, tick, options.keepCopies)
    if (!(await source.isUnchanged())) throw new Error(changed)
  } catch (error) {
    await batch.dropFile(task.id)
    if (error instanceof Stopped) throw error
    return batch.endFile(
      account(task, source, { kind, status: 'unreadable', problem: reason(error), sha256: null }),
      [],
      [],
    )
  }
  const places = placesOf(expanded, reading, compressionOf(source.head) !== 'none')
  const problem = places.length === 0 ? null : `byte ${places[0]!.offset}: ${places[0]!.problem}`
  if (!reading.found && problem !== null) {
    await batch.dropFile(task.id)
    return batch.endFile(account(task, source, { kind, status: 'unreadable', problem }), [], [])
  }
  const status = problem === null ? 'read' : 'partly-read'
  const entry = account(task, source, { ...reading.entry, status, problem, expanded_bytes: expanded.bytes })
  batch.endFile(entry, [], places)
}

/** Damage of the packing is named by the file's own bytes, damage of the content by those that were unpacked. */
function placesOf(
  expanded: Expanded,
  reading: PacketReading,
  isPacked: boolean,
): { offset: number; problem: string }[] {
  const { damage } = expanded
  // That the content ends where the packing is damaged is no second damage.
  const own = damage === null ? reading.damage : reading.damage.filter(one => !one.atEnd)
  return [
    ...(damage === null ? [] : [damage]),
    ...own.map(({ offset, problem }) => ({ offset, problem: isPacked ? `(unpacked) ${problem}` : problem })),
  ]
}

function finish(task: FileTask, source: SourceBytes, batch: Batch, reader: TextReader, ended: Ended): void {
  const { cut, bytes, kind } = ended
  const { counts } = reader
  const problems = [...reader.problems, ...(cut ? [{ ...cut.place, problem: cut.problem }] : [])]
  const problem = cut === null ? null : `${placeText(cut.place)}: ${cut.problem}`
  const known = { ...(kind !== undefined && { kind }), problem }
  if (cut !== null && counts.lines === counts.malformed) {
    batch.endFile(account(task, source, { ...known, status: 'unreadable' }), [], [])
    return
  }
  const entry = account(task, source, {
    ...accountOf(reader),
    ...known,
    status: cut === null ? 'read' : 'partly-read',
    expanded_bytes: bytes,
  })
  checkLaw(entry)
  batch.endFile(entry, reader.silences, problems)
}

function placeText(place: Cut['place']): string {
  return 'offset' in place ? `byte ${place.offset}` : `row ${place.line}`
}

/** The accounting law: every line is a header, a record, silence or malformed. */
function checkLaw(entry: EvidenceEntry): void {
  const accounted = entry.header_lines + entry.records + entry.no_data + entry.skip_data + entry.malformed
  if (accounted !== entry.lines)
    throw new Error(`${entry.path}: ${entry.lines} lines, but ${accounted} are accounted for`)
}

function accountOf(reader: TextReader): Partial<EvidenceEntry> {
  return {
    ...reader.counts,
    kind: reader.layouts.some(layout => layout.kind === 'tgw-flow-log') ? 'tgw-flow-log' : 'vpc-flow-log',
    first_start: Number.isFinite(reader.firstStart) ? utcSeconds(reader.firstStart) : null,
    last_end: Number.isFinite(reader.lastEnd) ? utcSeconds(reader.lastEnd) : null,
    layout: layoutText(reader),
    sensors: [...reader.sensors].sort().slice(0, sensorsShownMax),
    sensor_count: reader.sensors.size,
  }
}

/** The layouts as text, as many as a line of the ledger should hold. */
function layoutText({ layouts, hasMoreLayouts }: TextReader): string | null {
  const texts: string[] = []
  let left = layoutTextMax
  for (const { fields } of layouts) {
    const text = fields.join(' ')
    left -= text.length
    if (left < 0) break
    texts.push(text)
  }
  if (hasMoreLayouts || texts.length < layouts.length) texts.push('and more')
  return texts.join('; ') || null
}

/** The file's account, with nothing in it but what is given. */
function account(
  task: FileTask,
  source: SourceBytes | null,
  known: Partial<EvidenceEntry> & Pick<EvidenceEntry, 'status'>,
): EvidenceEntry {
  const kept = known.status === 'read' || known.status === 'partly-read' || (known.malformed ?? 0) > 0
  const { status, problem = null, kind = null } = known
  return {
    id: kept ? task.id : null,
    path: task.path,
    named: task.named,
    path_bytes: task.rawPath === null ? null : Buffer.from(task.rawPath).toString('hex'),
    kind,
    size: source?.size ?? task.size,
    sha256: known.sha256 === undefined ? (source?.sha256 ?? null) : known.sha256,
    lines: known.lines ?? 0,
    header_lines: known.header_lines ?? 0,
    records: known.records ?? 0,
    no_data: known.no_data ?? 0,
    skip_data: known.skip_data ?? 0,
    malformed: known.malformed ?? 0,
    first_start: known.first_start ?? null,
    last_end: known.last_end ?? null,
    status,
    problem: problem === null ? null : clipped(problem, problemLengthMax),
    layout: known.layout == null ? null : clipped(known.layout, layoutLengthMax),
    sensors: (known.sensors ?? []).map(sensor => clipped(sensor, sensorLengthMax)),
    sensor_count: known.sensor_count ?? 0,
    expanded_bytes: known.expanded_bytes ?? 0,
    capture: known.capture ?? null,
    nfcapd: known.nfcapd ?? null,
  }
}
