/** One child process: limited in memory and time, without the environment's secrets, started again at once after it died. */
import { type ChildProcess, spawn } from 'node:child_process'
import { bareEnvironment, limited } from '../limited-process.ts'
import { failureLine, howChildEnded, systemFailure } from '../system-error.ts'
import { visible } from '../visible.ts'
import type { Asked } from './asked.ts'
import { FrameReader } from './frames.ts'
import { JsonText } from './json-line.ts'
import { AnswerError, type FromChild, type ToChild } from './message.ts'

export interface ChildSettings {
  /** For people: `view`, `work`. */
  name: string
  script: string
  /** Worked out at each start: the state of the case changes. */
  args(): readonly string[]
  /** Of JavaScript's objects; the process as a whole may have `spareMegabytes` more. */
  heapMegabytes: number
  spareMegabytes: number
  /**
   * How long a question that nobody waits for may go on before its process is ended: the second where that would lose a question that was asked before
   * it was given up.
   */
  stopSeconds: readonly [alone: number, among: number]
  onDeath(why: string, stopped: boolean): void
  /** A process of that id has ended, however that came about: what it left on the disk can go. */
  onClosed?(pid: number): void
  /** For the terminal. */
  onNote(text: string): void
}

interface Running {
  asked: Asked
  begun: number
  /** Nobody waits for it: when it was told to stop (performance.now()). */
  stopped: number | null
  end(): void
}

const deathsMax = 5
const minute = 60_000
const startSecondsMax = 60
const lookMilliseconds = 100
/** A process that works on what nobody waits for may have to be ended. */
const weightOfStopped = 8
/** What is kept, and passed on, of what it writes to standard error. */
const saidMax = 16_384

export class Child {
  private readonly settings: ChildSettings
  private readonly onFree: (again: Asked[]) => void
  private alive: ChildProcess | null = null
  private readonly running = new Map<number, Running>()
  private next = 0
  private deaths: number[] = []
  private isClosed = false
  private said = ''
  private watch: NodeJS.Timeout | undefined

  /** @param onFree told when it can take another question, with those that it lost and that may be asked again. */
  constructor(settings: ChildSettings, onFree: (again: Asked[]) => void) {
    this.settings = settings
    this.onFree = onFree
  }

  /** How little it should be given more. */
  get load(): number {
    const weights = [...this.running.values()].map(({ asked, stopped }) =>
      stopped === null ? asked.weight : weightOfStopped,
    )
    return weights.reduce((sum, weight) => sum + weight, 0)
  }

  get questions(): number {
    return this.running.size
  }

  get pid(): number | undefined {
    return this.alive?.pid
  }

  /** Starts the process, so that the first question does not wait for it. */
  warm(): void {
    if (!this.isClosed && !this.isStopped()) this.started()
  }

  run(asked: Asked): void {
    const refusal = this.refusal()
    if (refusal !== null) {
      asked.reject(refusal)
      return
    }
    const child = this.started()
    const no = this.next++
    asked.starts++
    const { signal, endsItself = false } = asked.options
    const onAbort = (): void => {
      if (!endsItself) asked.reject(signal!.reason)
      this.giveUp(no, child)
    }
    const late = setTimeout(() => {
      asked.reject(lateError(asked.seconds))
      this.giveUp(no, child)
    }, asked.seconds * 1000)
    signal?.addEventListener('abort', onAbort, { once: true })
    const end = (): void => {
      clearTimeout(late)
      signal?.removeEventListener('abort', onAbort)
    }
    this.running.set(no, { asked, begun: performance.now(), stopped: null, end })
    say(child, { ask: no, kind: asked.kind, question: asked.question })
    if (signal?.aborted) onAbort()
  }

  private refusal(): AnswerError | null {
    if (this.isClosed) return new AnswerError({ message: 'the workbench is closing', status: 75 })
    return this.isStopped() ? this.stoppedError() : null
  }

  /** Ends the process; what it was asked fails. The next question starts it again. */
  async end(why: string): Promise<void> {
    const { alive } = this
    this.alive = null
    this.deaths = []
    this.failAll(new AnswerError({ message: why, hint: 'ask again', status: 75 }))
    await killed(alive)
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.end('the workbench is closing')
  }

  private started(): ChildProcess {
    if (this.alive !== null) return this.alive
    const { script, args, heapMegabytes, spareMegabytes } = this.settings
    const own = [process.execPath, `--max-old-space-size=${heapMegabytes}`, script, ...args()]
    const [command, ...rest] = limited(own, (heapMegabytes + spareMegabytes) * 2 ** 20)
    // In a group of its own: Ctrl-C at a terminal is for the server, which ends its children in good order.
    const child = spawn(command!, rest, {
      stdio: 'pipe',
      detached: true,
      env: { ...bareEnvironment(), UV_THREADPOOL_SIZE: '16' },
    })
    this.alive = child
    this.said = ''
    const tooLong = setTimeout(
      () => this.kill(child, `it did not start within ${startSecondsMax} s`),
      startSecondsMax * 1000,
    )
    const ready = (): void => clearTimeout(tooLong)
    child.on('error', error => {
      ready()
      const failure = systemFailure(error)
      this.died(child, failure === null ? error.message : failureLine(failure))
    })
    child.on('close', (status, signal) => {
      ready()
      if (child.pid !== undefined) this.settings.onClosed?.(child.pid)
      this.died(child, howChildEnded(status, signal, this.said))
    })
    // Where no file can be opened, there are no pipes either. A process that died while it was written to is noticed by its end.
    child.stdin?.on('error', () => {})
    child.stderr?.on('data', piece => this.heard(child, String(piece)))
    const frames = new FrameReader((said, payload) => ('ready' in said ? ready() : this.take(said, payload)))
    child.stdout?.on('data', (piece: Buffer) => {
      if (this.alive !== child) return
      try {
        frames.push(piece)
      } catch (error) {
        this.kill(child, `it said what cannot be understood: ${error instanceof Error ? error.message : String(error)}`)
      }
    })
    return child
  }

