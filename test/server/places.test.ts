import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { detect } from '../../src/detect/detect.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { fileNumbers, placing } from '../../src/server/work/placing.ts'
import { openCase } from '../../src/store/case.ts'
import { defaultHeader, folderFor, recordLine } from '../robustness/support.ts'

const scanner = '203.0.113.9'

/** A scan of a hundred ports, after some lines of others. */
function scan(before: number, firstPort: number, start: number): string {
  const probe = (i: number): string =>
    `2 123456789012 eni-01 ${scanner} 10.0.0.1 40000 ${firstPort + i} 6 1 40 ${start + i} ${start + i} REJECT OK`
  const others = Array.from({ length: before }, (_, i) => recordLine(start - 1_700_000_000 + i))
  return `${[defaultHeader, ...others, ...Array.from({ length: 100 }, (_, i) => probe(i))].join('\n')}\n`
}

test('a line of a file leads to that file, where another of the same path was added before', async t => {
  const dir = folderFor(t)
  const [caseDir, path] = [join(dir, 'case'), join(dir, 'a.log')]
  writeFileSync(path, scan(0, 1000, 1_700_000_000))
  await addEvidence({ case: caseDir, paths: [path] })
  writeFileSync(path, scan(500, 5000, 1_700_100_000))
  await addEvidence({ case: caseDir, paths: [path] })
  const c = await openCase(caseDir)
  try {
    const [first, second] = c.evidence.map(({ id }) => id)
    assert.deepEqual(
      c.evidence.map(one => one.path),
      [path, path],
    )
    assert.deepEqual([...fileNumbers(c.evidence)], [[path, null]])
    const placed = placing(c)
    assert.equal(placed({ path, line: 7 }).file, null)
    const found = [
      ...(await detect(c, { numbered: true })).findings,
      ...(await investigate(c, [scanner], { numbered: true, basis: 'all' })).findings,
    ]
    const places = found.flatMap(({ basis }) => basis.map(placed))
    assert.deepEqual([...new Set(places.map(({ file }) => file))].sort(), [first, second])
    for (const { file, line } of places) assert.equal(file, line! <= 101 ? first : second)
    const plain = [...(await detect(c)).findings, ...(await investigate(c, [scanner])).findings]
    assert.ok(plain.every(({ basis }) => basis.every(one => !('file' in one))))
  } finally {
    await c.close()
  }
})
