/** What lies elsewhere, as the user names it: `s3://bucket/prefix`, `logs://group?region=eu-central-1`. */
import { isBucketName } from '../aws/bucket-name.ts'
import { UserError } from '../errors.ts'

export interface S3Uri {
  kind: 's3'
  bucket: string
  /** A key, a folder, or how keys begin; empty: everything. */
  prefix: string
}

export interface LogsUri {
  kind: 'logs'
  group: string
  region: string | null
}

/** A queue of Amazon SQS that tells of new objects. */
export interface QueueUri {
  kind: 'sqs'
  name: string
  /** Of the queue's owner; null: the one that asks. */
  account: string | null
  region: string | null
}

/** Whether a text names a queue, well or badly. */
export function isQueueUri(text: string): boolean {
  return /^sqs:\/\//i.test(text)
}

/**
 * `sqs://NAME`, `sqs://ACCOUNT/NAME`, each also with `?region=NAME`; or the queue's address with `sqs` for `https`:
 * `sqs://sqs.eu-central-1.amazonaws.com/123456789012/NAME`.
 *
 * @throws UserError (status 2) for what is no such name.
 */
export function parseQueueUri(text: string): QueueUri {
  const [, rest = '', query] = /^sqs:\/\/([^?]*)(?:\?(.*))?$/is.exec(text) ?? []
  const [, host, account, name] =
    /^(?:sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/(?=\d{12}\/))?(?:(\d{12})\/)?([\w-]{1,80}(?:\.fifo)?)$/.exec(
      rest,
    ) ?? []
  if (name === undefined)
    throw new UserError('not the name of a queue', {
      status: 2,
      hint: 'it is like sqs://flow-log-objects or sqs://123456789012/flow-log-objects?region=eu-central-1',
    })
  const asked = query === undefined ? null : (/^region=([a-z0-9-]{1,64})$/.exec(query)?.[1] ?? null)
  if (query !== undefined && asked === null)
    throw new UserError(`after ? stands region=NAME alone: sqs://${rest}?…`, { status: 2 })
  return { kind: 'sqs', name, account: account ?? null, region: asked ?? host ?? null }
}

/** Whether a text names something that lies elsewhere, well or badly. */
export function isSourceUri(text: string): boolean {
  return /^(?:s3|logs):\/\//i.test(text)
}

/** @throws UserError (status 2) for what is no such name. What may hold a password is not repeated. */
export function parseSourceUri(text: string): S3Uri | LogsUri {
  const [, scheme = '', rest = ''] = /^([a-z0-9]+):\/\/(.*)$/is.exec(text) ?? []
  return scheme.toLowerCase() === 's3' ? s3Uri(rest) : logsUri(rest)
}

function s3Uri(rest: string): S3Uri {
  const slash = rest.indexOf('/')
  const bucket = slash < 0 ? rest : rest.slice(0, slash)
  if (bucket.includes('@') || bucket.includes(':'))
    throw new UserError('the name of a bucket holds a user or a password', {
      status: 2,
      hint: 'leave it out: credentials come from the environment or from a profile (--profile)',
    })
  if (!isBucketName(bucket))
    throw new UserError(`not the name of a bucket: s3://${bucket}`, {
      status: 2,
      hint: 'it is like s3://bucket/AWSLogs/123456789012/; a name has 3 to 63 lower-case letters, digits, dots and hyphens',
    })
  return { kind: 's3', bucket, prefix: slash < 0 ? '' : rest.slice(slash + 1) }
}

function logsUri(rest: string): LogsUri {
  const [, group = '', query] = /^([^?]*)(?:\?(.*))?$/s.exec(rest) ?? []
  if (!/^[\w./#-]{1,512}$/.test(group))
    throw new UserError('not the name of a log group', {
      status: 2,
      hint: 'it is like logs://vpc-flow-logs or logs:///aws/vpc/flow-logs?region=eu-central-1',
    })
  const region = query === undefined ? null : (/^region=([a-z0-9-]{1,64})$/.exec(query)?.[1] ?? null)
  if (query !== undefined && region === null)
    throw new UserError(`after ? stands region=NAME alone: logs://${group}?…`, { status: 2 })
  return { kind: 'logs', group, region }
}
