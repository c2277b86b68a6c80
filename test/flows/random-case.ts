/** Cases of random records, and requests of random groups: what a fast way must agree on with the plain one. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FlowsRequest } from '../../src/flows/request.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { pick, randomFrom } from '../filter/flows.ts'
import { writeRandomNfcapd } from './support.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'
const anyHosts = [
  '10.0.0.1',
  '10.0.0.2',
  '10.0.1.9',
  '192.0.2.7',
  '198.51.100.200',
  '2001:db8::1',
  '2001:db8:0:1::5',
  '-',
]

/** Lines of a flow log: both families, what is unknown, what is rejected, and what two sensors saw. */
export function randomLines(count: number, seed: number, hosts: readonly string[] = anyHosts): string[] {
  const random = randomFrom(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const or = (value: number | string): number | string => (random() < 0.05 ? '-' : value)
  const lines: string[] = []
  while (lines.length < count) {
    const protocol = pick(random, [6, 6, 17, 1])
    const ports = protocol === 1 ? ['-', '-'] : [pick(random, [53, 443, 40_001]), pick(random, [22, 80, 443, 40_002])]
    const huge = random() < 0.02 ? (1n << 40n) * BigInt(below(1 << 20)) : 0n
    const start = 1_700_000_000 + below(3000)
    const end = start + (random() < 0.2 ? 0 : below(random() < 0.5 ? 61 : 900))
    const line = (sensor: string): string =>
      [
        ...['2 1', sensor, pick(random, hosts), pick(random, hosts), ...ports.map(or), or(protocol)],
        ...[or(1 + below(500)), or(String(BigInt(below(600_000)) + huge)), start, end],
        ...[or(random() < 0.25 ? 'REJECT' : 'ACCEPT'), 'OK', or(pick(random, [2, 18, 3]))],
      ].join(' ')
    const first = line('eni-a')
    lines.push(first)
    if (random() < 0.3) lines.push(first.replace('eni-a', 'eni-b'))
  }
  return lines
}

export function writeLog(path: string, lines: readonly string[]): void {
  writeFileSync(path, `${[header, ...lines].join('\n')}\n`)
}

/** Folders of cases: of logs, of logs with IPv4 alone, and of nfcapd records alone. */
interface Cases {
  logs: string
  four: string
  packets: string
}

export async function randomCases(root: string, count: number, seed: number): Promise<Cases> {
  writeLog(join(root, `${seed}.log`), randomLines(count, seed))
  writeRandomNfcapd(join(root, `nfcapd.${seed}`), count, seed)
  const cases = {
    logs: join(root, `logs-${seed}`),
    four: join(root, `four-${seed}`),
    packets: join(root, `packets-${seed}`),
  }
  await addEvidence({ case: cases.logs, paths: [join(root, `${seed}.log`)], workers: 1 })
  writeLog(
    join(root, `four-${seed}.log`),
    randomLines(
      count,
      seed,
      anyHosts.filter(host => !host.includes(':')),
    ),
  )
  await addEvidence({ case: cases.four, paths: [join(root, `four-${seed}.log`)], workers: 1 })
  await addEvidence({ case: cases.packets, paths: [join(root, `nfcapd.${seed}`)], workers: 1 })
  return cases
}

const elements = ['srcip', 'dstip', 'srcport', 'dstport', 'proto', 'srcip4/24', 'dstip6/64', 'srcip4/8', 'dstip4/32']
const filters = [
  'any',
  'any',
  'any',
  'src net 10.0.0.0/8',
  'dst port 443',
  'proto 6 or src port 53',
  'ip 10.0.0.1',
  'not dst net 192.0.2.0/24',
  'src net 2001:db8::/32',
]

/** A request for groups or time bins. */
export function randomRequest(random: () => number): FlowsRequest {
  const is = (chance: number): boolean => random() < chance
  const groups: Pick<FlowsRequest, 'stat' | 'by'> = is(0.5)
    ? { stat: { element: pick(random, [...elements, 'ip', 'port', 'record']), ...(is(0.2) && { perProtocol: true }) } }
    : { by: [[], [pick(random, elements)], ['srcip4/24', 'dstport'], ['proto', 'dstip']][Math.floor(random() * 4)]! }
  const isBinned = is(0.35) && groups.stat?.element !== 'ip' && groups.stat?.element !== 'port'
  const binned = isBinned && groups.stat?.element !== 'record' && groups.stat?.perProtocol !== true
  return {
    filter: pick(random, filters),
    ...groups,
    ...(binned && { bin_ms: pick(random, [1000, 60_000, 300_000, 77_000]) }),
    ...(is(0.4) && { raw: true }),
    ...(is(0.2) && { nfdump: true }),
    ...(is(0.5) && { order: pick(random, ['bytes', 'packets', 'records']) }),
    ...(is(0.1) && !binned && { order: pick(random, ['start', 'bps', 'duration']) }),
    limit: pick(random, [1, 3, 10, null]),
    ...(is(0.3) && (groups.by?.length ?? 1) > 0 && { other: true }),
    ...(is(0.2) && !binned && { having: 'bytes > 1m' }),
    ...(is(0.15) && !binned && { distinct: ['dstip'] }),
  }
}
