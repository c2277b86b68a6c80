/** The package as users get it: packed, installed into an empty folder, and run there by this Node and by others. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { repoRoot } from './repo.ts'

const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
const isBuilt = existsSync(join(repoRoot, 'dist', 'cli', 'main.js'))
const isThere = isBuilt && npm(tmpdir(), 'ping', '--fetch-retries=0', '--fetch-timeout=5000').status === 0
const needs = { skip: isThere ? false : isBuilt ? 'no registry of packages' : 'no dist/' }
/** Beside this Node: versions of the package `node`, oldest and current with `npm run test:all`. */
const others = (process.env['TIDEMARK_NODES'] ?? '').split(' ').filter(version => version !== '')
let root: string

function npm(folder: string, ...args: string[]): { status: number | null; said: string } {
  const env = { ...process.env, npm_config_update_notifier: 'false' }
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', env })
  return { status, said: `${stdout}${stderr}` }
}

function installed(name: string, what: string): string {
  const folder = join(root, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}')
  const { status, said } = npm(folder, 'install', ...quiet, what)
  assert.equal(status, 0, said)
  return folder
}

before(() => {
  root = mkdtempSync(join(tmpdir(), 'tidemark-package-'))
  if (needs.skip !== false) return
  const { status, said } = npm(repoRoot, 'pack', '--ignore-scripts', '--pack-destination', root, '--loglevel=error')
  assert.equal(status, 0, said)
  const tarball = readdirSync(root).find(name => name.endsWith('.tgz'))!
  installed('empty', join(root, tarball))
  const header = 'version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action'
  const line = '2 eni-1 10.0.0.5 203.0.113.9 50000 443 6 10 1000 1700000000 1700000060 ACCEPT'
  writeFileSync(join(root, 'a.log'), `${header}\n${line}\n`)
})
after(() => rmSync(root, { recursive: true, force: true }))

/** What a Node prints that runs a script of the installed package, or a text. */
function run(node: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(node, args, { cwd: join(root, 'empty'), encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}

function works(node: string, name: string): void {
  const entry = join(root, 'empty', 'node_modules', 'tidemark', 'dist', 'cli', 'main.js')
  assert.match(run(node, entry, '--version'), /^\d+\.\d+\.\d+\n$/)
  const dir = join(root, `case-${name}`)
  run(node, entry, 'add', join(root, 'a.log'), '--case', dir)
  const dossier = JSON.parse(run(node, entry, 'investigate', '203.0.113.9', '--case', dir, '--json'))
  assert.equal(dossier.services[0].server_port ?? dossier.services[0].port, 443)
  assert.match(
    run(node, entry, 'sql', 'SELECT sum(bytes) AS b FROM flows', '--csv', '--case', dir),
    /^b\r?\n1000\r?\n$/,
  )
  assert.match(run(node, entry, 'help', 'filter'), /^The filter language$/m)
  const script = `import { openCase, queryFlows } from 'tidemark'
    const c = await openCase(${JSON.stringify(dir)})
    for await (const row of (await queryFlows(c, { stat: { element: 'dstip' } })).rows()) console.log(row.dstaddr)
    await c.close()`
  assert.equal(run(node, '--input-type=module', '-e', script), '203.0.113.9\n')
}

test('the installed package answers, without anything of the checkout', needs, () => {
  works(process.execPath, 'own')
  const own = join(root, 'empty', 'node_modules', 'tidemark')
  assert.deepEqual(readdirSync(own).sort(), [
    ...['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'examples', 'man', 'package.json'],
  ])
  const bin = spawnSync(join(root, 'empty', 'node_modules', '.bin', 'tidemark'), ['--version'], { encoding: 'utf8' })
  assert.equal(bin.status, 0)
})

for (const version of others) {
  test(`the installed package answers with Node ${version}`, needs, () => {
    const folder = installed(`node-${version}`, `node@${version}`)
    works(join(folder, 'node_modules', 'node', 'bin', 'node'), version)
  })
}
