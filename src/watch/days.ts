/** Days of UTC: to which one a file belongs, and which 24 hours are looked at. */

/** `2026-11-27`. */
export type Day = string

const millisecondsOfDay = 86_400_000
const microsecondsOfDay = millisecondsOfDay * 1000

export function dayAt(milliseconds: number): Day {
  return new Date(milliseconds).toISOString().slice(0, 10)
}

/** Its first moment, milliseconds since the epoch. */
export function startOf(day: Day): number {
  return Date.parse(`${day}T00:00:00Z`)
}

export function daysAfter(day: Day, days: number): Day {
  return dayAt(startOf(day) + days * millisecondsOfDay)
}

/** AWS names its files by the minute in which the first of their records may end: `…_20260101T1620Z_1a2b3c4d.log.gz`. */
const namedTime = /_(\d{4})(\d\d)(\d\d)T\d{4}Z_[^/]*$/

/** The day in whose case a file is put: that of its name, where AWS named it, else the day it was written last. Never one after `now`. */
export function dayOfFile(path: string, writtenMilliseconds: number, now: number): Day {
  const [, year, month, date] = namedTime.exec(path) ?? []
  const named = year === undefined ? Number.NaN : Date.parse(`${year}-${month}-${date}T00:00:00Z`)
  return dayAt(Math.min(Number.isNaN(named) ? writtenMilliseconds : named, now))
}

/** What the case of a day holds. The day is that of its files; their records may be of others. */
export interface HeldDay {
  day: Day
  /** Days that its records may be of. */
  covers: Set<Day>
  /** Those of them in which nobody has looked for findings since something came in. */
  unlooked: Set<Day>
  /** End of its latest record, microseconds since the epoch; null: no record has a time. */
  end_us: number | null
}

export function emptyDay(day: Day): HeldDay {
  return { day, covers: new Set(), unlooked: new Set(), end_us: null }
}

/** Days of one file that are looked at, counted from its latest record and from its earliest: a record may claim any time. */
const daysAtEnd = 31

/** Takes in what a file holds. @param isLooked whether findings were looked for since. */
export function grow(
  held: HeldDay,
  file: { first_start: string | null; last_end: string | null },
  isLooked: boolean,
): void {
  const { first_start: first, last_end: last } = file
  if (first === null || last === null) return
  const end = Date.parse(last)
  held.end_us = Math.max(held.end_us ?? Number.NEGATIVE_INFINITY, end * 1000)
  for (const day of daysOf(held.day, dayAt(Date.parse(first)), dayAt(end))) {
    held.covers.add(day)
    if (!isLooked) held.unlooked.add(day)
  }
}

/** The days of a file from its first to its last one. Of more than two months those at both ends, and the one that the file is of. */
function daysOf(own: Day, first: Day, last: Day): Set<Day> {
  const days = new Set<Day>(own >= first && own <= last ? [own] : [])
  for (let i = 0; i < daysAtEnd; i++) {
    for (const day of [daysAfter(first, i), daysAfter(last, -i)]) if (day >= first && day <= last) days.add(day)
  }
  return days
}

/** 24 hours that are looked at, and the days whose cases may hold records of them. */
export interface Window {
  from_us: number
  to_us: number
  days: Day[]
}

/**
 * The 24 hours to look at when something came in. On the newest day that records are of they end with the latest record: they slide. Of a day before,
 * of which something came in late, they are three that overlap by half: a finding of 12 hours lies within one of them, wherever it begins.
 */
export function windowsOf(all: readonly HeldDay[]): Window[] {
  const latest = all.reduce((most, { end_us }) => Math.max(most, end_us ?? most), Number.NEGATIVE_INFINITY)
  const last = Math.floor(latest / 1e6) * 1e6 + 1e6
  const ends = new Set<number>()
  for (const day of new Set(all.flatMap(({ unlooked }) => [...unlooked]))) {
    for (const halves of [1, 2, 3]) ends.add(Math.min(startOf(day) * 1000 + (halves * microsecondsOfDay) / 2, last))
  }
  return [...ends]
    .sort((a, b) => a - b)
    .map(to_us => {
      const from_us = to_us - microsecondsOfDay
      const days = [dayAt(from_us / 1000), dayAt((to_us - 1) / 1000)]
      const held = all.filter(({ covers }) => days.some(day => covers.has(day)))
      return { from_us, to_us, days: held.map(({ day }) => day).sort() }
    })
    .filter(({ days }) => days.length > 0)
}
