// npm run test:lake: starts the cluster once and runs the tests of test/lake/ against it, file by file, for some of them end its nodes.
//
//   npm run test:lake -- lake/pull lake/ddl     only these files
//   npm run test:lake -- --built                as npm test compiled them
//   npm run test:lake -- --set-up-within 200    where the cluster is not there after that many seconds, its tests are skipped, and say so
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { built: { type: 'boolean', default: false }, 'set-up-within': { type: 'string' } },
})
const within = values['set-up-within']
const keeping = ['--with-stdin', ...(within === undefined ? [] : ['--set-up-within', within])]
const keeper = spawn(process.execPath, [join(here, 'keep.mjs'), ...keeping], { stdio: ['pipe', 'pipe', 'inherit'] })
const keeperEnded = new Promise(resolve => keeper.once('exit', code => resolve(code ?? 1)))
// Where the keeper is gone already.
keeper.stdin.on('error', () => {})
let tests = null
let stopped = null

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stopNow(signal))
// Whoever started this may be gone without a word.
const parent = process.ppid
setInterval(() => process.ppid !== parent && stopNow('SIGTERM'), 1000).unref()

const where = await Promise.race([firstLine(keeper.stdout), keeperEnded.then(() => null)])
let status = 1
if (where !== null && stopped === null) {
  const env = { ...process.env, TIDEMARK_LAKE: where }
  const options = ['--one-by-one', ...(values.built ? ['--built'] : [])]
  const args = [join(here, '..', 'test.mjs'), ...options, ...(words.length > 0 ? words : ['test/lake/'])]
  tests = spawn(process.execPath, args, { stdio: 'inherit', env })
  status = await new Promise(resolve => tests.once('exit', code => resolve(code ?? 1)))
}
keeper.stdin.end(stopped === null ? 'stop' : '')
await keeperEnded
process.exit(stopped === null ? status : 1)

function stopNow(signal) {
  stopped ??= signal
  tests?.kill(signal)
  keeper.stdin.end()
}

async function firstLine(stream) {
  let text = ''
  for await (const chunk of stream) {
    text += chunk
    if (text.includes('\n')) break
  }
  return text.includes('\n') ? text.slice(0, text.indexOf('\n')) : null
}
