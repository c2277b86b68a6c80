/** Child processes of one kind, and the questions that wait for one. */
import { Asked, type AskOptions } from './asked.ts'
import { Child, type ChildSettings } from './child.ts'
import type { JsonText } from './json-line.ts'
import { busy } from './message.ts'

export interface PoolSettings extends ChildSettings {
  processes: number
  /** Questions that one process works on at the same time. */
  atOnce: number
  /** Questions that may wait; what comes then is refused. */
  waitingMax: number
}

export class Pool {
  private readonly settings: PoolSettings
  private readonly children: Child[]
  private queue: Asked[] = []

  constructor(settings: PoolSettings) {
    this.settings = settings
    const onFree = (again: Asked[]): void => {
      this.queue.unshift(...again)
      this.fill()
    }
    this.children = Array.from({ length: settings.processes }, () => new Child(settings, onFree))
  }

  /** Asks, and reads the answer. @throws AnswerError; the signal's reason. */
  async ask(kind: string, question: unknown, options: AskOptions = {}): Promise<unknown> {
    return (await this.pass(kind, question, options)).value()
  }

  /** As `ask`, for an answer that goes to the page as it is. */
  async pass(kind: string, question: unknown, options: AskOptions = {}): Promise<JsonText> {
    const { signal } = options
    signal?.throwIfAborted()
    if (this.queue.length >= this.settings.waitingMax)
      throw busy(`the workbench has more questions than it can answer: ${this.queue.length} wait before this one`)
    const asked = new Asked(kind, question, options)
    this.queue.splice(this.placeOf(asked), 0, asked)
    const leave = (): void => {
      const place = this.queue.indexOf(asked)
      if (place < 0) return
      this.queue.splice(place, 1)
      asked.reject(signal!.reason)
    }
    signal?.addEventListener('abort', leave, { once: true })
    this.fill()
    try {
      return await asked.answer
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }

  /** How many questions wait for a process. */
  get waiting(): number {
    return this.queue.length
  }

  /** Numbers of the processes that run now. */
  get pids(): number[] {
    return this.children.flatMap(child => child.pid ?? [])
  }

  /** Starts the processes. */
  warm(): void {
    for (const child of this.children) child.warm()
  }

  /** Ends the processes, and starts them on the case as it is now. Questions that are under way fail with `why`. */
  async restart(why: string): Promise<void> {
    await Promise.all(this.children.map(child => child.end(why)))
    this.warm()
    this.fill()
  }

  async close(): Promise<void> {
    await Promise.all(this.children.map(child => child.close()))
    this.fill()
  }

  /** At the end of the queue; what is brief, behind the last one that is. */
  private placeOf({ options }: Asked): number {
    const longer = options.brief === true ? this.queue.findIndex(one => one.options.brief !== true) : -1
    return longer < 0 ? this.queue.length : longer
  }

  private fill(): void {
    while (this.queue.length > 0) {
      const free = this.children.filter(child => child.questions < this.settings.atOnce).sort((a, b) => a.load - b.load)
      if (free.length === 0) return
      free[0]!.run(this.queue.shift()!)
    }
  }
}
