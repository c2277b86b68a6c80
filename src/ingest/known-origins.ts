/** What `add` knows of files that lie elsewhere before it fetches them: by where they lie, and what the server says of their content. */
import type { Origin, RemoteFile } from '../sources/remote.ts'
import type { EvidenceEntry, LedgerEntry } from '../store/ledger.ts'
import { standingsOf } from '../store/standing.ts'

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

  constructor(entries: readonly LedgerEntry[]) {
    for (const { file, isRemoved } of standingsOf(entries)) {
      if (file.origin === null || !wasLookedAt(file)) continue
      this.byUri.set(file.origin.uri, {
        origin: file.origin,
        isRemoved,
        isUnread: file.records + file.no_data + file.skip_data === 0,
      })
    }
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
    return { status: 'duplicate', problem: 'same object: already in the case' }
  }
}

function wasLookedAt({ id, status }: EvidenceEntry): boolean {
  return id !== null || status === 'not-evidence'
}

function changed({ etag }: Origin, now: string | null): string {
  return `it has changed since it was added (ETag ${etag} then, ${now} now), and was not read: the case counts what it held then. To count what it holds now: tidemark remove it, then add it again`
}
