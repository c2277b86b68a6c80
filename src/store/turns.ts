/** A queue: one work at a time, in the order in which they came. */
export class Turns {
  private last: Promise<void> = Promise.resolve()

  /** Does the work when all before it have ended. @throws the signal's reason, at once, when it is aborted before that. */
  async take<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    const before = this.last
    let leave = (): void => {}
    const own = new Promise<void>(resolve => {
      leave = resolve
    })
    this.last = before.then(() => own)
    try {
      await unlessAborted(before, signal)
      return await work()
    } finally {
      leave()
    }
  }
}

function unlessAborted(before: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return before
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    signal.addEventListener('abort', stop)
    void before.then(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    })
  })
}
