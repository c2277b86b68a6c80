import { type ChildProcess, spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, UserError } from '../errors.ts'
import { bareEnvironment, limited } from '../limited-process.ts'
import { clearSpill } from '../store/spill.ts'
import { failureLine, howChildEnded, systemFailure } from '../system-error.ts'
import { type Cell, decode, type ResultColumn } from './cells.ts'
import { SqlError } from './error.ts'
import { type Answer, answer, type Ending, type Failure } from './protocol.ts'

export interface QueryLimits {
  /** Rows that are given out; the result is counted beyond them. */
  rows: number
  /** Bytes of rows that are given out. */
  bytes: number
  seconds: number
}

export const defaultLimits: QueryLimits = { rows: 1000, bytes: 256 * 2 ** 20, seconds: 60 }
export const defaultMemoryBytes = 2 ** 30

/** Who takes the rows; the next are read when it is done with these. */
export interface RowSink {
  columns(columns: readonly ResultColumn[]): void | Promise<void>
  rows(rows: readonly Cell[][]): void | Promise<void>
}

const textMax = 1_000_000
const startSecondsMax = 120
const graceSeconds = 2
const threadsMax = 4
const lineBytesMax = 2 ** 30
/** What is kept of what the process writes to standard error. */
const saidMax = 4096
/** What a process needs besides the memory of its queries. */
const spareBytes = 2 * 2 ** 30

/**
 * A process that runs queries over a case, started when it is needed and after it has died.
 *
 * Whatever it is asked, it ends in time and within its memory: what DuckDB cannot be kept from doing, the system is. It has no
 * variables of the environment that could hold a secret.
 */
export class QuerySession {
  private readonly caseDir: string
  private readonly memoryBytes: number
  private readonly head: string | null
  private process: Started | null = null

  /** @param head the state of the case that is asked; null: the newest when the process starts. */
  constructor(caseDir: string, memoryBytes = defaultMemoryBytes, head: string | null = null) {
    this.caseDir = resolve(caseDir)
    this.memoryBytes = memoryBytes
    this.head = head
  }

  /** Columns of each view. @throws UserError when the case cannot be read. */
  async columns(signal?: AbortSignal): Promise<Record<string, string[]>> {
    return (await this.started(signal)).columns
  }

  /** Runs one query. @throws UserError for a query that is refused, wrong, or over a limit; the signal's reason when it was stopped. */
  async run(sql: string, limits: QueryLimits, sink: RowSink, signal?: AbortSignal): Promise<Ending> {
    let end: Ending | null = null
    await this.ask(sql, limits, false, signal, async said => {
      if ('columns' in said) await sink.columns(said.columns)
      else if ('rows' in said) await sink.rows(said.rows.map(row => row.map(decode)))
      else if ('end' in said) end = said.end
    })
    assert(end !== null, 'an answer has an end')
    return end
  }

  /** How a query would be run, in DuckDB's words. */
  async explain(sql: string, limits: QueryLimits, signal?: AbortSignal): Promise<string> {
    let plan = ''
    await this.ask(sql, limits, true, signal, said => {
      if ('plan' in said) plan = said.plan
    })
    return plan
  }

  /** Ends the process. */
  async close(): Promise<void> {
    const process = this.process
    this.process = null
    await process?.end(this.caseDir)
  }

  private async ask(
    sql: string,
    limits: QueryLimits,
    explain: boolean,
    signal: AbortSignal | undefined,
    take: (said: Answer) => void | Promise<void>,
  ): Promise<void> {
    if (sql.length > textMax)
      throw new SqlError('', { kind: 'query', message: 'a query has at most 1,000,000 characters' })
    signal?.throwIfAborted()
    const process = await this.started(signal)
    const milliseconds_max = Math.ceil(limits.seconds * 1000)
    process.limit(milliseconds_max + graceSeconds * 1000, signal)
    try {
      process.ask({ sql, rows_max: limits.rows, bytes_max: limits.bytes, milliseconds_max, explain })
      for (let isBegun = false; ; ) {
        const said = await process.next()
        if (said === null) throw this.death(process, limits)
        if ('error' in said) throw this.errorOf(sql, said.error, limits, isBegun)
        isBegun ||= 'columns' in said
        await take(said)
        if ('end' in said || 'plan' in said) return
      }
    } catch (error) {
      if (!(error instanceof SqlError)) await this.close()
      signal?.throwIfAborted()
      throw error
    } finally {
      process.unlimit()
    }
  }

  private async started(signal?: AbortSignal): Promise<Started> {
    if (this.process?.isAlive()) return this.process
    await this.close()
    const process = new Started(this.caseDir, this.memoryBytes, this.head)
    this.process = process
    process.limit(startSecondsMax * 1000, signal)
    const said = await process.next()
    process.unlimit()
    if (said !== null && 'ready' in said) {
      process.columns = said.ready
      return process
    }
    await this.close()
    signal?.throwIfAborted()
    if (said !== null && 'error' in said && said.error.kind !== 'fault')
      throw this.errorOf('', said.error, defaultLimits)
    if (said !== null && 'error' in said) throw new Error(said.error.message)
    throw new UserError(`the process for queries could not be started: ${process.howItEnded()}`, {
      hint: 'close other programs, or raise the limits of processes, files and memory (ulimit -u, -n, -v)',
    })
  }

