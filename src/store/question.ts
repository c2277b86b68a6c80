/** Questions of an open case. */
import type { Case } from './case.ts'
import { reading } from './damage.ts'

/**
 * Works on one question: `own` is the case with a connection of its own (`Database.question`), so that several questions of one case can be
 * asked at the same time, and a signal stops one alone. What outlives the question may use `own` too, but for its temporary tables.
 *
 * @throws UserError for a damaged segment, and for a case that was closed meanwhile; the signal's reason.
 */
export function question<T>(c: Case, signal: AbortSignal | undefined, work: (own: Case) => Promise<T>): Promise<T> {
  return c.db.question(signal, db => {
    const own = { ...c, db }
    // What was stopped has a reason: the segments need not be looked at.
    return reading(own, () => work(own), signal)
  })
}
