/** The rows of an answer. */
import type { Sql } from '../query/sql.ts'
import type { Answer } from '../store/answer.ts'
import type { Case } from '../store/case.ts'
import { reasonOf } from '../store/damage.ts'
import type { Database, Value } from '../store/duckdb.ts'
import { type Plan, totalNames } from './plan.ts'
import type { FlowsRow } from './request.ts'
import { cellReader } from './values.ts'

/** A statement that runs on a connection of its own: it needs no turn, and holds up no other question. */
interface Running {
  db: Database
  answer: Answer
  /** The first rows, read already. */
  batch: Value[][] | null
}

/** What is run for the rows, and what it may take. */
export interface Run {
  statements: readonly Sql[]
  most?: number
  megabytes?: number | null
}

/** The rows of a plan, read as they are asked for; as often as they are asked for. */
export class FlowRows {
  private readonly c: Case
  private readonly plan: Plan
  /** Run one after the other. */
  private statements: readonly Sql[]
  private readonly most: number
  private readonly megabytes: number | null
  private readonly isTooWide: (error: unknown) => boolean
  private readonly wide: Sql | null
  private readonly signal: AbortSignal | undefined
  private begun: Running | null = null

  /**
   * @param statements what is run, one after the other; they name no temporary table.
   * @param most rows that are given out; `megabytes`: what DuckDB may use for it, what is over goes to the disk.
   * @param wide what is run in its place, with the same rows in the same order, after an error that `isTooWide`; null: nothing.
   */
  constructor(
    c: Case,
    plan: Plan,
    { statements, most = Number.POSITIVE_INFINITY, megabytes = null }: Run,
    isTooWide: (error: unknown) => boolean,
    wide: Sql | null,
    signal: AbortSignal | undefined,
  ) {
    this.c = c
    this.plan = plan
    this.statements = statements
    this.most = most
    this.megabytes = megabytes
    this.isTooWide = isTooWide
    this.wide = wide
    this.signal = signal
  }

  /** Begins the statement; its first row. */
  async first(): Promise<readonly Value[] | undefined> {
    this.begun = await this.begin(this.statements[0]!)
    return this.begun.batch?.[0]
  }

  /** Another statement for the same rows. */
  async restartWith(statement: Sql): Promise<void> {
    const { begun } = this
    this.begun = null
    this.statements = [statement]
    await begun?.db.close()
  }

  /** @throws what ended the statement before its last row. */
  async *read(): AsyncGenerator<FlowsRow> {
    const toRow = this.rowMaker()
    // A row that stands for "no groups" has totals only.
    const last = this.plan.totals ? totalNames.length - 1 : null
    let given = 0
    for (let from = 0; ; from = given) {
      try {
        let passed = 0
        for await (const batch of this.batches()) {
          for (const row of batch) {
            if ((last !== null && row[last] === null) || passed++ < from) continue
            if (given === this.most) return
            given++
            yield toRow(row)
          }
        }
        return
      } catch (error) {
        if (this.wide === null || this.isWide() || !this.isTooWide(error)) throw error
        await this.restartWith(this.wide)
      }
    }
  }

  private isWide(): boolean {
    return this.statements[0] === this.wide
  }

  private async *batches(): AsyncGenerator<Value[][]> {
    for (const statement of this.statements) {
      const running = this.begun ?? (await this.begin(statement))
      this.begun = null
      try {
        for (let { batch } = running; batch !== null; batch = await this.next(running)) yield batch
      } finally {
        await running.db.close()
      }
    }
  }

  private async begin(statement: Sql): Promise<Running> {
    this.signal?.throwIfAborted()
    const db = await this.c.db.fork()
    if (this.megabytes !== null) await db.useAtMost(this.megabytes)
    const begun = async (): Promise<Running> => {
      const answer = await db.stream(statement.text, statement.values, this.signal)
      return { db, answer, batch: await answer.next() }
    }
    try {
      return await begun()
    } catch (error) {
      await db.close()
      throw await this.told(error)
    }
  }

  private async next({ answer }: Running): Promise<Value[][] | null> {
    try {
      return await answer.next()
    } catch (error) {
      throw await this.told(error)
    }
  }

  /** The reason of an error. Where another statement is tried next, the segments need not be looked at. */
  private async told(error: unknown): Promise<unknown> {
    const isTried = this.wide !== null && !this.isWide() && this.isTooWide(error)
    return isTried ? error : reasonOf(this.c, error)
  }

  private rowMaker(): (row: readonly Value[]) => FlowsRow {
    const skip = this.plan.totals ? totalNames.length : 0
    const paths = new Map(this.c.evidence.map(file => [file.id, file.path]))
    const readers = this.plan.columns.map(column => ({
      name: column.name,
      read:
        column.name === 'path' ? (value: Value | undefined) => paths.get(Number(value)) ?? null : cellReader(column),
    }))
    return row => {
      const out: FlowsRow = {}
      for (const [i, { name, read }] of readers.entries()) out[name] = read(row[skip + i])
      return out
    }
  }
}
