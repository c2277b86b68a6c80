// Labelled traffic of other projects, scored by the script that stands beside it (its docstring says what counts as found and as false).
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../cli/run.ts'
import { cliEntry, sharedDir, skipWithout } from '../repo.ts'

const folder = sharedDir === null ? null : join(sharedDir, 'data', 'labelled')

test(
  'detect finds the labelled attacks, and accuses no benign host more than its bars allow',
  skipWithout(folder, 'python3'),
  t => {
    const at = (name: string): string => join(folder!, name)
    const run = [process.execPath, cliEntry].join(' ')
    const args = [at('score_detect.py'), at('truth.json'), '--results', temporaryFolder(t), '--run', run]
    const scored = spawnSync('python3', [...args, '--bars', at('bars.json'), '--verbose'], { encoding: 'utf8' })
    t.diagnostic(scored.stdout)
    assert.equal(scored.status, 0, `${scored.stderr}\n${scored.stdout}`)
  },
)
