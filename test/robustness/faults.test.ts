import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
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
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { UserError } from '../../src/errors.ts'
import { type AddOptions, addEvidence } from '../../src/ingest/add.ts'
import { openCase, readEvidence } from '../../src/store/case.ts'
import { Database, quotedString } from '../../src/store/duckdb.ts'
import type { EvidenceReport } from '../../src/store/reports.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { cliEntry, sharedDir, skipWithout } from '../repo.ts'
import { Bench, fault } from './reading.ts'
import { chanceFrom, defaultHeader, folderFor, logOf, recordLine, recordsOfFiles, setting, within } from './support.ts'

const driver = fileURLToPath(new URL('./add-driver.js', import.meta.url))

/** The report's one file of that name. */
function fileOf(report: EvidenceReport, path: string): EvidenceReport['files'][number] {
  const found = report.files.filter(file => file.path === path)
  assert.equal(found.length, 1, `${path} is listed once`)
  return found[0]!
}

async function assertSound(dir: string): Promise<void> {
  assert.deepEqual((await verifyCase(dir)).findings, [])
  const held = await recordsOfFiles(dir)
  for (const file of (await readEvidence(dir)).files)
    assert.equal(held.get(file.path)?.records ?? 0, file.records, file.path)
}

function start(
  args: string[],
  cwd?: string,
): { child: ChildProcess; ended: Promise<{ status: number | null; stdout: string; stderr: string }> } {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(cwd !== undefined && { cwd }) })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', piece => {
    stdout += String(piece)
  })
  child.stderr.on('data', piece => {
    stderr += String(piece)
  })
  const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', status => resolve({ status, stdout, stderr }))
  })
  return { child, ended }
}

test('a full disk: says so and what to do, keeps what was entered, and goes on when there is space', async t => {
  const root = folderFor(t)
  const disk = join(root, 'disk')
  mkdirSync(disk)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tidemark-test', disk])
  if (mounted.status !== 0) return t.skip('no small file system can be mounted here')
  t.after(() => spawnSync('umount', ['-l', disk]))
  const logs = join(root, 'logs')
  mkdirSync(logs)
  const chance = chanceFrom(5)
  for (let i = 0; i < 30; i++) {
    // Random counters, for segments that do not pack well.
    const lines = Array.from({ length: 3000 }, (_, n) => recordLine(n, chance.int(0, 2 ** 50)))
    writeFileSync(join(logs, `${String(i).padStart(2, '0')}.log`), `${defaultHeader}\n${lines.join('\n')}\n`)
  }
  const dir = join(disk, 'case')
  const options: AddOptions = { case: dir, paths: [logs], workers: 1, rowsPerSegment: 4096 }
  const filler = join(disk, 'filler')
  writeFileSync(filler, Buffer.alloc(1 << 20))
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(within(60, 'add', addEvidence(options)), error => {
      assert.ok(error instanceof UserError, String(error))
      assert.match(error.message, /^disk full while writing the case: /)
      assert.match(error.hint ?? '', /free some space.*run the same command again/)
      return true
    })
    const report = await verifyCase(dir)
    assert.deepEqual(
      report.findings.filter(finding => finding.what === 'altered' || finding.what === 'missing'),
      [],
    )
    const { case_records } = await readEvidence(dir)
    assert.equal(case_records % 3000, 0, 'whole files only')
    t.diagnostic(`${case_records} records in the case when the disk was full`)
  }
  const cli = spawnSync(process.execPath, [cliEntry, 'add', '--case', dir, logs], { encoding: 'utf8' })
  assert.equal(cli.status, 1, cli.stderr)
  assert.match(cli.stderr, /disk full while writing the case: .*\n {2}hint: free some space/)
  rmSync(filler)
  spawnSync('mount', ['-o', 'remount,size=64m', disk])
  await addEvidence(options)
  const after = await readEvidence(dir)
  assert.equal(after.case_records, 90_000)
  await assertSound(dir)
})

