import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { queryFlows } from '../../src/flows/run.ts'
import { displayWidth, hidden } from '../../src/report/text.ts'
import { openCase } from '../../src/store/case.ts'
import { Database } from '../../src/store/duckdb.ts'
import { type Run, tidemark } from '../cli/run.ts'
import { golden } from '../golden.ts'
import { type Work, workFolder } from './support.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const rows = [
  '2 1 eni-a 10.0.0.1 198.51.100.7 40000 443 6 10 1500 1700000000 1700000050 ACCEPT OK',
  '2 1 eni-a 198.51.100.7 10.0.0.1 443 40000 6 20 25000 1700000000 1700000055 ACCEPT OK',
  '2 1 eni-a 10.0.0.1 192.0.2.9 40001 22 6 3 180 1700000060 1700000100 REJECT OK',
  '2 1 eni-a 2001:db8::1 2001:db8::2 40002 53 17 1 80 1700000030 1700000030 ACCEPT OK',
  '2 1 eni-a 10.0.0.1 203.0.113.5 0 0 1 4 336 1700000030 1700000090 ACCEPT OK',
  '2 1 \u202eeni 10.0.0.3 203.0.113.5 7 8 17 4 336 1700000030 1700000090 ACCEPT OK',
]
let work: Work
before(() => {
  work = workFolder()
  writeFileSync(join(work.root, 'a.log'), `${[header, ...rows].join('\n')}\n`)
  // A layout without bytes: they are unknown.
  const short = 'interface-id srcaddr dstaddr srcport dstport protocol packets start end action log-status'
  writeFileSync(
    join(work.root, 'b.log'),
    `${short}\neni-a 10.0.0.4 203.0.113.5 7 9 17 4 1700000030 1700000090 ACCEPT OK\n`,
  )
  // One after the other: of files that are read at once, the first to be done is the first in the case.
  for (const name of ['a.log', 'b.log'])
    assert.equal(tidemark(['add', name, '--case', 'case'], { cwd: work.root }).status, 0)
})
after(() => work.close())

const flows = (args: string[], width = '80'): Run =>
  tidemark(['flows', '--case', 'case', ...args], { cwd: work.root, env: { COLUMNS: width } })
const json = (
  args: string[],
): {
  rows: Record<string, unknown>[]
  total_rows: number
  truncated: boolean
  columns: { name: string }[]
  sql: string
} => JSON.parse(flows([...args, '--json']).stdout)

test('addresses and ports of a file are asked of a case', () => {
  writeFileSync(join(work.root, 'bad.txt'), '203.0.113.5\n2001:db8::/64\n192.0.2.0/24\n')
  writeFileSync(join(work.root, 'ports.txt'), '22\n53\n')
  const found = (filter: string): unknown[] => json([filter, '-O', 'start']).rows.map(row => row['_line'])
  assert.equal(found('dst ip in @bad.txt').length, 5)
  assert.equal(found('dst ip in @bad.txt and dst port in @ports.txt').length, 2)
  assert.equal(found('not dst ip in @bad.txt').length, 2)
})

const pages: Record<string, string[]> = {
  list: [],
  stat: ['-s', 'ip/bytes', '-n', '3', '--other'],
  aggregate: ['-A', 'srcip4/24,dstport,sensor', '--distinct', 'dstip'],
  both: ['-b'],
  bins: ['--bin', '1m'],
  compare: ['between 2023-11-14T22:13:40 and 2023-11-14T22:15', '-A', 'proto', '--compare', 'previous'],
}
for (const [name, args] of Object.entries(pages)) {
  test(`the page of ${name}`, () => {
    for (const width of ['60', '80', '100', '140']) {
      const { stdout, status } = flows(args, width)
      assert.equal(status, 0)
      for (const text of stdout.split('\n')) {
        assert.ok(displayWidth(text) <= Number(width), text)
        assert.equal(text.search(hidden), -1, text)
      }
      golden(`flows-${name}-${width}.golden.txt`, stdout)
    }
  })
}

test('JSON is one document with what the contract names', () => {
  const answer = json(['-s', 'srcip/bytes', '-n', '1'])
  assert.deepEqual(Object.keys(answer).slice(0, 4).sort(), ['columns', 'rows', 'total_rows', 'truncated'])
  assert.deepEqual(
    [answer.rows[0]!['srcaddr'], answer.rows[0]!['bytes'], answer.truncated],
    ['198.51.100.7', 25_000, true],
  )
  assert.match(answer.sql, /^WITH .* GROUP BY/s)
})

