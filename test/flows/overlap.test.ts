// Two files of one interface whose times overlap, some records in both: every shape of answer against the slow implementation.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { FlowsRequest, FlowsRow } from '../../src/flows/request.ts'
import type { Case } from '../../src/store/case.ts'
import { pick, randomFrom } from '../filter/flows.ts'
import { defaultHeader } from '../robustness/support.ts'
import { type SlowRecord, slowGroups, slowSpread } from './slow.ts'
import { caseOf, rowsOf, type Work, workFolder } from './support.ts'

let work: Work
let c: Case
/** As they were written, and with what is in both files once. */
let written: SlowRecord[]
let once: SlowRecord[]

const lineOf = (r: SlowRecord): string =>
  `2 1 eni-a ${r.srcaddr} ${r.dstaddr} ${r.srcport} ${r.dstport} ${r.protocol} ${r.packets} ${r.bytes} ${r.start} ${r.end} ${r.action} OK`

before(async () => {
  const random = randomFrom(19)
  const below = (n: number): number => Math.floor(random() * n)
  const records = Array.from({ length: 300 }, (): SlowRecord => {
    const start = 1_700_000_000 + below(1200)
    return {
      srcaddr: `10.0.0.${below(3)}`,
      dstaddr: `203.0.113.${below(3)}`,
      srcport: 40_000 + below(3),
      dstport: pick(random, [22, 443]),
      protocol: 6,
      packets: BigInt(1 + below(9)),
      bytes: BigInt(40 + below(9000)),
      start,
      end: start + below(120),
      action: pick(random, ['ACCEPT', 'ACCEPT', 'REJECT']),
    }
  })
  const shared = records.slice(0, 60)
  const [a, b] = [records.slice(0, 180), [...shared, ...records.slice(180)]]
  written = [...a, ...b]
  once = records
  work = workFolder()
  const files = [a, b].map((some, i) => {
    const path = join(work.root, `${i}.log`)
    writeFileSync(path, `${[defaultHeader, ...some.map(lineOf)].join('\n')}\n`)
    return path
  })
  c = await caseOf(work.root, files)
})
after(async () => {
  await c.close()
  work.close()
})

const text = (rows: readonly FlowsRow[], names: readonly string[]): string[] =>
  rows.map(row => names.map(name => String(row[name])).join(' ')).sort()

function groupsText(records: readonly SlowRecord[], keysOf: (r: SlowRecord) => string[], raw: boolean): string[] {
  return [...slowGroups(records, keysOf, raw)]
    .map(([key, g]) => `${key} ${g.records} ${g.rejected} ${g.packets} ${g.bytes}`)
    .sort()
}

const measures = ['records', 'rejected', 'packets', 'bytes']

for (const raw of [false, true]) {
  const records = (): SlowRecord[] => (raw ? written : once)
  test(`groups, rankings, conditions and the rest, ${raw ? 'as written' : 'counted once'}`, async () => {
    const shapes: [FlowsRequest, string[], (r: SlowRecord) => string[]][] = [
      [{ by: ['dstport', 'srcip'] }, ['dstport', 'srcaddr'], r => [`${r.dstport} ${r.srcaddr}`]],
      [{ stat: { element: 'dstip' }, order: 'bytes' }, ['dstaddr'], r => [r.dstaddr]],
      [{ stat: { element: 'ip' }, order: 'packets' }, ['ip'], r => [r.srcaddr, r.dstaddr]],
      [
        { stat: { element: 'port', perProtocol: true } },
        ['protocol', 'port'],
        r => [`6 ${r.srcport}`, `6 ${r.dstport}`],
      ],
      [{ by: ['action'], distinct: ['srcip'], percentiles: ['bytes/95'] }, ['action'], r => [r.action]],
      [{ by: ['sensor'] }, ['sensor'], () => ['eni-a']],
    ]
    for (const [request, keys, keysOf] of shapes) {
      const rows = await rowsOf(c, { ...request, limit: null, raw })
      assert.deepEqual(text(rows, [...keys, ...measures]), groupsText(records(), keysOf, raw), JSON.stringify(request))
    }
    const rows = await rowsOf(c, { by: ['srcip'], having: 'bytes > 100000 and records < 105', limit: null, raw })
    const wanted = [...slowGroups(records(), r => [r.srcaddr], raw)].filter(
      ([, g]) => g.bytes > 100_000n && g.records < 105,
    )
    assert.deepEqual(text(rows, ['srcaddr']), wanted.map(([key]) => key).sort())
  })

  test(`both directions and time bins, ${raw ? 'as written' : 'counted once'}`, async () => {
    const pairs = await rowsOf(c, { bidirectional: true, limit: null, raw })
    const both = (row: FlowsRow): bigint => BigInt(row['bytes'] ?? 0) + BigInt(row['out_bytes'] ?? 0)
    const groups = slowGroups(records(), r => [`${r.srcaddr} ${r.srcport} ${r.dstaddr} ${r.dstport}`], raw)
    assert.equal(pairs.length, groups.size)
    assert.equal(
      pairs.reduce((sum, row) => sum + both(row), 0n),
      [...groups.values()].reduce((sum, group) => sum + group.bytes, 0n),
    )
    const grouped = await rowsOf(c, { bidirectional: true, by: ['dstport'], limit: null, raw })
    assert.equal(
      grouped.reduce((sum, row) => sum + Number(row['records']), 0),
      records().length,
    )
    const bins = new Map<string, bigint>()
    for (const r of records()) {
      if (!raw && r.action === 'REJECT') continue
      for (const [bin, share] of slowSpread(r.bytes, r.start, r.end, 60)) {
        const key = `${new Date(bin * 60_000).toISOString().slice(0, 19)}Z ${r.dstport}`
        bins.set(key, (bins.get(key) ?? 0n) + share)
      }
    }
    const rows = await rowsOf(c, { by: ['dstport'], bin_ms: 60_000, limit: null, raw })
    assert.deepEqual(
      text(
        rows.filter(row => row['bytes'] !== 0),
        ['bin', 'dstport', 'bytes'],
      ),
      [...bins]
        .filter(([, bytes]) => bytes !== 0n)
        .map(([key, bytes]) => `${key} ${bytes}`)
        .sort(),
    )
  })

  test(`two windows compared, ${raw ? 'as written' : 'counted once'}`, async () => {
    const [now, earlier] = ['between 1700000600 and 1700001199', 'between 1700000000 and 1700000599']
    const rows = await rowsOf(c, { filter: now, compare: earlier, by: ['dstport'], limit: null, raw })
    const alone = async (filter: string): Promise<Map<unknown, FlowsRow>> =>
      new Map((await rowsOf(c, { filter, by: ['dstport'], limit: null, raw })).map(row => [row['dstport'], row]))
    const [after, before] = [await alone(now), await alone(earlier)]
    assert.ok(rows.length > 0)
    for (const row of rows) {
      assert.equal(row['bytes'], after.get(row['dstport'])?.['bytes'])
      assert.equal(row['bytes_before'], before.get(row['dstport'])?.['bytes'])
    }
  })
}
