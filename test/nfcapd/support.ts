import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { NfcapdAccount } from '../../src/nfcapd/account.ts'
import { has, NfcapdFlow } from '../../src/nfcapd/flow.ts'
import { readNfcapd } from '../../src/nfcapd/reader.ts'
import { NfcapdWriter, type NfcapdWriterOptions } from '../../src/nfcapd/writer.ts'

/** A linear congruential generator: the same numbers everywhere. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  u32(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0
    const high = this.state >>> 16
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0
    return ((high << 16) | (this.state >>> 16)) >>> 0
  }

  /** From 0 to below `limit`. */
  below(limit: number): number {
    return this.u32() % limit
  }

  /** Small as often as large. */
  anyU32(): number {
    return this.u32() >>> this.below(32)
  }

  of<T>(...values: T[]): T {
    return values[this.below(values.length)]!
  }
}

export function copyOf(flow: NfcapdFlow): NfcapdFlow {
  return Object.assign(new NfcapdFlow(), flow, { mpls: flow.mpls.slice() })
}

export async function* piecesOf(bytes: Uint8Array, size = 64 << 10): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export async function readAll(
  bytes: Uint8Array,
  size?: number,
): Promise<{ flows: NfcapdFlow[]; account: NfcapdAccount }> {
  const flows: NfcapdFlow[] = []
  const account = await readNfcapd(piecesOf(bytes, size), flow => flows.push(copyOf(flow)))
  return { flows, account }
}

export function written(flows: readonly NfcapdFlow[], options: NfcapdWriterOptions = {}): Uint8Array {
  const parts: Uint8Array[] = []
  const writer = new NfcapdWriter(bytes => parts.push(bytes.slice()), options)
  for (const flow of flows) writer.add(flow)
  const header = writer.finish()
  const file = new Uint8Array(Buffer.concat(parts))
  file.set(header)
  return file
}

/** Random flows of all kinds. Every field that the writer knows is set somewhere. */
export function randomFlows(count: number, seed: number): NfcapdFlow[] {
  const random = new Random(seed)
  return Array.from({ length: count }, (_, i) => randomFlow(random, i))
}

function randomFlow(random: Random, i: number): NfcapdFlow {
  const flow = new NfcapdFlow()
  flow.number = i + 1
  flow.version = random.of(4, 4, 6)
  if (flow.version === 4) flow.src2 = flow.dst2 = 0xffff
  else {
    flow.src0 = random.of(0x20010db8, random.anyU32())
    flow.src1 = random.anyU32()
    flow.src2 = random.anyU32()
    flow.dst0 = random.of(0x20010db8, 0xfe800000)
    flow.dst1 = random.anyU32()
    flow.dst2 = random.anyU32()
  }
  flow.src3 = random.u32()
  flow.dst3 = random.u32()
  flow.protocol = random.of(6, 6, 17, 1, 58, 132, 47, random.below(256))
  flow.srcPort = flow.isIcmp ? 0 : random.u32() >>> 16
  flow.dstPort = random.u32() >>> 16
  flow.tcpFlags = flow.protocol === 6 ? random.below(256) : 0
  flow.tos = random.below(256)
  flow.forwardingStatus = random.of(0, random.below(256))
  // From 1970 to the year 2106, whole milliseconds.
  flow.first = (random.anyU32() * 1000 + random.below(1000)) * 1000
  flow.last = flow.first + random.anyU32() * 1000
  flow.received = random.of(0, flow.last + random.below(100_000) * 1000)
  flow.packetsLow = random.anyU32()
  flow.packetsHigh = random.of(0, 0, random.anyU32() >>> 1)
  flow.bytesLow = random.anyU32()
  flow.bytesHigh = random.of(0, 0, random.anyU32() >>> 1)
  flow.exporter = random.below(65536)
  flow.engineType = random.below(256)
  flow.engineId = random.below(256)
  flow.sampled = random.of(false, true)
  if (random.below(3) === 0) addOptional(random, flow)
  return flow
}

