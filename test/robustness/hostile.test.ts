import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'
import { Database, quotedString } from '../../src/store/duckdb.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { skipWithout } from '../repo.ts'
import { Bench, fault } from './reading.ts'
import { chanceFrom, defaultHeader, folderFor, logOf, recordLine, recordsOfFiles, within } from './support.ts'

// Files that are no accident: each is small, and each once cost more than itself.

/** Adds files with these contents; the others must not suffer for one of them. */
async function added(folder: string, contents: Record<string, string | Buffer>): ReturnType<typeof addEvidence> {
  const logs = join(folder, 'logs')
  mkdirSync(logs)
  writeFileSync(join(logs, 'good.log'), logOf(20, 900_000))
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(logs, name), content)
  const dir = join(folder, 'case')
  const report = await within(100, 'add', addEvidence({ case: dir, paths: [logs], workers: 1 }))
  assert.equal((await recordsOfFiles(dir)).get(join(logs, 'good.log'))?.records, 20)
  assert.deepEqual((await verifyCase(dir)).findings, [])
  assert.deepEqual(readdirSync(join(dir, 'incoming')), [])
  return report
}

test('words that differ only in bytes that are not UTF-8, or in a byte order mark, are read', async t => {
  const folder = folderFor(t)
  const odd = [
    'eni-\xff',
    'eni-\xfe',
    'eni-\xef\xbb\xbf',
    '\xef\xbb\xbfeni-',
    'eni-',
    'eni-\xef\xbf\xbd',
    '\xef\xbb\xbf',
    '\xff'.repeat(4000),
  ]
  const record = (sensor: string): string => recordLine(1).replace('eni-01', sensor)
  const silence = (sensor: string): string => `2 123456789012 ${sensor} - - - - - - - 1700000000 1700000059 - NODATA`
  const text = [defaultHeader, ...odd.map(record), ...odd.map(silence), ''].join('\n')
  const report = await added(folder, { 'a.log': Buffer.from(text, 'latin1') })
  const file = report.files.find(one => one.path.endsWith('a.log'))!
  assert.deepEqual([file.status, file.records, file.no_data, file.malformed], ['read', odd.length, odd.length, 0])
  const c = await openCase(join(folder, 'case'))
  const rows = await c.db.rows(
    `SELECT count(*) AS rows, count(DISTINCT interface_id::VARCHAR) AS words FROM flows WHERE _file = ${file.id}`,
  )
  // Three of them are the same text, with a character that stands for any byte that is none.
  assert.deepEqual(rows, [{ rows: odd.length, words: odd.length - 2 }])
  await c.close()
})

test('the sensors of a file are its own, not those of files read before it', async t => {
  const folder = folderFor(t)
  const log = (sensor: string): string =>
    `${defaultHeader}\n${recordLine(1).replace('eni-01', sensor)}\nmalformed eni-x\n`
  const report = await added(folder, { 'a.log': log('eni-a'), 'b.log': log('eni-b') })
  const sensors = (name: string): string[] => report.files.find(file => file.path.endsWith(name))!.sensors
  assert.deepEqual([sensors('a.log'), sensors('b.log')], [['eni-a'], ['eni-b']])
})

test('field names that look like columns of ours are fields like any others', async t => {
  const names = ['srcaddr-lo', 'srcaddr-hi', 'file', 'line', 'rows', 'select', 'start-2']
  const report = await added(folderFor(t), {
    'a.log': `${names.join(' ')} ${defaultHeader}\n${names.map(() => 'x').join(' ')} ${recordLine(1)}\n`,
    'b.log': `${defaultHeader.replace('srcaddr', 'srcaddr srcaddr-lo')}\n${recordLine(2).replace('198.', '2001:db8::1 198.')}\n`,
  })
  assert.deepEqual(
    report.files.map(file => [file.status, file.records]),
    [
      ['read', 1],
      ['read', 1],
      ['read', 20],
    ],
  )
})

