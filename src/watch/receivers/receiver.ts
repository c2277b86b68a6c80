import type { OutboxEntry } from '../outbox.ts'

/** Who is told of alerts. */
export interface Receiver {
  /** Of each kind there is one at most. */
  kind: 'webhook' | 'syslog' | 'sns' | 'exec' | 'print'
  /** For people: nothing secret is in it. */
  to: string
  /**
   * Sends one alert; resolves when the receiver has it.
   *
   * @throws DeliveryError, with words for people in which nothing secret is; the signal's reason.
   */
  send(entry: Pick<OutboxEntry, 'id' | 'text'>, signal: AbortSignal): Promise<void>
}

/** A receiver did not take an alert. `isRefused`: it is there, and does not want this one; others may be sent. */
export class DeliveryError extends Error {
  readonly isRefused: boolean

  constructor(message: string, isRefused = false) {
    super(message)
    this.name = 'DeliveryError'
    this.isRefused = isRefused
  }
}

/** How long a receiver may take for one alert. */
export const sendMilliseconds = 30_000

/** A signal that ends with another one or after a while; `end` frees what it holds. */
export function withinTime(signal: AbortSignal, milliseconds: number): { signal: AbortSignal; end: () => void } {
  const own = new AbortController()
  const stop = (): void => own.abort(signal.reason)
  const late = setTimeout(() => own.abort(new DeliveryError(`no answer in ${milliseconds / 1000} s`)), milliseconds)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  return {
    signal: own.signal,
    end: () => {
      clearTimeout(late)
      signal.removeEventListener('abort', stop)
    },
  }
}
