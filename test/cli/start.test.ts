/** What a command loads before it answers: most of the time that a question to a small case takes. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { cliEntry } from '../repo.ts'
import { temporaryFolder, tidemark } from './run.ts'

interface Loaded {
  /** Files of Tidemark. */
  own: number
  /** Names of packages, without DuckDB's library for the platform. */
  packages: string[]
  /** Modules of the old kind that were imported: the first starts a parser in Node that looks for the names in them, 30 ms and more. */
  imported: string[]
}

/** Writes down every module: those that are imported as they are loaded, those that are required at the end. */
function preload(list: string): string {
  const hook = `import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  const loaded = await next(url, context)
  appendFileSync(${JSON.stringify(list)}, loaded.format + ' ' + url + '\\n')
  return loaded
}`
  return `import { appendFileSync } from 'node:fs'
import { createRequire, register } from 'node:module'
import { pathToFileURL } from 'node:url'
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}))
const { cache } = createRequire(import.meta.url)
process.on('exit', () => {
  for (const path of Object.keys(cache)) appendFileSync(${JSON.stringify(list)}, 'required ' + pathToFileURL(path) + '\\n')
})`
}

function loadedBy(t: TestContext, args: string[]): Loaded {
  const folder = temporaryFolder(t)
  const list = join(folder, 'loaded.txt')
  const script = join(folder, 'preload.mjs')
  writeFileSync(list, '')
  writeFileSync(script, preload(list))
  const run = tidemark(args, { env: { NODE_OPTIONS: `--import=${pathToFileURL(script)}` } })
  assert.equal(run.status, 0, run.stderr)
  const lines = readFileSync(list, 'utf8').trimEnd().split('\n')
  const urls = new Set(lines.map(text => text.slice(text.indexOf(' ') + 1)).filter(url => /^file:.*js$/.test(url)))
  const ofPackages = [...urls].filter(url => url.includes('/node_modules/'))
  const names = ofPackages.map(url => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)![1]!)
  return {
    own: urls.size - ofPackages.length,
    packages: [...new Set(names)].filter(name => !/^@duckdb\/node-bindings-|^detect-libc$/.test(name)).sort(),
    imported: lines.filter(text => text.startsWith('commonjs file:')),
  }
}

let folder = ''
const inCase = (...args: string[]): string[] => [...args, '--case', join(folder, 'case')]

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-test-'))
  const log = join(folder, 'a.log')
  writeFileSync(
    log,
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n' +
      '2 123456789012 eni-0a1b2c3d 203.0.113.7 10.0.0.5 50000 22 6 10 1000 1700000000 1700000059 ACCEPT OK\n',
  )
  assert.equal(tidemark(inCase('add', log)).status, 0)
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** At most so many files of Tidemark, and no other packages. A bound is raised for a reason only: each file takes half a millisecond. */
const bounds: { args: () => string[]; own: number; packages: string[] }[] = [
  { args: () => ['--version'], own: 5, packages: [] },
  { args: () => ['-V'], own: 5, packages: [] },
  // Those of detect that stand for themselves, the options of one’s own files, those of AWS with the names of what lies there and how often it is tried, watch’s and the lake’s, are files of their own.
  { args: () => ['--help'], own: 68, packages: ['commander', 'ipaddr.js'] },
  { args: () => ['flows', '--help'], own: 68, packages: ['commander', 'ipaddr.js'] },
  { args: () => ['completion', 'bash'], own: 74, packages: ['commander', 'ipaddr.js'] },
  {
    args: () => inCase('evidence'),
    own: 98,
    packages: ['@duckdb/node-bindings', 'commander', 'ipaddr.js', 'picocolors'],
  },
  {
    args: () => inCase('flows', 'ip 203.0.113.7', '--raw', '-A', 'proto'),
    own: 173,
    packages: ['@duckdb/node-api', '@duckdb/node-bindings', 'chevrotain', 'commander', 'ipaddr.js', 'picocolors'],
  },
]

for (const { args, own, packages } of bounds) {
  const name = args()
    .slice(0, 2)
    .join(' ')
    .replace(/ --case$/, '')
  test(`loads little to answer ${name}`, t => {
    const loaded = loadedBy(t, args())
    const others = loaded.packages.filter(name => !packages.includes(name))
    assert.deepEqual(others, [])
    assert.ok(loaded.own <= own, `${loaded.own} files of Tidemark, not ${own}`)
    assert.deepEqual(loaded.imported, [])
  })
}

test('the version that cannot be printed is told as any other text is', { skip: !existsSync('/dev/full') }, () => {
  const full = openSync('/dev/full', 'w')
  const run = spawnSync(process.execPath, [cliEntry, '--version'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  })
  closeSync(full)
  assert.equal(run.status, 1)
  assert.match(run.stderr, /^tidemark: cannot write to standard output: no space left on the device\n {2}hint: /)
})

for (const command of ['flows', 'investigate', 'add', 'evidence']) {
  test(`${command} of what lies here loads no package of AWS`, t => {
    const args: Record<string, string[]> = {
      flows: ['flows', 'ip 203.0.113.7'],
      investigate: ['investigate', '203.0.113.7'],
      add: ['add', join(folder, 'a.log')],
      evidence: ['evidence'],
    }
    const { packages } = loadedBy(t, inCase(...args[command]!))
    assert.ok(packages.includes('commander'))
    assert.deepEqual(
      packages.filter(name => /^(@aws|@smithy|proxy-agent)/.test(name)),
      [],
    )
  })
}
