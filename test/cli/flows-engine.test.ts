import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { after, before, test } from 'node:test'
import { type Reply, type Stub, startStub } from '../engines/stub.ts'
import { plainNames, tableOfNames } from '../engines/tables.ts'
import { cliEntry } from '../repo.ts'
import type { Run } from './run.ts'

const { columns } = tableOfNames(plainNames)
const shown = columns.map(({ name, type }) => [name, type, '', ''])
/** Totals, then protocol and what is counted. */
const group = ['1', '3', '1', '9', '18446744073709551616', null, 'true', '6', '3', '1', '9', '18446744073709551616']
const answers: [RegExp, (string | null)[][]][] = [
  [/^SHOW COLUMNS/, shown],
  [/LIMIT 0$/, []],
  [/^EXPLAIN/, [['{}']]],
  [/"_without"/, [['3', '1', '2', '0', '1']]],
  [/GROUP BY/, [[...group, '1700000000000000', '1700000060000000', '60000', '0', '0', '0']]],
]

let stub: Stub
let engine: string
before(async () => {
  stub = await startStub(({ body }): Reply => {
    const found = answers.find(([form]) => form.test(body))
    return { body: { id: 'q', stats: { state: 'FINISHED' }, data: found?.[1] ?? [] } }
  })
  engine = `${stub.origin.replace('http', 'trino')}/hive/logs/flows`
})
after(() => stub.close())

const canary = 'canary-5f1e'

/** The server is in this process, which must not wait. */
function run(...args: string[]): Promise<Run> {
  const env = { ...process.env, TIDEMARK_TRINO_PASSWORD: canary, TIDEMARK_TRINO_USER: 'u' }
  const child = spawn(process.execPath, [cliEntry, 'flows', ...args], { cwd: tmpdir(), env })
  const out = { stdout: '', stderr: '' }
  child.stdout.on('data', piece => (out.stdout += piece))
  child.stderr.on('data', piece => (out.stderr += piece))
  return new Promise(resolve => {
    child.on('close', status => {
      assert.doesNotMatch(out.stdout + out.stderr, new RegExp(canary))
      assert.doesNotMatch(out.stdout + out.stderr, new RegExp(Buffer.from(`u:${canary}`).toString('base64')))
      resolve({ status, ...out })
    })
  })
}

test('a question to an engine is answered in JSON, exact, and says how it was counted', async () => {
  stub.heard.length = 0
  const { status, stdout, stderr } = await run('--engine', engine, '-A', 'proto', 'action REJECT', '--json')
  assert.equal(status, 0, stderr)
  assert.match(stdout, /"bytes": ?18446744073709551616/)
  const { counting, rows, engine: asked, notes } = JSON.parse(stdout)
  assert.equal(rows[0].start, '2023-11-14T22:13:20Z')
  assert.equal(counting.count_once, false)
  assert.match(counting.count_once_reason, /as with --raw/)
  assert.equal(counting.unknown, 2)
  assert.equal(asked.without_status, 1)
  assert.equal(asked.queries.length, 5)
  assert.match(notes.join(' '), /no malformed lines/)
  assert.match(stderr, /reads twice: how many bytes is not known/)
  const sent = stub.heard.map(({ body }) => body).find(body => body.includes('GROUP BY'))!
  assert.match(sent, /^EXECUTE IMMEDIATE '.*' USING 'REJECT'/s)
  assert.ok(stub.heard.every(({ headers }) => headers.authorization?.startsWith('Basic ')))
})

test('--one-pass asks once, and what was not counted is null', async () => {
  stub.heard.length = 0
  const { stdout } = await run('--engine', engine, '-A', 'proto', '--one-pass', '--json')
  const { counting } = JSON.parse(stdout)
  assert.deepEqual([counting.unknown, counting.unsummed], [null, null])
  assert.ok(!stub.heard.some(({ body }) => body.includes('_without')))
})

test('--dry-run prints the statements, and runs none of them', async () => {
  stub.heard.length = 0
  const { status, stdout } = await run(
    '--engine',
    engine,
    '-A',
    'proto',
    'interface_id = "o\'hara"',
    '--dry-run',
    '--json',
  )
  assert.equal(status, 0)
  const { statements, passes } = JSON.parse(stdout)
  assert.equal(passes, 2)
  assert.match(statements[0], /USING 'o''hara'/)
  assert.ok(stub.heard.every(({ body }) => /^(SHOW|EXPLAIN|SELECT "\$path")/.test(body)))
})

test('a size of 0 is that of no column, and not of the table', async t => {
  const explained = answers.find(([form]) => form.source === '^EXPLAIN')!
  t.after(() => {
    explained[1] = [['{}']]
  })
  const sized = async (bytes: number): Promise<number | null> => {
    explained[1] = [[JSON.stringify({ inputTableColumnInfos: [{ estimate: { outputSizeInBytes: bytes } }] })]]
    const { stdout } = await run('--engine', engine, '-A', 'proto', '--dry-run', '--json')
    return (JSON.parse(stdout) as { estimate: { bytes: number | null } }).estimate.bytes
  }
  assert.equal(await sized(4096), 4096)
  assert.equal(await sized(0), null)
})

test('what an engine cannot be asked is refused before it is asked anything, and what to do', async () => {
  stub.heard.length = 0
  for (const [args, what] of [
    [['role client'], /role in a filter for an engine/],
    [['-A', 'service'], /role and service and --engine/],
    [['country DE'], /country in a filter for an engine/],
    [['last 2h of case'], /of case/],
    [['--since', '2h'], /--since before the end/],
    [['-c', '5'], /-c and --engine/],
    [['--save', 'x'], /--save or --query/],
    [['--explain'], /--dry-run/],
    [['dst port 99999'], /99999/],
    [['dst port 443 and'], /443 and/],
    [['-A', 'proto', '--having', 'bytes >'], /bytes >/],
    [['-A', 'proto', '-O', 'nonsense'], /nonsense/],
    [['--one-pass'], /--one-pass of single records/],
  ] as [string[], RegExp][]) {
    const { status, stderr } = await run('--engine', engine, ...args)
    assert.equal(status, 2, stderr)
    assert.match(stderr, what)
    assert.deepEqual(stub.heard, [])
  }
  // The table may have columns of its own.
  const unknown = await run('--engine', engine, 'nonsense = 1')
  assert.equal(unknown.status, 2)
  assert.match(unknown.stderr, /unknown field: nonsense/)
  assert.ok(stub.heard.some(({ body }) => body.startsWith('SHOW COLUMNS')))
  const { status, stderr } = await run('--dry-run')
  assert.equal(status, 2)
  assert.match(stderr, /--dry-run without --engine/)
})
