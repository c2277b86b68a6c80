import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse } from '../../src/filter/filter.ts'
import { print } from '../../src/filter/print.ts'
import { type Run, tidemark } from '../cli/run.ts'
import { type Work, workFolder } from './support.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const rows = [
  '2 1 eni-a 10.0.0.1 198.51.100.7 40000 22 6 10 1500 1700000000 1700000050 ACCEPT OK',
  '2 1 eni-a 10.0.0.1 198.51.100.7 40001 443 6 10 2500000 1700000000 1700000050 ACCEPT OK',
  '2 1 eni-a 10.0.0.2 198.51.100.7 40001 53 17 1 80 1700007200 1700007230 ACCEPT OK',
  '2 1 eni-a 10.0.0.2 198.51.100.8 40001 53 17 1 80 1700007200 1700007230 ACCEPT OK',
  '2 1 eni-a 10.0.0.2 203.0.113.5 0 0 1 4 336 1700000030 1700000090 ACCEPT OK',
]
let work: Work
before(() => {
  work = workFolder()
  writeFileSync(join(work.root, 'a.log'), `${[header, ...rows].join('\n')}\n`)
  assert.equal(tidemark(['add', 'a.log', '--case', 'case'], { cwd: work.root }).status, 0)
})
after(() => work.close())

const flows = (args: string[], env: Record<string, string> = {}): Run =>
  tidemark(['flows', ...args, '--case', 'case'], { cwd: work.root, env: { COLUMNS: '100', ...env } })
const count = (args: string[]): unknown => JSON.parse(flows([...args, '--json']).stdout).total_rows

const alike: [typed: string, meant: string][] = [
  ['20.106.124.93', 'ip 20.106.124.93'],
  ['dst 10.0.0.0/8', 'dst ip 10.0.0.0/8'],
  ['not 2001:db8::1', 'not ip 2001:db8::1'],
  ['srcip 10.0.0.1', 'src ip 10.0.0.1'],
  ['dport 22 or sport in [80 443]', 'dst port 22 or src port in [80 443]'],
  ['tcp and port ssh', 'proto tcp and port 22'],
  ['dst port dns', 'dst port 53'],
  ['bytes > 1MB', 'bytes > 1m'],
  ['bytes > 1.5MiB', 'bytes > 1572864'],
  ['between 2023-09-28 and 2023-09-28', 'between 2023-09-28T00:00 and 2023-09-28T23:59:59.999999'],
]
for (const [typed, meant] of alike) {
  test(`"${typed}" is "${meant}"`, () => {
    assert.equal(print(parse(typed).ast), print(parse(meant).ast))
    // What nfdump refuses stays refused, or means what it did.
    if (/^[\d.]+$|srcip|dport|tcp and/.test(typed)) assert.throws(() => parse(typed, { nfdump: true }))
  })
}

test('a filter needs no quotes, and paths may follow it', () => {
  assert.equal(count(['src', 'ip', '10.0.0.1', 'and', 'dst', 'port', '22']), 1)
  const files = tidemark(['flows', 'dst', 'port', '22', 'a.log', '--json'], { cwd: work.root })
  assert.equal(JSON.parse(files.stdout).total_rows, 1)
  assert.match(flows(['src', 'ip', '10.0.0.1', 'nad', 'port', '22']).stderr, /unexpected: nad[\s\S]*did you mean and/)
  assert.match(flows(['port 22', 'nosuch.log']).stderr, /no such file or folder: nosuch\.log/)
})

test('--since counts back from the end of the evidence, and says so', () => {
  assert.equal(count(['--since', '1h']), 2)
  assert.equal(count(['port 53', '--since', '3h']), 2)
  assert.equal(count(['--since', '2023-11-14T23:00']), 2)
  assert.match(flows(['--since', '1h']).stdout, /counts back from the end of the evidence, not from now/)
  assert.equal(flows(['--since', 'yesterday']).status, 2)
})

test('an empty answer says what each part matches alone, and what was meant for groups', () => {
  const { stdout } = flows(['dst port 22 and duration > 10min', '-b'])
  assert.match(stdout, /dst port 22: 1 record alone\./)
  assert.match(stdout, /duration > 10min: 0 records alone\./)
  assert.match(stdout, /for whole connections: --having "duration > 10min"/)
  assert.match(flows(['tcp', '-A', 'srcip', '--having', 'bytes > 1GB']).stdout, /2 records match; --having leaves no/)
  assert.match(flows(['between 2023-09-28 and 2023-09-28']).stdout, /The evidence is from 2023-11-14T22:13:20Z to /)
  assert.match(flows(['proto tcp and start >= 2029-01-01']).stdout, /The evidence is from 2023-11-14T22:13:20Z to /)
  assert.match(flows(['first seen >= "2029-01-01"']).stdout, /The evidence is from 2023-11-14T22:13:20Z to /)
  assert.match(flows(['port 1', '--csv']).stderr, /0 flow records/)
})

