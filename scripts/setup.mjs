// Makes a checkout ready to run: installs what package-lock.json asks for and builds dist/ where it is out of
// date. Says nothing when there is nothing to do. `--build` builds in any case.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleUi } from './ui.mjs'
import { compileWasm } from './wasm.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (...parts) => join(root, ...parts)
const entry = at('dist', 'cli', 'main.js')

/**
 * Whether a package of the lock file is not installed in its locked version. Contents are compared, as a fresh
 * clone or a copied folder has arbitrary times; npm keeps its own account in node_modules/.package-lock.json.
 */
function installIsStale() {
  const account = at('node_modules', '.package-lock.json')
  if (!existsSync(account)) return true
  const wanted = Object.entries(packagesOf(at('package-lock.json')))
  const installed = packagesOf(account)
  return wanted.some(([path, { version, optional }]) => {
    if (path === '') return false
    const found = installed[path]
    // Optional packages are for other platforms, or did not install; npm ci would not change that.
    return found === undefined ? optional !== true : found.version !== version || !existsSync(at(path))
  })
}

function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages ?? {}
}

/** Whether a source is newer than the oldest built file. Folders count: their time tells of removed files. */
function buildIsStale() {
  if (!existsSync(entry)) return true
  const sources = [
    at('src'),
    ...entriesOf(at('src')),
    at('tsconfig.json'),
    at('tsconfig.build.json'),
    at('package-lock.json'),
  ]
  const built = entriesOf(at('dist')).filter(path => path.endsWith('.js'))
  const times = paths => paths.map(path => statSync(path).mtimeMs)
  return times(sources).reduce((a, b) => Math.max(a, b)) > times(built).reduce((a, b) => Math.min(a, b))
}

function entriesOf(folder) {
  return readdirSync(folder, { recursive: true }).map(name => join(folder, name))
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

function install() {
  process.stderr.write('installing packages…\n')
  // Within `npm run`, npm says which npm it is; outside, on Windows, npm is a script that needs a shell.
  const npm = process.env.npm_execpath
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  if (npm?.endsWith('.js')) run(process.execPath, [npm, ...args])
  else run('npm', args, { shell: process.platform === 'win32' })
}

async function build() {
  process.stderr.write('building…\n')
  // A stale file of a source that is gone would stay in the package.
  rmSync(at('dist'), { recursive: true, force: true })
  run(process.execPath, [
    at('node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    'tsconfig.build.json',
    '--noEmitOnError',
  ])
  // The page is written for browsers, with another library of types.
  run(process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'src/ui/tsconfig.json'])
  await compileWasm(at('dist'))
  await bundleUi(at('dist'))
  chmodSync(entry, 0o755)
}

if (installIsStale()) install()
if (process.argv.includes('--build') || buildIsStale()) await build()
