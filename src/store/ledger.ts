import { createHash } from 'node:crypto'
import { closeSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { openRegularSync, type Path, piecesOf, readSmall, readSmallIfThere } from '../disk/reading.ts'
import { openOrCreate, openToChange, replaceFile } from '../disk/writing.ts'
import { assert, errorCode, errorText, UserError } from '../errors.ts'
import { exactJson, parseExactJson } from './exact-json.ts'
import { caseFiles } from './files.ts'
import {
  type EvidenceEntry,
  entryOf,
  type FileReference,
  isReading,
  type LedgerEntry,
  type NewEntry,
  type SegmentEntry,
} from './ledger-entry.ts'

export type { EvidenceEntry, LedgerEntry, SegmentEntry }

/** The path under which the system knows a file of evidence. */
export function fileName(file: Pick<EvidenceEntry, 'path' | 'path_bytes'>): string | Uint8Array {
  return file.path_bytes === null ? file.path : Buffer.from(file.path_bytes, 'hex')
}

/**
 * The ledger: one JSON object a line, each carrying the SHA-256 of its own text and that of the line before.
 *
 * A line is `{"hash":"<64 hex>",` followed by the rest of the object; the hash is that of the rest, which contains `prev`. So nothing
 * in it can be altered, removed or put in another order unseen. The digest of the last line is kept apart too, in `ledger.head`, to
 * notice lines that were cut off the end.
 */

/** Stands for the digest of the entry before the first. */
const noEntry = '0'.repeat(64)
/** A line that is written is at most this long; a reader takes longer ones, of older versions, up to the length of a string. */
export const lineBytesMax = 64 << 20
const lineBytesReadMax = 448 << 20
const lineShape = /^\{"hash":"([0-9a-f]{64})",$/
const hashBytes = '{"hash":"'.length + 64 + '",'.length

/** A copy that shares its ledger by a hard link is given one of its own, which is read whole. */
const ledgerBytesMax = 1 << 30
const headBytesMax = 4096
/** The first entry has no list in it. */
const firstLineMax = 16 << 10

/** What reading a ledger found. `faults` is empty for a sound one. */
export interface LedgerReading {
  /** Those that could be read. */
  entries: LedgerEntry[]
  /** The digests of the chain's entries, also of those whose content is not accepted. */
  hashes: string[]
  /** Bytes of the chain's entries at the start of the file. */
  soundBytes: number
  /** An unfinished last line: the writer was interrupted, nothing that it had acknowledged is lost. */
  torn: boolean
  faults: string[]
  /** The number of the entry whose digest is kept apart; `unknown` if it is none of these entries'. */
  head: number | 'missing' | 'unknown'
}

export const emptyLedger: LedgerReading = {
  ...{ entries: [], hashes: [], soundBytes: 0, torn: false, faults: [] },
  head: 'missing',
}

/**
 * Reads and checks every line. Stops at the first line that breaks the chain; a line of the chain whose content is not accepted is a fault,
 * and those after it are read.
 */
export async function readLedger(caseDir: string, bytesMax = lineBytesReadMax): Promise<LedgerReading> {
  // First, for a writer goes the other way: what the head names is in the ledger then.
  const head = readHead(caseDir)
  const reading: LedgerReading = {
    ...emptyLedger,
    entries: [],
    hashes: [],
    faults: [],
    head: head === null ? 'missing' : 'unknown',
  }
  const known = new Known()
  for await (const line of linesOf(caseDir, bytesMax)) {
    const place = `line ${reading.hashes.length + 1} (byte ${reading.soundBytes})`
    if (line === 'unfinished') {
      reading.torn = true
      break
    }
    if (line === 'too long') {
      reading.faults.push(`${place}: longer than ${bytesMax} bytes`)
      break
    }
    const found = parseLine(line, reading.hashes.at(-1) ?? noEntry, reading.hashes.length)
    const fault = found.fault || known.faultOf(found.entry)
    if (fault !== '') reading.faults.push(`${place}: ${fault}`)
    if (found.hash === null) break
    if (fault === '' && found.entry !== null) reading.entries.push(found.entry)
    if (headText(reading.hashes.length, found.hash) === head) reading.head = reading.hashes.length
    reading.hashes.push(found.hash)
    reading.soundBytes += line.length + 1
  }
  return reading
}

/** The lines of the ledger, without the byte that ends each. */
async function* linesOf(caseDir: string, bytesMax: number): AsyncGenerator<Buffer | 'unfinished' | 'too long'> {
  let held: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of piecesOf(join(caseDir, caseFiles.ledger), 'refuse')) {
      let from = 0
      for (let newline = piece.indexOf(10); newline >= 0; newline = piece.indexOf(10, from)) {
        if (bytes + newline - from > bytesMax) return yield 'too long'
        yield Buffer.concat([...held, piece.subarray(from, newline)])
        held = []
        bytes = 0
        from = newline + 1
      }
      if (from < piece.length) held.push(piece.subarray(from))
      bytes += piece.length - from
      if (bytes > bytesMax) return yield 'too long'
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw noCase(caseDir)
    throw error
  }
  if (bytes > 0) yield 'unfinished'
}

function readHead(caseDir: string): string | null {
  try {
    return readSmallIfThere(join(caseDir, caseFiles.head), 'refuse', headBytesMax)?.toString('latin1') ?? null
  } catch (error) {
    return errorText(error)
  }
}

/** Digest of the case's last entry, by the file that keeps it apart; null where there is none. The ledger is not looked at. */
export function headOf(caseDir: string): string | null {
  return /^\{"seq":\d+,"hash":"([0-9a-f]{64})"\}\n$/.exec(readHead(caseDir) ?? '')?.[1] ?? null
}

/** Whether a file begins as the ledger of a case does: with a sound first entry. */
export function isLedger(path: Path): boolean {
  try {
    const fd = openRegularSync(path, 'refuse')
    try {
      const start = Buffer.alloc(firstLineMax)
      const bytes = start.subarray(0, readSync(fd, start, 0, start.length, 0))
      const newline = bytes.indexOf(10)
      return newline >= 0 && parseLine(bytes.subarray(0, newline), noEntry, 0).entry?.type === 'created'
    } finally {
      closeSync(fd)
    }
  } catch {
    return false
  }
}

/** One line. `hash` is null where it does not belong to the chain, `entry` where its content is not accepted. */
interface ParsedLine {
  hash: string | null
  entry: LedgerEntry | null
  fault: string
}

function parseLine(line: Buffer, prev: string, seq: number): ParsedLine {
  const broken = (fault: string): ParsedLine => ({ hash: null, entry: null, fault })
  const hash = lineShape.exec(line.toString('latin1', 0, hashBytes))?.[1]
  if (hash === undefined) return broken('not a ledger entry')
  const rest = line.subarray(hashBytes)
  const found = createHash('sha256').update(rest).digest('hex')
  if (found !== hash) return broken(`altered: its digest is ${found}, the entry says ${hash}`)
  const { entry, link, fault } = entryOf(parsed(`{${rest.toString('utf8')}`))
  if (link === null) return broken(`unknown entry: ${fault}`)
  if (link.prev !== prev || link.seq !== seq)
    return broken('does not follow the entry before it: entries were removed or reordered')
  if (entry === null) return { hash, entry: null, fault: `not accepted: ${fault}` }
  return { hash, entry: { ...entry, hash }, fault: '' }
}

function parsed(json: string): unknown {
  try {
    return parseExactJson(json)
  } catch {
    return null
  }
}

/** Numbers of files and names of segments, of which each is given once; and the files that an entry can refer to. */
class Known {
  private readonly files = new Set<number>()
  private readonly evidence = new Map<number, readonly EvidenceEntry[]>()
  private readonly segments = new Set<string>()

  /** What of the entry was there before, in words; else it is known from now on. */
  faultOf(entry: LedgerEntry | null): string {
    if (entry === null || entry.type === 'created') return ''
    if (!isReading(entry)) return this.faultOfReferences(entry.files)
    const ids = entry.evidence.flatMap(file => file.id ?? [])
    const names = entry.segments.map(segment => segment.name)
    const twice = repeated(ids, this.files) ?? repeated(names, this.segments)
    if (twice !== undefined) return `not accepted: ${twice} is there twice`
    for (const id of ids) this.files.add(id)
    for (const name of names) this.segments.add(name)
    this.evidence.set(entry.seq, entry.evidence)
    return ''
  }

  private faultOfReferences(files: readonly FileReference[]): string {
    const at = files.findIndex(one => {
      const file = this.evidence.get(one.entry)?.[one.at]
      return file === undefined || file.id !== one.id || file.sha256 !== one.sha256
    })
    return at < 0 ? '' : `not accepted: files.${at}: no such file in entry ${files[at]!.entry}`
  }
}

function repeated<T>(list: readonly T[], known: ReadonlySet<T>): T | undefined {
  const own = new Set<T>()
  return list.find(one => known.has(one) || own.size === own.add(one).size)
}

/** An entry that its own reader has accepted, on its way into the ledger. */
interface PreparedEntry {
  entry: LedgerEntry
  line: string
}

/** Appends entries; one writer at a time, see `lock.ts`. Each entry is on the disk when `commit` returns. */
export class LedgerWriter {
  private readonly caseDir: string
  private readonly known = new Known()
  private prev: string
  private seq: number

  private constructor(caseDir: string, reading: LedgerReading) {
    this.caseDir = caseDir
    this.prev = reading.hashes.at(-1) ?? noEntry
    this.seq = reading.hashes.length
    for (const entry of reading.entries) this.known.faultOf(entry)
  }

  /**
   * Goes on after the last sound entry; cuts off an unfinished line, and mends a head, that a killed writer left.
   *
   * @throws UserError when entries were cut off the end: another entry would hide that.
   */
  static async open(caseDir: string, reading: LedgerReading): Promise<LedgerWriter> {
    if (reading.hashes.length > 0) await mendHead(caseDir, reading)
    await ownLedger(join(caseDir, caseFiles.ledger), reading)
    return new LedgerWriter(caseDir, reading)
  }

  /** The next entry, read back as any reader will: what that would refuse is a bug, and must not be written. */
  prepare(added: NewEntry): PreparedEntry {
    const body = { seq: this.seq, prev: this.prev, time: new Date().toISOString(), ...added }
    const rest = exactJson(body).slice(1)
    const hash = createHash('sha256').update(rest).digest('hex')
    const line = `{"hash":"${hash}",${rest}`
    const bytes = Buffer.from(line)
    const { entry, fault } = parseLine(bytes, this.prev, this.seq)
    const refused = fault || this.known.faultOf(entry)
    assert(entry !== null && refused === '', `the ledger's reader accepts what is to be written: ${refused}`)
    assert(bytes.length <= lineBytesMax, `a line of the ledger has at most ${lineBytesMax} bytes: ${bytes.length}`)
    return { entry, line }
  }

  async commit({ entry, line }: PreparedEntry): Promise<void> {
    const path = join(this.caseDir, caseFiles.ledger)
    const handle = this.seq === 0 ? await openOrCreate(path) : await openToChange(path)
    try {
      await handle.writeFile(`${line}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    this.seq++
    this.prev = entry.hash
    await replaceFile(join(this.caseDir, caseFiles.head), headText(entry.seq, entry.hash))
  }
}

/** The ledger is the only file that is changed in its place: first an unfinished line is cut off, and a copy that shares it is left alone. */
async function ownLedger(path: string, { torn, soundBytes }: LedgerReading): Promise<void> {
  const handle = await openToChange(path).catch(error => {
    if (errorCode(error) !== 'ENOENT') throw error
    return null
  })
  if (handle === null) return
  try {
    const { nlink } = await handle.stat()
    // A copy made of hard links, of a backup say, must stay as it is.
    if (nlink > 1) await replaceFile(path, readSmall(path, 'refuse', ledgerBytesMax).subarray(0, soundBytes))
    else if (torn) await handle.truncate(soundBytes)
  } finally {
    await handle.close()
  }
}

/** A writer that is killed after the ledger's line and before the head leaves the head of the entry before, or none before the second. */
async function mendHead(caseDir: string, { hashes, head }: LedgerReading): Promise<void> {
  const last = hashes.length - 1
  if (head === last) return
  if (head !== (last === 0 ? 'missing' : last - 1)) {
    throw alteredLedger(caseDir, 'its last entry is not the one that was written last')
  }
  await replaceFile(join(caseDir, caseFiles.head), headText(last, hashes[last]!))
}

export function alteredLedger(caseDir: string, fault: string): UserError {
  return new UserError(`the case's ledger was altered: ${join(caseDir, caseFiles.ledger)}: ${fault}`, {
    hint: 'tidemark verify names every problem; make a new case from the evidence',
  })
}

/** Entries of other ledgers, in their order and with their own times, as a ledger of its own: its lines, and the text of its head. */
export function ledgerOf(entries: readonly Omit<LedgerEntry, 'seq' | 'prev' | 'hash'>[]): {
  lines: string[]
  head: string
} {
  let prev = noEntry
  const lines = entries.map((entry, seq) => {
    const rest = exactJson({ ...entry, seq, prev }).slice(1)
    prev = createHash('sha256').update(rest).digest('hex')
    return `{"hash":"${prev}",${rest}\n`
  })
  return { lines, head: headText(lines.length - 1, prev) }
}

/** The text of `ledger.head`. */
export function headText(seq: number, hash: string): string {
  return `${JSON.stringify({ seq, hash })}\n`
}

export function noCase(caseDir: string): UserError {
  return new UserError(`no case here: ${caseDir}`, {
    hint: 'check where it lies, or make it by adding evidence: tidemark add PATH…',
  })
}
