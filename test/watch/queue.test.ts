/** A watch on a queue: forms of messages, when they are deleted, what is left, what changed meanwhile, credentials that expire. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { parseQueueUri } from '../../src/sources/uri.ts'
import { lockForWriting } from '../../src/store/lock.ts'
import { QueueSource } from '../../src/watch/queue.ts'
import { Reader } from '../../src/watch/reader.ts'
import { Seen } from '../../src/watch/seen.ts'
import type { Arrival, Judge, Judgement } from '../../src/watch/source.ts'
import { LookedDays } from '../../src/watch/state.ts'
import { temporaryFolder } from '../cli/run.ts'
import { event, notification, type QueueStub, startQueue, testEvent, throughSns } from '../sources/queue-stub.ts'
import { canaries, type Stub, startStub } from '../sources/stub.ts'
import {
  attack,
  credentialsOf,
  filedCredentials,
  guess,
  keyAt,
  once,
  placeFor,
  readsOf,
  startWatch,
  stateIn,
  stop,
  total,
  yesterday,
} from './objects.ts'
import { casesIn, isIdle, recordsIn, until } from './support.ts'

/** The queue as a source in the test's own process: messages are held a second only. */
function sourceOf(t: TestContext, stub: Stub): Promise<QueueSource> {
  for (const [name, value] of Object.entries(canaries)) {
    const before = process.env[name]
    process.env[name] = value
    t.after(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
  const settings = {
    ...{ name: 'sqs://objects', uri: parseQueueUri('sqs://objects'), hold: 1, once: false, now: Date.now },
    ...{ aws: { endpoint: stub.address }, onChange: () => undefined, onNote: assert.fail, onFault: assert.fail },
  }
  return QueueSource.open(settings, AbortSignal.timeout(60_000))
}

/** An object that a message names. */
function arrivalOf(path: string): Arrival {
  const file = { path, rawPath: null, size: 1, named: false, problem: null, unreadable: false }
  return { key: path, size: 1, print: 'x 1', written: Date.now(), file, remote: null }
}

/** Writes an object, and tells of it. */
function put(stub: Stub, queue: QueueStub, key: string, text: string, form = notification): string {
  stub.objects.set(key, Buffer.from(text))
  return queue.send(form(key, text))
}

test('objects are read that messages of every form name, and the messages are deleted; what is not understood is left', async t => {
  const stub = await startStub(t)
  const queue = startQueue(stub)
  const odd = 'logs/a b+ü&%20=1.log'
  put(stub, queue, keyAt(yesterday, 'a'), attack)
  put(stub, queue, odd, guess(1))
  put(stub, queue, `${odd}2`, guess(2), event)
  put(stub, queue, keyAt(yesterday, 'sns'), guess(3), (key, text) => throughSns(notification(key, text)))
  put(stub, queue, keyAt(yesterday, 'nothing-known'), guess(4), (key, text) =>
    notification(key, text, { size: undefined, eTag: undefined }),
  )
  put(stub, queue, 'AWSLogs/123456789012/CloudTrail/eu-central-1/2026/01/10/x.json', '{}')
  queue.send(testEvent)
  queue.send(notification('gone.log', 'x').replace('ObjectCreated:Put', 'ObjectRemoved:Delete'))
  const strange = queue.send('{"hello":"queue"}')
  const place = placeFor(t)
  const run = await once(t, stub, ['sqs://objects', ...place.args])
  assert.equal(run.status, 0, run.said)
  assert.ok(
    run.alerts.some(({ rule }) => rule === 'D02-brute-force'),
    run.said,
  )
  assert.equal(await total(place.out), 128)
  assert.deepEqual([...queue.messages.keys()], [strange])
  assert.match(
    run.said,
    new RegExp(`message ${strange} is not understood, and is left in the queue: .*neither Records`),
  )
  assert.deepEqual(stateIn(place).messages, { received: 9, deleted: 8, not_understood: 1 })
  assert.equal(readsOf(stub).length, 5)
  // The same notifications once more: nothing is read again.
  for (const key of stub.objects.keys()) queue.send(notification(key, stub.objects.get(key)!))
  assert.equal((await once(t, stub, ['sqs://objects', ...place.args])).status, 0)
  assert.equal(await total(place.out), 128)
  assert.deepEqual([...queue.messages.keys()], [strange])
  assert.deepEqual(readsOf(stub).length, 5)
})

test('a message is left while its object cannot be read, and deleted when it is in the case', async t => {
  const stub = await startStub(t)
  const queue = startQueue(stub, 10)
  const [denied, gone] = [keyAt(yesterday, 'denied'), keyAt(yesterday, 'gone')]
  const two = JSON.parse(notification(denied, guess(1))) as { Records: unknown[] }
  two.Records.push(...(JSON.parse(notification(keyAt(yesterday, 'sound'), guess(2))) as { Records: unknown[] }).Records)
  stub.objects.set(denied, Buffer.from(guess(1)))
  stub.objects.set(keyAt(yesterday, 'sound'), Buffer.from(guess(2)))
  queue.send(notification(gone, guess(3)))
  const id = queue.send(JSON.stringify(two))
  stub.fault = ({ key }) => (key === denied ? { answer: 403, code: 'AccessDenied' } : null)
  const place = placeFor(t)
  const first = await once(t, stub, ['sqs://objects', ...place.args])
  assert.equal(first.status, 3, first.said)
  assert.deepEqual([...queue.messages.keys()], [id])
  assert.equal(await total(place.out), 2)
  assert.match(first.said, /is gone: s3:\/\/bucket\/.*gone\.log/)
  stub.fault = () => null
  queue.messages.get(id)!.visible = 0
  const second = await once(t, stub, ['sqs://objects', ...place.args])
  assert.equal(second.status, 0, second.said)
  assert.equal(queue.messages.size, 0)
  assert.equal(await total(place.out), 4)
  assert.equal(readsOf(stub).filter(key => key.includes('sound')).length, 1)
})

test('while the case of a day is in use its messages wait, and do not come again at once', async t => {
  const stub = await startStub(t)
  const queue = startQueue(stub)
  const place = placeFor(t)
  const args = ['sqs://objects', ...place.args]
  put(stub, queue, keyAt(yesterday, 'a'), guess(1))
  assert.equal((await once(t, stub, args)).status, 0)
  const [dir] = casesIn(place.out)
  const release = await lockForWriting(dir!, 'a test')
  const id = put(stub, queue, keyAt(yesterday, 'b'), guess(2))
  const running = startWatch(t, stub, args)
  await until('it waits', () => /1 file of \S+ waits/.test(running.said.err), running)
  await wait(1500)
  const { received, visible } = queue.messages.get(id)!
  assert.equal(received, 1)
  assert.ok(visible > Date.now() + 30_000, `${visible - Date.now()} ms`)
  await stop(running)
  await release()
  queue.messages.get(id)!.visible = 0
  assert.equal((await once(t, stub, args)).status, 0)
  assert.equal(await total(place.out), 4)
})

test('what waits is tried again in a second at the earliest', async t => {
  const dir = temporaryFolder(t)
  const settings = { dir, reading: {}, againAfter: 1, oldest: () => null, now: Date.now, onNote: assert.fail }
  const reader = new Reader(await Seen.open(dir), LookedDays.open(dir), new Map(), settings)
  assert.equal(reader.waitFor(arrivalOf('s3://bucket/a')), 1000)
})

test('of an object that was overwritten the version is read that was named, or what is there now, each once', async t => {
  const stub = await startStub(t)
  const queue = startQueue(stub)
  const [plain, kept] = [keyAt(yesterday, 'plain'), keyAt(yesterday, 'kept')]
  const before = put(stub, queue, plain, guess(1))
  put(stub, queue, plain, guess(2))
  put(stub, queue, kept, guess(3), (key, text) => notification(key, text, { versionId: 'one' }))
  put(stub, queue, kept, guess(4), (key, text) => notification(key, text, { versionId: 'two' }))
  stub.versions.set(`${kept}?one`, Buffer.from(guess(3)))
  const place = placeFor(t)
  const args = ['sqs://objects', ...place.args]
  const run = await once(t, stub, args)
  assert.equal(run.status, 0, run.said)
  assert.equal(queue.messages.size, 0)
  // Content that was overwritten before anybody read it is in no case; that of a version is.
  const counted = await recordsIn(place.out)
  assert.deepEqual(
    [...counted.values()],
    Array.from({ length: 6 }, () => 1),
  )
  assert.ok(queue.deleted.includes(before))
})

test('an object that has grown counts as it is last, in whatever order its versions are told of', async t => {
  const [one, more, last] = [guess(1), guess(2), guess(3)].map(text => text.split('\n')) as [
    string[],
    string[],
    string[],
  ]
  const states = { one: one.join('\n'), two: [...one.slice(0, -1), ...more.slice(1)].join('\n') }
  const three = `${states.two}${last.slice(1).join('\n')}`
  for (const order of [
    ['one', 'two'],
    ['two', 'one'],
    // A message may come twice.
    ['one', 'two', 'one'],
  ] as (keyof typeof states)[][]) {
    const stub = await startStub(t)
    const queue = startQueue(stub)
    const key = keyAt(yesterday, 'grows')
    stub.objects.set(key, Buffer.from(states.two))
    for (const [version, text] of Object.entries(states)) stub.versions.set(`${key}?${version}`, Buffer.from(text))
    const place = placeFor(t)
    const running = startWatch(t, stub, ['sqs://objects', ...place.args])
    const read = async (text: string, versionId: string): Promise<void> => {
      queue.send(notification(key, text, { versionId }))
      await until('it is dealt with', () => queue.messages.size === 0, running)
    }
    for (const version of order) await read(states[version], version)
    assert.deepEqual([...(await recordsIn(place.out)).values()], [1, 1, 1, 1], order.join())
    // What it is last is still known: it gives way to what comes after it.
    stub.objects.set(key, Buffer.from(three))
    await read(three, 'three')
    await until('that is read', () => stateIn(place).read.grown === (order[0] === 'one' ? 2 : 1), running)
    assert.deepEqual([...(await recordsIn(place.out)).values()], [1, 1, 1, 1, 1, 1], order.join())
    await stop(running)
  }
})

test('an object that was overwritten by less is read: both count, and that is said', async t => {
  const stub = await startStub(t)
  const queue = startQueue(stub)
  const key = keyAt(yesterday, 'less')
  const longer = [...guess(1).split('\n').slice(0, -1), ...guess(2).split('\n').slice(1)].join('\n')
  const place = placeFor(t)
  const running = startWatch(t, stub, ['sqs://objects', ...place.args])
  for (const text of [longer, guess(3)]) {
    stub.objects.set(key, Buffer.from(text))
    queue.send(notification(key, text))
    await until('it is dealt with', () => queue.messages.size === 0, running)
  }
  assert.deepEqual([...(await recordsIn(place.out)).values()], [1, 1, 1, 1, 1, 1])
  assert.match(running.said.err, /was overwritten: s3:\/\/bucket\/\S*less\S*: .*both count/)
  await stop(running)
})

test('messages that are worked on are held, and given back where the watch ends', async t => {
  const stub = await startStub(t)
  const queue = startQueue(stub)
  const id = put(stub, queue, keyAt(yesterday, 'slow'), guess(1))
  stub.fault = ({ key }) => (key === '' ? null : { stallAfter: 5 })
  const place = placeFor(t)
  const running = startWatch(t, stub, ['sqs://objects', ...place.args])
  await until('it is read', () => readsOf(stub).length > 0, running)
  assert.ok(queue.messages.get(id)!.visible > Date.now() + 60_000)
  await stop(running)
  assert.ok(queue.messages.get(id)!.visible <= Date.now())
})

test('a message that is given out twice while it is worked on is deleted by its last receipt', async t => {
  const stub = await startStub(t)
  // It is held for 0.24 s only.
  const queue = startQueue(stub, 2)
  const id = put(stub, queue, keyAt(yesterday, 'slow'), attack)
  stub.fault = ({ key }) => (key === '' ? null : { slow: 300 })
  const place = placeFor(t)
  const running = startWatch(t, stub, ['sqs://objects', ...place.args])
  await until('it is deleted', () => queue.messages.size === 0, running)
  assert.deepEqual(queue.deleted, [id])
  await stop(running)
  assert.ok(stateIn(place).messages!.received > 1)
  assert.equal(await total(place.out), 120)
})

test('a message that is given out once more while its first receipt is extended is not lost', async t => {
  const stub = await startStub(t)
  const queue = startQueue(stub)
  const id = put(stub, queue, keyAt(yesterday, 'slow'), guess(1))
  let extended = 0
  queue.fault = async action => {
    if (action !== 'ChangeMessageVisibilityBatch' || extended > 0) return null
    const message = queue.messages.get(id)!
    message.visible = 0
    await until('it is received again', () => source.messages.received === 2)
    extended++
    return null
  }
  const source = await sourceOf(t, stub)
  try {
    const judge = (judgement: Judgement): Judge => ({ judge: () => judgement, waitFor: () => 1000 })
    const { signal } = new AbortController()
    await until('it is extended', () => extended > 0)
    await wait(200)
    assert.equal((await source.look(judge('new'), signal)).whole.length, 1)
    await source.look(judge('known'), signal)
    assert.deepEqual(queue.deleted, [id])
  } finally {
    await source.close()
  }
})

test('credentials that expire, and a queue that asks for patience, do not end the watch', async t => {
  const stub = await startStub(t)
  const queue = startQueue(stub)
  const place = placeFor(t)
  const file = join(temporaryFolder(t), 'credentials')
  writeFileSync(file, credentialsOf('AKIACANARYFILEONE001'))
  let throttled = 2
  queue.fault = (action, { headers }) => {
    if (action === 'ReceiveMessage' && throttled-- > 0) return { status: 400, code: 'RequestThrottled' }
    const isOld = headers.authorization!.includes('AKIACANARYFILEONE001')
    return isOld && queue.deleted.length > 0 ? { status: 400, code: 'ExpiredToken' } : null
  }
  put(stub, queue, keyAt(yesterday, 'a'), guess(1))
  const running = startWatch(t, stub, ['sqs://objects', ...place.args], filedCredentials(file))
  await until('it says so', () => /credentials have expired/.test(stateIn(place)?.source_problem?.what ?? ''), running)
  put(stub, queue, keyAt(yesterday, 'b'), attack)
  writeFileSync(file, credentialsOf('AKIACANARYFILETWO002'))
  await until('it goes on', () => isIdle(stateIn(place), 2) && stateIn(place).source_problem === null, running)
  assert.match(running.said.err, /sqs:\/\/objects can be read again/)
  await until('both are deleted', () => queue.messages.size === 0, running)
  assert.equal(await total(place.out), 122)
  await stop(running)
})

test('a right to delete or to hold messages that is missing is told once, until it is there', async t => {
  const stub = await startStub(t)
  // Messages come again after 0.6 s.
  const queue = startQueue(stub, 5)
  const key = keyAt(yesterday, 'denied')
  stub.fault = request => (request.key === key ? { answer: 403, code: 'AccessDenied' } : null)
  let mayChange = false
  const deleted: number[] = []
  queue.fault = (action, _message, input) => {
    if (action === 'DeleteMessageBatch') deleted.push((input['Entries'] as unknown[]).length)
    return mayChange || !/^(Delete|Change)Message/.test(action) ? null : { status: 403, code: 'AccessDenied' }
  }
  const id = put(stub, queue, keyAt(yesterday, 'a'), guess(1))
  const place = placeFor(t)
  const running = startWatch(t, stub, ['sqs://objects', ...place.args])
  const says = (): string => stateIn(place)?.source_problem?.what ?? ''
  await until('it says so', () => /delete messages of the queue objects: access denied/.test(says()), running)
  put(stub, queue, key, guess(2))
  await until('it may not hold', () => /cannot hold messages of the queue objects/.test(running.said.err), running)
  await until('they come again and again', () => queue.messages.get(id)!.received > 4 && deleted.length > 2, running)
  assert.match(says(), /sqs:DeleteMessage/)
  assert.doesNotMatch(running.said.err, /can be (read|held|deleted) again/)
  for (const what of [/cannot delete messages/g, /cannot hold messages/g])
    assert.equal(running.said.err.match(what)?.length, 1, running.said.err)
  mayChange = true
  await until('it can', () => stateIn(place).source_problem === null, running)
  assert.match(running.said.err, /messages of sqs:\/\/objects can be deleted again/)
  assert.match(running.said.err, /messages of sqs:\/\/objects can be held again/)
  assert.equal(queue.messages.has(id), false)
  // One message is deleted by one receipt, however often it came.
  assert.ok(
    deleted.every(n => n === 1),
    String(deleted),
  )
  await stop(running)
})

test('what cannot come right ends the watch at its start, with what to do', async t => {
  const stub = await startStub(t)
  const queue = startQueue(stub)
  const wrong = await once(t, stub, ['sqs://other', ...placeFor(t).args])
  assert.equal(wrong.status, 1)
  assert.match(wrong.said, /there is no such queue: other/)
  queue.fault = () => ({ status: 403, code: 'AccessDenied' })
  const denied = await once(t, stub, ['sqs://objects', ...placeFor(t).args])
  assert.equal(denied.status, 1)
  assert.match(denied.said, /access denied to the queue: objects[\s\S]*sqs:GetQueueUrl/)
})

test('while nothing comes, the queue is asked by long polling, and the watch is idle', async t => {
  const stub = await startStub(t)
  const queue = startQueue(stub)
  const place = placeFor(t)
  const running = startWatch(t, stub, ['sqs://objects', ...place.args])
  await until('it watches', () => stateIn(place)?.state === 'watching', running)
  const before = queue.actions.length
  await wait(2000)
  // The stand-in waits for half a second where SQS waits for twenty.
  assert.ok(queue.actions.length - before <= 6, `${queue.actions.length - before} requests`)
  await stop(running)
})
