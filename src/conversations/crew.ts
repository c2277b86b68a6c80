/** Who does the steps of the whole way: some threads, or the only one. */
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { UserError } from '../errors.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { DamagedSections } from '../store/section-file.ts'
import type { SystemDetails } from '../system-error.ts'
import type { MeteredConnections } from './metered.ts'
import { type Steps, WholeWork, type WorkSettings } from './whole-work.ts'

/** What a thread is started with: the file of the record index, and the digest of its directory. */
export interface ThreadSettings {
  path: string
  digest: string
  work: WorkSettings
}

export interface ToThread {
  step: keyof Steps
  given: Steps[keyof Steps]['given']
}

export type FromThread =
  | { done: Steps[keyof Steps]['done'] }
  | { failed: string; kind: 'damaged' | 'user' | 'other'; hint: string | null; system: SystemDetails }

export interface Crew {
  /** Does one step with each of some givens, in whatever order. @returns what they gave, in the order of the givens. */
  all<Step extends keyof Steps>(step: Step, givens: readonly Steps[Step]['given'][]): Promise<Steps[Step]['done'][]>
  close(): Promise<void>
}

/** This thread alone. */
export class Alone implements Crew {
  private readonly work: WholeWork
  private readonly requireGoing: () => void

  constructor(
    settings: WorkSettings,
    index: RecordIndex,
    metered: MeteredConnections | null,
    requireGoing: () => void,
  ) {
    this.work = new WholeWork(settings, index, metered)
    this.requireGoing = requireGoing
  }

  async all<Step extends keyof Steps>(
    step: Step,
    givens: readonly Steps[Step]['given'][],
  ): Promise<Steps[Step]['done'][]> {
    const done: Steps[Step]['done'][] = []
    for (const given of givens) {
      done.push(await this.work.does(step, given))
      // A signal, and other questions, have their turn between two of them.
      await setImmediate()
      this.requireGoing()
    }
    return done
  }

  async close(): Promise<void> {}
}

/** How often it is asked whether somebody still waits for the answer. */
const askEvery_ms = 50

export class Threads implements Crew {
  private readonly workers: Worker[]
  /** Of the first that ended, also while nothing was asked of it: it answers nothing any more. */
  private failed: { error: unknown } | null = null
  private readonly path: string
  private readonly requireGoing: () => void

  constructor(count: number, settings: WorkSettings, index: RecordIndex, requireGoing: () => void) {
    const { path } = index.file
    const workerData: ThreadSettings = { path, digest: index.file.digest(''), work: settings }
    const url = new URL('./whole-worker.js', import.meta.url)
    this.workers = Array.from({ length: count }, () => new Worker(url, { workerData }))
    for (const worker of this.workers) {
      const fail = (error: unknown): void => {
        this.failed ??= { error }
      }
      worker.on('error', fail)
      worker.on('exit', status => fail(endedEarly(status)))
    }
    this.path = path
    this.requireGoing = requireGoing
  }

  async all<Step extends keyof Steps>(
    step: Step,
    givens: readonly Steps[Step]['given'][],
  ): Promise<Steps[Step]['done'][]> {
    this.requireAll()
    this.requireGoing()
    const done: Steps[Step]['done'][] = new Array(givens.length)
    let next = 0
    const doNext = async (worker: Worker): Promise<void> => {
      while (next < givens.length) {
        const place = next++
        done[place] = await this.ask<Step>(worker, { step, given: givens[place]! })
      }
    }
    let asking: NodeJS.Timeout | undefined
    const stopped = new Promise<never>((_, reject) => {
      asking = setInterval(() => {
        try {
          this.requireAll()
          this.requireGoing()
        } catch (error) {
          reject(error)
        }
      }, askEvery_ms)
    })
    try {
      await Promise.race([stopped, Promise.all(this.workers.map(doNext))])
    } finally {
      clearInterval(asking)
    }
    return done
  }

  private ask<Step extends keyof Steps>(worker: Worker, message: ToThread): Promise<Steps[Step]['done']> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        worker.off('message', take)
        worker.off('error', fail)
        worker.off('exit', end)
      }
      const take = (answer: FromThread): void => {
        leave()
        if ('done' in answer) resolve(answer.done)
        else reject(this.failure(answer))
      }
      const fail = (error: unknown): void => {
        leave()
        reject(error)
      }
      const end = (status: number): void => fail(endedEarly(status))
      worker.on('message', take)
      worker.on('error', fail)
      worker.on('exit', end)
      worker.postMessage(message)
    })
  }

  private requireAll(): void {
    if (this.failed !== null) throw this.failed.error
  }

  private failure({ failed, kind, hint, system }: Extract<FromThread, { failed: string }>): Error {
    if (kind === 'damaged') return new DamagedSections(this.path, failed)
    if (kind === 'user') return new UserError(failed, hint === null ? {} : { hint })
    return Object.assign(new Error(failed), system)
  }

  /** Ends the threads: after it none of them touches a file any more. */
  async close(): Promise<void> {
    await Promise.all(this.workers.map(worker => worker.terminate()))
  }
}

function endedEarly(status: number): Error {
  return new Error(`a thread ended early, with status ${status}`)
}
