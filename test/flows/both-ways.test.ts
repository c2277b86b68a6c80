import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { FlowsRequest } from '../../src/flows/request.ts'
import { flowsPage } from '../../src/report/flows.ts'
import { terminalText } from '../../src/report/terminal.ts'
import { utc } from '../../src/report/zone.ts'
import type { Case } from '../../src/store/case.ts'
import { answerOf, caseOf, rowsOf, type Work, workFolder } from './support.ts'

// Pairs of ends, grouped once more; the sums are worked out by hand.

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags log-status'
const line = (ends: string, packets: number | '-', bytes: number | '-', start: number, flags: number): string => {
  const [from, to] = ends.split(' > ') as [string, string]
  const [[srcaddr, srcport], [dstaddr, dstport]] = [from.split(':'), to.split(':')]
  return `2 1 eni-a ${srcaddr} ${dstaddr} ${srcport} ${dstport} 6 ${packets} ${bytes} ${start} ${start + 10} ACCEPT ${flags} OK`
}
const t = 1_700_000_000
const records = [
  // The answer was seen first, and has the higher port: the SYN tells who began.
  line('10.0.0.9:50443 > 10.0.0.1:40000', 20, 9000, t, 18),
  line('10.0.0.1:40000 > 10.0.0.9:50443', 10, 1000, t + 5, 2),
  // The same client once more, by another port.
  line('10.0.0.1:40001 > 10.0.0.9:50443', 1, 60, t + 20, 2),
  line('10.0.0.9:50443 > 10.0.0.1:40001', 2, 140, t + 20, 18),
  // Another client; nothing came back.
  line('10.0.0.2:40000 > 10.0.0.9:50443', 3, 180, t + 30, 2),
  // The server is a client of another, and its bytes are not known.
  line('10.0.0.9:41000 > 10.0.0.5:22', 7, '-', t + 40, 2),
  line('10.0.0.5:22 > 10.0.0.9:41000', 8, 800, t + 40, 18),
]
let work: Work
let c: Case

before(async () => {
  work = workFolder()
  writeFileSync(join(work.root, 'a.log'), `${[header, ...records].join('\n')}\n`)
  c = await caseOf(work.root, [join(work.root, 'a.log')])
})
after(async () => {
  await c.close()
  work.close()
})

const counts = ['pairs', 'records', 'packets', 'bytes', 'out_packets', 'out_bytes']
const table = async (request: FlowsRequest, ...names: string[]): Promise<string[]> =>
  (await rowsOf(c, { bidirectional: true, limit: null, ...request })).map(row =>
    [...names, ...counts].map(name => row[name] ?? 'unknown').join(' '),
  )

test('pairs are grouped by who began and who answered', async () => {
  assert.deepEqual(await table({ by: ['srcip'] }, 'srcaddr'), [
    '10.0.0.1 2 4 11 1060 22 9140',
    '10.0.0.9 1 2 7 unknown 8 800',
    '10.0.0.2 1 1 3 180 0 0',
  ])
  assert.deepEqual(
    await table(
      { stat: { element: 'dstip' }, distinct: ['srcip', 'srcport'] },
      'dstaddr',
      'distinct_srcaddr',
      'distinct_srcport',
    ),
    ['10.0.0.9 2 2 3 5 14 1240 22 9140', '10.0.0.5 1 1 1 2 7 unknown 8 800'],
  )
  assert.deepEqual(await table({ by: ['srcip4/24', 'dstport'], having: 'pairs > 1' }, 'srcaddr_net4', 'dstport'), [
    '10.0.0.0/24 50443 3 5 14 1240 22 9140',
  ])
})

test('an element of both ends counts a pair for each, and totals count it once', async () => {
  const { rows, result } = await answerOf(c, { bidirectional: true, stat: { element: 'ip' }, order: 'packets' })
  assert.deepEqual(
    rows.map(row => [row['ip'], row['pairs'], row['packets'], row['out_packets']]),
    [
      ['10.0.0.9', 4, 21, 30],
      ['10.0.0.1', 2, 11, 22],
      ['10.0.0.5', 1, 7, 8],
      ['10.0.0.2', 1, 3, 0],
    ],
  )
  assert.deepEqual([result.counting.records, result.counting.packets, result.counting.bytes], [7, 51, 11_180])
})

test('-A of nothing sums up all pairs, and the rest is in the row for others', async () => {
  assert.deepEqual(await table({ by: [] }), ['4 7 21 1240 30 9940'])
  assert.deepEqual(await table({ by: ['srcip'], limit: 1, other: true }, 'part'), [
    'top 2 4 11 1060 22 9140',
    'other 2 3 10 180 8 800',
  ])
})