test('a disk that is full before the case is made: says so, and the next add makes it', async t => {
  const root = folderFor(t)
  const disk = join(root, 'disk')
  mkdirSync(disk)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tidemark-test', disk]).status !== 0) {
    return t.skip('no small file system can be mounted here')
  }
  t.after(() => spawnSync('umount', ['-l', disk]))
  writeFileSync(join(root, 'a.log'), logOf(10))
  const filler = join(disk, 'filler')
  const options: AddOptions = { case: join(disk, 'case'), paths: [join(root, 'a.log')], workers: 1 }
  for (const pages of [16, 15, 14, 13, 12, 11]) {
    rmSync(join(disk, 'case'), { recursive: true, force: true })
    try {
      writeFileSync(filler, Buffer.alloc(pages * 4096))
    } catch {
      // Even that does not fit: full all the same.
    }
    await addEvidence(options).then(
      () => undefined,
      error => assert.match(String(error), /disk full while writing the case/),
    )
    rmSync(filler)
    await addEvidence(options)
    assert.equal((await readEvidence(options.case)).case_records, 10)
    await assertSound(options.case)
  }
})

test('a case that another process writes is left alone: the message names the process and since when', async t => {
  const root = folderFor(t)
  const log = join(root, 'a.log')
  writeFileSync(log, logOf(10))
  const dir = join(root, 'case')
  await addEvidence({ case: dir, paths: [log], workers: 1 })
  const { child } = start(['-e', 'setTimeout(() => {}, 60000)'])
  t.after(() => child.kill('SIGKILL'))
  const since = '2026-03-14T15:09:26.000Z'
  const lock = (pid: number, host = hostname(), born: string | null = null): void =>
    writeFileSync(join(dir, 'write.lock'), JSON.stringify({ pid, host, born, since, doing: 'tidemark add x' }))
  const refused = async (pid: number): Promise<void> => {
    const before = readFileSync(join(dir, 'write.lock'))
    await assert.rejects(addEvidence({ case: dir, paths: [log], workers: 1 }), (error: UserError) => {
      assert.match(error.message, new RegExp(`process ${pid}\\b.*since ${since}.*tidemark add x`))
      assert.match(error.hint ?? '', /wait until it is done/)
      return true
    })
    assert.deepEqual(readFileSync(join(dir, 'write.lock')), before)
  }
  lock(child.pid!)
  await refused(child.pid!)
  // Reading goes on meanwhile.
  assert.equal((await recordsOfFiles(dir)).get(log)?.records, 10)
  assert.equal((await verifyCase(dir)).intact, true)
  // A process of another machine can not be looked for.
  lock(99_999_999, 'elsewhere.example')
  await refused(99_999_999)
  // The number is alive, but it is another process than the one that took the lock.
  lock(child.pid!, hostname(), '1')
  await addEvidence({ case: dir, paths: [log], workers: 1 })
  assert.ok(!existsSync(join(dir, 'write.lock')))
})

test('the lock of a dead process, and what is no lock at all, is taken over', async t => {
  const root = folderFor(t)
  const log = join(root, 'a.log')
  writeFileSync(log, logOf(10))
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const gone = JSON.stringify({
    pid: dead,
    host: hostname(),
    born: null,
    since: '2026-03-14T15:09:26.000Z',
    doing: 'add',
  })
  for (const [i, text] of [gone, '', '{', 'null', '{"pid":-1}', '\0\0\0'].entries()) {
    const dir = join(root, `case-${i}`)
    mkdirSync(dir)
    writeFileSync(join(dir, 'write.lock'), text)
    writeFileSync(join(dir, 'write.lock.123'), 'draft')
    const report = await within(20, 'add', addEvidence({ case: dir, paths: [log], workers: 1 }))
    assert.equal(report.case_records, 10, JSON.stringify(text))
    assert.ok(!existsSync(join(dir, 'write.lock')))
    assert.deepEqual((await verifyCase(dir)).findings, [])
  }
})

