/** Work that takes longer than a request: started, told of by events, stopped, and its answer kept until it is fetched. */
import { randomBytes } from 'node:crypto'
import type { JobState } from './contract/events.ts'
import type { EventStream } from './events.ts'
import { AnswerError, type Progress } from './message.ts'

interface Job {
  state: JobState
  stopping: AbortController
  value: unknown
}

/** Jobs that are over and still kept. */
const keptMax = 20

export class Jobs {
  private readonly jobs = new Map<string, Job>()
  private readonly events: EventStream

  constructor(events: EventStream) {
    this.events = events
  }

  start(
    { kind, title }: Pick<JobState, 'kind' | 'title'>,
    work: (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<unknown>,
  ): JobState {
    const id = randomBytes(9).toString('base64url')
    const started = new Date().toISOString()
    const state: JobState = { id, kind, title, state: 'running', doing: null, done: null, of: null, started }
    const job: Job = { state, stopping: new AbortController(), value: undefined }
    this.jobs.set(id, job)
    this.forget()
    const tell = (change: Partial<JobState>): void => {
      job.state = { ...job.state, ...change }
      this.events.send({ event: 'job', job: job.state })
    }
    tell({})
    work(job.stopping.signal, progress => tell(progress)).then(
      value => {
        job.value = value
        tell({ state: 'done' })
      },
      (error: unknown) => {
        if (job.stopping.signal.aborted) return tell({ state: 'stopped' })
        const hint = error instanceof AnswerError ? error.hint : undefined
        tell({ state: 'failed', error: error instanceof Error ? error.message : String(error), ...(hint && { hint }) })
      },
    )
    return job.state
  }

  all(): JobState[] {
    return [...this.jobs.values()].map(job => job.state)
  }

  state(id: string): JobState | null {
    return this.jobs.get(id)?.state ?? null
  }

  /** What a job that is done gave; undefined where there is none. */
  value(id: string): unknown {
    return this.jobs.get(id)?.value
  }

  stop(id: string): void {
    this.jobs.get(id)?.stopping.abort(new Error('stopped'))
  }

  stopAll(): void {
    for (const job of this.jobs.values()) job.stopping.abort(new Error('the workbench is closing'))
  }

  private forget(): void {
    const over = [...this.jobs.values()].filter(job => job.state.state !== 'running')
    for (const job of over.slice(0, Math.max(0, over.length - keptMax))) this.jobs.delete(job.state.id)
  }
}
