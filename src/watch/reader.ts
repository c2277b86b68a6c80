/** Brings files that have arrived into the cases of their days, each content once. */
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { errorText, UserError } from '../errors.ts'
import type { FoundFile } from '../input/walk.ts'
import { countText, integerText } from '../net/counts.ts'
import type { Origin } from '../sources/remote.ts'
import { soundLedger } from '../store/case-folder.ts'
import { caseFiles } from '../store/files.ts'
import { counts, standingsOf } from '../store/standing.ts'
import { type Day, dayOfFile, emptyDay, grow, type HeldDay } from './days.ts'
import { type AddedFile, type AddJob, haveDone, JobDied, type Reading } from './jobs.ts'
import { caseOfDay } from './layout.ts'
import { digestsOf, ObjectFetching } from './objects.ts'
import { printOf, type Seen } from './seen.ts'
import type { Arrival, Judge, Judgement } from './source.ts'
import { type Growing, growingIn, type LookedDays, noteGrowing } from './state.ts'

export interface ReaderSettings {
  dir: string
  reading: Reading
  /** The first wait before a file is read once more that has changed, or could not be read; doubled each time. Milliseconds. */
  againAfter: number
  /** Files whose day is before it are not read; null: all are. */
  oldest(): Day | null
  now(): number
  onNote(text: string): void
}

export interface ReadCounts {
  files: number
  records: number
  /** Files whose content was in a case already. */
  known: number
  /** Files that no program could take for flow records or packets. */
  not_evidence: number
  /** Readings that gave way to a later one, as the file had grown. */
  grown: number
  /** Objects that were deleted before they could be read. */
  gone: number
}

const filesMax = 1000
const bytesMax = 2 * 2 ** 30
const againMost = 3_600_000
/** Milliseconds: what waits does not come back at once. */
const waitLeast = 1000
/** Files that could not be read, and are named. */
const namedMost = 20

/** A file that could not be read. */
interface Faulty {
  path: string
  problem: string
  times: number
  /** performance.now() */
  next: number
}

export class Reader implements Judge {
  readonly counts: ReadCounts = { files: 0, records: 0, known: 0, not_evidence: 0, grown: 0, gone: 0 }
  /** By file. */
  private readonly faulty = new Map<string, Faulty>()
  /** Files that are read again when they have changed, and not before. */
  private readonly notBefore = new Map<string, number>()
  /** Days whose case cannot be written. */
  private readonly held = new Map<Day, { times: number; next: number }>()
  /** Objects that were deleted before they could be read: their states. */
  private readonly gone = new Map<string, string>()
  private batchMax = filesMax
  /** Whether something of the last batch was not brought into its case, as far as is known. */
  private hasFailed = false
  private readonly seen: Seen
  private readonly looked: LookedDays
  private readonly days: Map<Day, HeldDay>
  private readonly settings: ReaderSettings

  constructor(seen: Seen, looked: LookedDays, days: Map<Day, HeldDay>, settings: ReaderSettings) {
    this.seen = seen
    this.looked = looked
    this.days = days
    this.settings = settings
  }

  /** Finishes what a killed watch had begun: an earlier reading gives way where a later one of the file is in a case. */
  async recover(signal: AbortSignal): Promise<void> {
    const growing = growingIn(this.settings.dir)
    if (growing.length === 0) return
    const last = new Map<string, string>()
    for (const day of this.days.keys()) {
      const files = standingsOf(await soundLedger(caseOfDay(this.settings.dir, day))).filter(counts)
      // What was read of that path before it grew is not what it has grown to.
      for (const { file } of files)
        for (const { path, later, after } of growing)
          if (file.sha256 !== null && (file.sha256 === later || (file.path === path && (file.id ?? 0) > after)))
            last.set(path, file.sha256)
    }
    await this.giveWay(growing, last, signal)
  }

  /** What could not be read, the first of it. */
  get unread(): { total: number; files: { path: string; problem: string; tries: number }[] } {
    const files = [...this.faulty.values()].slice(0, namedMost)
    return {
      total: this.faulty.size,
      files: files.map(({ path, problem, times }) => ({ path, problem, tries: times })),
    }
  }

  /** Whether the case of some day cannot be written. */
  get isHeld(): boolean {
    return this.held.size > 0
  }

  /** Milliseconds until something that failed is tried again; null: nothing is. */
  get nextTry(): number | null {
    const nexts = [...this.faulty.values(), ...this.held.values()].map(({ next }) => next)
    if (nexts.length === 0) return null
    return Math.max(1, nexts.reduce((least, next) => Math.min(least, next)) - performance.now())
  }

