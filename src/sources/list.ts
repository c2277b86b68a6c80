/** Lists a bucket, folder by folder, many at a time, and does not look into those that cannot hold what is wanted. */
import { setMaxListeners } from 'node:events'
import type { s3Client } from '../aws/clients.ts'
import { type Asked, ask } from '../aws/errors.ts'
import { broken, nextOfListing, noServer } from '../aws/pages.ts'
import { factsOf, isWanted } from './keys.ts'
import type { Narrowing } from './remote.ts'
import type { S3Uri } from './uri.ts'

export type S3 = Awaited<ReturnType<typeof s3Client>>

export interface FoundObject {
  key: string
  size: number
  etag: string | null
  /** When it was written last, milliseconds since the epoch, where that is known. */
  modified?: number
  /** The version that is meant; without it, the one that is there now. */
  version?: string
}

export interface ListOptions {
  /** Or which keys are wanted, and, where they end with `/`, which folders. */
  narrowing: Narrowing | ((key: string) => boolean)
  requestPayer: boolean
  signal: AbortSignal
  /** Told now and then, of those so far. */
  onFound?: (objects: number, requests: number) => void
}

export interface Listing {
  /** In the order of their keys. */
  objects: FoundObject[]
  /** Set where the prefix is the key of one object. */
  isOne: boolean
  leftOut: number
  foldersLeftOut: number
}

/** Folders that are listed at a time. */
const foldersAtATime = 16
const separator = '/'

/**
 * The objects that a name means: the one of that key and those in the folder of that name; where there is neither, all whose keys begin with it.
 *
 * @throws AwsError
 */
export async function listObjects(s3: S3, uri: S3Uri, options: ListOptions): Promise<Listing> {
  // Each folder that is being listed listens: Node would warn of that number.
  setMaxListeners(0, options.signal)
  const walk = new Walk(s3, uri, options)
  const { prefix } = uri
  if (prefix === '' || prefix.endsWith(separator)) await walk.all([prefix])
  else {
    const { keys, folders } = await walk.level(prefix)
    const own = keys.filter(object => object.key === prefix)
    const folder = folders.filter(name => name === prefix + separator)
    const isExact = own.length + folder.length > 0
    walk.take(isExact ? own : keys)
    walk.isOne = own.length === 1 && folder.length === 0
    await walk.all(walk.wanted(isExact ? folder : folders))
  }
  walk.objects.sort((a, b) => (a.key < b.key ? -1 : 1))
  return walk
}

function isWithin(folder: string, prefix: string): boolean {
  return folder.startsWith(prefix) && folder.length > prefix.length && folder.endsWith(separator)
}

class Walk implements Listing {
  readonly objects: FoundObject[] = []
  isOne = false
  leftOut = 0
  foldersLeftOut = 0
  private requests = 0
  private readonly s3: S3
  private readonly uri: S3Uri
  private readonly options: ListOptions

  constructor(s3: S3, uri: S3Uri, options: ListOptions) {
    this.s3 = s3
    this.uri = uri
    this.options = options
  }

  /** Lists folders, and those in them, in no order. */
  async all(folders: string[]): Promise<void> {
    const queue = [...folders]
    let busy = 0
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        if (queue.length === 0 && busy === 0) resolve()
        while (queue.length > 0 && busy < foldersAtATime) {
          busy++
          this.level(queue.shift()!, keys => this.take(keys)).then(
            ({ folders: found }) => {
              busy--
              for (const folder of this.wanted(found)) queue.push(folder)
              next()
            },
            (error: unknown) => {
              queue.length = 0
              reject(error)
            },
          )
        }
      }
      next()
    })
  }

  /** The keys of one level that begin with a prefix, and the folders there. `take` gets the keys page by page, if it is there. */
  async level(
    prefix: string,
    take?: (keys: FoundObject[]) => void,
  ): Promise<{ keys: FoundObject[]; folders: string[] }> {
    const { bucket } = this.uri
    const { requestPayer, signal, onFound } = this.options
    const doing = `list s3://${bucket}/${prefix}`
    const asked: Asked = { doing, of: 'bucket', name: bucket, right: 's3:ListBucket', requestPayer }
    const all = { keys: [] as FoundObject[], folders: [] as string[] }
    let token: string | undefined
    do {
      const command = new this.s3.sdk.ListObjectsV2Command({
        ...{ Bucket: bucket, Prefix: prefix, Delimiter: separator },
        ...(token !== undefined && { ContinuationToken: token }),
        ...(requestPayer && { RequestPayer: 'requester' }),
      })
      const page = await ask(asked, () => this.s3.client.send(command, { abortSignal: signal }), signal)
      this.requests++
      const keys = (page.Contents ?? []).flatMap(({ Key, Size, ETag, LastModified }) =>
        // What stands for a folder is no file.
        Key === undefined || (Key.endsWith(separator) && !Size)
          ? []
          : [
              {
                ...{ key: Key, size: Size ?? 0, etag: ETag ?? null },
                ...(LastModified !== undefined && { modified: LastModified.getTime() }),
              },
            ],
      )
      const folders = (page.CommonPrefixes ?? []).flatMap(({ Prefix }) => Prefix ?? [])
      // What is listed under other folders too would count twice, and a folder in itself has no end.
      const isOwn = keys.every(({ key }) => key.startsWith(prefix)) && folders.every(one => isWithin(one, prefix))
      if (!isOwn) throw broken(asked, 'the server lists what does not lie there', 'NotAsked', noServer)
      if (keys.some(({ size }) => !Number.isSafeInteger(size) || size < 0))
        throw broken(asked, 'the server gives an object a size that is not a whole number', 'NoSize', noServer)
      if (take === undefined) all.keys.push(...keys)
      else take(keys)
      all.folders.push(...folders)
      token = nextOfListing(asked, token, page)
      onFound?.(this.objects.length, this.requests)
    } while (token !== undefined)
    return all
  }

  take(keys: readonly FoundObject[]): void {
    for (const object of keys) {
      if (this.isWanted(object.key)) this.objects.push(object)
      else this.leftOut++
    }
  }

  wanted(folders: readonly string[]): string[] {
    const found = folders.filter(folder => this.isWanted(folder))
    this.foldersLeftOut += folders.length - found.length
    return found
  }

  private isWanted(key: string): boolean {
    const { narrowing } = this.options
    return typeof narrowing === 'function' ? narrowing(key) : isWanted(this.beyond(key), narrowing)
  }

  /** What a key says; of the service only beyond what the user named: who names another one means it. */
  private beyond(key: string): ReturnType<typeof factsOf> {
    const { service, ...facts } = factsOf(key)
    const isNamed = service === undefined || `/${this.uri.prefix}`.includes(`/${service}`)
    return isNamed ? facts : { ...facts, service }
  }
}
