/**
 * Metrics of filter patterns over the records of a case, as CloudWatch would have had them: the records that match a pattern are counted, or
 * one of their fields is summed, in the period in which they start ("In CloudWatch Logs, the timestamp field corresponds to the start time
 * that's captured in the flow log record", Amazon VPC User Guide, "Publish flow logs to CloudWatch Logs").
 */

/** By host: 1 where it is one, else 0. */
export interface Marks {
  isProtected: Uint8Array
  /** Whose records are the attack. */
  isAttacker: Uint8Array
}

/** A metric: which records, and what of them. */
export interface Metric {
  pattern: string
  /** `1`, or the name of a field: `$bytes`. */
  value: string
  /** Seconds. */
  period: number
}

/** Values of the periods that have any, by the number of the period: its begin in seconds, divided by its length. */
export interface Series {
  all: Map<number, number>
  /** Without the records of the subject. */
  innocent: Map<number, number>
  /** Place in the record index of the first record of each period. */
  places: Map<number, number>
  /** When the last record of each period ends, microseconds: an event comes later than that. */
  ends: Map<number, number>
}

export function emptySeries(): Series {
  return { all: new Map(), innocent: new Map(), places: new Map(), ends: new Map() }
}

export function addTo(
  { all, innocent, places, ends }: Series,
  period: number,
  { value, ofOthers, place, end_us }: { value: number; ofOthers: number; place: number; end_us: number },
): void {
  all.set(period, (all.get(period) ?? 0) + value)
  innocent.set(period, (innocent.get(period) ?? 0) + ofOthers)
  places.set(period, Math.min(places.get(period) ?? place, place))
  ends.set(period, Math.max(ends.get(period) ?? end_us, end_us))
}
