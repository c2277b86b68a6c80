/** The flow logs that recorded protected hosts: each is a log group of its own, whose events metric filters are about. */
import type { RecordBlock, RecordVantage } from '../record-index/block.ts'

/** Id of a flow log; null: all whose files do not say it. */
export type LogId = RecordVantage['subscription']

export interface LogGroups {
  /** That recorded the hosts, those with the most records of them first. */
  logs: LogId[]
  /** Left out: they recorded the hosts at interfaces that one of `logs` has too, with fewer records. */
  doubled: LogId[]
  /** Sensors of the hosts' records. */
  sensors: string[]
  /** Periods in which each of `logs` has records, by their numbers. */
  periods: Map<LogId, Set<number>>
  /** Begin of their first record and of their last one, microseconds; infinite without any. */
  span: { from_us: number; to_us: number }
}

/** What records say of logs, by vantage. */
export interface NotedLogs {
  /** Records of the hosts. */
  counted: Float64Array
  /** The periods with records. */
  periods: Set<number>[]
  /** Begin of the first record and of the last one. */
  from_us: Float64Array
  to_us: Float64Array
}

/** Takes note of blocks of records. */
export class LogNotes {
  readonly noted: NotedLogs
  private readonly period_us: number
  /** The period of the record before, microseconds: most are in the same. */
  private readonly begin_us: Float64Array

  /** @param period of `periods`, seconds. */
  constructor(vantages: number, period: number) {
    this.period_us = period * 1_000_000
    this.noted = {
      counted: new Float64Array(vantages),
      periods: Array.from({ length: vantages }, () => new Set<number>()),
      from_us: new Float64Array(vantages).fill(Number.POSITIVE_INFINITY),
      to_us: new Float64Array(vantages).fill(Number.NEGATIVE_INFINITY),
    }
    this.begin_us = new Float64Array(vantages).fill(Number.POSITIVE_INFINITY)
  }

  /** Notes when a block's records start. Those without a time stand at 0, and tell nothing. */
  note({ rows, vantage, start_us }: Pick<RecordBlock, 'rows' | 'vantage' | 'start_us'>): void {
    const { begin_us, period_us } = this
    const { from_us, to_us, periods } = this.noted
    for (let row = 0; row < rows; row++) {
      const one = vantage[row]!
      const start = start_us[row]!
      if (start === 0) continue
      if (start > to_us[one]!) to_us[one] = start
      const begin = begin_us[one]!
      if (start >= begin && start < begin + period_us) continue
      if (start < from_us[one]!) from_us[one] = start
      const period = Math.floor(start / period_us)
      begin_us[one] = period * period_us
      periods[one]!.add(period)
    }
  }

  /** Counts a record of the hosts. */
  count(vantage: number): void {
    this.noted.counted[vantage]!++
  }
}

/** The log groups that notes of the records, one after the other, tell of. */
export function logGroups(vantages: readonly RecordVantage[], notes: readonly NotedLogs[]): LogGroups {
  const counted = vantages.map((_, at) => notes.reduce((sum, one) => sum + one.counted[at]!, 0))
  const { logs, doubled } = chosen(vantages, counted)
  const isChosen = new Set(logs)
  const own = vantages.filter(({ subscription }, at) => counted[at]! > 0 && isChosen.has(subscription))
  const periods = new Map(logs.map(log => [log, new Set<number>()] as const))
  const span = { from_us: Number.POSITIVE_INFINITY, to_us: Number.NEGATIVE_INFINITY }
  for (const [at, { subscription }] of vantages.entries()) {
    const into = periods.get(subscription)
    if (into === undefined) continue
    for (const { periods: found, from_us, to_us } of notes) {
      for (const period of found[at]!) into.add(period)
      span.from_us = Math.min(span.from_us, from_us[at]!)
      span.to_us = Math.max(span.to_us, to_us[at]!)
    }
  }
  return { logs, doubled, sensors: [...new Set(own.flatMap(({ sensor }) => sensor ?? []))], periods, span }
}

/** Logs with records of the hosts; of two that have an interface in common, that with more. */
function chosen(vantages: readonly RecordVantage[], counted: readonly number[]): Pick<LogGroups, 'logs' | 'doubled'> {
  const byLog = new Map<LogId, { records: number; sensors: Set<string | null> }>()
  for (const [at, { sensor, subscription }] of vantages.entries()) {
    if (counted[at] === 0) continue
    const { records, sensors } = byLog.get(subscription) ?? { records: 0, sensors: new Set() }
    byLog.set(subscription, { records: records + counted[at]!, sensors: sensors.add(sensor) })
  }
  const [logs, doubled]: [LogId[], LogId[]] = [[], []]
  const taken = new Set<string | null>()
  for (const [log, { sensors }] of [...byLog].sort((a, b) => b[1].records - a[1].records)) {
    const isDouble = [...sensors].some(sensor => taken.has(sensor))
    ;(isDouble ? doubled : logs).push(log)
    if (!isDouble) for (const sensor of sensors) taken.add(sensor)
  }
  return { logs, doubled }
}