test('CSV, NDJSON and Parquet have the same rows', async () => {
  const args = ['-A', 'srcip,dstport', '--order', 'bytes']
  const wanted = json(args).rows.map(row => [row['srcaddr'], row['dstport'], row['bytes']])
  const csv = flows([...args, '--csv'])
    .stdout.split('\r\n')
    .slice(0, -1)
  const names = csv[0]!.split(',')
  const cell = (text: string, name: string): unknown => {
    const value = text.split(',')[names.indexOf(name)]!
    return value === '' ? null : name === 'srcaddr' ? value : Number(value)
  }
  assert.deepEqual(
    csv.slice(1).map(text => ['srcaddr', 'dstport', 'bytes'].map(name => cell(text, name))),
    wanted,
  )
  const lines = flows([...args, '--ndjson'])
    .stdout.trim()
    .split('\n')
  assert.deepEqual(
    lines.map(text => JSON.parse(text)).map(row => [row.srcaddr, row.dstport, row.bytes]),
    wanted,
  )
  assert.equal(flows([...args, '--parquet', 'out.parquet']).status, 0)
  const refused = flows([...args, '--parquet', 'no-such-folder/out.parquet'])
  assert.deepEqual([refused.status, /cannot write no-such-folder\/out.parquet: /.test(refused.stderr)], [1, true])
  const db = await Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: null })
  const read = await db.rows(`SELECT srcaddr, dstport, bytes FROM '${join(work.root, 'out.parquet')}'`)
  assert.deepEqual(
    read.map(row => [row['srcaddr'], row['dstport'], row['bytes']]),
    wanted,
  )
  db.close()
})

test('answers that are kept for Parquet keep apart, and can be written again', async () => {
  const c = await openCase(join(work.root, 'case'))
  try {
    const some = await queryFlows(c, { by: ['srcaddr'] }, { forParquet: true })
    const one = await queryFlows(c, { by: ['srcaddr'], filter: 'src ip 10.0.0.4' }, { forParquet: true })
    const count = async (name: string): Promise<unknown> =>
      (await c.db.rows(`SELECT count(*) AS n FROM read_parquet('${join(work.root, name)}')`))[0]!['n']
    for (const name of ['first.parquet', 'again.parquet']) {
      await some.parquet(join(work.root, name))
      assert.equal(await count(name), Number(some.total_rows))
    }
    await one.parquet(join(work.root, 'one.parquet'))
    assert.deepEqual([await count('one.parquet'), Number(some.total_rows) > 1], [1, true])
  } finally {
    await c.close()
  }
})

test('CSV holds no formula and nothing that a terminal obeys', () => {
  const words = ['=cmd()', '@sum', '-1', '＝a', '\u202e=a', 'a"b,c', 'eni-a']
  const lines = words.map(
    (word, i) => `${word} 10.0.0.1 198.51.100.7 4000${i} 443 6 10 1500 1700000000 1700000050 ACCEPT OK`,
  )
  const layout = 'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
  writeFileSync(join(work.root, 'hostile.log'), `${[layout, ...lines].join('\n')}\n`)
  const { stdout } = tidemark(['flows', 'hostile.log', '-A', 'sensor,srcport', '--order', 'bytes', '--csv'], {
    cwd: work.root,
  })
  const [names, ...cells] = stdout.split('\r\n').slice(0, -1)
  assert.match(names!, /^sensor,srcport,/)
  const sensors = cells.map(text => text.slice(0, text.indexOf(',4000'))).sort()
  assert.deepEqual(sensors, ["'=cmd()", "'@sum", "'-1", "'＝a", '\\u202e=a', '"a""b,c"', 'eni-a'].sort())
})

test('straight from files the answer is the same, and no case stays', () => {
  const fromFiles = tidemark(['flows', '-s', 'dstport/bytes', 'a.log', 'b.log', '--json'], { cwd: work.root })
  assert.deepEqual(JSON.parse(fromFiles.stdout).rows, json(['-s', 'dstport/bytes']).rows)
})

test('a sum over records that do not say how much they moved is a lower bound', () => {
  const counting = (args: string[]): { unsummed: number } => JSON.parse(flows([...args, '--json']).stdout).counting
  assert.equal(counting(['-s', 'ip/bytes']).unsummed, 1)
  assert.equal(counting(['--bin', '1m']).unsummed, 1)
  assert.equal(counting(['-s', 'ip/bytes', 'src ip 10.0.0.1']).unsummed, 0)
  assert.equal(counting([]).unsummed, 0)
  assert.match(flows(['-s', 'ip/bytes']).stdout, /: at least [\d,]+ packets/)
})