test('thousands of fields nobody knows: every value is kept, few have a column, and the ledger stays short', async t => {
  const header = (i: number): string =>
    `${defaultHeader} ${Array.from({ length: 20 }, (_, n) => `odd-${i}-${n}`).join(' ')}`
  const row = (i: number): string => `${recordLine(i)} ${Array.from({ length: 20 }, (_, n) => `v${n}`).join(' ')}`
  const blocks = Array.from({ length: 1000 }, (_, i) => `${header(i)}\n${row(i)}\n`)
  const folder = folderFor(t)
  const report = await added(folder, {
    'a.log': blocks.slice(0, 500).join(''),
    'b.log': blocks.slice(500).join(''),
    'c.log': `${defaultHeader} ${'n'.repeat(4000)} odd-0-0\n${recordLine(0)} long short\n`,
  })
  assert.deepEqual(
    report.files.map(file => [file.header_lines, file.records, file.malformed]),
    [
      [500, 500, 0],
      [500, 500, 0],
      [1, 1, 0],
      [1, 20, 0],
    ],
  )
  assert.ok(statSync(join(folder, 'case', 'ledger.jsonl')).size < 200_000)
  const c = await openCase(join(folder, 'case'))
  t.after(() => c.close())
  assert.ok(c.columns.size < 200)
  const [found] = await c.db.rows(
    `SELECT count(*) AS n, sum(len(string_split(other_fields, ' '))) AS others FROM flows`,
  )
  const own = [...c.columns].filter(name => name.startsWith('odd_'))
  const [withColumn] = await c.db.rows(`SELECT ${own.map(name => `count(${name})`).join(' + ')} AS n FROM flows`)
  assert.equal(found!['n'], 1021)
  // A field may stand in a column and among the others.
  assert.ok(Number(found!['others']) + Number(withColumn!['n']) >= 20_002)
  for (const name of ['odd_3_7', 'odd_999_19']) {
    const [row] = await c.db.rows(
      `SELECT count(*) AS n FROM flows WHERE ${c.columns.has(name) ? `${name} = $1` : `list_contains(string_split(other_fields, ' '), '${name}=' || $1)`}`,
      [`v${name.split('_')[2]}`],
    )
    assert.equal(row!['n'], 1, name)
  }
})

test('a file of thousands of headers takes no longer for each than a file of few', async t => {
  const names = Array.from({ length: 60 }, (_, i) => `p${i}`)
  const chance = chanceFrom(4000)
  const blocks = Array.from({ length: 4000 }, (_, i) => {
    const order = [...names].sort(() => chance.int(0, 1) - 0.5)
    return `${defaultHeader} ${order.join(' ')}\n${recordLine(i)} ${order.join(' ')}\n`
  })
  const bench = new Bench(folderFor(t))
  const content = Buffer.from(blocks.join(''))
  const started = Date.now()
  const reading = await bench.read(content)
  // A second or so; it was over a minute.
  assert.ok(Date.now() - started < 10_000)
  assert.deepEqual([reading.entry.header_lines, reading.entry.records], [4000, 4000])
  for (const record of reading.values.values()) for (const name of names) assert.equal(record[name], name)
})

test('a file of nothing but malformed lines names the first ten thousand and counts the rest', async t => {
  const bench = new Bench(folderFor(t))
  const lines = 3_000_000
  const packed = gzipSync(
    Buffer.concat([
      Buffer.from(`${defaultHeader}\n`),
      Buffer.alloc(2 * lines, 'x\n'),
      Buffer.from(`${recordLine(1)}\n`),
    ]),
  )
  const before = process.memoryUsage().heapUsed
  const { entry, problems, records } = await bench.read(packed, 60)
  assert.deepEqual([entry.status, entry.lines, entry.malformed, records], ['read', lines + 2, lines, [lines + 2]])
  assert.equal(problems.length, 10_000)
  assert.deepEqual(problems.at(-1), {
    _file: entry.id,
    line: 10_001,
    line_to: lines + 1,
    problem: `${lines - 9999} malformed lines from here on, too many to name each`,
  })
  const grown = (process.memoryUsage().heapUsed - before) / 2 ** 20
  assert.ok(grown < 200, `${grown} MiB more`)
})

test('long words, each another, are written before they fill the memory', async t => {
  const folder = folderFor(t)
  const count = 24_000
  const word = (i: number): string => `${i}-`.padEnd(4000, 'abcdefghij')
  const lines = Array.from({ length: count }, (_, i) => recordLine(i).replace(/eni-0\d/, word(i)))
  const report = await added(folder, { 'a.log.gz': gzipSync(`${defaultHeader}\n${lines.join('\n')}\n`, { level: 1 }) })
  const file = report.files.find(one => one.path.endsWith('a.log.gz'))!
  assert.deepEqual([file.status, file.records, file.sensor_count], ['read', count, count])
  const segments = readdirSync(join(folder, 'case', 'segments'))
  assert.ok(segments.length >= 2, segments.join())
})