  judge({ key, print, file, written }: Arrival): Judgement {
    const known = this.seen.file(key)
    const now = performance.now()
    if (known?.print === print && known.sha256 !== null) return 'known'
    if (this.gone.get(key) === print) return 'gone'
    const day = this.dayOf(file, written)
    const oldest = this.settings.oldest()
    if (oldest !== null && day < oldest) return 'old'
    return this.nextOf(key, day) > now ? 'waits' : 'new'
  }

  waitFor({ key, file, written }: Arrival): number {
    return Math.max(waitLeast, this.nextOf(key, this.dayOf(file, written)) - performance.now())
  }

  /** When a file may be read, performance.now(); 0: at once. */
  private nextOf(key: string, day: Day): number {
    return Math.max(this.faulty.get(key)?.next ?? 0, this.notBefore.get(key) ?? 0, this.held.get(day)?.next ?? 0)
  }

  private dayOf({ path }: FoundFile, written: number): Day {
    return dayOfFile(path, written, this.settings.now())
  }

  /**
   * Reads files, the oldest first, as many as make a batch. What cannot be read now is tried again later.
   *
   * @returns those that were dealt with; the others are to be taken again at once.
   */
  async take(whole: readonly Arrival[], signal: AbortSignal): Promise<Arrival[]> {
    if (this.hasFailed) await this.recover(signal)
    this.hasFailed = false
    const batch = batchOf(whole, this.batchMax)
    const {
      fresh,
      growing,
      grownTo: added,
    } = await this.freshOf(
      batch.filter(({ remote }) => remote === null),
      signal,
    )
    if (growing.length > 0) await noteGrowing(this.settings.dir, growing)
    fresh.push(...batch.filter(({ remote }) => remote !== null))
    const groups = new Map<Day, Arrival[]>()
    for (const one of fresh) {
      const day = this.dayOf(one.file, one.written)
      groups.set(day, [...(groups.get(day) ?? []), one])
    }
    for (const [day, group] of groups) {
      signal.throwIfAborted()
      const { files, grownTo } = await this.addTo(day, group, growing, signal)
      for (const [path, sha256] of grownTo) added.set(path, sha256)
      // Of two of the same content one is read.
      for (const { path, sha256, id, status } of files)
        if (sha256 !== null && (id !== null || status === 'duplicate')) added.set(path, sha256)
    }
    // Else the ledgers tell, the next time.
    if (growing.length > 0 && !this.hasFailed) await this.giveWay(growing, added, signal)
    await this.seen.flush()
    return batch.filter(one => this.judge(one) !== 'new')
  }

  /** Those whose content is in no case. */
  private async freshOf(
    batch: readonly Arrival[],
    signal: AbortSignal,
  ): Promise<{ fresh: Arrival[]; growing: Growing[]; grownTo: Map<string, string> }> {
    const bySize = new Map<number, number>()
    for (const { size } of batch) bySize.set(size, (bySize.get(size) ?? 0) + 1)
    const [fresh, growing] = [[] as Arrival[], [] as Growing[]]
    const claimed = new Set<string>()
    // By path: the digest of what a file has grown to, where that is in a case already.
    const grownTo = new Map<string, string>()
    for (const one of batch) {
      signal.throwIfAborted()
      if (this.faulty.has(one.key) && !isReadable(one.file)) {
        this.failed(one, this.faulty.get(one.key)!.problem)
        continue
      }
      const before = this.seen.file(one.key)
      const isLarger = before !== undefined && before.sha256 !== null && before.size < one.size
      if (!isLarger && !this.seen.hasSize(one.size) && bySize.get(one.size) === 1) {
        fresh.push(one)
        continue
      }
      const digests = await digestsIfReadable(one, isLarger ? before.size : null, signal)
      // What cannot be read is told by who reads it.
      if (digests === null) {
        fresh.push(one)
        continue
      }
      const day = this.seen.dayOf(digests.whole)
      const hasGrown = isLarger && digests.start !== null && digests.start === before.sha256 && before.day !== null
      if (hasGrown)
        growing.push({
          ...{ day: before.day!, sha256: digests.start!, path: one.file.path },
          ...{ later: digests.whole, after: this.seen.lastId },
        })
      if (day !== null) {
        if (hasGrown) grownTo.set(one.file.path, digests.whole)
        this.counts.known++
        this.settled(one, digests.whole, day)
        continue
      }
      // Of two that are alike the second is known when the first is in its case.
      if (claimed.has(digests.whole)) continue
      claimed.add(digests.whole)
      fresh.push(one)
    }
    return { fresh, growing, grownTo }
  }

