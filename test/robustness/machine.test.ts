import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { cliEntry } from '../repo.ts'
import { folderFor, logOf } from './support.ts'

/** A folder with a log, plain and packed, and a case of it. */
function prepared(t: TestContext): string {
  const root = folderFor(t)
  writeFileSync(join(root, 'a.log'), logOf(2000))
  writeFileSync(join(root, 'a.log.gz'), gzipSync(logOf(2000)))
  assert.equal(run(root, '', ['add', 'a.log', '--case', 'case']).status, 0)
  return root
}

/** Runs the command line in a shell that has done `before`. */
function run(
  root: string,
  before: string,
  args: string[],
  after = '',
  env: Record<string, string> = {},
): { status: number | null; stdout: string; stderr: string } {
  const words = [process.execPath, cliEntry, ...args].map(word => `'${word}'`).join(' ')
  const shell = `${before === '' ? '' : `${before}; `}exec ${words} ${after}`
  return spawnSync('bash', ['-c', shell], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 60_000,
    maxBuffer: 1 << 26, // 64 MiB
  })
}

const question = ['investigate', '198.51.100.1', 'a.log.gz']

interface Refusal {
  what: string
  before?: string
  args: string[]
  after?: string
  env?: Record<string, string>
  says: RegExp
}

const refusals: Refusal[] = [
  {
    what: 'no temporary folder',
    args: question,
    env: { TMPDIR: '/nonexistent' },
    says: /temporary folder: \/nonexistent/,
  },
  { what: 'a file for a temporary folder', args: question, env: { TMPDIR: '/dev/null' }, says: /temporary folder/ },
  {
    what: 'a working folder that is gone',
    before: 'mkdir gone; cd gone; rmdir ../gone',
    args: ['add', '../a.log', '--case', 'x'],
    says: /no such|working folder no longer exists|does not exist/,
  },
  { what: 'small files only', before: 'ulimit -f 1', args: question, says: /larger than is allowed/ },
  { what: 'few open files', before: 'ulimit -n 48', args: question, says: /too many open files/ },
  { what: 'little address space', before: 'ulimit -v 1500000', args: question, says: /ulimit -v/ },
  {
    what: 'a full device for a page',
    args: ['evidence', '--case', 'case'],
    after: '>/dev/full',
    says: /standard output: no space/,
  },
  { what: 'a full device for the help', args: ['--help'], after: '>/dev/full', says: /standard output: no space/ },
  { what: 'output that cannot be written', args: ['--version'], after: '1</dev/null', says: /standard output/ },
  { what: 'a demo too small', args: ['demo', '--records', '5', '--out', 'demo'], says: /records must be/ },
  {
    what: 'a demo over something else',
    args: ['demo', '--generate-only', '--out', 'other'],
    says: /not a reconstruction/,
  },
]

test('what the machine or its user causes is never told as a bug', { skip: !existsSync('/dev/full') }, t => {
  const root = prepared(t)
  mkdirSync(join(root, 'other', '20230928'), { recursive: true })
  writeFileSync(join(root, 'other', '20230928', 'notes'), 'mine')
  for (const { what, before = '', args, after, env, says } of refusals) {
    const { status, stderr } = run(root, before, args, after, env)
    assert.ok(status === 1 || status === 2, `${what}: ${status} ${stderr}`)
    assert.match(stderr, says, what)
    assert.doesNotMatch(stderr, /bug in Tidemark|\n +at /, what)
  }
})

test('the same figures where WebAssembly cannot be had', t => {
  const root = prepared(t)
  const args = ['investigate', '198.51.100.1', '--json', 'a.log.gz']
  const figures = (before: string, env: Record<string, string> = {}): unknown => {
    const { status, stdout, stderr } = run(root, before, args, '', env)
    assert.equal(status, 0, stderr)
    const { records, bytes, packets, ports, services } = JSON.parse(stdout)
    return { records, bytes, packets, ports, services }
  }
  const usual = figures('')
  assert.deepEqual(figures('ulimit -v 4000000'), usual)
  assert.deepEqual(figures('', { NODE_OPTIONS: '--jitless' }), usual)
})

test('a case that only another may write is asked all the same', t => {
  if (process.getuid?.() !== 0) return t.skip('only root can become somebody else')
  const root = prepared(t)
  chmodSync(root, 0o755)
  const nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups'
  const asNobody = (args: string[]): ReturnType<typeof run> =>
    run(root, `exec ${nobody} "${process.execPath}" "${cliEntry}" ${args.join(' ')}`, [])
  for (const args of [
    ['investigate', '198.51.100.1'],
    ['flows', '--limit', '1'],
    ['sql', "'SELECT 1'"],
    ['evidence'],
  ]) {
    const { status, stderr } = asNobody([...args, '--case', 'case'])
    assert.equal(status, 0, `${args}: ${stderr}`)
  }
  const adding = asNobody(['add', 'a.log.gz', '--case', 'case'])
  assert.equal(adding.status, 1)
  assert.match(adding.stderr, /the case cannot be written/)
  cpSync(join(root, 'case'), join(root, 'secret', 'case'), { recursive: true })
  chmodSync(join(root, 'secret'), 0o700)
  for (const args of [['investigate', '198.51.100.1'], ['flows'], ['sql', "'SELECT 1'"], ['evidence'], ['verify']]) {
    const { status, stderr } = asNobody([...args, '--case', 'secret/case'])
    assert.equal(status, 1, `${args}: ${stderr}`)
    assert.match(stderr, /permission|cannot be read/, String(args))
  }
})

test('a width that no screen has makes no page without end', t => {
  const root = prepared(t)
  for (const COLUMNS of ['1000000000', '1e9', '0', '-5', 'wide']) {
    const { status, stdout } = run(root, '', ['evidence', '--case', 'case'], '', { COLUMNS })
    assert.equal(status, 0, COLUMNS)
    assert.ok(
      stdout.split('\n').every(line => line.length <= 500),
      COLUMNS,
    )
  }
})

test('a folder of the demo whose account is no account is written again', t => {
  const root = folderFor(t)
  const account = join(root, 'demo', 'ground-truth.json')
  const demo = ['demo', '--generate-only', '--records', '1000', '--out', 'demo']
  assert.equal(run(root, '', demo).status, 0)
  const written = readFileSync(account, 'utf8')
  for (const text of ['null', '{}', '[', '{"capture":{}}']) {
    writeFileSync(account, text)
    const { status, stderr } = run(root, '', demo)
    assert.equal(status, 0, `${text}: ${stderr}`)
    assert.equal(readFileSync(account, 'utf8'), written, text)
  }
})
