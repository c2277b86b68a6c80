/** The events of a CloudWatch log group as flow logs in text, an hour a file. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { logsClient } from '../aws/clients.ts'
import { type Asked, AwsError, ask } from '../aws/errors.ts'
import { nextMark } from '../aws/pages.ts'
import { UserError } from '../errors.ts'
import { integerText } from '../net/counts.ts'
import { type GroupFormats, groupFormats } from './log-formats.ts'
import type { Listed, Narrowing, Origin, RemoteFile } from './remote.ts'
import type { SourceOptions } from './s3.ts'
import type { LogsUri } from './uri.ts'

const minute = 60_000
const hour = 60 * minute
/** An event bears the time at which its record began: so long before the window records may have begun that are in it. */
const margin = 15 * minute
/** So long after an hour its events may still arrive. */
const settledAfter = 30 * minute
/** What asking for events page by page is still good for. */
const eventsMax = 50_000_000
const roomOfHour = 128 << 20

type Logs = Awaited<ReturnType<typeof logsClient>>

interface Reading {
  logs: Logs
  group: string
  formats: GroupFormats
  /** Events that were read so far, of all hours. */
  count: { events: number }
  asked: Asked
}

/**
 * The hours of a log group that may hold records of the window. Nothing is fetched yet but the description of its flow logs.
 *
 * @throws AwsError; UserError where there is no window, and where the formats of its flow logs cannot be told apart.
 */
export async function logsSource(uri: LogsUri, options: SourceOptions): Promise<Listed> {
  const { signal, narrowing, isKept, format } = options
  const aws = { ...options.aws, ...(uri.region !== null && { region: uri.region }) }
  const logs = await logsClient(aws)
  const doing = `read logs://${uri.group}`
  const asked: Asked = { doing, of: 'log group', name: uri.group, right: 'logs:FilterLogEvents' }
  const region = await ask(asked, () => logs.client.config.region(), signal)
  const hours = hoursOf(narrowing, isKept, Date.now())
  // Who names the format need not be told it.
  const formats =
    format === undefined ? await groupFormats(uri.group, aws, signal) : { header: () => null, notes: [], since: null }
  const reading: Reading = { logs, group: uri.group, formats, count: { events: 0 }, asked }
  const name = `logs://${uri.group}?region=${region}`
  const files = hours.slices.map(({ from, to }): RemoteFile => {
    const path = `${name}#${timeText(from)}`
    return {
      ...{ path, named: true, size: 0, etag: null, room: roomOfHour, isFixed: isKept },
      fetch: (file, stop) => events(reading, { from, to, path }, file, stop),
    }
  })
  return {
    ...{ uri: name, files, bytes: null, left_out: 0, folders_left_out: 0, accounts: [], regions: [region] },
    layouts: [{ name: 'hours of events', files: files.length }],
    first: timeText(hours.slices[0]!.from),
    last: timeText(hours.slices.at(-1)!.to),
    notes: [...formats.notes, ...before(formats, hours.slices[0]!.from), ...hours.notes],
  }
}

/** A format that was changed is of a flow log that is gone. */
function before({ since }: GroupFormats, from: number): string[] {
  if (since === null || from + hour >= since) return []
  return [
    `events before ${timeText(since)}, if there are any, are of flow logs that are gone: they are read in the format of today, and --format names another`,
  ]
}

interface Slice {
  from: number
  /** Without the moment itself. */
  to: number
}

/** Whole hours, for a case that stays: so each is known again. What may still grow is left for the next time there. */
function hoursOf({ from_us, to_us }: Narrowing, isKept: boolean, now: number): { slices: Slice[]; notes: string[] } {
  if (from_us === undefined)
    throw new UserError('a log group is read from a time on, and none is named', {
      status: 2,
      hint: 'name the window: --source-window 2023-09-28T17:00..2023-09-28T19:00',
    })
  const from = from_us / 1000 - margin
  const to = Math.min(to_us === undefined ? now : to_us / 1000 + margin, now)
  const slices: Slice[] = []
  for (let at = Math.floor(from / hour) * hour; at < to; at += hour)
    slices.push(isKept ? { from: at, to: at + hour } : { from: Math.max(at, from), to: Math.min(at + hour, to) })
  const settled = isKept ? slices.filter(slice => slice.to + settledAfter <= now) : slices
  if (settled.length === 0)
    throw new UserError('nothing of that window can be read yet', {
      hint: isKept
        ? 'an hour goes into a case half an hour after its end, when its events have arrived; flows and investigate without --case read it at once'
        : 'it lies in the future',
    })
  const left = slices.length - settled.length
  const after = timeText(settled.at(-1)!.to)
  return {
    slices: settled,
    notes: left === 0 ? [] : [`events after ${after} may still arrive, and are left for the next run`],
  }
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, 'Z')
}