function addOptional(random: Random, flow: NfcapdFlow): void {
  const chosen = random.u32()
  if (chosen & has.misc) {
    flow.has |= has.misc
    flow.input = random.anyU32()
    flow.output = random.anyU32()
    flow.srcMask = random.below(33)
    flow.dstMask = random.below(33)
    flow.direction = random.below(3)
    flow.dstTos = random.below(256)
    flow.biFlowDirection = random.below(4)
    flow.flowEndReason = random.below(6)
  }
  if (chosen & has.counters) {
    flow.has |= has.counters
    flow.flowsLow = random.below(1000)
    flow.outPacketsLow = random.anyU32()
    flow.outPacketsHigh = random.of(0, random.anyU32() >>> 8)
    flow.outBytesLow = random.anyU32()
    flow.outBytesHigh = random.of(0, random.anyU32() >>> 8)
  }
  if (chosen & has.vlan) {
    flow.has |= has.vlan
    flow.srcVlan = random.below(4096)
    flow.dstVlan = random.below(4096)
  }
  if (chosen & has.as) {
    flow.has |= has.as
    flow.srcAs = random.anyU32()
    flow.dstAs = random.anyU32()
  }
  addRouting(random, chosen, flow)
}

function addRouting(random: Random, chosen: number, flow: NfcapdFlow): void {
  const ipv6 = random.of(false, true)
  const word = (): number => (ipv6 ? random.u32() : 0)
  const third = (): number => (ipv6 ? random.u32() : 0xffff)
  if (chosen & has.nextHop) {
    flow.has |= has.nextHop
    Object.assign(flow, { nextHop0: word(), nextHop1: word(), nextHop2: third(), nextHop3: random.u32() })
  }
  if (chosen & has.bgpNextHop) {
    flow.has |= has.bgpNextHop
    Object.assign(flow, { bgpNextHop0: word(), bgpNextHop1: word(), bgpNextHop2: third(), bgpNextHop3: random.u32() })
  }
  if (chosen & has.router) {
    flow.has |= has.router
    Object.assign(flow, { router0: word(), router1: word(), router2: third(), router3: random.u32() })
  }
  if (chosen & has.mac) {
    flow.has |= has.mac
    for (const name of ['inSrcMac', 'outDstMac', 'inDstMac', 'outSrcMac'] as const) {
      flow[`${name}High`] = random.u32() >>> 16
      flow[`${name}Low`] = random.u32()
    }
  }
  if (chosen & has.mpls) {
    flow.has |= has.mpls
    for (let i = 0; i < random.below(11); i++) flow.mpls[i] = random.u32() >>> 8
  }
  if (chosen & has.adjacentAs) {
    flow.has |= has.adjacentAs
    flow.nextAdjacentAs = random.anyU32()
    flow.previousAdjacentAs = random.anyU32()
  }
  if (chosen & has.latency) {
    flow.has |= has.latency
    flow.clientDelay = random.below(10_000_000)
    flow.serverDelay = random.below(10_000_000)
    flow.applicationLatency = random.below(10_000_000)
  }
}

/** Fields as text: for quick comparison. */
export function textOf(flow: NfcapdFlow): string {
  return Object.values(flow).join()
}

/** A folder that is gone after the test. */
export function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-nfcapd-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function fileOf(t: TestContext, bytes: Uint8Array): string {
  const path = join(folderOf(t), 'nfcapd.202311142200')
  writeFileSync(path, bytes)
  return path
}

export function nfdump(...args: string[]): string {
  return execFileSync('nfdump', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: { ...process.env, TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

/** What `nfdump -o raw` prints of each record: names and values as it spells them. */
export function rawRecords(text: string): Map<string, string>[] {
  return text
    .split('\nFlow Record: \n')
    .slice(1)
    .map(record => {
      const values = new Map<string, string>()
      for (const line of record.split('\n')) {
        const at = line.indexOf('=')
        if (at > 0) values.set(line.slice(0, at).trim(), line.slice(at + 1).trim())
      }
      return values
    })
}

export function wide(low: number, high: number): bigint {
  return BigInt(low) + (BigInt(high) << 32n)
}
