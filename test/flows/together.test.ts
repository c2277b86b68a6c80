import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { explainFlows } from '../../src/flows/explain.ts'
import type { FlowsRequest } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { chanceFrom, defaultHeader } from '../robustness/support.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-overlap-'))
after(() => rmSync(root, { recursive: true, force: true }))
const dir = join(root, 'case')

/** Two sensors that saw much of the same, so that counting once has work. */
mkdirSync(join(root, 'logs'))
for (const sensor of ['eni-01', 'eni-02']) {
  const lines = Array.from({ length: 6000 }, (_, i) => {
    const start = 1_700_000_000 + (i % 600)
    return `2 123456789012 ${sensor} 10.0.${i % 3}.${i % 50} 203.0.113.${i % 9} ${1024 + (i % 3000)} ${[22, 80, 443][i % 3]} 6 ${i} ${i * 40} ${start} ${start + 30} ${i % 7 === 0 ? 'REJECT' : 'ACCEPT'} OK`
  })
  writeFileSync(join(root, 'logs', `${sensor}.log`), `${[defaultHeader, ...lines].join('\n')}\n`)
}
await addEvidence({ case: dir, paths: [join(root, 'logs')], workers: 1 })

type Question = (c: Case, signal?: AbortSignal) => Promise<unknown>

function flows(request: FlowsRequest): Question {
  return async (c, signal) => {
    const result = await queryFlows(c, request, signal === undefined ? {} : { signal })
    const rows = []
    for await (const row of result.rows()) rows.push(row)
    return { rows, total: result.total_rows, counting: result.counting }
  }
}

function dossier(subject: string): Question {
  return (c, signal) => investigate(c, [subject], signal === undefined ? {} : { signal })
}

const questions: Question[] = [
  flows({ limit: null, filter: 'dst port 22' }),
  flows({ by: ['srcaddr'], limit: null }),
  flows({ by: ['service', 'role'], limit: null }),
  flows({ bin_ms: 60_000, by: ['dstport'] }),
  flows({ bidirectional: true, limit: 50 }),
  flows({ stat: { element: 'ip' }, limit: 20 }),
  dossier('203.0.113.4'),
  dossier('10.0.1.0/24'),
  c => explainFlows(c, { filter: 'src ip 10.0.0.1' }),
]

test('questions that overlap are answered as each one alone, also where others are stopped', async () => {
  const alone: unknown[] = []
  for (const ask of questions) {
    const c = await openCase(dir)
    alone.push(await ask(c))
    await c.close()
  }
  rmSync(join(dir, 'cache'), { recursive: true, force: true })
  const chance = chanceFrom(20261126)
  const c = await openCase(dir)
  const asked = Array.from({ length: 36 }, async () => {
    const which = chance.int(0, questions.length - 1)
    const controller = new AbortController()
    const isStopped = chance.maybe(0.3)
    if (isStopped) setTimeout(() => controller.abort(new Error('stopped')), chance.int(0, 1500))
    await new Promise(resolve => setTimeout(resolve, chance.int(0, 300)))
    try {
      const answer = await questions[which]!(c, controller.signal)
      assert.deepEqual(answer, alone[which], `question ${which}`)
    } catch (error) {
      if (!isStopped || !(error instanceof Error && error.message === 'stopped')) throw error
    }
  })
  await Promise.all(asked)
  await c.close()
  // What they left in the cache is whole too.
  const later = await openCase(dir)
  for (const [i, ask] of questions.entries()) assert.deepEqual(await ask(later), alone[i], `question ${i}, later`)
  await later.close()
})

test('the rows of an answer can be read twice, also beside each other, and beside other questions', async () => {
  const c = await openCase(dir)
  const result = await queryFlows(c, { limit: null })
  const read = async (): Promise<unknown[]> => {
    const rows = []
    for await (const row of result.rows()) rows.push(row)
    return rows
  }
  const [first, second] = await Promise.all([read(), read()])
  assert.equal(first.length, 12_000)
  assert.deepEqual(second, first)
  let inner = 0
  let outer = 0
  for await (const _ of result.rows()) {
    if (outer++ % 4000 === 0) for await (const __ of (await queryFlows(c, { by: ['dstport'] })).rows()) inner++
  }
  assert.deepEqual([outer, inner], [12_000, 9])
  for await (const _ of result.rows()) break
  assert.equal((await read()).length, 12_000)
  const left = result.rows()
  await left.next()
  await c.close()
  await assert.rejects(async () => {
    for await (const _ of left);
  }, /the case was closed/)
})

test('a signal that was aborted before is obeyed by every question', async () => {
  const c = await openCase(dir)
  const signal = AbortSignal.abort(new Error('before'))
  await assert.rejects(queryFlows(c, {}, { signal }), /before/)
  await assert.rejects(explainFlows(c, {}, { signal }), /before/)
  await assert.rejects(investigate(c, ['10.0.0.1'], { signal }), /before/)
  await assert.rejects(
    addEvidence({ case: join(root, 'none'), paths: [join(root, 'logs')], workers: 1, signal }),
    /before/,
  )
  assert.equal(existsSync(join(root, 'none')), false)
  const controller = new AbortController()
  const result = await queryFlows(c, { limit: null }, { signal: controller.signal })
  controller.abort(new Error('midway'))
  await assert.rejects(async () => {
    for await (const _ of result.rows());
  }, /midway/)
  await c.close()
})
