// How often the roles of connections are right, by rule, where they are known.
//
//   node bench/roles.mjs [--dist DIR] [--captures FOLDER] [--every N]
//
// Known are those of Zeek's baselines, and of connections whose SYN a capture holds. Each capture is written as a VPC flow log, with and
// without TCP flags, of 60 and 600 s, with and without the servers' answers, and investigated as a whole: of each service it is asked who
// connected to whom. --dist names another build to measure, for a comparison; the logs are written by this one.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values } = parseArgs({
  options: {
    dist: { type: 'string', default: join(root, 'dist') },
    captures: { type: 'string', default: join(dirname(root), 'shared', 'data', 'pcap') },
    every: { type: 'string', default: '1' },
  },
})
const dist = resolve(values.dist)
const { addEvidence, openCase, investigate } = await import(pathToFileURL(join(dist, 'index.js')).href)
const work = mkdtempSync(join(tmpdir(), 'tidemark-roles-'))
const common = 'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end'
const tally = new Map()

try {
  const traces = [...zeekTraces(), ...synTraces()].filter((_, i) => i % Number(values.every) === 0)
  for (const { path, truth } of traces) await judge(path, truth ?? (await rolesOfPackets(path)))
  print()
} finally {
  rmSync(work, { recursive: true, force: true })
}

function zeekTraces() {
  const folder = join(values.captures, 'zeek')
  const [, ...lines] = readFileSync(join(folder, 'MAP.tsv'), 'utf8').trimEnd().split('\n')
  return lines.flatMap(line => {
    const [trace, path] = line.split('\t')
    const [capture, baseline] = [join(folder, 'Traces', trace), join(folder, path)]
    if (!path.includes('conn.log') || !existsSync(baseline) || !existsSync(capture)) return []
    return [{ path: capture, truth: truthOf(readFileSync(baseline, 'utf8')) }]
  })
}

/** Client and server of each connection of a conn.log, as `client server port protocol`. */
function truthOf(text) {
  let names = null
  const truth = new Set()
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('#fields')) names = line.split('\t').slice(1)
    else if (line.startsWith('#') || line === '') continue
    else if (names === null) names = line.split('\t')
    else {
      const row = Object.fromEntries(line.split('\t').map((value, i) => [names[i], value]))
      const protocol = { tcp: 6, udp: 17 }[row.proto]
      if (protocol !== undefined) truth.add(`${row['id.orig_h']} ${row['id.resp_h']} ${row['id.resp_p']} ${protocol}`)
    }
  }
  return truth
}

function synTraces() {
  const index = join(values.captures, 'INDEX.csv')
  if (!existsSync(index)) return []
  const [head, ...lines] = readFileSync(index, 'utf8').trimEnd().split('\n')
  const at = head.split(',').findIndex(name => /^(path|file)$/.test(name))
  return lines
    .map(line => join(values.captures, line.split(',')[at]?.replaceAll('"', '') ?? ''))
    .filter(path => /\.(pcap|pcapng|cap)$/.test(path) && existsSync(path))
    .map(path => ({ path, truth: null }))
}

/** Roles of the connections of a capture whose SYN it holds. */
async function rolesOfPackets(path) {
  const dir = join(work, 'packets')
  rmSync(dir, { recursive: true, force: true })
  await addEvidence({ case: dir, paths: [path], workers: 1 })
  const c = await openCase(dir)
  try {
    const rows = await c.db.rows(
      `SELECT orig_addr.hi AS ch, orig_addr.lo AS cl, resp_addr.hi AS sh, resp_addr.lo AS sl, resp_port, protocol
       FROM connections WHERE role_basis = 'syn'`,
    )
    return new Set(
      rows.map(row => `${address(row.ch, row.cl)} ${address(row.sh, row.sl)} ${row.resp_port} ${row.protocol}`),
    )
  } finally {
    await c.close()
  }
}

/** As the dossier writes it; IPv6 in full, for both sides are made so. */
function address(hi, lo) {
  const value = (BigInt(hi) << 64n) | BigInt(lo)
  return value >> 32n === 0xffffn
    ? [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 255n).join('.')
    : value.toString(16)
}

