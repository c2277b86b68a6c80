import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { coverageMap } from '../../src/investigate/coverage-map.ts'
import type { CoverageAnswer, CoverageAsk } from '../../src/server/contract/coverage.ts'
import { coverageWork } from '../../src/server/work/coverage.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { randomFrom } from '../filter/flows.ts'
import { type Work, workFolder } from '../flows/support.ts'
import { asked } from './asking.ts'

const began = Date.UTC(2024, 2, 1) / 1000
const sensors = ['eni-a', 'eni-b', 'eni-c', 'eni-d', 'eni-e']

interface Line {
  sensor: string
  start: number
  end: number
  status: 'OK' | 'NODATA' | 'SKIPDATA'
}

describe('coverage', () => {
  let work: Work
  let c: Case
  const lines = randomLines(4000)

  before(async () => {
    work = workFolder()
    const text = lines.map(textOf)
    writeFileSync(join(work.root, 'a.log'), `${header}\n${[...text, 'no line', 'nor this'].join('\n')}\n`)
    writeFileSync(join(work.root, 'b.gz'), Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]))
    const dir = join(work.root, 'case')
    await addEvidence({ case: dir, paths: [join(work.root, 'a.log'), join(work.root, 'b.gz')], workers: 1 })
    c = await openCase(dir)
  })
  after(async () => {
    await c.close()
    work.close()
  })

  const ask = (from: number | null, to: number | null, bins = 96, most = 40): Promise<CoverageAnswer> =>
    asked(coverageWork, c, 'coverage', { zoom: { from, to }, bins, sensors: most } satisfies CoverageAsk)

  test('of each sensor and bin is what its lines say, in any part of the time', async () => {
    const random = randomFrom(3)
    for (let round = 0; round < 40; round++) {
      const from = began + Math.floor(random() * 40_000) - 4000
      const zoom = round === 0 ? [null, null] : [from, from + 60 + Math.floor(random() ** 3 * 60_000)]
      const { map } = await ask(zoom[0]!, zoom[1]!, 1 + Math.floor(random() * 300))
      const begin = Date.parse(map.from!) / 1000
      if (zoom[0] !== null) assert.ok(begin <= zoom[0]! && begin + map.bins * map.bin_seconds >= zoom[1]!)
      for (const { sensor, states, begun, records, no_data, skip_data } of map.sensors) {
        const own = lines.filter(line => line.sensor === sensor)
        assert.equal(states, plainStates(own, begin, map.bin_seconds, map.bins))
        const beginning = (status: Line['status'], bin: number): number =>
          own.filter(line => line.status === status && Math.floor((line.start - begin) / map.bin_seconds) === bin)
            .length
        assert.deepEqual(
          begun,
          begun.map((_, bin) => beginning('OK', bin)),
        )
        const sum = (status: Line['status']): number =>
          begun.reduce((total, _, bin) => total + beginning(status, bin), 0)
        assert.deepEqual([records, no_data, skip_data], [sum('OK'), sum('NODATA'), sum('SKIPDATA')])
      }
    }
  })

  test('has the records that flows counts by sensor, and the states that the report draws', async () => {
    const { map } = await ask(null, null)
    const { rows } = await queryFlows(c, { by: ['sensor'], raw: true, limit: null })
    const counted = new Map<unknown, unknown>()
    for await (const row of rows()) counted.set(row['sensor'], row['records'])
    assert.deepEqual(new Map(map.sensors.map(({ sensor, begun }) => [sensor, sumOf(begun)])), counted)
    const report = await coverageMap(c, [])
    assert.deepEqual(
      map.sensors.map(({ begun: _, ...sensor }) => sensor),
      report.sensors,
    )
  })

  test('names what is in no bin: malformed lines, and files that were not read', async () => {
    const { beside } = await ask(null, null)
    const { unread, ...counts } = beside
    assert.deepEqual(counts, { untimed: 0, malformed: 2, malformed_files: 1, unread_total: 1 })
    assert.equal(unread[0]?.path, join(work.root, 'b.gz'))
  })

  test('says how many sensors there are when not all are shown', async () => {
    const { map } = await ask(null, null, 96, 2)
    assert.equal(map.sensors.length, 2)
    assert.equal(map.sensors_total, 5)
  })
})

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'

function textOf({ sensor, start, end, status }: Line): string {
  if (status !== 'OK') return `2 - ${sensor} - - - - - - - ${start} ${end} - ${status}`
  return `2 - ${sensor} 10.0.0.1 10.0.0.2 1000 443 6 1 40 ${start} ${end} ACCEPT OK`
}

/** Lines with holes between them: sensors that are silent for a while, one that begins late. */
function randomLines(count: number): Line[] {
  const random = randomFrom(7)
  return Array.from({ length: count }, () => {
    const sensor = sensors[Math.floor(random() ** 2 * sensors.length)]!
    let start = began + Math.floor(random() * 36_000)
    if (sensor === 'eni-c') start = began + Math.floor(random() * 3000) + 3000
    if (sensor === 'eni-b' && start % 7200 < 3600) start += 3600
    const any = random()
    const status = any < 0.05 ? 'SKIPDATA' : any < 0.2 ? 'NODATA' : 'OK'
    return { sensor, start, end: start + Math.floor(random() ** 4 * 600), status }
  })
}

function plainStates(own: readonly Line[], begin: number, seconds: number, bins: number): string {
  return Array.from({ length: bins }, (_, bin) => {
    const [from, to] = [begin + bin * seconds, begin + (bin + 1) * seconds]
    const there = own.filter(({ start, end }) => start < to && (start >= from || end > from))
    const has = (status: Line['status']): boolean => there.some(line => line.status === status)
    return has('SKIPDATA') ? 's' : has('OK') ? 'd' : has('NODATA') ? 'n' : '-'
  }).join('')
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
