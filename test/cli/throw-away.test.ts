import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeRandomFolder } from '../oracle/random-folder.ts'
import { temporaryFolder, tidemark } from './run.ts'

/** A document without the paths of its case. */
function withoutCase(json: string): unknown {
  return JSON.parse(json.replaceAll(/read_parquet\('[^']*\/segments\//g, "read_parquet('SEGMENTS/"))
}

test('the dossier of a case that is thrown away is that of one that is kept, and nothing of it is left', t => {
  const root = temporaryFolder(t)
  for (const seed of [3, 11]) {
    const logs = join(root, `logs-${seed}`)
    const kept = join(root, `case-${seed}`)
    const { subjects } = writeRandomFolder(logs, seed)
    const env = { TMPDIR: root }
    const thrown = tidemark(['investigate', ...subjects, logs, '--json'], { env })
    const added = tidemark(['add', '--case', kept, logs, '--workers', '1'])
    const asked = tidemark(['investigate', ...subjects, '--case', kept, '--json'], { env })
    assert.ok(added.status === 0 || added.status === 3, added.stderr)
    assert.equal(thrown.status, asked.status, thrown.stderr)
    assert.ok(thrown.stdout.includes('read_parquet('))
    assert.deepEqual(withoutCase(thrown.stdout), withoutCase(asked.stdout))
  }
  assert.deepEqual(readdirSync(root).sort(), ['case-11', 'case-3', 'logs-11', 'logs-3'])
})
