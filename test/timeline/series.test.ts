import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Case } from '../../src/store/case.ts'
import { widthFor } from '../../src/timeline/series.ts'
import { openTimeline, type Timeline } from '../../src/timeline/timeline.ts'
import { pick, randomFrom } from '../filter/flows.ts'
import { randomLines, writeLog } from '../flows/random-case.ts'
import { answerOf, caseOf, type Work, workFolder } from '../flows/support.ts'

let work: Work
let c: Case
let timeline: Timeline

before(async () => {
  work = workFolder()
  writeLog(join(work.root, 'a.log'), randomLines(900, 3))
  c = await caseOf(work.root, [join(work.root, 'a.log')])
  timeline = await openTimeline(c, { blockRows: 64 })
})
after(async () => {
  timeline.close()
  await c.close()
  work.close()
})

const sumOf = (values: readonly (number | string | null)[]): bigint =>
  values.reduce((sum: bigint, value) => sum + BigInt(value ?? 0), 0n)

test('the layers of each stack add up to what begins in the bin, whatever the window, the width and the measure', async () => {
  const random = randomFrom(5)
  for (let i = 0; i < 12; i++) {
    const request = pick(random, [{}, { raw: true }, { filter: 'proto tcp' }, { filter: 'action REJECT' }])
    const view = await timeline.view(request, { fewMost: pick(random, [0, 1000]) })
    const { from_s, to_s } = timeline.span!
    const from = from_s + Math.floor(random() * (to_s - from_s - 20))
    const window = { from_s: from, to_s: from + 1 + Math.floor(random() * (to_s - from)) }
    const measure = pick(random, ['records', 'bytes', 'packets'] as const)
    const stack = pick(random, ['none', 'ports', 'outcome', 'way'] as const)
    const series = await view.series(window, pick(random, [1, 5, 30]), measure, stack)
    const bins = series.layers[0]!.values.length
    assert(bins > 0)
    for (let bin = 0; bin < bins; bin++) {
      const begin = series.from_s + bin * series.width_s
      const { totals, ports } = await view.range({ from_s: begin, to_s: begin + series.width_s }, { top: 200 })
      const values = series.layers.map(layer => layer.values[bin]!)
      assert.equal(sumOf(values), sumOf([totals[measure]]), JSON.stringify([request, window, measure, stack, bin]))
      if (stack === 'outcome' && measure === 'records') assert.equal(values[1], totals.rejected)
      if (stack !== 'ports' || measure === 'packets') continue
      for (const { name, values: own } of series.layers.slice(0, -1))
        assert.deepEqual(own[bin], ports.rows.find(row => row.port === name)?.[measure] ?? 0)
    }
  }
})

test('the ports of a stack are the largest by what is measured', async () => {
  const own = workFolder()
  // By bytes from the last to the first, by packets the other way round; records of those between.
  const lines = Array.from({ length: 18 }, (_, i) =>
    Array.from(
      { length: i > 5 && i < 12 ? 2 : 1 },
      (_, j) =>
        `2 1 eni-1 10.0.0.1 10.0.0.2 ${50_000 + j} ${1000 + i} 6 ${500 - 20 * i} ${60_000 + 1000 * i} 1700000000 1700000030 ACCEPT OK`,
    ).join('\n'),
  )
  const header = 'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end'
  writeFileSync(join(own.root, 'a.log'), `${header} action log-status\n${lines.join('\n')}\n`)
  const some = await caseOf(own.root, [join(own.root, 'a.log')])
  const opened = await openTimeline(some)
  try {
    for (const measure of ['bytes', 'packets', 'records'] as const)
      for (const fewMost of [0, 1000]) {
        const view = await opened.view({ filter: 'proto tcp' }, { fewMost })
        const { layers } = await view.series(opened.span!, 1, measure, 'ports')
        const { rows } = await answerOf(some, { filter: 'proto tcp', by: ['server_port'], order: measure, limit: 5 })
        assert.deepEqual(
          layers.slice(0, -1).map(({ name, values }) => [name, values[0]]),
          rows.map(row => [row['server_port'], row[measure]]),
          measure,
        )
      }
  } finally {
    opened.close()
    await some.close()
    own.close()
  }
})

test('counters that all have the same upper half are whole', async () => {
  const path = join(work.root, 'large.log')
  const lines = [0, 1, 2].map(
    i => `2 1 eni-a 10.0.0.1 10.0.0.2 1 2 6 5000000000 6000000000 170000000${i} 1700000060 ACCEPT OK`,
  )
  writeFileSync(
    path,
    `${['version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status', ...lines].join('\n')}\n`,
  )
  const large = await caseOf(work.root, [path], 'case-large')
  const own = await openTimeline(large)
  const view = await own.view()
  assert.deepEqual([view.totals.bytes, view.totals.packets], [18_000_000_000, 15_000_000_000])
  const { hosts } = await view.range(own.span)
  assert.deepEqual(
    hosts.rows.map(row => row.bytes),
    [18_000_000_000, 18_000_000_000],
  )
  own.close()
  await large.close()
})

test('ways are those of the internal networks, or of the subject', async () => {
  const window = timeline.span!
  const asked = [
    [{}, 'src internal and dst external', 'src external and dst internal'],
    [{ subject: '10.0.0.1' }, 'src ip 10.0.0.1 and not dst ip 10.0.0.1', 'dst ip 10.0.0.1 and not src ip 10.0.0.1'],
  ] as const
  for (const [request, out, into] of asked) {
    const view = await timeline.view(request)
    const { layers } = await view.series(window, 1, 'records', 'way')
    // Where an address is not known, an end is of nobody's network.
    for (const [i, filter] of [out, into].entries()) {
      const other = i === 0 ? 'dst' : 'src'
      const end = i === 0 ? 'src' : 'dst'
      const one = 'subject' in request ? 'ip 10.0.0.1' : 'internal'
      const { result } = await answerOf(c, {
        filter: `(${filter}) or (${end} ${one} and ${other} ip is unknown)`,
        by: [],
      })
      assert.equal(sumOf(layers[i]!.values), BigInt(result.counting.records ?? 0), filter)
    }
  }
})

test('bins have widths that people would choose, for spans of seconds and of years', () => {
  const year = 365 * 86_400
  assert.deepEqual(
    [
      [10, 720],
      [86_400, 720],
      [86_400, 100],
      [year, 100],
      [200 * year, 720],
    ].map(([span, most]) => widthFor(span!, most!)),
    [1, 120, 900, 432_000, 17_280_000],
  )
})

test('a case that spans ten years is bounded in bins, and exact', async () => {
  const lines = [1_400_000_000, 1_400_000_001, 1_550_000_000, 1_715_360_000].map(
    start => `2 1 eni-a 10.0.0.1 10.0.0.2 40000 443 6 1 100 ${start} ${start + 1} ACCEPT OK -`,
  )
  writeLog(join(work.root, 'years.log'), lines)
  const years = await caseOf(work.root, [join(work.root, 'years.log')], 'years')
  const long = await openTimeline(years)
  const view = await long.view()
  const series = await view.series(long.span!, 500, 'records', 'none')
  assert(series.layers[0]!.values.length <= 501)
  assert.equal(sumOf(series.layers[0]!.values), 4n)
  const fine = await view.series({ from_s: 1_400_000_000, to_s: 1_400_000_010 }, 10, 'records', 'none')
  assert.deepEqual(fine.layers[0]!.values, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
  long.close()
  await years.close()
})