test('--fail-empty is status 4 where nothing matches, and 0 where something does', () => {
  assert.equal(flows(['port 1', '--fail-empty']).status, 4)
  assert.equal(flows(['port 1']).status, 0)
  assert.equal(flows(['port 22', '--fail-empty']).status, 0)
})

test('groups rank by a count of different values, which is counted for it', () => {
  const { rows: found } = JSON.parse(flows(['-s', 'srcip', '-O', 'distinct_dstip', '--json']).stdout)
  assert.deepEqual(
    found.map((row: Record<string, unknown>) => [row['srcaddr'], row['distinct_dstaddr']]),
    [
      ['10.0.0.2', 3],
      ['10.0.0.1', 1],
    ],
  )
  const { columns } = JSON.parse(flows(['-A', 'srcip', '--distinct', 'dstip,dstport', '--json']).stdout)
  const names = columns.map((column: { name: string }) => column.name)
  assert.deepEqual(names.slice(-2), ['distinct_dstaddr', 'distinct_dstport'])
  assert.match(flows(['-O', 'distinct_dstport']).stderr, /add -s or -A/)
})

test('--tz writes tables, lines and CSV in that zone, and leaves JSON in UTC', () => {
  const zone = ['--tz', 'Europe/Berlin']
  assert.match(flows(['port 22', ...zone]).stdout, /2023-11-14 Europe\/Berlin \(\+01:00\)\n +23:13:20/)
  assert.match(flows(['port 22', '--csv', ...zone]).stdout, /2023-11-14T23:13:20\+01:00/)
  assert.match(
    flows(['port 22', '-o', 'line', ...zone]).stdout,
    /seen \(Europe\/Berlin\)[\s\S]*2023-11-14 23:13:20\.000/,
  )
  assert.match(flows(['port 22', '--ndjson', ...zone]).stdout, /2023-11-14T22:13:20Z/)
  assert.match(flows(['--tz', 'Middle/Earth']).stderr, /unknown time zone: Middle\/Earth/)
})

test('options of nfdump are done or refused with the way of Tidemark', () => {
  assert.equal(
    JSON.parse(tidemark(['flows', '-r', 'a.log', 'port 22', '--json'], { cwd: work.root }).stdout).total_rows,
    1,
  )
  assert.match(flows(['-w', 'x']).stderr, /--parquet FILE/)
  assert.match(flows(['-t', 'x']).stderr, /between 2023/)
  assert.match(flows(['-R', 'x']).stderr, /name the folder/)
  assert.match(flows(['-I']).stderr, /tidemark case/)
  const quiet = flows(['port 22', '-q'])
  assert.deepEqual([quiet.stdout.split('\n').length, quiet.stderr], [4, ''])
  assert.equal(flows(['port 22', '-q', '--csv']).stderr, '')
})

test('ICMP has no port on a page', () => {
  for (const args of [[], ['-b'], ['-a'], ['-A', 'dstport,proto']]) {
    const line = flows(['proto icmp', ...args, '-q']).stdout
    assert.doesNotMatch(line, /:0\b|^ +0 /m)
  }
})

test('bins without groups obey -O and -n, those with groups choose the groups by them', () => {
  const bins = (args: string[]): { records: number; bytes: number }[] =>
    flows(['--bin', '1h', ...args, '--ndjson'])
      .stdout.trim()
      .split('\n')
      .map(line => JSON.parse(line) as { records: number; bytes: number })
  assert.deepEqual(
    bins([]).map(row => row.records),
    [3, 0, 2],
  )
  assert.deepEqual(
    bins(['-O', 'records']).map(row => row.records),
    [3, 2, 0],
  )
  assert.deepEqual(
    bins(['-O', 'bytes', '-n', '1']).map(row => row.records),
    [3],
  )
  assert.deepEqual(
    bins(['-n', '2']).map(row => row.records),
    [3, 0],
  )
  const worst = flows(['--bin', '1h', '-O', 'bytes', '-n', '1']).stdout
  assert.match(worst, /^All flow records\. Most bytes first; in time bins of 1 h; at most 1 row;/)
  assert.match(worst, /First 1 of 3 rows; -n 0 for all/)
  const groups = flows(['--bin', '1h', '-A', 'proto', '-O', 'packets', '-n', '2']).stdout
  assert.match(groups, /in time bins of 1 h, of the 2 groups with most packets;/)
  assert.equal(flows(['--bin', '1h', '-O', 'duration']).status, 2)
})

test('the sentence of time bins speaks of groups, and of every bin where there are none', () => {
  assert.match(
    flows(['--bin', '1h', '-n', '5']).stdout,
    /^All flow records\. In time bins of 1 h; at most 5 rows; bytes/,
  )
  assert.match(flows(['--bin', '1h', '-A', 'proto', '-n', '1']).stdout, /in time bins of 1 h, of the largest group;/)
})
