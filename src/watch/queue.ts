/** Objects that a queue tells of: a message is deleted when everything that it names is in a case. */
import { s3Client } from '../aws/clients.ts'
import { AwsError } from '../aws/errors.ts'
import type { AwsOptions } from '../aws/options.ts'
import { UserError } from '../errors.ts'
import { type NamedObject, noticeOf } from '../sources/events.ts'
import { factsOf, isWanted } from '../sources/keys.ts'
import type { S3 } from '../sources/list.ts'
import { downloadNamed, presentBeginning } from '../sources/named.ts'
import { type Message, Queue } from '../sources/queue.ts'
import type { QueueUri } from '../sources/uri.ts'
import { isLasting, timeOf } from './bucket.ts'
import { dayAt, daysAfter } from './days.ts'
import { printOf, type SeenFile } from './seen.ts'
import type { Arrival, Judge, Look, MessageCounts, Source, SourceProblem } from './source.ts'
import { Trouble } from './trouble.ts'

export interface QueueSettings {
  /** As it is said. */
  name: string
  uri: QueueUri
  aws: AwsOptions
  accounts?: readonly string[]
  regions?: readonly string[]
  /** Seconds in which nobody else is given a message that was received; only tests change it. */
  hold?: number
  /** Whether the watch ends when the queue is empty. */
  once: boolean
  now(): number
  /** Wakes whoever waits. */
  onChange(): void
  onNote(text: string): void
  /** Told of what is amiss. */
  onFault(text: string): void
}

/** Objects of messages that are held at a time. */
const objectsMost = 2000
const holdByDefault = 120
/** How often that is extended in its time. */
const extendsPerHold = 3
/** What SQS allows, seconds. */
const holdMost = 43_200
/** Seconds to wait for a message, and where the watch is to end. */
const longWait = 20
const shortWait = 2
/** The queue may be spread over many servers: it is empty when that many answers were. */
const emptyAnswers = 2
const troubleFirst = 1000
const idleMost = 60_000
/** Messages that are not understood, and were told of. */
const toldMost = 10_000
const closeMilliseconds = 5000
/** Messages come more than once within minutes, as a rule; those of objects of days before are known by their content. */
const daysRemembered = 3

/** A message that is being worked on. */
interface Held {
  receipt: string
  /** Objects of it that are not dealt with: `statesOf`. */
  open: Set<string>
  /** Until when nobody else is given it, performance.now(). */
  until: number
}

export class QueueSource implements Source {
  readonly messages: MessageCounts = { received: 0, deleted: 0, not_understood: 0 }
  private readonly settings: QueueSettings
  /** Milliseconds. */
  private readonly holdTime: number
  private readonly receivingTrouble: Trouble
  private readonly readingTrouble: Trouble
  /** A right to it that is missing says nothing of whether messages can be received. */
  private readonly deletingTrouble: Trouble
  private readonly holdingTrouble: Trouble
  /** Null: it was not reached yet. */
  private queue: Queue | null = null
  /** Credentials may be others than those that failed. */
  private isStale = false
  private bug: { error: unknown } | null = null
  private made: Promise<S3> | null = null
  /** By id of the message. */
  private readonly held = new Map<string, Held>()
  /** Objects that messages name, by key and state. */
  private readonly open = new Map<string, { arrival: Arrival; messages: Set<string> }>()
  /** The last receipts of messages that are done with, by id of the message. */
  private readonly done = new Map<string, string>()
  /** Keys of objects that could not be read: their messages come again. */
  private readonly left = new Set<string>()
  private readonly told = new Set<string>()
  private readonly stopping = new AbortController()
  private readonly extending: NodeJS.Timeout
  private receiving: Promise<void> = Promise.resolve()
  private empties = 0
  private wake = (): void => undefined

