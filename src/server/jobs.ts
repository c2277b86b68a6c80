/** Work that takes longer than a request: started, told of by events, stopped, and its answer kept until it is fetched. */
import { randomBytes } from 'node:crypto'
import type { JobState } from './contract/events.ts'
import type { EventStream } from './events.ts'
import { told } from './failure.ts'
import { JsonText } from './json-line.ts'
import { busy, type Progress } from './message.ts'

export interface JobPlan extends Pick<JobState, 'kind' | 'title'> {
  /** Jobs of one lane wait for each other: `add` works one at a time, the others two. */
  lane?: 'work' | 'add'
}

export type JobWork = (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<unknown>

interface Job {
  state: JobState
  lane: 'work' | 'add'
  work: JobWork
  stopping: AbortController
  value: JsonText | null
  /** How many wait for it who said so: the last one who leaves stops it. */
  waiters: number
  /** Resolves when it is over. */
  over: Promise<void>
  end(): void
  /** When it was last told of, and what waits to be told. */
  told: number
  later: NodeJS.Timeout | undefined
}

const atOnce = { work: 2, add: 1 }
const waitingMax = 20
/** Jobs that are over and still known, and bytes of their answers. */
const keptMax = 20
const keptBytesMax = 256 * 2 ** 20
/** Progress is not told more often. */
const tellMilliseconds = 100

export class Jobs {
  private readonly jobs = new Map<string, Job>()
  private readonly events: Pick<EventStream, 'send'>
  private readonly onBug: (text: string) => void

  /** @param onBug told the stack of what went wrong unexpectedly. */
  constructor(events: Pick<EventStream, 'send'>, onBug: (text: string) => void) {
    this.events = events
    this.onBug = onBug
  }

  /** @throws AnswerError where too many wait. */
  start({ kind, title, lane = 'work' }: JobPlan, work: JobWork): JobState {
    const waits = [...this.jobs.values()].filter(job => job.state.state === 'waiting').length
    if (waits >= waitingMax) throw busy(`${waits} jobs wait already`)
    const id = randomBytes(9).toString('base64url')
    const started = new Date().toISOString()
    let end = (): void => {}
    const over = new Promise<void>(resolve => {
      end = resolve
    })
    const state: JobState = { id, kind, title, state: 'waiting', doing: null, done: null, of: null, started }
    const job: Job = {
      ...{ state, lane, work, stopping: new AbortController(), value: null, waiters: 1, over, end },
      ...{ told: 0, later: undefined },
    }
    this.jobs.set(id, job)
    this.begin()
    if (job.state.state === 'waiting') this.tell(job, {})
    return job.state
  }

  all(): JobState[] {
    return [...this.jobs.values()].map(job => job.state)
  }

  state(id: string): JobState | null {
    return this.jobs.get(id)?.state ?? null
  }

  /** What a job that is done gave; null where there is none. */
  value(id: string): JsonText | null {
    return this.jobs.get(id)?.value ?? null
  }

  stop(id: string): void {
    const job = this.jobs.get(id)
    if (job === undefined || isOver(job)) return
    job.stopping.abort(new Error('stopped'))
    if (job.state.state === 'waiting') this.finish(job, { state: 'stopped', doing: null })
    else this.tell(job, { doing: 'stopping' })
  }

  /** Somebody else waits for a job, too. */
  join(id: string): void {
    const job = this.jobs.get(id)
    if (job !== undefined) job.waiters++
  }

  /** Somebody waits no longer; a page that is closed may not say so, and its job goes on. */
  leave(id: string): void {
    const job = this.jobs.get(id)
    if (job !== undefined && --job.waiters <= 0) this.stop(id)
  }

  /** Stops all jobs, and waits for them. */
  async stopAll(): Promise<void> {
    const open = [...this.jobs.values()].filter(job => !isOver(job))
    for (const job of open) this.stop(job.state.id)
    await Promise.all(open.map(job => job.over))
  }

  private begin(): void {
    for (const job of this.jobs.values()) {
      if (job.state.state !== 'waiting') continue
      const running = [...this.jobs.values()].filter(
        one => one.lane === job.lane && one.state.state === 'running',
      ).length
      if (running >= atOnce[job.lane]) continue
      this.tell(job, { state: 'running' })
      void this.run(job)
    }
  }

  private async run(job: Job): Promise<void> {
    const { signal } = job.stopping
    try {
      const value = await job.work(signal, progress => {
        if (!isOver(job) && !signal.aborted) this.tell(job, progress, tellMilliseconds)
      })
      job.value = JsonText.of(value)
      this.finish(job, { state: 'done', doing: null })
    } catch (error) {
      if (signal.aborted) return this.finish(job, { state: 'stopped', doing: null })
      const { failure, bug } = told(error)
      if (bug !== null) this.onBug(bug)
      const { hint } = failure
      this.finish(job, { state: 'failed', doing: null, error: failure.error, ...(hint !== undefined && { hint }) })
    }
  }

  private finish(job: Job, change: Partial<JobState>): void {
    this.tell(job, change)
    job.end()
    this.forget()
    this.begin()
  }

  private tell(job: Job, change: Partial<JobState>, notBefore = 0): void {
    job.state = { ...job.state, ...change }
    clearTimeout(job.later)
    const wait = job.told + notBefore - performance.now()
    const now = (): void => {
      job.told = performance.now()
      this.events.send({ event: 'job', job: job.state })
    }
    if (wait <= 0) now()
    else job.later = setTimeout(now, wait).unref()
  }

  /** The newest that are over stay, with answers of so many bytes; the last one has its answer in any case. */
  private forget(): void {
    const over = [...this.jobs.values()].filter(isOver)
    for (const job of over.splice(0, Math.max(0, over.length - keptMax))) this.jobs.delete(job.state.id)
    let bytes = 0
    for (const job of over.reverse()) {
      const own = job.value?.bytes.length ?? 0
      if (bytes > 0 && bytes + own > keptBytesMax) this.jobs.delete(job.state.id)
      else bytes += own
    }
  }
}

function isOver({ state }: Job): boolean {
  return state.state !== 'waiting' && state.state !== 'running'
}
