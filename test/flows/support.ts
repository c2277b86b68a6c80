/** Random flows as an nfcapd file and as a case, and what nfdump says of the file. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FlowsRequest, FlowsResult, FlowsRow } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { has, NfcapdFlow } from '../../src/nfcapd/flow.ts'
import { NfcapdWriter } from '../../src/nfcapd/writer.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { pick, randomFrom } from '../filter/flows.ts'

/** A folder that goes away by `close`. */
export interface Work {
  root: string
  close(): void
}

export function workFolder(): Work {
  const root = mkdtempSync(join(tmpdir(), 'tidemark-flows-'))
  return { root, close: () => rmSync(root, { recursive: true, force: true }) }
}

export async function caseOf(root: string, paths: string[], name = 'case'): Promise<Case> {
  if (paths.length > 0) await addEvidence({ case: join(root, name), paths })
  return openCase(join(root, name))
}

export async function answerOf(c: Case, request: FlowsRequest): Promise<{ result: FlowsResult; rows: FlowsRow[] }> {
  const result = await queryFlows(c, request)
  const rows: FlowsRow[] = []
  for await (const row of result.rows()) rows.push(row)
  return { result, rows }
}

export async function rowsOf(c: Case, request: FlowsRequest): Promise<FlowsRow[]> {
  return (await answerOf(c, request)).rows
}

const quads = [0x0a000001, 0x0a000002, 0x0a000101, 0xc0000201, 0xc00002c8, 0xc6336407, 0xcb007163, 0xcb007107]
const begin_us = Date.UTC(2023, 10, 14, 22, 0) * 1000

/** Writes an nfcapd file of random flows: TCP, UDP, ICMP and others, IPv4 and IPv6, with interfaces, AS numbers, VLANs. */
export function writeRandomNfcapd(path: string, count: number, seed: number): void {
  const random = randomFrom(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const pieces: Uint8Array[] = []
  const writer = new NfcapdWriter(bytes => pieces.push(bytes.slice()), { ident: 'random' })
  const flow = new NfcapdFlow()
  for (let i = 0; i < count; i++) {
    const isSix = random() < 0.25
    flow.version = isSix ? 6 : 4
    const end = (name: 'src' | 'dst'): void => {
      flow[`${name}0`] = isSix ? 0x20010db8 : 0
      flow[`${name}1`] = isSix ? below(3) : 0
      flow[`${name}2`] = isSix ? 0 : 0xffff
      flow[`${name}3`] = isSix ? 1 + below(4) : pick(random, quads)
    }
    end('src')
    end('dst')
    flow.protocol = pick(random, [6, 6, 6, 17, 17, isSix ? 58 : 1, 47])
    const ports = flow.protocol === 6 || flow.protocol === 17
    flow.srcPort = ports ? pick(random, [53, 80, 443, 40_000 + below(6)]) : 0
    flow.dstPort = ports ? pick(random, [22, 80, 443, 8889, 40_000 + below(6)]) : 0
    if (flow.protocol === 1) flow.dstPort = pick(random, [8 * 256, 0, 3 * 256 + 1])
    if (flow.protocol === 58) flow.dstPort = pick(random, [128 * 256, 135 * 256])
    flow.tcpFlags = flow.protocol === 6 ? pick(random, [2, 18, 24, 27, 4]) : 0
    flow.tos = pick(random, [0, 0, 0, 8, 184])
    flow.first = begin_us + below(3_600_000) * 1000
    flow.last = flow.first + (random() < 0.3 ? 0 : below(400_000) * 1000)
    flow.received = flow.last
    flow.packetsLow = 1 + below(1000)
    flow.packetsHigh = 0
    flow.bytesLow = flow.packetsLow * (40 + below(1400))
    flow.bytesHigh = random() < 0.01 ? 1 + below(3) : 0
    flow.has = has.misc | has.as | has.nextHop | has.vlan
    flow.input = 1 + below(3)
    flow.output = 4 + below(3)
    flow.srcAs = 64_500 + below(3)
    flow.dstAs = 64_500 + below(3)
    flow.srcVlan = below(3)
    ;[flow.nextHop0, flow.nextHop1, flow.nextHop2, flow.nextHop3] = [0, 0, 0xffff, 0xc0000201 + below(2)]
    writer.add(flow)
  }
  const head = writer.finish()
  const bytes = Buffer.concat(pieces)
  bytes.set(head, 0)
  writeFileSync(path, bytes)
}

/** What nfdump prints, as lines. */
export function nfdumpLines(file: string, ...args: string[]): string[] {
  const { stdout, stderr, status } = spawnSync('nfdump', ['-q', '-N', '-6', '-r', file, ...args], {
    env: { ...process.env, TZ: 'UTC' },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new Error(`nfdump ${args.join(' ')}: ${stderr}`)
  return stdout.split('\n').filter(line => line.trim() !== '')
}
