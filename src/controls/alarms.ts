/** Alarms of CloudWatch on the flow logs of protected hosts: recommended from the recorded flows, and tried on them. */
import type { MetricAlarm } from '../as-code/artefact.ts'
import { marksOf } from '../conversations/hosts.ts'
import { intervalOf } from '../conversations/intervals.ts'
import { basisOf } from '../detect/detect.ts'
import { linesAt } from '../detect/lines.ts'
import { gatherSpans } from '../investigate/coverage.ts'
import { holesOf, silentLines } from '../investigate/silence.ts'
import { countText } from '../net/counts.ts'
import { microsecondsOf } from '../net/time.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Case } from '../store/case.ts'
import { type AlarmDraft, draftsOf, periodsOf, silencePeriods } from './alarm-drafts.ts'
import { formatNotes, formatOf, materialOf, protectedHosts } from './alarm-material.ts'
import type { AlarmRequest } from './alarm-request.ts'
import { countMetrics } from './alarm-series.ts'
import { type AlarmTrial, thresholdOf, tryAlarm } from './alarm-trial.ts'
import { type Baseline, baselineOf, usualMin } from './baseline.ts'
import type { Recommended } from './control.ts'
import { habitsOf } from './habits.ts'
import { filesOfOthers, type LogFormats, logFormats } from './log-formats.ts'
import type { LogGroups } from './log-groups.ts'
import type { ProtectedTraffic } from './protected.ts'
import type { Marks, Series } from './series.ts'
import { isOfAttack } from './traffic.ts'

export interface Alarm {
  recommended: Recommended
  /** Null where nothing can be tried. */
  trial: AlarmTrial | null
}

/** What drafts depend on, and is known for sure only when the records have been read. */
interface Guess {
  formats: LogFormats
  /** Whether enough is recorded of the time before the incident. */
  isBefore: boolean
}

/**
 * The alarms for the protected hosts, each with when it would have gone off. None where no record is of them, or of the attack.
 *
 * @param c of a question: `span` is made for it. @param threads how many count at most; they do not change the answer.
 */
export async function alarmsFor(c: Case, index: RecordIndex, request: AlarmRequest, threads: number): Promise<Alarm[]> {
  const { traffic } = request
  const { hosts, vantages } = index.dictionaries
  const isProtected = new Uint8Array(new SharedArrayBuffer(hosts.count))
  const marks: Marks = { isProtected, isAttacker: attackersOf(hosts, traffic) }
  for (const host of protectedHosts(index, traffic)) marks.isProtected[host] = 1
  if (traffic.incident === null || !marks.isProtected.includes(1)) return []
  const interval = intervalOf(c.source, vantages) / 1e6
  const { from_us } = traffic.incident
  let guess = firstGuess(c, interval, from_us)
  for (;;) {
    const habits = habitsOf(request, guess.isBefore)
    const format = formatOf(guess.formats)
    const drafts = draftsOf(materialOf(c, index, request, { interval, habits, format }))
    const { period } = silencePeriods(interval)
    const settings = { metrics: metricsOf(drafts), marks, period, others: filesOfOthers(c, format) }
    const requireGoing = (): void => c.db.requireGoing()
    const { groups, series } = await countMetrics(index, settings, { threads, requireGoing })
    if (groups.logs.length === 0) return []
    await gatherSpans(c)
    const holes = await holesOf(c, groups.sensors)
    const formats = logFormats(c, new Set(groups.logs))
    const isBefore = baselineOf(periodsOf(interval).period, groups.span, from_us, holes)?.isBefore === true
    // The records do not depend on it: the second one is right.
    if (isBefore !== guess.isBefore || !isSameFormat(formats, guess.formats)) {
      guess = { formats, isBefore }
      continue
    }
    const notes = formatNotes(formats, groups)
    return alarmsOf(c, index, { from_us, at_us: request.at_us }, { drafts, groups, series, holes, notes })
  }
}

/**
 * The hosts outside that connections of the attack have. A host of one's own that was taken over does other things as well: it is one of them only
 * where the attack never leaves.
 */
function attackersOf(
  hosts: RecordIndex['dictionaries']['hosts'],
  { pieces, subjects, isInternal }: ProtectedTraffic,
): Uint8Array {
  const outside = marksOf(hosts, [])
  for (const { connections, attack } of pieces) {
    for (const ends of [connections.client, connections.server])
      for (let i = 0; i < connections.count; i++)
        if (isOfAttack(attack[i]!) && !isInternal(ends[i]!)) outside[ends[i]!] = 1
  }
  return outside.includes(1) ? outside : marksOf(hosts, subjects)
}

