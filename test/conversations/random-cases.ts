/** Random evidence of every kind, small and dense: few hosts and ports, so that records meet often. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { writeRandomNfcapd } from '../flows/support.ts'
import { writeRandomFolder } from '../oracle/random-folder.ts'
import { type Bytes, be16, be32, ethernet, ipv4, ipv6, pcap, type Record, udp, zeros } from '../packet/build.ts'
import { type Chance, chanceFrom } from '../robustness/support.ts'

export const kinds = ['logs', 'logs with unknown values', 'captures', 'nfcapd', 'logs and captures'] as const
export type Kind = (typeof kinds)[number]

/** Writes evidence of a kind into a folder that is there. The same seed gives the same. */
export function writeRandomEvidence(dir: string, kind: Kind, seed: number): void {
  const chance = chanceFrom(seed)
  if (kind === 'logs' || kind === 'logs and captures') writeRandomFolder(join(dir, 'logs'), seed)
  if (kind === 'logs with unknown values') writeUnknownLogs(dir, chance, seed)
  if (kind === 'captures' || kind === 'logs and captures') writeCaptures(dir, chance)
  if (kind === 'nfcapd')
    for (const file of [1, 2]) writeRandomNfcapd(join(dir, `nfcapd.${file}`), chance.int(60, 200), 10 * seed + file)
}

/** A random folder of logs many of whose values are `-`, and logs whose formats lack fields. */
function writeUnknownLogs(dir: string, chance: Chance, seed: number): void {
  mkdirSync(join(dir, 'logs'))
  const whole = join(dir, 'whole')
  writeRandomFolder(whole, seed)
  for (const [i, path] of filesBelow(whole).entries()) {
    const bytes = readFileSync(path)
    if (path.endsWith('.gz') && seed % 2 === 0) continue
    const text = (path.endsWith('.gz') ? unpacked(bytes) : bytes).toString('latin1')
    let header: string[] = []
    const lines = text.split('\n').map(line => {
      const values = line.split(' ')
      if (values.includes('srcaddr')) header = values
      else if (values.length === header.length && chance.maybe(0.3)) {
        const field = chance.pick(['srcport', 'dstport', 'protocol', 'packets', 'bytes', 'action', 'tcp-flags'])
        const at = header.indexOf(field)
        if (at >= 0) values[at] = '-'
      }
      return values.join(' ')
    })
    writeFileSync(join(dir, 'logs', `${i}.log`), lines.join('\n'), 'latin1')
  }
  for (const [i, times] of [[], ['start'], ['end'], ['start', 'end']].entries())
    writeFileSync(join(dir, 'logs', `short-${i}.log`), shortLog(times, chance))
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .sort()
    .map(name => join(dir, name))
    .filter(path => statSync(path).isFile() && /\.(log|txt)(\.gz)?$/.test(path))
}

function unpacked(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes)
  } catch {
    return Buffer.from('')
  }
}

const hosts = ['10.0.0.1', '10.0.0.2', '192.0.2.9', '2001:db8::1', '2001:db8::2']
const ports = [22, 443, 40_000, 40_001, 50_000]

/** Records with some fields only, of which some are unknown. */
function shortLog(times: readonly string[], chance: Chance): string {
  const maybe = ['srcport', 'dstport', 'protocol', 'packets', 'bytes', 'tcp-flags', 'action']
  const fields = ['interface-id', 'srcaddr', 'dstaddr', ...maybe.filter(() => chance.maybe(0.8)), ...times]
  const line = (): string => {
    const start = 1_678_886_400 + chance.int(0, 4000)
    const values: { [field: string]: () => unknown } = {
      'interface-id': () => chance.pick(['eni-1', 'eni-2']),
      srcaddr: () => chance.pick(hosts),
      dstaddr: () => chance.pick(hosts),
      srcport: () => chance.pick([...ports, 0]),
      dstport: () => chance.pick([...ports, 0]),
      protocol: () => chance.pick([0, 1, 6, 6, 17]),
      packets: () => chance.int(0, 9),
      bytes: () => chance.int(0, 9000),
      'tcp-flags': () => chance.pick([0, 2, 18, 3, 4, 19]),
      action: () => chance.pick(['ACCEPT', 'ACCEPT', 'REJECT']),
      start: () => start,
      end: () => start + chance.int(0, 59),
    }
    return fields.map(field => (maybe.includes(field) && chance.maybe(0.2) ? '-' : String(values[field]!()))).join(' ')
  }
  return `${[fields.join(' '), ...Array.from({ length: 60 }, line)].join('\n')}\n`
}

/** Two captures, the second of which holds some of the packets of the first, a little later; frames are cut short now and then. */
function writeCaptures(dir: string, chance: Chance): void {
  const frames: Record[] = []
  let at_us = 1_678_886_400_000_000
  for (let i = 0; i < 400; i++) {
    at_us += chance.pick([100, 1000, 50_000, 1_000_000, 1_000_000, 20_000_000, 61_000_000, 130_000_000])
    const bytes = frame(chance)
    frames.push({
      bytes: chance.maybe(0.05) ? bytes.slice(0, chance.int(34, 60)) : bytes,
      wire: bytes.length,
      time: timeOf(at_us),
    })
  }
  const late_us = chance.pick([0, 2, 900])
  const elsewhere = frames
    .filter(() => chance.maybe(0.5))
    .map(one => ({ ...one, time: timeOf(one.time![0] * 1_000_000 + one.time![1] + late_us) }))
  writeFileSync(join(dir, 'one.pcap'), pcap(frames))
  writeFileSync(join(dir, 'other.pcap'), pcap(elsewhere))
}

function timeOf(us: number): [number, number] {
  return [Math.floor(us / 1_000_000), us % 1_000_000]
}

function frame(chance: Chance): Bytes {
  const six = chance.maybe(0.3)
  const few = hosts.filter(host => host.includes(':') === six)
  const [src, dst] = [chance.pick(few), chance.pick(few)]
  const protocol = chance.pick([6, 6, 6, 6, 17, 17, six ? 58 : 1, 47])
  const content = transport(chance, protocol)
  if (six) return ethernet(0x86dd, ipv6({ next: protocol, src, dst }, content))
  const fragment = chance.maybe(0.05) ? chance.pick([0x2000, 0x2001, 1]) : 0
  return ethernet(0x0800, ipv4({ protocol, src, dst, id: chance.int(0, 3), fragment }, content))
}

function transport(chance: Chance, protocol: number): Bytes {
  const [from, to] = [chance.pick(ports), chance.pick(ports)]
  const payload = zeros(chance.pick([0, 0, 10, 300]))
  if (protocol === 17) return udp(from, to, payload)
  if (protocol !== 6)
    return [chance.pick([8, 0, 3, 11, 128, 129, 1]), 0, ...zeros(2), ...be16(chance.int(0, 1)), ...zeros(30)]
  const flags = chance.pick([2, 2, 18, 16, 24, 17, 4, 20])
  const numbers = [...be32(1000 * chance.int(0, 3)), ...be32(1000 * chance.int(0, 3))]
  return [...be16(from), ...be16(to), ...numbers, 0x50, flags, ...be16(8192), ...zeros(4), ...payload]
}
