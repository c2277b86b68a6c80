import { note } from './output.ts'

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

/** Nothing is left to do: a listing was all that was asked for. */
export class OnlyListed extends Error {}

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/** Work that has not ended by itself this long after the first signal is ended: whatever it waits for, a killed writer leaves nothing that counts. */
const graceMilliseconds = 10_000

/**
 * Runs work that Ctrl-C stops in good order: the first signal aborts, the second, or a while without an end, ends the process at once.
 *
 * When the work fails after a signal, whatever it says, `Interrupted` is thrown. Work that returns all the same
 * (`add` reports what is in) finds the reason in `signal.reason`.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let grace: NodeJS.Timeout | undefined
  const onSignal = (name: NodeJS.Signals) => {
    const interrupted = new Interrupted(128 + signals[name as keyof typeof signals])
    if (controller.signal.aborted) endNow(name, interrupted.status)
    controller.abort(interrupted)
    grace = setTimeout(
      () => void note('tidemark: stopped').finally(() => endNow(name, interrupted.status)),
      graceMilliseconds,
    )
  }
  const names = Object.keys(signals) as (keyof typeof signals)[]
  for (const name of names) process.on(name, onSignal)
  try {
    return await work(controller.signal)
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    clearTimeout(grace)
    for (const name of names) process.off(name, onSignal)
  }
}

/**
 * Ends the process at once, by the signal itself: whatever a thread is in the middle of. What removes temporary files at the exit of the
 * process still does.
 */
function endNow(name: NodeJS.Signals, status: number): never {
  process.once('exit', () => {
    process.removeAllListeners(name)
    process.kill(process.pid, name)
  })
  process.exit(status)
}
