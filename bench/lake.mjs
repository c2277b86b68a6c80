// Trino's rows a second and core over the logs as they lie and over a pushed case, with one worker and with two, each pinned to a core,
// beside `tidemark flows` on the case.
//
//   node bench/lake.mjs --logs FOLDER --case CASE     the same records; made by bench/flow-logs.mjs
//
// Needs what npm run test:lake needs. Prints the best of some runs: seconds of wall time, Trino's own processor time, rows a second of the latter.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { ddlOf } from '../dist/lake/ddl.js'
import { findLayouts } from '../dist/lake/layouts.js'
import { folderPlace } from '../dist/lake/places.js'
import { pushCase } from '../dist/lake/push.js'
import { pushedDdl } from '../dist/lake/pushed-table.js'
import { openCase } from '../dist/store/case.js'
import { least } from './measured.mjs'

const { values } = parseArgs({
  options: {
    logs: { type: 'string' },
    case: { type: 'string' },
    runs: { type: 'string', default: '3' },
    workers: { type: 'string', default: '1,2' },
  },
})
const print = text => process.stdout.write(`${text}\n`)
const runs = Number(values.runs)

/** What an investigation asks first: a filter, and the greatest of a group. */
const questions = [
  ['filter', 'SELECT count(*), sum(bytes) FROM TABLE WHERE dstport = 22', 'port 22'],
  [
    'groups',
    'SELECT dstaddr, sum(bytes) AS b FROM TABLE GROUP BY dstaddr ORDER BY b DESC LIMIT 10',
    '-s dstip/bytes -n 10',
  ],
]

for (const workers of values.workers.split(',')) await withCluster(Number(workers), lake => measure(lake, workers))
for (const [name, , args] of questions) {
  const words = name === 'filter' ? [args, '-A', 'dstport'] : args.split(' ')
  const argv = [process.execPath, 'dist/cli/main.js', 'flows', ...words, '--raw', '--case', values.case]
  const { wall, cpu } = await least(argv, { runs })
  print(`tidemark flows, ${name}: ${wall.toFixed(2)} s (${cpu.toFixed(2)} s of processor time)`)
}

async function measure(lake, workers) {
  const logs = join(lake.lake, 'logs')
  mkdirSync(logs)
  for (const name of readdirSync(values.logs, { recursive: true }))
    if (name.endsWith('.log.gz')) symlinkSync(resolve(values.logs, name), join(logs, name.replace(/^.*\//, '')))
  await ask(lake, 'CREATE SCHEMA hive.bench')
  const place = { engine: 'trino', location: 'local:///logs', table: ['hive', 'bench', 'text'] }
  for (const sql of ddlOf(await findLayouts((await folderPlace(logs)).files), place)) await ask(lake, sql)
  const c = await openCase(values.case)
  const { columns } = await pushCase(c, { to: join(lake.lake, 'pushed') })
  await c.close()
  for (const sql of pushedDdl('trino', ['hive', 'bench', 'parquet'], 'local:///pushed', columns)) await ask(lake, sql)
  for (const table of ['text', 'parquet']) {
    for (const [name, sql] of questions) {
      let best = null
      for (let i = 0; i <= runs; i++) {
        const stats = await ask(lake, sql.replace('TABLE', `hive.bench.${table}`))
        // The first run is for Java to compile.
        if (i > 0 && (best === null || stats.elapsedTimeMillis < best.elapsedTimeMillis)) best = stats
      }
      const { processedRows, elapsedTimeMillis, cpuTimeMillis, physicalInputBytes } = best
      print(
        `${workers} workers, ${table}, ${name}: ${(elapsedTimeMillis / 1000).toFixed(2)} s (${(cpuTimeMillis / 1000).toFixed(2)} s of processor time), ${processedRows} rows, ${(physicalInputBytes / 1e6).toFixed(1)} MB read, ${Math.round(processedRows / (cpuTimeMillis / 1000) / 1000)} thousand rows/s a core`,
      )
    }
  }
  print(`pushed files: ${(bytesOf(join(lake.lake, 'pushed')) / 1e6).toFixed(1)} MB`)
}

function bytesOf(folder) {
  const files = readdirSync(folder, { recursive: true }).filter(name => name.endsWith('.parquet'))
  return files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

/** Runs work on a cluster of its own: the coordinator may use every core, each worker one. */
async function withCluster(workers, work) {
  const cores = ['0,1', ...Array.from({ length: workers }, (_, i) => String(i))].join(';')
  const args = [
    'scripts/lake/keep.mjs',
    '--with-stdin',
    '--full-speed',
    '--only',
    'trino',
    '--workers',
    String(workers),
  ]
  const keeper = spawn(process.execPath, [...args, '--cores', cores], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise(done => keeper.once('exit', done))
  try {
    const told = await Promise.race([new Promise(done => createInterface(keeper.stdout).once('line', done)), ended])
    const lake = JSON.parse(told)
    if (lake.trino === undefined) throw new Error(lake.missing.trino)
    await work(lake)
  } finally {
    keeper.stdin.end('stop')
    await ended
  }
}

async function ask(lake, sql) {
  const headers = { 'X-Trino-User': 'bench' }
  let answer = await (await fetch(`${lake.trino}/v1/statement`, { method: 'POST', headers, body: sql })).json()
  for (;;) {
    if (answer.error) throw new Error(`${sql}: ${answer.error.message}`)
    if (!answer.nextUri) return answer.stats
    answer = await (await fetch(answer.nextUri, { headers })).json()
  }
}
