/** When an alarm would have gone off: CloudWatch's evaluation of a metric, replayed (CloudWatch User Guide, "Alarm evaluation"). */
import type { MetricAlarm } from '../as-code/artefact.ts'
import { integerText } from '../net/counts.ts'
import { utcSeconds } from '../net/time.ts'
import type { ThresholdRule } from './alarm-drafts.ts'
import { type Baseline, baselineText, isIn, roundedUp } from './baseline.ts'
import type { Trial } from './control.ts'
import type { Series } from './series.ts'

/** When an alarm would have changed to ALARM. */
export interface Firing {
  /** Number of the period whose value did it. */
  period: number
  value: number
}

/** Whether a value is beyond the alarm's threshold. */
export function breaches(
  { comparison, threshold }: Pick<MetricAlarm, 'comparison' | 'threshold'>,
  value: number,
): boolean {
  switch (comparison) {
    case 'GreaterThanThreshold':
      return value > threshold
    case 'GreaterThanOrEqualToThreshold':
      return value >= threshold
    case 'LessThanThreshold':
      return value < threshold
    case 'LessThanOrEqualToThreshold':
      return value <= threshold
  }
}

/**
 * The changes to ALARM: of the last `periods` periods as many as `datapoints` breach the threshold, and before the last of them fewer did.
 * All data are taken to be there in time.
 *
 * @param breaching values of the periods that breach it, in order; of all others none does.
 */
export function firingsOf(
  { periods, datapoints = periods }: Pick<MetricAlarm, 'periods' | 'datapoints'>,
  breaching: readonly Firing[],
): Firing[] {
  const firings: Firing[] = []
  for (const [at, one] of breaching.entries()) {
    const within = (from: number, to: number): number => {
      let count = 0
      for (let i = to; i >= 0 && breaching[i]!.period >= from; i--) count++
      return count
    }
    const isNow = within(one.period - periods + 1, at) >= datapoints
    if (isNow && within(one.period - periods, at - 1) < datapoints) firings.push(one)
  }
  return firings
}

export type AlarmTrial = Pick<Trial, 'fired' | 'fired_total' | 'baseline' | 'not_decidable' | 'basis'>

/** Firings that are listed; all are counted. */
const firedMax = 1000
/** Records that are named: one of the period of each of the first firings. */
const placesMax = 10

/**
 * When an alarm would have gone off, and how often in the baseline.
 *
 * @param at_us when it is put in place, microseconds: what begins earlier is in no metric. Null: before everything.
 * @returns with places in the record index of records that did it, and how often and first when records of others than the subject would do.
 */
export function tryAlarm(
  alarm: MetricAlarm,
  series: Series,
  baseline: Baseline,
  at_us: number | null = null,
): Omit<AlarmTrial, 'basis'> & { places: number[]; others: { at: string; total: number } | null } {
  const firings = firingsIn(alarm, series.all, at_us)
  const ofOthers = firingsIn(alarm, series.innocent, at_us)
  // How often it would go off as a rule does not depend on when it is put in place.
  const usual = firingsIn(alarm, baseline.isBefore ? series.all : series.innocent, null)
  const timeOf = (period: number): string => utcSeconds(period * alarm.period * 1_000_000)
  const firedAt = (period: number): string =>
    utcSeconds(Math.max((period + 1) * alarm.period * 1_000_000, alarm.period > 60 ? afterRecords(series, period) : 0))
  return {
    fired: firings.slice(0, firedMax).map(({ period, value }) => ({ at: firedAt(period), value })),
    fired_total: firings.length,
    baseline: {
      ...{ from: timeOf(baseline.from), to: timeOf(baseline.to), periods: baseline.periods },
      fired: usual.filter(({ period }) => isIn(baseline, period)).length,
      before_incident: baseline.isBefore,
    },
    not_decidable: baseline.isBefore ? [] : [{ of: 'innocent', reason: noBaseline, connections: 0, bytes: 0 }],
    others: ofOthers.length === 0 ? null : { at: firedAt(ofOthers[0]!.period), total: ofOthers.length },
    places: firings.slice(0, placesMax).flatMap(({ period }) => series.places.get(period) ?? []),
  }
}

const noBaseline =
  'what is usual: too little is recorded of the time before the incident, and the baseline is the traffic of others than the subject'

/** The first full second after the end of all records of a period: intervals of ten minutes are longer than periods. */
function afterRecords({ ends }: Series, period: number): number {
  return (Math.floor((ends.get(period) ?? 0) / 1_000_000) + 1) * 1_000_000
}

function firingsIn(alarm: MetricAlarm, values: ReadonlyMap<number, number>, at_us: number | null): Firing[] {
  const from = at_us === null ? Number.NEGATIVE_INFINITY : at_us / (alarm.period * 1_000_000)
  const breaching = [...values]
    .filter(([period, value]) => period >= from && breaches(alarm, value))
    .sort(([a], [b]) => a - b)
  return firingsOf(
    alarm,
    breaching.map(([period, value]) => ({ period, value })),
  )
}

/** The threshold that a rule gives, and the reason. */
export function thresholdOf(
  rule: ThresholdRule,
  series: Series | null,
  baseline: Baseline | null,
  { unit }: Pick<MetricAlarm, 'unit'>,
): { threshold: number; why: string } {
  if ('fixed' in rule) return { threshold: rule.fixed, why: `The threshold is ${rule.fixed}: ${rule.because}.` }
  const { factor, least, because } = rule
  const noun = unit === 'Bytes' ? 'bytes' : 'records'
  const floor = `${integerText(least)}, as ${because}`
  if (series === null || baseline === null)
    return { threshold: least, why: `The threshold is ${floor}: no record tells what is usual.` }
  let most = 0
  for (const [period, value] of baseline.isBefore ? series.all : series.innocent)
    if (isIn(baseline, period) && value > most) most = value
  const threshold = roundedUp(Math.max(least, factor * most))
  return {
    threshold,
    why: `In ${baselineText(baseline)}, the most in one is ${integerText(most)} ${noun}. The threshold is ${factor} times that, rounded up, and at least ${floor}.`,
  }
}
