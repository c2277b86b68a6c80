import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { after, before, beforeEach, test } from 'node:test'
import { type AthenaStub, canaries, metadata, startAthena } from '../engines/athena-stub.ts'
import { plainNames, tableOfNames } from '../engines/tables.ts'
import { cliEntry } from '../repo.ts'
import type { Run } from './run.ts'

const hive: Record<string, string> = { varchar: 'string', integer: 'int', bigint: 'bigint' }
const types = Object.fromEntries(tableOfNames(plainNames).columns.map(({ name, type }) => [name, hive[type]!]))
/** Totals, then protocol and what is counted. */
const group = ['1', '3', '1', '9', '18446744073709551616', null, 'true', '6', '3', '1', '9', '18446744073709551616']

let stub: AthenaStub
before(async () => {
  stub = await startAthena()
})
beforeEach(() => {
  stub.table = metadata(types)
  stub.fault = () => null
  stub.objects = {}
  stub.started.length = 0
  stub.requests.length = 0
  stub.cancelled.length = 0
  stub.outcome = ({ text }) => ({
    bytes: 2_000_000_000,
    rows: text.includes('"_without"')
      ? [['3', '1', '2', '0', '1']]
      : [[...group, '1700000000000000', '1700000060000000', '60000', '0', '0', '0']],
  })
})
after(() => stub.close())

/** The server is in this process, which must not wait. No output holds a secret. */
function run(args: string[], interrupt?: () => boolean, command = 'flows'): Promise<Run> {
  const env = { ...process.env, ...canaries }
  const all = [command, '--engine', 'athena://logs/flows', '--endpoint', stub.address, ...args]
  const child = spawn(process.execPath, [cliEntry, ...all], { cwd: tmpdir(), env })
  const out = { stdout: '', stderr: '' }
  child.stdout.on('data', piece => (out.stdout += piece))
  child.stderr.on('data', piece => (out.stderr += piece))
  const timer = setInterval(() => interrupt?.() && child.kill('SIGINT') && clearInterval(timer), 50)
  return new Promise(resolve => {
    child.on('close', status => {
      clearInterval(timer)
      assert.doesNotMatch(out.stdout + out.stderr, /canary/i)
      resolve({ status, ...out })
    })
  })
}

test('a question to Athena is answered in JSON, exact, with what it read', async () => {
  const args = ['-A', 'proto', 'action REJECT', '--json', '--workgroup', 'w', '--output-location', 's3://answers/']
  const { status, stdout, stderr } = await run(args)
  assert.equal(status, 0, stderr)
  assert.match(stdout, /"bytes": ?18446744073709551616/)
  const { counting, rows, engine } = JSON.parse(stdout)
  assert.equal(rows[0].start, '2023-11-14T22:13:20Z')
  assert.deepEqual([counting.count_once, counting.unknown], [false, 2])
  assert.deepEqual(engine, {
    ...{ name: 'athena', table: 'athena://AwsDataCatalog/logs/flows', without_status: 1 },
    queries: [
      { id: 'q-1', bytes: 2_000_000_000 },
      { id: 'q-2', bytes: 2_000_000_000 },
    ],
  })
  assert.match(
    stderr,
    /how many bytes is not known before it runs \(the catalogue does not tell where its objects lie\), it is stopped about 93\.1 GiB, \$0\.50 at \$5 a TB/,
  )
  // What a process that is killed leaves running.
  assert.match(stderr, /the engine runs query q-1: aws athena get-query-execution --query-execution-id q-1 tells/)
  assert.match(stderr, /the engine runs query q-2/)
  assert.deepEqual([stub.started[0]!.workgroup, stub.started[0]!.location], ['w', 's3://answers/'])
  assert.ok(stub.started.every(({ params }) => params.every(one => one === "'REJECT'")))
})

test('--dry-run prints the statements and what they cost at the user’s prices, and runs none', async () => {
  const args = ['-A', 'proto', '--dry-run', '--price', 'athena=7', '--price', 'egress=0']
  const { status, stdout } = await run([...args, 'interface_id = "o\'hara"', '--json'])
  assert.equal(status, 0)
  const { statements, price, estimate } = JSON.parse(stdout)
  assert.match(statements[0], /\nUSING 'o''hara', 'o''hara'$/)
  assert.deepEqual(price, { usd: null, usd_per_tb: 7, egress_usd_per_gb: 0 })
  assert.equal(estimate.bytes, null)
  assert.equal(stub.started.length, 0)
  const page = await run(args)
  assert.match(page.stdout, /at \$7 a TB/)
})

test('what would read more than --max-bytes is refused before it runs, and what would not has its price', async () => {
  stub.table = metadata(types, { parameters: { location: 's3://logs/flows/' } })
  stub.objects = { 'flows/a.gz': 40e9, 'flows/b.gz': 20e9 }
  const refused = await run(['-A', 'proto'])
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /reads twice: about 111\.8 GiB of 2 objects, more than 93\.1 GiB/)
  assert.equal(stub.started.length, 0)
  const asked = await run(['-A', 'proto', '--max-bytes', '1t'])
  assert.equal(asked.status, 0)
  assert.match(asked.stderr, /reads twice: about 111\.8 GiB of 2 objects, about \$0\.60 at \$5 a TB/)
})

