import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { s3Client } from '../../src/aws/clients.ts'
import { AwsError } from '../../src/aws/errors.ts'
import { objectPart, objectPieces } from '../../src/aws/s3-object.ts'
import { listObjects } from '../../src/sources/list.ts'
import { parseSourceUri, type S3Uri } from '../../src/sources/uri.ts'
import { canaries, startStub } from './stub.ts'

before(() => Object.assign(process.env, canaries))

const uri = (text: string): S3Uri => parseSourceUri(text) as S3Uri
const options = { narrowing: {}, requestPayer: false, signal: new AbortController().signal }

test('every key is listed once, in order, through many pages and folders', async t => {
  const keys = [
    ...Array.from({ length: 2500 }, (_, i) => `a/flat/${String(i).padStart(5, '0')}`),
    ...Array.from({ length: 1200 }, (_, i) => `a/deep/${i % 40}/${i % 7}/${i}`),
    'a/x',
    'a',
  ]
  const stub = await startStub(t, { ...Object.fromEntries(keys.map(key => [key, 'x'])), 'a/marker/': '' })
  const { client, sdk } = await s3Client({ endpoint: stub.address })
  const found = await listObjects({ client, sdk }, uri('s3://bucket/a/'), options)
  const wanted = keys.filter(key => key.startsWith('a/')).sort()
  assert.deepEqual(
    found.objects.map(one => one.key),
    wanted,
  )
  client.destroy()
})

const meant: { name: string; keys: string[] }[] = [
  { name: 's3://bucket/logs', keys: ['logs', 'logs/1', 'logs/2/3'] },
  { name: 's3://bucket/logs/', keys: ['logs/1', 'logs/2/3'] },
  { name: 's3://bucket/logs/1', keys: ['logs/1'] },
  { name: 's3://bucket/log', keys: ['logs', 'logs-old/9', 'logs/1', 'logs/2/3'] },
  { name: 's3://bucket/logs/x', keys: [] },
  { name: 's3://bucket', keys: ['logs', 'logs-old/9', 'logs/1', 'logs/2/3', 'other'] },
]
for (const { name, keys } of meant) {
  test(`${name} means ${keys.length === 0 ? 'nothing' : keys.join(' ')}`, async t => {
    const all = ['logs', 'logs/1', 'logs/2/3', 'logs-old/9', 'other']
    const stub = await startStub(t, Object.fromEntries(all.map(key => [key, 'x'])))
    const s3 = await s3Client({ endpoint: stub.address })
    const found = await listObjects(s3, uri(name), options)
    assert.deepEqual(
      found.objects.map(one => one.key),
      keys,
    )
    assert.equal(found.isOne, keys.length === 1)
    s3.client.destroy()
  })
}

test('what a bucket refuses ends the listing', async t => {
  const stub = await startStub(t, { 'a/1/x': 'x', 'a/2/x': 'x' })
  stub.fault = ({ prefix }) => (prefix === 'a/2/' ? { answer: 403, code: 'AccessDenied' } : null)
  const s3 = await s3Client({ endpoint: stub.address })
  await assert.rejects(
    listObjects(s3, uri('s3://bucket/a/'), options),
    /cannot list s3:\/\/bucket\/a\/2\/: access denied/,
  )
  s3.client.destroy()
})

test('a bucket of another region is followed there, for lists and for objects', async t => {
  const stub = await startStub(t, { 'a/1': 'one', 'a/2': 'two' })
  const elsewhere = { answer: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-3' } }
  stub.fault = ({ headers }) => (headers.authorization?.includes('/eu-west-3/s3/') ? null : elsewhere)
  const asked = async (work: (s3: Awaited<ReturnType<typeof s3Client>>) => Promise<void>): Promise<string[]> => {
    stub.requests.length = 0
    const s3 = await s3Client({ endpoint: stub.address, region: 'eu-central-1' })
    await work(s3)
    s3.client.destroy()
    return stub.requests.map(({ headers }) => /\/([\w-]+)\/s3\//.exec(headers.authorization!)![1]!)
  }
  const { signal } = options
  const regions = await asked(async s3 => {
    const { objects } = await listObjects(s3, uri('s3://bucket/a/'), options)
    assert.deepEqual(
      objects.map(({ key }) => key),
      ['a/1', 'a/2'],
    )
  })
  assert.deepEqual(regions, ['eu-central-1', 'eu-west-3'])
  await asked(async s3 => {
    const pieces: Buffer[] = []
    for await (const piece of objectPieces(s3, 'bucket', 'a/1', { signal })) pieces.push(piece)
    assert.equal(Buffer.concat(pieces).toString(), 'one')
    const part = { bucket: 'bucket', key: 'a/2', from: 1, length: 2 }
    assert.equal((await objectPart(s3, part, { requestPayer: false, signal })).toString(), 'wo')
  })
  // Where the answer names no region, there is nowhere to follow it.
  stub.fault = () => ({ answer: 301, code: 'PermanentRedirect' })
  await asked(async s3 => {
    await assert.rejects(
      listObjects(s3, uri('s3://bucket/a/'), options),
      (error: unknown) => error instanceof AwsError && /in another region/.test(error.message),
    )
  })
})

test('a part of an object that never ends, or all of a large object in its place, is not held', async t => {
  for (const [what, status, headers] of [
    [/a piece has 11 bytes/, 206, { 'content-range': 'bytes 0-9/100' }],
    [/gives all of it, and not the part/, 200, { 'content-length': String(100 << 20) }],
  ] as [RegExp, number, Record<string, string>][]) {
    const stub = await startStub(t)
    stub.other = (_, response) => {
      response.writeHead(status, headers)
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 16)));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
      return true
    }
    const s3 = await s3Client({ endpoint: stub.address })
    const part = { bucket: 'bucket', key: 'a', from: 0, length: 10 }
    await assert.rejects(
      objectPart(s3, part, { requestPayer: false, signal: options.signal }),
      (error: unknown) => error instanceof AwsError && what.test(error.message),
    )
    s3.client.destroy()
  }
})

test('a listing that is cut, goes in circles, or is of something else is no listing', async t => {
  const begin = '<?xml version="1.0"?><ListBucketResult><Name>bucket</Name>'
  const end = '</ListBucketResult>'
  const key = '<Contents><Key>a/x</Key><Size>1</Size></Contents>'
  for (const [what, answer] of [
    [/is not a listing/, ''],
    [/is cut, and does not say where it goes on/, `<IsTruncated>true</IsTruncated>${key}`],
    [/the same page again/, `<IsTruncated>true</IsTruncated><NextContinuationToken>m</NextContinuationToken>${key}`],
    [/what does not lie there/, '<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>'],
    [/what does not lie there/, '<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>'],
    [/what does not lie there/, '<Contents><Key>b/x</Key><Size>1</Size></Contents>'],
    [/a size that is not a whole number/, '<Contents><Key>a/x</Key><Size>-1</Size></Contents>'],
    [/a size that is not a whole number/, '<Contents><Key>a/x</Key><Size>1e999</Size></Contents>'],
  ] as [RegExp, string][]) {
    const stub = await startStub(t)
    stub.other = (_, response) => {
      response.setHeader('content-type', 'application/xml')
      response.end(`${begin}${answer}${end}`)
      return true
    }
    const s3 = await s3Client({ endpoint: stub.address })
    await assert.rejects(
      listObjects(s3, uri('s3://bucket/a/'), options),
      (error: unknown) => error instanceof AwsError && what.test(error.message),
    )
    s3.client.destroy()
  }
})
