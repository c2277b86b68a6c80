import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openTimeline } from '../../src/timeline/timeline.ts'
import { caseOf, workFolder } from '../flows/support.ts'
import { requireSameRows } from './support.ts'

const header = 'interface-id srcaddr dstaddr srcport dstport protocol packets bytes'
const ends = (i: number): string => `eni-a 10.0.0.${i % 3} 10.0.1.${i % 200} 50000 443 6 1 ${40 + i}`

test('pages of many rows that begin at the same time, or at none that is known, are those of flows', async () => {
  const work = workFolder()
  const [untimed, timed] = [36_000, 1000]
  const at = (name: string): string => join(work.root, name)
  const write = (name: string, fields: string, lines: readonly string[]): void =>
    writeFileSync(at(name), `${[`${header} ${fields}action log-status`, ...lines].join('\n')}\n`)
  for (const [more, name] of ['a', 'b'].entries())
    write(
      `none-${name}.log`,
      '',
      Array.from({ length: untimed / 2 }, (_, i) => `${ends(i + more)} ACCEPT OK`),
    )
  for (const [more, name] of ['a', 'b'].entries())
    write(
      `start-${name}.log`,
      'start end ',
      Array.from({ length: timed / 2 }, (_, i) => {
        const start = 1_700_000_000 + Math.floor(i / 200)
        return `${ends(i + more)} ${start} ${start + 1} ACCEPT OK`
      }),
    )
  const c = await caseOf(work.root, ['none-a.log', 'none-b.log', 'start-a.log', 'start-b.log'].map(at))
  const timeline = await openTimeline(c, { blockRows: 64 })
  try {
    for (const [filter, share] of [
      ['', 1],
      ['src ip 10.0.0.1', 3],
    ] as const) {
      const view = await timeline.view({ filter, raw: true })
      const matching = await timeline.matching({ filter, raw: true })
      const before = matching.size
      const { count } = await matching.rows(null, 0, 0)
      const first = Math.floor(timed / share)
      for (const offset of [0, Math.floor(150 / share), first - 20, first + 40, first + 41, count - 30])
        await requireSameRows(c, view, matching, null, offset, 60)
      // The run of those without a time stays sorted for the next page.
      assert.equal(matching.size - before, 4 * Math.floor(untimed / share))
    }
    const stopping = new AbortController()
    const matching = await timeline.matching({ filter: 'src ip 10.0.0.2', raw: true })
    const asked = matching.rows(null, timed, 10, { signal: stopping.signal })
    stopping.abort(new Error('stopped'))
    await assert.rejects(asked, /stopped/)
  } finally {
    timeline.close()
    await c.close()
    work.close()
  }
})
