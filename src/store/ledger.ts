import { createHash } from 'node:crypto'
import { closeSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { openRegularSync, type Path, readSmall, readSmallIfThere } from '../disk/reading.ts'
import { openOrCreate, openToChange, replaceFile } from '../disk/writing.ts'
import { errorCode, errorText, UserError } from '../errors.ts'
import { caseFiles } from './files.ts'

/**
 * The ledger: one JSON object a line, each carrying the SHA-256 of its own text and that of the line before.
 *
 * A line is `{"hash":"<64 hex>",` followed by the rest of the object; the hash is that of the rest, which contains `prev`. So nothing
 * in it can be altered, removed or put in another order unseen. The digest of the last line is kept apart too, in `ledger.head`, to
 * notice lines that were cut off the end.
 */

const text = z.string()
const count = z.number().int().nonnegative()
const time = z.string().nullable()

const counted = z.array(z.object({ name: text, packets: count }))

/** What a capture held. Everything is a number of packets, if it does not say otherwise: packets = decoded + all of `undecoded`. */
export const captureAccount = z.object({
  packets: count,
  decoded: count,
  undecoded: counted,
  /** Cut by the snapshot length. */
  cut: count,
  without_transport: count,
  fragments: count,
  tunnels: counted,
  out_of_order: count,
  untimed: count,
  wire_bytes: count,
  ip_bytes: count,
  interfaces: count,
  /** Packets that the capturing system says it dropped; null: it does not say. */
  dropped: count.nullable(),
  flow_records: count,
  connections: count,
  /** Conversations that were ended early because there were too many at once. */
  evicted: count,
})

/** What an nfcapd file held: records = flow records + all of `skipped`. */
export const nfcapdAccount = z.object({
  layout: count,
  compression: text,
  ident: text,
  blocks: count,
  blocks_read: count,
  records: count,
  flow_records: count,
  skipped: z.array(z.object({ name: text, records: count })),
  sampled: count,
  anonymised: count,
})

export const evidenceEntry = z.object({
  id: count.nullable(),
  path: text,
  /** The bytes of the path as hex digits, where it is not UTF-8; `path` then shows the odd ones as \xNN. */
  path_bytes: text
    .regex(/^([0-9a-f]{2})+$/)
    .nullable()
    .default(null),
  kind: z.enum(['vpc-flow-log', 'vpc-flow-log-parquet', 'tgw-flow-log', 'pcap', 'pcapng', 'nfcapd']).nullable(),
  size: count,
  sha256: text.regex(/^[0-9a-f]{64}$/).nullable(),
  lines: count,
  header_lines: count,
  records: count,
  no_data: count,
  skip_data: count,
  malformed: count,
  first_start: time,
  last_end: time,
  status: z.enum(['read', 'partly-read', 'unreadable', 'duplicate', 'not-evidence']),
  problem: text.nullable(),
  layout: text.nullable(),
  sensors: z.array(text),
  sensor_count: count,
  expanded_bytes: count,
  capture: captureAccount.nullable().default(null),
  nfcapd: nfcapdAccount.nullable().default(null),
})

/** The only names that a case's files can have: no path can be smuggled in. */
export const segmentName = /^(flows|silence|problems|packet-flows|connections)-[0-9]{6,}-[0-9a-f]{8}\.(parquet|ndjson)$/

export const segmentEntry = z.object({
  name: text.regex(segmentName),
  kind: z.enum(['flows', 'silence', 'problems', 'packet-flows', 'connections']),
  rows: count,
  bytes: count,
  sha256: text.regex(/^[0-9a-f]{64}$/),
  columns: z.array(text),
})

const entryBody = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('created'),
    seq: z.literal(0),
    prev: text,
    time: text,
    schema: z.literal(1),
    tidemark: text,
    duckdb: text,
    node: text,
    readme_sha256: text,
  }),
  z.object({
    type: z.literal('added'),
    seq: count,
    prev: text,
    time: text,
    tidemark: text,
    command: text,
    evidence: z.array(evidenceEntry),
    segments: z.array(segmentEntry),
  }),
])

export type EvidenceEntry = z.infer<typeof evidenceEntry>
/** The path under which the system knows a file of evidence. */
export function fileName(file: Pick<EvidenceEntry, 'path' | 'path_bytes'>): string | Uint8Array {
  return file.path_bytes === null ? file.path : Buffer.from(file.path_bytes, 'hex')
}

export type SegmentEntry = z.infer<typeof segmentEntry>
export type LedgerEntry = z.infer<typeof entryBody> & { hash: string }
export type NewEntry = {
  [T in LedgerEntry['type']]: Omit<Extract<LedgerEntry, { type: T }>, 'seq' | 'prev' | 'hash' | 'time'>
}[LedgerEntry['type']]