  /** @returns what was read, and what has grown to content that is known; nothing, where the case could not be written. */
  private async addTo(
    day: Day,
    group: readonly Arrival[],
    growing: Growing[],
    signal: AbortSignal,
  ): Promise<{ files: AddedFile[]; grownTo: ReadonlyMap<string, string> }> {
    const { dir, reading, onNote } = this.settings
    if (!this.looked.has(day)) await this.looked.set([[day, null]])
    const objects = group.filter(({ remote }) => remote !== null)
    const job: AddJob = {
      ...{ kind: 'add', case: caseOfDay(dir, day), idsAbove: this.seen.lastId, reading },
      files: group
        .filter(({ remote }) => remote === null)
        .map(({ file: { path, rawPath, size, problem, unreadable } }) => ({
          ...{ path, size, problem, unreadable, raw: rawPath === null ? null : Buffer.from(rawPath).toString('hex') },
        })),
      remote: objects.map(({ remote }) => ({ path: remote!.path, size: remote!.size, etag: remote!.etag })),
    }
    const fetching = new ObjectFetching(this.seen, join(job.case, caseFiles.incoming), grown =>
      noteGrowing(dir, [...growing, ...grown]),
    )
    try {
      const { files } = await haveDone(job, signal, (n, name, stop) => fetching.fetch(objects[n]!, name, stop))
      growing.push(...fetching.growing)
      this.held.delete(day)
      this.batchMax = Math.min(filesMax, 2 * this.batchMax)
      await this.enter(day, group, files, fetching)
      return { files, grownTo: fetching.grownTo }
    } catch (error) {
      signal.throwIfAborted()
      this.hasFailed = true
      // Some of it may be in the case.
      await this.learn(day)
      if (error instanceof JobDied) {
        this.batchMax = Math.max(1, Math.floor(group.length / 2))
        const [only, ...others] = group
        // Whichever of them it was.
        if (others.length > 0)
          onNote(`${errorText(error)}; ${countText(group.length, 'file')} are tried in smaller parts`)
        else this.failed(only!, errorText(error))
        return { files: [], grownTo: new Map() }
      }
      if (!(error instanceof UserError)) throw error
      const times = (this.held.get(day)?.times ?? 0) + 1
      this.held.set(day, { times, next: performance.now() + this.waitAfter(times) })
      onNote(`${error.message}; ${countText(group.length, 'file')} of ${day} ${group.length === 1 ? 'waits' : 'wait'}`)
      return { files: [], grownTo: new Map() }
    }
  }

  /** Takes in what the ledger of a day says, where it is not known what became of a job. */
  private async learn(day: Day): Promise<void> {
    try {
      const held = await this.seen.learn(day, this.looked.head(day))
      if (held.covers.size > 0 || this.days.has(day)) this.days.set(day, held)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      this.settings.onNote(errorText(error))
    }
  }

  private async enter(
    day: Day,
    group: readonly Arrival[],
    files: readonly AddedFile[],
    { known, contained, gone, origins, overwritten }: ObjectFetching,
  ): Promise<void> {
    const held = this.days.get(day) ?? emptyDay(day)
    this.days.set(day, held)
    const byPath = new Map(files.map(file => [file.path, file]))
    for (const file of files) {
      this.seen.lastId = Math.max(this.seen.lastId, file.id ?? 0)
      if (file.sha256 !== null && file.status !== 'duplicate') this.seen.keep(file.sha256, file.size, day)
      if (file.id !== null) {
        this.counts.files++
        this.counts.records += file.records
        grow(held, file, false)
      }
      if (file.status === 'partly-read') this.settings.onNote(`read in part: ${file.path}: ${file.problem ?? ''}`)
    }
    for (const { arrival, sha256, day: other } of known) {
      this.counts.known++
      this.settled(arrival, sha256, other, origins.get(arrival.key))
    }
    for (const { key, print } of contained) {
      this.counts.known++
      this.faulty.delete(key)
      // What is remembered of the object is its later version.
      this.forgetState(key, print)
    }
    // The ledger alone knows what it held already.
    if (files.some(({ status, sha256 }) => status === 'duplicate' && sha256 === null)) await this.learn(day)
    for (const one of group) {
      const file = byPath.get(one.file.path)
      // It was stopped before this one.
      if (file === undefined) continue
      if (file.status === 'not-evidence') this.counts.not_evidence++
      if (file.status === 'duplicate') this.counts.known++
      if (file.id !== null && overwritten.has(one.key))
        this.settings.onNote(`was overwritten: ${file.path}: what it held before and what it holds now both count`)
      const isKnown = file.sha256 === null && this.judge(one) === 'known'
      if (file.sha256 !== null) this.settled(one, file.sha256, day, origins.get(one.key))
      else if (gone.has(one.key)) this.isGone(one)
      else if (!isKnown) this.failed(one, file.problem ?? file.status)
    }
  }

