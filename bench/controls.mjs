// Controls with their trial, beside zcat over the same files, with the conversations there.
//
//   node bench/controls.mjs FOLDER ADDRESS [--case DIR] [--runs N]
//
// FOLDER holds *.gz. The case of --case is copied with its cache; without one, one is made first. The first run, which makes conversations where
// there are none, is not counted. Prints the least seconds of wall time and of the processor (threads and children too: a busy machine does not
// stretch these as much), peak memory, the ratio to zcat and the bar. It judges nothing.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measured } from './measured.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { case: { type: 'string' }, runs: { type: 'string', default: '2' } },
})
const [folder, address] = positionals
if (address === undefined) throw new Error('usage: node bench/controls.mjs FOLDER ADDRESS [--case DIR] [--runs N]')
const work = mkdtempSync(join(tmpdir(), 'tidemark-controls-'))
const caseDir = join(work, 'case')
const tidemark = [process.execPath, 'dist/cli/main.js']

async function least(argv, runs = Number(values.runs)) {
  let best = null
  for (let i = 0; i < runs; i++) {
    const one = await measured(argv, { TMPDIR: work })
    const peak = Math.max(one.peak, best?.peak ?? 0)
    best = { ...(best !== null && best.wall < one.wall ? best : one), peak }
  }
  return best
}

function print(name, { wall, cpu, peak }, zcat, bar) {
  const of = zcat === undefined ? '' : `  ${(wall / zcat.wall).toFixed(2)} of zcat, cpu ${(cpu / zcat.cpu).toFixed(2)}`
  const memory = peak > 0 ? `  peak ${Math.round(peak)} MiB` : ''
  const told = bar === undefined ? '' : ` (bar ${bar})`
  process.stdout.write(
    `${name.padEnd(36)} ${wall.toFixed(2).padStart(8)} s  cpu ${cpu.toFixed(2).padStart(7)} s${of}${memory}${told}\n`,
  )
}

try {
  process.stdout.write(`${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}, Node ${process.version}\n`)
  if (values.case === undefined) {
    const { status } = spawnSync(tidemark[0], [...tidemark.slice(1), 'add', folder, '--case', caseDir], {
      stdio: 'ignore',
    })
    if (status !== 0) throw new Error(`add ended with ${status}`)
  } else cpSync(values.case, caseDir, { recursive: true })
  const zcat = await least(['sh', '-c', `find "$0" -name '*.gz' -print0 | xargs -0 zcat | wc -l`, folder])
  print('zcat *.gz | wc -l', { ...zcat, peak: 0 })
  print('dossier', await least([...tidemark, 'investigate', address, '--json', '--case', caseDir]), zcat)
  const controls = [...tidemark, 'controls', address, '--json', '--case', caseDir]
  await least(controls, 1)
  print('controls with trial', await least(controls), zcat, '0.5')
} finally {
  rmSync(work, { recursive: true, force: true })
}
