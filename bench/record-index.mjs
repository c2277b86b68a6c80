// The record index of a case beside `zcat *.gz | wc -l` over the evidence that it was made of.
//
//   node bench/record-index.mjs --records 20000000 --dir DIR      the case is DIR/records-N/case, made if it is not there
//   node bench/record-index.mjs --case DIR [--logs FOLDER]        a case that is there; its cache is removed
//
// Prints CPU seconds (user and system, children included), wall seconds and the most memory that was resident; it judges nothing.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeScaled } from '../dist/demo/scale.js'
import { addEvidence } from '../dist/ingest/add.js'
import { withRecordIndex } from '../dist/record-index/kept.js'
import { openCase } from '../dist/store/case.js'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '2000000' },
    dir: { type: 'string', default: join(tmpdir(), 'tidemark-bench') },
    case: { type: 'string' },
    logs: { type: 'string' },
    step: { type: 'string' },
  },
})
const print = text => process.stdout.write(`${text}\n`)
const all = [
  ...['source', 'destination', 'sourceSeen', 'destinationSeen', 'sourcePort', 'destinationPort', 'protocol'],
  ...['tcpFlags', 'icmpType', 'action', 'packets', 'bytes', 'start_us', 'end_us', 'vantage', 'known', 'file', 'line'],
]
/** What a step does with the index; building is part of the first one that needs it. */
const steps = {
  build: async index => index.rows,
  'read all columns': async index => await sum(index, all),
  'read start and bytes': async index => await sum(index, ['start_us', 'bytes']),
}

async function sum(index, columns) {
  let rows = 0
  for await (const block of index.blocks(columns)) rows += block.rows
  return rows
}

if (values.step !== undefined) await step(values.step)
else await main()

/** In a process of its own, so that its memory is its own. */
async function step(name) {
  const c = await openCase(values.case)
  const before = process.cpuUsage()
  const started = performance.now()
  const rows = await withRecordIndex(c, c.source, steps[name])
  const { user, system } = process.cpuUsage(before)
  const wall = (performance.now() - started) / 1000
  await c.close()
  print(JSON.stringify({ rows, cpu: (user + system) / 1e6, wall, mib: process.resourceUsage().maxRSS / 1024 }))
}

async function main() {
  const { folder, caseDir } = await evidence()
  rmSync(join(caseDir, 'cache'), { recursive: true, force: true })
  print(`${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}; ${caseDir}`)
  const me = fileURLToPath(import.meta.url)
  for (const name of Object.keys(steps)) {
    const { stdout, stderr, status } = spawnSync(process.execPath, [me, '--step', name, '--case', caseDir], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
    const { rows, cpu, wall, mib } = JSON.parse(stdout)
    print(line(`${name}, ${rows.toLocaleString('en-US')} records`, cpu, wall, `${mib.toFixed(0)} MiB`))
  }
  const cache = join(caseDir, 'cache')
  for (const name of readdirSync(cache))
    print(`  ${(statSync(join(cache, name)).size / 2 ** 20).toFixed(0)} MiB  ${name}`)
  if (folder === null) return
  // Read once before, so that all find it in the page cache.
  spawnSync('sh', ['-c', `cat ${quoted(folder)}/*.gz > /dev/null`])
  const { cpu, wall } = timed(`zcat ${quoted(folder)}/*.gz | wc -l`)
  print(line('zcat *.gz | wc -l', cpu, wall, ''))
}

async function evidence() {
  if (values.case !== undefined) return { folder: values.logs ?? null, caseDir: values.case }
  const dir = join(values.dir, `records-${values.records}`)
  if (!existsSync(join(dir, 'ground-truth.json'))) await writeScaled(dir, { records: Number(values.records) })
  const name = readdirSync(dir, { withFileTypes: true }).find(
    entry => entry.isDirectory() && /^\d{8}$/.test(entry.name),
  ).name
  const caseDir = join(dir, 'case')
  if (!existsSync(join(caseDir, 'ledger.jsonl'))) await addEvidence({ case: caseDir, paths: [join(dir, name)] })
  return { folder: join(dir, name), caseDir }
}

function quoted(path) {
  return `'${path.replaceAll("'", "'\\''")}'`
}

/** Seconds of a shell command, its children included, by the shell itself. */
function timed(command) {
  const script = `TIMEFORMAT='%U %S %R'; time { ${command} > /dev/null; }`
  const { stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
  const [user, system, wall] = stderr.trim().split('\n').at(-1).split(' ').map(Number)
  return { cpu: user + system, wall }
}

function line(name, cpu, wall, more) {
  return `  ${name.padEnd(40)} ${cpu.toFixed(2).padStart(7)} CPU s ${wall.toFixed(2).padStart(7)} s  ${more}`
}
