import { Expanded } from '../input/expand.ts'
import { headOf, joined } from '../input/pieces.ts'
import { readSource, type SourceBytes } from '../input/read.ts'
import { compressionOf, contentOf } from '../input/sniff.ts'
import { reason } from '../input/walk.ts'
import { utcSeconds } from '../net/time.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import { formText, PlainText } from '../vpc-text/plain-text.ts'
import { TextReader } from '../vpc-text/text-reader.ts'
import { account, sensorsShownMax } from './account.ts'
import type { Batch } from './batch.ts'
import { damaged, headBytes, judge, type Verdict } from './judge.ts'
import type { FileTask } from './messages.ts'
import { partIn } from './part-mark.ts'
import type { PacketReading, readCapture } from './read-packets.ts'
import { readParquet } from './read-parquet.ts'
import { type Cut, changed, type Ended, nextBuffer, type ReadOptions, Stopped, take } from './text-lines.ts'

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
    const source = await readSource(task.bytesAt ?? task.rawPath ?? task.path, {
      between,
      ...(largest !== undefined && { largest }),
    })
    return { task, source, problem: null, duplicateOf: options.claim(task, source.sha256) }
  } catch (error) {
    if (error instanceof Stopped) throw error
    return { ...none, problem: { status: 'unreadable', problem: reason(error) } }
  }
}

/** A file in an archive, as one that was opened; without bytes where they cannot be had. */
export function openMember(task: FileTask, source: SourceBytes | null, options: ReadOptions): OpenedFile {
  if (source !== null) return { task, source, problem: null, duplicateOf: options.claim(task, source.sha256) }
  const problem = { status: 'unreadable' as const, problem: task.problem ?? 'it cannot be read' }
  return { task, source, problem, duplicateOf: Promise.resolve(null) }
}

/** An archive, the files of which are to be read. */
export interface FoundArchive {
  task: FileTask
  source: SourceBytes
  kind: 'zip' | 'tar'
}

/**
 * Reads an opened file into the batch and enters it in the batch's accounts, whatever it turns out to be.
 *
 * @returns an archive that is neither entered nor settled nor released, for its files come first; null for any other file.
 */
export async function readOpened(file: OpenedFile, batch: Batch, options: ReadOptions): Promise<FoundArchive | null> {
  const { task, source } = file
  if (source === null) {
    batch.endFile(account(task, null, file.problem!), [], [])
    return null
  }
  let kind: FoundArchive['kind'] | null = null
  try {
    const problem = await file.duplicateOf
    if (problem !== null) {
      batch.endFile(account(task, source, { status: 'duplicate', problem }), [], [])
      return null
    }
    try {
      kind = await readContent(task, source, batch, options)
    } finally {
      if (kind === null) options.settled(source.sha256, batch.evidence.at(-1)?.id === task.id)
    }
  } finally {
    if (kind === null) source.release()
  }
  return kind === null ? null : { task, source, kind }
}

/** Enters an archive, after the files in it. */
export function endArchive(
  task: FileTask,
  source: SourceBytes,
  batch: Batch,
  { status, problem }: Pick<EvidenceEntry, 'status' | 'problem'>,
): void {
  batch.endFile(account(task, source, { kind: 'archive', status, problem }), [], problem === null ? [] : [{ problem }])
}

interface OpenedContent {
  expanded: Expanded
  pieces: AsyncGenerator<Uint8Array>
  /** Set where it is an archive: nothing is entered of it then. */
  archive: FoundArchive['kind'] | null
}

/** @returns the kind of an archive, of which nothing was entered; null for any other file. */
async function readContent(
  task: FileTask,
  source: SourceBytes,
  batch: Batch,
  options: ReadOptions,
): Promise<FoundArchive['kind'] | null> {
  const part = options.parts ? null : partIn(source.head)
  if (part !== null) {
    const problem = `a pull wrote this file as a part of ${part}, and it is not read as a whole log: add that object itself`
    batch.endFile(account(task, source, { status: 'unreadable', problem }), [], [])
    return null
  }
  const expanded = new Expanded(source.open, compressionOf(source.head), source.size, options.limits, source.whole)
  expanded.cut = source.cut ?? null
  const content: OpenedContent = { expanded, pieces: expanded[Symbol.asyncIterator](), archive: null }
  try {
    await readPieces(task, source, content, batch, options)
    return content.archive
  } finally {
    // Wherever the reading ended, the file is closed.
    await content.pieces.return(undefined)
  }
}

