/** Lines that an engine gave, as flow-log files: one for each object that they lie in, under its name. */
import { appendFile, mkdir, rm } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { sync } from '../disk/writing.ts'
import type { TextRow } from '../engines/engine.ts'
import { UserError } from '../errors.ts'
import { partHeader } from '../ingest/part-mark.ts'
import { hidden, visible } from '../visible.ts'

/** Objects of one pull: each is a file, and named in the ledger. */
export const objectsMost = 20_000
/** Letters that are held before they are written. */
const heldMost = 4 << 20
/** Files that are synced at a time. */
const syncedAtOnce = 16

export class ObjectFiles {
  /** Of each object its file, within the folder. */
  readonly files = new Map<string, string>()
  records = 0
  private readonly folder: string
  private readonly fields: readonly string[]
  /** Names of files and folders, in small letters: some disks do not tell them from large ones. */
  private readonly taken = new Set<string>()
  private readonly folders = new Set<string>()
  private readonly begun = new Set<string>()
  private object: string | null = null
  private held: string[] = []
  private letters = 0

  /** @param fields names of columns. */
  constructor(folder: string, fields: readonly string[]) {
    this.folder = folder
    this.fields = fields
  }

  /** @throws UserError for more than a pull may have. */
  know(object: string): void {
    if (this.files.has(object)) return
    if (this.files.size >= objectsMost)
      throw new UserError(`the records lie in more than ${objectsMost} objects`, {
        hint: 'a shorter time (--from, --to) has fewer',
      })
    this.files.set(object, this.nameFor(object))
  }

  /** Forgets an object, with what was written of it: it is read from where it lies. */
  async leave(object: string): Promise<void> {
    await this.settle()
    const name = this.files.get(object)
    this.files.delete(object)
    if (name !== undefined && this.begun.delete(object)) await rm(join(this.folder, name))
  }

  /** Takes rows in the order of their objects, of which the first column is the name. */
  async take(rows: readonly TextRow[]): Promise<void> {
    for (const [object, ...values] of rows) {
      if (object !== this.object || this.letters > heldMost) {
        await this.settle()
        this.object = object ?? ''
        this.know(this.object)
      }
      const line = values.map((value, i) => this.word(value ?? null, i)).join(' ')
      this.held.push(line)
      this.letters += line.length
      this.records++
    }
  }

  /** Writes what is held. */
  async settle(): Promise<void> {
    if (this.object !== null && this.held.length > 0) await this.write(this.object, this.held)
    this.held = []
    this.letters = 0
  }

  /** Objects without a line of their own have a file with a header all the same: what they hold is summed. */
  async fill(): Promise<void> {
    await this.settle()
    for (const object of this.files.keys()) if (!this.begun.has(object)) await this.write(object, [])
  }

  /** Makes what was written survive a power cut, with the folders that it is in. */
  async sync(): Promise<void> {
    const paths = [...this.begun].map(object => this.files.get(object)!)
    if (paths.length === 0) return
    for (let from = 0; from < paths.length; from += syncedAtOnce)
      await Promise.all(paths.slice(from, from + syncedAtOnce).map(path => sync(join(this.folder, path))))
    // Up to the folder of the pull, and the one that this is in.
    const folders = new Set(['.', '..', ...paths.flatMap(foldersOf)])
    for (const folder of folders) await sync(join(this.folder, folder))
  }

  private async write(object: string, lines: readonly string[]): Promise<void> {
    const path = join(this.folder, this.files.get(object)!)
    const isFirst = !this.begun.has(object)
    const header = this.fields.map(name => name.replaceAll('_', '-')).join(' ')
    const text = [...(isFirst ? [header] : []), ...lines, ''].join('\n')
    if (isFirst) await mkdir(dirname(path), { recursive: true })
    this.begun.add(object)
    // The name is in the first part, so that no two files have the same bytes: they would count as one.
    await appendFile(path, packed(text, isFirst ? object : null))
  }

  private word(value: string | null, i: number): string {
    if (value === null || value === '') return '-'
    if (/\s/.test(value) || value.search(hidden) >= 0)
      throw new UserError(
        `${this.fields[i]} of the table has a value that no flow log has: ${visible(value.slice(0, 100))}`,
        {
          hint: 'a pull writes flow logs, whose values have no blanks',
        },
      )
    if (/^-?\d+us$/.test(value) && ['start', 'end'].includes(this.fields[i]!))
      throw new UserError(`${this.fields[i]} of the table has fractions of a second, which no flow log has`, {
        hint: 'a pull writes flow logs: evidence with finer times is investigated where it lies',
      })
    return value
  }

  private nameFor(object: string): string {
    const parts = object
      .replace(/^[a-z0-9+.-]+:\/+/i, '')
      .split(/[/\\]+/)
      .map(part => part.replace(/[^A-Za-z0-9._=+@,-]/g, '_').slice(0, 200))
      .filter(part => !/^\.*$/.test(part))
    const [last = 'object', ...above] = parts.reverse()
    const folder = above.reverse().reduce((path, part) => this.free(path, part, '', name => !this.taken.has(name)), '')
    for (const name of foldersOf(join(folder, 'x'))) this.folders.add(name.toLowerCase())
    const plain = last.replace(/\.(?:gz|parquet|zst|xz|bz2)$/, '')
    const name = this.free(folder, plain, '.gz', one => !this.taken.has(one) && !this.folders.has(one))
    this.taken.add(name.toLowerCase())
    return name
  }

  /** A name within a folder that may be used: that of a file may be another object's folder, and the other way about. */
  private free(folder: string, plain: string, ending: string, isFree: (name: string) => boolean): string {
    for (let i = 1; ; i++) {
      const name = join(folder, `${i === 1 ? plain : `${plain}-${i}`}${ending}`)
      if (isFree(name.toLowerCase())) return name
    }
  }
}

/** The folders that a path within another one goes through, the outermost first. */
function foldersOf(path: string): string[] {
  const parts = path.split(sep).slice(0, -1)
  return parts.map((_, i) => parts.slice(0, i + 1).join(sep))
}

/** A part of a gzip file (RFC 1952). @param object for the header of its first part. */
function packed(text: string, object: string | null): Buffer {
  const bytes = Buffer.from(text)
  const end = Buffer.alloc(8)
  end.writeUInt32LE(crc32(bytes), 0)
  end.writeUInt32LE(bytes.length % 2 ** 32, 4)
  const { flags, name } = object === null ? { flags: 0, name: Buffer.alloc(0) } : partHeader(object)
  const header = Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255])
  return Buffer.concat([header, name, deflateRawSync(bytes), end])
}
