/** Exit statuses of the command line (contract). `asked`: the answer is one that --fail-on or --fail-empty names. */
export const exitStatus = { done: 0, failed: 1, usage: 2, partly_read: 3, asked: 4, bug: 70 } as const

/**
 * Something the person at the keyboard can fix: shown without a stack, as one line and a hint.
 *
 * Form of the message: `<what is wrong>: <the value>`; the hint says what to do about it.
 */
export class UserError extends Error {
  readonly hint: string | undefined
  readonly status: number

  constructor(message: string, options: { hint?: string; status?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'UserError'
    this.hint = options.hint
    this.status = options.status ?? exitStatus.failed
  }
}

/** States what must hold. A failure is a bug, whatever the evidence or the user did. */
export function assert(condition: unknown, whatMustHold: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${whatMustHold}`)
}

/** The `code` of a system error (`ENOENT`, `ENOSPC`, …), or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The text of whatever was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
