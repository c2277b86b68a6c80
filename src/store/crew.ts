/** Who does the steps of a work that is divided: some threads, or the only one. */
import { setImmediate } from 'node:timers/promises'
import { parentPort, Worker } from 'node:worker_threads'
import { assert, errorText, UserError } from '../errors.ts'
import { type SystemDetails, systemDetails } from '../system-error.ts'
import { DamagedSections } from './section-file.ts'

/** By name of a step: what it is given, and what it gives. */
export type StepsOf<Steps> = { [Step in keyof Steps]: { given: unknown; done: unknown } }

/** Somebody who does steps. */
export interface Does<Steps extends StepsOf<Steps>> {
  does<Step extends keyof Steps>(step: Step, given: Steps[Step]['given']): Promise<Steps[Step]['done']>
}

interface ToThread {
  step: PropertyKey
  given: unknown
}

type FromThread =
  | { done: unknown }
  | { failed: string; kind: 'damaged' | 'user' | 'other'; hint: string | null; system: SystemDetails }

export abstract class Crew<Steps extends StepsOf<Steps>> {
  /**
   * Does one step with each of some givens, in whatever order.
   *
   * @param take is called with what each gave as soon as it is there, in whatever order.
   */
  abstract each<Step extends keyof Steps>(
    step: Step,
    givens: readonly Steps[Step]['given'][],
    take: (done: Steps[Step]['done'], place: number) => void,
  ): Promise<void>

  abstract close(): Promise<void>

  /** Does one step with each of some givens. @returns what they gave, in the order of the givens. */
  async all<Step extends keyof Steps>(
    step: Step,
    givens: readonly Steps[Step]['given'][],
  ): Promise<Steps[Step]['done'][]> {
    const done: Steps[Step]['done'][] = new Array(givens.length)
    await this.each(step, givens, (one, place) => {
      done[place] = one
    })
    return done
  }
}

/** This thread alone. */
export class Alone<Steps extends StepsOf<Steps>> extends Crew<Steps> {
  private readonly work: Does<Steps>
  private readonly requireGoing: () => void

  constructor(work: Does<Steps>, requireGoing: () => void) {
    super()
    this.work = work
    this.requireGoing = requireGoing
  }

  async each<Step extends keyof Steps>(
    step: Step,
    givens: readonly Steps[Step]['given'][],
    take: (done: Steps[Step]['done'], place: number) => void,
  ): Promise<void> {
    for (const [place, given] of givens.entries()) {
      take(await this.work.does(step, given), place)
      // A signal, and other questions, have their turn between two of them.
      await setImmediate()
      this.requireGoing()
    }
  }

  async close(): Promise<void> {}
}

/** How often it is asked whether somebody still waits for the answer. */
const askEvery_ms = 50

export class Threads<Steps extends StepsOf<Steps>> extends Crew<Steps> {
  private readonly workers: Worker[]
  /** Of the first that ended, also while nothing was asked of it: it answers nothing any more. */
  private failed: { error: unknown } | null = null
  private readonly path: string
  private readonly requireGoing: () => void

  /** @param module what each thread runs. @param path of the file that is named where it is damaged. */
  constructor(
    count: number,
    { module, workerData, path }: { module: URL; workerData: unknown; path: string },
    requireGoing: () => void,
  ) {
    super()
    this.workers = Array.from({ length: count }, () => new Worker(module, { workerData }))
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

  async each<Step extends keyof Steps>(
    step: Step,
    givens: readonly Steps[Step]['given'][],
    take: (done: Steps[Step]['done'], place: number) => void,
  ): Promise<void> {
    this.requireAll()
    this.requireGoing()
    let next = 0
    const doNext = async (worker: Worker): Promise<void> => {
      while (next < givens.length) {
        const place = next++
        take((await this.ask(worker, { step, given: givens[place] })) as Steps[Step]['done'], place)
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
  }

  private ask(worker: Worker, message: ToThread): Promise<unknown> {
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

/** Does in this thread, which is one of `Threads`, what is asked of it. @param open called before the first step. */
export function serve<Steps extends StepsOf<Steps>>(open: () => Does<Steps> | Promise<Does<Steps>>): void {
  assert(parentPort !== null, 'a thread of a crew is a worker thread')
  const port = parentPort
  let opened: Does<Steps> | null = null
  port.on('message', async ({ step, given }: ToThread) => {
    try {
      opened ??= await open()
      const name = step as keyof Steps
      port.postMessage({ done: await opened.does(name, given as Steps[typeof name]['given']) } satisfies FromThread)
    } catch (error) {
      port.postMessage(failure(error))
    }
  })
}

function failure(error: unknown): FromThread {
  const isDamaged = error instanceof DamagedSections
  const kind = isDamaged ? 'damaged' : error instanceof UserError ? 'user' : 'other'
  const hint = error instanceof UserError ? (error.hint ?? null) : null
  return { failed: errorText(error), kind, hint, system: systemDetails(error) }
}
