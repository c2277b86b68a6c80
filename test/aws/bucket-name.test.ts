// Names of buckets, of today and of before March 2018.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBucketName, isNewBucketName } from '../../src/aws/bucket-name.ts'

const longest = 'a'.repeat(63)

test('a bucket of today has 3 to 63 lower-case letters, digits, dots and hyphens', () => {
  for (const name of ['abc', 'my-flow-logs', 'logs.example.com', '1-a', '10.0.0.1.example', longest]) {
    assert.ok(isNewBucketName(name), name)
    assert.ok(isBucketName(name), name)
  }
})

test('a bucket has no name that neither of the rules allows', () => {
  const wrong = [
    '',
    'ab',
    '-logs',
    'logs-',
    '.logs',
    'logs.',
    'a..b',
    '192.0.2.1',
    'a b',
    'a/b',
    'a:b',
    'ü-logs',
    'a\nbc',
  ]
  for (const name of [...wrong, `${longest}!`]) {
    assert.ok(!isNewBucketName(name), name)
    assert.ok(!isBucketName(name), name)
  }
})

test('old buckets have capital letters, underscores and long names', () => {
  for (const name of ['My_Bucket', 'LOGS', 'a_b', `${longest}a`, 'a'.repeat(255)]) {
    assert.ok(!isNewBucketName(name), name)
    assert.ok(isBucketName(name), name)
  }
  for (const name of ['A', 'A_', `${'A'.repeat(256)}`, 'A/B']) assert.ok(!isBucketName(name), name)
})
