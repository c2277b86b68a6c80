/**
 * Athena over AWS's own client: a statement is started under a token of its own, looked at until it is done, and its answer read from where
 * Athena has written it. What is asked of AWS fails in words that hold no secret.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { athenaClient, type QueryExecution, s3Client } from '../aws/clients.ts'
import { type Asked, AwsError, ask } from '../aws/errors.ts'
import type { AwsOptions } from '../aws/options.ts'
import { nextMark } from '../aws/pages.ts'
import { objectPieces } from '../aws/s3-object.ts'
import { assert, errorText, UserError } from '../errors.ts'
import type { Sql } from '../query/sql.ts'
import { athena, boundText } from '../query/trino-printer.ts'
import { visible } from '../visible.ts'
import { CsvReader } from './athena-csv.ts'
import { sizeOf } from './athena-objects.ts'
import { type AthenaOptions, type AthenaPlace, checkOutputLocation } from './athena-place.ts'
import { tableOf } from './athena-table.ts'
import { partitionCounts } from './catalogue.ts'
import type { AskOptions, Engine, EngineTable, Estimate, EstimateOptions, Ran, TextRow } from './engine.ts'

export interface AthenaLimits {
  /** A statement that takes longer is cancelled; milliseconds. */
  time_ms?: number
  /** Once all statements together have read more, the one that runs is cancelled. */
  bytes?: number
  /** Told the id of a statement that was not run, for an earlier answer of it was taken. */
  onReuse?: (id: string) => void
  /** Of the waits between looks, for tests: 1 is from a fifth of a second up to three seconds. */
  patience?: number
}

const resubmissionsMost = 2
const looksLostMost = 2
const statementBytesMost = 262_144
const valueCharactersMost = 1024
const rowsOfPage = 1000
/** How long is waited for the answer to a start, and to a cancel, once the work was stopped. */
const graceMilliseconds = 3000
/** A timer takes no longer time. */
const longest_ms = 2 ** 31 - 1

/** A statement was given up, and Athena did not take that: it may run to its end, and cost. */
class StillRunning extends UserError {
  constructor(cause: unknown, id: string) {
    super(`${errorText(cause)}; query ${visible(id)} could not be cancelled, and may still run`, {
      hint: `${shownBy(id)}; aws athena stop-query-execution cancels it, and needs athena:StopQueryExecution`,
      cause,
    })
  }
}

/** How to see a statement that this process does not wait for any more. */
function shownBy(id: string): string {
  return `aws athena get-query-execution --query-execution-id ${visible(id)} tells how it is`
}

/** A statement that failed on Athena. */
class AthenaFailure extends UserError {
  /** Athena's engine puts it before its words: `COLUMN_NOT_FOUND`. */
  readonly code: string
  readonly mayPass: boolean

  constructor(reason: string, id: string, mayPass: boolean) {
    super(`the engine refuses: ${visible(reason).slice(0, 2000)}`, { hint: hintOf(reason, id) })
    this.code = /^([A-Z][A-Z_]+):/.exec(reason)?.[1] ?? ''
    this.mayPass = mayPass
  }
}

function hintOf(reason: string, id: string): string {
  const query = `query ${visible(id)}`
  if (/bytes scanned limit/i.test(reason))
    return `the workgroup limits what is read: a narrower window or filter reads less (${query})`
  return /exhausted resources|RESOURCE/i.test(reason)
    ? `a narrower window or filter, or fewer groups, needs less (${query})`
    : query
}

type Client = Awaited<ReturnType<typeof athenaClient>>

export class Athena implements Engine {
  readonly name = 'athena'
  readonly dialect = athena
  readonly lettersMost = statementBytesMost
  readonly place: string
  readonly ran: Ran[] = []
  private readonly at: AthenaPlace
  private readonly options: AthenaOptions & { aws: AwsOptions }
  private readonly limits: AthenaLimits
  /** Tokens of the statements whose answers were not read to the end, by what was sent: under its token each is found again, and not run twice. */
  private readonly begun = new Map<string, string>()
  private made: Promise<Client> | null = null

