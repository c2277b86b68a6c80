/** Tasks as people do them: input, command, and what stands on the screen, within their bounds. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { displayWidth } from '../../src/report/text.ts'
import { tidemark } from '../cli/run.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { cliEntry, skipWithout } from '../repo.ts'
import { type Task, tasks } from './tasks.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-transcripts-'))
const demo = join(root, 'tidemark-demo')
const bin = join(root, 'bin')

before(async () => {
  await copyLab(demo)
  assert.equal(tidemark(['demo', '--out', demo, '--json']).status, 0)
  mkdirSync(bin)
  writeFileSync(join(bin, 'tidemark'), `#!/bin/sh\nexec "${process.execPath}" "${cliEntry}" "$@"\n`)
  chmodSync(join(bin, 'tidemark'), 0o755)
})
after(() => rmSync(root, { recursive: true, force: true }))

function screenOf({ types, input, columns = 100 }: Task): { screen: string; status: number | null } {
  if (input !== undefined) writeFileSync(join(demo, 'iocs.txt'), input)
  const { NO_COLOR: _n, FORCE_COLOR: _f, TIDEMARK_CASE: _c, ...own } = process.env
  const env = { ...own, PATH: `${bin}:${process.env['PATH']}`, COLUMNS: String(columns) }
  const { stdout, stderr, status } = spawnSync('bash', ['-c', types], { cwd: demo, encoding: 'utf8', env })
  return { screen: `${stdout}${stderr}`, status }
}

for (const task of tasks) {
  test(`somebody wants ${task.wants}`, skipWithout('bash', 'zcat'), () => {
    const { screen, status } = screenOf(task)
    assert.equal(status, task.status ?? 0, screen)
    let from = 0
    for (const shown of task.shows ?? []) {
      const found = shown.exec(screen.slice(from))
      assert.ok(found !== null, `not shown, or not in this order: ${shown}\n${screen}`)
      from += found.index
    }
    for (const hidden of task.hides ?? []) assert.doesNotMatch(screen, hidden)
    const lines = screen.trimEnd().split('\n')
    if (task.lines !== undefined) assert.ok(lines.length <= task.lines, `${lines.length} lines\n${screen}`)
    if (task.width !== undefined)
      assert.deepEqual(
        lines.filter(line => displayWidth(line) > task.width!),
        [],
      )
  })
}
