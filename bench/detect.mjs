// All rules over a folder of flow logs, beside zcat over the same files: with the conversations there, and from the files, everything included.
//
//   node bench/detect.mjs FOLDER [--case DIR] [--runs N]
//
// FOLDER holds *.gz. The case of --case is copied without its cache; without one, one is made first, which is not counted. Prints the least
// seconds of wall time and of the processor (threads and children too: a busy machine does not stretch these as much), peak memory, the ratio to
// zcat and the bar. It judges nothing. `npm run bench` runs it for each of its sizes.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { least, print } from './measured.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { case: { type: 'string' }, runs: { type: 'string', default: '2' } },
})
const [folder] = positionals
if (folder === undefined) throw new Error('usage: node bench/detect.mjs FOLDER [--case DIR] [--runs N]')
const work = mkdtempSync(join(tmpdir(), 'tidemark-detect-'))
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
  } else cpSync(values.case, caseDir, { recursive: true, filter: path => !path.startsWith(join(values.case, 'cache')) })
  const zcat = await least(['sh', '-c', `find "$0" -name '*.gz' -print0 | xargs -0 zcat | wc -l`, folder], usual)
  print('zcat *.gz | wc -l', { ...zcat, peak: 0 })
  const detect = [...tidemark, 'detect', '--json']
  const cache = join(caseDir, 'cache')
  const before = () => rmSync(cache, { recursive: true, force: true })
  const made = await least([...detect, '--case', caseDir], { ...usual, runs: 1, before })
  print('detect, first: makes conversations', made, zcat)
  print('detect, conversations there', await least([...detect, '--case', caseDir], usual), zcat, '0.5 and 1024 MiB')
  const kept = readdirSync(cache).find(name => name.startsWith('connections-'))
  process.stdout.write(`connections take ${(statSync(join(cache, kept)).size / 1e6).toFixed(0)} MB of the cache\n`)
  rmSync(caseDir, { recursive: true })
  print('detect from PATHs', await least([...detect, folder], { ...usual, runs: 1 }), zcat, '2.0')
} finally {
  rmSync(work, { recursive: true, force: true })
}
