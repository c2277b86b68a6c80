import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { Worker } from 'node:worker_threads'
import { threadsThatFit } from '../address-space.ts'
import { copyPipe } from '../disk/pipes.ts'
import { assert, UserError } from '../errors.ts'
import { defaultLimits } from '../input/expand.ts'
import { absolute, type FoundFile, findFiles } from '../input/walk.ts'
import { integerText } from '../net/counts.ts'
import { rowsPerSegment } from '../records/record-buffer.ts'
import { unknownColumnsMax } from '../records/unknown-columns.ts'
import type { RemoteFile } from '../sources/remote.ts'
import { clearCache } from '../store/cache.ts'
import {
  clearIncoming,
  clearLeftovers,
  createCase,
  createCaseFolder,
  soundLedger,
  tidemarkVersion,
} from '../store/case-folder.ts'
import { clipped } from '../store/clipped.ts'
import { checkPresence } from '../store/damage.ts'
import { segmentsOf, unknownColumnsOf } from '../store/entries.ts'
import { readProblems, reportOf } from '../store/evidence-report.ts'
import { caseFiles, caseWriteError } from '../store/files.ts'
import {
  type EvidenceEntry,
  isLedger,
  type LedgerEntry,
  LedgerWriter,
  readLedger,
  type SegmentEntry,
} from '../store/ledger.ts'
import { lockForWriting } from '../store/lock.ts'
import { caseFolder } from '../store/nodes.ts'
import type { EvidenceReport } from '../store/reports.ts'
import { placeSegments } from '../store/segment-writer.ts'
import { countedOf } from '../store/standing.ts'
import { formatOf } from './judge.ts'
import { inTheCase, KnownContent } from './known-content.ts'
import type { FileTask, FromWorker, ToWorker, WorkerSettings } from './messages.ts'
import { RemoteQueue, sorted } from './remote-queue.ts'

export interface AddProgress {
  files_done: number
  files_total: number
  /** Bytes of the files as they lie on disk. */
  bytes_done: number
  bytes_total: number
  records: number
  seconds: number
}

export interface AddOptions {
  /** The case's folder; made if it does not exist. */
  case: string
  /** Files and folders, which are read with all their sub-folders. */
  paths: string[]
  /** Files that lie elsewhere. Each is fetched when its turn comes, and not if the case knows it by where it lies and its ETag. */
  remote?: readonly RemoteFile[]
  /** Files that were found already: nothing is looked for at `paths` then. */
  found?: readonly FoundFile[]
  /** New files get numbers above it: so those of several cases can differ. */
  idsAbove?: number
  /** Field list, or name of one, for files without a header line. */
  format?: string
  /** Whether `format` may name fields that this version does not know: their values are kept as text. */
  formatUnknown?: boolean
  /** Largest content of one file, bytes. */
  maxExpandedBytes?: number
  /** Largest content of a packed file, as a multiple of its size. */
  maxExpandRatio?: number
  /** Keeps packets of a capture that are copies of one at another interface; else the first counts. */
  keepCopies?: boolean
  /** Reads content that is in the case once more. The new reading counts in the place of the old one. */
  again?: boolean
  /** Reads files of a pull, which are parts of objects. Else they are unreadable: as logs they would count as all that their objects hold. */
  parts?: boolean
  /** Reads a file that lies elsewhere also where the case knows another content of that place: both count. */
  changedToo?: boolean
  /** Worker threads; by default one for each core. */
  workers?: number
  /** Asks for an early end: files that are complete by then are kept. */
  signal?: AbortSignal
  onProgress?: (progress: AddProgress) => void
  /** The command that asks for it, for the ledger. */
  command?: string
  /** Rows of one segment; only tests change it. */
  rowsPerSegment?: number
}

const progressMilliseconds = 100
/** Of the command in each entry of the ledger: a shell's pattern can name thousands of files. */
const commandLengthMax = 16_384
/** Files that must be left for workers to ask ahead: towards the end none may have two while another has none. */
const aheadMin = 64
const stopSecondsMax = 30

/**
 * Reads evidence into a case.
 *
 * A file is added completely, or not at all: its records, its account and the digests of the segments that hold them are entered in the ledger by
 * one write. Content that is in the case already is not added again without `again`. Content that was removed is added again only if the
 * file itself is named. Bad data is never an error: the report says what was not read.
 *
 * @throws UserError when a path does not exist, the case is being written by another process or cannot be written.
 */
