/** The user stopped the work. */
export class Interrupted extends Error {
  /** Exit status, as shells give it: 128 and the signal's number. */
  readonly status: number

  constructor(status: number) {
    super('stopped')
    this.name = 'Interrupted'
    this.status = status
  }
}

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/**
 * Runs work that Ctrl-C stops in good order: the first signal aborts, the second ends the process at once.
 *
 * When the work fails after a signal, whatever it says, `Interrupted` is thrown. Work that returns all the same
 * (`add` reports what is in) finds the reason in `signal.reason`.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals) => {
    const interrupted = new Interrupted(128 + signals[name as keyof typeof signals])
    if (controller.signal.aborted) process.exit(interrupted.status)
    controller.abort(interrupted)
  }
  const names = Object.keys(signals) as (keyof typeof signals)[]
  for (const name of names) process.on(name, onSignal)
  try {
    return await work(controller.signal)
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    for (const name of names) process.off(name, onSignal)
  }
}
