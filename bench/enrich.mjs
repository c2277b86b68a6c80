// What files of the user's own cost: a list of many prefixes, loaded and asked; and filters by country and AS beside the same by prefix.
//
//   node scripts/test.mjs enrich/mmdb         compiles the writer of MMDB files, once
//   node bench/enrich.mjs                     the list alone
//   node bench/enrich.mjs --case CASE         the filters, too; CASE/cache is written. --prefix: the one that is compared with
//
// Prints seconds of wall time, of processor time in brackets, memory and ratios, the best of some runs; it judges nothing.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadEnrichment } from '../dist/enrich/enrichment.js'

const { values } = parseArgs({
  options: {
    prefixes: { type: 'string', default: '1000000' },
    case: { type: 'string' },
    runs: { type: 'string', default: '3' },
    prefix: { type: 'string', default: '20.106.0.0/16' },
    load: { type: 'string' },
  },
})
const print = text => process.stdout.write(`${text}\n`)
const processor = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** This file, loading a list in a process of its own: prints JSON. */
if (values.load !== undefined) {
  const before = process.memoryUsage().rss
  const [wall, cpu] = [performance.now(), processor()]
  const enrichment = await loadEnrichment({ lists: [values.load] })
  const seconds = (performance.now() - wall) / 1000
  const loaded = { seconds, cpu: processor() - cpu, entries: enrichment.files[0].entries }
  const megabytes = (process.resourceUsage().maxRSS * 1024 - before) / 2 ** 20
  const lookups = 1_000_000
  const asked = performance.now()
  let found = 0
  for (let i = 0; i < lookups; i++) {
    const lo = 0xffff_0000_0000n | BigInt((i * 2_654_435_761) % 2 ** 32)
    found += enrichment.listsOf(0n, lo, 0, 0).length
  }
  print(JSON.stringify({ ...loaded, megabytes, lookups: lookups / ((performance.now() - asked) / 1000), found }))
  process.exit(0)
}

const runs = Number(values.runs)
const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-enrich-'))
try {
  benchList(Number(values.prefixes))
  if (values.case !== undefined) await benchFilters(values.case)
} finally {
  rmSync(folder, { recursive: true })
}

/** Half addresses, half prefixes, in no order; one in twenty of IPv6. */
function benchList(count) {
  const lines = Array.from({ length: count }, (_, i) => {
    const word = (i * 2_654_435_761) % 2 ** 32
    if (i % 20 === 0) return `2001:db8:${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}::/64`
    const text = `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
    return i % 2 === 0 ? text : `${text}/${20 + (i % 12)}`
  })
  const path = join(folder, 'list.txt')
  writeFileSync(path, `${lines.join('\n')}\n`)
  const results = Array.from({ length: runs }, () => {
    const { stdout } = spawnSync(process.execPath, [import.meta.filename, '--load', path], { encoding: 'utf8' })
    return JSON.parse(stdout)
  })
  const best = results.sort((a, b) => a.seconds - b.seconds)[0]
  print(
    `${best.entries.toLocaleString('en-US')} prefixes loaded: ${best.seconds.toFixed(2)} s (${best.cpu.toFixed(2)}), ${best.megabytes.toFixed(0)} MB, ${Math.round(best.lookups).toLocaleString('en-US')} look-ups a second`,
  )
}

/** Each /16 of IPv4 is of a country and an AS, which take turns. */
async function benchFilters(dir) {
  const { mmdb } = await import('../build/test/enrich/mmdb-writer.js')
  const networks = Array.from({ length: 2 ** 16 }, (_, i) => [`${i >>> 8}.${i & 255}.0.0/16`, (i * 7919) % 200])
  const letters = number => String.fromCharCode(65 + (number % 20), 65 + Math.floor(number / 20))
  const [geoip, asn] = [join(folder, 'country.mmdb'), join(folder, 'asn.mmdb')]
  writeFileSync(geoip, mmdb(networks.map(([prefix, number]) => [prefix, { country: { iso_code: letters(number) } }])))
  const systemOf = number => ({
    autonomous_system_number: 64_000 + number,
    autonomous_system_organization: `AS ${number}`,
  })
  writeFileSync(asn, mmdb(networks.map(([prefix, number]) => [prefix, systemOf(number)])))
  const wanted = networks.filter(([, number]) => number === 7).map(([prefix]) => prefix)
  const listed = join(folder, 'prefixes.txt')
  writeFileSync(listed, `${wanted.join('\n')}\n`)
  for (const side of ['src ', '']) {
    const ways = {
      [`${side}net ${values.prefix}`]: [],
      [`${side}net in @${listed}`]: [],
      [`${side}country ${letters(7)}`]: ['--geoip', geoip],
      [`${side}asn ${64_007}`]: ['--asn', asn],
    }
    let base = 0
    for (const [filter, files] of Object.entries(ways)) {
      const args = ['dist/cli/main.js', 'flows', '--case', dir, filter, '-A', 'proto,tcp_flags', '--json', ...files]
      const ask = () => timed(process.execPath, args)
      const first = ask()
      const best = Array.from({ length: runs }, ask).sort((a, b) => a.cpu - b.cpu)[0]
      base ||= best.cpu
      const ratio = (best.cpu / base).toFixed(2)
      print(
        `${filter.replace(folder, '').padEnd(24)} first ${first.wall.toFixed(2)} s (${first.cpu.toFixed(2)}), then ${best.wall.toFixed(2)} s (${best.cpu.toFixed(2)}): ${ratio} of one prefix; ${best.records} records`,
      )
    }
  }
}

function timed(program, args) {
  const started = performance.now()
  const script = `TIMEFORMAT='cpu %U %S'; time "$@"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', program, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  const [, user, system] = /cpu ([\d.]+) ([\d.]+)/.exec(stderr)
  const { counting } = JSON.parse(stdout)
  return { wall: (performance.now() - started) / 1000, cpu: Number(user) + Number(system), records: counting.records }
}
