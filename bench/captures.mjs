// Captures: `convert` to nfcapd files beside nfpcapd, in one run, with tcpdump's count as the floor.
//
//   npm run bench:captures                       10 million packets, about 3 million flow records
//   node bench/captures.mjs --packets 1000000    another size (the data is kept in --dir)
//   node bench/captures.mjs --gib 10             peak memory over a capture of so many GiB (time too)
//
// Prints seconds, ratios and peak memory; it judges nothing. The capture was read once before each peer: all find it in the page cache.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '10000000' },
    gib: { type: 'string' },
    dir: { type: 'string', default: join(tmpdir(), 'tidemark-bench') },
  },
})
const print = text => process.stdout.write(`${text}\n`)

/** A capture of conversations of a few packets each, thousands of them at once: TCP mostly, a tenth UDP. */
function writeCapture(path, packets, payload) {
  const fd = openSync(path, 'w')
  const buffer = Buffer.alloc(4 << 20)
  let at = buffer.writeUInt32LE(0xa1b2c3d4, 0)
  for (const [value, bytes] of [
    [2, 2],
    [4, 2],
    [0, 4],
    [0, 4],
    [262144, 4],
    [1, 4],
  ])
    at = buffer.writeUIntLE(value, at, bytes)
  let seed = 12345
  const random = n => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 4294967296) * n)
  }
  const live = Array.from({ length: 20_000 }, () => begin())
  function begin() {
    return {
      src: 0x0a000000 + random(65536),
      dst: 0x14000000 + random(1 << 20),
      sport: 1024 + random(60000),
      dport: [80, 443, 22, 8889][random(4)],
      protocol: random(10) === 0 ? 17 : 6,
      left: 2 + random(10),
      sent: 0,
    }
  }
  let time = 1_700_000_000_000_000
  for (let i = 0; i < packets; i++) {
    time += 1 + random(60)
    const which = random(live.length)
    const c = live[which]
    const back = c.sent % 2 === 1
    const header = c.protocol === 6 ? 20 : 8
    const length = 20 + header + payload
    if (at + 16 + 14 + length > buffer.length) {
      writeSync(fd, buffer, 0, at)
      at = 0
    }
    at = buffer.writeUInt32LE(Math.floor(time / 1e6), at)
    at = buffer.writeUInt32LE(time % 1e6, at)
    at = buffer.writeUInt32LE(14 + length, at)
    at = buffer.writeUInt32LE(14 + length, at)
    buffer.fill(2, at, at + 12)
    at = buffer.writeUInt16BE(0x0800, at + 12)
    const ip = at
    buffer.fill(0, at, at + length)
    buffer[ip] = 0x45
    buffer.writeUInt16BE(length, ip + 2)
    buffer[ip + 8] = 64
    buffer[ip + 9] = c.protocol
    buffer.writeUInt32BE(back ? c.dst : c.src, ip + 12)
    buffer.writeUInt32BE(back ? c.src : c.dst, ip + 16)
    buffer.writeUInt16BE(back ? c.dport : c.sport, ip + 20)
    buffer.writeUInt16BE(back ? c.sport : c.dport, ip + 22)
    if (c.protocol === 6) {
      buffer[ip + 32] = 0x50
      buffer[ip + 33] = c.sent === 0 ? 2 : c.sent === 1 ? 18 : c.left === 1 ? 17 : 16
    } else buffer.writeUInt16BE(8 + payload, ip + 24)
    at = ip + length
    c.sent++
    if (--c.left === 0) live[which] = begin()
  }
  writeSync(fd, buffer, 0, at)
  closeSync(fd)
}

function run(argv) {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
    let peak = 0
    let text = ''
    const watch = setInterval(() => {
      try {
        peak = Math.max(
          peak,
          Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0),
        )
      } catch {
        // It has just ended, or this system has no /proc.
      }
    }, 50)
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', piece => {
        text = (text + piece).slice(-300)
      })
    child.on('error', reject)
    child.on('close', code => {
      clearInterval(watch)
      resolve({ seconds: (performance.now() - started) / 1000, peak: peak / 1024, code, text: text.trim() })
    })
  })
}

async function best(times, work) {
  let result = await work()
  for (let i = 1; i < times; i++) {
    const again = await work()
    if (again.seconds < result.seconds) result = again
  }
  return result
}

const has = tool => spawnSync(tool, ['-h']).error === undefined
const row = (name, { seconds, peak }, extra = '') =>
  print(`  ${name.padEnd(28)} ${seconds.toFixed(2).padStart(8)} s  peak ${peak.toFixed(0).padStart(5)} MiB  ${extra}`)

mkdirSync(values.dir, { recursive: true })
const payload = values.gib === undefined ? 30 : 1400
const packets =
  values.gib === undefined
    ? Number(values.packets)
    : Math.floor((Number(values.gib) * 2 ** 30) / (16 + 14 + 40 + payload))
const capture = join(values.dir, `capture-${packets}-${payload}.pcap`)
if (!existsSync(capture)) {
  print(`writing ${packets.toLocaleString('en-US')} packets to ${capture} …`)
  writeCapture(capture, packets, payload)
}
print(
  `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}; ${packets.toLocaleString('en-US')} packets, ${(statSync(capture).size / 2 ** 30).toFixed(2)} GiB`,
)
const out = join(values.dir, 'capture-flows')
const times = values.gib === undefined ? 2 : 1
if (has('tcpdump')) row('tcpdump --count', await best(times, () => run(['tcpdump', '-r', capture, '--count'])))
const ours = await best(times, () => {
  rmSync(out, { recursive: true, force: true })
  return run([process.execPath, 'dist/cli/main.js', 'convert', capture, '-o', `${out}/`])
})
if (has('nfpcapd')) {
  const peer = await best(times, () => {
    rmSync(`${out}-peer`, { recursive: true, force: true })
    mkdirSync(`${out}-peer`)
    return run(['nfpcapd', '-r', capture, '-w', `${out}-peer`])
  })
  row('nfpcapd -r -w', peer)
  row('tidemark convert', ours, `${(ours.seconds / peer.seconds).toFixed(2)} of nfpcapd; ${ours.text}`)
  rmSync(`${out}-peer`, { recursive: true, force: true })
} else row('tidemark convert', ours, ours.text)
rmSync(out, { recursive: true, force: true })
