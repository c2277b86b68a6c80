// The time index of a case beside plain questions over its segments.
//
//   node bench/timeline.mjs --case DIR [--windows N]      the case's time index is removed and made again
//
// Prints CPU seconds and milliseconds (user and system) and the most memory that was resident; it judges nothing.
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { queryFlows } from '../dist/flows/run.js'
import { withRecordIndex } from '../dist/record-index/kept.js'
import { openCase } from '../dist/store/case.js'
import { openTimeline } from '../dist/timeline/timeline.js'

const { values } = parseArgs({
  options: { case: { type: 'string' }, windows: { type: 'string', default: '120' }, step: { type: 'string' } },
})
const print = text => process.stdout.write(`${text}\n`)
const widths_s = [60, 900, 3600, 14_400, 43_200, 80_000]
const filters = ['port 443', 'action REJECT', 'proto udp', 'dst port 8889 and src net 10.0.0.0/8', 'duration > 30s']

/** The same windows each time. */
function windows({ from_s, to_s }, count) {
  let seed = 7
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 2 ** 32
  }
  return Array.from({ length: count }, (_, i) => {
    const width = Math.min(widths_s[i % widths_s.length], to_s - from_s)
    const from = from_s + Math.floor(next() * (to_s - from_s - width))
    return { from_s: from, to_s: from + width }
  })
}

async function cpuOf(work) {
  const before = process.cpuUsage()
  const given = await work()
  const { user, system } = process.cpuUsage(before)
  return { ms: (user + system) / 1000, given }
}

function told(list) {
  const sorted = [...list].sort((a, b) => a - b)
  const at = share => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1)
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`
}

const steps = {
  /** What the index is made of is made before, and not measured. */
  async build(c) {
    const { ms, given } = await cpuOf(() => openTimeline(c))
    const size = readdirSync(join(c.dir, 'cache'))
      .filter(name => name.startsWith('timeline-'))
      .reduce((sum, name) => sum + statSync(join(c.dir, 'cache', name)).size, 0)
    print(
      `index: ${(ms / 1000).toFixed(1)} s, ${(size / given.records).toFixed(1)} B a record (bars at 20 million records: 10 s, 28 B, 1024 MiB)`,
    )
    given.close()
  },
  async windows(c) {
    const timeline = await openTimeline(c)
    const { ms, given: view } = await cpuOf(() => timeline.view())
    print(`running totals: ${(ms / 1000).toFixed(1)} s`)
    const ask = async window => JSON.stringify(await view.range(window))
    const all = windows(timeline.span, Number(values.windows))
    // The first ones compile.
    for (const window of all.slice(0, 20)) await ask(window)
    const own = []
    for (const window of all) own.push((await cpuOf(() => ask(window))).ms)
    const plain = []
    for (const window of all.slice(0, 6)) {
      const { hosts, ports, sensors } = view.requests(window)
      plain.push((await cpuOf(() => Promise.all([hosts, ports, sensors].map(one => rowsOf(c, one))))).ms)
    }
    const mean = list => list.reduce((sum, one) => sum + one, 0) / list.length
    print(
      `windows: ${told(own)}; plain questions: ${told(plain)}; ratio ${(mean(plain) / mean(own)).toFixed(0)} (bar at 20 million: p95 20 ms)`,
    )
    timeline.close()
  },
  async filters(c) {
    const timeline = await openTimeline(c)
    for (const filter of filters) {
      const { ms, given } = await cpuOf(() => timeline.view({ filter }))
      print(
        `filter ${filter}: ${given.totals.records} records, ${ms.toFixed(0)} ms (bars: 2000 at 20 million records, 8000 at 100 million)`,
      )
    }
    const all = await timeline.matching()
    const rows = await cpuOf(() => all.rows(null, Math.floor(timeline.records / 2), 200))
    print(`200 rows in the middle: ${rows.ms.toFixed(1)} ms (bar: 50)`)
    timeline.close()
  },
}

async function rowsOf(c, request) {
  const result = await queryFlows(c, request)
  const rows = []
  for await (const row of result.rows()) rows.push(row)
  return rows
}

if (values.step !== undefined) {
  const c = await openCase(values.case)
  await steps[values.step](c)
  await c.close()
  print(`  ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`)
} else {
  const c = await openCase(values.case)
  await withRecordIndex(c, c.source, async () => undefined)
  const cache = join(c.dir, 'cache')
  await queryFlows(c, { by: [] })
  await c.close()
  // Kept answers would make the plain questions look fast.
  for (const name of readdirSync(cache)) if (/^(timeline|answer)-/.test(name)) rmSync(join(cache, name))
  print(`${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}, load ${loadavg()[0].toFixed(1)}`)
  const me = fileURLToPath(import.meta.url)
  for (const step of Object.keys(steps)) {
    const { status } = spawnSync(process.execPath, [me, '--case', values.case, '--step', step], { stdio: 'inherit' })
    if (status !== 0) process.exit(1)
  }
}
