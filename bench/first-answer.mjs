// Time to the first answer, each bar beside its peer, in turn, in one run.
//
//   node bench/first-answer.mjs                         start, and the lab (made if it is not there)
//   node bench/first-answer.mjs --case DIR              also an address filter beside nfdump, and a busy address, on a case that is there
//
// --dir FOLDER (the lab, and the case's records for nfdump are kept there), --runs N, --busy ADDRESS (else the one with about a million records).
// Prints the least seconds of processor time (threads and children too) and of wall time, the ratio to the peer, and the bar. It judges
// nothing. Ratios are of wall time on idle cores, of processor time on busy ones.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measured } from './measured.mjs'
import { writeNfcapd } from './nfcapd-files.mjs'

const { values } = parseArgs({
  options: {
    case: { type: 'string' },
    dir: { type: 'string', default: join(tmpdir(), 'tidemark-bench', 'first-answer') },
    runs: { type: 'string', default: '5' },
    busy: { type: 'string' },
  },
})
const attacker = '20.106.124.93'
const tidemark = [process.execPath, 'dist/cli/main.js']
const print = text => process.stdout.write(`${text}\n`)

/** Runs them in turn. The least of each. */
async function least(commands, runs = Number(values.runs)) {
  const found = commands.map(() => ({ wall: Number.POSITIVE_INFINITY, cpu: Number.POSITIVE_INFINITY, peak: 0 }))
  for (let i = 0; i < runs; i++) {
    for (const [at, argv] of commands.entries()) {
      const { wall, cpu, peak } = await measured(argv, { TZ: 'UTC' })
      const own = found[at]
      own.wall = Math.min(own.wall, wall)
      own.cpu = Math.min(own.cpu, cpu)
      own.peak = Math.max(own.peak, peak)
    }
  }
  return found
}

const cell = figure => `cpu ${figure.cpu.toFixed(2).padStart(6)} s  wall ${figure.wall.toFixed(2).padStart(6)} s`

async function beside(name, ours, peerName, peer, bar) {
  const [mine, theirs] = await least([ours, peer])
  const ratios = `wall ${(mine.wall / theirs.wall).toFixed(2)}, cpu ${(mine.cpu / theirs.cpu).toFixed(2)}`
  print(`${name.padEnd(34)} ${cell(mine)}  beside ${peerName}: ${cell(theirs)}  ratio ${ratios} (bar ${bar})`)
}

async function alone(name, argv, bar, runs) {
  const [mine] = await least([argv], runs)
  print(`${name.padEnd(34)} ${cell(mine)}  ${mine.peak.toFixed(0)} MiB (bar ${bar})`)
}

function run(argv) {
  const { status, stdout, stderr } = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0 && status !== 3) throw new Error(stderr)
  return stdout
}

const hasNfdump = spawnSync('nfdump', ['-V']).error === undefined
print(
  `${cpus().length} cores (${cpus()[0]?.model.trim()}), load ${loadavg()[0].toFixed(1)}, Node ${process.version}, least of ${values.runs}`,
)
await beside('start: --version', [...tidemark, '--version'], 'node -e 0', [process.execPath, '-e', '0'], 1.3)

mkdirSync(values.dir, { recursive: true })
const lab = join(values.dir, 'lab')
if (!existsSync(join(lab, 'ground-truth.json'))) run([...tidemark, 'demo', '--generate-only', '--out', lab])
const labCase = join(values.dir, 'lab.tidemark')
if (!existsSync(labCase)) run([...tidemark, 'add', '--case', labCase, lab])
const logs = join(lab, '20230928')
await alone('ledger of the lab: evidence', [...tidemark, 'evidence', '--case', labCase], 'none')
await alone("dossier from the lab's case", [...tidemark, 'investigate', '--case', labCase, attacker], '1 s of cpu')
await beside(
  'PATHs to dossier, the lab',
  [...tidemark, 'investigate', attacker, logs],
  'zgrep | wc -l',
  ['bash', '-c', `zgrep -h '${attacker}' '${logs}'/*.gz | wc -l`],
  0.8,
)

if (values.case !== undefined) {
  const filter = [...tidemark, 'flows', `ip ${attacker}`, '--raw', '-A', 'proto', '--case', values.case]
  if (hasNfdump) {
    const nfcapd = join(values.dir, 'nfcapd')
    await writeNfcapd(values.case, nfcapd)
    const peer = ['nfdump', '-q', '-N', '-R', nfcapd, '-A', 'proto', `ip ${attacker}`]
    // The first time: no answer is kept.
    const first = ['bash', '-c', 'rm -f "$0"/cache/answer-*; exec "$@"', values.case, ...filter]
    await beside('address filter', first, 'nfdump', peer, 0.8)
    await beside('address filter, again', filter, 'nfdump', peer, 0.8)
  } else await alone('address filter (no nfdump)', filter, '0.8 of nfdump')
  const busy = values.busy ?? busyAddress(values.case)
  await alone(`dossier of ${busy}`, [...tidemark, 'investigate', '--case', values.case, busy], '6 s of cpu, 600 MB', 1)
}

/** The address of the case whose records are nearest to a million. */
function busyAddress(caseDir) {
  const asked = ['-s', 'ip', '-n', '500', '--raw', '-O', 'records', '--json', '--case', caseDir]
  const { rows } = JSON.parse(run([...tidemark, 'flows', ...asked]))
  const away = row => Math.abs(Math.log(Number(row.records) / 1e6))
  return rows.sort((a, b) => away(a) - away(b))[0].ip
}
