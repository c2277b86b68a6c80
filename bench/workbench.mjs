// Measures the workbench on a case that is built already, as `npm run build` left it.
//
//   node bench/workbench.mjs clients CASE [--seconds 60] [--clients 100]   many pages ask at a time: p50, p99, errors, memory, health
//   node bench/workbench.mjs deaths CASE                                   how long the workbench is without a process that was killed
//
// CPU seconds are compared where the machine has other work to do.
import { parseArgs } from 'node:util'

const parts = {
  clients: () => import('./workbench/clients.mjs'),
  deaths: () => import('./workbench/deaths.mjs'),
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, clients: { type: 'string', default: '100' } },
})
const [name, caseDir] = positionals
if (!(name in parts) || caseDir === undefined) {
  process.stderr.write(
    `usage: node bench/workbench.mjs ${Object.keys(parts).join('|')} CASE [--seconds N] [--clients N]\n`,
  )
  process.exit(2)
}
const { run } = await parts[name]()
await run(caseDir, { seconds: Number(values.seconds), clients: Number(values.clients) })
