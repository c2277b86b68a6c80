/** The child's side: reads questions, answers any number of them at the same time, and stops those that nobody waits for. */
import { createInterface } from 'node:readline'
import { UserError } from '../errors.ts'
import { FilterError } from '../filter/error.ts'
import { failureLine, systemFailure } from '../system-error.ts'
import { toLine } from './json-line.ts'
import { answerBytesMax, type ChildFailure, type FromChild, type Progress, type ToChild } from './message.ts'

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

/** Answers until the input ends. `open` is begun at once, and tried again with the next question where it failed. */
export function answerQuestions<Held>(
  ends: Ends,
  open: () => Promise<Held>,
  answerers: Readonly<Record<string, Answerer<Held>>>,
): void {
  const running = new Map<number, AbortController>()
  const say = (message: FromChild): void => void ends.stdout.write(`${toLine(message)}\n`)
  const give = (no: number, value: unknown): void => {
    const payload = Buffer.from(toLine(value))
    if (payload.length > answerBytesMax) throw tooMuch()
    say({ answer: no, bytes: payload.length })
    ends.stdout.write(payload)
  }
  let held: Promise<Held> | null = null
  const opened = (): Promise<Held> => {
    if (held !== null) return held
    const opening = open()
    held = opening
    opening.catch(() => {
      if (held === opening) held = null
    })
    return opening
  }
  const answer = async (no: number, kind: string, question: unknown): Promise<void> => {
    const stopping = new AbortController()
    running.set(no, stopping)
    const context: WorkContext = {
      signal: stopping.signal,
      progress: progress => say({ progress: no, ...progress }),
    }
    try {
      const answerer = answerers[kind]
      if (answerer === undefined) throw new Error(`nobody answers ${kind}`)
      const ready = await opened()
      stopping.signal.throwIfAborted()
      give(no, await answerer(ready, question as never, context))
    } catch (error) {
      say({ failed: no, failure: failureOf(error) })
    } finally {
      running.delete(no)
    }
  }
  const lines = createInterface({ input: ends.stdin })
  lines.on('close', () => ends.exit(0))
  ends.stdout.on('error', () => ends.exit(0))
  lines.on('line', line => {
    const said = JSON.parse(line) as ToChild
    if ('stop' in said) running.get(said.stop)?.abort(new UserError('it was stopped'))
    else void answer(said.ask, said.kind, said.question)
  })
  say({ ready: true })
  void opened()
}

function tooMuch(): UserError {
  return new UserError('the answer is larger than a page can take', { hint: 'narrow the filter or the time' })
}

function failureOf(error: unknown): ChildFailure {
  if (error instanceof FilterError) {
    const { message, hint, offset, length } = error
    return { message, ...(hint !== undefined && { hint }), status: 2, at: { offset, length } }
  }
  if (error instanceof UserError)
    return { message: error.message, ...(error.hint !== undefined && { hint: error.hint }), status: error.status }
  const system = systemFailure(error)
  if (system !== null) return { message: failureLine(system), hint: system.hint, status: 1 }
  if (error instanceof RangeError && /string length/i.test(error.message)) return failureOf(tooMuch())
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error), status: 70 }
}
