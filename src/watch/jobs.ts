/** What a watch has done by a process of its own: whatever memory it takes, and however it ends, the watch goes on. */
import { type ChildProcess, spawn } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import { fileURLToPath } from 'node:url'
import { AwsError } from '../aws/errors.ts'
import type { DetectOptions } from '../detect/detect.ts'
import { UserError } from '../errors.ts'
import type { AddOptions } from '../ingest/add.ts'
import type { FoundFile } from '../input/walk.ts'
import { bareEnvironment } from '../limited-process.ts'
import type { Origin, RemoteFile } from '../sources/remote.ts'
import type { EvidenceFile } from '../store/reports.ts'
import { howChildEnded } from '../system-error.ts'
import type { AlertDraft } from './alert.ts'
import { onLine } from './line-reading.ts'

/** How files are read, as `add` has it. */
export type Reading = Pick<
  AddOptions,
  'format' | 'formatUnknown' | 'maxExpandRatio' | 'maxExpandedBytes' | 'workers' | 'keepCopies'
>

/** What is looked for, as `detect` has it. */
export type Detecting = Pick<
  DetectOptions,
  'rules' | 'set' | 'ownRules' | 'internal' | 'scanners' | 'minSeverity' | 'enrichment'
>

export interface AddJob {
  kind: 'add'
  case: string
  files: (Pick<FoundFile, 'path' | 'size' | 'problem' | 'unreadable'> & { raw: string | null })[]
  /** Objects, which the watch itself fetches when their turn comes: the process that reads them has no credentials. */
  remote: Pick<RemoteFile, 'path' | 'size' | 'etag'>[]
  idsAbove: number
  reading: Reading
}

export interface RemoveJob {
  kind: 'remove'
  case: string
  sha256: string
  reason: string
}

export interface DetectJob {
  kind: 'detect'
  cases: string[]
  /** Where several are put together. */
  into: string
  from_us: number
  to_us: number
  detecting: Detecting
}

export type Job = AddJob | RemoveJob | DetectJob

export type AddedFile = Pick<
  EvidenceFile,
  'id' | 'path' | 'sha256' | 'size' | 'status' | 'problem' | 'records' | 'first_start' | 'last_end'
>

export interface Done {
  add: { files: AddedFile[] }
  remove: { removed: number }
  detect: { alerts: AlertDraft[]; connections: number; others: number; problems: string[] }
}

export type Told<K extends Job['kind']> =
  | { done: Done[K] }
  | { failed: { message: string; hint: string | null; isBug: boolean } }

/** What the process of a job asks for: an object, by its number in the job, in a new file of that name in `incoming` of the case. */
export interface Wanted {
  fetch: { object: number; name: string }
}

/** What became of it. Null: there is nothing to read. */
export interface Given {
  fetched: { object: number } & (
    | { origin: Origin | null }
    | { refused: { message: string; hint: string; code: string; http: number | null; isTransient: boolean } }
  )
}

/** Writes an object of the job to a new file of that name. @throws AwsError: `one`, where only this one cannot be had; `all` where no other can either. */
export type Fetch = (object: number, name: string, signal: AbortSignal) => Promise<Origin | null>

/** The process of a job ended without an answer, or with a bug of Tidemark: something in what it was given is too much for it. */
export class JobDied extends UserError {}

const saidMax = 16_384

/**
 * Has a job done. A signal asks it to end: what is complete by then counts.
 *
 * @throws UserError for what the user can put right; JobDied.
 */
export async function haveDone<J extends Job>(
  job: J,
  signal: AbortSignal,
  fetch: Fetch = () => Promise.reject(new Error('this job fetches nothing')),
): Promise<Done[J['kind']]> {
  signal.throwIfAborted()
  const child = spawn(process.execPath, [fileURLToPath(new URL('./job-child.js', import.meta.url))], {
    env: bareEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const stop = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  const fetching = new JobFetching(child, fetch, signal)
  try {
    const told = await answerOf(child, job, fetching)
    if (fetching.failure !== null) throw fetching.failure.error
    if ('done' in told) return told.done
    signal.throwIfAborted()
    const { message, hint, isBug } = told.failed
    throw isBug ? new JobDied(message) : new UserError(message, hint === null ? {} : { hint })
  } finally {
    await fetching.close()
    signal.removeEventListener('abort', stop)
  }
}

/** The process has its question on standard input, which stays open: its end means that nobody waits any more. */
async function answerOf<J extends Job>(child: ChildProcess, job: J, fetching: JobFetching): Promise<Told<J['kind']>> {
  const { stdin, stdout, stderr } = child
  let [answer, said] = ['', '']
  onLine(stdout!, line => {
    if (line.startsWith('{"fetch":')) fetching.give((JSON.parse(line) as Wanted).fetch)
    else answer = line
  })
  stderr!.setEncoding('utf8').on('data', (piece: string) => {
    if (said.length < saidMax) said += piece
  })
  // Who died does not read it.
  stdin!.on('error', () => undefined)
  stdin!.write(`${JSON.stringify(job)}\n`)
  const [status, killed] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...how) => resolve(how))
  })
  try {
    return JSON.parse(answer) as Told<J['kind']>
  } catch {
    throw new JobDied(
      `the process that was to ${doing[job.kind]} ended early: ${howChildEnded(status, killed, said)}`,
      {
        hint: 'it is tried again',
      },
    )
  }
}

/** Fetches what a process of a job asks for. What keeps all objects from being fetched leaves the rest of them for later. */
class JobFetching {
  private readonly child: ChildProcess
  private readonly fetch: Fetch
  private readonly ended = new AbortController()
  private readonly signal: AbortSignal
  private readonly running = new Set<Promise<void>>()
  private isOver = false
  /** What is no matter of AWS, as a full disk. */
  failure: { error: unknown } | null = null

  constructor(child: ChildProcess, fetch: Fetch, signal: AbortSignal) {
    this.child = child
    this.fetch = fetch
    this.signal = AbortSignal.any([signal, this.ended.signal])
    // Each object that is on its way listens: Node would warn of that number.
    setMaxListeners(0, this.signal)
    child.once('exit', () => this.ended.abort(new Error('the process has ended')))
  }

  give({ object, name }: Wanted['fetch']): void {
    const one = this.answer(object, name).finally(() => this.running.delete(one))
    this.running.add(one)
  }

  private async answer(object: number, name: string): Promise<void> {
    let fetched: Given['fetched'] = { object, origin: null }
    try {
      if (!this.isOver) fetched = { object, origin: await this.fetch(object, name, this.signal) }
    } catch (error) {
      if (this.signal.aborted) return
      if (error instanceof AwsError && error.about === 'one') {
        const { message, hint = '', code, http, isTransient } = error
        fetched = { object, refused: { message, hint, code, http, isTransient } }
      } else {
        this.isOver = true
        if (!(error instanceof AwsError)) this.failure ??= { error }
      }
    }
    if (!this.signal.aborted) this.child.stdin!.write(`${JSON.stringify({ fetched } satisfies Given)}\n`)
  }

  async close(): Promise<void> {
    this.ended.abort(new Error('the process has ended'))
    await Promise.allSettled(this.running)
  }
}

const doing: Record<Job['kind'], string> = {
  add: 'read files',
  remove: 'take a file out of a case',
  detect: 'look for findings',
}
