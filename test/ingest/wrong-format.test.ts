import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder, tidemark } from '../cli/run.ts'

test('a file without a header of which --format fits no line is read again with another --format', t => {
  const folder = temporaryFolder(t)
  const log = join(folder, 'x.log')
  const caseDir = join(folder, 'case')
  const line = (host: number): string =>
    `2 1 eni-a 10.0.0.${host} 198.51.100.7 40000 22 6 10 1500 1700000000 1700000050 ACCEPT OK\n`
  writeFileSync(log, `${line(1)}${line(2)}`)
  const add = (format: string): ReturnType<typeof tidemark> =>
    tidemark(['add', log, '--case', caseDir, '--format', format])
  const wrong = add('v5')
  assert.equal(wrong.status, 3)
  assert.match(wrong.stdout, /14 fields where the format names 29/)
  const right = add('default')
  assert.equal(right.status, 0, right.stderr)
  assert.match(right.stdout, /2 flow records/)
  assert.match(add('default').stdout, /already in the case/)
  assert.equal(tidemark(['verify', '--case', caseDir]).status, 0)
  assert.equal(tidemark(['flows', '--case', caseDir, '--ndjson']).stdout.trim().split('\n').length, 2)
})