export async function addEvidence(options: AddOptions): Promise<EvidenceReport> {
  const caseDir = await caseFolder(options.case)
  if (options.format !== undefined) formatOf(options.format, options.formatUnknown === true)
  const found = options.found?.map(file => ({ ...file })) ?? (await filesToAdd(caseDir, options))
  if (found.length === 0 && options.remote === undefined) {
    throw new UserError(`no files in ${options.paths.join(', ')}`, {
      status: 2,
      hint: 'name a folder that holds flow logs, or the files themselves',
    })
  }
  try {
    await createCaseFolder(caseDir)
    const release = await lockForWriting(caseDir, options.command ?? 'add')
    try {
      await createCase(caseDir)
      const report = await new Adding(caseDir, options).run(found)
      if (found.some(file => file.isPipe)) await clearIncoming(caseDir)
      return report
    } catch (error) {
      // On a full disk, what was being written is the first thing to give back.
      await clearIncoming(caseDir).catch(() => undefined)
      throw error
    } finally {
      await release()
    }
  } catch (error) {
    throw caseWriteError(error, caseDir)
  }
}

function filesToAdd(own: string, { paths, signal }: AddOptions): Promise<FoundFile[]> {
  return findFiles(paths, { isLedger, own, pipes: true, ...(signal && { signal }) })
}

/** One run of `add`: hands files to the workers and enters what they bring back. */
class Adding {
  private readonly caseDir: string
  private readonly options: AddOptions
  private readonly stop = new SharedArrayBuffer(4)
  private unknownColumns: string[] = []
  private readonly unknownLeft = new SharedArrayBuffer(4)
  private readonly lastId = new SharedArrayBuffer(4)
  private readonly started = Date.now()
  private readonly looked: EvidenceEntry[] = []
  private readonly segments: SegmentEntry[] = []
  private known = new KnownContent([], false)
  /** Content that a worker is reading, and who else has it and waits for what becomes of it. */
  private readonly reading = new Map<string, { path: string; waiting: (() => void)[] }>()
  private entries: LedgerEntry[] = []
  private queue: FileTask[] = []
  private remote: RemoteQueue | null = null
  /** What is thrown when all that can be read was read: why nothing more could be fetched, or why a file was refused. */
  private failure: { error: unknown } | null = null
  private readonly ended = new AbortController()
  private progress: AddProgress = {
    files_done: 0,
    files_total: 0,
    bytes_done: 0,
    bytes_total: 0,
    records: 0,
    seconds: 0,
  }
  private lastProgress = 0
  private dropped = 0
  private entering: Promise<void> = Promise.resolve()
  private ledger: LedgerWriter | null = null

  constructor(caseDir: string, options: AddOptions) {
    this.caseDir = caseDir
    this.options = options
  }

  async run(found: FoundFile[]): Promise<EvidenceReport> {
    const entries = await soundLedger(this.caseDir)
    const { segments } = countedOf(entries)
    checkPresence({ dir: this.caseDir, segments })
    // First, for it refuses a ledger that was cut: then nothing may be cleared away.
    this.ledger = await LedgerWriter.open(this.caseDir, await readLedger(this.caseDir))
    await clearLeftovers(this.caseDir, entries)
    await clearCache(this.caseDir, file => file.head === entries.at(-1)!.hash)
    this.entries = entries
    this.known = new KnownContent(entries, this.options.again ?? false)
    this.unknownColumns = unknownColumnsOf(segmentsOf(entries))
    new Int32Array(this.unknownLeft)[0] = Math.max(0, unknownColumnsMax - this.unknownColumns.length)
    let id = Math.max(this.known.lastId, this.options.idsAbove ?? 0)
    for (const file of found)
      this.queue.push({ id: ++id, ...absolute(file), bytesAt: await this.copied(file), origin: null, archive: null })
    new Int32Array(this.lastId)[0] = id
    const remote = this.startRemote(entries)
    this.progress.files_total = this.queue.length + remote.length
    this.progress.bytes_total = [...found, ...remote].reduce((sum, file) => sum + file.size, 0)
    const most = this.options.workers ?? availableParallelism()
    const count = threadsThatFit(Math.max(1, Math.min(most, this.progress.files_total)))
    const abort = (): void => {
      Atomics.store(new Int32Array(this.stop), 0, 1)
      this.ended.abort(new Error('stopped'))
    }
    if (this.options.signal?.aborted) abort()
    this.options.signal?.addEventListener('abort', abort)
    const ends: Promise<void>[] = []
    try {
      await Promise.all(Array.from({ length: count }, () => this.work(ends)))
    } finally {
      this.options.signal?.removeEventListener('abort', abort)
      // The others of a worker that failed stop, and finish what they have begun.
      abort()
      for (const { waiting } of this.reading.values()) for (const ask of waiting.splice(0)) ask()
      await Promise.all(ends)
      await this.remote?.close()
      await this.entering.catch(() => undefined)
    }
    await this.entering
    if (this.failure !== null) throw this.failure.error
    this.tell(true)
    const interrupted = this.dropped > 0 || this.queue.length > 0 || (this.remote?.left ?? 0) > 0
    const problems = await readProblems(this.caseDir, this.segments, this.looked)
    const { evidence } = countedOf(this.entries)
    const foldersWithout = interrupted ? [] : foldersWithoutEvidence(this.options.paths, this.looked)
    const files = this.looked.sort(byPath)
    return reportOf(this.caseDir, { files, problems, all: evidence, foldersWithout, interrupted })
  }

