import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import { withRecordIndex } from '../../src/record-index/kept.ts'
import { openCase } from '../../src/store/case.ts'
import { SectionFile } from '../../src/store/section-file.ts'
import { verifyWhole } from '../../src/verify/verify.ts'
import { chanceFrom, logOf, setting } from '../robustness/support.ts'

let root: string
let dir: string

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'tidemark-kept-index-'))
  dir = join(root, 'case')
  mkdirSync(join(root, 'logs'))
  writeFileSync(join(root, 'logs', 'a.log'), logOf(400))
  await addEvidence({ case: dir, paths: [join(root, 'logs')], workers: 1 })
})
after(() => rmSync(root, { recursive: true, force: true }))

/** Number and bytes of all records by the index, and what was worked out for that. */
async function ask(folder: string): Promise<{ rows: number; bytes: number; worked: string[] }> {
  const c = await openCase(folder)
  const worked: string[] = []
  c.onWork = what => worked.push(what)
  try {
    return await withRecordIndex(c, 'logs', async index => {
      let bytes = 0
      for await (const block of index.blocks(['bytes'])) for (const one of block.bytes) bytes += one
      return { rows: index.rows, bytes, worked }
    })
  } finally {
    await c.close()
  }
}

const cacheOf = (folder: string): string[] => readdirSync(join(folder, 'cache')).sort()

function copy(name: string): string {
  const folder = join(root, name)
  cpSync(dir, folder, { recursive: true })
  return folder
}

test('the index is made once, kept, and made again when evidence was added', async () => {
  const folder = copy('grown')
  const first = await ask(folder)
  assert.equal(first.rows, 400)
  assert.deepEqual(first.worked, ['the records in the order of time'])
  assert.deepEqual(await ask(folder), { ...first, worked: [] })
  const kept = cacheOf(folder)
  assert.equal(kept.length, 1)
  writeFileSync(join(root, 'b.log'), logOf(100, 1000))
  await addEvidence({ case: folder, paths: [join(root, 'b.log')], workers: 1 })
  assert.equal((await ask(folder)).rows, 500)
  assert.equal(cacheOf(folder).length, 1)
  assert.notDeepEqual(cacheOf(folder), kept)
})

test('a file that was changed or cut is not believed, made again, and named by verify', async () => {
  const folder = copy('rotten')
  const sound = await ask(folder)
  const [name] = cacheOf(folder)
  const path = join(folder, 'cache', name!)
  const bytes = readFileSync(path)
  const chance = chanceFrom(9)
  const changes = setting('INDEX_FLIPS', 60)
  for (let i = 0; i < changes; i++) {
    // The end of the file, its directory, is the smaller part of it.
    const at = chance.maybe(0.5) ? chance.int(0, bytes.length - 1) : bytes.length - 1 - chance.int(0, 900)
    const changed = chance.maybe(0.2) ? bytes.subarray(0, at) : Buffer.from(bytes)
    if (changed.length === bytes.length) changed[at]! ^= 1 << chance.int(0, 7)
    writeFileSync(path, changed)
    if (i % 5 === 0) {
      const { intact, findings } = await verifyWhole(folder)
      assert.equal(intact, false)
      assert.deepEqual(
        findings.map(({ path, what }) => ({ path, what })),
        [{ path: `cache/${name}`, what: 'altered' }],
      )
    }
    const { rows, bytes: sum } = await ask(folder)
    assert.deepEqual({ rows, sum }, { rows: sound.rows, sum: sound.bytes })
  }
  // A part that was not read may still be changed.
  rmSync(path)
  await ask(folder)
  assert.deepEqual(readFileSync(path), bytes)
  assert.equal((await verifyWhole(folder)).intact, true)
})

test('a forged file, its name and its digests with it, is named by verify', async () => {
  const folder = copy('forged')
  await ask(folder)
  const [name] = cacheOf(folder)
  const other = copy('other')
  writeFileSync(join(root, 'c.log'), logOf(3, 7000))
  await addEvidence({ case: other, paths: [join(root, 'c.log')], workers: 1 })
  await ask(other)
  const key = /^(.*-[0-9a-f]{64})\./.exec(name!)![1]!
  rmSync(join(folder, 'cache', name!))
  const from = join(other, 'cache', cacheOf(other)[0]!)
  const file = new SectionFile(from)
  const forged = `${key}.${file.digest(`${key}\n`)}.sections`
  file.close()
  cpSync(from, join(folder, 'cache', forged))
  const { findings } = await verifyWhole(folder)
  assert.deepEqual(
    findings.map(({ path, what }) => ({ path, what })),
    [{ path: `cache/${forged}`, what: 'altered' }],
  )
})

test('where the cache cannot be written, the index is made elsewhere, once for a case that is open', async () => {
  const folder = copy('sealed')
  writeFileSync(join(folder, 'cache'), 'a file in the place of the folder')
  const c = await openCase(folder)
  const worked: string[] = []
  c.onWork = what => worked.push(what)
  try {
    for (let i = 0; i < 2; i++) assert.equal(await withRecordIndex(c, 'logs', async index => index.rows), 400)
    assert.equal(worked.length, 1)
  } finally {
    await c.close()
  }
  assert.equal(readFileSync(join(folder, 'cache'), 'utf8'), 'a file in the place of the folder')
  assert.deepEqual(readdirSync(join(folder, 'incoming')), [])
})

test('what goes wrong with the records themselves is told, and leaves nothing', async () => {
  const folder = copy('broken')
  const c = await openCase(folder)
  try {
    c.db.close()
    await assert.rejects(
      withRecordIndex(c, 'logs', async index => index.rows),
      /the case was closed/,
    )
  } finally {
    await c.close()
  }
  assert.deepEqual(existsSync(join(folder, 'cache')) ? cacheOf(folder) : [], [])
})
