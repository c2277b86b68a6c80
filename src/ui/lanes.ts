/** Where the bars of connections stand. No DOM here. */
import type { Lane, LaneBar } from '../server/contract/host.ts'

export interface LaneSpan {
  from: number
  to: number
}

/** The time of all connections, of which the lanes tell. */
export function spanOf(lanes: readonly Lane[]): LaneSpan | null {
  return lanes[0]?.axis ?? null
}

/** Percent from the left, of a second. */
export function placeOf({ from, to }: LaneSpan, second: number): number {
  return (100 * (second - from)) / (to - from)
}

/** From 0.2 for the least to 1 for the most, by the logarithm; what nobody says is as the least. */
export function heightOf(bytes: LaneBar['bytes'], most: number): number {
  const value = Number(bytes ?? 0)
  if (value <= 1 || most <= 1) return 0.2
  return 0.2 + (0.8 * Math.log(value)) / Math.log(most)
}

export function mostBytes(lanes: readonly Lane[]): number {
  return lanes.reduce((most, { bars }) => bars.reduce((m, { bytes }) => Math.max(m, Number(bytes ?? 0)), most), 0)
}

/** Whether a bar overlaps a window; all do without one. */
export function isWithin({ start, end }: LaneBar, { from, to }: { from: number | null; to: number | null }): boolean {
  return (from === null || end >= from) && (to === null || start < to)
}