test('a limit is stated', () => {
  assert.match(flows(['-n', '2']).stdout, /First 2 of 7 records; -n 0 for all\./)
  assert.match(flows(['-n', '2', '--csv']).stderr, /First 2 of 7 records; -n 0 for all/)
  assert.match(flows(['-n', '2', '--json']).stderr, /First 2 of 7 records; -n 0 for all/)
  assert.equal(flows(['--json']).stderr, '')
})

test('what cannot be meant is refused, with a way out', () => {
  const wrong: [string[], RegExp][] = [
    [['-s', 'srcport', '-A', 'dstip'], /-A and -s at once/],
    [['-A', 'scrip'], /unknown element: scrip[\s\S]*did you mean srcip/],
    [['-A', 'srcip/24'], /ambiguous network[\s\S]*srcip4\/24/],
    [['-A', 'srcip4/33'], /invalid length/],
    [['-A', 'bytes'], /cannot be grouped by/],
    [['-s', 'srcip/byte'], /unknown order: byte[\s\S]*bytes/],
    [['-s', 'srcip', '-s', 'dstip'], /-s may be given once/],
    [['-A', 'srcip', '--having', 'bites > 3'], /unknown measure: bites[\s\S]*bytes/],
    [['-A', 'srcip', '--having', 'bytes >'], /invalid number/],
    [['--bin', '5'], /width with a unit/],
    [['-A', 'srcip', '--compare', 'previous'], /names no window/],
    [['-o', 'xml'], /unknown format: xml/],
    [['-o', 'fmt:%xx'], /unknown tag/],
    [['--json', '--csv'], /two formats/],
    [['port 80 and', '-n', '1'], /hint/],
    [['src ip $who'], /missing parameter: \$who/],
    [['--query', 'none'], /no saved query: none/],
    [['--evidence', 'packets'], /no flow records of packets/],
    [['--percentile', 'packet/95'], /did you mean packets\/95/],
    [['--other'], /--other without groups/],
  ]
  for (const [args, message] of wrong) {
    const { status, stderr } = flows(args)
    assert.equal(status, 2, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, message)
  }
})

test('a saved query is asked with parameters, each of which is one value', () => {
  assert.equal(
    flows(['src ip $who and dst port $port', '-s', 'dstip/bytes', '--save', 'from', '--param', 'port=443']).status,
    0,
  )
  assert.deepEqual(
    json(['--query', 'from', '--param', 'who=10.0.0.1']).rows.map(row => row['dstaddr']),
    ['198.51.100.7'],
  )
  for (const text of ['10.0.0.1 or any', '0.0.0.0/0) or (any', "'", '"', '$port']) {
    const { status, stderr } = flows(['--query', 'from', '--param', `who=${text}`])
    assert.equal(status, 2, text)
    assert.match(stderr, /invalid address/)
  }
  assert.equal(tidemark(['verify', '--case', 'case'], { cwd: work.root }).status, 0)
  assert.match(readFileSync(join(work.root, 'case', 'queries.json'), 'utf8'), /"from"/)
})

test('--explain tells the sentence, the SQL and the segments, and asks nothing', () => {
  const { stdout, status } = flows(['dst port 443 and between 2020-01-01 and 2020-01-02', '-s', 'srcip', '--explain'])
  assert.equal(status, 0)
  assert.match(stdout, /^Flow records where the destination port is 443/)
  assert.match(stdout, /GROUP BY/)
  assert.match(stdout, /0 segments of \d and 0 of \d row groups? can hold a match/)
  assert.match(stdout, /skipped/)
})

test('formats of lines are nfdump’s', () => {
  const line = flows(['port 443', '-o', 'line']).stdout.split('\n')
  assert.match(
    line[1]!,
    /^2023-11-14 22:13:20\.000 +50\.000 TCP +10\.0\.0\.1:40000 -> +198\.51\.100\.7:443 +10 +1500 +1$/,
  )
  const own = flows(['port 22', '-o', 'fmt:%sa|%dstport|%action|100%%']).stdout.split('\n')
  assert.equal(own[1], '        10.0.0.1|22|REJECT|100%')
  assert.match(flows(['ip 10.0.0.3', '-o', 'raw']).stdout, /interface_id += \\u202eeni/)
})
