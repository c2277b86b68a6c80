/** Several cases asked as one. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'
import { joinCases } from '../../src/store/joined.ts'
import { removeEvidence } from '../../src/store/remove.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { temporaryFolder } from '../cli/run.ts'
import { logOf } from '../robustness/support.ts'

test('a joined case holds what the cases hold, what was removed stays removed, and the cases stay as they are', async t => {
  const root = temporaryFolder(t)
  const dirs: string[] = []
  for (const [n, records] of [10, 20, 30].entries()) {
    const dir = join(root, `case-${n}`)
    const paths = [0, 1].map(i => {
      const path = join(root, `${n}-${i}.log`)
      writeFileSync(path, logOf(records + i, 1000 * (2 * n + i)))
      return path
    })
    await addEvidence({ case: dir, paths, idsAbove: 10 * n, workers: 1 })
    dirs.push(dir)
  }
  await removeEvidence({ case: dirs[1]!, files: [join(root, '1-0.log')] })
  const into = join(root, 'joined')
  for (let again = 0; again < 2; again++) {
    await joinCases(into, dirs)
    const c = await openCase(into)
    try {
      const [row] = await c.db.rows('SELECT count(*) AS records, count(DISTINCT _file) AS files FROM flows')
      assert.deepEqual([Number(row!['records']), Number(row!['files'])], [10 + 11 + 21 + 30 + 31, 5])
      assert.equal(c.evidence.length, 5)
    } finally {
      await c.close()
    }
    const { findings } = await verifyCase(into)
    // It is no case to keep: nobody wrote the text for people.
    assert.deepEqual([...new Set(findings.map(({ path }) => path))], ['README.txt'])
  }
  for (const dir of dirs) assert.ok((await verifyCase(dir)).intact)
})

test('cases whose files have the same numbers are not joined', async t => {
  const root = temporaryFolder(t)
  const dirs: string[] = []
  for (const n of [0, 1]) {
    writeFileSync(join(root, `${n}.log`), logOf(5, 100 * n))
    dirs.push(join(root, `case-${n}`))
    await addEvidence({ case: dirs[n]!, paths: [join(root, `${n}.log`)], workers: 1 })
  }
  await assert.rejects(joinCases(join(root, 'joined'), dirs), /two cases have a file of the number 1/)
})
