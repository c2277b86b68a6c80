/** Objects of a bucket that arrive: found by listing the days that can still receive some. */
import { s3Client } from '../aws/clients.ts'
import { AwsError } from '../aws/errors.ts'
import type { AwsOptions } from '../aws/options.ts'
import { UserError } from '../errors.ts'
import { download } from '../sources/download.ts'
import { factsOf } from '../sources/keys.ts'
import { type FoundObject, listObjects, type S3 } from '../sources/list.ts'
import type { S3Uri } from '../sources/uri.ts'
import { type Day, dayAt, startOf } from './days.ts'
import { printOf, type SeenFile } from './seen.ts'
import type { Arrival, Judge, Look, Source, SourceProblem } from './source.ts'
import { notePosition, positionIn } from './state.ts'
import { Trouble } from './trouble.ts'

export interface BucketSettings {
  /** Folder of the watch. */
  dir: string
  /** As it is said. */
  name: string
  uri: S3Uri
  aws: AwsOptions
  /** How long after its time an object may arrive, milliseconds: days before are not listed again. */
  late: number
  /** The first day that is read; null: the first that can still receive objects. */
  since: Day | null
  /** How often it is listed, milliseconds. */
  every: number
  accounts?: readonly string[]
  regions?: readonly string[]
  /** Whether the watch ends when the bucket was listed, and what is there was read. */
  once: boolean
  now(): number
  onNote(text: string): void
  /** Told of what is amiss. */
  onFault(text: string): void
}

const troubleFirst = 10_000
/** Objects of one look: more than are read together. */
const wholeMost = 5000
const dayMilliseconds = 86_400_000
/** Names of AWS are wanted from five minutes before a window on (sources/keys.ts): the day before is not. */
const namesBefore = 5 * 60_000

export class Bucket implements Source {
  readonly messages = null
  private readonly settings: BucketSettings
  private readonly listing: Trouble
  private readonly reading: Trouble
  private readonly requestPayer: boolean
  private made: Promise<S3> | null = null
  /** The first day of the next listing. */
  private from: Day
  /** The same on the disk. */
  private noted: Day | null
  /** Objects that were listed, and not dealt with: the oldest first. */
  private pending = new Map<string, Arrival>()
  private listed: ReadonlySet<string> = new Set()
  /** performance.now() */
  private nextListing = Number.NEGATIVE_INFINITY
  private hasListed = false

  private constructor(settings: BucketSettings, noted: Day | null) {
    const { now, late, since, name, onNote, onFault, once, every, aws } = settings
    this.settings = settings
    this.requestPayer = aws.requestPayer === true
    this.noted = noted
    const first = noted ?? since ?? dayAt(now() - late)
    this.from = since !== null && since < first ? since : first
    const firstWait = Math.min(troubleFirst, every)
    const common = { now, onNote, onFault, once, firstWait }
    this.listing = new Trouble({ ...common, name })
    this.reading = new Trouble({ ...common, name: `objects of ${name}` })
  }

  /** @throws UserError for what is no matter of time: a package that is missing, no such bucket, no right to list it. */
  static async open(settings: BucketSettings, judge: Judge, signal: AbortSignal): Promise<Bucket> {
    const bucket = new Bucket(settings, positionIn(settings.dir))
    await bucket.list(judge, signal, true)
    await bucket.note()
    return bucket
  }

  get problem(): SourceProblem | null {
    return this.listing.problem ?? this.reading.problem
  }

  get isComplete(): boolean {
    return this.hasListed
  }

  get patience(): number {
    const untilListing = Math.max(this.listing.wait, this.nextListing - performance.now())
    return Math.max(1, this.reading.wait > 0 ? Math.min(this.reading.wait, untilListing) : untilListing)
  }

  async look(judge: Judge, signal: AbortSignal): Promise<Look> {
    const isDue = performance.now() >= this.nextListing && this.listing.wait === 0
    if (isDue) await this.list(judge, signal, false)
    const whole: Arrival[] = []
    let [changing, examined] = [0, 0]
    for (const one of this.pending.values()) {
      if (whole.length >= wholeMost) break
      examined++
      if (judge.judge(one) !== 'new') continue
      if (this.reading.wait > 0) changing++
      else whole.push(one)
    }
    const present = new Set([...this.listed, ...this.pending.keys()])
    return { whole, changing: changing + this.pending.size - examined, unreadable: [], present }
  }

  async taken(arrivals: readonly Arrival[], judge: Judge): Promise<void> {
    for (const one of arrivals) if (judge.judge(one) !== 'waits') this.drop(one)
    await this.note()
  }

