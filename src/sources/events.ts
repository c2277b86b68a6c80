/** What a message of a queue says of new objects: notifications of S3, as they are or in those of SNS, and events of EventBridge. */
import { isBucketName } from '../aws/bucket-name.ts'

/** An object as a message names it. Null is unknown. */
export interface NamedObject {
  bucket: string
  key: string
  size: number | null
  /** In quotes, as S3 gives it. */
  etag: string | null
  version: string | null
  /** When it was written, milliseconds since the epoch. */
  time: number | null
}

export interface Notice {
  objects: NamedObject[]
  /** Events of S3 that bring no content: tests, deletions, tags. */
  others: number
}

export type ReadNotice = { notice: Notice; fault: null } | { notice: null; fault: string }

/** SNS in SNS is not sent by anybody. */
const depthMax = 2

/** Reads the body of a message. `fault` says why it does not tell of objects. */
export function noticeOf(body: string): ReadNotice {
  return noticeIn(body, 0)
}

type Fields = Record<string, unknown>

function noticeIn(body: string, depth: number): ReadNotice {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return faulty('it is not JSON')
  }
  if (!isFields(value)) return faulty('it is no object of JSON')
  if (value['Event'] === 's3:TestEvent') return { notice: { objects: [], others: 1 }, fault: null }
  if (Array.isArray(value['Records'])) {
    if (value['Records'].length === 0) return faulty('its Records are empty')
    return noticeFrom(value['Records'], recordOf)
  }
  const { Type: type, Message: message, source } = value
  if (type === 'Notification' && typeof message === 'string')
    return depth + 1 < depthMax ? noticeIn(message, depth + 1) : faulty('it is a notification in a notification of SNS')
  if (source === 'aws.s3') return noticeFrom([value], eventOf)
  return faulty('it is no notification of S3: it has neither Records, nor the Message of SNS, nor an event of aws.s3')
}

/** An object; `other`: an event that brings no content; a text: what is wrong with it. */
type ReadRecord = NamedObject | 'other' | { fault: string }

function noticeFrom(records: readonly unknown[], read: (fields: Fields) => ReadRecord): ReadNotice {
  const notice: Notice = { objects: [], others: 0 }
  for (const [i, record] of records.entries()) {
    const one = isFields(record) ? read(record) : { fault: 'it is no object of JSON' }
    if (one === 'other') notice.others++
    else if ('fault' in one) return faulty(records.length === 1 ? one.fault : `its record ${i + 1}: ${one.fault}`)
    else notice.objects.push(one)
  }
  return { notice, fault: null }
}

/**
 * A record of S3's own notifications, whose keys are encoded as in a form: `+` for a space, `%xx`
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
 */
function recordOf({ eventSource, eventName, eventTime, s3 }: Fields): ReadRecord {
  if (eventSource !== undefined && eventSource !== 'aws:s3')
    return { fault: `it is of another service than S3 (eventSource): ${JSON.stringify(eventSource)}` }
  if (typeof eventName !== 'string') return { fault: 'it does not say what happened (eventName)' }
  if (!/^(?:s3:)?ObjectCreated:/.test(eventName)) return 'other'
  const [bucket, object] = isFields(s3) ? [s3['bucket'], s3['object']] : []
  if (!isFields(bucket) || !isFields(object) || typeof object['key'] !== 'string')
    return { fault: 'it names no object (s3.bucket.name, s3.object.key)' }
  let key: string
  try {
    key = decodeURIComponent(object['key'].replaceAll('+', ' '))
  } catch {
    return { fault: `its key is not encoded as in a URL: ${object['key']}` }
  }
  const { size, eTag: etag, versionId: version } = object
  return objectOf(bucket['name'], key, { size, etag, version, time: eventTime })
}

/**
 * An event of EventBridge, whose keys are as they are: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html says nothing of an
 * encoding. LocalStack (services/s3/notifications.py), which is compared with AWS, encodes the keys of notifications, and these not.
 */
function eventOf({ 'detail-type': type, time, detail }: Fields): ReadRecord {
  if (typeof type !== 'string') return { fault: 'it does not say what happened (detail-type)' }
  if (type !== 'Object Created') return 'other'
  const [bucket, object] = isFields(detail) ? [detail['bucket'], detail['object']] : []
  if (!isFields(bucket) || !isFields(object) || typeof object['key'] !== 'string')
    return { fault: 'it names no object (detail.bucket.name, detail.object.key)' }
  const { key, size, etag, 'version-id': version } = object
  return objectOf(bucket['name'], key as string, { size, etag, version, time })
}

function objectOf(
  bucket: unknown,
  key: string,
  { size, etag, version, time }: Record<'size' | 'etag' | 'version' | 'time', unknown>,
): ReadRecord {
  if (typeof bucket !== 'string' || !isBucketName(bucket)) return { fault: 'it names no bucket' }
  if (key === '') return { fault: 'its key is empty' }
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return {
    ...{ bucket, key },
    size: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : null,
    etag: typeof etag === 'string' && etag !== '' ? `"${etag.replace(/^"|"$/g, '')}"` : null,
    version: typeof version === 'string' && version !== '' ? version : null,
    time: Number.isNaN(at) ? null : at,
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function faulty(fault: string): ReadNotice {
  return { notice: null, fault }
}
