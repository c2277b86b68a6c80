import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { carve } from '../../src/carve/carve.ts'
import { compile } from '../../src/filter/compile.ts'
import { completionContext, contextOf, countMatches, type View } from '../../src/filter/context.ts'
import { parse } from '../../src/filter/filter.ts'
import { explainFlows } from '../../src/flows/explain.ts'
import type { FlowsRequest } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { savedQueries, savedQuery, saveQuery } from '../../src/flows/saved.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { ethernet, ipv4, pcap, tcp } from '../packet/build.ts'
import { chanceFrom, defaultHeader, setting } from '../robustness/support.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-together-'))
after(() => rmSync(root, { recursive: true, force: true }))
const dir = join(root, 'case')

/** Two sensors that saw much of the same, so that counting once has work; and a capture of some of it, to compare with and to carve. */
mkdirSync(join(root, 'logs'))
for (const sensor of ['eni-01', 'eni-02']) {
  const lines = Array.from({ length: 2000 }, (_, i) => {
    const start = 1_700_000_000 + (i % 600)
    return `2 123456789012 ${sensor} 10.0.${i % 3}.${i % 50} 203.0.113.${i % 9} ${1024 + (i % 3000)} ${[22, 80, 443][i % 3]} 6 ${i} ${i * 40} ${start} ${start + 30} ${i % 7 === 0 ? 'REJECT' : 'ACCEPT'} OK`
  })
  writeFileSync(join(root, 'logs', `${sensor}.log`), `${[defaultHeader, ...lines].join('\n')}\n`)
}
const packets = Array.from({ length: 300 }, (_, i) => ({
  time: [1_700_000_000 + i, 0] as [number, number],
  bytes: ethernet(
    0x0800,
    ipv4({ src: `10.0.1.${i % 50}`, dst: '203.0.113.4', protocol: 6 }, tcp(1024 + (i % 40), 443, i % 3 === 0 ? 2 : 16)),
  ),
}))
writeFileSync(join(root, 'logs', 'seen.pcap'), pcap(packets))
writeFileSync(join(root, 'list.txt'), '203.0.113.4\n10.0.2.0/24\n')
await addEvidence({ case: dir, paths: [join(root, 'logs')], workers: 1 })
await saveQuery({ dir }, 'mine', { filter: 'dst port 443', by: ['dstip'] })

type Question = (c: Case, signal?: AbortSignal) => Promise<unknown>

function flows(request: FlowsRequest): Question {
  return async (c, signal) => {
    const result = await queryFlows(c, request, { folder: root, ...(signal !== undefined && { signal }) })
    const rows = []
    for await (const row of result.rows()) rows.push(row)
    return { rows, total: result.total_rows, counting: result.counting, notes: result.notes }
  }
}

function dossier(...subjects: string[]): Question {
  return (c, signal) => investigate(c, subjects, signal === undefined ? {} : { signal })
}

const counted = (text: string, view?: View): Question => {
  return c => {
    const context = contextOf(c, view)
    return countMatches(c, compile(parse(text, { columns: context.columns }), context), view)
  }
}

let carvings = 0
const carved =
  (text: string): Question =>
  async (c, signal) => {
    const out = join(root, `carved-${++carvings}.pcap`)
    const wanted = { kind: 'filter' as const, text, nfdump: false }
    const report = await carve(c, { wanted, out, ...(signal !== undefined && { signal }) })
    return { ...report, out: '', bytes: readFileSync(out).toString('hex') }
  }

