// `tidemark flows` beside nfdump over the same records as nfcapd files, and beside plain DuckDB over the segments, each a process of its own.
//
//   node bench/flows.mjs --records 20000000 --dir DIR      the case is DIR/records-N/case, made if it is not there
//   node bench/flows.mjs --case CASE --nfcapd FOLDER       a case, and its records for nfdump, that are there; CASE/cache is removed in the end
//
// Prints seconds of wall time, of processor time in brackets, and ratios, the best of some runs; it judges nothing. Everything was read once
// before, so all find it in the page cache. "first": the answer is not kept in cache/; "again": it is.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeScaled } from '../dist/demo/scale.js'
import { Database } from '../dist/store/duckdb.js'
import { writeNfcapd } from './nfcapd-files.mjs'

const attacker = '20.106.124.93'
const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '20000000' },
    dir: { type: 'string', default: join(tmpdir(), 'tidemark-bench') },
    case: { type: 'string' },
    nfcapd: { type: 'string' },
    runs: { type: 'string', default: '3' },
    list: { type: 'string', default: '1000000' },
    sql: { type: 'string' },
    segments: { type: 'string' },
  },
})
const tidemark = [process.execPath, 'dist/cli/main.js']
const print = text => process.stdout.write(`${text}\n`)

/** This file as plain DuckDB: one statement over the segments, its rows counted. */
if (values.sql !== undefined) {
  const db = await Database.open({ threads: cpus().length, memoryLimit: '4GB', tempDirectory: values.segments })
  const rows = await db.rows(
    values.sql.replaceAll('FLOWS', `read_parquet('${values.segments}/flows-*.parquet', union_by_name=true)`),
  )
  print(String(rows.length))
  db.close()
  process.exit(0)
}

/** Bash tells the processor time of a command and its children. */
const timed = `TIMEFORMAT='cpu %U %S'; time "$@"`

function run(argv) {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const child = spawn('bash', ['-c', timed, 'bash', ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TZ: 'UTC' },
    })
    let lines = 0
    child.stdout.on('data', piece => {
      for (const byte of piece) if (byte === 10) lines++
    })
    let complaint = ''
    child.stderr.on('data', piece => {
      complaint += piece
    })
    child.on('error', reject)
    child.on('close', code => {
      if (code !== 0 && code !== 3)
        print(`  ${argv.slice(0, 4).join(' ')} ended with ${code}: ${complaint.trim().slice(0, 200)}`)
      const [user, system] = (/cpu ([\d.]+) ([\d.]+)\s*$/.exec(complaint) ?? [0, 0, 0]).slice(1).map(Number)
      resolve({ seconds: (performance.now() - started) / 1000, cpu: user + system, lines })
    })
  })
}

async function best(argv, before = () => undefined) {
  let result = null
  for (let i = 0; i < Number(values.runs); i++) {
    before()
    const { seconds, cpu, lines } = await run(argv)
    result = { seconds: Math.min(seconds, result?.seconds ?? seconds), cpu: Math.min(cpu, result?.cpu ?? cpu), lines }
  }
  return result
}

/** Removes the answers that the case keeps. */
function forget(caseDir) {
  const cache = join(caseDir, 'cache')
  if (!existsSync(cache)) return
  for (const name of readdirSync(cache)) if (name.startsWith('answer-')) rmSync(join(cache, name))
}

const cell = ({ seconds, cpu }) => `${seconds.toFixed(2)} s (${cpu.toFixed(2)})`
const ratio = (ours, peer) => `${(ours.seconds / peer.seconds).toFixed(3)} (${(ours.cpu / peer.cpu).toFixed(3)})`

/** A list of addresses, of which some occur. */
function addressList(path, count) {
  if (existsSync(path)) return
  const lines = [attacker]
  for (let i = 1; i < count; i++) lines.push(`${11 + (i % 180)}.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`)
  writeFileSync(path, `${lines.join('\n')}\n`)
}

