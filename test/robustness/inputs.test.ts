import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { UserError } from '../../src/errors.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'
import { Database, quotedString } from '../../src/store/duckdb.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { sharedDir, skipWithout } from '../repo.ts'
import { Bench, fault } from './reading.ts'
import {
  assertSound,
  chanceFrom,
  defaultHeader,
  fileOf,
  folderFor,
  logOf,
  recordLine,
  recordsOfFiles,
  setting,
  within,
} from './support.ts'

test('a path that does not exist, and a folder with nothing in it, are usage errors that touch nothing', async t => {
  const root = folderFor(t)
  mkdirSync(join(root, 'empty', 'within'), { recursive: true })
  const dir = join(root, 'case')
  for (const [paths, message] of [
    [[join(root, 'missing')], /^no such file or folder: .*missing$/],
    [[join(root, 'empty'), join(root, 'missing')], /^no such file or folder/],
    [[join(root, 'empty')], /^no files in /],
    [[`${root}/empty/x\u001b[2Jy`], /^no such file or folder/],
  ] as [string[], RegExp][]) {
    await assert.rejects(addEvidence({ case: dir, paths }), (error: UserError) => {
      assert.match(error.message, message)
      assert.equal(error.status, 2)
      assert.ok(error.hint)
      return true
    })
    assert.ok(!existsSync(dir))
  }
})

test('pipes, circles of links and broken links are listed, not opened; nothing hangs', async t => {
  const root = folderFor(t)
  const logs = join(root, 'logs')
  mkdirSync(join(logs, 'deep'), { recursive: true })
  writeFileSync(join(logs, 'a.log'), logOf(10))
  if (spawnSync('sh', ['-c', 'mkfifo "$0"', join(logs, 'pipe.log')]).status !== 0) return t.skip('no mkfifo')
  symlinkSync('..', join(logs, 'deep', 'up'))
  symlinkSync('a.log', join(logs, 'again.log'))
  symlinkSync('loop-b', join(logs, 'loop-a'))
  symlinkSync('loop-a', join(logs, 'loop-b'))
  symlinkSync('nowhere', join(logs, 'broken'))
  symlinkSync('/dev/zero', join(logs, 'zero.log'))
  const dir = join(root, 'case')
  const report = await within(20, 'add', addEvidence({ case: dir, paths: [logs], workers: 1 }))
  assert.equal(report.case_records, 10)
  assert.match(fileOf(report, join(logs, 'pipe.log')).problem ?? '', /not a regular file/)
  assert.match(fileOf(report, join(logs, 'zero.log')).problem ?? '', /not a regular file/)
  assert.match(fileOf(report, join(logs, 'loop-a')).problem ?? '', /links lead in a circle/)
  assert.match(fileOf(report, join(logs, 'broken')).problem ?? '', /does not exist/)
  assert.equal(report.files.filter(file => file.status === 'read').length, 1)
  await assertSound(dir)
})

const oddNames = [
  'a*.log',
  'a?.log',
  'a[1].log',
  '[!a].log',
  '{x,y}.log',
  "it's.log",
  'quo"te.log',
  ' blank .log',
  'new\nline.log',
  'esc\u001b[31m.log',
  'carriage\rreturn.log',
  '-rf.log',
  '--format=x.log',
  '%2e%2e.log',
  '$(touch x).log',
  'back\\slash.log',
  'separator\u2028.log',
  'ünï😀.log',
  'null',
  '__proto__',
  'ledger.jsonl.log',
  '~',
]

test('odd file names: exactly the right file is read, whatever its name would mean to somebody', async t => {
  const root = folderFor(t)
  const logs = join(root, 'logs')
  mkdirSync(logs)
  // Neighbours that a pattern would match too.
  const names = [...oddNames, 'ab.log', 'a1.log', 'b.log', 'x.log', 'y.log']
  for (const [i, name] of names.entries()) writeFileSync(join(logs, name), logOf(5 + i, i * 1000))
  for (const [way, paths] of [
    ['folder', [logs]],
    ['one by one', names.map(name => join(logs, name))],
  ] as const) {
    const dir = join(root, `case ${way}`)
    await addEvidence({ case: dir, paths: [...paths], workers: 2, rowsPerSegment: 64 })
    const held = await recordsOfFiles(dir)
    for (const [i, name] of names.entries()) assert.equal(held.get(join(logs, name))?.records, 5 + i, name)
    await assertSound(dir)
  }
  const only = join(root, 'only')
  await addEvidence({ case: only, paths: [join(logs, 'a*.log')], workers: 1 })
  assert.deepEqual([...(await recordsOfFiles(only)).keys()], [join(logs, 'a*.log')])
})

