import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { golden } from '../golden.ts'
import { cliEntry, skipWithout } from '../repo.ts'
import { caseFolder } from '../user-sql/support.ts'
import { type Run, temporaryFolder, tidemark } from './run.ts'

const { caseDir } = await caseFolder()
const sql = (args: string[], env: Record<string, string> = {}): Run =>
  tidemark(['sql', '--case', caseDir, ...args], { env })

const pages: [name: string, query: string][] = [
  [
    'table',
    'SELECT srcaddr, dstport, protocol_name(protocol) AS protocol, bytes, start, tgw_id FROM flows ORDER BY _line',
  ],
  ['wide', 'SELECT *, strange_field AS "a;b" FROM flows ORDER BY _line LIMIT 2'],
  ['empty', 'SELECT srcaddr, bytes FROM flows WHERE false'],
  [
    'nested',
    "SELECT [1, 2] AS list, {'a': srcaddr, 'b': NULL} AS struct, chr(27) || '[31m' AS escape, NULL AS nothing FROM flows LIMIT 1",
  ],
]

test('pages of results are as they were', () => {
  for (const [name, query] of pages) {
    for (const width of ['60', '80', '100', '140']) {
      const { status, stdout, stderr } = sql([query], { COLUMNS: width })
      assert.equal(status, 0, stderr)
      golden(`sql-${name}-${width}.golden.txt`, stdout)
    }
  }
})

test('errors show the place and a way out', () => {
  const queries = [
    'SELECT srcadr FROM flows',
    'SELECT srcaddr\nFROM flowz\nWHERE true',
    "SELECT 'é€😀', read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT srcaddr FROM flows GROUP',
    "SELECT 1 FROM flows WHERE srcaddr = '203.0.113.7'",
    "SELECT 1 FROM flows WHERE srcaddr = '203.0.113.0/24'",
    "SELECT 1 FROM flows WHERE srcaddr LIKE '203.%'",
    'SELECT bytes, count(*) FROM flows',
    "SELECT addr('10.0.0')",
    "SELECT 'x'::INT",
    'DROP VIEW flows',
    'SELECT 1; SELECT 2',
    'SELECT "\u202e" FROM flows',
  ]
  const texts = queries.map(query => {
    const { status, stdout, stderr } = sql([query])
    assert.equal(stdout, '')
    return `$ ${JSON.stringify(query)}\n${stderr}status ${status}\n`
  })
  golden('sql-errors.golden.txt', texts.join('\n'))
})

test('JSON is one document with exact numbers, and says what it left out', () => {
  const query = 'SELECT srcaddr, bytes FROM flows ORDER BY bytes DESC'
  const { status, stdout } = sql([query, '--json', '--limit', '1'])
  assert.equal(status, 0)
  assert.match(stdout, /"bytes": 18446744073709551615/)
  const { rows, ...rest } = JSON.parse(stdout)
  assert.equal(rows.length, 1)
  const columns = [
    { name: 'srcaddr', type: 'address' },
    { name: 'bytes', type: 'UBIGINT' },
  ]
  assert.deepEqual(rest, { columns, total_rows: 5, truncated: true, sql: query })
})

test('CSV guards against formulas, and tells on standard error what it left out', () => {
  const query = `SELECT strange_field AS "=1", NULL AS n, '' AS e, 'a"b,c' AS q, -5 AS minus FROM flows ORDER BY _line`
  const { stdout, stderr } = sql([query, '--csv', '--limit', '4'])
  assert.deepEqual(stdout.split('\r\n'), [
    "'=1,n,e,q,minus",
    'alpha,,"","a""b,c",-5',
    'alpha,,"","a""b,c",-5',
    '\'=cmd(),,"","a""b,c",-5',
    '\\u202e,,"","a""b,c",-5',
    '',
  ])
  assert.equal(stderr, 'tidemark: first 4 of 5 rows (--limit)\n')
  assert.equal(sql([query, '--csv', '--limit', 'all']).stderr, '')
})

test('CSV takes a column’s type for what its cells are', () => {
  const query = `SELECT -12345678901234567.89 AS d, '-inf'::DOUBLE AS f, -(2::HUGEINT ** 100)::HUGEINT AS h, INTERVAL '-61 seconds' AS i,
    '-5' AS t, chr(9) || 'a' AS tab, chr(13) || '=a' AS cr, '＝a' AS wide, [-1, NULL] AS l, TIMESTAMP '-infinity' AS ts`
  const { stdout } = sql([query, '--csv'])
  assert.equal(
    stdout.split('\r\n')[1],
    `-12345678901234567.89,-Infinity,-1267650600228229401496703205376,-00:01:01,'-5,'\\x09a,'\\x0d=a,'＝a,"[-1,null]",-infinity`,
  )
})