/** Writes the events of an hour, each once. Null: there are none. */
async function events(
  reading: Reading,
  { from, to, path }: Slice & { path: string },
  file: string,
  signal: AbortSignal,
): Promise<Origin | null> {
  const gzip = createGzip({ level: 1 })
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600 })
  gzip.pipe(out)
  const done = finished(out)
  done.catch(() => undefined)
  out.once('error', error => gzip.destroy(error))
  let count = 0
  try {
    const seen = new Seen()
    let header: string | null = null
    for await (const page of pagesOf(reading, from, to, signal)) {
      const lines: string[] = []
      // What a server gives of other hours is read with these.
      const ownEvents = page.filter(({ timestamp: at }) => at === undefined || (at >= Math.ceil(from) && at < to))
      for (const [own, messages] of byFormat(ownEvents, seen, reading.formats)) {
        if (own !== null && own !== header) lines.push(own)
        header = own
        lines.push(...messages)
        count += messages.length
      }
      checkCount(reading, (reading.count.events += page.length))
      if (lines.length > 0 && !gzip.write(`${lines.join('\n')}\n`)) await Promise.race([once(gzip, 'drain'), done])
    }
    gzip.end()
    await done
    return count === 0 ? null : { uri: path, etag: null, size: out.bytesWritten, version_id: null }
  } catch (error) {
    gzip.destroy()
    out.destroy()
    throw error
  }
}

interface Event {
  eventId?: string | undefined
  logStreamName?: string | undefined
  message?: string | undefined
  /** Milliseconds since the epoch. */
  timestamp?: number | undefined
}

/** Pages may be partly full, or empty, while there are more. */
async function* pagesOf(
  { logs, group, asked }: Reading,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<Event[]> {
  const window = { logGroupName: group, startTime: Math.ceil(from), endTime: Math.ceil(to) - 1 }
  let token: string | undefined
  do {
    const command = new logs.sdk.FilterLogEventsCommand({ ...window, ...(token !== undefined && { nextToken: token }) })
    const page = await ask(asked, () => logs.client.send(command, { abortSignal: signal }), signal)
    yield page.events ?? []
    token = nextMark(asked, token, page.nextToken)
  } while (token !== undefined)
}

/** Messages by the header that their format has. */
function byFormat(page: readonly Event[], seen: Seen, formats: GroupFormats): Map<string | null, string[]> {
  const found = new Map<string | null, string[]>()
  for (const { eventId, logStreamName, message } of page) {
    if (message === undefined || (eventId !== undefined && !seen.isNew(eventId))) continue
    const header = formats.header(logStreamName ?? '')
    const messages = found.get(header)
    if (messages === undefined) found.set(header, [message.trimEnd()])
    else messages.push(message.trimEnd())
  }
  return found
}

function checkCount({ asked, group }: Reading, events: number): void {
  if (events <= eventsMax) return
  throw new AwsError(
    `cannot ${asked.doing}: more than ${integerText(eventsMax)} events are in that window`,
    `narrow the window, or export the group to S3 and read it there: aws logs create-export-task --log-group-name ${group}`,
    { code: 'TooMany', http: null, about: 'all', isTransient: false },
  )
}

const seenMax = 100_000

/** The events of late, by their ids: an event comes twice at most in pages that follow one another. */
class Seen {
  private older = new Set<string>()
  private newer = new Set<string>()

  isNew(id: string): boolean {
    if (this.newer.has(id) || this.older.has(id)) return false
    this.newer.add(id)
    if (this.newer.size >= seenMax) {
      this.older = this.newer
      this.newer = new Set()
    }
    return true
  }
}
