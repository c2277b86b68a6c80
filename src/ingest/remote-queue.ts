/** Files that lie elsewhere, as tasks for the workers: fetched ahead of them, and gone when they are read. */
import type { UserError } from '../errors.ts'
import { type Fetched, Fetching, type FetchingOptions } from '../sources/fetching.ts'
import type { RemoteFile } from '../sources/remote.ts'
import type { EvidenceEntry, LedgerEntry } from '../store/ledger.ts'
import { account } from './account.ts'
import { KnownOrigins } from './known-origins.ts'
import type { FileTask } from './messages.ts'

interface Judging {
  again: boolean
  hasFormat: boolean
  changedToo: boolean
}

/** Of files that lie elsewhere: which are to be fetched, what is told of those that the case knows, those that changed since, and why one was refused. */
export function sorted(
  files: readonly RemoteFile[],
  entries: readonly LedgerEntry[],
  judging: Judging,
): { fetch: RemoteFile[]; known: EvidenceEntry[]; changed: FileTask[]; refused: UserError | null } {
  const origins = new KnownOrigins(entries)
  const found = { fetch: [] as RemoteFile[], known: [] as EvidenceEntry[], changed: [] as FileTask[] }
  let refused: UserError | null = null
  for (const file of files) {
    const part = origins.refusedPart(file.path)
    refused ??= part
    if (part !== null) continue
    const judged = origins.judge(file, judging)
    if (judged === null) found.fetch.push(file)
    else if (judged.status === 'duplicate') found.known.push(account(taskOf(file, -1), null, judged))
    else found.changed.push({ ...taskOf(file, -1), problem: judged.problem, unreadable: true })
  }
  return { ...found, refused }
}

export class RemoteQueue {
  private readonly fetching: Fetching
  private readonly nextId: () => number

  constructor(files: readonly RemoteFile[], nextId: () => number, options: FetchingOptions) {
    this.fetching = new Fetching(files, options)
    this.nextId = nextId
  }

  /** Files that no worker was given. */
  get left(): number {
    return this.fetching.left
  }

  /** The next file that has arrived; null: there are no more, or the work was stopped. @throws what keeps all of them from being fetched. */
  async next(): Promise<FileTask | null> {
    const one = await this.fetching.next()
    return one === null ? null : fetchedTask(one, this.nextId())
  }

  release(at: string): void {
    void this.fetching.release(at)
  }

  close(): Promise<void> {
    return this.fetching.close()
  }
}

function taskOf({ path, named, size }: RemoteFile, id: number): FileTask {
  return {
    ...{ id, path, named, size, rawPath: null, bytesAt: null, origin: null, archive: null },
    ...{ problem: null, unreadable: false },
  }
}

function fetchedTask({ file, at, origin, problem }: Fetched, id: number): FileTask {
  const size = origin?.size ?? file.size
  return { ...taskOf(file, id), size, bytesAt: at, origin, problem, unreadable: problem !== null }
}
