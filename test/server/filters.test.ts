import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { FilterError } from '../../src/filter/error.ts'
import type { Answerer } from '../../src/server/answering.ts'
import type { ExplainAnswer, SwapAnswer, WrongFilter } from '../../src/server/contract/case.ts'
import type { RowsAnswer } from '../../src/server/contract/flows.ts'
import type { WhyAnswer } from '../../src/server/contract/view.ts'
import { caseWork } from '../../src/server/work/case.ts'
import { exportsWork } from '../../src/server/work/exports.ts'
import { flowsWork } from '../../src/server/work/flows.ts'
import { graphAnswer } from '../../src/server/work/graph.ts'
import { panelsWork } from '../../src/server/work/panels.ts'
import { rowFilesWork } from '../../src/server/work/row-files.ts'
import { viewWork } from '../../src/server/work/view.ts'
import type { Case } from '../../src/store/case.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'
import { defaultHeader, recordLine } from '../robustness/support.ts'
import { asked } from './asking.ts'

describe('a filter of the page', () => {
  let work: Work
  let c: Case
  const view = { filter: '', raw: false, own: [] }
  const always = { from: null, to: null }

  before(async () => {
    work = workFolder()
    const lines = Array.from({ length: 20 }, (_, i) => `${recordLine(i)} ${i % 2 === 0 ? 'red' : 'blue'}`)
    writeFileSync(join(work.root, 'a.log'), `${[`${defaultHeader} team-colour`, ...lines].join('\n')}\n`)
    writeFileSync(join(work.root, 'secret'), '10.0.0.1\n')
    c = await caseOf(work.root, [join(work.root, 'a.log')])
    await asked(viewWork, c, 'open timeline', {})
  })
  after(async () => {
    await c.close()
    work.close()
  })

  test('may ask for a field that the logs have and no table knows, wherever it is read', async () => {
    const filter = 'team_colour = "red" and src port > 1'
    const explained = await asked<ExplainAnswer | WrongFilter>(caseWork, c, 'explain', { ...view, filter })
    assert.ok(!('wrong' in explained), JSON.stringify(explained))
    assert.equal(explained.printed, 'team_colour = red and src port > 1')
    const swapped = await asked<SwapAnswer>(caseWork, c, 'swap', { filter })
    assert.equal(swapped.filter, 'team_colour = red and dst port > 1')
    const empty = { ...view, filter: 'team_colour = "red" and dst port 1' }
    const why = await asked<WhyAnswer>(panelsWork, c, 'why', { view: empty, window: always })
    assert.deepEqual(
      why.terms.map(({ term, alone }) => [term, alone]),
      [
        ['team_colour = red', 10],
        ['dst port 1', 0],
      ],
    )
    const rows = { ...view, ...always, filter, order: 'bytes', offset: 0, limit: 50 }
    assert.equal((await asked<RowsAnswer>(flowsWork, c, 'rows', rows)).total, 10)
  })

  test('never reads a file of this machine, whoever answers', async () => {
    const secret = join(work.root, 'secret')
    const out = join(work.root, 'out')
    const exported = { from: null, until: null, own: [], of: [], notes: false, path: out }
    const questions = (filter: string): [Readonly<Record<string, Answerer<Case>>>, string, object][] => {
      const own = { ...view, filter }
      const ranked = { view: own, window: always, order: 'bytes', top: 5 }
      return [
        ...(['records', 'connections', 'findings'] as const).map(
          what =>
            [exportsWork, 'export', { ...exported, filter, to: 'ndjson', what }] as [
              typeof exportsWork,
              string,
              object,
            ],
        ),
        [caseWork, 'swap', { filter }],
        [panelsWork, 'why', { view: own, window: always }],
        [panelsWork, 'panels', ranked],
        [panelsWork, 'services', ranked],
        [viewWork, 'range', { ...ranked, complete: false }],
        [viewWork, 'hosts', ranked],
        [viewWork, 'timeline', { view: own, zoom: always, measure: 'bytes', stack: 'ports' }],
        [{ graph: graphAnswer }, 'graph', { view: own, window: always, measure: 'bytes', open: [] }],
        [flowsWork, 'rows', { ...own, ...always, order: 'bytes', offset: 0, limit: 5 }],
        ...['csv', 'parquet', 'pcapng'].map(
          format =>
            [rowFilesWork, 'rows-file', { ...own, ...always, order: 'start', format, path: out }] as [
              typeof rowFilesWork,
              string,
              object,
            ],
        ),
      ]
    }
    for (const filter of [`@include ${secret}`, `src ip in @${secret}`, `src ip in @"${secret}"`])
      for (const [kind, name, question] of questions(filter))
        await assert.rejects(
          asked(kind, c, name, question),
          (error: unknown) => error instanceof FilterError && !error.message.includes('10.0.0.1'),
          `${name} ${JSON.stringify(question)}`,
        )
    assert.equal(existsSync(out), false)
  })
})
