import assert from 'node:assert/strict'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { EnrichmentOptions } from '../../src/enrich/enrichment.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { openCase } from '../../src/store/case.ts'
import { verifyWhole } from '../../src/verify/verify.ts'
import { tidemark } from '../cli/run.ts'
import { mmdb } from '../enrich/mmdb-writer.ts'
import { type Work, workFolder } from './support.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
// Times: 1700000000 is 2023-11-14T22:13:20Z.
const rows = [
  '2 1 eni-a 10.0.0.1 198.51.100.7 40000 443 6 10 1000 1700000000 1700000050 ACCEPT OK',
  '2 1 eni-a 198.51.100.7 10.0.0.1 443 40000 6 20 2000 1700000000 1700000055 ACCEPT OK',
  '2 1 eni-a 10.0.0.1 203.0.113.9 40001 22 6 3 300 1700000060 1700000100 ACCEPT OK',
  '2 1 eni-a 10.0.0.2 8.8.8.8 40002 53 17 1 80 1700000030 1700000030 ACCEPT OK',
  '2 1 eni-a 10.0.0.2 2001:db8::2 40002 53 17 1 90 1700000030 1700000040 ACCEPT OK',
  '2 1 eni-a 10.0.0.1 198.51.100.8 40003 443 6 10 4000 1700000200 1700000250 ACCEPT OK',
]
let work: Work
before(() => {
  work = workFolder()
  const write = (name: string, content: string | Buffer): void => writeFileSync(join(work.root, name), content)
  write('a.log', `${[header, ...rows].join('\n')}\n`)
  write(
    'country.mmdb',
    mmdb([
      ['198.51.100.0/24', { country: { iso_code: 'NL' } }],
      ['203.0.113.0/24', { country: { iso_code: 'US' } }],
      ['2001:db8::/32', { country: { iso_code: 'JP' } }],
    ]),
  )
  write(
    'asn.mmdb',
    mmdb([
      ['198.51.100.0/24', { autonomous_system_number: 64_500, autonomous_system_organization: 'Example' }],
      ['203.0.113.0/24', { autonomous_system_number: 64_501 }],
    ]),
  )
  write(
    'tor.csv',
    'ip,valid_from,valid_until\n198.51.100.7,2023-11-14T22:00:00Z,2023-11-14T22:13:50Z\n198.51.100.8,2023-11-14T22:00:00Z,2023-11-14T22:16:00Z\n',
  )
  write('bad.txt', '203.0.113.0/24\n198.51.100.7\n')
  write('nets.csv', 'prefix,name,internal\n10.0.0.0/31,web,\n203.0.113.0/24,branch,yes\n')
  assert.equal(tidemark(['add', 'a.log', '--case', 'case'], { cwd: work.root }).status, 0)
})
after(() => work.close())

const all = [
  '--geoip',
  'country.mmdb',
  '--asn',
  'asn.mmdb',
  '--list',
  'tor.csv',
  '--list',
  'bad.txt',
  '--networks',
  'nets.csv',
]

function flows(args: readonly string[]) {
  return tidemark(['flows', '--case', 'case', ...args], { cwd: work.root })
}

interface Answer {
  rows: Record<string, unknown>[]
  counting: { unknown: number }
  sentence: string
  enrichment?: { path: string; kind: string; sha256: string; entries: number }[]
}

function json(args: readonly string[]): Answer {
  const run = flows([...args, '--json'])
  assert.equal(run.status, 0, run.stderr)
  return JSON.parse(run.stdout)
}

/** The same files, within this process. */
const own = (): EnrichmentOptions => {
  const path = (name: string): string => join(work.root, name)
  const lists = [path('tor.csv'), path('bad.txt')]
  return { lists, geoip: path('country.mmdb'), asn: path('asn.mmdb'), networks: [path('nets.csv')] }
}

async function lines(filter: string): Promise<number[]> {
  const c = await openCase(join(work.root, 'case'))
  try {
    const found: number[] = []
    const { rows: read } = await queryFlows(c, { filter }, { enrichment: own() })
    for await (const { line } of read()) found.push(Number(line) - 1)
    return found
  } finally {
    await c.close()
  }
}

