/** The watch: reads what arrives, looks for findings, and has alerts sent, until it is stopped. Whatever it is killed in, it goes on from there. */

import type { AwsOptions } from '../aws/options.ts'
import { errorText, UserError } from '../errors.ts'
import { countText } from '../net/counts.ts'
import type { QueueUri, S3Uri } from '../sources/uri.ts'
import { systemFailure } from '../system-error.ts'
import { version } from '../version.ts'
import type { Alert } from './alert.ts'
import type { Day, HeldDay } from './days.ts'
import { Delivery, type DeliveryPace, pause } from './delivery.ts'
import { type Health, HealthFile } from './health.ts'
import type { Detecting, Reading } from './jobs.ts'
import { Keeping } from './keep.ts'
import { daysIn, openWatchFolder } from './layout.ts'
import { Looker } from './looker.ts'
import { Outbox } from './outbox.ts'
import { Reader } from './reader.ts'
import type { Receiver } from './receivers/receiver.ts'
import { Seen } from './seen.ts'
import type { Source } from './source.ts'
import { LookedDays } from './state.ts'

/** Times are milliseconds. */
export type Watched =
  | {
      kind: 'folder'
      folder: string
      /** A file is whole when it has not changed for so long. */
      settle: number
      /** How often the folder is looked at in place of the system's notices; null: it tells. */
      poll: number | null
    }
  | ({
      kind: 's3'
      uri: S3Uri
      aws: AwsOptions
      /** How long after its time an object may arrive. */
      late: number
      /** The first day that is read; null: the first that can still receive objects. */
      since: Day | null
      /** How often the bucket is listed. */
      every: number
    } & OwnObjects)
  | ({ kind: 'sqs'; uri: QueueUri; aws: AwsOptions } & OwnObjects)

/** Objects of these accounts and regions alone are read, by their names. */
export interface OwnObjects {
  accounts?: readonly string[]
  regions?: readonly string[]
}

export interface WatchSettings {
  /** What is watched, as it is said and remembered: a path, `s3://bucket/prefix`, `sqs://queue`. */
  name: string
  source: Watched
  /** The folder of the watch: cases of the days, the outbox. */
  out: string
  /** Days that are kept; null: all. */
  keepDays: number | null
  /** Least time between the beginnings of two looks for findings, milliseconds. */
  every: number
  /** Ends when everything that is there was read, looked at and told. */
  once: boolean
  reading: Reading
  detecting: Detecting
  receivers: readonly Receiver[]
  /** Alerts of one look that are told singly. */
  mostAlerts: number
  /** A file that tells how it goes; null: none. */
  health: string | null
  /** The command that shows a host's dossier. */
  commandOf(host: string, caseDir: string): string
  onNote(text: string): void
  onAlert?(alert: Alert): void
  /** Told when something has changed. */
  onState?(state: Health): void
  /** For tests. */
  pace?: DeliveryPace
  now?: () => number
}

/** How a watch with `once` ended. */
export interface WatchEnd {
  /** Files that could not be read, or kept changing. */
  unread: number
  /** Alerts that some receiver did not take. */
  undelivered: number
  /** Whether some day could not be looked at. */
  hasFailed: boolean
}

/** A receiver that fails this often in a row has had its chance, where the watch is to end. */
const attemptsOfOnce = 3
/** A file that still changes after this many times `settle` is left to the next run. */
const settlesOfOnce = 5
/** A file that was read is not read again sooner than after this many times `settle`. */
const settlesBeforeAgain = 30
/** An object that could not be read is tried again after this. */
const objectAgainAfter = 60_000
const idleMost = 60_000
const keepEvery = 3_600_000
const firstWait = 1000
const longestWait = 60_000

/**
 * Watches until the signal comes, which is no failure.
 *
 * @throws UserError where it cannot begin.
 */
export async function watch(settings: WatchSettings, signal: AbortSignal): Promise<WatchEnd> {
  const { dir, release } = await openWatchFolder(settings.out, settings.name)
  try {
    const opened = await Watch.open({ ...settings, out: dir }, signal)
    try {
      return await opened.run(signal)
    } finally {
      await opened.close()
    }
  } finally {
    await release()
  }
}

/** How long to wait, at first, before what could not be read is tried again. */
function againAfterOf(source: Watched): number {
  if (source.kind === 'folder') return settlesBeforeAgain * source.settle
  return source.kind === 's3' ? source.every : objectAgainAfter
}

class Watch {
  private readonly settings: WatchSettings
  private readonly now: () => number
  private readonly seen: Seen
  private readonly looked: LookedDays
  private readonly days: Map<Day, HeldDay>
  private readonly outbox: Outbox
  private readonly reader: Reader
  private readonly looker: Looker
  private readonly delivery: Delivery
  private readonly keeping: Keeping
  private readonly health: HealthFile | null
  private readonly started: string
  private source!: Source
  /** Of a file that changes, milliseconds; of other sources 0. */
  private readonly settle: number
  private state: Health['state'] = 'starting'
  private waitingFiles = 0
  private lastRead: string | null = null
  private lastError: Health['last_error'] = null
  private lastLook = Number.NEGATIVE_INFINITY
  private lastKeep = Number.NEGATIVE_INFINITY
  private failures = 0
  private hasNews = true
  private wake: () => void = () => undefined

