/** Which content is in the cases of a watch, and which files hold it: what is known is not read again. */
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { piecesOf } from '../disk/reading.ts'
import { nodeAt, replaceFile } from '../disk/writing.ts'
import { count, fit, nullOr, objectOf, text } from '../shape.ts'
import { soundLedger } from '../store/case-folder.ts'
import { caseFiles } from '../store/files.ts'
import { readLedger } from '../store/ledger.ts'
import { standingsOf } from '../store/standing.ts'
import { type Day, emptyDay, grow, type HeldDay } from './days.ts'
import { caseOfDay, watchNames } from './layout.ts'

/** A file as it was when it was read. */
export interface SeenFile {
  /** Size, times and number of the file: with these unchanged it is not looked into. */
  print: string
  /** Lower-case hex; null: it could not be read to its end. */
  sha256: string | null
  size: number
  /** Of the case that has it; null: no case. */
  day: Day | null
  /** How often it was read. */
  times: number
}

const seenShape = objectOf({
  path: text,
  print: text,
  sha256: nullOr(text),
  size: count,
  day: nullOr(text),
  times: count,
})

const looseLines = 1000

export class Seen {
  private readonly dir: string
  /** By digest, as bytes: the day. */
  private readonly contents = new Map<string, Day>()
  private readonly sizes = new Set<number>()
  private readonly files = new Map<string, SeenFile>()
  /** Lines that are not on the disk yet, and those that are. */
  private unwritten: string[] = []
  private lines = 0
  /** Largest number of a file in any case. */
  lastId = 0

  private constructor(dir: string) {
    this.dir = dir
  }

  /** Reads what is remembered. What was not is found out again by the digests, which the ledgers hold. */
  static async open(dir: string): Promise<Seen> {
    const seen = new Seen(dir)
    const path = join(dir, watchNames.seen)
    if ((await nodeAt(path)) !== 'file') return seen
    let rest = ''
    for await (const piece of piecesOf(path, 'refuse')) {
      const lines = `${rest}${piece.toString('latin1')}`.split('\n')
      // What a killed writer left has no line end.
      rest = lines.pop()!
      for (const line of lines) seen.take(line)
    }
    return seen
  }

  private take(line: string): void {
    let value: unknown = null
    try {
      value = JSON.parse(Buffer.from(line, 'latin1').toString())
    } catch {
      return
    }
    const read = fit(seenShape, value).value
    if (read === null) return
    const { path, ...file } = read
    this.files.set(path, file)
    this.lines++
  }

  /** Takes in what the ledger of a day's case says. @param looked the last entry that was there when findings were looked for. @throws UserError where it is altered. */
  async learn(day: Day, looked: string | null): Promise<HeldDay> {
    const held = emptyDay(day)
    const dir = caseOfDay(this.dir, day)
    if (await isUnmade(dir)) return held
    const entries = await soundLedger(dir)
    const lookedAt = entries.find(({ hash }) => hash === looked)?.seq ?? -1
    for (const one of standingsOf(entries)) {
      const { id, sha256, size, status } = one.file
      this.lastId = Math.max(this.lastId, id ?? 0)
      if (sha256 !== null && status !== 'duplicate') this.keep(sha256, size, day)
      // Where it was fetched from, it need not be fetched again to be known, whatever became of the list of files.
      if (one.file.origin !== null && sha256 !== null && status !== 'duplicate')
        this.files.set(one.file.path, { print: printOf(one.file.origin), sha256, size, day, times: 1 })
      // What was removed is another state of its days, too.
      const last = one.changes.at(-1)?.seq ?? one.entry.seq
      if (id !== null) grow(held, one.file, last <= lookedAt)
    }
    return held
  }

  /** From now on this content is known. */
  keep(sha256: string, size: number, day: Day): void {
    this.contents.set(key(sha256), day)
    this.sizes.add(size)
  }

  /** The day in whose case the content is; null: in none. */
  dayOf(sha256: string): Day | null {
    return this.contents.get(key(sha256)) ?? null
  }

  /** Whether some known content is as large: if not, its digest need not be taken to know that it is new. */
  hasSize(size: number): boolean {
    return this.sizes.has(size)
  }

  file(path: string): SeenFile | undefined {
    return this.files.get(path)
  }

  note(path: string, file: SeenFile): void {
    this.files.set(path, file)
    this.unwritten.push(lineOf(path, file))
  }

  /** Brings it to the disk. What is lost of it is found out again. */
  async flush(): Promise<void> {
    if (this.unwritten.length === 0) return
    const lines = this.unwritten.splice(0)
    // A line end first, for a killed writer may have left half a line.
    await appendFile(join(this.dir, watchNames.seen), `\n${lines.join('')}`)
    this.lines += lines.length
  }

  /** Forgets files that nobody asks for any more, and writes the rest in order again, if that makes it much smaller. */
  async compact(isKept: (path: string, file: SeenFile) => boolean): Promise<void> {
    const gone = [...this.files].filter(([path, file]) => !isKept(path, file)).map(([path]) => path)
    if (this.lines < 2 * (this.files.size - gone.length) + looseLines) return
    for (const path of gone) this.files.delete(path)
    await replaceFile(
      join(this.dir, watchNames.seen),
      [...this.files].map(([path, file]) => lineOf(path, file)).join(''),
    )
    this.unwritten = []
    this.lines = this.files.size
  }

  /** Forgets the content of a day whose case is gone. */
  forget(day: Day): void {
    for (const [digest, own] of this.contents) if (own === day) this.contents.delete(digest)
  }
}

/** How the content of an object is told from another one under its key. */
export function printOf({ etag, size }: { etag: string | null; size: number }): string {
  return `${etag} ${size}`
}

/** Whether the watch was killed while it made the case. */
async function isUnmade(dir: string): Promise<boolean> {
  if ((await nodeAt(join(dir, caseFiles.ledger))) === null) return true
  const { hashes, faults, head } = await readLedger(dir)
  return hashes.length === 0 && faults.length === 0 && head === 'missing'
}

/** Half of a digest tells contents apart, in an eighth of the memory. */
function key(sha256: string): string {
  return Buffer.from(sha256.slice(0, 32), 'hex').toString('latin1')
}

function lineOf(path: string, file: SeenFile): string {
  return `${JSON.stringify({ path, ...file })}\n`
}
