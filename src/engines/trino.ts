/**
 * Trino over its own protocol: a statement is posted, and each answer says where the next one is, until there is none. Cancelled by deleting
 * that. Node's `fetch` alone; no header, URL or body of a request is part of a message.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode, errorText, exitStatus, UserError } from '../errors.ts'
import type { Sql } from '../query/sql.ts'
import { trino, withValues } from '../query/trino-printer.ts'
import { visible } from '../visible.ts'
import type { AskOptions, Engine, EngineTable, Estimate, Ran, TextRow } from './engine.ts'
import { pageIn, type TrinoPage } from './trino-page.ts'
import type { TrinoPlace, TrinoUser } from './trino-place.ts'
import { estimateOf, tableOf } from './trino-table.ts'

export interface TrinoLimits {
  /** A statement that takes longer is cancelled; milliseconds. */
  time_ms?: number
  /** Once all statements together have read more, the one that runs is ended by the engine, which looks now and then. */
  bytes?: number
  /** Of the waits between attempts, for tests: 1 is a tenth of a second, then twice as long each time. */
  patience?: number
  /** Told, in words, when the engine does not answer and is asked again; once, until it answers. */
  onRetry?: (text: string) => void
}

/** A statement, and the header that limits what it reads. */
interface Sent {
  text: string
  limit: Record<string, string>
}

const attemptsMost = 8
const resubmissionsMost = 2
const requestMilliseconds = 120_000
const busy: ReadonlySet<number> = new Set([429, 502, 503, 504])
/** Of a page: a coordinator that was started again knows no statement of before. */
const forgotten: ReadonlySet<number> = new Set([404, 410])

/** An error of the engine itself. */
class TrinoError extends UserError {
  readonly code: string
  readonly type: string

  constructor({ message, errorName, errorType }: NonNullable<TrinoPage['error']>, id: string) {
    super(`the engine refuses: ${visible(message).slice(0, 2000)}`, { hint: hintOf(errorName, errorType, id) })
    this.code = errorName
    this.type = errorType
  }
}

function hintOf(name: string, type: string, id: string): string {
  const query = `${visible(name)}, query ${visible(id)}`
  if (name === 'EXCEEDED_SCAN_LIMIT')
    return `a narrower window or filter reads less, or --max-bytes allows more (${query})`
  if (type === 'INSUFFICIENT_RESOURCES') return `a narrower window or filter, or fewer groups, needs less (${query})`
  return mayPass.has(type) ? `it may pass: ask again (${query})` : query
}

/** Types of errors that a second attempt may not meet. */
const mayPass: ReadonlySet<string> = new Set(['INTERNAL_ERROR', 'EXTERNAL'])

export class Trino implements Engine {
  readonly name = 'trino'
  readonly dialect = trino
  /** Trino refuses more than a million (`query.max-length`). */
  readonly lettersMost = 900_000
  readonly place: string
  readonly ran: Ran[] = []
  private readonly at: TrinoPlace
  private readonly headers: Record<string, string>
  private readonly limits: TrinoLimits
  /** Whether it was said that it is asked again, since it answered last. */
  private isTold = false

  constructor(at: TrinoPlace, { user, password, token }: TrinoUser, limits: TrinoLimits = {}) {
    this.at = at
    this.limits = limits
    this.place = `${at.origin}/${at.catalog}/${at.schema}/${at.table}`
    const basic = Buffer.from(`${user}:${password}`).toString('base64')
    this.headers = {
      'X-Trino-User': user,
      'X-Trino-Source': 'tidemark',
      'X-Trino-Time-Zone': 'UTC',
      ...(token !== null && { Authorization: `Bearer ${token}` }),
      ...(token === null && password !== null && { Authorization: `Basic ${basic}` }),
    }
  }

  sent(statement: Sql): string {
    return withValues(statement)
  }

  table(options: AskOptions = {}): Promise<EngineTable> {
    return tableOf(this.at, statement => this.ask(statement, options))
  }

  estimate(statement: Sql, table: EngineTable, partitions: Sql | null, options: AskOptions = {}): Promise<Estimate> {
    return estimateOf(this.at, statement, table, partitions, asked => this.ask(asked, options))
  }

  async *ask(statement: Sql, options: AskOptions = {}): AsyncGenerator<TextRow[]> {
    const text = this.sent(statement)
    for (let tried = 0; ; tried++) {
      let given = false
      try {
        for await (const rows of this.once(text, options)) {
          given = true
          yield rows
        }
        return
      } catch (error) {
        // Rows that were given out would come a second time.
        if (given || tried >= resubmissionsMost || !(error instanceof TrinoError) || !mayPass.has(error.type))
          throw error
        await this.wait(tried, options.signal)
      }
    }
  }

  private async *once(text: string, { signal, onProgress }: AskOptions): AsyncGenerator<TextRow[]> {
    const timer = this.limits.time_ms === undefined ? undefined : AbortSignal.timeout(this.limits.time_ms)
    const stop = AbortSignal.any([signal, timer].filter(one => one !== undefined))
    let next: string | null = null
    let isDone = false
    const limit = this.limitLeft()
    const run: Ran = { id: '', bytes: null }
    try {
      let page = await this.request('POST', '/v1/statement', stop, { text, limit })
      run.id = page.id
      this.ran.push(run)
      for (;;) {
        next = page.next
        run.bytes = page.bytes ?? run.bytes
        onProgress?.({ state: page.state, bytes: page.bytes, rows: page.rows, done: page.done })
        if (page.error !== null) {
          isDone = true
          throw new TrinoError(page.error, run.id)
        }
        if (page.data.length > 0) yield page.data
        if (next === null) {
          isDone = true
          return
        }
        page = await this.request('GET', next, stop)
      }
    } catch (error) {
      if (timer?.aborted === true && signal?.aborted !== true)
        throw new UserError('the engine takes too long: the statement was cancelled', {
          hint: 'a narrower window or filter reads less, or --time-limit allows more',
        })
      throw error
    } finally {
      // Also where the reader of the rows has enough.
      if (!isDone && next !== null) await this.cancel(next)
    }
  }

