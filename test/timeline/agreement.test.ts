import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Case } from '../../src/store/case.ts'
import { openTimeline, type Timeline, type ViewRequest } from '../../src/timeline/timeline.ts'
import { pick, randomFrom } from '../filter/flows.ts'
import { randomLines, writeLog } from '../flows/random-case.ts'
import { caseOf, type Work, workFolder, writeRandomNfcapd } from '../flows/support.ts'
import { writeRandomFolder } from '../oracle/random-folder.ts'
import { requireSame, requireSameRows } from './support.ts'

/** Filters and windows over all folders together. */
const views = Number(process.env['TIDEMARK_VIEWS'] ?? 60)
const seed = Number(process.env['TIDEMARK_SEED'] ?? 15)

interface Folder {
  name: string
  c: Case
  timeline: Timeline
}

let work: Work
const folders: Folder[] = []

const begun = 1_700_000_000
const hosts = ['10.0.0.1', '10.0.0.2', '10.0.1.9', '192.0.2.7', '198.51.100.200', '2001:db8::1', '2001:db8:0:1::5']
type Random = ReturnType<typeof randomFrom>

/** Lines in which anything may be absent, with the packets' own addresses, and small counters. */
function oddLines(random: Random, count: number, fields: readonly string[]): string[] {
  const below = (n: number): number => Math.floor(random() * n)
  const or = (value: number | string): string => (random() < 0.08 ? '-' : String(value))
  const lines = [fields.join(' ')]
  for (let i = 0; i < count; i++) {
    const start = begun + below(random() < 0.3 ? 40 : 4000)
    const values: Record<string, () => string> = {
      version: () => '5',
      'account-id': () => '123456789012',
      'interface-id': () => or(pick(random, ['eni-a', 'eni-b', 'eni-ü'])),
      srcaddr: () => or(pick(random, hosts)),
      dstaddr: () => or(pick(random, hosts)),
      'pkt-srcaddr': () => or(pick(random, hosts)),
      'pkt-dstaddr': () => or(pick(random, hosts)),
      srcport: () => or(pick(random, [0, 53, 443, 40_001, 65_535])),
      dstport: () => or(pick(random, [22, 80, 443, 40_001])),
      protocol: () => or(pick(random, [6, 6, 17, 1, 47, 132])),
      packets: () => or(below(50)),
      bytes: () => or(random() < 0.02 ? 2 ** 33 + below(1000) : below(60_000)),
      start: () => or(start),
      end: () => or(start + below(60)),
      action: () => or(pick(random, ['ACCEPT', 'ACCEPT', 'REJECT'])),
      'log-status': () => 'OK',
      'instance-id': () => or(pick(random, ['i-1', 'i-2', 'eni-a'])),
      'subnet-id': () => or(pick(random, ['subnet-1', 'subnet-2'])),
      'flow-direction': () => or(pick(random, ['ingress', 'egress'])),
      'tcp-flags': () => or(pick(random, [2, 18, 3])),
    }
    lines.push(fields.map(name => values[name]!()).join(' '))
  }
  return lines
}

const plain = ['version', 'account-id', 'interface-id', 'srcaddr', 'dstaddr', 'srcport', 'dstport', 'protocol']
const rest = ['packets', 'bytes', 'start', 'end', 'action', 'log-status']

