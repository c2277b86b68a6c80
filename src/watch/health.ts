/** What a supervisor is told: a small file of JSON, written whole. */
import { replaceFile } from '../disk/writing.ts'
import { errorText } from '../errors.ts'
import type { ReceiverState } from './delivery.ts'
import type { LastLook } from './looker.ts'
import type { ReadCounts } from './reader.ts'
import type { MessageCounts, SourceProblem } from './source.ts'

/** Names are fixed by the contract. Times are UTC, ISO 8601. */
export interface Health {
  tidemark: string
  pid: number
  state: 'starting' | 'watching' | 'stopping' | 'stopped'
  /** What is watched, and where its cases are. */
  source: string
  out: string
  started: string
  /** When this was written: older than a minute means that the watch hangs, or is no more. */
  updated: string
  read: ReadCounts & {
    /** When something new was read last. */
    last: string | null
  }
  /** Files that are there and not read yet: still changing, or too many for one batch. */
  waiting_files: number
  /** What keeps all of the source from being read now, as credentials that have expired, or messages from being deleted or held; null: nothing. */
  source_problem: SourceProblem | null
  /** Messages of a queue since the start; null: no queue is watched. */
  messages: MessageCounts | null
  unread: { total: number; files: { path: string; problem: string; tries: number }[] }
  last_look: LastLook | null
  /** Whether something was added that was not looked at yet. */
  look_due: boolean
  alerts: { made: number; waiting: number; oldest_waiting: string | null; receivers: ReceiverState[] }
  last_error: { at: string; what: string } | null
}

/** Whether a file that begins so is of a watch. */
export function isHealth(beginning: Uint8Array): boolean {
  return /^\{\s*"tidemark": "[^"]*",\s*"pid": \d+,/.test(Buffer.from(beginning).toString('latin1'))
}

const beatMilliseconds = 10_000
const atMostEvery = 1000

export class HealthFile {
  private readonly path: string
  private readonly stateOf: () => Health
  private readonly onNote: (text: string) => void
  private last = Number.NEGATIVE_INFINITY
  private timer: NodeJS.Timeout | undefined
  private writing: Promise<void> = Promise.resolve()
  private hasFailed = false

  constructor(path: string, stateOf: () => Health, onNote: (text: string) => void) {
    this.path = path
    this.stateOf = stateOf
    this.onNote = onNote
    this.timer = setInterval(() => void this.write(), beatMilliseconds)
    this.timer.unref()
  }

  /** Something has changed. */
  changed(): void {
    if (performance.now() - this.last >= atMostEvery) void this.write()
  }

  /** Writes it now; one that cannot be written does not stop the watch. */
  write(): Promise<void> {
    this.last = performance.now()
    this.writing = this.writing.then(async () => {
      try {
        await replaceFile(this.path, `${JSON.stringify(this.stateOf(), null, 2)}\n`)
        this.hasFailed = false
      } catch (error) {
        if (!this.hasFailed) this.onNote(`cannot write ${this.path}: ${errorText(error)}`)
        this.hasFailed = true
      }
    })
    return this.writing
  }

  async close(): Promise<void> {
    clearInterval(this.timer)
    await this.write()
  }
}