test('adds that race, over a new case and over the lock of a dead process, lose nothing', async t => {
  const root = folderFor(t)
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const logs = Array.from({ length: 4 }, (_, i) => join(root, `${i}.log`))
  for (const [i, log] of logs.entries()) writeFileSync(log, logOf(100, i * 1000))
  let won = 0
  let refused = 0
  for (let round = 0; round < 4; round++) {
    const dir = join(root, `case-${round}`)
    if (round % 2 === 1) {
      mkdirSync(dir)
      const since = '2026-03-14T15:09:26.000Z'
      writeFileSync(
        join(dir, 'write.lock'),
        JSON.stringify({ pid: dead, host: hostname(), born: null, since, doing: 'add' }),
      )
    }
    const runs = logs.map(log => start([driver, JSON.stringify({ case: dir, paths: [log], workers: 1 })]).ended)
    const ends = await within(60, 'four adds', Promise.all(runs))
    const done = logs.filter((_, i) => ends[i]!.status === 0)
    for (const { status, stderr } of ends) {
      if (status !== 0) assert.match(stderr, /the case is being (written|taken)/)
    }
    assert.ok(done.length >= 1, 'one of them gets through')
    won += done.length
    refused += ends.length - done.length
    // Who was told that it is in, is in; who was refused can come again.
    const held = await recordsOfFiles(dir)
    assert.deepEqual([...held.keys()].sort(), done)
    await assertSound(dir)
    for (const log of logs) await addEvidence({ case: dir, paths: [log], workers: 1 })
    assert.equal((await readEvidence(dir)).case_records, 400)
    await assertSound(dir)
  }
  t.diagnostic(`${won} got through at once, ${refused} were refused`)
})

test('two adds of one process to the same case: one is refused, nothing is lost', async t => {
  const root = folderFor(t)
  const dir = join(root, 'case')
  const logs = [0, 1, 2].map(i => join(root, `${i}.log`))
  for (const [i, log] of logs.entries()) writeFileSync(log, logOf(50, i * 100))
  const ends = await Promise.allSettled(logs.map(log => addEvidence({ case: dir, paths: [log], workers: 1 })))
  for (const end of ends) if (end.status === 'rejected') assert.match(String(end.reason), /is being written by process/)
  assert.ok(ends.some(end => end.status === 'fulfilled'))
  for (const log of logs) await addEvidence({ case: dir, paths: [log], workers: 1 })
  assert.equal((await readEvidence(dir)).case_records, 150)
  await assertSound(dir)
})

test('Ctrl-C leaves a sound case, says what is in it and exits with 130; the same command goes on', async t => {
  const root = folderFor(t)
  const logs = join(root, 'logs')
  mkdirSync(logs)
  const big = logOf(40_000)
  for (let i = 0; i < 24; i++)
    writeFileSync(join(logs, `${String(i).padStart(2, '0')}.log`), `${big}${recordLine(i)}\n`)
  const dir = join(root, 'case')
  let stopped = 0
  for (const after of [150, 350, 550]) {
    rmSync(dir, { recursive: true, force: true })
    const { child, ended } = start([cliEntry, 'add', '--case', dir, '--workers', '1', logs])
    while (!existsSync(join(dir, 'ledger.jsonl')) && child.exitCode === null)
      await new Promise(resolve => setTimeout(resolve, 10))
    await new Promise(resolve => setTimeout(resolve, after))
    child.kill('SIGINT')
    const { status, stdout, stderr } = await within(30, 'the end after Ctrl-C', ended)
    if (status === 0) continue
    stopped++
    assert.equal(status, 130, stderr)
    assert.match(stderr, /stopped/)
    const { files, case_records } = await readEvidence(dir)
    assert.equal(case_records, files.length * 40_001, 'whole files only')
    if (case_records > 0) assert.match(stdout.replace(/[ ,]/g, ''), new RegExp(String(case_records)))
    assert.ok(!existsSync(join(dir, 'write.lock')))
    await assertSound(dir)
    await addEvidence({ case: dir, paths: [logs], workers: 2 })
    assert.equal((await readEvidence(dir)).case_records, 24 * 40_001)
  }
  assert.ok(stopped > 0, 'no run was caught in the middle')
  t.diagnostic(`${stopped} of 3 runs were caught in the middle`)
})

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
  if (spawnSync('mkfifo', [join(logs, 'pipe.log')]).status !== 0) return t.skip('no mkfifo')
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
  const bomb = gzipSync(
    Buffer.concat([Buffer.from(`${defaultHeader}\n${line}`), Buffer.alloc(200 << 20, `${defaultHeader}\n`)]),
  )
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
     'ACCEPT' AS action, 'OK' AS log_status FROM range(60000) t(i)) TO ${quotedString(made)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)`,
  )
  database.close()
  const bytes = readFileSync(made)
  const footer = bytes.readUInt32LE(bytes.length - 8)
  const end = bytes.length - 8 - footer
  bytes.fill(0xff, end - 9000, end - 4000)
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
