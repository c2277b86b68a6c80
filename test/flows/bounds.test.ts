import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { tidemark } from '../cli/run.ts'
import { cliEntry } from '../repo.ts'
import { type Work, workFolder } from './support.ts'

const skip = process.platform !== 'linux'
const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const records = 250_000
let work: Work
before(() => {
  work = workFolder()
  const rows = Array.from(
    { length: records },
    (_, i) =>
      `2 1 eni-0123456789abcdef${i % 4} 10.${i & 255}.${(i >> 8) & 255}.7 198.51.100.${i % 200} ${i % 60_000} 443 6 10 ${i} 1700000000 1700000050 ACCEPT OK`,
  )
  writeFileSync(join(work.root, 'a.log'), `${[header, ...rows].join('\n')}\n`)
  assert.equal(tidemark(['add', 'a.log', '--case', 'case'], { cwd: work.root }).status, 0)
})
after(() => work.close())

/** Runs a command whose rows nobody keeps. Its lines, and the most memory that it had, in MiB. */
async function peak(args: string[]): Promise<{ lines: number; mebibytes: number }> {
  const child = spawn(process.execPath, [cliEntry, 'flows', ...args, '--case', 'case'], {
    cwd: work.root,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, COLUMNS: '100' },
  })
  let [lines, kibibytes] = [0, 0]
  child.stdout.on('data', (piece: Buffer) => {
    for (const byte of piece) if (byte === 10) lines++
  })
  const timer = setInterval(() => {
    try {
      const [, text = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
      kibibytes = Math.max(kibibytes, Number(text))
    } catch {
      // It has ended.
    }
  }, 20)
  const status = await new Promise(resolve => child.on('close', resolve))
  clearInterval(timer)
  assert.equal(status, 0)
  return { lines, mebibytes: kibibytes / 1024 }
}

for (const form of ['--csv', '--ndjson', '--json', '-q']) {
  test(`every record of ${records} in less than 300 MiB, with ${form}`, { skip }, async () => {
    const { lines, mebibytes } = await peak(['-n', '0', form])
    assert.ok(lines >= records, String(lines))
    assert.ok(mebibytes < 300, `${mebibytes} MiB`)
  })
}

test('a reader that has had enough ends it quietly and at once, and is no failure', { skip }, () => {
  const script = (what: string): string => `${process.execPath} ${cliEntry} flows --case case ${what}`
  const run = (text: string) => spawnSync('bash', ['-c', text], { cwd: work.root, encoding: 'utf8' })
  for (const form of ['--ndjson', '--csv', '-n 0', '--json -n 0']) {
    const { stdout, stderr } = run(`${script(form)} | head -2; echo \${PIPESTATUS[0]}`)
    assert.deepEqual([stdout.trimEnd().split('\n').at(-1), stderr], ['0', ''], form)
  }
  const begun = process.hrtime.bigint()
  run(`${script('--ndjson')} | head -2`)
  const first = process.hrtime.bigint()
  run(`${script('--ndjson')} > /dev/null`)
  assert.ok((first - begun) * 2n < process.hrtime.bigint() - first)
})
