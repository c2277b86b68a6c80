/** What is read from S3, against moto's: lists in pages, objects and their parts, and a role that is taken on. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { s3Client, stsClient } from '../../src/aws/clients.ts'
import { objectPart, objectPieces } from '../../src/aws/s3-object.ts'
import { listObjects } from '../../src/sources/list.ts'
import { temporaryFolder } from '../cli/run.ts'
import { flowLog, keyOf, run } from '../sources/command.ts'
import { lake, withMoto } from './cluster.ts'

const bucket = `sources-${process.pid}`
const role = 'arn:aws:iam::123456789012:role/reader'
const signal = new AbortController().signal
const logs = [1, 2, 3]

const own = () => ({ endpoint: lake().moto!, region: lake().region })

/** moto takes any credentials. */
const environment = (): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: lake().credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: lake().credentials.secretAccessKey,
  AWS_SESSION_TOKEN: '',
  AWS_ENDPOINT_URL_STS: lake().moto!,
})

before(async () => {
  if (withMoto.skip !== false) return
  Object.assign(process.env, environment())
  const { client, sdk } = await s3Client(own())
  await client.send(new sdk.CreateBucketCommand({ Bucket: bucket }))
  const put = (Key: string, Body: Buffer | string) =>
    client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key, Body }))
  for (const number of logs) await put(keyOf(number), flowLog(number, 100 * number))
  for (let i = 0; i < 1100; i += 50)
    await Promise.all(Array.from({ length: 50 }, (_, j) => put(`many/${String(i + j).padStart(4, '0')}`, 'x')))
  await put('large', Buffer.alloc(9 * 2 ** 20, 'ab'))
  client.destroy()
})

test('a folder of more than a page is listed whole, and an object read in pieces is the same', withMoto, async () => {
  const s3 = await s3Client(own())
  const options = { narrowing: {}, requestPayer: false, signal }
  const { objects } = await listObjects(s3, { kind: 's3', bucket, prefix: 'many/' }, options)
  assert.equal(objects.length, 1100)
  assert.equal(new Set(objects.map(({ key }) => key)).size, 1100)
  const pieces: Buffer[] = []
  for await (const piece of objectPieces(s3, bucket, 'large', { signal })) pieces.push(piece)
  assert.ok(pieces.length > 1)
  assert.ok(Buffer.concat(pieces).equals(Buffer.alloc(9 * 2 ** 20, 'ab')))
  const part = { bucket, key: 'large', from: 3, length: 5 }
  assert.equal((await objectPart(s3, part, { requestPayer: false, signal })).toString(), 'babab')
  s3.client.destroy()
})

test('flow logs of a bucket are added, with the credentials of a role too', withMoto, async t => {
  const folder = temporaryFolder(t)
  for (const more of [[], ['--role-arn', role]]) {
    const dir = join(folder, `case-${more.length}`)
    const args = ['add', `s3://${bucket}/AWSLogs/`, '--case', dir, '--region', lake().region, '--json', ...more]
    const { status, stdout, stderr } = await run({ address: lake().moto! }, args, environment())
    assert.equal(status, 0, stderr)
    const { totals } = JSON.parse(stdout) as { totals: { files: number; records: number } }
    assert.deepEqual([totals.files, totals.records], [3, 600])
  }
  const { client, sdk } = await stsClient({ ...own(), roleArn: role })
  const { Arn } = await client.send(new sdk.GetCallerIdentityCommand({}))
  client.destroy()
  assert.match(Arn!, /assumed-role\/reader\/tidemark$/)
})

test('tables of what lies in a bucket are printed', withMoto, async () => {
  const args = ['lake', 'ddl', `s3://${bucket}/`, '--engine', 'athena', '--region', lake().region]
  const { stdout, stderr } = await run({ address: lake().moto! }, args, environment())
  assert.match(stdout, /'storage\.location\.template' = 's3:\/\/sources-\d+\/AWSLogs\/\$\{p_account\}/, stderr)
})