  /** Begins to fetch what lies elsewhere, but for what the case knows. */
  private startRemote(entries: readonly LedgerEntry[]): RemoteFile[] {
    const { remote, again = false, format, changedToo = false } = this.options
    if (remote === undefined) return []
    const { fetch, known, changed, refused } = sorted(remote, entries, {
      ...{ again, changedToo, hasFormat: format !== undefined },
    })
    for (const file of known) this.looked.push(file)
    for (const task of changed) this.queue.push(task)
    if (refused !== null) this.failure = { error: refused }
    const nextId = (): number => Atomics.add(new Int32Array(this.lastId), 0, 1) + 1
    const folder = join(this.caseDir, caseFiles.incoming)
    this.remote = new RemoteQueue(fetch, nextId, { folder, signal: this.ended.signal })
    return fetch
  }

  /** The next file that lies elsewhere, when it has arrived. */
  private async fetched(remote: RemoteQueue): Promise<ToWorker> {
    try {
      const task = await remote.next()
      return task === null ? { type: 'finish' } : { type: 'file', task, ahead: false }
    } catch (error) {
      // What has arrived so far is read to its end.
      this.failure ??= { error }
      return { type: 'finish' }
    }
  }

  /** Where what a pipe gives was copied to; null for a file. */
  private async copied(file: FoundFile): Promise<string | null> {
    if (!file.isPipe) return null
    const to = join(this.caseDir, caseFiles.incoming, `piped-${randomBytes(8).toString('hex')}`)
    file.size = await copyPipe(file.path, to, this.options.signal)
    return to
  }

