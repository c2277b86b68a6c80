/** Objects whose names are known from elsewhere, as files to be read: looked up folder by folder, for their sizes and ETags. */
import { setMaxListeners } from 'node:events'
import { s3Client } from '../aws/clients.ts'
import { type Asked, ask } from '../aws/errors.ts'
import type { AwsOptions } from '../aws/options.ts'
import { nextOfListing } from '../aws/pages.ts'
import { UserError } from '../errors.ts'
import { download } from './download.ts'
import type { FoundObject, S3 } from './list.ts'
import type { RemoteFile } from './remote.ts'
import { parseSourceUri } from './uri.ts'

/** Of so few objects each is looked up by itself: a folder may hold many that nobody asked for. */
const singlesMost = 4
const requestsAtATime = 16

/** Keys that one listing is to find. */
interface Lookup {
  bucket: string
  prefix: string
  keys: ReadonlySet<string>
}

/**
 * The objects of these URIs, in their order.
 *
 * @throws AwsError; UserError for one that is not there, or no name of an object.
 */
export async function namedObjects(
  uris: readonly string[],
  { aws, signal }: { aws: AwsOptions; signal: AbortSignal },
): Promise<RemoteFile[]> {
  const s3 = await s3Client(aws)
  const requestPayer = aws.requestPayer === true
  // Each listing listens: Node would warn of that number.
  setMaxListeners(0, signal)
  const found = new Map<string, FoundObject>()
  const queue = lookupsOf(uris)
  const work = async (): Promise<void> => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop())
      for await (const object of looked(s3, next, { requestPayer, signal }))
        found.set(`s3://${next.bucket}/${object.key}`, object)
  }
  await Promise.all(Array.from({ length: requestsAtATime }, work))
  return uris.map((uri): RemoteFile => {
    const object = found.get(uri)
    if (object === undefined)
      throw new UserError(`there is no such object, although the engine has read it: ${uri}`, {
        hint: 'is it the same S3 (--endpoint), and was nothing removed meanwhile?',
      })
    const { bucket } = placeOf(uri)
    return {
      ...{ path: uri, named: true, size: object.size, etag: object.etag },
      fetch: (to, stop) => download(s3, bucket, object, to, { requestPayer, signal: stop }),
    }
  })
}

function placeOf(uri: string): { bucket: string; key: string } {
  const place = parseSourceUri(uri)
  if (place.kind !== 's3' || place.prefix === '') throw new UserError(`not the name of an object: ${uri}`)
  return { bucket: place.bucket, key: place.prefix }
}

function lookupsOf(uris: readonly string[]): Lookup[] {
  const folders = new Map<string, { bucket: string; folder: string; keys: Set<string> }>()
  for (const uri of uris) {
    const { bucket, key } = placeOf(uri)
    const folder = key.slice(0, key.lastIndexOf('/') + 1)
    const one = folders.get(`${bucket}/${folder}`) ?? { bucket, folder, keys: new Set<string>() }
    folders.set(`${bucket}/${folder}`, one)
    one.keys.add(key)
  }
  return [...folders.values()].flatMap(({ bucket, folder, keys }): Lookup[] =>
    keys.size > singlesMost
      ? [{ bucket, prefix: folder, keys }]
      : [...keys].map(key => ({ bucket, prefix: key, keys: new Set([key]) })),
  )
}

/** Lists until all keys are found, or there are no more. */
async function* looked(
  s3: S3,
  { bucket, prefix, keys }: Lookup,
  { requestPayer, signal }: { requestPayer: boolean; signal: AbortSignal },
): AsyncGenerator<FoundObject> {
  const doing = `list s3://${bucket}/${prefix}`
  const asked: Asked = { doing, of: 'bucket', name: bucket, right: 's3:ListBucket', requestPayer }
  let left = keys.size
  let token: string | undefined
  do {
    const command = new s3.sdk.ListObjectsV2Command({
      ...{ Bucket: bucket, Prefix: prefix, Delimiter: '/' },
      ...(token !== undefined && { ContinuationToken: token }),
      ...(requestPayer && { RequestPayer: 'requester' }),
    })
    const page = await ask(asked, () => s3.client.send(command, { abortSignal: signal }), signal)
    for (const { Key, Size, ETag } of page.Contents ?? []) {
      if (Key === undefined || !keys.has(Key)) continue
      left--
      yield { key: Key, size: Size ?? 0, etag: ETag ?? null }
    }
    token = nextOfListing(asked, token, page)
  } while (token !== undefined && left > 0)
}
