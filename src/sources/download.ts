/** One object to one file: continued where the body was cut, never taken for whole before its length says so. */
import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { type Asked, type AwsError, again, ask, awsError } from '../aws/errors.ts'
import { incomplete } from '../aws/s3-object.ts'
import { createNew } from '../disk/writing.ts'
import { errorCode } from '../errors.ts'
import type { FoundObject, S3 } from './list.ts'
import type { Origin } from './remote.ts'

export interface DownloadOptions {
  requestPayer: boolean
  signal: AbortSignal
  /** Without a byte for so long a body counts as cut; only tests change it. */
  silentMilliseconds?: number
}

/** Cuts in a row, without one byte between, after which an object is given up. */
const cutsMax = 8
const silentByDefault = 60_000
const waitMilliseconds = 250

/**
 * Writes all of an object to a new file: the one of the listed ETag, of the listed size.
 *
 * @throws AwsError
 */
export async function download(
  s3: S3,
  bucket: string,
  object: FoundObject,
  to: string,
  options: DownloadOptions,
): Promise<Origin> {
  const uri = `s3://${bucket}/${object.key}`
  const { requestPayer, signal } = options
  const right = object.version === undefined ? 's3:GetObject' : 's3:GetObjectVersion'
  const asked: Asked = { doing: `read ${uri}`, of: 'object', name: uri, right, requestPayer }
  const file = await createNew(to, 0o600)
  let version: string | null = null
  try {
    let have = 0
    for (let cuts = 0; have < object.size || version === null; ) {
      signal.throwIfAborted()
      const answer = await ask(
        asked,
        () => s3.client.send(partOf(s3, bucket, object, have, requestPayer), { abortSignal: signal }),
        signal,
      )
      version = answer.VersionId ?? ''
      const from = firstByte(answer.ContentRange, asked)
      const length = answer.ContentLength ?? object.size - from
      if (from > have || from + length !== object.size) throw otherLength(asked, from + length, object.size)
      const got = await written(answer.Body as Readable, file, from, object.size, options)
      if (from + got.bytes > object.size) throw otherLength(asked, from + got.bytes, object.size)
      cuts = from + got.bytes > have ? 0 : cuts + 1
      have = Math.max(have, from + got.bytes)
      if (have === object.size) break
      if (cuts >= cutsMax) throw given(asked, have, object.size, got.error)
      await wait(waitMilliseconds * 2 ** cuts, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
    return { uri, etag: object.etag, size: object.size, version_id: version === '' ? null : version }
  } finally {
    await file.close()
  }
}

function partOf(s3: S3, bucket: string, { key, etag, version }: FoundObject, have: number, requestPayer: boolean) {
  return new s3.sdk.GetObjectCommand({
    ...{ Bucket: bucket, Key: key },
    // The one that was listed, or none.
    ...(etag !== null && { IfMatch: etag }),
    ...(version !== undefined && { VersionId: version }),
    ...(have > 0 && { Range: `bytes=${have}-` }),
    ...(requestPayer && { RequestPayer: 'requester' }),
  })
}

/** Where the answer's bytes begin: a server may not know of ranges. */
function firstByte(range: string | undefined, asked: Asked): number {
  if (range === undefined) return 0
  const first = /^bytes (\d+)-/.exec(range)?.[1]
  if (first === undefined)
    throw incomplete(asked, `the server gives a range that cannot be read (${range})`, again(asked))
  return Number(first)
}

/** Writes a body at its place. What ends it early is no error here: `bytes` says how far it came. */
async function written(
  body: Readable,
  file: FileHandle,
  from: number,
  size: number,
  { signal, silentMilliseconds = silentByDefault }: DownloadOptions,
): Promise<{ bytes: number; error: unknown }> {
  let bytes = 0
  const stop = (): void => void body.destroy(new Error('stopped'))
  const silent = (): void => void body.destroy(new Error(`no byte came in ${silentMilliseconds / 1000} s`))
  let timer = setTimeout(silent, silentMilliseconds)
  signal.addEventListener('abort', stop)
  const pieces = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  try {
    for (;;) {
      let piece: IteratorResult<Buffer>
      try {
        piece = await pieces.next()
      } catch (error) {
        signal.throwIfAborted()
        return { bytes, error }
      }
      clearTimeout(timer)
      if (piece.done) return { bytes, error: null }
      // More than there can be is not written: it is said.
      if (from + bytes + piece.value.length > size) return { bytes: bytes + piece.value.length, error: null }
      await writeAll(file, piece.value, from + bytes)
      bytes += piece.value.length
      timer = setTimeout(silent, silentMilliseconds)
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    body.destroy()
  }
}

/** A disk that becomes full takes some of a piece, and is an error for the rest only. */
async function writeAll(file: FileHandle, piece: Buffer, to: number): Promise<void> {
  for (let at = 0; at < piece.length; ) at += (await file.write(piece, at, piece.length - at, to + at)).bytesWritten
}

function otherLength(asked: Asked, is: number, listed: number): AwsError {
  return incomplete(asked, `it has ${is} bytes, and ${listed} when it was listed`, again(asked))
}

function given(asked: Asked, have: number, size: number, cause: unknown): Error {
  const why = cause === null ? 'cut' : (errorCode(cause) ?? awsError(cause, asked).message)
  return incomplete(asked, `its bytes end at ${have} of ${size}, ${cutsMax} times in a row (${why})`, again(asked))
}
