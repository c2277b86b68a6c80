/** Sends what is in the outbox: each receiver for itself, one alert at a time, and again until it has it. */
import { errorText } from '../errors.ts'
import type { Outbox, OutboxEntry } from './outbox.ts'
import { DeliveryError, type Receiver } from './receivers/receiver.ts'

export interface ReceiverState {
  kind: Receiver['kind']
  to: string
  waiting: number
  delivered: number
  /** Attempts in a row that failed. */
  failures: number
  last_error: { at: string; what: string } | null
}

export interface DeliveryPace {
  /** After the first failure; doubled with each that follows. */
  firstWait: number
  longestWait: number
}

const usualPace: DeliveryPace = { firstWait: 1000, longestWait: 300_000 }

export interface DeliveryOptions {
  onNote(text: string): void
  onDelivered?(entry: OutboxEntry, receiver: Receiver): void
  pace?: DeliveryPace
  now(): number
}

export class Delivery {
  private readonly outbox: Outbox
  private readonly lanes: Lane[]
  private readonly stopping = new AbortController()
  private running: Promise<void>[] = []

  constructor(outbox: Outbox, receivers: readonly Receiver[], options: DeliveryOptions) {
    this.outbox = outbox
    this.lanes = receivers.map(receiver => new Lane(outbox, receiver, options, this.stopping.signal))
  }

  get kinds(): string[] {
    return this.lanes.map(({ receiver }) => receiver.kind)
  }

  get states(): ReceiverState[] {
    return this.lanes.map(lane => lane.state)
  }

  start(): void {
    this.running = this.lanes.map(lane => lane.run())
    // A bug in one: told where it is waited for.
    for (const one of this.running) one.catch(() => undefined)
  }

  /** There is something new. */
  wake(): void {
    for (const lane of this.lanes) lane.wake()
  }

  /** Waits until everything is sent, or each receiver that does not have all has failed the given number of times in a row. */
  async settle(failuresMax: number, signal: AbortSignal): Promise<void> {
    this.wake()
    const isOver = (): boolean => this.lanes.every(lane => lane.isStuck(failuresMax))
    while (this.outbox.waiting > 0 && !isOver() && !signal.aborted) await pause(20, signal)
  }

  /** Ends what is being sent; it stays in the outbox. @throws what a lane failed with. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('stopped'))
    this.wake()
    await Promise.all(this.running)
  }
}

/** One receiver. */
class Lane {
  readonly receiver: Receiver
  private readonly outbox: Outbox
  private readonly options: DeliveryOptions
  private readonly signal: AbortSignal
  private delivered = 0
  private failures = 0
  private isBusy = false
  private lastError: ReceiverState['last_error'] = null
  /** Entries that the receiver does not want, and when they are tried again (performance.now()). */
  private readonly refused = new Map<string, { times: number; next: number }>()
  private awake = (): void => undefined

  constructor(outbox: Outbox, receiver: Receiver, options: DeliveryOptions, signal: AbortSignal) {
    this.outbox = outbox
    this.receiver = receiver
    this.options = options
    this.signal = signal
  }

  get state(): ReceiverState {
    const { kind, to } = this.receiver
    const waiting = this.outbox.countFor(kind)
    return { kind, to, waiting, delivered: this.delivered, failures: this.failures, last_error: this.lastError }
  }

  /** Whether the receiver has everything that it wants, or has failed the given number of times in a row. */
  isStuck(failuresMax: number): boolean {
    const { failures, refused } = this
    if (this.isBusy) return false
    return failures >= failuresMax || this.outbox.first(this.receiver.kind, ({ id }) => !refused.has(id)) === undefined
  }

  wake(): void {
    // A receiver that is down is not asked more often for it.
    if (this.failures === 0 || this.signal.aborted) this.awake()
  }

  async run(): Promise<void> {
    while (!this.signal.aborted) {
      const entry = this.next()
      if (entry === undefined) {
        await this.sleep(this.untilRefused())
        continue
      }
      this.isBusy = true
      await this.send(entry)
      this.isBusy = false
      if (this.failures > 0) await this.sleep(this.waitAfter(this.failures))
    }
  }

  private next(): OutboxEntry | undefined {
    const now = performance.now()
    return this.outbox.first(this.receiver.kind, ({ id }) => (this.refused.get(id)?.next ?? 0) <= now)
  }

  private async send(entry: OutboxEntry): Promise<void> {
    const { receiver, signal, options } = this
    try {
      await receiver.send(entry, signal)
      await this.outbox.done(entry, receiver.kind)
    } catch (error) {
      if (!signal.aborted) this.failed(entry, error)
      return
    }
    if (this.failures > 0) options.onNote(`${receiver.kind} ${receiver.to} takes alerts again`)
    this.failures = 0
    this.delivered++
    this.refused.delete(entry.id)
    options.onDelivered?.(entry, receiver)
  }

  private failed({ id }: OutboxEntry, error: unknown): void {
    const { receiver, options } = this
    const what = errorText(error)
    this.lastError = { at: new Date(options.now()).toISOString(), what }
    const times = (this.refused.get(id)?.times ?? 0) + 1
    // What it does not want does not keep others from it.
    if (error instanceof DeliveryError && error.isRefused)
      this.refused.set(id, { times, next: performance.now() + this.waitAfter(times) })
    else this.failures++
    if (times > 1 && this.failures === 0) return
    if (this.failures > 1) return
    options.onNote(
      `alert ${id} was not taken by ${receiver.kind} ${receiver.to}: ${what}; it stays in the outbox, and is sent again`,
    )
  }

  private waitAfter(times: number): number {
    const { firstWait, longestWait } = this.options.pace ?? usualPace
    return Math.min(longestWait, firstWait * 2 ** (times - 1))
  }

  private untilRefused(): number {
    const nexts = [...this.refused.values()].map(({ next }) => next - performance.now())
    return nexts.length === 0 ? this.waitAfter(Number.POSITIVE_INFINITY) : Math.max(1, Math.min(...nexts))
  }

  private sleep(milliseconds: number): Promise<void> {
    if (this.signal.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const timer = setTimeout(resolve, milliseconds)
      this.awake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Resolves after a while, or at once when a signal comes. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end, { once: true })
  })
}
