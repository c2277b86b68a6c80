/** What a watch has done by a process of its own: whatever memory it takes, and however it ends, the watch goes on. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { DetectOptions } from '../detect/detect.ts'
import { UserError } from '../errors.ts'
import type { AddOptions } from '../ingest/add.ts'
import type { FoundFile } from '../input/walk.ts'
import { bareEnvironment } from '../limited-process.ts'
import type { EvidenceFile } from '../store/reports.ts'
import { howChildEnded } from '../system-error.ts'
import type { AlertDraft } from './alert.ts'

/** How files are read, as `add` has it. */
export type Reading = Pick<
  AddOptions,
  'format' | 'formatUnknown' | 'maxExpandRatio' | 'maxExpandedBytes' | 'workers' | 'keepCopies'
>

/** What is looked for, as `detect` has it. */
export type Detecting = Pick<
  DetectOptions,
  'rules' | 'set' | 'ownRules' | 'internal' | 'scanners' | 'minSeverity' | 'enrichment'
>

export interface AddJob {
  kind: 'add'
  case: string
  files: (Pick<FoundFile, 'path' | 'size' | 'problem' | 'unreadable'> & { raw: string | null })[]
  idsAbove: number
  reading: Reading
}

export interface RemoveJob {
  kind: 'remove'
  case: string
  sha256: string
  reason: string
}

export interface DetectJob {
  kind: 'detect'
  cases: string[]
  /** Where several are put together. */
  into: string
  from_us: number
  to_us: number
  detecting: Detecting
}

export type Job = AddJob | RemoveJob | DetectJob

export type AddedFile = Pick<
  EvidenceFile,
  'id' | 'path' | 'sha256' | 'size' | 'status' | 'problem' | 'records' | 'first_start' | 'last_end'
>

export interface Done {
  add: { files: AddedFile[] }
  remove: { removed: number }
  detect: { alerts: AlertDraft[]; connections: number; others: number; problems: string[] }
}

export type Told<K extends Job['kind']> =
  | { done: Done[K] }
  | { failed: { message: string; hint: string | null; isBug: boolean } }

/** The process of a job ended without an answer, or with a bug of Tidemark: something in what it was given is too much for it. */
export class JobDied extends UserError {}

const saidMax = 16_384

/**
 * Has a job done. A signal asks it to end: what is complete by then counts.
 *
 * @throws UserError for what the user can put right; JobDied.
 */
export async function haveDone<J extends Job>(job: J, signal: AbortSignal): Promise<Done[J['kind']]> {
  signal.throwIfAborted()
  const child = spawn(process.execPath, [fileURLToPath(new URL('./job-child.js', import.meta.url))], {
    env: bareEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const stop = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  try {
    const told = await answerOf(child, job)
    if ('done' in told) return told.done
    signal.throwIfAborted()
    const { message, hint, isBug } = told.failed
    throw isBug ? new JobDied(message) : new UserError(message, hint === null ? {} : { hint })
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** The process has its question on standard input, which stays open: its end means that nobody waits any more. */
async function answerOf<J extends Job>(child: ChildProcess, job: J): Promise<Told<J['kind']>> {
  const { stdin, stdout, stderr } = child
  let [answer, said] = ['', '']
  stdout!.setEncoding('utf8').on('data', (piece: string) => {
    answer += piece
  })
  stderr!.setEncoding('utf8').on('data', (piece: string) => {
    if (said.length < saidMax) said += piece
  })
  // Who died does not read it.
  stdin!.on('error', () => undefined)
  stdin!.write(`${JSON.stringify(job)}\n`)
  const [status, killed] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...how) => resolve(how))
  })
  try {
    return JSON.parse(answer) as Told<J['kind']>
  } catch {
    throw new JobDied(
      `the process that was to ${doing[job.kind]} ended early: ${howChildEnded(status, killed, said)}`,
      {
        hint: 'it is tried again',
      },
    )
  }
}

const doing: Record<Job['kind'], string> = {
  add: 'read files',
  remove: 'take a file out of a case',
  detect: 'look for findings',
}