  private constructor(
    settings: WatchSettings,
    { seen, looked, days, outbox }: { seen: Seen; looked: LookedDays; days: Map<Day, HeldDay>; outbox: Outbox },
  ) {
    const { out: dir, reading, detecting, receivers, mostAlerts: most, commandOf, source } = settings
    const now = settings.now ?? Date.now
    const onNote = (text: string): void => settings.onNote(text)
    const onFault = (text: string): void => this.fault(text)
    this.settings = settings
    this.settle = source.kind === 'folder' ? source.settle : 0
    this.now = now
    this.seen = seen
    this.looked = looked
    this.days = days
    this.outbox = outbox
    this.started = new Date(now()).toISOString()
    this.keeping = new Keeping(settings.keepDays, now, onNote)
    const oldest = (): Day | null => this.keeping.oldest(days.keys())
    this.reader = new Reader(seen, looked, days, {
      ...{ dir, reading, againAfter: againAfterOf(source), oldest, now, onNote: onFault },
    })
    const kinds = receivers.map(({ kind }) => kind)
    const onAlert = (alert: Alert): void => settings.onAlert?.(alert)
    this.looker = new Looker(outbox, looked, days, {
      ...{ dir, detecting, kinds, most, commandOf, now, onNote: onFault, onAlert },
    })
    this.delivery = new Delivery(outbox, receivers, {
      ...{ onNote: onFault, now, ...(settings.pace !== undefined && { pace: settings.pace }) },
      onDelivered: () => this.tell(),
    })
    this.health = settings.health === null ? null : new HealthFile(settings.health, () => this.told(), onNote)
  }

  static async open(settings: WatchSettings, signal: AbortSignal): Promise<Watch> {
    const { out: dir, receivers, onNote } = settings
    const seen = await Seen.open(dir)
    const days = new Map<Day, HeldDay>()
    const looked = LookedDays.open(dir)
    for (const day of await daysIn(dir)) {
      signal.throwIfAborted()
      days.set(day, await seen.learn(day, looked.head(day)))
    }
    const kinds = receivers.map(({ kind }) => kind)
    const outbox = await Outbox.open(dir, kinds, (path, why) => onNote(`left as it is: ${path}: ${why}`))
    const watch = new Watch(settings, { seen, looked, days, outbox })
    await watch.health?.write()
    await watch.reader.recover(signal)
    try {
      watch.source = await watch.openSource(signal)
    } catch (error) {
      await watch.close()
      throw error
    }
    return watch
  }

  private async openSource(signal: AbortSignal): Promise<Source> {
    const { source, out: dir, name, once, health } = this.settings
    const { now } = this
    const onChange = (): void => {
      this.hasNews = true
      this.wake()
    }
    const onNote = (text: string): void => this.settings.onNote(text)
    const onFault = (text: string): void => this.fault(text)
    if (source.kind === 'folder') {
      const { Folder } = await import('./folder.ts')
      const { folder, settle } = source
      const poll = once ? idleMost : source.poll
      // What the watch itself writes is no evidence.
      const without = health === null ? [dir] : [dir, health]
      return Folder.open({ folder, without, settle, poll, onChange, onNote })
    }
    if (source.kind === 's3') {
      const { Bucket } = await import('./bucket.ts')
      return Bucket.open({ ...source, dir, name, once, now, onNote, onFault }, this.reader, signal)
    }
    const { QueueSource } = await import('./queue.ts')
    return QueueSource.open({ ...source, name, once, now, onChange, onNote, onFault }, signal)
  }

  async run(signal: AbortSignal): Promise<WatchEnd> {
    this.delivery.start()
    this.state = 'watching'
    /** When everything that is there had been seen for the first time: of many files that takes longer than they are to settle. */
    let seen: number | null = null
    while (!signal.aborted) {
      try {
        const isIdle = await this.step(signal)
        seen ??= performance.now()
        this.failures = 0
        if (this.settings.once && isIdle(seen)) break
        await this.rest(signal)
      } catch (error) {
        if (signal.aborted) break
        await this.failed(error, signal)
      }
    }
    this.state = 'stopping'
    if (this.settings.once && !signal.aborted) await this.delivery.settle(attemptsOfOnce, signal)
    return {
      unread: this.reader.unread.total + this.waitingFiles,
      undelivered: this.outbox.waiting,
      hasFailed: this.looker.hasFailed || this.reader.isHeld || this.failures > 0 || this.source.problem !== null,
    }
  }

