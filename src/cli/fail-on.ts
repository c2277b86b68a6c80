/** `--fail-on`: findings that a script is told of by the exit status. */

import { exitStatus } from '../errors.ts'
import type { Severity } from '../investigate/dossier.ts'
import type { Sweep } from '../investigate/sweep.ts'
import { countText, integerText } from '../report/numbers.ts'
import { severities } from '../rules/finding.ts'
import { note } from './output.ts'

/** From the lowest; `none`: any finding or none, which never fails. */
export const thresholds: readonly Threshold[] = ['none', ...severities]
export type Threshold = 'none' | Severity

/** Sets the exit status where a finding is at least that severe. It stands despite what could not be read. */
export function failOn(least: Threshold, found: Iterable<Severity>): void {
  const rank = thresholds.indexOf(least)
  if (rank === 0) return
  for (const severity of found) {
    if (thresholds.indexOf(severity) >= rank) process.exitCode = exitStatus.asked
  }
}

/** The same for a sweep, which tells where rules did not look at all that was seen. */
export async function failOnSweep(least: Threshold, { sweep, indicators: { seen, judged } }: Sweep): Promise<void> {
  if (least === 'none') return
  failOn(
    least,
    sweep.flatMap(row => (row.best_finding === null ? [] : [row.best_finding.severity])),
  )
  if (seen === judged) return
  await note(
    `tidemark: --fail-on ${least} knows the findings of ${integerText(judged)} of ${countText(seen, 'indicator')} seen\n  hint: --judge ${seen} judges all`,
  )
}