  private take(said: Exclude<FromChild, { ready: true }>, payload: Buffer): void {
    if ('progress' in said) {
      const one = this.running.get(said.progress)
      if (one?.stopped === null) one.asked.options.onProgress?.({ doing: said.doing, done: said.done, of: said.of })
      return
    }
    const no = 'answer' in said ? said.answer : said.failed
    const one = this.running.get(no)
    if (one === undefined) return
    this.running.delete(no)
    one.end()
    if (!one.asked.isSettled) {
      if ('answer' in said) one.asked.resolve(new JsonText(payload))
      else one.asked.reject(new AnswerError(said.failure))
    }
    this.onFree([])
  }

  private heard(child: ChildProcess, text: string): void {
    if (this.alive !== child || this.said.length >= saidMax) return
    this.said += text.slice(0, saidMax - this.said.length)
    for (const line of text.split('\n').filter(line => line.trim() !== ''))
      this.settings.onNote(`the ${this.settings.name} process: ${visible(line)}`)
  }

  /** Asks the process to stop working on a question, and watches whether it does. */
  private giveUp(no: number, child: ChildProcess): void {
    const one = this.running.get(no)
    if (one === undefined || this.alive !== child || one.stopped !== null) return
    one.stopped = performance.now()
    say(child, { stop: no })
    this.watch ??= setInterval(() => this.look(), lookMilliseconds)
  }

  private look(): void {
    const all = [...this.running.values()]
    const stopped = all.filter(one => one.stopped !== null)
    if (stopped.length === 0 || this.alive === null) {
      clearInterval(this.watch)
      this.watch = undefined
      return
    }
    const [alone, among] = this.settings.stopSeconds
    const oldest = Math.min(...stopped.map(one => one.stopped!))
    const seconds = all.some(one => one.stopped === null && one.begun < oldest) ? among : alone
    if (performance.now() - oldest < seconds * 1000) return
    this.endNow(this.alive)
  }

  /** Ends a process that works on what nobody waits for: no fault of the process. */
  private endNow(child: ChildProcess): void {
    this.alive = null
    child.kill('SIGKILL')
    this.afterwards(
      new AnswerError({ message: `the ${this.settings.name} process was ended`, hint: 'ask again', status: 75 }),
    )
  }

  private kill(child: ChildProcess, why: string): void {
    child.kill('SIGKILL')
    this.died(child, why)
  }

  private died(child: ChildProcess, why: string): void {
    if (this.alive !== child) return
    this.alive = null
    this.deaths.push(Date.now())
    const stopped = this.isStopped()
    this.settings.onDeath(why, stopped)
    const message = `the ${this.settings.name} process died: ${why}`
    this.afterwards(
      stopped ? this.stoppedError() : new AnswerError({ message, hint: 'ask again, or for less', status: 1 }),
    )
  }

  /** Gives back what may be asked again, fails the rest with an error, and starts the process again. */
  private afterwards(error: AnswerError): void {
    const again = this.isStopped()
      ? []
      : [...this.running.values()].map(({ asked }) => asked).filter(asked => asked.mayBeAskedAgain)
    for (const one of this.running.values()) one.end()
    const lost = [...this.running.values()].filter(({ asked }) => !asked.isSettled && !again.includes(asked))
    this.running.clear()
    for (const { asked } of lost) asked.reject(error)
    this.warm()
    this.onFree(again)
  }

  private isStopped(): boolean {
    this.deaths = this.deaths.filter(at => at > Date.now() - minute)
    return this.deaths.length > deathsMax
  }

  private stoppedError(): AnswerError {
    return new AnswerError({
      message: `the ${this.settings.name} process died ${this.deaths.length} times within a minute, and is left alone for a while`,
      hint: 'narrow the filter or the time, or free some memory; the terminal of tidemark ui says why it died',
      status: 75,
    })
  }

  private failAll(error: AnswerError): void {
    const all = [...this.running.values()]
    this.running.clear()
    for (const { asked, end } of all) {
      end()
      if (!asked.isSettled) asked.reject(error)
    }
  }
}

function lateError(seconds: number): AnswerError {
  return new AnswerError({
    message: `there was no answer within ${seconds} s`,
    hint: 'narrow the filter or the time',
    status: 1,
  })
}

function say(child: ChildProcess, message: ToChild): void {
  child.stdin?.write(`${JSON.stringify(message)}\n`)
}

async function killed(child: ChildProcess | null): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise(resolve => child.once('close', resolve))
  child.kill('SIGKILL')
  await ended
}