const questions = [
  {
    name: `address filter (ip ${attacker})`,
    flows: [`ip ${attacker}`, '--raw', '-A', 'proto'],
    nfdump: ['-A', 'proto', `ip ${attacker}`],
    sql: `SELECT protocol, count(*), sum(packets), sum(bytes), min(start), max("end") FROM FLOWS WHERE (srcaddr.lo = 281471024266333 AND srcaddr.hi = 0) OR (dstaddr.lo = 281471024266333 AND dstaddr.hi = 0) GROUP BY ALL`,
  },
  {
    name: 'top 10 sources by bytes',
    flows: ['-s', 'srcip/bytes', '-n', '10', '--raw'],
    nfdump: ['-s', 'srcip/bytes', '-n', '10'],
    sql: `SELECT srcaddr, count(*), sum(packets), sum(bytes), min(start), max("end") FROM FLOWS GROUP BY srcaddr ORDER BY sum(bytes) DESC LIMIT 10`,
  },
  {
    name: '/24 × destination port, top 10',
    flows: ['-A', 'srcip4/24,dstport', '-O', 'bytes', '-n', '10', '--raw'],
    nfdump: ['-A', 'srcip4/24,dstport', '-O', 'bytes', '-n', '10'],
    sql: `SELECT srcaddr.lo & 281474976710400 AS net, dstport, count(*), sum(packets), sum(bytes), min(start), max("end") FROM FLOWS GROUP BY ALL ORDER BY sum(bytes) DESC LIMIT 10`,
  },
  {
    name: 'one-minute series',
    flows: ['--bin', '1m', '--raw', '--csv'],
    // nfdump has no series: its records as text, summed up by their first minute.
    shell: folder =>
      `nfdump -q -N -R '${folder}' -o 'fmt:%ts,%byt' | awk -F, '{s[substr($1, 1, 16)] += $2} END {for (t in s) print t, s[t]}'`,
    sql: `SELECT time_bucket(INTERVAL 1 minute, start), count(*), sum(packets), sum(bytes) FROM FLOWS GROUP BY ALL ORDER BY 1`,
  },
]

const records = Number(values.records)
const dir = join(values.dir, `records-${records}`)
const caseDir = values.case ?? join(dir, 'case')
if (!existsSync(join(caseDir, 'ledger.jsonl'))) {
  if (!existsSync(join(dir, 'ground-truth.json'))) await writeScaled(dir, { records })
  const logs = readdirSync(dir, { withFileTypes: true }).find(
    entry => entry.isDirectory() && /^\d{8}$/.test(entry.name),
  ).name
  await run([...tidemark, 'add', join(dir, logs), '--case', caseDir, '--json'])
}
const nfcapd = values.nfcapd ?? join(dir, 'nfcapd')
const hasNfdump = (await run(['sh', '-c', 'command -v nfdump'])).lines > 0
if (hasNfdump && (await writeNfcapd(caseDir, nfcapd))) print(`wrote nfcapd files to ${nfcapd}`)
const list = join(dir, `addresses-${values.list}.txt`)
addressList(list, Number(values.list))
print(
  `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}; ${records.toLocaleString('en-US')} records, best of ${values.runs}`,
)
const segments = join(caseDir, 'segments')
const me = fileURLToPath(import.meta.url)
await run(['sh', '-c', `cat '${segments}'/* '${nfcapd}'/* > /dev/null`])
for (const { name, flows, nfdump, shell, sql } of questions) {
  const argv = [...tidemark, 'flows', ...flows, '--case', caseDir]
  const first = await best(argv, () => forget(caseDir))
  const again = await best(argv)
  const plain = await best([process.execPath, me, '--sql', sql, '--segments', segments])
  const peer = hasNfdump
    ? await best(shell ? ['sh', '-c', shell(nfcapd)] : ['nfdump', '-q', '-N', '-R', nfcapd, ...nfdump])
    : null
  const beside = (ours, other) => (other === null ? '' : `  first ${ratio(first, other)}, again ${ratio(ours, other)}`)
  print(`  ${name.padEnd(44)} first ${cell(first)}, again ${cell(again)}`)
  print(`    ${(peer === null ? 'no nfdump' : `nfdump ${cell(peer)}`).padEnd(42)} ${beside(again, peer)}`)
  print(`    ${`DuckDB ${cell(plain)}`.padEnd(42)} ${beside(again, plain)}`)
}
const listed = await best([...tidemark, 'flows', `ip in @${list}`, '--raw', '-A', 'proto', '--case', caseDir])
print(
  `  ${`list of ${Number(values.list).toLocaleString('en-US')} addresses`.padEnd(44)} ${listed.seconds.toFixed(2).padStart(7)} s`,
)
rmSync(join(caseDir, 'cache'), { recursive: true, force: true })
for (const name of ['counted once, worked out', 'counted once, kept']) {
  const once = await run([...tidemark, 'flows', '-s', 'srcip/bytes', '-n', '10', '--case', caseDir])
  print(`  ${`top 10 by bytes, ${name}`.padEnd(44)} ${once.seconds.toFixed(2).padStart(7)} s`)
}
