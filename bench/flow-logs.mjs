// Flow logs: `add`, `investigate` and `detect` beside zcat, DuckDB's read_csv and zgrep, on the same files, in one run.
//
//   npm run bench                          2 and 20 million records, and the lab's own files
//   npm run bench -- --records 100000000   another size (the data is kept in --dir, by default the system's temporary folder)
//
// Prints seconds, ratios and peak memory; it judges nothing and never fails for a slow machine. Each peer is run after the files were read
// once, so all find them in the page cache.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writeLab } from '../dist/demo/lab.js'
import { writeScaled } from '../dist/demo/scale.js'

const attacker = '20.106.124.93'
const { values } = parseArgs({
  options: {
    records: { type: 'string', multiple: true, default: ['2000000', '20000000'] },
    dir: { type: 'string', default: join(tmpdir(), 'tidemark-bench') },
    only: { type: 'string', multiple: true },
  },
})
const tidemark = [process.execPath, 'dist/cli/main.js']
const print = text => process.stdout.write(`${text}\n`)
const wanted = name => values.only === undefined || values.only.includes(name)

/** Runs a command, its output read and thrown away but for the last line; seconds of wall time and the peak memory of the largest process. */
function run(argv, options = {}) {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'pipe', 'inherit'], ...options })
    let peak = 0
    const watch = setInterval(() => {
      try {
        peak = Math.max(
          peak,
          Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0),
        )
      } catch {
        // It has just ended, or this system has no /proc.
      }
    }, 50)
    let tail = ''
    child.stdout.on('data', piece => {
      tail = (tail + piece).slice(-400)
    })
    child.on('error', reject)
    child.on('close', code => {
      clearInterval(watch)
      resolve({
        seconds: (performance.now() - started) / 1000,
        peak_mb: peak / 1024,
        code,
        tail: tail.trim().split('\n').at(-1),
      })
    })
  })
}

const shell = text => run(['sh', '-c', text])

async function best(times, work) {
  let result = await work()
  for (let i = 1; i < times; i++) {
    const again = await work()
    if (again.seconds < result.seconds) result = again
  }
  return result
}

function row(name, result, extra = '') {
  print(`  ${name.padEnd(44)} ${result.seconds.toFixed(2).padStart(8)} s  ${extra}`)
}

function logsIn(dir) {
  return join(
    dir,
    readdirSync(dir, { withFileTypes: true }).find(entry => entry.isDirectory() && /^\d{8}$/.test(entry.name)).name,
  )
}

async function scaled(records) {
  const dir = join(values.dir, `records-${records}`)
  if (!existsSync(join(dir, 'ground-truth.json'))) {
    print(`writing ${records.toLocaleString('en-US')} records to ${dir} …`)
    await writeScaled(dir, { records })
  }
  const logs = logsIn(dir)
  const files = readdirSync(logs).length
  print(`\n${records.toLocaleString('en-US')} records in ${files} files`)
  const caseDir = join(dir, 'case')
  const once = records > 30_000_000 ? 1 : 2
  const zcat = await best(once, () => shell(`zcat '${logs}'/*.gz | wc -l`))
  row('zcat *.gz | wc -l', zcat, zcat.tail)
  let csv = null
  if (wanted('read_csv') && records <= 30_000_000) {
    const database = join(dir, 'csv.duckdb')
    csv = await best(1, () => {
      rmSync(database, { force: true })
      return run([process.execPath, 'bench/read-csv.mjs', database, `${logs}/*.gz`])
    })
    rmSync(database, { force: true })
    row('DuckDB read_csv into a table', csv, csv.tail)
  }
  const add = await best(once, () => {
    rmSync(caseDir, { recursive: true, force: true })
    return run([...tidemark, 'add', logs, '--case', caseDir, '--json'])
  })
  const ratios = [
    `${(add.seconds / zcat.seconds).toFixed(2)} of zcat`,
    ...(csv ? [`${(add.seconds / csv.seconds).toFixed(2)} of read_csv`] : []),
  ]
  row('tidemark add', add, `${ratios.join(', ')}; peak ${add.peak_mb.toFixed(0)} MiB; exit ${add.code}`)
  const investigate = await best(2, () => run([...tidemark, 'investigate', attacker, '--case', caseDir, '--json']))
  let zgrep = null
  if (wanted('zgrep') && records <= 30_000_000) {
    zgrep = await shell(`zgrep ${attacker} '${logs}'/*.gz | wc -l`)
    row('zgrep ADDR | wc -l', zgrep, zgrep.tail)
  }
  row(
    'tidemark investigate',
    investigate,
    `${zgrep ? `${(investigate.seconds / zgrep.seconds).toFixed(3)} of zgrep; ` : ''}peak ${investigate.peak_mb.toFixed(0)} MiB; exit ${investigate.code}`,
  )
  if (wanted('detect')) {
    const { status } = spawnSync(process.execPath, ['bench/detect.mjs', logs, '--case', caseDir], { stdio: 'inherit' })
    if (status !== 0) print(`bench/detect.mjs ended with ${status}`)
  }
  if (wanted('controls')) {
    const bench = ['bench/controls.mjs', logs, attacker, '--case', caseDir]
    const { status } = spawnSync(process.execPath, bench, { stdio: 'inherit' })
    if (status !== 0) print(`bench/controls.mjs ended with ${status}`)
  }
  return { records, add: add.seconds, investigate: investigate.seconds }
}

async function lab() {
  const dir = join(values.dir, 'lab')
  if (!existsSync(join(dir, 'ground-truth.json'))) await writeLab(dir, {})
  const logs = logsIn(dir)
  print("\nthe lab's 579 files, from PATHs to dossier")
  const zgrep = await best(3, () => shell(`zgrep ${attacker} '${logs}'/*.gz | wc -l`))
  row('zgrep ADDR | wc -l', zgrep, zgrep.tail)
  const dossier = await best(3, () => run([...tidemark, 'investigate', attacker, logs, '--json']))
  row(
    'tidemark investigate ADDR PATH',
    dossier,
    `${(dossier.seconds / zgrep.seconds).toFixed(2)} of zgrep; exit ${dossier.code}`,
  )
}

print(
  `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`,
)
mkdirSync(values.dir, { recursive: true })
if (wanted('lab')) await lab()
const results = []
for (const records of values.records) results.push(await scaled(Number(records)))
for (const [i, later] of results.entries()) {
  const before = results[i - 1]
  if (!before) continue
  print(
    `\nfrom ${before.records.toLocaleString('en-US')} to ${later.records.toLocaleString('en-US')} records (${later.records / before.records} times): add ${(later.add / before.add).toFixed(1)} times, investigate ${(later.investigate / before.investigate).toFixed(1)} times`,
  )
}
