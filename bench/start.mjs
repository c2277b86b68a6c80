// How long a command takes to start: `node -e 0` beside commands that have little to do, in turn, many times.
//
//   node bench/start.mjs --runs 21
//   node bench/start.mjs --case DIR --filter 'ip 203.0.113.7'      a case that is there, instead of a small one made for this
//   node bench/start.mjs --entry OTHER/dist/cli/main.js           another build beside this one, in the same turns
//
// Prints milliseconds of processor time (of the whole process, threads too) and of wall time, least and median, and ratios to `node -e 0`; it
// judges nothing. On a busy machine only the least of the processor time tells something.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '21' },
    case: { type: 'string' },
    filter: { type: 'string', default: 'ip 20.106.124.93' },
    entry: { type: 'string', multiple: true, default: [] },
  },
})
const print = text => process.stdout.write(`${text}\n`)
const own = resolve('dist/cli/main.js')

/** Node tells nothing of the processor time of a child; bash does, in milliseconds. */
const bash = `TIMEFORMAT='%3R %3U %3S'; time "$@" > /dev/null 2> /dev/null`

/** Milliseconds of a run. */
function measured(argv) {
  const { stderr, error } = spawnSync('bash', ['-c', bash, 'bash', ...argv], { encoding: 'utf8' })
  if (error) throw error
  const [wall, user, system] = stderr
    .trim()
    .split(/\s+/)
    .map(seconds => Number(seconds) * 1000)
  return { wall, cpu: user + system }
}

function made(folder) {
  const run = args => {
    const { status, stderr } = spawnSync(process.execPath, [own, ...args], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  }
  run(['demo', '--generate-only', '--out', join(folder, 'logs'), '--records', '50000', '--files', '500'])
  run(['add', '--case', join(folder, 'case'), join(folder, 'logs')])
  return join(folder, 'case')
}

function commandsOf(entry, caseDir) {
  const tidemark = (...args) => [process.execPath, entry, ...args]
  return [
    ['--version', tidemark('--version')],
    ['--help', tidemark('--help')],
    ['completion bash', tidemark('completion', 'bash')],
    ['evidence', tidemark('evidence', '--case', caseDir)],
    [`flows '${values.filter}'`, tidemark('flows', '--case', caseDir, '--raw', '-A', 'proto', values.filter)],
  ]
}

function row(name, runs, base) {
  const sorted = key => runs.map(run => run[key]).sort((a, b) => a - b)
  const figures = of => {
    const list = sorted(of)
    return [list[0], list[list.length >> 1]]
  }
  const [cpu, cpuMedian] = figures('cpu')
  const [wall, wallMedian] = figures('wall')
  const ratio = base === null ? '' : `${(cpu / base).toFixed(2)} of node -e 0`
  const cells = [cpu, cpuMedian, wall, wallMedian].map(ms => ms.toFixed(0).padStart(8)).join('')
  print(`  ${name.padEnd(36)}${cells}  ${ratio}`)
  return cpu
}

const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-start-'))
try {
  const caseDir = values.case ?? made(folder)
  const entries = [own, ...values.entry.map(entry => resolve(entry))]
  const sets = [
    { title: 'node', commands: [['node -e 0', [process.execPath, '-e', '0']]] },
    ...entries.map(entry => ({ title: entry, commands: commandsOf(entry, caseDir) })),
  ]
  const results = new Map()
  for (let i = 0; i < Number(values.runs); i++) {
    for (const { commands } of sets) {
      for (const [, argv] of commands) results.set(argv, [...(results.get(argv) ?? []), measured(argv)])
    }
  }
  print(`${cpus().length} cores (${cpus()[0]?.model.trim()}), load ${loadavg()[0].toFixed(1)}, Node ${process.version}`)
  print(`  milliseconds, of ${values.runs} runs          cpu: least  median  wall: least  median`)
  let base = null
  for (const { title, commands } of sets) {
    print(title)
    for (const [name, argv] of commands) {
      const cpu = row(name, results.get(argv), base)
      base ??= cpu
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
