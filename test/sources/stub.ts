/** A server that speaks as much of S3 as a reader needs, and the faults of a bad day. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** What a request gets instead of, or on the way of, its answer. */
export type Fault =
  | { answer: number; code: string; message?: string; headers?: Record<string, string> }
  /** The body ends after this many bytes: by a broken connection. */
  | { cutAfter: number }
  /** The body says and gives this many bytes only. */
  | { truncateTo: number }
  /** Each piece of the body comes after so long. */
  | { slow: number }
  /** The body stops without an end. */
  | { stallAfter: number }

export interface StubRequest {
  method: string
  bucket: string
  key: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  /** Of a listing, the prefix. */
  prefix: string | null
  /** How often this was asked before, by method, key and query. */
  times: number
}

export interface Stub {
  address: string
  objects: Map<string, Buffer>
  /** When objects were written last; others now. */
  modified: Map<string, Date>
  /** Versions that are there no more, by `key?version`. */
  versions: Map<string, Buffer>
  /** Another service at the same address: whether it has taken a request. */
  other: (message: IncomingMessage, response: ServerResponse) => boolean
  requests: StubRequest[]
  /** Decides what goes wrong; null: nothing. */
  fault: (request: StubRequest) => Fault | null
  close(): void
}

/** The options of the command line, and the environment, with which the stub is asked. The secrets are in nothing that is written. */
export const canaries = {
  AWS_ACCESS_KEY_ID: 'AKIACANARYCANARY0042',
  AWS_SECRET_ACCESS_KEY: 'canary-secret-access-key-of-sources',
  AWS_SESSION_TOKEN: 'canary-session-token-of-sources',
  AWS_REGION: 'eu-central-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/nonexistent',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
}

export function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`
}

const pageKeys = 1000

/** Starts it with objects by their keys, in the bucket `bucket`. */
export async function startStub(t: TestContext | null, objects: Record<string, Buffer | string> = {}): Promise<Stub> {
  const stub: Stub = {
    ...{ address: '', requests: [], fault: () => null, close: () => undefined },
    ...{ modified: new Map(), versions: new Map(), other: () => false },
    objects: new Map(Object.entries(objects).map(([key, body]) => [key, Buffer.from(body)])),
  }
  const times = new Map<string, number>()
  let keys: string[] = []
  const server: Server = createServer((message, response) => {
    if (stub.other(message, response)) return
    message.resume()
    const url = new URL(message.url!, 'http://stub')
    const [, bucket = '', ...rest] = decodeURIComponent(url.pathname).split('/')
    const key = rest.join('/')
    const what = `${message.method} ${key} ${url.search}`
    const request: StubRequest = {
      ...{ method: message.method!, bucket, key, query: url.searchParams, headers: message.headers },
      ...{ prefix: url.searchParams.get('prefix'), times: times.get(what) ?? 0 },
    }
    times.set(what, request.times + 1)
    stub.requests.push(request)
    const fault = stub.fault(request)
    if (fault !== null && 'answer' in fault)
      return refuse(response, fault.answer, fault.code, fault.message, fault.headers)
    if (bucket !== 'bucket') return refuse(response, 404, 'NoSuchBucket')
    if (key !== '') return give(stub, request, response, fault)
    if (keys.length !== stub.objects.size) keys = [...stub.objects.keys()].sort()
    response.setHeader('content-type', 'application/xml')
    response.end(listing(stub, keys, url.searchParams))
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  stub.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  stub.close = () => {
    server.closeAllConnections()
    server.close()
  }
  t?.after(stub.close)
  return stub
}

function refuse(response: ServerResponse, status: number, code: string, message = code, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/xml', ...headers })
  response.end(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`)
}

function give(stub: Stub, { key, headers, query }: StubRequest, response: ServerResponse, fault: Fault | null): void {
  const version = query.get('versionId')
  const body = version === null ? stub.objects.get(key) : stub.versions.get(`${key}?${version}`)
  if (body === undefined) {
    refuse(response, 404, 'NoSuchKey')
    return
  }
  const etag = etagOf(body)
  if (headers['if-match'] !== undefined && headers['if-match'] !== etag) {
    refuse(response, 412, 'PreconditionFailed')
    return
  }
  const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
  const from = Number(first)
  let part = body.subarray(from, last === '' ? body.length : Number(last) + 1)
  const isPart = from > 0 || last !== ''
  const end = from + part.length - 1
  if (fault !== null && 'truncateTo' in fault) part = part.subarray(0, fault.truncateTo)
  response.writeHead(isPart ? 206 : 200, {
    etag,
    'content-length': part.length,
    ...(isPart && { 'content-range': `bytes ${from}-${end}/${body.length}` }),
  })
  if (fault !== null && 'cutAfter' in fault) {
    response.write(part.subarray(0, fault.cutAfter), () => response.destroy())
  } else if (fault !== null && 'stallAfter' in fault) response.write(part.subarray(0, fault.stallAfter))
  else if (fault !== null && 'slow' in fault) void slowly(response, part, fault.slow)
  else response.end(part)
}

async function slowly(response: ServerResponse, body: Buffer, milliseconds: number): Promise<void> {
  const piece = Math.ceil(body.length / 5)
  for (let at = 0; at < body.length; at += piece) {
    response.write(body.subarray(at, at + piece))
    await new Promise(resolve => setTimeout(resolve, milliseconds))
  }
  response.end()
}

function listing(stub: Stub, keys: readonly string[], query: URLSearchParams): string {
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? '']
  const after = query.get('continuation-token') ?? ''
  const parts: string[] = []
  let last = ''
  let isTruncated = false
  const isFirst = after <= prefix
  for (let i = firstAfter(keys, isFirst ? prefix : after, isFirst); i < keys.length; i++) {
    const key = keys[i]!
    if (!key.startsWith(prefix)) break
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const folder = end < 0 ? null : key.slice(0, end + 1)
    if (folder !== null && (folder === last || after.startsWith(folder))) continue
    if (parts.length === pageKeys) {
      isTruncated = true
      break
    }
    const body = stub.objects.get(key)!
    parts.push(
      folder === null
        ? `<Contents><Key>${key}</Key><LastModified>${(stub.modified.get(key) ?? new Date()).toISOString()}</LastModified><Size>${body.length}</Size><ETag>${etagOf(body).replaceAll('"', '&quot;')}</ETag></Contents>`
        : `<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`,
    )
    last = folder ?? key
  }
  const next = isTruncated ? `<NextContinuationToken>${last}</NextContinuationToken>` : ''
  return `<?xml version="1.0"?><ListBucketResult><Name>bucket</Name><IsTruncated>${isTruncated}</IsTruncated>${next}${parts.join('')}</ListBucketResult>`
}

/** The place of the first key from `text` on, or after it. */
function firstAfter(keys: readonly string[], text: string, inclusive: boolean): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (keys[middle]! < text || (!inclusive && keys[middle] === text)) low = middle + 1
    else high = middle
  }
  return low
}
