import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cliEntry } from '../repo.ts'

/** How a run of the command line ended. */
export interface Run {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs `tidemark ARGS` without a terminal, colour or case of the environment. */
export function tidemark(args: string[], options: { cwd?: string; env?: Record<string, string> } = {}): Run {
  const { NO_COLOR: _n, FORCE_COLOR: _f, TIDEMARK_CASE: _c, COLUMNS: _w, ...env } = process.env
  const run: SpawnSyncReturns<string> = spawnSync(process.execPath, [cliEntry, ...args], {
    encoding: 'utf8',
    cwd: options.cwd ?? tmpdir(),
    env: { ...env, ...options.env },
    maxBuffer: 1 << 28, // 256 MiB
  })
  return { status: run.status, stdout: run.stdout, stderr: run.stderr }
}

/** An empty folder that is gone after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
