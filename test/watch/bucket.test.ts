/** A watch on a bucket: which days are listed, what is read, once; what is overwritten, late, denied; credentials that expire. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder, tidemark } from '../cli/run.ts'
import { startStub } from '../sources/stub.ts'
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
import { isIdle, recordsIn, until } from './support.ts'

const dayLong = 86_400
const hive = 'AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-central-1'
const organisation = 'AWSLogs/o-a1b2c3d4e5/210987654321/vpcflowlogs/us-east-1'

test('objects of days that can still receive some are read once, in every layout, and looked at', async t => {
  const old = yesterday - 40 * dayLong
  const stub = await startStub(t, {
    [keyAt(yesterday, 'a')]: attack,
    [keyAt(yesterday + dayLong / 2, 'b')]: guess(1),
    [keyAt(yesterday, 'c', hive)]: guess(2),
    [keyAt(yesterday, 'd', organisation)]: guess(3),
    [keyAt(old, 'old')]: guess(4, old),
    [keyAt(old, 'old', hive)]: guess(5, old),
    [`AWSLogs/123456789012/CloudTrail/eu-central-1/${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/x.json`]:
      '{}',
  })
  const place = placeFor(t)
  const args = ['s3://bucket/AWSLogs/', ...place.args]
  const first = await once(t, stub, args)
  assert.equal(first.status, 0, first.said)
  assert.ok(
    first.alerts.some(({ rule }) => rule === 'D02-brute-force'),
    first.said,
  )
  assert.deepEqual(
    readsOf(stub)
      .map(key => key.split('_').at(-1))
      .sort(),
    ['a.log', 'b.log', 'c.log', 'd.log'],
  )
  assert.equal(await total(place.out), 126)
  const oldDay = new Date(old * 1000).toISOString().slice(0, 10).replaceAll('-', '/')
  const looked = stub.requests.flatMap(({ prefix }) => prefix ?? [])
  assert.deepEqual(
    looked.filter(prefix => prefix.includes(oldDay) || prefix.includes('CloudTrail')),
    [],
  )
  const [file] = tidemark(['evidence', '--json', '--case', first.alerts[0]!.case]).stdout.match(/"uri": ?"[^"]*/) ?? []
  assert.match(file ?? '', /s3:\/\/bucket\/AWSLogs\//)
  // Nothing is fetched again, also where the list of what was read is lost.
  for (const lost of [[], ['seen.jsonl'], ['seen.jsonl', 'position.json']]) {
    for (const name of lost) rmSync(join(place.out, name), { force: true })
    const again = await once(t, stub, args)
    assert.deepEqual([again.status, again.alerts], [0, []], again.said)
    assert.equal(readsOf(stub).length, 4)
  }
  assert.equal(stateIn(place).source, 's3://bucket/AWSLogs/')
})

test('--since reads from that day on, --late lists earlier days again, and accounts and regions are chosen by name', async t => {
  const days = [0, 3, 5].map(n => yesterday - n * dayLong)
  const stub = await startStub(t, Object.fromEntries(days.map((at, n) => [keyAt(at, `n${n}`), guess(n, at)])))
  stub.objects.set(keyAt(yesterday, 'other', organisation), Buffer.from(guess(9)))
  const place = placeFor(t)
  const args = [
    's3://bucket/AWSLogs/',
    ...place.args,
    '--source-account',
    '123456789012',
    '--source-region',
    'eu-central-1',
  ]
  assert.equal((await once(t, stub, args)).status, 0)
  assert.equal(readsOf(stub).length, 1)
  assert.equal((await once(t, stub, [...args, '--late', '4d'])).status, 0)
  assert.equal(readsOf(stub).length, 2)
  const since = new Date(days[2]! * 1000).toISOString().slice(0, 10)
  assert.equal((await once(t, stub, [...args, '--since', since])).status, 0)
  assert.equal(readsOf(stub).length, 3)
  assert.equal(await total(place.out), 6)
})

