import { exitStatus } from '../errors.ts'
import { FilterError } from '../filter/error.ts'
import type { Failure } from './protocol.ts'

/** A query that is not run, with the place in its text: what a filter's errors have, for SQL. */
export class SqlError extends FilterError {
  /** Status 1 where the query was right, and its answer broke off. */
  override readonly status: number

  constructor(sql: string, failure: Failure, isBegun = false) {
    const position = failure.position ?? null
    const offset = position === null ? 0 : Buffer.from(sql).subarray(0, position).toString().length
    const word =
      position === null ? '' : (/^(?:[\p{L}\p{N}_]+|"[^"\n]*"|'[^'\n]*'|\S)/u.exec(sql.slice(offset))?.[0] ?? '')
    super(
      failure.message,
      { source: { file: null, text: sql, folder: '' }, offset, length: word.length },
      { ...(failure.hint !== undefined && { hint: failure.hint }), suggestion: failure.suggestion ?? null },
    )
    this.name = 'SqlError'
    this.hasPlace = position !== null
    this.status = isBegun ? exitStatus.failed : exitStatus.usage
  }

  private readonly hasPlace: boolean

  override excerpt(show: (text: string) => string, width?: (text: string) => number): string[] {
    return this.hasPlace ? super.excerpt(show, width) : []
  }
}
