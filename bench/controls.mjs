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
import { least, print } from './measured.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { case: { type: 'string' }, runs: { type: 'string', default: '2' } },
})
const [folder, address] = positionals
if (address === undefined) throw new Error('usage: node bench/controls.mjs FOLDER ADDRESS [--case DIR] [--runs N]')
const work = mkdtempSync(join(tmpdir(), 'tidemark-controls-'))
const caseDir = join(work, 'case')
const tidemark = [process.execPath, 'dist/cli/main.js']

const usual = { runs: Number(values.runs), env: { TMPDIR: work } }

try {
  process.stdout.write(`${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}, Node ${process.version}\n`)
  if (values.case === undefined) {
    const { status } = spawnSync(tidemark[0], [...tidemark.slice(1), 'add', folder, '--case', caseDir], {
      stdio: 'ignore',
    })
    if (status !== 0) throw new Error(`add ended with ${status}`)
  } else cpSync(values.case, caseDir, { recursive: true })
  const zcat = await least(['sh', '-c', `find "$0" -name '*.gz' -print0 | xargs -0 zcat | wc -l`, folder], usual)
  print('zcat *.gz | wc -l', { ...zcat, peak: 0 })
  print('dossier', await least([...tidemark, 'investigate', address, '--json', '--case', caseDir], usual), zcat)
  const controls = [...tidemark, 'controls', address, '--json', '--case', caseDir]
  await least(controls, { ...usual, runs: 1 })
  print('controls with trial', await least(controls, usual), zcat, '0.5')
} finally {
  rmSync(work, { recursive: true, force: true })
}
