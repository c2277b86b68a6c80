import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import type { Case } from '../../src/store/case.ts'
import { openTimeline, type Timeline } from '../../src/timeline/timeline.ts'
import { verifyWhole } from '../../src/verify/verify.ts'
import { randomLines, writeLog } from '../flows/random-case.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'
import { chanceFrom } from '../robustness/support.ts'

const flips = Number(process.env['TIDEMARK_TIMELINE_FLIPS'] ?? 200)
const blockRows = 64
/** The same rows each time, in a view that is made anew. */
let asked = 0
const filter = (): string => `src net 10.0.0.0/8 and not ip 203.0.113.${asked++ % 250}`

let work: Work
let c: Case

before(async () => {
  work = workFolder()
  writeLog(join(work.root, 'a.log'), randomLines(200, 4))
  c = await caseOf(work.root, [join(work.root, 'a.log')])
})
after(async () => {
  await c.close()
  work.close()
})

const kept = (): string[] => readdirSync(join(c.dir, 'cache')).filter(name => name.startsWith('timeline-'))
/** The index, or the totals of all records. */
const path = (what: 'logs' | 'totals' = 'logs'): string =>
  join(c.dir, 'cache', kept().find(name => name.startsWith(`timeline-${what}`))!)

/** Answers that read every column of every block. */
async function answers(timeline: Timeline): Promise<string> {
  const view = await timeline.view()
  const some = await timeline.view({ filter: filter() }, { fewMost: 0 })
  const { from_s, to_s } = timeline.span!
  const found: unknown[] = []
  for (const [one, matching] of [
    [view, await timeline.matching()],
    [some, await timeline.matching({ filter: filter() })],
  ] as const) {
    for (const [from, to] of [
      [0.3, 0.9],
      [0, 1],
    ] as const) {
      const at = (part: number): number => Math.floor(from_s + part * (to_s - from_s))
      found.push(await one.range({ from_s: at(from), to_s: at(to) }))
    }
    found.push(
      await matching.rows(null, 0, 1000),
      await one.series({ from_s, to_s }, 100, 'bytes', 'ports'),
      one.totals,
    )
  }
  return JSON.stringify(found)
}

async function opened(): Promise<string> {
  const timeline = await openTimeline(c, { blockRows })
  try {
    return await answers(timeline)
  } finally {
    timeline.close()
  }
}

test(`after each of ${flips} changes and cuts of the file, also while it is read, no figure is wrong`, async () => {
  const sound = await opened()
  const sums = { path: path('totals'), bytes: readFileSync(path('totals')) }
  const index = { path: path(), bytes: readFileSync(path()) }
  const chance = chanceFrom(11)
  for (let i = 0; i < flips; i++) {
    const isOpen = chance.maybe(0.5)
    const { path: of, bytes } = chance.maybe(0.3) ? sums : index
    const timeline = isOpen ? await openTimeline(c, { blockRows }) : null
    if (timeline !== null) assert.equal(await answers(timeline), sound)
    const at = chance.maybe(0.7) ? chance.int(0, bytes.length - 1) : bytes.length - 1 - chance.int(0, 900)
    const changed = chance.maybe(0.2) ? bytes.subarray(0, at) : Buffer.from(bytes)
    if (changed.length === bytes.length) changed[at]! ^= 1 << chance.int(0, 7)
    writeFileSync(of, changed)
    assert.equal(timeline === null ? await opened() : await answers(timeline), sound, `byte ${at} of change ${i}`)
    timeline?.close()
    // What is left as it was changed was not read: it is another file's turn.
    for (const name of kept()) rmSync(join(c.dir, 'cache', name))
    for (const one of [sums, index]) writeFileSync(one.path, one.bytes)
  }
})

test('the same records make the same file, which verify knows, and names where it was changed', async () => {
  for (const name of kept()) rmSync(join(c.dir, 'cache', name))
  const timeline = await openTimeline(c)
  await timeline.view()
  timeline.close()
  const { intact, findings } = await verifyWhole(c.dir)
  assert.deepEqual([intact, findings], [true, []])
  for (const of of [path(), path('totals')]) {
    const bytes = readFileSync(of)
    bytes[100]! ^= 1
    writeFileSync(of, bytes)
    const again = await verifyWhole(c.dir)
    assert.deepEqual(
      again.findings.map(({ what, path }) => [what, path]),
      [['altered', relative(c.dir, of)]],
    )
    bytes[100]! ^= 1
    writeFileSync(of, bytes)
  }
})

test('totals that are kept of another index are not believed', async () => {
  for (const name of kept()) rmSync(join(c.dir, 'cache', name))
  const other = await openTimeline(c, { blockRows: 32 })
  await other.view()
  other.close()
  rmSync(path())
  assert.equal(await opened(), await opened())
  assert.equal(kept().length, 2)
})

test('a question can be stopped, and asked again', async () => {
  const timeline = await openTimeline(c, { blockRows })
  const { signal } = { signal: AbortSignal.abort(new Error('stopped')) }
  await assert.rejects(timeline.view({ filter: 'port 443' }, { signal }), /stopped/)
  const view = await timeline.view({ filter: 'port 443' })
  assert(view.totals.records > 0)
  assert.equal(await timeline.view({ filter: 'port 443' }), view)
  timeline.close()
})

test('who stops a question takes no answer from those who ask the same', async () => {
  const timeline = await openTimeline(c)
  try {
    const stopping = new AbortController()
    const request = { filter: filter() }
    const first = timeline.view(request, { signal: stopping.signal })
    const second = timeline.view(request)
    stopping.abort(new Error('it was stopped'))
    await assert.rejects(first, /it was stopped/)
    assert.equal((await second).totals.records, (await timeline.view(request)).totals.records)
  } finally {
    timeline.close()
  }
})
