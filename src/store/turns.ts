/** A queue: a number of works at a time, one by default, in the order in which they came. */
export class Turns {
  private readonly width: number
  private running = 0
  private readonly waiting: (() => void)[] = []

  constructor(width = 1) {
    this.width = width
  }

  /** Does the work when it is its turn. @throws the signal's reason, at once, when it is aborted before that. */
  async take<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    if (this.running < this.width) this.running++
    else await this.place(signal)
    try {
      return await work()
    } finally {
      // The place is handed on.
      const next = this.waiting.shift()
      if (next === undefined) this.running--
      else next()
    }
  }

  private place(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(begin), 1)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.waiting.push(begin)
    })
  }
}
