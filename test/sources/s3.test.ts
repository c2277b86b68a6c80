import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type Run, temporaryFolder, tidemark } from '../cli/run.ts'
import { cliEntry } from '../repo.ts'
import { ended, environment, flowLog, keyOf, run, start } from './command.ts'
import { canaries, type Fault, type Stub, startStub } from './stub.ts'

interface Report {
  files: {
    path: string
    status: string
    problem: string | null
    records: number
    origin: { uri: string; etag: string; size: number } | null
  }[]
  case_records: number
}

/** The objects of a test, of `records` each. */
function objects(count: number, records: number): Record<string, Buffer> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [keyOf(i), flowLog(i, records)]))
}

async function add(stub: Stub, folder: string, ...more: string[]) {
  const ran = await run(stub, ['add', 's3://bucket/AWSLogs/', '--json', '--case', join(folder, 'case'), ...more])
  return { ...ran, report: ran.stdout === '' ? null : (JSON.parse(ran.stdout) as Report) }
}

/** Everything that a run leaves: what was printed and every file of the case. */
function everything(folder: string, ...texts: string[]): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile())
  return [...texts, ...files.map(path => readFileSync(path, 'latin1'))].join('\n')
}

function assertNoSecrets(text: string): void {
  for (const secret of [canaries.AWS_ACCESS_KEY_ID, canaries.AWS_SECRET_ACCESS_KEY, canaries.AWS_SESSION_TOKEN])
    assert.ok(!text.includes(secret), secret)
  assert.doesNotMatch(text, /AWS4-HMAC|X-Amz-Signature/i)
}

test('objects are listed, read, and known again without being read', async t => {
  const stub = await startStub(t, { ...objects(12, 50), 'AWSLogs/123456789012/CloudTrail/x.json.gz': 'other' })
  const folder = temporaryFolder(t)
  const first = await add(stub, folder)
  assert.equal(first.status, 0, first.stderr)
  assert.match(
    first.stderr,
    /s3:\/\/bucket\/AWSLogs\/: 12 objects, .*left out by name: 0 objects, 1 folder.*12 plain, daily, text.*2026-01-02/,
  )
  assert.equal(first.report!.case_records, 600)
  const [file] = first.report!.files
  assert.equal(file!.path, `s3://bucket/${keyOf(0)}`)
  assert.equal(file!.origin!.uri, file!.path)
  assert.match(file!.origin!.etag, /^"[0-9a-f]{32}"$/)
  assert.deepEqual(readdirSync(join(folder, 'case', 'incoming')), [])
  const gets = (): number => stub.requests.filter(request => request.key !== '').length
  assert.equal(gets(), 12)
  stub.objects.set(keyOf(99), flowLog(99, 50))
  const second = await add(stub, folder)
  assert.equal(second.status, 0, second.stderr)
  assert.equal(gets(), 13)
  assert.equal(second.report!.case_records, 650)
  assert.equal(second.report!.files.filter(one => one.status === 'duplicate').length, 12)
  assertNoSecrets(everything(folder, first.stdout, first.stderr, second.stdout, second.stderr))
})

const faults: { name: string; fault: Fault; times: number; count?: number }[] = [
  { name: 'answers of 500', fault: { answer: 500, code: 'InternalError' }, times: 2 },
  { name: 'answers of 503', fault: { answer: 503, code: 'SlowDown' }, times: 2 },
  { name: 'bodies that are cut', fault: { cutAfter: 700 }, times: 3 },
  { name: 'bodies that are cut before their first byte', fault: { cutAfter: 0 }, times: 2 },
  { name: 'slow bodies', fault: { slow: 20 }, times: 1, count: 20 },
]
for (const { name, fault, times, count = 4 } of faults) {
  test(`nothing is lost or read twice through ${name}`, async t => {
    const stub = await startStub(t, objects(count, 800 / count))
    const failed = new Map<string, number>()
    stub.fault = ({ key }) => {
      const before = failed.get(key) ?? 0
      if (key === '' || before >= times) return null
      failed.set(key, before + 1)
      return fault
    }
    const { status, stderr, report } = await add(stub, temporaryFolder(t))
    assert.equal(status, 0, stderr)
    assert.doesNotMatch(stderr, /Warning/)
    assert.equal(report!.case_records, 800)
    assert.equal(failed.size, count)
  })
}

