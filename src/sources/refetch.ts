/** Objects that were read, fetched once more: for the text of their lines. */
import { s3Client } from '../aws/clients.ts'
import type { AwsOptions } from '../aws/options.ts'
import { UserError } from '../errors.ts'
import { download } from './download.ts'
import type { S3 } from './list.ts'
import type { Origin } from './remote.ts'
import { parseSourceUri } from './uri.ts'

/**
 * Writes an object that was read to a new file, if it is still the same by its ETag.
 *
 * @throws AwsError; UserError for what cannot be had a second time.
 */
export type Refetch = (origin: Origin, to: string) => Promise<void>

export function refetching(aws: AwsOptions, signal: AbortSignal): Refetch {
  let s3: Promise<S3> | null = null
  return async (origin, to) => {
    const uri = parseSourceUri(origin.uri)
    if (uri.kind !== 's3') throw new UserError('events of CloudWatch Logs are not fetched a second time')
    s3 ??= s3Client(aws)
    const { etag, size } = origin
    const object = { key: uri.prefix, size, etag }
    await download(await s3, uri.bucket, object, to, { requestPayer: aws.requestPayer === true, signal })
  }
}