  /** @throws UserError (status 2) for a place of answers that cannot be one. */
  constructor(at: AthenaPlace, options: AthenaOptions & { aws: AwsOptions }, limits: AthenaLimits = {}) {
    if (options.outputLocation !== null) checkOutputLocation(options.outputLocation)
    this.at = at
    this.options = options
    this.limits = limits
    this.place = `athena://${at.catalog}/${at.database}/${at.table}`
  }

  sent({ text, values }: Sql): string {
    return values.length === 0 ? text : `${text}\nUSING ${values.map(boundText).join(', ')}`
  }

  shownBy(id: string): string {
    return shownBy(id)
  }

  async table(options: AskOptions = {}): Promise<EngineTable> {
    return tableOf(await this.client(), this.at, statement => this.ask(statement, options), options.signal)
  }

  /** How much there is Athena does not say: the objects are listed. */
  async estimate(_: Sql, table: EngineTable, partitions: Sql | null, options: EstimateOptions = {}): Promise<Estimate> {
    const parts = [this.at.database, this.at.table]
    const counts = await partitionCounts(parts, table, partitions, statement => this.ask(statement, options))
    return { ...counts, ...(await sizeOf(table, counts.partitions, this.options.aws, options)) }
  }

  async *ask(statement: Sql, options: AskOptions = {}): AsyncGenerator<TextRow[]> {
    checkSize(statement)
    const timer =
      this.limits.time_ms === undefined ? undefined : AbortSignal.timeout(Math.min(this.limits.time_ms, longest_ms))
    const stop = AbortSignal.any([options.signal, timer].filter(one => one !== undefined))
    try {
      yield* this.answer(await this.done(statement, stop, options), stop)
      this.begun.delete(this.sent(statement))
    } catch (error) {
      if (error instanceof StillRunning) throw error
      if (timer?.aborted === true && options.signal?.aborted !== true)
        throw new UserError('the engine takes too long: the statement was cancelled', {
          hint: 'a narrower window or filter reads less, or --time-limit allows more',
        })
      throw error
    }
  }

  /** Runs it until it has an answer; what fails within Athena is run twice more. */
  private async done(statement: Sql, stop: AbortSignal, options: AskOptions): Promise<QueryExecution> {
    for (let tried = 0; ; tried++) {
      try {
        return await this.once(statement, stop, options)
      } catch (error) {
        if (tried >= resubmissionsMost || !(error instanceof AthenaFailure) || !error.mayPass) throw error
        await this.wait(tried, stop)
      }
    }
  }

  private async once(statement: Sql, stop: AbortSignal, { onProgress }: AskOptions): Promise<QueryExecution> {
    stop.throwIfAborted()
    this.checkRead(readBy(this.ran), this.ran.at(-1)?.id ?? '')
    const id = await this.start(statement, stop)
    const known = this.ran.find(one => one.id === id)
    const run: Ran = known ?? { id, bytes: null }
    if (known === undefined) this.ran.push(run)
    const before = readBy(this.ran.filter(one => one !== run))
    let isDone = false
    try {
      for (let looked = 0; ; looked++) {
        stop.throwIfAborted()
        const execution = await this.look(run.id, stop)
        const { Status: { State: state = '' } = {}, Statistics: statistics } = execution
        run.bytes = statistics?.DataScannedInBytes ?? run.bytes
        if (statistics?.ResultReuseInformation?.ReusedPreviousResult === true && run.reused === undefined) {
          run.reused = true
          this.limits.onReuse?.(run.id)
        }
        onProgress?.({ id, state, bytes: run.bytes, rows: null, done: null })
        isDone = state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED'
        if (state === 'SUCCEEDED') return execution
        if (isDone) throw failureOf(execution, run.id)
        this.checkRead(before + (run.bytes ?? 0), run.id)
        await this.wait(looked, stop)
      }
    } catch (error) {
      if (!isDone && !(await this.cancel(run.id))) throw new StillRunning(error, run.id)
      this.begun.delete(this.sent(statement))
      throw error
    }
  }

  private checkRead(bytes: number, id: string): void {
    if (this.limits.bytes === undefined || bytes <= this.limits.bytes) return
    throw new UserError('the question reads more than --max-bytes: the statement was cancelled', {
      hint: `a narrower window or filter reads less, or --max-bytes allows more (query ${visible(id)})`,
    })
  }

