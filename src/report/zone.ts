/** Times of a page in a time zone. */
import { UserError } from '../errors.ts'

/** A time of a zone, in pieces: `2023-09-28`, `17:22:35`, and `Z` or `+02:00`. */
export interface LocalTime {
  date: string
  time: string
  offset: string
}

export interface Zone {
  /** `UTC`, or the name that was asked for. */
  name: string
  /** @param iso in UTC, as answers have it. */
  local(iso: string): LocalTime
}

export const utc: Zone = {
  name: 'UTC',
  local(iso) {
    const at = iso.indexOf('T')
    return at < 0
      ? { date: '', time: iso, offset: '' }
      : { date: iso.slice(0, at), time: iso.slice(at + 1).replace(/Z$/, ''), offset: 'Z' }
  },
}

/** @throws UserError for a name that is no zone of the IANA database. */
export function zoneOf(name: string): Zone {
  if (/^(utc|z|gmt)$/i.test(name)) return utc
  const format = formatOf(name)
  return {
    name: format.resolvedOptions().timeZone,
    local(iso) {
      const ms = Date.parse(iso)
      if (Number.isNaN(ms)) return utc.local(iso)
      const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]))
      const fraction = /\.\d+(?=Z$)/.exec(iso)?.[0] ?? ''
      return {
        date: `${parts['year']}-${parts['month']}-${parts['day']}`,
        time: `${parts['hour']}:${parts['minute']}:${parts['second']}${fraction}`,
        offset: (parts['timeZoneName'] ?? '').replace(/^GMT$/, '+00:00').replace(/^GMT/, ''),
      }
    },
  }
}

function formatOf(name: string): Intl.DateTimeFormat {
  try {
    const two = '2-digit'
    return new Intl.DateTimeFormat('en-CA', {
      ...{ timeZone: name, hourCycle: 'h23', timeZoneName: 'longOffset' },
      ...{ year: 'numeric', month: two, day: two, hour: two, minute: two, second: two },
    })
  } catch (cause) {
    throw new UserError(`unknown time zone: ${name}`, {
      status: 2,
      hint: 'a name such as Europe/Berlin or America/New_York, or UTC',
      cause,
    })
  }
}

/** ISO 8601 in that zone: `2023-09-28T19:22:35+02:00`. */
export function isoIn(zone: Zone, iso: string): string {
  const { date, time, offset } = zone.local(iso)
  return date === '' ? iso : `${date}T${time}${offset}`
}

/** How a page writes its times: what all of them begin with stands once, in a heading. */
export interface PageTimes {
  /** What is said once of all times; null where a line before each day says it. */
  said: string | null
  text(iso: string): string
}

/** `2023-09-28 UTC`, `2023-09-28 Europe/Berlin (+02:00)`: a line before the times of a day. */
export function dayText(zone: Zone, iso: string): string {
  const { date, offset } = zone.local(iso)
  return `${date} ${zoneText(zone, offset)}`
}

function zoneText({ name }: Zone, offset: string): string {
  return offset === 'Z' || offset === '' ? name : `${name} (${offset})`
}

/** The times of rows in any order: the day once, if there is but one, else the year. @param some of the times, which show what to expect. */
export function pageTimes(zone: Zone, some: readonly string[]): PageTimes {
  const locals = some.map(iso => zone.local(iso)).filter(({ date }) => date !== '')
  const [first] = locals
  if (first === undefined) return { said: null, text: iso => iso }
  const { offset } = first
  const isOneDay = locals.every(({ date }) => date === first.date)
  const isOneYear = locals.every(({ date }) => date.slice(0, 5) === first.date.slice(0, 5))
  const shared = isOneDay ? `${first.date} ` : isOneYear ? first.date.slice(0, 5) : ''
  const text = (iso: string): string => {
    const local = zone.local(iso)
    const whole = `${local.date} ${local.time}${local.offset === offset ? '' : local.offset}`
    return whole.startsWith(shared) ? whole.slice(shared.length) : whole
  }
  const said = isOneDay ? first.date : isOneYear ? first.date.slice(0, 4) : ''
  return { said: `${said === '' ? 'Times are' : `Times are of ${said},`} ${zoneText(zone, offset)}.`, text }
}
