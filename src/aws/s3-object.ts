/** One object of S3 as it is, in pieces that are read again where they were cut. */
import type { s3Client } from './clients.ts'
import { type Asked, AwsError, ask, awsError } from './errors.ts'

type S3 = Awaited<ReturnType<typeof s3Client>>

const pieceBytes = 8 * 2 ** 20
const attemptsMost = 4
/** Of an object of which a part was asked for, so much is taken as a whole. */
const wholeMost = 64 * 2 ** 20

/**
 * The bytes of an object, piece by piece, all of one version of it.
 *
 * @throws AwsError where it cannot be read, or has changed meanwhile.
 */
export async function* objectPieces(
  s3: S3,
  bucket: string,
  key: string,
  { requestPayer = false, signal }: { requestPayer?: boolean; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const name = `s3://${bucket}/${key}`
  const asked: Asked = { doing: `read ${name}`, of: 'object', name, right: 's3:GetObject', requestPayer }
  const payer = requestPayer ? { RequestPayer: 'requester' as const } : {}
  let etag: string | undefined
  for (let at = 0, size = 1; at < size; ) {
    const what = { Bucket: bucket, Key: key, IfMatch: etag, ...payer }
    const piece = await pieceOf(s3, what, { from: at, length: pieceBytes }, asked, signal)
    etag ??= piece.etag
    size = piece.size
    at += piece.bytes.length
    yield piece.bytes
  }
}

/**
 * Some bytes of an object.
 *
 * @param part `length`: no more than there are from there.
 * @throws AwsError where they cannot be read.
 */
export async function objectPart(
  s3: S3,
  { bucket, key, ...part }: { bucket: string; key: string; from: number; length: number },
  { requestPayer, signal }: { requestPayer: boolean; signal: AbortSignal },
): Promise<Buffer> {
  if (part.length === 0) return Buffer.alloc(0)
  const name = `s3://${bucket}/${key}`
  const asked: Asked = { doing: `read ${name}`, of: 'object', name, right: 's3:GetObject', requestPayer }
  const payer = requestPayer ? { RequestPayer: 'requester' as const } : {}
  const what = { Bucket: bucket, Key: key, IfMatch: undefined, ...payer }
  const { bytes } = await pieceOf(s3, what, part, asked, signal)
  return bytes.subarray(0, part.length)
}

interface Piece {
  bytes: Buffer
  size: number
  etag: string | undefined
}

async function pieceOf(
  s3: S3,
  what: { Bucket: string; Key: string; IfMatch: string | undefined; RequestPayer?: 'requester' },
  { from, length }: { from: number; length: number },
  asked: Asked,
  signal: AbortSignal,
): Promise<Piece> {
  const { IfMatch, ...object } = what
  for (let tried = 1; ; tried++) {
    const command = new s3.sdk.GetObjectCommand({
      ...object,
      ...(IfMatch !== undefined && { IfMatch }),
      Range: `bytes=${from}-${from + length - 1}`,
    })
    const answer = await ask(asked, () => s3.client.send(command, { abortSignal: signal }), signal)
    const size = sizeOf(answer.ContentRange, answer.ContentLength, from)
    if (size === null) throw incomplete(asked, 'the server gives a range that cannot be read')
    // A server without ranges gives all of it.
    const most = answer.ContentRange === undefined ? size : length
    if (most > Math.max(length, wholeMost))
      throw incomplete(asked, 'the server gives all of it, and not the part that was asked for')
    try {
      const bytes = await bytesOf((answer.Body ?? []) as AsyncIterable<Uint8Array>, most)
      // A piece that is cut short may look whole.
      if (bytes.length === Math.min(size - from, most)) return { bytes, size, etag: answer.ETag }
      if (tried >= attemptsMost) throw incomplete(asked, `a piece has ${bytes.length} bytes`)
    } catch (error) {
      signal.throwIfAborted()
      if (tried >= attemptsMost) throw awsError(error, asked)
    }
  }
}

/** All bytes of an answer, or one more than `most`. */
async function bytesOf(body: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  let left = most + 1
  for await (const piece of body) {
    pieces.push(piece.subarray(0, left))
    left -= Math.min(left, piece.length)
    if (left === 0) break
  }
  return Buffer.concat(pieces)
}

/** How long the whole object is; null where the answer is not the part that was asked for. */
function sizeOf(range: string | undefined, length: number | undefined, from: number): number | null {
  if (range === undefined) return from === 0 && length !== undefined ? length : null
  const [, first, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(range) ?? []
  return Number(first) === from ? Number(size) : null
}

/** The bytes that a server gives are not those of the object. */
export function incomplete(asked: Asked, what: string, hint = 'run the same command again'): AwsError {
  return new AwsError(`cannot ${asked.doing}: ${what}`, hint, {
    ...{ code: 'Incomplete', http: null, about: 'one', isTransient: true },
  })
}
