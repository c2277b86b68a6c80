import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { compile } from '../../src/filter/compile.ts'
import { parse } from '../../src/filter/filter.ts'
import { loadSets } from '../../src/filter/set.ts'
import { formatAddress } from '../../src/net/address.ts'
import { duckdb } from '../../src/query/duckdb-printer.ts'
import { Database } from '../../src/store/duckdb.ts'
import { sharedDir, skipWithout } from '../repo.ts'
import { makeTable, type Row } from './flows.ts'
import { allFlows, found, nfdumpTypes } from './nfdump-flows.ts'

const inShared = (name: string): string | null => (sharedDir === null ? null : join(sharedDir, 'data', name))
const captures = ['pcap/nfdump/pack.pcap', 'pcap/ndpi/pcap/zoom.pcap', 'pcap/ndpi/pcap/android.pcap'].map(inShared)
const recorded = ['nfdump/chrispassas/nfcapd.sample', 'nfdump/libnf/data1'].map(inShared)
const needs = skipWithout('nfdump', 'nfpcapd', ...captures, ...recorded)
const columns = new Set(Object.keys(nfdumpTypes))

let folder = ''
let flows: Row[] = []
let db: Database

before(async () => {
  if (needs.skip) return
  const top = mkdtempSync(join(tmpdir(), 'tidemark-nfdump-'))
  folder = join(top, 'all')
  mkdirSync(folder)
  const files = [...recorded]
  for (const [i, capture] of captures.entries()) {
    const out = join(top, String(i))
    mkdirSync(out)
    spawnSync('nfpcapd', ['-r', capture!, '-l', out, '-t', '864000'])
    files.push(...readdirSync(out).map(name => join(out, name)))
  }
  for (const [i, file] of files.entries())
    copyFileSync(file!, join(folder, `nfcapd.2000010100${String(i).padStart(2, '0')}`))
  flows = allFlows(folder)
  db = await Database.open({ threads: 1, memoryLimit: '1GB', tempDirectory: null })
  await makeTable(db, flows, nfdumpTypes)
})

after(() => {
  if (folder === '') return
  db.close()
  rmSync(join(folder, '..'), { recursive: true })
})

const foundBefore = new Map<string, number[]>()

function byNfdump(filter: string): number[] {
  const known = foundBefore.get(filter) ?? found(folder, filter)
  foundBefore.set(filter, known)
  return known
}

async function ours(text: string, nfdump: boolean): Promise<number[]> {
  const { where, sets } = compile(parse(text, { nfdump, columns }), { columns })
  await loadSets(db, sets)
  const condition = duckdb.print(where)
  const rows = await db.rows(`SELECT _line FROM flows WHERE ${condition.text} ORDER BY _line`, condition.values)
  return rows.map(row => Number(row['_line']) + 1)
}

/** Every n-th of the different values of a column. */
function some(column: string, count: number): (bigint | string)[] {
  const values = [...new Set(flows.map(row => row[column]!))]
  const step = Math.max(1, Math.floor(values.length / count))
  return values.filter((_, i) => i % step === 0).slice(0, count)
}

const text = (address: bigint | string): string =>
  formatAddress((address as bigint) >> 64n, (address as bigint) & 0xffff_ffff_ffff_ffffn)