test('a cut body is continued where it ended, of the same content only', async t => {
  const body = flowLog(1, 500)
  const stub = await startStub(t, { [keyOf(1)]: body })
  stub.fault = ({ key, headers }) => (key !== '' && headers.range === undefined ? { cutAfter: 1000 } : null)
  const { status, report } = await add(stub, temporaryFolder(t))
  assert.equal(status, 0)
  assert.equal(report!.case_records, 500)
  const [first, second] = stub.requests.filter(request => request.key !== '')
  assert.equal(first!.headers.range, undefined)
  assert.match(second!.headers.range!, /^bytes=\d+-$/)
  assert.equal(second!.headers['if-match'], first!.headers['if-match'])
})

const unread: { name: string; fault: Fault; says: RegExp }[] = [
  {
    name: 'access denied',
    fault: { answer: 403, code: 'AccessDenied', message: 'Access Denied' },
    says: /access denied to the object, or to the KMS key/,
  },
  {
    name: 'a KMS key',
    fault: {
      answer: 403,
      code: 'AccessDenied',
      message: 'User: x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:r:1:key/k',
    },
    says: /KMS key: arn:aws:kms:r:1:key\/k/,
  },
  { name: 'an archived object', fault: { answer: 403, code: 'InvalidObjectState' }, says: /archived/ },
  {
    name: 'a body that is shorter than was listed',
    fault: { truncateTo: 300 },
    says: /has 300 bytes, and \d+ when it was listed/,
  },
  { name: 'an object that is gone', fault: { answer: 404, code: 'NoSuchKey' }, says: /it is gone/ },
]
for (const { name, fault, says } of unread) {
  test(`of ${name} the object is named as unread, and the others are read`, async t => {
    const stub = await startStub(t, objects(3, 20))
    stub.fault = ({ key }) => (key === keyOf(1) ? fault : null)
    const folder = temporaryFolder(t)
    const { status, stderr, report } = await add(stub, folder)
    assert.equal(status, 3, stderr)
    const file = report!.files.find(one => one.path.endsWith(keyOf(1)))!
    assert.equal(file.status, 'unreadable')
    assert.match(file.problem!, says)
    assert.equal(report!.case_records, 40)
    stub.fault = () => null
    const again = await add(stub, folder)
    assert.equal(again.status, 0, again.stderr)
    assert.equal(again.report!.case_records, 60)
    assertNoSecrets(everything(folder, stderr))
  })
}

const stopping: { name: string; fault: Fault; says: RegExp }[] = [
  {
    name: 'credentials that expire on the way',
    fault: { answer: 400, code: 'ExpiredToken', message: 'The provided token has expired.' },
    says: /credentials have expired[\s\S]*hint: .*what is in a case already is not read again/,
  },
  {
    name: 'unknown credentials',
    fault: {
      answer: 403,
      code: 'InvalidAccessKeyId',
      message: `The AWS Access Key Id ${canaries.AWS_ACCESS_KEY_ID} does not exist`,
    },
    says: /does not know the credentials/,
  },
]
for (const { name, fault, says } of stopping) {
  test(`${name} end the run with what to do, and the next one goes on from there`, async t => {
    const stub = await startStub(t, objects(30, 20))
    let got = 0
    stub.fault = ({ key }) => (key !== '' && ++got > 18 ? fault : null)
    const folder = temporaryFolder(t)
    const first = await add(stub, folder)
    assert.equal(first.status, 1, first.stderr)
    assert.match(first.stderr, says)
    stub.fault = () => null
    const before = stub.requests.length
    const second = await add(stub, folder)
    assert.equal(second.status, 0, second.stderr)
    assert.equal(second.report!.case_records, 600)
    const gets = stub.requests.slice(before).filter(request => request.key !== '').length
    assert.ok(gets <= 14, `${gets} objects were read in the second run`)
    assertNoSecrets(everything(folder, first.stdout, first.stderr, second.stderr))
  })
}

