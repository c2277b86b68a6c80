/** What starts the cluster, without one: what cannot be had is named, and in time. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../cli/run.ts'
import { repoRoot } from '../repo.ts'

interface Kept {
  status: number | null
  seconds: number
  missing: { trino?: string; moto?: string }
  /** What is left in the cache. */
  left: string[]
}

/** Runs the keeper with programs of these names and texts, and none else but the system's shell. */
function keep(t: TestContext, programs: Record<string, string>, args: string[]): Kept {
  const folder = temporaryFolder(t)
  const [bin, cache] = [join(folder, 'bin'), join(folder, 'cache')]
  mkdirSync(bin)
  for (const [name, text] of Object.entries(programs))
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  const env = { PATH: [bin, dirname(process.execPath)].join(delimiter), HOME: folder, XDG_CACHE_HOME: cache }
  const begun = performance.now()
  const script = join(repoRoot, 'scripts', 'lake', 'keep.mjs')
  const run = spawnSync(process.execPath, [script, '--for', '0', ...args], { encoding: 'utf8', env })
  const { missing } = JSON.parse(run.stdout) as Pick<Kept, 'missing'>
  const left = readdirSync(join(cache, 'tidemark-lake')).filter(name => name.includes('.part-'))
  return { status: run.status, seconds: (performance.now() - begun) / 1000, missing, left }
}

const java = `echo 'openjdk version "25.0.1"' >&2`

test('what a cluster needs and cannot be fetched is named', t => {
  const programs = { java, mvn: 'echo "no such host" >&2; exit 1', python3: 'exit 1' }
  const { status, missing } = keep(t, programs, [])
  assert.equal(status, 0)
  assert.match(missing.trino!, /^mvn failed: no such host/)
  assert.match(missing.moto!, /^python3 failed/)
})

test('what is not fetched in time counts as missing, and nothing half is left of it', t => {
  const slow = 'exec /bin/sleep 60'
  const { status, seconds, missing, left } = keep(t, { java, mvn: slow, python3: slow }, ['--set-up-within', '1'])
  assert.equal(status, 0)
  assert.ok(seconds < 40, `${seconds} s`)
  assert.deepEqual(missing, { trino: 'it was not fetched in 1 s', moto: 'it was not fetched in 1 s' })
  assert.deepEqual(left, [])
})