  private errorOf(sql: string, failure: Failure, limits: QueryLimits, isBegun = false): Error {
    if (failure.kind === 'query') return new SqlError(sql, failure, isBegun)
    if (failure.kind === 'memory') return this.memoryError()
    if (failure.kind === 'time') return timeError(limits)
    if (failure.kind === 'case') {
      return new UserError(failure.message, failure.hint === undefined ? {} : { hint: failure.hint })
    }
    return new UserError(`DuckDB failed on this query: ${failure.message}`, {
      hint: 'the case is unharmed; write the query in another way',
    })
  }

  private death(process: Started, limits: QueryLimits): Error {
    if (process.wasLate) return timeError(limits)
    return new UserError(`the process that ran the query died: ${process.howItEnded()}`, {
      hint: 'the case is unharmed; try a smaller query, or more memory with --memory',
    })
  }

  private memoryError(): UserError {
    return new UserError(`the query needs more memory than it may have: ${this.memoryBytes / 2 ** 20} MiB`, {
      hint: 'try a smaller query, or allow more with --memory',
    })
  }
}

function timeError(limits: QueryLimits): UserError {
  return new UserError(`the query was stopped after ${limits.seconds} s`, {
    hint: 'narrow the time or the addresses, or allow more with --timeout',
  })
}

/** One process and what it says. */
class Started {
  columns: Record<string, string[]> = {}
  private status: number | null = null
  /** Whether it was ended because its time was up. */
  wasLate = false
  private signal: string | null = null
  private problem: string | null = null
  private said = ''
  private readonly child: ChildProcess
  private readonly lines: AsyncGenerator<string>
  private readonly ended: Promise<void>
  private isOver = false
  private timer: NodeJS.Timeout | undefined
  private stop: () => void = () => {}

  constructor(caseDir: string, memoryBytes: number, head: string | null) {
    const script = fileURLToPath(new URL('./query-child.js', import.meta.url))
    const threads = Math.min(threadsMax, availableParallelism())
    const mebibytes = Math.max(1, Math.floor(memoryBytes / 2 ** 20))
    const own = [
      process.execPath,
      '--max-old-space-size=768',
      script,
      caseDir,
      String(mebibytes),
      String(threads),
      head ?? '',
    ]
    const [command, ...args] = limited(own, memoryBytes + spareBytes)
    this.child = spawn(command!, args, { stdio: 'pipe', env: bareEnvironment() })
    this.ended = new Promise(resolve => {
      this.child.on('error', error => {
        const failure = systemFailure(error)
        this.problem = failure === null ? error.message : failureLine(failure)
        this.isOver = true
        resolve()
      })
      this.child.on('close', (status, signal) => {
        this.status = status
        this.signal = signal
        this.isOver = true
        resolve()
      })
    })
    // Where no file can be opened, there are no pipes either. A process that died while it was written to is noticed where its answer
    // is read.
    this.child.stdin?.on('error', () => {})
    this.child.stderr?.on('data', piece => {
      if (this.said.length < saidMax) this.said += String(piece)
    })
    this.lines = linesOf((this.child.stdout ?? []) as AsyncIterable<Uint8Array>)
  }

  isAlive(): boolean {
    return !this.isOver
  }

  /** Kills it after a time, or when the signal says so. */
  limit(milliseconds: number, signal: AbortSignal | undefined): void {
    const kill = () => this.child.kill('SIGKILL')
    this.timer = setTimeout(() => {
      this.wasLate = true
      kill()
    }, milliseconds)
    if (signal?.aborted) kill()
    signal?.addEventListener('abort', kill)
    this.stop = () => signal?.removeEventListener('abort', kill)
  }

  unlimit(): void {
    clearTimeout(this.timer)
    this.stop()
  }

  ask(request: object): void {
    this.child.stdin?.write(`${JSON.stringify(request)}\n`)
  }

  /** What it says next; null when it has ended. */
  async next(): Promise<Answer | null> {
    const line = await this.lines.next()
    if (!line.done) return answer(JSON.parse(line.value))
    await this.ended
    return null
  }

  async end(caseDir: string): Promise<void> {
    this.unlimit()
    this.child.kill('SIGKILL')
    // It has ended only when its output has, which nobody reads any more.
    this.child.stdout?.destroy()
    await this.ended
    if (this.child.pid !== undefined) await clearSpill(caseDir, this.child.pid)
  }

  howItEnded(): string {
    if (this.wasLate) return `it did not answer within ${startSecondsMax} s`
    return this.problem ?? howChildEnded(this.status, this.signal, this.said)
  }
}

async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let held: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    let from = 0
    for (let newline = piece.indexOf(10); newline >= 0; newline = piece.indexOf(10, from)) {
      yield Buffer.concat([...held, piece.subarray(from, newline)]).toString('utf8')
      held = []
      bytes = 0
      from = newline + 1
    }
    if (from < piece.length) held.push(piece.subarray(from))
    bytes += piece.length - from
    if (bytes > lineBytesMax) throw new Error('the process of the query said a line without end')
  }
}
