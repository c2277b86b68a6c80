import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { FlowsRow } from '../../src/flows/request.ts'
import type { Case } from '../../src/store/case.ts'
import { pick, randomFrom } from '../filter/flows.ts'
import { median, type SlowRecord, slowGroups, slowSpread } from './slow.ts'
import { answerOf, caseOf, rowsOf, type Work, workFolder } from './support.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
let work: Work
let c: Case
let records: SlowRecord[]

function randomRecords(count: number): SlowRecord[] {
  const random = randomFrom(Number(process.env['TIDEMARK_SEED'] ?? 5))
  const below = (n: number): number => Math.floor(random() * n)
  const hosts = ['10.0.0.1', '10.0.0.2', '10.0.1.9', '192.0.2.7', '198.51.100.200', '2001:db8::1', '2001:db8:0:1::5']
  return Array.from({ length: count }, () => {
    const protocol = pick(random, [6, 6, 17, 1])
    const packets = BigInt(1 + below(500))
    const huge = random() < 0.02 ? BigInt(below(1 << 30)) << 24n : 0n
    const start = 1_700_000_000 + below(3000)
    return {
      srcaddr: pick(random, hosts),
      dstaddr: pick(random, hosts),
      srcport: protocol === 1 ? 0 : pick(random, [53, 443, 40_001, 40_002]),
      dstport: protocol === 1 ? 0 : pick(random, [22, 80, 443, 40_001]),
      protocol,
      packets,
      bytes: packets * BigInt(40 + below(1400)) + huge,
      start,
      end: start + (random() < 0.2 ? 0 : below(random() < 0.5 ? 61 : 900)),
      action: random() < 0.25 ? 'REJECT' : 'ACCEPT',
    }
  })
}

before(async () => {
  work = workFolder()
  records = randomRecords(2000)
  const lines = records.map(r =>
    [
      '2 1 eni-a',
      r.srcaddr,
      r.dstaddr,
      r.srcport,
      r.dstport,
      r.protocol,
      r.packets,
      r.bytes,
      r.start,
      r.end,
      r.action,
      'OK',
    ].join(' '),
  )
  writeFileSync(join(work.root, 'a.log'), `${[header, ...lines].join('\n')}\n`)
  c = await caseOf(work.root, [join(work.root, 'a.log')])
})
after(async () => {
  await c.close()
  work.close()
})

