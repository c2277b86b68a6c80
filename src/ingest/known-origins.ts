/** What `add` knows of files that lie elsewhere before it fetches them: by where they lie, and what the server says of their content. */
import { UserError } from '../errors.ts'
import type { Origin, RemoteFile } from '../sources/remote.ts'
import type { EvidenceEntry, LedgerEntry } from '../store/ledger.ts'
import { alreadyThere } from '../store/reports.ts'
import { type Standing, standingsOf } from '../store/standing.ts'
import { partHint } from './known-content.ts'

interface Known {
  origin: Origin
  isRemoved: boolean
  /** Nothing of it was readable as it was read then. */
  isUnread: boolean
}

/** What becomes of a file without a look at its bytes. */
export interface Judged {
  /** `duplicate`: it is passed over; `unreadable`: it is a gap. */
  status: 'duplicate' | 'unreadable'
  problem: string
}

export class KnownOrigins {
  private readonly byUri = new Map<string, Known>()
  /** Objects of which a pull brought a part, by their URI: whether that was removed. */
  private readonly parts: ReadonlyMap<string, boolean>

  constructor(entries: readonly LedgerEntry[]) {
    const standings = standingsOf(entries)
    this.parts = partsOf(entries, standings)
    for (const { file, isRemoved } of standings) {
      if (file.origin === null || !wasLookedAt(file)) continue
      this.byUri.set(file.origin.uri, {
        origin: file.origin,
        isRemoved,
        isUnread: file.records + file.no_data + file.skip_data === 0,
      })
    }
  }

  /** Why an object is not fetched of which a pull brought a part: beside that part its records would count twice. Null: it is fetched. */
  refusedPart(path: string): UserError | null {
    const isOut = this.parts.get(path)
    if (isOut === undefined) return null
    return new UserError(`a pull brought a part of this object, and it is not read as a whole log: ${path}`, {
      hint: partHint(isOut),
    })
  }

  /** Null: it is to be fetched. */
  judge(
    { path, named, etag, size, isFixed = false }: RemoteFile,
    { again, hasFormat, changedToo }: { again: boolean; hasFormat: boolean; changedToo: boolean },
  ): Judged | null {
    const known = this.byUri.get(path)
    // Without an ETag only the bytes tell.
    if (known === undefined || (!isFixed && (etag === null || known.origin.etag === null))) return null
    const isSame = isFixed || (known.origin.etag === etag && known.origin.size === size)
    if (known.isRemoved) {
      if (named || !isSame) return null
      return { status: 'duplicate', problem: 'it was removed from the case: tidemark remove --undo puts it back' }
    }
    if (!isSame && changedToo) return null
    if (!isSame) return { status: 'unreadable', problem: changed(known.origin, etag) }
    if (again || (hasFormat && known.isUnread)) return null
    return { status: 'duplicate', problem: alreadyThere }
  }
}

function partsOf(entries: readonly LedgerEntry[], standings: readonly Standing[]): Map<string, boolean> {
  const out = new Set(standings.flatMap(({ file, isRemoved }) => (isRemoved && file.id !== null ? [file.id] : [])))
  const parts = entries.flatMap(entry => (entry.type === 'pulled' ? entry.pull.parts : []))
  // Engines name what lies in S3 in Hadoop's ways too.
  return new Map(parts.map(({ id, object }) => [object.replace(/^s3[an]:\/\//, 's3://'), out.has(id)]))
}

function wasLookedAt({ id, status }: EvidenceEntry): boolean {
  return id !== null || status === 'not-evidence'
}

function changed({ etag }: Origin, now: string | null): string {
  return `it has changed since it was added (ETag ${etag} then, ${now} now), and was not read: the case counts what it held then. To count what it holds now: tidemark remove it, then add it again`
}
