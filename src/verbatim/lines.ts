/** The lines that records were read from, read again from where the evidence was when it was added. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Format, judge } from '../ingest/judge.ts'
import { defaultLimits, Expanded, type ExpandLimits } from '../input/expand.ts'
import { headOf, joined } from '../input/pieces.ts'
import { readSource, type SourceBytes } from '../input/read.ts'
import { compressionOf, contentOf } from '../input/sniff.ts'
import { reason } from '../input/walk.ts'
import type { Refetch } from '../sources/refetch.ts'
import type { Case } from '../store/case.ts'
import { type EvidenceEntry, fileName } from '../store/ledger.ts'
import { layoutOf } from '../vpc-text/layout.ts'
import { formText, PlainText } from '../vpc-text/plain-text.ts'
import { membersOf } from './members.ts'

/** A line as it stands in the file; of a log within something else, such as JSON, as it was taken out of it. */
export interface VerbatimLine {
  path: string
  line: number
  text: string
}

/** Lines that are not shown, and why. */
export interface UnreadLines {
  path: string
  lines: number
  problem: string
}

export type Verbatim = { line: VerbatimLine } | { unread: UnreadLines }

export interface VerbatimOptions {
  limits?: Partial<ExpandLimits>
  signal?: AbortSignal
  /** Fetches a file that lay elsewhere once more, and where its bytes are kept meanwhile; absent: nothing is fetched. */
  refetch?: { fetch: Refetch; folder: string }
}

const headBytes = 64 << 10
/** A longer line is no flow log's. */
const lineBytesMax = 1 << 20

/** Numbers of lines by the path of their file, as findings and listings have them. */
export class Places {
  private readonly byPath = new Map<string, number[]>()
  total = 0

  add(path: string, line: number): void {
    const lines = this.byPath.get(path)
    if (lines === undefined) this.byPath.set(path, [line])
    else lines.push(line)
    this.total++
  }

  /** In ascending order, each once. */
  of(path: string): number[] {
    const lines = this.byPath.get(path) ?? []
    return [...new Set(lines)].sort((a, b) => a - b)
  }

  get paths(): Iterable<string> {
    return this.byPath.keys()
  }
}

/**
 * The lines at some places, file by file in the order of their paths, those of archives after the others. A file that has moved or changed
 * since it was added gives none of its lines, and says why.
 */
export async function* verbatimLines(c: Case, places: Places, options: VerbatimOptions = {}): AsyncGenerator<Verbatim> {
  const wanted = new Set(places.paths)
  const files = c.evidence
    .filter(file => file.id !== null && wanted.has(file.path))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
  const archives = new Map<string, EvidenceEntry[]>()
  for (const file of files) {
    options.signal?.throwIfAborted()
    if (file.archive === null) yield* linesOfFile(file, () => sourceAgain(file, options), places.of(file.path), options)
    else {
      const own = archives.get(file.archive.path)
      if (own) own.push(file)
      else archives.set(file.archive.path, [file])
    }
  }
  for (const [path, members] of archives) yield* linesOfArchive(path, members, places, options)
}

/** A file's bytes from where it lay, here or elsewhere. */
async function sourceAgain(file: EvidenceEntry, options: VerbatimOptions): Promise<SourceBytes> {
  const { origin } = file
  if (origin === null) return sourceOf(fileName(file), options)
  if (options.refetch === undefined)
    throw new Error('it lies elsewhere, and only tidemark flows -o lines and investigate --lines fetch it again')
  const to = join(options.refetch.folder, randomBytes(8).toString('hex'))
  const remove = (): void => rmSync(to, { force: true })
  try {
    await options.refetch.fetch(origin, to)
    const source = await sourceOf(to, options)
    return { ...source, release: () => [source.release(), remove()] }
  } catch (error) {
    remove()
    throw error
  }
}

function sourceOf(path: string | Uint8Array, { signal }: VerbatimOptions): Promise<SourceBytes> {
  return readSource(path, { between: () => signal?.throwIfAborted() })
}