/** Filters over all of nfdump's grammar that flow records of ours can answer, with values that occur. */
function filters(): string[] {
  const addresses = [...some('srcaddr', 8), ...some('dstaddr', 6)].map(text)
  const four = addresses.filter(one => !one.includes(':'))
  const ports = [...some('srcport', 6), ...some('dstport', 6)]
  const sides = ['', 'src ', 'dst ', 'src or dst ', 'src and dst ', 'dst or src ', 'dst and src ']
  const few = sides.slice(0, 3)
  const signs = ['', '= ', '== ', '> ', '< ', '>= ', '<= ', 'eq ', 'GT ', 'lt ', 'LE ', 'ge ']
  const each = <A, B>(as: readonly A[], bs: readonly B[], make: (a: A, b: B) => string): string[] =>
    as.flatMap(a => bs.map(b => make(a, b)))
  const simple = [
    ...['any', 'inet', 'ipv4', 'inet6', 'IPV6', 'not inet', 'not any'],
    ...each(few, addresses, (side, one) => `${side}ip ${one}`),
    ...sides.map(side => `${side}host ${addresses[1]}`),
    ...each(few, four, (side, one) => `${side}net ${one}/${8 + one.length}`),
    ...each(sides, [8, 16, 31, 32], (side, length) => `${side}net 192.168.0.83/${length}`),
    ...[`net 192.168/16`, 'net 10.1/16', 'net 192.168.0.0 255.255.0.0', 'src net 170.80.156.33 255.255.255.254'],
    ...addresses
      .filter(one => one.includes(':'))
      .flatMap(one => [`net ${one}/32`, `src net ${one}/64`, `net ${one}/100`]),
    ...each(sides, signs.slice(0, 7), (side, sign) => `${side}port ${sign}443`),
    ...each(few, ports, (side, port) => `${side}port ${port}`),
    ...signs.map(sign => `dst port ${sign}1024`),
    ...few.map(side => `${side}port in [53, 80 443]`),
    `src and dst port in [53 443]`,
    `src or dst port in [${some('srcport', 300).join(' ')}]`,
    ...few.map(side => `${side}ip in [${addresses.slice(0, 5).join(' ')}]`),
    `ip in [${addresses.slice(0, 5).join(',')}]`,
    'src ip in [192.168.0.0/16]',
    'src ip in [10.0.0.0/8 192.168.0.83 2800::/16]',
    'src and dst ip in [192.168.0.0/16 138.0.0.0/8 224.0.0.0/4]',
    ...['tcp', 'TCP', 'udp', 'icmp', 'icmp6', 'gre', '6', '17', '47', 'esp', 'sctp', '255'].map(one => `proto ${one}`),
    ...['S', 'A', 'F', 'R', 'P', 'U', 'SA', 'AP', 'AF', 'SAF', 'X', 'AR'].map(one => `flags ${one}`),
    ...['0', '2', '16', '18', '24', '> 17', '< 17', '>= 24', '<= 2', '= 27'].map(one => `flags ${one}`),
    ...each(
      ['bytes', 'packets', 'in bytes', 'in packets', 'bpp'],
      ['> 100', '< 1k', '= 52', '>= 1000', '<= 0x40', '> 1m'],
      (what, test) => `${what} ${test}`,
    ),
    ...[
      'bytes > 1024',
      'bytes > 1k',
      'packets > 4t',
      'bytes 52',
      'out bytes = 0',
      'out packets > 0',
      'flows = 1',
      'flows > 1',
    ],
    ...each(
      ['bps', 'pps', 'duration'],
      ['> 0', '= 0', '> 1k', '< 100', '>= 8000', '> 1000k', '<= 60000'],
      (what, test) => `${what} ${test}`,
    ),
    ...['icmp-type 3', 'icmp-type 8', 'icmp-type 11', 'icmp-code 0', 'icmp-code 1', 'icmp-type 135', 'icmp-type 0'],
    ...['tos 0', 'tos > 0', 'src tos 0', 'dst tos 0', 'tos = 8', 'tos >= 184'],
    ...['vlan 1700', 'src vlan 112', 'dst vlan 0', 'vlan 0', 'src or dst vlan 1248', 'src and dst vlan 0'],
    ...['if 9', 'in if 9', 'out if 9', 'in if 10', 'if 0', 'out if 5', 'if 5'],
    // nfdump 1.7.1 asks for a database of its own before it compares AS numbers.
    ...['mask 0', 'src mask 24', 'dst mask 0'],
    ...['flowdir ingress', 'flowdir egress', 'flowdir 0', 'dir 1'],
    ...['router ip 170.80.156.33', 'next ip 192.168.0.137', 'bgpnext ip 192.0.2.1', 'fwdstat 0'],
    // Type and code of ICMP are where other protocols have the port.
    ...[
      'dst port 0',
      'port 0',
      'dst port 771',
      'port > 2816',
      'dst port 34560',
      'dst port in [771 2817]',
      'proto icmp and dst port 771',
    ],
  ]
  return [...simple, ...combined(simple)]
}

