/** Fetches files ahead of who reads them, through a folder that holds a bounded number of them, and of bytes. */
import { setMaxListeners } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AwsError } from '../aws/errors.ts'
import type { Origin, RemoteFile } from './remote.ts'

export interface Fetched {
  file: RemoteFile
  /** Where its bytes are until `release`; null: it cannot be had, and `problem` says why. */
  at: string | null
  origin: Origin | null
  problem: string | null
}

export interface FetchingOptions {
  /** Where the files are kept meanwhile. */
  folder: string
  signal: AbortSignal
  /** Files, and bytes, that are there at a time: on the way, waiting, or being read. */
  filesMax?: number
  bytesMax?: number
}

const filesByDefault = 16
const bytesByDefault = 2 ** 30

/**
 * Files in the order in which they arrive. One that cannot be had is handed out with the reason; what concerns all of them (credentials that have
 * expired) ends the fetching: `next` throws it.
 */
export class Fetching {
  private readonly waiting: RemoteFile[]
  private readonly ready: Fetched[] = []
  private readonly asking: { resolve: (one: Fetched | null) => void; reject: (error: unknown) => void }[] = []
  private readonly options: Required<FetchingOptions>
  /** Of what is there: bytes by place. */
  private readonly held = new Map<string, number>()
  private heldBytes = 0
  private readonly running = new Set<Promise<void>>()
  /** Of the files those that were handed out, or of which there is nothing to read. */
  private done = 0
  private readonly total: number
  private number = 0
  private failure: { error: unknown } | null = null

  constructor(files: readonly RemoteFile[], options: FetchingOptions) {
    this.waiting = [...files].reverse()
    this.total = files.length
    this.options = { filesMax: filesByDefault, bytesMax: bytesByDefault, ...options }
    // Each file that is on its way listens: Node would warn of that number.
    setMaxListeners(0, this.options.signal)
    this.options.signal.addEventListener('abort', this.stop, { once: true })
    this.start()
  }

  /** Files that nobody has been given. */
  get left(): number {
    return this.total - this.done
  }

  /** The next one; null: there is none, or the work was stopped. @throws what concerns all of them. */
  next(): Promise<Fetched | null> {
    const one = this.options.signal.aborted ? undefined : this.ready.shift()
    if (one !== undefined) {
      this.done++
      return Promise.resolve(one)
    }
    if (this.failure !== null) return Promise.reject(this.failure.error)
    if (this.left === 0 || this.options.signal.aborted) return Promise.resolve(null)
    return new Promise((resolve, reject) => this.asking.push({ resolve, reject }))
  }

  /** The file at that place was read: its room is another's. */
  async release(at: string): Promise<void> {
    await rm(at, { force: true })
    this.heldBytes -= this.held.get(at) ?? 0
    this.held.delete(at)
    this.start()
  }

  /** Waits for those that are on their way, which the signal ends. What was not read is gone afterwards. */
  async close(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running)
    for (const at of [...this.held.keys()]) await rm(at, { force: true })
  }

  private readonly stop = (): void => {
    for (const { resolve } of this.asking.splice(0)) resolve(null)
  }

  private start(): void {
    const { signal, filesMax, bytesMax, folder } = this.options
    while (this.failure === null && !signal.aborted && this.waiting.length > 0) {
      const { size: known, room = known } = this.waiting.at(-1)!
      // A file that is larger than all the room there is goes through it alone.
      const isFull = this.held.size >= filesMax || (this.held.size > 0 && this.heldBytes + room > bytesMax)
      if (isFull) return
      const file = this.waiting.pop()!
      const at = join(folder, `fetched-${String(this.number++).padStart(6, '0')}`)
      this.held.set(at, room)
      this.heldBytes += room
      const fetched = this.fetch(file, at).finally(() => this.running.delete(fetched))
      this.running.add(fetched)
    }
  }

  private async fetch(file: RemoteFile, at: string): Promise<void> {
    try {
      const origin = await file.fetch(at, this.options.signal)
      if (origin === null) {
        this.done++
        await this.release(at)
      } else this.give({ file, at, origin, problem: null })
    } catch (error) {
      await this.release(at)
      if (this.options.signal.aborted) return
      if (error instanceof AwsError && error.about === 'one')
        this.give({ file, at: null, origin: null, problem: problemOf(error) })
      else this.fail(error)
    }
    // Who waits for one more when there are no more.
    if (this.left === 0) this.stop()
  }

  private give(one: Fetched): void {
    const asker = this.asking.shift()
    if (asker === undefined) {
      this.ready.push(one)
      return
    }
    this.done++
    asker.resolve(one)
  }

  private fail(error: unknown): void {
    this.failure ??= { error }
    for (const { reject } of this.asking.splice(0)) reject(this.failure.error)
  }
}

/** Beside the path, which stands before it wherever it is shown. */
function problemOf({ message, hint }: AwsError): string {
  const what = message.replace(/^cannot read \S+: /, '')
  return hint === undefined ? what : `${what} (${hint})`
}
