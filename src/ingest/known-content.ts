/** What `add` knows of content by what is in the case: whether a file is to be read, and entered. */
import { UserError } from '../errors.ts'
import type { EvidenceEntry, LedgerEntry } from '../store/ledger.ts'
import { alreadyThere } from '../store/reports.ts'
import { counts, standingsOf } from '../store/standing.ts'
import type { FileTask } from './messages.ts'

interface Known {
  path: string
  /** `now`: it was read in this run. */
  state: 'counts' | 'removed' | 'now'
  /** None of its lines was readable. */
  isUnread?: boolean
}

/** Why content is not read that a file has which counts. */
export function inTheCase(path: string): string {
  return `same content as ${path}: ${alreadyThere}`
}

/** What to do about a part of a pull. @param isOut whether it was removed. */
export function partHint(isOut: boolean): string {
  return isOut
    ? 'tidemark remove --undo puts it back as that part; the other files were added'
    : 'it counts in the case as that part; the other files were added. For more records pull into another case'
}

export class KnownContent {
  private readonly again: boolean
  /** By digest: what became of the last reading. */
  private readonly read = new Map<string, Known>()
  /** Digests of content that was read before this run. */
  private readonly earlier: ReadonlySet<string>
  /** Files that count, by `keyOf`; whether one was named. */
  private readonly files = new Map<string, boolean>()
  /** The same of files of which nothing was read, and that were removed. */
  private readonly removed: ReadonlySet<string>
  /** By digest of a file that a pull wrote: the object that it is a part of. */
  private readonly parts: ReadonlyMap<string, string>
  /** Archives that are read although they were removed. */
  private readonly back = new Set<string>()
  /** Largest number of a file. */
  readonly lastId: number

  constructor(entries: readonly LedgerEntry[], again: boolean) {
    const standings = standingsOf(entries)
    this.again = again
    this.entered(standings.filter(counts).map(one => one.file))
    const isOut = standings.filter(one => one.isRemoved && one.supersededBy === null && one.file.id === null)
    this.removed = new Set(isOut.map(one => keyOf(one.file)))
    for (const { file, isRemoved } of standings) {
      if (file.id === null || file.sha256 === null) continue
      this.read.set(file.sha256, {
        path: file.path,
        state: isRemoved ? 'removed' : 'counts',
        isUnread: hasOnlyMalformed(file),
      })
    }
    this.earlier = new Set(this.read.keys())
    this.parts = partsOf(entries)
    this.lastId = standings.reduce((most, one) => Math.max(most, one.file.id ?? 0), 0)
  }

  /** Why content is not read, in words; null: it is to be read. */
  refusal(sha256: string, { path, named, archive }: FileTask, hasFormat: boolean): string | null {
    const known = this.read.get(sha256)
    if (known === undefined) return null
    if (known.state === 'removed') {
      // Who names an archive names the files in it.
      const isNamed = named || (archive !== null && this.back.has(archive.path))
      if (isNamed) this.back.add(path)
      return isNamed
        ? null
        : `same content as ${known.path}, which was removed from the case: tidemark remove --undo puts it back`
    }
    if (known.state === 'counts' && (this.again || (hasFormat && known.isUnread === true))) return null
    const already = known.path === path ? alreadyThere : inTheCase(known.path)
    if (this.parts.has(sha256)) return already
    return `${already}${hasFormat ? '; tidemark add --again reads it once more' : ''}`
  }

  /**
   * Why content is not read that `refusal` lets through: a pull wrote it. As a log of its own it would count as all that its object holds, and
   * nothing would say that the rest was left on the engine.
   */
  refusedPart(sha256: string, path: string): UserError | null {
    const object = this.parts.get(sha256)
    if (object === undefined) return null
    const isOut = this.read.get(sha256)?.state === 'removed'
    return new UserError(`a pull wrote this file as a part of ${object}, and it is not read as a whole log: ${path}`, {
      hint: partHint(isOut),
    })
  }

  wasRead(sha256: string, path: string): void {
    this.read.set(sha256, { path, state: 'now' })
  }

  /** What is told of a file, and whether it is entered in the ledger. What is only listed is entered once. */
  judged(file: EvidenceEntry): { file: EvidenceEntry; isEntered: boolean } {
    if (file.id !== null) return { file, isEntered: true }
    if (file.status === 'duplicate') return { file, isEntered: false }
    if (file.sha256 !== null && this.read.get(file.sha256)?.state === 'counts') {
      const problem = `${file.problem ?? file.status}; the earlier reading of it stays, and counts`
      return { file: { ...file, problem }, isEntered: false }
    }
    const isOut = !file.named && this.removed.has(keyOf(file))
    if (isOut) return { file: { ...file, ...leftOut(file) }, isEntered: false }
    const isNamed = this.files.get(keyOf(file))
    return { file, isEntered: isNamed === undefined || (file.named && !isNamed) }
  }

  entered(files: readonly EvidenceEntry[]): void {
    for (const file of files) {
      const key = keyOf(file)
      this.files.set(key, file.named || this.files.get(key) === true)
    }
  }

  /** Whether content that was read before this run is read again. */
  isAgain(file: EvidenceEntry): boolean {
    return file.id !== null && file.sha256 !== null && this.earlier.has(file.sha256)
  }
}

function partsOf(entries: readonly LedgerEntry[]): Map<string, string> {
  const parts = new Map<string, string>()
  for (const entry of entries) {
    if (entry.type !== 'pulled') continue
    const digests = new Map(entry.evidence.map(({ id, sha256 }) => [id, sha256]))
    for (const { id, object } of entry.pull.parts) {
      const sha256 = digests.get(id) ?? null
      if (sha256 !== null) parts.set(sha256, object)
    }
  }
  return parts
}

function hasOnlyMalformed({ malformed, records, no_data, skip_data, capture }: EvidenceEntry): boolean {
  return malformed > 0 && records + no_data + skip_data === 0 && capture === null
}

function leftOut(file: EvidenceEntry): Pick<EvidenceEntry, 'status' | 'problem'> {
  const problem = `removed from the case: tidemark remove --undo puts it back (${file.problem ?? file.status})`
  return { status: 'duplicate', problem }
}

function keyOf({ path, sha256, status }: EvidenceEntry): string {
  return `${path}\0${sha256}\0${status}`
}