test('after a pause the days that were missed are read, too', async t => {
  const stub = await startStub(t, { [keyAt(yesterday, 'a')]: guess(1) })
  const place = placeFor(t)
  const args = ['s3://bucket/AWSLogs/', ...place.args]
  assert.equal((await once(t, stub, args)).status, 0)
  const position = join(place.out, 'position.json')
  const day = (n: number): string => new Date((yesterday - n * dayLong) * 1000).toISOString().slice(0, 10)
  assert.deepEqual(JSON.parse(readFileSync(position, 'utf8')), { from: day(0) })
  writeFileSync(position, JSON.stringify({ from: day(5) }))
  stub.objects.set(keyAt(yesterday - 4 * dayLong, 'missed'), Buffer.from(guess(2, yesterday - 4 * dayLong)))
  stub.objects.set(keyAt(yesterday - 6 * dayLong, 'before'), Buffer.from(guess(3, yesterday - 6 * dayLong)))
  assert.equal((await once(t, stub, args)).status, 0)
  assert.equal(await total(place.out), 4)
  assert.deepEqual(JSON.parse(readFileSync(position, 'utf8')), { from: day(0) })
})

test('keys that tell of no time are as old as what they hold', async t => {
  const stub = await startStub(t, { 'logs/new.log': guess(1), 'logs/old.log': guess(2) })
  stub.modified.set('logs/old.log', new Date(Date.now() - 10 * dayLong * 1000))
  const place = placeFor(t)
  assert.equal((await once(t, stub, ['s3://bucket/logs/', ...place.args])).status, 0)
  assert.deepEqual(readsOf(stub), ['logs/new.log'])
  assert.deepEqual(readdirSync(join(place.out, 'days')), [`${new Date().toISOString().slice(0, 10)}.tidemark`])
})

test('what arrives late, is overwritten or grows is read; content that comes again under another key is not', async t => {
  const stub = await startStub(t, { [keyAt(yesterday, 'a')]: attack })
  const place = placeFor(t)
  const running = startWatch(t, stub, ['s3://bucket/AWSLogs/', ...place.args, '--poll', '100ms'])
  await until('the first is read', () => isIdle(stateIn(place), 1), running)
  stub.objects.set(keyAt(yesterday - 3600, 'late'), Buffer.from(guess(1)))
  stub.objects.set(keyAt(yesterday + dayLong / 2, 'copy'), Buffer.from(attack))
  await until('the others are seen', () => stateIn(place).read.known === 1 && isIdle(stateIn(place), 3), running)
  assert.equal(await total(place.out), 122)
  stub.objects.set(keyAt(yesterday - 3600, 'late'), Buffer.from(guess(2)))
  await until('it is read again', () => isIdle(stateIn(place), 4), running)
  assert.equal(await total(place.out), 124)
  assert.match(running.said.err, /was overwritten: s3:\/\/bucket\/AWSLogs\/.*late\.log: .*both count/)
  const grown = `${guess(2)}${guess(3).split('\n').slice(1).join('\n')}`
  stub.objects.set(keyAt(yesterday - 3600, 'late'), Buffer.from(grown))
  await until('it is read once more', () => stateIn(place).read.grown === 1 && isIdle(stateIn(place), 5), running)
  assert.equal(await total(place.out), 126)
  assert.ok([...(await recordsIn(place.out)).values()].every(n => n === 1))
  await stop(running)
})

