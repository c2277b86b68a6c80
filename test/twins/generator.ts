/** Cases of attacks and of their benign twins, as AWS would log them. The same seed gives the same bytes. */
import { channelScenarios } from './channels.ts'
import { egressScenarios } from './egress.ts'
import { loginScenarios } from './logins.ts'
import { scanScenarios } from './scans.ts'
import { begin, type Format, headerOf, logOf } from './sensor.ts'
import { hours, type Scenario, type Scene, stageOf } from './stage.ts'

export const scenarios: readonly Scenario[] = [
  ...scanScenarios,
  ...loginScenarios,
  ...channelScenarios,
  ...egressScenarios,
]

/** A scenario in a case. */
export interface Played extends Scene {
  scenario: Scenario
  /** When the attack begins and ends, seconds since the epoch. */
  first: number
  last: number
}

export interface MadeCase {
  played: readonly Played[]
  /** Lines of its log, without the one that names the fields. */
  lines(format: Format): string[]
}

export interface CaseOptions {
  seed: number
  /** The aggregation interval, seconds. */
  interval: number
  /** Whether interfaces tell when they had no traffic. */
  hasNoData?: boolean
}

/** Some scenarios at once; each has hosts of its own, which are the same in every case of that seed. */
export function makeCase(some: readonly Scenario[], { seed, interval, hasNoData = false }: CaseOptions): MadeCase {
  const logged = new Set<string>()
  const played = some.map(scenario => {
    const stage = stageOf(seed, scenarios.indexOf(scenario))
    const scene = scenario.make(stage)
    for (const address of stage.logged) logged.add(address)
    const flows = scene.attack?.flows ?? scene.flows
    const first = begin + flows.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY)
    const last = begin + flows.reduce((most, { at, seconds }) => Math.max(most, at + seconds), 0)
    return { ...scene, scenario, first, last }
  })
  const flows = played.flatMap(one => one.flows)
  const log = logOf(flows, { seed, interval, logged, ...(hasNoData && { noDataUntil: hours * 3600 }) })
  return { played, lines: log.lines }
}

/** The text of a log. */
export function textOf(format: Format, lines: readonly string[]): string {
  return `${[headerOf(format), ...lines].join('\n')}\n`
}