export const noEntry = '0'.repeat(64)
const lineShape = /^\{"hash":"([0-9a-f]{64})",(.*)$/s

/** A million files of evidence take a good half of it; it is read whole. */
const ledgerBytesMax = 1 << 30
const headBytesMax = 4096
/** The first entry has no list in it. */
const firstLineMax = 16 << 10

/** What reading a ledger found. `faults` is empty for a sound one. */
export interface LedgerReading {
  entries: LedgerEntry[]
  /** Bytes of the sound entries at the start of the file. */
  soundBytes: number
  /** An unfinished last line: the writer was interrupted, nothing that it had acknowledged is lost. */
  torn: boolean
  faults: string[]
  /** The number of the entry whose digest is kept apart; `unknown` if it is none of these entries'. */
  head: number | 'missing' | 'unknown'
}

/** Reads and checks every line. Stops at the first line that does not fit. */
export async function readLedger(caseDir: string): Promise<LedgerReading> {
  // First, for a writer goes the other way: what the head names is in the ledger then.
  const head = readHead(caseDir)
  const bytes = readSmallIfThere(join(caseDir, caseFiles.ledger), 'refuse', ledgerBytesMax)
  if (bytes === null) throw noCase(caseDir)
  const reading: LedgerReading = { entries: [], soundBytes: 0, torn: false, faults: [], head: 'missing' }
  let prev = noEntry
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at)
    if (newline < 0) {
      reading.torn = true
      break
    }
    const entry = parseLine(bytes.subarray(at, newline), prev, reading.entries.length)
    if (typeof entry === 'string') {
      reading.faults.push(`line ${reading.entries.length + 1} (byte ${at}): ${entry}`)
      break
    }
    reading.entries.push(entry)
    prev = entry.hash
    at = newline + 1
    reading.soundBytes = at
  }
  if (head !== null) {
    const place = reading.entries.findLastIndex(entry => headText(entry.seq, entry.hash) === head)
    reading.head = place < 0 ? 'unknown' : place
  }
  return reading
}

function readHead(caseDir: string): string | null {
  try {
    return readSmallIfThere(join(caseDir, caseFiles.head), 'refuse', headBytesMax)?.toString('latin1') ?? null
  } catch (error) {
    return errorText(error)
  }
}

/** Whether a file begins as the ledger of a case does: with a sound first entry. */
export function isLedger(path: Path): boolean {
  try {
    const fd = openRegularSync(path, 'refuse')
    try {
      const start = Buffer.alloc(firstLineMax)
      const bytes = start.subarray(0, readSync(fd, start, 0, start.length, 0))
      const newline = bytes.indexOf(10)
      const entry = newline < 0 ? null : parseLine(bytes.subarray(0, newline), noEntry, 0)
      return entry !== null && typeof entry !== 'string' && entry.type === 'created'
    } finally {
      closeSync(fd)
    }
  } catch {
    return false
  }
}

function parseLine(line: Uint8Array, prev: string, seq: number): LedgerEntry | string {
  const shape = lineShape.exec(new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(line))
  if (!shape) return 'not a ledger entry'
  const [, hash, rest] = shape as unknown as [string, string, string]
  const found = createHash('sha256')
    .update(line.subarray(line.length - Buffer.byteLength(rest)))
    .digest('hex')
  if (found !== hash) return `altered: its digest is ${found}, the entry says ${hash}`
  const body = entryBody.safeParse(parsed(`{${rest}`))
  if (!body.success) return `unknown entry: ${body.error.issues[0]?.message}`
  if (body.data.prev !== prev || body.data.seq !== seq)
    return 'does not follow the entry before it: entries were removed or reordered'
  return { ...body.data, hash }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}

/** Appends entries; one writer at a time, see `lock.ts`. Each entry is on the disk when `append` returns. */
export class LedgerWriter {
  private readonly caseDir: string
  private prev: string
  private seq: number

  private constructor(caseDir: string, prev: string, seq: number) {
    this.caseDir = caseDir
    this.prev = prev
    this.seq = seq
  }

  /**
   * Goes on after the last sound entry; cuts off an unfinished line, and mends a head, that a killed writer left.
   *
   * @throws UserError when entries were cut off the end: another entry would hide that.
   */
  static async open(caseDir: string, reading: LedgerReading): Promise<LedgerWriter> {
    const last = reading.entries.at(-1)
    if (last) await mendHead(caseDir, reading, last)
    await ownLedger(join(caseDir, caseFiles.ledger), reading)
    return new LedgerWriter(caseDir, last?.hash ?? noEntry, reading.entries.length)
  }

  async append(entry: NewEntry): Promise<LedgerEntry> {
    const body = { seq: this.seq, prev: this.prev, time: new Date().toISOString(), ...entry }
    const rest = JSON.stringify(body).slice(1)
    const hash = createHash('sha256').update(rest).digest('hex')
    const path = join(this.caseDir, caseFiles.ledger)
    const handle = this.seq === 0 ? await openOrCreate(path) : await openToChange(path)
    try {
      await handle.writeFile(`{"hash":"${hash}",${rest}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    this.seq++
    this.prev = hash
    await replaceFile(join(this.caseDir, caseFiles.head), headText(body.seq, hash))
    return { ...(body as LedgerEntry), hash }
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
async function mendHead(caseDir: string, { entries, head }: LedgerReading, last: LedgerEntry): Promise<void> {
  if (head === last.seq) return
  if (head !== (entries.length === 1 ? 'missing' : last.seq - 1)) {
    throw alteredLedger(caseDir, 'its last entry is not the one that was written last')
  }
  await replaceFile(join(caseDir, caseFiles.head), headText(last.seq, last.hash))
}

export function alteredLedger(caseDir: string, fault: string): UserError {
  return new UserError(`the case's ledger was altered: ${join(caseDir, caseFiles.ledger)}: ${fault}`, {
    hint: 'tidemark verify names every fault; make a new case from the evidence',
  })
}

/** The text of `ledger.head`. */
export function headText(seq: number, hash: string): string {
  return `${JSON.stringify({ seq, hash })}\n`
}

export function noCase(caseDir: string): UserError {
  return new UserError(`no case here: ${caseDir}`, {
    hint: 'add evidence first (tidemark add PATH…), or name the case with --case DIR',
  })
}
