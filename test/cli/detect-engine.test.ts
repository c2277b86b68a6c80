import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Stub, startStub } from '../engines/stub.ts'
import { plainNames } from '../engines/tables.ts'
import { cliEntry } from '../repo.ts'
import { environment } from '../sources/command.ts'
import { aside, finished } from './engine-aside.ts'
import { type Run, temporaryFolder, tidemark } from './run.ts'

const isSieve = (body: string): boolean => body.includes('"is_other_internal"')

function placeOf({ origin }: Stub): string {
  return `${origin.replace('http', 'trino')}/hive/logs/flows`
}

/** The server is in this process, which must not wait. */
function run(...args: string[]): Promise<Run> {
  const env = environment({ TIDEMARK_TRINO_USER: 'u' })
  const child = spawn(process.execPath, [cliEntry, 'detect', ...args], { env })
  const out = { stdout: '', stderr: '' }
  child.stdout.on('data', piece => (out.stdout += piece))
  child.stderr.on('data', piece => (out.stderr += piece))
  return new Promise(resolve => child.on('close', status => resolve({ status, ...out })))
}

test('--dry-run prints the statements, with the window in them, and runs none of them', async t => {
  const stub = await startStub(({ body }) => aside(body) ?? { status: 500 })
  t.after(() => stub.close())
  const window = ['--from', '2023-09-28', '--to', '2023-09-28']
  const plan = await run('--engine', placeOf(stub), ...window, '--dry-run', '--json')
  assert.equal(plan.status, 0, plan.stderr)
  const { statements, passes, sentence } = JSON.parse(plan.stdout)
  assert.deepEqual([statements.length, passes], [2, 4])
  assert.ok(isSieve(statements[0]) && statements[0].includes('1695859200'))
  assert.match(sentence, /Not run: .*D09-non-standard-port/)
  const page = await run('--engine', placeOf(stub), '--dry-run', '--rule', 'D18')
  assert.equal(page.status, 0, page.stderr)
  assert.match(page.stdout, /reads four times/)
  assert.match(page.stdout, /Which hosts may be in a finding[\s\S]*3389[\s\S]*Sums over everything/)
})

/** A host outside that reaches 10.0.0.5 on a port that is not for the internet. */
const [client, server] = ['203.0.113.7', '10.0.0.5']
const [first, last] = ['1700000000000000', '1700000050000000']

/** An engine on which a host passes the sieve of D18, with the records of one connection. */
function startEngine(): Promise<Stub> {
  const line = (from: string, to: string, ports: string[]): (string | null)[] =>
    plainNames.map(name => {
      const values: Record<string, string> = {
        ...{ version: '2', account_id: '1', interface_id: 'eni-1', srcaddr: from, dstaddr: to, protocol: '6' },
        ...{ srcport: ports[0]!, dstport: ports[1]!, packets: '9', bytes: '900', action: 'ACCEPT', log_status: 'OK' },
        ...{ start: '1700000000', end: '1700000050' },
      }
      return values[name.replaceAll('-', '_')] ?? null
    })
  return startStub(({ body }) => {
    const known = aside(body)
    if (known !== null) return known
    // The two rules for guesses are asked for with it: what they find makes its findings graver.
    if (isSieve(body))
      return finished([[server, ...['false', 'false', 'true'], ...['1', first, last], ...['0', '0', '1']]])
    if (body.includes('FILTER (WHERE'))
      return finished([['s3://bucket/x', 'eni-1', null, null, null, first, last, '50000000', '7', '7', '0']])
    if (body.includes('FROM asked')) return finished()
    const lines = [line(client, server, ['40000', '3389']), line(server, client, ['3389', '40000'])]
    return finished(lines.map(one => ['s3://bucket/x', ...one]))
  })
}

test('what is found is printed with what it rests on, and the case is kept where it is named', async t => {
  const folder = temporaryFolder(t)
  const stub = await startEngine()
  t.after(() => stub.close())
  const dir = join(folder, 'kept.tidemark')
  const found = await run('--engine', placeOf(stub), '--rule', 'D18', '--case', dir, '--json')
  assert.equal(found.status, 0, found.stderr)
  const { findings, engine } = JSON.parse(found.stdout)
  assert.deepEqual(
    findings.map(({ rule, subject, peers }: Record<string, unknown>) => [rule, subject, peers]),
    [['D18-exposed-service', [server], [client]]],
  )
  const { rules, skipped, hosts, records, records_of_table, queries, case: kept } = engine
  assert.deepEqual(
    [rules, skipped, hosts, records, records_of_table, kept],
    [[{ rule: 'D18-exposed-service', hosts: 1 }], [], 1, 2, 7, dir],
  )
  assert.ok(queries.length >= 3)
  assert.deepEqual(readdirSync(folder), ['kept.tidemark'])
  assert.equal(tidemark(['verify', '--case', dir]).status, 0)
  const page = await run('--engine', placeOf(stub), '--rule', 'D18', '--fail-on', 'medium')
  assert.equal(page.status, 4, page.stderr)
  const text = page.stdout.replace(/\s+/g, ' ')
  assert.match(text, /1 host may be in a finding, by sums over 7 records; the findings rest on 2 of these/)
  assert.match(text, /D18-exposed-service: 1 host passed its sieve\./)
  assert.match(text, /tidemark pull 10\.0\.0\.5 --engine /)
})

test('what does not go with an engine is refused, and so is what goes with one alone', async t => {
  const folder = temporaryFolder(t)
  const engine = ['--engine', 'trino://127.0.0.1:1/hive/logs/flows']
  const cases: [string[], RegExp][] = [
    [['--region', 'eu-central-1'], /--region is of --engine athena:\/\/…, which is not given/],
    [[...engine, '--region', 'eu-central-1'], /--region is of --engine athena:\/\/…, which is not given/],
    [[...engine, folder], /the path .* and --engine/],
    [[...engine, '--baseline', 'auto'], /--baseline and --engine/],
    [[...engine, '--from-host', '10.0.0.1'], /--from-host and --engine/],
    [[...engine, '--list', 'x.csv'], /--list and --engine[\s\S]*--internal/],
    [[...engine, '--rules', folder], /--rules and --engine/],
    [[...engine, '--workers', '2'], /--workers and --engine/],
    [['--dry-run'], /--dry-run without --engine/],
    [['--max-bytes', '1g'], /--max-bytes without --engine/],
  ]
  for (const [args, pattern] of cases) {
    const { status, stderr } = tidemark(['detect', ...args, '--case', join(folder, 'none.tidemark')])
    assert.equal(status, 2, args.join(' '))
    assert.match(stderr, pattern)
  }
})
