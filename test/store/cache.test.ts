import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { queryFlows } from '../../src/flows/run.ts'
import { savedQuery, saveQuery } from '../../src/flows/saved.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { keepCached } from '../../src/store/cache.ts'
import { openCase } from '../../src/store/case.ts'
import { Database, quotedString } from '../../src/store/duckdb.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { verifyWhole } from '../../src/verify/verify.ts'
import { chanceFrom, defaultHeader, logOf, setting } from '../robustness/support.ts'

let root: string
let dir: string
let answer: string

/** What is counted once, and by roles: both need the cache. */
async function ask(folder: string, internal: string[] = []): Promise<string> {
  const c = await openCase(folder)
  try {
    const rows: unknown[] = []
    for (const filter of ['any', 'role client']) {
      const result = await queryFlows(c, { filter, stat: { element: 'dstip' }, order: 'bytes', limit: null, internal })
      for await (const row of result.rows()) rows.push(row)
    }
    return JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value))
  } finally {
    await c.close()
  }
}

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'tidemark-cache-'))
  dir = join(root, 'case')
  mkdirSync(join(root, 'logs'))
  // The same traffic at two sensors.
  const text = logOf(400)
  writeFileSync(join(root, 'logs', 'a.log'), text)
  writeFileSync(join(root, 'logs', 'b.log'), text.replaceAll(/eni-0\d/g, 'eni-9'))
  await addEvidence({ case: dir, paths: [join(root, 'logs')], workers: 1 })
  answer = await ask(dir)
  await ask(dir, ['203.0.113.0/24', '198.51.100.0/24'])
})
after(() => rmSync(root, { recursive: true, force: true }))

function copy(name: string): string {
  const folder = join(root, name)
  cpSync(dir, folder, { recursive: true })
  return folder
}

const cacheOf = (folder: string): string[] => readdirSync(join(folder, 'cache')).sort()
/** The record index, from which they are made, is tested by itself. */
const tablesOf = (folder: string): string[] => cacheOf(folder).filter(name => name.endsWith('.parquet'))

test('what was worked out is kept, found again, and fits what the segments say', async () => {
  const kept = cacheOf(dir)
  assert.deepEqual(
    kept.map(name => name.replace(/-\d-[0-9a-f]{64}.*/, '')),
    ['counted-once-logs', 'records-logs', 'roles-logs', kept[3]!.replace(/-\d-[0-9a-f]{64}.*/, '')],
  )
  const c = await openCase(dir)
  const worked: string[] = []
  c.onWork = what => worked.push(what)
  await queryFlows(c, { filter: 'role client', stat: { element: 'dstip' } })
  await c.close()
  assert.deepEqual(worked, [])
  assert.deepEqual(cacheOf(dir), kept)
  assert.deepEqual((await verifyWhole(dir)).findings, [])
})

test('a flipped bit in a file of the cache changes no answer, and verify names it', async () => {
  const folder = copy('rotten')
  const chance = chanceFrom(5)
  for (let i = 0; i < setting('CACHE_FLIPS', 6); i++) {
    const name = chance.pick(tablesOf(folder).slice(0, 2))
    const path = join(folder, 'cache', name)
    const bytes = readFileSync(path)
    bytes[chance.int(0, bytes.length - 1)]! ^= 1 << chance.int(0, 7)
    writeFileSync(path, bytes)
    const { intact, findings } = await verifyCase(folder)
    assert.equal(intact, false)
    assert.deepEqual(
      findings.map(finding => finding.path),
      [`cache/${name}`],
    )
    assert.equal(await ask(folder), answer)
    assert.equal((await verifyCase(folder)).intact, true, 'it was made again')
  }
})

/** The name of a file as one writes it who knows how: with the digest of what is in it. */
function named(folder: string, name: string): string {
  const [, base] = /^(.*-[0-9a-f]{64})\.[0-9a-f]{64}\.parquet$/.exec(name)!
  const content = readFileSync(join(folder, 'cache', name))
  const digest = createHash('sha256').update(`${base}\n`).update(content).digest('hex')
  return `${base}.${digest}.parquet`
}

