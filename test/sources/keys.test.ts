import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { factsOf, isWanted, layoutOf } from '../../src/sources/keys.ts'
import { isSourceUri, parseSourceUri } from '../../src/sources/uri.ts'

const at = (text: string): number => Date.parse(text)
const us = (text: string): number => at(text) * 1000

const file = '123456789012_vpcflowlogs_eu-central-1_fl-0a1b2c3d_20260102T1620Z_abcd1234.log.gz'

const known: { key: string; account?: string; region?: string; from?: string; to?: string; layout?: string }[] = [
  { key: 'AWSLogs/' },
  { key: 'AWSLogs/123456789012/', account: '123456789012' },
  { key: 'x/AWSLogs/o-abc/123456789012/vpcflowlogs/eu-central-1/', account: '123456789012', region: 'eu-central-1' },
  {
    key: 'AWSLogs/123456789012/vpcflowlogs/eu-central-1/2026/',
    account: '123456789012',
    region: 'eu-central-1',
    from: '2026-01-01',
    to: '2027-01-01',
  },
  {
    key: 'AWSLogs/123456789012/vpcflowlogs/eu-central-1/2026/12/',
    account: '123456789012',
    region: 'eu-central-1',
    from: '2026-12-01',
    to: '2027-01-01',
  },
  {
    key: 'AWSLogs/123456789012/vpcflowlogs/eu-central-1/2026/01/02/',
    account: '123456789012',
    region: 'eu-central-1',
    from: '2026-01-02',
    to: '2026-01-03',
    layout: 'plain, daily',
  },
  {
    key: 'AWSLogs/123456789012/vpcflowlogs/eu-central-1/2026/01/02/16/',
    account: '123456789012',
    region: 'eu-central-1',
    from: '2026-01-02T16:00Z',
    to: '2026-01-02T17:00Z',
    layout: 'plain, hourly',
  },
  {
    key: 'p/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-central-1/year=2026/month=01/day=02/',
    account: '123456789012',
    region: 'eu-central-1',
    from: '2026-01-02',
    to: '2026-01-03',
    layout: 'Hive, daily',
  },
  {
    key: 'AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-central-1/year=2026/month=01/day=02/hour=16/',
    account: '123456789012',
    region: 'eu-central-1',
    from: '2026-01-02T16:00Z',
    to: '2026-01-02T17:00Z',
    layout: 'Hive, hourly',
  },
  { key: file, account: '123456789012', region: 'eu-central-1', from: '2026-01-02T16:20Z', to: '2026-01-02T16:25Z' },
  {
    key: `AWSLogs/123456789012/vpcflowlogs/eu-central-1/2026/01/02/${file}`,
    account: '123456789012',
    region: 'eu-central-1',
    from: '2026-01-02T16:20Z',
    to: '2026-01-02T16:25Z',
    layout: 'plain, daily',
  },
  { key: 'case/123456789012/2026/01/02/x.log.gz' },
]

for (const { key, account, region, from, to, layout } of known) {
  test(`knows what ${key} says`, () => {
    const facts = factsOf(key)
    assert.deepEqual([facts.account, facts.region, facts.layout], [account, region, layout])
    assert.equal(facts.from, from === undefined ? undefined : at(from))
    assert.equal(facts.to, to === undefined ? undefined : at(to))
  })
}

test('names from five minutes before to fifteen minutes after a window may hold its records', () => {
  const window = { from_us: us('2026-01-02T17:00Z'), to_us: us('2026-01-02T18:00Z') }
  const wanted = (hhmm: string): boolean => isWanted(factsOf(file.replace('T1620', `T${hhmm}`)), window)
  assert.deepEqual(['1645', '1650', '1655', '1700'].map(wanted), [false, false, true, true])
  assert.deepEqual(['1810', '1815', '1820', '1830'].map(wanted), [true, true, false, false])
})

test('folders are passed over that cannot hold the window', () => {
  const window = { from_us: us('2026-01-02T00:02Z'), to_us: us('2026-01-02T23:50Z') }
  const wanted = (folder: string): boolean =>
    isWanted(factsOf(`AWSLogs/123456789012/vpcflowlogs/r-1/${folder}`), window)
  assert.deepEqual(['2025/', '2026/', '2027/'].map(wanted), [false, true, false])
  assert.deepEqual(['2026/01/01/', '2026/01/02/', '2026/01/03/', '2026/01/04/'].map(wanted), [true, true, true, false])
})

test('accounts, regions and other services are told by names; what says nothing is looked at', () => {
  const narrowing = { accounts: ['123456789012'], regions: ['eu-central-1'] }
  const wanted = (key: string): boolean => isWanted(factsOf(key), narrowing)
  assert.equal(wanted('AWSLogs/123456789012/vpcflowlogs/eu-central-1/'), true)
  assert.equal(wanted('AWSLogs/210987654321/'), false)
  assert.equal(wanted('AWSLogs/123456789012/vpcflowlogs/us-east-1/'), false)
  assert.equal(wanted('AWSLogs/123456789012/CloudTrail/'), false)
  assert.equal(wanted('incident/x.log.gz'), true)
})

test('a layout is told by folders and the ending of the name', () => {
  const key = `AWSLogs/123456789012/vpcflowlogs/eu-central-1/2026/01/02/16/${file}`
  assert.equal(layoutOf(key, factsOf(key)), 'plain, hourly, text')
  assert.equal(layoutOf('a/b.parquet', factsOf('a/b.parquet')), 'other keys, Parquet')
})

test('names of buckets and groups are read, and others refused', () => {
  assert.deepEqual(parseSourceUri('s3://my-bucket'), { kind: 's3', bucket: 'my-bucket', prefix: '' })
  assert.deepEqual(parseSourceUri('s3://b1.x/a b/ü?#'), { kind: 's3', bucket: 'b1.x', prefix: 'a b/ü?#' })
  assert.deepEqual(parseSourceUri('logs:///aws/vpc?region=eu-west-1'), {
    kind: 'logs',
    group: '/aws/vpc',
    region: 'eu-west-1',
  })
  assert.deepEqual(parseSourceUri('logs://g'), { kind: 'logs', group: 'g', region: null })
  for (const bad of ['s3://', 's3:///k', 's3://-b/', 'logs://', 'logs://g?x=1', 'logs://a b'])
    assert.throws(() => parseSourceUri(bad), UserError, bad)
  assert.deepEqual(['s3://b', 'S3://b', 'logs://g', 's3:/b', './s3://', 'sqs://q'].map(isSourceUri), [
    true,
    true,
    true,
    false,
    false,
    false,
  ])
})

test('a password in the name of a bucket is not repeated', () => {
  assert.throws(
    () => parseSourceUri('s3://AKIA123:canary-pass@bucket/x'),
    (error: unknown) => error instanceof UserError && !`${error.message}${error.hint}`.includes('canary'),
  )
})