test('an object that may not be read is named, and read when it may; one that is gone is waited for no more', async t => {
  const [denied, gone] = [keyAt(yesterday, 'denied'), keyAt(yesterday, 'gone')]
  const stub = await startStub(t, { [denied]: guess(1), [gone]: guess(2), [keyAt(yesterday, 'sound')]: guess(3) })
  stub.fault = ({ key }) => {
    if (key === gone) return { answer: 404, code: 'NoSuchKey' }
    return key === denied ? { answer: 403, code: 'AccessDenied' } : null
  }
  const place = placeFor(t)
  const first = await once(t, stub, ['s3://bucket/AWSLogs/', ...place.args])
  assert.equal(first.status, 3, first.said)
  assert.match(first.said, /cannot be read: s3:\/\/bucket\/.*denied\.log: access denied to the object/)
  assert.match(first.said, /is gone: s3:\/\/bucket\/.*gone\.log/)
  assert.equal(stateIn(place).read.gone, 1)
  const running = startWatch(t, stub, ['s3://bucket/AWSLogs/', ...place.args, '--poll', '100ms'])
  stub.objects.delete(gone)
  await until(
    'it is named',
    () => stateIn(place).pid === running.child.pid && stateIn(place).unread.total === 1,
    running,
  )
  stub.fault = () => null
  await until('it is read', () => isIdle(stateIn(place), 1) && stateIn(place).unread.total === 0, running)
  assert.equal(await total(place.out), 4)
  await stop(running)
})

test('credentials that expire do not end the watch: it says so, looks at what it has, and goes on with new ones', async t => {
  const stub = await startStub(t, { [keyAt(yesterday, 'a')]: guess(1) })
  const place = placeFor(t)
  const file = join(temporaryFolder(t), 'credentials')
  writeFileSync(file, credentialsOf('AKIACANARYFILEONE001'))
  const args = ['s3://bucket/AWSLogs/', ...place.args, '--poll', '100ms']
  const running = startWatch(t, stub, args, filedCredentials(file))
  await until('the first is read', () => isIdle(stateIn(place), 1), running)
  let isExpired = true
  stub.fault = ({ headers, key }) =>
    (isExpired || key !== '') && headers.authorization!.includes('AKIACANARYFILEONE001')
      ? { answer: 400, code: 'ExpiredToken', message: 'The provided token has expired.' }
      : null
  stub.objects.set(keyAt(yesterday, 'b'), Buffer.from(attack))
  const says = (): string => stateIn(place).source_problem?.what ?? ''
  await until('it says so', () => /cannot list .*credentials have expired/.test(says()), running)
  assert.match(stateIn(place).last_error!.what, /credentials have expired/)
  // The listing may come right before the reading does.
  isExpired = false
  await until('it says so of objects', () => /cannot read .*credentials have expired/.test(says()), running)
  assert.equal(stateIn(place).unread.total, 0)
  writeFileSync(file, credentialsOf('AKIACANARYFILETWO002'))
  await until('it goes on', () => isIdle(stateIn(place), 2) && stateIn(place).source_problem === null, running)
  assert.match(running.said.err, /objects of s3:\/\/bucket\/AWSLogs\/ can be read again/)
  assert.equal(await total(place.out), 122)
  assert.doesNotMatch(running.said.err, /AKIACANARYFILE|canary-secret/)
  await stop(running)
})

test('a run with --once that cannot go on says that the next one tries again', async t => {
  const stub = await startStub(t, { [keyAt(yesterday, 'a')]: guess(1) })
  stub.fault = ({ key }) => (key === '' ? null : { answer: 400, code: 'ExpiredToken' })
  const { status, said } = await once(t, stub, ['s3://bucket/', ...placeFor(t).args])
  assert.equal(status, 1, said)
  assert.match(said, /have expired[^\n]*; the next run tries objects of s3:\/\/bucket\S* again/)
  assert.doesNotMatch(said, /watch goes on/)
})

test('while the bucket could not be listed yet, no object is forgotten', async t => {
  const stub = await startStub(t, { [keyAt(yesterday, 'a')]: guess(1) })
  const place = placeFor(t)
  const args = ['s3://bucket/AWSLogs/', ...place.args]
  assert.equal((await once(t, stub, args)).status, 0)
  // So long a list is written again without what is forgotten.
  const seen = join(place.out, 'seen.jsonl')
  writeFileSync(seen, readFileSync(seen, 'utf8').repeat(1200))
  let isExpired = true
  stub.fault = ({ key }) => (key === '' && isExpired ? { answer: 400, code: 'ExpiredToken' } : null)
  const running = startWatch(t, stub, [...args, '--poll', '100ms'])
  await until('it says so', () => /have expired/.test(stateIn(place).source_problem?.what ?? ''), running)
  await until('the list is short', () => readFileSync(seen, 'utf8').split('\n').length < 10, running)
  isExpired = false
  await until('it is listed', () => stateIn(place).source_problem === null, running)
  await stop(running)
  assert.equal(readsOf(stub).length, 1)
  assert.match(readFileSync(seen, 'utf8'), /a\.log/)
})

