/** A few hundred requests of every shape, over small cases of every kind of records: what the query layer is held to. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FlowsRequest } from '../../src/flows/request.ts'
import { pick, randomFrom } from '../filter/flows.ts'
import { randomFilter } from '../filter/random-filter.ts'
import { writeRandomNfcapd } from '../flows/support.ts'

export interface Asked {
  /** Name of the case in `writeCases`. */
  of: string
  request: FlowsRequest
}

const wide =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags pkt-srcaddr pkt-dstaddr region flow-direction traffic-path subnet-id custom-field'
const plain =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const hosts = ['10.0.0.1', '10.0.0.2', '10.0.1.9', '192.0.2.1', '198.51.100.7', '2001:db8::1', '2001:db8::2', '0.0.0.0']

/** Records of one seed under the names of a header; `-` here and there. */
function logOf(header: string, count: number, seed: number): string {
  const random = randomFrom(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const names = header.split(' ')
  const lines = Array.from({ length: count }, () => {
    const protocol = pick(random, [6, 6, 6, 17, 1, 47])
    const hasPorts = protocol === 6 || protocol === 17
    const packets = 1 + below(400)
    const start = 1_700_000_000 + below(5000)
    const values: Record<string, string | number> = {
      ...{ version: 2, 'account-id': 1, 'interface-id': pick(random, ['eni-1', 'eni-2']) },
      ...{ srcaddr: pick(random, hosts), dstaddr: pick(random, hosts) },
      srcport: hasPorts ? pick(random, [53, 443, 40_001, 40_002]) : 0,
      dstport: hasPorts ? pick(random, [22, 80, 443, 40_001]) : 0,
      ...{ protocol, packets, bytes: packets * (40 + below(1400)) + (below(50) === 0 ? 2 ** 40 : 0) },
      ...{ start, end: start + pick(random, [0, 1, 59, 60, 300, 599]) },
      ...{ action: pick(random, ['ACCEPT', 'ACCEPT', 'ACCEPT', 'REJECT']), 'log-status': 'OK' },
      'tcp-flags': protocol === 6 ? pick(random, [2, 18, 19, 24, 4]) : 0,
      ...{ 'pkt-srcaddr': pick(random, hosts), 'pkt-dstaddr': pick(random, hosts) },
      ...{ region: pick(random, ['eu-west-1', 'us-east-1']), 'flow-direction': pick(random, ['ingress', 'egress']) },
      ...{ 'traffic-path': pick(random, [1, 2, 8]), 'subnet-id': pick(random, ['subnet-a', "o'hara"]) },
      'custom-field': pick(random, ['ünïcode', 'a', '%_']),
    }
    const absent = (name: string): boolean =>
      !['version', 'log-status', 'srcaddr', 'dstaddr'].includes(name) && random() < 0.05
    return names.map(name => (absent(name) ? '-' : values[name])).join(' ')
  })
  return `${[header, ...lines].join('\n')}\n`
}

/** Writes the evidence of each case, and the sets that filters name. Returns the paths by case. */
export function writeCases(root: string): Map<string, string[]> {
  const log = (name: string, text: string): string => {
    writeFileSync(join(root, name), text)
    return join(root, name)
  }
  const flows = (name: string, seed: number): string => {
    writeRandomNfcapd(join(root, name), 400, seed)
    return join(root, name)
  }
  writeFileSync(join(root, 'hosts.txt'), '10.0.0.0/24\n192.0.2.1\n2001:db8::/64\n')
  writeFileSync(join(root, 'ports.txt'), '22\n443\n')
  writeFileSync(join(root, 'texts.txt'), "eu-west-1\no'hara\n")
  writeFileSync(join(root, 'services.txt'), 'ssh\n53/udp\n')
  const one = log('plain.log', logOf(plain.replace(' interface-id', ''), 300, 1).replaceAll(' - ', ' 7 '))
  return new Map([
    ['wide', [log('wide.log', logOf(wide, 300, 2)), log('wide2.log', logOf(wide, 100, 3))]],
    ['plain', [one]],
    ['narrow', [log('narrow.log', logOf('srcaddr dstaddr protocol bytes log-status', 200, 4))]],
    ['packets', [flows('nfcapd.202311142200', 5)]],
    ['mixed', [log('mixed.log', logOf(plain, 200, 6)), flows('nfcapd.202311142205', 7)]],
  ])
}

const window = 'between 2023-11-14T22:20:00 and 2023-11-14T22:50:00'
const filters = ['any', 'port 443', 'src net 10.0.0.0/8 and not proto udp', 'bytes > 20k', window]

const shapes: FlowsRequest[] = [
  {},
  { limit: 5, order: 'bytes' },
  { limit: 7, order: 'bps' },
  { limit: 5, order: 'tstart' },
  { first: 40 },
  { by: [] },
  { by: ['proto'] },
  { by: ['srcip', 'dstport'], limit: 5 },
  { by: ['srcip4/24'], order: 'packets' },
  { by: ['dstip6/64', 'proto'], other: true, limit: 3 },
  { by: ['sensor'] },
  { by: ['role', 'service'] },
  { by: ['proto'], distinct: ['srcip', 'dstport', 'sensor'] },
  { by: ['proto'], percentiles: ['bytes/95', 'bps/50', 'duration/99', 'bpp/10', 'pps/75', 'packets/100'] },
  { by: ['dstport'], having: 'bytes > 10k and (records >= 2 or not packets < 50) and start < 2023-11-14T23:00' },
  { by: ['srcip'], order: 'bpp', limit: null },
  { by: ['dstip'], order: 'start', limit: 4 },
  { by: ['dstip'], raw: true, limit: 4 },
  { stat: { element: 'ip' } },
  { stat: { element: 'record' }, order: 'bytes', limit: 6 },
  { stat: { element: 'port', perProtocol: true }, limit: 5, other: true },
  { stat: { element: 'srcip' }, order: 'bytes', distinct: ['dstport'] },
  { bidirectional: true, limit: 8 },
  { bidirectional: true, by: ['dstport'], distinct: ['srcip'], limit: 4 },
  { bidirectional: true, stat: { element: 'ip' }, other: true, limit: 3 },
  { bidirectional: true, by: [], having: 'out_bytes > 0', order: 'obyte' },
  { bin_ms: 300_000 },
  { bin_ms: 60_000, by: ['proto'], limit: 2 },
  { bin_ms: 600_000, by: ['srcip', 'proto'], other: true, limit: 3 },
  { bin_ms: 7_000, raw: true, stat: { element: 'dstport' }, limit: 2 },
  { by: ['proto'], compare: 'previous' },
  { by: [], compare: 'between 2023-11-14T22:00 and 2023-11-14T22:15', order: 'records' },
  { stat: { element: 'dstip' }, compare: 'previous', having: 'bytes_change > 0', limit: 4 },
  { nfdump: true, by: ['srcip4/24', 'dstport'], order: 'bytes' },
  { nfdump: true, stat: { element: 'dstip' }, order: 'bytes' },
  { nfdump: true, bidirectional: true, limit: 5 },
  { nfdump: true, by: ['srcip', 'dir', 'next', 'dstas'], limit: 5 },
]

/** All requests, always the same. */
export function requests(): Asked[] {
  const asked: Asked[] = []
  const evidenceOf = (of: string, i: number): Partial<FlowsRequest> =>
    of === 'mixed' ? { evidence: i % 2 === 0 ? 'packets' : 'logs' } : {}
  const names = ['wide', 'plain', 'narrow', 'packets', 'mixed']
  for (const [i, shape] of shapes.entries()) {
    for (const [j, of] of names.entries()) {
      // Which records are the first of two segments depends on which of them is read first.
      if (shape.first !== undefined && of === 'wide') continue
      const chosen = shape.compare === undefined ? [filters[(i + j) % filters.length]!, filters[0]!] : [window]
      for (const filter of new Set(chosen)) asked.push({ of, request: { ...shape, filter, ...evidenceOf(of, i) } })
    }
  }
  const random = randomFrom(20231114)
  const files = { addresses: ['hosts.txt'], ports: ['ports.txt'], texts: ['texts.txt'], services: ['services.txt'] }
  for (let i = 0; i < 150; i++) {
    const of = names[i % names.length]!
    const filter = randomFilter(random, files)
    const shape = i % 3 === 0 ? { limit: 20 } : { by: ['proto'] }
    asked.push({ of, request: { filter, ...shape, internal: ['203.0.113.0/24'], ...evidenceOf(of, i) } })
  }
  const nfdumpFilters = [
    'dst port 2048',
    'icmp-type 8',
    'duration > 1000',
    'bpp < 100',
    'flags S and not flags A',
    'as 64501',
  ]
  for (const filter of nfdumpFilters)
    for (const of of names) asked.push({ of, request: { filter, nfdump: true, by: ['proto'], ...evidenceOf(of, 0) } })
  return asked
}
