/** What the server and its children say to each other, a line of JSON each. */

export type ToChild =
  | { ask: number; kind: string; question: unknown }
  /** Nobody waits for that answer any more. */
  | { stop: number }

export type FromChild =
  | { ready: true }
  | { answer: number; value: unknown }
  | { progress: number; doing: string; done: number | null; of: number | null }
  | { failed: number; failure: ChildFailure }

/** `status`: 2 where the question cannot be meant, 1 where it could not be answered, 70 for a bug. */
export interface ChildFailure {
  message: string
  hint?: string
  status: number
  at?: { offset: number; length: number }
}

export interface Progress {
  doing: string
  done: number | null
  of: number | null
}

/** An answer that did not come: what the page is told. */
export class AnswerError extends Error {
  readonly status: number
  readonly hint: string | undefined
  readonly at: { offset: number; length: number } | undefined

  constructor({ message, hint, status, at }: ChildFailure) {
    super(message)
    this.status = status
    this.hint = hint
    this.at = at
  }
}
