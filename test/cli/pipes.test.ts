import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { cliEntry as program } from '../repo.ts'
import { assertSound, folderFor, logOf, sha256 } from '../robustness/support.ts'

const skip = process.platform === 'win32'
const log = logOf(200)

function shell(t: TestContext, script: string): { folder: string; status: number | null; stderr: string } {
  const folder = folderFor(t)
  writeFileSync(join(folder, 'a.log.gz'), gzipSync(log))
  const env = { ...process.env, T: `${process.execPath} ${program}`, TIDEMARK_CASE: join(folder, 'case') }
  const { status, stderr } = spawnSync('bash', ['-c', script], { cwd: folder, env, encoding: 'utf8', timeout: 60_000 })
  return { folder, status, stderr }
}

const ways: [script: string, path: RegExp][] = [
  ['zcat a.log.gz | $T add -', /^-$/],
  ['cat a.log.gz | $T add -', /^-$/],
  ['$T add - < a.log.gz', /^-$/],
  ['zcat a.log.gz | $T add /dev/stdin', /^\/dev\/stdin$/],
  ['$T add <(zcat a.log.gz)', /^\/dev\/fd\/\d+$/],
  ['mkfifo p; zcat a.log.gz > p & $T add p', /\/p$/],
]

for (const [script, path] of ways) {
  test(`${script.replace('$T', 'tidemark')} reads what the pipe gives, and keeps no copy`, { skip }, async t => {
    const { folder, status, stderr } = shell(t, script)
    assert.equal(status, 0, stderr)
    const dir = join(folder, 'case')
    await assertSound(dir)
    const [file] = (await readEvidence(dir)).files
    assert.match(file?.path ?? '', path)
    const content = script.includes('zcat') ? log : gzipSync(log)
    assert.deepEqual([file?.records, file?.named, file?.sha256], [200, true, sha256(content)])
    assert.deepEqual(readdirSync(join(dir, 'incoming')), [])
  })
}

test('a query of what comes through a pipe, beside files', { skip }, t => {
  const { status, stderr } = shell(
    t,
    `zcat a.log.gz | sed s/198/197/ > b.log; unset TIDEMARK_CASE; zcat a.log.gz | $T flows 'proto tcp' - b.log --json > out`,
  )
  assert.equal(status, 0, stderr)
})

test('a pipe that nobody writes is given up at Ctrl-C', { skip }, async t => {
  const folder = folderFor(t)
  spawnSync('bash', ['-c', 'mkfifo p'], { cwd: folder })
  const child = spawn(process.execPath, [program, 'add', join(folder, 'p'), '--case', join(folder, 'case')])
  await new Promise(resolve => setTimeout(resolve, 1500))
  child.kill('SIGINT')
  const [code, signal] = await new Promise<[number | null, string | null]>(resolve => {
    child.on('exit', (code, signal) => resolve([code, signal]))
  })
  assert.deepEqual([code, signal], [130, null])
})

test('a pipe that gives nothing is told, for it was named', { skip }, t => {
  const { status, stderr } = shell(t, ': | $T add - >&2')
  assert.equal(status, 3)
  assert.match(stderr, /-\n +not evidence: empty/)
})
