import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { addEvidence } from '../../src/ingest/add.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { removeEvidence } from '../../src/store/remove.ts'
import { tar, zip } from '../archives.ts'
import { pcap } from '../packet/build.ts'
import { assertSound, chanceFrom, defaultHeader, folderFor, logOf, setting } from '../robustness/support.ts'

const mutations = setting('ARCHIVE_MUTATIONS', 400)

async function added(t: TestContext, contents: Record<string, string | Uint8Array>, more = {}) {
  const folder = folderFor(t)
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content)
  const dir = join(folder, 'case')
  const names = Object.keys(contents)
  const report = await addEvidence({ case: dir, paths: names.map(name => join(folder, name)), workers: 1, ...more })
  await assertSound(dir)
  assert.deepEqual(readdirSync(join(dir, 'incoming')), [])
  const files = report.files.map(file => ({ ...file, path: file.path.slice(folder.length + 1) }))
  return { folder, dir, report, files, counts: files.map(file => [file.path, file.status, file.records]) }
}

const capture = pcap([{ bytes: new Array<number>(60).fill(0) }])
const members = { 'AWSLogs/a.log': logOf(20), 'AWSLogs/b.log': logOf(30, 100), README: 'what is in here' }
const expected = (name: string): unknown[][] => [
  [name, 'read', 0],
  [`${name}:AWSLogs/a.log`, 'read', 20],
  [`${name}:AWSLogs/b.log`, 'read', 30],
  [`${name}:README`, 'not-evidence', 0],
]

test('each file in a tar or zip archive is read by itself, under its name in it', async t => {
  for (const [name, content] of [
    ['x.tar', tar(members)],
    ['x.tgz', gzipSync(tar(members))],
    ['x.zip', zip(members)],
  ] as const) {
    const { counts, report, dir, folder } = await added(t, { [name]: content })
    assert.deepEqual(counts, expected(name))
    assert.equal(report.case_records, 50)
    assert.equal(report.problems.length, 0)
    // The same archive again, and what is in it in another form, are known.
    writeFileSync(join(folder, 'again.zip'), zip({ 'b.log': logOf(30, 100), 'c.log': logOf(5, 300) }))
    const again = await addEvidence({ case: dir, paths: [join(folder, name), join(folder, 'again.zip')], workers: 1 })
    assert.deepEqual(
      again.files.map(file => [file.path.slice(folder.length + 1), file.status]),
      [
        ['again.zip', 'read'],
        ['again.zip:b.log', 'duplicate'],
        ['again.zip:c.log', 'read'],
        [name, 'duplicate'],
      ],
    )
    assert.equal((await readEvidence(dir)).case_records, 55)
  }
})

test('an archive is removed, put back and read again with the files in it', async t => {
  const { dir, folder } = await added(t, { 'x.tar': tar(members) })
  const archive = join(folder, 'x.tar')
  const records = async (): Promise<number> => (await readEvidence(dir)).case_records
  const removed = await removeEvidence({ case: dir, files: [archive] })
  assert.deepEqual([removed.files.length, await records()], [4, 0])
  await removeEvidence({ case: dir, files: [archive], undo: true })
  assert.equal(await records(), 50)
  // A file in it can be taken out alone, and stays out when all is read again.
  await removeEvidence({ case: dir, files: [`${archive}:AWSLogs/a.log`] })
  await addEvidence({ case: dir, paths: [archive], workers: 1, again: true })
  assert.equal(await records(), 30)
  await removeEvidence({ case: dir, files: [archive] })
  assert.equal(await records(), 0)
  // Found in a folder it stays out; who names it names the files in it.
  await addEvidence({ case: dir, paths: [folder], workers: 1 })
  assert.equal(await records(), 0)
  await addEvidence({ case: dir, paths: [archive], workers: 1 })
  assert.equal(await records(), 50)
  await assertSound(dir)
})

