// The conversations of a whole case, the record index included, beside zcat over the same evidence.
//
//   node bench/conversations.mjs CASE FOLDER [--keep]
//
// CASE is a case made of FOLDER, whose files are *.gz. It is copied, so that its cache is left alone; --keep asks the index that is there. Prints
// seconds of CPU (which a busy machine does not stretch as it does wall time), wall time and peak memory.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wholeConversations } from '../dist/conversations/whole.js'
import { openCase } from '../dist/index.js'
import { withRecordIndex } from '../dist/record-index/kept.js'

const [caseDir, folder, keep] = process.argv.slice(2)
if (folder === undefined) throw new Error('usage: node bench/conversations.mjs CASE FOLDER [--keep]')
const work = mkdtempSync(join(tmpdir(), 'tidemark-conversations-'))

async function timed(name, ask) {
  const [cpu, started] = [process.cpuUsage(), performance.now()]
  const answer = await ask()
  const { user, system } = process.cpuUsage(cpu)
  print(name, (user + system) / 1e6, performance.now() - started, process.resourceUsage().maxRSS / 1024)
  return answer
}

function print(name, cpu, wall_ms, peak_mb) {
  const peak = peak_mb === null ? '' : `, peak ${Math.round(peak_mb)} MiB`
  process.stdout.write(`${name.padEnd(28)} ${cpu.toFixed(2)} CPU s, ${(wall_ms / 1000).toFixed(2)} s${peak}\n`)
}

try {
  const dir = keep === '--keep' ? caseDir : join(work, 'case')
  if (keep !== '--keep')
    cpSync(caseDir, dir, { recursive: true, filter: path => !path.startsWith(join(caseDir, 'cache')) })
  const command = `time -p (find "$0" -name '*.gz' -print0 | xargs -0 zcat | wc -l)`
  const { stderr } = spawnSync('bash', ['-c', command, folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [real, user, sys] = [...stderr.matchAll(/(?:real|user|sys) ([\d.]+)/g)].map(match => Number(match[1]))
  print('zcat *.gz | wc -l', user + sys, real * 1000, null)
  const c = await openCase(dir)
  await timed('record index', () => withRecordIndex(c, 'logs', async () => undefined))
  await withRecordIndex(c, 'logs', async index => {
    const everybody = { evidence: 'logs', own: [] }
    const [dropped, connections] = await timed('conversations', () =>
      wholeConversations(c, index, everybody, { connections: true }, async ({ fates, parts }) => [
        fates.reduce((sum, one) => sum + Number(one > 1), 0),
        parts.reduce((sum, { table }) => sum + table.count, 0),
      ]),
    )
    process.stdout.write(`${index.rows} records, ${dropped} of them counted elsewhere, ${connections} connections\n`)
  })
  await c.close()
} finally {
  rmSync(work, { recursive: true, force: true })
}