  /** What may be read still, as a header; none where there is no limit. @throws UserError where all was read that may be. */
  private limitLeft(): Record<string, string> {
    const { bytes } = this.limits
    if (bytes === undefined) return {}
    const left = bytes - this.ran.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
    if (left > 0) return { 'X-Trino-Session': `query_max_scan_physical_bytes=${left}B` }
    throw new UserError('the question reads more than --max-bytes: no other statement was sent', {
      hint: `a narrower window or filter reads less, or --max-bytes allows more (query ${visible(this.ran.at(-1)?.id ?? '')})`,
    })
  }

  /** What cannot be cancelled ends by itself: Trino abandons a statement whose answers nobody fetches. */
  private async cancel(next: string): Promise<void> {
    const options = { method: 'DELETE', headers: this.headers, signal: AbortSignal.timeout(3000) }
    await fetch(`${this.at.origin}${next}`, options).catch(() => undefined)
  }

  private async request(method: 'POST' | 'GET', path: string, stop: AbortSignal, sent?: Sent): Promise<TrinoPage> {
    for (let tried = 0; ; tried++) {
      stop.throwIfAborted()
      const answer = await this.fetched(method, path, stop, sent, tried)
      if (answer === null) continue
      if (busy.has(answer.status) && tried + 1 < attemptsMost) {
        await answer.body?.cancel()
        this.tell(`${this.at.origin} answers with status ${answer.status}`)
        await this.wait(tried, stop, Number(answer.headers.get('retry-after')))
        continue
      }
      if (method === 'GET' && forgotten.has(answer.status)) throw this.forgot(answer.status)
      if (answer.status !== 200) throw this.refused(answer.status)
      try {
        const page = await pageIn(answer)
        this.isTold = false
        return page
      } catch (error) {
        stop.throwIfAborted()
        if (error instanceof UserError) throw error
        // The same page can be fetched again; a statement that was taken is not sent a second time here.
        if (method === 'POST' || tried + 1 >= attemptsMost) throw this.unreachable(error)
        this.tell(`no answer from ${this.at.origin} (${reasonOf(error)})`)
        await this.wait(tried, stop)
      }
    }
  }

  /** The answer; null where there was none, and another attempt may have one. */
  private async fetched(
    method: 'POST' | 'GET',
    path: string,
    stop: AbortSignal,
    sent: Sent | undefined,
    tried: number,
  ): Promise<Response | null> {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(requestMilliseconds)])
    const options = {
      method,
      headers: { ...this.headers, ...sent?.limit },
      signal,
      redirect: 'manual' as const,
      ...(sent !== undefined && { body: sent.text }),
    }
    try {
      return await fetch(`${this.at.origin}${path}`, options)
    } catch (error) {
      stop.throwIfAborted()
      if ((method === 'POST' && isLasting(error)) || tried + 1 >= attemptsMost) throw this.unreachable(error)
      this.tell(`no answer from ${this.at.origin} (${reasonOf(error)})`)
      await this.wait(tried, stop)
      return null
    }
  }

  private async wait(tried: number, stop?: AbortSignal, seconds = 0): Promise<void> {
    const { patience = 1 } = this.limits
    const ms = Math.max(100 * 2 ** tried, Math.min(seconds > 0 ? seconds : 0, 60) * 1000) * (0.5 + Math.random())
    await sleep(ms * patience, undefined, stop === undefined ? {} : { signal: stop }).catch(() =>
      stop?.throwIfAborted(),
    )
  }

  private tell(what: string): void {
    if (this.isTold) return
    this.isTold = true
    this.limits.onRetry?.(`${what}: trying again, ${attemptsMost} times in all`)
  }

  private unreachable(error: unknown): UserError {
    return new UserError(`the engine cannot be reached: ${this.at.origin} (${reasonOf(error)})`, {
      hint: isBadPort(error)
        ? 'that port is of another protocol, and Node sends it no HTTP: is the address right?'
        : 'is the address right, and is it up?',
    })
  }

  private forgot(status: number): UserError {
    return new UserError(
      `the engine no longer knows the statement: ${this.at.origin} answers with status ${status} for the rest of it`,
      { hint: 'was it started again meanwhile? ask again' },
    )
  }

  private refused(status: number): UserError {
    const isUser = status === 401 || status === 403
    return new UserError(`the engine refuses: ${this.at.origin} answers with status ${status}`, {
      ...(isUser && { status: exitStatus.usage }),
      hint: isUser
        ? 'set TIDEMARK_TRINO_USER, and TIDEMARK_TRINO_PASSWORD or TIDEMARK_TRINO_TOKEN, in the environment'
        : 'is it a coordinator of Trino, and is it trino+https:// that it wants?',
    })
  }
}

/** What stays as it is, however often the engine is asked: nobody listens there, the name, the port or the certificate is wrong. */
function isLasting(error: unknown): boolean {
  return isBadPort(error) || /^(ECONNREFUSED|ENOTFOUND)$|CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(codeOf(error))
}

/** Node's `fetch` asks none of the ports of https://fetch.spec.whatwg.org/#port-blocking, and its error has no code. */
function isBadPort(error: unknown): boolean {
  return errorText(causeOf(error)) === 'bad port'
}

function reasonOf(error: unknown): string {
  return visible(codeOf(error) || errorText(causeOf(error)))
}

/** Empty: it has none. */
function codeOf(error: unknown): string {
  return errorCode(causeOf(error)) ?? ''
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error
}
