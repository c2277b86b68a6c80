/** Queries in SQL: two at a time, each in a process that may be killed; others wait. */
import type { Ending } from '../user-sql/protocol.ts'
import { defaultMemoryBytes, type QueryLimits, QuerySession, type RowSink } from '../user-sql/session.ts'
import { AnswerError, busy } from './message.ts'

const sessionsMax = 2
const waitingMax = 20

export class SqlSessions {
  private readonly caseDir: string
  private readonly head: () => string | null
  private free: (QuerySession | null)[] = Array.from({ length: sessionsMax }, () => null)
  private readonly open = new Set<QuerySession>()
  private readonly waiting: (() => void)[] = []
  private round = 0
  private isClosed = false

  /** @param head the state of the case that is asked. */
  constructor(caseDir: string, head: () => string | null) {
    this.caseDir = caseDir
    this.head = head
  }

  /** As `QuerySession.run`. */
  run(sql: string, limits: QueryLimits, sink: RowSink, signal: AbortSignal): Promise<Ending> {
    return this.use(signal, session => session.run(sql, limits, sink, signal))
  }

  /** How a query would be run, in DuckDB's words. */
  explain(sql: string, limits: QueryLimits, signal: AbortSignal): Promise<string> {
    return this.use(signal, session => session.explain(sql, limits, signal))
  }

  /** Columns of each view. */
  columns(signal: AbortSignal): Promise<Record<string, string[]>> {
    return this.use(signal, session => session.columns(signal))
  }

  /** Ends all processes; the next queries ask the case as it is then. */
  async restart(): Promise<void> {
    this.round++
    this.free = this.free.map(() => null)
    const all = [...this.open]
    this.open.clear()
    await Promise.all(all.map(session => session.close()))
  }

  /** Ends all processes; nothing is asked any more. */
  async close(): Promise<void> {
    this.isClosed = true
    for (const go of this.waiting.splice(0)) go()
    await this.restart()
  }

  private async use<T>(signal: AbortSignal, work: (session: QuerySession) => Promise<T>): Promise<T> {
    await this.turn(signal)
    if (this.isClosed) throw new AnswerError({ message: 'the workbench is closing', status: 75 })
    const round = this.round
    const session = this.free.pop() ?? new QuerySession(this.caseDir, defaultMemoryBytes, this.head())
    this.open.add(session)
    try {
      return await work(session)
    } finally {
      if (this.round === round) this.free.push(session)
      else {
        this.free.push(null)
        await session.close()
      }
      this.waiting.shift()?.()
    }
  }

  /** Waits until a session is free. */
  private async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    while (this.free.length === 0 && !this.isClosed) {
      if (this.waiting.length >= waitingMax) throw busy(`${this.waiting.length} queries wait already`)
      await new Promise<void>((resolve, reject) => {
        const go = (): void => {
          signal.removeEventListener('abort', leave)
          resolve()
        }
        const leave = (): void => {
          this.waiting.splice(this.waiting.indexOf(go), 1)
          reject(signal.reason)
        }
        this.waiting.push(go)
        signal.addEventListener('abort', leave, { once: true })
      })
    }
  }
}