const filters: [filter: string, lines: number[]][] = [
  ['country NL', [1, 2, 6]],
  ['src country nl', [2]],
  ['dst country in [NL US]', [1, 3, 6]],
  ['dst country != NL and dst country is known', [3, 5]],
  ['dst country is unknown', [2, 4]],
  ['dst asn 64500', [1, 6]],
  ['dst asn AS64501', [3]],
  ['dst asn > 64500', [3]],
  ['as-org contains amp', [1, 2, 6]],
  ['dst as-org is unknown', [2, 3, 4, 5]],
  // The entry was valid until 22:13:50, and again for another address; the second list has no times.
  ['list tor', [1, 2]],
  ['dst list tor', [1]],
  ['dst list bad', [1, 3]],
  ['list in [tor bad]', [1, 2, 3]],
  ['not list bad', [4, 5, 6]],
  ['dst list is known', [1, 3]],
  ['dst list is unknown', [2, 4, 5, 6]],
  ['network web', [1, 2, 3, 6]],
  ['dst network branch', [3]],
  ['not network is known', [4, 5]],
  ['internal and dst internal', [2, 3]],
]
for (const [filter, expected] of filters) {
  test(`${filter}: records ${expected.join(' ')}`, async () => assert.deepEqual(await lines(filter), expected))
}

test('of whom a database says nothing it cannot be told, unless nobody has such an address', () => {
  const found = json(['not dst country NL', ...all])
  // 8.8.8.8 is in no network of the database; 10.0.0.1 is of no country.
  assert.deepEqual([found.rows.map(row => Number(row['line']) - 1), found.counting.unknown], [[2, 3, 5], 1])
})

test('groups by what files say, of one end or of both', () => {
  const found = json(['-A', 'dst_country,dst_list', ...all, '-O', 'bytes'])
  assert.deepEqual(
    found.rows.map(row => [row['dst_country'], row['dst_list'], row['bytes']]),
    [
      ['NL', 'none', 4000],
      [null, 'none', 2080],
      ['NL', 'tor, bad', 1000],
      ['US', 'bad', 300],
      ['JP', 'none', 90],
    ],
  )
  const both = json(['-s', 'asn/bytes', ...all])
  assert.deepEqual(
    both.rows.map(row => [row['asn'], row['bytes']]),
    [
      [null, 7640],
      [64_500, 7000],
      [64_501, 300],
    ],
  )
  const distinct = json(['-A', 'srcip', '--distinct', 'dst_country', ...all])
  assert.equal(distinct.rows.find(row => row['srcaddr'] === '10.0.0.1')!['distinct_dst_country'], 2)
})

test('the answer names each file that was read, with its digest', () => {
  const { enrichment = [] } = json(['country NL', ...all])
  assert.deepEqual(
    enrichment.map(({ path, kind }) => [path, kind]),
    [
      ['country.mmdb', 'geoip'],
      ['nets.csv', 'networks'],
    ],
  )
  assert.match(enrichment[0]!.sha256, /^[0-9a-f]{64}$/)
})

test('says in English what it looks for', () => {
  const sentence = (filter: string): string => json([filter, ...all]).sentence
  assert.match(sentence('not src list tor'), /the source address is not on the list "tor" at that time/)
  assert.match(sentence('country NL'), /the source or destination country is "NL"/)
})

const refusals: [args: string[], message: RegExp][] = [
  [['country NL'], /country needs a file of your own: no GeoIP database was given\n {2}hint: give one with --geoip/],
  [['list tor', '--geoip', 'country.mmdb'], /no address list was given/],
  [['list tors', '--list', 'tor.csv'], /no such list: tors\n {2}hint: did you mean tor\?/],
  [['country Netherlands', ...all], /invalid country: Netherlands/],
  [['-A', 'dst_asn'], /asn needs a file of your own: no AS database was given/],
  [['--distinct', 'country', '-A', 'srcip', ...all], /of which end: country/],
  [['country NL', '--geoip', 'gone.mmdb'], /--geoip gone.mmdb: no such file/],
]
for (const [args, message] of refusals) {
  test(`flows ${args.join(' ')} is refused`, () => {
    const run = flows(args)
    assert.match(run.stderr, message)
    assert.notEqual(run.status, 0)
    assert.equal(run.stdout, '')
  })
}

