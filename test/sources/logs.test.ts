import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Run, temporaryFolder } from '../cli/run.ts'
import { run } from './command.ts'
import { type LogsEvent, type LogsStub, startLogsStub } from './logs-stub.ts'
import { canaries } from './stub.ts'

const begin = Date.parse('2026-01-02T16:00:00Z')
const window = '2026-01-02T16:00..2026-01-02T18:00'
const short = 'srcaddr dstaddr dstport protocol bytes start end'.replace(/\S+/g, '$${$&}')

function at(seconds: number): { timestamp: number; start: number; end: number } {
  return { timestamp: begin + seconds * 1000, start: begin / 1000 + seconds, end: begin / 1000 + seconds + 60 }
}

/** Events of the default format, one each `step` seconds. */
function events(count: number, step = 60, stream = 'eni-0a1b2c3d4e5f00001-all'): LogsEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const { timestamp, start, end } = at(i * step)
    const message = `2 123456789012 ${stream.slice(0, 21)} 203.0.113.7 10.0.0.${i % 250} ${40000 + i} 443 6 10 1000 ${start} ${end} ACCEPT OK`
    return { eventId: `${stream}-${i}`, timestamp, logStreamName: stream, message }
  })
}

const vpc = { id: 'fl-1', resource: 'vpc-1', traffic: 'ALL', format: null, group: 'g' }

interface Report {
  case_records: number
  files: { path: string; status: string; records: number; layout: string | null; malformed: number }[]
}

async function add(stub: LogsStub, folder: string, ...more: string[]): Promise<Run & { report: Report | null }> {
  const ran = await run(stub, [
    'add',
    'logs://g',
    '--source-window',
    window,
    '--json',
    '--case',
    join(folder, 'case'),
    ...more,
  ])
  return { ...ran, report: ran.stdout === '' ? null : (JSON.parse(ran.stdout) as Report) }
}

test('every event of the hours is read once, through empty and overlapping pages, and known again', async t => {
  const stub = await startLogsStub(t, events(100), [vpc, { ...vpc, group: 'other', format: short }])
  const folder = temporaryFolder(t)
  const first = await add(stub, folder)
  assert.equal(first.status, 0, first.stderr)
  assert.match(
    first.stderr,
    /logs:\/\/g\?region=eu-central-1: 4 objects; 4 hours of events; 2026-01-02 15:00:00Z – 19:00:00Z; 1 flow log: fl-1/,
  )
  assert.equal(first.report!.case_records, 100)
  assert.deepEqual(first.report!.files.map(one => [one.path, one.records]).sort(), [
    ['logs://g?region=eu-central-1#2026-01-02T16:00:00Z', 60],
    ['logs://g?region=eu-central-1#2026-01-02T17:00:00Z', 40],
  ])
  const before = stub.requests.length
  const second = await add(stub, folder)
  assert.equal(second.status, 0, second.stderr)
  assert.equal(second.report!.case_records, 100)
  // The description, and the two hours that hold nothing.
  assert.ok(stub.requests.length - before <= 1 + 2 * 2, `${stub.requests.length - before} requests`)
  for (const secret of [canaries.AWS_SECRET_ACCESS_KEY, canaries.AWS_SESSION_TOKEN])
    assert.ok(!`${first.stdout}${first.stderr}${second.stderr}`.includes(secret))
})

test('a group without events of that time is named', async t => {
  const stub = await startLogsStub(t, [], [vpc])
  const { status, stderr } = await add(stub, temporaryFolder(t))
  assert.equal(status, 0, stderr)
  assert.match(stderr, /no events in: logs:\/\/g/)
})

test('the format is that of the flow log', async t => {
  const own = Array.from({ length: 10 }, (_, i): LogsEvent => {
    const { timestamp, start, end } = at(i)
    return {
      eventId: `${i}`,
      timestamp,
      logStreamName: 'eni-1-all',
      message: `203.0.113.7 10.0.0.1 ${i} 6 99 ${start} ${end}\n`,
    }
  })
  const stub = await startLogsStub(t, own, [{ ...vpc, format: short }])
  const { status, stderr, report } = await add(stub, temporaryFolder(t))
  assert.equal(status, 0, stderr)
  assert.equal(report!.case_records, 10)
  assert.equal(report!.files[0]!.layout, 'srcaddr dstaddr dstport protocol bytes start end')
})

