import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeNew } from '../disk/writing.ts'
import type { SourceBytes } from '../input/read.ts'
import { limited } from '../limited-process.ts'
import { failureLine, howChildEnded, systemFailure } from '../system-error.ts'
import { type Layout, layoutOf } from '../vpc-text/layout.ts'

/** A child that is over this size is ended: a crafted file may ask for any amount. */
const childBytesMax = 3 * 2 ** 30
const silentMillisecondsMax = 60_000
const lookMilliseconds = 200

/** Signals that no file can cause. */
const byOthers: readonly string[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']

interface Head {
  columns: string[] | null
  schema: { name: string; type: string }[]
  rows: number
}

/**
 * Reads VPC flow logs in Parquet in a process that may die.
 *
 * DuckDB's reader can be crashed by a crafted file, so it runs in a child with limits on memory and time, over a copy under a
 * name that we chose (a name with a wildcard would read other files). Only text comes back: the first line names the columns, the others
 * are flow-log lines, which the text reader checks like any others.
 */
export class ParquetLines {
  private readonly child: ChildProcess
  private readonly staged: string
  private readonly pieces: AsyncIterator<Uint8Array>
  private readonly ended: Promise<string | null>
  private readonly stopped: () => boolean
  private rest: Uint8Array = new Uint8Array(0)
  private errors = ''
  /** Rows that the file says it has. */
  rows = 0

  private constructor(child: ChildProcess, staged: string, stopped: () => boolean) {
    this.stopped = stopped
    this.child = child
    this.staged = staged
    this.pieces = (child.stdout as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
    child.stderr?.on('data', piece => {
      if (this.errors.length < 4096) this.errors += String(piece)
    })
    this.ended = new Promise(resolve => {
      child.on('error', error => resolve(notStarted(error)))
      child.on('close', (code, signal) => resolve(code === 0 ? null : this.howItEnded(code, signal)))
    })
  }

  /** @param stopped whether the reading is to end early: the child is ended then. */
  static async open(
    source: Pick<SourceBytes, 'sha256' | 'open'>,
    stagingDir: string,
    stopped: () => boolean,
  ): Promise<ParquetLines> {
    const staged = join(stagingDir, `${source.sha256}-${randomBytes(8).toString('hex')}.parquet`)
    try {
      await writeNew(staged, source.open())
    } catch (error) {
      await rm(staged, { force: true })
      throw error
    }
    const script = fileURLToPath(new URL('./parquet-child.js', import.meta.url))
    const command = [process.execPath, '--max-old-space-size=512', script, staged]
    const [first, ...rest] = limited(command, childBytesMax)
    // In a group of its own: Ctrl-C at a terminal is for whoever started the reading, and says nothing of the file.
    const child = spawn(first!, rest, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    // Where no file can be opened, there are no pipes either.
    if (child.stdout) return new ParquetLines(child, staged, stopped)
    const [error] = (await once(child, 'error')) as [Error]
    await rm(staged, { force: true })
    throw new Error(notStarted(error), { cause: error })
  }

  /** The layout of the lines; null if the file has not the columns of a flow log. @throws when the child died. */
  async layout(): Promise<Layout | null> {
    const { columns, rows } = await this.head()
    this.rows = rows
    return columns === null ? null : layoutOf(columns)
  }

  /** In the place of `layout`: all columns by the names that they have in the file, with DuckDB's types. @throws when the child died. */
  async columns(): Promise<Head['schema']> {
    return (await this.head()).schema
  }

  private async head(): Promise<Head> {
    let head = new Uint8Array(0)
    for (;;) {
      const newline = head.indexOf(10)
      if (newline >= 0) {
        this.rest = head.subarray(newline + 1)
        return JSON.parse(new TextDecoder().decode(head.subarray(0, newline))) as Head
      }
      const piece = await this.next()
      if (piece === null) throw new Error((await this.ended) ?? 'the Parquet reader said nothing')
      const longer = new Uint8Array(head.length + piece.length)
      longer.set(head)
      longer.set(piece, head.length)
      head = longer
    }
  }

  /** The flow-log lines. @throws when the child died before it had given all. */
  async *lines(): AsyncGenerator<Uint8Array> {
    if (this.rest.length > 0) yield this.rest
    for (let piece = await this.next(); piece !== null; piece = await this.next()) yield piece
    const failure = await this.ended
    if (failure !== null) throw new Error(failure)
  }

  /** Ends the child if it still lives, and removes the copy. */
  async close(): Promise<void> {
    this.child.kill('SIGKILL')
    // It has ended only when its output has, which nobody reads any more.
    this.child.stdout?.destroy()
    await this.ended
    await rm(this.staged, { force: true })
  }

  private async next(): Promise<Uint8Array | null> {
    // Looks are counted, not time: where this process was suspended, the child was not silent.
    let looks = 0
    const timer = setInterval(() => {
      if (++looks * lookMilliseconds > silentMillisecondsMax || this.stopped()) this.child.kill('SIGKILL')
    }, lookMilliseconds)
    try {
      const piece = await this.pieces.next()
      return piece.done ? null : piece.value
    } finally {
      clearInterval(timer)
    }
  }

  private howItEnded(code: number | null, signal: string | null): string {
    if (signal !== null && byOthers.includes(signal))
      return `the Parquet reader was ended by another process (signal ${signal}): no row was kept; add the file once more`
    const how = howChildEnded(code, signal, this.errors)
    if (signal !== null)
      return `the Parquet reader died (${how}): the file is damaged or hostile, or memory is short; none of its rows are kept`
    return this.errors.trim() === '' ? `the Parquet reader ended with ${how}` : `Parquet: ${how}`
  }
}

function notStarted(error: Error): string {
  const failure = systemFailure(error)
  return `the Parquet reader could not be started: ${failure === null ? error.message : failureLine(failure)}`
}