test('a folder of archives without evidence is one without evidence', async t => {
  const folder = folderFor(t)
  mkdirSync(join(folder, 'pictures'))
  writeFileSync(join(folder, 'pictures', 'x.zip'), zip({ 'a.txt': 'nothing' }))
  writeFileSync(join(folder, 'a.log'), logOf(5))
  const paths = [join(folder, 'pictures'), join(folder, 'a.log')]
  const report = await addEvidence({ case: join(folder, 'case'), paths, workers: 1 })
  assert.deepEqual(
    report.folders_without_evidence.map(one => one.path),
    [paths[0]],
  )
})

test("archives of this machine's own programs are read, whatever packs them", async t => {
  const ways: [name: string, command: string][] = [
    ['a.tar', 'tar -cf a.tar logs'],
    ['a.tar.gz', 'tar -czf a.tar.gz logs'],
    ['a.tar.xz', 'tar -cJf a.tar.xz logs'],
    ['a.tar.bz2', 'tar -cjf a.tar.bz2 logs'],
    ['a.tar.zst', 'tar --zstd -cf a.tar.zst logs'],
    ['pax.tar', 'tar --format=pax -cf pax.tar logs'],
    ['a.zip', 'zip -qr a.zip logs'],
    ['stored.zip', 'zip -qr -0 stored.zip logs'],
    ['bz2.zip', 'zip -qr -Z bzip2 bz2.zip logs'],
    ['streamed.zip', 'zip -qr - logs | cat > streamed.zip'],
    ['wide.zip', 'zip -qr -fz wide.zip logs'],
  ]
  const long = `${'d'.repeat(90)}/${'e'.repeat(60)}`
  for (const [name, command] of ways) {
    const folder = folderFor(t)
    mkdirSync(join(folder, 'logs', long), { recursive: true })
    writeFileSync(join(folder, 'logs', 'plain.log'), logOf(2000))
    writeFileSync(join(folder, 'logs', long, 'ü.log.gz'), gzipSync(logOf(10, 5000)))
    writeFileSync(join(folder, 'logs', 'x.pcap'), capture)
    const { status } = spawnSync('bash', ['-c', `set -o pipefail; ${command}`], { cwd: folder })
    if (status !== 0) {
      t.diagnostic(`skipped: ${command}`)
      continue
    }
    const dir = join(folder, 'case')
    const report = await addEvidence({ case: dir, paths: [join(folder, name)], workers: 1 })
    await assertSound(dir)
    const all = report.files.map(file => [
      file.path.slice(join(folder, name).length),
      file.status,
      file.kind,
      file.records,
    ])
    assert.deepEqual(
      all,
      [
        ['', 'read', 'archive', 0],
        [`:logs/${long}/ü.log.gz`, 'read', 'vpc-flow-log', 10],
        [':logs/plain.log', 'read', 'vpc-flow-log', 2000],
        [':logs/x.pcap', 'read', 'pcap', 0],
      ],
      name,
    )
  }
})

test('an archive in an archive is read, three deep at most', async t => {
  let content: Buffer = Buffer.from(logOf(3))
  for (let depth = 0; depth < 5; depth++) content = (depth % 2 ? zip : tar)({ 'inner.log': content })
  const { counts, report } = await added(t, { 'x.tar': content })
  assert.deepEqual(
    counts.map(([, status]) => status),
    ['read', 'read', 'read', 'unreadable'],
  )
  assert.match(report.problems[0]?.problem ?? '', /an archive within more than 3 others: unpack it/)
})

test('names that lead elsewhere are names and nothing more', async t => {
  const names = ['../../evil.log', '/etc/evil.log', 'a\\..\\evil.log', 'x:y.log', 'evil\u001b[31m.log']
  const contents = Object.fromEntries(names.map((name, i) => [name, logOf(3, 10 * i)]))
  for (const [name, content] of [
    ['x.tar', tar(contents)],
    ['x.zip', zip(contents)],
  ] as const) {
    const { counts, folder } = await added(t, { [name]: content })
    assert.equal(counts.length, 6)
    assert.ok(counts.every(([, status]) => status === 'read'))
    assert.ok(!existsSync(join(folder, '..', '..', 'evil.log')) && !existsSync('/etc/evil.log'))
  }
})