/** Lines of Zeek's conn.log: each is a record of either direction, or of both in one and the same. */
function connLog(random: Random, count: number): string {
  const fields = ['ts', 'uid', 'id.orig_h', 'id.orig_p', 'id.resp_h', 'id.resp_p', 'proto', 'duration']
  const more = [
    'orig_bytes',
    'resp_bytes',
    'conn_state',
    'history',
    'orig_pkts',
    'orig_ip_bytes',
    'resp_pkts',
    'resp_ip_bytes',
  ]
  const lines = ['#separator \\x09', `#fields\t${[...fields, ...more].join('\t')}`]
  for (let i = 0; i < count; i++) {
    const below = (n: number): number => Math.floor(random() * n)
    const orig = [pick(random, hosts), pick(random, [40_001, 40_002])]
    const resp = random() < 0.2 ? orig : [pick(random, hosts), pick(random, [53, 443])]
    const ts = (begun + below(3000) + random()).toFixed(6)
    const packets = [1 + below(9), below(9)]
    lines.push(
      [
        ...[
          ts,
          `C${i}`,
          ...orig,
          ...resp,
          pick(random, ['tcp', 'udp']),
          random() < 0.2 ? 0 : random().toFixed(3),
          below(900),
          below(900),
        ],
        ...['SF', 'Sh', packets[0], 40 * packets[0]! + below(500), packets[1], 40 * packets[1]!],
      ].join('\t'),
    )
  }
  return `${lines.join('\n')}\n`
}

async function add(name: string, paths: string[], blockRows: number, few = false): Promise<void> {
  const c = await caseOf(work.root, paths, `case-${name}`)
  folders.push({
    name,
    c,
    timeline: await openTimeline(c, { blockRows, ...(few && { hosts: { most: 3, ofEach: 2 } }) }),
  })
}

before(async () => {
  work = workFolder()
  const random = randomFrom(seed)
  const path = (name: string): string => join(work.root, name)
  const write = (name: string, lines: readonly string[]): string => {
    writeFileSync(path(name), `${lines.join('\n')}\n`)
    return path(name)
  }
  writeLog(path('wide.log'), randomLines(700, seed))
  await add('wide', [path('wide.log')], 64)
  await add('wide, few hosts', [path('wide.log')], 32, true)
  const odd = [...plain, ...rest, 'pkt-srcaddr', 'pkt-dstaddr', 'tcp-flags']
  await add('odd', [write('odd.log', oddLines(random, 600, odd)), write('odd2.log', oddLines(random, 200, odd))], 32)
  const bare = [
    'srcaddr',
    'dstaddr',
    'srcport',
    'dstport',
    'protocol',
    'packets',
    'bytes',
    'instance-id',
    'subnet-id',
    'action',
  ]
  await add('no times', [write('bare.log', oddLines(random, 300, bare))], 64)
  const few = [
    'version',
    'srcaddr',
    'dstaddr',
    'start',
    'end',
    'protocol',
    'dstport',
    'log-status',
    'instance-id',
    'flow-direction',
  ]
  await add('no counters', [write('few.log', oddLines(random, 300, few))], 64)
  await add('one record', [write('one.log', oddLines(random, 1, [...plain, ...rest]))], 64)
  await add(
    'nothing',
    [write('none.log', [[...plain, ...rest].join(' '), '2 1 eni-a - - - - - - - 1700000000 1700000060 - NODATA'])],
    64,
  )
  writeRandomNfcapd(path('nfcapd.1'), 400, seed)
  await add('nfcapd', [path('nfcapd.1')], 64)
  writeFileSync(path('conn.log'), connLog(random, 300))
  await add('conn.log', [path('conn.log')], 32)
  for (let i = 0; i < 3; i++) {
    mkdirSync(path(`folder-${i}`))
    writeRandomFolder(path(`folder-${i}`), seed + i)
    await add(`folder ${i}`, [path(`folder-${i}`)], 96, i === 1)
  }
})

after(async () => {
  for (const { c, timeline } of folders) {
    timeline.close()
    await c.close()
  }
  work.close()
})

const ends = ['', '', 'src ', 'dst ', 'src or dst ', 'src and dst ']