function combined(simple: readonly string[]): string[] {
  const of = (i: number): string => simple[(i * 37) % simple.length]!
  const joined = Array.from({ length: 60 }, (_, i) => {
    const [a, b, c] = [of(i), of(i + 5), of(i + 11)]
    return [`${a} and ${b}`, `${a} or ${b} and not ${c}`, `not (${a} or ${b}) or ${c}`, `(${a}) && !(${b} || ${c})`][
      i % 4
    ]!
  })
  const flags = [
    'not flags SA',
    'not flags AFRPU',
    'flags S and not flags AFRPU',
    'proto tcp and not flags AP',
    'not not flags SA',
    'not (proto udp or flags SA)',
  ]
  const lists = [
    'src ip in [192.168.0.83 192.168.0.0/16]',
    'src ip in [192.168.0.0/16 192.168.0.83]',
    'ip in [192.168.0.0/24 192.168.0.0/16]',
  ]
  return [...joined, ...flags, ...lists]
}

/** Why the language finds other flows than nfdump where it does not follow its quirks (docs/reference/filter.md): the filters, and the flows. */
const reasons: readonly [string, RegExp, (row: Row) => boolean][] = [
  ['letters under "not"', /(not|!).*flags (?:.*and not flags )?[A-Z]{2,}/, row => row['protocol'] === 6n],
  ['an overlapping entry of a list is lost', /in \[192\.168\.0\.(83 192|0\/24 192)/, () => true],
  ['type and code of ICMP as a port', /port/, row => row['protocol'] === 1n || row['protocol'] === 58n],
  ['a flow that ends before it begins', /duration/, row => (row['end'] as bigint) < (row['start'] as bigint)],
]

test('as nfdump: the same flows for all filters', { ...needs }, async t => {
  const all = filters()
  assert.ok(all.length >= 300, `${all.length} filters`)
  const wrong: string[] = []
  let hits = 0
  for (const filter of all) {
    const wanted = byNfdump(filter)
    if (wanted.length > 0 && wanted.length < flows.length) hits++
    const got = await ours(filter, true)
    if (got.join() !== wanted.join()) wrong.push(`${filter}: ${got.length} for ${wanted.length}`)
  }
  assert.deepEqual(wrong, [])
  t.diagnostic(`${all.length} filters over ${flows.length} flows, of which ${hits} find some and not all`)
  assert.ok(hits > 200, `${hits} filters tell flows apart`)
})

test('in our own meaning: the same flows, but for the quirks that we do not share', { ...needs }, async t => {
  const unexplained: string[] = []
  const differing = new Map<string, number>()
  for (const filter of filters()) {
    const wanted = byNfdump(filter)
    const got = await ours(filter, false)
    if (got.join() === wanted.join()) continue
    const both = new Set([...wanted, ...got].filter(line => wanted.includes(line) !== got.includes(line)))
    const possible = reasons.filter(([, form]) => form.test(filter))
    const found = possible.filter(([, , one]) => [...both].some(line => one(flows[line - 1]!)))
    const all = [...both].every(line => found.some(([, , one]) => one(flows[line - 1]!)))
    if (!all) unexplained.push(`${filter}: ${got.length} for ${wanted.length}`)
    for (const [reason] of found) differing.set(reason, (differing.get(reason) ?? 0) + 1)
  }
  for (const [reason, count] of differing) t.diagnostic(`${reason}: ${count}`)
  assert.deepEqual(unexplained, [])
})
