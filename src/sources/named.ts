/** Objects that a message names: they may have changed since it was sent. */
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { type Asked, AwsError, ask } from '../aws/errors.ts'
import { objectPieces } from '../aws/s3-object.ts'
import { type DownloadOptions, download } from './download.ts'
import type { NamedObject } from './events.ts'
import type { FoundObject, S3 } from './list.ts'
import type { Origin } from './remote.ts'

/**
 * Writes an object that was named to a new file. Where something else is under its key by now, the version that was named is read, if the bucket keeps
 * versions; else what is there now.
 *
 * @throws AwsError
 */
export async function downloadNamed(
  s3: S3,
  object: NamedObject,
  to: string,
  options: DownloadOptions,
): Promise<Origin> {
  const { bucket, key, size, etag, version } = object
  const named = size === null || etag === null ? await present(s3, bucket, key, options) : { key, size, etag }
  try {
    return await download(s3, bucket, named, to, options)
  } catch (error) {
    if (!isOther(error)) throw error
    await rm(to, { force: true })
    if (version !== null) return await download(s3, bucket, { ...named, version }, to, options)
    if (isGone(error)) throw error
  }
  return await download(s3, bucket, await present(s3, bucket, key, options), to, options)
}

/**
 * The first bytes of what is under a key now, in hexadecimal digits of their SHA-256; null: it is gone, or has no more than these.
 *
 * @throws AwsError
 */
export async function presentBeginning(
  s3: S3,
  { bucket, key }: Pick<NamedObject, 'bucket' | 'key'>,
  bytes: number,
  { requestPayer, signal }: DownloadOptions,
): Promise<string | null> {
  const digest = createHash('sha256')
  let read = 0
  try {
    for await (const piece of objectPieces(s3, bucket, key, { requestPayer, signal })) {
      digest.update(piece.subarray(0, Math.max(0, bytes - read)))
      read += piece.length
      if (read > bytes) return digest.digest('hex')
    }
  } catch (error) {
    // Of an empty object no range can be had.
    if (!isGone(error) && !(error instanceof AwsError && error.code === 'InvalidRange')) throw error
  }
  return null
}

/** Whether an object is there no more. */
export function isGone(error: unknown): boolean {
  return error instanceof AwsError && /^(NoSuchKey|NotFound|NoSuchVersion)$/.test(error.code)
}

function isOther(error: unknown): boolean {
  return isGone(error) || (error instanceof AwsError && error.code === 'PreconditionFailed')
}

/** What is under a key now. */
async function present(
  s3: S3,
  bucket: string,
  key: string,
  { requestPayer, signal }: DownloadOptions,
): Promise<FoundObject> {
  const name = `s3://${bucket}/${key}`
  const asked: Asked = { doing: `read ${name}`, of: 'object', name, right: 's3:GetObject', requestPayer }
  const command = new s3.sdk.HeadObjectCommand({
    ...{ Bucket: bucket, Key: key },
    ...(requestPayer && { RequestPayer: 'requester' }),
  })
  const { ContentLength: size, ETag: etag } = await ask(
    asked,
    () => s3.client.send(command, { abortSignal: signal }),
    signal,
  )
  return { key, size: size ?? 0, etag: etag ?? null }
}