  /** Reads one batch, and looks for findings where that is due. @returns whether nothing is left to do for a watch that is to end. */
  private async step(signal: AbortSignal): Promise<(seen: number) => boolean> {
    this.hasNews = false
    const look = await this.source.look(this.reader, signal)
    this.reader.unreadable(look.unreadable)
    this.reader.forgetGone(look.present)
    const before = this.reader.counts.files
    const taken = look.whole.length === 0 ? [] : await this.reader.take(look.whole, signal)
    await this.source.taken(taken, this.reader, signal)
    this.waitingFiles = look.whole.length - taken.length + look.changing
    if (this.reader.counts.files > before) {
      this.lastRead = new Date(this.now()).toISOString()
      this.settings.onNote(this.reader.told)
    }
    const isMore = taken.length > 0 && look.whole.length > taken.length
    if (isMore) this.hasNews = true
    if (this.isLookDue(isMore)) await this.look(signal)
    if (performance.now() - this.lastKeep > keepEvery) await this.keep(look.present)
    this.tell()
    return seen => {
      const { settle, source } = this
      const isPatient = look.changing > 0 && performance.now() - seen < settlesOfOnce * settle + settle
      const isOver = source.isComplete || source.problem !== null
      // What is held up by the source is not waited for.
      const isTaken = look.whole.length === taken.length || source.problem !== null
      return !isMore && !isPatient && isOver && isTaken && !this.isChanged()
    }
  }

  private isChanged(): boolean {
    return this.looker.changed().size > 0 && !this.looker.hasFailed
  }

  /** Not before everything that waits was read, if that is soon. */
  private isLookDue(isMore: boolean): boolean {
    const since = performance.now() - this.lastLook
    if (this.looker.wait > 0 || (isMore && (since < this.settings.every || this.settings.once))) return false
    return (since >= this.settings.every || this.settings.once) && this.looker.changed().size > 0
  }

  private async look(signal: AbortSignal): Promise<void> {
    this.lastLook = performance.now()
    const before = this.looker.alerts
    await this.looker.look(signal)
    this.delivery.wake()
    const made = this.looker.alerts - before
    const { last } = this.looker
    if (last !== null && !this.looker.hasFailed)
      this.settings.onNote(
        `looked at ${last.from} to ${last.to}: ${countText(last.findings, 'finding')}, ${countText(made, 'new alert')}`,
      )
  }

  private async keep(present: ReadonlySet<string>): Promise<void> {
    this.lastKeep = performance.now()
    const { looked, seen, outbox } = this
    await seen.compact((path, file) => this.source.remembers(path, file, present))
    await this.keeping.run(this.settings.out, this.days, { looked, seen, outbox })
  }

  /** Waits for news, for what is to be tried again, or for the next look. */
  private async rest(signal: AbortSignal): Promise<void> {
    // A job that was asked to end may have ended well.
    if (this.hasNews || signal.aborted) return
    const isDue = this.looker.changed().size > 0
    const untilLook = Math.max(this.looker.wait, this.lastLook + this.settings.every - performance.now())
    const wait = Math.min(
      this.source.patience,
      this.reader.nextTry ?? idleMost,
      isDue ? Math.max(1, untilLook) : idleMost,
      keepEvery,
    )
    const news = new AbortController()
    const end = (): void => news.abort()
    this.wake = end
    signal.addEventListener('abort', end, { once: true })
    await pause(Math.max(20, wait), news.signal)
    signal.removeEventListener('abort', end)
    this.wake = () => undefined
  }

  /** What the machine refuses, as space on the disk, may come right: the watch goes on, slowly. @throws what is a bug. */
  private async failed(error: unknown, signal: AbortSignal): Promise<void> {
    const failure = error instanceof UserError ? error : systemFailure(error)
    if (failure === null || this.settings.once) throw error
    this.failures++
    const wait = Math.min(longestWait, firstWait * 2 ** (this.failures - 1))
    this.fault(`${failure.message}; it is tried again in ${Math.round(wait / 1000)} s`)
    this.tell()
    await pause(wait, signal)
  }

  private tell(): void {
    this.health?.changed()
    this.settings.onState?.(this.told())
  }

  private fault(text: string): void {
    this.lastError = { at: new Date(this.now()).toISOString(), what: text }
    this.settings.onNote(text)
  }

  private told(): Health {
    const { reader, looker, outbox, settings } = this
    const { oldest } = outbox
    return {
      ...{ tidemark: version(), pid: process.pid, state: this.state, source: settings.name, out: settings.out },
      ...{ started: this.started, updated: new Date(this.now()).toISOString() },
      read: { ...reader.counts, last: this.lastRead },
      ...{ waiting_files: this.waitingFiles, unread: reader.unread },
      ...{ source_problem: this.source?.problem ?? null, messages: this.source?.messages ?? null },
      ...{ last_look: looker.last, look_due: looker.changed().size > 0 },
      alerts: {
        ...{ made: looker.alerts, waiting: outbox.waiting },
        oldest_waiting: oldest === null ? null : new Date(oldest).toISOString(),
        receivers: this.delivery.states,
      },
      last_error: this.lastError,
    }
  }

  /** Ends what goes on; what is on the disk is whole. */
  async close(): Promise<void> {
    await this.source?.close()
    await this.delivery.stop()
    await this.seen.flush().catch((error: unknown) => this.fault(errorText(error)))
    this.state = 'stopped'
    await this.health?.close()
  }
}
