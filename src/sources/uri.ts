/** What lies elsewhere, as the user names it: `s3://bucket/prefix`, `logs://group?region=eu-central-1`. */
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
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket))
    throw new UserError(`not the name of a bucket: s3://${bucket}`, {
      status: 2,
      hint: 'it is like s3://bucket/AWSLogs/123456789012/',
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