test('a file name that is not UTF-8 is read, or said not to have been', async t => {
  const root = folderFor(t)
  const logs = join(root, 'logs')
  mkdirSync(logs)
  writeFileSync(Buffer.concat([Buffer.from(`${logs}/`), Buffer.of(0xff, 0xfe), Buffer.from('.log')]), logOf(7))
  const report = await addEvidence({ case: join(root, 'case'), paths: [logs], workers: 1 })
  const [file] = report.files
  assert.equal(report.files.length, 1)
  assert.ok(file?.records === 7 || (file?.status === 'unreadable' && file.problem), JSON.stringify(file))
  t.diagnostic(`${file?.status}, ${file?.records} records`)
})

for (const name of [
  "it's",
  'quo"te',
  'two words',
  'a[1]',
  '*',
  '?',
  '{a,b}',
  '-x',
  'new\nline',
  '\u001b[31m',
  '%',
  "'); DROP TABLE x; --",
]) {
  test(`a case in a folder named ${JSON.stringify(name)}`, async t => {
    const root = folderFor(t)
    const log = join(root, 'a.log')
    const end = `2 123456789012 eni-0 - - - - - - - 1700000000 1700000059 - NODATA\nnonsense\n`
    writeFileSync(log, `${logOf(200)}${end}`)
    // What a pattern would match instead.
    mkdirSync(join(root, 'a1'))
    const dir = join(root, name)
    await addEvidence({ case: dir, paths: [log], workers: 1, rowsPerSegment: 64 })
    assert.equal((await recordsOfFiles(dir)).get(log)?.records, 200)
    const c = await openCase(dir)
    assert.deepEqual(await c.db.rows('SELECT count(*) AS rows FROM silence'), [{ rows: 1 }])
    await c.close()
    assert.equal((await readEvidence(dir)).problems.length, 1)
    await assertSound(dir)
  })
}

test('gzip and zstd bombs stop at the limit, and what came before is kept', async t => {
  const root = folderFor(t)
  const line = `${recordLine(1)}\n`
  const text = Buffer.from(`${defaultHeader}\n${line.repeat(20_000)}`)
  const bombs = [['a.gz', gzipSync(text)] as const]
  const zstd = spawnSync('zstd', ['-q', '-c', '-19'], { input: text, maxBuffer: 1 << 28 })
  if (zstd.status === 0) bombs.push(['a.zst', zstd.stdout] as never)
  const limit = 1 << 20
  for (const [name, packed] of bombs) {
    writeFileSync(join(root, name), packed)
    const report = await addEvidence({
      case: join(root, `case-${name}`),
      paths: [join(root, name)],
      workers: 1,
      maxExpandedBytes: limit,
    })
    const file = fileOf(report, join(root, name))
    assert.equal(file.status, 'partly-read', name)
    assert.match(file.problem ?? '', /stopped at .* expanded bytes.*--max-expanded/)
    assert.ok(file.records > 5000 && file.records * line.length <= limit, `${name}: ${file.records}`)
    await assertSound(join(root, `case-${name}`))
  }
  // Above 64 MiB the ratio counts: text that no log is made of.
  const bomb = gzipSync(Buffer.concat([Buffer.from(`${defaultHeader}\n${line}`), Buffer.alloc(200 << 20, '\n')]))
  writeFileSync(join(root, 'ratio.gz'), bomb)
  const before = process.memoryUsage().rss
  const report = await within(
    60,
    'a bomb',
    addEvidence({ case: join(root, 'case'), paths: [join(root, 'ratio.gz')], workers: 1 }),
  )
  const file = fileOf(report, join(root, 'ratio.gz'))
  assert.equal(file.status, 'partly-read')
  assert.match(file.problem ?? '', /expands more than 200:1.*--max-expand/)
  assert.equal(file.records, 1)
  assert.ok(file.expanded_bytes < 80 << 20, String(file.expanded_bytes))
  t.diagnostic(`${bomb.length} bytes; memory grew by ${Math.round((process.memoryUsage().rss - before) / 2 ** 20)} MiB`)
})

test('tiny zstd frames that ask for huge windows end at once, with little memory', async t => {
  const bench = new Bench(folderFor(t))
  const before = process.memoryUsage().rss
  for (let descriptor = 0x80; descriptor <= 0xff; descriptor++) {
    // A window descriptor, then a thousand blocks of one repeated byte each.
    const blocks = Array.from({ length: 1000 }, (_, i) => [(i === 999 ? 1 : 0) | 2 | (1 << 3), 0, 0, 10]).flat()
    const reading = await bench.read(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, descriptor, ...blocks]), 5)
    assert.equal(fault(reading), null, String(descriptor))
  }
  const grown = process.memoryUsage().rss - before
  assert.ok(grown < 512 << 20, `${grown} bytes more`)
})