async function* linesOfFile(
  file: EvidenceEntry,
  open: () => Promise<SourceBytes>,
  lines: readonly number[],
  options: VerbatimOptions,
): AsyncGenerator<Verbatim> {
  const unread = (problem: string, count = lines.length): Verbatim => ({
    unread: { path: file.path, lines: count, problem },
  })
  if (file.kind === 'vpc-flow-log-parquet')
    return yield unread('its records are rows of a Parquet file, not lines of text')
  if (file.capture !== null || file.nfcapd !== null)
    return yield unread('its records are not lines of text: tidemark carve takes packets out of a capture')
  let source: SourceBytes
  try {
    source = await open()
  } catch (error) {
    options.signal?.throwIfAborted()
    const back = file.origin === null ? '; put it back where it was when it was added' : ''
    return yield unread(`it cannot be read again: ${reason(error)}${back}`)
  }
  try {
    if (file.sha256 !== null && source.sha256 !== file.sha256)
      return yield unread('it has changed since it was added: its lines are not those that were read')
    let found = 0
    // Of a file that is read twice the digest is known only after the second reading: none of its lines is given before.
    const isSure = source.whole !== null
    const kept: Verbatim[] = []
    for await (const line of textsOf(file, source, lines, options)) {
      found++
      if (isSure) yield { line: { path: file.path, ...line } }
      else kept.push({ line: { path: file.path, ...line } })
    }
    if (!(await source.isUnchanged())) return yield unread('it changed while it was read')
    yield* kept
    if (found < lines.length) yield unread('it ends before these lines', lines.length - found)
  } catch (error) {
    options.signal?.throwIfAborted()
    yield unread(`it cannot be read again: ${reason(error)}`)
  } finally {
    source.release()
  }
}

/** The wanted lines of the content, as `add` numbered them. */
async function* textsOf(
  file: EvidenceEntry,
  source: SourceBytes,
  wanted: readonly number[],
  options: VerbatimOptions,
): AsyncGenerator<{ line: number; text: string }> {
  const limits = { ...defaultLimits, ...options.limits }
  const expanded = new Expanded(source.open, compressionOf(source.head), source.size, limits, source.whole)
  const pieces = expanded[Symbol.asyncIterator]()
  try {
    const head = Buffer.from(await headOf(pieces, headBytes))
    const all = joined(head, pieces)
    if (file.form === null) return yield* chosen(all, wanted, options)
    // What `--format` named stands in the layout; where a header did, it is found without.
    const fields = (file.layout ?? '').split(';')[0]!.split(' ')
    const named: Format =
      file.flow_table === null ? { layout: layoutOf(fields), columns: null } : { layout: null, columns: fields }
    for (const format of [null, named]) {
      const content = contentOf(head)
      const { reader, table } = await judge({ content, head, rest: pieces, damage: () => expanded.damage }, format)
      const form = (reader ?? table)?.form ?? null
      if (form === null || formText(form) !== file.form) continue
      return yield* chosen(
        new PlainText(all, form, format?.layout?.fields ?? null, () => expanded.damage !== null),
        wanted,
        options,
      )
    }
    throw new Error(`it was read as ${file.form}, and is no longer known as that`)
  } finally {
    await pieces.return(undefined)
  }
}

/** Lines by their numbers, which ascend. */
async function* chosen(
  pieces: AsyncIterable<Uint8Array>,
  wanted: readonly number[],
  { signal }: VerbatimOptions,
): AsyncGenerator<{ line: number; text: string }> {
  let number = 1
  let next = 0
  let parts: Buffer[] = []
  let length = 0
  for await (const piece of pieces) {
    signal?.throwIfAborted()
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    let from = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      if (number === wanted[next]) {
        yield { line: number, text: textOf([...parts, bytes.subarray(from, end)]) }
        if (++next === wanted.length) return
      }
      parts = []
      length = 0
      number++
      from = end + 1
    }
    if (number === wanted[next] && length < lineBytesMax) {
      // The piece's memory may be used again.
      parts.push(Buffer.from(bytes.subarray(from)))
      length += bytes.length - from
    }
  }
  if (number === wanted[next] && length > 0) yield { line: number, text: textOf(parts) }
}

function textOf(parts: readonly Buffer[]): string {
  return Buffer.concat(parts).toString('utf8').replace(/\r$/, '')
}

async function* linesOfArchive(
  path: string,
  files: readonly EvidenceEntry[],
  places: Places,
  options: VerbatimOptions,
): AsyncGenerator<Verbatim> {
  const missing = new Set(files)
  try {
    for await (const { file, source } of membersOf(await sourceOf(path, options), files, 0, options)) {
      missing.delete(file)
      yield* linesOfFile(file, () => Promise.resolve(source), places.of(file.path), options)
    }
    for (const file of missing) yield notThere(file, places, 'it is no longer where it was in the archive')
  } catch (error) {
    options.signal?.throwIfAborted()
    for (const file of missing) yield notThere(file, places, `the archive cannot be read again: ${reason(error)}`)
  }
}

function notThere(file: EvidenceEntry, places: Places, problem: string): Verbatim {
  return { unread: { path: file.path, lines: places.of(file.path).length, problem } }
}