test('flow logs of different formats are told by their streams', async t => {
  const [one, two] = ['eni-0a1b2c3d4e5f00001', 'eni-0a1b2c3d4e5f00002']
  const others = Array.from({ length: 20 }, (_, i): LogsEvent => {
    const { timestamp, start, end } = at(i * 60)
    return {
      eventId: `b${i}`,
      timestamp,
      logStreamName: `${two}-all`,
      message: `203.0.113.7 10.0.0.1 ${i} 6 99 ${start} ${end}`,
    }
  })
  const mixed = [...events(20, 60, `${one}-all`), ...others].sort((a, b) => a.timestamp - b.timestamp)
  const stub = await startLogsStub(t, mixed, [
    { ...vpc, resource: one },
    { ...vpc, id: 'fl-2', resource: two, format: short },
  ])
  const { status, stderr, report } = await add(stub, temporaryFolder(t))
  assert.equal(status, 0, stderr)
  assert.equal(report!.case_records, 40)
  assert.equal(report!.files[0]!.malformed, 0)
})

const refused: { name: string; flowLogs: LogsStub['flowLogs']; says: RegExp }[] = [
  {
    name: 'flow logs of different formats in the same streams',
    flowLogs: [vpc, { ...vpc, id: 'fl-2', format: short }],
    says: /fl-1, fl-2[\s\S]*log group of its own/,
  },
  {
    name: 'a group that no flow log writes to',
    flowLogs: [{ ...vpc, group: 'other' }],
    says: /no flow log writes to the log group: g[\s\S]*--format/,
  },
]
for (const { name, flowLogs, says } of refused) {
  test(`${name} are refused before anything is read`, async t => {
    const stub = await startLogsStub(t, events(3), flowLogs)
    const { status, stderr } = await add(stub, temporaryFolder(t))
    assert.equal(status, 1, stderr)
    assert.match(stderr, says)
    assert.ok(stub.requests.every(one => one.action === 'DescribeFlowLogs'))
  })
}

test('who names the format needs no description', async t => {
  const stub = await startLogsStub(t, events(10), [])
  const { status, stderr, report } = await add(stub, temporaryFolder(t), '--format', 'default')
  assert.equal(status, 0, stderr)
  assert.equal(report!.case_records, 10)
})

test('a window is asked for, and an hour that may still grow is left to the next run', async t => {
  const now = Date.now()
  const recent = events(1).map(one => ({ ...one, timestamp: now - 600_000 }))
  const stub = await startLogsStub(t, recent, [vpc])
  const folder = temporaryFolder(t)
  const none = await run(stub, ['add', 'logs://g', '--case', join(folder, 'case')])
  assert.equal(none.status, 2)
  assert.match(none.stderr, /--source-window/)
  const from = new Date(now - 3 * 3_600_000).toISOString()
  const kept = await run(stub, [
    'add',
    'logs://g',
    '--source-window',
    `${from}..`,
    '--json',
    '--case',
    join(folder, 'case'),
  ])
  assert.match(kept.stderr, /may still arrive, and are left for the next run/)
  const thrown = await run(stub, ['flows', 'logs://g', '--source-window', `${from}..`, '--json'])
  assert.doesNotMatch(thrown.stderr, /left for the next run/)
})

test('throttling is waited for; a missing right and a missing group are named', async t => {
  const stub = await startLogsStub(t, events(20), [vpc])
  stub.fault = (action, times) =>
    action === 'FilterLogEvents' && times < 3 ? { status: 400, code: 'ThrottlingException' } : null
  const { status, stderr, report } = await add(stub, temporaryFolder(t))
  assert.equal(status, 0, stderr)
  assert.equal(report!.case_records, 20)
  stub.fault = action => (action === 'FilterLogEvents' ? { status: 400, code: 'ResourceNotFoundException' } : null)
  const missing = await add(stub, temporaryFolder(t))
  assert.match(missing.stderr, /no such log group: g/)
  stub.fault = action => (action === 'DescribeFlowLogs' ? { status: 403, code: 'UnauthorizedOperation' } : null)
  const denied = await add(stub, temporaryFolder(t))
  assert.match(denied.stderr, /access denied to the service[\s\S]*ec2:DescribeFlowLogs/)
})

test('that events are older than the flow log whose format they are read in is said', async t => {
  for (const [made, isSaid] of [
    ['2026-01-02T17:30:00.000Z', true],
    ['2026-01-02T15:30:00.000Z', false],
  ] as const) {
    const stub = await startLogsStub(t, events(100), [{ ...vpc, made }])
    const { status, stderr } = await add(stub, temporaryFolder(t))
    assert.equal(status, 0, stderr)
    assert.equal(
      /events before 2026-01-02T17:30:00Z, if there are any, are of flow logs that are gone/.test(stderr),
      isSaid,
      stderr,
    )
  }
})

test('a server that heeds no time has no event counted twice', async t => {
  const stub = await startLogsStub(t, events(100), [vpc])
  stub.heedsNoTime = true
  const { report, stderr } = await add(stub, temporaryFolder(t))
  assert.equal(report?.case_records, 100, stderr)
})
