/** MISP events: attributes that are addresses, and meant for detection. */
import * as shape from '../shape.ts'
import { indicatorRange } from './indicator-range.ts'
import type { ListEntries } from './list-entries.ts'
import { type Problems, shortened } from './source-file.ts'
import { afterTime, always, timeOf, type Validity } from './times.ts'

/** MISP writes flags as true or "1". */
const flag = shape.eitherOf(shape.yesOrNo, shape.number, shape.text)
const whole = shape.eitherOf(shape.text, shape.count)

const attribute = shape.objectOf(
  { type: shape.text, value: shape.text },
  {
    ...{ uuid: shape.text, to_ids: flag, deleted: flag, comment: shape.nullOr(shape.text), timestamp: whole },
    ...{ first_seen: shape.nullOr(shape.text), last_seen: shape.nullOr(shape.text) },
  },
)
const part = shape.objectOf({}, { Attribute: shape.listOf(shape.anything), Object: shape.listOf(shape.anything) })
const seen = shape.objectOf(
  {},
  { first_seen: shape.nullOr(shape.text), last_seen: shape.nullOr(shape.text), deleted: flag },
)

type Seen = shape.Fitting<typeof seen>

/** Whether JSON is an event, several of them, or what the API gives of either. */
export function isMisp(json: unknown): boolean {
  return partsOf(json).length > 0
}

export function readMisp(json: unknown, entries: ListEntries, problems: Problems): void {
  for (const event of partsOf(json)) readPart(event, {}, entries, problems)
}

/** Events, and lists of attributes: `{Event}`, `{response: [{Event}]}`, `[{Event}]`, `{response: {Attribute}}`. */
function partsOf(json: unknown): unknown[] {
  if (Array.isArray(json)) return json.flatMap(one => (isObject(one) && 'Event' in one ? [one['Event']] : []))
  if (!isObject(json)) return []
  if ('Event' in json) return [json['Event']]
  const { response } = json
  if (Array.isArray(response)) return partsOf(response)
  return isObject(response) && 'Attribute' in response ? [response] : []
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An event, or an object of it: its attributes, then its objects. */
function readPart(value: unknown, around: Seen, entries: ListEntries, problems: Problems, isObject = false): void {
  const found = shape.fit(part, value)
  if (found.fault !== null) {
    problems.add(`${isObject ? 'object' : 'event'}: ${found.fault}`)
    return
  }
  for (const [i, one] of (found.value.Attribute ?? []).entries()) {
    const read = shape.fit(attribute, one)
    if (read.fault !== null) problems.add(`attribute ${i + 1}: ${read.fault}`)
    else readAttribute(read.value, around, entries, problems)
  }
  // An object holds no others.
  for (const one of isObject ? [] : (found.value.Object ?? [])) {
    const times = shape.fit(seen, one)
    if (times.fault !== null) problems.add(`object: ${times.fault}`)
    else if (isSet(times.value.deleted)) entries.leaveOut('deleted')
    else readPart(one, times.value, entries, problems, true)
  }
}

const types = /^ip-(?:src|dst)(\|port)?$/

function readAttribute(
  read: shape.Fitting<typeof attribute>,
  around: Seen,
  entries: ListEntries,
  problems: Problems,
): void {
  const { type, value, uuid = '', comment, timestamp } = read
  const match = types.exec(type)
  if (match === null) {
    entries.leaveOut('no address')
    return
  }
  if (isSet(read.deleted)) {
    entries.leaveOut('deleted')
    return
  }
  if (read.to_ids !== undefined && !isSet(read.to_ids)) {
    entries.leaveOut('not for detection')
    return
  }
  const dated = timestamp === undefined ? null : timeOf(String(timestamp))
  if (dated !== null) entries.dated_us = Math.max(entries.dated_us ?? dated, dated)
  const text = match[1] === undefined ? value : value.split('|')[0]!
  const range = indicatorRange(text)
  if (range === null) {
    problems.add(`${shortened(uuid)}: not an address: ${shortened(value)}`)
    return
  }
  const validity = validityOf(read.first_seen ?? around.first_seen, read.last_seen ?? around.last_seen)
  if (typeof validity === 'string') {
    problems.add(`${shortened(uuid)}: ${validity}`)
    return
  }
  entries.add(range, { object: uuid, validity, note: comment ?? '' })
}

function isSet(value: shape.Fitting<typeof flag> | undefined): boolean {
  return value === true || Number(value) === 1
}

/** It was seen at both moments: the last is still within. */
function validityOf(first: string | null | undefined, last: string | null | undefined): Validity | string {
  const from_us = given(first) ? timeOf(first) : always.from_us
  const until_us = given(last) ? afterTime(last) : always.until_us
  if (from_us === null) return `first_seen is no time: ${shortened(first!)}`
  if (until_us === null) return `last_seen is no time: ${shortened(last!)}`
  return from_us < until_us ? { from_us, until_us } : `it was last seen before it was first: ${first} to ${last}`
}

function given(text: string | null | undefined): text is string {
  return text !== null && text !== undefined && text !== ''
}
