// Captures: parsing and decoding in one thread, beside tcpdump where there is one, on the same generated file.
//
//   npx tsc -p tsconfig.json && node bench/packets.mjs          one million packets, ten times over
//   node bench/packets.mjs --rounds 3 --pcapng
//
// Prints seconds and nanoseconds a packet; it judges nothing. The file is in memory for us and in the page cache for tcpdump.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CaptureDecoder } from '../build/src/packet/capture.js'

const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '10' },
    pcapng: { type: 'boolean', default: false },
    dir: { type: 'string', default: join(tmpdir(), 'tidemark-bench') },
  },
})
const packets = Number(values.packets)
const rounds = Number(values.rounds)
const pieceBytes = 256 << 10
const print = text => process.stdout.write(`${text}\n`)

/** Ethernet, IPv4, TCP or every fifth UDP, of 54 to 150 bytes: about 100 on average, with addresses and ports of 4,096 flows. */
function frame(view, at, number) {
  const udp = number % 5 === 0
  const length = 54 + ((Math.imul(number, 0x9e3779b1) >>> 8) % 97)
  const flow = (Math.imul(number, 0x85ebca6b) >>> 16) & 4095
  view.setUint16(at + 12, 0x0800)
  view.setUint16(at + 14, 0x4500)
  view.setUint16(at + 16, length - 14)
  view.setUint16(at + 22, (0x40 << 8) | (udp ? 17 : 6))
  view.setUint32(at + 26, 0x0a000000 + flow)
  view.setUint32(at + 30, 0xc6336401)
  view.setUint16(at + 34, 32768 + flow)
  view.setUint16(at + 36, udp ? 53 : 443)
  if (udp) view.setUint16(at + 38, length - 34)
  else view.setUint16(at + 46, 0x5010)
  return length
}

function pcap() {
  const bytes = new Uint8Array(24 + packets * 166)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0xa1b2c3d4, true)
  view.setUint32(4, 0x00040002, true)
  view.setUint32(16, 262144, true)
  view.setUint32(20, 1, true)
  let at = 24
  for (let number = 0; number < packets; number++) {
    const length = frame(view, at + 16, number)
    view.setUint32(at, 1_700_000_000 + Math.floor(number / 100_000), true)
    view.setUint32(at + 4, (number % 100_000) * 10, true)
    view.setUint32(at + 8, length, true)
    view.setUint32(at + 12, length, true)
    at += 16 + length
  }
  return bytes.subarray(0, at)
}

function pcapng() {
  const bytes = new Uint8Array(48 + packets * 184)
  const view = new DataView(bytes.buffer)
  const words = [0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28, 1, 20, 1, 262144, 20]
  for (const [place, word] of words.entries()) view.setUint32(place * 4, word, true)
  let at = words.length * 4
  for (let number = 0; number < packets; number++) {
    const length = frame(view, at + 28, number)
    const block = 32 + ((length + 3) & ~3)
    const time = 1_700_000_000_000_000 + number * 10
    view.setUint32(at, 6, true)
    view.setUint32(at + 4, block, true)
    view.setUint32(at + 12, Math.floor(time / 2 ** 32), true)
    view.setUint32(at + 16, time % 2 ** 32, true)
    view.setUint32(at + 20, length, true)
    view.setUint32(at + 24, length, true)
    view.setUint32(at + block - 4, block, true)
    at += block
  }
  return bytes.subarray(0, at)
}

mkdirSync(values.dir, { recursive: true })
const path = join(values.dir, `packets-${packets}.${values.pcapng ? 'pcapng' : 'pcap'}`)
if (!existsSync(path)) writeFileSync(path, values.pcapng ? pcapng() : pcap())
const file = readFileSync(path)
print(
  `${cpus()[0].model}, Node ${process.version}; ${path}: ${packets} packets, ${file.length} bytes, ${rounds} rounds`,
)

let decoded = 0
const cpu = process.cpuUsage()
const started = performance.now()
for (let round = 0; round < rounds; round++) {
  const decoder = new CaptureDecoder(() => {})
  for (let at = 0; at < file.length; at += pieceBytes) decoder.feed(file.subarray(at, at + pieceBytes))
  decoder.end()
  decoded += decoder.accounts.decoded
}
report('tidemark', (performance.now() - started) / 1000, decoded)
print(`tidemark, processor time: ${(process.cpuUsage(cpu).user / 1e6).toFixed(2)} s`)

const peer = 'tcpdump'
if (spawnSync(peer, ['--version']).status === 0) {
  const begun = performance.now()
  for (let round = 0; round < rounds; round++) {
    const { status, stderr } = spawnSync(peer, ['-r', path, '--count'], { encoding: 'utf8' })
    if (status !== 0) print(stderr.trim())
  }
  report('tcpdump --count (parses records, decodes nothing)', (performance.now() - begun) / 1000, packets * rounds)
}

function report(name, seconds, count) {
  print(`${name}: ${seconds.toFixed(2)} s, ${((seconds * 1e9) / count).toFixed(0)} ns a packet, ${count} packets`)
}
