// Measures the workbench on a case that is built already, as `npm run build` left it.
//
//   node bench/workbench.mjs all CASE [--moves 60] [--seconds 60] [--clients 100]   everything below, and the time index (removed and made again)
//   node bench/workbench.mjs index CASE                                    the time index, windows and filters beside plain questions
//   node bench/workbench.mjs brush CASE [--moves 60]                       in a browser: first paint, brush, click; beside plain questions
//   node bench/workbench.mjs clients CASE [--seconds 60] [--clients 100]   many pages ask at a time: p50, p99, errors, memory, health
//   node bench/workbench.mjs deaths CASE                                   how long the workbench is without a process that was killed
//
// 100 million records: node bench/flow-logs.mjs makes them, by the same rule as those of 20 million; they, their case and its indexes take some 9 GB.
// CPU seconds are compared where the machine has other work to do.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const parts = {
  index: async () => ({ run: indexOf }),
  brush: () => import('./workbench/brush.mjs'),
  clients: () => import('./workbench/clients.mjs'),
  deaths: () => import('./workbench/deaths.mjs'),
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    clients: { type: 'string', default: '100' },
    moves: { type: 'string', default: '60' },
  },
})
const [name, caseDir] = positionals
if (!(name === 'all' || Object.hasOwn(parts, name)) || caseDir === undefined) {
  process.stderr.write(
    `usage: node bench/workbench.mjs all|${Object.keys(parts).join('|')} CASE [--moves N] [--seconds N] [--clients N]\n`,
  )
  process.exit(2)
}
const wanted = {
  seconds: Number(values.seconds),
  clients: Number(values.clients),
  moves: Number(values.moves),
}
for (const part of name === 'all' ? Object.keys(parts) : [name]) {
  process.stdout.write(`# ${part}\n`)
  const { run } = await parts[part]()
  await run(caseDir, wanted)
}

/** In processes of its own: what it measures is the memory of each. */
async function indexOf(caseDir) {
  const bench = fileURLToPath(new URL('timeline.mjs', import.meta.url))
  const { status } = spawnSync(process.execPath, [bench, '--case', caseDir], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}
