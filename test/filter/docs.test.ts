import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { explain } from '../../src/filter/explain.ts'
import { parse } from '../../src/filter/filter.ts'
import { things, unsupported } from '../../src/filter/things.ts'
import { repoRoot } from '../repo.ts'

const page = readFileSync(join(repoRoot, 'docs', 'reference', 'filter.md'), 'utf8')

test('every filter in the page of filters can be read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-filter-docs-'))
  try {
    for (const name of ['watchlist.txt', 'allowed.txt']) writeFileSync(join(folder, name), '192.0.2.1\n')
    writeFileSync(join(folder, 'ports of games.txt'), '27015\n')
    writeFileSync(join(folder, 'web.filter'), 'port in [80 443]\n')
    const lines = [...page.matchAll(/^```filter\n(.*?)^```/gms)].flatMap(([, block]) => block!.trim().split('\n'))
    assert.ok(lines.length > 30)
    for (const line of lines) assert.match(explain(parse(line, { folder })), /^Flow records where .*\.$/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('every thing that can be tested is in the page', () => {
  const names = things.flatMap(thing => thing.names)
  assert.deepEqual(
    names.filter(name => !new RegExp(`[\\s\`(]${name}[\\s\`,)]`).test(page)),
    [],
  )
  assert.deepEqual(
    unsupported.filter(name => names.includes(name)),
    [],
  )
})