/** By what the ledger tells of all logs. */
function firstGuess(c: Case, interval: number, incident_us: number): Guess {
  const times = (name: 'first_start' | 'last_end'): number[] =>
    c.evidence.flatMap(file => (file[name] === null ? [] : [microsecondsOf(file[name])]))
  const from_us = times('first_start').reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const to_us = times('last_end').reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const baseline = baselineOf(periodsOf(interval).period, { from_us, to_us }, incident_us, [])
  return { formats: logFormats(c), isBefore: baseline?.isBefore === true }
}

function isSameFormat(one: LogFormats, other: LogFormats): boolean {
  return formatOf(one).fields.join(' ') === formatOf(other).fields.join(' ')
}

function isCounted({ of, tried }: AlarmDraft): boolean {
  return of === 'records' && tried !== null
}

function metricsOf(drafts: readonly AlarmDraft[]): { pattern: string; value: string; period: number }[] {
  return drafts.filter(isCounted).map(({ alarm: { value, period }, tried }) => ({ pattern: tried!, value, period }))
}

/** What was found in the records. */
interface Found {
  drafts: readonly AlarmDraft[]
  groups: LogGroups
  /** Of those that are counted, in their order. */
  series: readonly Series[]
  holes: readonly { from_us: number; to_us: number }[]
  notes: readonly string[]
}

/** The drafts with their thresholds, and what became of them. */
async function alarmsOf(
  c: Case,
  index: RecordIndex,
  { from_us, at_us }: { from_us: number; at_us: number | null },
  { drafts, groups, series, holes, notes }: Found,
): Promise<Alarm[]> {
  const left = [...series]
  const alarms: Alarm[] = []
  for (const draft of drafts) {
    const own = isCounted(draft) ? left.shift()! : await otherSeries(c, draft, groups)
    // What has no amount that is usual needs no more than a moment before the incident.
    const least = draft.of === 'records' ? usualMin : 1
    const baseline = baselineOf(draft.alarm.period, groups.span, from_us, holes, least)
    alarms.push(await alarmOf(c, index, draft, { series: own, baseline, at_us, notes }))
  }
  return alarms
}

async function alarmOf(
  c: Case,
  index: RecordIndex,
  draft: AlarmDraft,
  {
    series,
    baseline,
    at_us,
    notes,
  }: { series: Series | null; baseline: Baseline | null; at_us: number | null; notes: readonly string[] },
): Promise<Alarm> {
  const { threshold, why } = thresholdOf(draft.rule, series, baseline, draft.alarm)
  const alarm: MetricAlarm = { ...draft.alarm, threshold }
  const result = series === null || baseline === null ? null : tryAlarm(alarm, series, baseline, at_us)
  const lines = await linesAt(index, result?.places ?? [], basisOf(c))
  const others = draft.of === 'records' ? (result?.others ?? null) : null
  const recommended: Recommended = {
    ...{ kind: 'alarm', title: draft.title, answers: draft.answers, why: `${draft.what} ${why}`, cost },
    confirm: [
      ...draft.confirm,
      ...(others === null
        ? []
        : [
            `Others than the subject would have set it off ${countText(others.total, 'time')}, first at ${others.at}: look at what they did.`,
          ]),
      ...(alarm.pattern === null ? [] : notes),
    ],
    artefact: alarm,
  }
  if (result === null) return { recommended, trial: null }
  const { fired, fired_total, baseline: usual, not_decidable, places } = result
  const basis = places.map(place => lines.get(place)!)
  return { recommended, trial: { fired, fired_total, baseline: usual, not_decidable, basis } }
}

const cost =
  'A custom metric, an alarm, and the flow log in CloudWatch Logs, which is paid by the gigabyte. Events come some 5 minutes after the end of their interval, and later at times.'

/** Values of what are no records; null: the case has no logs. */
async function otherSeries(c: Case, { of, alarm }: AlarmDraft, groups: LogGroups): Promise<Series | null> {
  if (c.source !== 'logs' || of === 'records') return null
  const lines = (await silentLines(c, alarm.period)).filter(({ log }) => groups.logs.includes(log))
  const all = new Map<number, number>()
  if (of === 'skipped') {
    for (const { status, period, lines: count } of lines)
      if (status === 'SKIPDATA') all.set(period, (all.get(period) ?? 0) + count)
  } else {
    for (const log of groups.logs) {
      const periods = new Set(groups.periods.get(log))
      for (const one of lines) if (one.log === log) periods.add(one.period)
      for (const period of silentPeriods(periods, alarm.periods)) all.set(period, 0)
    }
  }
  return { all, innocent: all, places: new Map(), ends: new Map() }
}

/** Periods without an event between the first and the last one that have some; of each gap the first ones, for the later ones change nothing. */
function silentPeriods(periods: ReadonlySet<number>, most: number): number[] {
  const sorted = [...periods].sort((a, b) => a - b)
  return sorted.slice(1).flatMap((to, at) => {
    const from = sorted[at]! + 1
    return Array.from({ length: Math.min(most, to - from) }, (_, i) => from + i)
  })
}