test('a file of a zip archive that is encrypted is named, and the others are read', async t => {
  const { files, report } = await added(t, {
    'x.zip': zip({ 'a.log': logOf(3), 'b.log': logOf(4, 9) }, { encrypted: true }),
  })
  assert.deepEqual(
    files.map(file => file.status),
    ['read', 'unreadable', 'unreadable'],
  )
  assert.match(report.problems[0]?.problem ?? '', /encrypted \(zip\): unpack it with its password/)
})

test('of an archive that is cut, what came before is kept, and the cut is named', async t => {
  const whole = tar({ 'a.log': logOf(300), 'b.log': logOf(300, 1000) })
  for (const [name, content] of [
    ['x.tar', whole],
    ['x.tar.gz', gzipSync(whole)],
    ['x.zip', zip({ 'a.log': logOf(300) })],
  ] as const) {
    for (let part = 1; part < 7; part++) {
      const { files, report } = await added(t, { [name]: content.subarray(0, Math.floor((content.length * part) / 7)) })
      assert.ok(report.problems.length > 0, `${name} ${part}`)
      assert.ok(files.some(file => file.status === 'partly-read' || file.status === 'unreadable'))
      assert.ok(report.case_records < 600)
    }
  }
})

test('a bomb in an archive stops at the limit of all files in it together', async t => {
  const bomb = gzipSync(Buffer.concat([Buffer.from(`${defaultHeader}\n`), Buffer.alloc(60 << 20)]))
  const many = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`${i}.log.gz`, Buffer.concat([bomb, gzipSync(`${i}`)])]),
  )
  const started = performance.now()
  const { files, report } = await added(t, { 'x.zip': zip(many) })
  assert.ok(report.problems.some(({ problem }) => /expands more than 200:1/.test(problem)))
  assert.ok(files.every(file => file.records === 0))
  assert.ok(performance.now() - started < 60_000)
})

test('an archive of 100,000 files and one more is read up to there, and says so', {
  skip: mutations <= 1000 ? 'only with --all' : false,
}, async t => {
  const names = Object.fromEntries(Array.from({ length: 100_001 }, (_, i) => [`${i}.log`, `${i}`]))
  const { files, report } = await added(t, { 'x.tar.gz': gzipSync(tar(names)) })
  assert.equal(files[0]?.status, 'partly-read')
  assert.match(report.problems[0]?.problem ?? '', /more than 100000 files in it/)
})

test('two workers that meet the same content in archives and beside them do not wait for each other', async t => {
  const contents: Record<string, string | Uint8Array> = {}
  for (let i = 0; i < 40; i++) {
    contents[`${i}.log`] = logOf(3, 10 * i)
    contents[`${i}.zip`] = zip({ 'a.log': logOf(3, 10 * ((i * 7) % 40)), 'b.log': logOf(3, 10 * ((i * 11 + 3) % 40)) })
  }
  const { report } = await added(t, contents, { workers: 4 })
  assert.equal(report.case_records, 120)
})

test('no mutant of an archive breaks the case', async t => {
  const random = chanceFrom(21)
  const sources = [tar(members), zip(members), gzipSync(tar(members))]
  for (let round = 0; round < mutations / 20; round++) {
    const contents: Record<string, Uint8Array> = {}
    for (let i = 0; i < 20; i++) {
      const mutant = Buffer.from(random.pick(sources))
      for (let n = random.int(0, 8); n >= 0; n--) mutant[random.int(0, mutant.length - 1)] = random.int(0, 255)
      contents[`${i}.bin`] = random.maybe(0.3) ? mutant.subarray(0, random.int(1, mutant.length)) : mutant
    }
    const { report } = await added(t, contents)
    assert.ok(report.files.length >= 20)
  }
})
