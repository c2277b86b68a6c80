import assert from 'node:assert/strict'
import { closeSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { openSpill } from '../../src/conversations/spill.ts'
import { wholeThreads } from '../../src/conversations/whole.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { withRecordIndex } from '../../src/record-index/kept.ts'
import { openCase } from '../../src/store/case.ts'
import { temporaryFolder } from '../cli/run.ts'
import { logOf, talk } from '../handmade.ts'

test('a thread that ended while nothing was asked of it is a failure, not a wait without an end', {
  timeout: 60_000,
}, async t => {
  const root = temporaryFolder(t)
  writeFileSync(
    join(root, 'a.log'),
    logOf(talk({ at: 1_700_000_000, client: '203.0.113.9 40000', server: '10.0.0.5 80' })),
  )
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'a.log')], workers: 1 })
  const c = await openCase(join(root, 'case'))
  const [records, results] = [openSpill(c.temp), openSpill(c.temp)]
  try {
    await withRecordIndex(c, 'logs', async index => {
      const settings = {
        ...({
          evidence: 'logs',
          own: [],
          parts: 2,
          seed: 1,
          records,
          results,
          begins: null,
          answers: null,
          columns: null,
          chosen: null,
        } as const),
        fates: new SharedArrayBuffer(index.rows),
      }
      const crew = wholeThreads(2, settings, index, () => undefined)
      try {
        const scattered = await crew.all('scatter', [[0, index.groups]])
        const [, idle] = (crew as unknown as { workers: Worker[] }).workers
        await idle!.terminate()
        const givens = [0, 1].map(part => ({ part, pages: scattered.flatMap(pages => pages[part]!) }))
        await assert.rejects(crew.all('chain', givens), /a thread ended early/)
      } finally {
        await crew.close()
      }
    })
  } finally {
    for (const { fd } of [records, results]) closeSync(fd)
    await c.close()
  }
})
