// Compiles sources and tests to build/ and runs the tests there.
//
//   npm test                 everything, after the checks
//   node scripts/test.mjs net cli/help     files whose path holds one of the words
//   node scripts/test.mjs -u               rewrites the golden files
//   node scripts/test.mjs --all            with as many random inputs as before a release
//   node scripts/test.mjs --built          what is in build/, without compiling
//   node scripts/test.mjs --one-by-one     one file at a time
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bundleUi } from './ui.mjs'
import { compileWasm } from './wasm.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const args = process.argv.slice(2)
const updates = args.some(arg => arg === '-u' || arg === '--update')
const all = args.includes('--all')
const known = ['-u', '--update', '--all', '--built', '--one-by-one']
const unknown = args.filter(arg => arg.startsWith('-') && !known.includes(arg))
const words = args.filter(arg => !arg.startsWith('-'))
if (unknown.length > 0) fail(2, `unknown option ${unknown[0]}: ${known.join(', ')} or words of file names`)

/** How many random inputs of each kind there are with --all, and which other versions of Node, by the names that the tests read, without TIDEMARK_. */
const many = {
  MUTATIONS: 60_000,
  PARQUET_MUTATIONS: 400,
  FAST_LINES: 3000,
  GUNZIP_MUTATIONS: 30_000,
  PACKED_MUTATIONS: 20_000,
  WITHIN_MUTATIONS: 20_000,
  TABLE_MUTATIONS: 50_000,
  ARCHIVE_MUTATIONS: 4000,
  NFCAPD_MUTATIONS: 30_000,
  KILLS: 50,
  BITFLIPS: 2000,
  FAILPOINTS: 0,
  ORACLE_FOLDERS: 200,
  RECORD_FOLDERS: 100,
  ROW_QUESTIONS: 333,
  INDEX_FLIPS: 500,
  MORE_EVIDENCE_FOLDERS: 100,
  REMOVED_FOLDERS: 60,
  ROLE_FOLDERS: 25,
  WHOLE_FOLDERS: 20,
  PART_FOLDERS: 60,
  FILTERS: 5000,
  STATEMENTS: 1000,
  EXPORTS: 4000,
  NODES: '20.19.0 latest',
  FLIPS: 1000,
  CACHE_FLIPS: 60,
  OVERVIEW_FOLDERS: 40,
  VIEWS: 1000,
  TIMELINE_FLIPS: 500,
  RULE_SETS: 100_000,
  RULE_MUTATIONS: 50_000,
  CODE_SETS: 125,
  PULL_FOLDERS: 20,
  SIEVE_FOLDERS: 20,
  WATCH_OBJECTS: 10_000,
  WATCH_KILLS: 100,
  // One in so many: all of them.
  CUT_STEP: 1,
}

const compiled = args.includes('--built') || compile()
if (!args.includes('--built')) {
  await compileWasm(join(root, 'build', 'src'))
  await bundleUi(join(root, 'build', 'src'))
}
// A file that someone is in the middle of must not keep the others from running the test they ask for.
if (!compiled && words.length === 0) fail(1, 'does not compile')
const files = testFiles()
if (files.length === 0) fail(1, words.length > 0 ? `no test file is named like ${words.join(' or ')}` : 'no test files')
const lab = await makeLab(files)
const status = runTests(files)
if (lab !== null) rmSync(lab, { recursive: true, force: true })
process.exit(compiled ? status : status || 1)

function compile() {
  removeStale()
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: root, stdio: 'inherit' })
  const entry = join(root, 'build', 'src', 'cli', 'main.js')
  if (existsSync(entry)) chmodSync(entry, 0o755)
  return status === 0
}

/** Removes what was built from a source that is gone, so that no test of the past runs. */
function removeStale() {
  const build = join(root, 'build')
  if (!existsSync(build)) return
  for (const name of readdirSync(build, { recursive: true })) {
    const source = name.replace(/(\.d\.ts|\.js)$/, '.ts')
    // The page is one file of many sources; who bundles it removes what is old.
    if (/^src[\\/]ui[\\/]/.test(name)) continue
    if (source !== name && !existsSync(join(root, source))) rmSync(join(build, name))
  }
}

function testFiles() {
  const folder = join(root, 'build', 'test')
  if (!existsSync(folder)) return []
  return (
    readdirSync(folder, { recursive: true })
      .filter(name => name.endsWith('.test.js'))
      .filter(name => words.length === 0 || words.some(word => `test/${name}`.replace(/\.js$/, '.ts').includes(word)))
      .sort()
      // Those of watch wait for most of their time: others run beside them, and nobody waits for them at the end.
      .sort((a, b) => Number(isOfWatch(b)) - Number(isOfWatch(a)))
      .map(name => join(folder, name))
  )
}

function isOfWatch(name) {
  return /^watch[\\/]/.test(name)
}

/** The reconstruction of the lab, once for all files that copy it (test/demo/lab-copy.ts); null where fewer than two do. */
async function makeLab(paths) {
  const users = paths.filter(path => readFileSync(path, 'utf8').includes('/lab-copy.js'))
  if (users.length < 2) return null
  const { writeLab } = await import(pathToFileURL(join(root, 'build', 'src', 'demo', 'lab.js')).href)
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-lab-'))
  await writeLab(join(folder, 'demo'))
  return folder
}

function runTests(paths) {
  const env = { ...process.env, TZ: 'UTC', LC_ALL: 'C', ...(updates && { UPDATE_GOLDEN: '1' }) }
  delete env.TIDEMARK_LAB
  if (lab !== null) env.TIDEMARK_LAB = join(lab, 'demo')
  // A variable that is set decides for itself.
  for (const [name, count] of all ? Object.entries(many) : []) env[`TIDEMARK_${name}`] ??= String(count)
  // What the shell of the developer says about colours and cases is not to decide a test.
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'TIDEMARK_CASE', 'NODE_OPTIONS', 'NODE_TEST_CONTEXT']) delete env[name]
  const times = join(mkdtempSync(join(tmpdir(), 'tidemark-tests-')), 'cpu')
  env.TIDEMARK_TEST_CPU = times
  const noting = pathToFileURL(join(root, 'scripts', 'test-cpu.mjs')).href
  // One more than there are cores: many files wait for servers, browsers and clocks.
  const atOnce = args.includes('--one-by-one') ? 1 : availableParallelism() + 1
  const options = ['--test', '--test-reporter=spec', `--test-concurrency=${atOnce}`, '--import', noting]
  const { status } = spawnSync(process.execPath, [...options, ...paths], { cwd: root, env, stdio: 'inherit' })
  if (existsSync(times)) printSlowest(readFileSync(times, 'utf8'))
  rmSync(dirname(times), { recursive: true, force: true })
  return status ?? 1
}

/** The ten files that took the most CPU, with the processes that they waited for, and all of them together. */
function printSlowest(text) {
  const files = text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
    .sort((a, b) => b.seconds - a.seconds)
  const all = files.reduce((sum, one) => sum + one.seconds, 0)
  const lines = files
    .slice(0, 10)
    .map(one => `${one.seconds.toFixed(1).padStart(7)}  ${relative(join(root, 'build'), one.file)}`)
  process.stdout.write(
    `CPU seconds, user and system: ${all.toFixed(0)} in ${files.length} files\n${lines.join('\n')}\n`,
  )
}

function fail(status, message) {
  process.stderr.write(`test: ${message}\n`)
  process.exit(status)
}
