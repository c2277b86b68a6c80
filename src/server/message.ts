/** What the server and its children say to each other: a line of JSON each. After the line of an answer come its bytes, which are not read on the way. */
import type { Failure } from './contract/common.ts'

export type ToChild =
  | { ask: number; kind: string; question: unknown }
  /** Nobody waits for that answer any more. */
  | { stop: number }

export type FromChild =
  | { ready: true }
  | { answer: number; bytes: number }
  | { progress: number; doing: string; done: number | null; of: number | null }
  | { failed: number; failure: ChildFailure }

/** `status`: 2 where the question cannot be meant, 1 where it could not be answered, 70 for a bug, 75 where it may be later. */
export interface ChildFailure {
  message: string
  hint?: string
  status: number
  at?: NonNullable<Failure['at']>
}

export interface Progress {
  doing: string
  done: number | null
  of: number | null
}

/** Largest answer of a child, and largest other message. */
export const answerBytesMax = 256 * 2 ** 20
export const lineBytesMax = 16 * 2 ** 20

/** An answer that did not come: what the page is told. */
export class AnswerError extends Error {
  readonly status: number
  readonly hint: string | undefined
  readonly at: ChildFailure['at'] | undefined

  constructor({ message, hint, status, at }: ChildFailure) {
    super(message)
    this.status = status
    this.hint = hint
    this.at = at
  }
}

/** Too many ask at once. */
export function busy(message: string): AnswerError {
  return new AnswerError({ message, hint: 'try again in a moment', status: 75 })
}