/** Terms of what the folders hold, and of what they may hold. */
function randomTerm(random: Random, hasRoles: boolean): string {
  const one = pick(random, ends)
  const host = (): string => pick(random, [...hosts, '10.0.0.77', '20.106.124.93'])
  const net = (): string =>
    pick(random, ['10.0.0.0/8', '192.0.2.0/24', '2001:db8::/32', '0.0.0.0/0', '::/0', '10.0.0.0/31'])
  const port = (): number => pick(random, [0, 22, 53, 80, 443, 40_001, 50_000])
  const sign = (): string => pick(random, ['=', '<', '<=', '>', '>=', ''])
  const time = (): string => new Date((begun + Math.floor(random() * 4000)) * 1000).toISOString().slice(0, 19)
  return pick(random, [
    () => `${one}ip ${host()}`,
    () => `${one}ip in [${host()} ${host()}]`,
    () => `${one}net ${net()}`,
    () => `${one}address ${host()}`,
    () => `${one}port ${sign()} ${port()}`,
    () => `${one}port in [${port()} ${port()}]`,
    () => `src port != ${port()}`,
    () => `proto ${pick(random, ['tcp', 'udp', '1', '47', '!= tcp', '> 6'])}`,
    () => `action ${pick(random, ['ACCEPT', 'REJECT', '!= REJECT'])}`,
    () =>
      `sensor ${pick(random, ['', '!= ', 'contains ', 'begins '])}${pick(random, ['eni-a', 'eni-b', 'eni', '"eni-ü"'])}`,
    () => `${one}${pick(random, ['internal', 'external'])}`,
    () => pick(random, ['inet', 'inet6', 'any', 'not any']),
    () => `bytes ${sign()} ${pick(random, ['0', '1k', '30000', '8g', '1t'])}`,
    () => `packets ${sign()} ${pick(random, [0, 1, 10, 400])}`,
    () => `flags ${pick(random, ['S', 'SA', '= 2'])}`,
    () => `first seen ${pick(random, ['>=', '<', '>', '<='])} ${time()}Z`,
    () => `duration > ${pick(random, ['0', '20s'])}`,
    () =>
      pick(random, [
        'src port is unknown',
        'bytes is known',
        'action is unknown',
        'sensor is unknown',
        'src ip is known',
      ]),
    () => (hasRoles ? `role ${pick(random, ['client', 'server'])}` : 'any'),
  ])()
}

/** @param hasRoles whether roles may be asked for: of the two records of a line of conn.log they are not told apart. */
function randomFilter(random: Random, hasRoles: boolean, depth = 2): string {
  const shape = random()
  if (depth === 0 || shape < 0.4) return randomTerm(random, hasRoles)
  if (shape < 0.55) return `not (${randomFilter(random, hasRoles, depth - 1)})`
  const how = pick(random, [' and ', ' or '])
  return Array.from({ length: 2 }, () => `(${randomFilter(random, hasRoles, depth - 1)})`).join(how)
}

test(`${views} random filters and windows: every row and total is that of flows`, async () => {
  const random = randomFrom(seed)
  for (let i = 0; i < views; i++) {
    const { c, timeline, name } = folders[i % folders.length]!
    const request: ViewRequest = {
      ...(random() < 0.9 && { filter: randomFilter(random, name !== 'conn.log') }),
      ...(random() < 0.3 && { raw: true }),
      ...(random() < 0.2 && { internal: ['198.51.100.0/24'] }),
    }
    const at = (): number => {
      const { from_s, to_s } = timeline.span ?? { from_s: begun, to_s: begun + 100 }
      return from_s - 5 + Math.floor(random() * (to_s - from_s + 10))
    }
    const [one, other] = [at(), at()]
    const window = { from_s: Math.min(one, other), to_s: Math.max(one, other) }
    try {
      const view = await timeline.view(request, { fewMost: pick(random, [0, 1000]) })
      const options = {
        top: pick(random, [1, 3, 200]),
        order: pick(random, ['bytes', 'records'] as const),
        complete: true as const,
      }
      await requireSame(c, view, window, options)
      if (random() < 0.3) {
        const rowsOf = random() < 0.2 ? null : window
        await requireSameRows(c, view, await timeline.matching(request), rowsOf, Math.floor(random() * 20), 15)
      }
    } catch (error) {
      throw Object.assign(error as Error, { message: `${name}: ${(error as Error).message}` })
    }
  }
  assert(folders.length > 8)
})