test('what a pair has no single value of is refused, with a way out', async () => {
  const wrong: [FlowsRequest, RegExp][] = [
    [{ by: ['sensor'] }, /-b and the element sensor/],
    [{ stat: { element: 'interface_id' } }, /-b and the element interface_id/],
    [{ by: ['srcip'], distinct: ['action'] }, /-b and the element action/],
    [{ by: ['srcipp'] }, /unknown element: srcipp/],
    [{ distinct: ['srcip'] }, /-b and --distinct without groups/],
    [{ by: ['srcip'], percentiles: ['bytes/95'] }, /-b and --percentile/],
    [{ by: ['proto'], bin_ms: 60_000 }, /-b and --bin/],
  ]
  for (const [request, message] of wrong) await assert.rejects(rowsOf(c, { bidirectional: true, ...request }), message)
})

test('what a filter of one direction did not ask for is unknown, and no zero', async () => {
  const of = async (filter: string): Promise<string[]> => {
    const rows = await rowsOf(c, { bidirectional: true, filter, order: 'start' })
    return rows.map(row =>
      ['srcaddr', 'dstaddr', 'packets', 'bytes', 'out_packets', 'out_bytes', 'not_asked']
        .map(name => String(row[name] === undefined ? '-' : (row[name] ?? 'null')))
        .join(' '),
    )
  }
  // Requests alone.
  assert.deepEqual(await of('src ip 10.0.0.1'), [
    '10.0.0.1 10.0.0.9 10 1000 null null 1',
    '10.0.0.1 10.0.0.9 1 60 null null 1',
  ])
  // Answers alone: the SYN-ACK tells that their sender did not begin.
  assert.deepEqual(await of('dst ip 10.0.0.1'), [
    '10.0.0.1 10.0.0.9 null null 20 9000 1',
    '10.0.0.1 10.0.0.9 null null 2 140 1',
  ])
  // Both directions are asked for of pairs within the network, and of a filter that is alike both ways.
  assert.deepEqual(await of('src net 10.0.0.0/8 and ip 10.0.0.2'), ['10.0.0.2 10.0.0.9 3 180 0 0 0'])
  assert.deepEqual(await of('ip 10.0.0.2'), ['10.0.0.2 10.0.0.9 3 180 0 0 -'])
  assert.deepEqual(await of('(src ip 10.0.0.2 or dst ip 10.0.0.2)'), ['10.0.0.2 10.0.0.9 3 180 0 0 0'])
  assert.deepEqual(await of('srcaddr = 10.0.0.2'), ['10.0.0.2 10.0.0.9 3 180 null null 1'])
  assert.deepEqual(await of('dst port 22'), ['10.0.0.9 10.0.0.5 7 null null null 1'])
  assert.deepEqual(await of('role client and ip 10.0.0.2'), ['10.0.0.2 10.0.0.9 3 180 null null 1'])
})

test('a filter of one direction is told of, in groups of pairs, too', async () => {
  const request: FlowsRequest = { bidirectional: true, by: ['srcip'], filter: 'src ip 10.0.0.1' }
  const { rows, result } = await answerOf(c, request)
  assert.deepEqual(
    rows.map(row => [row['srcaddr'], row['pairs'], row['bytes'], row['out_bytes'], row['not_asked']]),
    [['10.0.0.1', 2, 1060, null, 2]],
  )
  assert.equal(result.notes.filter(note => note.includes('asks for one direction')).length, 1)
  assert.deepEqual((await answerOf(c, { ...request, filter: 'ip 10.0.0.1' })).result.notes, [])
  const nfdump = await answerOf(c, { bidirectional: true, nfdump: true, filter: 'src ip 10.0.0.2' })
  assert.deepEqual([nfdump.rows[0]!['out_packets'], nfdump.result.notes], [0, []])
})

test('a page says of what was not asked that it was not, and not that it is unknown', async () => {
  const { rows, result } = await answerOf(c, { bidirectional: true, filter: 'src ip 10.0.0.2' })
  const page = { ...result, list: rows, shares: false, order: null, records: false, zone: utc }
  const text = terminalText(flowsPage(page), { width: 140, color: false })
  assert.match(text, /180 +not asked +not asked/)
  assert.match(text, /The filter asks for one direction/)
  assert.doesNotMatch(text, /unknown/)
})