  /** One worker from its start to its end. Rejects when it fails, which ends the whole run: what was entered stays. */
  private work(ends: Promise<void>[]): Promise<void> {
    const settings: WorkerSettings = {
      caseDir: this.caseDir,
      format: this.options.format ?? null,
      ratioMax: this.options.maxExpandRatio ?? defaultLimits.ratioMax,
      expandedBytesMax: this.options.maxExpandedBytes ?? defaultLimits.bytesMax,
      keepCopies: this.options.keepCopies ?? false,
      parts: this.options.parts ?? false,
      stop: this.stop,
      rowsPerSegment: this.options.rowsPerSegment ?? rowsPerSegment,
      unknownColumns: this.unknownColumns,
      unknownLeft: this.unknownLeft,
      lastId: this.lastId,
    }
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: settings })
    ends.push(endOf(worker, this.stop))
    return new Promise((resolve, reject) => {
      worker.on('error', reject)
      worker.on('exit', code => reject(new Error(`a worker ended early, with status ${code}`)))
      worker.on('message', (messages: FromWorker[]) => {
        const answers: ToWorker[] = []
        for (const message of messages) {
          if (message.type === 'finished') resolve(this.entering)
          else if (message.type === 'failed') reject(failure(message))
          else answers.push(...this.answer(worker, message, reject))
        }
        if (answers.length > 0) worker.postMessage(answers)
      })
    })
  }

  /** What to answer, if anything, now. */
  private answer(
    worker: Worker,
    message: Exclude<FromWorker, { type: 'finished' | 'failed' }>,
    reject: (error: unknown) => void,
  ): ToWorker[] {
    switch (message.type) {
      case 'next': {
        const task = this.stopping ? undefined : this.queue.shift()
        if (task === undefined && this.remote !== null && !this.stopping) {
          void this.fetched(this.remote).then(answer => worker.postMessage([answer]))
          break
        }
        return [task ? { type: 'file', task, ahead: this.queue.length > aheadMin } : { type: 'finish' }]
      }
      case 'hashed': {
        const { sha256, task } = message
        const other = this.known.refusal(sha256, task, this.options.format !== undefined)
        const part = other === null ? this.known.refusedPart(sha256, task.path) : null
        if (part !== null) {
          this.failure ??= { error: part }
          return [{ type: 'claim', id: task.id, duplicateOf: part.message }]
        }
        const reading = this.reading.get(sha256)
        // One in an archive does not wait: the archive is held meanwhile, and might be waited for itself.
        if (other === null && reading && task.archive !== null)
          return [{ type: 'claim', id: task.id, duplicateOf: inTheCase(reading.path) }]
        if (other === null && reading && !this.stopping) {
          reading.waiting.push(() => {
            const answers = this.answer(worker, message, reject)
            if (answers.length > 0) worker.postMessage(answers)
          })
          break
        }
        if (other === null) this.reading.set(sha256, { path: task.path, waiting: [] })
        return [{ type: 'claim', id: task.id, duplicateOf: other }]
      }
      case 'settled': {
        const reading = this.reading.get(message.sha256)
        this.reading.delete(message.sha256)
        if (reading && message.kept) this.known.wasRead(message.sha256, reading.path)
        for (const ask of reading?.waiting ?? []) ask()
        break
      }
      case 'progress':
        this.progress.bytes_done += message.bytes
        this.progress.records += message.records
        this.tell(false)
        break
      case 'dropped':
        this.dropped++
        break
      case 'done':
        this.remote?.release(message.at)
        break
      default:
        this.entering = this.entering.then(() => this.enter(message.evidence, message.segments))
        this.entering.catch(reject)
    }
    return []
  }

  /** Enters a batch: its segments get their place, then one line in the ledger makes them part of the case. */
  private async enter(evidence: EvidenceEntry[], segments: SegmentEntry[]): Promise<void> {
    const judged = evidence.map(file => this.known.judged(file))
    for (const { file } of judged) this.looked.push(file)
    this.progress.files_done += evidence.length
    // Files in archives are known only when they are met.
    this.progress.files_total = Math.max(this.progress.files_total, this.progress.files_done)
    const kept = judged.filter(one => one.isEntered).map(one => one.file)
    if (kept.length === 0) return
    assert(this.ledger !== null, 'the ledger is open')
    const prepared = this.ledger.prepare({
      type: kept.some(file => this.known.isAgain(file)) ? 'read-again' : 'added',
      tidemark: tidemarkVersion(),
      command: clipped(this.options.command ?? 'add', commandLengthMax),
      evidence: kept,
      segments,
    })
    await placeSegments(
      this.caseDir,
      segments.map(segment => segment.name),
    )
    await this.ledger.commit(prepared)
    for (const segment of segments) this.segments.push(segment)
    this.entries.push(prepared.entry)
    this.known.entered(kept)
  }

  private get stopping(): boolean {
    return Atomics.load(new Int32Array(this.stop), 0) === 1
  }

  private tell(now: boolean): void {
    if (!now && Date.now() - this.lastProgress < progressMilliseconds) return
    this.lastProgress = Date.now()
    this.options.onProgress?.({ ...this.progress, seconds: (Date.now() - this.started) / 1000 })
  }
}

/** When a worker has ended. It does so by itself; one that was asked to stop and does not is ended in the end. */
function endOf(worker: Worker, stop: SharedArrayBuffer): Promise<void> {
  return new Promise(resolve => {
    let seconds = 0
    const watch = setInterval(() => {
      if (Atomics.load(new Int32Array(stop), 0) === 1 && ++seconds > stopSecondsMax) void worker.terminate()
    }, 1000)
    watch.unref()
    worker.once('exit', () => {
      clearInterval(watch)
      resolve()
    })
  })
}

/** An archive is as much evidence as the files in it. */
function mayBeEvidence({ kind, status }: EvidenceEntry): boolean {
  return status !== 'not-evidence' && (kind !== 'archive' || status !== 'read')
}

/** Folders that were named, and hold nothing that is, or may be, evidence. */
function foldersWithoutEvidence(
  paths: readonly string[],
  looked: readonly EvidenceEntry[],
): EvidenceReport['folders_without_evidence'] {
  return paths.flatMap(path => {
    const folder = `${resolve(path)}${sep}`
    const within = looked.filter(file => file.path.startsWith(folder))
    // A file that was named has nothing within it, nor has a folder that another name leads to.
    if (within.length === 0 || within.some(mayBeEvidence)) return []
    const files = within.length === 1 ? 'its one file' : `none of its ${integerText(within.length)} files`
    const problem = `${files} is ${within.length === 1 ? 'no' : 'a'} flow log, capture or nfcapd file`
    return [{ path, problem }]
  })
}

function byPath(a: EvidenceEntry, b: EvidenceEntry): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0
}

function failure(message: Extract<FromWorker, { type: 'failed' }>): Error {
  const error: Error = Object.assign(new Error(message.message), message.system)
  if (message.stack !== null) error.stack = message.stack
  return error
}