test('a log that says almost nothing but NODATA is read in pieces, and none is lost', async t => {
  const folder = folderFor(t)
  const count = 240_000
  const silence = (i: number): string =>
    `2 123456789012 eni-0${i % 9} - - - - - - - ${1700000000 + i} ${1700000059 + i} - ${i % 3 === 0 ? 'SKIPDATA' : 'NODATA'}`
  const text = `${defaultHeader}\n${Array.from({ length: count }, (_, i) => silence(i)).join('\n')}\n${recordLine(1)}\n`
  const report = await added(folder, { 'a.log': text })
  const file = report.files[0]!
  assert.deepEqual([file.records, file.no_data, file.skip_data], [1, 160_000, 80_000])
  const c = await openCase(join(folder, 'case'))
  assert.deepEqual(
    await c.db.rows(`SELECT count(*) AS rows, count(DISTINCT _line) AS lines, min(_line) AS first FROM silence`),
    [{ rows: count, lines: count, first: 2 }],
  )
  await c.close()
})

test(
  'Parquet columns with names of any kind, and twice the same, harm nothing',
  skipWithout('/usr/bin/prlimit'),
  async t => {
    const folder = folderFor(t)
    const path = join(folder, 'odd.parquet')
    const database = await Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: null })
    await database.run(
      `COPY (SELECT 2 AS version, 'eni-1' AS "interface-id", '192.0.2.1' AS srcaddr, '10.0.0.1' AS dstaddr, 1 AS "srcaddr_lo", 2 AS "_file", 3 AS "_line", 4 AS "Ünï ""q"" 'x'",
     5 AS " ", 6 AS "a.b", 7 AS "log-status_2", 1700000000 AS start, 1700000059 AS "end", 'OK' AS "log-status", 'OK' AS log_status) TO ${quotedString(path)} (FORMAT parquet)`,
    )
    database.close()
    const report = await within(60, 'add', addEvidence({ case: join(folder, 'case'), paths: [path], workers: 1 }))
    const file = report.files[0]!
    assert.deepEqual([file.status, file.records, file.problem], ['read', 1, null])
    assert.deepEqual((await verifyCase(join(folder, 'case'))).findings, [])
  },
)

test('a copy of a file that could not be kept is read, not called a duplicate', async t => {
  const folder = folderFor(t)
  const headless = `${recordLine(1)}\n`
  const report = await added(folder, {
    'a.log': headless,
    'b.log': headless,
    'c.txt': 'hello\n',
    'd.txt': 'hello\n',
    'e.log': '',
    'f.log': '',
  })
  const statuses = report.files.map(file => file.status)
  assert.deepEqual(statuses, [
    'unreadable',
    'unreadable',
    'not-evidence',
    'not-evidence',
    'not-evidence',
    'not-evidence',
    'read',
  ])
})

test('what hides evidence is told as unreadable, what is none as no evidence', async t => {
  const folder = folderFor(t)
  const logs = join(folder, 'logs')
  mkdirSync(logs)
  symlinkSync('nowhere', join(logs, 'broken.log'))
  symlinkSync('/dev/null', join(logs, 'device.log'))
  const report = await addEvidence({ case: join(folder, 'case'), paths: [logs], workers: 1 })
  assert.deepEqual(
    report.files.map(file => file.status),
    ['unreadable', 'not-evidence'],
  )
  assert.deepEqual(
    report.problems.map(problem => problem.path),
    [join(logs, 'broken.log')],
  )
})

test('records after a damaged header are told as unreadable, and are read with --format', async t => {
  const folder = folderFor(t)
  const damaged = `${defaultHeader.replace('srcaddr', 'srcadds')}\n${logOf(5).slice(defaultHeader.length + 1)}`
  const report = await added(folder, {
    'a.log': damaged,
    'prose.txt': 'Dear reader,\nOK, that is a text of more than eight words, with OK in it\n',
  })
  assert.deepEqual(
    report.files.map(file => file.status),
    ['unreadable', 'read', 'not-evidence'],
  )
  assert.match(
    report.files[0]!.problem ?? '',
    /their header cannot be read: no field is called "srcadds": say which with --format/,
  )
  const again = await addEvidence({
    case: join(folder, 'case'),
    paths: [join(folder, 'logs', 'a.log')],
    format: defaultHeader,
  })
  const [file] = again.files
  assert.deepEqual([file?.status, file?.records, file?.malformed], ['read', 5, 1])
  assert.equal((await readEvidence(join(folder, 'case'))).case_records, 25)
})

test('a zero byte costs its line, not the file', async t => {
  const bench = new Bench(folderFor(t))
  const text = `${defaultHeader}\n${recordLine(1)}\n${recordLine(2).replace('eni', 'e\0i')}\n${recordLine(3)}\n`
  const reading = await bench.read(Buffer.from(text))
  assert.deepEqual([fault(reading), reading.records, reading.entry.malformed], [null, [2, 4], 1])
})
