// What messages of a queue say of new objects, and how queues are named.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noticeOf } from '../../src/sources/events.ts'
import { parseQueueUri } from '../../src/sources/uri.ts'
import { event, notification, testEvent, throughSns } from './queue-stub.ts'
import { etagOf } from './stub.ts'

const key = 'AWSLogs/a b+ü&%20=1.log'
const body = Buffer.from('content')
const named = { bucket: 'bucket', key, size: 7, etag: etagOf(body) }

test('an object is named by S3, through SNS and by EventBridge, each with its own writing of the key', () => {
  assert.match(notification(key, body), /AWSLogs\/a\+b%2B%C3%BC%26%2520%3D1\.log/)
  const forms = [
    notification(key, body),
    throughSns(notification(key, body)),
    event(key, body),
    throughSns(event(key, body)),
  ]
  for (const form of forms) {
    const { notice, fault } = noticeOf(form)
    assert.equal(fault, null)
    const [{ time, ...object }] = notice!.objects as [(typeof notice.objects)[0]]
    assert.deepEqual(object, { ...named, version: null })
    assert.ok(Math.abs(time! - Date.now()) < 60_000)
  }
})

test('versions are told; what is missing is unknown', () => {
  assert.equal(noticeOf(notification(key, body, { versionId: 'v1' })).notice!.objects[0]!.version, 'v1')
  assert.equal(noticeOf(event(key, body, { 'version-id': 'v2' })).notice!.objects[0]!.version, 'v2')
  const [one] = noticeOf(notification(key, body, { size: undefined, eTag: undefined })).notice!.objects
  assert.deepEqual([one!.size, one!.etag], [null, null])
  const old = notification(key, body).replace(/"eventTime":"[^"]*"/, '"eventTime":"1970-01-01T00:00:01.000Z"')
  assert.equal(noticeOf(old).notice!.objects[0]!.time, 1000)
})

test('a record that does not say whose it is is of S3', () => {
  const bare = notification(key, body).replace('"eventSource":"aws:s3",', '')
  assert.ok(!bare.includes('eventSource'))
  assert.equal(noticeOf(bare).notice!.objects.length, 1)
})

test('test events, deletions and other events name no object, and are no fault', () => {
  const others = [
    testEvent,
    throughSns(testEvent),
    notification(key, body).replace('ObjectCreated:Put', 'ObjectRemoved:Delete'),
    event(key, body).replace('Object Created', 'Object Deleted'),
  ]
  for (const other of others) assert.deepEqual(noticeOf(other), { notice: { objects: [], others: 1 }, fault: null })
  assert.equal(
    noticeOf(notification(key, body).replace('ObjectCreated:Put', 's3:ObjectCreated:Copy')).notice!.objects.length,
    1,
  )
})

test('what is no notification is said in words', () => {
  const faults: [string, RegExp][] = [
    ['no', /not JSON/],
    ['[]', /no object of JSON/],
    ['null', /no object of JSON/],
    ['{"hello":1}', /neither Records/],
    ['{"Records":[]}', /Records are empty/],
    [throughSns('{"Records":[]}'), /Records are empty/],
    [notification(key, body).replace('aws:s3', 'aws:dynamodb'), /another service than S3 .*"aws:dynamodb"/],
    ['{"Records":[{"eventSource":"s3.amazonaws.com","eventName":"PutObject"}]}', /"s3\.amazonaws\.com"/],
    ['{"Records":[{"eventSource":null,"eventName":"ObjectRemoved:Delete"}]}', /another service/],
    ['{"Records":[1]}', /no object of JSON/],
    ['{"Records":[{}]}', /eventName/],
    ['{"Records":[{"eventName":"ObjectCreated:Put"}]}', /names no object/],
    [notification(key, body, { key: 'a%ZZ' }), /not encoded as in a URL: a%ZZ/],
    [notification('', body), /key is empty/],
    [notification(key, body).replace('"name":"bucket"', '"name":"a/../b"'), /names no bucket/],
    [throughSns(throughSns(notification(key, body))), /in a notification/],
    [throughSns('{}'), /neither Records/],
    ['{"source":"aws.s3"}', /detail-type/],
    ['{"source":"aws.s3","detail-type":"Object Created","detail":{}}', /detail\.bucket\.name/],
  ]
  for (const [text, says] of faults) {
    const { notice, fault } = noticeOf(text)
    assert.equal(notice, null, text)
    assert.match(fault!, says)
  }
  const two = JSON.parse(notification(key, body)) as { Records: unknown[] }
  assert.match(noticeOf(JSON.stringify({ Records: [...two.Records, {}] })).fault!, /its record 2: /)
})

test('a queue is named by its name, its account, its region, or its address', () => {
  const one = { kind: 'sqs', name: 'objects', account: null, region: null }
  assert.deepEqual(parseQueueUri('sqs://objects'), one)
  assert.deepEqual(parseQueueUri('SQS://objects.fifo?region=eu-west-1'), {
    ...one,
    name: 'objects.fifo',
    region: 'eu-west-1',
  })
  assert.deepEqual(parseQueueUri('sqs://123456789012/objects'), { ...one, account: '123456789012' })
  const full = { ...one, account: '123456789012', region: 'eu-central-1' }
  assert.deepEqual(parseQueueUri('sqs://sqs.eu-central-1.amazonaws.com/123456789012/objects'), full)
  assert.deepEqual(parseQueueUri('sqs://sqs.cn-north-1.amazonaws.com.cn/123456789012/objects'), {
    ...full,
    region: 'cn-north-1',
  })
  for (const wrong of [
    'sqs://',
    'sqs://a/b',
    'sqs://user:word@objects',
    'sqs://sqs.eu-west-1.amazonaws.com/objects',
    'sqs://objects?x=1',
    'sqs://objects/',
  ])
    assert.throws(() => parseQueueUri(wrong), { name: 'UserError' }, wrong)
})
