// What nfpcapd and nfdump 1.7.1 make of a capture.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { MeteredFlow } from '../../src/meter/metered-flow.ts'
import { addressText } from './flows-of.ts'

/** A flow record as both can tell it: times in milliseconds, flags of the low six bits. */
export interface CommonFlow {
  key: string
  first: number
  last: number
  flags: number
  packets: number
  bytes: number
  /** Why ours ended. */
  end: string
}

export interface NfpcapdRun {
  flows: CommonFlow[]
  /** It left packets out, and counted or named them. */
  skips: boolean
  /** It stopped before the end of the file. */
  stops: boolean
}

const run = promisify(execFile)

const letters = 'FSRPAUEC'

/** The version of nfpcapd in PATH; null where there is none. */
export function nfpcapdVersion(): string | null {
  const { stderr, stdout, error } = spawnSync('nfdump', ['-V'], { encoding: 'utf8' })
  return error ? null : (/(\d+\.\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1] ?? null)
}

/** The records of a capture by nfpcapd; null where it cannot read the file. */
export async function nfpcapdFlows(path: string): Promise<NfpcapdRun | null> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-nfpcapd-'))
  try {
    const options = { env: { ...process.env, TZ: 'UTC' }, maxBuffer: 1 << 28, timeout: 60_000 }
    // A small node cache (-B): the default takes a second to set up, for each capture.
    const { stdout, stderr } = await run('nfpcapd', ['-B', '5000', '-r', path, '-w', folder], options)
    const said = `${stdout}${stderr}`
    if (!/Processed: [1-9]/.test(said)) return null
    const format = 'fmt:%ts,%td,%pr,%sa,%sp,%da,%dp,%flg,%pkt,%byt'
    const dump = await run('nfdump', ['-6', '-R', folder, '-q', '-N', '-o', format], options)
    const lines = dump.stdout.split('\n').filter(line => line.includes(','))
    const skips = /length error|Unsupported|(skipped|short caplen|unknown): [1-9]/.test(said)
    return { flows: lines.map(flowOf), skips, stops: said.includes('read error') }
  } catch {
    return null // a link type that it does not know, or no capture
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function flowOf(line: string): CommonFlow {
  const [time, duration, protocol, src, srcPort, dst, dstPort, flags, packets, bytes] = line
    .split(',')
    .map(text => text.trim())
  const first = Date.parse(`${time!.replace(' ', 'T')}Z`)
  return {
    key: `${protocol} ${src} ${srcPort} ${dst} ${dstPort}`,
    first,
    last: first + Math.round(Number(duration) * 1000),
    flags: [...letters].reduce((bits, letter, i) => bits | (flags!.includes(letter) ? 1 << i : 0), 0),
    packets: Number(packets),
    bytes: Number(bytes),
    end: '',
  }
}

/** One of our records in the same form: ICMP type and code in the place of the destination port. */
export function commonFlow(r: MeteredFlow): CommonFlow {
  const isIcmp = r.protocol === 1 || r.protocol === 58
  const dstPort = isIcmp ? `${r.icmpType}.${r.icmpCode}` : r.dstPort
  const src = addressText(r.src0, r.src1, r.src2, r.src3)
  const dst = addressText(r.dst0, r.dst1, r.dst2, r.dst3)
  return {
    key: `${r.protocol} ${src} ${r.srcPort} ${dst} ${dstPort}`,
    first: Math.floor(r.first / 1000),
    last: Math.floor(r.last / 1000),
    flags: r.tcpFlags,
    packets: r.packets,
    bytes: r.bytes,
    end: r.end,
  }
}

/** All records of a key as one. */
export function summed(flows: readonly CommonFlow[]): Map<string, CommonFlow> {
  const sums = new Map<string, CommonFlow>()
  for (const flow of flows) {
    const sum = sums.get(flow.key)
    if (sum === undefined) sums.set(flow.key, { ...flow })
    else {
      sum.first = Math.min(sum.first, flow.first)
      sum.last = Math.max(sum.last, flow.last)
      sum.flags |= flow.flags
      sum.packets += flow.packets
      sum.bytes += flow.bytes
    }
  }
  return sums
}