for (const [name, change] of [
  ['grows', (path: string) => appendFileSync(path, `${recordLine(5)}\n`)],
  ['is cut', (path: string) => truncateSync(path, statSync(path).size - 300)],
  ['is cut to nothing', (path: string) => truncateSync(path, 0)],
  ['is removed', (path: string) => rmSync(path)],
  ['becomes something else', (path: string) => writeFileSync(path, gzipSync('x'))],
  [
    'is altered in one place',
    (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace('ACCEPT', 'REJECT')),
  ],
] as const) {
  for (const packed of [false, true]) {
    test(`a large ${packed ? 'gzip ' : ''}file that ${name} while it is read is not kept`, async t => {
      const folder = folderFor(t)
      const content = Buffer.from(logOf(2000))
      const path = join(folder, 'input')
      const claim = (): Promise<null> => {
        // Between the digest and the reading.
        change(path)
        return Promise.resolve(null)
      }
      const bench = new Bench(folder, { wholeBytesMax: 1000, claim })
      const { entry, records } = await bench.read(packed ? gzipSync(content) : content)
      assert.notEqual(entry.status, 'read')
      assert.deepEqual([entry.records, records], [0, []])
      assert.ok(entry.problem)
      assert.notEqual(entry.status, 'partly-read')
    })
  }
}

test('a large file that keeps still is read like a small one, damaged or not', async t => {
  const folder = folderFor(t)
  const large = new Bench(folder, { wholeBytesMax: 1000 })
  const small = new Bench(folder)
  const packed = gzipSync(logOf(2000))
  for (const content of [
    Buffer.from(logOf(9000)),
    packed,
    packed.subarray(0, 9000),
    Buffer.concat([packed, Buffer.alloc(700), packed]),
    Buffer.concat([packed, Buffer.of(1, 2)]),
  ]) {
    const [a, b] = [await large.read(content), await small.read(content)]
    assert.deepEqual({ ...a.entry, id: 0 }, { ...b.entry, id: 0 })
    assert.deepEqual(a.records, b.records)
  }
})

const parquetVariants = sharedDir === null ? null : join(sharedDir, 'data', 'vpcflow', 'parquet-variants')

test('mutated Parquet never ends the process; every file says what became of it', {
  ...skipWithout('/usr/bin/prlimit'),
}, async t => {
  const root = folderFor(t)
  const logs = join(root, 'logs')
  mkdirSync(logs)
  const made = join(root, 'made.parquet')
  const database = await Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: null })
  await database.run(
    `COPY (SELECT 2 AS version, '123456789012' AS account_id, 'eni-' || i % 3 AS interface_id, '192.0.2.' || i % 200 AS srcaddr, '10.0.0.1' AS dstaddr,
     1024 + i AS srcport, 443 AS dstport, 6 AS protocol, i AS packets, i * 100 AS bytes, 1700000000 + i AS start, 1700000059 + i AS "end",
     'ACCEPT' AS action, 'OK' AS log_status FROM range(500) t(i)) TO ${quotedString(made)} (FORMAT parquet)`,
  )
  database.close()
  const seeds = [
    made,
    ...(parquetVariants !== null && existsSync(parquetVariants)
      ? readdirSync(parquetVariants)
          .filter(name => name.endsWith('.parquet'))
          .map(name => join(parquetVariants, name))
      : []),
  ]
  const chance = chanceFrom(77)
  const count = setting('PARQUET_MUTATIONS', 24)
  writeFileSync(join(logs, 'good.parquet'), readFileSync(made))
  writeFileSync(
    join(logs, 'garbage.parquet'),
    Buffer.concat([
      Buffer.from('PAR1'),
      Buffer.from(Array.from({ length: 500 }, () => chance.int(0, 255))),
      Buffer.from('PAR1'),
    ]),
  )
  writeFileSync(join(logs, 'magic.parquet'), 'PAR1')
  for (let i = 0; i < count; i++) {
    const bytes = Buffer.from(readFileSync(chance.pick(seeds)))
    // The footer at the end is what crashes readers.
    const from = chance.maybe(0.6) ? Math.max(4, bytes.length - 2000) : 4
    for (let n = chance.int(1, 20); n > 0; n--) bytes[chance.int(from, bytes.length - 1)] = chance.int(0, 255)
    writeFileSync(
      join(logs, `${String(i).padStart(3, '0')}.parquet`),
      chance.maybe(0.2) ? bytes.subarray(0, chance.int(4, bytes.length)) : bytes,
    )
  }
  const dir = join(root, 'case')
  const report = await within(110, 'add', addEvidence({ case: dir, paths: [logs], workers: 2 }))
  const statuses = new Map<string, number>()
  for (const file of report.files) {
    statuses.set(file.status, (statuses.get(file.status) ?? 0) + 1)
    if (file.status !== 'read') assert.ok(file.problem, file.path)
    assert.equal(file.header_lines + file.records + file.no_data + file.skip_data + file.malformed, file.lines)
  }
  assert.equal(report.files.length, count + 3)
  assert.equal(fileOf(report, join(logs, 'good.parquet')).records, 500)
  await assertSound(dir)
  assert.deepEqual(readdirSync(join(dir, 'incoming')), [])
  t.diagnostic(`${seeds.length} originals: ${JSON.stringify(Object.fromEntries(statuses))}`)
})