const time = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`

function sameGroups(
  rows: readonly FlowsRow[],
  keyOf: (row: FlowsRow) => string,
  wanted: ReturnType<typeof slowGroups>,
): void {
  const got = rows.map(row =>
    [keyOf(row), row['records'], row['rejected'], row['packets'], row['bytes'], row['start'], row['end']].join('|'),
  )
  const expected = [...wanted].map(([key, g]) =>
    [key, g.records, g.rejected, g.packets, g.bytes, time(g.start), time(g.end)].join('|'),
  )
  assert.deepEqual(got.sort(), expected.sort())
}

const net24 = (address: string): string =>
  address.includes(':') ? 'null' : `${address.split('.').slice(0, 3).join('.')}.0/24`

test('groups by elements are those of the slow implementation', async () => {
  for (const raw of [false, true]) {
    const rows = await rowsOf(c, { by: ['srcip4/24', 'dstport'], limit: null, raw })
    const wanted = slowGroups(records, r => [`${net24(r.srcaddr)} ${r.dstport}`], raw)
    sameGroups(rows, row => `${row['srcaddr_net4']} ${row['dstport']}`, wanted)
    const ends = await rowsOf(c, { stat: { element: 'ip' }, order: 'bytes', limit: null, raw })
    sameGroups(
      ends,
      row => String(row['ip']),
      slowGroups(records, r => [r.srcaddr, r.dstaddr], raw),
    )
  }
})

test('rejected bytes are no transfer, unless the filter names the action', async () => {
  const { rows, result } = await answerOf(c, { filter: 'action REJECT', by: [] })
  const rejected = records.filter(r => r.action === 'REJECT')
  assert.equal(result.counting.accepted_only, false)
  assert.equal(String(rows[0]!['bytes']), String(rejected.reduce((sum, r) => sum + r.bytes, 0n)))
  const all = await answerOf(c, { by: [] })
  assert.equal(all.result.counting.accepted_only, true)
  assert.equal(all.rows[0]!['rejected'], rejected.length)
})

test('the two directions of a conversation are one row', async () => {
  const rows = await rowsOf(c, { bidirectional: true, limit: null, raw: true })
  const key = (a: string, b: string, protocol: number): string => `${[a, b].sort().join(' ')} ${protocol}`
  const wanted = slowGroups(
    records,
    r => [key(`${r.srcaddr},${r.srcport}`, `${r.dstaddr},${r.dstport}`, r.protocol)],
    true,
  )
  const both = rows.map(row => ({
    ...row,
    packets: BigInt(row['packets']!) + BigInt(row['out_packets']!),
    bytes: BigInt(row['bytes']!) + BigInt(row['out_bytes']!),
  }))
  sameGroups(
    both,
    row => key(`${row['srcaddr']},${row['srcport']}`, `${row['dstaddr']},${row['dstport']}`, Number(row['protocol'])),
    wanted,
  )
})

test('distinct counts and percentiles are exact', async () => {
  const rows = await rowsOf(c, {
    by: ['protocol'],
    distinct: ['dstip', 'srcport'],
    percentiles: ['bytes/95', 'bytes/50'],
    limit: null,
  })
  for (const row of rows) {
    const own = records.filter(r => r.protocol === row['protocol'])
    const bytes = own.filter(r => r.action === 'ACCEPT').map(r => r.bytes)
    assert.equal(row['distinct_dstaddr'], new Set(own.map(r => r.dstaddr)).size)
    assert.equal(row['distinct_srcport'], new Set(own.map(r => r.srcport)).size)
    assert.equal(String(row['bytes_p95']), String(median(bytes, 95)))
    assert.equal(String(row['bytes_p50']), String(median(bytes, 50)))
  }
})

test('a long record is spread over its bins, exact to the byte', async () => {
  for (const width of [1, 7, 60, 300, 100_000]) {
    const cells = new Map<string, bigint[]>()
    for (const r of records) {
      if (r.action === 'REJECT') continue
      const [packets, bytes] = [r.packets, r.bytes].map(count => slowSpread(count, r.start, r.end, width))
      for (const [bin, share] of bytes!) {
        const key = `${time(bin * width)} ${r.protocol}`
        const cell = cells.get(key) ?? [0n, 0n]
        cells.set(key, [cell[0]! + (packets!.get(bin) ?? 0n), cell[1]! + share])
      }
    }
    const rows = await rowsOf(c, { by: ['protocol'], bin_ms: width * 1000, limit: null })
    const got = rows.filter(row => row['packets'] !== 0 || row['bytes'] !== 0)
    const wanted = [...cells].filter(([, [packets, bytes]]) => packets !== 0n || bytes !== 0n)
    assert.deepEqual(
      got.map(row => `${row['bin']} ${row['protocol']} ${row['packets']} ${row['bytes']}`).sort(),
      wanted.map(([key, [packets, bytes]]) => `${key} ${packets} ${bytes}`).sort(),
      `${width} s`,
    )
    const total = rows.reduce((sum, row) => sum + BigInt(row['bytes']!), 0n)
    assert.equal(
      total,
      records.filter(r => r.action === 'ACCEPT').reduce((sum, r) => sum + r.bytes, 0n),
    )
    assert.equal(
      rows.reduce((sum, row) => sum + Number(row['records']), 0),
      records.length,
    )
  }
})

test('a series without keys has every bin, and a window only its own', async () => {
  const rows = await rowsOf(c, { bin_ms: 60_000, limit: null })
  const times = rows.map(row => Date.parse(String(row['bin'])))
  assert.ok(times.every((at, i) => i === 0 || at - times[i - 1]! === 60_000))
  const window = await rowsOf(c, { filter: 'between 1700000400 and 1700000700', bin_ms: 60_000, limit: null })
  assert.equal(window[0]!['bin'], time(1_700_000_400))
  assert.equal(window.at(-1)!['bin'], time(1_700_000_640))
  for (const row of window) assert.deepEqual(row['bytes'], rows.find(one => one['bin'] === row['bin'])!['bytes'])
})

test('what is not listed is in the row for others, so that columns add up', async () => {
  for (const bin_ms of [undefined, 600_000]) {
    const request = { by: ['srcip', 'dstport'], ...(bin_ms !== undefined && { bin_ms }) }
    const all = await rowsOf(c, { ...request, limit: null })
    const some = await rowsOf(c, { ...request, limit: 3, other: true })
    for (const name of ['records', 'rejected', 'packets', 'bytes']) {
      const sum = (rows: readonly FlowsRow[]): bigint => rows.reduce((total, row) => total + BigInt(row[name]!), 0n)
      assert.equal(sum(some), sum(all), name)
    }
    assert.ok(some.some(row => row['part'] === 'other' && row['srcaddr'] === null))
  }
})

test('having keeps groups, and the totals are still those of all records', async () => {
  const all = await rowsOf(c, { by: ['srcip', 'dstport'], limit: null })
  const { rows, result } = await answerOf(c, {
    by: ['srcip', 'dstport'],
    limit: null,
    having: 'bytes > 2m and not (flows < 40 or packets <= 1k)',
  })
  const wanted = all.filter(
    row => Number(row['bytes']) > 2e6 && !(Number(row['records']) < 40 || Number(row['packets']) <= 1000),
  )
  assert.ok(wanted.length > 0 && wanted.length < all.length)
  assert.deepEqual(rows, wanted)
  assert.equal(result.total_rows, wanted.length)
  assert.equal(result.counting.records, records.length)
})

test('a comparison counts the same groups in both windows', async () => {
  const [from, middle, to] = [1_700_000_600, 1_700_001_200, 1_700_001_800]
  const rows = await rowsOf(c, {
    filter: `port 443 and between ${middle} and ${to}`,
    by: ['dstip'],
    compare: 'previous',
    limit: null,
  })
  const of443 = records.filter(r => r.srcport === 443 || r.dstport === 443)
  const within = (a: number, b: number) =>
    slowGroups(
      of443.filter(r => r.start <= b && r.end >= a),
      r => [r.dstaddr],
      false,
    )
  const [now, before] = [within(middle, to), within(from, middle)]
  for (const row of rows) {
    const key = String(row['dstaddr'])
    assert.equal(row['records'], now.get(key)?.records ?? 0)
    assert.equal(String(row['bytes_before']), String(before.get(key)?.bytes ?? 0n))
    assert.equal(String(row['bytes_change']), String((now.get(key)?.bytes ?? 0n) - (before.get(key)?.bytes ?? 0n)))
  }
  assert.equal(rows.length, new Set([...now.keys(), ...before.keys()]).size)
})

test('a filter that cannot be told of some records says of how many', async () => {
  const { result } = await answerOf(c, { filter: 'flags S' })
  const tcp = records.filter(r => r.protocol === 6).length
  assert.deepEqual([result.counting.records, result.counting.unknown], [0, tcp])
  assert.match(result.notes.join(), /no record has tcp_flags/)
})

test('the SQL that is shown gives the same rows in any DuckDB', async () => {
  for (const request of [
    { by: ['srcip4/24', 'dstport'], filter: 'port in [80 443] and action ACCEPT' },
    { stat: { element: 'port' }, order: 'packets' as const },
    { bin_ms: 60_000 },
    { bidirectional: true as const },
  ]) {
    const { result, rows } = await answerOf(c, { ...request, limit: 5 })
    const again = await c.db.rows(result.sql)
    assert.deepEqual(
      again.map(row => Number(row['bytes'])),
      rows.map(row => Number(row['bytes'])),
    )
  }
})