  /** The file is dealt with, as long as it does not change. @param origin of an object: what was read, where that is not what had arrived. */
  private settled({ key, print, size }: Arrival, sha256: string, day: Day, origin?: Origin): void {
    const times = (this.seen.file(key)?.times ?? 0) + 1
    const read =
      origin === undefined || origin.etag === null ? { print, size } : { print: printOf(origin), size: origin.size }
    this.seen.note(key, { ...read, sha256, day, times })
    this.faulty.delete(key)
    if (read.print !== print) this.forgetState(key, print)
    // An object is written whole: one that changed is read at once.
    if (origin !== undefined) return
    // One that changes all the time is not read all the time.
    this.notBefore.set(key, performance.now() + this.waitAfter(times))
    if (this.notBefore.size > 4 * filesMax) this.forgetPast()
  }

  private isGone({ key, print, file }: Arrival): void {
    this.counts.gone++
    this.faulty.delete(key)
    this.forgetState(key, print)
    this.settings.onNote(`is gone: ${file.path}: it was deleted before it was read`)
  }

  /** That state of an object cannot be had any more. */
  private forgetState(key: string, print: string): void {
    if (this.gone.size >= 10 * filesMax) this.gone.clear()
    this.gone.set(key, print)
  }

  private forgetPast(): void {
    const now = performance.now()
    for (const [key, next] of this.notBefore) if (next <= now) this.notBefore.delete(key)
  }

  private failed({ key, file }: Arrival, problem: string): void {
    const times = (this.faulty.get(key)?.times ?? 0) + 1
    this.faulty.set(key, { path: file.path, problem, times, next: performance.now() + this.waitAfter(times) })
    if (times === 1) this.settings.onNote(`cannot be read: ${file.path}: ${problem}; it is tried again`)
  }

  /** What could not be looked into, as a folder without permission. */
  unreadable(found: readonly FoundFile[]): void {
    for (const { path, problem } of found) {
      if (this.faulty.has(path)) continue
      this.faulty.set(path, { path, problem: problem ?? '', times: 1, next: Number.POSITIVE_INFINITY })
      this.settings.onNote(`cannot be read: ${path}: ${problem}`)
    }
    const now = new Set(found.map(({ path }) => path))
    for (const [key, { next }] of this.faulty)
      if (next === Number.POSITIVE_INFINITY && !now.has(key)) this.faulty.delete(key)
  }

  /** Files that are gone are not waited for. */
  forgetGone(present: ReadonlySet<string>): void {
    for (const [key, { next }] of this.faulty)
      if (next !== Number.POSITIVE_INFINITY && !present.has(key)) this.faulty.delete(key)
  }

  /** The earlier readings of files that have grown count no more, where the later one is in a case. @param last by path: digest of the later reading. */
  private async giveWay(
    growing: readonly Growing[],
    last: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<void> {
    const { dir, onNote } = this.settings
    for (const { day, sha256, path } of growing) {
      const later = last.get(path)
      if (later === undefined || later === sha256) continue
      const reason = 'the file has grown since, and was read once more'
      await haveDone({ kind: 'remove', case: caseOfDay(dir, day), sha256, reason }, signal)
      this.counts.grown++
      onNote(`has grown, and was read once more: ${path}`)
    }
    await noteGrowing(dir, [])
  }

  private waitAfter(times: number): number {
    return Math.min(againMost, this.settings.againAfter * 2 ** (times - 1))
  }

  /** In words, for the status line. */
  get told(): string {
    const { files, records, known } = this.counts
    return `${countText(files, 'file')} with ${countText(records, 'record')} read${known > 0 ? `, ${integerText(known)} known` : ''}`
  }
}

/** As many as are read together, the oldest first. */
function batchOf(whole: readonly Arrival[], most: number): Arrival[] {
  const sorted = [...whole].sort((a, b) => a.written - b.written || (a.key < b.key ? -1 : 1))
  let bytes = 0
  const end = sorted.findIndex((one, i) => {
    bytes += one.size
    return i >= most || (i > 0 && bytes > bytesMax)
  })
  return end < 0 ? sorted : sorted.slice(0, end)
}

/** Null: it cannot be read. */
async function digestsIfReadable(
  { file: { path, rawPath } }: Arrival,
  startBytes: number | null,
  signal: AbortSignal,
): Promise<{ whole: string; start: string | null } | null> {
  try {
    return await digestsOf(rawPath ?? path, startBytes, signal)
  } catch {
    signal.throwIfAborted()
    return null
  }
}

/** Whether a file can be opened and read. */
function isReadable({ path, rawPath }: FoundFile): boolean {
  try {
    const fd = openSync(rawPath === null ? path : Buffer.from(rawPath), 'r')
    try {
      readSync(fd, Buffer.alloc(1))
    } finally {
      closeSync(fd)
    }
    return true
  } catch {
    return false
  }
}
