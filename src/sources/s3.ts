/** Objects of a bucket as files to be read. */
import { s3Client } from '../aws/clients.ts'
import type { AwsOptions } from '../aws/options.ts'
import { UserError } from '../errors.ts'
import { countText } from '../net/counts.ts'
import { download } from './download.ts'
import { factsOf, layoutOf } from './keys.ts'
import { type FoundObject, listObjects } from './list.ts'
import type { Listed, Narrowing, RemoteFile } from './remote.ts'
import type { S3Uri } from './uri.ts'

export interface SourceOptions {
  aws: AwsOptions
  narrowing: Narrowing
  /** Whether what is read stays in a case, so that a later run goes on from there. */
  isKept: boolean
  /** Field list of logs without a header, where the user gave one. */
  format?: string
  signal: AbortSignal
  onFound?: (objects: number, requests: number) => void
}

/**
 * What lies under a name in S3, listed. Nothing is fetched yet.
 *
 * @throws AwsError; UserError where there is nothing.
 */
export async function s3Source(uri: S3Uri, options: SourceOptions): Promise<Listed> {
  const s3 = await s3Client(options.aws)
  const { signal, narrowing, onFound } = options
  const requestPayer = options.aws.requestPayer === true
  const listing = await listObjects(s3, uri, { narrowing, requestPayer, signal, ...(onFound && { onFound }) })
  const text = `s3://${uri.bucket}/${uri.prefix}`
  if (listing.objects.length === 0) throw nothing(text, listing.leftOut, listing.foldersLeftOut)
  const files = listing.objects.map(
    (object): RemoteFile => ({
      ...{ path: `s3://${uri.bucket}/${object.key}`, named: listing.isOne, size: object.size, etag: object.etag },
      fetch: (to, stop) => download(s3, uri.bucket, object, to, { requestPayer, signal: stop }),
    }),
  )
  return {
    ...{ uri: text, files, left_out: listing.leftOut, folders_left_out: listing.foldersLeftOut, notes: [] },
    bytes: listing.objects.reduce((sum, object) => sum + object.size, 0),
    ...summary(listing.objects),
  }
}

function nothing(text: string, leftOut: number, folders: number): UserError {
  if (leftOut + folders === 0)
    return new UserError(`nothing is there: ${text}`, {
      status: 2,
      hint: 'check the spelling; names are case-sensitive',
    })
  const left = [countText(leftOut, 'object'), countText(folders, 'folder')].join(' and ')
  return new UserError(`no flow log that was asked for is there: ${text}`, {
    status: 2,
    hint: `${left} were left out by time, account, region or service: widen --source-window, --source-account or --source-region`,
  })
}

function summary(objects: readonly FoundObject[]): Pick<Listed, 'layouts' | 'accounts' | 'regions' | 'first' | 'last'> {
  const layouts = new Map<string, number>()
  const [accounts, regions] = [new Set<string>(), new Set<string>()]
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const { key } of objects) {
    const facts = factsOf(key)
    const layout = layoutOf(key, facts)
    layouts.set(layout, (layouts.get(layout) ?? 0) + 1)
    if (facts.account !== undefined) accounts.add(facts.account)
    if (facts.region !== undefined) regions.add(facts.region)
    if (facts.from !== undefined) first = Math.min(first, facts.from)
    if (facts.to !== undefined) last = Math.max(last, facts.to)
  }
  const time = (ms: number): string | null =>
    Number.isFinite(ms) ? new Date(ms).toISOString().replace('.000Z', 'Z') : null
  return {
    layouts: [...layouts].map(([name, files]) => ({ name, files })).sort((a, b) => b.files - a.files),
    accounts: [...accounts].sort(),
    regions: [...regions].sort(),
    first: time(first),
    last: time(last),
  }
}
