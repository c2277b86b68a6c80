import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import { withRecordIndex } from '../../src/record-index/kept.ts'
import { openCase } from '../../src/store/case.ts'
import { logOf } from '../robustness/support.ts'

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

test('a flipped bit in any part of the file is not believed', async () => {
  const folder = copy('rotten')
  const sound = await ask(folder)
  const [name] = cacheOf(folder)
  const path = join(folder, 'cache', name!)
  const bytes = readFileSync(path)
  for (let at = 0; at < bytes.length; at += 97) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1 << (at % 8)
    writeFileSync(path, changed)
    const { rows, bytes: sum } = await ask(folder)
    assert.deepEqual({ rows, sum }, { rows: sound.rows, sum: sound.bytes })
  }
})
