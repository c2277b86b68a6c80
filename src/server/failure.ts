/** What a page is told of what went wrong, and what only the terminal is. */
import { exitStatus, UserError } from '../errors.ts'
import { failureLine, systemFailure } from '../system-error.ts'
import type { Failure } from './contract/common.ts'
import { AnswerError } from './message.ts'

/** A request that is not answered, with its HTTP status. */
export class Refused extends UserError {
  readonly code: number

  constructor(code: number, message: string, hint?: string) {
    super(message, { status: exitStatus.usage, ...(hint !== undefined && { hint }) })
    this.code = code
  }
}

export interface Told {
  /** Of HTTP. */
  status: number
  failure: Failure
  /** Of a bug: its stack, which is not the page's to see. */
  bug: string | null
}

export function told(error: unknown): Told {
  if (error instanceof AnswerError) {
    const { message, hint, at, status } = error
    if (status === exitStatus.bug) return bugTold(message)
    const code = status === exitStatus.usage ? 400 : status === 75 ? 503 : 422
    return {
      status: code,
      failure: { error: message, ...(hint !== undefined && { hint }), ...(at && { at }) },
      bug: null,
    }
  }
  if (error instanceof UserError) {
    const code = error instanceof Refused ? error.code : error.status === exitStatus.usage ? 400 : 422
    const { message, hint } = error
    return { status: code, failure: { error: message, ...(hint !== undefined && { hint }) }, bug: null }
  }
  const system = systemFailure(error)
  if (system !== null) return { status: 500, failure: { error: failureLine(system), hint: system.hint }, bug: null }
  return bugTold(error instanceof Error ? (error.stack ?? error.message) : String(error))
}

function bugTold(bug: string): Told {
  const hint = 'the terminal that tidemark ui runs in has the lines to report'
  return { status: 500, failure: { error: 'this is a bug in Tidemark, not a problem with the evidence', hint }, bug }
}
