import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { opening } from '../../src/server/work/time-index.ts'
import { viewWork } from '../../src/server/work/view.ts'
import type { Case } from '../../src/store/case.ts'
import { SharedWork } from '../../src/timeline/shared-work.ts'
import { openTimeline } from '../../src/timeline/timeline.ts'
import { randomLines, writeLog } from '../flows/random-case.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'

let work: Work
let c: Case

before(async () => {
  work = workFolder()
  writeLog(join(work.root, 'a.log'), randomLines(900, 3))
  c = await caseOf(work.root, [join(work.root, 'a.log')])
})
after(async () => {
  await c.close()
  work.close()
})

test('the building of the time index stops when nobody wants it, and begins again for who asks then', async () => {
  const ask = (signal: AbortSignal): Promise<unknown> =>
    viewWork['open timeline']!(c, {} as never, { signal, progress: () => undefined })
  const stopping = new AbortController()
  const { timeline } = opening(c)
  const asked = ask(stopping.signal)
  stopping.abort(new Error('stopped'))
  await assert.rejects(asked, /stopped/)
  await assert.rejects(timeline, /stopped/)
  assert.deepEqual(await ask(new AbortController().signal), {})
  const made = await opening(c).timeline
  assert.equal(made.records, 900)
  made.close()
})

test('a view that two ask for is theirs where one of them leaves', async () => {
  const timeline = await openTimeline(c, { blockRows: 64 })
  const request = { filter: 'proto tcp' }
  const [one, other] = [new AbortController(), new AbortController()]
  const first = timeline.view(request, { signal: one.signal })
  const second = timeline.view(request, { signal: other.signal })
  one.abort(new Error('left'))
  await assert.rejects(first, /left/)
  const view = await second
  assert.equal(await timeline.view(request), view)
  const alone = new AbortController()
  const third = timeline.view({ filter: 'proto udp' }, { signal: alone.signal })
  alone.abort(new Error('left too'))
  const fourth = timeline.view({ filter: 'proto udp' })
  await assert.rejects(third, /left too/)
  assert.ok((await fourth).totals.records !== null)
  timeline.close()
})

test('shared work stops when the last who waits has left, and not before', async () => {
  let stopped: unknown = null
  const shared = new SharedWork<never>(
    signal =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          stopped = signal.reason
          reject(signal.reason)
        })
      }),
  )
  const [one, other] = [new AbortController(), new AbortController()]
  const both = [shared.join(one.signal), shared.join(other.signal)]
  one.abort('first')
  await assert.rejects(both[0]!, error => error === 'first')
  await setImmediate()
  assert.deepEqual([stopped, shared.isLost], [null, false])
  other.abort('second')
  await assert.rejects(both[1]!, error => error === 'second')
  assert.deepEqual([stopped, shared.isLost], ['second', true])
})
