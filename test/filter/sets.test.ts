import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { compile } from '../../src/filter/compile.ts'
import { parse } from '../../src/filter/filter.ts'
import { loadSets } from '../../src/filter/set.ts'
import { duckdb } from '../../src/query/duckdb-printer.ts'
import { Database } from '../../src/store/duckdb.ts'

test('a set of a million addresses is read, loaded and asked in time', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-sets-'))
  const db = await Database.open({ threads: 2, memoryLimit: '1GB', tempDirectory: null })
  try {
    const lines = Array.from({ length: 1_000_000 }, (_, i) => {
      // Every fifth one is of IPv6; multiplied by an odd number they are all different.
      const n = Math.imul(i, 2654435761) >>> 0
      return i % 5 === 0
        ? `2001:db8::${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}`
        : `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`
    })
    writeFileSync(join(folder, 'million.txt'), lines.join('\n'))
    await db.run(`CREATE TABLE flows AS SELECT CASE WHEN i % 10 = 0 THEN NULL ELSE {'hi': 0::UBIGINT, 'lo': (281470681743360 + i * 4096)::UBIGINT} END AS srcaddr,
      NULL::STRUCT(hi UBIGINT, lo UBIGINT) AS dstaddr FROM range(1000000) r(i)`)
    const begun = performance.now()
    const filter = parse('src ip in @million.txt', { folder })
    const read = performance.now()
    const { where, unknown, sets } = compile(filter, { columns: new Set(['srcaddr', 'dstaddr']) })
    await loadSets(db, sets)
    const loaded = performance.now()
    const count = async (condition: typeof where): Promise<number> => {
      const { text, values } = duckdb.print(condition)
      return Number((await db.rows(`SELECT count(*) AS n FROM flows WHERE ${text}`, values))[0]!['n'])
    }
    const matched = await count(where)
    const done = performance.now()
    t.diagnostic(
      `read ${Math.round(read - begun)} ms, loaded ${Math.round(loaded - read)} ms, asked ${Math.round(done - loaded)} ms of 1,000,000 flows`,
    )
    assert.ok(done - begun < 5000 * Number(process.env['TIDEMARK_PATIENCE'] ?? 3), `${Math.round(done - begun)} ms`)
    const inSet = new Set(lines)
    const dotted = (n: number): string => `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`
    let wanted = 0
    for (let i = 0; i < 1_000_000; i++)
      if (i % 10 !== 0 && i * 4096 < 2 ** 32 && inSet.has(dotted((i * 4096) >>> 0))) wanted++
    assert.equal(matched, wanted)
    assert.equal(await count(unknown), 100_000)
  } finally {
    db.close()
    rmSync(folder, { recursive: true })
  }
})
