import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import {
  athenaClient,
  ec2Client,
  logsClient,
  s3Client,
  snsClient,
  sqsClient,
  stsClient,
} from '../../src/aws/clients.ts'
import { ask } from '../../src/aws/errors.ts'
import { checkAwsOptions } from '../../src/aws/options.ts'
import { loaded } from '../../src/aws/packages.ts'
import { redacted } from '../../src/aws/redact.ts'
import { AnswerTooLarge, limited } from '../../src/aws/tries.ts'
import { UserError } from '../../src/errors.ts'

/** Sets variables for the time of a test. */
function environment(t: TestContext, variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name]
    process.env[name] = value
    t.after(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
}

const keys = { AWS_ACCESS_KEY_ID: 'AKIACANARYCANARY0001', AWS_SECRET_ACCESS_KEY: 'canary-secret-of-clients' }

test('a profile without credentials is named, also beside keys in the environment', async t => {
  environment(t, { ...keys, AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' })
  environment(t, { AWS_EC2_METADATA_DISABLED: 'true' })
  const warned = t.mock.method(console, 'warn', () => undefined)
  const asked = { doing: 'list it', of: 'bucket', name: 'b', right: 's3:ListBucket' } as const
  for (const role of [{}, { roleArn: 'arn:aws:iam::111111111111:role/reader' }]) {
    const options = { profile: 'nosuch', region: 'eu-central-1', endpoint: 'http://127.0.0.1:9', ...role }
    const { sdk, client } = await s3Client(options)
    t.after(() => client.destroy())
    await assert.rejects(
      ask(asked, () => client.send(new sdk.ListObjectsV2Command({ Bucket: 'b' }))),
      { message: 'no credentials were found for the profile nosuch', hint: /aws configure list-profiles/ },
    )
  }
  assert.equal(warned.mock.callCount(), 0)
})

/** A server that answers everything alike, and what it was asked. */
async function server(t: TestContext, body: string): Promise<{ address: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = []
  const listening = createServer((request, response) => {
    asked.push(request)
    request.resume()
    response.setHeader('content-type', 'text/xml')
    response.end(body)
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => listening.once('listening', resolve))
  t.after(() => {
    listening.closeAllConnections()
    listening.close()
  })
  return { address: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, asked }
}

const noObjects =
  '<ListBucketResult><Name>b</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>'
const listing = { doing: 'list s3://b', of: 'bucket', name: 'b', right: 's3:ListBucket' } as const

test('every client is made with a region, an endpoint and credentials', async t => {
  environment(t, keys)
  const options = { region: 'eu-central-1', endpoint: 'http://127.0.0.1:9' }
  const made = [s3Client, logsClient, ec2Client, athenaClient, sqsClient, snsClient, stsClient]
  for (const make of made) {
    const { client } = await make(options)
    assert.equal(await client.config.region(), 'eu-central-1')
    assert.equal(await client.config.maxAttempts(), 10)
    assert.equal((await client.config.credentials()).accessKeyId, keys.AWS_ACCESS_KEY_ID)
    client.destroy()
  }
})

test('another server is asked with the bucket in the path', async t => {
  environment(t, keys)
  const { address, asked } = await server(t, noObjects)
  const { sdk, client } = await s3Client({ endpoint: address })
  await ask(listing, () => client.send(new sdk.ListObjectsV2Command({ Bucket: 'b' })))
  assert.match(asked[0]!.url!, /^\/b\/?\?list-type=2/)
  assert.match(
    asked[0]!.headers.authorization!,
    /^AWS4-HMAC-SHA256 Credential=AKIACANARYCANARY0001\/\d+\/us-east-1\/s3/,
  )
  client.destroy()
})

test('a proxy of the environment is asked, and its password is hidden from then on', async t => {
  const { address, asked } = await server(t, noObjects)
  const proxy = address.replace('http://', 'http://user:canary-of-the-proxy@')
  environment(t, { ...keys, HTTP_PROXY: proxy, http_proxy: proxy, NO_PROXY: '', no_proxy: '' })
  const { sdk, client } = await s3Client({ endpoint: 'http://nowhere.invalid' })
  await ask(listing, () => client.send(new sdk.ListObjectsV2Command({ Bucket: 'b' })))
  assert.match(asked[0]!.url!, /^http:\/\/nowhere\.invalid\/b/)
  assert.equal(redacted('canary-of-the-proxy'), '[hidden]')
  client.destroy()
})

test('where nobody listens is not asked for long, and that it is asked again is said', async t => {
  environment(t, keys)
  const free = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => free.once('listening', resolve))
  const { port } = free.address() as AddressInfo
  await new Promise(resolve => free.close(resolve))
  const told: string[] = []
  const endpoint = `http://127.0.0.1:${port}`
  const { sdk, client } = await s3Client({ endpoint, onRetry: text => told.push(text) })
  const begun = performance.now()
  await assert.rejects(
    ask(listing, () => client.send(new sdk.ListObjectsV2Command({ Bucket: 'b' }))),
    /^AwsError: cannot list s3:\/\/b: no answer \(connect ECONNREFUSED/,
  )
  assert.ok(performance.now() - begun < 5000, 'ten tries take about 20 s')
  assert.deepEqual(told, [`no answer from 127.0.0.1:${port} (ECONNREFUSED): trying again, 3 times in all`])
  client.destroy()
})

test('a server that breaks off is asked ten times, which is said once until it answers', async t => {
  environment(t, keys)
  let troubles = 3
  const listening = createServer((request, response) => {
    if (troubles-- > 0) request.socket.destroy()
    else response.setHeader('content-type', 'text/xml').end(noObjects)
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => listening.once('listening', resolve))
  t.after(() => listening.close())
  const { port } = listening.address() as AddressInfo
  const told: string[] = []
  const endpoint = `http://127.0.0.1:${port}`
  const { sdk, client } = await s3Client({ endpoint, onRetry: text => told.push(text) })
  const list = () => ask(listing, () => client.send(new sdk.ListObjectsV2Command({ Bucket: 'b' })))
  await list()
  assert.deepEqual(told, [`no answer from 127.0.0.1:${port} (ECONNRESET): trying again, 10 times in all`])
  troubles = 1
  await list()
  assert.equal(told.length, 2)
  client.destroy()
})

test('a role is taken on with the credentials that were found', async t => {
  const answer = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIACANARYCANARY0002</AccessKeyId>
<SecretAccessKey>canary-secret-of-the-role</SecretAccessKey><SessionToken>canary-token-of-the-role</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
  const { address, asked } = await server(t, answer)
  environment(t, { ...keys, AWS_ENDPOINT_URL_STS: address })
  const { client } = await s3Client({ roleArn: 'arn:aws:iam::123456789012:role/reader', region: 'eu-central-1' })
  const found = await client.config.credentials()
  assert.equal(found.accessKeyId, 'ASIACANARYCANARY0002')
  assert.match(asked[0]!.headers.authorization!, /AKIACANARYCANARY0001/)
  assert.equal(redacted('canary-secret-of-the-role canary-token-of-the-role'), '[hidden] [hidden]')
  client.destroy()
})

test('a package that is not installed is named, with how to install it', async () => {
  const missing = (): Promise<never> =>
    Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }))
  await assert.rejects(loaded('@aws-sdk/client-s3', missing), (error: unknown) => {
    assert.ok(error instanceof UserError)
    assert.match(error.message, /the package @aws-sdk\/client-s3 is not installed/)
    assert.match(error.hint!, /npm install .*@aws-sdk\/client-s3@3\.\d+/)
    return true
  })
})

test('an error while a package is loaded is no missing package', async () => {
  await assert.rejects(
    loaded('x', () => Promise.reject(new TypeError('broken'))),
    TypeError,
  )
})

test('options that cannot be meant are refused, and a password is not repeated', () => {
  for (const endpoint of ['nowhere', 'ftp://x', 'http://user:canary@host', 'http://host/?x=canary']) {
    assert.throws(
      () => checkAwsOptions({ endpoint }),
      (error: unknown) =>
        error instanceof UserError && error.status === 2 && !`${error.message}${error.hint}`.includes('canary'),
      endpoint,
    )
  }
  assert.throws(() => checkAwsOptions({ roleArn: 'reader' }), UserError)
  assert.throws(() => checkAwsOptions({ region: 'Frankfurt am Main' }), UserError)
  checkAwsOptions({
    endpoint: 'http://127.0.0.1:9000',
    roleArn: 'arn:aws-cn:iam::123456789012:role/a/b',
    region: 'eu-central-1',
  })
})

test('an answer without an end is given up, and one that is cut is no whole one', async () => {
  const all = async (stream: Readable): Promise<string> => {
    const pieces: Buffer[] = []
    for await (const piece of stream) pieces.push(Buffer.from(piece as Uint8Array))
    return Buffer.concat(pieces).toString()
  }
  const of = (...texts: string[]): Readable => Readable.from(texts.map(text => Buffer.from(text)))
  assert.equal(await all(limited(of('12345', '67890'), 10)), '1234567890')
  const long = of('12345', '67890', '1')
  await assert.rejects(all(limited(long, 10)), AnswerTooLarge)
  assert.ok(long.destroyed)
  const cut = new Readable({ read: () => undefined })
  cut.push('12345')
  setTimeout(() => cut.destroy(), 10)
  await assert.rejects(all(limited(cut, 10)), /aborted/)
})

test('only the bytes of objects may be more than an answer is', async t => {
  environment(t, keys)
  const listening = createServer((request, response) => {
    request.resume()
    if (request.url?.includes('/denied')) response.statusCode = 403
    const piece = Buffer.alloc(1 << 20, ' ')
    const more = (): void => {
      while (response.write(piece));
      response.once('drain', more)
    }
    more()
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => listening.once('listening', resolve))
  t.after(() => {
    listening.closeAllConnections()
    listening.close()
  })
  const endpoint = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
  const { sdk, client } = await s3Client({ endpoint })
  await assert.rejects(
    ask(listing, () => client.send(new sdk.ListObjectsV2Command({ Bucket: 'b' }))),
    /^AwsError: cannot list s3:\/\/b: the answer has more than 64 MiB$/,
  )
  // What is said instead of an object is held too.
  await assert.rejects(
    ask(listing, () => client.send(new sdk.GetObjectCommand({ Bucket: 'b', Key: 'denied' }))),
    /the answer has more than 64 MiB$/,
  )
  const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: 'b', Key: 'k' }))
  let bytes = 0
  for await (const piece of Body as Readable) if ((bytes += (piece as Buffer).length) > 80 << 20) break
  assert.ok(bytes > 80 << 20)
  client.destroy()
})