test('objects are read through answers that ask for patience, and bodies that are cut', async t => {
  const stub = await startStub(t, Object.fromEntries([1, 2, 3].map(n => [keyAt(yesterday, `n${n}`), guess(n)])))
  const failed = new Map<string, number>()
  stub.fault = ({ key, prefix }) => {
    const what = key || prefix || ''
    const before = failed.get(what) ?? 0
    failed.set(what, before + 1)
    if (before === 0) return { answer: 503, code: 'SlowDown' }
    return before === 1 && key !== '' ? { cutAfter: 20 } : null
  }
  const place = placeFor(t)
  const run = await once(t, stub, [`s3://bucket/${keyAt(yesterday, '').replace(/[^/]*$/, '')}`, ...place.args])
  assert.equal(run.status, 0, run.said)
  assert.equal(await total(place.out), 6)
})

test('a bucket with nothing to read says so at the start', async t => {
  const stub = await startStub(t, { [keyAt(yesterday - 40 * dayLong, 'a')]: guess(1) })
  const old = await once(t, stub, ['s3://bucket/AWSLogs/', ...placeFor(t).args])
  assert.equal(old.status, 0, old.said)
  assert.match(old.said, /nothing is there yet: s3:\/\/bucket\/AWSLogs\/: from \d{4}-\d\d-\d\d on; --since/)
  const typo = await once(t, stub, ['s3://bucket/AWSLog/', ...placeFor(t).args])
  assert.equal(typo.status, 0, typo.said)
  assert.match(typo.said, /nothing is there yet: s3:\/\/bucket\/AWSLog\/: check the spelling/)
})

test('what cannot come right ends the watch at its start, with what to do', async t => {
  const stub = await startStub(t, {})
  const place = placeFor(t)
  const wrong = await once(t, stub, ['s3://other/AWSLogs/', ...place.args])
  assert.equal(wrong.status, 1)
  assert.match(wrong.said, /there is no such bucket: other/)
  stub.fault = () => ({ answer: 403, code: 'AccessDenied' })
  const denied = await once(t, stub, ['s3://bucket/', ...placeFor(t).args])
  assert.equal(denied.status, 1)
  assert.match(denied.said, /access denied to the bucket: bucket[\s\S]*s3:ListBucket/)
  const usage: [string[], RegExp][] = [
    [['s3://bucket/', '--settle', '3s'], /--settle is of a folder, and s3:\/\/ is watched/],
    [['sqs://objects', '--late', '3d'], /--late is of s3:\/\/, and sqs:\/\/ is watched/],
    [['sqs://objects', '--poll'], /--poll is of a folder or s3:\/\//],
    [['.', '--since', '2026-01-01'], /--since is of s3:\/\/, and a folder is watched/],
    [['.', '--request-payer'], /--request-payer is of s3:\/\/ and sqs:\/\//],
    [['.', '--profile', 'x'], /--profile is of --sns, which is not given/],
    [['s3://bucket/', '--since', '2026-02-30'], /day of UTC/],
    [['logs://group'], /CloudWatch Logs cannot be watched/],
    [['sqs://a/b'], /not the name of a queue/],
  ]
  for (const [args, says] of usage) {
    const run = tidemark(['watch', ...args, '--out', join(place.out, 'x')])
    assert.equal(run.status, 2, run.stderr)
    assert.match(run.stderr, says)
  }
})
