/** One child process: started when it is asked, limited in memory and time, without the environment's secrets. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { AnswerError, type FromChild, type Progress, type ToChild } from './message.ts'

export interface ChildSettings {
  /** For people: `view`, `work`. */
  name: string
  script: string
  args: readonly string[]
  megabytes: number
  onDeath(why: string, stopped: boolean): void
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: unknown): void
  onProgress: ((progress: Progress) => void) | undefined
}

const prlimit = '/usr/bin/prlimit'
const deathsMax = 5
const minute = 60_000
const secondsUsual = 120

export class Child {
  private readonly settings: ChildSettings
  private running: ChildProcess | null = null
  private readonly asked = new Map<number, Waiting>()
  private next = 0
  private deaths: number[] = []
  private closed = false

  constructor(settings: ChildSettings) {
    this.settings = settings
  }

  get waiting(): number {
    return this.asked.size
  }

  ask(
    kind: string,
    question: unknown,
    options: { signal?: AbortSignal; seconds?: number; onProgress?: (progress: Progress) => void } = {},
  ): Promise<unknown> {
    const { signal, seconds = secondsUsual, onProgress } = options
    signal?.throwIfAborted()
    const child = this.started()
    const no = this.next++
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.asked.delete(no)
        this.say(child, { stop: no })
        end()
        reject(signal!.reason)
      }
      const late = setTimeout(() => this.kill(`no answer within ${seconds} s`), seconds * 1000)
      const end = (): void => {
        clearTimeout(late)
        signal?.removeEventListener('abort', stop)
      }
      signal?.addEventListener('abort', stop, { once: true })
      this.asked.set(no, {
        resolve: value => {
          end()
          resolve(value)
        },
        reject: error => {
          end()
          reject(error)
        },
        onProgress,
      })
      this.say(child, { ask: no, kind, question })
    })
  }

  async end(): Promise<void> {
    const { running } = this
    this.running = null
    if (running === null || running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise(resolve => running.once('close', resolve))
    running.kill('SIGKILL')
    await ended
    this.failAll('the process was ended')
  }

  async close(): Promise<void> {
    this.closed = true
    await this.end()
  }

  private started(): ChildProcess {
    if (this.running !== null) return this.running
    const { name, script, args, megabytes } = this.settings
    if (this.closed || this.isStopped())
      throw new AnswerError({
        message: `the ${name} process died ${deathsMax} times within a minute and is not started again`,
        hint: 'start the workbench again with more memory free, or on a smaller case',
        status: 1,
      })
    const own = [process.execPath, `--max-old-space-size=${megabytes}`, script, ...args]
    const limited = [prlimit, `--data=${(megabytes + 4096) * 2 ** 20}`, '--core=0', ...own]
    const [command, ...rest] = existsSync(prlimit) ? limited : own
    const child = spawn(command!, rest, { stdio: ['pipe', 'pipe', 'inherit'], env: environment() })
    this.running = child
    child.on('error', error => this.died(child, error.message))
    child.stdin.on('error', () => {})
    createInterface({ input: child.stdout }).on('line', line => this.take(JSON.parse(line) as FromChild))
    child.on('close', (status, signal) => this.died(child, signal === null ? `status ${status}` : `signal ${signal}`))
    return child
  }

  private take(said: FromChild): void {
    if ('ready' in said) return
    if ('progress' in said) {
      this.asked.get(said.progress)?.onProgress?.(said)
      return
    }
    const no = 'answer' in said ? said.answer : said.failed
    const waiting = this.asked.get(no)
    this.asked.delete(no)
    if ('answer' in said) waiting?.resolve(said.value)
    else waiting?.reject(new AnswerError(said.failure))
  }

  private died(child: ChildProcess, why: string): void {
    if (this.running !== child) return
    this.running = null
    this.deaths = [...this.deaths, Date.now()]
    this.settings.onDeath(why, this.isStopped())
    this.failAll(`the ${this.settings.name} process died: ${why}`)
  }

  private isStopped(): boolean {
    this.deaths = this.deaths.filter(at => at > Date.now() - minute)
    return this.deaths.length > deathsMax
  }

  private failAll(message: string): void {
    const waiting = [...this.asked.values()]
    this.asked.clear()
    for (const one of waiting) one.reject(new AnswerError({ message, hint: 'ask again', status: 1 }))
  }

  private kill(why: string): void {
    const { running } = this
    if (running === null) return
    running.kill('SIGKILL')
    this.died(running, why)
  }

  private say(child: ChildProcess, message: ToChild): void {
    child.stdin?.write(`${JSON.stringify(message)}\n`)
  }
}

function environment(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'TMPDIR', 'TMP', 'TEMP', 'SystemRoot', 'LD_LIBRARY_PATH', 'HOME']
  const present = kept.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  return { ...Object.fromEntries(present), TZ: 'UTC', LC_ALL: 'C.UTF-8', UV_THREADPOOL_SIZE: '16' }
}
