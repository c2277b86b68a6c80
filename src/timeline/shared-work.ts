/** Work that several wait for: it goes on as long as one of them does. */

export class SharedWork<T> {
  private readonly stopping = new AbortController()
  private readonly result: Promise<T>
  private waiting = 0
  private isOver = false
  private hasFailed = false

  /** Begins it. */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.result = work(this.stopping.signal).finally(() => {
      this.isOver = true
    })
    this.result.catch(() => {
      this.hasFailed = true
    })
  }

  /** Whether it failed or was given up: nobody may join it any more. */
  get isLost(): boolean {
    return this.hasFailed || this.stopping.signal.aborted
  }

  /** Waits for what it gives. It is stopped when the last who waits has left. @throws what the work does; the signal's reason. */
  async join(signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    let leave = (): void => undefined
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal?.reason)
    })
    signal?.addEventListener('abort', leave, { once: true })
    this.waiting++
    try {
      return await Promise.race([this.result, left])
    } finally {
      signal?.removeEventListener('abort', leave)
      if (--this.waiting === 0 && !this.isOver) this.stopping.abort(signal?.reason)
    }
  }
}