async function readPieces(
  task: FileTask,
  source: SourceBytes,
  opened: OpenedContent,
  batch: Batch,
  options: ReadOptions,
): Promise<void> {
  const { expanded, pieces } = opened
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
    // The list of a zip archive is at its end, which is to be had only where it is not packed itself.
    if (verdict.archive === 'tar' || (verdict.archive === 'zip' && compression === 'none')) {
      opened.archive = verdict.archive
      return
    }
    const isAtEnd =
      verdict.reader === null && verdict.table === null && compression !== 'none' && (await pieces.next()).done
    if (isAtEnd) verdict = damaged(expanded.damage) ?? verdict
  } catch (error) {
    if (error instanceof Stopped) throw error
    return batch.endFile(account(task, source, { status: 'unreadable', problem: reason(error), sha256: null }), [], [])
  }
  if (verdict.table !== null) {
    const { table, form } = verdict.table
    const { readTable } = await import('./read-table.ts')
    const isCut = (): boolean => expanded.damage !== null
    const read: typeof readCapture = async (id, all, batch, tick) => {
      const lines = form === null ? all : new PlainText(all, form, null, isCut)
      const reading = await readTable(id, lines, batch, tick, table, isCut)
      return { ...reading, entry: { ...reading.entry, form: form === null ? null : formText(form) } }
    }
    return readPackets(read, task, source, expanded, { kind: table.kind, all: joined(head, pieces) }, batch, options)
  }
  if (verdict.reader === null)
    return batch.endFile(account(task, source, { status: verdict.status, problem: verdict.problem }), [], [])
  batch.startFile(task.id)
  const { form, ...lines } = verdict.reader
  const reader = new TextReader(batch.buffer, { file: task.id, ...lines })
  const all = joined(head, pieces)
  const plain =
    form === null ? null : new PlainText(all, form, lines.layout?.fields ?? null, () => expanded.damage !== null)
  try {
    for await (const piece of plain ?? all) await take(piece, reader, task, batch, options)
    while (!reader.end(expanded.damage !== null)) await nextBuffer(reader, task, batch)
    if (!(await source.isUnchanged())) throw new Error(changed)
  } catch (error) {
    await batch.dropFile(task.id)
    if (error instanceof Stopped) throw error
    return batch.endFile(account(task, source, { status: 'unreadable', problem: reason(error), sha256: null }), [], [])
  }
  const { damage, bytes } = expanded
  const cut =
    damage !== null
      ? { place: { offset: damage.offset }, problem: damage.problem }
      : plain?.isOpen
        ? {
            place: { offset: plain.bytes },
            problem: `${compression === 'none' ? '' : '(unpacked) '}the JSON is cut short; what came before is kept`,
          }
        : null
  for (const problem of reader.problems) problem.problem = plain?.notes.get(problem.line) ?? problem.problem
  finish(task, source, batch, reader, { cut, bytes, form: form === null ? null : formText(form) })
}

/** Captures and nfcapd files: their flow records go into segments of their own. */
async function readPackets(
  read: typeof readCapture,
  task: FileTask,
  source: SourceBytes,
  expanded: Expanded,
  content: { kind: NonNullable<EvidenceEntry['kind']>; all: AsyncIterable<Uint8Array> },
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
  checkLaw(entry)
  batch.endFile(entry, [], [...(reading.lines ?? []), ...places])
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
  const { cut, bytes, kind, form = null } = ended
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
    form,
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
  const records = entry.flow_table?.rows ?? (entry.capture === null && entry.nfcapd === null ? entry.records : 0)
  const accounted = entry.header_lines + records + entry.no_data + entry.skip_data + entry.malformed
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