test('a forged file of the cache, its name with it, is named by verify', async () => {
  for (const at of [0, 1, 2]) {
    const folder = copy(`forged-${at}`)
    const name = tablesOf(folder)[at]!
    const path = join(folder, 'cache', name)
    const db = await Database.open({ threads: 1, memoryLimit: '256MB', tempDirectory: null })
    const rows = at === 0 ? 'SELECT _file, _line' : 'SELECT _file, _line, NOT is_client AS is_client, service, counts'
    const settings = at === 2 ? ", KV_METADATA {settings: '198.51.100.0/24 203.0.113.0/24'}" : ''
    await db.run(
      `COPY (${rows} FROM read_parquet(${quotedString(path)}) WHERE _line % 3 > 0) TO ${quotedString(`${path}.x`)} (FORMAT parquet${settings})`,
    )
    db.close()
    renameSync(`${path}.x`, path)
    renameSync(path, join(folder, 'cache', named(folder, name)))
    assert.equal((await verifyCase(folder)).intact, true, 'its digest fits')
    const { intact, findings } = await verifyWhole(folder)
    assert.equal(intact, false)
    assert.deepEqual(
      findings.map(({ what, path }) => [what, path]),
      [['altered', `cache/${named(folder, tablesOf(folder)[at]!)}`]],
    )
    assert.match(findings[0]!.detail, /does not fit/)
  }
})

test('what does not belong into the cache is named: files of another name, another state, another content', async () => {
  const folder = copy('strange')
  const [first] = cacheOf(folder) as [string]
  const head = /-([0-9a-f]{64})\./.exec(first)![1]!
  const other = first.replace(head, '0'.repeat(64))
  cpSync(join(folder, 'cache', first), join(folder, 'cache', other))
  renameSync(join(folder, 'cache', other), join(folder, 'cache', named(folder, other)))
  cpSync(join(folder, 'cache', first), join(folder, 'cache', first.replace('counted-once', 'counted-ones')))
  writeFileSync(join(folder, 'cache', 'notes.txt'), 'x')
  writeFileSync(join(folder, 'cache', `roles-logs-1-${head.slice(0, 16)}.parquet`), 'of an older version')
  const { findings } = await verifyCase(folder)
  const told = findings.map(({ what, path }) => [what, path.replace(/-\d-[0-9a-f]{16}.*/, '')])
  assert.deepEqual(told.sort(), [
    ['altered', 'cache/counted-ones-logs'],
    ['incomplete', 'cache/roles-logs'],
    ['unlisted', 'cache/counted-once-logs'],
    ['unlisted', 'cache/notes.txt'],
  ])
})

test('what was worked out of an earlier state is cleared away by the next add', async () => {
  const folder = copy('later')
  writeFileSync(join(root, 'c.log'), `${defaultHeader}\n`)
  await addEvidence({ case: folder, paths: [join(root, 'c.log')], workers: 1 })
  assert.deepEqual((await verifyWhole(folder)).findings, [])
  await addEvidence({ case: folder, paths: [join(root, 'c.log')], workers: 1 })
  assert.deepEqual(cacheOf(folder), [])
})

test('a saved query that was changed is not asked, and verify names it', async () => {
  const folder = copy('queries')
  await saveQuery({ dir: folder }, 'ssh', { filter: 'port 22', order: 'bytes' })
  assert.deepEqual((await verifyCase(folder)).findings, [])
  const path = join(folder, 'queries.json')
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace('port 22', 'port 23'))
  await assert.rejects(savedQuery({ dir: folder }, 'ssh'), /its digest is not that of its queries/)
  assert.deepEqual(
    (await verifyCase(folder)).findings.map(({ what, path: at }) => [what, at]),
    [['altered', 'queries.json']],
  )
  // As older versions wrote it, and people who change it.
  writeFileSync(path, text.replace(/ {2}"sha256".*\n/, '').replace('port 22', 'port 23'))
  assert.equal((await savedQuery({ dir: folder }, 'ssh')).filter, 'port 23')
  const report = await verifyCase(folder)
  assert.deepEqual([report.intact, report.findings[0]!.what], [true, 'incomplete'])
  await saveQuery({ dir: folder }, 'web', { filter: 'port 80' })
  assert.deepEqual((await verifyCase(folder)).findings, [])
  assert.ok(existsSync(path))
})

test('a file that cannot be kept is passed over where the machine refuses it, and a bug is not', async () => {
  const key = { what: 'roles-logs-3', head: 'a'.repeat(64) }
  const keep = (error: Error): Promise<boolean> => keepCached(copy('unkept'), key, () => Promise.reject(error))
  await keep(Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS', errno: -30, syscall: 'open' }))
  await keep(new Error('IO Error: Could not write file "x": No space left on device'))
  await assert.rejects(keep(new Error('INTERRUPT Error: Interrupted!')), /Interrupted/)
  await assert.rejects(keep(new TypeError('x is not a function')), /not a function/)
  assert.deepEqual(cacheOf(join(root, 'unkept')), cacheOf(dir))
})
