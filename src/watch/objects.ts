/** Objects on their way into a case: those whose content is known are told from those that are to be read. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Path, piecesOf } from '../disk/reading.ts'
import { isGone } from '../sources/named.ts'
import type { Origin } from '../sources/remote.ts'
import type { Day } from './days.ts'
import type { Seen } from './seen.ts'
import type { Arrival } from './source.ts'
import type { Growing } from './state.ts'

/** What a process that reads may call the file of an object. */
const spoolName = /^fetched-\d{6,12}$/

export class ObjectFetching {
  /** Those whose content is in a case already. */
  readonly known: { arrival: Arrival; sha256: string; day: Day }[] = []
  /** Versions that are the beginning of a later one, which was read before. */
  readonly contained: Arrival[] = []
  /** Keys of those that were deleted before they could be read. */
  readonly gone = new Set<string>()
  /** What was fetched in fact, by key: an object may have changed since it was listed. */
  readonly origins = new Map<string, Origin>()
  readonly growing: Growing[] = []
  /** Of those that have grown to content that is in a case: by path, its digest. */
  readonly grownTo = new Map<string, string>()
  /** Keys of those under which other content was read before, which counts beside it. */
  readonly overwritten = new Set<string>()
  private readonly seen: Seen
  private readonly folder: string
  private readonly note: (growing: readonly Growing[]) => Promise<void>
  private noting: Promise<void> = Promise.resolve()

  /**
   * @param folder where objects are kept until they are read.
   * @param note brings it to the disk which readings are to give way, before the later one is in a case.
   */
  constructor(seen: Seen, folder: string, note: (growing: readonly Growing[]) => Promise<void>) {
    this.seen = seen
    this.folder = folder
    this.note = note
  }

  /** Fetches one. Null: its content is known, and need not be read. @throws AwsError */
  async fetch(arrival: Arrival, name: string, signal: AbortSignal): Promise<Origin | null> {
    if (arrival.remote === null || !spoolName.test(name)) throw new Error(`no object goes to ${name}`)
    const to = join(this.folder, name)
    let origin: Origin | null
    try {
      origin = await arrival.remote.fetch(to, signal)
    } catch (error) {
      if (isGone(error)) this.gone.add(arrival.key)
      throw error
    }
    if (origin === null) return null
    this.origins.set(arrival.key, origin)
    const before = this.seen.file(arrival.key)
    if (before !== undefined && before.sha256 !== null && before.size > origin.size) {
      if (await isBeginning(arrival, to, origin.size, signal)) {
        this.contained.push(arrival)
        return null
      }
    }
    const start = before !== undefined && before.sha256 !== null && before.size < origin.size ? before.size : null
    if (start === null && !this.seen.hasSize(origin.size)) {
      if (before !== undefined && before.sha256 !== null) this.overwritten.add(arrival.key)
      return origin
    }
    const digests = await digestsOf(to, start, signal)
    const day = this.seen.dayOf(digests.whole)
    const grown: Growing | null =
      before !== undefined && before.day !== null && digests.start !== null && digests.start === before.sha256
        ? {
            ...{ day: before.day, sha256: digests.start, path: arrival.file.path },
            ...{ later: digests.whole, after: this.seen.lastId },
          }
        : null
    if (day !== null) {
      if (grown !== null) {
        this.growing.push(grown)
        this.grownTo.set(grown.path, digests.whole)
      }
      this.known.push({ arrival, sha256: digests.whole, day })
      return null
    }
    if (grown !== null) {
      this.growing.push(grown)
      this.noting = this.noting.then(() => this.note([...this.growing]))
      await this.noting
    } else if (before !== undefined && before.sha256 !== null) this.overwritten.add(arrival.key)
    return origin
  }
}

/** Whether a version that was fetched is the beginning of what is under its key now, which is longer: that was read before it, or is told of too. */
async function isBeginning(arrival: Arrival, to: string, size: number, signal: AbortSignal): Promise<boolean> {
  if (arrival.beginning === undefined) return false
  const [{ whole }, beginning] = await Promise.all([digestsOf(to, null, signal), arrival.beginning(size, signal)])
  return beginning === whole
}

/** Digests of a file, and of the given number of bytes at its start. */
export async function digestsOf(
  path: Path,
  startBytes: number | null,
  signal: AbortSignal,
): Promise<{ whole: string; start: string | null }> {
  const [whole, start] = [createHash('sha256'), createHash('sha256')]
  let left = startBytes ?? 0
  for await (const piece of piecesOf(path, 'follow', 1 << 20, () => signal.throwIfAborted())) {
    whole.update(piece)
    if (left > 0) start.update(piece.subarray(0, left))
    left -= piece.length
  }
  return { whole: whole.digest('hex'), start: startBytes === null ? null : start.digest('hex') }
}
