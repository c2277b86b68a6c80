import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cliEntry, sharedDir, skipWithout } from './repo.ts'

// Small inputs from public reports, each with a script that says what is right: ../shared/cases.

const folder = sharedDir === null ? null : join(sharedDir, 'cases')
const cases =
  folder === null || !existsSync(folder)
    ? []
    : readdirSync(folder).filter(name => existsSync(join(folder, name, 'check.sh')))

test('there are cases', skipWithout(folder, 'bash'), () => assert.ok(cases.length > 0))

for (const name of cases) {
  test(`the case ${name} has the right outcome`, skipWithout(folder, 'bash', 'python3'), () => {
    const run = spawnSync('bash', [join(name, 'check.sh')], {
      cwd: folder!,
      env: { ...process.env, TIDEMARK: `${process.execPath} ${cliEntry}` },
      encoding: 'utf8',
      timeout: 120_000,
    })
    assert.equal(run.status, 0, run.stdout + run.stderr)
  })
}