  private constructor(settings: QueueSettings) {
    const { name, now, onNote, onFault, once, hold = holdByDefault } = settings
    this.settings = settings
    this.holdTime = hold * 1000
    const common = { now, onNote, onFault, once, firstWait: troubleFirst }
    this.receivingTrouble = new Trouble({ ...common, name })
    this.readingTrouble = new Trouble({ ...common, name: `objects of ${name}` })
    this.deletingTrouble = new Trouble({ ...common, name: `messages of ${name}`, done: 'deleted' })
    this.holdingTrouble = new Trouble({ ...common, name: `messages of ${name}`, done: 'held' })
    this.extending = setInterval(() => this.beside(this.extend()), this.holdTime / extendsPerHold)
    this.extending.unref()
  }

  /** @throws UserError for what is no matter of time: a package that is missing, no such queue, no right to it. */
  static async open(settings: QueueSettings, signal: AbortSignal): Promise<QueueSource> {
    // The package that reads the objects is missed at once, too.
    await s3Client(settings.aws)
    const source = new QueueSource(settings)
    try {
      source.queue = await Queue.open(settings.uri, settings.aws, signal)
    } catch (error) {
      clearInterval(source.extending)
      signal.throwIfAborted()
      if (!(error instanceof UserError) || isLasting(error)) throw error
      source.failed(error, source.receivingTrouble)
    }
    source.receiving = source.receive()
    source.beside(source.receiving)
    return source
  }