test('the same content twice, in one add and in a later one, adds nothing', async t => {
  const root = folderFor(t)
  const logs = join(root, 'logs')
  mkdirSync(logs)
  for (const name of ['a', 'b', 'c']) writeFileSync(join(logs, `${name}.log`), logOf(30))
  writeFileSync(join(logs, 'other.log'), logOf(30, 500))
  const dir = join(root, 'case')
  const first = await addEvidence({ case: dir, paths: [logs], workers: 2 })
  assert.equal(first.case_records, 60)
  assert.equal(first.files.filter(file => file.status === 'duplicate').length, 2)
  const ledger = readFileSync(join(dir, 'ledger.jsonl'))
  const segments = readdirSync(join(dir, 'segments')).sort()
  for (let i = 0; i < 3; i++) {
    const again = await addEvidence({ case: dir, paths: [logs], workers: 2 })
    assert.deepEqual([again.case_records, again.totals.records], [60, 0])
    assert.ok(again.files.every(file => file.status === 'duplicate' && file.problem))
  }
  assert.deepEqual(readFileSync(join(dir, 'ledger.jsonl')), ledger)
  assert.deepEqual(readdirSync(join(dir, 'segments')).sort(), segments)
  await assertSound(dir)
})

test('a file larger than a segment is in several, whole; one that fails leaves no row in any', {
  ...skipWithout('/usr/bin/prlimit'),
}, async t => {
  const root = folderFor(t)
  const logs = join(root, 'logs')
  mkdirSync(logs)
  writeFileSync(join(logs, 'a.log'), logOf(40))
  writeFileSync(join(logs, 'c.log'), logOf(1000, 2000))
  // Parquet whose last row group is damaged: by then many of its rows are in segments that are written.
  const made = join(logs, 'b.parquet')
  const database = await Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: null })
  await database.run(
    `COPY (SELECT 2 AS version, 'eni-1' AS interface_id, '192.0.2.' || i % 200 AS srcaddr, '10.0.0.1' AS dstaddr, (hash(i) % 60000)::BIGINT AS srcport,
     443 AS dstport, 6 AS protocol, i AS packets, (hash(i * 7) % 1000000007)::BIGINT AS bytes, 1700000000 + i AS start, 1700000059 + i AS "end",
     'ACCEPT' AS action, 'OK' AS log_status FROM range(20000) t(i)) TO ${quotedString(made)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)`,
  )
  database.close()
  const bytes = readFileSync(made)
  const footer = bytes.readUInt32LE(bytes.length - 8)
  const end = bytes.length - 8 - footer
  bytes.fill(0xff, Math.round(end * 0.7), Math.round(end * 0.7) + 4000)
  writeFileSync(made, bytes)
  for (const workers of [1, 2]) {
    const dir = join(root, `case-${workers}`)
    const report = await addEvidence({ case: dir, paths: [logs], workers, rowsPerSegment: 64 })
    const failed = fileOf(report, made)
    assert.equal(failed.status, 'unreadable', JSON.stringify(failed))
    assert.ok(failed.problem)
    assert.deepEqual([failed.id, failed.records], [null, 0])
    const held = await recordsOfFiles(dir)
    assert.deepEqual(
      new Map([...held].map(([path, { records }]) => [path, records])),
      new Map([
        [join(logs, 'a.log'), 40],
        [join(logs, 'c.log'), 1000],
      ]),
    )
    await assertSound(dir)
  }
})