  private drop({ key, print }: Arrival): void {
    if (this.pending.get(key)?.print === print) this.pending.delete(key)
  }

  /** Those of the days that are listed; the ledgers tell of others after a new start. Before it was listed nobody knows which are there. */
  remembers(key: string, _file: SeenFile, present: ReadonlySet<string>): boolean {
    return !this.hasListed || present.has(key)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  private async list(judge: Judge, signal: AbortSignal, isFirst: boolean): Promise<void> {
    const { uri, accounts, regions, now, late, every } = this.settings
    const began = now()
    const usual = dayAt(began - late)
    const [from] = [this.from, usual].sort() as [Day, Day]
    try {
      const listing = await listObjects(await this.s3(), uri, {
        narrowing: {
          from_us: (startOf(from) + namesBefore) * 1000,
          ...(accounts !== undefined && { accounts }),
          ...(regions !== undefined && { regions }),
        },
        ...{ requestPayer: this.requestPayer, signal },
      })
      if (isFirst && listing.objects.length === 0) {
        const isEmpty = listing.leftOut + listing.foldersLeftOut === 0
        const what = isEmpty
          ? 'check the spelling if something should be'
          : `from ${from} on; --since reads earlier days`
        this.settings.onNote(`nothing is there yet: ${this.settings.name}: ${what}`)
      }
      this.enter(listing.objects, from, judge)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof UserError) || (isFirst && isLasting(error))) throw error
      this.failed(error, this.listing)
      return
    }
    this.listing.over()
    this.hasListed = true
    this.from = usual
    this.nextListing = performance.now() + every
    await this.note()
  }

  /** Takes in what was listed from a day on. */
  private enter(objects: readonly FoundObject[], from: Day, judge: Judge): void {
    const listed = new Set<string>()
    for (const object of objects) {
      const arrival = this.arrivalOf(object)
      // A key that tells of no time is as old as what it holds.
      if (arrival.written < startOf(from)) continue
      listed.add(arrival.key)
      const judged = judge.judge(arrival)
      if (judged === 'new' || judged === 'waits') this.pending.set(arrival.key, arrival)
      else this.pending.delete(arrival.key)
    }
    // What was listed before, and is there no more, was deleted.
    for (const [key, { written }] of this.pending)
      if (!listed.has(key) && written >= startOf(from)) this.pending.delete(key)
    this.pending = new Map([...this.pending].sort(([, a], [, b]) => a.written - b.written))
    this.listed = listed
  }

  private arrivalOf(object: FoundObject): Arrival {
    const { bucket } = this.settings.uri
    const { key, size, etag, modified } = object
    const path = `s3://${bucket}/${key}`
    return {
      ...{ key: path, size, written: timeOf(key, modified ?? this.settings.now()) },
      print: etag === null ? `${modified} ${size}` : printOf({ etag, size }),
      file: { ...{ path, rawPath: null, size, named: false }, ...{ problem: null, unreadable: false } },
      remote: {
        ...{ path, size, etag, named: false },
        fetch: async (to, signal) => {
          this.reading.check()
          try {
            const options = { requestPayer: this.requestPayer, signal }
            const origin = await download(await this.s3(), bucket, object, to, options)
            this.reading.over()
            return origin
          } catch (error) {
            if (!signal.aborted && error instanceof AwsError && error.about === 'all') this.failed(error, this.reading)
            throw error
          }
        },
      },
    }
  }

  /** The client, which is made again after a failure: credentials may be others by then. */
  private async s3(): Promise<S3> {
    this.made ??= s3Client(this.settings.aws)
    return await this.made
  }

  private failed(error: UserError, trouble: Trouble): void {
    this.made = null
    trouble.met(error)
  }

  /** From where the next start has to list: on the disk before anything before it is forgotten. */
  private async note(): Promise<void> {
    let first = this.from
    for (const { written } of this.pending.values()) if (written < startOf(first)) first = dayAt(written)
    if (first === this.noted) return
    await notePosition(this.settings.dir, first)
    this.noted = first
  }
}

/** The time that a key tells, where it tells at least the day; else when the object was written. Milliseconds since the epoch. */
export function timeOf(key: string, modified: number): number {
  const { from, to } = factsOf(key)
  return from !== undefined && to !== undefined && to - from <= dayMilliseconds ? from : modified
}

/** Whether waiting will not help. */
export function isLasting(error: UserError): boolean {
  if (!(error instanceof AwsError)) return true
  return !error.isTransient && !/Expired/i.test(error.code) && !/have expired/.test(error.message)
}