  /** Goes on by itself; a bug in it is told where the queue is looked at. */
  private beside(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.bug ??= { error }
      this.settings.onChange()
    })
  }

  get problem(): SourceProblem | null {
    const { receivingTrouble, readingTrouble, deletingTrouble, holdingTrouble } = this
    const all = [receivingTrouble, readingTrouble, deletingTrouble, holdingTrouble]
    return all.map(({ problem }) => problem).find(problem => problem !== null) ?? null
  }

  get isComplete(): boolean {
    return this.empties >= emptyAnswers && this.open.size === 0 && this.done.size === 0
  }

  get patience(): number {
    const waits = [this.readingTrouble.wait, this.done.size > 0 ? this.deletingTrouble.wait : 0]
    return Math.min(idleMost, ...waits.filter(wait => wait > 0))
  }

  async look(judge: Judge, signal: AbortSignal): Promise<Look> {
    if (this.bug !== null) throw this.bug.error
    const whole = new Map<string, Arrival>()
    for (const [state, { arrival }] of this.open) {
      if (judge.judge(arrival) !== 'new') this.settle(state, judge)
      // Of two states of one object the second waits for the first.
      else if (!whole.has(arrival.key)) whole.set(arrival.key, arrival)
    }
    await this.flush(signal)
    const isHeldUp = this.readingTrouble.wait > 0
    const present = new Set([...[...this.open.values()].map(({ arrival }) => arrival.key), ...this.left])
    return {
      whole: isHeldUp ? [] : [...whole.values()],
      ...{ changing: isHeldUp ? this.open.size : this.open.size - whole.size, unreadable: [], present },
    }
  }

  async taken(arrivals: readonly Arrival[], judge: Judge, signal: AbortSignal): Promise<void> {
    for (const one of arrivals) this.settle(stateOf(one), judge)
    await this.flush(signal)
  }

  /** An object was dealt with, or is left for later. */
  private settle(state: string, judge: Judge): void {
    const entry = this.open.get(state)
    if (entry === undefined) return
    const { arrival, messages } = entry
    const isLeft = judge.judge(arrival) === 'waits'
    this.open.delete(state)
    if (isLeft) this.left.add(arrival.key)
    else this.left.delete(arrival.key)
    for (const id of messages) {
      const message = this.held.get(id)
      if (message === undefined) continue
      if (isLeft) this.letGo(id, message, judge.waitFor(arrival))
      else if (message.open.delete(state) && message.open.size === 0) this.finish(id, message)
    }
    this.wake()
  }

  private finish(id: string, { receipt }: Held): void {
    this.held.delete(id)
    this.done.set(id, receipt)
  }

  /** The message comes again, when what it names is tried again. Other objects of it are read meanwhile. */
  private letGo(id: string, { receipt, open }: Held, wait: number): void {
    this.held.delete(id)
    for (const state of open) this.open.get(state)?.messages.delete(id)
    const seconds = Math.min(holdMost, Math.ceil(wait / 1000))
    this.beside(this.asked(this.holdingTrouble, queue => queue.hold([receipt], seconds, this.stopping.signal)))
  }

  private async flush(signal: AbortSignal): Promise<void> {
    if (this.done.size === 0) return
    const done = [...this.done]
    const receipts = done.map(([, receipt]) => receipt)
    const lost = await this.asked(this.deletingTrouble, queue => queue.remove(receipts, signal))
    // They are deleted the next time.
    if (lost === null) return
    // Others come again, and are known.
    for (const [id, receipt] of done) if (this.done.get(id) === receipt) this.done.delete(id)
    this.messages.deleted += receipts.length - lost.length
  }

  /** Null: it cannot be done now, which is noted. @param trouble what is met where it is this that fails, and not all that is asked of the queue. */
  private async asked<T>(trouble: Trouble, call: (queue: Queue) => Promise<T>): Promise<T | null> {
    if (this.queue === null || this.receivingTrouble.wait > 0 || trouble.wait > 0) return null
    try {
      const answer = await call(this.queue)
      trouble.over()
      return answer
    } catch (error) {
      if (this.stopping.signal.aborted) return null
      if (!(error instanceof UserError)) throw error
      this.failed(error, isLasting(error) ? trouble : this.receivingTrouble)
      return null
    }
  }

  private failed(error: UserError, trouble: Trouble): void {
    this.made = null
    this.isStale = true
    trouble.met(error)
  }

  /** Receives until it is stopped. */
  private async receive(): Promise<void> {
    const { signal } = this.stopping
    while (!signal.aborted) {
      const wait = Math.max(this.receivingTrouble.wait, this.open.size >= objectsMost ? idleMost : 0)
      if (wait > 0) await this.sleep(wait)
      else await this.receiveSome(signal)
    }
  }

  private async receiveSome(signal: AbortSignal): Promise<void> {
    const { once, uri, aws, onChange } = this.settings
    try {
      if (this.queue === null || this.isStale) {
        this.isStale = false
        const queue = await Queue.open(uri, aws, signal)
        this.queue?.close()
        this.queue = queue
      }
      const messages = await this.queue.receive(once ? shortWait : longWait, this.holdTime / 1000, signal)
      this.receivingTrouble.over()
      this.empties = messages.length === 0 ? this.empties + 1 : 0
      for (const message of messages) this.take(message)
      if (messages.length === 0 && !once) return
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof UserError)) throw error
      this.failed(error, this.receivingTrouble)
    }
    onChange()
  }

  private take({ id, receipt, body }: Message): void {
    const known = this.held.get(id)
    this.messages.received++
    if (known !== undefined) {
      // It was given out once more: the last receipt holds it.
      Object.assign(known, { receipt, until: performance.now() + this.holdTime })
      return
    }
    if (this.done.has(id)) {
      this.done.set(id, receipt)
      return
    }
    const { notice, fault } = noticeOf(body)
    if (notice === null) {
      this.strange(id, fault)
      return
    }
    const { accounts, regions } = this.settings
    const narrowing = { ...(accounts !== undefined && { accounts }), ...(regions !== undefined && { regions }) }
    const wanted = notice.objects.filter(({ key }) => isWanted(factsOf(key), narrowing))
    const message: Held = { receipt, open: new Set(), until: performance.now() + this.holdTime }
    this.held.set(id, message)
    for (const object of wanted) {
      const arrival = this.arrivalOf(object)
      const state = stateOf(arrival)
      const entry = this.open.get(state) ?? { arrival, messages: new Set() }
      this.open.set(state, entry)
      entry.messages.add(id)
      message.open.add(state)
    }
    if (message.open.size === 0) this.finish(id, message)
  }

  /** What is not understood stays in the queue: its own rule for that (a dead-letter queue) says what becomes of it. */
  private strange(id: string, fault: string): void {
    if (this.told.has(id)) return
    if (this.told.size >= toldMost) this.told.clear()
    this.told.add(id)
    this.messages.not_understood++
    this.settings.onFault(`message ${id} is not understood, and is left in the queue: ${fault}`)
  }

  private arrivalOf(object: NamedObject): Arrival {
    const { bucket, key, etag, version, time } = object
    const { aws, now } = this.settings
    const path = `s3://${bucket}/${key}`
    const size = object.size ?? 0
    const requestPayer = aws.requestPayer === true
    return {
      ...{ key: path, size, written: timeOf(key, time ?? now()) },
      print: etag === null ? `${version ?? time} ${size}` : printOf({ etag, size }),
      file: { ...{ path, rawPath: null, size, named: false }, ...{ problem: null, unreadable: false } },
      remote: {
        // Known by what it turns out to be: it may have changed since.
        ...{ path, size, etag: null, named: false },
        fetch: (to, signal) => this.read(signal, s3 => downloadNamed(s3, object, to, { requestPayer, signal })),
      },
      // Messages come in any order.
      beginning: (bytes, signal) =>
        this.read(signal, s3 => presentBeginning(s3, object, bytes, { requestPayer, signal })),
    }
  }

  /** Reads of an object. @throws AwsError; what concerns all objects is noted, too. */
  private async read<T>(signal: AbortSignal, call: (s3: S3) => Promise<T>): Promise<T> {
    this.readingTrouble.check()
    try {
      this.made ??= s3Client(this.settings.aws)
      const found = await call(await this.made)
      this.readingTrouble.over()
      return found
    } catch (error) {
      if (!signal.aborted && error instanceof AwsError && error.about === 'all') this.failed(error, this.readingTrouble)
      throw error
    }
  }

  /** Nobody else is given the messages that are worked on. */
  private async extend(): Promise<void> {
    const soon = performance.now() + (2 * this.holdTime) / extendsPerHold
    const due = [...this.held].filter(([, { until }]) => until < soon)
    const byReceipt = new Map(due.map(([id, { receipt }]) => [receipt, id]))
    if (due.length === 0) return
    const receipts = [...byReceipt.keys()]
    const { signal } = this.stopping
    const lost = await this.asked(this.holdingTrouble, queue => queue.hold(receipts, this.holdTime / 1000, signal))
    if (lost === null) return
    const [until, isLost] = [performance.now() + this.holdTime, new Set(lost)]
    for (const [receipt, id] of byReceipt) {
      const message = this.held.get(id)
      // It was given out once more meanwhile: another receipt holds it.
      if (message?.receipt !== receipt) continue
      // It comes again, to this process or another.
      if (isLost.has(receipt)) this.forget(id)
      else message.until = until
    }
  }

  private forget(id: string): void {
    const message = this.held.get(id)
    this.held.delete(id)
    for (const state of message?.open ?? []) {
      const entry = this.open.get(state)
      entry?.messages.delete(id)
      if (entry?.messages.size === 0) this.open.delete(state)
    }
  }

  remembers(_key: string, { day }: SeenFile): boolean {
    return day === null || day >= daysAfter(dayAt(this.settings.now()), -daysRemembered)
  }

  private sleep(milliseconds: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, milliseconds)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Gives back what was received and not read: whoever comes next has it at once. */
  async close(): Promise<void> {
    clearInterval(this.extending)
    this.stopping.abort(new Error('stopped'))
    this.wake()
    await this.receiving.catch(() => undefined)
    if (this.queue === null) return
    const receipts = [...this.held.values()].map(({ receipt }) => receipt)
    const limit = AbortSignal.timeout(closeMilliseconds)
    // What is not given back in time comes again two minutes later.
    if (receipts.length > 0) await this.queue.hold(receipts, 0, limit).catch(() => undefined)
    if (this.done.size > 0) await this.queue.remove([...this.done.values()], limit).catch(() => undefined)
    this.queue.close()
  }
}

function stateOf({ key, print }: Arrival): string {
  return `${key}\0${print}`
}