test('Ctrl-C cancels the statement on Athena', async () => {
  stub.outcome = () => ({ runs: true })
  const { status } = await run(['-A', 'proto'], () => stub.started.length > 0)
  assert.equal(status, 130)
  assert.deepEqual(stub.cancelled, ['q-1'])
})

test('what AWS refuses, and what cannot be meant, is said without a secret', async () => {
  const secret = canaries.AWS_SECRET_ACCESS_KEY
  stub.fault = ({ action }) =>
    action === 'StartQueryExecution' ? { name: 'ExpiredTokenException', status: 400, message: secret } : null
  const refused = await run(['-A', 'proto'])
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /cannot ask Athena: the credentials have expired/)
  for (const [args, what] of [
    [['--output-location', 'https://x'], /--output-location is no place in S3/],
    [['--output-location', 's3://192.0.2.1/answers/'], /--output-location is no place in S3/],
    [['--output-location', 's3://answers/a?b'], /--output-location is no place in S3/],
    [['--price', 'gold=1'], /Expected athena=DOLLARS/],
    [['--engine', 'athena://AKIA:canary@logs/flows'], /holds more than names/],
    [['--engine', 'trino://127.0.0.1:1/a/b/c', '--workgroup', 'w'], /--workgroup is of Athena/],
  ] as [string[], RegExp][]) {
    const { status, stderr } = await run(args)
    assert.equal(status, 2, stderr)
    assert.match(stderr, what)
  }
})

test('evidence tells what a table covers, and prints and prices the statement without asking it', async () => {
  const day = '1700006400000000'
  const row = (sensor: string | null, island: number, from: number, ...counts: number[]): (string | null)[] => [
    ...[sensor, String(island), day, `${1_700_006_400 + from}000000`, `${1_700_006_460 + from}000000`],
    ...counts.slice(0, 4).map(String),
    ...[0, 60].map(seconds => (counts[2] === 0 ? null : `${1_700_006_400 + from + seconds}000000`)),
  ]
  stub.outcome = () => ({
    bytes: 5,
    rows: [
      row('eni-\u001b[1m', 0, 0, 7, 1, 0, 0),
      row('eni-\u001b[1m', 1, 4000, 2, 0, 1, 0),
      row(null, 0, 0, 1, 0, 0, 3),
    ],
  })
  const asked = await run(['--from', '2023-11-15', '--json'], undefined, 'evidence')
  assert.equal(asked.status, 0, asked.stderr)
  const { totals, sensors, gaps, days, engine, window } = JSON.parse(asked.stdout)
  assert.deepEqual(
    [totals.records, totals.no_data, totals.skip_data, totals.without_status, totals.without_time, totals.files],
    [10, 1, 1, null, null, null],
  )
  assert.deepEqual(sensors[1], {
    ...{ sensor: null, first: '2023-11-15T00:00:00Z', last: '2023-11-15T00:01:00Z' },
    ...{ records: 1, no_data: 0, skip_data: 0, skip_first: null, skip_last: null, holes: 0 },
  })
  assert.deepEqual([gaps.length, gaps[0].from, gaps[0].to], [1, '2023-11-15T00:01:00Z', '2023-11-15T01:06:40Z'])
  assert.deepEqual(days, [{ day: '2023-11-15', sensors: 2, records: 10, no_data: 1, skip_data: 1 }])
  assert.deepEqual(engine.queries, [{ id: 'q-1', bytes: 5 }])
  assert.deepEqual(window, { from: '2023-11-15T00:00:00Z', to: null })
  assert.match(stub.started[0]!.text, /"from_us" >= 1700006400000000/)
  const page = await run([], undefined, 'evidence')
  assert.match(page.stdout, /10 records, 1 NODATA, 1 SKIPDATA/)
  assert.match(page.stdout, /no record +3 lines/)
  assert.match(page.stdout, /records dropped +2023-11-15 01:06:40Z to 2023-11-15 01:07:40Z/)
  assert.doesNotMatch(page.stdout, /no record, no time/)
  const windowed = await run(['--from', '2023-11-15'], undefined, 'evidence')
  assert.match(windowed.stdout, /no record, no time +not known: such lines are in no window/)
  assert.doesNotMatch(windowed.stdout, /3 lines/)
  assert.match(page.stdout, /eni-\\x1b/)
  assert.ok(!page.stdout.includes('eni-\u001b'))
  const started = stub.started.length
  const planned = await run(['--dry-run', '--json'], undefined, 'evidence')
  assert.equal(JSON.parse(planned.stdout).price.usd_per_tb, 5)
  assert.equal(stub.started.length, started)
})
