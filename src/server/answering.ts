/** The child's side: reads questions, answers any number of them at the same time, and stops those that nobody waits for. */
import { createInterface } from 'node:readline'
import { UserError } from '../errors.ts'
import { FilterError } from '../filter/error.ts'
import { toLine } from './json-line.ts'
import type { ChildFailure, FromChild, Progress, ToChild } from './message.ts'

export interface WorkContext {
  signal: AbortSignal
  progress(progress: Progress): void
}

/** Answers one kind of question. */
export type Answerer<Held> = (held: Held, question: never, context: WorkContext) => Promise<unknown>

/** Where questions come from, and answers go. */
export interface Ends {
  stdin: NodeJS.ReadableStream
  stdout: NodeJS.WritableStream
  exit(status: number): void
}

/** Answers until the input ends. */
export function answerQuestions<Held>(
  ends: Ends,
  open: () => Promise<Held>,
  answerers: Readonly<Record<string, Answerer<Held>>>,
): void {
  const running = new Map<number, AbortController>()
  let held: Promise<Held> | null = null
  const say = (message: FromChild): void => void ends.stdout.write(`${toLine(message)}\n`)
  const lines = createInterface({ input: ends.stdin })
  lines.on('close', () => ends.exit(0))
  lines.on('line', line => {
    const said = JSON.parse(line) as ToChild
    if ('stop' in said) {
      running.get(said.stop)?.abort(new Error('nobody waits for it any more'))
      return
    }
    const { ask: no, kind, question } = said
    const stopping = new AbortController()
    running.set(no, stopping)
    held ??= open()
    const context: WorkContext = {
      signal: stopping.signal,
      progress: progress => say({ progress: no, ...progress }),
    }
    const answerer = answerers[kind]
    held
      .then(ready => {
        if (answerer === undefined) throw new Error(`nobody answers ${kind}`)
        return answerer(ready, question as never, context)
      })
      .then(value => say({ answer: no, value }))
      .catch((error: unknown) => say({ failed: no, failure: failureOf(error) }))
      .finally(() => running.delete(no))
  })
  // A case that cannot be opened is tried again with the next question.
  lines.on('line', () => held?.catch(() => (held = null)))
}

function failureOf(error: unknown): ChildFailure {
  if (error instanceof FilterError) {
    const { message, hint, offset, length } = error
    return { message, ...(hint !== undefined && { hint }), status: 2, at: { offset, length } }
  }
  if (error instanceof UserError)
    return { message: error.message, ...(error.hint !== undefined && { hint: error.hint }), status: error.status }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error), status: 70 }
}