  /** Starts it once, however often the request is sent: the token stands for it. */
  private async start(statement: Sql, stop: AbortSignal): Promise<string> {
    const { text, values } = statement
    const { sdk, client } = await this.client()
    const { workgroup, outputLocation, reuseMinutes } = this.options
    const token = this.begun.get(this.sent(statement)) ?? randomUUID()
    this.begun.set(this.sent(statement), token)
    const command = new sdk.StartQueryExecutionCommand({
      QueryString: text,
      ClientRequestToken: token,
      QueryExecutionContext: { Catalog: this.at.catalog, Database: this.at.database },
      ...(values.length > 0 && { ExecutionParameters: values.map(boundText) }),
      ...(workgroup !== null && { WorkGroup: workgroup }),
      ...(reuseMinutes !== undefined && {
        ResultReuseConfiguration: {
          ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: reuseMinutes },
        },
      }),
      ...(outputLocation !== null && { ResultConfiguration: { OutputLocation: outputLocation } }),
    })
    // It is not broken off: what was started without our knowing its name could not be cancelled.
    const late = new AbortController()
    const giveUp = (): void => void setTimeout(() => late.abort(stop.reason), graceMilliseconds).unref()
    stop.addEventListener('abort', giveUp, { once: true })
    const asked = this.asked('ask Athena', 'athena:StartQueryExecution')
    try {
      const { QueryExecutionId: id } = await ask(asked, () => client.send(command, { abortSignal: late.signal }))
      assert(id !== undefined, 'Athena names what it starts')
      return id
    } catch (error) {
      stop.throwIfAborted()
      if (!isLost(error)) throw error
      throw new UserError(`${error.message}; whether the statement was started is not known`, {
        hint: `${error.hint}; aws athena list-query-executions --work-group ${visible(asked.name)} lists what runs`,
        cause: error,
      })
    } finally {
      stop.removeEventListener('abort', giveUp)
    }
  }

  /** Where no answer comes, the statement goes on: it is looked for twice more. */
  private async look(id: string, stop: AbortSignal): Promise<QueryExecution> {
    const { sdk, client } = await this.client()
    const command = new sdk.GetQueryExecutionCommand({ QueryExecutionId: id })
    const asked = this.asked(`ask Athena how query ${id} is`, 'athena:GetQueryExecution')
    for (let lost = 0; ; lost++) {
      try {
        const { QueryExecution: found } = await ask(asked, () => client.send(command, { abortSignal: stop }), stop)
        assert(found !== undefined, 'Athena knows what it started')
        return found
      } catch (error) {
        if (lost >= looksLostMost || !isLost(error)) throw error
        await this.wait(lost, stop)
      }
    }
  }

  /** Whether it could be cancelled. */
  private async cancel(id: string): Promise<boolean> {
    const { sdk, client } = await this.client()
    const options = { abortSignal: AbortSignal.timeout(graceMilliseconds) }
    const stopping = client.send(new sdk.StopQueryExecutionCommand({ QueryExecutionId: id }), options)
    return stopping.then(
      () => true,
      () => false,
    )
  }

  private async *answer(execution: QueryExecution, stop: AbortSignal): AsyncGenerator<TextRow[]> {
    try {
      yield* this.rows(execution, stop)
    } catch (error) {
      if (!isLost(error)) throw error
      const id = execution.QueryExecutionId ?? ''
      const hint = `${error.hint}; the answer of query ${visible(id)} is there: ${shownBy(id)}, and where`
      throw new UserError(error.message, { hint, cause: error })
    }
  }

  /** Out of the file that Athena wrote; through Athena where that is missing or cannot be read. */
  private async *rows(execution: QueryExecution, stop: AbortSignal): AsyncGenerator<TextRow[]> {
    const { OutputLocation: location = '', EncryptionConfiguration: encrypted } = execution.ResultConfiguration ?? {}
    const place = /^s3:\/\/([^/]+)\/(.+)$/.exec(location)
    // What was encrypted before it was sent to S3 only Athena reads.
    if (place === null || encrypted?.EncryptionOption === 'CSE_KMS') return yield* this.pages(execution, stop)
    const s3 = await s3Client(this.options.aws)
    const reader = new CsvReader()
    let isBegun = false
    try {
      for await (const piece of objectPieces(s3, place[1]!, place[2]!, { signal: stop })) {
        isBegun = true
        const rows = reader.rows(piece)
        if (rows.length > 0) yield rows
      }
    } catch (error) {
      if (isBegun || !(error instanceof AwsError) || (error.http !== 403 && error.http !== 404)) throw error
      return yield* this.pagesAfter(error, execution, stop)
    } finally {
      s3.client.destroy()
    }
    const rest = reader.end()
    if (rest.length > 0) yield rest
  }

  /** @throws UserError with both causes, where the pages cannot be read either. */
  private async *pagesAfter(failed: AwsError, execution: QueryExecution, stop: AbortSignal): AsyncGenerator<TextRow[]> {
    try {
      yield* this.pages(execution, stop)
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      throw new UserError(`${error.message}; and ${failed.message}`, {
        hint: `one of both is enough: ${error.hint}; or ${failed.hint}`,
        cause: error,
      })
    }
  }

  private async *pages({ QueryExecutionId: id }: QueryExecution, stop: AbortSignal): AsyncGenerator<TextRow[]> {
    const { sdk, client } = await this.client()
    const asked = this.asked('read the answer of Athena', 'athena:GetQueryResults')
    let token: string | undefined
    let width: number | null = null
    do {
      const command = new sdk.GetQueryResultsCommand({
        ...{ QueryExecutionId: id, MaxResults: rowsOfPage },
        ...(token !== undefined && { NextToken: token }),
      })
      const page = await ask(asked, () => client.send(command, { abortSignal: stop }), stop)
      const rows = (page.ResultSet?.Rows ?? []).map(({ Data = [] }) => Data.map(one => one.VarCharValue ?? null))
      token = nextMark(asked, token, page.NextToken)
      // The names come first. Without them it is not an answer.
      const own: TextRow[] = width === null ? rows.slice(1) : rows
      width ??= rows[0]?.length ?? null
      if (width === null || own.some(row => row.length !== width))
        throw new UserError('the answer of Athena is damaged: rows and names do not fit', { hint: 'ask again' })
      if (own.length > 0) yield own
    } while (token !== undefined)
  }

  private asked(doing: string, right: string): Asked {
    return { doing, of: 'workgroup', name: this.options.workgroup ?? 'primary', right }
  }

  private client(): Promise<Client> {
    this.made ??= athenaClient(this.options.aws)
    return this.made
  }

  private async wait(tried: number, stop: AbortSignal): Promise<void> {
    const { patience = 1 } = this.limits
    const ms = Math.min(200 * 1.5 ** tried, 3000) * (0.75 + Math.random() / 2) * patience
    await sleep(ms, undefined, { signal: stop }).catch(() => stop.throwIfAborted())
  }
}