function plain(text) {
  if (!text.includes(':')) return text
  const [left, right = null] = text.split('::')
  const words = side => (side === '' || side === null ? [] : side.split(':'))
  const middle = right === null ? [] : new Array(8 - words(left).length - words(right).length).fill('0')
  const hex = [...words(left), ...middle, ...words(right)].map(word => word.padStart(4, '0')).join('')
  return BigInt(`0x${hex}`).toString(16)
}

async function judge(capture, truth) {
  if (truth.size === 0) return
  const known = new Set(
    [...truth].map(text =>
      text
        .split(' ')
        .map((word, i) => (i < 2 ? plain(word) : word))
        .join(' '),
    ),
  )
  for (const interval of ['60', '600']) {
    const log = join(work, 'all.log')
    const cli = [
      join(root, 'dist', 'cli', 'main.js'),
      'convert',
      capture,
      '-o',
      log,
      '--to',
      'vpc',
      '--interval',
      interval,
    ]
    const run = spawnSync(process.execPath, [...cli, '--interface-id', 'eni-1', '--fields', `${common} tcp-flags`])
    if (run.status !== 0 && run.status !== 3) return
    const [, ...lines] = readFileSync(log, 'utf8').trimEnd().split('\n')
    rmSync(log)
    for (const answers of [true, false]) {
      for (const flags of [true, false]) await score(lines, known, { interval, answers, flags })
    }
  }
}

async function score(lines, known, variant) {
  const servers = new Set([...known].map(text => text.split(' ').slice(1).join(' ')))
  const kept = lines.filter(line => {
    if (variant.answers) return true
    const [, src, , srcport, , protocol] = line.split(' ')
    return !servers.has(`${plain(src)} ${srcport} ${protocol}`)
  })
  const header = variant.flags ? `${common} tcp-flags` : common
  const rows = variant.flags ? kept : kept.map(line => line.slice(0, line.lastIndexOf(' ')))
  const [file, dir] = [join(work, 'a.log'), join(work, 'case')]
  writeFileSync(file, `${[header, ...rows].join('\n')}\n`)
  rmSync(dir, { recursive: true, force: true })
  await addEvidence({ case: dir, paths: [file], workers: 1 })
  const c = await openCase(dir)
  try {
    const { services } = await investigate(c, ['0.0.0.0/0', '::/0'])
    for (const { client, server, port, protocol, role_basis, connections } of services) {
      if (port === null) continue
      const isRight = known.has(`${plain(client)} ${plain(server)} ${port} ${protocol}`)
      // The other end's port is in no row: any connection the other way round between the two will do.
      const isReversed = [...known].some(
        text => text.startsWith(`${plain(server)} ${plain(client)} `) && text.endsWith(` ${protocol}`),
      )
      if (!isRight && !isReversed) continue
      const outcome = role_basis === 'unknown' ? 'unknown' : isRight ? 'right' : 'wrong'
      count(
        `${variant.interval} s, ${variant.flags ? 'flags' : 'no flags'}, ${variant.answers ? 'answers' : 'no answers'}`,
        outcome,
        connections,
      )
      count(`by ${role_basis}`, outcome, connections)
    }
  } finally {
    await c.close()
  }
}

function count(name, outcome, n) {
  const row = tally.get(name) ?? { right: 0, wrong: 0, unknown: 0 }
  row[outcome] += n
  tally.set(name, row)
}

function print() {
  write(`${'connections'.padEnd(34)}   right   wrong unknown   right of decided`)
  for (const [name, { right, wrong, unknown }] of [...tally].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const share = right + wrong === 0 ? '-' : `${((100 * right) / (right + wrong)).toFixed(1)} %`
    write(
      `${name.padEnd(34)} ${String(right).padStart(7)} ${String(wrong).padStart(7)} ${String(unknown).padStart(7)}   ${share}`,
    )
  }
}

function write(line) {
  process.stdout.write(`${line}\n`)
}