const refused: { name: string; fault?: Fault; uri?: string; says: RegExp }[] = [
  {
    name: 'a bucket that may not be listed',
    fault: { answer: 403, code: 'AccessDenied' },
    says: /access denied to the bucket: bucket[\s\S]*s3:ListBucket/,
  },
  { name: 'a bucket that is not there', uri: 's3://other/x/', says: /no such bucket: other/ },
  { name: 'nothing under the prefix', uri: 's3://bucket/nothing/', says: /nothing is there: s3:\/\/bucket\/nothing\// },
  {
    name: 'a bucket of another region',
    fault: { answer: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-3' } },
    says: /another region: eu-west-3|no answer/,
  },
]
for (const { name, fault, uri = 's3://bucket/AWSLogs/', says } of refused) {
  test(`${name} is said before there is a case`, async t => {
    const stub = await startStub(t, objects(1, 1))
    stub.fault = () => fault ?? null
    const folder = temporaryFolder(t)
    const { status, stderr } = await run(stub, ['add', uri, '--case', join(folder, 'case')])
    assert.notEqual(status, 0)
    assert.notEqual(status, 70, stderr)
    assert.match(stderr, says)
    assert.deepEqual(readdirSync(folder), [])
    assertNoSecrets(stderr)
  })
}

test('an object that changed under its key is named, and counts neither twice nor as a duplicate', async t => {
  const stub = await startStub(t, objects(3, 20))
  const folder = temporaryFolder(t)
  await add(stub, folder)
  stub.objects.set(keyOf(1), flowLog(7, 30))
  const { status, report, stderr } = await add(stub, folder)
  assert.equal(status, 3, stderr)
  assert.equal(report!.case_records, 60)
  const file = report!.files.find(one => one.path.endsWith(keyOf(1)))!
  assert.equal(file.status, 'unreadable')
  assert.match(file.problem!, /changed since it was added/)
  const removed = tidemark(['remove', `s3://bucket/${keyOf(1)}`, '--case', join(folder, 'case')])
  assert.equal(removed.status, 0, removed.stderr)
  const after = await add(stub, folder)
  assert.equal(after.status, 0, after.stderr)
  assert.equal(after.report!.case_records, 70)
})

test('an object that changes while the others are read is not read half of one and half of the other', async t => {
  const stub = await startStub(t, { [keyOf(1)]: flowLog(1, 500) })
  stub.fault = ({ key, headers }) => {
    if (key === '' || headers.range !== undefined) return null
    setImmediate(() => stub.objects.set(keyOf(1), flowLog(2, 500)))
    return { cutAfter: 1000 }
  }
  const { status, report } = await add(stub, temporaryFolder(t))
  assert.equal(status, 3)
  assert.equal(report!.case_records, 0)
  assert.match(report!.files[0]!.problem!, /changed while it was read/)
})

test('who asks pays where that is said', async t => {
  const stub = await startStub(t, objects(2, 5))
  stub.fault = ({ headers }) =>
    headers['x-amz-request-payer'] === 'requester' ? null : { answer: 403, code: 'AccessDenied' }
  const without = await add(stub, temporaryFolder(t))
  assert.match(without.stderr, /--request-payer/)
  const paid = await add(stub, temporaryFolder(t), '--request-payer')
  assert.equal(paid.status, 0, paid.stderr)
  assert.equal(paid.report!.case_records, 10)
})

test('only what may hold records of the window is read', async t => {
  const times = ['20260102T1500Z', '20260102T1615Z', '20260102T1620Z', '20260102T1640Z', '20260103T0000Z']
  const own = Object.fromEntries(times.map((time, i) => [keyOf(i, { time }), flowLog(i, 10)]))
  const stub = await startStub(t, {
    ...own,
    [keyOf(9, { account: '210987654321' })]: flowLog(9, 10),
    [keyOf(8, { region: 'us-east-1' })]: flowLog(8, 10),
  })
  const options = [
    '--source-window',
    '2026-01-02T16:20..2026-01-02T16:30',
    '--source-account',
    '123456789012',
    '--source-region',
    'eu-central-1',
  ]
  const dry = await run(stub, [
    'add',
    's3://bucket/AWSLogs',
    '--dry-run',
    '--json',
    '--case',
    '/nonexistent/case',
    ...options,
  ])
  assert.equal(dry.status, 0, dry.stderr)
  const [source] = (
    JSON.parse(dry.stdout) as { sources: { objects: number; left_out: number; folders_left_out: number }[] }
  ).sources
  assert.deepEqual([source!.objects, source!.left_out, source!.folders_left_out], [3, 1, 3])
  assert.equal(stub.requests.filter(request => request.key !== '' && request.key !== 'AWSLogs').length, 0)
  const { report } = await add(stub, temporaryFolder(t), ...options)
  assert.equal(report!.case_records, 30)
})

test('flows and investigate read a bucket into a case that is thrown away, and count the records of the window', async t => {
  const stub = await startStub(t, objects(3, 240))
  const uri = `s3://bucket/${keyOf(1)}`
  const flows = await run(stub, [
    'flows',
    'ip 203.0.113.1',
    uri,
    '--having',
    'records > 0',
    '--raw',
    '--json',
    '--source-window',
    '2026-01-02T16:20..2026-01-02T16:21',
  ])
  assert.equal(flows.status, 0, flows.stderr)
  const { rows } = JSON.parse(flows.stdout) as { rows: { records: number }[] }
  // Those of 240 that began before 16:21 and ended at 16:20 or later: begins at 16:20:00 and a second later each.
  assert.equal(rows[0]!.records, 60)
  const dossier = await run(stub, ['investigate', '203.0.113.1', 's3://bucket/AWSLogs/', '--json'])
  assert.equal(dossier.status, 0, dossier.stderr)
  assert.match(dossier.stdout, /"203\.0\.113\.1"/)
  assert.match(dossier.stderr, /3 objects/)
})

test('options of sources without a source are refused, and so are sources of commands that read none', async t => {
  const stub = await startStub(t)
  const folder = temporaryFolder(t)
  const none = await run(stub, ['add', folder, '--dry-run', '--case', join(folder, 'case')])
  assert.equal(none.status, 2)
  assert.match(none.stderr, /--dry-run is of s3:\/\/ and logs:\/\//)
  const carve = tidemark(['carve', 'ip 203.0.113.1', 's3://bucket/x', '-o', join(folder, 'x.pcapng')])
  assert.equal(carve.status, 2)
  assert.match(carve.stderr, /hint: add it to a case first: tidemark add s3:\/\/bucket\/x/)
})

test('lines of an object are fetched again where it is the same, and else that is said', async t => {
  const stub = await startStub(t, objects(2, 5))
  const folder = temporaryFolder(t)
  await add(stub, folder)
  const lines = (): Promise<Run> =>
    run(stub, ['flows', 'ip 203.0.113.1', '-o', 'lines', '--case', join(folder, 'case')])
  const same = await lines()
  assert.equal(same.status, 0, same.stderr)
  const shown = same.stdout.split('\n').filter(line => /^s3:.*: 2 123456789012 .* 203\.0\.113\.1 /.test(line))
  assert.equal(shown.length, 5)
  stub.objects.set(keyOf(1), flowLog(3, 5))
  const other = await lines()
  assert.equal(other.status, 3)
  assert.match(other.stderr, /5 lines are not shown[\s\S]*changed/)
})

test('after kill -9 the next run goes on, and the records are those of one undisturbed', async t => {
  const stub = await startStub(t, objects(40, 3000))
  stub.fault = ({ key }) => (key === '' ? null : { slow: 10 })
  const folder = temporaryFolder(t)
  const child = start(stub, ['add', 's3://bucket/AWSLogs/', '--case', join(folder, 'case')])
  const closed = ended(child)
  while (stub.requests.filter(request => request.key !== '').length < 25)
    await new Promise(resolve => setTimeout(resolve, 20))
  child.kill('SIGKILL')
  await closed
  stub.fault = () => null
  const { status, stderr, report } = await add(stub, folder)
  assert.equal(status, 0, stderr)
  assert.equal(report!.case_records, 120_000)
  assert.deepEqual(readdirSync(join(folder, 'case', 'incoming')), [])
})

test('an object of which a full disk took a part only is not read', async t => {
  const text = gunzipSync(flowLog(1, 600))
  const stub = await startStub(t, { 'a.log': text })
  const folder = temporaryFolder(t)
  // Files of this process end at 100 blocks of 512 bytes: of what goes beyond, a part is written.
  assert.ok(text.length > 51_200)
  const args = ['-c', 'ulimit -f 100; exec "$0" "$@"', process.execPath, cliEntry]
  const command = ['add', 's3://bucket/a.log', '--case', join(folder, 'case'), '--endpoint', stub.address]
  const ran = await ended(spawn('sh', [...args, ...command], { env: environment() }))
  assert.equal(ran.status, 1, `${ran.stdout}\n${ran.stderr}`)
  assert.match(ran.stderr, /becomes larger than is allowed/)
})