function readBy(ran: readonly Ran[]): number {
  return ran.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0)
}

function isLost(error: unknown): error is AwsError {
  return error instanceof AwsError && error.isTransient
}

function failureOf({ Status: status = {} }: QueryExecution, id: string): UserError {
  const reason = status.StateChangeReason ?? status.AthenaError?.ErrorMessage ?? 'it does not say why'
  if (status.State === 'CANCELLED' && !/limit/i.test(reason))
    return new UserError('the statement was cancelled on Athena', { hint: `query ${visible(id)}` })
  const { ErrorCategory: category, Retryable: retryable } = status.AthenaError ?? {}
  const systemError = 1
  return new AthenaFailure(reason, id, retryable === true || category === systemError)
}

/** @throws UserError for what Athena does not take. */
function checkSize({ text, values }: Sql): void {
  const hint = 'ask in parts, or bring the records into a case and ask there'
  if (Buffer.byteLength(text) > statementBytesMost)
    throw new UserError(`exceeds ${statementBytesMost.toLocaleString('en-US')} bytes of a statement for Athena`, {
      hint,
    })
  if (values.some(value => boundText(value).length > valueCharactersMost))
    throw new UserError(`exceeds ${valueCharactersMost.toLocaleString('en-US')} characters of a text for Athena`, {
      hint,
    })
}