test('files that are noted in a case are used, and what became of them is told with status 3', () => {
  const run = (args: string[]) => tidemark([...args, '--case', 'case'], { cwd: work.root })
  writeFileSync(join(work.root, 'noted.txt'), '203.0.113.9\n')
  assert.equal(run(['enrich', '--list', 'noted.txt', '--geoip', 'country.mmdb']).status, 0)
  assert.deepEqual(JSON.parse(run(['flows', 'list noted and country US', '--json']).stdout).rows.length, 1)
  assert.equal(run(['verify']).status, 0)

  writeFileSync(join(work.root, 'noted.txt'), '198.51.100.7\n')
  const changed = run(['flows', 'list noted', '--json'])
  assert.deepEqual([changed.status, JSON.parse(changed.stdout).rows.length], [3, 2])
  assert.match(changed.stderr, /noted\.txt: changed since it was noted/)
  assert.equal(run(['flows', 'port 22']).status, 0, 'what is not asked for is not read')

  rmSync(join(work.root, 'noted.txt'))
  const gone = run(['flows', 'list noted'])
  assert.deepEqual([gone.status, gone.stdout], [3, ''])
  assert.match(gone.stderr, /noted in the case, and cannot be used: --list .*noted\.txt: no such file/)
  const dossier = run(['investigate', '203.0.113.9', '--json'])
  assert.equal(dossier.status, 3)
  assert.match(dossier.stderr, /noted\.txt: noted in the case, and cannot be used/)
  assert.equal(run(['enrich', '--remove', 'noted.txt']).status, 0)
  const noted = JSON.parse(run(['enrich', '--json']).stdout)
  assert.deepEqual(
    noted.enrichment.map((one: { kind: string }) => one.kind),
    ['geoip'],
  )
  assert.equal(run(['enrich', '--remove', 'noted.txt']).status, 2)
  assert.equal(run(['enrich', '--remove', 'country.mmdb']).status, 0)
})

test('the dossier says who the subject and its peers are, with the lists of their time', () => {
  const dossier = tidemark(['investigate', '10.0.0.1', '--case', 'case', '--json', ...all], { cwd: work.root })
  assert.equal(dossier.status, 0, dossier.stderr)
  const { addresses, enrichment } = JSON.parse(dossier.stdout)
  assert.equal(enrichment.length, 5)
  const said = addresses.map((one: Record<string, unknown> & { lists: { list: string }[] }) => [
    one['address'],
    one['is'],
    one['network'],
    one['country'],
    one['asn'],
    one['lists'].map(({ list }) => list).join(' '),
  ])
  assert.deepEqual(said, [
    ['10.0.0.1', 'subject', 'web', null, null, ''],
    ['198.51.100.7', 'peer', null, 'NL', 64_500, 'tor bad'],
    ['203.0.113.9', 'peer', 'branch', 'US', 64_501, 'bad'],
    ['198.51.100.8', 'peer', null, 'NL', 64_500, ''],
  ])
  const page = tidemark(['investigate', '10.0.0.1', '--case', 'case', ...all], { cwd: work.root }).stdout
  assert.match(page, /peer 198\.51\.100\.7: NL, AS64500 Example, on tor \(line 2, valid from 2023-11-14T22:00:00Z/)
})

test('a kept answer is that of the same files, and verify works it out again while they are there', async () => {
  const dir = join(work.root, 'kept')
  assert.equal(tidemark(['add', 'a.log', '--case', 'kept'], { cwd: work.root }).status, 0)
  const path = join(work.root, 'kept.mmdb')
  const write = (iso_code: string): void =>
    writeFileSync(path, mmdb([['198.51.100.0/24', { country: { iso_code } }]], { size: 24 }))
  const asked = async (): Promise<unknown[]> => {
    const c = await openCase(dir)
    try {
      const request = { filter: 'dst country NL', by: ['dstip'] }
      const { rows: read } = await queryFlows(c, request, { enrichment: { geoip: path }, largeFrom: 1 })
      const found: unknown[] = []
      for await (const { dstaddr } of read()) found.push(dstaddr)
      return found
    } finally {
      await c.close()
    }
  }
  const kept = (): number => readdirSync(join(dir, 'cache')).filter(name => name.startsWith('answer-')).length
  write('NL')
  const first = await asked()
  assert.deepEqual(first, ['198.51.100.8', '198.51.100.7'])
  assert.deepEqual([await asked(), kept()], [first, 1])
  assert.deepEqual((await verifyWhole(dir)).findings, [])
  write('BE')
  assert.deepEqual([await asked(), kept()], [[], 2])
  const { intact, findings } = await verifyWhole(dir)
  assert.deepEqual([intact, findings.map(({ what }) => what)], [true, ['incomplete', 'incomplete']])
})