test('NDJSON is an object a row, with nothing that a terminal obeys', () => {
  const { stdout } = sql([
    'SELECT _line, strange_field, bytes FROM flows WHERE _line IN (3, 5) ORDER BY _line',
    '--ndjson',
  ])
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines[0], '{"_line":3,"strange_field":"alpha","bytes":18446744073709551615}')
  assert.equal(lines[1], '{"_line":5,"strange_field":"\\u202e","bytes":500}')
})

test('statements on standard input run one after the other, up to the first that fails', () => {
  const input = "SELECT 1 AS a;\n-- two\nSELECT ';' AS b; SELECT nope; SELECT 3"
  const run = spawnSync(process.execPath, [cliEntry, 'sql', '--case', caseDir, '--ndjson'], { input, encoding: 'utf8' })
  assert.equal(run.status, 2)
  assert.equal(run.stdout, '{"a":1}\n{"b":";"}\n')
  assert.match(run.stderr, /^tidemark: .*nope/)
})

test('the plan of a query is told without a path', () => {
  const { status, stdout } = sql(["SELECT count(*) FROM flows WHERE in_net(srcaddr, '10.0.0.0/8')", '--explain'])
  assert.equal(status, 0)
  assert.match(stdout, /READ_PARQUET/)
  assert.ok(!stdout.includes(caseDir))
})

test('the environment is not there for a query, nor does a limit take nonsense', () => {
  assert.equal(sql(["SELECT getenv('CANARY')"], { CANARY: 'canary' }).status, 2)
  for (const args of [
    ['--limit', '0'],
    ['--limit', 'some'],
    ['--timeout', '0'],
    ['--memory', 'x'],
    ['--csv', '--json'],
  ]) {
    assert.equal(sql(['SELECT 1', ...args]).status, 2, args.join(' '))
  }
})

test('a case that can only be read is read', skipWithout('chmod'), () => {
  for (const part of ['', 'segments', 'incoming']) chmodSync(join(caseDir, part), 0o555)
  try {
    assert.equal(sql(['SELECT count(*) AS n FROM flows', '--ndjson']).stdout, '{"n":5}\n')
  } finally {
    for (const part of ['', 'segments', 'incoming']) chmodSync(join(caseDir, part), 0o755)
  }
})

/** What a terminal shows of a conversation. */
function converse(lines: string, env: Record<string, string>): string {
  const command = `"${process.execPath}" "${cliEntry}" sql --case "${caseDir}"`
  const run = spawnSync('script', ['-qec', command, '/dev/null'], {
    input: lines,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', TERM: 'xterm', ...env },
    timeout: 60_000,
  })
  return run.stdout
}

test('the prompt answers, keeps a history outside the case, and goes on after an error', skipWithout('script'), t => {
  const state = temporaryFolder(t)
  const typed =
    "SELECT 40 +\n2 AS answer;\nSELECT nope FROM flows;\n.schema silence\n.nothing\nSELECT 'again' AS w; SELECT 7 AS seven;\n.quit\n"
  const shown = converse(typed, { XDG_STATE_HOME: state })
  for (const part of [
    /answer\s+42/,
    /no such column: nope/,
    /NODATA: no traffic/,
    /no such command: \.nothing/,
    /again/,
    /seven\s+7/,
  ]) {
    assert.match(shown, part)
  }
  const history = join(state, 'tidemark', 'sql-history')
  const kept = readFileSync(history, 'utf8').split('\n')
  assert.deepEqual(kept, [
    'SELECT 40 + 2 AS answer;',
    'SELECT nope FROM flows;',
    "SELECT 'again' AS w; SELECT 7 AS seven;",
    '',
  ])
  assert.equal(statSync(history).mode & 0o077, 0)
})

test('a prompt whose history cannot be kept is still a prompt', skipWithout('script'), t => {
  const state = join(temporaryFolder(t), 'file')
  writeFileSync(state, '')
  assert.match(converse('SELECT 40 + 2 AS answer;\n.quit\n', { XDG_STATE_HOME: state }), /answer\s+42/)
  assert.ok(existsSync(state))
})