const questions: Question[] = [
  flows({ limit: null, filter: 'dst port 22' }),
  flows({ filter: 'ip in @list.txt', limit: 40, order: 'bytes' }),
  flows({ by: ['srcaddr'], limit: null }),
  flows({
    by: ['dstip', 'dstport'],
    distinct: ['srcip'],
    percentiles: ['bytes/95'],
    having: 'records > 3',
    order: 'bytes',
  }),
  flows({ by: ['service', 'role'], limit: null }),
  flows({ filter: 'role client', by: ['srcip4/24'] }),
  flows({ bin_ms: 60_000, by: ['dstport'] }),
  flows({ bidirectional: true, limit: 50, order: 'bytes' }),
  flows({ bidirectional: true, by: ['dstport'], limit: null }),
  flows({ stat: { element: 'ip' }, limit: 5, other: true }),
  flows({ filter: 'last 5m of case', compare: 'previous', by: ['dstport'] }),
  flows({ evidence: 'packets', by: ['srcip', 'dstip', 'role'], limit: null }),
  dossier('203.0.113.4'),
  dossier('10.0.1.0/24'),
  dossier('203.0.113.1', '10.0.2.7'),
  (c, signal) => explainFlows(c, { filter: 'src ip 10.0.0.1' }, signal === undefined ? {} : { signal }),
  counted('role server and dst port 443'),
  counted('dst port 443', 'packet_flows'),
  carved('src port 1030'),
  async c => (await completionContext(c)).values?.('dstaddr', ''),
  async (c, signal) => flows(await savedQuery(c, 'mine'))(c, signal),
  c => savedQueries(c),
]

/** What each question is answered alone, of a case that was just opened. */
async function answersAlone(): Promise<unknown[]> {
  const alone: unknown[] = []
  for (const ask of questions) {
    const c = await openCase(dir)
    alone.push(await ask(c))
    await c.close()
  }
  rmSync(join(dir, 'cache'), { recursive: true, force: true })
  return alone
}
const alone = await answersAlone()

interface Together {
  count: number
  seed: number
  /** What share is stopped, at random moments. */
  stopped: number
  within_ms: number
}

/** Asks many questions at about the same time. Returns how many were answered; throws for a wrong answer, and an error of a question that nobody stopped. */
async function askTogether(c: Case, { count, seed, stopped, within_ms }: Together): Promise<number> {
  const chance = chanceFrom(seed)
  let answered = 0
  const asked = Array.from({ length: count }, async (_, i) => {
    // Each kind at least once, if there is room.
    const which = i < questions.length ? i : chance.int(0, questions.length - 1)
    const controller = new AbortController()
    const isStopped = chance.maybe(stopped)
    const after = chance.int(0, within_ms * 4)
    await setTimeout(chance.int(0, within_ms))
    if (isStopped) void setTimeout(after).then(() => controller.abort(new Error('stopped')))
    try {
      const answer = await questions[which]!(c, controller.signal)
      assert.deepEqual(answer, alone[which], `question ${which}`)
      answered++
    } catch (error) {
      if (!isStopped || !(error instanceof Error && error.message === 'stopped')) throw error
    }
  })
  const results = await Promise.allSettled(asked)
  const failed = results.find(result => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return answered
}

test('200 questions at the same time are answered as each one alone, also where others are stopped', async () => {
  const c = await openCase(dir)
  const count = setting('QUESTIONS', 200)
  const answered = await askTogether(c, { count, seed: 20261126, stopped: 0.25, within_ms: 500 })
  assert.ok(answered > count / 2)
  await c.close()
  // What they left in the cache is whole too.
  const later = await openCase(dir)
  for (const [i, ask] of questions.entries()) assert.deepEqual(await ask(later), alone[i], `question ${i}, later`)
  await later.close()
})

test('questions that share a connection are noticed by the same check', async () => {
  const c = await openCase(dir)
  c.db.question = (_, work) => work(c.db)
  await assert.rejects(askTogether(c, { count: 40, seed: 7, stopped: 0, within_ms: 50 }))
  await c.close()
})

test('a case that is closed while questions are asked gives each its answer, or says that it was closed', async () => {
  for (const after of [0, 30, 200, 800]) {
    const c = await openCase(dir)
    const asked = questions.map((ask, which) =>
      ask(c).then(
        answer => assert.deepEqual(answer, alone[which], `question ${which}`),
        error => assert.match(String(error), /the case was closed/, `question ${which}`),
      ),
    )
    await setTimeout(after)
    await c.close()
    await Promise.all(asked)
  }
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
  assert.equal(first.length, 4000)
  assert.deepEqual(second, first)
  let inner = 0
  let outer = 0
  for await (const _ of result.rows()) {
    if (outer++ % 1000 === 0) for await (const __ of (await queryFlows(c, { by: ['dstport'] })).rows()) inner++
  }
  assert.deepEqual([outer, inner], [4000, 12])
  for await (const _ of result.rows()) break
  assert.equal((await read()).length, 4000)
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
